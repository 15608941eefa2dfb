//! Whole load runs on honest servers, and the verdicts on their histories: none may be accused. Servers that lie are in
//! the table of lies (`tests/lies`). Nothing here judges speed.
//!
//! `CLEAN_RUNS=100` sets the number of runs on honest servers.

mod support;

use support::harness::saves_folder;
use support::hostile::{self, Hostile};
use support::liar;
use support::load::{SCENARIOS, run};

/// Runs on an honest server, that many: on no document is anything wrong.
fn is_acquitted(name: &str, arguments: &[&str]) {
    let accusation = run(arguments).accusation();
    assert_eq!(accusation, None, "{name} {arguments:?}");
}

/// An honest server, one that hands out the keys of ended sessions first, and the reference server.
#[test]
fn runs_on_honest_servers_are_acquitted() {
    let runs = std::env::var("CLEAN_RUNS").ok().and_then(|runs| runs.parse().ok()).unwrap_or(3 * SCENARIOS.len());
    for number in 0..runs {
        let scenario = SCENARIOS[number % SCENARIOS.len()];
        let users = (8 + number % 9).to_string();
        let load = ["--scenario", scenario, "--users", &users, "--duration", "1s"];
        let saves = saves_folder();
        let on = |server: &support::running::Running| [&["--target", &server.url], &load[..]].concat().join(" ");
        match number / SCENARIOS.len() % 3 {
            0 => {
                let server = liar::spawn(None, saves.path());
                is_acquitted("honest", &on(&server).split(' ').collect::<Vec<_>>());
            }
            1 => {
                let server = liar::spawn_reusing_keys(saves.path());
                is_acquitted("reuses keys", &on(&server).split(' ').collect::<Vec<_>>());
            }
            _ => is_acquitted("embedded", &load),
        }
    }
}

/// What nobody waits for any more may still take effect, at any time, or never.
#[test]
fn requests_without_an_answer_accuse_nobody() {
    for (number, scenario) in SCENARIOS.into_iter().enumerate() {
        let saves = saves_folder();
        let server = liar::spawn_late(saves.path());
        let mut load = vec!["--target", &server.url, "--scenario", scenario, "--users", "16", "--duration", "2s"];
        load.extend(["--patience", "100ms"]);
        // Who has no answer pauses, but not in an open load.
        load.extend(["--rate", "200"].iter().filter(|_| number % 2 == 1));
        let loaded = run(&load);
        assert_eq!(loaded.history().linearizable, Some(true), "{load:?}: {}", loaded.kept());
    }
}

#[test]
fn a_server_that_goes_away_or_hangs_is_accused_of_nothing() {
    for (kind, scenario) in [
        (Hostile::DiesLater(500), "same-session"),
        (Hostile::DiesLater(500), "churn"),
        (Hostile::HangsLater(500), "mixed"),
        (Hostile::Flaky, "mixed"),
    ] {
        let server = hostile::spawn(kind);
        let load = ["--target", &server.url, "--scenario", scenario, "--users", "16", "--duration", "1s"];
        let loaded = run(&[&load[..], &["--patience", "200ms"]].concat());
        assert_eq!(loaded.history().linearizable, Some(true), "{kind:?} {scenario}: {}", loaded.kept());
    }
}
