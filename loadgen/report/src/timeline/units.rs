//! Moments and spans in words.

use super::text::grouped;

/// Decimals of a second that a microsecond has.
const SECOND_DECIMALS: u32 = 6;

/// From here on moments are told in seconds, µs.
const IN_SECONDS_FROM_US: u64 = 10_000_000;

/// What the moments of a [`Timeline`](super::Timeline) count.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub enum Unit {
    /// Microseconds since the start of the run.
    #[default]
    Microseconds,
    /// Lines of a log, in the order of which the operations happened.
    Lines,
}

/// Tells moments so that they can be compared at a glance: all in one unit, with the same decimals.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Clock {
    Milliseconds,
    Seconds,
    Lines,
}

impl Clock {
    pub(super) fn new(unit: Unit, latest: u64) -> Self {
        match unit {
            Unit::Lines => Self::Lines,
            Unit::Microseconds if latest < IN_SECONDS_FROM_US => Self::Milliseconds,
            Unit::Microseconds => Self::Seconds,
        }
    }

    /// For the head of a column.
    pub(super) fn heading(self) -> &'static str {
        match self {
            Self::Milliseconds => "ms",
            Self::Seconds => "s",
            Self::Lines => "line",
        }
    }

    /// The bare number.
    pub(super) fn number(self, moment: u64) -> String {
        match self {
            Self::Milliseconds => decimal(moment, 3, 3),
            Self::Seconds => decimal(moment, SECOND_DECIMALS, SECOND_DECIMALS),
            Self::Lines => moment.to_string(),
        }
    }

    /// With its unit.
    pub(super) fn moment(self, moment: u64) -> String {
        self.with_unit(&self.number(moment))
    }

    /// A moment that is a multiple of `step`, with no more decimals than that needs.
    pub(super) fn tick(self, moment: u64, step: u64) -> String {
        let zeros = (0..SECOND_DECIMALS).take_while(|zeros| step.is_multiple_of(10_u64.pow(zeros + 1))).count();
        let needed = |decimals: u32| decimals.saturating_sub(u32::try_from(zeros).unwrap_or(decimals));
        match self {
            Self::Milliseconds => self.with_unit(&decimal(moment, 3, needed(3))),
            Self::Seconds => self.with_unit(&decimal(moment, SECOND_DECIMALS, needed(SECOND_DECIMALS))),
            Self::Lines => self.moment(moment),
        }
    }

    fn with_unit(self, number: &str) -> String {
        match self {
            Self::Milliseconds => format!("{number} ms"),
            Self::Seconds => format!("{number} s"),
            Self::Lines => format!("line {number}"),
        }
    }

    /// How long something took, roughly.
    pub(super) fn span(self, span: u64) -> String {
        match (self, span) {
            (Self::Lines, 1) => "1 line".to_owned(),
            (Self::Lines, _) => format!("{} lines", grouped(span)),
            (_, 0..1_000) => format!("{span} µs"),
            (_, 1_000..1_000_000) => format!("{} ms", decimal(span, 3, rough_decimals(span, 1_000))),
            _ => format!("{} s", decimal(span, SECOND_DECIMALS, rough_decimals(span, 1_000_000))),
        }
    }
}

/// Decimals that leave two or three digits that mean something.
fn rough_decimals(span: u64, of_unit: u64) -> u32 {
    u32::from(span / of_unit < 100)
}

/// A count of the unit's 10^-`digits`, with `kept` of these decimals; the others are cut off.
fn decimal(count: u64, digits: u32, kept: u32) -> String {
    let of_unit = 10_u64.pow(digits);
    let whole = grouped(count / of_unit);
    let fraction = count % of_unit / 10_u64.pow(digits - kept.min(digits));
    if kept == 0 { whole } else { format!("{whole}.{fraction:0width$}", width = kept as usize) }
}

/// The least of 1, 2, 5, 10, 20, 50, … that is large enough.
pub(super) fn nice_step(is_enough: impl Fn(u64) -> bool) -> u64 {
    let mut power: u64 = 1;
    loop {
        for factor in [1, 2, 5] {
            match power.checked_mul(factor) {
                Some(step) if !is_enough(step) => {}
                Some(step) => return step,
                None => return u64::MAX,
            }
        }
        let Some(next) = power.checked_mul(10) else { return u64::MAX };
        power = next;
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn all_moments_of_a_picture_have_one_unit() {
        let short = Clock::new(Unit::Microseconds, 9_999_999);
        assert_eq!([850, 1_234_567].map(|moment| short.moment(moment)), ["0.850 ms", "1,234.567 ms"]);
        let long = Clock::new(Unit::Microseconds, 10_000_000);
        assert_eq!([850, 251_203_450].map(|moment| long.moment(moment)), ["0.000850 s", "251.203450 s"]);
        assert_eq!(Clock::new(Unit::Lines, u64::MAX).moment(1_204), "line 1204");
    }

    #[test]
    fn a_tick_has_no_more_decimals_than_its_step_needs() {
        assert_eq!(Clock::Milliseconds.tick(12_500, 500), "12.5 ms");
        assert_eq!(Clock::Milliseconds.tick(12_000, 1_000), "12 ms");
        assert_eq!(Clock::Seconds.tick(12_000_000, 20_000_000), "12 s");
        assert_eq!(Clock::Seconds.tick(12_000_010, 10), "12.00001 s");
        assert_eq!(Clock::Lines.tick(150, 50), "line 150");
    }

    #[test]
    fn a_span_is_told_roughly() {
        let told = [7, 1_250, 125_000, 3_250_000, 125_000_000].map(|span| Clock::Seconds.span(span));
        assert_eq!(told, ["7 µs", "1.2 ms", "125 ms", "3.2 s", "125 s"]);
        assert_eq!([1, 1_204].map(|span| Clock::Lines.span(span)), ["1 line", "1,204 lines"]);
    }

    #[test]
    fn steps_are_those_that_people_count_in() {
        let of = |least| nice_step(|step| step >= least);
        assert_eq!([0, 1, 3, 6, 99, 4_000].map(of), [1, 1, 5, 10, 100, 5_000]);
        assert_eq!(of(u64::MAX), u64::MAX);
    }
}
