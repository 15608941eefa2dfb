//! The page as a whole.

mod hostile;
mod markup;
mod missing;
mod style;

use super::{markdown, render};
use crate::predict::{Keys, lists, throughput};
use record::claims::Outcome;
use record::claims::Verdict;
use record::claims::{ClaimReport, Report};
use record::figures::Percentiles;
use record::host::Host;
use record::measurements::{Fill, Folder, Measured, Measurements, SCHEMA, Users};
use record::step::Step;
use stats::keys::Attempts;

const KEYS: u64 = 46_656;

pub(super) fn host() -> Host {
    Host { os: "Linux 6".to_owned(), cpus: 2, memory_mb: 1_000 }
}

pub(super) fn claim(id: &str, verdict: Verdict) -> ClaimReport {
    let step =
        Step { user: Some(3), from_ms: Some(1.5), to_ms: Some(2.5), did: "save".to_owned(), got: "500".to_owned() };
    let is_refuted = verdict == Verdict::Refuted;
    ClaimReport {
        id: id.to_owned(),
        title: format!("promise {id}"),
        quote: "works every time".to_owned(),
        verdict,
        outcome: Outcome::AsExpected,
        summary: "seen".to_owned(),
        measured: [("mean_ms".to_owned(), serde_json::json!(0.123_456))].into_iter().collect(),
        expected: serde_json::Map::new(),
        counterexample: if is_refuted { vec![step, Step::finding("AAA", "lost")] } else { Vec::new() },
        schedule: if is_refuted { vec!["client 1".to_owned()] } else { Vec::new() },
        reproduce: format!("loadgen verify --only {id}"),
        took_s: 1.0,
    }
}

/// Read from JSON, as a file is.
pub(super) fn report(targets: &[(&str, &[(&str, Verdict)])]) -> Report {
    let target = |&(name, claims): &(&str, &[(&str, Verdict)])| {
        let claims: Vec<ClaimReport> = claims.iter().map(|&(id, verdict)| claim(id, verdict)).collect();
        serde_json::json!({
            "name": name, "protocol": null, "url": "http://127.0.0.1:1/", "saves": null, "claims": claims, "left_behind": [],
        })
    };
    let targets: Vec<serde_json::Value> = targets.iter().map(target).collect();
    let report = serde_json::json!({
        "schema": "claimcheck.claims/1", "seed": 7, "started": "2026-11-25T08:00:00Z", "partial": false, "effort": "quick",
        "users": 100, "host": host(), "targets": targets,
    });
    serde_json::from_value(report).expect("a report")
}

pub(super) fn measurements(targets: Vec<Measured>) -> Measurements {
    let (schema, started) = (SCHEMA.to_owned(), "2026-11-25T09:00:00Z".to_owned());
    Measurements { schema, seed: 7, started, partial: false, host: host(), targets }
}

/// A target as theory has it.
pub(super) fn measured(name: &str) -> Measured {
    let mut fills: Vec<Fill> = [0, 10_000, 23_328, 35_000, 44_323, 45_000, 46_600, KEYS].map(fill).to_vec();
    let keys = Keys::fit(&fills, KEYS).expect("fills of random tries");
    for fill in fills.iter_mut().filter(|fill| fill.held_out) {
        fill.predicted = Some(keys.at(fill.documents));
    }
    let mut users: Vec<Users> = [1, 2, 4, 16, 100, 256, 1_000].map(users).to_vec();
    let law = throughput(&users).expect("a law").law;
    for users in users.iter_mut().filter(|users| users.held_out) {
        users.predicted_goodput_per_s = vec![law.throughput_per_s(users.users.into()); users.goodput_per_s.len()];
    }
    let mut folders: Vec<Folder> = [0, 1_000, 2_000, 5_000, 10_000].map(folder).to_vec();
    let line = lists(&folders).expect("a line");
    for folder in folders.iter_mut().filter(|folder| folder.held_out) {
        folder.predicted_list_p50_us = Some(line.at(folder.documents as f64));
    }
    Measured { name: name.to_owned(), url: "http://127.0.0.1:1/".to_owned(), keys: KEYS, fills, users, folders }
}

#[allow(clippy::cast_possible_truncation, clippy::cast_sign_loss)]
fn fill(documents: u64) -> Fill {
    let at = Attempts::at(documents as f64 / KEYS as f64);
    let requests = 20_000;
    let of = |share: f64| (share * requests as f64).round() as u64;
    let attempts = (1..=100_i32).map(|n| (n.unsigned_abs(), of(at.chance_of(n)))).filter(|&(_, count)| count > 0);
    Fill {
        documents,
        held_out: documents == 44_323,
        requests,
        handed_out: requests - of(at.exhaustion()),
        refused: of(at.exhaustion()),
        attempts: attempts.collect(),
        time_us: times(80.0 + 4.0 * at.mean()),
        timed: 1_000,
        predicted: None,
    }
}

