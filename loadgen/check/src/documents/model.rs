//! Accesses as operations of the sequential model: the definition that everything else here is held to.

use super::access::{Access, Content, Kind, NEVER, Role};
use crate::linearizability::{Call, Model};
use crate::store::{Answer, Document, Operation, Slot};

/// The key, whose name does not matter: accesses are to one document.
const KEY: &str = "";

/// What is under the key after an access that took effect at one moment; `None` where its answer would not be right then.
///
/// A server need not reserve the keys that it hands out, and may give a reservation back: a delete of a key that is only
/// reserved may find nothing, and the key may be handed out again. (Whether both may use it then is for `ownership.rs`.)
#[must_use]
pub fn step(slot: &Slot, access: &Access) -> Option<Slot> {
    if matches!((slot, access.kind), (Slot::Reserved { .. }, Kind::Handed | Kind::DeletesNone)) {
        return Some(slot.clone());
    }
    let (after, answer) = slot.after(KEY, &operation(access.kind)?)?;
    is_answer(access.kind, &answer).then_some(after)
}

/// What was asked; none where nothing can have been answered so.
fn operation(kind: Kind) -> Option<Operation> {
    let key = KEY.to_owned();
    Some(match kind {
        Kind::Handed => Operation::GenerateKey { reserves: true },
        Kind::Created(content) | Kind::MayCreate(content) => {
            Operation::Instantiate { key, document: document(content) }
        }
        Kind::Existed(_) => Operation::Instantiate { key, document: Document::default() },
        Kind::Saved(content) | Kind::MaySave(content) => Operation::Save { key, posted: document(content) },
        // What was refused is as if it had only looked; so is one document's part of a list, at a moment of its own.
        Kind::Refused(_) | Kind::Shows(_) | Kind::ShowsNone | Kind::Unreadable | Kind::Unlisted => {
            Operation::Restore { key }
        }
        Kind::Deleted | Kind::DeletesNone | Kind::MayDelete => Operation::Delete { key },
        Kind::Torn => return None,
    })
}

fn document(content: Content) -> Document {
    Document { state: content.to_string(), ..Document::default() }
}

/// Whether that was answered, as far as is known.
fn is_answer(kind: Kind, answer: &Answer) -> bool {
    match (kind, answer) {
        (Kind::Shows(content), Answer::Restored(document)) => document.state == content.to_string(),
        (Kind::Existed(_), Answer::Existed)
        | (Kind::ShowsNone | Kind::Unreadable | Kind::Unlisted | Kind::DeletesNone, Answer::NotFound)
        | (Kind::Deleted, Answer::Deleted)
        | (Kind::Created(_), Answer::Created)
        | (
            Kind::Handed | Kind::Saved(_) | Kind::MaySave(_) | Kind::MayCreate(_) | Kind::MayDelete | Kind::Refused(_),
            _,
        ) => true,
        _ => false,
    }
}

impl Access {
    /// The access as a call of a history.
    #[must_use]
    pub fn call(&self) -> Call<Self> {
        Call {
            process: u64::from(self.process),
            operation: *self,
            called: self.called_us,
            returned: Some(self.returned_us).filter(|us| *us != NEVER),
        }
    }
}

/// One document, from what was there at the start.
#[derive(Clone, Debug)]
pub struct OneDocument {
    /// What was there.
    pub start: Slot,
}

impl Model for OneDocument {
    type State = Slot;
    type Operation = Access;

    fn initial(&self) -> Slot {
        self.start.clone()
    }

    fn step(&self, state: &Slot, access: &Access) -> Option<Slot> {
        step(state, access)
    }

    fn is_read_only(&self, access: &Access) -> bool {
        matches!(access.kind.role(), Role::SeesContent(_) | Role::SeesAbsent | Role::SeesPresent | Role::Nothing)
    }
}
