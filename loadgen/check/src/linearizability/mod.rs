//! Whether a history can be explained: is there an order of its operations in which each takes effect at one moment
//! between its call and its return, and in which a sequential model gives every answer that was given?
//!
//! A search of the kind of Wing and Gong, with Lowe's memory of where it was before. The parts:
//! - `schedule`: who overlaps whom, worked out once.
//! - `position`: which calls are placed so far, and which can be next.
//! - `search`: depth first, one call placed at a time, and why what it leaves out is not needed.
//! - `memo`: where the search has been; `states`: the model's states and steps under numbers, each worked out once;
//!   `index`: the hash table of both.
//! - `shrink`: the smallest part that no order explains.
//!
//! Architecture invariant: generic and pure. The model says what an operation does; the caller says when to stop.

mod index;
mod memo;
mod position;
mod schedule;
mod search;
mod shrink;
mod states;

#[cfg(test)]
mod brute_force;
#[cfg(test)]
mod tests;

pub use shrink::{Piece, smallest};

use schedule::Schedule;
use search::Search;
use std::collections::HashMap;
use std::fmt;
use std::hash::Hash;

/// How an object behaves where operations come one after another.
pub trait Model {
    /// What the object remembers.
    type State: Eq + Hash;

    /// What was asked, and what was answered or that nothing is known of it.
    type Operation;

    /// The state before the first operation.
    fn initial(&self) -> Self::State;

    /// The state after an operation; `None` where its answer is not right in that state. The same input must always
    /// have the same result.
    fn step(&self, state: &Self::State, operation: &Self::Operation) -> Option<Self::State>;

    /// Whether an operation leaves *every* state as it is in which it is right. A write of the value that is there
    /// already does not count, as it would change another state. To say `false` is always right, and slower.
    fn is_read_only(&self, _operation: &Self::Operation) -> bool {
        false
    }

    /// Whether in *every* state two operations have the same result in either order: the same state, or not right.
    /// Symmetric. To say `false` is always right, and slower.
    fn commute(&self, _one: &Self::Operation, _other: &Self::Operation) -> bool {
        false
    }

    /// The bytes that a state holds outside of itself, for the budget.
    fn heap_bytes(&self, _state: &Self::State) -> usize {
        0
    }
}

/// An operation as it was seen from outside. All times of a history are of one clock that never goes back.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Call<O> {
    /// Who called, for reports.
    pub process: u64,
    /// What was asked and answered.
    pub operation: O,
    /// When it was called, in any unit.
    pub called: u64,
    /// When the answer was there. `None` without one: it may take effect at any later time, or never. One that is
    /// before the call counts as at the call. A call at the very time of a return is concurrent with it.
    pub returned: Option<u64>,
}

/// What can be said of a history. All numbers are indices in the caller's list of calls.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Verdict {
    /// It can be explained.
    Linearizable {
        /// An order that explains it. Calls without a return that had no effect are not in it.
        order: Vec<usize>,
    },
    /// No order explains it.
    NotLinearizable {
        /// An order of the first part, as long as one was found.
        longest: Vec<usize>,
        /// The calls of which one had to be next, in order of their returns; none of them is right after `longest`.
        blocked: Vec<usize>,
    },
    /// The budget was used up first.
    Undecided {
        /// What there was not enough of.
        why: Limit,
    },
}

impl Verdict {
    fn with_indices(self, index_of: impl Fn(usize) -> usize) -> Self {
        let indices = |list: Vec<usize>| list.into_iter().map(&index_of).collect();
        match self {
            Self::Linearizable { order } => Self::Linearizable { order: indices(order) },
            Self::NotLinearizable { longest, blocked } => {
                Self::NotLinearizable { longest: indices(longest), blocked: indices(blocked) }
            }
            Self::Undecided { why } => Self::Undecided { why },
        }
    }
}

/// What a search can run out of.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Limit {
    /// The caller said stop.
    Stopped,
    /// Memory.
    Memory,
}

