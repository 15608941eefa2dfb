//! `loadgen report`

use crate::check::documents::whole::Verdict;
use crate::record::derive::{derive, differences};
use crate::record::history::{Accesses, read_history};
use crate::record::hlog::read_hlog;
use crate::record::run::HistoryReport;
use crate::record::{HISTORY_FILE, HLOG_FILE, read_report, terminal};
use anyhow::{Context, anyhow};
use clap::Args;
use std::io::Write;
use std::path::PathBuf;

/// Exit code where the figures are not those of the files.
const DIFFERS: u8 = 1;

/// Arguments of `report`.
#[derive(Args, Debug)]
pub struct Arguments {
    /// A run's folder
    #[arg(value_name = "DIR")]
    folder: PathBuf,
}

/// Runs `report`; answers the exit code.
///
/// # Errors
/// Where a file of the run is missing or damaged.
pub fn run(arguments: &Arguments) -> anyhow::Result<u8> {
    let folder = &arguments.folder;
    let report = read_report(folder)?;
    let log = folder.join(HLOG_FILE);
    let histograms = std::fs::read(&log).with_context(|| format!("cannot read {}", log.display()))?;
    let histograms = read_hlog(&histograms).map_err(anyhow::Error::msg).with_context(|| log.display().to_string())?;
    let history = folder.join(HISTORY_FILE);
    let mut out = std::io::stdout().lock();
    // A reader that went away early has seen enough.
    let _ = out.write_all(terminal::render(&report, folder).as_bytes());
    if !history.exists() {
        let _ = writeln!(out, "There is no {HISTORY_FILE} (--no-history): nothing to work the figures out from again.");
        return Ok(0);
    }
    let derived = derive(&histograms, read_history(&history)?, report.measured)?;
    let mut differences = differences(&report, &derived);
    if let Some(told) = &report.history {
        let accesses = Accesses::gather(read_history(&history)?).map_err(|error| anyhow!(error))?;
        differences.extend(told.difference(&HistoryReport::new(&Verdict::of(&accesses.by_key), &[])));
    }
    if differences.is_empty() {
        let verdict = if report.history.is_some() { ", and the verdict," } else { "" };
        let _ = writeln!(
            out,
            "Every figure{verdict} was worked out again from {HISTORY_FILE} and {HLOG_FILE}: they agree."
        );
        return Ok(0);
    }
    let _ = writeln!(out, "The files say something else than run.json:");
    differences.iter().for_each(|difference| drop(writeln!(out, "- {difference}")));
    Ok(DIFFERS)
}
