//! The service past what one machine can load: discrete events, seeded, with up to 10⁸ users and 2³² − 1 keys.
//!
//! A pure function of [`Parameters`] and a seed: no clock, no I/O. docs/methodology/model.md says what is
//! modelled and what is left out.
//!
//! | file | what |
//! |---|---|
//! | `parameters.rs`, `calibration.rs` | what is simulated; how it comes from a measurement |
//! | `distribution.rs`, `random.rs` | times and counts; seeded draws |
//! | `world.rs` | users, server and folder, from event to event |
//! | `journey.rs` | what a user does next |
//! | `queue.rs` | the events to come |
//! | `cores.rs` | the server's cores and locks |
//! | `folder.rs`, `keys.rs` | the two protocols' `generate-key`; the bitmap of keys in use |
//! | `key_hash.rs` | hash maps by key |
//! | `measure.rs`, `outcome.rs` | counting; what is told |

mod calibration;
mod cores;
mod distribution;
mod folder;
mod journey;
mod key_hash;
mod keys;
mod measure;
mod outcome;
mod parameters;
mod queue;
mod random;
#[cfg(test)]
mod tests;
mod world;

pub use calibration::Calibration;
pub use distribution::{Count, Distribution};
pub use outcome::{Attempts, Chance, FillSample, OperationOutcome, Outcome, Response};
pub use parameters::{Initial, Parameters, Protocol, Server, Users};

use serde::{Deserialize, Serialize};

/// What a user asks of the server.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash, Serialize, Deserialize)]
#[serde(rename_all = "kebab-case")]
pub enum Operation {
    /// Asks for a new key.
    GenerateKey,
    /// Makes the document, or finds it there.
    Instantiate,
    /// Reads the document.
    Restore,
    /// Writes the document.
    Save,
    /// Ends the session.
    Delete,
}

impl Operation {
    /// All of them, in the order of the client's journey.
    pub const ALL: [Self; 5] = [Self::GenerateKey, Self::Instantiate, Self::Restore, Self::Save, Self::Delete];
}

/// Simulates; the same parameters and seed give the same outcome.
///
/// # Errors
/// If [`Parameters::check`] finds something wrong.
pub fn simulate(parameters: &Parameters, seed: u64) -> Result<Outcome, String> {
    parameters.check()?;
    Ok(world::World::new(parameters, seed)?.run())
}
