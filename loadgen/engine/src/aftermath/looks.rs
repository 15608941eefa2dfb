//! A last look at a load's documents over HTTP: whether ended sessions stay away, and what was saved is there. The
//! harness sends a list and restores like any other operations, and they are judged with the rest.

use super::name_content;
use crate::client::connection::Connection;
use crate::client::wire::{Buffers, Client as _};
use crate::client::{Patience, Target};
use bytes::Bytes;
use check::documents::access::{Access, HARNESS, Kind, NEVER};
use contract::Operation;
use contract::key::is_key;
use contract::response::{Listed, Said, read};
use futures_util::future::join_all;
use record::history::{Accesses, Answer, HistoryLine, Judgement, Output, Phase};
use std::collections::HashSet;
use std::sync::Arc;
use std::sync::atomic::{AtomicUsize, Ordering};
use std::time::{Duration, Instant};

/// How many ended sessions are restored although no list shows them, the latest first. A server that undoes a share p
/// of its deletes only after the list is caught with a chance of 1 − (1 − p)^4096: for one in 1,000, 98 %.
const MOST_ENDED: usize = 4_096;

/// Concurrent connections: a few, as the load is over.
const LOOKERS: usize = 8;

/// Limit on the whole look; documents not looked at by then are not judged.
const LONGEST: Duration = Duration::from_secs(10);

/// Limit on waiting for a response: this look is less patient than the load's users.
const MOST_PATIENCE: Duration = Duration::from_secs(2);

/// A connection stops after this many consecutive restores without a response: the server is gone.
const MOST_SILENCE: u32 = 3;

/// The result of a last look.
#[derive(Debug, Default)]
pub(super) struct Seen {
    /// The list and the restores, as lines of the history.
    pub(super) lines: Vec<u8>,
    /// Keys of sessions that have certainly ended, although a document of the load is still there.
    pub(super) came_back: Vec<String>,
}

/// What is under a key now, according to the history.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum State {
    /// A document of ours was acknowledged, and its session has not certainly ended since.
    Held {
        /// Whether nobody else can have written there, or still may.
        is_ours_alone: bool,
    },
    /// Its session had certainly ended by this time, µs.
    Ended(u64),
}

impl State {
    /// `None` if no document was ever acknowledged.
    fn of(accesses: &[Access]) -> Option<Self> {
        let latest = |is_meant: fn(Kind) -> bool| {
            accesses.iter().filter(|access| is_meant(access.kind)).map(|access| access.returned_us).max()
        };
        let written_us = latest(|kind| matches!(kind, Kind::Created(_) | Kind::Saved(_)))?;
        match latest(|kind| matches!(kind, Kind::Deleted | Kind::DeletesNone)) {
            Some(ended_us) if ended_us >= written_us => Some(Self::Ended(ended_us)),
            _ => Some(Self::Held { is_ours_alone: !accesses.iter().any(|access| access.returned_us == NEVER) }),
        }
    }
}

/// Looks at the documents of a history: those that a list shows, those that must be there, and the sessions that ended
/// last. Returns nothing if the target does not respond.
pub(super) async fn look(target: &Arc<Target>, patience: Patience, accesses: &Accesses, seed: u64) -> Seen {
    let answer = patience.answer.min(MOST_PATIENCE);
    let patience = Patience { answer, connect: patience.connect.min(MOST_PATIENCE) };
    let look = Look { target, patience, seed, begin: Instant::now(), begin_us: accesses.last_us() + 1 };
    let list = look.ask(&mut look.connection(0), Operation::List, "").await;
    let Said::Listed(entries) = &list.said else { return Seen::default() };
    let listed: HashSet<&str> = entries.iter().map(Listed::key).collect();
    let keys = keys_to_restore(&accesses.by_key, &listed);
    let next = AtomicUsize::new(0);
    let lookers = (0..LOOKERS.min(keys.len())).map(|number| look.restore(number, &keys, &next));
    let restored: Vec<Asked<'_>> = join_all(lookers).await.into_iter().flatten().collect();
    let mut seen = Seen::default();
    for asked in std::iter::once(&list).chain(&restored) {
        look.write_down(asked, &mut seen);
    }
    seen
}

/// The keys to restore, with what should be under them. Ended sessions that are listed come first.
fn keys_to_restore<'a>(by_key: &'a [(String, Vec<Access>)], listed: &HashSet<&str>) -> Vec<(&'a str, State)> {
    let all = by_key.iter().filter(|(key, _)| is_key(key));
    let known = all.filter_map(|(key, of_key)| Some((key.as_str(), State::of(of_key)?)));
    let (mut ended, held): (Vec<_>, Vec<_>) = known.partition(|(_, state)| matches!(state, State::Ended(_)));
    ended.sort_by_key(|(key, state)| match state {
        State::Ended(us) => (!listed.contains(key), std::cmp::Reverse(*us)),
        State::Held { .. } => (true, std::cmp::Reverse(0)),
    });
    let listed_all_the_same = ended.iter().filter(|(key, _)| listed.contains(key)).count();
    ended.truncate(listed_all_the_same + MOST_ENDED);
    [ended, held].concat()
}

/// A look in progress. Its times continue from the end of the history.
struct Look<'a> {
    target: &'a Arc<Target>,
    patience: Patience,
    seed: u64,
    begin: Instant,
    begin_us: u64,
}

