//! File systems that differ from the kernel in one thing. The random calls must find each, and show it in a few calls.

use crate::calls::numbered;
use crate::subject::{Session, Subject};
use crate::subjects::{Kind, plain};
use crate::{Difference, compare, fixed_config};
use rustix::io::Errno;
use server::fs::memory::{Call, FileId, Kernel, Outcome, Reply};
use server::fs::{Around, Failing, Fault, Open, Retrying};
use std::collections::BTreeMap;

/// How many calls the shortest sequence that shows a mutant may have. None of these needs more.
const SHORT: usize = 5;

/// Whose files a mutant opens itself, on the side.
const ASIDE: u16 = 1;

/// A kernel that makes calls in its own way.
struct Mutant {
    kernel: Kernel,
    make: fn(&mut Self, &Call) -> Option<Outcome>,
    /// Under which name each file was opened.
    opened_as: BTreeMap<FileId, String>,
    /// Who holds the lock of a name, for a mutant whose names have locks.
    name_held_by: BTreeMap<String, FileId>,
}

impl Mutant {
    /// As the kernel does it.
    fn rightly(&mut self, call: &Call) -> Option<Outcome> {
        Kernel::call(&mut self.kernel, 0, call)
    }

    /// Another open file of the same file that holds its lock.
    fn fellow_with_lock(&self, file: FileId) -> Option<FileId> {
        let inode = |file| self.kernel.opened(file).map(|(inode, _)| inode);
        let is_fellow = |other: &&FileId| inode(**other) == inode(file) && self.kernel.holds_lock(**other);
        self.opened_as.keys().find(is_fellow).copied()
    }

    fn is_there(&self, name: &str) -> bool {
        self.kernel.stat(name).is_some()
    }
}

impl Subject for Mutant {
    fn call(&mut self, call: &Call) -> Option<Outcome> {
        let outcome = (self.make)(self, call);
        if let (Call::Open { name, .. }, Some(Ok(Reply::Opened(file)))) = (call, &outcome) {
            self.opened_as.insert(*file, name.clone());
        }
        outcome
    }

    fn let_time_pass(&mut self) {
        self.kernel.let_time_pass();
    }
}

/// What the check has to say of a mutant.
fn difference(make: fn(&mut Mutant, &Call) -> Option<Outcome>) -> Difference {
    let mutant =
        move || Mutant { kernel: Kernel::default(), make, opened_as: BTreeMap::new(), name_held_by: BTreeMap::new() };
    caught(Kind::new("the mutant", move |script| script(&mut mutant())))
}

fn caught(mutant: Kind) -> Difference {
    let kernel = Kind::new("the kernel", |script| script(&mut Kernel::default()));
    let difference = compare(fixed_config(), &[kernel, mutant]).err().expect("the mutant is caught");
    println!("{}", difference.account);
    assert!(difference.calls.len() <= SHORT, "as short as can be: {}", difference.account);
    difference
}

/// One test a mutant: its name, and how it makes calls.
macro_rules! caught {
    ($($name:ident: $make:expr;)*) => { $(
        #[test]
        fn $name() {
            difference($make);
        }
    )* };
}

