//! Scripted faults: what goes wrong, where, and how often.

use std::collections::BTreeMap;

use parking_lot::Mutex;
use serde::{Deserialize, Serialize};
use serde_json::Value;

/// The operations of the API.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Serialize, Deserialize)]
#[serde(rename_all = "lowercase")]
pub(crate) enum Operation {
    /// `POST /file-storage/upload-sessions`
    Create,
    /// `GET /file-storage/upload-sessions/{id}`
    Get,
    /// `PUT /file-storage/upload-sessions/{id}`
    Upload,
    /// `POST /file-storage/upload-sessions/{id}/finish`
    Finish,
    /// `DELETE /file-storage/upload-sessions/{id}`
    Delete,
    /// `POST /file-storage/files`
    Direct,
}

/// A fault and the requests it strikes.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub(crate) struct FaultRule {
    /// Operation it strikes.
    pub(crate) operation: Operation,
    /// Part it strikes; any where absent.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub(crate) part_number: Option<u32>,
    /// Consumer it strikes; any where absent.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub(crate) consumer_id: Option<String>,
    /// How many requests it still strikes.
    #[serde(default = "once")]
    pub(crate) times: u32,
    /// What happens to them.
    pub(crate) fault: Fault,
}

fn once() -> u32 {
    1
}

/// What goes wrong with a request.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
#[serde(tag = "kind", rename_all = "snake_case", deny_unknown_fields)]
pub(crate) enum Fault {
    /// Answers so and does nothing.
    Status {
        /// HTTP status, 200 to 599.
        status: u16,
        /// Headers of the answer.
        #[serde(default, skip_serializing_if = "BTreeMap::is_empty")]
        headers: BTreeMap<String, String>,
        /// A string is sent as it is, anything else as JSON; absent: an error envelope.
        #[serde(default, skip_serializing_if = "Option::is_none")]
        body: Option<Value>,
        /// Whether to answer without having read the body.
        #[serde(default)]
        before_body: bool,
    },
    /// Does nothing and resets the connection.
    Reset {
        /// When the reset comes.
        when: ResetWhen,
    },
    /// Keeps the client waiting.
    Stall {
        /// What is kept from it.
        when: StallWhen,
        /// How long; absent: until the client goes away.
        #[serde(default, skip_serializing_if = "Option::is_none")]
        seconds: Option<f64>,
    },
    /// Does what was asked, then resets the connection instead of answering.
    LostAnswer {},
    /// Changes one byte of the body before it is hashed and stored.
    CorruptByte {},
    /// Expires the session before the request is looked at.
    Expire {},
}

impl Fault {
    /// Names the fault as in JSON.
    pub(crate) fn kind(&self) -> &'static str {
        match self {
            Self::Status { .. } => "status",
            Self::Reset { .. } => "reset",
            Self::Stall { .. } => "stall",
            Self::LostAnswer {} => "lost_answer",
            Self::CorruptByte {} => "corrupt_byte",
            Self::Expire {} => "expire",
        }
    }
}

/// When a connection is reset.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
pub(crate) enum ResetWhen {
    /// After the headers.
    #[serde(rename = "before_body")]
    Before,
    /// After about half of the body.
    #[serde(rename = "mid_body")]
    Midway,
    /// After the whole body, which is not stored.
    #[serde(rename = "after_body")]
    After,
}

/// What a stalled client waits for.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
pub(crate) enum StallWhen {
    /// Its body is not read; after the stall the request goes its usual way.
    #[serde(rename = "before_body")]
    Before,
    /// What it asked is done, the answer is held back.
    #[serde(rename = "after_body")]
    After,
}

/// The faults still to come, in the order in which they were scripted.
#[derive(Debug, Default)]
pub(crate) struct Faults(Mutex<Vec<FaultRule>>);

impl Faults {
    /// Adds rules after those already there.
    ///
    /// # Errors
    /// A sentence that names the first rule that cannot be played; none is added then.
    pub(crate) fn add(&self, rules: Vec<FaultRule>) -> Result<(), String> {
        for (index, rule) in rules.iter().enumerate() {
            check(rule).map_err(|reason| format!("fault {index}: {reason}"))?;
        }
        self.0.lock().extend(rules);
        Ok(())
    }

    /// Gives the fault of this request, if any, and counts it as played.
    pub(crate) fn take(&self, operation: Operation, part: Option<u32>, consumer_id: &str) -> Option<Fault> {
        let mut rules = self.0.lock();
        let index = rules.iter().position(|rule| {
            rule.operation == operation
                && (rule.part_number.is_none() || rule.part_number == part)
                && rule.consumer_id.as_deref().is_none_or(|wanted| wanted == consumer_id)
        })?;
        let rule = rules.get_mut(index)?;
        rule.times -= 1;
        if rule.times > 0 {
            return Some(rule.fault.clone());
        }
        Some(rules.remove(index).fault)
    }

    /// Lists what is left, of one consumer or of all.
    pub(crate) fn list(&self, consumer_id: Option<&str>) -> Vec<FaultRule> {
        let rules = self.0.lock();
        rules.iter().filter(|rule| concerns(rule, consumer_id)).cloned().collect()
    }

    /// Removes those of one consumer, or all.
    pub(crate) fn clear(&self, consumer_id: Option<&str>) {
        self.0.lock().retain(|rule| !concerns(rule, consumer_id));
    }
}

fn concerns(rule: &FaultRule, consumer_id: Option<&str>) -> bool {
    consumer_id.is_none() || rule.consumer_id.as_deref() == consumer_id
}

fn check(rule: &FaultRule) -> Result<(), String> {
    if rule.times == 0 {
        return Err("times must be at least 1".to_owned());
    }
    if rule.part_number.is_some() && rule.operation != Operation::Upload {
        return Err("part_number goes with operation \"upload\" only".to_owned());
    }
    match &rule.fault {
        Fault::Status { status, headers, .. } => {
            if !(200..=599).contains(status) {
                return Err(format!("status must be 200 to 599, not {status}"));
            }
            for (name, value) in headers {
                let valid =
                    axum::http::HeaderName::try_from(name).is_ok() && axum::http::HeaderValue::try_from(value).is_ok();
                if !valid {
                    return Err(format!("header {name:?} cannot be sent"));
                }
            }
        }
        Fault::Stall { seconds: Some(seconds), .. } if !(0.0..=86_400.0).contains(seconds) => {
            return Err("seconds must be 0 to 86400".to_owned());
        }
        _ => {}
    }
    Ok(())
}
