//! The harness's binary: what it needs of the crates beside it, put together.
//!
//! The crates: `contract` (what is spoken), `check` (what is right), `stats`, `record` (files of runs), `engine` (the
//! load generator), `report` (what people and CI read). docs/architecture.md has all rooms and who imports whom.
//!
//! Layout:
//! - [`cli`]: what can be asked for on the command line, and what is done for it.
//! - [`browser`]: real browsers, and what stands between them and a server.
//! - [`run`]: a load run from end to end.
//! - [`judge`]: verdicts on recorded histories. Pure.
//! - [`lab`]: a target made ready, and left as it was.
//! - [`claims`]: each promise as quote, experiment, judgement.
//! - [`verify`]: all claims tried on a target.
//! - [`measure`]: what a target costs, by fill, users and documents.
//! - [`mod@print`]: lines on standard output and standard error.
//! - [`compare`]: two servers loaded in turns.
//! - [`saves`]: a saves folder seen from outside.
//! - [`mod@reference`]: the reference server; the only file that knows the `server` crate.

// `println!` panics if the pipe is closed; `print` has macros that do not.
#![deny(clippy::print_stdout, clippy::print_stderr)]

pub mod browser;
pub mod claims;
pub mod cli;
pub mod compare;
pub mod judge;
pub mod lab;
pub mod measure;
pub mod print;
pub mod reference;
pub mod run;
pub mod saves;
pub mod verify;
