//! What theory says: statistics to judge chance by, and the closed forms of the specification's protocol.
//!
//! Architecture invariant: pure; no socket, clock or randomness.

pub mod keys;
pub mod statistics;
