//! Counts and percentiles of a run, by operation, and the tally that they are counted with.
//!
//! The run itself and [`derive`](mod@super::derive) count with the same [`Tally`], so that they cannot differ in method,
//! only in what they saw.

use super::history::Judgement;
use super::hlog::{new_histogram, record};
use super::run::Window;
use hdrhistogram::Histogram;
use serde::{Deserialize, Serialize};
use std::collections::BTreeMap;

/// How often each named wrong answer or error came.
pub type Named = BTreeMap<String, u64>;

/// What became of the measured operations of one kind.
#[derive(Clone, Debug, Default, PartialEq, Serialize, Deserialize)]
pub struct OperationReport {
    /// Operations that were sent.
    pub sent: u64,
    /// Those whose answer came whole, whatever it said.
    pub answered: u64,
    /// Those whose answer was right: only they are goodput.
    pub verified: u64,
    /// Wrong answers by name, such as `torn read`.
    pub wrong: Named,
    /// Clear failures by name, such as `503 …` and `no answer within 10 s`.
    pub errors: Named,
    /// From the time at which it was meant to be sent to the whole answer, µs; of all answers.
    pub response_us: Percentiles,
    /// From the time at which it was sent to the whole answer, µs; of all answers.
    pub service_us: Percentiles,
}

impl OperationReport {
    /// Wrong answers of all names.
    #[must_use]
    pub fn wrong_count(&self) -> u64 {
        self.wrong.values().sum()
    }

    /// Errors of all names.
    #[must_use]
    pub fn error_count(&self) -> u64 {
        self.errors.values().sum()
    }
}

/// What is told of a distribution of times, µs. All zero where there was none.
#[derive(Clone, Copy, Debug, Default, PartialEq, Serialize, Deserialize)]
pub struct Percentiles {
    /// The median, µs.
    pub p50: u64,
    /// Nine in ten took at most this, µs.
    pub p90: u64,
    /// 99 in 100 took at most this, µs.
    pub p99: u64,
    /// 999 in 1,000 took at most this, µs.
    pub p99_9: u64,
    /// The longest, µs.
    pub max: u64,
    /// The mean, µs.
    pub mean: f64,
}

impl Percentiles {
    /// The percentiles of a histogram, to its precision.
    #[must_use]
    pub fn of(histogram: &Histogram<u64>) -> Self {
        if histogram.is_empty() {
            return Self::default();
        }
        Self {
            p50: histogram.value_at_quantile(0.5),
            p90: histogram.value_at_quantile(0.9),
            p99: histogram.value_at_quantile(0.99),
            p99_9: histogram.value_at_quantile(0.999),
            max: histogram.max(),
            mean: histogram.mean(),
        }
    }

    /// The whole numbers by name, as they are compared and printed.
    pub(crate) fn named(&self) -> [(&'static str, u64); 5] {
        [("p50", self.p50), ("p90", self.p90), ("p99", self.p99), ("p99.9", self.p99_9), ("max", self.max)]
    }
}

/// Measured operations per second of the window.
#[derive(Clone, Copy, Debug, Default, PartialEq, Serialize, Deserialize)]
pub struct Rate {
    /// Sent, per s.
    pub sent_per_s: f64,
    /// Answered whole, per s.
    pub answered_per_s: f64,
    /// Answered right, per s.
    pub goodput_per_s: f64,
    /// What the plan asked for, per s, where it asked for a rate.
    pub planned_per_s: Option<f64>,
}

impl Rate {
    /// The rates that these counts make in that window; zero in an empty one.
    #[must_use]
    pub fn of(total: &OperationReport, measured: Window, planned_per_s: Option<f64>) -> Self {
        let per_s = |count: u64| if measured.seconds() > 0.0 { count as f64 / measured.seconds() } else { 0.0 };
        Self {
            sent_per_s: per_s(total.sent),
            answered_per_s: per_s(total.answered),
            goodput_per_s: per_s(total.verified),
            planned_per_s,
        }
    }
}

/// Counts the measured operations of one kind.
#[derive(Clone, Debug)]
pub struct Tally {
    counts: OperationReport,
    response_us: Histogram<u64>,
    service_us: Histogram<u64>,
}

/// How long an answer took, µs.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Took {
    /// From the time at which it was meant to be sent, µs.
    pub response_us: u64,
    /// From the time at which it was sent, µs.
    pub service_us: u64,
}

impl Tally {
    /// Nothing counted yet.
    #[must_use]
    pub fn new() -> Self {
        Self { counts: OperationReport::default(), response_us: new_histogram(), service_us: new_histogram() }
    }

