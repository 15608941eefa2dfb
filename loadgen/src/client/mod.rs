//! A client of the wire contract: where the target is, one user's connection to it, and what came back.
//!
//! - [`target`]: the target's address and paths.
//! - [`connection`]: one user's connection, over hyper directly, or over reqwest where it is TLS.
//! - [`exchange`]: one operation and its answer, with times.
//! - [`ledger`]: what all users keep together: whether the target answers, which keys are ours.
//! - [`user`]: the operations.

pub mod connection;
pub mod exchange;
pub mod ledger;
pub mod target;
pub mod user;

pub use exchange::{Answer, Exchange, Failure};
pub use target::{Operation, Target};
pub use user::User;
