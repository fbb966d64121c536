//! Session ids as they leave the proxy: signed for the caller they were made for (DESIGN, 8).
//!
//! `<id>.<expiry>.<size>.<mac>`: the API's own id; when it ends, in seconds since 1970; how many bytes the file was said
//! to have, or `-`; and HMAC-SHA-256 over these three, the consumer and the service, in base64url without padding.

use std::fmt;
use std::time::Duration;

use base64::Engine as _;
use base64::engine::general_purpose::URL_SAFE_NO_PAD as BASE64URL;
use hmac::{Hmac, KeyInit as _, Mac as _};
use sha2::Sha256;

use crate::fields::canonical;

/// How long a signed id is good for, whatever the API's own session does.
pub const LIFE: Duration = Duration::from_secs(7 * 24 * 60 * 60);
/// Fewest bytes of a secret.
pub const MIN_SECRET: usize = 32;

/// Keeps these signatures apart from whatever else the same secret may sign.
const DOMAIN: &[u8] = b"upload-session/edge session id v1\0";

/// An upload session that was created through the proxy.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Session {
    /// Id that the API gave it.
    pub id: String,
    /// Bytes the file was declared to have, where that was known.
    pub size: Option<u64>,
}

/// Whom a session belongs to.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Owner {
    /// Consumer that created it.
    pub consumer_id: String,
    /// Connector it was created with, where one was named.
    pub service_id: Option<String>,
}

/// The secrets, ready for use: the first signs, all verify, so that a secret can be replaced while sessions run.
#[derive(Clone)]
pub struct Keyring {
    signing: Hmac<Sha256>,
    retired: Vec<Hmac<Sha256>>,
}

impl Keyring {
    /// Takes the secrets, newest first; none where there is none, or one has less than [32 bytes](MIN_SECRET).
    pub fn new(secrets: &[String]) -> Option<Self> {
        if secrets.iter().any(|secret| secret.len() < MIN_SECRET) {
            return None;
        }
        let mut keys = secrets.iter().map_while(|secret| Hmac::new_from_slice(secret.as_bytes()).ok());
        Some(Self { signing: keys.next()?, retired: keys.collect() })
    }

    /// Signs a session's id for its owner; it is good for [7 days](LIFE) from `now`, the time since 1970.
    pub fn sign(&self, session: &Session, owner: &Owner, now: Duration) -> String {
        let expiry = now.saturating_add(LIFE).as_secs();
        let mac = message(self.signing.clone(), session, owner, expiry).finalize().into_bytes();
        let size = session.size.map_or_else(|| "-".to_owned(), |size| size.to_string());
        format!("{}.{expiry}.{size}.{}", session.id, BASE64URL.encode(mac))
    }

    /// Returns the session of a signed id; none where it is malformed, not this owner's, or `now` has come to its end.
    ///
    /// The signature is compared in constant time, with every secret, whichever fits.
    pub fn verify(&self, token: &str, owner: &Owner, now: Duration) -> Option<Session> {
        let (session, expiry, mac) = parse(token)?;
        let keys = std::iter::once(&self.signing).chain(&self.retired);
        let genuine = keys.fold(false, |genuine, key| {
            genuine | message(key.clone(), &session, owner, expiry).verify_slice(&mac).is_ok()
        });
        (genuine && now.as_secs() < expiry).then_some(session)
    }
}

impl fmt::Debug for Keyring {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Keyring").finish_non_exhaustive()
    }
}

/// Feeds what is signed: each field with its length in front, so that no two different messages read the same.
fn message(mut mac: Hmac<Sha256>, session: &Session, owner: &Owner, expiry: u64) -> Hmac<Sha256> {
    mac.update(DOMAIN);
    let size = session.size.map(u64::to_be_bytes);
    let fields = [
        Some(session.id.as_bytes()),
        Some(owner.consumer_id.as_bytes()),
        owner.service_id.as_deref().map(str::as_bytes),
        Some(&expiry.to_be_bytes()),
        size.as_ref().map(<[u8; 8]>::as_slice),
    ];
    for field in fields {
        match field {
            None => mac.update(&[0]),
            Some(bytes) => {
                mac.update(&[1]);
                mac.update(&(bytes.len() as u64).to_be_bytes());
                mac.update(bytes);
            }
        }
    }
    mac
}

/// Takes an id apart, from its end: the API's own id may hold dots. Each part has one spelling only.
fn parse(token: &str) -> Option<(Session, u64, Vec<u8>)> {
    let mut pieces = token.rsplitn(4, '.');
    let mac = BASE64URL.decode(pieces.next()?).ok()?;
    let size = match pieces.next()? {
        "-" => None,
        size => Some(canonical(size)?),
    };
    let expiry = canonical(pieces.next()?)?;
    let id = pieces.next()?.to_owned();
    Some((Session { id, size }, expiry, mac))
}
