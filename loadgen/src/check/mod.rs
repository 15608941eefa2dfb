//! The one definition of right: what a document store answers.
//!
//! Layout:
//! - [`store`]: the sequential model, what operations answer that come one after another.
//! - [`monitor`]: whether what was answered at the same time can be explained by some order of such operations.
//! - [`answer`]: what an answer on the wire says; [`session`]: what one user can say of it while the load runs.
//! - [`history`]: a whole history of many keys, split by key, and what of it cannot be explained.
//!
//! Architecture invariant: pure. The proofs of `concurrency-tests` and the checks of recorded histories hold results
//! to this and to nothing else.

pub mod answer;
pub mod history;
pub mod monitor;
pub mod session;
pub mod store;

pub use monitor::Monitor;
pub use store::{Answer, Document, Operation, Slot, Store};
