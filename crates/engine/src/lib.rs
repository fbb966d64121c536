//! The sans-IO core of upload-session: one file's upload through Apideck's upload sessions, as a state machine that
//! is told what happened and answers what to do.
//!
//! It holds no file content, reads no clock, rolls no dice and opens no connection: times and a seed are arguments,
//! reading, hashing and sending are the caller's. The same engine thus runs in a browser, at the edge, and on a
//! virtual clock in its tests.
//!
//! # How to drive it
//!
//! Give an [`Upload`](upload::Upload) an input (`handle_…`), then drain [`poll_output`](upload::Upload::poll_output)
//! and start what it asks for; whatever comes of that is the next input. Each operation that is started has an
//! [`OpId`](output::OpId); an answer to one that was cancelled does no harm, it is dropped.
//!
//! | output | is answered by |
//! |---|---|
//! | [`Prepare`](output::Output::Prepare) | `handle_prepared`, and `handle_record` before it where a record is found |
//! | [`Claim`](output::Output::Claim) | `handle_claimed` |
//! | [`Read`](output::Output::Read), [`Verify`](output::Output::Verify) | `handle_read` or `handle_read_failed`; `handle_end` before it where a source of unknown size ends |
//! | [`Send`](output::Output::Send) | `handle_response`, `handle_failure`, or `handle_unsendable`; `handle_sent` meanwhile |
//! | [`RefreshToken`](output::Output::RefreshToken) | `handle_token` |
//! | [`WaitUntil`](output::Output::WaitUntil) | `handle_timeout`, at that time |
//! | all others | nothing |
//!
//! `handle_online` is to be called whenever the network comes or goes, and before a failure is handed in.
//!
//! An upload of 10 bytes, with a server that says yes to everything:
//!
//! ```
//! use std::collections::VecDeque;
//!
//! use upload_session_engine::clock::{Duration, Instant, Now};
//! use upload_session_engine::config::Config;
//! use upload_session_engine::digest::Digest;
//! use upload_session_engine::output::Output;
//! use upload_session_engine::request::{Operation, Response};
//! use upload_session_engine::snapshot::Fingerprint;
//! use upload_session_engine::upload::Upload;
//!
//! let file = b"0123456789";
//! let now = || Now { instant: Instant::from_origin(Duration::ZERO), unix: Duration::ZERO };
//! let mut answers = VecDeque::new();
//! let mut file_id = None;
//!
//! let config = Config { direct: false, ..Config::new("digits.txt", "root", 10) };
//! let mut upload = Upload::new(config, 42)?;
//! upload.handle_start(now());
//! loop {
//!     while let Some(output) = upload.poll_output() {
//!         match output {
//!             Output::Prepare => {
//!                 let digest = Digest::of(file);
//!                 upload.handle_prepared(Ok(Fingerprint { file: digest, target: digest }), now());
//!             }
//!             Output::Read { op, range, mut hasher, .. } => {
//!                 hasher.update(&file[range.start as usize..range.end as usize]);
//!                 upload.handle_read(op, hasher, now());
//!             }
//!             // Nothing can have changed here.
//!             Output::Verify { op, hasher } => upload.handle_read(op, hasher, now()),
//!             Output::Send { op, request, .. } => answers.push_back(match request.operation {
//!                 Operation::Get => (op, 200, r#"{"data":{"id":"s","part_size":4}}"#),
//!                 Operation::Finish => (op, 201, r#"{"data":{"id":"f"}}"#),
//!                 _ => (op, 200, r#"{"data":{"id":"s"}}"#),
//!             }),
//!             Output::Finished(result) => file_id = result?.get("id").cloned(),
//!             // Nothing fails or lasts here: no timer is needed.
//!             _ => {}
//!         }
//!     }
//!     let Some((op, status, body)) = answers.pop_front() else { break };
//!     upload.handle_response(op, &Response { status, body: body.into(), ..Response::default() }, now());
//! }
//! assert_eq!(file_id, Some("f".into()));
//! # Ok::<(), upload_session_engine::error::UploadError>(())
//! ```
//!
//! # Phases of an upload
//!
//! ```text
//!  Idle ─start─▶ Preparing ─▶ Creating ─201─▶ Getting ─200─▶ Transferring ─all done, verified─▶ Finishing ─201─▶ Done
//!    │              │                           │  │           ▲  │ expires_at                    │  ▲  │  ▲
//!    │              └────── from a snapshot ────┘  │           │  ▼            no answer, 409, 5xx │  │  └──┘ 202
//!    │ small or empty                              │          Checking                             ▼  │ not done
//!    └──────────────▶ Transferring ─201─▶ Done     │ no usable session                        Confirming ─success─▶ Done
//!                                                  ▼
//!                                             Discarding ─deleted, or not─▶ Failed
//!
//!  Getting, Checking, Transferring, Finishing ──404, 410──▶ Creating       a resumed session, or with `restart`
//!  any of these ──error──▶ Failed                            of a stream by way of Discarding
//!  any of these, Failed too ──abort──▶ Deleting ──deleted, or not──▶ Aborted       where there is a session
//!                                      AbortingCreate ──201──▶ Deleting            create is in flight
//!                                      Claiming ──it is ours──▶ Deleting           not looked at yet, or failed before
//!                                      Aborted                                     otherwise
//! ```
//!
//! Each phase lives by one request, which is ready, in flight, waiting for its next attempt, or waiting for a token.
//! [Done](output::State::Done) and [Aborted](output::State::Aborted) are final. A pause is no phase: it stops what is
//! started, cuts the parts in flight, and lets every other request end, as its answer cannot be had again. Nor is being
//! offline: nothing new is sent, what fails meanwhile counts for nothing, and backoffs end with it.
//!
//! # Stages of a part
//!
//! ```text
//!  (not open) ──▶ unread ──▶ reading ──▶ queued ──▶ sending ──200, or 409: held already──▶ done
//!                   ▲                     ▲  ▲          │
//!                   │                     │  └─ pause ──┤
//!                   │                     └─ retrying ◀─┤ later (see below)
//!                   ├──────── digest complaint ─────────┤ once
//!                   └── no answer to a slice ───────────┘ to be compared, and sent from memory
//! ```
//!
//! Parts are opened in order, as many as may be in flight and two more, fewer where their bytes are held and
//! [`memory_budget`](config::Config::memory_budget) allows no more. They are read one at a time, in order; where
//! nothing is wanted of their bytes they are not read at all. A sequential session sends one at a time, in order.
//! A parallel one begins with two at a time, takes one more as long as that makes it faster, and half as many after a 429
//! or a stall.
//!
//! Where the platform reads a file that changed as if nothing had happened ([`rereads_file`](config::Config::rereads_file)),
//! parts are surveyed, too: the file is hashed to its end ahead of its sending, and verified as a whole once half of it is
//! acknowledged. From then on every part that is sent from memory is compared with what it was, and every slice is read
//! once more after it was acknowledged. What is stored is so what the file held at one time; what is written over after
//! its part was verified is not looked at again. All that is only compared goes through a checksum in the place of SHA-1,
//! but where the upload was resumed, or a fresh session has parts of another size. A sequential session takes no part twice:
//! there a snapshot that tells of it is saved before each part is sent, so that a later visit can tell whether the file still
//! is what the server holds.
//!
//! # Streams
//!
//! A source that can be read only once ([`BodyMode::Stream`](config::BodyMode::Stream)) goes through the same phases, but for
//! Preparing and Claiming: there is no record, nobody else can drive its upload, and it is never begun again. Its parts
//! are read from its beginning to its end, each once, and held until they are acknowledged, so that no more of it is read than
//! [`memory_budget`](config::Config::memory_budget) allows. Whatever fails, its session is deleted before the error is told, as
//! nobody could go on with it.
//!
//! Where its [`size`](config::Config::size) is not known, create says null, and the plan is open: of as many parts as there may
//! be, until a read finds the end. The part that was being read ends there, those behind it are none, and a part without
//! a byte is none either. Until then progress tells what was read so far as the total. After 10,001 full parts the source
//! is asked whether it ends there.
//!
//! A part that memory cannot hold is refused, or, where there is nothing to hash and the size is known, passed on as it is
//! read: one after the other, in order, each sent once, whatever comes of it.
//!
//! # What is tried again, and what ends the upload
//!
//! | what comes of a request | what happens |
//! |---|---|
//! | no answer; 408, 429, 500, 502, 503, 504 | sent again after a random time, at most 500 ms, then growing by 1.5 up to a minute; never before `Retry-After`; fails 15 minutes after the first failure, pauses and times offline aside ([`RetryPolicy`](retry::RetryPolicy)) |
//! | no answer within [`timeout`](config::Config::timeout), or 4 × [`stall_timeout`](config::Config::stall_timeout) | cancelled; as no answer |
//! | content: no progress within `stall_timeout`, no answer within 4 × that after the last byte; where progress is not told, `stall_timeout` and three times what the part takes at the measured speed (at 64 KiB/s before the first), doubled after each stall | cancelled; as no answer |
//! | 401, where a token can be had | one refresh for all; each request is sent once more, then `unauthorized` |
//! | the refresh fails, or a request cannot be made | its error |
//! | 404 or 410 on a session | `session_expired`, or a fresh session ([`restart`](config::Config::restart), 5 times at most); at a resume always a fresh one; to a deletion, success |
//! | `expires_at` has passed | the session is asked, and believed |
//! | any other status | the status's own error |
//! | 2xx to create, a part or finish without `data.id`, to get without `data` | `protocol` |
//! | get: senseless `part_size`; more than 10,001 parts; a stream's part that memory cannot hold | `protocol`; `file_too_large`; `invalid_argument`; the session is deleted |
//! | get, at a resume: no JSON, or another `part_size` than before | `protocol`; the session stays |
//! | part: 409, as it is held already | the part is done: an attempt got through whose answer was lost, or the browser sent it twice |
//! | part: 400 or 422 that speaks of a digest that was sent | read, hashed and sent once more; other bytes are `file_changed`, a second complaint `digest_mismatch` |
//! | part: cannot be read | `file_changed`, or what the reader said |
//! | file or part: reads differently than before | `file_changed`, before finish |
//! | part of a stream that is passed on as it is read: anything but success | its error, at once |
//! | direct: 413 | by session; a stream, which is read by then, fails |
//! | finish: no answer, 5xx, 404, 409 or 410 | before the next attempt, or the end, the session is asked: `success` means done |
//! | finish: 202 | asked again after `Retry-After`, at least 1 s; `timeout` after 15 minutes |
//! | finish: 400 or 422 that speaks of a digest that was sent | `digest_mismatch` |
//! | delete: fails for 30 s | the warning `session_not_deleted` |
//!
//! An error leaves the session on the server, so that a caller may abort, which deletes it, or go on later. That of a stream
//! is deleted.
//!
//! # Going on later
//!
//! A [`Snapshot`](snapshot::Snapshot) says which parts are acknowledged, holds the file's digest as far as it is hashed, and the
//! digests of the parts that were hashed and not acknowledged. Those are read again and compared before they are sent;
//! where there are none, one acknowledged part is. A sequential session's own byte range counts more than the snapshot.
#![no_std]
#![forbid(unsafe_code)]
#![cfg_attr(test, allow(clippy::unwrap_used, clippy::expect_used, clippy::panic))]

extern crate alloc;
#[cfg(test)]
extern crate std;

mod base64;
mod call;
mod checksum;
pub mod clock;
mod concurrency;
pub mod config;
pub mod digest;
pub mod error;
pub mod json;
pub mod output;
mod part;
mod part_set;
pub mod plan;
pub mod progress;
pub mod request;
pub mod retry;
pub mod snapshot;
pub mod upload;
pub mod wire;
