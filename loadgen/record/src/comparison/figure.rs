//! What two servers are compared in, such as `save p50` or `goodput`.

use crate::figures::OperationReport;
use contract::Operation;
use std::collections::BTreeMap;
use std::fmt;
use std::str::FromStr;

/// A figure of a load.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Figure {
    /// A percentile of an operation's response time, µs; of all operations where none is named.
    Percentile(Option<Operation>, Percentile),
    /// Answers that were right, per s.
    Goodput,
}

/// Which percentile. The maximum is none of them: of two loads it compares one pause with another.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Percentile {
    /// The median.
    P50,
    /// Nine in ten took at most this.
    P90,
    /// 99 in 100 took at most this.
    P99,
}

impl Percentile {
    const ALL: [(&'static str, Self); 3] = [("p50", Self::P50), ("p90", Self::P90), ("p99", Self::P99)];
}

impl Figure {
    /// Its value in a load that was measured for so many seconds; `None` if no such operation was answered or timed out.
    #[must_use]
    pub fn of(
        self,
        operations: &BTreeMap<String, OperationReport>,
        total: &OperationReport,
        seconds: f64,
    ) -> Option<f64> {
        let (operation, percentile) = match self {
            Self::Goodput => {
                return (seconds > 0.0 && total.answered > 0).then(|| total.verified as f64 / seconds);
            }
            Self::Percentile(operation, percentile) => (operation, percentile),
        };
        let report = match operation {
            None => total,
            Some(operation) => operations.get(operation.name())?,
        };
        let times = report.response_us;
        let us = match percentile {
            Percentile::P50 => times.p50,
            Percentile::P90 => times.p90,
            Percentile::P99 => times.p99,
        };
        (report.timed_count() > 0).then_some(us as f64)
    }

    /// Whether more of it is better.
    #[must_use]
    pub fn more_is_better(self) -> bool {
        self == Self::Goodput
    }

    /// Its unit.
    #[must_use]
    pub fn unit(self) -> &'static str {
        match self {
            Self::Percentile(..) => "µs",
            Self::Goodput => "/s",
        }
    }
}

impl fmt::Display for Figure {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let Self::Percentile(operation, percentile) = self else { return f.write_str("goodput") };
        if let Some(operation) = operation {
            write!(f, "{} ", operation.name())?;
        }
        let name = Percentile::ALL.into_iter().find(|(_, other)| other == percentile).map_or("", |(name, _)| name);
        f.write_str(name)
    }
}

impl FromStr for Figure {
    type Err = String;

    fn from_str(text: &str) -> Result<Self, String> {
        let wrong = || {
            format!(
                "{text:?} is nothing that is compared: write goodput, p50, or an operation and p50, p90 or p99, as in 'save p50'"
            )
        };
        let words: Vec<&str> = text.split_whitespace().collect();
        let percentile = |name: &str| Percentile::ALL.into_iter().find(|(other, _)| *other == name).map(|(_, of)| of);
        match words[..] {
            ["goodput"] => Ok(Self::Goodput),
            [name] => percentile(name).map(|of| Self::Percentile(None, of)).ok_or_else(wrong),
            [operation, name] => match (Operation::of_name(operation), percentile(name)) {
                (Some(operation), Some(of)) => Ok(Self::Percentile(Some(operation), of)),
                _ => Err(wrong()),
            },
            _ => Err(wrong()),
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::figures::Percentiles;

    #[test]
    fn a_figure_reads_as_it_is_written() {
        for text in ["save p50", "generate-key p99", "p90", "goodput"] {
            assert_eq!(text.parse::<Figure>().expect("a figure").to_string(), text);
        }
        for text in ["", "save", "load p50", "save p42", "save max", "save goodput", "save p50 p90"] {
            assert!(text.parse::<Figure>().is_err_and(|error| error.contains("is nothing that is compared")), "{text}");
        }
    }

    #[test]
    fn a_figure_of_what_did_not_occur_has_no_value() {
        let times = Percentiles { p50: 5, p90: 7, p99: 9, ..Percentiles::default() };
        let save = OperationReport { answered: 3, verified: 4, response_us: times, ..OperationReport::default() };
        let total = OperationReport { response_us: Percentiles { p50: 6, ..times }, ..save.clone() };
        let operations = BTreeMap::from([("save".to_owned(), save), ("list".to_owned(), OperationReport::default())]);
        let of = |text: &str| text.parse::<Figure>().expect("a figure").of(&operations, &total, 2.0);
        assert_eq!(["save p50", "save p90", "save p99"].map(of), [Some(5.0), Some(7.0), Some(9.0)]);
        assert_eq!((of("p50"), of("goodput")), (Some(6.0), Some(2.0)));
        assert_eq!((of("list p50"), of("delete p50")), (None, None));
        assert_eq!(Figure::Goodput.of(&operations, &total, 0.0), None);
        assert_eq!(Figure::Goodput.of(&operations, &OperationReport::default(), 2.0), None, "nobody answered");
    }
}
