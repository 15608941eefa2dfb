//! `--protocol`: which servers a command is about.

use crate::reference::Protocol;
use clap::ValueEnum;
use clap::builder::{PossibleValuesParser, TypedValueParser};

/// Servers by the names that they have in reports.
#[derive(Clone, Copy, Debug, PartialEq, Eq, ValueEnum)]
pub(super) enum ProtocolChoice {
    Documented,
    Hardened,
    // A server that was there already.
    Target,
    Both,
}

impl ProtocolChoice {
    /// Accepts what can be started.
    pub(super) fn of_embedded_servers() -> impl TypedValueParser<Value = Self> {
        let choices = Self::value_variants().iter().filter(|choice| **choice != Self::Target);
        let values = choices.filter_map(Self::to_possible_value);
        PossibleValuesParser::new(values).try_map(|name| Self::from_str(&name, false))
    }

    /// The names of the servers.
    pub(super) fn names(self) -> &'static [&'static str] {
        match self {
            Self::Documented => &["documented"],
            Self::Hardened => &["hardened"],
            Self::Target => &["target"],
            Self::Both => &["documented", "hardened"],
        }
    }

    /// The protocols among them.
    pub(super) fn protocols(self) -> impl Iterator<Item = Protocol> {
        Protocol::ALL.into_iter().filter(move |protocol| self.names().contains(&protocol.name()))
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use clap::CommandFactory;

    #[test]
    fn each_command_accepts_the_servers_that_it_can_be_about() {
        let accepted = |command: &str| -> Vec<String> {
            let cli = crate::cli::Cli::command();
            let command = cli.find_subcommand(command).expect("a command");
            let protocol = command.get_arguments().find(|argument| argument.get_id() == "protocol");
            let values = protocol.expect("--protocol").get_possible_values();
            values.iter().map(|value| value.get_name().to_owned()).collect()
        };
        assert_eq!(accepted("verify"), ["documented", "hardened", "both"]);
        assert_eq!(accepted("measure"), ["documented", "hardened", "both"]);
        assert_eq!(accepted("run"), ["documented", "hardened"]);
        assert_eq!(accepted("plan"), ["documented", "hardened", "target", "both"]);
    }

    #[test]
    fn a_choice_names_the_protocols_that_it_starts() {
        let protocols = |choice: ProtocolChoice| choice.protocols().collect::<Vec<Protocol>>();
        assert_eq!(protocols(ProtocolChoice::Documented), [Protocol::Documented]);
        assert_eq!(protocols(ProtocolChoice::Hardened), [Protocol::Hardened]);
        assert_eq!(protocols(ProtocolChoice::Both), Protocol::ALL);
        assert_eq!(protocols(ProtocolChoice::Target), []);
    }
}