caught! {
    that_unlinking_empties_a_file_for_those_who_have_it_open_is_caught: |mutant, call| {
        if let Call::Unlink { name } = call && mutant.is_there(name) {
            let open = Call::Open { name: name.clone(), how: Open::WriteOrCreate };
            if let Some(Ok(Reply::Opened(file))) = mutant.kernel.call(ASIDE, &open) {
                mutant.kernel.call(ASIDE, &Call::Truncate { file });
                mutant.kernel.call(ASIDE, &Call::Close { file });
            }
        }
        mutant.rightly(call)
    };

    that_o_excl_is_ignored_is_caught: |mutant, call| match call {
        Call::Open { name, how: Open::New } => {
            mutant.rightly(&Call::Open { name: name.clone(), how: Open::WriteOrCreate })
        }
        other => mutant.rightly(other),
    };

    that_a_lock_belongs_to_the_name_is_caught: |mutant, call| match call {
        Call::Lock { file, .. } if mutant.kernel.opened(*file).is_some() => {
            let name = mutant.opened_as[file].clone();
            let holder = *mutant.name_held_by.entry(name).or_insert(*file);
            (holder == *file).then_some(Ok(Reply::Done))
        }
        Call::Unlock { file } | Call::Close { file } => {
            mutant.name_held_by.retain(|_, holder| holder != file);
            mutant.rightly(call)
        }
        other => mutant.rightly(other),
    };

    that_closing_any_open_file_of_a_file_releases_its_lock_is_caught: |mutant, call| {
        // So do the record locks of POSIX.
        if let Call::Close { file } = call && let Some(fellow) = mutant.fellow_with_lock(*file) {
            mutant.rightly(&Call::Unlock { file: fellow });
        }
        mutant.rightly(call)
    };

    that_unlocking_releases_somebody_elses_lock_is_caught: |mutant, call| {
        if let Call::Unlock { file } = call && let Some(fellow) = mutant.fellow_with_lock(*file) {
            mutant.rightly(&Call::Unlock { file: fellow });
        }
        mutant.rightly(call)
    };

    that_a_lock_already_held_is_waited_for_is_caught: |mutant, call| match call {
        Call::Lock { file, .. } if mutant.kernel.holds_lock(*file) => None,
        other => mutant.rightly(other),
    };

    that_a_lock_is_had_where_it_is_held_elsewhere_is_caught: |mutant, call| {
        mutant.rightly(call).or(Some(Ok(Reply::Done)))
    };

    that_truncating_rewinds_is_caught: |mutant, call| {
        let outcome = mutant.rightly(call);
        if let (Call::Truncate { file }, Some(Ok(_))) = (call, &outcome) {
            mutant.rightly(&Call::Rewind { file: *file });
        }
        outcome
    };

    that_all_open_files_of_a_file_share_a_position_is_caught: |mutant, call| {
        if let Call::Rewind { file } = call {
            let inode = mutant.kernel.opened(*file).map(|(inode, _)| inode);
            let others = (0..crate::calls::FILES).map(numbered);
            let fellows = others.filter(|other| mutant.kernel.opened(*other).map(|(inode, _)| inode) == inode);
            for file in fellows.collect::<Vec<_>>() {
                mutant.rightly(&Call::Rewind { file });
            }
        }
        mutant.rightly(call)
    };

    that_opening_to_write_truncates_is_caught: |mutant, call| {
        let outcome = mutant.rightly(call);
        if let (Call::Open { how: Open::WriteOrCreate, .. }, Some(Ok(Reply::Opened(file)))) = (call, &outcome) {
            mutant.rightly(&Call::Truncate { file: *file });
        }
        outcome
    };

    that_renaming_replaces_nothing_is_caught: |mutant, call| match call {
        Call::Rename { from, to } if from != to && mutant.is_there(from) && mutant.is_there(to) => {
            Some(Err(Errno::EXIST))
        }
        other => mutant.rightly(other),
    };

    that_exchanging_is_renaming_is_caught: |mutant, call| match call {
        Call::Exchange { one, other } if mutant.is_there(other) => {
            mutant.rightly(&Call::Rename { from: one.clone(), to: other.clone() })
        }
        other => mutant.rightly(other),
    };

    that_a_reservation_has_no_mark_is_caught: |mutant, call| match call {
        Call::Open { name, how: Open::NewReservation } => {
            mutant.rightly(&Call::Open { name: name.clone(), how: Open::New })
        }
        other => mutant.rightly(other),
    };

    that_an_open_file_is_what_its_name_stands_for_now_is_caught: |mutant, call| match call {
        Call::StatOpen { file } if mutant.kernel.opened(*file).is_some() => {
            let name = mutant.opened_as[file].clone();
            mutant.rightly(&Call::Stat { name })
        }
        other => mutant.rightly(other),
    };

    that_what_was_opened_to_write_can_be_read_is_caught: |mutant, call| match (call, mutant.rightly(call)) {
        (Call::Read { file, .. }, Some(Err(Errno::BADF))) if mutant.kernel.opened(*file).is_some() => {
            Some(Ok(Reply::Read(Vec::new())))
        }
        (_, outcome) => outcome,
    };

    that_what_was_opened_to_read_can_be_written_is_caught: |mutant, call| match (call, mutant.rightly(call)) {
        (Call::Write { file, bytes }, Some(Err(Errno::BADF))) if mutant.kernel.opened(*file).is_some() => {
            Some(Ok(Reply::Written(bytes.len())))
        }
        (_, outcome) => outcome,
    };

    that_another_error_is_given_is_caught: |mutant, call| match (call, mutant.rightly(call)) {
        (Call::Truncate { .. }, Some(Err(Errno::INVAL))) => Some(Err(Errno::BADF)),
        (_, outcome) => outcome,
    };
}

/// A file system whose third call is interrupted, and nobody makes it again.
#[test]
fn that_an_interrupted_call_is_not_made_again_is_caught() {
    caught(Kind::new("the mutant", |script| {
        let failing = Failing::new();
        failing.plan().arm([Fault::once(3, Errno::INTR)]);
        script(&mut Session::new(Around::new(plain(), failing)))
    }));
}

#[test]
fn that_an_error_is_hidden_which_is_no_interruption_is_caught() {
    caught(Kind::new("the mutant", |script| {
        let failing = Failing::new();
        failing.plan().arm([Fault::once(3, Errno::IO)]);
        script(&mut Session::new(Around::new(Around::new(plain(), failing), Retrying)))
    }));
}

/// As a lock under loom does that never comes back.
#[test]
fn that_a_call_panics_is_caught() {
    let difference = difference(|mutant, call| {
        assert!(!matches!(call, Call::Unlink { .. }), "no unlinking here");
        mutant.rightly(call)
    });
    assert_eq!(difference.calls, [Call::Unlink { name: "x".to_owned() }]);
    assert!(difference.account.ends_with("a panic: no unlinking here"), "{}", difference.account);
}

/// Exactly: a sequence that cannot be made any shorter, and how it went.
#[test]
fn what_is_caught_is_shown_in_the_fewest_calls() {
    let difference = difference(|mutant, call| match call {
        Call::Open { name, how: Open::New } => {
            mutant.rightly(&Call::Open { name: name.clone(), how: Open::WriteOrCreate })
        }
        other => mutant.rightly(other),
    });
    let expected = [
        "mkdir(.) = ok",
        "open(x, write, create) = 3",
        "then, on the kernel:",
        "open(x, write, create new) = EEXIST",
        "but on the mutant:",
        "open(x, write, create new) = 4",
    ];
    assert_eq!(difference.account.lines().collect::<Vec<_>>(), expected);
}
