//! Documents that fill the saves folder.

use crate::lab::{Lab, Stuck, lock};
use crate::saves::Filler;
use std::sync::Arc;
use std::time::{Duration, Instant};

/// When a server must know of keys that others freed in its folder: a second after they did, or a thousand keys later,
/// whichever comes last. It is given twice as much: a look at the folder that begins then takes its time.
const FREED_KEYS_KNOWN_AFTER: Duration = Duration::from_secs(2);
const FREED_KEYS_KNOWN_AFTER_KEYS: usize = 2_000;

/// Keys that we freed by removing documents from the saves folder, without a word to the server.
#[derive(Clone, Copy, Debug)]
pub(super) struct Freed {
    at: Instant,
    /// Keys that the server has handed out since, as far as they were counted.
    pub(super) keys_since: usize,
}

impl Freed {
    fn is_known(self, now: Instant) -> bool {
        now.duration_since(self.at) >= FREED_KEYS_KNOWN_AFTER && self.keys_since >= FREED_KEYS_KNOWN_AFTER_KEYS
    }
}

impl Lab {
    /// Fills the folder to so many documents, on a thread of its own. Of what is beyond, the fill's own documents are
    /// taken away.
    ///
    /// # Errors
    /// Where the folder is not known or cannot be written, or others have more documents in it.
    pub async fn fill_to(self: &Arc<Self>, documents: usize) -> Result<(), Stuck> {
        let lab = Arc::clone(self);
        let filling = tokio::task::spawn_blocking(move || match lock(&lab.filler).as_mut() {
            Some(filler) => lab.noting_freed_keys(filler, |filler| filler.fill_to(documents)).map_err(Stuck::from),
            None => Err(Stuck("the saves folder is not known".to_owned())),
        });
        match filling.await.unwrap_or_else(|lost| Err(Stuck(lost.to_string())))? {
            there if there == documents => Ok(()),
            there => Err(Stuck(format!("the folder could not be brought to {documents} documents: it holds {there}"))),
        }
    }

    /// Takes the fill's documents away, on a thread of its own.
    ///
    /// # Errors
    /// Where one cannot be removed.
    pub async fn empty_fill(self: &Arc<Self>) -> Result<(), Stuck> {
        let lab = Arc::clone(self);
        let emptying = tokio::task::spawn_blocking(move || match lock(&lab.filler).as_mut() {
            Some(filler) => lab.noting_freed_keys(filler, Filler::empty),
            None => Ok(()),
        });
        Ok(emptying.await.map_err(|lost| Stuck(lost.to_string()))??)
    }

    fn noting_freed_keys<T>(&self, filler: &mut Filler, change: impl FnOnce(&mut Filler) -> T) -> T {
        let before = filler.filled();
        let outcome = change(filler);
        if filler.filled() < before {
            *lock(&self.freed) = Some(Freed { at: Instant::now(), keys_since: 0 });
        }
        outcome
    }

    /// Whether a server may not know yet of keys that we freed in its folder: [`FREED_KEYS_KNOWN_AFTER`].
    #[must_use]
    pub fn has_freed_keys_lately(&self) -> bool {
        let mut freed = lock(&self.freed);
        *freed = freed.filter(|freed| !freed.is_known(Instant::now()));
        freed.is_some()
    }

    /// How many documents the folder is filled with.
    #[must_use]
    pub fn filled(&self) -> usize {
        lock(&self.filler).as_ref().map_or(0, Filler::filled)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_server_must_know_of_freed_keys_after_both_a_time_and_a_number_of_keys() {
        let at = Instant::now();
        let is_known = |after: Duration, keys_since| Freed { at, keys_since }.is_known(at + after);
        let (short, long) = (Duration::from_millis(1_999), Duration::from_secs(2));
        assert_eq!([is_known(short, 9_999), is_known(long, 1_999), is_known(long, 2_000)], [false, false, true]);
    }
}
