//! Sequences of calls, drawn at random, and the account that is given of them.

use crate::subject::Subject;
use proptest::collection::vec;
use proptest::prelude::*;
use proptest::sample::select;
use server::fs::memory::call::name_of;
use server::fs::memory::{Call, FileId, LockKind, Outcome, Reply};
use server::fs::{Open, Stat};

/// The names that calls are made on. Three, so that a rename can meet a third party.
pub(crate) const NAMES: [&str; 3] = ["x", "y", "z"];

/// The calls on open files are made on those with the first so many numbers, whether they are open or not.
pub(crate) const FILES: u16 = 3;

/// How many calls a sequence has at most, before those that look at what came of it.
const LONGEST: usize = 60;

/// How much is written at a time, at most.
const WRITTEN_BYTES: usize = 7;

/// All that a file here can hold, to read it whole.
const ALL_BYTES: usize = LONGEST * WRITTEN_BYTES;

/// What came of each call, as lines that are the same exactly if the outcomes are.
pub(crate) type Account = Vec<String>;

/// Calls in a folder that is made first, but for one sequence in sixteen. Syncs are in one in ten, and where the folder is
/// not there at first: while a device has other things to do, they take nearly all the time.
pub(crate) fn sequences() -> impl Strategy<Value = Vec<Call>> {
    let (without_folder, with_syncs) = (prop::bool::weighted(1.0 / 16.0), prop::bool::weighted(0.1));
    (without_folder, with_syncs, vec(call(), 0..=LONGEST)).prop_map(|(without_folder, with_syncs, mut calls)| {
        let is_sync = |call: &Call| matches!(call, Call::Sync { .. } | Call::SyncFolder);
        calls.retain(|call| without_folder || with_syncs || !is_sync(call));
        let first = (!without_folder).then_some(Call::CreateFolder);
        first.into_iter().chain(calls).collect()
    })
}

fn call() -> impl Strategy<Value = Call> {
    let name = || select(&NAMES).prop_map(str::to_owned);
    let file = || (0..FILES).prop_map(numbered);
    let text = vec(b'a'..=b'z', 0..=WRITTEN_BYTES);
    // What is simple comes first: a sequence shrinks towards it.
    prop_oneof![
        1 => Just(Call::Names),
        1 => Just(Call::Folder),
        1 => Just(Call::CreateFolder),
        2 => name().prop_map(|name| Call::Stat { name }),
        7 => (name(), how()).prop_map(|(name, how)| Call::Open { name, how }),
        2 => file().prop_map(|file| Call::Close { file }),
        1 => file().prop_map(|file| Call::StatOpen { file }),
        1 => file().prop_map(|file| Call::Rewind { file }),
        3 => (file(), 0..=WRITTEN_BYTES).prop_map(|(file, at_most_bytes)| Call::Read { file, at_most_bytes }),
        4 => (file(), text).prop_map(|(file, bytes)| Call::Write { file, bytes }),
        1 => file().prop_map(|file| Call::Truncate { file }),
        3 => file().prop_map(|file| Call::Lock { file, kind: LockKind::Exclusive }),
        1 => file().prop_map(|file| Call::Unlock { file }),
        1 => Just(Call::SyncFolder),
        1 => file().prop_map(|file| Call::Sync { file }),
        2 => name().prop_map(|name| Call::Unlink { name }),
        2 => (name(), name()).prop_map(|(from, to)| Call::Rename { from, to }),
        2 => (name(), name()).prop_map(|(one, other)| Call::Exchange { one, other }),
    ]
}

fn how() -> impl Strategy<Value = Open> {
    select(&[Open::ReadWriteOrCreate, Open::Read, Open::WriteOrCreate, Open::New, Open::NewReservation][..])
}

pub(crate) fn numbered(number: u16) -> FileId {
    FileId { owner: 0, number }
}

/// Makes the calls of a sequence, and then those that tell what came of it all: the names, and for each the content,
/// the mark and whether its lock is free; for each open file the same, and its position.
pub(crate) fn account(subject: &mut dyn Subject, calls: &[Call]) -> Account {
    let mut account = Account::new();
    let mut make = |call: Call| {
        let outcome = make(subject, &call);
        account.push(format!("{} = {}", spelled(&call), told(outcome.as_ref())));
        outcome
    };
    for call in calls {
        make(call.clone());
    }
    make(Call::Names);
    for name in NAMES.map(str::to_owned) {
        make(Call::Stat { name: name.clone() });
        if let Some(Ok(Reply::Opened(file))) = make(Call::Open { name, how: Open::Read }) {
            make(Call::Lock { file, kind: LockKind::Exclusive });
            make(Call::Read { file, at_most_bytes: ALL_BYTES });
            make(Call::Close { file });
        }
    }
    for file in (0..FILES).map(numbered) {
        make(Call::StatOpen { file });
        make(Call::Read { file, at_most_bytes: ALL_BYTES });
        make(Call::Rewind { file });
        make(Call::Read { file, at_most_bytes: ALL_BYTES });
        make(Call::Lock { file, kind: LockKind::Exclusive });
        make(Call::Close { file });
    }
    account
}

/// Makes a call, and repeats a read or write until it is whole, as the protocols do: how much of it is done at a
/// time is promised by nobody.
pub(crate) fn make(subject: &mut dyn Subject, call: &Call) -> Option<Outcome> {
    match *call {
        Call::Write { file, ref bytes } => {
            let mut written = 0;
            loop {
                match subject.call(&Call::Write { file, bytes: bytes[written..].to_vec() }) {
                    Some(Ok(Reply::Written(0))) => return Some(Ok(Reply::Written(written))),
                    Some(Ok(Reply::Written(taken))) => written += taken,
                    other => return other,
                }
                if written == bytes.len() {
                    return Some(Ok(Reply::Written(written)));
                }
            }
        }
        Call::Read { file, at_most_bytes } => {
            let mut read = Vec::new();
            loop {
                match subject.call(&Call::Read { file, at_most_bytes: at_most_bytes - read.len() }) {
                    Some(Ok(Reply::Read(bytes))) if bytes.is_empty() => return Some(Ok(Reply::Read(read))),
                    Some(Ok(Reply::Read(bytes))) => read.extend(bytes),
                    other => return other,
                }
                if read.len() == at_most_bytes {
                    return Some(Ok(Reply::Read(read)));
                }
            }
        }
        _ => subject.call(call),
    }
}

/// As [`Call`] is displayed, with what is written.
pub(crate) fn spelled(call: &Call) -> String {
    match call {
        Call::Write { file, bytes } => format!("write({file}, '{}')", bytes.escape_ascii()),
        other => other.to_string(),
    }
}

/// An outcome in words. Times are left out: no two subjects have the same.
pub(crate) fn told(outcome: Option<&Outcome>) -> String {
    match outcome {
        None => "waits".to_owned(),
        Some(Err(errno)) => name_of(*errno),
        Some(Ok(Reply::Names(names))) if names.is_empty() => "no names".to_owned(),
        Some(Ok(Reply::Names(names))) => {
            // They come in no order.
            let mut names = names.clone();
            names.sort();
            names.join(" ")
        }
        Some(Ok(Reply::Read(bytes))) => format!("'{}'", bytes.escape_ascii()),
        Some(Ok(Reply::Stat(Some(Stat { size_bytes, reservation, .. })))) => {
            format!("{size_bytes} bytes{}", if *reservation { ", reservation" } else { "" })
        }
        Some(Ok(reply)) => reply.to_string(),
    }
}
