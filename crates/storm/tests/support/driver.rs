//! Carries out what the engine decides, with a client for HTTP and the file in memory.

use std::collections::{HashMap, HashSet};
use std::io;
use std::ops::Range;
use std::time::{Duration, SystemTime, UNIX_EPOCH};

use bytes::Bytes;
use futures_util::stream;
use reqwest::{Body, Client, Method};
use serde_json::{Value, json};
use tokio::sync::mpsc::{UnboundedReceiver, UnboundedSender, unbounded_channel};
use tokio::task::AbortHandle;
use tokio::time::{Instant, sleep, sleep_until};
use upload_session_engine::clock::{self, Now};
use upload_session_engine::config::Config;
use upload_session_engine::digest::{Digest, PartHasher};
use upload_session_engine::output::{Event, OpId, Output, PartBody, State};
use upload_session_engine::request::{Operation, Request, Response};
use upload_session_engine::retry::Failure;
use upload_session_engine::snapshot::{Fingerprint, Snapshot};
use upload_session_engine::upload::Upload;
use upload_session_engine::wire::header;
use upload_storm::{End, Outcome, Retry};

/// For how long the link is cut.
const OFFLINE: Duration = Duration::from_millis(150);
/// Bytes of content that leave in one piece.
const PIECE: usize = 16 * 1024;

/// Where requests go, and in whose name.
#[derive(Clone)]
pub(crate) struct Target {
    pub(crate) http: Client,
    pub(crate) control: Client,
    pub(crate) server: String,
    pub(crate) consumer_id: String,
    pub(crate) service_id: String,
}

/// What happens to an upload besides faults: each after so many events, those of progress aside.
#[derive(Debug, Clone, Copy, Default)]
pub(crate) struct Turns {
    pub(crate) abort: Option<u32>,
    pub(crate) crash: Option<u32>,
    pub(crate) offline: Option<u32>,
}

/// One upload on its way.
pub(crate) struct Driver {
    config: Config,
    upload: Upload,
    target: Target,
    content: Bytes,
    turns: Turns,
    /// What was told so far.
    pub(crate) outcome: Outcome,
    record: Option<Value>,
    held: HashSet<u32>,
    running: HashMap<OpId, Running>,
    events: u32,
    wake_at: Option<Instant>,
    origin: Instant,
    inputs: UnboundedReceiver<Input>,
    sender: UnboundedSender<Input>,
}

/// A request on its way; it is cut when this is dropped.
struct Running {
    operation: Operation,
    part: Option<u32>,
    task: AbortHandle,
}

impl Drop for Running {
    fn drop(&mut self) {
        self.task.abort();
    }
}

/// What comes of an operation.
enum Input {
    Read(OpId, PartHasher),
    Sent(OpId, u64),
    Answer(OpId, Response),
    Failure(OpId),
    Token,
    Online,
}

impl Driver {
    /// Makes an upload of `content`.
    pub(crate) fn new(config: Config, seed: u64, content: Bytes, target: Target, turns: Turns) -> Self {
        let (sender, inputs) = unbounded_channel();
        Self {
            upload: Upload::new(config.clone(), seed).unwrap(),
            config,
            target,
            content,
            turns,
            outcome: Outcome::default(),
            record: None,
            held: HashSet::new(),
            running: HashMap::new(),
            events: 0,
            wake_at: None,
            origin: Instant::now(),
            inputs,
            sender,
        }
    }

    /// Uploads, and aborts what failed.
    pub(crate) async fn run(&mut self) {
        self.upload.handle_start(self.now());
        self.drain();
        while self.outcome.end == End::Hung || self.upload.is_aborting() {
            let wake_at = self.wake_at;
            let timer = async {
                match wake_at {
                    Some(at) => sleep_until(at).await,
                    None => std::future::pending().await,
                }
            };
            let input = tokio::select! {
                input = self.inputs.recv() => input,
                () = timer => None,
            };
            self.take(input);
            self.drain();
        }
        self.outcome.keeps_record = self.record.is_some();
    }

