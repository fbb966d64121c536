//! What the engine answers: things to do, and things to tell.

use alloc::string::String;
use core::ops::Range;

use crate::clock::Instant;
use crate::digest::PartHasher;
use crate::error::UploadError;
use crate::json::Value;
use crate::progress::Progress;
use crate::request::{Operation, Request};
use crate::snapshot::Snapshot;

/// Names an operation that was started, so that an answer that comes too late is known as stale.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct OpId(pub(crate) u64);

/// What to do next, in order.
#[derive(Debug, Clone)]
pub enum Output {
    /// Find out which upload this is ([`Fingerprint`](crate::snapshot::Fingerprint)), and make sure that nobody else drives it; answered by
    /// `handle_prepared`. Once, before the first request of an upload by session.
    Prepare,
    /// Make sure once more that nobody else drives the upload, as it failed and is to be deleted now; answered by
    /// `handle_claimed`.
    Claim,
    /// Read a part once, hash what is wanted of it, and keep its bytes where asked; answered by
    /// `handle_read` or `handle_read_failed`. One at a time, and in part order, but for a part that is read again. That must
    /// give what the file holds by then, where the platform does not tell of a change
    /// ([`rereads_file`](crate::config::Config::rereads_file)).
    Read {
        /// To be named in the answer.
        op: OpId,
        /// Number of the part.
        part: u32,
        /// Its bytes, as offsets into the file. A source of unknown size may end before or within them, which
        /// `handle_end` tells first.
        range: Range<u64>,
        /// What to feed its bytes to, and hand back; it may want none.
        hasher: PartHasher,
        /// Whether to hold the bytes until [`Output::Release`].
        keep: bool,
    },
    /// Make sure that the file is still the one that was read; at any time once all of it was, and beside `Read`. Answered by `handle_read` or
    /// `handle_read_failed`.
    Verify {
        /// To be named in the answer.
        op: OpId,
        /// To be fed with the whole file, to its very end; where it wants none
        /// ([`rereads_file`](crate::config::Config::rereads_file)), the platform is asked whether the file changed, and a
        /// stream whether it ends where it should; where its size is not known, `handle_end` tells that it does.
        hasher: PartHasher,
    },
    /// Send a request; answered by `handle_response` or `handle_failure`.
    Send {
        /// To be named in the answer.
        op: OpId,
        /// What to send, but for the file's content.
        request: Request,
        /// The part that is the body.
        part: Option<PartBody>,
    },
    /// Stop that operation, and let go of what it read; whatever it answers is dropped.
    Cancel {
        /// Which one.
        op: OpId,
    },
    /// Let go of the bytes held for a part.
    Release {
        /// Number of the part.
        part: u32,
    },
    /// Keep this record in place of every earlier one.
    Save(Snapshot),
    /// Drop the record: there is nothing to go on with any more.
    Forget,
    /// Get a fresh token for all requests; answered by `handle_token`. One at a time.
    RefreshToken,
    /// Call `handle_timeout` at that time; replaces every earlier one. Too early does no harm.
    WaitUntil(Instant),
    /// Tell the listeners.
    Event(Event),
    /// The upload has ended: with the file as finish returned it (the `data` of its answer), or with an error. Once.
    Finished(Result<Value, UploadError>),
    /// An abort has done all it can: the session is deleted, or a warning told why not. Only where
    /// [`is_aborting`](crate::upload::Upload::is_aborting) said that there is something to wait for.
    AbortEnded,
}

/// The body of a part's request.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct PartBody {
    /// Number of the part.
    pub number: u32,
    /// Its bytes, as offsets into the file.
    pub range: Range<u64>,
    /// Whether to send the bytes that were held at its [`Output::Read`], or a slice of the file.
    pub held: bool,
}

/// Where an upload stands.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub enum State {
    /// Not started.
    Idle,
    /// The session is being opened.
    Starting,
    /// Parts are being hashed and sent.
    Uploading,
    /// Stopped by the caller until resumed.
    Paused,
    /// Offline: goes on by itself once there is a network.
    Waiting,
    /// All parts are acknowledged; the file is being made of them.
    Finishing,
    /// The file is there.
    Done,
    /// Ended by an error.
    Failed,
    /// Ended by the caller.
    Aborted,
}

impl State {
    /// Returns the name as the public surface spells it.
    pub const fn as_str(self) -> &'static str {
        match self {
            Self::Idle => "idle",
            Self::Starting => "starting",
            Self::Uploading => "uploading",
            Self::Paused => "paused",
            Self::Waiting => "waiting",
            Self::Finishing => "finishing",
            Self::Done => "done",
            Self::Failed => "failed",
            Self::Aborted => "aborted",
        }
    }
}

/// Where a part stands.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub enum PartState {
    /// Being read and hashed.
    Hashing,
    /// Ready to be sent.
    Queued,
    /// On the wire.
    Sending,
    /// Acknowledged.
    Done,
    /// Failed, and waiting to be sent again.
    Retrying,
}

impl PartState {
    /// Returns the name as the public surface spells it.
    pub const fn as_str(self) -> &'static str {
        match self {
            Self::Hashing => "hashing",
            Self::Queued => "queued",
            Self::Sending => "sending",
            Self::Done => "done",
            Self::Retrying => "retrying",
        }
    }
}

/// What the listeners are told.
#[derive(Debug, Clone, PartialEq)]
pub enum Event {
    /// The upload stands elsewhere now.
    State(State),
    /// The session exists, and its part size is known.
    Session {
        /// Id of the session.
        id: String,
        /// Bytes of every part but the last.
        part_size: u64,
        /// Whether parts are sent side by side.
        parallel: bool,
        /// Whether it goes on from a record.
        resumed: bool,
        /// When the session ends, as the server put it.
        expires_at: Option<String>,
    },
    /// The upload got further; at most once in 16 ms.
    Progress(Progress),
    /// A part stands elsewhere now.
    Part {
        /// Number of the part.
        part: u32,
        /// Its bytes, as offsets into the file.
        range: Range<u64>,
        /// Where it stands.
        state: PartState,
        /// Which attempt to send it this is, from 1; 0 before the first.
        attempt: u32,
    },
    /// A request failed, and is sent again.
    Retry {
        /// What failed.
        operation: Operation,
        /// Number of the part, for an upload.
        part: Option<u32>,
        /// Which attempt failed, from 1.
        attempt: u32,
        /// How long until the next.
        delay: crate::clock::Duration,
        /// Why.
        error: UploadError,
    },
    /// Something that does not stop the upload.
    Warning {
        /// A stable code.
        code: &'static str,
        /// A sentence for developers.
        message: String,
    },
}
