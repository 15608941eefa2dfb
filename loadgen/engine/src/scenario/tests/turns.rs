use super::{SECOND_US, actions, closed, plan, steps};
use crate::scenario::Action::{Delete, GenerateKey, GiveBack, Instantiate, List, Restore, Save};
use crate::scenario::{Action, Load, Pacing, Plan, Scenario, Shape, Think, When};
use std::collections::BTreeMap;

fn all_turns(plan: &Plan) -> Vec<Vec<crate::scenario::Step>> {
    (0..20).flat_map(|user| (0..10).map(move |turn| steps(plan, user, turn))).collect()
}

/// Varied sizes and think times, so that every draw shows.
fn varied(scenario: Scenario) -> Plan {
    let sizes = "1000..100000".parse().unwrap();
    Plan { sizes, think: Think::Exponential(SECOND_US), ..plan(scenario, closed(100.0)) }
}

#[test]
fn the_same_seed_makes_the_same_turns_and_another_makes_others() {
    for scenario in Scenario::ALL {
        let first = varied(scenario);
        assert_eq!(all_turns(&first), all_turns(&first.clone()));
        let other = Plan { seed: 2, ..first.clone() };
        assert_ne!(all_turns(&first), all_turns(&other), "{scenario}");
    }
}

#[test]
fn a_later_turn_can_be_computed_alone() {
    for scenario in Scenario::ALL {
        let plan = varied(scenario);
        let mut in_turn = Vec::new();
        for turn in 0..50 {
            plan.turn(7, turn, &mut in_turn);
        }
        assert_eq!(in_turn, steps(&plan, 7, 49));
    }
}

#[test]
fn users_and_turns_differ() {
    let plan = varied(Scenario::Journey);
    assert_ne!(steps(&plan, 1, 1), steps(&plan, 2, 1));
    assert_ne!(steps(&plan, 1, 1), steps(&plan, 1, 2));
}

#[test]
fn only_what_writes_has_a_size() {
    for step in Scenario::ALL.map(varied).iter().flat_map(all_turns).flatten() {
        assert_eq!(step.state_bytes >= 1_000, matches!(step.action, Instantiate | Save), "{step:?}");
        assert_eq!(step.state_bytes == 0, !step.action.sends_state());
    }
}

#[test]
fn the_journey_begins_with_a_key_and_comes_back_by_its_link() {
    let plan = plan(Scenario::Journey, closed(100.0));
    assert_eq!(actions(&plan, 3, 0), [GenerateKey, Instantiate, Restore, Save, Save, Save]);
    let mut saves = BTreeMap::new();
    for turn in 1..200 {
        let actions = actions(&plan, 3, turn);
        assert_eq!(actions[..2], [Instantiate, Restore]);
        assert!(actions[2..].iter().all(|action| *action == Save));
        *saves.entry(actions.len() - 2).or_insert(0) += 1;
    }
    assert_eq!(saves.keys().copied().collect::<Vec<_>>(), [2, 3, 4]);
}

#[test]
fn the_journeys_saves_come_two_seconds_after_a_burst() {
    let plan = plan(Scenario::Journey, closed(100.0));
    let (mut first, mut later) = (Vec::new(), Vec::new());
    for turn in 0..500 {
        let steps = steps(&plan, 5, turn);
        let mut saves = steps.iter().filter(|step| step.action == Save).map(|step| step.when);
        // The first burst begins when the document is there; later ones by the person's own clock.
        let Some(When::AfterAnswer(first_us)) = saves.next() else { panic!("{steps:?}") };
        first.push(first_us);
        for when in saves {
            let When::AfterMeant(later_us) = when else { panic!("{steps:?}") };
            later.push(later_us);
        }
    }
    // Two seconds, and up to 600 ms of changes; later, up to a second's pause before.
    assert_fills(&first, 2_000_000, 2_600_000);
    assert_fills(&later, 2_000_000, 3_600_000);
}

/// All are in from..to, and they come near to both ends.
fn assert_fills(drawn_us: &[u64], from_us: u64, to_us: u64) {
    let (least, most) = (*drawn_us.iter().min().unwrap(), *drawn_us.iter().max().unwrap());
    let near_us = (to_us - from_us) / 10;
    assert!((from_us..from_us + near_us).contains(&least), "least {least}");
    assert!((to_us - near_us..to_us).contains(&most), "most {most}");
}

