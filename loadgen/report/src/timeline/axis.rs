//! Where moments are, from left to right. All distances are in pixels, unless their names say otherwise.
//!
//! Time passes evenly, with two exceptions. Between two moments at which something happens there is always room to see
//! it, so that what came first is always further left. And a long time in which nothing happens is cut out, and marked.

use super::dots::Home;
use super::segments::{LEAST_SEGMENT, Scale, segments};
use super::shown::Interval;
use super::units::{Clock, nice_step};
use std::collections::{BTreeMap, BTreeSet};

/// Room that each dot gets for itself.
pub(super) const DOT_ROOM: f64 = 22.0;
/// After the last moment, if something has no end.
const TAIL: f64 = 64.0;
/// Ticks are no closer than this, so that their labels fit.
const TICK_ROOM: f64 = 92.0;

/// A moment at which something happens. It is a point, unless an operation begins and ends with it.
#[derive(Clone, Copy, Debug, PartialEq)]
struct Moment {
    at: u64,
    from_x: f64,
    to_x: f64,
    /// Whether the time until the next one is cut out.
    is_cut_after: bool,
}

/// From moments to places.
#[derive(Clone, Debug, PartialEq)]
pub(super) struct Axis {
    moments: Vec<Moment>,
    /// Where everything ends.
    pub(super) end_x: f64,
}

/// A time that was cut out.
#[derive(Clone, Copy, Debug, PartialEq)]
pub(super) struct Cut {
    pub(super) from_x: f64,
    pub(super) to_x: f64,
    /// In the timeline's unit.
    pub(super) span: u64,
}

/// A mark on the axis.
#[derive(Clone, Debug, PartialEq)]
pub(super) struct Tick {
    pub(super) x: f64,
    pub(super) label: String,
}

impl Axis {
    /// `homes` are where dots need room, one for each dot.
    pub(super) fn new(intervals: &[Interval], homes: &[Home]) -> Self {
        let mut dots: BTreeMap<Home, f64> = BTreeMap::new();
        homes.iter().for_each(|home| *dots.entry(*home).or_default() += DOT_ROOM);
        let room = |home| dots.get(&home).copied().unwrap_or_default();
        let points: BTreeSet<u64> =
            intervals.iter().filter(|it| it.returned == Some(it.called)).map(|it| it.called).collect();
        let segments = segments(intervals);
        let scale = Scale::new(&segments, |start| room(Home::After(start)));
        let mut x = 0.0;
        let mut moments = Vec::new();
        for segment in &segments {
            let is_point = points.contains(&segment.start);
            let width = if is_point { LEAST_SEGMENT } else { 0.0 };
            let (from_x, to_x) = (x, x + width.max(room(Home::At(segment.start))));
            moments.push(Moment { at: segment.start, from_x, to_x, is_cut_after: segment.is_cut });
            x = to_x + scale.width(segment, room(Home::After(segment.start)));
        }
        if intervals.iter().any(|interval| interval.returned.is_none()) {
            let last = segments.last().map_or(0.0, |segment| room(Home::After(segment.start)));
            x += TAIL.max(last);
        }
        Self { moments, end_x: x }
    }

    /// Where an operation begins that was called then.
    pub(super) fn called_x(&self, at: u64) -> f64 {
        self.moment(at).map_or(self.end_x, |moment| moment.from_x)
    }

    /// Where an operation ends that was answered then.
    pub(super) fn returned_x(&self, at: Option<u64>) -> f64 {
        at.and_then(|at| self.moment(at)).map_or(self.end_x, |moment| moment.to_x)
    }

    /// Where the time after a moment begins.
    pub(super) fn after_x(&self, at: u64) -> f64 {
        self.returned_x(Some(at))
    }

    /// The first moment that is not before.
    fn moment(&self, at: u64) -> Option<&Moment> {
        self.moments.get(self.moments.partition_point(|moment| moment.at < at))
    }

    pub(super) fn cuts(&self) -> Vec<Cut> {
        let cut = |pair: &[Moment]| match pair {
            [from, to] if from.is_cut_after => {
                Some(Cut { from_x: from.to_x, to_x: to.from_x, span: to.at.saturating_sub(from.at) })
            }
            _ => None,
        };
        self.moments.windows(2).filter_map(cut).collect()
    }

    /// Marks at even moments; each stretch between two cuts has its own step, and one mark at least.
    pub(super) fn ticks(&self, clock: Clock) -> Vec<Tick> {
        let mut ticks: Vec<Tick> = Vec::new();
        for stretch in self.moments.split_inclusive(|moment| moment.is_cut_after) {
            let (Some(first), Some(last)) = (stretch.first(), stretch.last()) else { continue };
            let room = ((last.to_x - first.from_x) / TICK_ROOM).max(1.0);
            let is_moment = first.at == last.at;
            let step = if is_moment {
                evenness(first.at)
            } else {
                nice_step(|step| (last.at - first.at) as f64 / step as f64 <= room)
            };
            let count = ticks.len();
            let mut at = first.at.div_ceil(step).checked_mul(step);
            while let Some(moment) = at.filter(|at| *at <= last.at) {
                let x = x_within(stretch, moment);
                if ticks.last().is_none_or(|last| x - last.x >= TICK_ROOM) {
                    ticks.push(Tick { x, label: clock.tick(moment, step) });
                }
                at = moment.checked_add(step);
            }
            if ticks.len() == count && ticks.last().is_none_or(|last| first.from_x - last.x >= TICK_ROOM) {
                ticks.push(Tick { x: first.from_x, label: clock.tick(first.at, evenness(first.at)) });
            }
        }
        ticks
    }
}

