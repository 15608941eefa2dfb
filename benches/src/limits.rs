//! What the specification documents under "Performance Characteristics", held to what the benches measured.
//!
//! - [`measured`]: what criterion wrote of a benchmark, read; and the other figures of a run
//! - [`closed_form`]: attempts and refusals by fill, which must be as the closed form has them but for chance
//! - [`figures`]: each documented figure beside what was measured, with a verdict
//! - [`table`]: both as Markdown
//!
//! Architecture invariant: pure; no clock, and no file is opened here.

pub mod closed_form;
pub mod figures;
pub mod measured;
pub mod table;
#[cfg(test)]
mod tests;

use stats::statistics::Interval;
use std::fmt;

/// What is said of a documented figure.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Verdict {
    /// The whole interval keeps it.
    Holds,
    /// The whole interval breaks it.
    DoesNotHold,
    /// The interval contains the limit.
    Undecided,
    /// It was left out of this run.
    NotMeasured,
}

impl Verdict {
    /// Whether a figure lies below `limit`.
    #[must_use]
    pub fn below(interval: Interval, limit: f64) -> Self {
        match interval {
            Interval { high, .. } if high < limit => Self::Holds,
            Interval { low, .. } if low >= limit => Self::DoesNotHold,
            _ => Self::Undecided,
        }
    }

    /// Whether a figure lies at `limit` or below.
    #[must_use]
    pub fn at_most(interval: Interval, limit: f64) -> Self {
        match interval {
            Interval { high, .. } if high <= limit => Self::Holds,
            Interval { low, .. } if low > limit => Self::DoesNotHold,
            _ => Self::Undecided,
        }
    }

    /// Whether a figure lies at `limit` or above.
    #[must_use]
    pub fn at_least(interval: Interval, limit: f64) -> Self {
        match interval {
            Interval { low, .. } if low >= limit => Self::Holds,
            Interval { high, .. } if high < limit => Self::DoesNotHold,
            _ => Self::Undecided,
        }
    }

    /// Whether what was counted, with nothing left to chance, is as it was said.
    #[must_use]
    pub fn exactly(is_so: bool) -> Self {
        if is_so { Self::Holds } else { Self::DoesNotHold }
    }

    /// Whether both are so: what is broken counts before what is not known.
    #[must_use]
    pub fn and(self, other: Self) -> Self {
        [Self::DoesNotHold, Self::NotMeasured, Self::Undecided]
            .into_iter()
            .find(|verdict| [self, other].contains(verdict))
            .unwrap_or(Self::Holds)
    }
}

impl fmt::Display for Verdict {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(match self {
            Self::Holds => "holds",
            Self::DoesNotHold => "does not hold",
            Self::Undecided => "undecided",
            Self::NotMeasured => "not measured",
        })
    }
}
