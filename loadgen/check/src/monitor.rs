//! Linearizability, event by event: whether what was answered so far can be explained by operations that each took
//! effect at one moment (list and giving back: at one moment a key) between call and answer.
//!
//! The monitor keeps every explanation that is still possible: which operations have taken effect, and the store that
//! they left. An answer that fits none of them is a violation, told as soon as it is given. Operations under way are
//! taken to have had effect only where an answer needs it (as in G. Lowe, "Testing for linearizability", 2017), so
//! there are few explanations at any time.

use super::store::{Answer, Operation, Progress, Slot, Store};
use std::collections::{BTreeMap, BTreeSet};

/// What is possible after a history of calls and answers. Two histories with equal monitors have the same futures.
#[derive(Clone, Debug, PartialEq, Eq, Hash, PartialOrd, Ord)]
pub struct Monitor {
    possible: BTreeSet<Explanation>,
}

/// One explanation: the store as it is now, and the operations under way.
#[derive(Clone, Debug, PartialEq, Eq, Hash, PartialOrd, Ord)]
struct Explanation {
    store: Store,
    /// By client.
    under_way: BTreeMap<usize, (Operation, Progress)>,
}

impl Monitor {
    /// Nothing has happened yet.
    #[must_use]
    pub fn new(store: Store) -> Self {
        Self { possible: [Explanation { store, under_way: BTreeMap::new() }].into() }
    }

    /// A client called an operation. It may have one under way at a time; one that never got an answer calls under
    /// another number from then on, as that operation may take effect at any later time.
    pub fn called(&mut self, client: usize, operation: &Operation) {
        self.change(|mut explanation| {
            let progress = explanation.store.begin(operation);
            explanation.under_way.insert(client, (operation.clone(), progress));
            vec![explanation]
        });
    }

    /// A client's operation was answered; says whether that can be explained. Once it cannot, nothing after it can.
    pub fn answered(&mut self, client: usize, answer: &Answer) -> bool {
        self.change(|explanation| {
            let ways = explanation.closure(Some(client));
            ways.into_iter().filter_map(|way| way.answering(client, answer)).collect()
        });
        !self.possible.is_empty()
    }

    /// A client's operation was answered with an error after which it may or may not have taken effect, and will not
    /// any more.
    pub fn failed(&mut self, client: usize) {
        self.change(|explanation| {
            let ways = explanation.closure(None);
            ways.into_iter()
                .map(|mut way| {
                    way.under_way.remove(&client);
                    way
                })
                .collect()
        });
    }

    /// Whether this can be the store now, whether or not what is under way has taken effect.
    #[must_use]
    pub fn can_be(&self, store: &Store) -> bool {
        self.possible.iter().any(|explanation| explanation.closure(None).iter().any(|way| way.store == *store))
    }

    /// The stores that can be now.
    #[must_use]
    pub fn stores(&self) -> BTreeSet<Store> {
        self.possible.iter().flat_map(|explanation| explanation.closure(None)).map(|way| way.store).collect()
    }

    fn change(&mut self, change: impl FnMut(Explanation) -> Vec<Explanation>) {
        self.possible = std::mem::take(&mut self.possible).into_iter().flat_map(change).collect();
    }
}

impl Explanation {
    /// Every explanation that operations under way can lead to by taking effect. Where one client is asked about,
    /// those are not followed further in which its operation is done: what comes after can wait until it is needed.
    fn closure(&self, until_done: Option<usize>) -> BTreeSet<Self> {
        let mut found = BTreeSet::from([self.clone()]);
        let mut new = vec![self.clone()];
        while let Some(explanation) = new.pop() {
            if until_done.is_some_and(|client| explanation.is_done(client)) {
                continue;
            }
            for next in explanation.next() {
                if found.insert(next.clone()) {
                    new.push(next);
                }
            }
        }
        found
    }

    /// Every explanation in which one operation more has taken a step.
    fn next(&self) -> Vec<Self> {
        let mut next = Vec::new();
        for (&client, (operation, progress)) in &self.under_way {
            for (store, progress) in self.store.steps(operation, progress) {
                let mut under_way = self.under_way.clone();
                under_way.insert(client, (operation.clone(), progress));
                let after = Self { store, under_way };
                next.extend(after.with_a_save_that_had_read(operation, &self.store));
                next.push(after);
            }
        }
        next
    }

