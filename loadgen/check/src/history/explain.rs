//! Whether the events of one key can be explained.
//!
//! All answers are known, so one explanation will do, and it is looked for depth first: an operation that changed
//! nothing is taken to have had effect as soon as it would answer what it did, and one that would answer anything else
//! is not followed. A [`Monitor`], which keeps all explanations as it knows nothing of the answers to come, would take
//! a hundred times as long where five users save under one key at once.

use super::{Event, Slots};
use crate::monitor::Monitor;
use crate::store::{Answer, Operation, Progress, Slot, Store};
use std::collections::{BTreeMap, BTreeSet, HashSet};

/// The events of one key, as they look from there.
pub(super) struct OfKey {
    pub(super) key: String,
    pub(super) start: Store,
    /// What is there once nothing is under way any more, where that is known.
    pub(super) end: Option<Store>,
    /// Each with its place in the whole history.
    pub(super) events: Vec<(usize, Event)>,
}

impl OfKey {
    pub(super) fn new(key: String, start: &Slots, end: Option<&Slots>, events: Vec<(usize, Event)>) -> Self {
        let store = |slots: &Slots| Store::new([(key.clone(), slots.get(&key).cloned().unwrap_or_default())]);
        let (start, end) = (store(start), end.map(store));
        Self { key, start, end, events }
    }

    /// The calls of giving back, by their places, that can have taken the key, or none where it is possible that no
    /// call of those did. Fails with how many events can be explained, which is all of them where what is there in the
    /// end cannot.
    pub(super) fn explain(&self) -> Result<BTreeSet<Option<usize>>, usize> {
        let ways: Vec<_> =
            self.may_have_taken().into_iter().map(|taker| (taker, self.events_if_taken_by(taker))).collect();
        let can_be = |(_, events): &&(Option<usize>, Vec<Event>)| explains(events, &self.start, self.end.as_ref());
        let takers: BTreeSet<Option<usize>> = ways.iter().filter(can_be).map(|(taker, _)| *taker).collect();
        if takers.is_empty() {
            return Err(ways.iter().map(|(_, events)| explained(events, &self.start)).max().unwrap_or_default());
        }
        Ok(takers)
    }

    /// A reservation that is stale is so from the start, and so is given back at most once.
    fn may_have_taken(&self) -> Vec<Option<usize>> {
        let is_stale = matches!(self.start.slot(&self.key), Slot::Reserved { stale: true });
        let gives_back = |event: &Event| matches!(event, Event::Called { operation: Operation::GiveBack, .. });
        let calls = self.events.iter().filter(|(_, event)| is_stale && gives_back(event));
        std::iter::once(None).chain(calls.map(|(place, _)| Some(*place))).collect()
    }

    fn events_if_taken_by(&self, taker: Option<usize>) -> Vec<Event> {
        let mut last_call = BTreeMap::new();
        let event = |(place, event): &(usize, Event)| match event {
            Event::Called { client, .. } => {
                last_call.insert(*client, *place);
                event.clone()
            }
            Event::Answered { client, answer: Answer::GaveBack(_) } => {
                let count = usize::from(taker.is_some() && last_call.get(client) == taker.as_ref());
                Event::Answered { client: *client, answer: Answer::GaveBack(count) }
            }
            _ => event.clone(),
        };
        self.events.iter().map(event).collect()
    }
}

/// How many events can be explained.
fn explained(events: &[Event], start: &Store) -> usize {
    let lengths: Vec<usize> = (1..=events.len()).collect();
    // Without the answers to come: a wrong one must not keep what came before it from being explained.
    lengths.partition_point(|&length| explains(&events[..length], start, None))
}

fn explains(events: &[Event], start: &Store, end: Option<&Store>) -> bool {
    // That makes two steps of a save, which only the monitor knows of.
    if events.iter().any(|event| matches!(event, Event::Called { operation: Operation::MoveAway { .. }, .. })) {
        return monitor_explains(events, start, end);
    }
    Search::new(events, end).explains_from(start)
}

fn monitor_explains(events: &[Event], start: &Store, end: Option<&Store>) -> bool {
    let mut monitor = Monitor::new(start.clone());
    let all = events.iter().all(|event| match event {
        Event::Called { client, operation } => {
            monitor.called(*client, operation);
            true
        }
        Event::Answered { client, answer } => monitor.answered(*client, answer),
        Event::Failed { client } => {
            monitor.failed(*client);
            true
        }
    });
    all && end.is_none_or(|end| monitor.can_be(end))
}

struct Search<'a> {
    events: &'a [Event],
    /// By the place of the call, where there is one.
    answers: BTreeMap<usize, &'a Answer>,
    end: Option<&'a Store>,
}

