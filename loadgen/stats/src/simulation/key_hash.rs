//! Hash maps by key.

use std::hash::{BuildHasherDefault, Hasher};

/// What maps and sets of keys are built with.
pub(super) type ByKey = BuildHasherDefault<KeyHasher>;

/// A product with an odd number near 2⁶⁴ / golden ratio spreads keys over the upper bits, and keys, being drawn
/// uniformly, are spread over the lower ones already. The standard hasher withstands keys that are chosen to collide,
/// which nobody does here, and takes longer than the map itself.
#[derive(Default)]
pub(super) struct KeyHasher(u64);

const SPREAD: u64 = 0x9E37_79B9_7F4A_7C15;

impl Hasher for KeyHasher {
    fn write(&mut self, bytes: &[u8]) {
        bytes.iter().for_each(|&byte| self.0 = (self.0 ^ u64::from(byte)).wrapping_mul(SPREAD));
    }

    fn write_u32(&mut self, key: u32) {
        self.0 = u64::from(key).wrapping_mul(SPREAD);
    }

    fn finish(&self) -> u64 {
        self.0
    }
}
