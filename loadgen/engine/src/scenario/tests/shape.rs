use super::{SECOND_US, shape};
use crate::scenario::{Shape, Stage};

fn assert_near(left: f64, right: f64) {
    assert!((left - right).abs() < 1e-6 * right.abs().max(1.0), "{left} is not {right}");
}

#[test]
fn a_ramp_integrates_exactly() {
    let ramp = shape(&["ramp:10s:100", "ramp:10s:50"]);
    assert_near(ramp.level_at(5 * SECOND_US), 50.0);
    assert_near(ramp.level_at(15 * SECOND_US), 75.0);
    assert_near(ramp.cumulative(5 * SECOND_US), 125.0);
    assert_near(ramp.cumulative(10 * SECOND_US), 500.0);
    assert_near(ramp.cumulative(15 * SECOND_US), 500.0 + 437.5);
    assert_near(ramp.cumulative(99 * SECOND_US), 1_250.0);
    assert_near(ramp.total(), 1_250.0);
    assert_near(ramp.peak(), 100.0);
}

#[test]
fn the_inverse_is_an_inverse_to_the_microsecond() {
    let stages =
        shape(&["ramp:10s:100", "hold:5s", "spike:2s:5000", "ramp:7s:20", "hold:3s:0", "hold:1s:7", "ramp:9s:0"]);
    for shape in [stages.clone(), stages.after_warm_up(SECOND_US)] {
        for t_us in (shape.warm_up_us() + 1_000..shape.end_us() - 1_000).step_by(99_991) {
            if shape.level_at(t_us) > 0.1 {
                assert_eq!(shape.time_of(shape.cumulative(t_us)), Some(t_us));
            }
        }
    }
}

#[test]
fn nothing_comes_while_the_level_is_zero() {
    let gap = shape(&["hold:2s:10", "hold:3s:0", "hold:2s:10"]);
    assert_eq!(gap.time_of(19.999_99), Some(1_999_999));
    assert_eq!(gap.time_of(20.0), Some(5 * SECOND_US));
    assert_eq!(gap.time_of(40.0), None);
    assert_eq!(gap.time_of(39.999_999_999), Some(7 * SECOND_US - 1));
}

#[test]
fn a_spike_returns_to_the_level_before() {
    let spike = shape(&["hold:10s:200", "spike:5s:5000", "hold:10s", "soak:10s:3", "soak:10s"]);
    for (t_us, level) in [
        (10 * SECOND_US - 1, 200.0),
        (10 * SECOND_US, 5_000.0),
        (15 * SECOND_US - 1, 5_000.0),
        (15 * SECOND_US, 200.0),
        (25 * SECOND_US, 3.0),
        (45 * SECOND_US - 1, 3.0),
        (45 * SECOND_US, 0.0),
    ] {
        assert_near(spike.level_at(t_us), level);
    }
}

#[test]
fn a_warm_up_is_at_the_first_holds_level_and_idle_before_a_ramp() {
    for (first, level) in [("hold:10s:50", 50.0), ("soak:10s:50", 50.0), ("ramp:10s:50", 0.0), ("spike:10s:50", 0.0)] {
        let shape = shape(&[first]).after_warm_up(4 * SECOND_US);
        assert_near(shape.level_at(0), level);
        assert_near(shape.cumulative(4 * SECOND_US), 4.0 * level);
        assert_eq!((shape.warm_up_us(), shape.end_us()), (4 * SECOND_US, 14 * SECOND_US));
    }
}

#[test]
fn the_level_is_next_exceeded_where_it_rises_or_jumps() {
    let shape = shape(&["ramp:10s:10", "ramp:10s:0", "hold:10s", "spike:5s:20"]);
    assert_eq!(shape.first_above(0.0, 0), Some(1));
    assert_eq!(shape.first_above(5.0, 0), Some(5 * SECOND_US + 1));
    assert_eq!(shape.first_above(5.0, 7 * SECOND_US), Some(7 * SECOND_US));
    assert_eq!(shape.first_above(5.0, 15 * SECOND_US - 1), Some(15 * SECOND_US - 1));
    assert_eq!(shape.first_above(5.0, 15 * SECOND_US), Some(30 * SECOND_US));
    assert_eq!(shape.first_above(19.0, 0), Some(30 * SECOND_US));
    assert_eq!(shape.first_above(20.0, 0), None);
    assert_eq!(shape.first_above(0.0, 35 * SECOND_US), None);
}

#[test]
fn stages_without_a_beginning_are_refused() {
    assert!(Shape::of_stages(&[]).unwrap_err().contains("at least one, such as hold:60s:200"));
    let hold: Stage = "hold:1m".parse().unwrap();
    let error = Shape::of_stages(&[hold]).unwrap_err();
    assert!(error.contains("no level before it to keep") && error.contains("hold:1m:200"), "{error}");
}
