//! Each rule advises where its figures say so, and only there.

use super::{Advice, LONGER_KEYS, RULES, all};
use crate::page::tests::{measured, measurements, report};
use record::claims::Verdict::{Holds, Inconclusive, Refuted, Untestable};
use record::measurements::Measured;

fn whats(of: &[Advice]) -> Vec<&str> {
    of.iter().map(|advice| advice.what.as_str()).collect()
}

fn by_measurement(target: Measured) -> Vec<Advice> {
    all(None, Some(&measurements(vec![target])))
}

#[test]
fn nothing_refuted_and_nothing_measured_calls_for_nothing() {
    let claims = [("K7", Holds), ("S4", Inconclusive), ("R3", Untestable)];
    assert!(all(Some(&report(&[("documented", &claims)])), None).is_empty());
    assert!(all(None, None).is_empty());
}

#[test]
fn every_claim_of_a_rule_brings_its_advice_and_no_other() {
    for rule in &RULES {
        for &id in rule.claims {
            let advice = all(Some(&report(&[("documented", &[(&*id.to_string(), Refuted)])])), None);
            assert_eq!(whats(&advice), [rule.what], "{id}");
            assert_eq!(advice[0].why, format!("documented: {id} is refuted (measured)."));
        }
    }
}

#[test]
fn every_wrong_answer_of_a_rule_brings_its_advice() {
    for rule in &RULES {
        for &name in rule.wrong {
            let mut users = record::measurements::Users::default();
            users.wrong.insert(name.to_owned(), 2);
            let advice =
                by_measurement(Measured { name: "target".to_owned(), users: vec![users], ..Measured::default() });
            assert_eq!(whats(&advice), [rule.what], "{name}");
            assert_eq!(advice[0].why, format!("target under load: 2 × {name} (measured)."));
        }
    }
}

#[test]
fn no_claim_and_no_wrong_answer_belongs_to_two_rules() {
    let claims = RULES.iter().flat_map(|rule| rule.claims).map(ToString::to_string).collect();
    let wrong = RULES.iter().flat_map(|rule| rule.wrong).map(ToString::to_string).collect();
    for mut names in [claims, wrong] as [Vec<String>; 2] {
        let count = names.len();
        names.sort_unstable();
        names.dedup();
        assert_eq!(names.len(), count);
    }
}

#[test]
fn a_refuted_claim_that_no_rule_knows_is_told_all_the_same() {
    let advice = all(Some(&report(&[("documented", &[("P1", Refuted), ("X9", Refuted)])])), None);
    assert_eq!(whats(&advice), ["Look into the counterexamples of what is refuted besides."]);
    assert_eq!(advice[0].why, "documented: P1 and X9 (measured).");
}

#[test]
fn a_server_that_keeps_what_another_breaks_is_named_and_only_if_it_keeps_all() {
    let broken = [("K7", Refuted), ("K8", Refuted)];
    let why = |other: &[_]| all(Some(&report(&[("documented", &broken), ("hardened", other)])), None)[0].why.clone();
    let kept = "hardened keeps what is refuted there";
    assert!(why(&[("K7", Holds), ("K8", Holds)]).contains(kept));
    assert!(!why(&[("K7", Holds), ("K8", Inconclusive)]).contains(kept));
    assert!(!why(&[("K7", Holds)]).contains(kept));
}

#[test]
fn what_loses_work_comes_before_what_is_slow() {
    let claims = [("O5", Refuted), ("R2", Refuted), ("K7", Refuted), ("P3", Refuted)];
    let advice = all(Some(&report(&[("documented", &claims)])), Some(&measurements(vec![measured("documented")])));
    let place = |part: &str| advice.iter().position(|of| of.what.contains(part)).expect("advice");
    let places =
        ["rename it", "Reserve a key", "longer keys", "besides", "number of sessions", "no more users", "lists"];
    assert!(places.map(place).is_sorted(), "{:?}", whats(&advice));
}

#[test]
fn longer_keys_are_advised_once_by_verdict_and_by_measurement() {
    let measured = measurements(vec![Measured { keys: 46_656, name: "hardened".to_owned(), ..Measured::default() }]);
    let advice = all(Some(&report(&[("documented", &[("O5", Refuted)])])), Some(&measured));
    assert_eq!(whats(&advice), [LONGER_KEYS]);
    assert!(advice[0].why.starts_with("documented: O5 is refuted (measured). hardened: with 3 characters"));
    assert!(advice[0].why.contains("4.67 guesses; 11 characters make it 2⁴⁰"), "{}", advice[0].why);
    let long = |length: u32| Measured { keys: 36_u64.pow(length), ..Measured::default() };
    assert_eq!((by_measurement(long(10)).len(), by_measurement(long(11)).len()), (1, 0));
    assert!(by_measurement(Measured { keys: 46_657, ..Measured::default() }).is_empty(), "not of this alphabet");
}

#[test]
fn sessions_are_limited_where_keys_are_tried_at_random_only() {
    let text = "Keep the number of sessions";
    let target = measured("documented");
    let advice = by_measurement(target.clone());
    let of = advice.iter().find(|of| of.what.starts_with(text)).expect("advice");
    assert!(of.why.contains("up to 23,328 sessions") && of.why.contains("from 44,556 on"), "{}", of.why);
    let mut knows = target;
    for fill in &mut knows.fills {
        fill.attempts = [(1, 20_000)].into();
    }
    assert!(!whats(&by_measurement(knows)).iter().any(|what| what.starts_with(text)));
}

#[test]
fn users_are_limited_where_more_get_less_done() {
    let text = "Let no more users in";
    let mut target = measured("documented");
    let advice = by_measurement(target.clone());
    let of = advice.iter().find(|of| of.what.starts_with(text)).expect("advice");
    assert!(of.why.contains("beyond 40 more users get less"), "{}", of.why);
    for users in &mut target.users {
        users.goodput_per_s = vec![100.0 * f64::from(users.users); 2];
    }
    assert!(!whats(&by_measurement(target)).iter().any(|what| what.starts_with(text)));
}

#[test]
fn lists_are_paged_where_one_takes_longer_than_is_noticed() {
    let mut target = measured("documented");
    let has = |target: &Measured| by_measurement(target.clone()).iter().any(|of| of.what == "Page or cache lists.");
    assert!(has(&target), "200 ms with 10,000 documents");
    for folder in &mut target.folders {
        folder.list_us.p50 /= 3;
    }
    assert!(!has(&target), "67 ms");
}

#[test]
fn a_missed_prediction_asks_for_another_run() {
    let text = "Measure again on a quieter machine before relying on the fits.";
    let mut target = measured("documented");
    assert!(!whats(&by_measurement(target.clone())).contains(&text));
    target.users[4].predicted_goodput_per_s.fill(1.0);
    let advice = by_measurement(target);
    let of = advice.iter().find(|of| of.what == text).expect("advice");
    assert_eq!(of.why, "documented: 1 of 3 held-out points were off by more than their limits (measured).");
}
