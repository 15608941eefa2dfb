//! The reference server's binary. See [`server`].

use clap::Parser;
use std::io::Write as _;
use std::process::ExitCode;

/// The reference key and document server.
#[derive(Parser)]
#[command(name = "server", version)]
struct Cli {
    #[command(flatten)]
    options: server::ServerOptions,
}

fn main() -> ExitCode {
    match Cli::parse().options.serve() {
        Ok(()) => ExitCode::SUCCESS,
        Err(error) => {
            // Standard error may be closed.
            let _ = writeln!(std::io::stderr(), "server: {error:#}");
            ExitCode::from(2)
        }
    }
}
