//! What a plan is to keep to, such as `generate-key p99 < 10ms, shared-session risk < 1e-6 a day`.

use crate::objective::per;
use serde::Serialize;
use std::fmt;
use std::str::FromStr;
use std::time::Duration;

/// Conditions that are all to be kept.
#[derive(Clone, Debug, PartialEq)]
pub struct Objective {
    /// Each of them, in the order given.
    pub clauses: Vec<Clause>,
}

/// One of them.
#[derive(Clone, Debug, PartialEq)]
pub struct Clause {
    /// What is held to a limit.
    pub quantity: Quantity,
    /// The limit, in the quantity's unit. See [`Quantity`].
    pub limit: f64,
    /// As it was written.
    pub text: String,
}

/// What can be held to a limit.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Quantity {
    /// Response time of an operation other than `list`, in µs.
    Time(Operation, Quantile),
    /// The median time of a list, in µs.
    ListMedian,
    /// Verified answers a second.
    Goodput,
    /// Share of the requests for a key that is answered 503.
    Refused,
    /// The chance that two users share a session within a day.
    SharedRisk,
    /// Expected guesses until a session is hit.
    Guesses,
}

/// An operation whose time is known by users.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize)]
#[serde(rename_all = "kebab-case")]
pub enum Operation {
    /// `generate-key`
    GenerateKey,
    /// `instantiate`
    Instantiate,
    /// `restore`
    Restore,
    /// `save`
    Save,
    /// `delete`
    Delete,
}

/// Which figure of its times.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize)]
pub enum Quantile {
    /// The median.
    P50,
    /// Nine in ten take at most this.
    P90,
    /// 99 in 100 take at most this.
    P99,
    /// 999 in 1,000 take at most this.
    P99_9,
    /// The mean.
    Mean,
}

/// A clause that is not understood.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
#[error("{clause:?}: {what}; understood are clauses such as {UNDERSTOOD}")]
pub struct NotUnderstood {
    /// The clause.
    pub clause: String,
    /// What is wrong with it.
    pub what: &'static str,
}

/// One example of each kind of clause.
pub const UNDERSTOOD: &str = "'generate-key p99 < 10ms', 'save mean < 5ms', 'list p50 < 1s', 'goodput > 500/s', \
                              '503 < 1%', 'shared-session risk < 1e-6 per day' and 'guesses > 2^40', with commas between";

impl Operation {
    /// All of them, in the order of a session.
    pub const ALL: [Self; 5] = [Self::GenerateKey, Self::Instantiate, Self::Restore, Self::Save, Self::Delete];

    /// As it is called.
    #[must_use]
    pub fn name(self) -> &'static str {
        match self {
            Self::GenerateKey => "generate-key",
            Self::Instantiate => "instantiate",
            Self::Restore => "restore",
            Self::Save => "save",
            Self::Delete => "delete",
        }
    }
}

impl Quantile {
    /// All of them.
    pub const ALL: [Self; 5] = [Self::P50, Self::P90, Self::P99, Self::P99_9, Self::Mean];

    /// As it is called.
    #[must_use]
    pub fn name(self) -> &'static str {
        match self {
            Self::P50 => "p50",
            Self::P90 => "p90",
            Self::P99 => "p99",
            Self::P99_9 => "p99.9",
            Self::Mean => "mean",
        }
    }
}

impl Quantity {
    /// Whether it is to stay below its limit; otherwise above.
    #[must_use]
    pub fn is_kept_below(self) -> bool {
        !matches!(self, Self::Goodput | Self::Guesses)
    }
}

impl FromStr for Objective {
    type Err = NotUnderstood;

    fn from_str(text: &str) -> Result<Self, NotUnderstood> {
        Ok(Self { clauses: text.split(',').map(clause).collect::<Result<_, _>>()? })
    }
}

impl fmt::Display for Objective {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let clauses: Vec<&str> = self.clauses.iter().map(|clause| clause.text.as_str()).collect();
        f.write_str(&clauses.join(", "))
    }
}

fn clause(text: &str) -> Result<Clause, NotUnderstood> {
    let text = text.split_whitespace().collect::<Vec<_>>().join(" ");
    let wrong = |what| NotUnderstood { clause: text.clone(), what };
    let Some(at) = text.find(['<', '>']) else { return Err(wrong("there is no < or >")) };
    let (left, right) = (text[..at].trim(), text[at + 1..].trim());
    let quantity = quantity(left).map_err(wrong)?;
    if quantity.is_kept_below() != text[at..].starts_with('<') {
        return Err(wrong(if quantity.is_kept_below() {
            "this is kept below a limit: write <"
        } else {
            "this is kept above a limit: write >"
        }));
    }
    let limit = limit(quantity, right).map_err(wrong)?;
    Ok(Clause { quantity, limit, text })
}

fn quantity(left: &str) -> Result<Quantity, &'static str> {
    let words: Vec<&str> = left.split(' ').collect();
    match words[..] {
        ["goodput"] => Ok(Quantity::Goodput),
        ["503"] => Ok(Quantity::Refused),
        ["shared-session", "risk"] => Ok(Quantity::SharedRisk),
        ["guesses"] => Ok(Quantity::Guesses),
        ["list", "p50"] => Ok(Quantity::ListMedian),
        ["list", _] => Err("of a list only p50 is known: it is measured too seldom for anything else"),
        [operation, quantile] => {
            let operation = Operation::ALL.into_iter().find(|known| known.name() == operation);
            let quantile = Quantile::ALL.into_iter().find(|known| known.name() == quantile);
            let operation = operation.ok_or("there is no such operation")?;
            Ok(Quantity::Time(operation, quantile.ok_or("the figure is none of p50, p90, p99, p99.9 and mean")?))
        }
        _ => Err("it is no operation with a figure, and none of goodput, 503, shared-session risk and guesses"),
    }
}