    fn take(&mut self, input: Option<Input>) {
        let now = self.now();
        match input {
            Some(Input::Read(op, hasher)) => self.upload.handle_read(op, hasher, now),
            Some(Input::Sent(op, bytes)) => self.upload.handle_sent(op, bytes, now),
            Some(Input::Answer(op, response)) => {
                self.running.remove(&op);
                self.upload.handle_response(op, &response, now);
            }
            Some(Input::Failure(op)) => {
                // Offline it is not told of as a retry.
                if let Some(running) = self.running.remove(&op)
                    && self.upload.state() == State::Waiting
                {
                    self.lose(running.operation, running.part);
                }
                self.upload.handle_failure(op, Failure::Network, now);
            }
            Some(Input::Token) => self.upload.handle_token(Ok(()), now),
            Some(Input::Online) => self.upload.handle_online(true, now),
            None => {
                self.wake_at = None;
                self.upload.handle_timeout(now);
            }
        }
    }

    /// Does all that the engine asks for, then whatever else is to happen now.
    fn drain(&mut self) {
        loop {
            while let Some(output) = self.upload.poll_output() {
                self.carry_out(output);
            }
            let is_due = |turn: &mut Option<u32>| turn.take_if(|after| *after < self.events).is_some();
            if is_due(&mut self.turns.crash) {
                self.crash();
            } else if is_due(&mut self.turns.offline) {
                self.go_offline();
            } else if is_due(&mut self.turns.abort) {
                self.upload.handle_abort(self.now());
            } else {
                return;
            }
        }
    }

    fn carry_out(&mut self, output: Output) {
        match output {
            Output::Prepare => {
                let digest = Digest::of(&self.content);
                self.upload.handle_prepared(Ok(Fingerprint { file: digest, target: digest }), self.now());
            }
            // Nobody else drives it.
            Output::Claim => self.upload.handle_claimed(Ok(()), self.now()),
            Output::Read { op, part, range, hasher, keep } => {
                if keep {
                    self.held.insert(part);
                }
                self.read(op, range, hasher);
            }
            Output::Verify { op, hasher } => self.read(op, 0..self.content.len() as u64, hasher),
            Output::Send { op, request, part } => self.send(op, request, part),
            Output::Cancel { op } => drop(self.running.remove(&op)),
            Output::Release { part } => assert!(self.held.remove(&part), "part {part} was not held"),
            Output::Save(snapshot) => self.record = Some((&snapshot.to_json()).into()),
            Output::Forget => assert!(self.record.take().is_some(), "there was no record"),
            Output::RefreshToken => self.give(Input::Token),
            Output::WaitUntil(at) => {
                self.wake_at =
                    Some(self.origin + Duration::from(at.since(clock::Instant::from_origin(clock::Duration::ZERO))));
            }
            Output::Event(event) => self.note(event),
            Output::Finished(Ok(_)) => self.outcome.end = End::Done,
            Output::Finished(Err(error)) => {
                self.outcome.end = End::Failed(error.code.as_str().to_owned());
                self.upload.handle_abort(self.now());
            }
            Output::AbortEnded => {}
        }
    }

    fn read(&self, op: OpId, range: Range<u64>, mut hasher: PartHasher) {
        if hasher.wants_any() {
            hasher.update(&self.slice(range));
        }
        self.give(Input::Read(op, hasher));
    }

    /// Loses all that is not in the record, and goes on from there.
    fn crash(&mut self) {
        if self.outcome.end != End::Hung {
            return;
        }
        let lost = self.running.drain().map(|(_, running)| (running.operation, running.part));
        let mut lost: Vec<_> = lost.collect();
        self.held.clear();
        self.wake_at = None;
        (self.sender, self.inputs) = unbounded_channel();
        let seed = u64::from(self.events);
        self.upload = match &self.record {
            Some(record) => {
                let snapshot = Snapshot::from_json(&record.clone().into()).unwrap();
                Upload::from_snapshot(self.config.clone(), seed, snapshot).unwrap()
            }
            None => {
                // A session may have been made of which nothing is known any more.
                lost.push((Operation::Create, None));
                Upload::new(self.config.clone(), seed).unwrap()
            }
        };
        lost.into_iter().for_each(|(operation, part)| self.lose(operation, part));
        self.upload.handle_start(self.now());
    }

    /// Notes that a request came to no answer.
    fn lose(&mut self, operation: Operation, part_number: Option<u32>) {
        let (operation, code) = (operation.as_str().to_owned(), "network".to_owned());
        self.outcome.retries.push(Retry { operation, part_number, code });
    }

    /// Cuts the link, and brings it back in a moment.
    fn go_offline(&mut self) {
        self.upload.handle_online(false, self.now());
        let (target, sender) = (self.target.clone(), self.sender.clone());
        tokio::spawn(async move {
            target.set_unreachable(true).await;
            sleep(OFFLINE).await;
            target.set_unreachable(false).await;
            let _ = sender.send(Input::Online);
        });
    }

