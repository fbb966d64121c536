//! The shapes of the API on the wire (snake_case JSON) and its limits.
//!
//! Everything here is shared by the client and by the emulator; nothing here decides anything.

use alloc::string::String;

#[cfg(feature = "serde")]
pub use answers::{Envelope, ErrorEnvelope, UnifiedId, UploadSessionInfo};

use crate::json::{Object, Value};

/// Where the API lives when nothing else is asked for.
pub const DEFAULT_SERVER: &str = "https://upload.apideck.com";
/// Path of the upload sessions collection.
pub const SESSIONS_PATH: &str = "/file-storage/upload-sessions";
/// Path of the direct upload.
pub const FILES_PATH: &str = "/file-storage/files";

/// Highest `part_number` the API takes; the lowest is 0.
pub const MAX_PART_NUMBER: u32 = 10_000;
/// Most parts of one file.
pub const MAX_PARTS: u64 = MAX_PART_NUMBER as u64 + 1;
/// Most bytes of one part, and of one direct upload.
pub const MAX_PART_SIZE: u64 = 100 * 1024 * 1024;

/// Header names of the API, in lower case.
pub mod header {
    /// The application, required.
    pub const APP_ID: &str = "x-apideck-app-id";
    /// Whose storage it is, required.
    pub const CONSUMER_ID: &str = "x-apideck-consumer-id";
    /// Which connector, optional.
    pub const SERVICE_ID: &str = "x-apideck-service-id";
    /// `JWT` where the bearer token is a Vault session token.
    pub const AUTH_TYPE: &str = "x-apideck-auth-type";
    /// JSON of a [`CreateFile`](super::CreateFile), escaped to ASCII.
    pub const METADATA: &str = "x-apideck-metadata";
    /// RFC 3230 digest, `sha=<base64 of SHA-1>`.
    pub const DIGEST: &str = "digest";
    /// Id of a request, to quote to the vendor's support.
    pub const REQUEST_ID: &str = "request-id";
    /// How long to wait before the next attempt: seconds or an HTTP date (RFC 9110, 10.2.3).
    pub const RETRY_AFTER: &str = "retry-after";
}

/// Body of create: `POST /file-storage/upload-sessions`.
#[derive(Debug, Clone, PartialEq)]
#[cfg_attr(feature = "serde", derive(serde::Serialize, serde::Deserialize))]
pub struct CreateUploadSession {
    /// Name of the file to be.
    pub name: String,
    /// Folder it goes into; `root` for the drive's root.
    pub parent_folder_id: String,
    /// Size in bytes, null where it is not known.
    pub size: Option<u64>,
    /// Drive, where the connector has several.
    #[cfg_attr(feature = "serde", serde(default, skip_serializing_if = "Option::is_none"))]
    pub drive_id: Option<String>,
    /// Connector-specific additions, passed on as they are.
    #[cfg_attr(feature = "serde", serde(default, skip_serializing_if = "Option::is_none"))]
    pub pass_through: Option<Value>,
}

/// Metadata of a direct upload: header `x-apideck-metadata` of `POST /file-storage/files`.
#[derive(Debug, Clone, PartialEq)]
#[cfg_attr(feature = "serde", derive(serde::Serialize, serde::Deserialize))]
pub struct CreateFile {
    /// Name of the file to be.
    pub name: String,
    /// Folder it goes into; `root` for the drive's root.
    pub parent_folder_id: String,
    /// Drive, where the connector has several.
    #[cfg_attr(feature = "serde", serde(default, skip_serializing_if = "Option::is_none"))]
    pub drive_id: Option<String>,
}

impl CreateUploadSession {
    /// Returns the body of the request.
    pub fn to_json(&self) -> Value {
        let object = named(&self.name, &self.parent_folder_id);
        let object = object.with("size", self.size.map_or(Value::Null, Value::from));
        let object = object.with_some("drive_id", self.drive_id.as_deref().map(Value::from));
        Value::Object(object.with_some("pass_through", self.pass_through.clone()))
    }
}

