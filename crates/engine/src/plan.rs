//! How a file is cut into parts.

use core::ops::Range;

use alloc::string::String;

use crate::json::Value;
use crate::wire::MAX_PARTS;

/// The parts of a file: they tile it exactly, all but the last of the same size.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Plan {
    size: u64,
    part_size: u64,
    parts: u32,
    /// Where the file ends is not known yet: it has as many parts as there may be.
    open: bool,
}

/// The file needs more parts than the API takes.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct TooManyParts {
    /// How many it would take.
    pub parts: u64,
}

impl Plan {
    /// Cuts `size` bytes into parts of `part_size` bytes (at least 1).
    ///
    /// # Errors
    /// More than 10,001 parts.
    pub fn new(size: u64, part_size: u64) -> Result<Self, TooManyParts> {
        let part_size = part_size.max(1);
        let parts = size.div_ceil(part_size);
        match u32::try_from(parts) {
            Ok(count) if parts <= MAX_PARTS => Ok(Self { size, part_size, parts: count, open: false }),
            _ => Err(TooManyParts { parts }),
        }
    }

    /// Takes the file as one part, also an empty one.
    pub const fn whole(size: u64) -> Self {
        Self { size, part_size: if size == 0 { 1 } else { size }, parts: 1, open: false }
    }

    /// Cuts a file of unknown size into parts of `part_size` bytes (at least 1): as many as there may be, until
    /// [`end_at`](Self::end_at) tells how many there are.
    pub fn open_ended(part_size: u64) -> Self {
        let part_size = part_size.max(1);
        Self { size: part_size.saturating_mul(MAX_PARTS), part_size, parts: MAX_PARTS as u32, open: true }
    }

    /// Ends an open plan after so many bytes, at most as many as it has.
    pub fn end_at(&mut self, size: u64) {
        if self.open {
            self.size = size.min(self.size);
            // No more than there were.
            self.parts = self.size.div_ceil(self.part_size) as u32;
            self.open = false;
        }
    }

    /// Tells whether the file's end is not known yet.
    pub const fn is_open(&self) -> bool {
        cfg!(feature = "streams") && self.open
    }

    /// Returns the bytes of the file; the most that it may have while its end is not known.
    pub const fn size(&self) -> u64 {
        self.size
    }

    /// Returns how many parts there are; an empty file has none.
    pub const fn parts(&self) -> u32 {
        self.parts
    }

    /// Returns the bytes of every part but the last.
    pub const fn part_size(&self) -> u64 {
        self.part_size
    }

    /// Returns how many bytes a part has; none past the last part.
    pub fn length(&self, part: u32) -> u64 {
        let range = self.range(part);
        range.end - range.start
    }

    /// Returns the bytes of a part, as offsets into the file; empty past the last part.
    pub fn range(&self, part: u32) -> Range<u64> {
        let start = u64::from(part).saturating_mul(self.part_size).min(self.size);
        start..start.saturating_add(self.part_size).min(self.size)
    }
}

/// Reads a `part_size` as the API sends it: a JSON number that may come as `8388608.0`.
///
/// # Errors
/// Missing, not a number, not whole, less than 1, or past 2^53: what is wrong, in words.
pub fn parse_part_size(value: Option<&Value>) -> Result<u64, String> {
    let value = value.ok_or("part_size is missing")?;
    value
        .as_whole()
        .filter(|&size| size > 0)
        .ok_or_else(|| ["part_size is ", &value.to_json(), ", and must be a whole number of bytes, 1 or more"].concat())
}

#[cfg(test)]
mod tests {
    use std::vec::Vec;

    use super::*;

    #[test]
    fn file_is_cut_into_equal_parts_and_a_rest() {
        let plan = Plan::new(10, 4).unwrap();
        assert_eq!(plan.parts(), 3);
        assert_eq!((0..3).map(|part| plan.range(part)).collect::<Vec<_>>(), [0..4, 4..8, 8..10]);
        assert_eq!(plan.range(3), 10..10);
    }

    #[test]
    fn whole_parts_leave_no_empty_rest() {
        assert_eq!(Plan::new(12, 4).unwrap().parts(), 3);
        assert_eq!(Plan::new(0, 4).unwrap().parts(), 0);
        assert_eq!(Plan::new(1, u64::MAX).unwrap().range(0), 0..1);
    }

    #[test]
    fn open_plan_has_every_part_until_it_ends() {
        let mut plan = Plan::open_ended(4);
        assert_eq!((plan.is_open(), plan.parts(), plan.range(10_000)), (true, 10_001, 40_000..40_004));
        plan.end_at(10);
        assert_eq!(plan, Plan::new(10, 4).unwrap());
        plan.end_at(2);
        assert_eq!(plan.size(), 10);
        for (end, parts) in [(0, 0), (4, 1), (5, 2), (u64::MAX, 10_001)] {
            let mut plan = Plan::open_ended(4);
            plan.end_at(end);
            assert_eq!((plan.is_open(), plan.parts()), (false, parts), "{end}");
        }
    }

    #[test]
    fn ten_thousand_and_one_parts_are_the_most() {
        assert_eq!(Plan::new(10_001, 1).unwrap().parts(), 10_001);
        assert_eq!(Plan::new(10_002, 1), Err(TooManyParts { parts: 10_002 }));
        assert_eq!(Plan::new(u64::MAX, 1), Err(TooManyParts { parts: u64::MAX }));
    }

    #[test]
    fn part_size_comes_as_any_json_number() {
        let parse = |json| parse_part_size(Value::parse(json).as_ref());
        for spelling in ["8388608", "8388608.0", "8.388608e6"] {
            assert_eq!(parse(spelling), Ok(8_388_608), "{spelling}");
        }
        for wrong in ["0", "-1", "1.5", "\"8\"", "null", "1e300", "[1]"] {
            let error = parse(wrong).unwrap_err();
            assert!(error.contains(wrong), "{error}");
        }
        assert_eq!(parse_part_size(None).unwrap_err(), "part_size is missing");
    }
}
