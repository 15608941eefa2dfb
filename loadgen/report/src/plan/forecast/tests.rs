#![allow(clippy::redundant_closure_for_method_calls, reason = "a method of one lifetime is not general enough")]

use super::*;
use crate::plan::objective::{Operation, Quantile};
use crate::plan::sample::{KEY_US, LAW, asked, measured};
use crate::plan::server::RESERVATION_S;

const SAVE_P99: Quantity = Quantity::Time(Operation::Save, Quantile::P99);
const KEY_P99: Quantity = Quantity::Time(Operation::GenerateKey, Quantile::P99);

/// What a forecast says of a server of the sample.
fn on<T>(name: &str, question: &Question, key_length: u32, what: impl Fn(&Forecast) -> T) -> T {
    let server = Server::of(&measured(name), 7);
    what(&Forecast { server: &server, question, at: question.planned(key_length) })
}

fn usual() -> Question {
    asked(10_000, 100, "503 < 1%")
}

#[track_caller]
fn near(value: f64, expected: f64) {
    assert!((value / expected - 1.0).abs() < 2e-3, "{value}, expected {expected}");
}

#[test]
fn closed_forms_are_those_of_the_claims() {
    on("documented", &usual(), 3, |forecast| {
        near(forecast.fill(), 0.2143);
        near(forecast.mean_attempts().unwrap().value, 1.2728);
        near(forecast.p99_attempts().unwrap().value, 3.0);
        near(forecast.shared_at_once().value, 0.1264);
        near(forecast.guesses().value, 46_657.0 / 10_001.0);
        // λ = 10,000 in 30 days, a window of 0.2 s, 36,656 free keys: 333.3 openings a day, each shared by 2.1e-8.
        near(forecast.shared_risk_a_day().value, 333.33 * 0.2 * 10_000.0 / 2_592_000.0 / 36_656.0);
        assert!(forecast.refused().unwrap().value < 1e-60);
        assert_eq!(forecast.mean_attempts().unwrap().basis, [ClosedForm]);
    });
}

#[test]
fn a_reservation_leaves_the_windows_that_outlast_it_and_nothing_at_once() {
    let short =
        on("hardened", &usual(), 3, |forecast| (forecast.shared_risk_a_day().value, forecast.shared_at_once().value));
    assert_eq!(short, (0.0, 0.0));
    let long = Question { window_s: RESERVATION_S, ..usual() };
    let reserved = on("hardened", &long, 3, |forecast| forecast.shared_risk_a_day().value);
    let unreserved = on("documented", &long, 3, |forecast| forecast.shared_risk_a_day().value);
    assert!(reserved > 0.0 && reserved < unreserved, "{reserved} {unreserved}");
}

#[test]
fn of_a_target_both_are_possible_that_it_reserves_and_that_it_does_not() {
    let figure = on("target", &usual(), 3, |forecast| forecast.shared_risk_a_day());
    let worst = on("documented", &usual(), 3, |forecast| forecast.shared_risk_a_day());
    assert_eq!(figure.range, Some(Range { low: 0.0, high: worst.value }));
    assert_eq!(worst.range, None);
}

#[test]
fn a_key_takes_the_time_that_its_attempts_take_whatever_its_length() {
    let question = asked(34_992, 1, "503 < 1%");
    let p99 = |length| on("documented", &question, length, |forecast| forecast.quantity(KEY_P99).unwrap());
    // Three quarters full: 17 attempts at the 99th percentile. Of four characters 2 %: one.
    near(p99(3).value, KEY_US.0 + KEY_US.1 * 17.0);
    near(p99(4).value, KEY_US.0 + KEY_US.1 * 2.0);
    assert_eq!((p99(3).basis, p99(4).basis), (vec![Fitted, ClosedForm], vec![Fitted, ClosedForm, Assumed]));
}

#[test]
fn where_attempts_do_not_vary_a_key_takes_what_is_typical_of_all_fills() {
    let p99 = on("hardened", &usual(), 3, |forecast| forecast.quantity(KEY_P99).unwrap());
    assert_eq!((p99.value, p99.range), (220.0, Some(Range { low: 200.0, high: 240.0 })));
    assert_eq!(p99.basis, [Measured]);
}

#[test]
fn a_hint_of_free_keys_ends_where_the_reference_servers_does() {
    let question = asked(46_656, 1, "503 < 1%");
    let attempts = |length| on("hardened", &question, length, |forecast| forecast.mean_attempts().unwrap().value);
    assert_eq!((attempts(3), attempts(5)), (1.0, 1.0));
    assert!(attempts(6) > 1.0);
}

#[test]
fn users_who_pause_leave_the_server_alone_and_users_who_do_not_are_all_at_once() {
    let at_once = |users, think_s| {
        let question = Question { users, think_s, ..usual() };
        on("documented", &question, 3, |forecast| forecast.requests_at_once().unwrap())
    };
    near(at_once(100, 0.0), 100.0);
    // One operation in 30 s and 1/6,000 s each.
    near(at_once(100, 30.0), 100.0 * (1.0 / 6_000.0) / (30.0 + 1.0 / 6_000.0));
    for (users, think_s) in [(90, 0.01), (128, 0.005), (300, 0.001)] {
        let n = at_once(users, think_s);
        let law = Server::of(&measured("documented"), 7).law.unwrap().law;
        near(n + think_s * law.throughput_per_s(n), f64::from(users));
    }
    // On the falling side, not the rising one, when the peak cannot serve them.
    assert!(at_once(300, 0.001) > LAW.peak_users().unwrap());
}