    /// Where a document was just moved away by somebody outside: the explanations in which a save under way had read
    /// it before.
    fn with_a_save_that_had_read(&self, operation: &Operation, before: &Store) -> Vec<Self> {
        let Operation::MoveAway { key } = operation else { return Vec::new() };
        let Slot::Present(document) = before.slot(key) else { return Vec::new() };
        let may_have_read = |called: &(Operation, Progress)| matches!(called, (Operation::Save { key: saved, .. }, Progress::Called) if saved == key);
        let savers = self.under_way.iter().filter(|(_, called)| may_have_read(called)).map(|(&client, _)| client);
        let having_read = |saver| {
            let mut explanation = self.clone();
            if let Some((_, progress)) = explanation.under_way.get_mut(&saver) {
                *progress = Progress::Read(document.clone());
            }
            explanation
        };
        savers.map(having_read).collect()
    }

    fn is_done(&self, client: usize) -> bool {
        matches!(self.under_way.get(&client), Some((_, Progress::Done(_))))
    }

    /// The explanation without the client's operation, if that answers this.
    fn answering(mut self, client: usize, answer: &Answer) -> Option<Self> {
        let (_, progress) = self.under_way.remove(&client)?;
        (progress == Progress::Done(answer.clone())).then_some(self)
    }
}

#[cfg(test)]
mod tests {
    use super::super::store::Document;
    use super::*;

    const KEY: &str = "AAA";

    fn document(mark: &str) -> Document {
        Document {
            type_slug: mark.to_owned(),
            metadata: [(mark.to_owned(), "1".to_owned())].into(),
            ..Document::default()
        }
    }

    fn save(mark: &str) -> Operation {
        Operation::Save { key: KEY.to_owned(), posted: document(mark) }
    }

    fn restore() -> Operation {
        Operation::Restore { key: KEY.to_owned() }
    }

    fn delete() -> Operation {
        Operation::Delete { key: KEY.to_owned() }
    }

    fn restored(saves: &[&str]) -> Answer {
        let over = |stored: Option<Document>, mark: &&str| Some(Document::saved(&document(mark), stored.as_ref()));
        saves.iter().fold(None, over).map_or(Answer::NotFound, Answer::Restored)
    }

    fn store(slot: Slot) -> Store {
        Store::new([(KEY.to_owned(), slot)])
    }

    #[derive(Debug)]
    enum Event {
        Call(usize, Operation),
        Answer(usize, Answer),
        Fail(usize),
    }
    use Event::{Answer as Ret, Call, Fail};

    /// Whether a history that begins with an empty store can be explained.
    fn explicable(events: &[Event]) -> bool {
        let mut monitor = Monitor::new(store(Slot::Absent));
        events.iter().all(|event| match event {
            Call(client, operation) => {
                monitor.called(*client, operation);
                true
            }
            Ret(client, answer) => monitor.answered(*client, answer),
            Fail(client) => {
                monitor.failed(*client);
                true
            }
        })
    }

    #[test]
    fn what_is_answered_one_after_another_is_held_to_the_model() {
        let history = |last| {
            [
                Call(0, save("a")),
                Ret(0, Answer::Saved),
                Call(1, save("b")),
                Ret(1, Answer::Saved),
                Call(0, restore()),
                Ret(0, last),
            ]
        };
        assert!(explicable(&history(restored(&["a", "b"]))));
        // A stale read, a lost update, a save that took effect too early, a resurrection, and half a document.
        for wrong in
            [restored(&["a"]), restored(&["b"]), restored(&["b", "a"]), restored(&[]), Answer::Wrong("500".to_owned())]
        {
            assert!(!explicable(&history(wrong)));
        }
    }

    #[test]
    fn a_restore_may_see_a_save_under_way_or_not_but_not_see_it_and_then_no_more() {
        let saving = || vec![Call(0, save("a")), Ret(0, Answer::Saved), Call(0, save("b"))];
        let then = |restores: &[&[&str]]| {
            let mut events = saving();
            for saves in restores {
                events.extend([Call(1, restore()), Ret(1, restored(saves))]);
            }
            events.push(Ret(0, Answer::Saved));
            explicable(&events)
        };
        assert!(then(&[&["a"], &["a", "b"]]) && then(&[&["a"], &["a"]]) && then(&[&["a", "b"], &["a", "b"]]));
        assert!(!then(&[&["a", "b"], &["a"]]));
    }

    #[test]
    fn of_two_deletes_at_once_one_finds_the_document() {
        let both = |answers: [Answer; 2]| {
            let [one, other] = answers;
            explicable(&[
                Call(0, save("a")),
                Ret(0, Answer::Saved),
                Call(0, delete()),
                Call(1, delete()),
                Ret(0, one),
                Ret(1, other),
            ])
        };
        assert!(both([Answer::Deleted, Answer::NotFound]) && both([Answer::NotFound, Answer::Deleted]));
        assert!(!both([Answer::Deleted, Answer::Deleted]) && !both([Answer::NotFound, Answer::NotFound]));
    }

