//! Honest servers and their mishaps: no load and no claim may accuse them.
//!
//! Each trouble is tried with each operation, in the scenarios that have it; and with every operation at once, in all
//! scenarios and in `verify --quick`, three times. Twenty more runs have no trouble at all.

use super::results::Counts;
use super::support::harness::{Run, saves_folder, verify};
use super::support::liar;
use super::support::load::{SCENARIOS, run};
use super::support::mishap::{self, Battered, Blow, Mishap, OPERATIONS, Reference, Trouble};
use super::support::running::{Counted, Running};
use super::{Outcome, Row};
use record::claims::Verdict;
use std::path::Path;
use std::time::Duration;

/// How often the whole table tries each mishap, and a server without one.
const SEEDS: u32 = 3;
const UNTROUBLED_SEEDS: u32 = 20;

/// In a load one request in this many has trouble, and among the requests of all claims one in this many.
const EACH_IN_LOADS: u32 = 30;
const EACH_IN_CLAIMS: u32 = 300;

/// How long a load waits for a response, and how late a late one is. Claims wait for ten seconds, so there a late
/// response is only slow.
const PATIENCE: &str = "100ms";
const LATE: Duration = Duration::from_millis(400);

/// What happens to the server's process, and how often.
const BLOWS: [(&str, Blow); 2] = [("Paused", Blow::Paused(Duration::from_millis(300))), ("Restarted", Blow::Restarted)];
const BLOW_EVERY: Duration = Duration::from_millis(500);

/// Interval of restarts in claims: their experiments must make progress in between.
const BLOW_EVERY_IN_CLAIMS: Duration = Duration::from_secs(5);

/// Claims about speed or availability: a server that is late, down or paused may fail them.
fn is_of_service(id: &str) -> bool {
    id.starts_with('P') || ["K3", "K4", "K5", "K6"].contains(&id)
}

/// Claims that an error in the contract's envelope refutes: no client can tell whether the server sent it.
const ALLOWS_NO_ERROR: [&str; 5] = ["S4", "S5", "K10", "R4", "R5"];

/// Claims that the specification itself fails, on every server that keeps it.
const OF_THE_CONTRACT: [&str; 2] = ["O4", "O5"];

/// The rows of the table.
pub(crate) fn rows() -> Vec<Row> {
    let mut rows = Vec::new();
    for trouble in Trouble::ALL {
        for (operation, scenarios) in OPERATIONS {
            rows.push(Row {
                name: format!("mishap {trouble:?} {operation}"),
                is_short: operation == "save",
                run: Box::new(move || {
                    let load = |scenario| troubled_load(trouble, Some(operation), scenario, 1);
                    sum(scenarios.iter().map(|scenario| load(scenario)))
                }),
            });
        }
        for seed in 1..=SEEDS {
            rows.push(Row {
                name: format!("mishap {trouble:?} every, seed {seed}"),
                is_short: false,
                run: Box::new(move || {
                    sum(SCENARIOS.iter().map(|scenario| troubled_load(trouble, None, scenario, seed)))
                }),
            });
            rows.push(Row {
                name: format!("mishap {trouble:?} every, verify, seed {seed}"),
                is_short: false,
                run: Box::new(move || troubled_claims(trouble, seed)),
            });
        }
    }
    for (name, blow) in BLOWS {
        for seed in 1..=SEEDS {
            rows.push(Row {
                name: format!("mishap {name}, seed {seed}"),
                is_short: seed == 1,
                run: Box::new(move || sum(SCENARIOS.iter().map(|scenario| battered_load(blow, scenario, seed)))),
            });
            rows.push(Row {
                name: format!("mishap {name}, verify, seed {seed}"),
                is_short: false,
                run: Box::new(move || battered_claims(blow, seed)),
            });
        }
    }
    for seed in 1..=UNTROUBLED_SEEDS {
        rows.push(Row {
            name: format!("honest, seed {seed}"),
            is_short: false,
            run: Box::new(move || untroubled(seed)),
        });
    }
    rows
}

/// All scenarios and `verify --quick`.
fn untroubled(seed: u32) -> Outcome {
    for scenario in SCENARIOS {
        let saves = saves_folder();
        is_acquitted(Server::start(seed, saves.path()).url(), scenario, seed)?;
    }
    let saves = saves_folder();
    is_refuted_of_nothing(Server::start(seed, saves.path()).url(), saves.path(), seed, |_| false)?;
    Ok(Counts { found: "nobody".to_owned(), ..Counts::default() })
}