impl fmt::Display for Limit {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(match self {
            Self::Stopped => "it was told to stop before it was done",
            Self::Memory => "it would have needed more memory than it may use",
        })
    }
}

/// What a search may use. One budget can serve several searches: each may use all of the memory, and they count
/// their steps together.
pub struct Budget<'a> {
    memory_bytes: usize,
    must_stop: Box<dyn FnMut() -> bool + 'a>,
    steps_until_asked: u32,
}

impl<'a> Budget<'a> {
    /// Steps between two questions whether to stop. A step takes well under a microsecond, but for the model's work.
    const STEPS: u32 = 4096;

    /// Nothing that takes 16 bytes each can be more than 32 bits count, within so many bytes.
    const MOST_BYTES: usize = 1 << 36;

    /// A budget of memory, and a question whether to stop now. It is asked every few thousand steps.
    pub fn new(memory_bytes: usize, must_stop: impl FnMut() -> bool + 'a) -> Self {
        Self {
            memory_bytes: memory_bytes.min(Self::MOST_BYTES),
            must_stop: Box::new(must_stop),
            steps_until_asked: Self::STEPS,
        }
    }

    /// Counts steps that were made and memory that is held; says what there is not enough of.
    fn spend(&mut self, steps: u32, held_bytes: usize) -> Option<Limit> {
        if held_bytes > self.memory_bytes {
            return Some(Limit::Memory);
        }
        self.steps_until_asked = self.steps_until_asked.saturating_sub(steps);
        if self.steps_until_asked > 0 {
            return None;
        }
        self.steps_until_asked = Self::STEPS;
        (self.must_stop)().then_some(Limit::Stopped)
    }
}

impl fmt::Debug for Budget<'_> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Budget").field("memory_bytes", &self.memory_bytes).finish_non_exhaustive()
    }
}

/// Checks a history.
#[must_use]
pub fn check<M: Model>(model: &M, calls: &[Call<M::Operation>], budget: &mut Budget<'_>) -> Verdict {
    let all: Vec<usize> = (0..calls.len()).collect();
    check_part(model, calls, &all, budget)
}

/// Checks those calls of a history whose indices are in `part`, as if there were no others. Linearizability is local:
/// a history of independent objects can be explained if the part of each object can (Herlihy and Wing, 1990).
///
/// # Panics
/// Where an index is not one of `calls`.
#[must_use]
pub fn check_part<M: Model>(
    model: &M,
    calls: &[Call<M::Operation>],
    part: &[usize],
    budget: &mut Budget<'_>,
) -> Verdict {
    if Schedule::bytes(part.len()) > budget.memory_bytes {
        return Verdict::Undecided { why: Limit::Memory };
    }
    // An open call that changes nothing and says nothing explains nothing.
    let is_of_use = |&index: &usize| calls[index].returned.is_some() || !model.is_read_only(&calls[index].operation);
    let part: Vec<usize> = part.iter().copied().filter(is_of_use).collect();
    let calls: Vec<&Call<M::Operation>> = part.iter().map(|&index| &calls[index]).collect();
    let schedule = Schedule::new(&calls);
    Search::new(model, &calls, &schedule).run(budget).with_indices(|index| part[index])
}

/// The indices of a history's calls by what they belong to, in order of the first call of each.
#[must_use]
pub fn partition<O, K: Eq + Hash>(calls: &[Call<O>], key_of: impl Fn(&O) -> K) -> Vec<Vec<usize>> {
    let mut part_of: HashMap<K, usize> = HashMap::new();
    let mut parts: Vec<Vec<usize>> = Vec::new();
    for (index, call) in calls.iter().enumerate() {
        let part = *part_of.entry(key_of(&call.operation)).or_insert(parts.len());
        if part == parts.len() {
            parts.push(Vec::new());
        }
        parts[part].push(index);
    }
    parts
}

/// A number of 32 bits. That there are enough of them, [`Budget::MOST_BYTES`] sees to.
fn number(count: usize) -> u32 {
    u32::try_from(count).unwrap_or(u32::MAX)
}
