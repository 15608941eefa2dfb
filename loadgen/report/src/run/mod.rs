//! A load run, for people and CI: `summary.md`, `junit.xml`, and the table on the terminal.
//!
//! - [`summary`]: `summary.md`, for a pull request.
//! - [`terminal`]: the table that a run ends with.
//! - [`junit`]: `junit.xml`, for CI.

pub mod junit;
pub mod summary;
pub mod terminal;
pub mod words;

use record::files::{JUNIT_FILE, SUMMARY_FILE, at, write_run, write_whole};
use record::run::RunReport;
use std::io;
use std::path::Path;

/// Writes `run.json`, `summary.md` and `junit.xml` into the run's folder.
///
/// # Errors
/// If a file cannot be written; the message names it.
pub fn write(report: &RunReport, folder: &Path) -> io::Result<()> {
    write_run(report, folder)?;
    let junit = junit::junit(report).map_err(io::Error::other)?;
    for (name, text) in [(SUMMARY_FILE, summary::markdown(report)), (JUNIT_FILE, junit)] {
        let path = folder.join(name);
        write_whole(&path, &text).map_err(|error| at(&path, &error))?;
    }
    Ok(())
}

#[cfg(test)]
mod tests {
    use super::*;
    use record::samples::run as sample;

    #[test]
    fn the_pages_of_a_run_name_what_went_wrong() {
        let folder = tempfile::tempdir().expect("a folder");
        write(&sample(), folder.path()).expect("writes");
        for name in [SUMMARY_FILE, JUNIT_FILE] {
            let text = std::fs::read_to_string(folder.path().join(name)).expect("reads");
            assert!(text.contains("torn read"), "{name}");
        }
    }
}
