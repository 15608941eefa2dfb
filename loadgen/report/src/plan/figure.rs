//! A number with what it rests on.

use serde::Serialize;
use stats::statistics::Interval;

/// What a number rests on. A number may rest on several.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Serialize)]
#[serde(rename_all = "snake_case")]
pub enum Basis {
    /// It was measured, or a figure that it is made of was.
    Measured,
    /// A law or a line was fitted to what was measured.
    Fitted,
    /// It follows from the model by a formula.
    ClosedForm,
    /// Something was assumed: what the question says of users and sessions, or what docs/methodology/plans.md says.
    Assumed,
    /// It was counted in a simulation.
    Simulated,
}

/// From where to where a figure may lie, at 95 % unless told otherwise.
#[derive(Clone, Copy, Debug, PartialEq, Serialize)]
pub struct Range {
    /// Lower end.
    pub low: f64,
    /// Upper end.
    pub high: f64,
}

/// A number, how sure it is, and what it rests on.
#[derive(Clone, Debug, PartialEq, Serialize)]
pub struct Figure {
    /// The number, in the unit of the row that it stands in.
    pub value: f64,
    /// Where it may lie, where chance in the measurements is known.
    pub range: Option<Range>,
    /// What it rests on.
    pub basis: Vec<Basis>,
    /// How many times the largest measured number of users or documents it lies beyond; none where it lies within.
    pub extrapolated: Option<f64>,
}

/// Why there is no number.
#[derive(Clone, Debug, PartialEq, thiserror::Error)]
pub enum Unknown {
    /// Nothing to go by.
    #[error("{what} was not measured{hint}")]
    NeverMeasured {
        /// What would have been needed.
        what: &'static str,
        /// What to do about it, after a colon; or nothing.
        hint: &'static str,
    },
    /// Too far from what was measured.
    #[error("{what} is not known beyond {} {unit}: measure there", super::text::count(*.beyond))]
    TooFar {
        /// What would have to be known.
        what: &'static str,
        /// How far it is known.
        beyond: f64,
        /// Of what: users or documents.
        unit: &'static str,
    },
}

/// A figure, or why there is none.
pub type Known = Result<Figure, Unknown>;

impl Basis {
    /// As it is printed.
    #[must_use]
    pub fn name(self) -> &'static str {
        match self {
            Self::Measured => "measured",
            Self::Fitted => "fitted",
            Self::ClosedForm => "closed form",
            Self::Assumed => "assumed",
            Self::Simulated => "simulated",
        }
    }
}

impl From<Interval> for Range {
    fn from(Interval { low, high }: Interval) -> Self {
        Self { low, high }
    }
}

impl Figure {
    /// A number without an interval.
    #[must_use]
    pub fn of(value: f64, basis: &[Basis]) -> Self {
        Self { value, range: None, basis: basis.to_vec(), extrapolated: None }
    }

    /// With an interval, whose lower end no time or rate passes: 0.
    #[must_use]
    pub fn within(self, range: Option<impl Into<Range>>) -> Self {
        let range = range.map(Into::into).map(|range| Range { low: range.low.max(0.0), high: range.high });
        Self { range, ..self }
    }

    /// Marked as so many times beyond what was measured; 1 and below is not beyond.
    #[must_use]
    pub fn extrapolated(mut self, times: f64) -> Self {
        let times = self.extrapolated.unwrap_or(1.0).max(times);
        self.extrapolated = (times > 1.0).then_some(times);
        self
    }

    /// Resting on something else too.
    #[must_use]
    pub fn also(mut self, basis: Basis) -> Self {
        if !self.basis.contains(&basis) {
            self.basis.push(basis);
            self.basis.sort();
        }
        self
    }

    /// So many times as large.
    #[must_use]
    pub fn times(self, factor: f64) -> Self {
        let range = self.range.map(|range| Range { low: range.low * factor, high: range.high * factor });
        Self { value: self.value * factor, range, ..self }
    }

    /// The least that it may be.
    #[must_use]
    pub fn low(&self) -> f64 {
        self.range.map_or(self.value, |range| range.low)
    }

    /// The most that it may be.
    #[must_use]
    pub fn high(&self) -> f64 {
        self.range.map_or(self.value, |range| range.high)
    }

    /// What it rests on, for a table: with the mark of an extrapolation.
    #[must_use]
    pub fn basis_text(&self) -> String {
        let names: Vec<&str> = self.basis.iter().map(|basis| basis.name()).collect();
        let mark = self.extrapolated.map(|times| format!(", extrapolated {times:.1}×")).unwrap_or_default();
        format!("{}{mark}", names.join(", "))
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_figure_tells_what_it_rests_on_and_how_far_it_lies_beyond() {
        let figure = Figure::of(2.0, &[Basis::Fitted]).also(Basis::Assumed).also(Basis::Measured).also(Basis::Fitted);
        assert_eq!(figure.basis_text(), "measured, fitted, assumed");
        assert_eq!(figure.clone().extrapolated(1.0).extrapolated, None);
        assert_eq!(
            figure.extrapolated(2.5).extrapolated(1.0).basis_text(),
            "measured, fitted, assumed, extrapolated 2.5×"
        );
    }

    #[test]
    fn an_interval_scales_with_its_figure_and_ends_at_zero() {
        let figure = Figure::of(2.0, &[]).within(Some(Range { low: -1.0, high: 3.0 })).times(2.0);
        assert_eq!((figure.low(), figure.value, figure.high()), (0.0, 4.0, 6.0));
        let sure = Figure::of(2.0, &[]);
        assert_eq!((sure.low(), sure.high()), (2.0, 2.0));
    }
}
