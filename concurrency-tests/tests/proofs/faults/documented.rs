//! What the documented protocol does with faults: where exactly it breaks its promises, and what it keeps.

use super::run::{Promise, Scenario, run};
use super::subject::{Said, Subject, Task};
use super::sweep::{Sweep, faults_of, never_fired};
use super::{THENS, scenarios};
use check::Answer;
use concurrency_tests::Action::{Delete, GenerateKey, Instantiate, List, Restore, Save};
use concurrency_tests::proof::{Proof, Row, with_commas};
use concurrency_tests::scenario::{KEY, file_of};
use server::fs::{CallKind, Open};
use std::collections::{BTreeMap, BTreeSet};

pub(super) fn proofs() -> Vec<Proof> {
    vec![
        Proof { name: "documented_breaks_its_promises_in_these_calls_and_in_no_other", prove: broken_promises },
        Proof { name: "documented_tells_of_a_failed_write_only_where_it_is_checked", prove: checked_writes },
    ]
}

const CHECKED: Subject = Subject::Documented { checks_writes: true };
const UNCHECKED: Subject = Subject::Documented { checks_writes: false };

/// Where one fault breaks a promise: in which operation, at which call, and which promise.
const BROKEN: &[(Task, CallKind, &[Promise])] = &[
    // The empty file that it has just created is left.
    (Task::Do(Save), CallKind::Lock, &[Promise::DocumentsAreWhole]),
    // A size that it cannot find out is taken for 0, and so the metadata for none.
    (Task::Do(Save), CallKind::Stat, &[Promise::DocumentsAreWhole, Promise::NothingIsLost]),
    (Task::Do(Save), CallKind::Read, &[Promise::NothingIsLost]),
    // The earlier document is truncated first.
    (Task::Do(Save), CallKind::Truncate, &[Promise::DocumentsAreWhole]),
    (Task::Do(Save), CallKind::Write, &[Promise::DocumentsAreWhole]),
    (Task::Do(Instantiate), CallKind::Lock, &[Promise::DocumentsAreWhole]),
    // A document of which it cannot find out the size is written over.
    (Task::Do(Instantiate), CallKind::Stat, &[Promise::NoFalseAnswer, Promise::DocumentsAreWhole]),
    (Task::Do(Instantiate), CallKind::Write, &[Promise::DocumentsAreWhole]),
    // What it cannot look at is not there.
    (Task::Do(Restore), CallKind::Stat, &[Promise::NoFalseAnswer]),
    (Task::Do(Delete), CallKind::Stat, &[Promise::NoFalseAnswer]),
    (Task::Do(GenerateKey), CallKind::Stat, &[Promise::NoFalseAnswer]),
    // What it cannot read is left out.
    (Task::Do(List), CallKind::Open(Open::Read), &[Promise::NoFalseAnswer]),
    (Task::Do(List), CallKind::StatOpen, &[Promise::NoFalseAnswer]),
    (Task::Do(List), CallKind::Read, &[Promise::NoFalseAnswer]),
    (Task::Do(List), CallKind::Stat, &[Promise::NoFalseAnswer]),
];

