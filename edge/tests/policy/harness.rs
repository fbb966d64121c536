//! A proxy, requests to it, and short ways to ask what became of them.

use std::time::Duration;

use serde_json::{Value, json};
use upload_session_edge::exchange::Exchange;
use upload_session_edge::policy::Policy;
use upload_session_edge::step::{HeaderList, Step};
use upload_session_edge::token::{Keyring, Owner, Session};
use upload_session_edge::url::Url;
use upload_session_engine::request::Response;

pub(crate) const ORIGIN: &str = "https://proxy.example";
pub(crate) const LISTED: &str = "https://app.example";
pub(crate) const API_KEY: &str = "sk_live_do_not_tell";
pub(crate) const SECRET: &str = "0123456789abcdef0123456789abcdef";
pub(crate) const RETIRED: &str = "the secret that was in use before";
pub(crate) const NOW: Duration = Duration::from_secs(1_800_000_000);

pub(crate) const SESSIONS: &str = "/file-storage/upload-sessions";
pub(crate) const FILES: &str = "/file-storage/files";

/// Takes a URL apart as every runtime does.
pub(crate) fn parse(text: &str) -> Option<Url> {
    let url = url::Url::parse(text).ok()?;
    Some(Url {
        origin: url.origin().ascii_serialization(),
        pathname: url.path().to_owned(),
        search: url.query().filter(|query| !query.is_empty()).map(|query| format!("?{query}")).unwrap_or_default(),
        has_credentials: !url.username().is_empty() || url.password().is_some(),
    })
}

pub(crate) fn options() -> Value {
    json!({
        "upstream": "https://api.example",
        "appId": "app",
        "apiKey": API_KEY,
        "sessionSecret": [SECRET, RETIRED],
        "allowedOrigins": [LISTED],
        "basePath": "/",
        "maxPartSize": 104_857_600,
    })
}

pub(crate) fn policy() -> Policy {
    thread_local!(static POLICY: Policy = policy_with(json!({})));
    POLICY.with(Clone::clone)
}

/// A policy with some options set differently.
pub(crate) fn policy_with(changes: Value) -> Policy {
    Policy::new(&merged(options(), changes).to_string(), parse).unwrap()
}

pub(crate) fn merged(mut object: Value, changes: Value) -> Value {
    for (name, value) in changes.as_object().unwrap() {
        object[name] = value.clone();
    }
    object
}

/// What a caller may do who may do anything.
pub(crate) fn anything() -> Value {
    json!({ "consumerId": "alice" })
}

pub(crate) fn alice() -> Owner {
    Owner { consumer_id: "alice".into(), service_id: None }
}

pub(crate) fn signed(id: &str, size: Option<u64>, owner: &Owner) -> String {
    signed_at(id, size, owner, NOW)
}

pub(crate) fn signed_at(id: &str, size: Option<u64>, owner: &Owner, now: Duration) -> String {
    Keyring::new(&[SECRET.to_owned()]).unwrap().sign(&Session { id: id.into(), size }, owner, now)
}

/// The path of a session that alice created, of 100 bytes.
pub(crate) fn session_path() -> String {
    format!("{SESSIONS}/{}", signed("s1", Some(100), &alice()))
}

/// A request to the proxy.
#[derive(Debug, Clone)]
pub(crate) struct Call {
    method: String,
    url: String,
    headers: Vec<String>,
    grant: Option<Value>,
    body: String,
}

pub(crate) fn call(method: &str, target: &str) -> Call {
    let url = format!("{ORIGIN}{target}");
    Call { method: method.into(), url, headers: Vec::new(), grant: Some(anything()), body: String::new() }
}

/// A part of 10 bytes.
pub(crate) fn part(path: &str, query: &str) -> Call {
    call("PUT", &format!("{path}?{query}")).header("content-length", "10")
}

pub(crate) fn create(body: &Value) -> Call {
    Call { body: body.to_string(), ..call("POST", SESSIONS) }
}

pub(crate) fn direct(metadata: &Value) -> Call {
    call("POST", FILES).header("x-apideck-metadata", &metadata.to_string()).header("content-length", "10")
}

