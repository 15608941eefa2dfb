//! Objectives held to figures.

use super::figure::{Figure, Known, Unknown};
use super::forecast::Forecast;
use super::objective::{Clause, Quantity};
use super::text::{Unit, digits};
use serde::Serialize;

/// How a figure stands to a limit.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Serialize)]
#[serde(rename_all = "snake_case")]
pub enum Verdict {
    /// All that it may be keeps the limit.
    Kept,
    /// Some of what it may be keeps it.
    Open,
    /// Nothing that it may be keeps it.
    Broken,
}

/// A clause, judged.
#[derive(Clone, Debug, PartialEq, Serialize)]
pub struct Judged {
    /// As it was written.
    pub clause: String,
    /// What became of it.
    pub verdict: Verdict,
    /// What it was held to.
    pub figure: Figure,
    /// The figure's unit.
    pub unit: Unit,
    /// The figure as a multiple of the limit where it is to stay below, and the other way round where above: over 1 is
    /// too much.
    pub used: f64,
}

impl Clause {
    /// Holds it to what is forecast.
    ///
    /// # Errors
    /// Where that is not known.
    pub fn judge(&self, forecast: &Forecast) -> Result<Judged, Unknown> {
        let figure = forecast.quantity(self.quantity)?;
        Ok(Judged {
            clause: self.text.clone(),
            verdict: self.verdict(&figure),
            used: self.used(figure.value),
            unit: self.quantity.unit(),
            figure,
        })
    }

    /// How a figure stands to the limit.
    #[must_use]
    pub fn verdict(&self, figure: &Figure) -> Verdict {
        match (self.keeps(figure.low()), self.keeps(figure.high())) {
            (true, true) => Verdict::Kept,
            (false, false) => Verdict::Broken,
            _ => Verdict::Open,
        }
    }

    /// Whether a value keeps the limit.
    #[must_use]
    pub fn keeps(&self, value: f64) -> bool {
        if self.quantity.is_kept_below() { value < self.limit } else { value > self.limit }
    }

    fn used(&self, value: f64) -> f64 {
        if self.quantity.is_kept_below() { value / self.limit } else { self.limit / value }
    }
}

impl Quantity {
    /// The unit of its figures and limits.
    #[must_use]
    pub fn unit(self) -> Unit {
        match self {
            Self::Time(..) | Self::ListMedian => Unit::Microseconds,
            Self::Goodput => Unit::PerSecond,
            Self::Refused => Unit::Share,
            Self::SharedRisk => Unit::PerDay,
            Self::Guesses => Unit::Count,
        }
    }
}

impl Judged {
    /// What became of it, in words: by how much it is missed, or which interval leaves it open.
    #[must_use]
    pub fn text(&self) -> String {
        let value = self.unit.text(self.figure.value);
        match self.verdict {
            Verdict::Kept => format!("{}: {value}", self.clause),
            Verdict::Broken => format!("{} is missed: {value}, {} times too much", self.clause, digits(self.used))
                .replace("times too much", if self.is_kept_below() { "times the limit" } else { "times too little" }),
            Verdict::Open => {
                let (low, high) = (self.unit.text(self.figure.low()), self.unit.text(self.figure.high()));
                format!("{} is open: {value}, and anything from {low} to {high} agrees with what is known", self.clause)
            }
        }
    }

    fn is_kept_below(&self) -> bool {
        self.clause.contains('<')
    }
}

/// The worst of several verdicts; `Kept` of none.
#[must_use]
pub fn worst(judged: &[Judged]) -> Verdict {
    judged.iter().map(|judged| judged.verdict).max().unwrap_or(Verdict::Kept)
}

/// Whether a figure is known and satisfies a condition.
#[must_use]
pub fn known_and(known: &Known, condition: impl Fn(&Figure) -> bool) -> bool {
    known.as_ref().is_ok_and(condition)
}
