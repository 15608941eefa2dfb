//! Whole journeys of 10 and 100 users at once, on two server processes, in schedules that shuttle draws: what no
//! exhaustive search can reach. Everything answered, and what is there in the end, is held to the sequential model.
//!
//! A schedule in which something is wrong is printed, and found again by what is printed with it:
//!
//!     REPLAY='hardened, 10 users: 9104…' cargo test -p concurrency-tests --test proofs -- --exact replay
//!
//! `REPLAY` can also be the whole path of a file that holds as much. `SHUTTLE_SEED` and `SCHEDULES` (how many) have other schedules
//! searched than those of the table.

mod model;
mod search;
mod users;

use check::history::Event;
use check::{Answer, Operation};
use concurrency_tests::proof::{Proof, Row, with_commas};
use model::{Finding, Scenario, Server};
use search::{Found, Printed, Searched, Walk, search};
use std::env;
use std::process::Command;

/// Where the draws of the table begin.
const SEED: u64 = 1;

/// How many schedules are searched for a fault that is known to be there: many times what it takes.
const MOST_UNTIL_FOUND: usize = 5_000;

pub(crate) fn proofs() -> Vec<Proof> {
    use Walk::{Pct, Random, Uniform};
    let mut proofs = vec![
        Proof {
            name: "hardened_journeys_of_10_users_are_right_at_random",
            prove: || right(Server::Hardened, 10, Random, 3_000),
        },
        Proof {
            name: "hardened_journeys_of_10_users_are_right_under_pct",
            prove: || right(Server::Hardened, 10, Pct, 3_000),
        },
        Proof {
            name: "hardened_journeys_of_10_users_are_right_in_uniform_walks",
            prove: || right(Server::Hardened, 10, Uniform, 3_000),
        },
        Proof {
            name: "hardened_journeys_of_100_users_are_right_at_random",
            prove: || right(Server::Hardened, 100, Random, 100),
        },
        Proof {
            name: "hardened_journeys_of_100_users_are_right_under_pct",
            prove: || right(Server::Hardened, 100, Pct, 100),
        },
        Proof {
            name: "hardened_journeys_of_100_users_are_right_in_uniform_walks",
            prove: || right(Server::Hardened, 100, Uniform, 100),
        },
        Proof {
            name: "hardened_and_looking_often_journeys_of_10_users_are_right_at_random",
            prove: || right(Server::LookingOften, 10, Random, 1_000),
        },
        Proof {
            name: "hardened_and_looking_often_journeys_of_10_users_are_right_under_pct",
            prove: || right(Server::LookingOften, 10, Pct, 1_000),
        },
        Proof {
            name: "hardened_and_looking_often_journeys_of_10_users_are_right_in_uniform_walks",
            prove: || right(Server::LookingOften, 10, Uniform, 1_000),
        },
        Proof {
            name: "documented_journeys_of_10_users_find_a_key_handed_to_two",
            prove: || wrong(Server::Documented, 10, "a key handed to two (K9)", hands_to_two),
        },
        Proof {
            name: "documented_journeys_of_10_users_find_a_torn_restore",
            prove: || wrong(Server::Documented, 10, "a torn restore (S4)", tears_a_restore),
        },
        Proof {
            name: "documented_journeys_of_100_users_find_a_key_handed_to_two",
            prove: || wrong(Server::Documented, 100, "a key handed to two (K9)", hands_to_two),
        },
        Proof {
            name: "journeys_without_locks_find_a_lost_save",
            prove: || wrong(Server::WithoutLocks, 10, "a lost save", loses_a_save),
        },
        Proof {
            name: "journeys_without_exclusive_reservations_find_a_key_handed_to_two",
            prove: || wrong(Server::WithoutExclusion, 10, "a key handed to two", hands_to_two),
        },
        Proof { name: "one_command_shows_again_what_is_wrong_in_a_printed_schedule", prove: one_command },
    ];
    if env::var_os("REPLAY").is_some() {
        proofs.push(Proof { name: REPLAY_PROOF, prove: replay });
    }
    proofs
}

/// The proof that there is where `REPLAY` is set.
const REPLAY_PROOF: &str = "replay";

/// All schedules of a hardened scenario must be right.
fn right(server: Server, users: usize, walk: Walk, schedules: usize) -> Result<Vec<Row>, String> {
    let scenario = Scenario { server, users };
    let (seed, schedules) = (seed(), from_environment("SCHEDULES").unwrap_or(schedules));
    let searched = search(scenario, walk, schedules, seed, |_| true);
    match &searched.found {
        Some(found) => Err(found.told()),
        None => Ok(vec![row(scenario, walk, &searched, seed, "no violation".to_owned())]),
    }
}

