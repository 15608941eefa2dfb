use super::*;
use engine::scenario::{Load, Mix, Pacing, Scenario, Shape, Sizes, Think};
use record::figures::{Tally, Took};
use record::history::Judgement;
use record::hlog::record;
use serde_json::{Value, json};

const RESTORE: usize = 3;
const SAVE: usize = 2;

/// Ten seconds, the first two of which are a warm-up.
fn plan() -> Plan {
    let stages = Shape::constant(2.0, 8_000_000).after_warm_up(2_000_000);
    let load = Load::Closed { stages, pacing: Pacing::Think };
    let (think, sizes, mix) = (Think::None, Sizes::default(), Mix::default());
    Plan { seed: 1, scenario: Scenario::Mixed, users: 2, load, think, sizes, mix }
}

fn figures() -> Figures {
    let mut figures = Figures::new("What runs".to_owned());
    figures.begin(&plan(), None);
    figures
}

/// A second with these operations in it: place of the operation, response time, µs, and judgement.
fn second(number: u64, progress: f64, operations: &[(usize, Option<u64>, Judgement<'_>)]) -> Second {
    let mut tallies = std::array::from_fn(|_| Tally::new());
    for (place, response_us, judgement) in operations {
        let took = response_us.map(|response_us| Took { response_us, service_us: response_us, is_timeout: false });
        tallies[*place].count(took, *judgement);
    }
    let (start, measured) = (Duration::from_secs(number), Duration::from_secs(1));
    Second { start, measured, progress, tallies, slip_us: new_histogram() }
}

fn told(figures: &mut Figures, second: &Second) -> Value {
    serde_json::from_str(&figures.second(second, &second.reports())).expect("JSON")
}

fn standing(figures: &Figures) -> Value {
    serde_json::from_str(&figures.standing()).expect("JSON")
}

#[test]
fn an_event_has_the_figures_of_its_second_and_all_counts_so_far() {
    let mut figures = figures();
    let mut first = second(
        4,
        0.5,
        &[
            (SAVE, Some(1_000), Judgement::Verified),
            (RESTORE, Some(2_000), Judgement::Wrong("torn read")),
            (RESTORE, None, Judgement::Error("no answer within 10 s")),
        ],
    );
    record(&mut first.slip_us, 7);
    told(&mut figures, &first);
    let event = told(&mut figures, &first);
    let zero = json!({"count": 0, "by_name": {}, "others": 0});
    let expected = json!({
        "schema": "claimcheck.live/1",
        "what": "What runs",
        "phase": "measured",
        "trial": null,
        "trials": [],
        "elapsed_s": 5,
        "progress": 0.5,
        "second": {
            "total": {
                "answered": 2, "verified": 1, "wrong": 1, "errors": 1, "answered_per_s": 2.0, "goodput_per_s": 1.0,
                "response_us": {"p50": 1_000, "p90": 2_000, "p99": 2_000, "max": 2_000},
            },
            "operations": {
                "restore": {
                    "answered": 1, "verified": 0, "wrong": 1, "errors": 1, "answered_per_s": 1.0, "goodput_per_s": 0.0,
                    "response_us": {"p50": 2_000, "p90": 2_000, "p99": 2_000, "max": 2_000},
                },
                "save": {
                    "answered": 1, "verified": 1, "wrong": 0, "errors": 0, "answered_per_s": 1.0, "goodput_per_s": 1.0,
                    "response_us": {"p50": 1_000, "p90": 1_000, "p99": 1_000, "max": 1_000},
                },
            },
            "slip_p99_us": 7,
        },
        "so_far": {
            "restore": {
                "answered": 2, "verified": 0,
                "wrong": {"count": 2, "by_name": {"torn read": 2}, "others": 0},
                "errors": {"count": 2, "by_name": {"no answer within 10 s": 2}, "others": 0},
            },
            "save": {"answered": 2, "verified": 2, "wrong": zero, "errors": zero},
        },
        "ending": null,
    });
    assert_eq!(event, expected);
}

#[test]
fn the_phase_follows_the_run() {
    let mut figures = figures();
    assert_eq!(standing(&figures)["phase"], "setting up");
    for (progress, phase) in
        [(0.0, "setting up"), (0.1, "warming up"), (0.2, "warming up"), (0.21, "measured"), (1.0, "measured")]
    {
        assert_eq!(told(&mut figures, &second(1, progress, &[]))["phase"], phase, "{progress}");
    }
    figures.judge();
    assert_eq!(standing(&figures)["phase"], "judging");
}

#[test]
fn a_second_that_is_hardly_measured_has_counts_and_no_rates() {
    let mut figures = figures();
    let whole = second(1, 0.5, &[(SAVE, Some(9), Judgement::Verified)]);
    let hardly = Second { measured: Duration::from_millis(499), ..whole };
    let row = told(&mut figures, &hardly)["second"]["total"].clone();
    assert_eq!(
        (&row["answered"], &row["answered_per_s"], &row["goodput_per_s"]),
        (&json!(1), &json!(null), &json!(null))
    );
    let half = Second { measured: Duration::from_millis(500), ..hardly };
    assert_eq!(told(&mut figures, &half)["second"]["total"]["answered_per_s"], 2.0);
}

#[test]
fn what_was_never_answered_has_no_times() {
    let mut figures = figures();
    let event = told(&mut figures, &second(1, 0.5, &[(SAVE, None, Judgement::Error("cannot connect"))]));
    assert_eq!(event["second"]["total"]["response_us"], json!(null));
    assert_eq!(event["second"]["operations"]["save"]["errors"], 1);
}

#[test]
fn another_trial_begins_with_nothing_and_those_before_are_kept() {
    let mut figures = figures();
    let rates = [100.0, 200.0].map(|rate_per_s| TrialUnderWay { rate_per_s, phase: TrialPhase::Double });
    figures.begin(&plan(), Some(rates[0]));
    told(&mut figures, &second(3, 0.9, &[(SAVE, Some(9), Judgement::Wrong("stale read"))]));
    let why = "save p99 is 1 ms".to_owned();
    figures.note_trial(&Trial {
        rate_per_s: 100.0,
        phase: TrialPhase::Double,
        kept: true,
        valid: true,
        worst: why.clone(),
        why,
        goodput_per_s: 99.0,
    });
    figures.begin(&plan(), Some(rates[1]));
    let event = standing(&figures);
    assert_eq!((&event["so_far"], &event["elapsed_s"], &event["progress"]), (&json!({}), &json!(0), &json!(0.0)));
    assert_eq!(event["trial"], json!({"rate_per_s": 200.0, "phase": "double"}));
    assert_eq!((&event["trials"][0]["rate_per_s"], &event["trials"][0]["kept"]), (&json!(100.0), &json!(true)));
    let event = told(&mut figures, &second(1, 0.5, &[(SAVE, Some(9), Judgement::Verified)]));
    assert_eq!(event["so_far"]["save"]["wrong"]["count"], 0);
}

/// A target that answers each request with another message must not fill the page, nor the generator's memory.
#[test]
fn names_are_bounded_in_number_and_length_and_every_answer_is_counted() {
    let mut figures = figures();
    let names: Vec<String> = (0..MOST_NAMES * 3).map(|at| format!("{at:03} {}", "é".repeat(1_000))).collect();
    let operations: Vec<_> = names.iter().map(|name| (SAVE, Some(9), Judgement::Error(name))).collect();
    let event = told(&mut figures, &second(1, 0.5, &operations));
    let errors = &event["so_far"]["save"]["errors"];
    let by_name = errors["by_name"].as_object().expect("names");
    assert_eq!((by_name.len(), &errors["count"], &errors["others"]), (MOST_NAMES, &json!(60), &json!(40)));
    assert!(by_name.keys().all(|name| name.chars().count() == LONGEST_NAME && name.ends_with('…')));
}

#[test]
fn names_cannot_turn_the_page_around() {
    let mut figures = figures();
    let event = told(&mut figures, &second(1, 0.5, &[(SAVE, None, Judgement::Error("500 \u{202e}\u{7}"))]));
    assert_eq!(event["so_far"]["save"]["errors"]["by_name"], json!({"500 \\u{202e}\\u{7}": 1}));
}
