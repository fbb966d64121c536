//! The phases of an upload, and what lives as long as it.

use crate::call::Call;
use crate::clock::Instant;
use crate::error::UploadError;
use crate::output::{OpId, State};
use crate::progress::Progress;
use alloc::string::String;

/// Where the upload stands; each phase holds the request it lives by.
#[derive(Debug)]
pub(super) enum Phase {
    Idle,
    /// Finds out which upload this is, and that nobody else drives it.
    Preparing,
    Creating(Call),
    Getting(Call),
    Transferring,
    /// Asks whether a session is still there whose time should be over.
    Checking(Call),
    Finishing(Finish),
    /// Asks whether a finish whose answer was lost was done all the same.
    Confirming(Call, Finish),
    /// Deletes a session that cannot be used, and fails then.
    Discarding(Call, UploadError),
    /// Aborted while it is not clear whose the session is: before a snapshot's was looked at, or after a failure.
    Claiming,
    /// Aborted while create was in flight: its answer is awaited, as only it names the session to delete.
    AbortingCreate(Call),
    Deleting(Call),
    Done,
    Failed,
    Aborted,
}

#[derive(Debug, Default)]
pub(super) struct Finish {
    pub(super) call: Call,
    /// The server refused it as if it were done, or the session gone: the error, unless it is done.
    pub(super) refusal: Option<UploadError>,
    /// Since when the server has been saying that it is at it (202).
    pub(super) accepted_since: Option<Instant>,
}

#[derive(Debug)]
pub(super) struct Session {
    pub(super) id: String,
    /// There is something on the server that a caller may want deleted.
    pub(super) live: bool,
    /// A record of it is kept.
    pub(super) saved: bool,
    /// When its time should be over.
    pub(super) expires: Option<Instant>,
}

#[derive(Debug, Default)]
pub(super) struct Token {
    pub(super) generation: u32,
    /// When a refresh that is under way counts as failed.
    pub(super) refreshing_until: Option<Instant>,
}

/// What the listeners and the timer know already.
#[derive(Debug)]
pub(super) struct Told {
    pub(super) state: State,
    pub(super) progress: Progress,
    pub(super) any_progress: bool,
    pub(super) last_progress: bool,
    /// When progress was last told, or found to be the same.
    pub(super) progress_at: Option<Instant>,
    /// When what is news since then is told.
    pub(super) progress_due: Option<Instant>,
    pub(super) timeout: Option<Instant>,
}

impl Session {
    pub(super) fn new(id: String) -> Self {
        Self { id, live: true, saved: false, expires: None }
    }
}

impl Phase {
    pub(super) fn call_mut(&mut self) -> Option<&mut Call> {
        match self {
            Self::Creating(call)
            | Self::Getting(call)
            | Self::Checking(call)
            | Self::Confirming(call, _)
            | Self::Discarding(call, _)
            | Self::AbortingCreate(call)
            | Self::Deleting(call) => Some(call),
            Self::Finishing(finish) => Some(&mut finish.call),
            Self::Idle
            | Self::Preparing
            | Self::Claiming
            | Self::Transferring
            | Self::Done
            | Self::Failed
            | Self::Aborted => None,
        }
    }

    /// Tells whether this operation is the phase's own request.
    pub(super) fn sent_by(&mut self, op: OpId) -> bool {
        self.call_mut().and_then(|call| call.in_flight()).is_some_and(|flight| flight.op == op)
    }
}
