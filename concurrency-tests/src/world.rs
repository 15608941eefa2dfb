//! Time and chance in a model: nothing that could differ from one run of an interleaving to the next.

use loom::thread::{ThreadId, current};
use server::protocol::World;
use std::collections::HashMap;
use std::sync::{Mutex, PoisonError};

/// When what is there before a scenario was made, Unix milliseconds.
pub const LONG_AGO_MS: u64 = 1_600_000_000_000;

/// Reservations made before this are stale.
pub const STALE_BEFORE_MS: u64 = 1_650_000_000_000;

/// When a scenario takes place. The clock stands still, so that the same interleaving writes the same bytes.
pub const NOW_MS: u64 = 1_700_000_000_000;

/// A world whose clock stands still at [`NOW_MS`] and whose draws are on a list, which begins anew at its end.
#[derive(Debug)]
pub struct FixedWorld {
    draws: Vec<u64>,
    drawn: Mutex<usize>,
}

impl FixedWorld {
    /// A world with these draws, of which there must be one at least where any is made.
    #[must_use]
    pub fn new(draws: Vec<u64>) -> Self {
        Self { draws, drawn: Mutex::default() }
    }
}

impl World for FixedWorld {
    fn now_ms(&self) -> u64 {
        NOW_MS
    }

    fn draw(&self, below: u64) -> u64 {
        let mut drawn = self.drawn.lock().unwrap_or_else(PoisonError::into_inner);
        nth(&self.draws, &mut drawn) % below
    }
}

/// As [`FixedWorld`], for a loom model.
///
/// Every thread draws the list from its start, whatever the others drew. So two threads with one world draw the same
/// keys: the case that random draws would seldom meet. Threads that are to draw differently are given worlds of
/// their own.
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
        nth(&self.draws, drawn.entry(current().id()).or_default()) % below
    }
}

fn nth(draws: &[u64], drawn: &mut usize) -> u64 {
    *drawn += 1;
    draws[(*drawn - 1) % draws.len()]
}
