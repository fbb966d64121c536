//! A checksum that tells content that was read once more from what it was, for a small part of what SHA-1 takes.

/// A checksum of 64 bits of all content so far; never leaves the page.
///
/// Each word goes in by a round of XXH64, in one lane: of what is as long none that differs by one word is missed, and of all
/// others one in 2^64, by chance. It is no digest: nobody is kept from making content to fit.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) struct Checksum {
    state: u64,
    /// Bytes that are no whole word yet, the last in the highest place.
    word: u64,
    /// How many these are.
    bytes: usize,
}

const WORD: usize = size_of::<u64>();
const PRIMES: [u64; 2] = [0x9E37_79B1_85EB_CA87, 0xC2B2_AE3D_27D4_EB4F];

impl Default for Checksum {
    fn default() -> Self {
        // Not zero, which zeros would leave as it is, however many they are.
        Self { state: PRIMES[0], word: 0, bytes: 0 }
    }
}

impl Checksum {
    /// Takes in content; in what pieces it comes makes no difference.
    pub(crate) fn update(&mut self, bytes: &[u8]) {
        let head = bytes.len().min((WORD - self.bytes) % WORD);
        let (head, rest) = bytes.split_at(head);
        let (words, tail) = rest.as_chunks();
        head.iter().for_each(|&byte| self.push(byte));
        words.iter().for_each(|&word| self.round(u64::from_le_bytes(word)));
        tail.iter().for_each(|&byte| self.push(byte));
    }

    fn push(&mut self, byte: u8) {
        self.word = (self.word >> 8) | (u64::from(byte) << (u64::BITS - 8));
        self.bytes += 1;
        if self.bytes == WORD {
            self.round(self.word);
            (self.word, self.bytes) = (0, 0);
        }
    }

    fn round(&mut self, word: u64) {
        let state = self.state.wrapping_add(word.wrapping_mul(PRIMES[1]));
        self.state = state.rotate_left(31).wrapping_mul(PRIMES[0]);
    }
}

#[cfg(test)]
mod tests {
    use std::vec::Vec;

    use super::*;

    fn of(bytes: &[u8]) -> Checksum {
        let mut checksum = Checksum::default();
        checksum.update(bytes);
        checksum
    }

    fn content(length: u32) -> Vec<u8> {
        (0..length).map(|n| (n * n) as u8).collect()
    }

    #[test]
    fn pieces_make_no_difference() {
        let content = content(100);
        for size in 1..content.len() {
            let mut checksum = Checksum::default();
            content.chunks(size).for_each(|piece| checksum.update(piece));
            assert_eq!(checksum, of(&content), "{size}");
        }
    }

    #[test]
    fn every_bit_every_byte_more_or_less_and_every_order_count() {
        let content = content(67);
        let whole = of(&content);
        for bit in 0..content.len() * 8 {
            let mut changed = content.clone();
            changed[bit / 8] ^= 1 << (bit % 8);
            assert_ne!(of(&changed), whole, "{bit}");
        }
        for end in 0..content.len() {
            assert_ne!(of(&content[..end]), whole, "{end}");
        }
        assert_ne!(of(&[&content[..], &[0]].concat()), whole);
        assert_ne!(of(&[0; 8]), of(&[0; 16]));
        assert_ne!(of(&[&content[8..16], &content[..8], &content[16..]].concat()), whole);
    }

    #[test]
    fn bits_that_are_the_same_in_two_words_do_not_make_up_for_each_other() {
        let content = content(64);
        for (first, second) in (0..8).flat_map(|first| (0..first).map(move |second| (first, second))) {
            for bit in 0..64 {
                let mut changed = content.clone();
                changed[first * 8 + bit / 8] ^= 1 << (bit % 8);
                changed[second * 8 + bit / 8] ^= 1 << (bit % 8);
                assert_ne!(of(&changed), of(&content), "bit {bit} of {first} and {second}");
            }
        }
    }
}
