//! Benchmarks of the protocol code on real files, without HTTP, checked against what theory says; and of the judge on
//! histories whose verdict is known.
//!
//! Layout:
//! - [`attempts`]: how many keys a request should try, in closed form, and how many a sample of them did. Pure.
//! - [`saves`]: a saves folder with so many keys in use, and requests to a protocol on it.
//! - [`histories`]: histories of a store that keeps its promises, by seed.
//! - [`plot`]: a plot with logarithmic axes, as SVG. Pure.
//! - `benches/key_generation.rs`: the benchmark, time and attempts by fill.
//! - `benches/judge.rs`: how long the judge takes for histories of up to ten million operations.

pub mod attempts;
pub mod histories;
pub mod plot;
pub mod saves;
