//! The one definition of right: what a document store answers.
//!
//! Layout:
//! - [`store`]: the sequential model, what operations answer that come one after another.
//! - [`linearizability`]: whether an order explains a recorded history, for any sequential model; [`models`]: those of
//!   histories that others recorded.
//! - [`monitor`]: whether what was answered at the same time can be explained by some order of such operations.
//! - [`session`]: what one user can say of a response while the load runs.
//! - [`history`]: a whole history of many keys, split by key, and what of it cannot be explained: of the proofs, small
//!   and exact in every operation.
//! - [`documents`]: a load run's history, however long, judged key by key. [`anomaly`]: names for what goes wrong.
//!
//! Architecture invariant: pure. The proofs of `concurrency-tests` and the checks of recorded histories hold results
//! to this and to nothing else.

#![deny(clippy::print_stdout, clippy::print_stderr)]

pub mod anomaly;
pub mod documents;
pub mod history;
pub mod linearizability;
pub mod models;
pub mod monitor;
pub mod session;
pub mod store;

pub use monitor::Monitor;
pub use store::{Answer, Document, Operation, Slot, Store};
