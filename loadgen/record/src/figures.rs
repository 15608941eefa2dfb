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

/// Name of a 503 for a key while at least 90 % of all keys are in use, those in use before the run included.
pub const KEYS_EXHAUSTED: &str = "503, as nearly all keys are in use";

/// How often each named thing came, in a line; none where nothing did.
#[must_use]
pub fn in_words(named: &Named) -> Option<String> {
    let told: Vec<String> = named.iter().map(|(name, count)| format!("{count} × {name}")).collect();
    (!told.is_empty()).then(|| told.join(", "))
}

/// What became of the measured operations of one kind.
#[derive(Clone, Debug, Default, PartialEq, Serialize, Deserialize)]
pub struct OperationReport {
    /// Operations that were sent.
    pub sent: u64,
    /// Those whose answer came whole, whatever it said.
    pub answered: u64,
    /// Those that the user gave up because no answer came in time.
    pub timed_out: u64,
    /// Those whose answer was right: only they are goodput.
    pub verified: u64,
    /// Wrong answers by name, such as `torn read`.
    pub wrong: Named,
    /// Clear failures by name, such as `503 …` and `no answer within 10 s`.
    pub errors: Named,
    /// From the time at which it was meant to be sent to the whole answer, or to when it timed out, µs.
    pub response_us: Percentiles,
    /// From the time at which it was sent to the whole answer, or to when it timed out, µs.
    pub service_us: Percentiles,
}

impl OperationReport {
    /// Wrong answers of all names.
    #[must_use]
    pub fn wrong_count(&self) -> u64 {
        self.wrong.values().sum()
    }

    /// Errors of all names but [`KEYS_EXHAUSTED`].
    #[must_use]
    pub fn error_count(&self) -> u64 {
        self.errors.values().sum::<u64>() - self.exhausted_count()
    }

    /// Those named [`KEYS_EXHAUSTED`], which are no errors.
    #[must_use]
    pub fn exhausted_count(&self) -> u64 {
        self.errors.get(KEYS_EXHAUSTED).copied().unwrap_or(0)
    }

    /// The same counts with times of another source. What timed out is known from the counts' own.
    #[must_use]
    pub fn with_times(self, response_us: Percentiles, service_us: Percentiles) -> Self {
        let response_from = self.response_us.lower_bounds_from;
        let service_from = self.service_us.lower_bounds_from;
        Self {
            response_us: Percentiles { lower_bounds_from: response_from, ..response_us },
            service_us: Percentiles { lower_bounds_from: service_from, ..service_us },
            ..self
        }
    }

    /// Operations with a time: those that were answered, and those that timed out.
    #[must_use]
    pub fn timed_count(&self) -> u64 {
        self.answered + self.timed_out
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
    /// The shortest time after which an operation timed out, µs: figures from here on are lower bounds. `None` if none
    /// timed out.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub lower_bounds_from: Option<u64>,
}

impl Percentiles {
    /// The percentiles of a histogram of which nothing timed out, to its precision.
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
            lower_bounds_from: None,
        }
    }

    /// Whether one of these figures is only a lower bound.
    #[must_use]
    pub fn is_lower_bound(&self, us: u64) -> bool {
        self.lower_bounds_from.is_some_and(|from_us| us >= from_us)
    }

    /// The whole numbers by name, as they are compared and printed.
    #[must_use]
    pub fn named(&self) -> [(&'static str, u64); 5] {
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
    response: Times,
    service: Times,
}

/// How long an operation took, µs.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Took {
    /// From the time at which it was meant to be sent, µs.
    pub response_us: u64,
    /// From the time at which it was sent, µs.
    pub service_us: u64,
    /// Whether it timed out then: an answer would have taken at least as long.
    pub is_timeout: bool,
}

/// Times of one kind, µs.
#[derive(Clone, Debug)]
struct Times {
    us: Histogram<u64>,
    least_timeout_us: Option<u64>,
}

impl Times {
    fn new() -> Self {
        Self { us: new_histogram(), least_timeout_us: None }
    }

    fn record(&mut self, us: u64, is_timeout: bool) {
        record(&mut self.us, us);
        if is_timeout {
            self.note_timeout(Some(us));
        }
    }

