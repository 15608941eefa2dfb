//! Every guard of the hardened protocol taken away in turn. Each mutant must be caught by a scenario that the
//! protocol itself passes; which one caught it stands in the table.

use crate::states::{freed_keys, keys_and_clock};
use concurrency_tests::explorer::{Part, Programs, Scenario, search, subject};
use concurrency_tests::families::{pairs, triples};
use concurrency_tests::mutants::{
    Blind, FolderNeverChanges, FolderOlder, ForgetsTaken, LockFileRemoved, LooksOnce, NeverEmpty, NeverLooks,
    NeverMissing, NotExclusive, PicksFromHint, PlacedBeforeWritten, ReplacedInTwoSteps, SharedLocks,
    ShortWritesBelieved, SparesKept, Unlocked,
};
use concurrency_tests::proof::{Proof, Row};
use concurrency_tests::scenario::{ACTIONS, Action, Start};
use server::fs::Open;

pub(crate) fn proofs() -> Vec<Proof> {
    vec![
        Proof { name: "every_guard_of_a_document_has_a_mutant_that_is_caught", prove: document_guards },
        Proof { name: "every_lock_has_a_mutant_that_is_caught", prove: locks },
        Proof { name: "every_guard_of_the_keys_has_a_mutant_that_is_caught", prove: key_guards },
    ]
}

/// A guard, and the protocol without it.
type Mutant = (&'static str, Programs);

fn document_guards() -> Result<Vec<Row>, String> {
    let mutants: Vec<Mutant> = vec![
        ("the exclusive kind of the lock", subject::hardened_on(true, |_, files| SharedLocks(files))),
        ("lock files are never removed", subject::hardened_on(true, |_, files| LockFileRemoved(files))),
        ("`O_EXCL` of the next document's file", subject::hardened_on(true, |_, files| NotExclusive(files, Open::New))),
        ("written before it is put in place", subject::hardened_on(true, |_, files| PlacedBeforeWritten::new(files))),
        (
            "the same, where names cannot be exchanged",
            subject::hardened_on(false, |_, files| PlacedBeforeWritten::new(files)),
        ),
        ("put in place by one call", subject::hardened_on(true, |_, files| ReplacedInTwoSteps(files))),
        ("a short write goes on", subject::hardened_on(true, |_, files| ShortWritesBelieved(files))),
        ("the displaced file is removed", subject::hardened_on(true, |_, files| SparesKept(files))),
        ("an empty file is no document", subject::hardened_on(true, |_, files| NeverEmpty(files))),
        (
            "instantiate looks whether there is a document",
            subject::hardened_on(true, |part, files| Blind(files, part.action == Action::Instantiate)),
        ),
        ("delete tells when there was nothing to unlink", subject::hardened_on(true, |_, files| NeverMissing(files))),
    ];
    caught(mutants, &small_families())
}

fn locks() -> Result<Vec<Row>, String> {
    let without_lock = |unlocked: Action| {
        subject::hardened_on(true, move |part: &Part, files| Unlocked(files, part.action == unlocked))
    };
    let mutants: Vec<Mutant> = vec![
        ("the lock", subject::hardened_on(true, |_, files| Unlocked(files, true))),
        ("the lock of save", without_lock(Action::Save)),
        ("the lock of instantiate", without_lock(Action::Instantiate)),
        ("the lock of delete", without_lock(Action::Delete)),
        ("the lock of generate-key", without_lock(Action::GenerateKey)),
        ("the lock of give-back", without_lock(Action::GiveBack)),
    ];
    caught(mutants, &small_families())
}

fn key_guards() -> Result<Vec<Row>, String> {
    let mutants: Vec<Mutant> = vec![
        ("`O_EXCL` of a reservation", subject::hardened_on(true, |_, files| NotExclusive(files, Open::NewReservation))),
        ("give-back looks again under the lock", subject::hardened_on(true, |_, files| LooksOnce::new(files))),
        (
            "the folder is read again when it has changed",
            subject::hardened_on(true, |_, files| FolderNeverChanges(files)),
        ),
        ("the margin of 50 ms", subject::hardened_on(true, |_, files| FolderOlder(files, 50))),
        ("exhaustion is known from the own look", subject::hardened_with(true, |_, files| files, PicksFromHint)),
        ("a look at the folder comes due", subject::hardened_with(true, |_, files| files, NeverLooks)),
        ("the hint remembers which keys are in use", subject::hardened_with(true, |_, files| files, ForgetsTaken)),
    ];
    let one_key = one_key_families();
    caught(mutants, &[small_families(), one_key, freed_keys(), keys_and_clock()].concat())
}

/// The scenarios that the protocol itself is proved on in `states.rs`, those with fewer clients first.
fn small_families() -> Vec<Scenario> {
    from_every_start([pairs(&ACTIONS), triples(&ACTIONS)].concat())
}

fn one_key_families() -> Vec<Scenario> {
    let scenarios = from_every_start(triples(&ACTIONS));
    scenarios.into_iter().map(|scenario| Scenario { keys: 1, one_process: true, ..scenario }).collect()
}

fn from_every_start(families: Vec<Vec<Vec<Action>>>) -> Vec<Scenario> {
    let scenarios =
        families.into_iter().flat_map(|clients| Start::ALL.map(|start| Scenario::new(start, clients.clone())));
    scenarios.collect()
}

/// Searches until each mutant is caught.
fn caught(mutants: Vec<Mutant>, scenarios: &[Scenario]) -> Result<Vec<Row>, String> {
    let mut rows = Vec::new();
    let mut survivors = Vec::new();
    for (guard, mut programs) in mutants {
        match scenarios.iter().enumerate().find_map(|(place, scenario)| {
            let violation = search(&mut programs, scenario).violation?;
            Some((place + 1, scenario, violation))
        }) {
            Some((scenarios, scenario, violation)) => rows.push(Row {
                by: "mutant",
                what: format!("without: {guard}"),
                scenarios,
                searched: format!("caught by {scenario}"),
                bound: format!("{} moves", violation.moves.len()),
                found: violation.broken,
            }),
            None => survivors.push(guard),
        }
    }
    if survivors.is_empty() { Ok(rows) } else { Err(format!("not caught without: {}", survivors.join("; "))) }
}
