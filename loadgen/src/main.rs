//! The harness's binary. See [`loadgen`].

use loadgen::cli::{Cli, Command, without_passwords};
use std::process::ExitCode;

/// A request takes some ten allocations: the load engine's users pay for each.
#[global_allocator]
static ALLOCATOR: mimalloc::MiMalloc = mimalloc::MiMalloc;

/// Wrong usage, or something could not be set up.
const UNUSABLE: u8 = 2;

fn main() -> ExitCode {
    let outcome = match Cli::of_command_line().command {
        Command::Verify(arguments) => loadgen::cli::verify::run(&arguments),
        Command::Run(arguments) => loadgen::cli::run::run(arguments),
        Command::Measure(arguments) => loadgen::cli::measure::run(arguments),
        Command::Plan(arguments) => loadgen::cli::plan::run(&arguments),
        Command::Report(arguments) => loadgen::cli::report::run(&arguments),
        Command::Compare(arguments) => loadgen::cli::compare::run(&arguments),
        Command::Gate(arguments) => loadgen::cli::gate::run(&arguments),
        Command::CheckHistory(arguments) => loadgen::cli::check_history::run(&arguments),
        Command::Saves { command } => loadgen::cli::saves::run(command),
        Command::Serve(options) => loadgen::reference::serve(options).map(|()| 0),
    };
    match outcome {
        Ok(code) => ExitCode::from(code),
        Err(error) => {
            loadgen::print::error(&without_passwords(format!("{error:#}")));
            ExitCode::from(UNUSABLE)
        }
    }
}
