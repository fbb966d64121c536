//! The connectors, each with its ways.

use upload_session_engine::wire::MAX_PART_SIZE;

/// What differs between connectors.
#[derive(Debug, PartialEq, Eq)]
pub(crate) struct Profile {
    /// Value of `x-apideck-service-id`.
    pub(crate) id: &'static str,
    /// Bytes of every part but the last.
    pub(crate) part_size: u64,
    /// Whether parts are taken side by side and in any order.
    pub(crate) parallel: bool,
    /// Whether parts and finish must carry a digest.
    pub(crate) digest_required: bool,
    /// Most bytes of a direct upload.
    pub(crate) direct_limit: u64,
    /// Fewest bytes of an upload session.
    pub(crate) session_minimum: u64,
    /// Whether a part that is held already is refused with 409, even with the same bytes.
    pub(crate) part_once: bool,
    /// Whether `part_size` is sent as `10485760.0`: it is a JSON number, not an integer.
    pub(crate) fractional_part_size: bool,
}

const MIB: u64 = 1024 * 1024;

const GOOGLE_DRIVE: Profile = Profile {
    id: "google-drive",
    part_size: 8 * MIB,
    parallel: false,
    digest_required: false,
    direct_limit: MAX_PART_SIZE,
    session_minimum: 0,
    part_once: false,
    fractional_part_size: false,
};

const ONEDRIVE: Profile = Profile {
    id: "onedrive",
    part_size: 10 * MIB,
    direct_limit: 4_000_000,
    fractional_part_size: true,
    ..GOOGLE_DRIVE
};

static PROFILES: [Profile; 5] = [
    GOOGLE_DRIVE,
    Profile {
        id: "box",
        parallel: true,
        digest_required: true,
        direct_limit: 50_000_000,
        session_minimum: 20_000_000,
        part_once: true,
        ..GOOGLE_DRIVE
    },
    ONEDRIVE,
    Profile { id: "sharepoint", fractional_part_size: false, ..ONEDRIVE },
    Profile { id: "dropbox", parallel: true, ..GOOGLE_DRIVE },
];

impl Profile {
    /// Finds a connector by its service id.
    pub(crate) fn find(service_id: &str) -> Option<&'static Profile> {
        PROFILES.iter().find(|profile| profile.id == service_id)
    }

    /// Gives the connector of a caller that names none: `google-drive`.
    pub(crate) fn default_connector() -> &'static Profile {
        &PROFILES[0]
    }
}