/// How far an explanation has come.
#[derive(Clone, Debug, PartialEq, Eq, Hash)]
struct Node {
    /// The next event.
    place: usize,
    store: Store,
    /// By client: the place of the call, and how far it has come.
    under_way: BTreeMap<usize, (usize, Progress)>,
}

impl<'a> Search<'a> {
    fn new(events: &'a [Event], end: Option<&'a Store>) -> Self {
        let mut calls = BTreeMap::new();
        let mut answers = BTreeMap::new();
        for (place, event) in events.iter().enumerate() {
            match event {
                Event::Called { client, .. } => {
                    calls.insert(*client, place);
                }
                Event::Answered { client, answer } => {
                    answers.extend(calls.get(client).map(|&call| (call, answer)));
                }
                Event::Failed { .. } => {}
            }
        }
        Self { events, answers, end }
    }

    fn explains_from(&self, start: &Store) -> bool {
        let mut open = vec![Node { place: 0, store: start.clone(), under_way: BTreeMap::new() }];
        let mut seen = HashSet::new();
        while let Some(mut node) = open.pop() {
            self.go_on(&mut node);
            let waiting_for = match self.events.get(node.place) {
                Some(Event::Answered { client, .. }) => Some(*client),
                Some(Event::Failed { client }) => {
                    // It may have had no effect.
                    let mut without = node.clone();
                    without.under_way.remove(client);
                    without.place += 1;
                    open.push(without);
                    None
                }
                _ if self.end.is_none_or(|end| *end == node.store) => return true,
                _ => None,
            };
            if !seen.contains(&node) {
                open.extend(self.steps(&node, waiting_for));
                seen.insert(node);
            }
        }
        false
    }

    /// Goes on to the next event that a step must come before, and takes those that can do no harm.
    fn go_on(&self, node: &mut Node) {
        loop {
            self.take_steps_that_change_nothing(node);
            match self.events.get(node.place) {
                Some(Event::Called { client, operation }) => {
                    let progress = node.store.begin(operation);
                    node.under_way.insert(*client, (node.place, progress));
                }
                Some(Event::Answered { client, .. }) if node.is_done(*client) => {
                    node.under_way.remove(client);
                }
                _ => return,
            }
            node.place += 1;
        }
    }

    fn take_steps_that_change_nothing(&self, node: &mut Node) {
        for (call, progress) in node.under_way.values_mut() {
            let Some(&answer) = self.answers.get(call) else { continue };
            if matches!(progress, Progress::Done(_)) || !changes_nothing(answer) {
                continue;
            }
            if self.ways(&node.store, *call, progress).any(|(store, _)| store == node.store) {
                *progress = Progress::Done(answer.clone());
            }
        }
    }

    /// What can come next; last, as it is tried first, what is waited for.
    fn steps(&self, node: &Node, waiting_for: Option<usize>) -> Vec<Node> {
        let (own, others): (Vec<_>, Vec<_>) =
            node.under_way.iter().partition(|(client, _)| Some(**client) == waiting_for);
        let mut steps = Vec::new();
        for (&client, (call, progress)) in others.into_iter().chain(own) {
            for (store, progress) in self.ways(&node.store, *call, progress) {
                let mut under_way = node.under_way.clone();
                under_way.insert(client, (*call, progress));
                steps.push(Node { place: node.place, store, under_way });
            }
        }
        steps
    }

    /// The ways in which an operation can take a step that does not lead to another answer than it had.
    fn ways(
        &self,
        store: &Store,
        call: usize,
        progress: &Progress,
    ) -> impl Iterator<Item = (Store, Progress)> + use<'_> {
        let ways = match &self.events[call] {
            Event::Called { operation, .. } => store.steps(operation, progress),
            _ => Vec::new(),
        };
        let answer = self.answers.get(&call).copied();
        ways.into_iter().filter(move |(_, progress)| match (progress, answer) {
            (Progress::Done(leads_to), Some(answer)) => leads_to == answer,
            _ => true,
        })
    }
}

impl Node {
    fn is_done(&self, client: usize) -> bool {
        matches!(self.under_way.get(&client), Some((_, Progress::Done(_))))
    }
}

