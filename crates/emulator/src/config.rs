//! What the emulator is started with.

use std::path::PathBuf;
use std::str::FromStr;

use clap::Parser;
use upload_session_engine::wire::MAX_PART_SIZE;

/// The command line of the emulator, and what [`app`](crate::app) is built from.
///
/// The values here are defaults for every consumer; `POST /_emulator/settings` overrides them while it runs.
#[derive(Debug, Clone, Parser)]
#[command(name = "upload-emulator", version, about, long_about = LONG_ABOUT)]
pub struct Config {
    /// Port to listen on, on 127.0.0.1; 0 picks a free one
    #[arg(long, default_value_t = 8787)]
    pub port: u16,

    /// Directory for parts and finished files [default: a temporary one, removed on exit]
    #[arg(long)]
    pub dir: Option<PathBuf>,

    /// Hash the bytes and drop them: nothing is written to disk
    #[arg(long)]
    pub discard: bool,

    /// Pace the request bodies of all connections together to so many bytes a second
    #[arg(long, value_name = "BYTES_PER_SECOND", value_parser = clap::value_parser!(u64).range(1..))]
    pub rate: Option<u64>,

    /// Part size in bytes of new sessions, instead of the profile's
    #[arg(long, value_name = "BYTES", value_parser = clap::value_parser!(u64).range(1..=MAX_PART_SIZE))]
    pub part_size: Option<u64>,

    /// Whether new sessions take parts in parallel, instead of what the profile says
    #[arg(long, value_name = "true|false")]
    pub parallel: Option<bool>,

    /// Life of a session in seconds
    #[arg(long, value_name = "SECONDS", default_value_t = 24 * 60 * 60)]
    pub expires_in: u32,

    /// Serve the files of a directory at a path, e.g. `/demo=www`; may be given several times
    #[arg(long = "mount", value_name = "/PATH=DIR")]
    pub mounts: Vec<Mount>,

    /// Print the address line and nothing else
    #[arg(long)]
    pub quiet: bool,
}

const LONG_ABOUT: &str = "\
Apideck's upload sessions API on your own machine: six routes under /file-storage, strict about headers, part \
sizes, order, digests and expiry, and able to misbehave on demand.

The connector is chosen by the header x-apideck-service-id: box, google-drive (also when the header is absent), \
onedrive, sharepoint or dropbox. Any bearer token, app id and consumer id will do; a session belongs to the \
app and consumer that made it.

Under /_emulator (no credentials needed, closed to pages of other machines): POST faults, POST settings, GET stats, GET sessions, GET files, \
GET files/{id}, GET files/{id}/info, POST reset. See the README for their bodies.

When it is ready, one line goes to stdout: `upload-emulator listening on http://127.0.0.1:PORT`. \
It ends on SIGINT and SIGTERM.";

impl Default for Config {
    /// Gives what the command line gives without flags, on a free port.
    fn default() -> Self {
        Self {
            port: 0,
            dir: None,
            discard: false,
            rate: None,
            part_size: None,
            parallel: None,
            expires_in: 24 * 60 * 60,
            mounts: Vec::new(),
            quiet: false,
        }
    }
}

/// A directory served at a path.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Mount {
    /// Absolute path, e.g. `/` or `/demo`.
    pub path: String,
    /// Directory that holds the files.
    pub dir: PathBuf,
}

impl FromStr for Mount {
    type Err = String;

    fn from_str(text: &str) -> Result<Self, String> {
        let (path, dir) = text.split_once('=').ok_or_else(|| "expected /path=directory".to_owned())?;
        if !path.starts_with('/') || path.contains(['{', '}', '*', '?', '#']) {
            return Err(format!("`{path}` must start with / and hold none of {{ }} * ? #"));
        }
        let dir = PathBuf::from(dir);
        if !dir.is_dir() {
            return Err(format!("{} is not a directory", dir.display()));
        }
        let path = match path.trim_end_matches('/') {
            "" => "/".to_owned(),
            trimmed => trimmed.to_owned(),
        };
        if path.starts_with("/_emulator") || path.starts_with("/file-storage") {
            return Err(format!("`{path}` belongs to the emulator"));
        }
        Ok(Self { path, dir })
    }
}
