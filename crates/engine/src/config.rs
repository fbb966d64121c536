//! What is to be uploaded and how: a configuration with every field checked.

use alloc::string::String;

use crate::clock::{Duration, ReadDate};
use crate::error::UploadError;
use crate::json::Value;
use crate::retry::RetryPolicy;
use crate::wire::{CreateFile, CreateUploadSession};

/// How many times longer than for progress an answer is waited for: a server passes a part on before it answers.
const ANSWER_PATIENCE: f64 = 4.0;
/// Most bytes of a direct upload that every connector takes.
const DIRECT_LIMIT: u64 = 4_000_000;
/// Most bytes of a direct upload to Box, whose sessions start behind it.
const BOX_DIRECT_LIMIT: u64 = 19_999_999;

/// Which digests are computed and sent.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
pub enum DigestMode {
    /// Of every part, and of the whole file at finish.
    #[default]
    PartsAndFile,
    /// Of every part.
    Parts,
    /// None.
    None,
}

impl DigestMode {
    /// Returns the name as the public surface spells it.
    pub const fn as_str(self) -> &'static str {
        match self {
            Self::PartsAndFile => "parts-and-file",
            Self::Parts => "parts",
            Self::None => "none",
        }
    }
}

/// What is sent as a part's body.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum BodyMode {
    /// A slice of the file, which the platform streams from disk.
    Blob,
    /// The very bytes that were read and hashed, held in memory until they are acknowledged.
    Buffer,
    /// As [`Buffer`](Self::Buffer), of a source that can be read only once and from its beginning to its end: there is
    /// nothing to go on with later, nothing to compare, and a failure leaves no session behind. A part that memory cannot
    /// hold is refused, or, where no digest is wanted and the size is known, passed on as it is read and never sent again.
    Stream,
}

/// What is to be uploaded, and how.
#[derive(Debug, Clone)]
pub struct Config {
    /// Name of the file to be.
    pub name: String,
    /// Folder it goes into.
    pub parent_folder_id: String,
    /// Drive, where the connector has several.
    pub drive_id: Option<String>,
    /// Connector-specific additions, passed on as they are.
    pub pass_through: Option<Value>,
    /// Which connector, where it is known here: it decides what a small file is.
    pub service_id: Option<String>,
    /// Bytes of the file; none while they are not known ([`BodyMode::Stream`] alone): then
    /// [`handle_end`](crate::upload::Upload::handle_end) tells.
    pub size: Option<u64>,
    /// Which digests are computed and sent.
    pub digest: DigestMode,
    /// Most parts in flight, 1 to 6; it is 1 where the session is sequential.
    pub concurrency: usize,
    /// Most bytes of file content held in memory.
    pub memory_budget: u64,
    /// What is sent as a part's body.
    pub body: BodyMode,
    /// Parts up to this size that are read anyway are sent from memory whatever [`body`](Self::body) says, in bytes: where
    /// reading them once more costs the platform more than handing them over.
    pub small_part: u64,
    /// When a request is sent again.
    pub retry: RetryPolicy,
    /// How long one attempt of any request but a part's may take.
    pub timeout: Duration,
    /// A request that carries content and makes no progress for so long is sent again; an answer may take
    /// [four times as long](Self::answer_timeout).
    pub stall_timeout: Duration,
    /// The platform reads a file that changed as if nothing had happened: it is hashed to its end ahead of its sending, read
    /// once more before the end, and compared with what was sent.
    pub rereads_file: bool,
    /// The transport tells how many bytes are on their way: `handle_sent` is called.
    pub measures_progress: bool,
    /// Whether a small file is sent in one request where its connector takes it so; an empty one always is.
    pub direct: bool,
    /// Whether a session that is gone is followed by a fresh one, from the start.
    pub restart: bool,
    /// Records are kept: [`Output::Save`](crate::output::Output::Save) is heard, and what is closed can be resumed.
    pub keeps_record: bool,
    /// Whether a fresh token can be had after a 401.
    pub can_refresh_token: bool,
    /// How dates in answers are read.
    pub read_date: ReadDate,
}

impl Config {
    /// Most parts that may be in flight.
    pub const MAX_CONCURRENCY: usize = 6;

    /// Every default of the public surface, in one place.
    pub fn new(name: impl Into<String>, parent_folder_id: impl Into<String>, size: u64) -> Self {
        Self {
            name: name.into(),
            parent_folder_id: parent_folder_id.into(),
            drive_id: None,
            pass_through: None,
            service_id: None,
            size: Some(size),
            digest: DigestMode::PartsAndFile,
            concurrency: 4,
            memory_budget: 64 * 1024 * 1024,
            body: BodyMode::Blob,
            small_part: 0,
            retry: RetryPolicy::DEFAULT,
            timeout: Duration::from_secs(60),
            stall_timeout: Duration::from_secs(30),
            rereads_file: false,
            measures_progress: false,
            direct: true,
            restart: false,
            keeps_record: false,
            can_refresh_token: false,
            read_date: |_| None,
        }
    }

