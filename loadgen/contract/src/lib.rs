//! What is spoken between a client and the service: operations, requests, responses, keys and documents.
//!
//! Layout:
//! - [`Operation`]: the six operations; the only enumeration of them.
//! - [`request`]: where operations are asked for, and the one encoding of their bodies.
//! - [`reply`]: a response as HTTP delivered it; [`failure`]: why there is none.
//! - [`envelope`]: what a response means by status and envelope together.
//! - [`message`]: the texts that clients tell cases apart by.
//! - [`response`]: the one decoding of responses.
//! - [`key`]: session keys. [`document`]: documents whose content identifies who wrote it.
//! - [`visible`], [`excerpt`]: text from outside, made safe to print.
//!
//! Architecture invariant: pure; no socket, file or clock.

#![deny(clippy::print_stdout, clippy::print_stderr)]

pub mod document;
pub mod envelope;
pub mod failure;
pub mod key;
pub mod message;
mod operation;
pub mod reply;
pub mod request;
pub mod response;
mod visible;

pub use envelope::{Answer, Body, CUT_SHORT, Meaning, blames_request, had_no_effect};
pub use failure::Failure;
pub use operation::Operation;
pub use reply::{Head, Reply};
pub use request::{DEFAULT_PATH_TEMPLATE, Paths, Request};
pub use visible::{excerpt, visible, visible_character, visible_lines};
