//! What one caller may do, as `authorize` said.

use crate::fields::{FieldError, Fields};
use crate::headers::{is_header_safe, is_service_id};

/// A grant; `Grant` of the package's `edge.d.ts`.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) struct Grant {
    pub(crate) consumer_id: String,
    pub(crate) service_id: Option<String>,
    pub(crate) parent_folder_ids: Option<Vec<String>>,
    pub(crate) drive_id: Option<String>,
    /// Bytes.
    pub(crate) max_file_size: Option<u64>,
}

impl Grant {
    /// Reads a grant. Strict, as whatever it does not understand might be a restriction: a field that is misspelled,
    /// or a limit that became null on its way through JSON.
    pub(crate) fn from_json(json: &str) -> Result<Self, FieldError> {
        let mut fields = Fields::strict(json)?;
        let grant = Self {
            consumer_id: fields.required_text("consumerId")?,
            service_id: fields.text("serviceId")?,
            parent_folder_ids: fields.texts("parentFolderIds")?,
            drive_id: fields.text("driveId")?,
            max_file_size: fields.bytes("maxFileSize")?,
        };
        fields.end()?;
        if !is_header_safe(&grant.consumer_id) {
            return Err(FieldError::new("consumerId", "must be plain ASCII without spaces around it"));
        }
        if grant.service_id.as_deref().is_some_and(|service| !is_service_id(service)) {
            return Err(FieldError::new("serviceId", "must be a connector's name, such as google-drive"));
        }
        Ok(grant)
    }

    /// Tells whether only some files may be created.
    pub(crate) const fn is_restricted(&self) -> bool {
        self.parent_folder_ids.is_some() || self.drive_id.is_some() || self.max_file_size.is_some()
    }
}
