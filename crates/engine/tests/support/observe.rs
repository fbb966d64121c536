//! Scenarios in one line, and what can be seen of a run.

use upload_session_engine::clock::Duration;

use serde_json::Value;
use upload_session_engine::clock::read_date;
use upload_session_engine::config::Config;
use upload_session_engine::error::{ErrorCode, UploadError};
use upload_session_engine::output::{Event, OpId, PartState, State};
use upload_session_engine::progress::Progress;
use upload_session_engine::request::Operation;

use super::server::{Fault, Server};
use super::{Sent, Sim};

/// A file, a server, and what goes wrong between them.
pub struct Scenario {
    pub config: Config,
    pub server: Server,
}

/// A failed attempt, as the listeners are told of it.
#[derive(Debug, Clone)]
pub struct Retry {
    pub told_at: Duration,
    pub operation: Operation,
    pub part: Option<u32>,
    pub attempt: u32,
    pub delay: Duration,
    pub error: UploadError,
}

/// Every default but one: small files go by session here, too.
fn config(size: u64) -> Config {
    Config { direct: false, read_date, ..Config::new("file.bin", "root", size) }
}

impl Scenario {
    pub fn parallel(size: u64, part_size: u64) -> Self {
        Self { config: config(size), server: Server::new(size, part_size, true) }
    }

    pub fn sequential(size: u64, part_size: u64) -> Self {
        Self { config: config(size), server: Server::new(size, part_size, false) }
    }

    pub fn config(mut self, change: impl FnOnce(&mut Config)) -> Self {
        change(&mut self.config);
        self
    }

    /// Makes a part sent twice a 409.
    pub fn once(mut self) -> Self {
        self.server.once = true;
        self
    }

    /// Has the next request of that operation (and part) meet a fault; the one after it the next such fault.
    pub fn fault(mut self, operation: Operation, part: impl Into<Option<u32>>, fault: Fault) -> Self {
        self.server.scripted.push((operation, part.into(), fault));
        self
    }

    /// Has many requests of that operation (and part) meet a fault.
    pub fn always(mut self, operation: Operation, part: impl Into<Option<u32>>, fault: Fault) -> Self {
        let part = part.into();
        self.server.scripted.extend((0..5000).map(|_| (operation, part, fault)));
        self
    }

    pub fn sim(self) -> Sim {
        Sim::new(self.config, self.server, 7)
    }

    /// Has every request take the same time.
    pub fn sim_at(self, latency: u64) -> Sim {
        Sim { latency: Some(Duration::from_millis(latency)), ..self.sim() }
    }

    pub fn run(self) -> Sim {
        let mut sim = self.sim();
        sim.run();
        sim
    }
}

impl Sim {
    /// Runs until a request of that operation (and part) is sent, for the `nth` time, from 1.
    pub fn run_until_sent(&mut self, operation: Operation, part: impl Into<Option<u32>>, nth: usize) {
        let part = part.into();
        self.run_until(|sim| sim.sends_of(operation, part).len() == nth);
    }

    pub fn run_until_state(&mut self, state: State) {
        self.run_until(|sim| sim.upload.state() == state);
    }

    /// Lets time pass and whatever happens in it.
    pub fn run_for(&mut self, time: Duration) {
        let end = self.now + time;
        while self.next_at().is_some_and(|at| at <= end) {
            self.step();
        }
        self.now = end;
    }

    /// Returns the operation that was sent last, of those in flight.
    pub fn last_op(&self) -> OpId {
        *self.in_flight.last_key_value().expect("something in flight").0
    }

    pub fn operations(&self) -> Vec<Operation> {
        self.sent.iter().map(|sent| sent.operation).collect()
    }

    pub fn count(&self, operation: Operation) -> usize {
        self.sent.iter().filter(|sent| sent.operation == operation).count()
    }

    pub fn sends_of(&self, operation: Operation, part: impl Into<Option<u32>>) -> Vec<&Sent> {
        let part = part.into();
        self.sent.iter().filter(|sent| sent.operation == operation && sent.part == part).collect()
    }

    pub fn parts_sent(&self) -> Vec<u32> {
        self.sent.iter().filter_map(|sent| sent.part).collect()
    }

    pub fn file(&self) -> Value {
        Value::from(self.result.as_ref().expect("ended").as_ref().expect("done"))
    }

    pub fn error(&self) -> &UploadError {
        self.result.as_ref().expect("ended").as_ref().expect_err("failed")
    }

    pub fn code(&self) -> ErrorCode {
        self.error().code
    }

    /// Checks that the file arrived whole and that the upload knows it.
    pub fn assert_done(&self) {
        assert_eq!(self.upload.state(), State::Done, "{:?}", self.result);
        assert_eq!(self.file()["id"], "file");
        self.server.assert_whole();
    }

    pub fn states(&self) -> Vec<State> {
        self.told(|event| match event {
            Event::State(state) => Some(*state),
            _ => None,
        })
    }

    pub fn warnings(&self) -> Vec<&'static str> {
        self.told(|event| match event {
            Event::Warning { code, .. } => Some(*code),
            _ => None,
        })
    }

    /// What was told of a part: where it stood, and in which attempt.
    pub fn part_events(&self, number: u32) -> Vec<(PartState, u32)> {
        self.told(|event| match event {
            Event::Part { part, state, attempt, .. } if *part == number => Some((*state, *attempt)),
            _ => None,
        })
    }

    pub fn retries(&self) -> Vec<Retry> {
        let retry = |(told_at, event): &(Duration, Event)| match event.clone() {
            Event::Retry { operation, part, attempt, delay, error } => {
                Some(Retry { told_at: *told_at, operation, part, attempt, delay, error })
            }
            _ => None,
        };
        self.events.iter().filter_map(retry).collect()
    }

    pub fn progress_events(&self) -> Vec<(Duration, Progress)> {
        let progress = |(at, event): &(Duration, Event)| match event {
            Event::Progress(progress) => Some((*at, *progress)),
            _ => None,
        };
        self.events.iter().filter_map(progress).collect()
    }

    pub fn told<T>(&self, which: impl Fn(&Event) -> Option<T>) -> Vec<T> {
        self.events.iter().filter_map(|(_, event)| which(event)).collect()
    }
}