impl CreateFile {
    /// Returns what the header holds, but for its escapes.
    pub fn to_json(&self) -> Value {
        let object = named(&self.name, &self.parent_folder_id);
        Value::Object(object.with_some("drive_id", self.drive_id.as_deref().map(Value::from)))
    }
}

fn named(name: &str, parent_folder_id: &str) -> Object {
    Object::default().with("name", name).with("parent_folder_id", parent_folder_id)
}

/// Answers as a server makes them; the client reads what it needs field by field.
#[cfg(feature = "serde")]
mod answers {
    use alloc::string::String;

    use serde::{Deserialize, Serialize};
    use serde_json::Value;

    /// What every successful answer carries around its data.
    #[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
    pub struct Envelope<T = Value> {
        /// The HTTP status again.
        pub status_code: u16,
        /// Its words, e.g. `OK`.
        #[serde(default)]
        pub status: String,
        /// The connector, e.g. `box`.
        #[serde(default)]
        pub service: String,
        /// e.g. `UploadSessions`.
        #[serde(default)]
        pub resource: String,
        /// e.g. `add`, `one`, `update`, `delete`.
        #[serde(default)]
        pub operation: String,
        /// The answer itself.
        pub data: T,
        /// Paging and the like; not used by upload sessions.
        #[serde(default, skip_serializing_if = "Option::is_none")]
        pub meta: Option<Value>,
        /// The connector's own answer, where `raw=true` was asked.
        #[serde(rename = "_raw", default, skip_serializing_if = "Option::is_none")]
        pub raw: Option<Value>,
    }

    /// `data` of create, upload, delete and of the direct upload.
    #[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
    pub struct UnifiedId {
        /// Id of the session, or of the file for a direct upload.
        pub id: String,
    }

    /// `data` of get.
    #[derive(Debug, Clone, PartialEq, Default, Serialize, Deserialize)]
    pub struct UploadSessionInfo {
        /// Id of the session.
        #[serde(default, skip_serializing_if = "Option::is_none")]
        pub id: Option<String>,
        /// Whether the file was finished.
        #[serde(default, skip_serializing_if = "Option::is_none")]
        pub success: Option<bool>,
        /// Bytes of every part but the last; a JSON number that may come as `8388608.0`, kept as it came so that
        /// a bad one can be told from a missing one.
        #[serde(default, skip_serializing_if = "Option::is_none")]
        pub part_size: Option<Value>,
        /// Whether parts may be sent side by side and in any order.
        #[serde(default, skip_serializing_if = "Option::is_none")]
        pub parallel_upload_supported: Option<bool>,
        /// First and last byte held, both included: `0-8388607`. Absent while nothing is held.
        #[serde(default, skip_serializing_if = "Option::is_none")]
        pub uploaded_byte_range: Option<String>,
        /// ISO 8601 date and time after which the session is gone.
        #[serde(default, skip_serializing_if = "Option::is_none")]
        pub expires_at: Option<String>,
    }

    /// Body of every error answer of the API.
    #[derive(Debug, Clone, PartialEq, Default, Serialize, Deserialize)]
    pub struct ErrorEnvelope {
        /// The HTTP status again.
        #[serde(default)]
        pub status_code: Option<u16>,
        /// Its words, e.g. `Bad Request`.
        #[serde(default)]
        pub error: Option<String>,
        /// Kind of error, e.g. `RequestValidationError`.
        #[serde(default)]
        pub type_name: Option<String>,
        /// A sentence for people.
        #[serde(default)]
        pub message: Option<String>,
        /// Particulars: a string or an object.
        #[serde(default)]
        pub detail: Option<Value>,
        /// Link to the documentation of this kind of error.
        #[serde(default, rename = "ref")]
        pub reference: Option<String>,
    }
}
