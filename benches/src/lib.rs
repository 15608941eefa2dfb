//! Benchmarks of the protocol code on real files, without HTTP, checked against what theory says.
//!
//! Layout:
//! - [`attempts`]: how many keys a request should try, in closed form, and how many a sample of them did. Pure.
//! - [`saves`]: a saves folder with so many keys in use, and requests to a protocol on it.
//! - `benches/key_generation.rs`: the benchmark, time and attempts by fill.

pub mod attempts;
pub mod saves;
