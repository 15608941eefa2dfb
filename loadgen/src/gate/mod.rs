//! Whether a change may land: what a run left behind, held to a file of gates.
//!
//! Measure, judge and print are three stages here too: `verify`, `run` and `compare` write files, [`judge`] answers from
//! them, [`words`] tells it. Architecture invariant: but for reading files all of it is pure: no socket, no clock, and
//! what the bootstrap draws comes from a seed in the file.
//!
//! - [`gates`]: the file of gates. [`figure`]: what two servers are compared in.
//! - [`evidence`]: what a run's folder has.
//! - [`counts`], [`comparison`]: files of what operations cost, and of two servers in turns.
//! - [`failing`]: servers that fail in a comparison.
//! - [`judge`]: the gates' answers. [`words`]: those, told.
//! - [`told`]: a comparison, told. [`runs`]: two runs' folders, side by side.

pub mod comparison;
pub mod counts;
pub mod evidence;
pub mod failing;
pub mod figure;
pub mod gates;
pub mod judge;
pub mod runs;
pub mod told;
pub mod words;
