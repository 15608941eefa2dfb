//! What a person or CI reads, as pure functions of records.
//!
//! - [`page`]: `report.html`, for a planner, with charts. [`summary`]: `summary.md`, for a pull request. [`terminal`]:
//!   the table that a run ends with. [`run`]: the same of a load run, and `junit.xml`.
//! - [`counterexample`]: a piece of a history that no order explains, as a [`timeline`].
//! - [`plan`]: what fits, by what was measured. [`predict`]: the model fitted to measurements.
//! - [`gate`]: whether a change may land. [`objective`]: what a target must keep to.
//! - [`files`]: the pages in a run's folder. [`splice`]: parts of a page that are made from a report.
//! - [`left_behind`]: documents that may be left on a target, and how to remove them.
//! - `escape`: text from outside, made safe for each format.
//!
//! Architecture invariant: reads records only; no socket, clock or randomness but from a seed.

#![deny(clippy::print_stdout, clippy::print_stderr)]

pub mod counterexample;
mod escape;
pub mod files;
pub mod gate;
pub mod left_behind;
pub mod objective;
pub mod page;
pub mod plan;
pub mod predict;
pub mod run;
pub mod splice;
pub mod summary;
pub mod terminal;
pub mod timeline;
