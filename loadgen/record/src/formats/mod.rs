//! Histories that others recorded, in their formats.

mod edn;
mod entry;
pub mod jepsen_register;
pub mod kv;

use check::linearizability::Call;
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
    /// No line of the file is an operation.
    #[error("expected {expected}, here or below, found {found:?}")]
    NoOperation {
        /// What an operation looks like.
        expected: &'static str,
        /// How the first line begins that is not empty.
        found: String,
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
        Self::Unexpected { expected, found: shown(found) }
    }
}

fn shown(found: &str) -> String {
    found.chars().take(Problem::SHOWN).collect()
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
    /// Records what each line of a text says: `record` gets the line and its number. `operation` is what an operation
    /// looks like: a text without any is no history, as most formats pass over lines that are none.
    fn of(
        text: &str,
        operation: &'static str,
        mut record: impl FnMut(u64, &str, &mut Self) -> Result<(), Problem>,
    ) -> Result<Self, FormatError> {
        let mut recording = Self { calls: Vec::new(), waiting: HashMap::new(), undone: HashSet::new() };
        for (line, text) in lines(text) {
            record(line, text, &mut recording).map_err(|problem| FormatError { line, problem })?;
        }
        if recording.calls.is_empty() {
            let (line, found) = lines(text).find(|(_, text)| !text.trim().is_empty()).unwrap_or((1, ""));
            let problem = Problem::NoOperation { expected: operation, found: shown(found.trim()) };
            return Err(FormatError { line, problem });
        }
        Ok(recording)
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

/// A history's text.
///
/// # Errors
/// If the bytes are not UTF-8: the line.
pub fn text(bytes: Vec<u8>) -> Result<String, FormatError> {
    String::from_utf8(bytes).map_err(|error| {
        let (good, bad) = error.as_bytes().split_at(error.utf8_error().valid_up_to());
        let line = memchr::memchr_iter(b'\n', good).count() as u64 + 1;
        FormatError { line, problem: Problem::unexpected("text in UTF-8", &String::from_utf8_lossy(bad)) }
    })
}

/// The lines with their numbers; `\n` and `\r\n` end them.
fn lines(text: &str) -> impl Iterator<Item = (u64, &str)> {
    (1..).zip(text.lines())
}