/// An operation of the look.
struct Asked<'a> {
    /// The key, and what should be under it; `None` for a list.
    about: Option<(&'a str, State)>,
    call_us: u64,
    return_us: u64,
    said: Said,
}

impl Look<'_> {
    fn connection(&self, number: usize) -> Connection {
        Connection::new(self.target.process_of(number), self.patience, Buffers::default())
    }

    fn now_us(&self) -> u64 {
        self.begin_us + u64::try_from(self.begin.elapsed().as_micros()).unwrap_or(u64::MAX / 2)
    }

    async fn ask(&self, connection: &mut Connection, operation: Operation, key: &str) -> Asked<'static> {
        let request = self.target.paths().request(operation, key, Bytes::new());
        let call_us = self.now_us();
        let outcome = connection.send(request).await;
        Asked { about: None, call_us, return_us: self.now_us(), said: read(operation, outcome).said }
    }

    /// Restores keys one after the other, until the connections have taken all of them.
    async fn restore<'k>(&self, number: usize, keys: &[(&'k str, State)], next: &AtomicUsize) -> Vec<Asked<'k>> {
        let mut connection = self.connection(number);
        let mut all = Vec::new();
        let mut silent = 0;
        while silent < MOST_SILENCE
            && self.begin.elapsed() < LONGEST
            && let Some(about) = keys.get(next.fetch_add(1, Ordering::Relaxed)).copied()
        {
            let asked = Asked { about: Some(about), ..self.ask(&mut connection, Operation::Restore, about.0).await };
            silent = if matches!(asked.said, Said::NoAnswer(_)) { silent + 1 } else { 0 };
            all.push(asked);
        }
        all
    }

    /// Writes an operation as a line of the history, unless it says nothing about a document of ours.
    fn write_down(&self, asked: &Asked<'_>, seen: &mut Seen) {
        let mut text = String::new();
        let output = match (&asked.said, asked.about) {
            (Said::Listed(entries), None) => {
                let keys: Vec<&str> = entries.iter().map(Listed::key).filter(|key| is_key(key)).collect();
                text = keys.join(" ");
                Output::Success(&text)
            }
            (Said::Restored(restored), Some((key, state))) => match (restored.content, state) {
                (Some(content), state) => {
                    let is_ours = name_content(self.seed, content, &mut text);
                    if is_ours && matches!(state, State::Ended(_)) {
                        seen.came_back.push(key.to_owned());
                    }
                    Output::Success(&text)
                }
                (None, State::Held { is_ours_alone: true }) => Output::Success("no whole document"),
                // Somebody else may have the key by now, and what they write is not our business.
                (None, _) => return,
            },
            (Said::Refused { status, message }, Some(_)) => Output::Refusal { status: *status, message },
            _ => return,
        };
        HistoryLine {
            process: u64::from(HARNESS),
            operation: if asked.about.is_some() { Operation::Restore } else { Operation::List },
            key: asked.about.map(|(key, _)| key),
            meant_us: asked.call_us,
            free_us: None,
            call_us: asked.call_us,
            input: None,
            answer: Some(Answer { return_us: asked.return_us, output }),
            timed_out_us: None,
            judgement: Judgement::Verified,
            phase: Some(Phase::Aftermath),
        }
        .write_to(&mut seen.lines);
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use check::documents::access::Content;

    const A: Content = Content { writer: 3, number: 1 };

    fn at(us: u64, kind: Kind) -> Access {
        Access { process: 3, called_us: us, returned_us: us + 5, kind }
    }

    #[test]
    fn what_is_to_be_under_a_key_is_told_by_its_last_clear_answers() {
        let created = at(10, Kind::Created(A));
        let may_delete = Access { returned_us: NEVER, ..at(20, Kind::MayDelete) };
        for (accesses, state) in [
            (vec![at(0, Kind::Handed)], None),
            (vec![at(0, Kind::MayCreate(A))], None),
            (vec![created], Some(State::Held { is_ours_alone: true })),
            (vec![created, may_delete], Some(State::Held { is_ours_alone: false })),
            (vec![created, at(20, Kind::Deleted)], Some(State::Ended(25))),
            (vec![created, at(20, Kind::DeletesNone)], Some(State::Ended(25))),
            (vec![created, at(20, Kind::Deleted), at(30, Kind::Created(A))], Some(State::Held { is_ours_alone: true })),
        ] {
            assert_eq!(State::of(&accesses), state, "{accesses:?}");
        }
    }

    #[test]
    fn all_that_is_held_or_listed_is_looked_at_and_of_the_rest_what_was_ended_last() {
        let of_key = |number: usize| {
            let ended = at(100 + number as u64, Kind::Deleted);
            (contract::key::key_at(number), vec![at(0, Kind::Created(A)), ended])
        };
        let mut by_key: Vec<(String, Vec<Access>)> = (0..MOST_ENDED + 10).map(of_key).collect();
        by_key.push(("ZZZ".to_owned(), vec![at(0, Kind::Created(A))]));
        let first = by_key[0].0.clone();
        let keys: Vec<&str> =
            keys_to_restore(&by_key, &HashSet::from([first.as_str()])).into_iter().map(|(key, _)| key).collect();
        assert_eq!((keys.len(), keys[0], keys[MOST_ENDED + 1]), (MOST_ENDED + 2, first.as_str(), "ZZZ"));
        let (last, second) = (&by_key[MOST_ENDED + 9].0, &by_key[1].0);
        assert!(keys[1] == last.as_str() && !keys.contains(&second.as_str()));
    }
}
