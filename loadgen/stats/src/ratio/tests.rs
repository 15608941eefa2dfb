use super::*;
use crate::simulated::random;
use std::f64::consts::LN_2;

mod simulations;

fn close(a: f64, b: f64) -> bool {
    (a - b).abs() <= 1e-9 * b.abs()
}

/// Pairs of these logarithms of B/A, at a baseline of 100.
fn pairs(logs: &[f64]) -> Vec<Pair> {
    logs.iter().map(|log| Pair { a: 100.0, b: 100.0 * log.exp() }).collect()
}

fn ratio(logs: &[f64], confidence: f64) -> Ratio {
    Ratio::of(&pairs(logs), confidence, &mut random(1)).unwrap()
}

/// Ten logarithms about 0, none like another.
const LOGS: [f64; 10] = [0.03, -0.02, 0.01, -0.05, 0.04, 0.005, -0.035, 0.025, -0.015, 0.012];

/// Skewed: far up and not far down.
const SKEWED: [f64; 14] = [0.0, 0.01, 0.02, 0.03, 0.05, 0.08, 0.12, 0.17, 0.25, 0.36, 0.5, 0.7, 1.0, 1.4];

#[test]
fn trimmed_mean_and_winsorized_error_are_those_of_the_textbook() {
    // Wilcox, chapter 3: the self-awareness data (Dana, 1990); he rounds to 283 and 56.1.
    let seconds = [77, 87, 88, 114, 151, 210, 219, 246, 253, 262, 296, 299, 306, 376, 428, 515, 666, 1_310, 2_611];
    let trimmed = Trimmed::of(&seconds.map(f64::from));
    assert!(close(trimmed.mean, 3_675.0 / 13.0), "{trimmed:?}");
    assert!((trimmed.standard_error - 56.1).abs() < 0.05, "{trimmed:?}");
}

#[test]
fn students_t_has_as_many_degrees_of_freedom_as_values_kept_less_one() {
    // Tables, two-sided 95 % and 99 %: of 10 pairs 6 are kept, of 14 are 10.
    assert!((student_t(10, 0.95) - 2.571).abs() < 5e-4 && (student_t(10, 0.99) - 4.032).abs() < 5e-4);
    assert!((student_t(14, 0.95) - 2.262).abs() < 5e-4);
}

#[test]
fn a_ratio_is_b_by_a() {
    let twice = ratio(&LOGS.map(|log| log + LN_2), 0.95);
    let once = ratio(&LOGS, 0.95);
    assert!(close(twice.estimate, 2.0 * once.estimate) && close(twice.low, 2.0 * once.low), "{twice:?} {once:?}");
    assert!(close(twice.high, 2.0 * once.high) && twice.low < 2.0 && 2.0 < twice.high, "{twice:?}");
    assert_eq!(twice.pairs, 10);
}

#[test]
fn the_order_of_the_pairs_does_not_count() {
    let mut logs = SKEWED;
    logs.reverse();
    logs.swap(3, 9);
    assert_eq!(ratio(&logs, 0.95), ratio(&SKEWED, 0.95));
}

#[test]
fn the_same_seed_gives_the_same_interval_and_another_one_another() {
    let of = |seed: u64| Ratio::of(&pairs(&SKEWED), 0.99, &mut random(seed)).unwrap();
    assert_eq!(of(1), of(1));
    assert_ne!(of(1), of(2));
}

#[test]
fn an_interval_holds_that_of_students_t() {
    for confidence in [0.8, 0.95, look_confidence(1)] {
        for logs in [&LOGS[..], &SKEWED, &SKEWED.map(|log| -log)] {
            let ratio = ratio(logs, confidence);
            let trimmed = Trimmed::of(&sorted_logs(&pairs(logs)).unwrap());
            let reach = student_t(logs.len(), confidence) * trimmed.standard_error * (1.0 - 1e-9);
            assert!(ratio.low.ln() <= trimmed.mean - reach, "{ratio:?}");
            assert!(ratio.high.ln() >= trimmed.mean + reach, "{ratio:?}");
        }
    }
}

#[test]
fn an_interval_reaches_farther_to_the_side_of_the_long_tail() {
    let sides = |logs: &[f64]| {
        let ratio = ratio(logs, 0.95);
        ((ratio.high / ratio.estimate).ln(), (ratio.estimate / ratio.low).ln())
    };
    let (up, down) = sides(&SKEWED);
    assert!(up > 1.2 * down, "{up} {down}");
    let (up, down) = sides(&SKEWED.map(|log| -log));
    assert!(down > 1.2 * up, "{up} {down}");
}

#[test]
fn equal_ratios_leave_no_doubt() {
    let point = ratio(&[LN_2; 12], 0.99);
    assert!(close(point.estimate, 2.0), "{point:?}");
    assert_eq!((point.low, point.high), (point.estimate, point.estimate));
}

#[test]
fn a_clock_too_coarse_to_tell_chance_by_leaves_all_that_was_measured() {
    let mut logs = [0.0; 10];
    (logs[0], logs[9]) = (-0.1, 0.3);
    let ratio = ratio(&logs, 0.95);
    assert!(close(ratio.low, (-0.1_f64).exp()) && close(ratio.high, 0.3_f64.exp()), "{ratio:?}");
    assert!(close(ratio.estimate, 1.0), "{ratio:?}");
}

