//! The faults of a scenario, as the emulator takes them.

use fastrand::Rng;
use serde_json::{Value, json};

/// Statuses that say "later": no upload ends by them.
pub(crate) const LATER: [u16; 6] = [408, 429, 500, 502, 503, 504];
/// Statuses that end an upload. 400 speaks of a digest.
const FINAL: [u16; 9] = [400, 402, 403, 404, 409, 410, 418, 422, 501];

/// Makes one fault. Where the upload is direct there is but one operation.
pub(crate) fn random(rng: &mut Rng, direct: bool, parts: u32) -> Value {
    let operation = match rng.u8(..14) {
        _ if direct => "direct",
        0 | 1 => "create",
        2 | 3 => "get",
        4 | 5 => "finish",
        6 => "delete",
        _ => "upload",
    };
    let mut rule = json!({"operation": operation, "times": rng.u32(1..=3), "fault": fault(rng, operation)});
    if operation == "upload" && parts > 0 && rng.bool() {
        rule["part_number"] = json!(rng.u32(..parts));
    }
    // What ends the upload need not come twice, and what takes its time should not.
    if matches!(rule["fault"]["kind"].as_str(), Some("stall" | "expire")) {
        rule["times"] = json!(1);
    }
    rule
}

fn fault(rng: &mut Rng, operation: &str) -> Value {
    let has_content = matches!(operation, "upload" | "direct");
    match rng.u8(..20) {
        0..=5 => {
            let later = pick(rng, LATER);
            status(rng, later)
        }
        6 => {
            let last = pick(rng, FINAL);
            status(rng, last)
        }
        7 => status(rng, 401),
        8..=10 => {
            let when = pick(rng, ["before_body", "mid_body", "after_body"]);
            json!({"kind": "reset", "when": when})
        }
        11..=13 => json!({"kind": "lost_answer"}),
        14 => {
            let when = pick(rng, ["before_body", "after_body"]);
            // Of a direct upload that is not read the server sees no end: nothing comes after it.
            let seconds = (operation == "direct").then_some(3);
            json!({"kind": "stall", "when": when, "seconds": seconds})
        }
        15 => {
            let when = pick(rng, ["before_body", "after_body"]);
            json!({"kind": "stall", "when": when, "seconds": f64::from(rng.u32(1..=300)) / 1000.0})
        }
        16 if matches!(operation, "get" | "upload" | "finish") => json!({"kind": "expire"}),
        17 if operation != "delete" => json!({"kind": "status", "status": 200, "body": "<html>Welcome</html>"}),
        18 | 19 if has_content => json!({"kind": "corrupt_byte"}),
        _ => status(rng, 503),
    }
}

fn status(rng: &mut Rng, status: u16) -> Value {
    let mut fault = json!({"kind": "status", "status": status, "before_body": rng.u8(..4) == 0});
    if status == 400 {
        fault["body"] = json!({"message": "The digest does not match"});
    }
    let retry_after = match rng.u8(..12) {
        0 => "1",
        1 | 2 => "0",
        // A clock that disagrees.
        3 => "Sun, 06 Nov 1994 08:49:37 GMT",
        _ => return fault,
    };
    fault["headers"] = json!({"Retry-After": retry_after});
    fault
}

/// Returns one of these.
pub(crate) fn pick<T: Copy, const N: usize>(rng: &mut Rng, from: [T; N]) -> T {
    from[rng.usize(..N)]
}
