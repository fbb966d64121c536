//! Enough of an upload to go on after a reload or a crash: a small record without credentials, and what tells whose
//! record it is.

use std::iter;
use std::ops::Range;

use serde_json::{Map, Value, json};

use crate::config::DigestMode;
use crate::digest::{Digest, FileHasher};
use crate::plan::Plan;
use crate::request::Request;

/// Version of the record's shape.
const VERSION: u64 = 1;
/// Bytes of each of the samples that a file is known by.
const SAMPLE: u64 = 64 * 1024;

/// Tells one upload from all others: which file goes where.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Fingerprint {
    /// Of the file: name, size, date, type, and samples of its content.
    pub file: Digest,
    /// Of where it goes, and with which digests.
    pub target: Digest,
}

/// What is known of a file besides its content.
#[derive(Debug, Clone, Copy)]
pub struct FileIdentity<'a> {
    /// Name of the file to be.
    pub name: &'a str,
    /// Bytes.
    pub size: u64,
    /// Milliseconds since 1970, where the file has a date.
    pub last_modified: Option<f64>,
    /// Media type, as the platform guesses it.
    pub media_type: &'a str,
}

/// Where a file goes, and with which digests.
#[derive(Debug, Clone, Copy)]
pub struct TargetIdentity<'a> {
    /// Address of the server.
    pub server: &'a str,
    /// The application.
    pub app_id: Option<&'a str>,
    /// Whose storage it is.
    pub consumer_id: Option<&'a str>,
    /// Which connector.
    pub service_id: Option<&'a str>,
    /// Folder it goes into.
    pub parent_folder_id: &'a str,
    /// Drive, where the connector has several.
    pub drive_id: Option<&'a str>,
    /// Which digests are sent: a record without the file's cannot go on with it.
    pub digest: DigestMode,
}

impl Fingerprint {
    /// Makes the fingerprint of a file and its target; `samples` is the digest of the file's
    /// [samples](sample_ranges), one after the other.
    pub fn new(file: &FileIdentity<'_>, target: &TargetIdentity<'_>, samples: Digest) -> Self {
        let file = json!([file.name, file.size, file.last_modified, file.media_type, samples.to_base64()]);
        let target = json!([
            target.server,
            target.app_id,
            target.consumer_id,
            target.service_id,
            target.parent_folder_id,
            target.drive_id,
            target.digest.as_str(),
        ]);
        Self { file: Digest::of(file.to_string().as_bytes()), target: Digest::of(target.to_string().as_bytes()) }
    }

    /// Returns the key of the upload's record, which is also the name of its lock.
    pub fn key(&self) -> String {
        let both = [self.file.0, self.target.0].concat();
        format!("upload-session:{}", Digest::of(&both).to_base64())
    }
}

/// Returns which bytes of a file are its samples: the first, middle and last 64 KiB, or all of a small file.
pub fn sample_ranges(size: u64) -> Vec<Range<u64>> {
    if size <= 3 * SAMPLE {
        return iter::once(0..size).collect();
    }
    [0, size / 2 - SAMPLE / 2, size - SAMPLE].map(|start| start..start + SAMPLE).to_vec()
}

/// How far an upload is.
#[derive(Debug, Clone)]
pub struct Snapshot {
    pub(crate) session_id: String,
    pub(crate) fingerprint: Fingerprint,
    pub(crate) plan: Plan,
    /// Which parts are acknowledged, by number.
    pub(crate) acknowledged: Vec<bool>,
    /// How many of the first parts the file's digest is made of so far.
    pub(crate) file_hashed: u32,
    pub(crate) hasher: FileHasher,
    /// Digests of parts that were hashed and are not acknowledged, or else of one that is.
    pub(crate) digests: Vec<(u32, Digest)>,
}

/// A record that cannot be used.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum BadSnapshot {
    /// It comes from a later version.
    Newer,
    /// It is none, or damaged: the field that is off.
    Damaged(&'static str),
}

impl Snapshot {
    /// Returns the id of the session that it goes on with.
    pub fn session_id(&self) -> &str {
        &self.session_id
    }

    /// Returns the parts that are acknowledged.
    pub fn acknowledged(&self) -> Vec<u32> {
        (0..).zip(&self.acknowledged).filter(|(_, done)| **done).map(|(part, _)| part).collect()
    }

    /// Returns which upload it is of.
    pub fn fingerprint(&self) -> Fingerprint {
        self.fingerprint
    }

