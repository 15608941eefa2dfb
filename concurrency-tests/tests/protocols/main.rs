//! The two protocols in every interleaving of their system calls, on the model of files.
//!
//! Each test searches to the end, or to the bound on preemptions that it states; the documented protocol's known
//! faults must be *found*, by the same scenarios that the hardened protocol has to pass. How many interleavings
//! each took, and how they came out, is printed with `cargo test -p concurrency-tests -- --nocapture`.

mod documented;
mod hardened;
mod model;
mod mutants;
mod scenarios;