    /// Counts an operation that was sent; `took` is none where no answer came.
    pub fn count(&mut self, took: Option<Took>, judgement: Judgement<'_>) {
        self.counts.sent += 1;
        if let Some(took) = took {
            self.counts.answered += 1;
            record(&mut self.response_us, took.response_us);
            record(&mut self.service_us, took.service_us);
        }
        match judgement {
            Judgement::Verified => self.counts.verified += 1,
            Judgement::Wrong(name) => add(&mut self.counts.wrong, name, 1),
            Judgement::Error(name) => add(&mut self.counts.errors, name, 1),
        }
    }

    /// Nothing counted any more; it keeps its memory.
    pub fn clear(&mut self) {
        self.counts = OperationReport::default();
        self.response_us.reset();
        self.service_us.reset();
    }

    /// Adds what another counted.
    pub fn merge(&mut self, other: &Self) {
        self.counts.sent += other.counts.sent;
        self.counts.answered += other.counts.answered;
        self.counts.verified += other.counts.verified;
        other.counts.wrong.iter().for_each(|(name, count)| add(&mut self.counts.wrong, name, *count));
        other.counts.errors.iter().for_each(|(name, count)| add(&mut self.counts.errors, name, *count));
        self.response_us += &other.response_us;
        self.service_us += &other.service_us;
    }

    /// Response times of all answers, µs.
    #[must_use]
    pub fn response_us(&self) -> &Histogram<u64> {
        &self.response_us
    }

    /// Service times of all answers, µs.
    #[must_use]
    pub fn service_us(&self) -> &Histogram<u64> {
        &self.service_us
    }

    /// What was counted, with the percentiles of the times.
    #[must_use]
    pub fn report(&self) -> OperationReport {
        OperationReport {
            response_us: Percentiles::of(&self.response_us),
            service_us: Percentiles::of(&self.service_us),
            ..self.counts.clone()
        }
    }
}

impl Default for Tally {
    fn default() -> Self {
        Self::new()
    }
}

/// Without a new string for a name that is there, as nearly all are.
fn add(named: &mut Named, name: &str, count: u64) {
    match named.get_mut(name) {
        Some(sum) => *sum += count,
        None => drop(named.insert(name.to_owned(), count)),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    const TOOK: Option<Took> = Some(Took { response_us: 100, service_us: 90 });

    #[test]
    fn an_empty_histogram_has_zeros_and_a_full_one_its_percentiles() {
        assert_eq!(Percentiles::of(&new_histogram()), Percentiles::default());
        let mut histogram = new_histogram();
        (1..=1_000).for_each(|us| record(&mut histogram, us));
        let percentiles = Percentiles::of(&histogram);
        assert_eq!(percentiles.named().map(|(_, us)| us), [500, 900, 990, 999, 1_000]);
        assert!((percentiles.mean - 500.5).abs() < 1e-9, "{percentiles:?}");
    }

    #[test]
    fn each_operation_is_counted_once_and_only_answers_have_times() {
        let mut tally = Tally::new();
        tally.count(TOOK, Judgement::Verified);
        tally.count(TOOK, Judgement::Wrong("torn read"));
        tally.count(TOOK, Judgement::Error("503 full"));
        tally.count(None, Judgement::Error("no answer within 10 s"));
        let report = tally.report();
        assert_eq!((report.sent, report.answered, report.verified), (4, 3, 1));
        assert_eq!((report.wrong_count(), report.error_count()), (1, 2));
        assert_eq!(report.wrong["torn read"], 1);
        assert_eq!((report.response_us.max, report.service_us.max), (100, 90));
        assert_eq!((tally.response_us().len(), tally.service_us().len()), (3, 3));
    }

    #[test]
    fn merging_is_the_same_as_counting_together() {
        let (mut left, mut right, mut together) = (Tally::new(), Tally::new(), Tally::new());
        for (at, judgement) in [
            Judgement::Verified,
            Judgement::Wrong("stale read"),
            Judgement::Error("500"),
            Judgement::Wrong("stale read"),
        ]
        .into_iter()
        .enumerate()
        {
            let half = if at < 2 { &mut left } else { &mut right };
            half.count(TOOK, judgement);
            together.count(TOOK, judgement);
        }
        left.merge(&right);
        assert_eq!(left.report(), together.report());
        assert_eq!(left.report().wrong["stale read"], 2);
    }

    #[test]
    fn goodput_counts_right_answers_only() {
        let total = OperationReport { sent: 40, answered: 30, verified: 20, ..OperationReport::default() };
        let rate = Rate::of(&total, Window { from_us: 1_000_000, to_us: 3_000_000 }, Some(20.0));
        let expected = Rate { sent_per_s: 20.0, answered_per_s: 15.0, goodput_per_s: 10.0, planned_per_s: Some(20.0) };
        assert_eq!(rate, expected);
        let empty = Rate::of(&total, Window { from_us: 1, to_us: 1 }, None);
        assert_eq!(empty, Rate::default());
    }
}
