//! Chance that repeats: the same seed gives the same run.

use std::sync::Mutex;

/// A splitmix64 generator. Not for secrets; a failed run has to be repeatable.
#[derive(Debug)]
pub struct Random(Mutex<u64>);

impl Random {
    /// Starts from this seed.
    pub fn new(seed: u64) -> Self {
        Self(Mutex::new(seed))
    }

    /// The next 64 bits.
    pub fn next(&self) -> u64 {
        let mut state = super::lock(&self.0);
        *state = state.wrapping_add(0x9e37_79b9_7f4a_7c15);
        let mut mixed = *state;
        mixed = (mixed ^ (mixed >> 30)).wrapping_mul(0xbf58_476d_1ce4_e5b9);
        mixed = (mixed ^ (mixed >> 27)).wrapping_mul(0x94d0_49bb_1331_11eb);
        mixed ^ (mixed >> 31)
    }

    /// True in this share of cases, from 0 to 100.
    pub fn percent(&self, share: f64) -> bool {
        let thousandth = u32::try_from(self.next() % 100_000).unwrap_or(0);
        f64::from(thousandth) < share * 1000.0
    }

    /// A token of this many letters and digits.
    pub fn token(&self, length: usize) -> String {
        const LETTERS: &[u8] = b"ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789_-";
        let mut token = String::with_capacity(length);
        while token.len() < length {
            let mut bits = self.next();
            for _ in 0..10 {
                let letter = LETTERS.get(usize::try_from(bits & 63).unwrap_or(0)).copied().unwrap_or(b'A');
                token.push(char::from(letter));
                bits >>= 6;
            }
        }
        token.truncate(length);
        token
    }
}
