//! The query of a request: three parameters are known, each at most once, each where it belongs.

use percent_encoding::percent_decode_str;
use upload_session_engine::request::Operation;
use upload_session_engine::wire::MAX_PART_NUMBER;

use crate::fields::canonical;
use crate::refusal::Refusal;

/// What a query may say.
#[derive(Debug, Clone, PartialEq, Eq, Default)]
pub(crate) struct Query {
    /// There where the operation is upload.
    pub(crate) part_number: u32,
    pub(crate) fields: Option<String>,
}

impl Query {
    /// Reads the query of a URL, with its `?`.
    pub(crate) fn parse(operation: Operation, search: &str) -> Result<Self, Refusal> {
        let (mut part_number, mut fields, mut raw) = (None, None, None);
        let query = search.strip_prefix('?').unwrap_or(search);
        for pair in query.split('&').filter(|_| !query.is_empty()) {
            let (name, value) = pair.split_once('=').unwrap_or((pair, ""));
            let slot = match (name, operation) {
                ("part_number", Operation::Upload) => &mut part_number,
                ("fields", Operation::Get) => &mut fields,
                ("raw", _) => &mut raw,
                _ => return Err(Refusal::bad_request("The query has a parameter that is not known here")),
            };
            let value = percent_decode_str(value).decode_utf8_lossy().into_owned();
            if slot.replace(value).is_some() {
                return Err(Refusal::bad_request(format!("{name} is there twice")));
            }
        }
        // A connector's own answer may hold addresses that take an upload without this proxy.
        if raw.is_some_and(|raw| raw != "false") {
            return Err(Refusal::bad_request("raw can only be false here"));
        }
        if fields.as_deref().is_some_and(|fields| !is_selection(fields)) {
            return Err(Refusal::bad_request("fields must be names with commas in between"));
        }
        let part_number = match (operation, part_number.as_deref()) {
            (Operation::Upload, number) => number
                .and_then(self::part_number)
                .ok_or_else(|| Refusal::bad_request("part_number is required, a whole number from 0 to 10000"))?,
            _ => 0,
        };
        Ok(Self { part_number, fields })
    }
}

fn part_number(text: &str) -> Option<u32> {
    let number = u32::try_from(canonical(text)?).ok()?;
    (number <= MAX_PART_NUMBER).then_some(number)
}

fn is_selection(text: &str) -> bool {
    let plain = text.bytes().all(|byte| byte.is_ascii_alphanumeric() || b"_.,".contains(&byte));
    plain && matches!(text.len(), 1..=256)
}
