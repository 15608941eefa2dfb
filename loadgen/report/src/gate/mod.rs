//! Whether a change may land: what a run left behind, held to a file of gates.
//!
//! Measure, judge and print are three stages here too: `verify`, `run` and `compare` write files, [`judge`] answers from
//! them, [`words`] tells it. Architecture invariant: but for reading files all of it is pure: no socket, no clock, and
//! what the bootstrap draws comes from a seed in the file.
//!
//! - [`gates`]: the file of gates.
//! - [`evidence`]: what a run's folder has.
//! - [`judge`]: the gates' answers. [`words`]: those, told.
//! - [`told`]: a comparison, told. [`runs`]: two runs' folders, side by side.

pub mod evidence;
pub mod gates;
pub mod judge;
pub mod runs;
pub mod told;
pub mod words;
