//! Making a sequence shorter that shows something.
//!
//! Proptest takes calls out one at a time. But a file's number is the lowest that was free, so to take out an opening
//! gives later files other numbers: here the calls on them follow.

use crate::calls::{FILES, NAMES};
use server::fs::memory::{Call, FileId};

/// The shortest sequence, with the fewest names, that `shows` it and that small steps lead to; and what is shown.
pub(crate) fn shortest(
    calls: Vec<Call>,
    shown: String,
    shows: impl Fn(&[Call]) -> Option<String>,
) -> (Vec<Call>, String) {
    let (mut calls, mut shown) = (calls, shown);
    loop {
        let shorter = candidates(&calls).find_map(|calls| shows(&calls).map(|shown| (calls, shown)));
        match shorter {
            Some(shorter) => (calls, shown) = shorter,
            None => return (calls, shown),
        }
    }
}

/// Each has a call fewer, or comes before it in the order of names: so there is an end.
fn candidates(calls: &[Call]) -> impl Iterator<Item = Vec<Call>> {
    let shorter = (0..calls.len()).flat_map(move |place| {
        // With those above a number lowered, first none.
        (0..FILES).rev().map(move |above| {
            let lowered = |file: FileId| FileId { number: file.number - u16::from(file.number > above), ..file };
            let after = calls[place + 1..].iter().map(|call| changed(call, &lowered, &str::to_owned));
            calls[..place].iter().cloned().chain(after).collect::<Vec<Call>>()
        })
    });
    let pairs = NAMES.iter().enumerate().flat_map(|(place, to)| NAMES[place + 1..].iter().map(move |from| (from, to)));
    let renamed = pairs.map(move |(from, to)| {
        let other = |name: &str| if name == *from { (*to).to_owned() } else { name.to_owned() };
        calls.iter().map(|call| changed(call, &|file| file, &other)).collect::<Vec<Call>>()
    });
    shorter.chain(renamed.filter(move |renamed| renamed != calls))
}

/// A call with other files and names.
fn changed(call: &Call, file_of: &impl Fn(FileId) -> FileId, name_of: &impl Fn(&str) -> String) -> Call {
    let mut call = call.clone();
    match &mut call {
        Call::Folder | Call::CreateFolder | Call::Names | Call::SyncFolder => {}
        Call::Stat { name } | Call::Open { name, .. } | Call::Unlink { name } => *name = name_of(name),
        Call::Rename { from: one, to: other } | Call::Exchange { one, other } => {
            (*one, *other) = (name_of(one), name_of(other));
        }
        Call::StatOpen { file }
        | Call::Lock { file, .. }
        | Call::Unlock { file }
        | Call::Read { file, .. }
        | Call::Write { file, .. }
        | Call::Truncate { file }
        | Call::Rewind { file }
        | Call::Sync { file }
        | Call::Close { file } => *file = file_of(*file),
    }
    call
}
