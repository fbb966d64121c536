//! Whether the time of a signature check tells how much of the signature is right: a dudect test (Reparaz, Balasch,
//! Verbauwhede: "Dude, is my code constant time?"). A |t| above 5 says that it does, as it must for the control.
//!
//! `cargo bench -p upload-session-edge --bench constant_time`
#![allow(clippy::unwrap_used, clippy::expect_used, clippy::panic)]

use std::hint::black_box;
use std::time::Duration;

use base64::Engine as _;
use base64::engine::general_purpose::URL_SAFE_NO_PAD as BASE64URL;
use dudect_bencher::ctbench::{BenchFn, BenchMetadata, BenchName, BenchOpts, run_benches_console};
use dudect_bencher::rand::RngExt as _;
use dudect_bencher::{BenchRng, Class, CtRunner};
use upload_session_edge::token::{Keyring, Owner, Session};

const SAMPLES: usize = 200_000;
const NOW: Duration = Duration::from_secs(1_800_000_000);

/// Runs them all. The crate's own `main` does not know the flag `--bench` that cargo gives.
fn main() -> std::io::Result<()> {
    let benches: [(_, BenchFn); 3] = [
        ("first_byte_or_last_byte_wrong", first_byte_or_last_byte_wrong),
        ("all_bytes_or_last_byte_wrong", all_bytes_or_last_byte_wrong),
        ("control_that_stops_at_the_first_difference", control),
    ];
    let benches = benches.map(|(name, benchfn)| BenchMetadata { name: BenchName(name), seed: None, benchfn });
    run_benches_console(BenchOpts { continuous: false, filter: None, file_out: None }, benches.into())
}

/// Left: the first byte of the signature is wrong. Right: the last one is.
fn first_byte_or_last_byte_wrong(runner: &mut CtRunner, rng: &mut BenchRng) {
    compare(runner, rng, |mac| mac[0] ^= 0x55);
}

/// Left: every byte is wrong. Right: the last one is.
fn all_bytes_or_last_byte_wrong(runner: &mut CtRunner, rng: &mut BenchRng) {
    compare(runner, rng, |mac| mac.iter_mut().for_each(|byte| *byte ^= 0x55));
}

/// The same with a comparison of the signatures that ends early.
fn control(runner: &mut CtRunner, rng: &mut BenchRng) {
    let right = [0x55_u8; 32];
    let inputs: Vec<_> = (0..SAMPLES)
        .map(|_| {
            let (class, at) = if rng.random::<bool>() { (Class::Left, 0) } else { (Class::Right, 31) };
            let mut wrong = right;
            wrong[at] = 0;
            (class, wrong)
        })
        .collect();
    for (class, wrong) in inputs {
        runner.run_one(class, || right.iter().zip(&wrong).all(|(a, b)| black_box(a) == black_box(b)));
    }
}

fn compare(runner: &mut CtRunner, rng: &mut BenchRng, spoil: impl Fn(&mut [u8])) {
    let keys = Keyring::new(&["0123456789abcdef0123456789abcdef".to_owned()]).unwrap();
    let owner = Owner { consumer_id: "alice".into(), service_id: Some("box".into()) };
    let inputs: Vec<_> = (0..SAMPLES)
        .map(|number| {
            // All of one length, each with a signature of its own.
            let session = Session { id: format!("{number:08}"), size: Some(1 << 30) };
            let token = keys.sign(&session, &owner, NOW);
            if rng.random::<bool>() {
                (Class::Left, spoilt(&token, &spoil))
            } else {
                (Class::Right, spoilt(&token, |mac| mac[31] ^= 0x55))
            }
        })
        .collect();
    for (class, token) in inputs {
        runner.run_one(class, || black_box(keys.verify(black_box(&token), &owner, NOW)).is_some());
    }
}

fn spoilt(token: &str, spoil: impl Fn(&mut [u8])) -> String {
    let (signed, mac) = token.rsplit_once('.').unwrap();
    let mut mac = BASE64URL.decode(mac).unwrap();
    spoil(&mut mac);
    format!("{signed}.{}", BASE64URL.encode(mac))
}
