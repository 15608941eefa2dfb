//! A run's folder: the files for machines, and the pages that are made of them.

use super::{page, summary};
use record::claims::{self, Report};
use record::files::write_whole;
use record::measurements::Measurements;
use std::io;
use std::path::Path;

/// The page, and its tables for a pull request.
const PAGE: &str = "report.html";
const SUMMARY: &str = "summary.md";

/// What `verify` writes into its folder, besides what `measure` does.
pub const VERDICT_OUTPUTS: [&str; 3] = [claims::FILE, PAGE, SUMMARY];

/// What `measure` writes into its folder.
pub const MEASURED_OUTPUTS: [&str; 3] = [record::measurements::NAME, PAGE, SUMMARY];

/// Writes `report.html` and `summary.md` of what there is.
///
/// # Errors
/// Where a file cannot be written.
pub fn write_pages(folder: &Path, report: Option<&Report>, measurements: Option<&Measurements>) -> io::Result<()> {
    write_whole(&folder.join(PAGE), &page::render(report, measurements))?;
    let verdicts = report.map(summary::markdown).unwrap_or_default();
    let measured = measurements.map(page::markdown::markdown_measurements).unwrap_or_default();
    write_whole(&folder.join(SUMMARY), &[verdicts, measured].join("\n"))
}
