use super::figure::Unknown;
use super::judged::Verdict;
use super::objective::{Clause, Objective};
use super::sample::{asked, measurements};
use super::*;
use crate::plan::figure::{Figure, Range};
use serde_json::Value;

const BOTH: Choice = Choice::Named(&["documented", "hardened"]);

fn planned(objective: &str) -> Plan {
    plan(&measurements(), BOTH, &asked(10_000, 100, objective)).expect(objective)
}

fn refused(choice: Choice, question: &Question) -> String {
    plan(&measurements(), choice, question).expect_err("a refusal").to_string()
}

fn answers(plan: &Plan) -> Vec<(&str, u32, Verdict)> {
    plan.servers.iter().map(|server| (server.name.as_str(), server.key_length, server.verdict)).collect()
}

#[test]
fn the_answer_is_the_shortest_key_that_keeps_every_objective() {
    let cases: [(&str, u32, u32, &str); 6] = [
        ("generate-key p99 < 10ms, shared-session risk < 1e-6 a day", 4, 3, "hardened"),
        ("shared-session risk < 1e-5 a day", 3, 3, "hardened"),
        ("shared-session risk < 1e-9 a day", 6, 3, "hardened"),
        ("guesses > 2^40", 11, 11, "documented"),
        ("generate-key p99 < 130us", 4, 12, "documented"),
        ("503 < 1%", 3, 3, "hardened"),
    ];
    for (objective, documented, hardened, best) in cases {
        let plan = planned(objective);
        let lengths: Vec<u32> = plan.servers.iter().map(|server| server.key_length).collect();
        if hardened == 12 {
            assert_eq!((lengths[0], plan.servers[1].verdict), (documented, Verdict::Broken), "{objective}");
        } else {
            assert_eq!(lengths, [documented, hardened], "{objective}");
        }
        assert_eq!((plan.recommended.as_str(), plan.exit_code()), (best, 0), "{objective}");
    }
}

#[test]
fn growth_is_planned_for_and_headroom_is_of_today() {
    let objective = "shared-session risk < 1e-5 a day";
    let grown = Question { growth: 2.0, ..asked(10_000, 100, objective) };
    let plan = plan(&measurements(), Choice::Named(&["documented"]), &grown).unwrap();
    assert_eq!(answers(&plan), [("documented", 4, Verdict::Kept)]);
    // 30,000 documents are the end of what is known of lists: three times today's.
    assert_eq!(
        (plan.servers[0].sessions_headroom.times, plan.servers[0].sessions_headroom.at_least),
        (Some(3.0), true)
    );
    assert!(plan.answer.contains("20,000 sessions and 200 users"), "{}", plan.answer);
}

#[test]
fn where_no_key_keeps_an_objective_the_nearest_is_told_with_what_is_missing_and_what_would_help() {
    let plan = planned("guesses > 2^60, 503 < 1%");
    assert_eq!((answers(&plan)[0], plan.exit_code()), (("documented", 12, Verdict::Broken), 1));
    assert!(plan.answer.contains("No key length keeps every objective"), "{}", plan.answer);
    assert!(
        plan.answer.contains("guesses > 2^60 is missed: ") && plan.answer.contains(" times too little"),
        "{}",
        plan.answer
    );
    assert_eq!(
        plan.servers[0].advice,
        ["guesses > 2^60: 10,000 sessions need keys of 15 characters (closed form), or a secret beside the key"]
    );
    assert_eq!(plan.servers[0].sessions_headroom.times, Some(0.0));
    let list = planned("list p50 < 100ms");
    assert_eq!((list.exit_code(), list.servers[0].key_length), (1, 3), "no length helps: the shortest");
    assert!(list.answer.contains("list p50 < 100ms is missed: 200.2 ms, 2.00 times the limit"), "{}", list.answer);
    assert!(list.servers[0].advice[0].contains("no key length changes it"));
}

#[test]
fn an_interval_that_straddles_an_objective_leaves_it_open_and_is_told() {
    let plan = planned("generate-key p99 < 230us");
    let hardened = plan.servers.iter().find(|server| server.name == "hardened").unwrap();
    assert_eq!((hardened.verdict, plan.exit_code()), (Verdict::Open, 0), "the documented one keeps it");
    let alone =
        super::plan(&measurements(), Choice::Named(&["hardened"]), &asked(10_000, 100, "generate-key p99 < 230us"));
    let alone = alone.unwrap();
    assert_eq!(alone.exit_code(), 3);
    assert!(alone.answer.contains("anything from 200 µs to 240 µs agrees"), "{}", alone.answer);
    assert!(alone.servers[0].advice[0].contains("measure again"));
}

