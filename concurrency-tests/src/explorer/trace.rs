//! A schedule told so that one can follow it: a column for each client, a line for each system call.

use super::script::{HintCall, What};
use super::search::Scenario;
use crate::scenario::Action;
use check::Answer;
use server::fs::memory::{Call, Outcome};
use server::protocol::Pick;
use std::fmt::{self, Write as _};

/// Width of a client's column, in characters.
const COLUMN: usize = 46;

/// What happened, step by step.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Trace {
    /// What was there at the start, and what the clients do.
    scenario: Scenario,
    lines: Vec<Line>,
    /// The promise that was broken, in words.
    pub broken: Option<String>,
}

#[derive(Clone, Debug, PartialEq, Eq)]
struct Line {
    /// Whose; none where it concerns all.
    client: Option<usize>,
    text: String,
}

impl Trace {
    /// Nothing has happened.
    #[must_use]
    pub fn new(scenario: &Scenario) -> Self {
        Self { scenario: scenario.clone(), lines: Vec::new(), broken: None }
    }

    /// A client calls an operation.
    pub fn called(&mut self, client: usize, action: Action) {
        self.say(Some(client), format!("{action} ┐"));
    }

    /// A client's operation is answered.
    pub fn answered(&mut self, client: usize, answer: &Answer) {
        self.say(Some(client), format!("┘ {answer}"));
    }

    /// A client makes a system call.
    pub fn call(&mut self, client: usize, call: &Call, outcome: &Outcome) {
        let text = match outcome {
            Ok(reply) => format!("  {call} = {reply}"),
            Err(errno) => format!("  {call} = {}", server::fs::memory::call::name_of(*errno)),
        };
        self.say(Some(client), text);
    }

    /// A client asks its hint of free keys.
    pub fn hint(&mut self, client: usize, call: &HintCall, what: &What) {
        let text = match (call, what) {
            (HintCall::Pick, What::Picked(Pick::Try(key))) => format!("  hint: try {key}"),
            (HintCall::Pick, What::Picked(Pick::LookDue)) => "  hint: read the folder first".to_owned(),
            (HintCall::Pick, _) => "  hint: none is free".to_owned(),
            (HintCall::Taken(key), _) => format!("  hint: {key} is taken"),
            (HintCall::Freed(key), _) => format!("  hint: {key} is free"),
            (HintCall::Looked(..), What::Found(Some(key))) => format!("  hint: the folder was read; try {key}"),
            (HintCall::Looked(..), _) => "  hint: the folder was read; none is free".to_owned(),
        };
        self.say(Some(client), text);
    }

    /// A process dies, and so these clients' operations.
    pub fn death(&mut self, clients: &[usize]) {
        for &client in clients {
            self.say(Some(client), "✗ the process dies".to_owned());
        }
    }

    /// The clock goes on.
    pub fn tick(&mut self) {
        self.say(None, format!("… {} ms pass …", self.scenario.tick_ms));
    }

    fn say(&mut self, client: Option<usize>, text: String) {
        self.lines.push(Line { client, text });
    }
}

impl fmt::Display for Trace {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        writeln!(f, "At the start {}.", self.scenario.start.in_words())?;
        writeln!(f)?;
        let afterwards = self.scenario.clients.len();
        let names: Vec<String> = (0..afterwards).map(|client| format!("client {}", client + 1)).collect();
        writeln!(f, "     {}", columns(names.iter().map(String::as_str)))?;
        let mut number = 0;
        for Line { client, text } in &self.lines {
            let is_step = text.starts_with("  ");
            number += usize::from(is_step);
            let mut line = String::new();
            if is_step {
                write!(line, "{number:>3}  ")?;
            } else {
                line.push_str("     ");
            }
            match client {
                Some(client) if *client == afterwards => write!(line, "afterwards: {text}")?,
                Some(client) => write!(line, "{}{text}", " ".repeat(client * COLUMN))?,
                None => line.push_str(text),
            }
            writeln!(f, "{}", line.trim_end())?;
        }
        if let Some(broken) = &self.broken {
            writeln!(f, "\nBroken: {broken}.")?;
        }
        Ok(())
    }
}

fn columns<'a>(texts: impl Iterator<Item = &'a str>) -> String {
    let line = texts.fold(String::new(), |line, text| line + &format!("{text:<COLUMN$}"));
    line.trim_end().to_owned()
}