    /// Checks what types cannot.
    ///
    /// # Errors
    /// `invalid_argument`, naming the field and what it takes.
    pub fn check(&self) -> Result<(), UploadError> {
        check_name("name", &self.name)?;
        check_name("parentFolderId", &self.parent_folder_id)?;
        if let Some(drive_id) = &self.drive_id {
            check_name("driveId", drive_id)?;
        }
        if !(1..=Self::MAX_CONCURRENCY).contains(&self.concurrency) {
            return Err(UploadError::invalid_argument("concurrency", "takes a whole number from 1 to 6"));
        }
        if self.stall_timeout.is_zero() {
            return Err(UploadError::invalid_argument("stallTimeout", "takes a number of milliseconds above 0"));
        }
        if self.memory_budget == 0 {
            return Err(UploadError::invalid_argument("memoryBudget", "takes a whole number of bytes, 1 or more"));
        }
        if self.size.is_none() && !self.is_stream() {
            return Err(UploadError::invalid_argument("size", "takes a whole number of bytes, but for a stream"));
        }
        Ok(())
    }

    /// Returns how long an answer may take once the last byte of the content is on its way.
    pub(crate) fn answer_timeout(&self) -> Duration {
        self.stall_timeout * ANSWER_PATIENCE
    }

    /// Returns how long an attempt of a request without content may take.
    pub(crate) fn request_timeout(&self) -> Duration {
        self.timeout.min(self.answer_timeout())
    }

    /// Tells whether the source can be read only once.
    pub(crate) fn is_stream(&self) -> bool {
        cfg!(feature = "streams") && self.body == BodyMode::Stream
    }

    /// Returns the most bytes of a file that its connector takes in one request, for sure.
    pub fn direct_limit(&self) -> u64 {
        match self.service_id.as_deref() {
            Some("box") => BOX_DIRECT_LIMIT,
            _ => DIRECT_LIMIT,
        }
    }

    /// Tells whether the file is sent in one request.
    pub(crate) fn is_direct(&self) -> bool {
        let Some(size) = self.size else { return false };
        // Only bytes in memory are those that were verified, where the platform does not tell of a change, and only those
        // of a stream can be sent again.
        let fits = !(self.rereads_file || self.is_stream()) || size <= self.memory_budget;
        // What is passed through goes with a session's creation.
        size == 0 || (self.direct && size <= self.direct_limit() && fits && self.pass_through.is_none())
    }

    /// Returns the metadata of a direct upload.
    pub(crate) fn metadata(&self) -> CreateFile {
        CreateFile {
            name: self.name.clone(),
            parent_folder_id: self.parent_folder_id.clone(),
            drive_id: self.drive_id.clone(),
        }
    }

    /// Returns the body of create.
    pub(crate) fn create_body(&self) -> CreateUploadSession {
        CreateUploadSession {
            name: self.name.clone(),
            parent_folder_id: self.parent_folder_id.clone(),
            size: self.size,
            drive_id: self.drive_id.clone(),
            pass_through: self.pass_through.clone(),
        }
    }
}

/// Refuses a name or an id that is empty or has control characters.
///
/// # Errors
/// `invalid_argument`, naming the field.
pub fn check_name(field: &str, value: &str) -> Result<(), UploadError> {
    if value.is_empty() || value.chars().any(char::is_control) {
        return Err(UploadError::invalid_argument(
            field,
            "takes a text that is not empty and has no control characters",
        ));
    }
    Ok(())
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::error::ErrorCode;

    fn refused(change: impl FnOnce(&mut Config)) -> String {
        let mut config = Config::new("a.bin", "root", 1);
        change(&mut config);
        let error = config.check().unwrap_err();
        assert_eq!(error.code, ErrorCode::InvalidArgument);
        error.into_fields().message
    }

    #[test]
    fn defaults_and_any_script_of_name_are_fine() {
        assert_eq!(Config::new("a.bin", "root", 0).check(), Ok(()));
        assert_eq!(Config::new("日本語 – ✓.pdf", "root", 0).check(), Ok(()));
    }

    #[test]
    fn fields_out_of_range_are_named() {
        assert!(refused(|config| config.name = String::new()).contains("`name`"));
        assert!(refused(|config| config.name = "a\r\nb".into()).contains("`name`"));
        assert!(refused(|config| config.name = "a\u{85}".into()).contains("`name`"));
        assert!(refused(|config| config.parent_folder_id = String::new()).contains("`parentFolderId`"));
        assert!(refused(|config| config.drive_id = Some("\0".into())).contains("`driveId`"));
        assert!(refused(|config| config.concurrency = 0).contains("`concurrency`"));
        assert!(refused(|config| config.concurrency = 7).contains("`concurrency`"));
        assert!(refused(|config| config.memory_budget = 0).contains("`memoryBudget`"));
        assert!(refused(|config| config.stall_timeout = Duration::ZERO).contains("`stallTimeout`"));
        assert!(refused(|config| config.size = None).contains("`size`"));
    }
}
