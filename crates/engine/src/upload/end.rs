//! How an upload ends: done, failed, or aborted.

use alloc::borrow::ToOwned;
use core::mem;

use super::Upload;
use super::phase::{Phase, Session};
use super::session::created;
use super::transitions::{Step, expired};
use crate::call::Call;
use crate::clock::Now;
use crate::error::{ErrorCode, UploadError};
use crate::json::{Object, Value};
use crate::output::{Event, Output};
use crate::request::Operation;
use crate::retry::{Failure, Outcome};

/// How often an upload begins again with a fresh session: a server that loses every one of them must not spin.
const MAX_RESTARTS: u32 = 5;

impl Upload {
    pub(super) fn abort(&mut self) {
        self.cancel_parts();
        self.paused = false;
        let live = self.session.as_ref().is_some_and(|session| session.live);
        self.phase = match mem::replace(&mut self.phase, Phase::Aborted) {
            // Somebody else may be driving the session.
            Phase::Idle if self.snapshot.is_some() => {
                self.outputs.push_back(Output::Prepare);
                Phase::Claiming
            }
            Phase::Preparing if self.snapshot.is_some() => Phase::Claiming,
            // Somebody else may have gone on with it since.
            Phase::Failed if live && !self.config.is_stream() => {
                self.outputs.push_back(Output::Claim);
                Phase::Claiming
            }
            Phase::Creating(call) if call.in_flight().is_some() => Phase::AbortingCreate(call),
            Phase::Creating(call) if call.unsure => {
                self.warn_not_deleted(&Failure::Network.into_error());
                Phase::Aborted
            }
            Phase::Discarding(call, _) => Phase::Deleting(call),
            mut phase => {
                if let Some(flight) = phase.call_mut().and_then(|call| call.in_flight()) {
                    self.outputs.push_back(Output::Cancel { op: flight.op });
                }
                if live { Phase::Deleting(Call::default()) } else { Phase::Aborted }
            }
        };
        if !matches!(self.phase, Phase::Claiming) {
            self.forget();
        }
        self.finish_with(Err(UploadError::new(ErrorCode::Aborted, "The upload was aborted")));
    }

    /// Deletes a session that is this upload's alone.
    pub(super) fn delete(&mut self) {
        self.forget();
        self.phase = Phase::Deleting(Call::default());
    }

    pub(super) fn on_create_after_abort(&mut self, call: &Call, outcome: Outcome<'_>) {
        match outcome {
            Outcome::Answer(response) if response.is_success() => match created(response) {
                Ok(id) => {
                    self.session = Some(Session::new(id));
                    self.phase = Phase::Deleting(Call::default());
                }
                Err(error) => self.end_abort(Some(&error)),
            },
            Outcome::Answer(response) if call.unsure || response.status >= 500 => {
                self.end_abort(Some(&UploadError::from_response(response)));
            }
            Outcome::Answer(_) => self.end_abort(None),
            Outcome::Failure(failure) => self.end_abort(Some(&failure.into_error())),
        }
    }

    pub(super) fn on_delete(&mut self, mut call: Call, outcome: Outcome<'_>, now: Now) {
        match self.judge_delete(&mut call, outcome, now) {
            Step::Later => self.phase = Phase::Deleting(call),
            Step::Success => self.end_abort(None),
            Step::Fail(error) => self.end_abort(Some(&error)),
        }
    }

    /// A session that the server does not know is as good as deleted.
    pub(super) fn judge_delete(&mut self, call: &mut Call, outcome: Outcome<'_>, now: Now) -> Step {
        match self.judge(call, Operation::Delete, None, outcome, now) {
            Step::Fail(error) if matches!(error.status(), Some(404 | 410)) => Step::Success,
            step => step,
        }
    }

    pub(super) fn end_abort(&mut self, failure: Option<&UploadError>) {
        if let Some(error) = failure {
            self.warn_not_deleted(error);
        } else {
            self.session_is_gone();
        }
        self.phase = Phase::Aborted;
        self.outputs.push_back(Output::AbortEnded);
    }

    pub(super) fn warn_not_deleted(&mut self, error: &UploadError) {
        let message = ["The session may still be on the server: ", &error.to_text()].concat();
        self.tell(Event::Warning { code: "session_not_deleted", message });
    }

    pub(super) fn done(&mut self, file: Value) {
        self.session_is_gone();
        self.phase = Phase::Done;
        self.finish_with(Ok(file));
    }

    /// The file is there, but the API tells its id only once.
    pub(super) fn done_without_id(&mut self) -> Phase {
        let message = "The file is stored, but the answer that named it was lost: `id` is the session's";
        self.tell(Event::Warning { code: "file_id_unknown", message: message.to_owned() });
        let file = self.file().with("id", self.session_id().unwrap_or_default());
        self.done(Value::Object(file));
        Phase::Done
    }

    /// Returns what is known of the file without the server.
    pub(super) fn file(&self) -> Object {
        let size = self.size().map_or(Value::Null, Value::from);
        Object::default().with("name", self.config.name.as_str()).with("size", size)
    }

    /// Ends the upload with an error. The session stays on the server unless it is gone: the caller may abort. That of a
    /// stream, which nobody could go on with, is deleted first.
    pub(super) fn fail(&mut self, error: UploadError) {
        if error.code == ErrorCode::SessionExpired {
            self.session_is_gone();
        }
        self.cancel_parts();
        self.cancel_phase();
        let is_left = self.session.as_ref().is_some_and(|session| session.live);
        if is_left && self.config.is_stream() {
            self.phase = Phase::Discarding(Call::default(), error);
        } else {
            self.fail_now(error);
        }
    }

    pub(super) fn fail_now(&mut self, error: UploadError) {
        self.phase = Phase::Failed;
        self.finish_with(Err(error));
    }

    /// Fails with the error of a request to the session; where that is gone, a fresh one may follow.
    pub(super) fn fail_in_session(&mut self, error: UploadError) {
        let error = expired(error);
        if error.code != ErrorCode::SessionExpired || !self.config.restart || self.restarts == MAX_RESTARTS {
            return self.fail(error);
        }
        self.restarts += 1;
        let message =
            ["The session is gone, and the upload begins again with a fresh one: ", &error.to_text()].concat();
        self.tell(Event::Warning { code: "restarted", message });
        self.begin_again();
    }

    /// Ends whatever is going on, as nothing more can be sent.
    pub(super) fn give_up(&mut self, error: UploadError) {
        match mem::replace(&mut self.phase, Phase::Failed) {
            Phase::Deleting(_) => self.end_abort(Some(&error)),
            // It was not even sent.
            Phase::AbortingCreate(_) => self.end_abort(None),
            Phase::Discarding(_, reason) => {
                self.warn_not_deleted(&error);
                self.fail_now(reason);
            }
            _ => self.fail(error),
        }
    }

    pub(super) fn finish_with(&mut self, result: Result<Value, UploadError>) {
        if !mem::replace(&mut self.finished, true) {
            self.outputs.push_back(Output::Finished(result));
        }
    }
}
