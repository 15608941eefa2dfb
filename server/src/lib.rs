//! The reference server: a service that hands out short keys and keeps one JSON document a key.
//!
//! Layout:
//! - [`keys`]: keys, their alphabet and space, and a set of those that are free. Pure.
//! - [`hint`]: what a server believes of the keys, and when it reads the folder again. Pure.
//! - [`control`]: a disk that fails or loses its power when a harness says so.
//! - [`fs`]: the system calls that the protocols make, as a trait; the real disk behind it.
//! - [`protocol`]: what is done with the files for each operation: as documented, and hardened.
//! - [`http`]: requests in, envelopes out; connections, limits, metrics.
//! - [`options`]: what a server can be told, and how its parts are put together from it.
//! - [`outside`]: the real clock, chance, and hint that the protocols are given.

pub mod control;
pub mod fs;
pub mod hint;
pub mod http;
pub mod keys;
pub mod options;
pub mod outside;
pub mod protocol;

pub use options::ServerOptions;
