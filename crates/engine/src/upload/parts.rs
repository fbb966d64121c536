//! What comes of sending a part, or the whole file in one request.

use alloc::borrow::ToOwned;

use super::Upload;
use super::transitions::Step;
use crate::call::Call;
use crate::clock::{Duration, Now};
use crate::error::ErrorCode;
use crate::json::Value;
use crate::output::{Event, Output, PartState};
use crate::request::Operation;
use crate::retry::{Failure, Outcome};

impl Upload {
    pub(super) fn on_part_outcome(&mut self, part: u32, outcome: Outcome<'_>, now: Now) {
        let Some(parts) = &mut self.parts else { return };
        let digest = parts.digest_to_send(part);
        let Some(open) = parts.part_mut(part) else { return };
        let mut call = open.call;
        if self.direct {
            return self.on_direct(call, part, outcome, now);
        }
        let error = match (self.judge(&mut call, Operation::Upload, Some(part), outcome, now), outcome) {
            (Step::Success, Outcome::Answer(response)) => match response.identified() {
                Ok(_) => {
                    if let Some(parts) = &mut self.parts {
                        let was_known = self.meter.last_speed().is_some();
                        parts.measure(part, &mut self.meter, now.instant);
                        if !was_known && self.meter.last_speed().is_some() {
                            parts.tighten(&self.meter, &self.config, now.instant);
                        }
                    }
                    return self.acknowledge(part, now);
                }
                Err(error) => error,
            },
            // The part is held already: an earlier attempt got through, and its answer was lost. That attempt need not
            // be the engine's own, as browsers send a PUT again by themselves when a kept-alive connection breaks.
            (Step::Fail(error), _) if error.status() == Some(409) => {
                return self.acknowledge(part, now);
            }
            (Step::Fail(error), _) if digest.is_some() && error.speaks_of_digest() => {
                if let Some(held) = self.parts.as_mut().and_then(|parts| parts.doubt(part)) {
                    self.release(part, held);
                    return self.tell_retry(Operation::Upload, Some(part), &call, Duration::ZERO, error);
                }
                error.with_code(ErrorCode::DigestMismatch)
            }
            (Step::Fail(error), _) => return self.fail_in_session(error.for_part(part)),
            (Step::Later | Step::Success, _) => return self.send_later(part, call, outcome, now),
        };
        self.fail(error.for_part(part));
    }

    /// Takes in what came of sending the whole file in one request.
    pub(super) fn on_direct(&mut self, mut call: Call, part: u32, outcome: Outcome<'_>, now: Now) {
        match (self.judge(&mut call, Operation::Direct, Some(part), outcome, now), outcome) {
            (Step::Success, Outcome::Answer(response)) => match response.identified() {
                Ok((_, mut envelope)) => {
                    self.acknowledge(part, now);
                    if call.unsure {
                        let message = "The file was sent more than once, as an answer was lost: it may be there twice";
                        self.tell(Event::Warning { code: "possible_duplicate", message: message.to_owned() });
                    }
                    let mut file = self.file();
                    if let Some(Value::Object(data)) = envelope.remove("data") {
                        // What the server says of the file comes last, and so counts.
                        file = data.into_iter().fold(file, |file, (name, value)| file.with(&name, value));
                    }
                    self.done(Value::Object(file));
                }
                Err(error) => self.fail(error),
            },
            // Too much for one request: there are sessions.
            (Step::Fail(error), _) if error.status() == Some(413) && self.can_go_by_session() => {
                self.go_by_session();
            }
            (Step::Fail(error), _) => self.fail(error),
            (Step::Later | Step::Success, _) => self.send_later(part, call, outcome, now),
        }
    }

    /// Has a part that got no further wait for its next attempt.
    pub(super) fn send_later(&mut self, part: u32, call: Call, outcome: Outcome<'_>, now: Now) {
        let Some(parts) = &mut self.parts else { return };
        let Some(open) = parts.part_mut(part) else { return };
        let since = open.call.in_flight().map_or(now.instant, |flight| flight.since);
        open.call = call;
        match outcome {
            Outcome::Answer(response) if response.status == 429 => parts.limiter.overloaded(since, now.instant),
            Outcome::Answer(_) => {}
            // Without a network nothing is to be learned from it.
            Outcome::Failure(_) if self.offline => return self.tell_part(part, PartState::Queued),
            Outcome::Failure(failure) => {
                let stalled = failure == Failure::Timeout;
                if stalled {
                    parts.limiter.overloaded(since, now.instant);
                }
                parts.unanswered(part, stalled);
            }
        }
        self.tell_part(part, PartState::Retrying);
    }

    pub(super) fn acknowledge(&mut self, part: u32, now: Now) {
        self.tell_part(part, PartState::Done);
        let held = self.parts.as_mut().is_some_and(|parts| parts.acknowledge(part, now.instant));
        self.release(part, held);
        if !self.direct {
            self.save();
        }
    }

    pub(super) fn release(&mut self, part: u32, held: bool) {
        if held {
            self.outputs.push_back(Output::Release { part });
        }
    }
}
