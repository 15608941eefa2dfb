//! What a run found, for people and for machines.
//!
//! Architecture invariant: pages are pure functions of records; no socket, clock or randomness.
//!
//! - [`counterexample`]: a piece of a history that no order explains, as a [`timeline`].
//! - [`files`]: the pages in a run's folder.
//! - [`left_behind`]: documents that may be left on a target, and how to remove them.
//! - [`page`]: `report.html`, for a planner, with charts.
//! - [`run`]: the pages of a load run.
//! - [`splice`]: parts of a page that are made from a report.
//! - [`summary`]: `summary.md`, for a pull request.
//! - [`terminal`]: the table that a run ends with.

pub mod counterexample;
pub mod files;
pub mod left_behind;
pub mod page;
pub mod run;
pub mod splice;
pub mod summary;
pub mod terminal;
pub mod timeline;
