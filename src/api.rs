//! The operations of the API, one call each: `UploadSessionsApi`.

use alloc::boxed::Box;
use alloc::rc::Rc;
use alloc::string::String;

use upload_session_engine::clock::Now;
use upload_session_engine::config::check_name;
use upload_session_engine::digest::PartHasher;
use upload_session_engine::error::{ErrorCode, UploadError};
use upload_session_engine::request::{Request, Response};
use upload_session_engine::retry::{Attempts, Failure, Outcome as Judged, Verdict};
use upload_session_engine::wire::{CreateFile, CreateUploadSession, MAX_PART_NUMBER};
use wasm_bindgen::prelude::*;

use crate::error::ReadError;
use crate::fields::Fields;
use crate::options::{self, ApiSettings, RequestSettings};
use crate::sys::blob::{self, Blob};
use crate::sys::bytes::{self, Feed};
use crate::sys::network::{Content, NoAnswer, Outcome};
use crate::sys::promise::{self, Promise, Settled};
use crate::sys::timer;
use crate::{error, json};

/// How long one attempt of a request without file content may take, unless the call says otherwise, in milliseconds.
const DEFAULT_TIMEOUT: f64 = 60_000.0;

/// The operations of the upload sessions API, one request each (with its retries).
#[wasm_bindgen]
pub struct UploadSessionsApi {
    settings: Rc<ApiSettings>,
}

#[wasm_bindgen]
impl UploadSessionsApi {
    /// Takes `ConnectionOptions`. Sends nothing.
    ///
    /// # Errors
    /// `invalid_argument`, naming the field.
    #[wasm_bindgen(constructor)]
    pub fn new(options: &JsValue) -> Result<UploadSessionsApi, JsValue> {
        let settings = options::api_settings(options).map_err(error::to_js)?;
        Ok(Self { settings: Rc::new(settings) })
    }

    /// Calls an operation by its name: `create`, `get`, `upload`, `delete`, `finish` or `uploadFile`.
    pub fn call(&self, operation: &str, request: &JsValue, options: &JsValue) -> Promise {
        match prepare(&self.settings, operation, request, options) {
            Ok(call) => call.attempt(),
            Err(error) => promise::settled(Err(error::to_js(error))),
        }
    }
}

/// The operations by name, as the class in JavaScript has them.
impl UploadSessionsApi {
    /// Opens a session.
    pub fn create(&self, request: &JsValue, options: &JsValue) -> Promise {
        self.call("create", request, options)
    }

    /// Asks for a session: part size, what it holds, when it expires.
    pub fn get(&self, request: &JsValue, options: &JsValue) -> Promise {
        self.call("get", request, options)
    }

    /// Sends one part.
    pub fn upload(&self, request: &JsValue, options: &JsValue) -> Promise {
        self.call("upload", request, options)
    }

    /// Drops a session.
    pub fn delete(&self, request: &JsValue, options: &JsValue) -> Promise {
        self.call("delete", request, options)
    }

    /// Makes the file of the parts.
    pub fn finish(&self, request: &JsValue, options: &JsValue) -> Promise {
        self.call("finish", request, options)
    }

    /// Sends a small file in one request.
    pub fn upload_file(&self, request: &JsValue, options: &JsValue) -> Promise {
        self.call("uploadFile", request, options)
    }
}

/// A request that is sent until it is answered for good.
struct Call {
    request: Request,
    content: Content,
    settings: RequestSettings,
    timeout: Option<f64>,
    needs_id: bool,
    attempts: Attempts,
    rng: fastrand::Rng,
}

impl Call {
    fn attempt(mut self: Box<Self>) -> Promise {
        self.attempts.begin();
        let RequestSettings { connection, signal, .. } = &self.settings;
        let sent = connection.send(&self.request, &self.content, &JsValue::UNDEFINED, self.timeout, signal.as_ref());
        promise::chain(&sent, move |sent| self.judge(&sent?.unchecked_into()))
    }

    fn judge(mut self: Box<Self>, outcome: &Outcome) -> Settled {
        let mut cause = None;
        let answer = match outcome.answer() {
            Ok(answer) => Ok(answer),
            Err(NoAnswer::Refused(refused)) => return Err(refused.into_js()),
            Err(NoAnswer::Aborted(reason)) => {
                let error = UploadError::new(ErrorCode::Aborted, "The request was aborted");
                return Err(error::with_cause(error, Some(reason)));
            }
            Err(NoAnswer::Late(_)) => Err(Failure::Timeout),
            Err(NoAnswer::Network(failed)) => {
                cause = Some(failed);
                Err(Failure::Network)
            }
        };
        match self.verdict(&answer, timer::now()) {
            Verdict::Success => match answer {
                Ok(response) => self.envelope(&response).map_err(error::to_js),
                Err(_) => Ok(JsValue::UNDEFINED),
            },
            Verdict::RefreshToken => {
                self.settings.connection.forget(outcome);
                Ok(self.attempt().into())
            }
            Verdict::Retry { delay, .. } => {
                let slept = timer::sleep(delay, self.settings.signal.as_ref());
                Ok(promise::chain(&slept, move |_| Ok(self.attempt().into())).into())
            }
            Verdict::Fail(error) => Err(error::with_cause(error, cause)),
        }
    }

