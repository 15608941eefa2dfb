//! A whole history, of many keys: it is right if it is right key by key.
//!
//! What one key answers says nothing of another's, so the events are split by key, and a key is checked on its own,
//! however many clients there are. generate-key belongs to the key that it handed out. list and giving back
//! look at every key at a moment of its own, and so are one operation a key; only how many keys were given back is
//! added up again.

mod explain;
mod split;
mod violation;

pub use violation::Violation;

use super::store::{Answer, Operation, Slot};
use explain::OfKey;
use split::Split;
use std::collections::{BTreeMap, BTreeSet};

/// What clients called and were answered, in order. A client has one operation under way at a time.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct History {
    events: Vec<Event>,
}

/// Something that happened.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Event {
    /// A client called an operation.
    Called {
        /// Which client.
        client: usize,
        /// What it called.
        operation: Operation,
    },
    /// A client's operation was answered.
    Answered {
        /// Which client.
        client: usize,
        /// What it was answered.
        answer: Answer,
    },
    /// A client's operation may or may not have taken effect, and will not any more.
    Failed {
        /// Which client.
        client: usize,
    },
}

/// What is under keys, at the start or in the end; [`Slot::Absent`] under all others.
pub type Slots = BTreeMap<String, Slot>;

impl History {
    /// A client calls an operation.
    pub fn called(&mut self, client: usize, operation: Operation) {
        self.events.push(Event::Called { client, operation });
    }

    /// A client's operation is answered.
    pub fn answered(&mut self, client: usize, answer: Answer) {
        self.events.push(Event::Answered { client, answer });
    }

    /// A client's operation ended without an answer: it may or may not have taken effect, and will not any more.
    /// Where it can still take effect, nothing is entered, and the client calls under another number from then on.
    pub fn failed(&mut self, client: usize) {
        self.events.push(Event::Failed { client });
    }

    /// All events, in order.
    #[must_use]
    pub fn events(&self) -> &[Event] {
        &self.events
    }

    /// What cannot be explained, the earliest first, one at most a key. `end` is what is there once nothing is under
    /// way any more, where that is known.
    ///
    /// That no key is free can never be explained: the history is taken to be of fewer keys than there are.
    #[must_use]
    pub fn violations(&self, start: &Slots, end: Option<&Slots>) -> Vec<Violation> {
        let split = Split::new(&self.events);
        let mut found: Vec<Violation> = split.wrong_in_themselves().collect();
        let mut takers = Vec::new();
        for (key, events) in split.by_key(start, end) {
            let of_key = OfKey::new(key, start, end, events);
            match of_key.explain() {
                Ok(may_have_taken) if may_have_taken.iter().all(Option::is_none) => {}
                Ok(may_have_taken) => takers.push(may_have_taken),
                Err(explained) => found.push(self.violation(of_key, explained, end)),
            }
        }
        if found.is_empty() {
            let wrong_count = split.given_back().filter(|(_, counts)| !fit(&takers, counts));
            found.extend(wrong_count.map(|(last, _)| last));
        }
        found.sort_by(|a, b| (a.place, &a.key).cmp(&(b.place, &b.key)));
        found
    }

    /// What is wrong with a key of which so many events can be explained.
    fn violation(&self, of_key: OfKey, explained: usize, end: Option<&Slots>) -> Violation {
        let OfKey { key, events, .. } = of_key;
        let (place, in_the_end) = match (events.get(explained), end) {
            (None, Some(end)) => (self.events.len(), Some(end.get(&key).cloned().unwrap_or_default())),
            (event, _) => (event.map_or(self.events.len(), |(place, _)| *place), None),
        };
        let events = events.into_iter().map(|(_, event)| event).take(explained + 1).collect();
        Violation { key: Some(key), events, in_the_end, place }
    }
}

