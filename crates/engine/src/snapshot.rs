//! Enough of an upload to go on after a reload or a crash: a small record without credentials, and what tells whose
//! record it is.

use alloc::borrow::ToOwned;
use alloc::string::String;
use alloc::vec;
use alloc::vec::Vec;
use core::iter;
use core::ops::Range;

use crate::config::DigestMode;
use crate::digest::{Digest, FileHasher};
use crate::json::{Object, Value};
use crate::part_set::PartSet;
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
    pub last_modified: Option<u64>,
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

impl FileIdentity<'_> {
    /// Returns what a file is known by; `samples` is the digest of its [samples](sample_ranges), one after the other.
    pub fn to_digest(&self, samples: Digest) -> Digest {
        digest_of([
            self.name.into(),
            self.size.into(),
            self.last_modified.map_or(Value::Null, Value::from),
            self.media_type.into(),
            samples.to_base64().into(),
        ])
    }
}

impl TargetIdentity<'_> {
    /// Returns what a target is known by.
    pub fn to_digest(&self) -> Digest {
        let text = |text: Option<&str>| text.map_or(Value::Null, Value::from);
        digest_of([
            self.server.into(),
            text(self.app_id),
            text(self.consumer_id),
            text(self.service_id),
            self.parent_folder_id.into(),
            text(self.drive_id),
            self.digest.as_str().into(),
        ])
    }
}

fn digest_of<const N: usize>(fields: [Value; N]) -> Digest {
    Digest::of(Value::Array(fields.into()).to_json().as_bytes())
}

impl Fingerprint {
    /// Returns the key of the upload's record, which is also the name of its lock.
    pub fn key(&self) -> String {
        let both = [self.file.0, self.target.0].concat();
        ["upload-session:", &Digest::of(&both).to_base64()].concat()
    }
}

/// Returns which bytes of a file are its samples: the first, middle and last 64 KiB, or all of a small file.
pub fn sample_ranges(size: u64) -> Vec<Range<u64>> {
    if size <= 3 * SAMPLE {
        return iter::once(0..size).collect();
    }
    let sample = |start| start..start + SAMPLE;
    vec![sample(0), sample(size / 2 - SAMPLE / 2), sample(size - SAMPLE)]
}

/// How far an upload is.
#[derive(Debug, Clone)]
pub struct Snapshot {
    pub(crate) session_id: String,
    pub(crate) fingerprint: Fingerprint,
    pub(crate) plan: Plan,
    /// Which parts are acknowledged, by number.
    pub(crate) acknowledged: PartSet,
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
        self.acknowledged.iter().collect()
    }

    /// Returns how much it tells: of two of one session the greater leaves less to be done.
    pub(crate) fn extent(&self) -> (u32, u32, usize) {
        (self.acknowledged.len(), self.file_hashed, self.digests.len())
    }

    /// Returns which upload it is of.
    pub fn fingerprint(&self) -> Fingerprint {
        self.fingerprint
    }

    /// Writes it down as plain JSON: a few hundred bytes.
    pub fn to_json(&self) -> Value {
        let pair = |first: Value, second: Value| Value::Array([first, second].into());
        let digest = |(part, digest): &(u32, Digest)| pair(u64::from(*part).into(), digest.to_base64().into());
        let range = |run: [u32; 2]| pair(u64::from(run[0]).into(), u64::from(run[1]).into());
        let object = Object::default()
            .with("version", VERSION)
            .with("sessionId", self.session_id.as_str())
            .with("file", self.fingerprint.file.to_base64())
            .with("target", self.fingerprint.target.to_base64())
            .with("size", self.plan.size())
            .with("partSize", self.plan.part_size())
            .with("acknowledged", Value::Array(self.acknowledged.runs().map(range).collect()))
            .with("hashed", u64::from(self.file_hashed))
            .with("hashState", self.hasher.save())
            .with("digests", Value::Array(self.digests.iter().map(digest).collect()));
        Value::Object(object)
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

fn text<'a>(record: &'a Object, field: &'static str) -> Result<&'a str, BadSnapshot> {
    record.get(field).and_then(Value::as_str).ok_or(BadSnapshot::Damaged(field))
}

/// Reads a whole number; numbers from JavaScript may come as `3.0`.
fn whole(record: &Object, field: &'static str) -> Result<u64, BadSnapshot> {
    record.get(field).and_then(Value::as_whole).ok_or(BadSnapshot::Damaged(field))
}

fn acknowledged(record: &Object, parts: u32) -> Option<PartSet> {
    let mut acknowledged = PartSet::default();
    for range in record.get("acknowledged")?.as_array()? {
        let [first, last] = pair(range)?;
        let (first, last) = (first.as_whole()?, last.as_whole()?);
        if first > last || last >= u64::from(parts) {
            return None;
        }
        acknowledged.insert(first as u32..last as u32 + 1);
    }
    Some(acknowledged)
}

fn digests(record: &Object, parts: u32) -> Option<Vec<(u32, Digest)>> {
    let mut digests = Vec::new();
    for entry in record.get("digests")?.as_array()? {
        let [part, digest] = pair(entry)?;
        let part = part.as_whole().filter(|&part| part < u64::from(parts))? as u32;
        digests.push((part, Digest::from_base64(digest.as_str()?)?));
    }
    Some(digests)
}

fn pair(value: &Value) -> Option<[&Value; 2]> {
    match value.as_array()? {
        [first, second] => Some([first, second]),
        _ => None,
    }
}
