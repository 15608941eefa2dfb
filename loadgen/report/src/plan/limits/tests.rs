use super::*;
use crate::plan::question::Question;
use crate::plan::sample::{LAW, asked, measured};
use crate::plan::server::Server;

fn passed(name: &str, question: &Question, key_length: u32, grows: Grows) -> Vec<Limit> {
    let server = Server::of(&measured(name), 7);
    limits(&Forecast { server: &server, question, at: question.planned(key_length) }, grows)
}

fn told(limits: &[Limit]) -> Vec<(f64, &str)> {
    limits.iter().map(|limit| (limit.at.value, limit.happens.as_str())).collect()
}

#[test]
fn as_sessions_grow_limits_are_met_in_their_order() {
    let question = asked(10_000, 100, "shared-session risk < 1e-5 a day");
    let limits = passed("documented", &question, 3, Grows::Sessions);
    assert_eq!(
        told(&limits),
        [
            (11_664.0, "shared-session risk < 1e-5 a day is no longer kept"),
            (23_328.0, "a key costs two attempts on average"),
            (30_000.0, "the time of a list is not known beyond 30,000 documents: measure there"),
            (44_556.0, "1 in 100 requests for a key gets 503"),
        ]
    );
    assert!(limits.iter().all(|limit| !limit.is_passed && limit.grows == Grows::Sessions));
    let kinds: Vec<Kind> = limits.iter().map(|limit| limit.kind).collect();
    assert_eq!(kinds, [Kind::Objective, Kind::Limit, Kind::Unknown, Kind::Limit]);
}

#[test]
fn a_server_that_knows_its_free_keys_goes_on_to_the_last() {
    let limits = passed("hardened", &asked(10_000, 100, "503 < 1%"), 3, Grows::Sessions);
    let last = limits.last().unwrap();
    assert_eq!(
        (last.at.value, last.happens.as_str()),
        (46_656.0, "every key is in use: each request for a key gets 503")
    );
    assert!(!limits.iter().any(|limit| limit.happens.contains("two attempts")));
}

#[test]
fn a_list_takes_a_second_where_its_line_does_with_its_interval() {
    let question = Question { max_extrapolation: 10.0, ..asked(10_000, 100, "list p50 < 400ms") };
    let limits = passed("documented", &question, 4, Grows::Sessions);
    let slow = limits.iter().find(|limit| limit.happens == "a list takes 1 s").unwrap();
    assert!((slow.at.value - 49_990.0).abs() < 2.0, "{slow:?}");
    assert!((slow.at.extrapolated.unwrap() - 4.999).abs() < 1e-3);
    let objective = limits.iter().find(|limit| limit.kind == Kind::Objective).unwrap();
    let range = objective.at.range.unwrap();
    assert!(range.low <= objective.at.value && objective.at.value <= range.high, "{objective:?}");
}

#[test]
fn the_disk_is_a_limit_where_its_size_is_given() {
    let question = Question { disk_bytes: Some(60e6), ..asked(10_000, 100, "503 < 1%") };
    let limits = passed("documented", &question, 3, Grows::Sessions);
    let full = limits.iter().find(|limit| limit.happens == "the disk is full").unwrap();
    assert!((full.at.value - 13_714.0).abs() < 2.0, "{full:?}");
    let without = passed("documented", &asked(10_000, 100, "503 < 1%"), 3, Grows::Sessions);
    assert!(without.iter().all(|limit| limit.happens != "the disk is full"));
}

#[test]
fn what_the_plan_lies_beyond_is_marked_as_passed() {
    let limits = passed("documented", &asked(40_000, 100, "503 < 1%"), 3, Grows::Sessions);
    let marks: Vec<(f64, bool)> = limits.iter().map(|limit| (limit.at.value, limit.is_passed)).collect();
    assert_eq!(marks, [(23_328.0, true), (30_000.0, true), (44_556.0, false), (44_556.0, false)]);
}

#[test]
fn as_users_grow_throughput_peaks_or_nothing_is_known() {
    // Nobody pauses: at the peak of the law.
    let question = Question { think_s: 0.0, ..asked(10_000, 4, "503 < 1%") };
    let limits = passed("documented", &question, 3, Grows::Users);
    let peak = limits.first().unwrap();
    assert_eq!((limits.len(), peak.at.value), (1, LAW.peak_users().unwrap().round()));
    assert!(peak.happens.starts_with("throughput of the measured server peaks"));
    let range = peak.at.range.unwrap();
    assert!(range.low <= peak.at.value && peak.at.value <= range.high);
    // All pause: the peak is far beyond what was measured.
    let limits = passed("documented", &asked(10_000, 4, "save p99 < 10ms"), 3, Grows::Users);
    assert_eq!(told(&limits), [(384.0, "the server's behaviour is not known beyond 384 users: measure there")]);
}

#[test]
fn an_objective_ends_where_its_law_passes_it() {
    let question = Question { think_s: 0.0, ..asked(10_000, 32, "goodput > 10000 a second") };
    let limits = passed("documented", &question, 3, Grows::Users);
    let objective = limits.iter().find(|limit| limit.kind == Kind::Objective).unwrap();
    assert!(
        LAW.throughput_per_s(objective.at.value - 1.0) > 1e4 && LAW.throughput_per_s(objective.at.value + 1.0) < 1e4
    );
    assert!(limits[0].is_passed && limits[0].kind == Kind::Limit, "the peak: {limits:?}");
}

fn limit(value: f64, kind: Kind, is_passed: bool) -> Limit {
    let at = Figure::of(value, &[Basis::Fitted]);
    Limit { grows: Grows::Sessions, kind, at, happens: String::new(), is_passed }
}

#[test]
fn headroom_is_what_the_first_limit_ahead_leaves() {
    let passed = limit(5.0, Kind::Limit, true);
    let cases = [
        (vec![], false, (None, false)),
        (vec![limit(30.0, Kind::Limit, false)], false, (Some(3.0), false)),
        (
            vec![passed.clone(), limit(20.0, Kind::Objective, false), limit(30.0, Kind::Limit, false)],
            false,
            (Some(2.0), false),
        ),
        (vec![passed.clone(), limit(40.0, Kind::Unknown, false)], false, (Some(4.0), true)),
        (vec![passed.clone()], false, (None, false)),
        (vec![limit(30.0, Kind::Limit, false)], true, (Some(0.0), false)),
    ];
    for (limits, is_missed, expected) in cases {
        let room = headroom(&limits, 10.0, is_missed);
        assert_eq!((room.times, room.at_least), expected, "{limits:?}");
    }
}
