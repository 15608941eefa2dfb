//! What of a timeline is shown: checked, as a caller's order may be none, and no more than can be drawn.

use super::text::{grouped, operations};
use super::{Bar, Timeline};
use std::collections::BTreeSet;

/// At most so many operations and processes.
#[derive(Clone, Copy, Debug)]
pub(super) struct Limits {
    pub(super) operations: usize,
    pub(super) processes: usize,
}

/// Misfits that others are measured by; more make no difference to what is near.
const ANCHORS: usize = 50;

/// When an operation can have had effect.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) struct Interval {
    pub(super) called: u64,
    pub(super) returned: Option<u64>,
}

impl Interval {
    /// An answer that came before the call is taken to have come with it.
    fn of(bar: &Bar) -> Self {
        Self { called: bar.called, returned: bar.returned.map(|returned| returned.max(bar.called)) }
    }

    pub(super) fn end(self) -> u64 {
        self.returned.unwrap_or(u64::MAX)
    }

    /// How much time is between the two; nothing where they overlap.
    fn distance(self, other: Self) -> u64 {
        self.called.saturating_sub(other.end()).max(other.called.saturating_sub(self.end()))
    }
}

/// Where an operation is in the order.
#[derive(Clone, Copy, Debug)]
pub(super) struct Place<'a> {
    /// From 1 on, in the whole order.
    pub(super) number: usize,
    pub(super) before: &'a str,
    pub(super) after: &'a str,
}

/// One operation that is shown.
#[derive(Clone, Copy, Debug)]
pub(super) struct Operation<'a> {
    /// Its place in the timeline.
    pub(super) index: usize,
    pub(super) bar: &'a Bar,
    pub(super) interval: Interval,
    pub(super) place: Option<Place<'a>>,
    pub(super) is_misfit: bool,
}

/// What is shown of a timeline.
#[derive(Clone, Debug)]
pub(super) struct Shown<'a> {
    /// By their calls.
    pub(super) operations: Vec<Operation<'a>>,
    /// Places in `operations`, as the order has them.
    pub(super) order: Vec<usize>,
    /// How many operations the whole order has, those included that are not shown.
    pub(super) placed: usize,
    pub(super) initial_state: &'a str,
    /// The state after the whole order.
    pub(super) last_state: &'a str,
    /// What a reader has to know of what is not shown, or not as it was given.
    pub(super) notes: Vec<String>,
}

impl<'a> Shown<'a> {
    pub(super) fn new(timeline: &'a Timeline, limits: Limits) -> Self {
        let mut notes = Vec::new();
        let mut all: Vec<Operation<'a>> = timeline.operations.iter().enumerate().map(unplaced).collect();
        let placed = place(timeline, &mut all, &mut notes);
        mark_misfits(timeline, &mut all, &mut notes);
        note_impossible_answers(timeline, &mut notes);
        let count = all.len();
        let mut operations = nearest(all, limits);
        operations.sort_by_key(|operation| (operation.interval.called, operation.interval.end(), operation.index));
        note_what_is_missing(timeline.hidden, operations.len(), count, &mut notes);
        let mut order: Vec<usize> = (0..operations.len()).filter(|&at| operations[at].place.is_some()).collect();
        order.sort_by_key(|&at| operations[at].place.map(|place| place.number));
        let initial_state = timeline.initial_state.as_str();
        let last_state = timeline.order[..placed].last().map_or(initial_state, |placed| &placed.state);
        Self { operations, order, placed, initial_state, last_state, notes }
    }

    pub(super) fn misfits(&self) -> impl Iterator<Item = &Operation<'a>> {
        self.operations.iter().filter(|operation| operation.is_misfit)
    }

    /// The latest moment that anything is known of.
    pub(super) fn latest(&self) -> u64 {
        let moment = |operation: &Operation| operation.interval.returned.unwrap_or(operation.interval.called);
        self.operations.iter().map(moment).max().unwrap_or_default()
    }
}