/// Whether each key can have been given back by one of those calls that may have, none among them, so that each gave
/// back as many as it says, where that is known.
fn fit(takers: &[BTreeSet<Option<usize>>], counts: &BTreeMap<usize, Option<usize>>) -> bool {
    let Some((of_one_key, of_others)) = takers.split_first() else {
        return counts.values().all(|count| count.unwrap_or_default() == 0);
    };
    of_one_key.iter().any(|taker| {
        let mut left = counts.clone();
        match taker.and_then(|call| left.get_mut(&call)).and_then(Option::as_mut) {
            Some(0) => return false,
            Some(count) => *count -= 1,
            None => {}
        }
        fit(of_others, &left)
    })
}

#[cfg(test)]
mod tests {
    use super::super::store::Document;
    use super::*;

    const KEYS: [&str; 2] = ["AAA", "AAB"];

    fn document(mark: &str) -> Document {
        let metadata = [(mark.to_owned(), "1".to_owned())].into();
        Document { type_slug: "word".to_owned(), state: mark.to_owned(), metadata }
    }

    fn saved(mark: &str) -> Document {
        Document::saved(&document(mark), None)
    }

    fn save(key: &str, mark: &str) -> Operation {
        Operation::Save { key: key.to_owned(), posted: document(mark) }
    }

    fn restore(key: &str) -> Operation {
        Operation::Restore { key: key.to_owned() }
    }

    fn own(key: &str) -> Operation {
        Operation::InstantiateOwn { key: key.to_owned(), document: document("own") }
    }

    fn handed(key: &str) -> Answer {
        Answer::Handed(key.to_owned())
    }

    fn listed(keys: &[&str]) -> Answer {
        Answer::Listed(keys.iter().map(|&key| (key.to_owned(), "word".to_owned())).collect())
    }

    const GENERATE: Operation = Operation::GenerateKey { reserves: true };

    /// One operation after another, each with who calls it and what it is answered.
    fn one_by_one(operations: &[(usize, Operation, Answer)]) -> History {
        let mut history = History::default();
        for (client, operation, answer) in operations {
            history.called(*client, operation.clone());
            history.answered(*client, answer.clone());
        }
        history
    }

    fn slots(of: &[(&str, Slot)]) -> Slots {
        of.iter().map(|(key, slot)| ((*key).to_owned(), slot.clone())).collect()
    }

    /// The keys of what is found wrong, from an empty store on.
    fn wrong_keys(history: &History) -> Vec<Option<String>> {
        history.violations(&Slots::new(), None).into_iter().map(|violation| violation.key).collect()
    }

    #[test]
    fn each_key_is_held_to_its_own_history() {
        let restored = |mark: &str| Answer::Restored(saved(mark));
        let history = |of_first: Answer| {
            one_by_one(&[
                (0, save(KEYS[0], "a"), Answer::Saved),
                (1, save(KEYS[1], "b"), Answer::Saved),
                (0, restore(KEYS[1]), restored("b")),
                (1, restore(KEYS[0]), of_first),
                (1, Operation::List, listed(&KEYS)),
            ])
        };
        assert_eq!(wrong_keys(&history(restored("a"))), []);
        let violations = history(restored("b")).violations(&Slots::new(), None);
        let [violation] = &violations[..] else { panic!("one key is wrong: {violations:?}") };
        assert_eq!((violation.key.as_deref(), violation.operation()), (Some(KEYS[0]), Some(&restore(KEYS[0]))));
        // Of the other key nothing is told, nor of what came after.
        assert_eq!(violation.events.len(), 4);
    }

    #[test]
    fn the_earliest_violation_comes_first() {
        let history = one_by_one(&[
            (0, restore(KEYS[1]), Answer::Saved),
            (0, restore(KEYS[0]), Answer::Saved),
            (0, Operation::List, Answer::Wrong("500".to_owned())),
        ]);
        assert_eq!(wrong_keys(&history), [Some(KEYS[1].to_owned()), Some(KEYS[0].to_owned()), None]);
    }

    #[test]
    fn a_key_that_is_handed_to_two_is_found_and_one_that_was_deleted_in_between_is_not() {
        let two = |between: &[(usize, Operation, Answer)]| {
            let mut operations = vec![(0, GENERATE, handed("AAA")), (0, own("AAA"), Answer::Created)];
            operations.extend_from_slice(between);
            operations.push((1, GENERATE, handed("AAA")));
            one_by_one(&operations)
        };
        assert_eq!(wrong_keys(&two(&[])), [Some("AAA".to_owned())]);
        assert_eq!(wrong_keys(&two(&[(0, Operation::Delete { key: "AAA".to_owned() }, Answer::Deleted)])), []);
        assert_eq!(wrong_keys(&one_by_one(&[(0, GENERATE, handed("AAA")), (1, GENERATE, handed("AAB"))])), []);
    }

