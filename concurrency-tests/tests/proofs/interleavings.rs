//! The two protocols under loom: threads, a mutex and a condition variable, in every interleaving.
//!
//! The explorer of `states.rs` goes further. This is its check: another searcher, which knows nothing of states,
//! runs the same scenarios on the same kernel from start to end, and must come to the same verdicts.

use check::{Answer, Monitor, Operation, Store};
use concurrency_tests::families::pairs;
use concurrency_tests::model_hint::ModelHint;
use concurrency_tests::proof::{Proof, Row, with_commas};
use concurrency_tests::scenario::{ACTIONS, Action, KEYS, Start, UnderKey, rules, store_in, strays};
use concurrency_tests::{ModelFs, ModelWorld, Steps, explore};
use loom::thread;
use server::fs::memory::Called;
use server::fs::ready;
use server::protocol::{Documented, DocumentedOptions, Durability, Hardened, Protocol};
use std::sync::{Arc, Mutex, PoisonError};

pub(crate) fn proofs() -> Vec<Proof> {
    vec![
        Proof { name: "loom_hardened_pairs_without_a_spare", prove: hardened_pairs::<0> },
        Proof { name: "loom_hardened_pairs_with_a_spare", prove: hardened_pairs::<1> },
        Proof { name: "loom_hardened_two_writers_and_restore", prove: || hardened_triples(Action::Restore) },
        Proof { name: "loom_hardened_two_writers_and_list", prove: || hardened_triples(Action::List) },
        Proof { name: "loom_documented_pairs", prove: documented_pairs },
    ]
}

/// What changes something.
const WRITERS: [Action; 5] = [Action::Save, Action::Instantiate, Action::Delete, Action::GenerateKey, Action::GiveBack];

/// How a run of a scenario came out. There are far fewer outcomes than runs, so each is judged once, after the search.
#[derive(Clone, Debug, PartialEq, Eq, PartialOrd, Ord)]
struct Outcome {
    /// Clients that called, and what they were answered, in order.
    events: Vec<Event>,
    /// What is left in the folder, and which files that do not belong there.
    left: Result<Store, String>,
    strays: Vec<String>,
}

#[derive(Clone, Debug, PartialEq, Eq, PartialOrd, Ord)]
enum Event {
    Called(usize, Operation),
    Answered(usize, Answer),
}

impl Outcome {
    /// What is wrong with it, held to the sequential model.
    fn broken(&self, start: Start) -> Option<String> {
        let mut monitor = Monitor::new(store_at(start));
        for event in &self.events {
            match event {
                Event::Called(client, operation) => monitor.called(*client, operation),
                Event::Answered(client, answer) if !monitor.answered(*client, answer) => {
                    return Some(format!("client {} is answered {answer}", client + 1));
                }
                Event::Answered(..) => {}
            }
        }
        match &self.left {
            Err(torn) => Some(torn.clone()),
            Ok(store) if !monitor.can_be(store) => Some(format!("what is left is {store:?}")),
            // What was there at the start, only a save removes.
            Ok(_) => self.strays.first().filter(|_| !start.spare).map(|name| format!("left behind: {name}")),
        }
    }
}

fn store_at(start: Start) -> Store {
    store_in(&start.folder()).unwrap_or_else(|error| unreachable!("scenarios start well: {error}"))
}

fn hardened(files: &ModelFs) -> Hardened<ModelFs, ModelWorld, ModelHint> {
    let hint = ModelHint::new(KEYS.len());
    Hardened::new(files.clone(), world(), hint, rules(), Durability::Process)
}

fn documented(files: &ModelFs) -> Documented<ModelFs, ModelWorld> {
    Documented::new(files.clone(), world(), rules(), DocumentedOptions { checks_writes: true })
}

/// Draws for the keys AAA, AAB, AAC, with one draw a character.
fn world() -> ModelWorld {
    ModelWorld::new(vec![0, 0, 0, 0, 0, 1, 0, 0, 2])
}

/// Runs each client on a thread and on a server of its own, or all on one.
fn run<P: Protocol>(
    start: Start,
    clients: &[Action],
    (reserves, one_process): (bool, bool),
    server: impl Fn(&ModelFs) -> P,
) -> Outcome {
    let files: ModelFs = Called(Steps::new(start.folder()));
    let one = one_process.then(|| Arc::new(server(&files)));
    // Not loom's mutex: it is locked between two steps, never across one.
    let events = Arc::new(Mutex::new(Vec::new()));
    let client = |(client, &action): (usize, &Action)| {
        let (files, events) = (files.clone(), Arc::clone(&events));
        let server = one.clone().unwrap_or_else(|| Arc::new(server(&files)));
        move || {
            let happened = |event| events.lock().unwrap_or_else(PoisonError::into_inner).push(event);
            happened(Event::Called(client, action.operation(client, 0, None, reserves)));
            let answer = ready(action.perform(&*server, &files, client, 0, None));
            happened(Event::Answered(client, answer.unwrap_or_else(|error| unreachable!("{error}"))));
        }
    };
    let mut clients: Vec<_> = clients.iter().enumerate().map(client).collect();
    // The last is run here: a thread more that only waits would multiply the interleavings.
    let last = clients.pop();
    let threads: Vec<_> = clients.into_iter().map(thread::spawn).collect();
    last.into_iter().for_each(|run| run());
    threads.into_iter().for_each(|thread| thread.join().unwrap_or_else(|_| unreachable!("it does not panic")));
    drop(one);
    let events = std::mem::take(&mut *events.lock().unwrap_or_else(PoisonError::into_inner));
    let kernel = files.0.kernel();
    Outcome { events, left: store_in(&kernel), strays: strays(&kernel) }
}

