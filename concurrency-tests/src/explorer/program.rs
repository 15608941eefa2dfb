//! Operations as automata, learned as far as a search goes: from a state, what a step gives leads to the next.
//!
//! An operation's state is all that it was given ([`super::script`]). Learned once, it is looked up ever after, in
//! every scenario in which the operation stands.

use super::script::{Given, Script, Step};
use crate::scenario::Action;
use check::Answer;
use server::fs::memory::FileId;
use std::collections::HashMap;
use std::collections::hash_map::Entry;
use std::hash::Hash;
use std::pin::Pin;
use std::task::{Context, Waker};

/// A number that stands for a value that is kept once.
pub type Id = u32;

/// Values by number.
#[derive(Debug)]
pub struct Interned<T> {
    values: Vec<T>,
    ids: HashMap<T, Id>,
}

impl<T> Default for Interned<T> {
    fn default() -> Self {
        Self { values: Vec::new(), ids: HashMap::new() }
    }
}

impl<T: Clone + Eq + Hash> Interned<T> {
    /// The number of a value.
    pub fn id(&mut self, value: T) -> Id {
        match self.ids.entry(value) {
            Entry::Occupied(known) => *known.get(),
            Entry::Vacant(new) => {
                let id = number(self.values.len());
                self.values.push(new.key().clone());
                *new.insert(id)
            }
        }
    }

    /// The value of a number that [`Interned::id`] gave.
    #[must_use]
    pub fn get(&self, id: Id) -> &T {
        &self.values[id as usize]
    }
}

/// A place in a vector, as a number.
fn number(place: usize) -> Id {
    Id::try_from(place).unwrap_or_else(|_| unreachable!("a search keeps fewer than 2^32 of anything"))
}

/// An action of a client, with everything that it depends on.
#[derive(Clone, Debug, PartialEq, Eq, Hash)]
pub struct Part {
    /// What is done.
    pub action: Action,
    /// By whom: its place among the clients of the scenario.
    pub client: usize,
    /// The how-manieth action of the client this is.
    pub number: usize,
    /// The key that it was last handed.
    pub handed: Option<String>,
}

/// Has a part done by the code under test, on what a script gives.
pub type Perform = dyn Fn(&Part, Script) -> Pin<Box<dyn Future<Output = Answer>>> + Send + Sync;

/// Where an operation is.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash, PartialOrd, Ord)]
pub struct Place {
    /// Which part.
    pub part: Id,
    /// Which state of it.
    state: Id,
}

/// What comes next at a place.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Next {
    /// This step.
    Ask(Id),
    /// It is done, with this answer.
    Done(Id),
}

#[derive(Debug)]
struct State {
    /// The state before, and what was given there; none at the start.
    came_by: Option<(Id, Id)>,
    next: Next,
    /// What was closed on the way here.
    closed: Vec<FileId>,
}

/// All that is known of the code under test.
pub struct Programs {
    perform: Box<Perform>,
    can_exchange: bool,
    parts: Interned<Part>,
    /// By part.
    states: Vec<Vec<State>>,
    steps: Interned<Step>,
    given: Interned<Given>,
    answers: Interned<Answer>,
    ways: HashMap<(Place, Id), Place>,
}

impl std::fmt::Debug for Programs {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.debug_struct("Programs").field("parts", &self.parts.values.len()).finish_non_exhaustive()
    }
}

impl Programs {
    /// Nothing is known yet.
    #[must_use]
    pub fn new(perform: Box<Perform>, can_exchange: bool) -> Self {
        Self {
            perform,
            can_exchange,
            parts: Interned::default(),
            states: Vec::new(),
            steps: Interned::default(),
            given: Interned::default(),
            answers: Interned::default(),
            ways: HashMap::new(),
        }
    }

    /// Where a part begins.
    pub fn start(&mut self, part: Part) -> Place {
        let id = self.parts.id(part);
        if self.states.len() <= id as usize {
            self.states.push(Vec::new());
            self.learn(id, None);
        }
        Place { part: id, state: 0 }
    }

    /// Where something given at a place leads.
    pub fn follow(&mut self, place: Place, given: Given) -> Place {
        let given = self.given.id(given);
        if let Some(&known) = self.ways.get(&(place, given)) {
            return known;
        }
        let state = self.learn(place.part, Some((place.state, given)));
        let next = Place { part: place.part, state };
        self.ways.insert((place, given), next);
        next
    }

    /// What comes next at a place.
    #[must_use]
    pub fn next(&self, place: Place) -> Next {
        self.state(place).next
    }

    /// What the operation closed on its way to a place.
    #[must_use]
    pub fn closed(&self, place: Place) -> &[FileId] {
        &self.state(place).closed
    }

    /// A part by its number.
    #[must_use]
    pub fn part(&self, part: Id) -> &Part {
        self.parts.get(part)
    }

    /// A step by its number.
    #[must_use]
    pub fn step(&self, id: Id) -> &Step {
        self.steps.get(id)
    }

    /// An answer by its number.
    #[must_use]
    pub fn answer(&self, id: Id) -> &Answer {
        self.answers.get(id)
    }

    fn state(&self, place: Place) -> &State {
        &self.states[place.part as usize][place.state as usize]
    }

    /// Runs a part to the state that it came to by this.
    fn learn(&mut self, part: Id, came_by: Option<(Id, Id)>) -> Id {
        let script = Script::new(self.all_given(part, came_by), self.can_exchange);
        let mut run = (self.perform)(self.parts.get(part), script.clone());
        let polled = run.as_mut().poll(&mut Context::from_waker(Waker::noop()));
        // Everything that the operation owns, and drops at its end, is dropped by now, if it has ended.
        let stopped = script.stop();
        let next = match (polled, stopped.asked) {
            (std::task::Poll::Ready(answer), _) => Next::Done(self.answers.id(answer)),
            (std::task::Poll::Pending, Some(step)) => Next::Ask(self.steps.id(step)),
            (std::task::Poll::Pending, None) => unreachable!("an operation waits for nothing but its steps"),
        };
        let states = &mut self.states[part as usize];
        states.push(State { came_by, next, closed: stopped.closed });
        number(states.len() - 1)
    }

    fn all_given(&self, part: Id, came_by: Option<(Id, Id)>) -> Vec<Given> {
        let mut all = Vec::new();
        let mut way = came_by;
        while let Some((state, given)) = way {
            all.push(self.given.get(given).clone());
            way = self.states[part as usize][state as usize].came_by;
        }
        all.reverse();
        all
    }
}
