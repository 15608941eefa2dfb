//! What was predicted before it was measured, and how far off it was.

use super::chances::{attempts, name, refused};
use super::content::Basis;
use super::number;
use crate::predict::median;
use record::measurements::{Fill, Folder, Measured, Users};

/// How far mean attempts and throughput may be off.
const ATTEMPTS_OFF: f64 = 0.03;
const THROUGHPUT_OFF: f64 = 0.15;

/// One prediction.
#[derive(Clone, Debug, PartialEq)]
pub(super) struct Prediction {
    /// Of which server.
    pub(super) target: String,
    /// Of what.
    pub(super) what: What,
    /// Where.
    pub(super) at: String,
    /// What was said, and where that came from.
    pub(super) predicted: String,
    pub(super) basis: Basis,
    /// What was seen.
    pub(super) measured: String,
    /// Measured above predicted, as a share of it; `None` where that is nothing.
    pub(super) error: Option<f64>,
    /// Whether it kept within its limit; `None` where it has none.
    pub(super) is_kept: Option<bool>,
}

/// What is predicted.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum What {
    Attempts,
    Refused,
    KeyTime,
    Throughput,
    ListTime,
}

impl What {
    /// All of them.
    pub(super) const ALL: [Self; 5] = [Self::Attempts, Self::Refused, Self::KeyTime, Self::Throughput, Self::ListTime];

    pub(super) fn name(self) -> &'static str {
        match self {
            Self::Attempts => "mean attempts",
            Self::Refused => "share answered 503",
            Self::KeyTime => "mean time of generate-key",
            Self::Throughput => "verified answers a second",
            Self::ListTime => "median time of a list",
        }
    }

    pub(super) fn limit(self) -> &'static str {
        match self {
            Self::Attempts => "within 3 %",
            Self::Refused => "inside the 99 % interval",
            Self::Throughput => "within 15 %",
            Self::KeyTime | Self::ListTime => "no limit set",
        }
    }
}

/// All predictions on a target, in the order of [`What`].
pub(super) fn all(target: &Measured) -> Vec<Prediction> {
    let of = Of { target };
    let fills = || target.fills.iter();
    let mut all: Vec<Prediction> = fills().filter_map(|fill| of.attempts(fill)).collect();
    all.extend(fills().filter_map(|fill| of.refused(fill)));
    all.extend(fills().filter_map(|fill| of.key_time(fill)));
    all.extend(target.users.iter().filter_map(|users| of.throughput(users)));
    all.extend(target.folders.iter().filter_map(|folder| of.list_time(folder)));
    all
}

struct Of<'m> {
    target: &'m Measured,
}

/// Measured above predicted, as a share of it.
fn error(measured: f64, predicted: f64) -> Option<f64> {
    Some(measured / predicted - 1.0).filter(|error| error.is_finite())
}

fn is_within(error: Option<f64>, limit: f64) -> bool {
    error.is_some_and(|error| error.abs() <= limit)
}