/// What a search of one scenario came to.
struct Found {
    interleavings: usize,
    broken: Vec<String>,
}

fn search<P: Protocol>(
    bound: Option<usize>,
    (start, clients): (Start, Vec<Action>),
    how: (bool, bool),
    server: fn(&ModelFs) -> P,
) -> Found {
    let explored = explore(bound, move || run(start, &clients, how, server));
    let broken = explored.outcomes.keys().filter_map(|outcome| outcome.broken(start)).collect();
    Found { interleavings: explored.iterations, broken }
}

fn row(what: &str, scenarios: usize, interleavings: usize, bound: &str, found: &str) -> Row {
    Row {
        by: "loom",
        what: what.to_owned(),
        scenarios,
        searched: format!("{} interleavings", with_commas(interleavings)),
        bound: bound.to_owned(),
        found: found.to_owned(),
    }
}

/// How many times a client may be interrupted that could go on, where all interleavings are too many: generate-key
/// that finds its first key in use goes on to the next, under another lock, beside everything that the other does.
const KEYS_MAX_PREEMPTIONS: usize = 3;

fn hardened_pairs<const SPARE: usize>() -> Result<Vec<Row>, String> {
    let (mut all, mut bounded) = ((0, 0), (0, 0));
    for start in Start::ALL.into_iter().filter(|start| usize::from(start.spare) == SPARE) {
        for clients in pairs(&ACTIONS) {
            let clients = clients.concat();
            let asks_for_key = clients.contains(&Action::GenerateKey);
            let is_bounded = asks_for_key && start.under_key != UnderKey::Absent;
            // With two processes, hints are nobody else's; with one, only generate-key can tell.
            let processes = if asks_for_key { &[false, true][..] } else { &[false] };
            for &one_process in processes {
                let bound = is_bounded.then_some(KEYS_MAX_PREEMPTIONS);
                let found = search(bound, (start, clients.clone()), (true, one_process), hardened);
                if let Some(broken) = found.broken.first() {
                    return Err(format!("{start}: {clients:?}: {broken}"));
                }
                let (scenarios, interleavings) = if is_bounded { &mut bounded } else { &mut all };
                (*scenarios, *interleavings) = (*scenarios + 1, *interleavings + found.interleavings);
            }
        }
    }
    let spare = ["no spare left behind", "a spare left behind"][SPARE];
    let what = [
        format!("hardened: all pairs but those with generate-key on a key in use, {spare}"),
        format!("hardened: generate-key on a key in use beside each operation, {spare}"),
    ];
    let bound = format!("{KEYS_MAX_PREEMPTIONS} preemptions");
    Ok(vec![
        row(&what[0], all.0, all.1, "all interleavings", "no violation"),
        row(&what[1], bounded.0, bounded.1, &bound, "no violation"),
    ])
}

/// How many times one of three may be interrupted that could go on. A bound, as all interleavings are too many; the
/// explorer goes through all states of the same scenarios.
const TRIPLES_MAX_PREEMPTIONS: usize = 3;

fn hardened_triples(reader: Action) -> Result<Vec<Row>, String> {
    let (mut scenarios, mut interleavings) = (0, 0);
    for start in Start::ALL.into_iter().filter(|start| !start.spare) {
        for writers in pairs(&WRITERS) {
            let clients = [writers.concat(), vec![reader]].concat();
            let found = search(Some(TRIPLES_MAX_PREEMPTIONS), (start, clients.clone()), (true, false), hardened);
            if let Some(broken) = found.broken.first() {
                return Err(format!("{start}: {clients:?}: {broken}"));
            }
            (scenarios, interleavings) = (scenarios + 1, interleavings + found.interleavings);
        }
    }
    let what = format!("hardened: two writers and a {reader}, no spare left behind");
    let bound = format!("{TRIPLES_MAX_PREEMPTIONS} preemptions");
    Ok(vec![row(&what, scenarios, interleavings, &bound, "no violation")])
}

/// Pairs that the documented protocol is known to do wrong, and some that it is known to do right.
fn documented_pairs() -> Result<Vec<Row>, String> {
    let present = Start { under_key: UnderKey::Present, spare: false };
    let absent = Start { under_key: UnderKey::Absent, spare: false };
    let table = [
        ("S1", present, [Action::Save, Action::Save], false),
        ("S1", absent, [Action::Save, Action::Save], false),
        ("S3", absent, [Action::Instantiate, Action::Instantiate], false),
        ("S4", present, [Action::Save, Action::Restore], true),
        ("S5", present, [Action::Delete, Action::Delete], true),
        ("S5", present, [Action::Restore, Action::Delete], true),
        ("S6", present, [Action::Save, Action::List], true),
        ("K7", absent, [Action::GenerateKey, Action::GenerateKey], true),
    ];
    let mut rows = Vec::new();
    for (claim, start, clients, is_refuted) in table {
        let found = search(None, (start, clients.to_vec()), (claim == "K7", true), documented);
        if found.broken.is_empty() == is_refuted {
            return Err(format!("{claim}: {start}: {clients:?}: {:?}", found.broken));
        }
        let [one, other] = clients;
        let verdict = if is_refuted { format!("{claim} refuted") } else { "no violation".to_owned() };
        let what = format!("documented: {one} beside {other}, {start}");
        rows.push(row(&what, 1, found.interleavings, "all interleavings", &verdict));
    }
    Ok(rows)
}
