//! Which parts of a file are held, and which may come next.

use std::collections::BTreeMap;

use upload_session_engine::wire::MAX_PART_SIZE;

use crate::digest::Sha1Sum;
use crate::envelope::ApiError;

/// A part that is held.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) struct Held {
    pub(crate) bytes: u64,
    pub(crate) sha1: Sha1Sum,
}

/// How long a part must be.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Length {
    Exactly(u64),
    /// 1 up to so many bytes: the size of the file is not known, so any part may be the last.
    UpTo(u64),
}

impl Length {
    /// Gives the most bytes that the part can have.
    pub(crate) fn most(self) -> u64 {
        match self {
            Self::Exactly(bytes) | Self::UpTo(bytes) => bytes,
        }
    }

    /// Checks the length of a part.
    ///
    /// # Errors
    /// 413 above what one request may carry, 422 where the session wants another length.
    pub(crate) fn check(self, part_number: u32, bytes: u64) -> Result<(), ApiError> {
        if bytes > MAX_PART_SIZE {
            return Err(ApiError::too_large(format!("A part has at most {MAX_PART_SIZE} bytes")));
        }
        match self {
            Self::Exactly(wanted) if bytes != wanted => {
                let detail = format!("Part {part_number} must have {wanted} bytes, not {bytes}");
                Err(ApiError::unprocessable(detail))
            }
            Self::UpTo(most) if bytes == 0 || bytes > most => {
                let detail = format!("Part {part_number} must have 1 to {most} bytes, not {bytes}");
                Err(ApiError::unprocessable(detail))
            }
            _ => Ok(()),
        }
    }
}

/// The parts of one file.
#[derive(Debug)]
pub(crate) struct Parts {
    size: Option<u64>,
    part_size: u64,
    in_order: bool,
    held: BTreeMap<u32, Held>,
}

impl Parts {
    pub(crate) fn new(size: Option<u64>, part_size: u64, in_order: bool) -> Self {
        Self { size, part_size, in_order, held: BTreeMap::new() }
    }

    /// Gives a part that is held.
    pub(crate) fn held(&self, part_number: u32) -> Option<Held> {
        self.held.get(&part_number).copied()
    }

    /// Counts the parts that are held.
    pub(crate) fn count(&self) -> usize {
        self.held.len()
    }

    /// Tells how long a part that is not held must be.
    ///
    /// # Errors
    /// 422 where the part lies beyond the end of the file, or is not the next one of a session that goes in order.
    pub(crate) fn admit(&self, part_number: u32) -> Result<Length, ApiError> {
        let next = self.held.len() as u64;
        if self.in_order && u64::from(part_number) != next {
            let detail = format!("Parts are taken in order: part_number must be {next}, not {part_number}");
            return Err(ApiError::unprocessable(detail));
        }
        let start = u64::from(part_number) * self.part_size;
        let Some(size) = self.size else {
            return self.admit_of_unknown_size(part_number);
        };
        if start >= size {
            let detail = format!("part_number {part_number} is beyond the end of a file of {size} bytes");
            return Err(ApiError::unprocessable(detail));
        }
        Ok(Length::Exactly(self.part_size.min(size - start)))
    }

    fn admit_of_unknown_size(&self, part_number: u32) -> Result<Length, ApiError> {
        if let Some((last, _)) = self.held.iter().find(|(_, held)| held.bytes < self.part_size) {
            return if part_number < *last {
                Ok(Length::Exactly(self.part_size))
            } else {
                let detail =
                    format!("part_number {part_number} is beyond the last part, {last}, which was a short one");
                Err(ApiError::unprocessable(detail))
            };
        }
        let follows = self.held.range(part_number..).next().is_some();
        Ok(if follows { Length::Exactly(self.part_size) } else { Length::UpTo(self.part_size) })
    }

    /// Holds a part.
    pub(crate) fn hold(&mut self, part_number: u32, held: Held) {
        self.held.insert(part_number, held);
    }

