//! The reference model: what a server of the API does, request by request, with faults from a script.

use std::collections::{BTreeMap, VecDeque};
use std::ops::Range;
use upload_session_engine::clock::Duration;

use serde_json::{Value, json};
use upload_session_engine::config::{Config, DigestMode};
use upload_session_engine::digest::Digest;
use upload_session_engine::error::{ErrorCode, UploadError};
use upload_session_engine::plan::Plan;
use upload_session_engine::request::{Operation, Request, Response};

/// One way to misbehave.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Fault {
    Status(u16),
    StatusAfter(u16, u32),
    /// That status, and `Retry-After` as a date.
    StatusUntil(u16, &'static str),
    /// That status and that text; nothing was done.
    Answer(u16, &'static str),
    /// The request cannot be made, e.g. because the token function threw.
    Unsendable,
    /// Nothing was done, and no answer came.
    LostRequest,
    /// It was done, but no answer came.
    LostAnswer,
    /// It was done, but the answer has this status: a gateway's 504, or the 409 to a second sending by the browser.
    DoneBut(u16),
    /// No answer ever comes; nothing was done.
    Hang,
    /// The part arrives with other bytes.
    Corrupt,
    /// The file is accepted (202), and made a little later.
    Accepted,
    /// No JSON, with a success's status.
    Page,
    /// The session's time is over: it is gone, with all it held.
    Expire,
}

/// What comes of a request.
pub enum Answer {
    Response(Response),
    Unsendable(UploadError),
    Lost,
    Never,
}

/// A server with one session.
#[derive(Debug)]
pub struct Server {
    pub file: Vec<u8>,
    /// What arrives with the next request, where that is not what `file` holds.
    pub arriving: Option<Vec<u8>>,
    /// The file may change: what arrives is looked at by the test.
    pub file_changes: bool,
    pub part_size: u64,
    pub parallel: bool,
    /// Create must name the size of `file`.
    pub checks_size: bool,
    /// More parts in flight than this are refused with 429.
    pub max_in_flight: Option<usize>,
    /// A part sent twice is 409.
    pub once: bool,
    /// Taken one at each request, whichever it is; `None` lets a request pass.
    pub script: VecDeque<Option<Fault>>,
    /// Taken at requests of that operation (and part) only.
    pub scripted: Vec<(Operation, Option<u32>, Fault)>,
    pub held: BTreeMap<u32, Vec<u8>>,
    pub created: usize,
    pub finished: usize,
    /// Direct uploads that were done.
    pub directs: usize,
    pub deleted: bool,
    /// The session is not known any more.
    pub gone: bool,
    pub expires_at: &'static str,
    /// When the session's time is over, on the clock of the simulation.
    pub gone_at: Option<Duration>,
    pub deletions: usize,
}

impl Server {
    pub fn new(size: u64, part_size: u64, parallel: bool) -> Self {
        Self {
            file: (0..size).map(|n| (n * 31 + (n >> 8)) as u8).collect(),
            arriving: None,
            file_changes: false,
            part_size,
            parallel,
            checks_size: true,
            max_in_flight: None,
            once: false,
            script: VecDeque::new(),
            scripted: Vec::new(),
            held: BTreeMap::new(),
            created: 0,
            finished: 0,
            directs: 0,
            deleted: false,
            gone: false,
            expires_at: "2030-01-01T00:00:00Z",
            gone_at: None,
            deletions: 0,
        }
    }

    pub fn size(&self) -> u64 {
        self.file.len() as u64
    }

    /// Checks that it holds the file, byte by byte.
    pub fn assert_whole(&self) {
        let bytes: Vec<u8> = self.held.values().flatten().copied().collect();
        assert_eq!(self.finished, 1);
        assert!(bytes == self.file, "other bytes arrived");
    }

    pub fn handle(&mut self, request: &Request, range: Option<Range<u64>>, config: &Config) -> Answer {
        let part = request.target.split_once("part_number=").map(|(_, number)| number.parse().unwrap());
        match self.next_fault(request.operation, part) {
            None => Answer::Response(self.serve(request, part, range, config, false)),
            Some(Fault::Status(code)) => Answer::Response(error(code, None)),
            Some(Fault::StatusAfter(code, seconds)) => Answer::Response(error(code, Some(seconds))),
            Some(Fault::StatusUntil(code, date)) => {
                Answer::Response(Response { retry_after: Some(date.into()), ..error(code, None) })
            }
            Some(Fault::Answer(status, body)) => {
                Answer::Response(Response { status, body: body.into(), ..Response::default() })
            }
            Some(Fault::Unsendable) => {
                Answer::Unsendable(UploadError::new(ErrorCode::Unauthorized, "The token function threw"))
            }
            Some(Fault::LostRequest) => Answer::Lost,
            Some(Fault::LostAnswer) => {
                self.serve(request, part, range, config, false);
                Answer::Lost
            }
            Some(Fault::DoneBut(status)) => {
                self.serve(request, part, range, config, false);
                Answer::Response(error(status, None))
            }
            Some(Fault::Hang) => Answer::Never,
            Some(Fault::Corrupt) => Answer::Response(self.serve(request, part, range, config, true)),
            Some(Fault::Accepted) if request.operation == Operation::Finish => {
                Answer::Response(Response { status: 202, retry_after: Some("2".into()), ..success(202, json!({})) })
            }
            Some(Fault::Accepted) => Answer::Response(self.serve(request, part, range, config, false)),
            Some(Fault::Expire) => {
                self.expire();
                Answer::Response(self.serve(request, part, range, config, false))
            }
            Some(Fault::Page) => {
                Answer::Response(Response { status: 200, body: "<html>Log in</html>".into(), ..Response::default() })
            }
        }
    }

    pub fn expire(&mut self) {
        if self.finished == 0 {
            self.gone = true;
            self.held.clear();
        }
    }

    fn next_fault(&mut self, operation: Operation, part: Option<u32>) -> Option<Fault> {
        let matches = |entry: &(Operation, Option<u32>, Fault)| entry.0 == operation && entry.1 == part;
        match self.scripted.iter().position(matches) {
            Some(index) => Some(self.scripted.remove(index).2),
            None => self.script.pop_front().flatten(),
        }
    }

    fn serve(
        &mut self,
        request: &Request,
        part: Option<u32>,
        range: Option<Range<u64>>,
        config: &Config,
        corrupt: bool,
    ) -> Response {
        let of_session = !matches!(request.operation, Operation::Create | Operation::Direct);
        if of_session && self.gone {
            return error(404, None);
        }
        match request.operation {
            Operation::Create => {
                self.created += 1;
                self.gone = false;
                self.held.clear();
                let body: Value = serde_json::from_str(request.json.as_ref().unwrap()).unwrap();
                assert!(!self.checks_size || body["size"] == json!(config.size.map(|_| self.file.len())));
                success(201, json!({"id": "session"}))
            }
            Operation::Get if self.deleted => error(404, None),
            Operation::Get => success(
                200,
                json!({"id": "session", "success": self.finished > 0, "part_size": self.part_size as f64,
                       "parallel_upload_supported": self.parallel, "expires_at": self.expires_at,
                       "uploaded_byte_range": self.byte_range()}),
            ),
            Operation::Upload => self.take_part(request, part.unwrap(), range.unwrap(), config, corrupt),
            Operation::Finish => self.finish(request, config),
            Operation::Delete => {
                self.deletions += 1;
                if std::mem::replace(&mut self.deleted, true) || self.finished > 0 {
                    return error(404, None);
                }
                success(200, json!({"id": "session"}))
            }
            Operation::Direct => {
                let range = range.unwrap();
                assert_eq!(range, 0..self.file.len() as u64, "a direct upload is the whole file");
                assert!(request.metadata.is_some() && request.digest.is_none());
                self.held = BTreeMap::from([(0, self.arriving.take().unwrap_or_else(|| self.file.clone()))]);
                self.directs += 1;
                self.finished = 1;
                success(201, json!({"id": "file"}))
            }
        }
    }

    /// First and last byte held without a gap.
    fn byte_range(&self) -> Option<String> {
        let first = (0..).take_while(|part| self.held.contains_key(part));
        let bytes: usize = first.map(|part| self.held[&part].len()).sum();
        bytes.checked_sub(1).map(|last| format!("0-{last}"))
    }

    fn take_part(
        &mut self,
        request: &Request,
        number: u32,
        range: Range<u64>,
        config: &Config,
        corrupt: bool,
    ) -> Response {
        assert_eq!(self.finished, 0, "a part is sent after finish");
        let plan = Plan::new(self.file.len() as u64, self.part_size).unwrap();
        assert_eq!(range, plan.range(number), "the parts do not tile the file");
        let arriving = self.arriving.take();
        let changes = arriving.is_some();
        let mut bytes = arriving.unwrap_or_else(|| self.file[range.start as usize..range.end as usize].to_vec());
        let digest = (config.digest != DigestMode::None).then(|| Digest::of(&bytes).to_string());
        if changes && request.digest != digest {
            return error_about(422, "The digest does not match");
        }
        assert_eq!(request.digest, digest);
        if corrupt && digest.is_some() {
            bytes[0] ^= 1;
            return error_about(422, "The digest does not match");
        }
        if !self.parallel {
            assert!((0..number).all(|before| self.held.contains_key(&before)), "part {number} is out of order");
        }
        if self.held.insert(number, bytes).is_some() && self.once {
            return error(409, None);
        }
        success(200, json!({"id": "session"}))
    }

    fn finish(&mut self, request: &Request, config: &Config) -> Response {
        let bytes: Vec<u8> = self.held.values().flatten().copied().collect();
        assert!(bytes == self.file || self.file_changes, "finish is sent before every part is held");
        assert_eq!(bytes.len(), self.file.len());
        let digest = (config.digest == DigestMode::PartsAndFile).then(|| Digest::of(&bytes).to_string());
        assert_eq!(request.digest, digest);
        if self.finished > 0 {
            return error(404, None);
        }
        self.finished += 1;
        success(201, json!({"id": "file", "mime_type": "application/octet-stream"}))
    }
}

pub fn success(status: u16, data: Value) -> Response {
    let body = json!({"status_code": status, "status": "OK", "data": data}).to_string();
    Response { status, body, ..Response::default() }
}

pub fn error(status: u16, retry_after: Option<u32>) -> Response {
    let retry_after = retry_after.map(|seconds| seconds.to_string());
    Response { retry_after, ..error_about(status, "It went wrong") }
}

pub fn error_about(status: u16, message: &str) -> Response {
    let body = json!({"status_code": status, "type_name": "TestError", "message": message}).to_string();
    Response { status, body, request_id: Some("r-1".into()), retry_after: None }
}
