//! A client of the wire contract: where the target is, one user's connection to it, and what came back.
//!
//! - [`target`]: the target's address and paths.
//! - [`wire`]: the edge to the network: a request, an answer, and the trait of whoever carries them.
//! - [`connection`]: one user's connection; `plain` goes over hyper directly, `secure` over reqwest, where it is TLS.
//! - [`exchange`]: one operation and its answer, with times.
//! - [`ledger`]: what all users keep together: whether the target answers, which keys are ours.
//! - [`user`]: the operations.

pub mod connection;
pub mod exchange;
pub mod ledger;
mod plain;
#[cfg(any(test, feature = "samples"))]
pub mod samples;
mod secure;
pub mod target;
pub mod user;
mod whole_writes;
pub mod wire;

pub use exchange::Exchange;
pub use target::Target;
pub use user::User;
pub use wire::{Client, Patience};