/// A file that anyone may create who may create any.
pub(crate) fn file() -> Value {
    json!({ "name": "a.pdf", "parent_folder_id": "root" })
}

impl Call {
    pub(crate) fn header(mut self, name: &str, value: &str) -> Self {
        self.headers.extend([name.to_owned(), value.to_owned()]);
        self
    }

    pub(crate) fn grant(self, grant: Value) -> Self {
        Self { grant: Some(grant), ..self }
    }

    pub(crate) fn nobody(self) -> Self {
        Self { grant: None, ..self }
    }

    pub(crate) fn body(self, body: &str) -> Self {
        Self { body: body.to_owned(), ..self }
    }

    pub(crate) fn receive(&self, policy: &Policy) -> Exchange {
        policy.receive(&self.method, &parse(&self.url).unwrap(), self.headers.clone())
    }

    /// Carries the exchange as far as it goes without the API.
    pub(crate) fn run(&self, policy: &Policy) -> Exchange {
        let mut exchange = self.receive(policy);
        loop {
            match exchange.step() {
                Step::Authorize => exchange.granted(self.grant.as_ref().map(Value::to_string).as_deref(), NOW),
                Step::Read { .. } => exchange.read(&self.body),
                Step::Send { .. } | Step::Answer { .. } => return exchange,
            }
        }
    }

    /// Returns the status that the proxy answers by itself.
    pub(crate) fn refused(&self) -> u16 {
        self.refused_by(&policy())
    }

    pub(crate) fn refused_by(&self, policy: &Policy) -> u16 {
        answer(&self.run(policy)).status
    }

    /// Returns what goes to the API.
    pub(crate) fn sent(&self) -> Sent {
        self.sent_by(&policy())
    }

    pub(crate) fn sent_by(&self, policy: &Policy) -> Sent {
        sent(&self.run(policy))
    }

    /// Lets the API answer.
    pub(crate) fn answered(&self, status: u16, body: &str) -> Answer {
        let mut exchange = self.run(&policy());
        sent(&exchange);
        exchange.answered(&Response { status, body: body.into(), ..Response::default() }, NOW);
        answer(&exchange)
    }
}

/// A request that goes to the API.
#[derive(Debug, PartialEq, Eq)]
pub(crate) struct Sent {
    pub(crate) method: &'static str,
    pub(crate) url: String,
    pub(crate) headers: HeaderList,
    pub(crate) body: Option<String>,
    pub(crate) length: Option<u64>,
}

impl Sent {
    pub(crate) fn header(&self, name: &str) -> Option<&str> {
        self.headers.iter().find(|(key, _)| *key == name).map(|(_, value)| value.as_str())
    }

    pub(crate) fn json(&self) -> Value {
        serde_json::from_str(self.body.as_deref().unwrap()).unwrap()
    }
}

pub(crate) fn sent(exchange: &Exchange) -> Sent {
    match exchange.step().clone() {
        Step::Send { method, url, headers, body, length } => Sent { method, url, headers, body, length },
        step => panic!("nothing was sent: {}", step.to_json()),
    }
}

/// An answer to the caller.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) struct Answer {
    pub(crate) status: u16,
    pub(crate) headers: HeaderList,
    pub(crate) body: Option<String>,
}

impl Answer {
    pub(crate) fn header(&self, name: &str) -> Option<&str> {
        self.headers.iter().find(|(key, _)| *key == name).map(|(_, value)| value.as_str())
    }

    pub(crate) fn json(&self) -> Value {
        serde_json::from_str(self.body.as_deref().unwrap()).unwrap()
    }

    pub(crate) fn has_cors(&self) -> bool {
        self.headers.iter().any(|(name, _)| name.starts_with("access-control-"))
    }
}

pub(crate) fn answer(exchange: &Exchange) -> Answer {
    match exchange.step().clone() {
        Step::Answer { status, headers, body } => Answer { status, headers, body },
        step => panic!("no answer: {step:?}"),
    }
}
