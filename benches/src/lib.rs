//! Benchmarks of the protocol code on real files, checked against what theory and the specification say; and of the judge
//! on histories whose verdict is known.
//!
//! Layout:
//! - [`limits`]: the specification's "Performance Characteristics", and the closed form of attempts, held to what was
//!   measured. Pure.
//! - [`saves`]: a saves folder with so many keys in use, and requests to a protocol on it.
//! - [`counts`]: what operations cost in calls, allocations and bytes, which do not flicker.
//! - [`histories`]: histories of a store that keeps its promises, by seed.
//! - [`plot`]: a plot with logarithmic axes, as SVG. Pure.
//! - `benches/protocol/`: criterion on keys by fill, locks, operations by document size, the judge by history length, and
//!   requests over HTTP; the table of limits at its end.
//! - `benches/judge.rs`: how long the judge takes for histories of up to ten million operations, and how much memory.
//! - `benches/stalls.rs`: whether response times tell of a server's stalls as they were.

pub mod counts;
pub mod histories;
pub mod limits;
pub mod plot;
pub mod saves;
