//! An explicit-state explorer: the protocols' own code, stepped call by call through every state that a scenario can reach.
//!
//! Where loom runs every interleaving from start to end, this keeps the states that it has seen: two interleavings
//! that lead to the same files, the same progress of every client and the same possible explanations go on as one. So
//! it exhausts scenarios that are far out of loom's reach. A state is all there is to know of the future: the
//! [`server::fs::memory::Kernel`], what every operation was given so far ([`script`], [`program`]), the hint of each server process, and the
//! linearizability [`check::Monitor`] with its possible explanations.
//!
//! - An operation is called just before its first step and answered just after its last: any other moments would only
//!   widen its interval, and so allow more.
//! - Closing a file is part of the step before it: it can only let others go on who wait for its lock.
//! - A step of a hint that no other client of the process uses is taken at once: nobody can tell.
//!
//! The search is breadth first, so the first violation found is one of the shortest.

pub mod hint;
pub mod program;
pub mod schedule;
pub mod script;
pub mod search;
pub mod subject;
pub mod trace;

pub use program::{Part, Programs};
pub use schedule::Schedule;
pub use script::Script;
pub use search::{Move, Scenario, Searched, Violation, search};

/// A violation as one can follow it, and the schedule by which to see it again.
#[must_use]
pub fn told(programs: &mut Programs, scenario: &Scenario, violation: &Violation) -> String {
    let schedule = Schedule { scenario: scenario.clone(), moves: violation.moves.clone() };
    tell(programs, &schedule).unwrap_or_else(|error| format!("{}\n{error}: {schedule}", violation.broken))
}

/// What happens in a schedule.
///
/// # Errors
/// In words, where it makes a move that cannot be made.
pub fn tell(programs: &mut Programs, schedule: &Schedule) -> Result<String, String> {
    let trace = search::replay(programs, &schedule.scenario, &schedule.moves)?;
    Ok(format!("{trace}\nSchedule: {schedule}\n"))
}
