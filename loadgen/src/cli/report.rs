//! `loadgen report`

use crate::print::stdout;
use anyhow::{Context, anyhow};
use check::documents::whole::Verdict;
use clap::Args;
use contract::visible;
use record::claims::Report;
use record::derive::{derive, differences};
use record::files::{HISTORY_FILE, HLOG_FILE, read_run};
use record::history::{Accesses, read_history};
use record::hlog::read_hlog;
use record::measurements::Measurements;
use record::run::HistoryReport;
use report::files;
use report::run::terminal;
use report::splice::splice;
use std::path::{Path, PathBuf};

/// Exit code where the figures are not those of the files.
const DIFFERS: u8 = 1;

/// Arguments of `report`.
#[derive(Args, Debug)]
pub struct Arguments {
    /// A run's folder; several of verify and measure make one page, in the first
    #[arg(value_name = "DIR", required = true)]
    folders: Vec<PathBuf>,
    /// Make the parts of this page anew that stand between reference markers, such as the README's table
    #[arg(long, value_name = "FILE")]
    splice: Option<PathBuf>,
}

/// Runs `report`; answers the exit code.
///
/// # Errors
/// Where a file of the run is missing or damaged.
pub fn run(arguments: &Arguments) -> anyhow::Result<u8> {
    let with = |file: &str| arguments.folders.iter().find(|folder| folder.join(file).exists());
    match (with(record::claims::FILE), with(record::measurements::NAME)) {
        (None, None) if arguments.splice.is_none() => again(&arguments.folders[0]),
        (claims, measured) => page(arguments, claims, measured),
    }
}

/// Makes the page of verdicts and measurements anew.
fn page(arguments: &Arguments, claims: Option<&PathBuf>, measured: Option<&PathBuf>) -> anyhow::Result<u8> {
    let out = &arguments.folders[0];
    let report = claims.map(|folder| Report::read(folder)).transpose().map_err(anyhow::Error::msg)?;
    let measurements = measured.map(|folder| Measurements::read(folder)).transpose().map_err(anyhow::Error::msg)?;
    let written = files::write_pages(out, report.as_ref(), measurements.as_ref());
    written.with_context(|| format!("cannot write the report to {}", out.display()))?;
    stdout!("report.html and summary.md are in {}", out.display());
    if let Some(page) = &arguments.splice {
        let report = report.with_context(|| format!("there is no {} in {}", record::claims::FILE, out.display()))?;
        let text = std::fs::read_to_string(page).with_context(|| format!("cannot read {}", page.display()))?;
        let spliced = splice(&text, &report).map_err(anyhow::Error::msg).with_context(|| page.display().to_string())?;
        std::fs::write(page, spliced).with_context(|| format!("cannot write {}", page.display()))?;
        stdout!("{} is made anew from it", page.display());
    }
    Ok(0)
}

/// Works the figures of a load run out again.
fn again(folder: &Path) -> anyhow::Result<u8> {
    let report = read_run(folder)?;
    let log = folder.join(HLOG_FILE);
    let histograms = std::fs::read(&log).with_context(|| format!("cannot read {}", log.display()))?;
    let histograms = read_hlog(&histograms).map_err(anyhow::Error::msg).with_context(|| log.display().to_string())?;
    let history = folder.join(HISTORY_FILE);
    crate::print::text(&terminal::render(&report, folder));
    if !history.exists() {
        stdout!("There is no {HISTORY_FILE} (--no-history): nothing to work the figures out from again.");
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
        stdout!("Every figure{verdict} was worked out again from {HISTORY_FILE} and {HLOG_FILE}: they agree.");
        return Ok(0);
    }
    stdout!("The files say something else than run.json:");
    differences.iter().for_each(|difference| stdout!("- {}", visible(difference)));
    Ok(DIFFERS)
}