    fn note(&mut self, event: Event) {
        self.events += u32::from(!matches!(event, Event::Progress(_)));
        match event {
            Event::Retry { operation, part, error, .. } => self.outcome.retries.push(Retry {
                operation: operation.as_str().to_owned(),
                part_number: part,
                code: error.code.as_str().to_owned(),
            }),
            Event::Warning { code, .. } => self.outcome.warnings.push(code.to_owned()),
            _ => {}
        }
    }

    fn send(&mut self, op: OpId, request: Request, part: Option<PartBody>) {
        let operation = request.operation;
        let number = part.as_ref().map(|part| part.number);
        let content = part.map(|part| {
            assert!(!part.held || self.held.contains(&part.number), "part {} is not held", part.number);
            self.slice(part.range)
        });
        let told = self.sender.clone();
        let tell = move |bytes| drop(told.send(Input::Sent(op, bytes)));
        let sent = self.target.request(request, content, tell).send();
        let sender = self.sender.clone();
        let task = tokio::spawn(async move {
            let input = match answer(sent).await {
                Ok(response) => Input::Answer(op, response),
                Err(_) => Input::Failure(op),
            };
            // Nobody listens once the upload has ended.
            let _ = sender.send(input);
        });
        self.running.insert(op, Running { operation, part: number, task: task.abort_handle() });
    }

    fn slice(&self, range: Range<u64>) -> Bytes {
        self.content.slice(usize::try_from(range.start).unwrap()..usize::try_from(range.end).unwrap())
    }

    fn give(&self, input: Input) {
        assert!(self.sender.send(input).is_ok());
    }

    fn now(&self) -> Now {
        Now {
            instant: clock::Instant::from_origin(self.origin.elapsed().into()),
            unix: SystemTime::now().duration_since(UNIX_EPOCH).unwrap().into(),
        }
    }
}

impl Target {
    /// Prepares a request; `tell` hears how many bytes of its content are on their way.
    fn request(
        &self,
        request: Request,
        content: Option<Bytes>,
        tell: impl Fn(u64) + Send + 'static,
    ) -> reqwest::RequestBuilder {
        let method = Method::from_bytes(request.operation.method().as_bytes()).unwrap();
        let mut builder = self
            .http
            .request(method, format!("{}{}", self.server, request.target))
            .header("authorization", "Bearer key")
            .header(header::APP_ID, "app")
            .header(header::CONSUMER_ID, &self.consumer_id)
            .header(header::SERVICE_ID, &self.service_id);
        for (name, value) in [(header::DIGEST, request.digest), (header::METADATA, request.metadata)] {
            if let Some(value) = value {
                builder = builder.header(name, value);
            }
        }
        match (content, request.json) {
            (Some(content), _) => {
                let length = content.len();
                let pieces = (0..length).step_by(PIECE).map(move |start| {
                    let end = length.min(start + PIECE);
                    tell(end as u64);
                    Ok::<_, io::Error>(content.slice(start..end))
                });
                builder.header("content-length", length).body(Body::wrap_stream(stream::iter(pieces)))
            }
            (None, Some(json)) => builder.header("content-type", "application/json").body(json),
            (None, None) => builder,
        }
    }
}

impl Target {
    /// Sends one request of the API.
    pub(crate) async fn call(&self, request: Request, content: Option<Bytes>) -> Response {
        answer(self.request(request, content, |_| {}).send()).await.unwrap()
    }

    async fn set_unreachable(&self, unreachable: bool) {
        let settings = json!({"consumer_id": self.consumer_id, "unreachable": unreachable});
        let answer = self.control.post(format!("{}/_emulator/settings", self.server)).json(&settings).send().await;
        assert!(answer.unwrap().status().is_success());
    }
}

async fn answer(sent: impl Future<Output = reqwest::Result<reqwest::Response>>) -> reqwest::Result<Response> {
    let answer = sent.await?;
    let text = |name: &str| answer.headers().get(name).and_then(|value| value.to_str().ok()).map(str::to_owned);
    let (status, retry_after, request_id) =
        (answer.status().as_u16(), text(header::RETRY_AFTER), text(header::REQUEST_ID));
    Ok(Response { status, retry_after, request_id, body: answer.text().await? })
}
