//! A run's folder: the files for machines, and the pages that are made of them.

use super::{Report, SCHEMA, page, summary};
use crate::measure::file::Measurements;
use crate::record::write_whole;
use std::io;
use std::path::Path;

/// The verdicts, for machines.
pub const CLAIMS: &str = "claims.json";

/// The page, and its tables for a pull request.
const PAGE: &str = "report.html";
const SUMMARY: &str = "summary.md";

/// What `verify` writes into its folder, besides what `measure` does.
pub const VERDICT_OUTPUTS: [&str; 3] = [CLAIMS, PAGE, SUMMARY];

/// What `measure` writes into its folder.
pub const MEASURED_OUTPUTS: [&str; 3] = [crate::measure::file::NAME, PAGE, SUMMARY];

impl Report {
    /// Writes `claims.json` into a run's folder.
    ///
    /// # Errors
    /// Where it cannot be written.
    pub fn write(&self, folder: &Path) -> io::Result<()> {
        let json = serde_json::to_string_pretty(self)?;
        write_whole(&folder.join(CLAIMS), &(json + "\n"))
    }

    /// Reads `claims.json` of a run's folder.
    ///
    /// # Errors
    /// A sentence that says what is wrong with it.
    pub fn read(folder: &Path) -> Result<Self, String> {
        let path = folder.join(CLAIMS);
        let text =
            std::fs::read_to_string(&path).map_err(|error| format!("cannot read {}: {error}", path.display()))?;
        let report: Self = serde_json::from_str(&text)
            .map_err(|error| format!("{} is no file of verdicts: {error}", path.display()))?;
        if report.schema != SCHEMA {
            return Err(format!(
                "{} has the format \"{}\", this program reads \"{SCHEMA}\"",
                path.display(),
                report.schema
            ));
        }
        Ok(report)
    }
}

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
