//! Hints of the few keys of a scenario, for code under test that runs from start to end: each call is one critical
//! section. Under loom that is a step of the search; elsewhere nobody comes between.

use crate::explorer::hint::TinyHint;
use crate::explorer::script::{HintCall, What};
use crate::world::NOW_MS;
use server::keys::Key;
use server::protocol::{Hint, Look, Pick, World};
use std::sync::PoisonError;

/// The hint of a server in a loom model. It has a mutex of its own, as it has in a server.
pub type ModelHint = OneAtATime<loom::sync::Mutex<TinyHint>>;

/// The hint of a server whose requests come one after another.
pub type FewKeys = OneAtATime<std::sync::Mutex<TinyHint>>;

/// A mutex around a [`TinyHint`], whosever mutex that is.
pub trait Guarded: Send + Sync {
    /// A mutex around a hint.
    fn around(hint: TinyHint) -> Self;
    /// Has a call answered, with the mutex locked.
    fn call(&self, call: &HintCall) -> What;
}

/// A [`TinyHint`] that answers one call after another.
#[derive(Debug)]
pub struct OneAtATime<M>(M);

impl<M: Guarded> OneAtATime<M> {
    /// Believes the first so many of [`crate::scenario::KEYS`] free, and picks the first of them: so a key that may not
    /// be handed out is tried.
    #[must_use]
    pub fn new(keys: usize) -> Self {
        Self(M::around(TinyHint::new(keys, None)))
    }
}

impl Guarded for loom::sync::Mutex<TinyHint> {
    fn around(hint: TinyHint) -> Self {
        Self::new(hint)
    }

    fn call(&self, call: &HintCall) -> What {
        self.lock().unwrap_or_else(PoisonError::into_inner).call(call, NOW_MS)
    }
}

impl Guarded for std::sync::Mutex<TinyHint> {
    fn around(hint: TinyHint) -> Self {
        Self::new(hint)
    }

    fn call(&self, call: &HintCall) -> What {
        self.lock().unwrap_or_else(PoisonError::into_inner).call(call, NOW_MS)
    }
}

impl<M: Guarded> Hint for OneAtATime<M> {
    async fn pick<W: World>(&self, _world: &W) -> Pick {
        match self.0.call(&HintCall::Pick) {
            What::Picked(picked) => picked,
            other => unreachable!("a pick was given {other:?}"),
        }
    }

    async fn taken(&self, key: Key) {
        self.0.call(&HintCall::Taken(key));
    }

    async fn freed(&self, key: Key) {
        self.0.call(&HintCall::Freed(key));
    }

    async fn looked<W: World>(&self, _world: &W, used: &[Key], look: Look) -> Option<Key> {
        match self.0.call(&HintCall::Looked(used.to_vec(), look)) {
            What::Found(key) => key,
            other => unreachable!("a look was given {other:?}"),
        }
    }
}
