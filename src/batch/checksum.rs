//! The checksums of a ledger's lines, which show that a line was changed, or that one before it is missing.
//!
//! The last member of each line is `"check"`: the first 8 bytes of the BLAKE3 of the checksum before it and of the bytes of the
//! line up to that member, in hexadecimal. BLAKE3 is at hand, as results are hashed with it. It does not protect from somebody
//! who writes checksums as well.

/// The checksum of the last line so far; of none, zeros.
#[derive(Debug, Default, Clone, Copy, PartialEq, Eq)]
pub(super) struct Checksum([u8; LENGTH]);

const LENGTH: usize = 8;
const BEGINNING: &[u8] = b",\"check\":\"";
const END: &[u8] = b"\"}";

impl Checksum {
    /// The checksum of a line that follows: `line` is its JSON object without the closing brace.
    fn of_next(self, line: &[u8]) -> Self {
        let hash = blake3::Hasher::new().update(&self.0).update(line).finalize();
        let mut next = Self::default();
        next.0.iter_mut().zip(hash.as_bytes()).for_each(|(byte, hash)| *byte = *hash);
        next
    }

    fn to_hex(self) -> [u8; 2 * LENGTH] {
        const DIGITS: &[u8; 16] = b"0123456789abcdef";
        let mut hex = [0; 2 * LENGTH];
        for (pair, byte) in hex.chunks_exact_mut(2).zip(self.0) {
            for (digit, value) in pair.iter_mut().zip([byte >> 4, byte & 15]) {
                *digit = DIGITS.get(usize::from(value)).copied().unwrap_or_default();
            }
        }
        hex
    }

    /// Adds its checksum to the line that begins at `start` of `text` and ends there with a brace.
    pub(super) fn seal(&mut self, text: &mut Vec<u8>, start: usize) {
        text.pop();
        *self = self.of_next(text.get(start..).unwrap_or_default());
        text.extend_from_slice(BEGINNING);
        text.extend_from_slice(&self.to_hex());
        text.extend_from_slice(END);
    }

    /// Whether a line, line break apart, follows with the right checksum.
    pub(super) fn accepts(&mut self, line: &[u8]) -> bool {
        let Some((line, check)) = line.strip_suffix(END).and_then(|line| line.split_last_chunk::<{ 2 * LENGTH }>())
        else {
            return false;
        };
        let Some(line) = line.strip_suffix(BEGINNING) else { return false };
        let next = self.of_next(line);
        let is_right = next.to_hex() == *check;
        if is_right {
            *self = next;
        }
        is_right
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn sealed(lines: &[&str]) -> Vec<Vec<u8>> {
        let mut checksum = Checksum::default();
        lines
            .iter()
            .map(|line| {
                let mut text = line.as_bytes().to_vec();
                checksum.seal(&mut text, 0);
                text
            })
            .collect()
    }

    fn all_accepted(lines: &[Vec<u8>]) -> bool {
        let mut checksum = Checksum::default();
        lines.iter().all(|line| checksum.accepts(line))
    }

    #[test]
    fn a_changed_missing_repeated_or_moved_line_is_not_accepted() {
        let lines = sealed(&[r#"{"a":1}"#, r#"{"b":"é"}"#, r#"{"b":2}"#]);
        assert!(all_accepted(&lines));
        assert!(serde_json::from_slice::<serde_json::Value>(&lines[1]).is_ok());
        for at in 0..lines.len() {
            for bit in 0..lines[at].len() * 8 {
                let mut changed = lines.clone();
                changed[at][bit / 8] ^= 1 << (bit % 8);
                assert!(!all_accepted(&changed), "bit {bit} of line {at}");
            }
        }
        assert!(!all_accepted(&[lines[0].clone(), lines[2].clone()]));
        assert!(!all_accepted(&[lines[0].clone(), lines[2].clone(), lines[1].clone()]));
        assert!(!all_accepted(&[lines[0].clone(), lines[0].clone()]));
        assert!(!all_accepted(&[b"{}".to_vec()]) && !all_accepted(&[Vec::new()]));
    }
}
