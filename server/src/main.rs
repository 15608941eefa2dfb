//! The reference server's binary. See [`server`].

use clap::Parser;
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
            eprintln!("server: {error:#}");
            ExitCode::from(2)
        }
    }
}