fn users(users: u32) -> Users {
    let n = f64::from(users);
    let rate = 3_000.0 * n / (1.0 + 0.2 * (n - 1.0) + 0.0005 * n * (n - 1.0));
    let response_us = n / rate * 1e6;
    Users {
        users,
        held_out: users == 100,
        goodput_per_s: [0.98, 1.0, 1.02].map(|off| off * rate).to_vec(),
        mean_response_us: [0.98, 1.0, 1.02].map(|off| response_us / off).to_vec(),
        sent: 20_000,
        response_us: [(0.0, 50), (0.5, 100), (0.9, 200), (0.99, 400), (0.999, 900), (1.0, 4_000)].to_vec(),
        operations: [("save".to_owned(), times(response_us))].into(),
        ..Users::default()
    }
}

#[allow(clippy::cast_possible_truncation, clippy::cast_sign_loss)]
fn times(mean: f64) -> Percentiles {
    let of = |share: f64| (mean * share) as u64;
    Percentiles {
        p50: of(1.0),
        p90: of(1.5),
        p99: of(2.0),
        p99_9: of(3.0),
        max: of(9.0),
        mean,
        ..Percentiles::default()
    }
}

fn folder(documents: u64) -> Folder {
    let list_us = times(200.0 + 20.0 * documents as f64);
    let (list_bytes, disk_bytes) = (2 + 142 * documents, 4_096 * documents);
    Folder { documents, held_out: documents == 5_000, list_us, list_bytes, disk_bytes, predicted_list_p50_us: None }
}

/// Two targets with verdicts and measurements.
pub(super) fn full() -> (Report, Measurements) {
    let verdicts =
        |of: Verdict| [("K7", of), ("S1", Verdict::Holds), ("R3", Verdict::Untestable), ("P4", Verdict::Inconclusive)];
    let (documented, hardened) = (verdicts(Verdict::Refuted), verdicts(Verdict::Holds));
    let report = report(&[("documented", &documented), ("hardened", &hardened)]);
    let mut documented = measured("documented");
    documented.users[6].wrong.insert("duplicate key".to_owned(), 3);
    documented.users[6].errors.insert("503".to_owned(), 2);
    (report, measurements(vec![documented, measured("hardened")]))
}

#[test]
fn documented_and_hardened_stand_side_by_side_with_quote_figure_and_counterexample() {
    let (report, _) = full();
    let page = render(Some(&report), None);
    let article = page.split("<article").skip(1).find(|part| part.contains("claim-K7\"")).expect("an article of K7");
    for part in [
        "<blockquote>works every time</blockquote>",
        "documented: <span class=\"mark refuted\">✗ refuted (known)</span>",
        "hardened: <span class=\"mark holds\">✓ holds</span>",
        "</span> mean ms: 0.123</p>",
        "<details><summary>Counterexample to K7 on documented</summary><pre",
        "1.500 to       2.500 ms  user 3    save → 500\nAAA → lost\n",
        "in the model</summary><pre tabindex=\"0\">client 1\n",
        "loadgen verify --only K7",
    ] {
        assert!(article.contains(part), "{part} is missing from {article}");
    }
}

#[test]
fn the_answer_comes_first_with_what_holds_up_to_where_and_what_to_change() {
    let (report, measurements) = full();
    let page = render(Some(&report), Some(&measurements));
    let answer = page.split("<section").nth(1).expect("a section");
    for part in [
        "documented: 1 of 4 promises hold; refuted: K7; inconclusive: P4; untestable here: R3 (measured).",
        "up to 23,328 sessions a key takes at most two attempts on average and none is refused; no longer at 35,000 (measured)",
        "with 1,000 users answers are wrong (measured)",
        "Reserve a key when it is handed out",
        "seed 7",
    ] {
        assert!(answer.contains(part), "{part} is missing from {answer}");
    }
}

#[test]
fn a_verdict_that_was_not_known_before_is_named_in_the_answer() {
    let (mut report, _) = full();
    assert!(!render(Some(&report), None).contains("not as known before"));
    report.targets[0].claims[0].outcome = Outcome::Failed;
    let page = render(Some(&report), None);
    assert!(page.contains("untestable here: R3; not as known before: K7 (measured).") && page.contains("✗ REFUTED"));
}

#[test]
fn the_markdown_has_the_tables_of_the_page() {
    let (_, measurements) = full();
    let text = markdown::markdown_measurements(&measurements);
    for part in [
        "## Keys by fill",
        "| server | documents | fill | mean attempts (measured) | interval (measured) | model (assumed) |",
        "## Predicted against measured",
        "3 × duplicate key",
        "- mean attempts: 2 of 2 within 3 %",
        "## What to change, by the measurements",
    ] {
        assert!(text.contains(part), "{part} is missing from {text}");
    }
    assert!(!text.contains('<') || text.contains("&lt;"), "no markup of HTML");
}

#[test]
fn the_same_run_makes_the_same_page() {
    let (report, measurements) = full();
    assert_eq!(render(Some(&report), Some(&measurements)), render(Some(&report), Some(&measurements)));
}

#[test]
fn only_of_a_server_of_the_harness_is_it_said_that_it_shared_the_machine() {
    let page = |name| render(None, Some(&measurements(vec![measured(name)])));
    assert!(page("hardened").contains("server shared the machine"));
    assert!(page("target").contains("which one the server ran on is not known"));
    assert!(!page("target").contains("shared the machine"));
}
