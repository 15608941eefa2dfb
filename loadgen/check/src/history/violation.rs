//! What is wrong with a history, as a counterexample that one can follow.

use super::Event;
use crate::store::{Operation, Slot};
use std::fmt;

/// What cannot be explained.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Violation {
    /// Under which key; none where it is not about one.
    pub key: Option<String>,
    /// What happened to that key. The last event is the one that nothing explains, unless it is what is there in the end.
    pub events: Vec<Event>,
    /// What is there in the end, where it is that which nothing explains.
    pub in_the_end: Option<Slot>,
    /// Where in the history it shows: how many events came before the last one.
    pub(super) place: usize,
}

impl Violation {
    /// The operation whose answer cannot be explained; none where it is what is there in the end.
    #[must_use]
    pub fn operation(&self) -> Option<&Operation> {
        let (Event::Called { client: of, .. } | Event::Answered { client: of, .. } | Event::Failed { client: of }) =
            self.events.last().filter(|_| self.in_the_end.is_none())?;
        self.events.iter().rev().find_map(|event| match event {
            Event::Called { client, operation } if client == of => Some(operation),
            _ => None,
        })
    }
}

/// A line for each event, and what is wrong.
impl fmt::Display for Violation {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        if let Some(key) = &self.key {
            writeln!(f, "Under {key}:")?;
        }
        self.events.iter().try_for_each(|event| writeln!(f, "  {event}"))?;
        match &self.in_the_end {
            None => write!(f, "No order of the operations explains the last answer."),
            Some(slot) => {
                write!(f, "No order of the operations explains what is there in the end: {}.", slot_in_words(slot))
            }
        }
    }
}

impl fmt::Display for Event {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Called { client, operation } => write!(f, "client {client} calls {}", operation_in_words(operation)),
            Self::Answered { client, answer } => write!(f, "client {client} is answered: {answer}"),
            Self::Failed { client } => write!(f, "client {client} gets no answer"),
        }
    }
}

fn operation_in_words(operation: &Operation) -> String {
    match operation {
        Operation::GenerateKey { .. } => "generate-key".to_owned(),
        Operation::Instantiate { key, document } => format!("instantiate of {key} ({})", document.type_slug),
        Operation::InstantiateOwn { key, document } => format!("instantiate of its own {key} ({})", document.type_slug),
        Operation::Save { key, posted } => format!("save of {key}: {posted}"),
        Operation::Restore { key } => format!("restore of {key}"),
        Operation::Delete { key } => format!("delete of {key}"),
        Operation::List => "list".to_owned(),
        Operation::GiveBack => "giving back".to_owned(),
        Operation::MoveAway { key } => format!("mv of {key}"),
    }
}

fn slot_in_words(slot: &Slot) -> String {
    match slot {
        Slot::Absent => "nothing".to_owned(),
        Slot::Reserved { .. } => "a reservation".to_owned(),
        Slot::Present(document) => format!("the document {document}"),
    }
}