    /// Gives the bytes held from the start on without a gap.
    pub(crate) fn contiguous(&self) -> u64 {
        let in_a_row = (0..).zip(&self.held).take_while(|(expected, (number, _))| expected == *number);
        in_a_row.map(|(_, (_, held))| held.bytes).sum()
    }

    /// Gives the size of the file once every byte of it is held.
    ///
    /// # Errors
    /// 422 that names the first part missing.
    pub(crate) fn complete(&self) -> Result<u64, ApiError> {
        let bytes = self.contiguous();
        let done = match self.size {
            Some(size) => bytes == size,
            // Without a size, what is held is the file, if it has no gap.
            None => bytes > 0 && bytes == self.held.values().map(|held| held.bytes).sum::<u64>(),
        };
        if done {
            return Ok(bytes);
        }
        let missing = bytes / self.part_size;
        Err(ApiError::unprocessable(format!("Not every part was uploaded: part {missing} is missing")))
    }
}

#[cfg(test)]
#[allow(clippy::unwrap_used)]
mod tests {
    use super::*;
    use axum::http::StatusCode;

    fn part(bytes: u64) -> Held {
        Held { bytes, sha1: [0; 20] }
    }

    fn refused(parts: &Parts, part_number: u32) -> StatusCode {
        parts.admit(part_number).unwrap_err().status
    }

    #[test]
    fn wants_exact_lengths_where_the_size_is_known() {
        let parts = Parts::new(Some(25), 10, false);
        assert_eq!(parts.admit(0), Ok(Length::Exactly(10)));
        assert_eq!(parts.admit(2), Ok(Length::Exactly(5)));
        assert_eq!(refused(&parts, 3), StatusCode::UNPROCESSABLE_ENTITY);
        assert!(Length::Exactly(5).check(2, 5).is_ok());
        assert!(Length::Exactly(5).check(2, 4).is_err());
        assert!(Length::Exactly(5).check(2, 6).is_err());
    }

    #[test]
    fn wants_parts_in_order_where_the_session_is_sequential() {
        let mut parts = Parts::new(Some(25), 10, true);
        assert_eq!(refused(&parts, 1), StatusCode::UNPROCESSABLE_ENTITY);
        assert!(parts.admit(0).is_ok());
        parts.hold(0, part(10));
        assert!(parts.admit(1).is_ok());
    }

    #[test]
    fn takes_a_short_part_as_the_last_where_the_size_is_unknown() {
        let mut parts = Parts::new(None, 10, false);
        assert_eq!(parts.admit(3), Ok(Length::UpTo(10)));
        parts.hold(2, part(4));
        assert_eq!(parts.admit(1), Ok(Length::Exactly(10)));
        assert_eq!(refused(&parts, 3), StatusCode::UNPROCESSABLE_ENTITY);
        assert!(Length::UpTo(10).check(3, 0).is_err());
        assert!(Length::UpTo(10).check(3, 11).is_err());
    }

    #[test]
    fn wants_a_full_part_below_one_that_is_held() {
        let mut parts = Parts::new(None, 10, false);
        parts.hold(1, part(10));
        assert_eq!(parts.admit(0), Ok(Length::Exactly(10)));
    }

    #[test]
    fn counts_bytes_up_to_the_first_gap() {
        let mut parts = Parts::new(Some(25), 10, false);
        assert_eq!(parts.contiguous(), 0);
        parts.hold(1, part(10));
        assert_eq!(parts.contiguous(), 0);
        parts.hold(0, part(10));
        assert_eq!(parts.contiguous(), 20);
        assert!(parts.complete().is_err());
        parts.hold(2, part(5));
        assert_eq!(parts.complete(), Ok(25));
    }

    #[test]
    fn is_complete_at_once_where_the_file_is_empty() {
        assert_eq!(Parts::new(Some(0), 10, true).complete(), Ok(0));
        assert!(Parts::new(None, 10, true).complete().is_err());
    }

    #[test]
    fn knows_a_gap_where_the_size_is_unknown() {
        let mut parts = Parts::new(None, 10, false);
        parts.hold(0, part(10));
        parts.hold(2, part(3));
        assert!(parts.complete().unwrap_err().status.is_client_error());
    }
}
