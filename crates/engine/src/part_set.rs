//! A set of part numbers, as the runs that they form: parts are acknowledged nearly in order, so the runs are a handful
//! however many parts there are.

use alloc::vec::Vec;
use core::iter;
use core::ops::Range;

/// Numbers of parts.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub(crate) struct PartSet {
    /// In order; no two overlap or touch, none is empty.
    runs: Vec<Range<u32>>,
}

impl PartSet {
    pub(crate) fn contains(&self, part: u32) -> bool {
        self.runs.get(self.first_ending_behind(part)).is_some_and(|run| run.contains(&part))
    }

    /// Adds a run; what is there already stays.
    pub(crate) fn insert(&mut self, run: Range<u32>) {
        if run.is_empty() {
            return;
        }
        let from = self.runs.partition_point(|other| other.end < run.start);
        let to = self.runs.partition_point(|other| other.start <= run.end);
        // All in between overlap or touch it.
        let joined = self.runs.get(from..to).unwrap_or_default();
        let start = joined.first().map_or(run.start, |first| first.start.min(run.start));
        let end = joined.last().map_or(run.end, |last| last.end.max(run.end));
        // Less code than `drain`; they are a handful.
        for _ in from..to {
            self.runs.remove(from);
        }
        self.runs.insert(from, start..end);
    }

    /// Drops every number from `end` on.
    #[cfg(feature = "streams")]
    pub(crate) fn truncate(&mut self, end: u32) {
        self.runs.retain(|run| run.start < end);
        if let Some(last) = self.runs.last_mut() {
            last.end = last.end.min(end);
        }
    }

    pub(crate) fn len(&self) -> u32 {
        self.runs.iter().map(|run| run.end - run.start).sum()
    }

    pub(crate) fn iter(&self) -> impl Iterator<Item = u32> {
        self.runs.iter().cloned().flatten()
    }

    /// Returns the runs, as first and last of each.
    pub(crate) fn runs(&self) -> impl Iterator<Item = [u32; 2]> {
        self.runs.iter().map(|run| [run.start, run.end - 1])
    }

    /// Returns the numbers below `end` that are not in it, in order.
    pub(crate) fn missing_below(&self, end: u32) -> impl Iterator<Item = u32> {
        let starts = self.runs.iter().map(|run| run.start).chain([end]);
        let ends = iter::once(0).chain(self.runs.iter().map(|run| run.end));
        ends.zip(starts).flat_map(move |(from, to)| from..to.min(end))
    }

    fn first_ending_behind(&self, part: u32) -> usize {
        self.runs.partition_point(|run| run.end <= part)
    }
}

#[cfg(test)]
mod tests {
    use alloc::vec;

    use proptest::prelude::*;

    use super::*;

    const END: u32 = 40;

    proptest! {
        #[test]
        fn it_is_what_a_list_of_flags_would_be(runs in proptest::collection::vec((0..END, 0..8u32), 0..20), cut in 0..END) {
            let mut set = PartSet::default();
            let mut flags = vec![false; END as usize + 8];
            for (start, length) in runs {
                set.insert(start..start + length);
                flags[start as usize..(start + length) as usize].fill(true);
            }
            set.truncate(cut);
            flags[cut as usize..].fill(false);

            let numbers = |wanted: bool| (0..END).filter(|&part| flags[part as usize] == wanted).collect::<Vec<_>>();
            prop_assert_eq!(set.iter().collect::<Vec<_>>(), numbers(true));
            prop_assert_eq!(set.missing_below(END).collect::<Vec<_>>(), numbers(false));
            prop_assert!((0..END).all(|part| set.contains(part) == flags[part as usize]));
            prop_assert_eq!(set.len() as usize, numbers(true).len());
            let runs: Vec<_> = set.runs().collect();
            prop_assert!(runs.iter().all(|[first, last]| first <= last));
            prop_assert!(runs.is_sorted_by(|before, after| before[1] + 1 < after[0]), "{:?} touch", runs);
        }
    }

    #[test]
    fn parts_that_come_nearly_in_order_are_a_handful_of_runs() {
        let mut set = PartSet::default();
        for part in (0..10_000).step_by(4).flat_map(|first| [3, 1, 0, 2].map(|offset| first + offset)) {
            set.insert(part..part + 1);
            assert!(set.runs.len() <= 3);
        }
        assert_eq!(set.runs().collect::<Vec<_>>(), [[0, 9_999]]);
    }
}
