//! Histories that others recorded, in their formats.

mod edn;
mod entry;
pub mod jepsen_register;
pub mod kv;

use crate::check::linearizability::Call;
use std::collections::{HashMap, HashSet};
use thiserror::Error;

/// A line that cannot be right.
#[derive(Clone, Debug, PartialEq, Eq, Error)]
#[error("line {line}: {problem}")]
pub struct FormatError {
    /// Its number, from 1.
    pub line: u64,
    /// What is wrong with it.
    pub problem: Problem,
}

/// What can be wrong with a line.
#[derive(Clone, Debug, PartialEq, Eq, Error)]
pub enum Problem {
    /// Something else stands where something was expected.
    #[error("expected {expected}, found {found:?}")]
    Unexpected {
        /// What can stand there.
        expected: &'static str,
        /// What stands there, or the beginning of it.
        found: String,
    },
    /// A process called that is still waiting.
    #[error("expected the answer to process {process}'s call of line {since}, found another call of it")]
    StillWaiting {
        /// The process.
        process: u64,
        /// The line of its call.
        since: u64,
    },
    /// A process got an answer that had not called.
    #[error("expected a call of process {process} before an answer to it")]
    NotWaiting {
        /// The process.
        process: u64,
    },
    /// An answer does not belong to the call.
    #[error("expected an answer to the call of line {since}, found one to another call")]
    AnotherCall {
        /// The line of the call.
        since: u64,
    },
}

impl Problem {
    /// What can be shown of what was found.
    const SHOWN: usize = 40;

    fn unexpected(expected: &'static str, found: &str) -> Self {
        Self::Unexpected { expected, found: found.chars().take(Self::SHOWN).collect() }
    }
}

/// Calls, as lines tell of them. The number of a line is its time.
struct Recording<O> {
    calls: Vec<Call<O>>,
    /// By process, the index of its call that waits for an answer.
    waiting: HashMap<u64, usize>,
    /// The lines of calls that did not happen.
    undone: HashSet<u64>,
}

impl<O> Recording<O> {
    fn new() -> Self {
        Self { calls: Vec::new(), waiting: HashMap::new(), undone: HashSet::new() }
    }

    /// A call begins.
    fn call(&mut self, line: u64, process: u64, operation: O) -> Result<(), Problem> {
        if let Some(&index) = self.waiting.get(&process) {
            return Err(Problem::StillWaiting { process, since: self.calls[index].called });
        }
        self.waiting.insert(process, self.calls.len());
        self.calls.push(Call { process, operation, called: line, returned: None });
        Ok(())
    }

    /// A process has its answer, or no longer waits for one: its call, to be completed.
    fn answer(&mut self, process: u64) -> Result<&mut Call<O>, Problem> {
        let index = self.waiting.remove(&process).ok_or(Problem::NotWaiting { process })?;
        Ok(&mut self.calls[index])
    }

    /// The call of this line did not happen: no order has to have a place for it.
    fn did_not_happen(&mut self, called: u64) {
        self.undone.insert(called);
    }

    /// The calls that happened, or may have.
    fn into_calls(self) -> Vec<Call<O>> {
        self.calls.into_iter().filter(|call| !self.undone.contains(&call.called)).collect()
    }
}

/// The lines with their numbers; `\n` and `\r\n` end them.
fn lines(text: &str) -> impl Iterator<Item = (u64, &str)> {
    (1..).zip(text.lines())
}