#[test]
fn a_clause_is_judged_by_all_that_its_figure_may_be() {
    let below: Clause = "save p99 < 1ms".parse::<Objective>().unwrap().clauses.remove(0);
    let above: Clause = "guesses > 1000".parse::<Objective>().unwrap().clauses.remove(0);
    let cases = [
        (None, 999.0, Verdict::Kept, Verdict::Broken),
        (None, 1_000.0, Verdict::Broken, Verdict::Broken),
        (None, 1_001.0, Verdict::Broken, Verdict::Kept),
        (Some((900.0, 999.0)), 950.0, Verdict::Kept, Verdict::Broken),
        (Some((900.0, 1_000.0)), 950.0, Verdict::Open, Verdict::Broken),
        (Some((900.0, 1_100.0)), 950.0, Verdict::Open, Verdict::Open),
        (Some((1_000.0, 1_100.0)), 1_050.0, Verdict::Broken, Verdict::Open),
        (Some((1_001.0, 1_100.0)), 1_050.0, Verdict::Broken, Verdict::Kept),
    ];
    for (range, value, if_below, if_above) in cases {
        let figure = Figure::of(value, &[]).within(range.map(|(low, high)| Range { low, high }));
        assert_eq!((below.verdict(&figure), above.verdict(&figure)), (if_below, if_above), "{figure:?}");
    }
}

#[test]
fn a_key_space_smaller_than_the_sessions_is_no_answer() {
    let question = asked(100_000, 100, "save p99 < 10s");
    let plan = plan(&measurements(), BOTH, &question).unwrap();
    let three = &plan.servers[0].lengths[0];
    assert_eq!((plan.servers[0].key_length, three.has_room, three.verdict), (4, false, Verdict::Broken));
}

#[test]
fn points_that_were_held_out_are_fitted_once_they_are_measured() {
    let list_us = |measurements: &Measurements| {
        let plan = plan(measurements, BOTH, &asked(10_000, 100, "list p50 < 10s")).expect("a plan");
        plan.servers[0].objectives[0].figure.value
    };
    let mut slower = measurements();
    let held_out = slower.targets[0].folders.iter_mut().find(|folder| folder.held_out).expect("one");
    held_out.list_us.p50 *= 2;
    assert!(list_us(&slower) > 1.1 * list_us(&measurements()));
}

#[test]
fn what_was_not_measured_or_is_not_known_is_refused_by_name() {
    let question = asked(10_000, 100, "503 < 1%");
    let without_target = Measurements { targets: vec![super::sample::measured("documented")], ..measurements() };
    let refusal = plan(&without_target, BOTH, &question).unwrap_err();
    assert_eq!(
        refusal.to_string(),
        "hardened was not measured: the measurements are of documented; `loadgen measure` makes them"
    );
    let none = Measurements { targets: Vec::new(), ..measurements() };
    assert!(plan(&none, Choice::All, &question).unwrap_err().to_string().contains("of no server at all"));
    let far = asked(10_000, 385, "save p99 < 1s");
    assert_eq!(refused(BOTH, &far), "documented: the server's behaviour is not known beyond 384 users: measure there");
    assert!(refused(BOTH, &asked(30_001, 1, "list p50 < 1s")).contains("not known beyond 30,000 documents"));
    let mut unfilled = super::sample::measured("target");
    unfilled.fills.clear();
    let unfilled = Measurements { targets: vec![unfilled], ..measurements() };
    let refusal = plan(&unfilled, Choice::All, &question).unwrap_err();
    assert!(matches!(refusal, Refusal::NotKnown { why: Unknown::NeverMeasured { .. }, .. }), "{refusal}");
    assert!(refused(BOTH, &Question { growth: 0.1, ..question }).contains("--growth"));
}

#[test]
fn figures_without_an_objective_may_be_unknown_and_say_why() {
    let plan = plan(&measurements(), BOTH, &asked(40_000, 100, "503 < 1%")).unwrap();
    let list = plan.servers[0].figures.iter().find(|row| row.name == "list p50").unwrap();
    assert_eq!(list.figure, None);
    assert_eq!(list.unknown.as_deref(), Some("the time of a list is not known beyond 30,000 documents: measure there"));
}