/// The largest power of ten that a moment is a multiple of, as far as it matters.
fn evenness(at: u64) -> u64 {
    (0..7).rev().map(|power| 10_u64.pow(power)).find(|power| at.is_multiple_of(*power)).unwrap_or(1)
}

fn x_within(stretch: &[Moment], at: u64) -> f64 {
    let next = stretch.partition_point(|moment| moment.at <= at);
    let (Some(from), to) = (stretch.get(next.saturating_sub(1)), stretch.get(next)) else { return 0.0 };
    let Some(to) = to.filter(|_| from.at < at) else { return from.from_x };
    from.to_x + (to.from_x - from.to_x) * ((at - from.at) as f64 / (to.at - from.at) as f64)
}

#[cfg(test)]
mod tests {
    use super::super::segments::{GAP, USUAL_WIDTH};
    use super::*;

    fn axis(intervals: &[(u64, u64)]) -> Axis {
        let interval = |&(called, returned): &(u64, u64)| Interval { called, returned: Some(returned) };
        Axis::new(&intervals.iter().map(interval).collect::<Vec<_>>(), &[])
    }

    #[test]
    fn time_passes_evenly_where_there_is_room() {
        let axis = axis(&[(0, 1_000), (2_000, 4_000)]);
        let x = [0, 1_000, 2_000, 4_000].map(|at| axis.called_x(at) / USUAL_WIDTH);
        for (x, wanted) in x.into_iter().zip([0.0, 0.25, 0.5, 1.0]) {
            assert!((x - wanted).abs() < 0.001, "{x} is not {wanted}");
        }
        assert_eq!(axis.cuts(), []);
    }

    #[test]
    fn what_came_first_is_further_left_by_a_distance_that_is_seen() {
        let axis = axis(&[(0, 1), (2, 1_000_000)]);
        let x = [0, 1, 2, 1_000_000].map(|at| axis.called_x(at));
        assert!(x.windows(2).all(|pair| pair[1] - pair[0] >= LEAST_SEGMENT), "{x:?}");
    }

    #[test]
    fn a_long_time_in_which_nothing_happens_is_cut_out() {
        let axis = axis(&[(0, 10), (5, 20), (1_000_020, 1_000_030), (1_000_025, 1_000_040)]);
        let cuts = axis.cuts();
        assert_eq!(cuts.iter().map(|cut| cut.span).collect::<Vec<_>>(), [1_000_000]);
        assert!(cuts[0].to_x - cuts[0].from_x <= GAP);
        assert!(axis.called_x(10) > 100.0, "what remains has the room");
    }

    #[test]
    fn nothing_is_cut_out_where_all_can_be_seen_without_that() {
        assert_eq!(axis(&[(0, 1_000), (20_000, 21_000)]).cuts(), []);
    }

    #[test]
    fn a_long_operation_is_cut_later_than_a_time_without_any() {
        let moments =
            |length: u64| [(0, 10), (20, 30), (40, 50), (60, 70), (80, 90), (100, 100 + length), (1_000, 1_010)];
        assert_eq!(axis(&moments(150)).cuts().len(), 1, "only the time after it");
        assert_eq!(axis(&moments(300)).cuts().iter().map(|cut| cut.span).collect::<Vec<_>>(), [300, 600]);
    }

    #[test]
    fn dots_have_room_where_they_must_be() {
        let intervals = [(0, Some(1)), (1, Some(1)), (1, None)].map(|(called, returned)| Interval { called, returned });
        let homes = [[Home::After(0); 50].as_slice(), &[Home::At(1); 30], &[Home::After(1); 20]].concat();
        let axis = Axis::new(&intervals, &homes);
        let wide = [axis.called_x(1), axis.after_x(1) - axis.called_x(1), axis.end_x - axis.after_x(1)];
        for (wide, dots) in wide.into_iter().zip([50.0, 30.0, 20.0]) {
            assert!(wide >= dots * DOT_ROOM, "{wide} for {dots}");
        }
    }

    #[test]
    fn ticks_are_even_moments_and_never_close() {
        let ticks = axis(&[(0, 3_000), (4_100, 9_900)]).ticks(Clock::Milliseconds);
        let labels: Vec<&str> = ticks.iter().map(|tick| tick.label.as_str()).collect();
        assert_eq!(labels, ["0 ms", "2 ms", "4 ms", "6 ms", "8 ms"]);
        assert!(ticks.windows(2).all(|pair| pair[1].x - pair[0].x >= TICK_ROOM), "{ticks:?}");
    }

    #[test]
    fn the_ends_of_time_do_no_harm() {
        let axis = axis(&[(0, 1), (u64::MAX - 1, u64::MAX), (u64::MAX, u64::MAX)]);
        assert!(axis.end_x.is_finite() && axis.end_x < 2_000.0, "{}", axis.end_x);
        assert!(!axis.ticks(Clock::Seconds).is_empty());
        let nothing = Axis::new(&[], &[]);
        assert_eq!((nothing.called_x(7), nothing.ticks(Clock::Lines).len()), (0.0, 0));
    }
}