    #[test]
    fn a_key_is_handed_out_at_a_moment_of_the_call_and_a_lost_one_may_be_any() {
        let mut history = History::default();
        history.called(0, GENERATE);
        history.called(1, save("AAA", "a"));
        history.answered(1, Answer::Saved);
        history.answered(0, handed("AAA"));
        assert_eq!(wrong_keys(&history), []);
        let mut lost = History::default();
        lost.called(0, GENERATE);
        let end = slots(&[("AAB", Slot::Reserved { stale: false })]);
        assert_eq!(lost.violations(&Slots::new(), Some(&end)), []);
        lost.failed(0);
        assert_eq!(lost.violations(&Slots::new(), Some(&end)), []);
        assert_eq!(History::default().violations(&Slots::new(), Some(&end)).len(), 1);
    }

    #[test]
    fn a_list_that_misses_one_key_is_wrong_there_alone() {
        let history = one_by_one(&[
            (0, save(KEYS[0], "a"), Answer::Saved),
            (0, save(KEYS[1], "b"), Answer::Saved),
            (0, Operation::List, listed(&["AAB", "AAC"])),
        ]);
        assert_eq!(wrong_keys(&history), [Some("AAA".to_owned()), Some("AAC".to_owned())]);
        let mut unanswered = one_by_one(&[(0, save(KEYS[0], "a"), Answer::Saved)]);
        unanswered.called(0, Operation::List);
        unanswered.failed(0);
        assert_eq!(wrong_keys(&unanswered), []);
    }

    #[test]
    fn what_is_there_in_the_end_belongs_to_the_history() {
        let history = one_by_one(&[(0, save("AAA", "a"), Answer::Saved)]);
        let violations = |slot| history.violations(&Slots::new(), Some(&slots(&[("AAA", slot)])));
        assert_eq!(violations(Slot::Present(saved("a"))), []);
        let lost = violations(Slot::Absent);
        assert_eq!((lost[0].in_the_end.as_ref(), lost[0].operation()), (Some(&Slot::Absent), None));
        assert!(lost[0].to_string().ends_with("in the end: nothing."), "{}", lost[0]);
    }

    #[test]
    fn as_many_keys_are_given_back_as_are_said() {
        let stale = Slot::Reserved { stale: true };
        let start = slots(&[("AAA", stale.clone()), ("AAB", stale.clone())]);
        let wrong = |counts: [usize; 2], end: &Slots| {
            let mut history = History::default();
            [0, 1].into_iter().for_each(|client| history.called(client, Operation::GiveBack));
            counts
                .into_iter()
                .enumerate()
                .for_each(|(client, count)| history.answered(client, Answer::GaveBack(count)));
            history.violations(&start, Some(end)).len()
        };
        for counts in [[0, 2], [1, 1], [2, 0]] {
            assert_eq!(wrong(counts, &Slots::new()), 0, "{counts:?}");
        }
        for counts in [[0, 0], [0, 1], [2, 1], [3, 0]] {
            assert_eq!(wrong(counts, &Slots::new()), 1, "{counts:?}");
        }
        assert_eq!(wrong([1, 1], &slots(&[("AAB", stale)])), 1);
    }

    #[test]
    fn a_counterexample_reads_like_a_story() {
        let history = one_by_one(&[(0, GENERATE, handed("AAA")), (1, own("AAA"), Answer::Existed)]);
        let violations = history.violations(&Slots::new(), None);
        assert_eq!(
            violations[0].to_string(),
            "Under AAA:\n  client 0 calls generate-key\n  client 0 is answered: key AAA\n  client 1 calls instantiate of \
             its own AAA (word)\n  client 1 is answered: exists already\nNo order of the operations explains the last answer."
        );
    }
}
