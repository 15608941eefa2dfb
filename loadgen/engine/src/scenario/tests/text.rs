use super::{SECOND_US, closed, open, plan, shape};
use crate::scenario::{Arrivals, Load, MOST_USERS, Pacing, Plan, Scenario, Shape, Think};

#[test]
fn a_plan_survives_its_text() {
    let stages = shape(&["ramp:30s:100", "hold:90s", "spike:5s:99.5", "soak:10m:7"]).after_warm_up(1_234_567);
    let plans = [
        plan(Scenario::Journey, closed(100.0)),
        Plan {
            seed: u64::MAX,
            think: Think::Exponential(100_000),
            sizes: "1000..100000".parse().unwrap(),
            mix: "save=1,list=2".parse().unwrap(),
            ..plan(Scenario::Mixed, Load::Closed { stages: stages.clone(), pacing: Pacing::Pace(1_500_000) })
        },
        plan(Scenario::Churn, Load::Open { stages, arrivals: Arrivals::Poisson }),
        plan(Scenario::ListHeavy, open(0.1, 333_333, Arrivals::Constant)),
    ];
    for plan in plans {
        assert_eq!(plan.check(), Ok(()));
        let json = serde_json::to_string(&plan).unwrap();
        assert_eq!(serde_json::from_str::<Plan>(&json).unwrap(), plan, "{json}");
    }
}

#[test]
fn the_text_is_in_the_words_of_the_command_line() {
    let stages = shape(&["hold:60s:20", "spike:5s:300"]).after_warm_up(SECOND_US / 2);
    let plan = plan(Scenario::Mixed, Load::Open { stages, arrivals: Arrivals::Poisson });
    let expected = serde_json::json!({
        "scenario": "mixed", "users": 100, "load": "open", "arrivals": "poisson", "peak_rate_per_s": 300.0,
        "stages": ["hold:1m:20", "spike:5s:300"], "think": "none", "sizes": "2700",
        "mix": "restore=60,save=35,list=1,churn=4", "seed": 1, "warm_up_s": 0.5, "duration_s": 65.0,
    });
    assert_eq!(serde_json::to_value(&plan).unwrap(), expected);
}

#[test]
fn a_changed_text_is_refused_with_the_reason() {
    let text = serde_json::to_value(plan(Scenario::Journey, closed(100.0))).unwrap();
    for (field, value, mistake) in [
        ("scenario", "jurney".into(), "no scenario \"jurney\""),
        ("load", "ajar".into(), "no load \"ajar\""),
        ("load", "open".into(), "arrivals if it is open"),
        ("pacing", "pace".into(), "no pacing \"pace\""),
        ("pacing", "pace:0s".into(), "no time at all"),
        ("stages", Vec::<String>::new().into(), "no stages"),
        ("stages", vec!["hold:1m"].into(), "no level before it"),
        ("think", "much".into(), "think time \"much\""),
        ("sizes", "1".into(), "1 bytes is out of range"),
        ("mix", "save".into(), "\"save\" has no weight"),
        ("duration_s", 61.into(), "duration_s is 61, but its stages take 60 s"),
        ("users", 99.into(), "up to 100 users but there are 99"),
    ] {
        let mut changed = text.clone();
        changed[field] = value;
        let error = serde_json::from_value::<Plan>(changed).unwrap_err().to_string();
        assert!(error.contains(mistake), "{field}: {error}");
    }
}

#[test]
fn arrivals_and_pacing_survive_their_text() {
    for arrivals in [Arrivals::Constant, Arrivals::Poisson] {
        assert_eq!(arrivals.to_string().parse(), Ok(arrivals));
    }
    for pacing in [Pacing::Think, Pacing::Pace(1_500_000)] {
        assert_eq!(pacing.to_string().parse(), Ok(pacing));
    }
    let error = "often".parse::<Arrivals>().unwrap_err();
    assert!(error.contains("\"often\": choose constant or poisson"), "{error}");
}

#[test]
fn what_cannot_be_run_is_refused_with_what_to_do() {
    let good = plan(Scenario::Churn, closed(100.0));
    let with = |load| Plan { load, ..good.clone() };
    let paced = |pace_us| Load::Closed { stages: Shape::constant(1.0, SECOND_US), pacing: Pacing::Pace(pace_us) };
    let of_rate = |rate_per_s| with(open(rate_per_s, SECOND_US, Arrivals::Constant));
    for (plan, mistake) in [
        (Plan { users: 0, ..good.clone() }, "0 users: choose from 1 to 10000"),
        (Plan { users: MOST_USERS + 1, ..good.clone() }, "10001 users: choose from 1 to 10000"),
        (with(open(5.0, 0, Arrivals::Constant)), "no duration: give one above 0"),
        (with(open(5.0, 8 * 86_400 * SECOND_US, Arrivals::Constant)), "8days: a week (7days) is the most"),
        (of_rate(0.0), "give a rate, or a stage with a level, above 0"),
        (of_rate(1_000_001.0), "1000001 arrivals a second: the rate can be 1000000 at most"),
        (with(closed(101.0)), "up to 101 users but there are 100: give as many users"),
        (with(paced(0)), "give a pace above 0"),
    ] {
        let error = plan.check().unwrap_err();
        assert!(error.contains(mistake), "{error}");
    }
    for plan in [good.clone(), of_rate(1_000_000.0), with(paced(1)), Plan { users: MOST_USERS, ..good }] {
        assert_eq!(plan.check(), Ok(()));
    }
}