fn unplaced((index, bar): (usize, &Bar)) -> Operation<'_> {
    Operation { index, bar, interval: Interval::of(bar), place: None, is_misfit: false }
}

/// Gives the operations their places, as far as the order is one, and says how many those are.
fn place<'a>(timeline: &'a Timeline, all: &mut [Operation<'a>], notes: &mut Vec<String>) -> usize {
    let mut before = timeline.initial_state.as_str();
    let mut latest_call = 0;
    for (at, placed) in timeline.order.iter().enumerate() {
        let number = at + 1;
        let operation = all.get_mut(placed.operation);
        let problem = match &operation {
            None => Some("there is no such operation"),
            Some(operation) if operation.place.is_some() => Some("the operation has a place already"),
            Some(operation) if operation.interval.end() < latest_call => {
                Some("its answer was there before one that comes earlier in the order was called")
            }
            Some(_) => None,
        };
        if let Some(problem) = problem {
            notes.push(format!("The order is shown up to number {at} only; number {number} cannot be: {problem}."));
            return at;
        }
        if let Some(operation) = operation {
            latest_call = latest_call.max(operation.interval.called);
            operation.place = Some(Place { number, before, after: &placed.state });
            before = &placed.state;
        }
    }
    timeline.order.len()
}

fn mark_misfits(timeline: &Timeline, all: &mut [Operation<'_>], notes: &mut Vec<String>) {
    let mut wrong = 0;
    for &index in &timeline.misfits {
        match all.get_mut(index) {
            Some(operation) if operation.place.is_none() => operation.is_misfit = true,
            _ => wrong += 1,
        }
    }
    if wrong > 0 {
        let count = operations(wrong);
        notes.push(format!("{count} said to fit nowhere cannot be marked: not in the history, or in the order."));
    }
}

fn note_impossible_answers(timeline: &Timeline, notes: &mut Vec<String>) {
    let is_impossible = |bar: &&Bar| bar.returned.is_some_and(|returned| returned < bar.called);
    let count = timeline.operations.iter().filter(is_impossible).count();
    if count > 0 {
        notes.push(format!("{} said to be answered before the call; shown as answered at once.", operations(count)));
    }
}

fn note_what_is_missing(hidden: usize, shown: usize, count: usize, notes: &mut Vec<String>) {
    if shown < count {
        let (shown, count) = (grouped(shown), grouped(count));
        notes.push(format!("Only a part is shown: {shown} of {count} operations, nearest to what fits nowhere."));
    }
    if hidden > 0 {
        let rest = if hidden == 1 {
            "is not shown: whatever it did, no order explains these"
        } else {
            "are not shown: whatever they did, no order explains these"
        };
        notes.push(format!("{} of the history {rest}.", operations(hidden)));
    }
}

/// As many as the limits allow: the misfits, and then what is nearest to them in time.
fn nearest(mut all: Vec<Operation<'_>>, limits: Limits) -> Vec<Operation<'_>> {
    let anchors = anchors(&all);
    let distance = |operation: &Operation| {
        let distances = anchors.iter().map(|anchor| operation.interval.distance(*anchor));
        (!operation.is_misfit, distances.min().unwrap_or_default(), operation.index)
    };
    all.sort_by_cached_key(distance);
    let mut processes = BTreeSet::new();
    all.retain(|operation| {
        let process = operation.bar.process.as_str();
        processes.contains(process) || (processes.len() < limits.processes && processes.insert(process))
    });
    all.truncate(limits.operations);
    all
}

/// What is to be seen in any case: the misfits; without any the end of the order; without one the last operation.
fn anchors(all: &[Operation<'_>]) -> Vec<Interval> {
    let misfits: Vec<Interval> =
        all.iter().filter(|operation| operation.is_misfit).map(|operation| operation.interval).take(ANCHORS).collect();
    if !misfits.is_empty() {
        return misfits;
    }
    let last = all.iter().max_by_key(|operation| {
        (operation.place.map(|place| place.number), operation.interval.called, operation.index)
    });
    last.map(|operation| operation.interval).into_iter().collect()
}
