//! Time and chance in a model: nothing that could differ from one run of an interleaving to the next.

use loom::thread::{ThreadId, current};
use server::protocol::World;
use std::collections::HashMap;
use std::sync::{Mutex, PoisonError};

/// What every clock says, Unix milliseconds. It stands still, so that the same interleaving writes the same bytes.
pub const NOW_MS: u64 = 1_700_000_000_000;

/// A world whose clock stands still and whose draws are on a list.
///
/// Every thread draws the list from its start (and over again at its end), whatever the others drew. So two
/// threads with one world draw the same keys: the case that random draws would seldom meet. Threads that are to
/// draw differently are given worlds of their own.
#[derive(Debug)]
pub struct ModelWorld {
    draws: Vec<u64>,
    /// How many draws each thread has made.
    drawn: Mutex<HashMap<ThreadId, usize>>,
}

impl ModelWorld {
    /// A world with these draws, of which there must be one at least where any is made.
    #[must_use]
    pub fn new(draws: Vec<u64>) -> Self {
        Self { draws, drawn: Mutex::default() }
    }
}

impl World for ModelWorld {
    fn now_ms(&self) -> u64 {
        NOW_MS
    }

    fn draw(&self, below: u64) -> u64 {
        let mut drawn = self.drawn.lock().unwrap_or_else(PoisonError::into_inner);
        let position = drawn.entry(current().id()).or_default();
        let number = self.draws[*position % self.draws.len()];
        *position += 1;
        number % below
    }
}
