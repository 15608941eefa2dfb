//! A line of a counterexample.

use serde::{Deserialize, Serialize};
use std::fmt;

/// Microseconds as milliseconds.
#[must_use]
pub fn ms(us: u64) -> f64 {
    us as f64 / 1e3
}

/// A line of a counterexample: who did what, when, and what came back. Lines that are no exchange (what was found
/// on the disk, what should have come) have no user or time.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub struct Step {
    /// Number of the user.
    pub user: Option<usize>,
    /// Begin, ms since the start of the run.
    pub from_ms: Option<f64>,
    /// End, ms since the start of the run.
    pub to_ms: Option<f64>,
    /// What was done.
    pub did: String,
    /// What came back.
    pub got: String,
}

impl Step {
    /// A line that is a finding, not an exchange.
    #[must_use]
    pub fn finding(did: impl Into<String>, got: impl Into<String>) -> Self {
        Self { user: None, from_ms: None, to_ms: None, did: did.into(), got: got.into() }
    }
}

impl fmt::Display for Step {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        if let (Some(from), Some(to)) = (self.from_ms, self.to_ms) {
            write!(f, "{from:>11.3} to {to:>11.3} ms  ")?;
        }
        if let Some(user) = self.user {
            write!(f, "user {user:<4} ")?;
        }
        write!(f, "{} → {}", self.did, self.got)
    }
}
