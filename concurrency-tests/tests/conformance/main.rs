//! The model of files does what the kernel does: the argument that what is proved on the one holds on the other.
//!
//! The same calls are made on the model and on a real folder: first those of a list, each with the result that
//! both must give, then some ten thousand drawn at random, of which the two must give the same account.
//!
//! Left out are times (the model's stand still), short writes (the model's are made up: a write here goes on
//! until all is written), syncs (seen only after a loss of power), and waiting for a lock (it takes a second
//! thread: `tests/protocols/model.rs`).

mod claims;
mod session;

use claims::CLAIMS;
use concurrency_tests::{Kernel, ModelFs, explore};
use rand::rngs::StdRng;
use rand::seq::IndexedRandom;
use rand::{RngExt, SeedableRng};
use server::fs::Open as How;
use server::fs::disk::{DiskFileSystem, DiskOptions};
use session::{Call, Session, Subject};
use std::path::Path;

/// How many sequences of random calls are tried, and how long each is.
const SEQUENCES: u64 = 300;
const CALLS_IN_SEQUENCE: usize = 60;

const NAMES: [&str; 3] = ["x", "y", "z"];
const LETTERS: [char; 3] = ['a', 'b', 'c'];
const HOWS: [How; 5] = [How::Read, How::WriteOrCreate, How::ReadWriteOrCreate, How::New, How::NewReservation];

#[test]
fn the_model_does_what_the_claims_say() {
    explore(None, || check_claims(|| ModelFs::new(Kernel::default())));
}

#[test]
fn the_kernel_does_what_the_claims_say() {
    let folder = tempfile::tempdir().expect("a folder");
    let mut folders = (0..).map(|number| disk(&folder.path().join(format!("saves-{number}"))));
    check_claims(|| folders.next().expect("there is no last one"));
}

#[test]
fn the_model_and_the_kernel_give_the_same_account_of_random_calls() {
    for seed in 0..SEQUENCES {
        explore(None, move || compare_random_calls(seed));
    }
}

fn disk(folder: &Path) -> DiskFileSystem {
    DiskFileSystem::new(folder.to_owned(), DiskOptions { lock_wait: None })
}

/// Makes the calls of each claim in a folder of its own.
fn check_claims<F: Subject>(mut new_folder: impl FnMut() -> F) {
    for (claim, calls) in CLAIMS {
        let mut session = Session::new(new_folder());
        for (number, &(call, expected)) in calls.iter().enumerate() {
            let expected = expected.map(str::to_owned);
            assert_eq!(session.make(call), expected, "{claim}: call {number}, {call:?}");
        }
    }
}

/// Makes the same random calls in a folder of the model and in a real one.
fn compare_random_calls(seed: u64) {
    let folder = tempfile::tempdir().expect("a folder");
    let mut model = Session::new(ModelFs::new(Kernel::default()));
    let mut kernel = Session::new(disk(&folder.path().join("saves")));
    let mut random = StdRng::seed_from_u64(seed);
    let mut calls = vec![Call::CreateFolder];
    while calls.len() < CALLS_IN_SEQUENCE {
        let call = calls[calls.len() - 1];
        assert_eq!(model.make(call), kernel.make(call), "seed {seed}: the last of {calls:?}");
        for name in NAMES {
            let content = std::fs::read(kernel.fs.folder_path().join(name)).ok();
            assert_eq!(model.fs.content(name), content, "seed {seed}: {name} after {calls:?}");
            let is_locked = kernel.fs.is_locked(name);
            assert_eq!(model.fs.is_locked(name), is_locked, "seed {seed}: {name} after {calls:?}");
        }
        calls.extend(Some(random_call(&mut random)).filter(|call| can_be_made(&model, *call)));
    }
}

/// Whether a call's file is open, and a lock that it asks for is free: nobody here would release it.
fn can_be_made(model: &Session<ModelFs>, call: Call) -> bool {
    match call {
        Call::Lock(letter) => model.open.get(&letter).is_some_and(|file| model.fs.try_lock(file)),
        Call::StatOpen(letter)
        | Call::Unlock(letter)
        | Call::Read(letter, _)
        | Call::Write(letter, _)
        | Call::Truncate(letter)
        | Call::Rewind(letter)
        | Call::Close(letter) => model.open.contains_key(&letter),
        _ => true,
    }
}

fn random_call(random: &mut StdRng) -> Call {
    let mut name = || NAMES[random.random_range(0..NAMES.len())];
    let (one, other) = (name(), name());
    let letter = *LETTERS.choose(random).expect("is not empty");
    match random.random_range(0..18) {
        0..=3 => Call::Open(letter, one, *HOWS.choose(random).expect("is not empty")),
        4 => Call::Names,
        5 => Call::Stat(one),
        6 => Call::StatOpen(letter),
        7 | 8 => Call::Lock(letter),
        9 => Call::Unlock(letter),
        10 | 11 => Call::Read(letter, random.random_range(0..6)),
        12 => Call::Write(letter, ["", "p", "qrs", "tuvwxyz"][random.random_range(0..4)]),
        13 => Call::Truncate(letter),
        14 => Call::Rewind(letter),
        15 => Call::Close(letter),
        16 if random.random() => Call::Unlink(one),
        16 => Call::Rename(one, other),
        _ => Call::Exchange(one, other),
    }
}
