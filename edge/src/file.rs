//! The file that a caller wants to create, held against the grant and put together anew.

use serde_json::Value;
use upload_session_engine::wire::{CreateFile, CreateUploadSession};

use crate::fields::{FieldError, Fields};
use crate::grant::Grant;
use crate::refusal::Refusal;

/// Most bytes of the body of create, and of the header with a direct upload's metadata.
pub(crate) const MAX_METADATA: usize = 65_536;

/// Checks the body of create.
pub(crate) fn create(json: &str, grant: &Grant) -> Result<CreateUploadSession, Refusal> {
    let mut body = session(json).map_err(|error| Refusal::bad_request(error.to_string()))?;
    check_folder(&body.parent_folder_id, grant)?;
    body.drive_id = drive(body.drive_id, grant)?;
    check_size(body.size, grant)?;
    if body.pass_through.is_some() && grant.is_restricted() {
        return Err(Refusal::forbidden("pass_through is not granted, as it could get around folder, drive and size"));
    }
    Ok(body)
}

/// Checks the metadata of a direct upload of `length` bytes.
pub(crate) fn direct(json: Option<&str>, length: u64, grant: &Grant) -> Result<CreateFile, Refusal> {
    // Headers are bytes: what is not ASCII has no meaning that both ends agree on.
    let json = json.filter(|json| json.is_ascii() && json.len() <= MAX_METADATA).ok_or_else(|| {
        Refusal::bad_header("x-apideck-metadata must be there, as JSON escaped to ASCII, 65536 bytes at most")
    })?;
    let mut metadata = file(json).map_err(|error| Refusal::bad_header(format!("x-apideck-metadata: {error}")))?;
    check_folder(&metadata.parent_folder_id, grant)?;
    metadata.drive_id = drive(metadata.drive_id, grant)?;
    check_size(Some(length), grant)?;
    Ok(metadata)
}

fn session(json: &str) -> Result<CreateUploadSession, FieldError> {
    let mut fields = Fields::nullable(json)?;
    let pass_through = fields.value("pass_through");
    let body = CreateUploadSession {
        name: fields.required_text("name")?,
        parent_folder_id: fields.required_text("parent_folder_id")?,
        size: fields.bytes("size")?,
        drive_id: fields.text("drive_id")?,
        pass_through: pass_through.clone().map(Into::into),
    };
    fields.end()?;
    let is_list = |value: &Value| value.as_array().is_some_and(|list| list.iter().all(Value::is_object));
    if pass_through.as_ref().is_some_and(|value| !is_list(value)) {
        return Err(FieldError::new("pass_through", "must be a list of objects"));
    }
    Ok(body)
}

fn file(json: &str) -> Result<CreateFile, FieldError> {
    let mut fields = Fields::nullable(json)?;
    let metadata = CreateFile {
        name: fields.required_text("name")?,
        parent_folder_id: fields.required_text("parent_folder_id")?,
        drive_id: fields.text("drive_id")?,
    };
    fields.end()?;
    Ok(metadata)
}

fn check_folder(folder: &String, grant: &Grant) -> Result<(), Refusal> {
    match &grant.parent_folder_ids {
        Some(folders) if !folders.contains(folder) => Err(Refusal::forbidden("This folder is not granted")),
        _ => Ok(()),
    }
}

fn drive(asked: Option<String>, grant: &Grant) -> Result<Option<String>, Refusal> {
    match (&grant.drive_id, asked) {
        // A folder of the same id, such as `root`, in another drive is another folder.
        (None, Some(_)) if grant.parent_folder_ids.is_some() => {
            Err(Refusal::forbidden("A drive is not granted, only folders"))
        }
        (None, asked) => Ok(asked),
        (Some(granted), Some(asked)) if asked != *granted => Err(Refusal::forbidden("This drive is not granted")),
        (Some(granted), _) => Ok(Some(granted.clone())),
    }
}

fn check_size(size: Option<u64>, grant: &Grant) -> Result<(), Refusal> {
    match (grant.max_file_size, size) {
        (None, _) => Ok(()),
        (Some(max), Some(size)) if size <= max => Ok(()),
        (Some(max), _) => {
            Err(Refusal::forbidden(format!("The size must be told, and at most {max} bytes are granted")))
        }
    }
}