/// Each way of drawing schedules must find what is wrong with a scenario, in one that says the same when it is run
/// again.
fn wrong(server: Server, users: usize, what: &str, wanted: fn(&Finding) -> bool) -> Result<Vec<Row>, String> {
    let scenario = Scenario { server, users };
    let seed = seed();
    let one = |walk: Walk| {
        let searched = search(scenario, walk, from_environment("SCHEDULES").unwrap_or(MOST_UNTIL_FOUND), seed, wanted);
        let Some(found) = &searched.found else { return Err(format!("{scenario}, {walk}: nothing found")) };
        said_again(found)?;
        Ok(row(scenario, walk, &searched, seed, format!("{what}, and again when what is printed is run")))
    };
    Walk::ALL.into_iter().map(one).collect()
}

fn said_again(found: &Found) -> Result<(), String> {
    let printed = found.printed.to_string();
    let again = Printed::parse(&printed).ok_or("what is printed cannot be read")?.replay();
    let told = |findings: &[Finding]| findings.iter().map(|one| one.text.as_str()).collect::<Vec<_>>().join("\n");
    if again == found.findings {
        return Ok(());
    }
    Err(format!("{printed}\n\nfound\n\n{}\n\nand, run again,\n\n{}", told(&found.findings), told(&again)))
}

/// Two users have a key of their own, and it is the same.
fn hands_to_two(finding: &Finding) -> bool {
    finding.violation.as_ref().is_some_and(|violation| {
        matches!(violation.operation(), Some(Operation::GenerateKey { .. } | Operation::InstantiateOwn { .. }))
            && matches!(
                violation.events.last(),
                Some(Event::Answered { answer: Answer::Handed(_) | Answer::Existed, .. })
            )
    })
}

/// A restore is answered with an error, though there is a document.
fn tears_a_restore(finding: &Finding) -> bool {
    finding.violation.as_ref().is_some_and(|violation| {
        matches!(violation.operation(), Some(Operation::Restore { .. }))
            && matches!(violation.events.last(), Some(Event::Answered { answer: Answer::Wrong(_), .. }))
    })
}

/// A restore is answered with a document that lacks what was saved in it.
fn loses_a_save(finding: &Finding) -> bool {
    finding.violation.as_ref().is_some_and(|violation| {
        matches!(violation.operation(), Some(Operation::Restore { .. }))
            && matches!(violation.events.last(), Some(Event::Answered { answer: Answer::Restored(_), .. }))
    })
}

/// What a user does by hand: takes the printed line, and runs this program with it.
fn one_command() -> Result<Vec<Row>, String> {
    let scenario = Scenario { server: Server::Documented, users: 10 };
    let searched = search(scenario, Walk::Random, MOST_UNTIL_FOUND, seed(), hands_to_two);
    let found = searched.found.ok_or("nothing found")?;
    let this_program = env::current_exe().map_err(|error| error.to_string())?;
    let ran =
        Command::new(this_program).args(["--exact", REPLAY_PROOF]).env("REPLAY", found.printed.to_string()).output();
    let ran = ran.map_err(|error| error.to_string())?;
    let said = [ran.stdout, ran.stderr].concat();
    let said = String::from_utf8_lossy(&said);
    if ran.status.success() || !said.contains(&found.told()) {
        return Err(format!("found\n\n{}\n\nand the command said\n\n{said}", found.told()));
    }
    Ok(Vec::new())
}

/// Runs the schedule in `REPLAY`, and fails with what is wrong in it.
fn replay() -> Result<Vec<Row>, String> {
    let value = env::var("REPLAY").map_err(|error| format!("REPLAY: {error}"))?;
    let in_file = || Printed::parse(&std::fs::read_to_string(&value).ok()?);
    let printed = Printed::parse(&value).or_else(in_file);
    let printed =
        printed.ok_or("REPLAY is neither a schedule (`hardened, 10 users: 91…`) nor a file that holds one")?;
    let found = Found { findings: printed.replay(), printed };
    if !found.findings.is_empty() {
        return Err(found.told());
    }
    println!("Nothing is wrong in this schedule.");
    Ok(Vec::new())
}

/// Where the draws begin. Shuttle itself takes a variable of its own for it, whatever it is told.
fn seed() -> u64 {
    from_environment("SHUTTLE_RANDOM_SEED").or_else(|| from_environment("SHUTTLE_SEED")).unwrap_or(SEED)
}

fn from_environment<T: std::str::FromStr>(name: &str) -> Option<T> {
    env::var(name).ok()?.parse().ok()
}

fn row(scenario: Scenario, walk: Walk, searched: &Searched, seed: u64, found: String) -> Row {
    let Searched { schedules, steps, .. } = searched;
    Row {
        by: "shuttle",
        what: format!("journeys: {scenario}"),
        scenarios: 1,
        searched: format!("{}, {}", counted(*schedules, "schedule"), counted(*steps, "step")),
        bound: format!("{walk}, seed {seed}"),
        found,
    }
}

fn counted(number: usize, of: &str) -> String {
    format!("{} {of}{}", with_commas(number), if number == 1 { "" } else { "s" })
}
