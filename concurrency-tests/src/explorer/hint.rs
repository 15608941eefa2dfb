//! The hint of free keys as a plain value, for the few keys of a scenario.

use super::script::{HintCall, What};
use crate::scenario::{KEYS, rules};
use server::hint::Freshness;
use server::keys::Key;
use server::protocol::{Look, Pick};

/// What a server process believes of the keys: [`server::hint::KeyHint`] of a few, all of its state small enough to be
/// part of a search's.
#[derive(Clone, Debug, PartialEq, Eq, Hash)]
pub struct TinyHint {
    /// In the order of the keys, which is the order that they are picked in: two that pick at once pick the same.
    free: Vec<bool>,
    last_look: Option<Look>,
    /// When a look is due again; never, if there are no limits.
    freshness: Option<Freshness>,
    /// Picks since a look was last due, counted as far as they matter.
    picks: u64,
    /// When the last look began, or was due.
    since_ms: u64,
    /// What was reported of each key since a look is due that has not come to its end.
    meanwhile: Option<Vec<Option<bool>>>,
}

impl TinyHint {
    /// Believes the first so many of [`KEYS`] free, and knows of no others.
    #[must_use]
    pub fn new(keys: usize, freshness: Option<Freshness>) -> Self {
        Self { free: vec![true; keys], last_look: None, freshness, picks: 0, since_ms: 0, meanwhile: None }
    }

    /// Answers a call at once.
    pub fn call(&mut self, call: &HintCall, now_ms: u64) -> What {
        match call {
            HintCall::Pick => return What::Picked(self.pick(now_ms)),
            HintCall::Taken(key) => self.note(*key, false),
            HintCall::Freed(key) => self.note(*key, true),
            HintCall::Looked(used, look) => {
                self.free.iter_mut().for_each(|free| *free = true);
                used.iter().for_each(|&key| self.set(key, false));
                let found = self.first_free();
                for (free, noted) in self.free.iter_mut().zip(self.meanwhile.take().unwrap_or_default()) {
                    *free = noted.unwrap_or(*free);
                }
                self.last_look = Some(*look);
                self.since_ms = if self.freshness.is_some() { look.at_ms } else { 0 };
                return What::Found(found);
            }
        }
        What::Done
    }

    fn pick(&mut self, now_ms: u64) -> Pick {
        let Some(key) = self.first_free() else { return Pick::NoneFree(self.last_look) };
        if let Some(freshness) = self.freshness {
            if self.picks >= freshness.picks && now_ms.abs_diff(self.since_ms) >= freshness.age_ms {
                (self.picks, self.since_ms) = (0, now_ms);
                self.meanwhile = Some(vec![None; self.free.len()]);
                return Pick::LookDue;
            }
            self.picks = freshness.picks.min(self.picks + 1);
        }
        Pick::Try(key)
    }

    fn note(&mut self, of: Key, free: bool) {
        self.set(of, free);
        let place = self.place(of);
        if let (Some(meanwhile), Some(place)) = (&mut self.meanwhile, place) {
            meanwhile[place] = Some(free);
        }
    }

    fn first_free(&self) -> Option<Key> {
        self.free.iter().position(|&free| free).map(key)
    }

    fn set(&mut self, of: Key, free: bool) {
        if let Some(place) = self.place(of) {
            self.free[place] = free;
        }
    }

    fn place(&self, of: Key) -> Option<usize> {
        (0..self.free.len()).find(|&place| key(place) == of)
    }
}

fn key(place: usize) -> Key {
    rules().keys.parse(KEYS[place]).unwrap_or_else(|| unreachable!("all of them are keys"))
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::world::NOW_MS;
    use proptest::prelude::*;
    use server::hint::KeyHint;
    use server::keys::FreeKeys;

    const LIMITS: Freshness = Freshness { picks: 2, age_ms: 4 };

    /// The server's own hint, of the same few keys. Draws of 0 have it pick the first.
    struct OfServer(KeyHint);

    impl OfServer {
        fn call(&mut self, call: &HintCall, now_ms: u64) -> What {
            match call {
                HintCall::Pick => return What::Picked(self.0.pick(|| now_ms, &mut |_| 0)),
                HintCall::Taken(key) => self.0.taken(*key),
                HintCall::Freed(key) => self.0.freed(*key),
                HintCall::Looked(used, look) => {
                    let others = (KEYS.len() as u64..rules().keys.size()).map(|place| rules().keys.at(place));
                    let free = FreeKeys::without(rules().keys, used.iter().copied().chain(others));
                    let found = free.pick(&mut |_| 0);
                    // In the model no time passes while the folder is read.
                    self.0.looked(free, *look, look.at_ms);
                    return What::Found(found);
                }
            }
            What::Done
        }
    }

    fn call(what: u8, now_ms: u64) -> HintCall {
        let of = key(usize::from(what) % KEYS.len());
        match what / 16 {
            0 => HintCall::Taken(of),
            1 => HintCall::Freed(of),
            2 => {
                let used = (0..KEYS.len()).filter(|place| what >> place & 1 == 1).map(key).collect();
                HintCall::Looked(
                    used,
                    Look { folder_modified_ns: u64::from(what), at_ms: now_ms - u64::from(what % 4 / 3) },
                )
            }
            _ => HintCall::Pick,
        }
    }

    proptest! {
        // Each look of the server's hint is at 46,656 keys.
        #![proptest_config(ProptestConfig::with_cases(64))]
        #[test]
        fn the_models_hint_says_what_the_servers_does(calls in proptest::collection::vec((0_u8..96, 0_u64..4), 1..80)) {
            let (mut model, mut of_server) = (TinyHint::new(KEYS.len(), Some(LIMITS)), OfServer(KeyHint::new(rules().keys, LIMITS)));
            let mut now_ms = NOW_MS;
            let read = HintCall::Looked(Vec::new(), Look { folder_modified_ns: 0, at_ms: now_ms });
            prop_assert_eq!(model.call(&read, now_ms), of_server.call(&read, now_ms));
            for (what, passed_ms) in calls {
                now_ms += passed_ms;
                let call = call(what, now_ms);
                prop_assert_eq!(model.call(&call, now_ms), of_server.call(&call, now_ms), "{:?}", call);
            }
        }
    }
}
