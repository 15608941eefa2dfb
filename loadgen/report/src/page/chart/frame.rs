//! Where an axis begins and ends, and its labels, as the library's coordinates.

use super::Axis;
use super::scale::{Scale, Ticks};
use plotters::coord::ranged1d::{KeyPointHint, NoDefaultFormatting, Ranged, ValueFormatter};
use std::ops::Range;

/// Room for rounding at the ends, as a share of the axis.
const SLACK: f64 = 1e-9;

/// An axis with its ends, as places.
#[derive(Clone)]
pub(super) struct Frame<'a> {
    pub(super) axis: &'a Axis,
    pub(super) low: f64,
    pub(super) high: f64,
    pub(super) ticks: Ticks,
}

impl<'a> Frame<'a> {
    /// Around these values; `None` where none of them has a place.
    pub(super) fn new(axis: &'a Axis, values: &mut dyn Iterator<Item = f64>) -> Option<Self> {
        let least = axis.ends.0.and_then(|end| axis.scale.place(end));
        let most = axis.ends.1.and_then(|end| axis.scale.place(end));
        let places = values.filter_map(|value| axis.scale.place(value));
        let (low, high) =
            places.fold((f64::INFINITY, f64::NEG_INFINITY), |(low, high), at| (low.min(at), high.max(at)));
        if low > high {
            return None;
        }
        let low = least.unwrap_or(low);
        let (rounded_low, rounded_high) = axis.scale.rounded(low, high.max(low));
        // An end that was asked for stays where it is, unless the axis would have no length.
        let low = least.unwrap_or(rounded_low);
        let high = most.filter(|&most| most > low).unwrap_or(rounded_high);
        Some(Self { axis, low, high, ticks: axis.scale.ticks(axis.unit, low, high) })
    }

    /// With room before its beginning, so that points there do not cover the labels of the other axis. Logarithmic axes
    /// have some already.
    pub(super) fn padded(self) -> Self {
        /// Share of the axis.
        const ROOM: f64 = 0.03;
        let room = if self.axis.scale == Scale::Log { 0.0 } else { (self.high - self.low) * ROOM };
        Self { low: self.low - room, ..self }
    }

    /// The place of a value that lies on the axis.
    pub(super) fn place(&self, value: f64) -> Option<f64> {
        let slack = (self.high - self.low) * SLACK;
        self.axis.scale.place(value).filter(|&at| at >= self.low - slack && at <= self.high + slack)
    }

    /// As near as the axis comes to a value.
    pub(super) fn clamped(&self, value: f64) -> f64 {
        self.axis.scale.place(value).unwrap_or(self.low).clamp(self.low, self.high)
    }

    /// Whether something of a bar up to `high` lies on the axis.
    pub(super) fn shows_bar_to(&self, high: f64) -> bool {
        self.axis.scale.place(high).is_some_and(|high| high >= self.low)
    }

    /// How far along the axis a place is, as a share of it.
    pub(super) fn along(&self, place: f64) -> f64 {
        (place - self.low) / (self.high - self.low)
    }
}

impl Ranged for Frame<'_> {
    type FormatOption = NoDefaultFormatting;
    type ValueType = f64;

    #[allow(clippy::cast_possible_truncation, reason = "within the picture")]
    fn map(&self, place: &f64, (from, to): (i32, i32)) -> i32 {
        from + (self.along(*place) * f64::from(to - from)).round() as i32
    }

    fn key_points<Hint: KeyPointHint>(&self, _hint: Hint) -> Vec<f64> {
        self.ticks.iter().map(|&(place, _)| place).collect()
    }

    fn range(&self) -> Range<f64> {
        self.low..self.high
    }
}

impl ValueFormatter<f64> for Frame<'_> {
    fn format_ext(&self, place: &f64) -> String {
        let nearest = self.ticks.iter().min_by(|a, b| (a.0 - place).abs().total_cmp(&(b.0 - place).abs()));
        nearest.map(|(_, text)| text.clone()).unwrap_or_default()
    }
}

#[cfg(test)]
mod tests {
    use super::super::scale::Unit;
    use super::*;

    fn frame(axis: &Axis, values: &[f64]) -> Option<(f64, f64)> {
        Frame::new(axis, &mut values.iter().copied()).map(|of| (of.low, of.high))
    }

    #[test]
    fn an_axis_needs_a_value_that_has_a_place() {
        let axis = Axis::new("", Scale::Log, Unit::Number);
        assert_eq!((frame(&axis, &[]), frame(&axis, &[0.0, -1.0, f64::NAN, f64::INFINITY])), (None, None));
        assert!(frame(&axis, &[0.0, 1.0]).is_some());
    }

    #[test]
    fn ends_that_were_asked_for_stay_unless_nothing_were_left_between() {
        let axis = || Axis::new("", Scale::Linear, Unit::Number).from(0.0);
        assert_eq!(frame(&axis().to(5.0), &[2.0, 9.0]), Some((0.0, 5.0)));
        for values in [[0.0, 0.0], [-5.0, -1.0]] {
            let (low, high) = frame(&axis().to(0.0), &values).expect("an axis");
            assert!(low.abs() < 1e-12 && high > low, "{values:?}: {high}");
        }
    }

    #[test]
    fn points_beyond_the_ends_are_not_drawn_and_their_bars_end_there() {
        let axis = Axis::new("", Scale::Linear, Unit::Number).from(0.0).to(5.0);
        let of = Frame::new(&axis, &mut [1.0].into_iter()).expect("an axis");
        assert_eq!((of.place(5.1), of.place(-0.1), of.place(5.0)), (None, None, Some(5.0)));
        assert!((of.clamped(9.0) - 5.0).abs() < 1e-12 && of.clamped(f64::NAN).abs() < 1e-12);
    }
}
