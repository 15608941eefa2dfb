//! `loadgen measure`

use super::{reports_folder, stop_on_signal, subject};
use crate::lab::Effort;
use crate::measure::{self, Order};
use crate::print::stdout;
use anyhow::Context;
use clap::Args;
use record::claims::Report;
use record::measurements::Measurements;
use report::files::{MEASURED_OUTPUTS, write_pages};
use std::path::{Path, PathBuf};
use tokio_util::sync::CancellationToken;

/// What the exit code means, for `--help`.
pub const EXIT_CODES: &str = "Exit codes: 0 measured · 2 wrong usage, the target cannot be measured, or documents may be left on it · 3 interrupted";

/// Arguments of `measure`.
#[derive(Args, Debug)]
pub struct Arguments {
    #[command(flatten)]
    subject: subject::Arguments,
    /// A fifth of the requests, two rounds instead of 24: to try it out
    #[arg(long)]
    quick: bool,
    /// Seed of all randomness of the harness [default: a random one, printed]
    #[arg(long, value_name = "N")]
    seed: Option<u64>,
    /// Folder for the run's files [default: reports/<UTC time>-measure]
    #[arg(long, value_name = "DIR")]
    out: Option<PathBuf>,
}

/// Runs `measure`; answers the exit code.
///
/// # Errors
/// Where the arguments do not fit, or a target cannot be measured.
pub fn run(arguments: Arguments) -> anyhow::Result<u8> {
    let out = reports_folder(arguments.out, "measure", &MEASURED_OUTPUTS)?;
    let seed = arguments.seed.unwrap_or_else(rand::random);
    let effort = if arguments.quick { Effort::Quick } else { Effort::Default };
    let order = Order { subjects: arguments.subject.subjects()?, seed, effort, out };
    let runtime = tokio::runtime::Builder::new_multi_thread().enable_all().build()?;
    let measurements = runtime.block_on(async {
        let stop = CancellationToken::new();
        tokio::spawn(stop_on_signal(stop.clone()));
        let keep = |measurements: &Measurements| keep(measurements, None, &order.out);
        measure::measure(&order, &stop, &keep).await
    })?;
    stdout!("Seed {seed}; the measurements, and report.html of them, are in {}", order.out.display());
    Ok(if measurements.partial { 3 } else { 0 })
}

/// Writes `measurements.json`, and the pages of it and of verdicts.
///
/// # Errors
/// Where a file cannot be written.
pub(super) fn keep(measurements: &Measurements, report: Option<&Report>, out: &Path) -> anyhow::Result<()> {
    let written = measurements.write(out).and_then(|()| write_pages(out, report, Some(measurements)));
    written.with_context(|| format!("cannot write the measurements to {}", out.display()))
}
