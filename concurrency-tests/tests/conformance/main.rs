//! Every version of the file system does what the kernel does: the argument that what is proved on one holds on all.
//!
//! The same calls are made on real disks and on each model of one (layout: `subjects`), and the accounts that they give
//! must be the same: first of the calls of a list, each with the result that all must give (`claims`), then of sequences
//! drawn at random (`calls`). Locks are tried without waiting. `times` has which calls stamp the folder or a file with a
//! new time, and `locks` the shared ones. That these checks can fail is in `mutants`.
//!
//! `PROPTEST_CASES` sets how many sequences are drawn, `PROPTEST_RNG_SEED` which ones.
//!
//! Left out are what times are (only that they change is compared), how much of a read or write is done at a time (they
//! are repeated until whole), what syncs are for (seen only after a loss of power), and waiting for a lock.

mod calls;
mod claims;
mod locks;
mod mutants;
mod shrink;
mod steps;
mod subject;
mod subjects;
mod times;

use calls::{Account, account, sequences, spelled};
use claims::CLAIMS;
use proptest::strategy::{Strategy, ValueTree};
use proptest::test_runner::{Config, RngSeed, TestCaseError, TestError, TestRunner};
use server::fs::memory::{Call, Kernel};
use std::cell::Cell;
use std::collections::BTreeSet;
use std::sync::Arc;
use subjects::{Kind, Script};

/// How many sequences are drawn where nothing else is said: a second or two, and longer on a busy disk.
const SEQUENCES: u32 = 500;

/// From which they are drawn where nothing else is said, so that every run draws the same.
const SEED: u64 = 6;

/// Enough for any sequence to become as short as it can be.
const SHRINK_STEPS: u32 = 100_000;

#[test]
fn every_file_system_does_what_the_claims_say() {
    for kind in subjects::all() {
        for (claim, steps) in CLAIMS {
            let expected: Account = steps.iter().map(|(step, answer)| format!("{step:?} = {answer}")).collect();
            let script: Script = Arc::new(|subject| steps::account(subject, steps.iter().map(|(step, _)| step)));
            assert_eq!(kind.run(&script), expected, "{}: {claim}", kind.name);
        }
    }
}

#[test]
fn all_file_systems_give_the_same_account_of_random_calls() {
    let kinds = subjects::all();
    let names: Vec<&str> = kinds.iter().map(|kind| kind.name.as_str()).collect();
    let counts = match compare(config(), &kinds) {
        Ok(counts) => counts,
        Err(Difference { calls, account }) => {
            // A subject that panicked gave no account of its own.
            let calls: Vec<String> = calls.iter().map(spelled).collect();
            panic!("{account}\n\nThe calls: {}.", calls.join(", "))
        }
    };
    println!(
        "conformance: {} sequences, {} calls each on {} subjects ({})",
        counts.sequences,
        counts.calls,
        names.len(),
        names.join("; ")
    );
}

/// How much was compared.
struct Counts {
    sequences: usize,
    calls: usize,
}

/// The shortest sequence found of which two accounts differ.
struct Difference {
    calls: Vec<Call>,
    account: String,
}

/// Draws sequences of calls, and holds every kind to the account that the first one gives.
fn compare(config: Config, kinds: &[Kind]) -> Result<Counts, Difference> {
    let (sequences_made, calls_made) = (Cell::new(0), Cell::new(0));
    let difference_in = |calls: &[Call]| {
        let (count, calls) = (calls.len(), calls.to_vec());
        let script: Script = Arc::new(move |subject| account(subject, &calls));
        let first = kinds[0].run(&script);
        sequences_made.set(sequences_made.get() + 1);
        calls_made.set(calls_made.get() + first.len());
        let others = kinds[1..].iter().map(|kind| (kind, kind.run(&script)));
        let mut different = others.filter(|(_, given)| *given != first);
        different.next().map(|(kind, given)| side_by_side(count, (&kinds[0].name, &first), (&kind.name, &given)))
    };
    let check = |calls: Vec<Call>| difference_in(&calls).map_or(Ok(()), |account| Err(TestCaseError::fail(account)));
    match TestRunner::new(config).run(&sequences(), check) {
        Ok(()) => Ok(Counts { sequences: sequences_made.get(), calls: calls_made.get() }),
        Err(TestError::Fail(account, calls)) => {
            let (calls, account) = shrink::shortest(calls, account.message().to_owned(), difference_in);
            Err(Difference { calls, account })
        }
        Err(TestError::Abort(why)) => panic!("no sequences could be drawn: {why}"),
    }
}