/// Whether an operation with this answer has changed nothing.
fn changes_nothing(answer: &Answer) -> bool {
    matches!(answer, Answer::Restored(_) | Answer::NotFound | Answer::Existed | Answer::Listed(_) | Answer::GaveBack(0))
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::store::Document;

    const KEY: &str = "AAA";
    const CLIENTS: u64 = 4;

    /// Numbers that look drawn (a 64-bit linear congruence, its high bits).
    fn numbers(seed: u64) -> impl FnMut(u64) -> u64 {
        let mut state = seed;
        move |below| {
            state = state.wrapping_mul(6_364_136_223_846_793_005).wrapping_add(1_442_695_040_888_963_407);
            (state >> 33) % below
        }
    }

    fn operation(draw: &mut impl FnMut(u64) -> u64, number: usize) -> Operation {
        let key = KEY.to_owned();
        let mark = number.to_string();
        let metadata = [(mark.clone(), mark.clone())].into();
        let document = Document { type_slug: "word".to_owned(), state: mark, metadata };
        match draw(9) {
            0 => Operation::GenerateKey { reserves: true },
            1 => Operation::Instantiate { key, document },
            2 => Operation::InstantiateOwn { key, document },
            3 | 4 => Operation::Save { key, posted: document },
            5 | 6 => Operation::Restore { key },
            7 => Operation::List,
            _ => Operation::Delete { key },
        }
    }

    /// Clients at once on one key: what they are answered is right, but for one answer in some histories, which is
    /// another's.
    fn history(seed: u64) -> (Vec<Event>, Store) {
        let mut draw = numbers(seed);
        let mut store = Store::new([(KEY.to_owned(), Slot::Absent)]);
        let mut under_way: BTreeMap<usize, (Operation, Progress)> = BTreeMap::new();
        let mut events = Vec::new();
        while events.len() < 24 {
            let client = usize::try_from(draw(CLIENTS)).expect("small");
            match under_way.remove(&client) {
                None => {
                    let operation = operation(&mut draw, events.len());
                    under_way.insert(client, (operation.clone(), store.begin(&operation)));
                    events.push(Event::Called { client, operation });
                }
                Some((_, Progress::Done(answer))) => events.push(Event::Answered { client, answer }),
                // Now and then one fails, before or after it had its effect.
                Some(_) if draw(12) == 0 => events.push(Event::Failed { client }),
                Some((operation, progress)) => match store.steps(&operation, &progress).pop() {
                    Some((after, progress)) => {
                        store = after;
                        under_way.insert(client, (operation, progress));
                    }
                    None => events.push(Event::Failed { client }),
                },
            }
        }
        let answers: Vec<Answer> = events
            .iter()
            .filter_map(|event| match event {
                Event::Answered { answer, .. } => Some(answer.clone()),
                _ => None,
            })
            .collect();
        if draw(2) == 0 && !answers.is_empty() {
            let mut any = |below: usize| usize::try_from(draw(below as u64)).expect("small");
            let (wrong, others) = (any(answers.len()), answers[any(answers.len())].clone());
            let answered = events.iter_mut().filter_map(|event| match event {
                Event::Answered { answer, .. } => Some(answer),
                _ => None,
            });
            answered.skip(wrong).take(1).for_each(|answer| *answer = others.clone());
        }
        (events, store)
    }

    #[test]
    fn the_search_and_the_monitor_agree_on_what_can_be_explained_and_how_far() {
        let start = Store::new([(KEY.to_owned(), Slot::Absent)]);
        let mut wrong = 0;
        for seed in 0..300 {
            let (events, end) = history(seed);
            for end in [None, Some(&end), Some(&start)] {
                let found = explains(&events, &start, end);
                assert_eq!(found, monitor_explains(&events, &start, end), "seed {seed}, {end:?}: {events:#?}");
                wrong += usize::from(!found);
            }
            let explained = explained(&events, &start);
            let upto_last = events.get(..=explained).is_none_or(|more| !monitor_explains(more, &start, None));
            assert!(upto_last && monitor_explains(&events[..explained], &start, None), "seed {seed}: {events:#?}");
        }
        // Both kinds are among them.
        assert!((100..800).contains(&wrong), "{wrong}");
    }

    #[test]
    fn a_file_moved_away_is_left_to_the_monitor() {
        let key = || KEY.to_owned();
        let document = |mark: &str| Document {
            state: mark.to_owned(),
            metadata: [(mark.to_owned(), mark.to_owned())].into(),
            ..Document::default()
        };
        let old = document("old");
        let both = Document::saved(&document("new"), Some(&old));
        // The save has read the document before it was moved away, and put it there again with its own.
        let call = |client, operation| Event::Called { client, operation };
        let answer = |client, answer| Event::Answered { client, answer };
        let events = [
            call(0, Operation::Save { key: key(), posted: document("new") }),
            call(1, Operation::MoveAway { key: key() }),
            answer(1, Answer::Moved(Some(old.clone()))),
            answer(0, Answer::Saved),
            call(0, Operation::Restore { key: key() }),
            answer(0, Answer::Restored(both)),
        ];
        let start = Store::new([(key(), Slot::Present(old))]);
        assert!(explains(&events, &start, None) && !Search::new(&events, None).explains_from(&start));
    }
}
