//! The hint of free keys under loom: each call is one critical section, and so a step of the search.

use crate::explorer::hint::TinyHint;
use crate::explorer::script::{HintCall, What};
use loom::sync::Mutex;
use server::keys::Key;
use server::protocol::{Hint, Look, World};
use std::sync::PoisonError;

/// A [`TinyHint`] of a loom model. It has a mutex of its own, as it has in a server.
#[derive(Debug)]
pub struct ModelHint(Mutex<TinyHint>);

impl ModelHint {
    /// Believes the first so many of [`crate::scenario::KEYS`] free.
    #[must_use]
    pub fn new(keys: usize) -> Self {
        Self(Mutex::new(TinyHint::new(keys)))
    }

    fn call(&self, call: &HintCall) -> What {
        self.0.lock().unwrap_or_else(PoisonError::into_inner).call(call)
    }
}

impl Hint for ModelHint {
    async fn pick<W: World>(&self, _world: &W) -> Result<Key, Option<Look>> {
        match self.call(&HintCall::Pick) {
            What::Picked(picked) => picked,
            other => unreachable!("a pick was given {other:?}"),
        }
    }

    async fn taken(&self, key: Key) {
        self.call(&HintCall::Taken(key));
    }

    async fn freed(&self, key: Key) {
        self.call(&HintCall::Freed(key));
    }

    async fn looked<W: World>(&self, _world: &W, used: &[Key], look: Look) -> Option<Key> {
        match self.call(&HintCall::Looked(used.to_vec(), look)) {
            What::Found(key) => key,
            other => unreachable!("a look was given {other:?}"),
        }
    }
}
