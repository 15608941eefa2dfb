//! Accesses made ready for the search: their events in the order of time, and who sees what whom wrote.

use super::Part;
use crate::documents::access::{Content, NEVER, Role};
use std::collections::HashMap;

/// A content that somebody sees.
#[derive(Clone, Copy, Debug, Default)]
pub(super) struct Value {
    /// The access that writes it.
    pub(super) write: Option<usize>,
    /// How many see it, and how many of them have asked until now.
    pub(super) readers: usize,
    pub(super) asked: usize,
    /// Whether its readers that are yet to be called count as misfits: nothing is kept for them.
    gives_up: bool,
}

impl Value {
    /// Whether somebody has yet to ask who will see it.
    pub(super) fn is_awaited(&self) -> bool {
        !self.gives_up && self.still_to_ask() > 0
    }

    pub(super) fn still_to_ask(&self) -> usize {
        self.readers - self.asked
    }

    pub(super) fn expect_no_more(&mut self) {
        self.gives_up = true;
    }

    pub(super) fn expect_all(&mut self) {
        self.gives_up = false;
    }
}

/// What an access is to the search; contents are numbered, and those that nobody sees are all alike.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Act {
    Sees(usize),
    /// It finds nothing, and leaves a reservation.
    Hands,
    SeesAbsent,
    SeesPresent,
    /// It fits nowhere.
    Impossible,
    /// It has no effect and sees nothing.
    Nothing,
    Writes(Option<usize>),
    Creates(Option<usize>),
    Removes,
}

/// Something that happens, to the access at a place.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Event {
    Call(usize),
    Return(usize),
}

/// Accesses made ready for the search.
#[derive(Debug)]
pub(super) struct Prepared {
    pub(super) acts: Vec<Act>,
    pub(super) values: Vec<Value>,
    /// In the order of time. Of what happens at the same time calls come first: intervals that touch are concurrent.
    pub(super) events: Vec<Event>,
    /// How many accesses remove the document, and were not called until now.
    pub(super) removals_ahead: usize,
}

/// Why accesses cannot be searched this way: two wrote the same content.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) struct NotUnique;

impl Prepared {
    pub(super) fn new(part: &Part<'_>) -> Result<Self, NotUnique> {
        let mut number_of: HashMap<Content, usize> = HashMap::new();
        let mut values: Vec<Value> = Vec::new();
        for (_, access) in part.in_full() {
            if let Role::SeesContent(content) = access.kind.role() {
                let number = *number_of.entry(content).or_insert_with(|| {
                    values.push(Value::default());
                    values.len() - 1
                });
                values[number].readers += 1;
            }
        }
        let mut acts = Vec::with_capacity(part.accesses.len());
        for (place, access) in part.accesses.iter().enumerate() {
            let role = access.kind.role();
            let value = access.kind.written().and_then(|content| number_of.get(&content).copied());
            if let Some(number) = value
                && values[number].write.replace(place).is_some()
            {
                return Err(NotUnique);
            }
            acts.push(match role {
                _ if part.is_ghost(place) && !role.has_effect() => Act::Nothing,
                Role::SeesContent(content) => {
                    number_of.get(&content).map_or(Act::Impossible, |&number| Act::Sees(number))
                }
                Role::Hands => Act::Hands,
                Role::SeesAbsent => Act::SeesAbsent,
                Role::SeesPresent => Act::SeesPresent,
                Role::Impossible => Act::Impossible,
                Role::Nothing => Act::Nothing,
                Role::Writes(_) => Act::Writes(value),
                Role::Creates(_) => Act::Creates(value),
                Role::Removes => Act::Removes,
            });
        }
        let removals_ahead = acts.iter().filter(|act| **act == Act::Removes).count();
        let events = events(part, &acts);
        Ok(Self { acts, values, events, removals_ahead })
    }
}

/// The events in the order of time. What has no effect and sees nothing has none, and what has no return returns never.
fn events(part: &Part<'_>, acts: &[Act]) -> Vec<Event> {
    let mut timed = Vec::with_capacity(2 * acts.len());
    for (place, access) in part.accesses.iter().enumerate().filter(|(place, _)| acts[*place] != Act::Nothing) {
        timed.push((access.called_us, false, place));
        if access.returned_us != NEVER {
            timed.push((access.returned_us, true, place));
        }
    }
    timed.sort_unstable();
    let event = |(_, is_return, place)| if is_return { Event::Return(place) } else { Event::Call(place) };
    timed.into_iter().map(event).collect()
}
