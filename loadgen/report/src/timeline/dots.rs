//! Where the dots of the order are: each within its operation, and none left of the one before.

use super::axis::{Axis, DOT_ROOM};
use super::shown::Interval;

/// The first time at which a dot can be; it has room there.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub(super) enum Home {
    /// At this moment exactly, as it must not be later.
    At(u64),
    /// Between this moment and the next one.
    After(u64),
}

/// When an operation of the order can have had effect, given those before and after it.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) struct Window {
    pub(super) from: u64,
    pub(super) until: Option<u64>,
}

impl Window {
    pub(super) fn home(self) -> Home {
        if self.until == Some(self.from) { Home::At(self.from) } else { Home::After(self.from) }
    }
}

/// The windows of an order: none begins before one that is earlier in the order, and none ends after one that is later.
pub(super) fn windows(order: &[Interval]) -> Vec<Window> {
    let mut from = 0;
    let mut windows: Vec<Window> = Vec::with_capacity(order.len());
    for interval in order {
        from = from.max(interval.called);
        windows.push(Window { from, until: interval.returned });
    }
    let mut until = None;
    for window in windows.iter_mut().rev() {
        until = [window.until, until].into_iter().flatten().min();
        window.until = until;
    }
    windows
}

/// Where the dots are: in the middle of what is possible, with room between them.
///
/// There is an order of places from the far left, and one from the far right, each with room from dot to dot. The middle
/// between two such orders is one, too. The axis has room for the dots of each home, so the left one is left of the right.
pub(super) fn places(axis: &Axis, windows: &[Window]) -> Vec<f64> {
    let mut places = Vec::with_capacity(windows.len());
    let mut least = 0.0_f64;
    for window in windows {
        let from_x =
            if window.home() == Home::At(window.from) { axis.called_x(window.from) } else { axis.after_x(window.from) };
        let x = least.max(from_x + DOT_ROOM / 2.0);
        places.push(x);
        least = x + DOT_ROOM;
    }
    let mut most = f64::INFINITY;
    for (x, window) in places.iter_mut().zip(windows).rev() {
        let until_x = match window.until {
            Some(until) if until == window.from => axis.returned_x(Some(until)),
            Some(until) => axis.called_x(until),
            None => axis.end_x,
        };
        let latest = most.min(until_x - DOT_ROOM / 2.0);
        *x = f64::midpoint(*x, latest);
        most = latest - DOT_ROOM;
    }
    places
}

#[cfg(test)]
mod tests {
    use super::*;

    fn interval(called: u64, returned: Option<u64>) -> Interval {
        Interval { called, returned }
    }

    #[test]
    fn a_window_leaves_time_for_those_before_and_after() {
        let order = [interval(5, Some(50)), interval(0, Some(40)), interval(3, None), interval(20, Some(60))];
        let window = |from, until| Window { from, until: Some(until) };
        assert_eq!(windows(&order), [window(5, 40), window(5, 40), window(5, 60), window(20, 60)]);
    }

    #[test]
    fn dots_have_room_for_themselves_within_their_operations() {
        // Ten at once, then one without a duration, then one without an end.
        let mut order = vec![interval(0, Some(1)); 10];
        order.extend([interval(1, Some(1)), interval(0, None)]);
        let windows = windows(&order);
        let axis = Axis::new(&order, &windows.iter().map(|window| window.home()).collect::<Vec<_>>());
        let places = places(&axis, &windows);
        assert!(places.windows(2).all(|pair| pair[1] - pair[0] > DOT_ROOM - 0.001), "{places:?}");
        for (x, interval) in places.iter().zip(&order) {
            assert!(*x >= axis.called_x(interval.called) + DOT_ROOM / 2.0 - 0.001, "{x} of {interval:?}");
            assert!(*x <= axis.returned_x(interval.returned) - DOT_ROOM / 2.0 + 0.001, "{x} of {interval:?}");
        }
    }

    #[test]
    fn a_dot_is_in_the_middle_of_what_is_possible() {
        let order = [interval(0, Some(100))];
        let windows = windows(&order);
        let axis = Axis::new(&order, &[windows[0].home()]);
        let middle = axis.called_x(100) / 2.0;
        assert!((places(&axis, &windows)[0] - middle).abs() < 0.001);
    }
}