/// The sum of all counts, or the first error.
fn sum(outcomes: impl Iterator<Item = Outcome>) -> Outcome {
    let mut sum = Counts { found: "nobody".to_owned(), ..Counts::default() };
    for outcome in outcomes {
        let counts = outcome?;
        sum.told += counts.told;
        sum.requests += counts.requests;
    }
    if sum.told == 0 { Err("the mishap never happened".to_owned()) } else { Ok(sum) }
}

fn counts(counted: &Counted) -> Counts {
    let (requests, told) = counted.now();
    Counts { each: 0, told, requests, found: "nobody".to_owned() }
}

/// An honest server: for even seeds the reference server, for odd ones the independent one.
enum Server {
    Honest(Running),
    Reference(Reference),
}

impl Server {
    fn start(seed: u32, saves: &Path) -> Self {
        if seed.is_multiple_of(2) {
            Self::Reference(Reference::start(saves))
        } else {
            Self::Honest(liar::spawn(None, saves))
        }
    }

    fn url(&self) -> &str {
        match self {
            Self::Honest(running) => &running.url,
            Self::Reference(reference) => &reference.url,
        }
    }
}

fn troubled_load(trouble: Trouble, operation: Option<&'static str>, scenario: &str, seed: u32) -> Outcome {
    let saves = saves_folder();
    let server = Server::start(seed, saves.path());
    let mishap = Mishap { trouble, operation, each: EACH_IN_LOADS, late: LATE };
    let proxy = mishap::spawn(mishap, server.url(), saves.path());
    is_acquitted(&proxy.url, scenario, seed)?;
    Ok(counts(&proxy.counted))
}

fn battered_load(blow: Blow, scenario: &str, seed: u32) -> Outcome {
    let saves = saves_folder();
    let server = Battered::start(blow, BLOW_EVERY, saves.path());
    is_acquitted(&server.url, scenario, seed)?;
    Ok(counts(&server.counted))
}

fn is_acquitted(url: &str, scenario: &str, seed: u32) -> Result<(), String> {
    let seed = seed.to_string();
    let load = ["--target", url, "--scenario", scenario, "--users", "16", "--duration", "2s", "--patience", PATIENCE];
    let loaded = run(&[&load[..], &["--seed", &seed]].concat());
    loaded.accusation().map_or(Ok(()), |accusation| Err(format!("{scenario}, seed {seed}: {accusation}")))
}

fn troubled_claims(trouble: Trouble, seed: u32) -> Outcome {
    let saves = saves_folder();
    let server = Server::start(seed, saves.path());
    let mishap = Mishap { trouble, operation: None, each: EACH_IN_CLAIMS, late: LATE };
    let proxy = mishap::spawn(mishap, server.url(), saves.path());
    let allows_none = |id: &str| trouble == Trouble::FailsAfter && ALLOWS_NO_ERROR.contains(&id);
    is_refuted_of_nothing(&proxy.url, saves.path(), seed, |id| is_of_service(id) || allows_none(id))?;
    Ok(counts(&proxy.counted))
}

fn battered_claims(blow: Blow, seed: u32) -> Outcome {
    let saves = saves_folder();
    let server = Battered::start(blow, BLOW_EVERY_IN_CLAIMS, saves.path());
    is_refuted_of_nothing(&server.url, saves.path(), seed, is_of_service)?;
    Ok(counts(&server.counted))
}

/// `verify --quick` refutes nothing, apart from excused claims.
fn is_refuted_of_nothing(url: &str, saves: &Path, seed: u32, is_excused: impl Fn(&str) -> bool) -> Result<(), String> {
    let saves = saves.to_str().expect("a path in UTF-8");
    let run: Run = verify(&["--target", url, "--saves", saves, "--quick", "--seed", &seed.to_string()]);
    let report = run.report.as_ref().ok_or_else(|| format!("no report: {}", run.stderr))?;
    let refuted = report.targets[0].claims.iter().filter(|claim| claim.verdict == Verdict::Refuted);
    let accused = refuted.filter(|claim| !OF_THE_CONTRACT.contains(&&*claim.id) && !is_excused(&claim.id));
    let accused: Vec<String> = accused.map(|claim| format!("{}: {}", claim.id, claim.summary)).collect();
    if accused.is_empty() { Ok(()) } else { Err(accused.join("\n")) }
}
