//! The shortest way to each fault of the documented protocol that users at once can meet, told step by step. The
//! harness shows it beside what it saw of that fault in the wild; so it is kept where the harness can take it.
//!
//! `UPDATE_SCHEDULES=1 cargo test -p concurrency-tests --test proofs schedules` writes the files anew.
//!
//! Any schedule can be seen again: `SCHEDULE='documented: there; save | restore; 1 1 1 1 1 1 2 2 2 2 2' cargo test -p
//! concurrency-tests --test proofs a_schedule`, or `hardened: …`.

use concurrency_tests::explorer::{Scenario, Schedule, search, subject, tell, told};
use concurrency_tests::proof::{Proof, Row};
use concurrency_tests::scenario::{Action, Start, UnderKey};
use std::path::PathBuf;

pub(crate) fn proofs() -> Vec<Proof> {
    vec![
        Proof { name: "schedules_of_the_documented_faults_are_as_kept", prove: kept_schedules },
        Proof { name: "a_schedule_is_replayed_to_the_same_end", prove: replayed },
        Proof { name: "schedules_that_once_broke_the_hardened_protocol_break_nothing", prove: mended },
    ]
}

/// Claims that are refuted by users at once, what users do for that, and from where.
fn faults() -> [(&'static str, Scenario); 4] {
    let present = Start { under_key: UnderKey::Present, spare: false };
    let beside = |one, other| Scenario::new(present, vec![vec![one], vec![other]]);
    [
        ("K9", crate::states::sessions(false)),
        ("S4", beside(Action::Save, Action::Restore)),
        ("S5", beside(Action::Delete, Action::Delete)),
        ("S6", beside(Action::Save, Action::List)),
    ]
}

/// Where the harness has them.
fn file_of(claim: &str) -> PathBuf {
    PathBuf::from(concat!(env!("CARGO_MANIFEST_DIR"), "/../loadgen/schedules")).join(format!("{claim}.txt"))
}

fn kept_schedules() -> Result<Vec<Row>, String> {
    let mut rows = Vec::new();
    for (claim, scenario) in faults() {
        let mut programs = subject::documented();
        let violation = search(&mut programs, &scenario).violation.ok_or_else(|| format!("{claim} was not refuted"))?;
        let text = told(&mut programs, &scenario, &violation);
        let file = file_of(claim);
        if std::env::var_os("UPDATE_SCHEDULES").is_some() {
            std::fs::write(&file, &text).map_err(|error| format!("{}: {error}", file.display()))?;
        }
        let kept = std::fs::read_to_string(&file).map_err(|error| format!("{}: {error}", file.display()))?;
        if kept != text {
            let how = "if that is meant, UPDATE_SCHEDULES=1 writes the new one";
            return Err(format!("{} is not the shortest schedule any more; {how}:\n{text}", file.display()));
        }
        rows.push(Row {
            by: "explorer",
            what: format!("documented: the shortest way to refute {claim}"),
            scenarios: 1,
            searched: format!("{} moves", violation.moves.len()),
            bound: "all shorter ones".to_owned(),
            found: format!("{claim} refuted"),
        });
    }
    Ok(rows)
}

/// Schedules that once broke the hardened protocol, and a line that shows what happens now instead.
const MENDED: [(&str, &str); 2] = [
    // Two requests looked at the folder at once. Client 1 had looked first, when the one key was in use, and told the
    // hint last; client 2, which had seen the key free, then asked the hint again, and answered that none was.
    (
        "reserved; generate-key | generate-key | move-away; one process; one key; 1 1 1 1 1 1 1 1 1 3 3 3 2 2 2 2 2 1 2 2 2 2",
        "┘ key AAA",
    ),
    // Somebody moved a stale reservation away after it had been looked at again under the lock: that there was nothing
    // to unlink any more was taken for an error, and ended the whole sweep.
    ("reserved; give-back | move-away; 1 1 1 1 1 2 1", "┘ 0 given back"),
];

fn mended() -> Result<Vec<Row>, String> {
    for (schedule, shows) in MENDED {
        let told = tell(&mut subject::hardened(), &schedule.parse()?)?;
        if told.contains("Broken:") || !told.contains(shows) {
            return Err(format!("it should show {shows:?} and break nothing:\n{told}"));
        }
    }
    Ok(Vec::new())
}

/// What a kept schedule says last is enough to see all of it again; and one that is asked for is shown.
fn replayed() -> Result<Vec<Row>, String> {
    if let Ok(asked) = std::env::var("SCHEDULE") {
        let (protocol, schedule) = asked.split_once(':').ok_or("SCHEDULE begins with `documented:` or `hardened:`")?;
        let mut programs = match protocol {
            "documented" => subject::documented(),
            "hardened" => subject::hardened(),
            other => return Err(format!("`{other}` is no protocol: documented or hardened")),
        };
        println!("{}", tell(&mut programs, &schedule.parse()?)?);
        return Ok(Vec::new());
    }
    for (claim, _) in faults() {
        let kept = std::fs::read_to_string(file_of(claim)).map_err(|error| error.to_string())?;
        let schedule =
            kept.lines().rev().find_map(|line| line.strip_prefix("Schedule: ")).ok_or("it has no schedule")?;
        let schedule: Schedule = schedule.parse()?;
        let told = tell(&mut subject::documented(), &schedule)?;
        if told != kept {
            return Err(format!("{claim} comes out otherwise:\n{told}"));
        }
        // One move less, and nothing is broken yet: the schedule is what breaks it.
        let mut shorter = schedule;
        shorter.moves.pop();
        if tell(&mut subject::documented(), &shorter)?.contains("Broken:") {
            return Err(format!("{claim} is broken before its schedule ends"));
        }
    }
    Ok(Vec::new())
}
