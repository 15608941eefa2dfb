//! The harness: simulates users, verifies every answer, and holds a key and document server to its word.
//!
//! Layout:
//! - [`cli`]: what can be asked for on the command line, and what is done for it.
//! - [`browser`]: real browsers, and what stands between them and a server.
//! - [`client`]: one user's way to a server: target, connection, exchange.
//! - [`scenario`]: what the users of a load do, and when: the plan. Pure.
//! - [`run`]: a load run from end to end.
//! - [`engine`]: a plan carried out on a target, as fast as it can be.
//! - [`judge`]: verdicts on recorded histories. Pure.
//! - [`claims`]: each promise as quote, experiment, judgement.
//! - [`verify`]: all claims tried on a target.
//! - [`measure`]: what a target costs, by fill, users and documents.
//! - [`plan`]: what fits, by what was measured. Pure.
//! - `escape`: text from outside, made safe for each format. Pure.
//! - [`print`]: lines on standard output and standard error.
//! - [`compare`]: two servers loaded in turns.
//! - [`gate`]: whether a change may land. Pure.
//! - [`report`]: what a run found, for people and machines. Pure.
//! - [`saves`]: a saves folder seen from outside.
//! - [`reference`]: the reference server; the only file that knows the `server` crate.

// `println!` panics if the pipe is closed; `print` has macros that do not.
#![deny(clippy::print_stdout, clippy::print_stderr)]

pub mod browser;
pub mod claims;
pub mod cli;
pub mod client;
pub mod compare;
pub mod engine;
mod escape;
pub mod gate;
pub mod judge;
pub mod measure;
pub mod plan;
pub mod print;
pub mod reference;
pub mod report;
pub mod run;
pub mod saves;
pub mod scenario;
#[cfg(test)]
mod sources;
pub mod verify;