#[test]
fn the_answer_names_the_first_limit_and_the_next() {
    let plan = planned("shared-session risk < 1e-5 a day");
    let documented = super::plan(
        &measurements(),
        Choice::Named(&["documented"]),
        &asked(10_000, 100, "shared-session risk < 1e-5 a day"),
    );
    assert_eq!(
        documented.unwrap().answer,
        "Keys of 3 characters on the documented protocol keep every objective at 10,000 sessions and 100 users. Sessions can grow \
         1.17 times: at 11,664 sessions, shared-session risk < 1e-5 a day is no longer kept; next, at 23,328 sessions, a key \
         costs two attempts on average. Users can grow 3.84 times or more: the server's behaviour is not known beyond 384 users: \
         measure there."
    );
    assert_eq!(plan.recommended, "hardened", "of two with keys as short, the one with more headroom");
}

#[test]
fn a_target_that_may_reserve_leaves_the_risk_open() {
    let question = asked(10_000, 100, "shared-session risk < 1e-6 a day");
    let plan = plan(&measurements(), Choice::Named(&["target"]), &question).unwrap();
    assert_eq!((plan.servers[0].lengths[0].verdict, plan.servers[0].key_length), (Verdict::Open, 4));
    assert!(plan.notes.iter().any(|note| note.contains("whether it reserves keys")));
}

#[test]
fn notes_tell_what_the_answer_leans_on() {
    let plan = planned("guesses > 2^40");
    for note in [
        "takes keys of 3 to 8 characters; 11 need another",
        "of 11 attempts follow by closed form",
        "time of a list by up to 10 %",
    ] {
        assert!(plan.notes.iter().any(|told| told.contains(note)), "{note}: {:?}", plan.notes);
    }
    let busy = Question { life_s: 600.0, ..asked(2_000, 100, "503 < 1%") };
    let busy = super::plan(&measurements(), BOTH, &busy).unwrap();
    assert!(busy.notes[0].starts_with("100 users with such pauses make 3.33 operations a second"), "{:?}", busy.notes);
    let partial = Measurements { partial: true, ..measurements() };
    let plan = super::plan(&partial, BOTH, &asked(10_000, 100, "503 < 1%")).unwrap();
    assert!(plan.notes[0].contains("interrupted"));
}

fn simulated() -> Plan {
    let question =
        Question { life_s: 600.0, ..asked(2_000, 100, "shared-session risk < 0.5 a day, generate-key p99 < 230us") };
    let mut plan = plan(&measurements(), BOTH, &question).unwrap();
    simulate(&measurements(), &question, &mut plan).unwrap();
    plan
}

#[test]
fn plans_keep_to_their_schema() {
    let schema: Value = serde_json::from_str(file::JSON_SCHEMA).expect("a schema");
    let validator = jsonschema::validator_for(&schema).expect("a schema");
    for plan in [simulated(), planned("guesses > 2^60"), planned("generate-key p99 < 230us")] {
        let mut json = serde_json::to_value(&plan).expect("writes");
        let errors: Vec<String> = validator.iter_errors(&json).map(|error| error.to_string()).collect();
        assert!(errors.is_empty(), "{errors:?}");
        json["servers"][0]["figures"][0]["figure"]["basis"] = Value::Array(Vec::new());
        assert!(!validator.is_valid(&json), "a number without a basis is refused");
    }
}

#[test]
fn every_number_in_a_table_says_what_it_rests_on_within_a_hundred_columns() {
    let plan = simulated();
    let text = terminal::render(&plan);
    assert!(text.starts_with(&plan.answer[..60]), "the answer comes first");
    assert!(text.lines().all(|line| line.chars().count() <= 100), "{text}");
    for server in &plan.servers {
        assert!(server.figures.iter().all(|row| row.figure.as_ref().is_none_or(|figure| !figure.basis.is_empty())));
        assert!(server.limits.iter().all(|limit| !limit.at.basis.is_empty()));
    }
    for part in [
        "rests on",
        "keys (closed form)",
        "simulation (simulated)",
        "plan (closed form, fitted)",
        "┆ measured ",
        "whole cores",
        "Measured 2026-11-25T09:00:00Z",
        "(recommended)",
        "shared-session risk",
    ] {
        assert!(text.contains(part), "{part:?} is missing from\n{text}");
    }
    let broken = terminal::render(&planned("guesses > 2^60"));
    assert!(
        broken.contains("(nearest)")
            && broken.contains("an objective is missed")
            && broken.contains("would help: guesses")
    );
}
