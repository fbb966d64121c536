//! The link: offline, and requests that make no progress.

use serde_json::{Value, json};
use wasm_bindgen_test::wasm_bindgen_test;

use crate::support::{Consumer, Patch, Running, call, eval, file, text, until};

/// Pulls and plugs the cable, as far as the page can tell.
struct Cable(Patch);

impl Cable {
    fn pulled() -> Self {
        let cable = Self(Patch::new("navigator", "onLine", &false.into()));
        call(&eval("() => dispatchEvent(new Event('offline'))"));
        cable
    }

    fn plug(self) {
        drop(self.0);
        call(&eval("() => dispatchEvent(new Event('online'))"));
    }
}

#[wasm_bindgen_test]
async fn upload_that_starts_offline_waits() {
    let consumer = Consumer::new("dropbox");
    let file = file(1000);
    let cable = Cable::pulled();
    let running = Running::start(&file, &consumer.options(json!({})));
    until("it waits", async || running.session.state() == "waiting").await;
    assert_eq!(consumer.stats().await.log, []);
    cable.plug();
    consumer.assert_holds(&running.end().await.unwrap(), &file).await;
    assert_eq!(running.events("retry").len(), 0);
}

/// What fails while there is no network costs no attempt: one without retries survives it.
#[wasm_bindgen_test]
async fn network_that_goes_in_the_middle_spends_no_attempt() {
    for transport in ["fetch", "xhr"] {
        let consumer = Consumer::with("dropbox", json!({ "part_size": 50_000 })).await;
        consumer.script(json!([{ "operation": "upload", "part_number": 3, "fault": { "kind": "stall", "when": "before_body" } }])).await;
        let file = file(200_000);
        let options = json!({ "transport": transport, "retries": { "strategy": "none" }, "stallTimeout": 500 });
        let running = Running::start(&file, &consumer.options(options));
        running.until_parts_done(3).await;
        until("part 3 hangs", async || consumer.stats().await.uploads_in_flight == 1).await;
        let cable = Cable::pulled();
        until("it waits", async || running.session.state() == "waiting").await;
        until("what hung is given up", async || consumer.stats().await.uploads_in_flight == 0).await;
        cable.plug();
        consumer.assert_holds(&running.end().await.unwrap(), &file).await;
        assert!(running.states().contains(&"waiting".to_owned()));
        assert_eq!(running.events("retry").len(), 0);
    }
}

/// Uploads with a fault that would hold it up for ever; returns the upload at its end.
async fn through_stall(options: Value, fault: Value) -> Running {
    let consumer = Consumer::with("dropbox", json!({ "part_size": 100_000 })).await;
    consumer.script(json!([fault])).await;
    let file = file(1_000_000);
    let (running, uploaded) = Running::to_end(&file, &consumer.options(options)).await;
    consumer.assert_holds(&uploaded, &file).await;
    assert_eq!(consumer.faults_left().await, 0);
    running
}

#[wasm_bindgen_test]
async fn part_that_stalls_is_given_up_and_sent_again() {
    for transport in ["fetch", "xhr"] {
        for body in ["blob", "buffer"] {
            for when in ["before_body", "after_body"] {
                let options = json!({ "transport": transport, "body": body, "stallTimeout": 300 });
                let fault = json!({ "kind": "stall", "when": when });
                let running =
                    through_stall(options, json!({ "operation": "upload", "part_number": 2, "fault": fault })).await;
                let retries = running.events("retry");
                let codes: Vec<_> = retries.iter().map(|retry| text(retry, "error.code").unwrap()).collect();
                assert_eq!(codes, ["timeout"], "{transport}, {body}, {when}");
            }
        }
    }
}

#[wasm_bindgen_test]
async fn other_requests_that_are_not_answered_are_given_up_and_sent_again() {
    for operation in ["get", "finish"] {
        let fault = json!({ "kind": "stall", "when": "before_body" });
        let running =
            through_stall(json!({ "stallTimeout": 200 }), json!({ "operation": operation, "fault": fault })).await;
        assert!(running.events("retry").iter().any(|retry| text(retry, "operation").as_deref() == Some(operation)));
    }
}
