//! Which calls stamp the folder, and which a file, with a new time.
//!
//! The hint of free keys trusts an earlier look at the folder for as long as its time stays, so it must tell every change
//! of names, and should tell nothing else; a reservation's age is its file's time.

use crate::calls::{Account, make, numbered, spelled};
use crate::subject::Subject;
use crate::subjects::{self, Script};
use server::fs::Open;
use server::fs::memory::{Call, LockKind, Reply};
use std::sync::Arc;

/// Calls in a folder that is made first, and what each stamps. The first file opened has the number 3, the second 4.
fn claim() -> Vec<(Call, &'static str)> {
    let (x, y, z) = ("x".to_owned(), "y".to_owned(), "z".to_owned());
    let (first, second, third) = (numbered(0), numbered(1), numbered(2));
    let open = |name: &str, how| Call::Open { name: name.to_owned(), how };
    let write = |file| Call::Write { file, bytes: b"abc".into() };
    vec![
        // A name is added, however that is done.
        (open("x", Open::New), "folder"),
        (open("y", Open::ReadWriteOrCreate), "folder"),
        (open("z", Open::NewReservation), "folder"),
        (Call::Close { file: third }, "nothing"),
        (Call::Unlink { name: z.clone() }, "folder"),
        (open("z", Open::WriteOrCreate), "folder"),
        (Call::Close { file: third }, "nothing"),
        // Names stay as they are, and so does the folder.
        (open("z", Open::WriteOrCreate), "nothing"),
        (open("z", Open::New), "nothing"),
        (Call::Close { file: third }, "nothing"),
        (Call::CreateFolder, "nothing"),
        (Call::Names, "nothing"),
        (Call::Stat { name: x.clone() }, "nothing"),
        (Call::Lock { file: first, kind: LockKind::Exclusive }, "nothing"),
        (Call::Unlock { file: first }, "nothing"),
        // A file is written.
        (write(first), "file 3"),
        (write(second), "file 4"),
        (Call::Write { file: second, bytes: Vec::new() }, "nothing"),
        (Call::Rewind { file: second }, "nothing"),
        (Call::Read { file: second, at_most_bytes: 9 }, "nothing"),
        (Call::Truncate { file: second }, "file 4"),
        (Call::Sync { file: second }, "nothing"),
        (Call::SyncFolder, "nothing"),
        // Names change their files, and no file its content.
        (Call::Exchange { one: x.clone(), other: y.clone() }, "folder"),
        (Call::Rename { from: x.clone(), to: y.clone() }, "folder"),
        (Call::Rename { from: y.clone(), to: x.clone() }, "folder"),
        // What fails changes nothing.
        (Call::Rename { from: y.clone(), to: x.clone() }, "nothing"),
        (Call::Exchange { one: x.clone(), other: y.clone() }, "nothing"),
        (Call::Unlink { name: y }, "nothing"),
        // Nor does what changes a name into itself.
        (Call::Rename { from: x.clone(), to: x.clone() }, "nothing"),
        (Call::Exchange { one: x.clone(), other: x.clone() }, "nothing"),
        // A file without a name has its time still, and the folder no more to do with it.
        (Call::Unlink { name: x }, "folder"),
        (write(second), "file 4"),
    ]
}

#[test]
fn the_folders_time_tells_changes_of_names() {
    let expected: Account = claim().iter().map(|(call, stamps)| format!("{} stamps {stamps}", spelled(call))).collect();
    for kind in subjects::all() {
        let script: Script = Arc::new(|subject| {
            make(subject, &Call::CreateFolder);
            claim().iter().map(|(call, _)| stamps(subject, call)).collect()
        });
        assert_eq!(kind.run(&script), expected, "{}", kind.name);
    }
}

fn stamps(subject: &mut dyn Subject, call: &Call) -> String {
    subject.let_time_pass();
    let before = times(subject);
    make(subject, call);
    let after = times(subject);
    // A file that is opened or closed by the call is not one whose time changed.
    let changed = |place: &usize| after[*place] != before[*place] && after[*place].and(before[*place]).is_some();
    let stamped: Vec<&str> = (0..3).filter(changed).map(|place| ["folder", "file 3", "file 4"][place]).collect();
    format!("{} stamps {}", spelled(call), if stamped.is_empty() { "nothing".to_owned() } else { stamped.join(", ") })
}

/// The folder's, and those of the first two open files; their units differ.
fn times(subject: &mut dyn Subject) -> [Option<u64>; 3] {
    [Call::Folder, Call::StatOpen { file: numbered(0) }, Call::StatOpen { file: numbered(1) }].map(|call| match subject
        .call(&call)
    {
        Some(Ok(Reply::Folder(stat))) => stat.map(|stat| stat.modified_ns),
        Some(Ok(Reply::Stat(stat))) => stat.map(|stat| stat.modified_ms),
        _ => None,
    })
}
