//! What can be asked for on the command line.

pub mod saves;
pub mod verify;

use clap::{Parser, Subcommand};

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
    /// Look at, fill or tidy a saves folder
    Saves {
        /// What is to be done with it
        #[command(subcommand)]
        command: saves::Command,
    },
    /// Run the reference server
    Serve(crate::reference::ServerOptions),
}

#[cfg(test)]
mod tests {
    use clap::CommandFactory;

    #[test]
    fn the_command_line_is_well_formed() {
        super::Cli::command().debug_assert();
    }
}
