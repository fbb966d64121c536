//! One request and its answer, as a state machine.

use std::fmt;
use std::mem;
use std::rc::Rc;
use std::time::Duration;

use upload_session_engine::request::{Operation, Request, Response};
use upload_session_engine::wire::header;

use crate::answer::{self, Sent};
use crate::config::Config;
use crate::failure::Failure;
use crate::file::{self, MAX_METADATA};
use crate::grant::Grant;
use crate::headers::{CONTENT_LENGTH, CONTENT_TYPE, CallerHeaders, Headers, is_header_safe, is_service_id};
use crate::origin::{Origin, is_preflight};
use crate::query::Query;
use crate::redact::Redactor;
use crate::refusal::Refusal;
use crate::route::Route;
use crate::step::{HeaderList, Step};
use crate::token::{Owner, Session};
use crate::url::Url;

/// One request on its way through the proxy. [`step`](Self::step) says what is to be done; do it, say what came of it,
/// and ask again, until it is [`Step::Answer`].
pub struct Exchange {
    config: Rc<Config>,
    origin: Origin,
    stage: Stage,
    step: Step,
}

/// How far it is, and what the next checks need.
enum Stage {
    Authorizing(Box<Caller>),
    Reading { grant: Grant, owner: Owner },
    Sending(Sent),
    Answered,
}

/// What is kept of a request until it is known who sent it.
struct Caller {
    operation: Operation,
    /// The session's id, signed; none where the route has none, or it is no UTF-8.
    token: Option<String>,
    search: String,
    headers: CallerHeaders,
}

/// File content that is piped through.
struct Content {
    length: u64,
    kind: String,
}

impl Exchange {
    /// Finds the route, and turns away what comes from a page of another site.
    pub(crate) fn new(config: Rc<Config>, method: &str, url: &Url, headers: &Headers) -> Self {
        let origin = Origin::of(headers, url, &config.allowed_origins);
        let mut exchange = Self { config, origin, stage: Stage::Answered, step: Step::Authorize };
        exchange.receive(method, url, headers);
        exchange
    }

    /// Says what is to be done next.
    pub const fn step(&self) -> &Step {
        &self.step
    }

    /// [`Step::Authorize`] is done: `grant` is the JSON of a grant, none where nobody is logged in; `now` is the time
    /// since 1970.
    pub fn granted(&mut self, grant: Option<&str>, now: Duration) {
        match self.take_stage() {
            Stage::Authorizing(caller) => {
                let next = self.check(*caller, grant, now);
                self.go_on(next);
            }
            stage => self.out_of_turn(stage),
        }
    }

    /// [`Step::Read`] is done: the request's body as text.
    pub fn read(&mut self, text: &str) {
        match self.take_stage() {
            Stage::Reading { grant, owner } => {
                let next = self.create(text, &grant, owner);
                self.go_on(next);
            }
            stage => self.out_of_turn(stage),
        }
    }

    /// [`Step::Send`] is done: the API's answer; `now` is the time since 1970.
    pub fn answered(&mut self, answer: &Response, now: Duration) {
        match self.take_stage() {
            Stage::Sending(sent) => self.relay(&sent, answer, now),
            stage => self.out_of_turn(stage),
        }
    }

    /// A step could not be done.
    pub fn failed(&mut self, failure: Failure) {
        if !matches!(self.take_stage(), Stage::Answered) {
            self.refuse(&failure.refusal());
        }
    }

    fn receive(&mut self, method: &str, url: &Url, headers: &Headers) {
        let Some(route) = Route::find(&self.config.base_path, &url.pathname) else {
            return self.refuse(&Refusal::not_found());
        };
        if is_preflight(method, headers) {
            return self.preflight(route);
        }
        let Some(operation) = route.operation(method) else { return self.refuse(&Refusal::not_found()) };
        if self.origin == Origin::Foreign {
            return self.refuse(&Refusal::foreign_origin());
        }
        let (token, headers) = (route.token(), CallerHeaders::of(headers));
        self.stage = Stage::Authorizing(Box::new(Caller { operation, token, search: url.search.clone(), headers }));
    }

    fn preflight(&mut self, route: Route<'_>) {
        if matches!(self.origin, Origin::Listed(_)) {
            let headers = self.origin.preflight(route);
            self.step = Step::Answer { status: 204, headers, body: None };
        } else {
            self.refuse(&Refusal::foreign_origin());
        }
    }

    /// Holds a request against its grant, in the order of the rules.
    fn check(&self, caller: Caller, grant: Option<&str>, now: Duration) -> Result<(Stage, Step), Refusal> {
        let grant = Grant::from_json(grant.ok_or_else(Refusal::unauthorized)?)
            .map_err(|error| Refusal::misconfigured(format!("The grant that authorize gave does not fit: {error}")))?;
        let Caller { operation, token, search, headers } = caller;
        let owner = Owner { consumer_id: grant.consumer_id.clone(), service_id: service(&grant, &headers)? };
        let query = Query::parse(operation, &search)?;
        let session = || {
            let token = token.as_deref().ok_or_else(Refusal::unknown_session)?;
            self.config.keys.verify(token, &owner, now).ok_or_else(Refusal::unknown_session)
        };
        let (request, content) = match operation {
            Operation::Create => {
                // What says that it is too large is not read at all.
                if headers.declared_length().is_some_and(|length| length > MAX_METADATA as u64) {
                    return Err(Failure::BodyTooLarge.refusal());
                }
                return Ok((Stage::Reading { grant, owner }, Step::Read { limit: MAX_METADATA }));
            }
            Operation::Direct => {
                let content = self.content(&headers)?;
                let metadata = file::direct(headers.metadata.as_deref(), content.length, &grant)?;
                (Ok(Request::direct(&metadata, false)), Some(content))
            }
            Operation::Upload => {
                let session = session()?;
                let content = self.content(&headers)?;
                check_part(&session, query.part_number, content.length)?;
                (Request::upload(&session.id, query.part_number, headers.digest()?, false), Some(content))
            }
            Operation::Get => (Request::get(&session()?.id, false, query.fields.as_deref()), None),
            Operation::Delete => (Request::delete(&session()?.id, false), None),
            Operation::Finish => (Request::finish(&session()?.id, headers.digest()?, false), None),
        };
        // An id that no path can hold is none that create let pass.
        let request = request.map_err(|_| Refusal::unknown_session())?;
        let step = self.send(request, content, &owner);
        Ok((Stage::Sending(Sent { operation, owner, token, size: None }), step))
    }

