//! A saves folder seen from outside: its documents counted, audited, archived, and filled.
//!
//! - [`fill`]: documents made to reach a fill.
//! - [`archive`]: old documents moved away, without losing one in use.

pub mod archive;
pub mod fill;

pub use fill::{Fill, Filler};