    fn verdict(&mut self, answer: &Result<Response, Failure>, now: Now) -> Verdict {
        let judged = match answer {
            Ok(response) => Judged::Answer(response),
            Err(failure) => Judged::Failure(*failure),
        };
        let RequestSettings { connection, retry, .. } = &self.settings;
        self.attempts.judge(judged, retry, connection.can_refresh(), now, timer::read_date, &mut self.rng)
    }

    fn envelope(&self, response: &Response) -> Result<JsValue, UploadError> {
        if self.needs_id {
            response.identified()?;
        } else {
            response.envelope()?;
        }
        Ok(json::envelope(&response.body, response.request_id.clone()))
    }
}

/// Hashes a `Blob`, an `ArrayBuffer` or a `Uint8Array`; resolves to `sha=<base64 of SHA-1>`, the value of the
/// `digest` header (RFC 3230).
///
/// # Errors
/// `invalid_argument` for anything else, `file_changed` where the file cannot be read.
#[wasm_bindgen(js_name = sha1Digest)]
pub fn sha1_digest(body: &JsValue) -> Promise {
    let bytes = blob::body(body);
    if bytes.is_undefined() {
        return promise::settled(Err(error::to_js(UploadError::invalid_argument("body", TAKES_BODY))));
    }
    let feed = Feed::new(PartHasher::plain(), u64::MAX);
    let read = match Blob::from_js(&bytes) {
        Some(blob) => blob::read_whole(&blob, &feed, &JsValue::UNDEFINED),
        None => bytes::feed_bytes(&bytes, &feed.function()),
    };
    promise::chain(&read, move |read| {
        let digest = blob::digest(read, feed).map_err(ReadError::into_js)?;
        Ok(["sha=", &digest.to_base64()].concat().into())
    })
}

const TAKES_BODY: &str =
    "takes a Blob, or an ArrayBuffer or a Uint8Array of less than 4 GiB that is neither detached nor shared";

fn prepare(api: &ApiSettings, operation: &str, request: &JsValue, options: &JsValue) -> Result<Box<Call>, UploadError> {
    let known = match operation {
        "create" => "name parentFolderId size driveId passThrough",
        "get" => "id fields",
        "upload" => "id partNumber body digest",
        "delete" => "id",
        "finish" => "id digest",
        _ => "name parentFolderId driveId body",
    };
    let fields = Fields::new(request, "request", &[known, " appId consumerId serviceId raw"].concat());
    let raw = fields.boolean("raw").unwrap_or(false);
    let mut body = JsValue::UNDEFINED;
    let request = match operation {
        "create" => names(&fields).map(|(name, parent_folder_id)| {
            let (size, drive_id) = (options::size(&fields), fields.string("driveId"));
            let pass_through = options::pass_through(&fields);
            Request::create(&CreateUploadSession { name, parent_folder_id, size, drive_id, pass_through }, raw)
        }),
        "get" => Request::get(&fields.required("id"), raw, fields.string("fields").as_deref()),
        "upload" => {
            let number = fields.whole("partNumber", 0.0, MAX_PART_NUMBER.into());
            if number.is_none() {
                fields.refuse("partNumber", "is missing, and takes a whole number from 0 to 10000");
            }
            let digest = fields.header("digest");
            body = content(&fields);
            Request::upload(&fields.required("id"), number.unwrap_or_default() as u32, digest, raw)
        }
        "delete" => Request::delete(&fields.required("id"), raw),
        "finish" => Request::finish(&fields.required("id"), fields.header("digest"), raw),
        _ => {
            body = content(&fields);
            names(&fields).map(|(name, parent_folder_id)| {
                Request::direct(&CreateFile { name, parent_folder_id, drive_id: fields.string("driveId") }, raw)
            })
        }
    };
    let settings = options::request_settings(api, &fields, options)?;
    // The time that content takes is the link's to decide.
    let timeout = settings.timeout.or_else(|| body.is_undefined().then_some(DEFAULT_TIMEOUT));
    Ok(Box::new(Call {
        request: request?,
        content: Content { body, length: None, probes: true },
        settings,
        timeout,
        needs_id: operation != "get",
        attempts: Attempts::default(),
        rng: fastrand::Rng::with_seed(timer::random_seed()),
    }))
}

fn names(fields: &Fields) -> Result<(String, String), UploadError> {
    let (name, parent_folder_id) = (fields.required("name"), fields.required("parentFolderId"));
    check_name("name", &name)?;
    check_name("parentFolderId", &parent_folder_id)?;
    Ok((name, parent_folder_id))
}

fn content(fields: &Fields) -> JsValue {
    let body = blob::body(&fields.get("body"));
    if body.is_undefined() {
        fields.refuse("body", TAKES_BODY);
    }
    body
}