    #[test]
    fn a_save_beside_a_delete_may_come_before_it() {
        assert!(explicable(&[
            Call(0, save("a")),
            Ret(0, Answer::Saved),
            Call(0, save("b")),
            Call(1, delete()),
            Ret(1, Answer::Deleted),
            Ret(0, Answer::Saved),
            Call(0, restore()),
            Ret(0, Answer::NotFound),
        ]));
    }

    #[test]
    fn an_operation_without_an_answer_may_take_effect_late_or_never_and_one_that_failed_not_any_more() {
        let then = |ended: Option<Event>, first: &[&str], second: &[&str]| {
            let mut events = vec![Call(0, save("a"))];
            events.extend(ended);
            events.extend([Call(1, restore()), Ret(1, restored(first)), Call(1, restore()), Ret(1, restored(second))]);
            explicable(&events)
        };
        for (first, second) in [(&[][..], &[][..]), (&["a"], &["a"])] {
            assert!(then(None, first, second) && then(Some(Fail(0)), first, second));
        }
        assert!(then(None, &[], &["a"]) && !then(Some(Fail(0)), &[], &["a"]));
        assert!(!then(None, &["a"], &[]) && !then(Some(Fail(0)), &["a"], &[]));
    }

    #[test]
    fn a_list_shows_each_key_as_it_was_at_some_moment_of_it() {
        let keys = ["AAA", "AAB"];
        let save = |key: &str| Operation::Save { key: key.to_owned(), posted: document("a") };
        let listed =
            |shown: &[&str]| Answer::Listed(shown.iter().map(|&key| (key.to_owned(), "a".to_owned())).collect());
        // AAA is saved, then AAB, while the list is under way; it may have passed AAA before and AAB after.
        let during = |shown: &[&str]| {
            let mut monitor = Monitor::new(Store::new(keys.map(|key| (key.to_owned(), Slot::Absent))));
            monitor.called(0, &Operation::List);
            for key in keys {
                monitor.called(1, &save(key));
                assert!(monitor.answered(1, &Answer::Saved));
            }
            monitor.answered(0, &listed(shown))
        };
        for shown in [&[][..], &["AAA"], &["AAB"], &["AAA", "AAB"]] {
            assert!(during(shown), "{shown:?}");
        }
        // What was there before it began is in it.
        let mut monitor = Monitor::new(Store::new([("AAA".to_owned(), Slot::Present(document("a")))]));
        monitor.called(0, &Operation::List);
        assert!(!monitor.answered(0, &listed(&[])));
    }

    #[test]
    fn a_document_may_be_moved_away_from_under_a_save_but_not_from_under_a_later_one() {
        let move_away = Operation::MoveAway { key: KEY.to_owned() };
        let Answer::Restored(first) = restored(&["a"]) else { unreachable!("it was saved") };
        let then = |called_before: bool, last: Answer| {
            let mut events = vec![Call(0, save("a")), Ret(0, Answer::Saved)];
            let moved = [Call(1, move_away.clone()), Ret(1, Answer::Moved(Some(first.clone())))];
            if called_before {
                events.push(Call(0, save("b")));
                events.extend(moved);
            } else {
                events.extend(moved);
                events.push(Call(0, save("b")));
            }
            events.extend([Ret(0, Answer::Saved), Call(1, restore()), Ret(1, last)]);
            explicable(&events)
        };
        assert!(then(true, restored(&["a", "b"])) && then(true, restored(&["b"])));
        assert!(!then(false, restored(&["a", "b"])) && then(false, restored(&["b"])));
    }

    #[test]
    fn the_store_in_the_end_is_one_that_the_answers_allow() {
        let mut monitor = Monitor::new(store(Slot::Absent));
        monitor.called(0, &save("a"));
        let saved = store(Slot::Present(Document::saved(&document("a"), None)));
        assert!(monitor.can_be(&saved) && monitor.can_be(&store(Slot::Absent)));
        assert_eq!(monitor.stores().len(), 2);
        assert!(monitor.answered(0, &Answer::Saved));
        assert!(monitor.can_be(&saved) && !monitor.can_be(&store(Slot::Absent)));
        assert!(!monitor.can_be(&store(Slot::Reserved { stale: false })));
    }
}
