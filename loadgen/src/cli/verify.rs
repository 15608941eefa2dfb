//! `loadgen verify`

use super::{reports_folder, stop_on_signal, subject};
use crate::claims::{self, Claim};
use crate::lab::DEFAULT_USERS;
use crate::lab::Effort;
use crate::measure::{Order, measure};
use crate::verify::expectations::Expectations;
use crate::verify::{Plan, verify};
use anyhow::Context;
use clap::Args;
use record::claims::Outcome;
use record::claims::Report;
use record::measurements::Measurements;
use report::files::{MEASURED_OUTPUTS, VERDICT_OUTPUTS, write_pages};
use report::terminal;
use std::path::{Path, PathBuf};
use tokio_util::sync::CancellationToken;

/// What the exit code means, for `--help`.
pub const EXIT_CODES: &str = "Exit codes: 0 as expected · 1 a claim failed · 2 wrong usage, or the target cannot be tried · 3 inconclusive, or documents may be left on the target
As expected means that every claim holds; of the documented protocol, and of a target with --expect, that exactly the known refutations were found.";

/// The most users: each has a connection, and so has the server.
const MOST_USERS: u64 = 10_000;

/// Arguments of `verify`.
#[derive(Args, Debug)]
pub struct Arguments {
    #[command(flatten)]
    subject: subject::Arguments,
    /// A file of claims known to be refuted on the target, one a line
    #[arg(long, value_name = "FILE", requires = "target")]
    expect: Option<PathBuf>,
    /// Only these claims
    #[arg(long, value_name = "S4,K7", value_delimiter = ',', value_parser = claim)]
    only: Vec<&'static Claim>,
    /// Only what can be decided quickly: under 30 s a protocol
    #[arg(long, conflicts_with = "full")]
    quick: bool,
    /// As long as certainty takes
    #[arg(long)]
    full: bool,
    /// Measure as well, as `loadgen measure` does, and report on both
    #[arg(long)]
    measure: bool,
    /// Users at once
    #[arg(long, value_name = "N", default_value_t = DEFAULT_USERS as u64, value_parser = clap::value_parser!(u64).range(2..=MOST_USERS))]
    users: u64,
    /// Seed of all randomness of the harness [default: a random one, printed]
    #[arg(long, value_name = "N")]
    seed: Option<u64>,
    /// Folder for the run's files [default: reports/<UTC time>-verify]
    #[arg(long, value_name = "DIR")]
    out: Option<PathBuf>,
}

/// Runs `verify`; answers the exit code.
///
/// # Errors
/// Where the arguments do not fit, or a target cannot be set up.
pub fn run(arguments: &Arguments) -> anyhow::Result<u8> {
    let measured: &[&str] = if arguments.measure { &MEASURED_OUTPUTS } else { &[] };
    let out = reports_folder(arguments.out.clone(), "verify", &[&VERDICT_OUTPUTS, measured].concat())?;
    let plan = plan(arguments, out)?;
    let order = arguments.measure.then(|| order(&plan));
    let runtime = tokio::runtime::Builder::new_multi_thread().enable_all().build()?;
    let (report, measurements) = runtime.block_on(async {
        let stop = CancellationToken::new();
        tokio::spawn(stop_on_signal(stop.clone()));
        let keep = |report: &Report| keep(report, &plan.out);
        let report = verify(&plan, &stop, &keep).await?;
        let measurements = match &order {
            Some(order) if !stop.is_cancelled() => {
                let keep = |measurements: &Measurements| super::measure::keep(measurements, Some(&report), &plan.out);
                Some(measure(order, &stop, &keep).await?)
            }
            _ => None,
        };
        anyhow::Ok((report, measurements))
    })?;
    // A reader that went away early (`| head`) has seen enough; the report is in its folder.
    crate::print::text(&terminal::render(&report, &plan.out));
    let is_partial = order.is_some() && measurements.is_none_or(|measurements| measurements.partial);
    let least = if is_partial { Outcome::Undecided } else { Outcome::AsExpected };
    Ok(report.outcome().max(least).exit_code())
}

/// Writes the verdicts, and the pages of them.
fn keep(report: &Report, out: &Path) -> anyhow::Result<()> {
    let written = report.write(out).and_then(|()| write_pages(out, Some(report), None));
    written.with_context(|| format!("cannot write the verdicts to {}", out.display()))
}

fn plan(arguments: &Arguments, out: PathBuf) -> anyhow::Result<Plan> {
    let effort = match (arguments.quick, arguments.full) {
        (true, _) => Effort::Quick,
        (_, true) => Effort::Full,
        _ => Effort::Default,
    };
    let mut claims = claims::in_order();
    if !arguments.only.is_empty() {
        claims.retain(|claim| arguments.only.iter().any(|only| only.id == claim.id));
    } else if effort == Effort::Quick {
        claims.retain(|claim| claim.is_quick);
    }
    let known = match &arguments.expect {
        Some(file) => Expectations::read(file).map_err(anyhow::Error::msg).context("--expect")?,
        None => Expectations::of_the_contract(),
    };
    let subjects = arguments.subject.subjects()?;
    let users = usize::try_from(arguments.users)?;
    Ok(Plan { subjects, known, claims, users, seed: arguments.seed.unwrap_or_else(rand::random), effort, out })
}

/// What is measured once all is tried.
fn order(plan: &Plan) -> Order {
    Order { subjects: plan.subjects.clone(), seed: plan.seed, effort: plan.effort, out: plan.out.clone() }
}

fn claim(id: &str) -> Result<&'static Claim, String> {
    claims::named(id.trim()).ok_or_else(|| {
        let ids: Vec<String> = claims::ALL.iter().map(|claim| claim.id.to_string()).collect();
        format!("there is no such claim; there are {}", ids.join(", "))
    })
}

#[cfg(test)]
mod tests {
    use super::*;
    use record::claims::ClaimId;

    #[test]
    fn a_claim_is_named_in_any_case() {
        assert_eq!(claim("s4").map(|claim| claim.id), Ok(ClaimId::of("S4")));
        assert!(claim("S99").is_err_and(|error| error.contains("K1, K2")));
    }
}
