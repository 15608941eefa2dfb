//! The events of a history, split by the keys that they are about.

use super::{Event, Slots, Violation};
use crate::store::{Answer, Operation, Slot};
use std::collections::{BTreeMap, BTreeSet};

/// The events of a history, and which belong together.
pub(super) struct Split<'a> {
    events: &'a [Event],
    /// For every event the place of the call that it belongs to.
    calls: Vec<usize>,
    /// What ended the operation that was called at a place, where it ended.
    ends: BTreeMap<usize, &'a Event>,
}

/// Which keys an operation is about.
enum About<'a> {
    One(&'a str),
    All,
    /// Those that are reserved at the start, and stale.
    Stale,
    Nothing,
}

impl<'a> Split<'a> {
    pub(super) fn new(events: &'a [Event]) -> Self {
        let (mut last, mut ends) = (BTreeMap::new(), BTreeMap::new());
        let mut call_of = |(place, event): (usize, &'a Event)| match event {
            Event::Called { client, .. } => {
                last.insert(*client, place);
                place
            }
            Event::Answered { client, .. } | Event::Failed { client } => {
                let call = last.get(client).copied().unwrap_or(place);
                ends.insert(call, event);
                call
            }
        };
        let calls = events.iter().enumerate().map(&mut call_of).collect();
        Self { events, calls, ends }
    }

    /// The events that are about each key, each with its place, as they look from there.
    pub(super) fn by_key(&self, start: &Slots, end: Option<&Slots>) -> BTreeMap<String, Vec<(usize, Event)>> {
        let mut by_key: BTreeMap<String, Vec<(usize, Event)>> =
            self.keys(start, end).into_iter().map(|key| (key.to_owned(), Vec::new())).collect();
        for (place, event) in self.events.iter().enumerate() {
            let about = self.about(self.calls[place]);
            if let About::One(key) = about {
                by_key.entry(key.to_owned()).or_default().push((place, event.clone()));
                continue;
            }
            let is_about = |key: &String| match about {
                About::All => true,
                About::Stale => matches!(start.get(key), Some(Slot::Reserved { stale: true })),
                About::One(_) | About::Nothing => false,
            };
            for (key, events) in by_key.iter_mut().filter(|(key, _)| is_about(key)) {
                events.push((place, seen_from(key, event)));
            }
        }
        by_key
    }

    /// Answers that are wrong whatever is under the keys.
    pub(super) fn wrong_in_themselves(&self) -> impl Iterator<Item = Violation> + '_ {
        let is_wrong = |&place: &usize| {
            let Event::Answered { answer, .. } = &self.events[place] else { return false };
            match self.operation(self.calls[place]) {
                Some(Operation::GenerateKey { .. }) => !matches!(answer, Answer::Handed(_)),
                Some(Operation::List) => !matches!(answer, Answer::Listed(_)),
                Some(Operation::GiveBack) => !matches!(answer, Answer::GaveBack(_)),
                _ => false,
            }
        };
        (0..self.events.len()).filter(is_wrong).map(|place| self.violation(place))
    }

    /// How many keys each giving back says that it gave back, by the place of the call, where that is known; and the
    /// last of them, in case that cannot be.
    pub(super) fn given_back(&self) -> Option<(Violation, BTreeMap<usize, Option<usize>>)> {
        let mut counts = BTreeMap::new();
        let mut last = None;
        for (place, event) in self.events.iter().enumerate() {
            match event {
                Event::Called { operation: Operation::GiveBack, .. } => {
                    counts.insert(place, None);
                }
                Event::Answered { answer: Answer::GaveBack(count), .. } => {
                    counts.insert(self.calls[place], Some(*count));
                    last = Some(place);
                }
                _ => {}
            }
        }
        Some((self.violation(last?), counts))
    }

    /// One operation alone, that is wrong in itself, by the place of its answer.
    fn violation(&self, place: usize) -> Violation {
        let events = vec![self.events[self.calls[place]].clone(), self.events[place].clone()];
        Violation { key: None, events, in_the_end: None, place }
    }

    fn operation(&self, call: usize) -> Option<&'a Operation> {
        match &self.events[call] {
            Event::Called { operation, .. } => Some(operation),
            _ => None,
        }
    }

    fn about(&self, call: usize) -> About<'a> {
        let Some(operation) = self.operation(call) else { return About::Nothing };
        let answer = match self.ends.get(&call) {
            Some(Event::Answered { answer, .. }) => Some(answer),
            _ => None,
        };
        match (operation, answer) {
            (Operation::GenerateKey { .. }, Some(Answer::Handed(key))) => About::One(key),
            // Whatever key it took, if any, nobody knows.
            (Operation::GenerateKey { .. }, None) | (Operation::List, Some(Answer::Listed(_))) => About::All,
            (Operation::GiveBack, _) => About::Stale,
            (operation, _) => key_of(operation).map_or(About::Nothing, About::One),
        }
    }

    /// Every key that anything is said of.
    fn keys<'k>(&self, start: &'k Slots, end: Option<&'k Slots>) -> BTreeSet<&'k str>
    where
        'a: 'k,
    {
        let in_slots = start.keys().chain(end.iter().flat_map(|end| end.keys())).map(String::as_str);
        let mut keys: BTreeSet<&str> = in_slots.collect();
        for event in self.events {
            match event {
                Event::Called { operation, .. } => keys.extend(key_of(operation)),
                Event::Answered { answer: Answer::Handed(key), .. } => {
                    keys.insert(key);
                }
                Event::Answered { answer: Answer::Listed(types), .. } => keys.extend(types.keys().map(String::as_str)),
                Event::Answered { .. } | Event::Failed { .. } => {}
            }
        }
        keys
    }
}

/// An event as it looks from a key: a list shows that key, or nothing.
fn seen_from(key: &str, event: &Event) -> Event {
    match event {
        Event::Answered { client, answer: Answer::Listed(types) } => {
            let of_key = types.get(key).map(|slug| (key.to_owned(), slug.clone()));
            Event::Answered { client: *client, answer: Answer::Listed(of_key.into_iter().collect()) }
        }
        event => event.clone(),
    }
}

/// The one key that an operation names.
fn key_of(operation: &Operation) -> Option<&str> {
    match operation {
        Operation::Instantiate { key, .. }
        | Operation::InstantiateOwn { key, .. }
        | Operation::Save { key, .. }
        | Operation::Restore { key }
        | Operation::Delete { key }
        | Operation::MoveAway { key } => Some(key),
        Operation::GenerateKey { .. } | Operation::List | Operation::GiveBack => None,
    }
}
