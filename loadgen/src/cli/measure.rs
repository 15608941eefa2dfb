//! `loadgen measure`

use super::subject::Server;
use super::{reports_folder, stop_on_signal};
use crate::measure::{Order, Subject, measure};
use crate::verify::lab::Effort;
use anyhow::Context;
use clap::Args;
use std::path::PathBuf;
use tokio_util::sync::CancellationToken;

/// What the exit code means, for `--help`.
pub const EXIT_CODES: &str = "Exit codes: 0 measured · 2 wrong usage, or the target cannot be measured · 3 interrupted";

/// Arguments of `measure`.
#[derive(Args, Debug)]
pub struct Arguments {
    #[command(flatten)]
    subject: super::subject::Subject,
    /// A fifth of the requests, two rounds instead of five: to try it out
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
    let subject = match arguments.subject.server()? {
        None => Subject::Embedded(arguments.subject.protocols()),
        Some(Server { target, saves, consent }) => Subject::Server { target, saves, consent },
    };
    let order = Order {
        subject,
        seed: arguments.seed.unwrap_or_else(rand::random),
        effort: if arguments.quick { Effort::Quick } else { Effort::Default },
        out: reports_folder(arguments.out, "measure")?,
    };
    let runtime = tokio::runtime::Builder::new_multi_thread().enable_all().build()?;
    let measurements = runtime.block_on(async {
        let stop = CancellationToken::new();
        tokio::spawn(stop_on_signal(stop.clone()));
        measure(&order, &stop).await
    })?;
    let out = order.out.display();
    measurements.write(&order.out).with_context(|| format!("cannot write the measurements to {out}"))?;
    println!("Seed {}; the measurements are in {out}", order.seed);
    Ok(if measurements.partial { 3 } else { 0 })
}
