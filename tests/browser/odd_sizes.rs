//! Files of every awkward size arrive byte by byte, in parts of every awkward size.

use serde_json::json;
use wasm_bindgen_test::wasm_bindgen_test;

use crate::support::{Consumer, Running, Stats, file, named_file, text};

/// How a file is sent.
#[derive(Clone, Copy)]
struct Way {
    service: &'static str,
    body: &'static str,
    digest: &'static str,
}

/// Every two of connector, body and digest that can meet, side by side and in order.
const WAYS: [Way; 6] = [
    Way { service: PARALLEL, body: "blob", digest: "parts-and-file" },
    Way { service: PARALLEL, body: "blob", digest: "parts" },
    Way { service: PARALLEL, body: "buffer", digest: "none" },
    Way { service: SEQUENTIAL, body: "blob", digest: "none" },
    Way { service: SEQUENTIAL, body: "buffer", digest: "parts" },
    Way { service: SEQUENTIAL, body: "buffer", digest: "parts-and-file" },
];
const PARALLEL: &str = "dropbox";
const SEQUENTIAL: &str = "google-drive";

/// Uploads files of around one part and of several.
async fn sizes(part_size: usize, prime: usize, ways: &[Way]) {
    for way in ways {
        for size in [1, part_size - 1, part_size, part_size + 1, 3 * part_size, prime] {
            if size > 0 {
                upload(part_size, size, *way).await;
            }
        }
    }
}

async fn upload(part_size: usize, size: usize, way: Way) {
    let consumer = Consumer::with(way.service, json!({ "part_size": part_size })).await;
    let file = file(size);
    let options = consumer.options(json!({ "body": way.body, "digest": way.digest }));
    let (_, uploaded) = Running::to_end(&file, &options).await;
    consumer.assert_holds(&uploaded, &file).await;
    let stats = consumer.stats().await;
    assert_plan(&stats, size, part_size, way.service == PARALLEL);
    assert_digests(&stats, way.digest);
    consumer.reset().await;
}

/// Asserts that the parts are those of the file, each sent once.
fn assert_plan(stats: &Stats, size: usize, part_size: usize, parallel: bool) {
    let mut sent: Vec<_> = stats.of("upload").iter().map(|entry| (entry.part_number.unwrap(), entry.bytes)).collect();
    if parallel {
        sent.sort_unstable();
    } else {
        assert!(stats.peak_parallel_uploads <= 1);
    }
    let length = |part: usize| part_size.min(size - part * part_size) as u64;
    let parts: Vec<_> = (0..size.div_ceil(part_size)).map(|part| (part as u32, length(part))).collect();
    assert_eq!(sent, parts);
    let requests = stats.requests;
    assert_eq!((requests.create, requests.get, requests.finish, requests.delete), (1, 1, 1, 0));
}

/// Asserts that digests were sent where they were asked for, and were right.
fn assert_digests(stats: &Stats, mode: &str) {
    for part in stats.of("upload") {
        assert_eq!(part.digest_ok, (mode != "none").then_some(true), "{part:?}");
    }
    let finish = stats.of("finish")[0];
    assert_eq!(finish.digest_ok, (mode == "parts-and-file").then_some(true), "{finish:?}");
}

#[wasm_bindgen_test]
async fn parts_of_1_byte() {
    sizes(1, 7, &WAYS).await;
}

#[wasm_bindgen_test]
async fn parts_of_63_bytes() {
    sizes(63, 211, &WAYS).await;
}

#[wasm_bindgen_test]
async fn parts_of_64_bytes() {
    sizes(64, 211, &WAYS).await;
}

#[wasm_bindgen_test]
async fn parts_of_65_bytes() {
    sizes(65, 211, &WAYS).await;
}

#[wasm_bindgen_test]
async fn parts_of_1000_bytes() {
    sizes(1000, 7919, &WAYS).await;
}

#[wasm_bindgen_test]
async fn parts_of_8_mib() {
    sizes(8 << 20, 16_777_259, &[WAYS[0], WAYS[5]]).await;
}

#[wasm_bindgen_test]
async fn names_that_are_not_ascii() {
    let consumer = Consumer::new("dropbox");
    let name = "R\u{e9}sum\u{e9} \u{65e5}\u{672c} \u{1f600} \"%2F\\.pdf";
    let file = named_file(name, 100);
    let (_, uploaded) = Running::to_end(&file, &consumer.options(json!({}))).await;
    assert_eq!(consumer.assert_holds(&uploaded, &file).await["name"], name);
    assert_eq!(text(&uploaded, "name").as_deref(), Some(name));
}

#[wasm_bindgen_test]
async fn a_blob_without_a_name_takes_the_one_of_the_options() {
    let consumer = Consumer::new("dropbox");
    let file = file(100);
    let blob = file.slice_with_f64_and_f64(10.0, 60.0).unwrap();
    let options = consumer.options(json!({ "name": "part of it.txt", "driveId": "d-1", "parentFolderId": "f-1" }));
    let (_, uploaded) = Running::to_end(&blob, &options).await;
    let info = consumer.assert_holds(&uploaded, &blob).await;
    let target = [&info["name"], &info["drive_id"], &info["parent_folder_id"]];
    assert_eq!(target, ["part of it.txt", "d-1", "f-1"]);
}
