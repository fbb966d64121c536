//! Everything the emulator knows.

use std::collections::{BTreeMap, HashMap};
use std::io;
use std::sync::Arc;
use std::time::Instant;

use jiff::{Timestamp, ToSpan};
use parking_lot::Mutex;
use serde::{Serialize, Serializer};
use tokio::sync::Notify;
use upload_session_engine::wire::CreateUploadSession;
use uuid::Uuid;

use crate::config::Config;
use crate::consumers::{Consumer, Consumers};
use crate::digest::{Sha1Sum, to_hex};
use crate::envelope::ApiError;
use crate::exchange::Caller;
use crate::faults::Faults;
use crate::profile::Profile;
use crate::session::{Owner, Session, Terms};
use crate::storage::Storage;

/// The state of an emulator, shared by all its requests.
#[derive(Debug)]
pub(crate) struct State {
    started: Instant,
    expires_in: u32,
    pub(crate) storage: Storage,
    pub(crate) consumers: Arc<Consumers>,
    pub(crate) faults: Faults,
    /// Wakes the stalled: an upload has begun, or a session has gone.
    pub(crate) moved_on: Notify,
    pub(crate) sessions: Mutex<HashMap<String, Arc<Session>>>,
    /// Finished files in the order in which they were finished.
    pub(crate) files: Mutex<BTreeMap<u64, Arc<FinishedFile>>>,
}

/// A file that is whole.
#[derive(Debug, Clone, Serialize)]
pub(crate) struct FinishedFile {
    pub(crate) id: String,
    pub(crate) name: String,
    pub(crate) size: u64,
    /// SHA-1 in hex; null where bytes were dropped and parts came out of order.
    #[serde(serialize_with = "hex")]
    pub(crate) sha1: Option<Sha1Sum>,
    pub(crate) service: &'static str,
    pub(crate) mime_type: String,
    pub(crate) parent_folder_id: String,
    pub(crate) drive_id: Option<String>,
    pub(crate) consumer_id: String,
    pub(crate) created_at: String,
}

impl State {
    /// Makes an emulator that knows nothing yet.
    ///
    /// # Errors
    /// Those of the file system.
    pub(crate) fn new(config: &Config) -> io::Result<Self> {
        Ok(Self {
            started: Instant::now(),
            expires_in: config.expires_in,
            storage: Storage::open(config)?,
            consumers: Arc::new(Consumers::new(config)),
            faults: Faults::default(),
            moved_on: Notify::new(),
            sessions: Mutex::default(),
            files: Mutex::default(),
        })
    }

    /// Milliseconds since the start.
    pub(crate) fn now_ms(&self) -> u64 {
        u64::try_from(self.started.elapsed().as_millis()).unwrap_or(u64::MAX)
    }

    /// Makes a session.
    ///
    /// # Errors
    /// Those of the file system.
    pub(crate) fn add_session(
        &self,
        owner: Owner,
        profile: &'static Profile,
        consumer: &Consumer,
        request: CreateUploadSession,
    ) -> io::Result<Arc<Session>> {
        let settings = self.consumers.effective(Some(consumer));
        let id = new_id();
        let expires_at = Timestamp::now().saturating_add(i64::from(self.expires_in).seconds());
        let terms = Terms {
            id: id.clone(),
            owner,
            profile,
            request,
            part_size: settings.part_size(profile),
            parallel: settings.parallel(profile),
            file: self.storage.create(&id)?,
        };
        let session = Arc::new(Session::new(terms, expires_at.unwrap_or(Timestamp::MAX)));
        self.sessions.lock().insert(id, Arc::clone(&session));
        Ok(session)
    }

    /// Gives a session to its owner.
    ///
    /// # Errors
    /// 404 for everybody else, with another connector's name, and once it has expired.
    pub(crate) async fn session(&self, id: &str, caller: &Caller) -> Result<Arc<Session>, ApiError> {
        let unknown = || ApiError::unknown_session(id);
        let session = self.sessions.lock().get(id).cloned().ok_or_else(unknown)?;
        let same_connector = caller.connector.is_none_or(|connector| connector.id == session.terms.profile.id);
        if session.terms.owner != caller.owner || !same_connector {
            return Err(unknown());
        }
        if session.is_expired() {
            self.forget_session(&session).await?;
            return Err(unknown());
        }
        Ok(session)
    }

