//! Every file format that a run leaves: its types, schema, reader and writer.
//!
//! Measure, judge, print are three stages with a file between each; these are the files.
//!
//! - [`files`]: a run's folder.
//! - [`claims`]: `claims.json`: verdicts. [`step`]: a line of a counterexample.
//! - [`run`]: `run.json`: what ran, how it went, and whether its figures may be used.
//! - [`figures`]: counts and percentiles by operation, and the tally that they are counted with.
//! - [`history`]: `history.jsonl.zst`: every operation, written at full speed and read back as a stream.
//! - [`formats`]: histories that others recorded.
//! - [`hlog`]: `latency.hlog`: latencies by second and operation, in the format of `HdrHistogram`.
//! - [`mod@derive`]: the figures recomputed from history and histograms, and compared with `run.json`.
//! - [`measurements`]: `measurements.json`. [`comparison`]: `comparison.json`. [`counts`]: `counts.json`.
//! - [`story`]: a counterexample in words. [`host`]: the machine that a run ran on.
//!
//! Architecture invariant: knows nothing of how records are shown; no socket.

#![deny(clippy::print_stdout, clippy::print_stderr)]

pub mod claims;
pub mod comparison;
pub mod counts;
pub mod derive;
pub mod figures;
pub mod files;
pub mod formats;
pub mod history;
pub mod hlog;
pub mod host;
pub mod measurements;
pub mod run;
#[cfg(any(test, feature = "samples"))]
pub mod samples;
pub mod step;
pub mod story;
