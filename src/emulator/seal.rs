//! Random ids, and signatures of result links, upload policies and uploads.

use std::collections::hash_map::RandomState;
use std::hash::{BuildHasher, Hasher};
use std::sync::atomic::{AtomicU64, Ordering};

use base64::Engine;
use base64::engine::general_purpose::STANDARD;

/// The emulator's secret.
pub(super) struct Seal {
    secret: [u8; 32],
    drawn: AtomicU64,
}

impl std::fmt::Debug for Seal {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.debug_struct("Seal").finish_non_exhaustive()
    }
}

impl Seal {
    pub(super) fn new() -> Self {
        let mut hasher = blake3::Hasher::new();
        for _ in 0..4 {
            // Each state is keyed from the operating system's randomness.
            hasher.update(&RandomState::new().build_hasher().finish().to_le_bytes());
        }
        Self { secret: *hasher.finalize().as_bytes(), drawn: AtomicU64::new(0) }
    }

    fn draw(&self) -> [u8; 32] {
        let number = self.drawn.fetch_add(1, Ordering::Relaxed);
        *blake3::keyed_hash(&self.secret, &number.to_le_bytes()).as_bytes()
    }

    /// A new UUID.
    pub(super) fn uuid(&self) -> String {
        let hex = self.hex(32);
        let part = |from: usize, to: usize| hex.get(from..to).unwrap_or_default();
        format!("{}-{}-4{}-a{}-{}", part(0, 8), part(8, 12), part(13, 16), part(17, 20), part(20, 32))
    }

    /// New hexadecimal digits, at most 64.
    pub(super) fn hex(&self, digits: usize) -> String {
        let hex = blake3::Hash::from_bytes(self.draw()).to_hex();
        hex.as_str().get(..digits).unwrap_or_default().to_owned()
    }

    fn mac(&self, text: &str) -> [u8; 32] {
        let key = blake3::derive_key("talkmeter emulator signatures", &self.secret);
        *blake3::keyed_hash(&key, text.as_bytes()).as_bytes()
    }

    /// A signature in base64, different each time, so that links of the same second differ.
    pub(super) fn sign(&self, text: &str) -> String {
        let salt = self.hex(8);
        let mac = self.mac(&format!("{salt}{text}"));
        let mut bytes = salt.into_bytes();
        bytes.extend(mac.iter().take(16));
        STANDARD.encode(bytes)
    }

    /// Whether `signature` was made here for `text`.
    pub(super) fn signed(&self, text: &str, signature: &str) -> bool {
        let Ok(bytes) = STANDARD.decode(signature) else { return false };
        let Some((salt, mac)) = bytes.split_at_checked(8) else { return false };
        let Ok(salt) = std::str::from_utf8(salt) else { return false };
        self.mac(&format!("{salt}{text}")).get(..16) == Some(mac)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_signature_holds_for_its_text_alone() {
        let seal = Seal::new();
        let (one, two) = (seal.sign("a"), seal.sign("a"));
        assert_ne!(one, two);
        assert!(seal.signed("a", &one) && seal.signed("a", &two));
        assert!(!seal.signed("b", &one) && !seal.signed("a", "") && !seal.signed("a", "not base64!"));
        assert!(!Seal::new().signed("a", &one));
    }

    #[test]
    fn ids_are_uuids_and_differ() {
        let seal = Seal::new();
        let id = seal.uuid();
        assert_eq!(id.len(), 36);
        assert_eq!(id.chars().filter(|c| *c == '-').count(), 4);
        assert_ne!(id, seal.uuid());
    }
}
