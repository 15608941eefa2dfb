//! What can be asked for on the command line.

#![allow(rustdoc::invalid_html_tags, reason = "the texts of --help, in which <DIR> stands for a value")]

pub mod check_history;
pub mod compare;
pub mod gate;
pub mod measure;
pub mod plan;
mod protocol;
pub mod report;
pub mod run;
pub mod saves;
mod signals;
mod subject;
pub mod verify;

use crate::print::stderr;
use anyhow::Context;
use clap::{Parser, Subcommand};
use engine::client::target::without_credentials;
use record::files::set_aside;
use signals::stop_on_signal;
use std::path::PathBuf;
use std::time::SystemTime;

/// Where runs are written.
const REPORTS: &str = "reports";

/// Holds a key and document server to its word
#[derive(Debug, Parser)]
#[command(name = "loadgen", version)]
pub struct Cli {
    /// What is to be done
    #[command(subcommand)]
    pub command: Command,
}

/// The commands.
#[derive(Debug, Subcommand)]
pub enum Command {
    /// Try every claim on a server, and give each a verdict with a counterexample
    #[command(after_help = verify::EXIT_CODES)]
    Verify(verify::Arguments),
    /// Load a server with simulated users, verify every answer, and measure
    #[command(after_help = run::after_help())]
    Run(run::Arguments),
    /// Measure what a server costs, by fill, users and documents, for plans and reports
    #[command(after_help = measure::EXIT_CODES)]
    Measure(measure::Arguments),
    /// Say which key length and protocol fit, what limits come first, and what happens beyond them
    #[command(after_help = plan::EXIT_CODES)]
    Plan(plan::Arguments),
    /// Work the figures of a load run out again from its files, or make the page of verdicts and measurements anew
    Report(report::Arguments),
    /// Load two servers in turns and tell them apart, or show what two runs differ in
    #[command(after_help = compare::EXIT_CODES)]
    Compare(compare::Arguments),
    /// Hold what a run left behind, or two servers, to a file of gates
    #[command(after_help = gate::EXIT_CODES)]
    Gate(gate::Arguments),
    /// Decide whether recorded histories are linearizable, and show the smallest piece that is not
    #[command(after_help = check_history::EXIT_CODES)]
    CheckHistory(check_history::Arguments),
    /// Look at, fill or tidy a saves folder
    Saves {
        /// What is to be done with it
        #[command(subcommand)]
        command: saves::Command,
    },
    /// Run the reference server
    Serve(crate::reference::ServerOptions),
}

impl Cli {
    /// Reads the command line; ends the program if it is wrong, or asks for help.
    #[must_use]
    pub fn of_command_line() -> Self {
        Self::try_parse().unwrap_or_else(|error| {
            let text = error.to_string();
            let hidden = without_passwords(text.clone());
            if hidden == text {
                error.exit();
            }
            stderr!("{}", hidden.trim_end());
            std::process::exit(error.exit_code())
        })
    }
}

/// A message without the passwords of URLs on the command line: whatever refuses an argument quotes it.
#[must_use]
pub fn without_passwords(mut message: String) -> String {
    for argument in std::env::args_os() {
        let argument = argument.to_string_lossy();
        let value = argument.split_once('=').map_or("", |(_, value)| value);
        for text in [&*argument, value] {
            let hidden = without_credentials(text);
            if hidden != text {
                message = message.replace(text, &hidden).replace(&format!("{text:?}"), &format!("{hidden:?}"));
            }
        }
    }
    message
}

/// The folder for a run's files, created if it is not there. Files of an earlier run are moved away first of all, so that
/// they are not taken for this one's if it fails.
fn reports_folder(given: Option<PathBuf>, what: &str, outputs: &[&str]) -> anyhow::Result<PathBuf> {
    let out = given.unwrap_or_else(|| {
        let now = humantime::format_rfc3339_seconds(SystemTime::now()).to_string().replace(':', "-");
        PathBuf::from(REPORTS).join(format!("{now}-{what}"))
    });
    std::fs::create_dir_all(&out)
        .with_context(|| format!("cannot create the folder {} for the run's files", out.display()))?;
    set_aside(&out, outputs).context("cannot move a file of an earlier run away")?;
    Ok(out)
}

/// Reads a number above 0.
fn positive(text: &str) -> Result<f64, String> {
    let number = text.parse().ok().filter(|number: &f64| number.is_finite() && *number > 0.0);
    number.ok_or_else(|| "give a number above 0, such as 200 or 2.5".to_owned())
}

#[cfg(test)]
mod tests {
    use clap::CommandFactory;

    #[test]
    fn the_command_line_is_well_formed() {
        super::Cli::command().debug_assert();
    }

    /// Regression: `serve --help` showed [`Durability::Process`].
    #[test]
    fn help_has_no_links_for_rustdoc() {
        fn check(mut command: clap::Command) {
            for help in [command.render_long_help(), command.render_help()].map(|help| help.to_string()) {
                assert!(!help.contains("[`") && !help.contains("`]"), "{help}");
            }
            command.get_subcommands().cloned().for_each(check);
        }
        check(super::Cli::command());
    }
}
