//! The session on the server: whose it is, what it asks for, what is kept of it, and when it is gone.

use alloc::borrow::ToOwned;
use alloc::string::String;
use core::mem;

use super::Upload;
use super::phase::{Phase, Session};
use crate::call::Call;
use crate::clock::{Now, parse_date};
use crate::config::DigestMode;
use crate::error::{ErrorCode, UploadError};
use crate::json::{Object, Value, decimal};
use crate::output::{Event, Output, PartState};
use crate::part::{OverBudget, Parts};
use crate::plan::{Plan, parse_part_size};
use crate::progress::SpeedMeter;
use crate::request::{Request, Response};
use crate::snapshot::Fingerprint;
use crate::wire::MAX_PART_SIZE;

impl Upload {
    /// Begins an upload by session. Nobody else can drive that of a stream, and there is nothing to go on with.
    pub(super) fn begin_session(&mut self) {
        if self.config.is_stream() {
            self.phase = Phase::Creating(Call::default());
        } else {
            self.phase = Phase::Preparing;
            self.outputs.push_back(Output::Prepare);
        }
    }

    /// Gives up sending the file in one request, and sends it in parts.
    pub(super) fn go_by_session(&mut self) {
        self.cancel_parts();
        self.direct = false;
        self.parts = None;
        self.begin_session();
    }

    /// Tells whether what cannot go in one request can be sent in parts: nothing of a stream can be read again.
    pub(super) fn can_go_by_session(&self) -> bool {
        !self.config.is_stream() && self.size() > Some(0)
    }

    /// Returns the bytes of the file, as soon as they are known.
    pub(super) fn size(&self) -> Option<u64> {
        let plan = self.parts.as_ref().map(Parts::plan).filter(|plan| !plan.is_open());
        plan.map(|plan| plan.size()).or(self.config.size)
    }

    /// Makes the session of a snapshot this upload's own, where it is of this file and target and nobody else drives it;
    /// returns whether there is one.
    pub(super) fn claim(&mut self, fingerprint: Fingerprint) -> Result<bool, UploadError> {
        self.fingerprint = Some(fingerprint);
        let Some(snapshot) = &self.snapshot else { return Ok(false) };
        if snapshot.fingerprint.file != fingerprint.file || Some(snapshot.plan.size()) != self.config.size {
            let message = "The file is not the one whose upload was begun: pick that one, or begin anew";
            return Err(UploadError::new(ErrorCode::FileChanged, message));
        }
        if snapshot.fingerprint.target != fingerprint.target {
            let takes = "takes a snapshot of an upload to the same server, app, consumer, service, folder and drive, \
                         with the same digests";
            return Err(UploadError::invalid_argument("snapshot", takes));
        }
        self.session = Some(Session { saved: true, ..Session::new(snapshot.session_id().to_owned()) });
        Ok(true)
    }

    /// Notes when the session's time should be over; nothing where that is past though the server just said otherwise.
    pub(super) fn note_expiry(&mut self, envelope: &Object, now: Now) {
        let expires_at = envelope.get("data").and_then(|data| data.get("expires_at")).and_then(Value::as_str);
        let left = expires_at.and_then(|text| parse_date(text, self.config.read_date)).map(|date| date - now.unix);
        if let Some(session) = &mut self.session {
            session.expires = left.filter(|left| !left.is_zero()).map(|left| now.instant + left);
        }
    }