fn limit(quantity: Quantity, right: &str) -> Result<f64, &'static str> {
    match quantity {
        Quantity::Time(..) | Quantity::ListMedian => {
            let limit = humantime::parse_duration(right).map_err(|_| "the limit is no time such as 10ms")?;
            Some(limit).filter(|limit| *limit > Duration::ZERO).ok_or("nothing is below a time of 0").map(us)
        }
        Quantity::Goodput => per(right, "s", "second").and_then(number).ok_or("the limit is no rate such as 500/s"),
        Quantity::Refused => {
            let percent = right.strip_suffix('%').map(str::trim);
            let share = percent.map_or_else(|| number(right), |percent| number(percent).map(|percent| percent / 100.0));
            share.filter(|share| *share <= 1.0).ok_or("the limit is no share such as 1% or 0.01")
        }
        Quantity::SharedRisk => {
            let risk = per(right, "day", "day").and_then(number);
            risk.filter(|risk| *risk <= 1.0).ok_or("the limit is no chance such as 1e-6 per day")
        }
        Quantity::Guesses => match right.split_once('^') {
            None => number(right),
            Some((base, exponent)) => number(base).zip(number(exponent)).map(|(base, exponent)| base.powf(exponent)),
        }
        .filter(|guesses| guesses.is_finite())
        .ok_or("the limit is no number such as 2^40 or 1e12"),
    }
}

fn us(time: Duration) -> f64 {
    time.as_secs_f64() * 1e6
}

/// A positive number; underscores may part its thousands.
fn number(text: &str) -> Option<f64> {
    text.trim().replace('_', "").parse().ok().filter(|number: &f64| number.is_finite() && *number > 0.0)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn every_kind_of_clause_is_understood() {
        let cases = [
            ("generate-key p99 < 10ms", Quantity::Time(Operation::GenerateKey, Quantile::P99), 10_000.0),
            ("save mean<1.5 ms", Quantity::Time(Operation::Save, Quantile::Mean), f64::NAN),
            ("restore p99.9 < 2s", Quantity::Time(Operation::Restore, Quantile::P99_9), 2e6),
            ("list p50 < 500us", Quantity::ListMedian, 500.0),
            ("goodput > 1_500 a second", Quantity::Goodput, 1_500.0),
            ("goodput > 1_500/s", Quantity::Goodput, 1_500.0),
            ("goodput > 1_500 per second", Quantity::Goodput, 1_500.0),
            ("shared-session risk < 1e-6/day", Quantity::SharedRisk, 1e-6),
            ("503 < 1%", Quantity::Refused, 0.01),
            ("503 < 0.01", Quantity::Refused, 0.01),
            (" shared-session  risk < 1e-6 a day ", Quantity::SharedRisk, 1e-6),
            ("guesses > 2^40", Quantity::Guesses, 1_099_511_627_776.0),
            ("guesses > 1e12", Quantity::Guesses, 1e12),
        ];
        for (text, quantity, limit) in cases.into_iter().filter(|case| !case.2.is_nan()) {
            let objective: Objective = text.parse().unwrap();
            let [clause] = &objective.clauses[..] else { panic!("{text}: {objective:?}") };
            assert_eq!(clause.quantity, quantity, "{text}");
            assert!((clause.limit / limit - 1.0).abs() < 1e-12, "{text}: {clause:?}");
        }
        let both: Objective = "generate-key p99 < 10ms,  503 < 1%".parse().unwrap();
        assert_eq!((both.clauses.len(), both.to_string().as_str()), (2, "generate-key p99 < 10ms, 503 < 1%"));
    }

    #[test]
    fn a_mistake_names_the_clause_and_what_is_understood() {
        let cases = [
            ("503 < 1%, save p99", "\"save p99\": there is no < or >"),
            ("load p99 < 5ms", "no such operation"),
            ("save p98 < 5ms", "none of p50"),
            ("save p99 < fast", "no time such as 10ms"),
            ("save p99 < 0s", "nothing is below"),
            ("save p99 > 5ms", "write <"),
            ("guesses < 2^40", "write >"),
            ("list p99 < 1s", "only p50"),
            ("goodput > 500", "no rate such as"),
            ("goodput > -1 a second", "no rate such as"),
            ("503 < 101%", "no share such as"),
            ("shared-session risk < 1e-6", "no chance such as"),
            ("shared-session risk < 2 a day", "no chance such as"),
            ("guesses > 2^4000", "no number such as"),
            ("wrong = 0", "there is no < or >"),
            ("shared risk today < 1", "it is no operation with a figure"),
            ("", "there is no < or >"),
        ];
        for (text, mistake) in cases {
            let error = text.parse::<Objective>().expect_err(text).to_string();
            assert!(error.contains(mistake) && error.contains(UNDERSTOOD), "{text}: {error}");
        }
    }
}
