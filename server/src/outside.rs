//! What comes into the protocols from outside: the clock, chance, and the shared hint of free keys.

use crate::keys::{FreeKeys, Key, KeySpace};
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
    async fn pick<W: World>(&self, world: &W) -> Result<Key, Option<Look>> {
        let state = self.state();
        state.free.pick(&mut |below| world.draw(below)).ok_or(state.last_look)
    }

    async fn taken(&self, key: Key) {
        self.state().free.taken(key);
    }

    async fn freed(&self, key: Key) {
        self.state().free.freed(key);
    }

    async fn looked<W: World>(&self, world: &W, used: &[Key], look: Look) -> Option<Key> {
        let free = FreeKeys::without(self.space, used.iter().copied());
        let key = free.pick(&mut |below| world.draw(below));
        *self.state() = State { free, last_look: Some(look) };
        key
    }
}
