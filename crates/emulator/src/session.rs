//! Upload sessions: from create to finished, deleted or expired.

use std::collections::HashMap;
use std::fs::File;
use std::sync::Arc;

use jiff::Timestamp;
use parking_lot::Mutex;
use serde::Serialize;
use sha1::{Digest, Sha1};
use upload_session_engine::wire::CreateUploadSession;

use crate::digest::Sha1Sum;
use crate::envelope::ApiError;
use crate::parts::{Held, Parts};
use crate::profile::Profile;

/// Who made a session; nobody else sees it.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) struct Owner {
    pub(crate) app_id: String,
    pub(crate) consumer_id: String,
}

/// What is settled when a session is made.
#[derive(Debug)]
pub(crate) struct Terms {
    pub(crate) id: String,
    pub(crate) owner: Owner,
    pub(crate) profile: &'static Profile,
    pub(crate) request: CreateUploadSession,
    pub(crate) part_size: u64,
    pub(crate) parallel: bool,
    /// Where the parts go; none where bytes are dropped.
    pub(crate) file: Option<Arc<File>>,
}

/// One upload session.
#[derive(Debug)]
pub(crate) struct Session {
    pub(crate) terms: Terms,
    /// Held while finish works, so that a second one waits for the first.
    pub(crate) finishing: tokio::sync::Mutex<()>,
    /// One lock a part: two attempts at the same part never write at the same time.
    part_locks: Mutex<HashMap<u32, Arc<tokio::sync::Mutex<()>>>>,
    progress: Mutex<Progress>,
}

#[derive(Debug)]
struct Progress {
    state: State,
    expires_at: Timestamp,
    parts: Parts,
    /// Hasher of the whole file and the part that it waits for; only where bytes are dropped.
    running: Option<(u32, Sha1)>,
    whole: Option<Sha1Sum>,
    accepted_times: u32,
}

#[derive(Debug, Clone, PartialEq, Eq)]
enum State {
    Open,
    Finished,
    Removed,
}

/// What GET tells about a session, beside what never changes.
#[derive(Debug)]
pub(crate) struct Snapshot {
    pub(crate) finished: bool,
    pub(crate) contiguous: u64,
    pub(crate) expires_at: Timestamp,
}

/// A session in `GET /_emulator/sessions`.
#[derive(Debug, Serialize)]
pub(crate) struct Listed {
    id: String,
    name: String,
    size: Option<u64>,
    service: &'static str,
    parts_held: usize,
}

impl Session {
    pub(crate) fn new(terms: Terms, expires_at: Timestamp) -> Self {
        let parts = Parts::new(terms.request.size, terms.part_size, !terms.parallel);
        let running = terms.file.is_none().then(|| (0, Sha1::new()));
        let progress = Progress { state: State::Open, expires_at, parts, running, whole: None, accepted_times: 0 };
        Self {
            terms,
            finishing: tokio::sync::Mutex::default(),
            part_locks: Mutex::default(),
            progress: Mutex::new(progress),
        }
    }

    /// Gives the lock of a part, to be held from the first byte to the last.
    pub(crate) fn part_lock(&self, part_number: u32) -> Arc<tokio::sync::Mutex<()>> {
        Arc::clone(self.part_locks.lock().entry(part_number).or_default())
    }

    /// Looks at the parts of a session that is open.
    ///
    /// # Errors
    /// 404 where it was removed, 409 where it was finished.
    pub(crate) fn open<T>(&self, look: impl FnOnce(&mut Parts) -> T) -> Result<T, ApiError> {
        let mut progress = self.progress.lock();
        self.check_open(&progress)?;
        Ok(look(&mut progress.parts))
    }

    fn check_open(&self, progress: &Progress) -> Result<(), ApiError> {
        match progress.state {
            State::Open => Ok(()),
            State::Finished => Err(ApiError::conflict(format!("Upload session '{}' is finished", self.terms.id))),
            State::Removed => Err(ApiError::unknown_session(&self.terms.id)),
        }
    }

