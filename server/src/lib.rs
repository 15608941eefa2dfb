//! The reference server: a service that hands out short keys and stores one JSON document per key.
//!
//! Layout:
//! - [`keys`]: keys, their alphabet and space, and a set of those that are free. Pure.
//! - [`hint`]: what a server believes about the keys, and when it reads the folder again. Pure.
//! - [`control`]: makes the disk fail or lose power when a harness asks for it.
//! - [`fs`]: the system calls that the protocols make, as a trait; the real disk behind it.
//! - [`protocol`]: what each operation does with the files: as documented, and hardened.
//! - [`http`]: requests in, envelopes out; connections, limits, metrics.
//! - [`options`]: the server's options, and how its parts are put together from them.
//! - [`outside`]: the real clock, randomness and hint that the protocols are given.

pub mod control;
pub mod fs;
pub mod hint;
pub mod http;
pub mod keys;
pub mod options;
pub mod outside;
pub mod protocol;

pub use options::ServerOptions;