    /// Cuts the file as the session asks, and goes on from the snapshot where there is one.
    pub(super) fn open(&mut self, response: &Response, now: Now) -> Result<Phase, UploadError> {
        let envelope = response.envelope()?;
        let field = |name: &str| envelope.get("data").and_then(|data| data.get(name));
        let snapshot = self.snapshot.take();
        if snapshot.is_some() && is_finished(&envelope) {
            return Ok(self.done_without_id());
        }
        let part_size =
            parse_part_size(field("part_size")).map_err(|message| UploadError::protocol(response, &message))?;
        if part_size.min(self.config.size.unwrap_or(u64::MAX)) > MAX_PART_SIZE {
            let message =
                ["part_size is ", &decimal(part_size), ", and a part may have ", &decimal(MAX_PART_SIZE), " bytes"]
                    .concat();
            return Err(UploadError::protocol(response, &message));
        }
        let plan = match self.config.size {
            Some(size) => Plan::new(size, part_size).map_err(|error| {
                let (parts, size) = (decimal(error.parts), decimal(part_size));
                let message = ["The file takes ", &parts, " parts of ", &size, " bytes; the API takes 10001"].concat();
                UploadError::new(ErrorCode::FileTooLarge, &message)
            })?,
            None => Plan::open_ended(part_size),
        };
        if snapshot.as_ref().is_some_and(|snapshot| snapshot.plan != plan) {
            return Err(UploadError::protocol(response, "The session's part_size is not what it was"));
        }
        let parallel = field("parallel_upload_supported").and_then(Value::as_bool).unwrap_or(false);
        let (mut parts, over_budget) = Parts::new(plan, parallel, &self.config);
        let can_be_piped = self.config.digest == DigestMode::None && !plan.is_open();
        if self.config.is_stream() && over_budget == Some(OverBudget) && !can_be_piped {
            let unless = " bytes that a part of this session has, unless `digest` is \"none\" and the size is known";
            let takes = ["takes at least the ", &decimal(part_size), unless].concat();
            return Err(UploadError::invalid_argument("memoryBudget", &takes));
        }
        let resumed = snapshot.is_some();
        if let Some(snapshot) = snapshot {
            parts.resume(snapshot, field("uploaded_byte_range").and_then(Value::as_str).and_then(bytes_held));
        }
        if let Some(lost) = self.lost.take() {
            parts.restart(lost);
        }
        self.parts = Some(parts);
        self.note_expiry(&envelope, now);
        if resumed {
            // Who hears of the session may ask at once how far it is.
            self.told.progress_at = None;
            self.tell_progress(now.instant);
        }
        let expires_at = field("expires_at").and_then(Value::as_str).map(str::to_owned);
        let id = self.session_id().unwrap_or_default().to_owned();
        self.tell(Event::Session { id, part_size, parallel, resumed, expires_at });
        let held = self.parts.as_ref().map(Parts::acknowledged).unwrap_or_default();
        held.into_iter().for_each(|part| self.tell_part(part, PartState::Done));
        if over_budget == Some(OverBudget) && !self.config.is_stream() {
            let begin = ["A part has ", &decimal(part_size)].concat();
            let message = begin + " bytes, more than memoryBudget: sending slices of the file";
            self.tell(Event::Warning { code: "memory_budget", message });
        }
        self.save();
        Ok(Phase::Transferring)
    }

    /// Keeps what there is to go on with.
    pub(super) fn save(&mut self) {
        if self.config.keeps_record
            && let Some(snapshot) = self.snapshot()
            && let Some(session) = &mut self.session
        {
            session.saved = true;
            self.outputs.push_back(Output::Save(snapshot));
        }
    }

    /// Leaves a session that is gone for a fresh one; what was hashed stays hashed.
    pub(super) fn begin_again(&mut self) {
        self.cancel_parts();
        self.cancel_phase();
        self.session_is_gone();
        self.snapshot = None;
        self.session = None;
        self.lost = self.parts.take().or(self.lost.take());
        self.meter = SpeedMeter::default();
        self.phase = Phase::Creating(Call::default());
    }

    /// There is nothing on the server any more, and nothing to go on with.
    pub(super) fn session_is_gone(&mut self) {
        if let Some(session) = &mut self.session {
            session.live = false;
        }
        self.forget();
    }

    pub(super) fn forget(&mut self) {
        if self.session.as_mut().is_some_and(|session| mem::take(&mut session.saved)) {
            self.outputs.push_back(Output::Forget);
        }
    }
}

/// Reads the id of a session that was created, and checks that a request can name it.
pub(super) fn created(response: &Response) -> Result<String, UploadError> {
    let (id, _) = response.identified()?;
    match Request::get(&id, false, None) {
        Ok(_) => Ok(id),
        Err(_) => Err(UploadError::protocol(response, "The session's id cannot stand in a path")),
    }
}

/// Tells whether the file was made of the session's parts.
pub(super) fn is_finished(envelope: &Object) -> bool {
    envelope.get("data").and_then(|data| data.get("success")).and_then(Value::as_bool).unwrap_or(false)
}

/// Reads `uploaded_byte_range`, "0-8388607": how many of the first bytes are held.
fn bytes_held(range: &str) -> Option<u64> {
    let dash = range.bytes().position(|byte| byte == b'-')?;
    let (first, last) = (range.get(..dash)?, range.get(dash + 1..)?);
    (first.trim_ascii() == "0").then(|| last.trim_ascii().parse::<u64>().ok()?.checked_add(1)).flatten()
}