    /// Writes it down as plain JSON: a few hundred bytes.
    pub fn to_json(&self) -> Value {
        let digests: Vec<_> = self.digests.iter().map(|(part, digest)| json!([part, digest.to_base64()])).collect();
        json!({
            "version": VERSION,
            "sessionId": self.session_id,
            "file": self.fingerprint.file.to_base64(),
            "target": self.fingerprint.target.to_base64(),
            "size": self.plan.size(),
            "partSize": self.plan.part_size(),
            "acknowledged": ranges(&self.acknowledged),
            "hashed": self.file_hashed,
            "hashState": self.hasher.save(),
            "digests": digests,
        })
    }

    /// Reads it from JSON.
    ///
    /// # Errors
    /// It is of a later version, or one of its fields is off.
    pub fn from_json(json: &Value) -> Result<Self, BadSnapshot> {
        let record = json.as_object().ok_or(BadSnapshot::Damaged("version"))?;
        match whole(record, "version")? {
            VERSION => {}
            version if version > VERSION => return Err(BadSnapshot::Newer),
            _ => return Err(BadSnapshot::Damaged("version")),
        }
        let session_id = text(record, "sessionId")?.to_owned();
        Request::get(&session_id, false, None).map_err(|_| BadSnapshot::Damaged("sessionId"))?;
        let digest = |field| Digest::from_base64(text(record, field)?).ok_or(BadSnapshot::Damaged(field));
        let fingerprint = Fingerprint { file: digest("file")?, target: digest("target")? };
        let part_size = whole(record, "partSize").ok().filter(|&size| size > 0);
        let plan = part_size.and_then(|part_size| Plan::new(whole(record, "size").ok()?, part_size).ok());
        let plan = plan.ok_or(BadSnapshot::Damaged("partSize"))?;
        let file_hashed = u32::try_from(whole(record, "hashed")?).ok().filter(|&hashed| hashed <= plan.parts());
        Ok(Self {
            session_id,
            fingerprint,
            plan,
            acknowledged: acknowledged(record, plan.parts()).ok_or(BadSnapshot::Damaged("acknowledged"))?,
            file_hashed: file_hashed.ok_or(BadSnapshot::Damaged("hashed"))?,
            hasher: FileHasher::restore(text(record, "hashState")?).ok_or(BadSnapshot::Damaged("hashState"))?,
            digests: digests(record, plan.parts()).ok_or(BadSnapshot::Damaged("digests"))?,
        })
    }
}

fn text<'a>(record: &'a Map<String, Value>, field: &'static str) -> Result<&'a str, BadSnapshot> {
    record.get(field).and_then(Value::as_str).ok_or(BadSnapshot::Damaged(field))
}

/// Reads a whole number; numbers from JavaScript may come as `3.0`.
fn whole(record: &Map<String, Value>, field: &'static str) -> Result<u64, BadSnapshot> {
    record.get(field).and_then(as_whole).ok_or(BadSnapshot::Damaged(field))
}

fn as_whole(value: &Value) -> Option<u64> {
    let number = value.as_f64().filter(|number| number.fract() == 0.0 && (0.0..9e15).contains(number))?;
    Some(number as u64)
}

/// Returns the runs of acknowledged parts, as first and last of each.
fn ranges(acknowledged: &[bool]) -> Vec<[usize; 2]> {
    let mut ranges: Vec<[usize; 2]> = Vec::new();
    for (part, _) in acknowledged.iter().enumerate().filter(|(_, done)| **done) {
        match ranges.last_mut() {
            Some([_, last]) if *last + 1 == part => *last = part,
            _ => ranges.push([part, part]),
        }
    }
    ranges
}

fn acknowledged(record: &Map<String, Value>, parts: u32) -> Option<Vec<bool>> {
    let mut acknowledged = vec![false; parts as usize];
    for range in record.get("acknowledged")?.as_array()? {
        let [first, last] = pair(range)?;
        let (first, last) = (usize::try_from(as_whole(first)?).ok()?, usize::try_from(as_whole(last)?).ok()?);
        acknowledged.get_mut(first..=last)?.fill(true);
    }
    Some(acknowledged)
}

fn digests(record: &Map<String, Value>, parts: u32) -> Option<Vec<(u32, Digest)>> {
    let digest = |entry| {
        let [part, digest] = pair(entry)?;
        let part = as_whole(part).filter(|&part| part < u64::from(parts))? as u32;
        Some((part, Digest::from_base64(digest.as_str()?)?))
    };
    record.get("digests")?.as_array()?.iter().map(digest).collect()
}

fn pair(value: &Value) -> Option<[&Value; 2]> {
    match value.as_array()?.as_slice() {
        [first, second] => Some([first, second]),
        _ => None,
    }
}
