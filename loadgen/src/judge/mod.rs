//! Verdicts on recorded histories, whatever format they are in.
//!
//! - [`claimcheck`]: a load run's own history, of a document store. [`recorded`]: histories of others.
//!
//! Architecture invariant: pure; when to stop is the caller's to say.

pub mod claimcheck;
pub mod recorded;

use report::timeline::Timeline;

/// What is to be said of a history.
#[derive(Default)]
pub struct Judged {
    /// Whether an order explains it; none where that was not found out.
    pub is_linearizable: Option<bool>,
    /// Operations that were judged.
    pub operations: u64,
    /// What there is to say beside the verdict, a line each: what is wrong and how often, or why nothing was decided.
    pub remarks: Vec<String>,
    /// Pieces that no order explains, the most telling first. To find each takes many times as long as the verdict.
    pub counterexamples: Vec<Box<dyn FnOnce() -> Timeline>>,
}
