use super::*;
use crate::plan::sample::{asked, measured};

fn row<'a>(simulated: &'a Simulated, name: &str) -> &'a Compared {
    simulated.compared.iter().find(|row| row.name == name).expect(name)
}

/// A plan of an hour's sessions, which is simulated in a second.
fn hour(sessions: u64, users: u32) -> Question {
    Question { life_s: 3_600.0, think_s: 5.0, ..asked(sessions, users, "503 < 1%") }
}

#[test]
fn the_simulation_agrees_with_the_closed_forms_where_both_say_something() {
    let server = Server::of(&measured("documented"), 7);
    let simulated = simulated(&server, &hour(30_000, 300), 3).unwrap();
    for (name, most) in [
        ("documents at the end", 0.05),
        ("attempts of a request, mean", 0.03),
        ("a shared session, chance", 0.05),
        ("goodput", 0.03),
        ("generate-key mean", 0.1),
    ] {
        let relative = row(&simulated, name).relative.unwrap();
        assert!(relative.abs() < most, "{name}: {:?}", row(&simulated, name));
    }
}

#[test]
fn the_hardened_protocol_shares_nothing_in_the_simulation_either() {
    let server = Server::of(&measured("hardened"), 7);
    let simulated = simulated(&server, &hour(30_000, 300), 3).unwrap();
    let risk = row(&simulated, "a shared session, chance");
    assert_eq!((risk.simulated, risk.planned, risk.relative), (0.0, Some(0.0), None));
    assert!((row(&simulated, "attempts of a request, mean").simulated - 1.0).abs() < 1e-9);
}

#[test]
fn the_same_seed_simulates_the_same() {
    let server = Server::of(&measured("documented"), 7);
    let again = || simulated(&server, &hour(5_000, 50), 4).unwrap();
    assert_eq!(again(), again());
}

#[test]
fn no_load_is_simulated_for_more_events_than_are_bearable() {
    let server = Server::of(&measured("documented"), 7);
    for (think_s, life_s) in [(30.0, 3e7), (0.0, 3e7), (0.0, 60.0)] {
        let question = Question { life_s, think_s, ..asked(10_000, 128, "503 < 1%") };
        let forecast = Forecast { server: &server, question: &question, at: question.planned(3) };
        let parameters = parameters(&forecast).unwrap();
        let per_s = forecast.goodput_expected().unwrap().value + 10_000.0 / life_s;
        let span_s = parameters.duration_s + parameters.warm_up_s;
        assert!(span_s * 2.0 * per_s <= MOST_EVENTS * 1.000_001 && span_s <= life_s, "{span_s}");
        assert_eq!(parameters.check(), Ok(()));
    }
}

#[test]
fn what_cannot_be_simulated_is_refused_with_the_reason() {
    let server = Server::of(&measured("documented"), 7);
    assert!(simulated(&server, &hour(5_000, 50), 7).is_err_and(|why| why.contains("36^7 keys")));
    assert!(simulated(&server, &hour(5_000, 385), 3).is_err_and(|why| why.contains("not known beyond 384 users")));
}