#[test]
fn goodput_and_utilisation_are_those_of_the_law() {
    on("documented", &Question { users: 64, think_s: 0.0, ..usual() }, 3, |forecast| {
        let (all, expected) = (forecast.goodput_at_once().unwrap(), forecast.goodput_expected().unwrap());
        near(all.value, LAW.throughput_per_s(64.0));
        near(expected.value, all.value);
        assert!(all.low() < all.value && all.value < all.high());
        near(forecast.utilisation().unwrap().value, all.value / LAW.throughput_per_s(LAW.peak_users().unwrap()));
        let (users, measured) = forecast.goodput_measured().unwrap();
        assert_eq!((users, measured.basis), (64, vec![Measured]));
        near(measured.value, all.value);
    });
    on("documented", &usual(), 3, |forecast| near(forecast.goodput_expected().unwrap().value, 100.0 / 30.0));
}

#[test]
fn an_operation_takes_as_long_as_it_was_measured_and_between_and_beyond_in_proportion() {
    let p99 =
        |users| on("documented", &Question { users, think_s: 0.0, ..usual() }, 3, |f| f.quantity(SAVE_P99).unwrap());
    let measured_us = |users: f64| 400.0 * users / LAW.throughput_per_s(users) * LAW.lambda_per_s;
    assert_eq!(p99(1).basis, [Measured]);
    for users in [1, 8, 128] {
        near(p99(users).value, measured_us(f64::from(users)));
    }
    assert!(p99(90).value > measured_us(64.0) && p99(90).value < measured_us(128.0));
    near(p99(256).value, 2.0 * measured_us(128.0));
    assert!(p99(256).basis.contains(&Fitted) && p99(256).extrapolated == Some(2.0));
    let alone = p99(1).range.unwrap();
    near(alone.low, 400.0 * 0.96);
    near(alone.high, 400.0 * 1.04);
}

#[test]
fn beyond_the_measurements_figures_are_marked_and_far_beyond_refused() {
    // Measured: 128 users, 46,656 documents with keys, 10,000 with lists. Three times that is the most.
    let cases: [(Quantity, u64, u32, Option<f64>); 9] = [
        (SAVE_P99, 1, 128, None),
        (SAVE_P99, 1, 384, Some(3.0)),
        (Quantity::Goodput, 1, 192, Some(1.5)),
        (KEY_P99, 46_656, 1, None),
        (KEY_P99, 46_656, 256, Some(2.0)),
        (KEY_P99, 139_968, 1, Some(3.0)),
        (Quantity::ListMedian, 10_000, 1, None),
        (Quantity::ListMedian, 15_000, 1, Some(1.5)),
        (Quantity::ListMedian, 30_000, 1, Some(3.0)),
    ];
    for (quantity, sessions, users, times) in cases {
        let figure = on("documented", &asked(sessions, users, "503 < 1%"), 5, |f| f.quantity(quantity).unwrap());
        assert_eq!(figure.extrapolated, times, "{quantity:?} {sessions} {users}");
    }
    for (quantity, sessions, users, end) in [
        (SAVE_P99, 1, 385, "the server's behaviour is not known beyond 384 users: measure there"),
        (Quantity::Goodput, 1, 385, "384 users"),
        (KEY_P99, 139_969, 1, "the time of generate-key is not known beyond 139,968 documents: measure there"),
        (Quantity::ListMedian, 30_001, 1, "30,000 documents"),
    ] {
        let error = on("documented", &asked(sessions, users, "503 < 1%"), 5, |f| f.quantity(quantity)).unwrap_err();
        assert!(error.to_string().contains(end), "{error}");
    }
    let within = Question { max_extrapolation: 1.0, ..asked(10_001, 1, "503 < 1%") };
    assert!(on("documented", &within, 3, |forecast| forecast.list_us()).is_err());
    let closed = on("documented", &asked(40_000_000, 1, "503 < 1%"), 5, |f| f.quantity(Quantity::Refused).unwrap());
    assert_eq!(closed.extrapolated, None, "a closed form is not extrapolated");
}

#[test]
fn what_was_never_measured_is_not_known() {
    let mut bare = measured("documented");
    (bare.fills, bare.folders) = (Vec::new(), Vec::new());
    bare.users.truncate(2);
    bare.users[0].operations.clear();
    let (server, question) = (Server::of(&bare, 7), usual());
    let forecast = Forecast { server: &server, question: &question, at: question.planned(3) };
    for (quantity, what) in [
        (KEY_P99, "how the server finds a free key was not measured"),
        (Quantity::Refused, "how the server finds a free key was not measured"),
        (SAVE_P99, "save was not measured by users"),
        (Quantity::Goodput, "throughput at three numbers of users or more was not measured"),
        (Quantity::ListMedian, "the time of a list by documents was not measured"),
    ] {
        let error = forecast.quantity(quantity).unwrap_err().to_string();
        assert!(error.starts_with(what), "{error}");
    }
    assert!(forecast.disk_bytes().is_err());
}

#[test]
fn lists_and_the_disk_grow_with_documents() {
    on("documented", &usual(), 3, |forecast| {
        let list = forecast.list_us().unwrap();
        near(list.value, 200_200.0);
        assert_eq!(list.basis, [Fitted]);
        // 4,096 bytes and an inode of 256 each, and the folder's 231 kB.
        near(forecast.disk_bytes().unwrap().value, 43_750_831.0);
    });
}

#[test]
fn the_same_seed_gives_the_same_intervals_and_another_seed_others() {
    let interval = |seed| {
        let (server, question) = (Server::of(&measured("documented"), seed), usual());
        Forecast { server: &server, question: &question, at: question.planned(3) }.goodput_at_once().unwrap()
    };
    assert_eq!(interval(7), interval(7));
    assert_ne!(interval(7), interval(8));
}
