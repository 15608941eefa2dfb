//! What the lies do, when it takes more than a line. An honest server also runs this code, and nothing changes.
//!
//! - `histories`: how a save is stored, and a key handed out, in more steps than one.
//! - `documents`: what restore shows, and what save stores.
//! - `lists`, `keys`, `envelope`, `deletes`: the same for those.

mod deletes;
mod documents;
mod envelope;
mod histories;
mod keys;
mod lists;

pub(super) use envelope::Sealed;

use super::super::running::{Counted, FIRST_LOOKS};
use super::Lie;
use super::lie::Kind;
use super::store::Liar;
use std::sync::Arc;
use std::sync::atomic::Ordering;

/// Makes each lie rarer by this factor.
const RARER: &str = "LIE_RARER";

/// The server's lie, how often it is told, and how often it was.
pub(super) struct Telling {
    pub(super) lie: Option<Lie>,
    /// Told once in this many opportunities.
    each: u32,
    pub(super) counted: Arc<Counted>,
}

impl Telling {
    pub(super) fn of(lie: Option<Lie>) -> Self {
        let rarer = std::env::var(RARER).ok().and_then(|factor| factor.parse().ok()).unwrap_or(1);
        let each = lie.map_or(1, Lie::each);
        // A lie that is told every time stays so: it is not rare by chance.
        Self { lie, each: if each == 1 { 1 } else { each.saturating_mul(rarer) }, counted: Arc::default() }
    }
}

impl Liar {
    /// Whether this is the server's lie.
    pub(super) fn lies(&self, lie: Lie) -> bool {
        self.telling.lie == Some(lie)
    }

    /// Whether this is the server's lie, and it is told now. Check this last, as it counts the lie as told.
    pub(super) fn tells(&self, lie: Lie) -> bool {
        let is_told = self.lies(lie) && self.is_time();
        if is_told {
            self.told();
        }
        is_told
    }

    /// Whether a lie that can be told is told now, by chance.
    fn is_time(&self) -> bool {
        let is_first_look = self.telling.counted.requests.load(Ordering::Relaxed) <= FIRST_LOOKS;
        if is_first_look && self.telling.lie.is_some_and(|lie| lie.kind() == Kind::Envelope) {
            return false;
        }
        rand::random_range(0..self.telling.each) == 0
    }

    /// Counts that the lie was told.
    pub(super) fn told(&self) {
        self.telling.counted.told.fetch_add(1, Ordering::Relaxed);
    }
}