/// Two accounts of so many calls up to where they part. Of the calls that only look at what came of those, no more is
/// told than the one that shows it.
fn side_by_side(calls: usize, (one_name, one): (&str, &Account), (other_name, other): (&str, &Account)) -> String {
    let same = one.iter().zip(other).take_while(|(one, other)| one == other).count();
    let line = |account: &Account| account.get(same).cloned().unwrap_or_else(|| "nothing more".to_owned());
    let before = one[..same.min(calls)].join("\n");
    format!("{before}\nthen, on {one_name}:\n{}\nbut on {other_name}:\n{}", line(one), line(other))
}

/// As the environment has it, or else with the defaults above.
fn config() -> Config {
    let from_environment = Config::default();
    let rng_seed = match from_environment.rng_seed {
        RngSeed::Random => RngSeed::Fixed(SEED),
        fixed @ RngSeed::Fixed(_) => fixed,
    };
    let cases = std::env::var_os("PROPTEST_CASES").map_or(SEQUENCES, |_| from_environment.cases);
    Config { cases, rng_seed, ..fixed_config() }
}

/// Whatever the environment says: for tests of the check itself.
fn fixed_config() -> Config {
    Config {
        cases: SEQUENCES,
        rng_seed: RngSeed::Fixed(SEED),
        max_shrink_iters: SHRINK_STEPS,
        // A failure is drawn again from the seed.
        failure_persistence: None,
        ..Config::default()
    }
}

/// What was compared is worth no more than what was met: every call with success, and with each error it can give.
#[test]
fn the_random_calls_meet_every_answer() {
    let mut runner = TestRunner::new(fixed_config());
    let mut met = BTreeSet::new();
    for _ in 0..SEQUENCES {
        let calls = sequences().new_tree(&mut runner).expect("nothing is rejected").current();
        // Without those that are made after every sequence, to look at what came of it.
        for line in account(&mut Kernel::default(), &calls).iter().take(calls.len()) {
            let (call, answer) = line.split_once(" = ").expect("a call and an answer");
            let (name, arguments) = call.split_once('(').expect("a call has arguments");
            let call = match (name, arguments) {
                ("flock", arguments) if arguments.ends_with("UN)") => "unlock",
                ("stat", ".)") => "folder",
                _ => name,
            };
            let is_answer = answer == "waits" || answer == "not there" || answer.starts_with('E');
            met.insert(format!("{call}: {}", if is_answer { answer } else { "ok" }));
        }
    }
    assert_eq!(met.iter().map(String::as_str).collect::<Vec<_>>(), ANSWERS);
}

/// Those of each call.
const ANSWERS: &[&str] = &[
    "close: ok",
    "exchange: ENOENT",
    "exchange: ok",
    "fdatasync: EBADF",
    "fdatasync: ok",
    "flock: EBADF",
    "flock: ok",
    "flock: waits",
    "folder: not there",
    "folder: ok",
    "fstat: EBADF",
    "fstat: ok",
    "fsync: ENOENT",
    "fsync: ok",
    "ftruncate: EBADF",
    "ftruncate: EINVAL",
    "ftruncate: ok",
    "lseek: EBADF",
    "lseek: ok",
    "mkdir: ok",
    "open: EEXIST",
    "open: ENOENT",
    "open: ok",
    "read: EBADF",
    "read: ok",
    "readdir: ENOENT",
    "readdir: ok",
    "rename: ENOENT",
    "rename: ok",
    "stat: not there",
    "stat: ok",
    "unlink: ENOENT",
    "unlink: ok",
    "unlock: EBADF",
    "unlock: ok",
    "write: EBADF",
    "write: ok",
];
