//! How a claim or a load is tried on a server that lies.

use super::results::Counts;
use super::support::harness::{saves_folder, verify_target};
use super::support::liar;
use super::support::load::{Loaded, run};
use super::table::{CLAIMS, Claims, LOADS, Load};
use super::{Outcome, Row};
use check::documents::judge;
use check::documents::whole::Verdict as Judged;
use record::claims::Verdict;
use record::files::HISTORY_FILE;
use record::history::{Accesses, read_history};
use record::run::CounterexampleReport;
use std::collections::BTreeMap;
use std::path::Path;

/// Claims tried on every liar in addition to those that it breaks: quick ones, of each kind.
const BYSTANDERS: [&str; 7] = ["R5", "S1", "S2", "S3", "K7", "K9", "O1"];

/// How long loads on a liar last, in s, one after the other, until the lie shows. One is enough, except on a very busy
/// machine or for a lie that is told rarely.
const DURATIONS_S: [u32; 5] = [1, 2, 4, 8, 16];

/// The rows of the table.
pub(crate) fn rows() -> Vec<Row> {
    let claims = CLAIMS.iter().map(|row| Row {
        name: format!("{:?}::claims", row.lie),
        is_short: row.is_short,
        run: Box::new(move || is_refuted(row)),
    });
    let loads = LOADS.iter().map(|row| Row {
        name: format!("{:?}::{}", row.lie, row.scenario.join(" ")),
        is_short: row.is_short,
        run: Box::new(move || is_convicted(row)),
    });
    claims.chain(loads).collect()
}

/// Each claim that the lie breaks is refuted, and no unrelated one.
fn is_refuted(row: &Claims) -> Outcome {
    let saves = saves_folder();
    let server = liar::spawn(Some(row.lie), saves.path());
    let is_innocent = |id: &&&str| !row.refuted.contains(id) && !row.others.contains(id);
    let bystanders: Vec<&str> = BYSTANDERS.iter().filter(is_innocent).copied().collect();
    let tried = [row.refuted, &bystanders].concat();
    let run = verify_target(&server.url, saves.path(), &["--only", &tried.join(",")]);
    let (requests, told) = server.counted.now();
    let mut wrong = Vec::new();
    if told == 0 {
        wrong.push("it was never told".to_owned());
    }
    for id in &tried {
        let right = if row.refuted.contains(id) { Verdict::Refuted } else { Verdict::Holds };
        let (verdict, summary) = run.verdict(id);
        if verdict != right {
            wrong.push(format!("{id} is {verdict}, not {right}: {summary}"));
        }
    }
    if run.code != 1 {
        wrong.push(format!("the exit code is {}, not 1: {}", run.code, run.stderr));
    }
    let counts = Counts { each: row.lie.each(), told, requests, found: row.refuted.join(" ") };
    if wrong.is_empty() { Ok(counts) } else { Err(wrong.join("\n")) }
}

/// A load convicts the server of one of the names, with a proof, and so does the history file alone. Other names are
/// further consequences of the same lie.
fn is_convicted(row: &Load) -> Outcome {
    let mut counts = Counts { each: row.lie.each(), ..Counts::default() };
    let mut seen = Vec::new();
    for duration_s in DURATIONS_S {
        let saves = saves_folder();
        let server = liar::spawn(Some(row.lie), saves.path());
        let duration = format!("{duration_s}s");
        let load = ["--target", &server.url, "--users", "16", "--duration", &duration, "--scenario"];
        let loaded = run(&[&load, row.scenario].concat());
        let (requests, told) = server.counted.now();
        counts.requests += requests;
        counts.told += told;
        let found = found(&loaded);
        if row.names.iter().any(|name| found.contains_key(*name)) {
            counts.found = found.iter().map(|(name, count)| format!("{name} {count}")).collect::<Vec<_>>().join(", ");
            return is_proved(row, &loaded).map(|()| counts);
        }
        seen.push(format!("{duration}, told {told} times among {requests}: {found:?}"));
    }
    Err(format!("it is not convicted of {:?}: {}", row.names, seen.join("; ")))
}

/// Counts by name: the history's anomalies, and wrong single responses whose name is not among those.
fn found(loaded: &Loaded) -> BTreeMap<String, u64> {
    let mut found = loaded.history().anomalies.clone();
    let single = loaded.report.operations.values().flat_map(|operation| &operation.wrong);
    for (name, count) in single.filter(|(name, _)| !loaded.history().anomalies.contains_key(*name)) {
        *found.entry(name.clone()).or_default() += count;
    }
    found
}

/// The run reports wrong responses, reports no unexpected names, and proves what its history shows.
fn is_proved(row: &Load, loaded: &Loaded) -> Result<(), String> {
    let history = loaded.history();
    if loaded.code != 1 {
        return Err(format!("the exit code is {}, not 1: {}", loaded.code, loaded.kept()));
    }
    let is_known = |name: &&String| row.names.contains(&name.as_str()) || row.others.contains(&name.as_str());
    if let Some(name) = history.anomalies.keys().find(|name| !is_known(name)) {
        return Err(format!("it is convicted of {name:?} as well: {}", loaded.kept()));
    }
    if history.anomalies.keys().any(|name| row.names.contains(&name.as_str())) {
        if history.linearizable != Some(false) {
            return Err(format!("linearizable is {:?}: {}", history.linearizable, loaded.kept()));
        }
        let is_named = |counterexample: &&CounterexampleReport| row.names.contains(&counterexample.anomaly.as_str());
        let counterexample = history.counterexamples.iter().find(is_named);
        is_told(counterexample.ok_or_else(|| format!("no counterexample: {}", loaded.kept()))?, loaded.out.path())?;
    }
    let again = judged_again(loaded.out.path());
    if again != history.anomalies {
        return Err(format!("the history's file alone says {again:?}, not {:?}: {}", history.anomalies, loaded.kept()));
    }
    Ok(())
}

/// The counterexample has a description, and its picture is self-contained.
fn is_told(counterexample: &CounterexampleReport, folder: &Path) -> Result<(), String> {
    let picture = counterexample.picture.as_ref().ok_or("there is no picture")?;
    let page = std::fs::read_to_string(folder.join(picture)).map_err(|error| format!("{picture}: {error}"))?;
    let is_whole = page.to_lowercase().starts_with("<!doctype html");
    let needs_more = ["://", "src=", "@import", "url("].into_iter().find(|link| page.contains(link));
    match needs_more {
        None if is_whole && counterexample.story.len() > 1 => Ok(()),
        _ => Err(format!("{counterexample:?} is not told as it should be: {needs_more:?}")),
    }
}

/// The anomalies in a run's history, judged again from its file. Each counterexample is a proof, as far as a second
/// check can tell.
fn judged_again(folder: &Path) -> BTreeMap<String, u64> {
    let history = read_history(&folder.join(HISTORY_FILE)).expect("it can be read");
    let accesses = Accesses::gather(history).expect("it is whole");
    let judged = Judged::of(&accesses.by_key);
    for counterexample in &judged.counterexamples {
        let (_, of_key) = accesses.by_key.iter().find(|(key, _)| *key == counterexample.key).expect("a key of it");
        let misfits = judge(of_key).misfits();
        assert_ne!(counterexample.is_proof(of_key, &misfits), Some(false), "{counterexample:?}");
    }
    judged.anomalies.iter().map(|(anomaly, count)| (anomaly.name().to_owned(), *count)).collect()
}
