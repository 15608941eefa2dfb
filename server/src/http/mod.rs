//! HTTP: requests in, envelopes out.
//!
//! Architecture invariant: nothing here knows a path of the disk; and nothing else turns errors into statuses.
//!
//! - [`route`]: which operation a request asks for. Pure.
//! - [`answer`]: envelopes and statuses. Pure.
//! - [`handler`]: one request through a protocol.
//! - [`server`]: connections, their limits, and the end.
//! - [`metrics`]: what `/metrics` shows.
//! - [`pages`]: the reference client, for browsers.

pub mod answer;
mod handler;
pub mod metrics;
pub mod pages;
pub mod route;
mod server;

pub use server::{Limits, Server, told_to_stop};