fn broken_promises() -> Result<Vec<Row>, String> {
    let mut sweep = Sweep::new(&Subject::server, &THENS[..1]);
    let mut found: BTreeMap<String, String> = BTreeMap::new();
    let mut by_promise: BTreeMap<Promise, usize> = BTreeMap::new();
    for scenario in scenarios(CHECKED) {
        sweep.scenario(&scenario, &mut |violation| {
            let promise = violation.broken.promise;
            *by_promise.entry(promise).or_default() += 1;
            if promise == Promise::NothingIsLost && violation.run.said != Some(Said::Answer(Answer::Saved)) {
                return Err(format!("no success was answered: {}", violation.story()));
            }
            let place = place(scenario.task, violation.first_hit(), promise);
            found.entry(place).or_insert_with(|| violation.story());
            Ok(())
        })?;
    }
    let known = |&(task, call, promises): &(Task, CallKind, &[Promise])| {
        promises.iter().map(|&promise| place(task, call, promise)).collect::<Vec<_>>()
    };
    let known: BTreeSet<String> = BROKEN.iter().flat_map(known).collect();
    if let Some((_, story)) = found.iter().find(|(place, _)| !known.contains(*place)) {
        return Err(format!("not known: {story}"));
    }
    if let Some(place) = known.iter().find(|place| !found.contains_key(*place)) {
        return Err(format!("not found: {place}"));
    }
    let count = |promise| with_commas(by_promise.get(&promise).copied().unwrap_or_default());
    let found = format!(
        "R1 refuted: {} leave no whole document, {} are answered with success and lose the stored metadata, {} are \
         answered falsely; {} break nothing",
        count(Promise::DocumentsAreWhole),
        count(Promise::NothingIsLost),
        count(Promise::NoFalseAnswer),
        with_commas(sweep.tally.runs - sweep.tally.broken),
    );
    Ok(vec![sweep.row(format!("{CHECKED}: every fault"), found)])
}

fn place(task: Task, call: CallKind, promise: Promise) -> String {
    format!("{task}, {call:?}: {promise:?}")
}

/// What changes a document's file in place.
const WRITING: [CallKind; 3] = [CallKind::Truncate, CallKind::Rewind, CallKind::Write];

/// Every fault of the calls that write: an error is answered where writes are checked. Where they are not, success is,
/// and of the document nothing is left but what was written by then, nothing where it was the first write that failed.
fn checked_writes() -> Result<Vec<Row>, String> {
    let (mut of_checked, mut of_unchecked, mut emptied) = (0, 0, 0);
    let mut scenario_count = 0;
    for scenario in scenarios(CHECKED) {
        let Task::Do(action @ (Save | Instantiate)) = scenario.task else { continue };
        scenario_count += 1;
        let unchecked = Scenario { subject: UNCHECKED, ..scenario.clone() };
        let clean = run(&scenario, &Subject::server, &[], &[]);
        let writing = clean.calls.iter().enumerate().filter(|(_, one)| WRITING.contains(&one.call));
        for (place, one) in writing {
            for fault in faults_of(one.call, place + 1) {
                let runs = [&scenario, &unchecked].map(|scenario| run(scenario, &Subject::server, &[fault], &[]));
                if let Some(run) = runs.iter().find(|run| run.fired == 0) {
                    return Err(never_fired(&scenario, &[fault], run.fired));
                }
                let [checked, unchecked] = runs;
                if checked.said != Some(Said::Answer(Answer::Wrong("Failed to write file".to_owned()))) {
                    return Err(format!("{scenario}, {fault}: answered {:?}", checked.said));
                }
                let success = if action == Save { Answer::Saved } else { Answer::Created };
                if unchecked.said != Some(Said::Answer(success)) {
                    return Err(format!("{scenario}, {fault}, unchecked: answered {:?}", unchecked.said));
                }
                of_checked += 1;
                of_unchecked += 1;
                emptied +=
                    usize::from(unchecked.left.content(&file_of(KEY)) == Some(b"") && one.call == CallKind::Write);
            }
        }
    }
    if emptied == 0 {
        return Err("nowhere is success answered and nothing written".to_owned());
    }
    let row = |what: &str, faults: usize, found: String| Row {
        by: "faults",
        what: what.to_owned(),
        scenarios: scenario_count,
        searched: format!("{} faults, all fired", with_commas(faults)),
        bound: "each call that writes × each error it can have × once, for good".to_owned(),
        found,
    };
    Ok(vec![
        row("documented: every fault of a write", of_checked, "each is answered with an error".to_owned()),
        row(
            "documented, writes unchecked: every fault of a write",
            of_unchecked,
            format!("R1 refuted: each is answered with success, {} with an empty file", with_commas(emptied)),
        ),
    ])
}