#[test]
fn equal_values_have_their_own_mean_and_no_error() {
    // Ten times 0.1 do not add up to 1 in binary.
    let trimmed = Trimmed::of(&[0.1; 10]);
    assert_eq!(trimmed, Trimmed { mean: 0.1, standard_error: 0.0 });
    assert_eq!((trimmed.off_by(0.1), trimmed.off_by(0.0), trimmed.off_by(0.2)), (0.0, f64::INFINITY, -f64::INFINITY));
}

#[test]
fn a_tenth_of_what_is_drawn_anew_lies_beyond_each_end_at_a_confidence_of_80_percent() {
    let truth = Trimmed::of(&SKEWED).mean;
    let (lowest, highest) = bootstrap_t(&SKEWED, truth, 0.8, &mut random(2));
    let mut random = random(3);
    let off: Vec<f64> = (0..4_000).map(|_| Trimmed::of(&drawn_anew(&SKEWED, &mut random)).off_by(truth)).collect();
    for beyond in [off.iter().filter(|&&off| off < lowest).count(), off.iter().filter(|&&off| off > highest).count()] {
        assert!((300..500).contains(&beyond), "{beyond}");
    }
}

#[test]
fn one_pause_of_the_machine_does_not_decide() {
    let twenty = [LOGS, LOGS.map(|log| 0.9 * log)].concat();
    let mut paused = twenty.clone();
    paused[0] = 1_000.0_f64.ln();
    let (without, with) = (ratio(&twenty, look_confidence(1)), ratio(&paused, look_confidence(1)));
    assert_eq!(Bound::AtMost(1.10).judge(&without), Answer::Pass, "{without:?}");
    assert_eq!(Bound::AtMost(1.10).judge(&with), Answer::Pass, "{with:?}");
    assert!((with.estimate / without.estimate - 1.0).abs() < 0.01, "{without:?} {with:?}");
}

#[test]
fn figures_without_a_logarithm_are_refused_by_name() {
    for wrong in [0.0, -1.0, f64::NAN, f64::INFINITY] {
        for side in [Side::A, Side::B] {
            let mut pairs = pairs(&LOGS);
            match side {
                Side::A => pairs[6].a = wrong,
                Side::B => pairs[6].b = wrong,
            }
            let error = Ratio::of(&pairs, 0.95, &mut random(1)).unwrap_err();
            assert!(error.to_string().starts_with(&format!("pair 7: {side:?} measured {wrong},")), "{error}");
        }
    }
}

#[test]
fn too_few_pairs_are_refused() {
    let error = Ratio::of(&pairs(&LOGS[..9]), 0.95, &mut random(1)).unwrap_err();
    assert_eq!(error, RatioError::TooFewPairs { found: 9 });
    assert_eq!(error.to_string(), "measured 9 pairs; an interval needs 10: measure more");
}

#[test]
fn a_confidence_that_is_no_share_is_refused() {
    for confidence in [0.0, 1.0, -0.5, 95.0, f64::NAN] {
        let error = Ratio::of(&pairs(&LOGS), confidence, &mut random(1)).unwrap_err();
        assert!(matches!(error, RatioError::NoConfidence { .. }), "{error}");
    }
}

#[test]
fn figures_whose_quotient_is_no_number_have_a_ratio() {
    let mut pairs = pairs(&LOGS);
    // More than trimming leaves out.
    pairs[..3].fill(Pair { a: 1e300, b: 1e-300 });
    let ratio = Ratio::of(&pairs, 0.8, &mut random(1)).unwrap();
    assert!(ratio.estimate > 0.0 && ratio.estimate < 1.0, "{ratio:?}");
}

#[test]
fn a_bound_is_judged_by_the_whole_interval() {
    let of = |low: f64, high: f64| Ratio { estimate: f64::midpoint(low, high), low, high, pairs: 10, starts: 1 };
    for (low, high, at_most, at_least) in [
        (1.0, 1.05, Answer::Pass, Answer::Fail),
        (1.2, 1.3, Answer::Fail, Answer::Pass),
        (1.0, 1.2, Answer::Inconclusive, Answer::Inconclusive),
        // The bound itself is kept.
        (1.0, 1.1, Answer::Pass, Answer::Inconclusive),
        (1.1, 1.2, Answer::Inconclusive, Answer::Pass),
        (1.1, 1.1, Answer::Pass, Answer::Pass),
        (0.0, f64::INFINITY, Answer::Inconclusive, Answer::Inconclusive),
        (f64::NAN, f64::NAN, Answer::Inconclusive, Answer::Inconclusive),
    ] {
        let ratio = of(low, high);
        assert_eq!(Bound::AtMost(1.1).judge(&ratio), at_most, "{ratio:?}");
        assert_eq!(Bound::AtLeast(1.1).judge(&ratio), at_least, "{ratio:?}");
    }
}

#[test]
fn an_answer_rests_on_the_pairs_of_the_last_look() {
    let expected = [(0, 0), (9, 9), (10, 10), (13, 10), (14, 14), (159, 112), (160, 160), (500, 160)];
    assert_eq!(expected.map(|(pairs, _)| (pairs, looked_at(pairs))), expected);
}

#[test]
fn the_total_error_is_shared_among_looks_and_bounds() {
    assert!(close((1.0 - look_confidence(1)) / 2.0 * 9.0, TOTAL_ERROR));
    assert!(close((1.0 - look_confidence(3)) / 2.0 * 9.0 * 3.0, TOTAL_ERROR));
}
