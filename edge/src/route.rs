//! The six routes: everything else does not exist.

use percent_encoding::percent_decode_str;
use upload_session_engine::request::Operation;
use upload_session_engine::wire::{FILES_PATH, SESSIONS_PATH};

/// A path that exists.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Route<'a> {
    Sessions,
    Files,
    /// With its id, still percent-encoded.
    Session(&'a str),
    Finish(&'a str),
}

impl<'a> Route<'a> {
    /// Finds the route of a path, letter by letter: nothing is decoded, joined or cut.
    pub(crate) fn find(base_path: &str, pathname: &'a str) -> Option<Self> {
        let path = pathname.strip_prefix(base_path)?;
        match path {
            SESSIONS_PATH => return Some(Self::Sessions),
            FILES_PATH => return Some(Self::Files),
            _ => {}
        }
        let rest = path.strip_prefix(SESSIONS_PATH)?.strip_prefix('/')?;
        match rest.split_once('/') {
            _ if rest.is_empty() || rest.starts_with('/') => None,
            None => Some(Self::Session(rest)),
            Some((id, "finish")) => Some(Self::Finish(id)),
            Some(_) => None,
        }
    }

    /// Returns what a method does here, if anything.
    pub(crate) fn operation(self, method: &str) -> Option<Operation> {
        self.operations().iter().copied().find(|operation| operation.method() == method)
    }

    /// Returns the value of `access-control-allow-methods`.
    pub(crate) fn methods(self) -> String {
        self.operations().iter().map(|operation| operation.method()).collect::<Vec<_>>().join(", ")
    }

    const fn operations(self) -> &'static [Operation] {
        match self {
            Self::Sessions => &[Operation::Create],
            Self::Files => &[Operation::Direct],
            Self::Session(_) => &[Operation::Get, Operation::Upload, Operation::Delete],
            Self::Finish(_) => &[Operation::Finish],
        }
    }

    /// Returns the session's id as it left the proxy; none where it is no UTF-8.
    pub(crate) fn token(self) -> Option<String> {
        match self {
            Self::Sessions | Self::Files => None,
            Self::Session(id) | Self::Finish(id) => percent_decode_str(id).decode_utf8().ok().map(Into::into),
        }
    }
}