    /// Gives the hasher of the whole file, if this part is the one it waits for.
    pub(crate) fn running_hasher(&self, part_number: u32) -> Option<Sha1> {
        let progress = self.progress.lock();
        let (next, hasher) = progress.running.as_ref()?;
        (*next == part_number).then(|| hasher.clone())
    }

    /// Holds a part whose bytes are all there.
    ///
    /// # Errors
    /// As [`open`](Self::open), and as [`Parts::admit`] where something else came in between.
    pub(crate) fn hold(&self, part_number: u32, held: Held, whole: Option<Sha1>) -> Result<(), ApiError> {
        let mut progress = self.progress.lock();
        self.check_open(&progress)?;
        progress.parts.admit(part_number)?.check(part_number, held.bytes)?;
        progress.parts.hold(part_number, held);
        if let (Some(hasher), Some(running)) = (whole, &mut progress.running) {
            *running = (part_number + 1, hasher);
        }
        Ok(())
    }

    /// Gives the size of the whole file, and its SHA-1 as far as it is known.
    ///
    /// # Errors
    /// As [`open`](Self::open) and [`Parts::complete`].
    pub(crate) fn complete(&self) -> Result<(u64, Option<Sha1Sum>), ApiError> {
        let progress = self.progress.lock();
        self.check_open(&progress)?;
        let size = progress.parts.complete()?;
        let hashed_all = |(next, _): &&(u32, Sha1)| *next as usize == progress.parts.count();
        let running = progress.running.as_ref().filter(hashed_all);
        let running = running.map(|(_, hasher)| hasher.clone().finalize().into());
        Ok((size, progress.whole.or(running)))
    }

    /// Remembers the SHA-1 of the whole file.
    pub(crate) fn set_whole(&self, sha1: Sha1Sum) {
        self.progress.lock().whole = Some(sha1);
    }

    /// Counts an answer 202 to finish, if there are some to give yet.
    pub(crate) fn accept_once_more(&self, times: u32) -> bool {
        let mut progress = self.progress.lock();
        let more = progress.accepted_times < times;
        progress.accepted_times += u32::from(more);
        more
    }

    /// Closes the session; `publish` runs while nobody can remove it.
    ///
    /// # Errors
    /// As [`open`](Self::open), and those of `publish`, which leave the session open.
    pub(crate) fn finish(&self, publish: impl FnOnce() -> Result<(), ApiError>) -> Result<(), ApiError> {
        let mut progress = self.progress.lock();
        self.check_open(&progress)?;
        publish()?;
        progress.state = State::Finished;
        Ok(())
    }

    /// Closes the session without a file; uploads under way end in 404.
    ///
    /// # Errors
    /// As [`open`](Self::open).
    pub(crate) fn remove(&self) -> Result<(), ApiError> {
        let mut progress = self.progress.lock();
        self.check_open(&progress)?;
        progress.state = State::Removed;
        Ok(())
    }

    /// Lets the session expire now.
    pub(crate) fn expire(&self) {
        self.progress.lock().expires_at = Timestamp::UNIX_EPOCH;
    }

    /// Tells whether the session is past its time.
    pub(crate) fn is_expired(&self) -> bool {
        Timestamp::now() >= self.progress.lock().expires_at
    }

    /// Tells whether the session takes parts.
    pub(crate) fn is_open(&self) -> bool {
        let progress = self.progress.lock();
        progress.state == State::Open && Timestamp::now() < progress.expires_at
    }

    pub(crate) fn snapshot(&self) -> Snapshot {
        let progress = self.progress.lock();
        Snapshot {
            finished: progress.state == State::Finished,
            contiguous: progress.parts.contiguous(),
            expires_at: progress.expires_at,
        }
    }

    pub(crate) fn listed(&self) -> Listed {
        Listed {
            id: self.terms.id.clone(),
            name: self.terms.request.name.clone(),
            size: self.terms.request.size,
            service: self.terms.profile.id,
            parts_held: self.progress.lock().parts.count(),
        }
    }
}
