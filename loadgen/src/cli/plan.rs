//! `loadgen plan`

use super::positive;
use super::protocol::ProtocolChoice;
use anyhow::Context;
use clap::Args;
use record::measurements::Measurements;
use report::plan;
use report::plan::objective::Objective;
use report::plan::{Choice, Plan, Question, terminal};
use std::path::{Path, PathBuf};
use std::time::Duration;

/// What the exit code means, for `--help`.
pub const EXIT_CODES: &str = "Exit codes: 0 an answer keeps all objectives · 1 none does · 2 wrong usage, or not to be known from the \
                              measurements · 3 inconclusive: an interval straddles an objective";

/// Arguments of `plan`.
#[derive(Args, Debug)]
pub struct Arguments {
    /// Folder with measurements.json, as `loadgen measure` writes it
    #[arg(long, value_name = "DIR")]
    measured: PathBuf,
    /// Which of the measured servers [default: all that are in the measurements]
    #[arg(long, value_enum)]
    protocol: Option<ProtocolChoice>,
    /// Documents in the folder
    #[arg(long, value_name = "N", value_parser = clap::value_parser!(u64).range(1..))]
    sessions: u64,
    /// Users at work
    #[arg(long, value_name = "N", value_parser = clap::value_parser!(u32).range(1..))]
    users: u32,
    /// How long a document stays until it is deleted or archived
    #[arg(long, value_name = "TIME", value_parser = humantime::parse_duration)]
    session_life: Duration,
    /// What is to be kept, such as 'generate-key p99 < 10ms, shared-session risk < 1e-6 a day'
    #[arg(long, value_name = "OBJECTIVE")]
    objective: Objective,
    /// Mean time from a key's being handed out to its document's being made
    #[arg(long, value_name = "TIME", default_value = "200ms", value_parser = humantime::parse_duration)]
    window: Duration,
    /// Pause between two operations of a user
    #[arg(long, value_name = "TIME", default_value = "30s", value_parser = humantime::parse_duration)]
    think: Duration,
    /// The objectives are to hold for so many times as many sessions and users, such as 2x
    #[arg(long, value_name = "TIMES", default_value = "1x", value_parser = times)]
    growth: f64,
    /// Space for the saves folder, such as 20GB [default: no limit]
    #[arg(long, value_name = "SIZE", value_parser = bytes)]
    disk: Option<f64>,
    /// Simulate the recommended answer too
    #[arg(long)]
    simulate: bool,
    /// Seed of the bootstrap and the simulation [default: a random one, printed]
    #[arg(long, value_name = "N")]
    seed: Option<u64>,
    /// Write the plan to this file as JSON too
    #[arg(long, value_name = "FILE")]
    json: Option<PathBuf>,
    /// How many times the largest measured number of users or documents is still answered for, marked
    #[arg(long, value_name = "TIMES", default_value = "3x", value_parser = times)]
    max_extrapolation: f64,
}

/// Runs `plan`; answers the exit code.
///
/// # Errors
/// Where the arguments do not fit, or the measurements do not tell what is asked.
pub fn run(arguments: &Arguments) -> anyhow::Result<u8> {
    let measurements = Measurements::read(&arguments.measured).map_err(anyhow::Error::msg)?;
    let question = arguments.question();
    let mut plan = plan::plan(&measurements, arguments.choice(), &question)?;
    if arguments.simulate {
        plan::simulate(&measurements, &question, &mut plan)?;
    }
    if let Some(file) = &arguments.json {
        write_json(&plan, file)?;
    }
    // A reader that went away early (`| head`) has seen enough.
    crate::print::text(&terminal::render(&plan));
    Ok(plan.exit_code())
}

impl Arguments {
    fn question(&self) -> Question {
        Question {
            sessions: self.sessions,
            users: self.users,
            life_s: self.session_life.as_secs_f64(),
            objective: self.objective.clone(),
            window_s: self.window.as_secs_f64(),
            think_s: self.think.as_secs_f64(),
            growth: self.growth,
            disk_bytes: self.disk,
            max_extrapolation: self.max_extrapolation,
            seed: self.seed.unwrap_or_else(rand::random),
        }
    }

    fn choice(&self) -> Choice<'static> {
        self.protocol.map_or(Choice::All, |protocol| Choice::Named(protocol.names()))
    }
}

fn write_json(plan: &Plan, file: &Path) -> anyhow::Result<()> {
    let mut text = serde_json::to_string_pretty(plan)?;
    text.push('\n');
    std::fs::write(file, text).with_context(|| format!("cannot write the plan to {}", file.display()))
}

fn times(text: &str) -> Result<f64, String> {
    let number = positive(text.strip_suffix('x').unwrap_or(text));
    number.map_err(|_| "write it as 2x, for twice as many".to_owned())
}

fn bytes(text: &str) -> Result<f64, String> {
    let units = [("TB", 1e12), ("GB", 1e9), ("MB", 1e6), ("kB", 1e3)];
    let of = |(unit, size): (&str, f64)| text.strip_suffix(unit)?.trim().parse().ok().map(|count: f64| count * size);
    let bytes = units.into_iter().find_map(of).filter(|bytes| bytes.is_finite() && *bytes > 0.0);
    bytes.ok_or_else(|| "write it as 20GB: a number and kB, MB, GB or TB".to_owned())
}

#[cfg(test)]
mod tests;
