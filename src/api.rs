//! The operations of the API, one call each: `UploadSessionsApi`.

use std::cell::Cell;
use std::rc::Rc;
use upload_session_engine::clock::Duration;

use js_sys::{JsString, Promise};
use upload_session_engine::config::check_name;
use upload_session_engine::digest::PartHasher;
use upload_session_engine::error::{ErrorCode, UploadError};
use upload_session_engine::request::{Request, Response};
use upload_session_engine::retry::{Attempts, Failure, Outcome, Verdict};
use upload_session_engine::wire::{CreateFile, CreateUploadSession, MAX_PART_NUMBER};
use wasm_bindgen::prelude::*;
use wasm_bindgen_futures::future_to_promise;
use web_sys::Blob;

use crate::connection::{Connection, Content, SendError, TokenSource, refuse_authorization, unsendable};
use crate::driver::random_seed;
use crate::error::ReadError;
use crate::fields::{Fields, check_header_value};
use crate::options::{self, CALLER, RequestSettings};
use crate::sys::abort::{AbortGuard, Flag};
use crate::sys::blob::{self, Body};
use crate::sys::timer;
use crate::{error, json};

/// How long one attempt of a request without file content may take, unless the call says otherwise.
const DEFAULT_TIMEOUT: Duration = Duration::from_secs(60);

/// The operations of the upload sessions API, one request each (with its retries).
#[wasm_bindgen]
pub struct UploadSessionsApi {
    connection: Rc<Connection>,
}

#[wasm_bindgen]
impl UploadSessionsApi {
    /// Takes `ConnectionOptions`. Sends nothing.
    ///
    /// # Errors
    /// `invalid_argument`, naming the field.
    #[wasm_bindgen(constructor)]
    pub fn new(options: &JsValue) -> Result<UploadSessionsApi, JsValue> {
        let connection = options::connection(options).map_err(error::to_js)?;
        Ok(Self { connection: Rc::new(connection) })
    }

    /// Opens a session.
    pub fn create(&self, request: &JsValue, options: &JsValue) -> Promise {
        self.run(prepare_create(request, options))
    }

    /// Asks for a session: part size, what it holds, when it expires.
    pub fn get(&self, request: &JsValue, options: &JsValue) -> Promise {
        self.run(prepare_get(request, options))
    }

    /// Sends one part.
    pub fn upload(&self, request: &JsValue, options: &JsValue) -> Promise {
        self.run(prepare_upload(request, options))
    }

    /// Drops a session.
    pub fn delete(&self, request: &JsValue, options: &JsValue) -> Promise {
        self.run(prepare_delete(request, options))
    }

    /// Makes the file of the parts.
    pub fn finish(&self, request: &JsValue, options: &JsValue) -> Promise {
        self.run(prepare_finish(request, options))
    }

    /// Sends a small file in one request.
    #[wasm_bindgen(js_name = uploadFile)]
    pub fn upload_file(&self, request: &JsValue, options: &JsValue) -> Promise {
        self.run(prepare_upload_file(request, options))
    }

    fn run(&self, call: Result<Call, UploadError>) -> Promise {
        let connection = Rc::clone(&self.connection);
        future_to_promise(async move {
            let call = call.map_err(error::to_js)?;
            if !matches!(connection.token, TokenSource::None) {
                refuse_authorization(&call.settings.overrides.headers).map_err(error::to_js)?;
            }
            let response = call.run(&connection).await?;
            json::envelope(&response, call.needs_id).map_err(error::to_js)
        })
    }
}

/// A request that is ready to be sent.
struct Call {
    request: Request,
    body: Option<JsValue>,
    settings: RequestSettings,
    timeout: Option<Duration>,
    needs_id: bool,
}

/// How an attempt came to no answer.
enum NoAnswer {
    Failure(Failure, JsValue),
    Final(JsValue),
}

impl Call {
    fn new(request: Request, settings: RequestSettings) -> Self {
        let timeout = Some(settings.timeout.unwrap_or(DEFAULT_TIMEOUT));
        Self { request, body: None, settings, timeout, needs_id: true }
    }

    fn with_body(self, body: JsValue) -> Self {
        // The time that content takes is the link's to decide.
        Self { body: Some(body), timeout: self.settings.timeout, ..self }
    }

