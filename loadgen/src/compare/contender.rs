//! One of two servers that are compared: how it is named, started and ended.

use crate::lab::preflight::is_alive;
use crate::lab::{DEFAULT_USERS, Effort, PreparedTarget, Settings};
use crate::reference::{Launcher, Protocol};
use contract::visible;
use engine::client::Target;
use engine::client::target::without_credentials;
use std::path::{Path, PathBuf};
use std::time::Duration;

/// A server to be compared.
#[derive(Clone, Debug)]
pub enum Contender {
    /// One that is there.
    There(Box<Target>),
    /// One that is started, on a saves folder of its own.
    Started(Start),
}

/// What is started.
#[derive(Clone, Debug)]
pub enum Start {
    /// The reference server.
    Reference(Protocol),
    /// A program with arguments.
    Program(PathBuf, Vec<String>),
}

impl Contender {
    /// Whether it can be started as often as is asked for.
    #[must_use]
    pub fn can_be_started(&self) -> bool {
        matches!(self, Self::Started(_))
    }

    /// What a text names: `documented`, `hardened`, a URL, or a command.
    ///
    /// # Errors
    /// A sentence that says what it could have been.
    pub fn of(text: &str, path_template: &str) -> Result<Self, String> {
        if text.starts_with("http://") || text.starts_with("https://") {
            return Target::new(text, path_template).map(|target| Self::There(Box::new(target)));
        }
        if let Some(protocol) = Protocol::ALL.into_iter().find(|of| of.name() == text) {
            return Ok(Self::Started(Start::Reference(protocol)));
        }
        let shown = without_credentials(text);
        let mut words = text.split_whitespace().map(str::to_owned);
        let program = words.next().map(PathBuf::from).filter(|program| program.is_file()).ok_or_else(|| {
            format!(
                "{shown:?} is no server: give documented, hardened, a URL, or the path of a program, with arguments if it takes \
                 any, that is started with --listen 127.0.0.1:0 --saves DIR and prints \"listening on http://127.0.0.1:PORT\""
            )
        })?;
        Ok(Self::Started(Start::Program(program, words.collect())))
    }

    /// The text that names it, as it can be printed and stored.
    #[must_use]
    pub fn name(&self, text: &str) -> String {
        match self {
            Self::There(_) => without_credentials(text),
            Self::Started(_) => text.split(' ').map(without_credentials).collect::<Vec<_>>().join(" "),
        }
    }

    /// A launcher of it, where it is started.
    fn launcher(start: &Start, log: PathBuf) -> Launcher {
        match start {
            Start::Reference(protocol) => Launcher::new(*protocol, log),
            Start::Program(program, arguments) => Launcher::of_program(program.clone(), arguments.clone(), log),
        }
    }

    /// Makes it ready to be loaded. Its log goes to a file of that name.
    ///
    /// # Errors
    /// Where it cannot be reached or started, or holds documents of others without their consent.
    pub async fn ready(&self, log: &Path, seed: u64, consent: bool) -> anyhow::Result<Ready> {
        match self {
            Self::There(target) => {
                let target = PreparedTarget::take(Target::clone(target), None, consent, settings(seed)).await?;
                Ok(Ready { target, log: None })
            }
            Self::Started(start) => Ready::started(&Self::launcher(start, log.to_owned()), seed).await,
        }
    }
}

/// Time to wait for the process of a silent server to exit before reporting it as running.
const ENDING: Duration = Duration::from_secs(1);

/// Lines of a log that are shown of a server that ended.
const LAST_LINES: usize = 5;

/// A server that can be loaded.
pub struct Ready {
    pub(super) target: PreparedTarget,
    /// If it was started for this: its log, and where its part begins, as earlier servers write to the same file.
    log: Option<(PathBuf, u64)>,
}

fn settings(seed: u64) -> Settings {
    Settings { users: DEFAULT_USERS, seed, effort: Effort::Default, uses_folder: false }
}

impl Ready {
    /// Starts a server on a folder of its own.
    ///
    /// # Errors
    /// Where it cannot be started, or does not answer as the contract has it.
    pub async fn started(launcher: &Launcher, seed: u64) -> anyhow::Result<Self> {
        let (log, from) = launcher.log();
        let log = Some((log.to_owned(), from));
        Ok(Self { target: PreparedTarget::start(launcher, settings(seed)).await?, log })
    }

    /// If it does not respond any more: how, and its last log lines.
    pub(super) async fn silence(&mut self) -> Option<(String, Vec<String>)> {
        if is_alive(&self.target.lab).await {
            return None;
        }
        let failure = self.target.lab.ledger.last_failure().map(|failure| failure.to_string()).unwrap_or_default();
        let (Some(server), Some((log, from))) = (&mut self.target.server, &self.log) else {
            return Some((format!("it does not respond: {failure}"), Vec::new()));
        };
        let why = match server.ended_within(ENDING).await {
            Some(status) => format!("its process ended ({status})"),
            None => format!("its process runs, and it does not respond: {failure}"),
        };
        Some((why, last_lines(log, *from)))
    }
}

/// The last lines of a log from some place on; none if it cannot be read, as they only explain.
fn last_lines(log: &Path, from: u64) -> Vec<String> {
    let log = std::fs::read(log).unwrap_or_default();
    let text = String::from_utf8_lossy(log.get(usize::try_from(from).unwrap_or(usize::MAX)..).unwrap_or_default());
    let lines: Vec<String> = text.lines().map(visible).filter(|line| !line.is_empty()).collect();
    lines[lines.len().saturating_sub(LAST_LINES)..].to_vec()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_last_lines_of_a_log_are_those_of_this_start() {
        let log = tempfile::NamedTempFile::new().expect("a file");
        std::fs::write(log.path(), "an earlier start\none\ntwo\n\nthree\nfour\nfive\nsix").expect("writes");
        assert_eq!(last_lines(log.path(), 17), ["two", "three", "four", "five", "six"]);
        assert_eq!(last_lines(log.path(), 42), ["six"]);
        assert_eq!(last_lines(log.path(), 99), [""; 0]);
        assert_eq!(last_lines(Path::new("/nowhere"), 0), [""; 0]);
    }
    use contract::DEFAULT_PATH_TEMPLATE;

    fn of(text: &str) -> Result<Contender, String> {
        Contender::of(text, DEFAULT_PATH_TEMPLATE)
    }

    #[test]
    fn a_server_is_named_by_protocol_url_or_command() {
        assert!(matches!(of("hardened"), Ok(Contender::Started(Start::Reference(Protocol::Hardened)))));
        assert!(matches!(of("http://127.0.0.1:8080"), Ok(Contender::There(_))));
        let Ok(Contender::Started(Start::Program(program, arguments))) = of("/bin/sh -c  exit") else {
            panic!("a command")
        };
        assert_eq!((program, arguments), (PathBuf::from("/bin/sh"), vec!["-c".to_owned(), "exit".to_owned()]));
        for text in ["", "soft", "/nowhere/server --fast", "/tmp"] {
            assert!(of(text).is_err_and(|error| error.contains("is no server: give documented")), "{text}");
        }
        assert!(of("http://").is_err());
    }
}
