//! How an axis is spaced, and where it is labelled.

use crate::page::number;

/// How an axis is spaced.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(in crate::page) enum Scale {
    /// Evenly.
    Linear,
    /// By powers of ten; what is not positive has no place.
    Log,
    /// By powers of ten of 1 / (1 − q), for quantiles q below 1: each further nine is as far as the one before.
    Tail,
}

/// How the numbers along an axis are printed.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(in crate::page) enum Unit {
    /// As they are.
    Number,
    /// As powers of ten.
    Power,
    /// As per cent.
    Share,
    /// As times, from µs.
    Time,
    /// As sizes, from bytes.
    Bytes,
    /// As percentiles, from quantiles.
    Percentile,
}

/// The labels of an axis: place on the axis as it is spaced, and text.
pub(super) type Ticks = Vec<(f64, String)>;

/// About so many steps of a linear axis.
const STEPS: f64 = 6.0;

/// Most labels of a logarithmic axis; more decades than that are labelled every second, third, … one.
const MOST_DECADES: usize = 8;

/// Quantiles that are labelled.
const QUANTILES: [f64; 6] = [0.5, 0.9, 0.99, 0.999, 0.9999, 0.99999];

/// Room for rounding at the ends of an axis, as a share of it.
const SLACK: f64 = 1e-9;

impl Scale {
    /// The place of a value on the axis; `None` where it has none.
    pub(super) fn place(self, value: f64) -> Option<f64> {
        let place = match self {
            Self::Linear => value,
            Self::Log => value.log10(),
            Self::Tail => -(1.0 - value).log10(),
        };
        place.is_finite().then_some(place)
    }

    /// Brings the ends of an axis, as places, to where a reader expects them, and apart.
    pub(super) fn rounded(self, low: f64, high: f64) -> (f64, f64) {
        /// Share of the axis that is left free beside the outermost points.
        const MARGIN: f64 = 0.05;
        let span = if high > low { high - low } else { 0.0 };
        match self {
            Self::Linear if span == 0.0 => (low.min(0.0), if high > 0.0 { high * 1.5 } else { low.min(0.0) + 1.0 }),
            Self::Linear => (low, high + span * MARGIN),
            Self::Log if span == 0.0 => (low - 0.5, high + 0.5),
            Self::Log => (low - span * MARGIN, high + span * MARGIN),
            Self::Tail => (low, if span == 0.0 { low + 1.0 } else { high + span * MARGIN }),
        }
    }

    /// The labels between two places.
    pub(super) fn ticks(self, unit: Unit, low: f64, high: f64) -> Ticks {
        let slack = (high - low) * SLACK;
        let is_within = |place: f64| place >= low - slack && place <= high + slack;
        let values = match self {
            Self::Linear => linear(low, high),
            Self::Log => decades(low, high),
            Self::Tail => QUANTILES.to_vec(),
        };
        let placed = values.into_iter().filter_map(|value| Some((self.place(value)?, unit.text(value))));
        placed.filter(|&(place, _)| is_within(place)).collect()
    }
}

impl Unit {
    fn text(self, value: f64) -> String {
        match self {
            Self::Number => number::digits(value),
            Self::Power if (0.01..10_000.0).contains(&value) => number::digits(value),
            Self::Power => number::ten_to(&format!("{:.0}", value.log10())),
            Self::Share => number::share(value),
            Self::Time => number::time(value),
            Self::Bytes => number::bytes(value),
            Self::Percentile => number::percentile(value),
        }
    }
}

/// Multiples of 1, 2 or 5 times a power of ten.
fn linear(low: f64, high: f64) -> Vec<f64> {
    let rough = (high - low) / STEPS;
    let power = 10_f64.powf(rough.log10().floor());
    let step = [1.0, 2.0, 5.0, 10.0].into_iter().map(|times| times * power).find(|&step| step >= rough);
    let step = step.unwrap_or(rough);
    let first = (low / step).ceil();
    // The ends are apart, and so about six steps, ten at most.
    (0..12).map(|index| (first + f64::from(index)) * step).collect()
}

/// Powers of ten; with twice and five times each where there are few.
fn decades(low: f64, high: f64) -> Vec<f64> {
    #[allow(clippy::cast_possible_truncation, reason = "exponents of f64 are small")]
    let (first, last) = (low.floor() as i32, high.ceil() as i32);
    let exponents: Vec<i32> = (first..=last).collect();
    if high - low <= 2.0 {
        return exponents.iter().flat_map(|&of| [1.0, 2.0, 5.0].map(|times| times * 10_f64.powi(of))).collect();
    }
    let every = i32::try_from(exponents.len().div_ceil(MOST_DECADES)).unwrap_or(i32::MAX);
    exponents.into_iter().filter(|exponent| exponent % every == 0).map(|exponent| 10_f64.powi(exponent)).collect()
}

#[cfg(test)]
mod tests {
    use super::*;

    fn texts(ticks: Ticks) -> Vec<String> {
        ticks.into_iter().map(|(_, text)| text).collect()
    }

    #[test]
    fn each_further_nine_is_as_far_as_the_one_before() {
        let places: Vec<f64> = [0.0, 0.9, 0.99, 0.999].into_iter().filter_map(|q| Scale::Tail.place(q)).collect();
        assert!(places.iter().zip([0.0, 1.0, 2.0, 3.0]).all(|(place, wanted)| (place - wanted).abs() < 1e-9));
        assert_eq!(Scale::Tail.place(1.0), None, "the longest of all lies at no quantile");
    }

    #[test]
    fn what_is_not_positive_has_no_place_on_a_logarithmic_axis() {
        assert_eq!((Scale::Log.place(0.0), Scale::Log.place(-1.0), Scale::Linear.place(f64::NAN)), (None, None, None));
    }

    #[test]
    fn labels_are_round_numbers_within_the_axis() {
        assert_eq!(
            texts(Scale::Linear.ticks(Unit::Number, 0.0, 46_656.0)),
            ["0", "10,000", "20,000", "30,000", "40,000"]
        );
        assert_eq!(texts(Scale::Log.ticks(Unit::Number, 0.0, 2.0)), ["1", "2", "5", "10", "20", "50", "100"]);
        assert_eq!(texts(Scale::Log.ticks(Unit::Power, -6.0, 3.0)).len(), 5, "every second decade");
        assert_eq!(texts(Scale::Tail.ticks(Unit::Percentile, 0.0, 2.5)), ["50 %", "90 %", "99 %"]);
    }

    #[test]
    fn an_axis_of_one_place_has_a_length_all_the_same() {
        for scale in [Scale::Linear, Scale::Log, Scale::Tail] {
            for value in [-2.0, 0.0, 3.0] {
                let (low, high) = scale.rounded(value, value);
                assert!(high > low && low <= value && value <= high, "{scale:?} {value}: {low} to {high}");
                assert!(scale.ticks(Unit::Number, low, high).iter().all(|(place, _)| place.is_finite()));
            }
        }
    }
}
