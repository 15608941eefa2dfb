//! What theory says: statistics to judge chance by, and closed forms of what the specification's protocol and its
//! locks do under load. Each formula is derived in docs/methodology/model.md and held to a simulation by a test beside it.
//!
//! - [`keys`]: attempts of a request by fill, key length and alphabet
//! - [`collisions`]: sessions that two users share, and keys that come round again
//! - [`guesses`]: how many guesses hit a session
//! - [`queueing`]: users who wait for one lock
//! - [`scalability`]: a law fitted to measured throughput by users
//! - [`folder`]: disk space by documents
//! - [`mod@line`]: a straight line fitted to measured times
//! - [`ratio`]: how many times as much one server takes as another, from pairs of measurements
//! - [`statistics`]: intervals and goodness of fit
//! - [`simulation`]: the service event by event, past what one machine can load
//!
//! Architecture invariant: pure; no socket, clock or file, and no randomness but from a seed.

#![deny(clippy::print_stdout, clippy::print_stderr)]

pub mod collisions;
pub mod folder;
pub mod guesses;
pub mod keys;
mod least_squares;
pub mod line;
pub mod queueing;
pub mod ratio;
pub mod scalability;
#[cfg(test)]
mod simulated;
pub mod simulation;
pub mod statistics;

/// How far `at` lies beyond what was measured, as a multiple of the `largest` measured: 1 where it lies within.
///
/// A fitted law says nothing about what it was not fitted to; whoever prints a prediction above 1 must mark it, and
/// above a multiple that they choose refuse it.
#[must_use]
fn beyond(at: f64, largest: f64) -> f64 {
    (at / largest).max(1.0)
}
