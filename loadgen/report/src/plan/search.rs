//! Where something is passed first.

/// Apart by less, as a share, two numbers of sessions are the same to anybody.
const ALIKE: f64 = 1e-9;

/// How things stand at a number.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum State {
    /// Not passed.
    Below,
    /// Passed.
    Over,
    /// Nobody knows.
    Unknown,
}

/// Where it changed, and to what.
#[derive(Clone, Copy, Debug, PartialEq)]
pub(super) struct Passed {
    /// The first number at which it is so, within a part in 10⁹.
    pub(super) at: f64,
    /// What is so.
    pub(super) state: State,
}

/// The first number at which the state is no longer [`State::Below`]: from the planned one up to the most; or, where it
/// is not so at the planned one already, from 1 up to that. `None` where nothing changes, or nothing was ever below.
pub(super) fn first_passed(planned: f64, most: f64, state: impl Fn(f64) -> State) -> Option<Passed> {
    let is_below = |at: f64| state(at) == State::Below;
    let (low, high) = if is_below(planned) {
        let mut high = planned;
        while high < most && is_below(high) {
            high = (high * 2.0).min(most);
        }
        (planned, high)
    } else {
        (1.0, planned)
    };
    if is_below(high) || !is_below(low) {
        return None;
    }
    let at = between(low, high, is_below);
    Some(Passed { at, state: state(at) })
}

/// Halves between a number that is below and one that is not.
fn between(mut low: f64, mut high: f64, is_below: impl Fn(f64) -> bool) -> f64 {
    while high - low > ALIKE * high {
        let middle = f64::midpoint(low, high);
        if is_below(middle) { low = middle } else { high = middle }
    }
    high
}

#[cfg(test)]
mod tests {
    use super::*;

    fn over_from(limit: f64) -> impl Fn(f64) -> State {
        move |at| if at >= limit { State::Over } else { State::Below }
    }

    #[test]
    fn the_first_number_that_passes_is_found_above_and_below_the_plan() {
        for limit in [2.0, 99.0, 100.0, 101.0, 23_328.0, 46_656.0] {
            let passed = first_passed(100.0, 46_656.0, over_from(limit));
            let passed = passed.filter(|passed| passed.state == State::Over && passed.at >= limit);
            assert!(passed.is_some_and(|passed| passed.at / limit - 1.0 < 2.0 * ALIKE), "{limit}: {passed:?}");
        }
    }

    #[test]
    fn what_is_never_passed_or_always_has_no_place() {
        assert_eq!(first_passed(100.0, 46_656.0, over_from(46_657.0)), None);
        assert_eq!(first_passed(100.0, 46_656.0, over_from(0.5)), None);
    }

    #[test]
    fn the_end_of_what_is_known_is_told_as_such() {
        let state = |at: f64| if at > 3_000.0 { State::Unknown } else { State::Below };
        let passed = first_passed(100.0, 1e9, state).unwrap();
        assert_eq!((passed.at.round(), passed.state), (3_000.0, State::Unknown));
    }

    #[test]
    fn large_numbers_are_found_as_nearly_as_anybody_asks() {
        let found = first_passed(10_000.0, 4.7e18, over_from(1e17)).unwrap();
        assert!((found.at / 1e17 - 1.0).abs() < 2.0 * ALIKE);
    }
}