    /// Sends the request until it is answered for good.
    async fn run(&self, connection: &Connection) -> Result<Response, JsValue> {
        let policy = self.settings.retry.unwrap_or(connection.retry);
        let mut rng = seeded_rng();
        let mut attempts = Attempts::default();
        loop {
            attempts.begin();
            self.check_signal()?;
            let stamp = connection.token.stamp();
            let attempt = self.attempt(connection).await;
            let (outcome, cause) = match &attempt {
                Ok(response) => (Outcome::Answer(response), None),
                Err(NoAnswer::Failure(failure, cause)) => (Outcome::Failure(*failure), Some(cause.clone())),
                Err(NoAnswer::Final(error)) => return Err(error.clone()),
            };
            match attempts.judge(
                outcome,
                &policy,
                connection.token.can_refresh(),
                timer::now(),
                timer::read_date,
                &mut rng,
            ) {
                Verdict::Success => {}
                Verdict::RefreshToken => {
                    connection.token.expire(stamp.as_ref());
                    continue;
                }
                Verdict::Retry { delay, .. } => {
                    timer::sleep(delay, self.settings.signal.as_ref()).await;
                    continue;
                }
                Verdict::Fail(error) => return Err(error::with_cause(error, cause)),
            }
            if let Ok(response) = attempt {
                return Ok(response);
            }
        }
    }

    async fn attempt(&self, connection: &Connection) -> Result<Response, NoAnswer> {
        let guard = Rc::new(AbortGuard::new().map_err(NoAnswer::Final)?);
        let timed_out = Rc::new(Cell::new(false));
        let listener = self.settings.signal.as_ref().and_then(|signal| {
            let guard = Rc::clone(&guard);
            signal.on_abort(move || guard.abort())
        });
        let timer = self.timeout.map(|timeout| {
            let (guard, timed_out) = (Rc::clone(&guard), Rc::clone(&timed_out));
            timer::after(timeout, move || {
                timed_out.set(true);
                guard.abort();
            })
        });
        self.probe().await.map_err(|failure| NoAnswer::Final(failure.into_js()))?;
        let content = self.body.clone().map(|body| Content { body, length: None, on_sent: Box::new(|_| {}) });
        let sent = connection.send(self.request.clone(), content, &self.settings.overrides, &guard.signal()).await;
        drop((listener, timer));
        match sent {
            Ok(response) => Ok(response),
            Err(SendError::Token(error)) => Err(NoAnswer::Final(error.into_js())),
            Err(SendError::Unsendable(cause)) => Err(NoAnswer::Final(unsendable(cause).into_js())),
            Err(SendError::NoAnswer(cause)) => {
                self.check_signal().map_err(NoAnswer::Final)?;
                let failure = if timed_out.get() { Failure::Timeout } else { Failure::Network };
                Err(NoAnswer::Failure(failure, cause))
            }
        }
    }

    /// Looks whether a body that the browser is to read from disk is there at all: else Chromium tells of a broken network,
    /// and Firefox never ends the request.
    async fn probe(&self) -> Result<(), ReadError> {
        match self.body.as_ref().and_then(|body| body.dyn_ref::<Blob>()) {
            Some(blob) => blob::probe(blob, 0..blob::size(blob)).await,
            None => Ok(()),
        }
    }

    fn check_signal(&self) -> Result<(), JsValue> {
        match self.settings.signal.as_ref().filter(|signal| signal.is_aborted()) {
            Some(signal) => {
                let error = UploadError::new(ErrorCode::Aborted, "The request was aborted");
                Err(error::with_cause(error, Some(signal.reason())))
            }
            None => Ok(()),
        }
    }
}

/// Makes a generator for jitter.
fn seeded_rng() -> fastrand::Rng {
    fastrand::Rng::with_seed(random_seed())
}

/// Hashes a `Blob`, an `ArrayBuffer` or a `Uint8Array`; resolves to `sha=<base64 of SHA-1>`, the value of the
/// `digest` header (RFC 3230).
///
/// # Errors
/// `invalid_argument` for anything else, `file_changed` where the file cannot be read.
#[wasm_bindgen(js_name = sha1Digest)]
pub async fn sha1_digest(body: JsValue) -> Result<JsString, JsValue> {
    let mut hasher = PartHasher::plain();
    match blob::Body::from_js(&body).map_err(error::to_js)? {
        blob::Body::Blob(blob) => {
            let size = blob::size(&blob);
            let read = blob::read(&blob, 0..size, Some(&mut hasher), None, &Flag::default()).await;
            read.map_err(ReadError::into_js)?;
        }
        blob::Body::Bytes(bytes) => {
            bytes.hash(&mut hasher).await.map_err(|cause| ReadError::refused(cause).into_js())?;
        }
    }
    Ok(hasher.finish().map(|digest| digest.to_string()).unwrap_or_default().into())
}