impl Of<'_> {
    fn attempts(&self, fill: &Fill) -> Option<Prediction> {
        let (predicted, (measured, _)) = (fill.predicted?.mean_attempts, attempts(fill)?);
        let error = error(measured, predicted);
        Some(Prediction {
            error,
            is_kept: Some(is_within(error, ATTEMPTS_OFF)),
            ..self.of_fill(What::Attempts, fill, Basis::Assumed, number::digits(predicted), number::digits(measured))
        })
    }

    fn refused(&self, fill: &Fill) -> Option<Prediction> {
        let (predicted, (share, interval)) = (fill.predicted?.refused_share, refused(fill)?);
        let ends = format!("{} to {}", number::share(interval.low), number::share(interval.high));
        let measured = format!("{} ({ends})", number::share(share));
        Some(Prediction {
            is_kept: Some((interval.low..=interval.high).contains(&predicted)),
            ..self.of_fill(What::Refused, fill, Basis::Assumed, number::share(predicted), measured)
        })
    }

    fn key_time(&self, fill: &Fill) -> Option<Prediction> {
        let predicted = fill.predicted?.mean_us.filter(|_| fill.timed > 0)?;
        let texts = [predicted, fill.time_us.mean].map(number::time);
        let [said, measured] = texts;
        let error = error(fill.time_us.mean, predicted);
        Some(Prediction { error, ..self.of_fill(What::KeyTime, fill, Basis::Fitted, said, measured) })
    }

    fn throughput(&self, users: &Users) -> Option<Prediction> {
        let rounds = [&users.predicted_goodput_per_s, &users.goodput_per_s];
        if rounds.iter().any(|rounds| rounds.is_empty()) {
            return None;
        }
        let error = users.goodput_error();
        let at = number::of(users.users.into(), "user");
        let texts = rounds.map(|rounds| number::digits(median(rounds)));
        Some(Prediction {
            error,
            is_kept: Some(is_within(error, THROUGHPUT_OFF)),
            ..self.prediction(What::Throughput, at, Basis::Fitted, texts)
        })
    }

    fn list_time(&self, folder: &Folder) -> Option<Prediction> {
        let predicted = folder.predicted_list_p50_us?;
        let measured = folder.list_us.p50 as f64;
        let at = number::of(folder.documents, "document");
        let texts = [predicted, measured].map(number::time);
        Some(Prediction {
            error: error(measured, predicted),
            ..self.prediction(What::ListTime, at, Basis::Fitted, texts)
        })
    }

    fn of_fill(&self, what: What, fill: &Fill, basis: Basis, predicted: String, measured: String) -> Prediction {
        self.prediction(what, number::of(fill.documents, "document"), basis, [predicted, measured])
    }

    fn prediction(&self, what: What, at: String, basis: Basis, [predicted, measured]: [String; 2]) -> Prediction {
        Prediction { target: name(self.target), what, at, predicted, basis, measured, error: None, is_kept: None }
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use record::measurements::PredictedFill;

    fn kept(target: &Measured, what: What) -> Option<bool> {
        all(target).into_iter().find(|of| of.what == what).and_then(|of| of.is_kept)
    }

    fn of_fill(attempts: u32, refused: u64) -> Measured {
        let predicted = PredictedFill { mean_attempts: 1_000.0, refused_share: 0.5, mean_us: None };
        let counts = [(attempts, 1_000)].into();
        let fill = Fill { requests: 1_000, refused, attempts: counts, predicted: Some(predicted), ..Fill::default() };
        Measured { fills: vec![fill], ..Measured::default() }
    }

    fn of_users(rate: f64) -> Measured {
        let (goodput_per_s, predicted_goodput_per_s) = (vec![rate], vec![100.0]);
        let users = Users { users: 3, goodput_per_s, predicted_goodput_per_s, ..Users::default() };
        Measured { users: vec![users], ..Measured::default() }
    }

    #[test]
    fn attempts_are_kept_within_three_per_cent_on_both_sides() {
        let table = [(1_000, true), (971, true), (1_029, true), (969, false), (1_031, false)];
        for (mean, is_kept) in table {
            assert_eq!(kept(&of_fill(mean, 0), What::Attempts), Some(is_kept), "{mean}");
        }
    }

    #[test]
    fn refusals_are_kept_where_the_prediction_lies_in_the_exact_interval() {
        let table = [(500, true), (470, true), (530, true), (440, false), (560, false)];
        for (refused, is_kept) in table {
            assert_eq!(kept(&of_fill(1, refused), What::Refused), Some(is_kept), "{refused}");
        }
    }

    #[test]
    fn throughput_is_kept_within_fifteen_per_cent_on_both_sides() {
        let table = [(100.0, true), (85.5, true), (114.5, true), (84.0, false), (116.0, false)];
        for (rate, is_kept) in table {
            assert_eq!(kept(&of_users(rate), What::Throughput), Some(is_kept), "{rate}");
        }
    }

    #[test]
    fn what_was_not_measured_is_no_prediction_kept() {
        let mut target = of_fill(1, 0);
        target.fills[0].requests = 0;
        target.fills[0].attempts.clear();
        assert!(all(&target).is_empty());
        let mut target = of_users(100.0);
        target.users[0].goodput_per_s.clear();
        assert!(all(&target).is_empty());
        target.users[0].goodput_per_s.push(5.0);
        target.users[0].predicted_goodput_per_s = vec![0.0];
        assert_eq!((all(&target)[0].error, all(&target)[0].is_kept), (None, Some(false)));
    }
}
