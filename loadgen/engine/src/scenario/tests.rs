mod load;
mod shape;
mod text;
mod turns;

use super::*;

const SECOND_US: u64 = 1_000_000;

/// A plan to vary.
fn plan(scenario: Scenario, load: Load) -> Plan {
    Plan { seed: 1, scenario, users: 100, load, think: Think::None, sizes: Sizes::default(), mix: Mix::default() }
}

fn closed(users: f64) -> Load {
    Load::Closed { stages: Shape::constant(users, 60 * SECOND_US), pacing: Pacing::Think }
}

fn open(rate_per_s: f64, duration_us: u64, arrivals: Arrivals) -> Load {
    Load::Open { stages: Shape::constant(rate_per_s, duration_us), arrivals }
}

fn shape(stages: &[&str]) -> Shape {
    let stages: Vec<Stage> = stages.iter().map(|stage| stage.parse().unwrap()).collect();
    Shape::of_stages(&stages).unwrap()
}

fn steps(plan: &Plan, user: u32, turn: u64) -> Vec<Step> {
    let mut steps = Vec::new();
    plan.turn(user, turn, &mut steps);
    steps
}

fn actions(plan: &Plan, user: u32, turn: u64) -> Vec<Action> {
    steps(plan, user, turn).iter().map(|step| step.action).collect()
}

#[test]
fn a_scenario_survives_its_name() {
    for scenario in Scenario::ALL {
        assert_eq!(scenario.to_string().parse(), Ok(scenario));
        assert!(!scenario.description().is_empty());
    }
    let error = "jurney".parse::<Scenario>().unwrap_err();
    assert!(error.contains("no scenario \"jurney\"") && error.contains("journey, same-session"), "{error}");
}

#[test]
fn each_scenario_has_its_sessions() {
    let shared = Scenario::ALL.into_iter().filter(|scenario| scenario.session() == SessionUse::Shared);
    assert_eq!(shared.collect::<Vec<_>>(), [Scenario::SameSession]);
    let own = Scenario::ALL.into_iter().filter(|scenario| scenario.session() == SessionUse::Own);
    assert_eq!(own.collect::<Vec<_>>(), [Scenario::ListHeavy, Scenario::Mixed]);
}
