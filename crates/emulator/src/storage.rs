//! Where bytes go: one sparse file per session, parts at their offsets, renamed when it is finished.

use std::fs::File;
use std::io;
use std::path::{Path, PathBuf};
use std::sync::Arc;

use bytes::Bytes;
use sha1::{Digest, Sha1};
use tempfile::TempDir;

use crate::config::Config;
use crate::digest::Sha1Sum;

/// Reads of a whole file are this long.
const READ: usize = 1024 * 1024;

/// The directories of the emulator.
#[derive(Debug)]
pub(crate) struct Storage {
    /// Of no use to a later run, hence removed at the end whatever the directory.
    parts: TempDir,
    files: PathBuf,
    /// Whether bytes are dropped once they are hashed.
    pub(crate) discard: bool,
    /// Where no directory was given; removed at the end too.
    _temporary: Option<TempDir>,
}

impl Storage {
    /// Makes the directories.
    ///
    /// # Errors
    /// Those of the file system.
    pub(crate) fn open(config: &Config) -> io::Result<Self> {
        let (root, temporary) = match &config.dir {
            Some(dir) => (dir.clone(), None),
            None => {
                let temporary = tempfile::Builder::new().prefix("upload-emulator-").tempdir()?;
                (temporary.path().to_owned(), Some(temporary))
            }
        };
        let files = root.join("files");
        std::fs::create_dir_all(&files)?;
        let parts = tempfile::Builder::new().prefix("parts-").tempdir_in(&root)?;
        Ok(Self { parts, files, discard: config.discard, _temporary: temporary })
    }

    /// Makes the file of a new session or direct upload; none where bytes are dropped.
    pub(crate) fn create(&self, id: &str) -> io::Result<Option<Arc<File>>> {
        if self.discard {
            return Ok(None);
        }
        let path = self.parts.path().join(id);
        let file = File::options().read(true).write(true).create_new(true).open(path)?;
        Ok(Some(Arc::new(file)))
    }

    /// Turns the parts of a session into a finished file.
    pub(crate) fn publish(&self, id: &str, file_id: &str) -> io::Result<()> {
        if self.discard {
            return Ok(());
        }
        std::fs::rename(self.parts.path().join(id), self.files.join(file_id))
    }

    /// Removes the parts of a session.
    pub(crate) async fn remove_parts(&self, id: &str) -> io::Result<()> {
        remove(&self.parts.path().join(id)).await
    }

    /// Removes the bytes of a direct upload when it is dropped, unless they were published before.
    pub(crate) fn removing_parts(&self, id: &str) -> impl Drop + use<> {
        Removing(self.parts.path().join(id))
    }

    /// Removes a finished file.
    pub(crate) async fn remove_file(&self, file_id: &str) -> io::Result<()> {
        remove(&self.files.join(file_id)).await
    }

    /// Tells where a finished file lies.
    pub(crate) fn file_path(&self, file_id: &str) -> PathBuf {
        self.files.join(file_id)
    }
}

struct Removing(PathBuf);

impl Drop for Removing {
    fn drop(&mut self) {
        // Not there any more where it was published, or where bytes are dropped.
        let _ = std::fs::remove_file(&self.0);
    }
}

async fn remove(path: &Path) -> io::Result<()> {
    match tokio::fs::remove_file(path).await {
        Err(error) if error.kind() != io::ErrorKind::NotFound => Err(error),
        _ => Ok(()),
    }
}

/// Takes the bytes of one body: hashes them, and writes them at their place.
#[derive(Debug)]
pub(crate) struct Writer {
    file: Option<Arc<File>>,
    offset: u64,
    hasher: Sha1,
    /// The hasher of the whole file, where this part comes right after what it has seen.
    whole: Option<Sha1>,
    /// The right to write this part. It lives here because a writer may outlive its request: what it was given
    /// is still written when the client has gone.
    permit: Option<Permit>,
}

/// The right to write a part, one attempt's at a time.
pub(crate) type Permit = tokio::sync::OwnedMutexGuard<()>;

/// What a writer has taken.
#[derive(Debug)]
pub(crate) struct Written {
    pub(crate) sha1: Sha1Sum,
    /// The hasher of the whole file, if it was given one.
    pub(crate) whole: Option<Sha1>,
    /// To be kept until the part is held.
    pub(crate) permit: Option<Permit>,
}

impl Writer {
    /// Writes into a file from an offset on; without a file it only hashes.
    pub(crate) fn new(file: Option<Arc<File>>, offset: u64) -> Self {
        Self { file, offset, hasher: Sha1::new(), whole: None, permit: None }
    }

    /// Passes the bytes through the hasher of the whole file too.
    pub(crate) fn with_whole(self, whole: Option<Sha1>) -> Self {
        Self { whole, ..self }
    }

    /// Keeps the right to write until the last byte is written.
    pub(crate) fn with_permit(self, permit: Permit) -> Self {
        Self { permit: Some(permit), ..self }
    }

    /// Takes the next bytes. Blocks on the disk.
    pub(crate) fn write(&mut self, chunks: &[Bytes]) -> io::Result<()> {
        for chunk in chunks {
            self.hasher.update(chunk);
            if let Some(whole) = &mut self.whole {
                whole.update(chunk);
            }
            if let Some(file) = &self.file {
                write_all_at(file, chunk, self.offset)?;
            }
            self.offset += chunk.len() as u64;
        }
        Ok(())
    }

    /// Gives what came of the bytes.
    pub(crate) fn finish(self) -> Written {
        Written { sha1: self.hasher.finalize().into(), whole: self.whole, permit: self.permit }
    }
}

/// Hashes a file from its first byte. Blocks on the disk.
pub(crate) fn hash_file(file: &File) -> io::Result<Sha1Sum> {
    let mut hasher = Sha1::new();
    let mut buffer = vec![0; READ];
    let mut position = 0;
    loop {
        // At a position of its own: the file's cursor is shared.
        match read_at(file, &mut buffer, position)? {
            0 => return Ok(hasher.finalize().into()),
            read => {
                hasher.update(&buffer[..read]);
                position += read as u64;
            }
        }
    }
}

#[cfg(unix)]
fn write_all_at(file: &File, bytes: &[u8], offset: u64) -> io::Result<()> {
    std::os::unix::fs::FileExt::write_all_at(file, bytes, offset)
}

#[cfg(unix)]
fn read_at(file: &File, buffer: &mut [u8], offset: u64) -> io::Result<usize> {
    std::os::unix::fs::FileExt::read_at(file, buffer, offset)
}

#[cfg(windows)]
fn write_all_at(file: &File, mut bytes: &[u8], mut offset: u64) -> io::Result<()> {
    while !bytes.is_empty() {
        let written = std::os::windows::fs::FileExt::seek_write(file, bytes, offset)?;
        if written == 0 {
            return Err(io::ErrorKind::WriteZero.into());
        }
        bytes = &bytes[written..];
        offset += written as u64;
    }
    Ok(())
}

#[cfg(windows)]
fn read_at(file: &File, buffer: &mut [u8], offset: u64) -> io::Result<usize> {
    std::os::windows::fs::FileExt::seek_read(file, buffer, offset)
}
