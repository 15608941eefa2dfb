//! Sessions that a worker's users ended, and when their documents were created, to notice a list that still shows one.
//! The key may have another user's document by then, but that one was created at another time.

use contract::key::place_of_key as place;
use contract::response::Listed;
use std::collections::HashMap;

/// Words of a bitmap of all keys of three characters. Lists have thousands of entries, nearly all of keys that nobody
/// here ended.
const WORDS: usize = (36 * 36 * 36_usize).div_ceil(64);

/// How long a session must have lived, in µs, for its document to be distinguishable from the next one under its key:
/// two ticks of the server's clock, which has milliseconds, or seconds if `created` is a whole second.
const LIVED_US: [u64; 2] = [2_000, 2_000_000];

/// A session that has certainly ended.
#[derive(Clone, Copy, Debug, PartialEq)]
struct Session {
    created_ms: f64,
    ended_us: u64,
}

/// The sessions that a worker's users ended, at most one per key.
#[derive(Debug)]
pub(crate) struct Ended {
    known: Box<[u64; WORDS]>,
    sessions: HashMap<usize, Session>,
}

impl Ended {
    pub(crate) fn new() -> Self {
        Self { known: Box::new([0; WORDS]), sessions: HashMap::new() }
    }

    /// Notes an ended session, whose document had been there for `lived_us`.
    pub(crate) fn note(&mut self, key: &str, created_ms: f64, lived_us: u64, ended_us: u64) {
        let is_whole_seconds = created_ms % 1_000.0 == 0.0;
        if let Some(place) = place(key).filter(|_| lived_us > LIVED_US[usize::from(is_whole_seconds)]) {
            self.known[place / 64] |= 1 << (place % 64);
            self.sessions.insert(place, Session { created_ms, ended_us });
        }
    }

    /// Whether a list that was requested at `called_us` shows a session that had ended before.
    pub(crate) fn is_shown(&self, entries: &[Listed], called_us: u64) -> bool {
        let is_ended = |entry: &Listed| {
            let Some(place) = place(entry.key()).filter(|place| self.known[place / 64] >> (place % 64) & 1 == 1) else {
                return false;
            };
            let ended = self.sessions.get(&place).filter(|session| session.ended_us < called_us);
            ended.is_some_and(|session| entry.created_ms() == Some(session.created_ms))
        };
        entries.iter().any(is_ended)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn entry(key: &str, created_ms: f64) -> Listed {
        let json = format!(
            r#"{{"sessionKey":"{key}","timestamp":1,"created":{created_ms},"typeSlug":"word","metadata":{{}}}}"#
        );
        serde_json::from_str(&json).expect("an entry")
    }

    #[test]
    fn an_ended_session_is_told_by_when_its_document_was_created() {
        let mut ended = Ended::new();
        ended.note("A4K", 1_795_494_589_123.0, 5_000, 100);
        let shown =
            |key, created_ms, called_us| ended.is_shown(&[entry("ZZ9", 7.0), entry(key, created_ms)], called_us);
        assert!(shown("A4K", 1_795_494_589_123.0, 101));
        for (key, created_ms, called_us, why) in [
            ("A4K", 1_795_494_589_123.0, 100, "the list was asked for before"),
            ("A4K", 1_795_494_589_124.0, 101, "it is another's document"),
            ("B4K", 1_795_494_589_123.0, 101, "another key"),
        ] {
            assert!(!shown(key, created_ms, called_us), "{why}");
        }
    }

    /// The next document under the key must not be able to have the same creation time.
    #[test]
    fn a_session_that_lived_no_longer_than_the_clocks_grain_proves_nothing() {
        for (created_ms, lived_us, is_proof) in
            [(1_001.0, 2_000, false), (1_001.0, 2_001, true), (2_000.0, 2_000_000, false), (2_000.0, 2_000_001, true)]
        {
            let mut ended = Ended::new();
            ended.note("A4K", created_ms, lived_us, 100);
            assert_eq!(ended.is_shown(&[entry("A4K", created_ms)], 200), is_proof, "{created_ms} {lived_us}");
        }
    }
}
