//! Faults, enumerated: each call of each operation made to fail in each way that it can, alone and in pairs.

mod documented;
mod mutants;
mod run;
mod signals;
mod subject;
mod sweep;

use concurrency_tests::Action::{Delete, GenerateKey, GiveBack, Instantiate, List, Restore, Save};
use concurrency_tests::proof::{Proof, Row};
use run::{Begin, Scenario, Then};
use server::protocol::Durability;
use subject::{HintedKeys, Subject, Task};
use sweep::Sweep;

pub(crate) fn proofs() -> Vec<Proof> {
    let hardened = vec![
        Proof { name: "hardened_keeps_its_promises_whichever_two_calls_fail", prove: hardened_pairs_of_faults },
        Proof { name: "hardened_keeps_its_promises_whichever_call_fails", prove: hardened_single_faults },
    ];
    [hardened, documented::proofs(), signals::proofs(), mutants::proofs()].concat()
}

/// What is asked for after a fault, in one order and in others. All keys are handed out, until none is left: so one
/// that is believed to be in use because of the fault is found.
const THENS: [Then; 4] = [
    &[
        Restore,
        List,
        Save,
        Restore,
        List,
        Delete,
        Restore,
        GenerateKey,
        GenerateKey,
        GenerateKey,
        GenerateKey,
        Delete,
        GenerateKey,
        GiveBack,
    ],
    &[Instantiate, Restore, List, GiveBack, GenerateKey, GenerateKey, GenerateKey, GenerateKey],
    &[GenerateKey, GenerateKey, GenerateKey, GenerateKey, Restore, Save, Restore],
    &[Delete, Restore, GenerateKey, GenerateKey, GenerateKey, GenerateKey],
];

/// What comes first where the folder is gone: it is instantiate that makes it.
const THEN_INSTANTIATE: &[Then] = &[THENS[1]];

/// What can be asked of either protocol.
const TASKS: [Task; 7] = [
    Task::Do(Save),
    Task::Do(Instantiate),
    Task::Do(Restore),
    Task::Do(Delete),
    Task::Do(List),
    Task::Do(GenerateKey),
    Task::Do(GiveBack),
];

fn hardened(keys: HintedKeys) -> Vec<Subject> {
    let durabilities = [Durability::Process, Durability::Disk];
    let both = |durability| [true, false].map(|can_exchange| Subject::Hardened { durability, can_exchange, keys });
    durabilities.into_iter().flat_map(both).collect()
}

/// Every task of a server, from every start.
fn scenarios(subject: Subject) -> Vec<Scenario> {
    let mut scenarios = Vec::new();
    let own: &[Task] = if subject.reserves() { &[Task::Start, Task::Archive] } else { &[] };
    for &task in TASKS.iter().chain(own) {
        let mut begins = if subject.reserves() { Begin::with_one_key() } else { Begin::documented() };
        // Of 46,656 keys, all of the scenario's are never all.
        if task != Task::Archive && !subject.knows_all_keys() {
            begins.push(Begin::full(subject.reserves()));
        }
        let reads = subject.reserves() && task != Task::Start;
        let hints: &[bool] = if reads && task == Task::Do(GenerateKey) { &[true, false] } else { &[reads] };
        for begin in begins {
            let scenario = |&hint_is_read| Scenario { subject, task, begin: begin.clone(), hint_is_read };
            scenarios.extend(hints.iter().map(scenario));
        }
    }
    scenarios
}

/// Instantiate where the folder is gone since the server has started.
fn instantiate_without_folder(subject: Subject) -> Scenario {
    Scenario { subject, task: Task::Do(Instantiate), begin: Begin::without_folder(), hint_is_read: false }
}

/// Every scenario of the hardened protocol. The first broken promise ends the sweep.
fn sweep_hardened(subject: Subject, pairs: bool, thens: &[Then]) -> Result<Sweep<'_>, String> {
    let mut sweep = Sweep { pairs, ..Sweep::new(&Subject::server, thens) };
    for scenario in scenarios(subject) {
        sweep.scenario(&scenario, &mut |violation| Err(violation.story()))?;
    }
    sweep.thens = THEN_INSTANTIATE;
    sweep.scenario(&instantiate_without_folder(subject), &mut |violation| Err(violation.story()))?;
    Ok(sweep)
}

fn hardened_single_faults() -> Result<Vec<Row>, String> {
    let subjects = [hardened(HintedKeys::Few), hardened(HintedKeys::All)].concat();
    let row = |subject: Subject| {
        let keys = if subject.knows_all_keys() { "46,656 keys" } else { "three keys" };
        let sweep = sweep_hardened(subject, false, &THENS)?;
        Ok(sweep.row(format!("{subject}, {keys}: every fault"), sweep.found()))
    };
    subjects.into_iter().map(row).collect()
}

fn hardened_pairs_of_faults() -> Result<Vec<Row>, String> {
    let row = |subject: Subject| {
        let sweep = sweep_hardened(subject, true, &THENS[..1])?;
        Ok(sweep.row(format!("{subject}, three keys: every pair of faults"), sweep.found()))
    };
    hardened(HintedKeys::Few).into_iter().map(row).collect()
}
