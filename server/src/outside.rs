//! What comes into the protocols from outside: the clock, chance, and the shared hint of free keys.

use crate::keys::{Draw, FreeKeys, Key, KeySpace};
use crate::protocol::{Hint, Look, World};
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

/// A [`FreeKeys`] shared between requests.
#[derive(Debug)]
pub struct SharedHint {
    space: KeySpace,
    state: Mutex<State>,
}

#[derive(Debug)]
struct State {
    free: FreeKeys,
    last_look: Option<Look>,
}

impl SharedHint {
    /// A hint that believes every key free, until the file system says otherwise.
    #[must_use]
    pub fn new(space: KeySpace) -> Self {
        Self { space, state: Mutex::new(State { free: FreeKeys::all(space), last_look: None }) }
    }

    fn state(&self) -> MutexGuard<'_, State> {
        // It is only a hint: whatever a panic left of it, the file system corrects.
        self.state.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

impl Hint for SharedHint {
    fn pick(&self, draw: &mut Draw<'_>) -> Option<Key> {
        self.state().free.pick(draw)
    }

    fn taken(&self, key: Key) {
        self.state().free.taken(key);
    }

    fn freed(&self, key: Key) {
        self.state().free.freed(key);
    }

    fn looked(&self, used: &[Key], look: Look) {
        let free = FreeKeys::without(self.space, used.iter().copied());
        *self.state() = State { free, last_look: Some(look) };
    }

    fn last_look(&self) -> Option<Look> {
        self.state().last_look
    }
}
