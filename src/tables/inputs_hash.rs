//! One number for all inputs, to which those of any parts add up.

use std::fmt;
use std::str::FromStr;

use crate::error::{Error, Result};

/// The sum of a BLAKE3 hash per result file, over its name and its content, in four lanes of 64 bits. Hashes of parts of the
/// files add up to that of all of them, in any order. It tells inputs apart; it is no guard against forgery.
///
/// ```
/// use talkmeter::tables::InputsHash;
/// let (mut one, mut two, mut both) = (InputsHash::default(), InputsHash::default(), InputsHash::default());
/// one.add_file("a.json", b"{}");
/// two.add_file("b.json", b"[]");
/// both.add_file("b.json", b"[]");
/// both.add_file("a.json", b"{}");
/// one.add(two);
/// assert_eq!(one, both);
/// assert_eq!(one.to_string().parse::<InputsHash>()?, both);
/// # Ok::<(), talkmeter::Error>(())
/// ```
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq)]
pub struct InputsHash([u64; 4]);

impl InputsHash {
    /// Adds a file.
    pub fn add_file(&mut self, name: &str, content: &[u8]) {
        self.add_hashed(name, &blake3::hash(content));
    }

    /// Adds a file by the BLAKE3 of its content.
    pub(super) fn add_hashed(&mut self, name: &str, content: &blake3::Hash) {
        let mut hasher = blake3::Hasher::new();
        // The length separates the name from what follows.
        hasher.update(&(name.len() as u64).to_le_bytes()).update(name.as_bytes()).update(content.as_bytes());
        let mut lanes = [0; 4];
        let hash = hasher.finalize();
        for (lane, bytes) in lanes.iter_mut().zip(hash.as_bytes().as_chunks().0) {
            *lane = u64::from_le_bytes(*bytes);
        }
        self.add(Self(lanes));
    }

    /// Adds the files of another part.
    pub fn add(&mut self, other: Self) {
        for (lane, more) in self.0.iter_mut().zip(other.0) {
            *lane = lane.wrapping_add(more);
        }
    }
}

impl fmt::Display for InputsHash {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        self.0.iter().try_for_each(|lane| write!(f, "{lane:016x}"))
    }
}

impl FromStr for InputsHash {
    type Err = Error;

    fn from_str(text: &str) -> Result<Self> {
        let lane = |at: usize| u64::from_str_radix(text.get(at * 16..(at + 1) * 16)?, 16).ok();
        let lanes = lane(0).zip(lane(1)).zip(lane(2).zip(lane(3))).filter(|_| text.len() == 64);
        let lanes = lanes.map(|((one, two), (three, four))| Self([one, two, three, four]));
        lanes.ok_or_else(|| Error::invalid(format!("{text:?} is not the hash of inputs")))
    }
}