    /// Removes a session and its parts; a finished file stays.
    pub(crate) async fn forget_session(&self, session: &Session) -> Result<(), ApiError> {
        self.sessions.lock().remove(&session.terms.id);
        // Uploads under way must not hold a part of it any more; a finished one has none.
        let _ = session.remove();
        self.moved_on.notify_waiters();
        Ok(self.storage.remove_parts(&session.terms.id).await?)
    }

    /// Gives the sessions that take parts, of one consumer or of all.
    pub(crate) fn open_sessions(&self, consumer_id: Option<&str>) -> Vec<Arc<Session>> {
        let mut open: Vec<_> = self.sessions.lock().values().cloned().collect();
        open.retain(|session| belongs(&session.terms.owner.consumer_id, consumer_id) && session.is_open());
        open.sort_by(|a, b| a.terms.id.cmp(&b.terms.id));
        open
    }

    /// Keeps a file.
    pub(crate) fn add_file(&self, file: FinishedFile) -> Arc<FinishedFile> {
        let file = Arc::new(file);
        let mut files = self.files.lock();
        let next = files.last_key_value().map_or(0, |(last, _)| last + 1);
        files.insert(next, Arc::clone(&file));
        file
    }

    /// Finds a file.
    pub(crate) fn file(&self, id: &str) -> Option<Arc<FinishedFile>> {
        self.files.lock().values().find(|file| file.id == id).cloned()
    }

    /// Gives the files of one consumer or of all.
    pub(crate) fn list_files(&self, consumer_id: Option<&str>) -> Vec<Arc<FinishedFile>> {
        let files = self.files.lock();
        files.values().filter(|file| belongs(&file.consumer_id, consumer_id)).cloned().collect()
    }

    /// Forgets everything about one consumer, or everything.
    pub(crate) async fn reset(&self, consumer_id: Option<&str>) -> Result<(), ApiError> {
        self.faults.clear(consumer_id);
        self.consumers.reset(consumer_id);
        let sessions: Vec<_> = self.sessions.lock().values().cloned().collect();
        for session in sessions.iter().filter(|session| belongs(&session.terms.owner.consumer_id, consumer_id)) {
            self.forget_session(session).await?;
        }
        for file in self.list_files(consumer_id) {
            self.storage.remove_file(&file.id).await?;
        }
        self.files.lock().retain(|_, file| !belongs(&file.consumer_id, consumer_id));
        Ok(())
    }
}

impl FinishedFile {
    /// Describes a file that has just become whole.
    pub(crate) fn new(
        owner: &Owner,
        service: &'static str,
        name: &str,
        parent_folder_id: &str,
        drive_id: Option<&str>,
        size: u64,
        sha1: Option<Sha1Sum>,
    ) -> Self {
        Self {
            id: new_id(),
            name: name.to_owned(),
            size,
            sha1,
            service,
            mime_type: mime_guess::from_path(name).first_or_octet_stream().to_string(),
            parent_folder_id: parent_folder_id.to_owned(),
            drive_id: drive_id.map(str::to_owned),
            consumer_id: owner.consumer_id.clone(),
            created_at: date_time(Timestamp::now()),
        }
    }
}

fn hex<S: Serializer>(sha1: &Option<Sha1Sum>, serializer: S) -> Result<S::Ok, S::Error> {
    sha1.as_ref().map(to_hex).serialize(serializer)
}

fn belongs(consumer_id: &str, wanted: Option<&str>) -> bool {
    wanted.is_none_or(|wanted| wanted == consumer_id)
}

/// Makes an id that nobody guesses.
pub(crate) fn new_id() -> String {
    Uuid::new_v4().simple().to_string()
}

/// Writes a date and time as the API does, e.g. `2022-09-30T07:43:32.000Z`.
pub(crate) fn date_time(timestamp: Timestamp) -> String {
    format!("{timestamp:.3}")
}
