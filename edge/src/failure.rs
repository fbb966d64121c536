//! What can go wrong outside of the policy.

use crate::file::MAX_METADATA;
use crate::refusal::Refusal;
use crate::step::Step;

/// What the one who drives an exchange could not do.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Failure {
    /// The body to be read has more bytes than the limit: 413.
    BodyTooLarge,
    /// The caller's body broke off, or has another length than declared: 400.
    BodyBroken,
    /// The API did not answer in time: 504.
    Timeout,
    /// The API cannot be reached: 502.
    Unreachable,
    /// The API's answer has more bytes than any of its answers: 502.
    AnswerTooLarge,
    /// `authorize` threw: 500.
    AuthorizeFailed,
    /// Anything else: 500.
    Misconfigured,
}

impl Failure {
    /// Reads the name that the boundary uses; what it does not know is [`Misconfigured`](Self::Misconfigured).
    pub fn from_name(name: &str) -> Self {
        match name {
            "body_too_large" => Self::BodyTooLarge,
            "body_broken" => Self::BodyBroken,
            "timeout" => Self::Timeout,
            "unreachable" => Self::Unreachable,
            "answer_too_large" => Self::AnswerTooLarge,
            "authorize_failed" => Self::AuthorizeFailed,
            _ => Self::Misconfigured,
        }
    }

    /// Returns the answer where there is no exchange to give it, because there is no policy.
    pub fn to_step(self) -> Step {
        let refusal = self.refusal();
        Step::answer(refusal.status, Vec::new(), Some(refusal.to_json()))
    }

    pub(crate) fn refusal(self) -> Refusal {
        match self {
            Self::BodyTooLarge => Refusal::too_large(format!("The body may have {MAX_METADATA} bytes at most")),
            Self::BodyBroken => Refusal::broken_body(),
            Self::Timeout => Refusal::gateway_timeout(),
            Self::Unreachable => Refusal::bad_gateway("The API cannot be reached"),
            Self::AnswerTooLarge => Refusal::bad_gateway("The answer of the API is too large"),
            Self::AuthorizeFailed => Refusal::misconfigured("It could not be found out who is calling"),
            Self::Misconfigured => Refusal::misconfigured("The upload proxy is not set up as it must be"),
        }
    }
}
