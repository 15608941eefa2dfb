//! What comes into the protocols from outside: the clock, chance, and the shared hint of free keys.

use crate::hint::{FRESHNESS, Freshness, KeyHint};
use crate::keys::{FreeKeys, Key, KeySpace};
use crate::protocol::{Hint, Look, Pick, World};
use rand::RngExt;
use std::sync::{Mutex, MutexGuard, PoisonError};
use std::time::{SystemTime, UNIX_EPOCH};

/// The system's clock, and a cryptographically secure generator (`rand`'s thread generator, ChaCha seeded and
/// reseeded by the operating system), as PHP's `random_int` is one.
#[derive(Clone, Copy, Debug, Default)]
pub struct RealWorld;

impl World for RealWorld {
    fn now_ms(&self) -> u64 {
        let since_epoch = SystemTime::now().duration_since(UNIX_EPOCH).unwrap_or_default();
        u64::try_from(since_epoch.as_millis()).unwrap_or(u64::MAX)
    }

    fn draw(&self, below: u64) -> u64 {
        rand::rng().random_range(0..below)
    }
}

/// A [`KeyHint`] shared between requests.
#[derive(Debug)]
pub struct SharedHint {
    space: KeySpace,
    hint: Mutex<KeyHint>,
}

impl SharedHint {
    /// A hint that believes every key free, until the file system says otherwise.
    #[must_use]
    pub fn new(space: KeySpace) -> Self {
        Self::with_freshness(space, FRESHNESS)
    }

    /// The same, with other limits on the age of the hint.
    #[must_use]
    pub fn with_freshness(space: KeySpace, freshness: Freshness) -> Self {
        Self { space, hint: Mutex::new(KeyHint::new(space, freshness)) }
    }

    fn state(&self) -> MutexGuard<'_, KeyHint> {
        // It is only a hint: whatever a panic left of it, the file system corrects.
        self.hint.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

impl Hint for SharedHint {
    async fn pick<W: World>(&self, world: &W) -> Pick {
        self.state().pick(|| world.now_ms(), &mut |below| world.draw(below))
    }

    async fn taken(&self, key: Key) {
        self.state().taken(key);
    }

    async fn freed(&self, key: Key) {
        self.state().freed(key);
    }

    async fn looked<W: World>(&self, world: &W, used: &[Key], look: Look) -> Option<Key> {
        let free = FreeKeys::without(self.space, used.iter().copied());
        let key = free.pick(&mut |below| world.draw(below));
        self.state().looked(free, look, world.now_ms());
        key
    }
}