fn prepare_create(request: &JsValue, options: &JsValue) -> Result<Call, UploadError> {
    let known = ["name", "parentFolderId", "size", "driveId", "passThrough", "raw"];
    let fields = Fields::new(request, "request", &[CALLER, &known])?;
    let body = CreateUploadSession {
        name: checked_name(&fields, "name")?,
        parent_folder_id: checked_name(&fields, "parentFolderId")?,
        size: options::size(&fields)?,
        drive_id: fields.string("driveId")?,
        pass_through: options::pass_through(&fields)?,
    };
    Ok(Call::new(Request::create(&body, raw(&fields)?), options::request_settings(&fields, options)?))
}

fn prepare_get(request: &JsValue, options: &JsValue) -> Result<Call, UploadError> {
    let fields = Fields::new(request, "request", &[CALLER, &["id", "raw", "fields"]])?;
    let selection = fields.string("fields")?;
    let request = Request::get(&fields.required_string("id")?, raw(&fields)?, selection.as_deref())?;
    let call = Call::new(request, options::request_settings(&fields, options)?);
    Ok(Call { needs_id: false, ..call })
}

fn prepare_upload(request: &JsValue, options: &JsValue) -> Result<Call, UploadError> {
    let known = ["id", "partNumber", "body", "digest", "raw"];
    let fields = Fields::new(request, "request", &[CALLER, &known])?;
    let missing = || fields.refuse("partNumber", "is missing, and takes a whole number from 0 to 10000");
    let number = fields.whole("partNumber", 0..=u64::from(MAX_PART_NUMBER))?.ok_or_else(missing)?;
    let digest = digest(&fields)?;
    let request = Request::upload(&fields.required_string("id")?, number as u32, digest, raw(&fields)?)?;
    Ok(Call::new(request, options::request_settings(&fields, options)?).with_body(body(&fields)?))
}

fn prepare_delete(request: &JsValue, options: &JsValue) -> Result<Call, UploadError> {
    let fields = Fields::new(request, "request", &[CALLER, &["id", "raw"]])?;
    let request = Request::delete(&fields.required_string("id")?, raw(&fields)?)?;
    Ok(Call::new(request, options::request_settings(&fields, options)?))
}

fn prepare_finish(request: &JsValue, options: &JsValue) -> Result<Call, UploadError> {
    let fields = Fields::new(request, "request", &[CALLER, &["id", "digest", "raw"]])?;
    let request = Request::finish(&fields.required_string("id")?, digest(&fields)?, raw(&fields)?)?;
    Ok(Call::new(request, options::request_settings(&fields, options)?))
}

fn prepare_upload_file(request: &JsValue, options: &JsValue) -> Result<Call, UploadError> {
    let known = ["name", "parentFolderId", "driveId", "body", "raw"];
    let fields = Fields::new(request, "request", &[CALLER, &known])?;
    let metadata = CreateFile {
        name: checked_name(&fields, "name")?,
        parent_folder_id: checked_name(&fields, "parentFolderId")?,
        drive_id: fields.string("driveId")?,
    };
    let request = Request::direct(&metadata, raw(&fields)?);
    Ok(Call::new(request, options::request_settings(&fields, options)?).with_body(body(&fields)?))
}

fn raw(fields: &Fields) -> Result<bool, UploadError> {
    Ok(fields.boolean("raw")?.unwrap_or(false))
}

fn checked_name(fields: &Fields, key: &str) -> Result<String, UploadError> {
    let name = fields.required_string(key)?;
    check_name(key, &name)?;
    Ok(name)
}

fn digest(fields: &Fields) -> Result<Option<String>, UploadError> {
    let digest = fields.string("digest")?;
    digest.iter().try_for_each(|digest| check_header_value("digest", digest))?;
    Ok(digest)
}

fn body(fields: &Fields) -> Result<JsValue, UploadError> {
    let body = Body::from_js(&fields.get("body")?.unwrap_or(JsValue::UNDEFINED))?;
    body.into_js().map_err(|_| fields.refuse("body", "cannot be read"))
}