    fn content(&self, headers: &CallerHeaders) -> Result<Content, Refusal> {
        Ok(Content { length: headers.length(self.config.max_part_size)?, kind: headers.content_type() })
    }

    fn create(&self, json: &str, grant: &Grant, owner: Owner) -> Result<(Stage, Step), Refusal> {
        if json.len() > MAX_METADATA {
            return Err(Failure::BodyTooLarge.refusal());
        }
        let body = file::create(json, grant)?;
        let step = self.send(Request::create(&body, false), None, &owner);
        Ok((Stage::Sending(Sent { operation: Operation::Create, owner, token: None, size: body.size }), step))
    }

    /// Puts a request to the API together: all of its headers are set here, none is taken over unread.
    fn send(&self, request: Request, content: Option<Content>, owner: &Owner) -> Step {
        let config = &self.config;
        let mut headers: HeaderList = vec![
            ("authorization", format!("Bearer {}", config.api_key)),
            (header::APP_ID, config.app_id.clone()),
            (header::CONSUMER_ID, owner.consumer_id.clone()),
        ];
        let length = content.as_ref().map(|content| content.length);
        let json = request.json.as_ref().map(|_| "application/json".to_owned());
        let more = [
            (header::SERVICE_ID, owner.service_id.clone()),
            (CONTENT_TYPE, content.map(|content| content.kind).or(json)),
            (CONTENT_LENGTH, length.map(|length| length.to_string())),
            (header::DIGEST, request.digest),
            (header::METADATA, request.metadata),
        ];
        headers.extend(more.into_iter().filter_map(|(name, value)| Some((name, value?))));
        let url = format!("{}{}", config.upstream, request.target);
        Step::Send { method: request.operation.method(), url, headers, body: request.json, length }
    }

    fn relay(&mut self, sent: &Sent, answer: &Response, now: Duration) {
        let (status, body) = match answer::body(&self.config, sent, answer, now) {
            Ok(body) => (answer.status, body),
            Err(refusal) => (refusal.status, Some(refusal.to_json())),
        };
        let redactor = Redactor::new(&self.config);
        // Where the status is ours, the API's advice on it is not.
        let retry_after = answer.retry_after.clone().filter(|_| status == answer.status);
        let kept = [(header::REQUEST_ID, answer.request_id.clone()), (header::RETRY_AFTER, retry_after)];
        let kept = kept.into_iter().filter_map(|(name, value)| Some((name, redactor.text(value?))));
        let kept = kept.filter(|(_, value)| is_header_safe(value)).collect();
        self.answer(status, kept, body);
    }

    fn go_on(&mut self, next: Result<(Stage, Step), Refusal>) {
        match next {
            Ok((stage, step)) => (self.stage, self.step) = (stage, step),
            Err(refusal) => self.refuse(&refusal),
        }
    }

    fn refuse(&mut self, refusal: &Refusal) {
        self.answer(refusal.status, Vec::new(), Some(refusal.to_json()));
    }

    fn answer(&mut self, status: u16, more: HeaderList, body: Option<String>) {
        self.step = Step::answer(status, [more, self.origin.headers()].concat(), body);
    }

    fn take_stage(&mut self) -> Stage {
        mem::replace(&mut self.stage, Stage::Answered)
    }

    /// Something came that was not asked for: an answer stands, anything else ends here.
    fn out_of_turn(&mut self, stage: Stage) {
        if !matches!(stage, Stage::Answered) {
            self.refuse(&Failure::Misconfigured.refusal());
        }
    }
}

impl fmt::Debug for Exchange {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Exchange").field("step", &self.step).finish_non_exhaustive()
    }
}

/// Returns the connector that a request is for: the grant's, else the caller's choice, if any.
fn service(grant: &Grant, headers: &CallerHeaders) -> Result<Option<String>, Refusal> {
    match (&grant.service_id, &headers.service_id) {
        (_, Some(asked)) if !is_service_id(asked) => Err(Refusal::bad_header("x-apideck-service-id is no connector")),
        (Some(granted), Some(asked)) if granted != asked => Err(Refusal::forbidden("This connector is not granted")),
        (granted, asked) => Ok(granted.as_ref().or(asked.as_ref()).cloned()),
    }
}

/// Refuses a part that cannot be of a file of the declared size. Parts are uniform but for the last, which may be shorter:
/// none reaches past the file's end by its own length. The sum of all parts is the API's to check: nothing is remembered here.
fn check_part(session: &Session, part_number: u32, length: u64) -> Result<(), Refusal> {
    match session.size {
        Some(size) if (u64::from(part_number) + 1).saturating_mul(length) > size => {
            Err(Refusal::too_large(format!("The part reaches past the {size} bytes that the session was created for")))
        }
        _ => Ok(()),
    }
}
