//! The language of the claims: calls on files that go by letters.

use crate::calls::{Account, make, told};
use crate::subject::Subject;
use server::fs::Open as How;
use server::fs::memory::{Call, FileId, LockKind, Outcome, Reply};
use std::collections::BTreeMap;

/// A step: on a name, or on the file that was opened under a letter.
#[derive(Clone, Copy, Debug)]
pub(crate) enum Step {
    CreateFolder,
    Folder,
    Names,
    Stat(&'static str),
    /// Under a letter that is in use already, the file that it stood for is closed after.
    Open(char, &'static str, How),
    StatOpen(char),
    Lock(char),
    /// Not a call: whether the lock of what a name stands for is held.
    IsLocked(&'static str),
    Unlock(char),
    Read(char, usize),
    Write(char, &'static str),
    Truncate(char),
    Rewind(char),
    Sync(char),
    SyncFolder,
    Close(char),
    Rename(&'static str, &'static str),
    Exchange(&'static str, &'static str),
    Unlink(&'static str),
}

/// Takes steps, and tells what came of each.
pub(crate) fn account<'a>(subject: &mut dyn Subject, steps: impl IntoIterator<Item = &'a Step>) -> Account {
    let mut letters = BTreeMap::new();
    steps.into_iter().map(|step| format!("{step:?} = {}", take(subject, &mut letters, *step))).collect()
}

fn take(subject: &mut dyn Subject, letters: &mut BTreeMap<char, FileId>, step: Step) -> String {
    let outcome = match step {
        Step::IsLocked(name) => return is_locked(subject, name).to_owned(),
        Step::Open(letter, name, how) => {
            let outcome = open(subject, name, how);
            if let Some(Ok(Reply::Opened(file))) = outcome
                && let Some(file) = letters.insert(letter, file)
            {
                make(subject, &Call::Close { file });
            }
            outcome
        }
        Step::Close(letter) => {
            let outcome = make(subject, &call(letters, step));
            // The number may be another file's from now on.
            letters.remove(&letter);
            outcome
        }
        other => make(subject, &call(letters, other)),
    };
    match outcome {
        Some(Ok(Reply::Opened(_) | Reply::Written(_))) => "ok".to_owned(),
        outcome => told(outcome.as_ref()),
    }
}

fn open(subject: &mut dyn Subject, name: &str, how: How) -> Option<Outcome> {
    make(subject, &Call::Open { name: name.to_owned(), how })
}

fn is_locked(subject: &mut dyn Subject, name: &str) -> &'static str {
    let Some(Ok(Reply::Opened(file))) = open(subject, name, How::Read) else { return "not there" };
    let outcome = make(subject, &Call::Lock { file, kind: LockKind::Exclusive });
    make(subject, &Call::Close { file });
    if outcome.is_some() { "free" } else { "held" }
}

fn call(letters: &BTreeMap<char, FileId>, step: Step) -> Call {
    let file = |letter| letters[&letter];
    match step {
        Step::CreateFolder => Call::CreateFolder,
        Step::Folder => Call::Folder,
        Step::Names => Call::Names,
        Step::Stat(name) => Call::Stat { name: name.to_owned() },
        Step::StatOpen(letter) => Call::StatOpen { file: file(letter) },
        Step::Lock(letter) => Call::Lock { file: file(letter), kind: LockKind::Exclusive },
        Step::Unlock(letter) => Call::Unlock { file: file(letter) },
        Step::Read(letter, at_most_bytes) => Call::Read { file: file(letter), at_most_bytes },
        Step::Write(letter, text) => Call::Write { file: file(letter), bytes: text.into() },
        Step::Truncate(letter) => Call::Truncate { file: file(letter) },
        Step::Rewind(letter) => Call::Rewind { file: file(letter) },
        Step::Sync(letter) => Call::Sync { file: file(letter) },
        Step::SyncFolder => Call::SyncFolder,
        Step::Close(letter) => Call::Close { file: file(letter) },
        Step::Rename(from, to) => Call::Rename { from: from.to_owned(), to: to.to_owned() },
        Step::Exchange(one, other) => Call::Exchange { one: one.to_owned(), other: other.to_owned() },
        Step::Unlink(name) => Call::Unlink { name: name.to_owned() },
        Step::Open(..) | Step::IsLocked(_) => unreachable!("more than one call"),
    }
}