#[test]
fn between_visits_the_journeys_user_is_away() {
    let away = |think| -> Vec<u64> {
        let plan = Plan { think, ..plan(Scenario::Journey, closed(100.0)) };
        assert_eq!(steps(&plan, 5, 0)[0].when, When::AfterAnswer(0));
        (1..500)
            .map(|turn| match steps(&plan, 5, turn)[0].when {
                When::AfterAnswer(away_us) => away_us,
                When::AfterMeant(_) => panic!("not by the person's own clock"),
            })
            .collect()
    };
    assert_fills(&away(Think::None), SECOND_US, 5 * SECOND_US);
    assert_fills(&away(Think::Constant(10 * SECOND_US)), 11 * SECOND_US, 15 * SECOND_US);
}

#[test]
fn turns_begin_after_the_think_time_or_at_the_pace() {
    let think = Think::Constant(70);
    for scenario in [Scenario::SameSession, Scenario::Churn, Scenario::ListHeavy, Scenario::Mixed] {
        let thinking = Plan { think, ..plan(scenario, closed(100.0)) };
        assert_eq!(steps(&thinking, 1, 0)[0].when, When::AfterAnswer(0));
        assert_eq!(steps(&thinking, 1, 1)[0].when, When::AfterAnswer(70));
    }
    for scenario in Scenario::ALL {
        let load = Load::Closed { stages: Shape::constant(1.0, SECOND_US), pacing: Pacing::Pace(90) };
        let paced = Plan { think, ..plan(scenario, load) };
        assert_eq!(steps(&paced, 1, 0)[0].when, When::AfterAnswer(0), "{scenario}");
        assert_eq!(steps(&paced, 1, 1)[0].when, When::AfterMeant(90), "{scenario}");
    }
}

#[test]
fn a_key_is_held_for_the_think_time() {
    let plan = Plan { think: Think::Constant(70), ..plan(Scenario::KeygenBurst, closed(100.0)) };
    for turn in 0..3 {
        let steps: Vec<(Action, When)> = steps(&plan, 1, turn).iter().map(|step| (step.action, step.when)).collect();
        assert_eq!(steps, [(GenerateKey, When::AfterAnswer(0)), (GiveBack, When::AfterAnswer(70))]);
    }
}

#[test]
fn churn_is_a_sessions_whole_life() {
    let plan = plan(Scenario::Churn, closed(100.0));
    assert_eq!(actions(&plan, 1, 4), [GenerateKey, Instantiate, Save, Restore, Delete, Restore]);
}

/// The share of each first action among many turns, in percent.
fn shares(plan: &Plan) -> BTreeMap<String, usize> {
    let mut counts = BTreeMap::new();
    for turn in 0..10_000 {
        *counts.entry(format!("{:?}", steps(plan, 1, turn)[0].action)).or_insert(0) += 1;
    }
    counts.values_mut().for_each(|count| *count = (*count + 50) / 100);
    counts
}

#[test]
fn turns_are_drawn_in_their_shares() {
    let near = |plan: &Plan, expected: &[(Action, usize)]| {
        let shares = shares(plan);
        assert_eq!(shares.len(), expected.len(), "{shares:?}");
        for (action, percent) in expected {
            assert!(shares[&format!("{action:?}")].abs_diff(*percent) <= 1, "{shares:?}");
        }
    };
    near(&plan(Scenario::ListHeavy, closed(1.0)), &[(List, 50), (Save, 25), (Restore, 25)]);
    let mix = "restore=50,save=30,list=15,churn=5".parse().unwrap();
    let mixed = Plan { mix, ..plan(Scenario::Mixed, closed(1.0)) };
    near(&mixed, &[(Restore, 50), (Save, 30), (List, 15), (Delete, 5)]);
    let on_one_document = Plan { mix, ..plan(Scenario::SameSession, closed(1.0)) };
    near(&on_one_document, &[(Restore, 63), (Save, 37)]);
}

#[test]
fn a_mixed_churn_ends_the_session_and_begins_another() {
    let plan = Plan { mix: "churn=1".parse().unwrap(), ..plan(Scenario::Mixed, closed(1.0)) };
    assert_eq!(actions(&plan, 1, 0), [Delete, GenerateKey, Instantiate]);
}