    fn note_timeout(&mut self, us: Option<u64>) {
        self.least_timeout_us = self.least_timeout_us.into_iter().chain(us).min();
    }

    fn merge(&mut self, other: &Self) {
        self.us += &other.us;
        self.note_timeout(other.least_timeout_us);
    }

    fn clear(&mut self) {
        self.us.reset();
        self.least_timeout_us = None;
    }

    fn percentiles(&self) -> Percentiles {
        Percentiles { lower_bounds_from: self.least_timeout_us, ..Percentiles::of(&self.us) }
    }
}

impl Tally {
    /// Nothing counted yet.
    #[must_use]
    pub fn new() -> Self {
        Self { counts: OperationReport::default(), response: Times::new(), service: Times::new() }
    }

    /// Counts an operation that was sent; `took` is `None` if it could not be sent or the connection was lost.
    pub fn count(&mut self, took: Option<Took>, judgement: Judgement<'_>) {
        self.counts.sent += 1;
        if let Some(took) = took {
            *(if took.is_timeout { &mut self.counts.timed_out } else { &mut self.counts.answered }) += 1;
            self.response.record(took.response_us, took.is_timeout);
            self.service.record(took.service_us, took.is_timeout);
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
        self.response.clear();
        self.service.clear();
    }

    /// Adds what another counted.
    pub fn merge(&mut self, other: &Self) {
        self.counts.sent += other.counts.sent;
        self.counts.answered += other.counts.answered;
        self.counts.timed_out += other.counts.timed_out;
        self.counts.verified += other.counts.verified;
        other.counts.wrong.iter().for_each(|(name, count)| add(&mut self.counts.wrong, name, *count));
        other.counts.errors.iter().for_each(|(name, count)| add(&mut self.counts.errors, name, *count));
        self.response.merge(&other.response);
        self.service.merge(&other.service);
    }

    /// Response times, those until a timeout included, µs.
    #[must_use]
    pub fn response_us(&self) -> &Histogram<u64> {
        &self.response.us
    }

    /// Service times, those until a timeout included, µs.
    #[must_use]
    pub fn service_us(&self) -> &Histogram<u64> {
        &self.service.us
    }

    /// What was counted, with the percentiles of the times.
    #[must_use]
    pub fn report(&self) -> OperationReport {
        OperationReport {
            response_us: self.response.percentiles(),
            service_us: self.service.percentiles(),
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

    const TOOK: Option<Took> = Some(Took { response_us: 100, service_us: 90, is_timeout: false });
    const TIMED_OUT: Option<Took> = Some(Took { response_us: 3_100, service_us: 3_000, is_timeout: true });

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

    /// Regression: operations that timed out were missing from all percentiles, so 5.8 % that waited 3 s for nothing left
    /// p99 at 7.5 ms.
    #[test]
    fn what_timed_out_counts_with_its_wait_and_marks_lower_bounds() {
        let (mut tally, mut more) = (Tally::new(), Tally::new());
        (0..98).for_each(|_| tally.count(TOOK, Judgement::Verified));
        more.count(TIMED_OUT, Judgement::Error("no answer within 3 s"));
        let later = TIMED_OUT.map(|took| Took { response_us: 4_000, ..took });
        more.count(later, Judgement::Error("no answer within 3 s"));
        tally.merge(&more);
        let OperationReport { sent, answered, timed_out, response_us, service_us, .. } = tally.report();
        assert_eq!((sent, answered, timed_out), (100, 98, 2));
        assert_eq!((response_us.lower_bounds_from, service_us.lower_bounds_from), (Some(3_100), Some(3_000)));
        assert_eq!([response_us.p50, response_us.p99].map(|us| response_us.is_lower_bound(us)), [false, true]);
        assert!(response_us.p99 >= 3_100 && response_us.max >= 4_000, "{response_us:?}");
        tally.clear();
        assert_eq!(tally.report(), OperationReport::default());
    }

    #[test]
    fn exhausted_keys_are_told_from_errors() {
        let mut tally = Tally::new();
        tally.count(TOOK, Judgement::Error(KEYS_EXHAUSTED));
        tally.count(TOOK, Judgement::Error("503 Server busy"));
        let report = tally.report();
        assert_eq!((report.error_count(), report.exhausted_count()), (1, 1));
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
