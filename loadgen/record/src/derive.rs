//! The figures of a run worked out again, from its history and its histograms, and held against `run.json`.
//!
//! The three files are written by different code while the run goes on: counters, a histogram for each second, a line
//! for each operation. That they agree is the evidence that none of them lost anything.

use super::figures::{OperationReport, Percentiles, Rate, Tally};
use super::history::{HistoryError, HistoryRecord};
use super::hlog::{SERVICE_SUFFIX, SLIP_TAG, new_histogram, record};
use super::run::{RunReport, Window};
use hdrhistogram::Histogram;
use std::collections::{BTreeMap, BTreeSet};

/// Histograms keep values to 3 digits, so two that saw the same times may be this share apart.
const PRECISION: f64 = 0.001;

/// `run.json` keeps a mean as decimal digits; reading them back may be wrong in the last of them.
const LAST_DIGIT: f64 = 1e-9;

/// The figures, worked out again.
#[derive(Clone, Debug)]
pub struct Derived {
    /// By operation: counts from the history, percentiles from the histograms.
    pub operations: BTreeMap<String, OperationReport>,
    /// All operations together, likewise.
    pub total: OperationReport,
    /// Slip, from the histograms.
    pub slip_us: Percentiles,
    /// Rates, from the history's counts. What was planned is not derived, so it is none.
    pub rate: Rate,
    /// The same figures with the percentiles of the history's own times.
    pub by_times: BTreeMap<String, OperationReport>,
    /// All operations together, likewise.
    pub total_by_times: OperationReport,
    /// Slip, from the history's own times.
    pub slip_by_times_us: Percentiles,
    /// Histograms that hold another number of times than the history has operations, a sentence each.
    pub miscounts: Vec<String>,
}

/// Works the figures out. `histograms` are the sums by tag of `latency.hlog`.
///
/// # Errors
/// The first line of the history that cannot be read.
pub fn derive(
    histograms: &BTreeMap<String, Histogram<u64>>,
    history: impl IntoIterator<Item = Result<HistoryRecord, HistoryError>>,
    measured: Window,
) -> Result<Derived, HistoryError> {
    let seen = Seen::of(history, measured)?;
    let by_times: BTreeMap<String, OperationReport> =
        seen.operations.iter().map(|(name, tally)| ((*name).to_owned(), tally.report())).collect();
    let total_by_times = seen.total().report();
    let logged = Logged { histograms };
    let mut miscounts = logged.miscount(SLIP_TAG, total_by_times.sent);
    let mut operations = BTreeMap::new();
    for name in logged.operations().chain(by_times.keys().map(String::as_str)).collect::<BTreeSet<_>>() {
        let counts = by_times.get(name).cloned().unwrap_or_default();
        let service_tag = format!("{name}{SERVICE_SUFFIX}");
        miscounts.extend(logged.miscount(name, counts.timed_count()));
        miscounts.extend(logged.miscount(&service_tag, counts.timed_count()));
        let (response_us, service_us) = (logged.percentiles(name), logged.percentiles(&service_tag));
        operations.insert(name.to_owned(), counts.with_times(response_us, service_us));
    }
    let total = total_by_times.clone().with_times(
        Percentiles::of(&logged.sum(|tag| !tag.ends_with(SERVICE_SUFFIX))),
        Percentiles::of(&logged.sum(|tag| tag.ends_with(SERVICE_SUFFIX))),
    );
    Ok(Derived {
        rate: Rate::of(&total, measured, None),
        operations,
        total,
        slip_us: logged.percentiles(SLIP_TAG),
        by_times,
        total_by_times,
        slip_by_times_us: Percentiles::of(&seen.slip_us),
        miscounts,
    })
}

/// What the history has, counted in bounded memory: a tally for each operation, not a list of times.
struct Seen {
    operations: BTreeMap<&'static str, Tally>,
    slip_us: Histogram<u64>,
}

impl Seen {
    fn of(
        history: impl IntoIterator<Item = Result<HistoryRecord, HistoryError>>,
        measured: Window,
    ) -> Result<Self, HistoryError> {
        let mut seen = Self { operations: BTreeMap::new(), slip_us: new_histogram() };
        for operation in history {
            let operation = operation?;
            if operation.phase.is_none() && measured.contains(operation.meant_us) {
                let tally = seen.operations.entry(operation.operation.name()).or_default();
                tally.count(operation.took(), operation.judgement());
                record(&mut seen.slip_us, operation.slip_us());
            }
        }
        Ok(seen)
    }

    fn total(&self) -> Tally {
        self.operations.values().fold(Tally::new(), |mut total, tally| {
            total.merge(tally);
            total
        })
    }
}

/// The sums by tag of the log of latencies.
struct Logged<'a> {
    histograms: &'a BTreeMap<String, Histogram<u64>>,
}

impl Logged<'_> {
    /// The operations that have times in it.
    fn operations(&self) -> impl Iterator<Item = &str> {
        let tags = self.histograms.keys().map(String::as_str).filter(|tag| *tag != SLIP_TAG);
        tags.map(|tag| tag.strip_suffix(SERVICE_SUFFIX).unwrap_or(tag))
    }

    fn percentiles(&self, tag: &str) -> Percentiles {
        self.histograms.get(tag).map(Percentiles::of).unwrap_or_default()
    }

    /// The sum of all operations whose tag is wanted.
    fn sum(&self, is_wanted: impl Fn(&str) -> bool) -> Histogram<u64> {
        let mut sum = new_histogram();
        let wanted = self.histograms.iter().filter(|(tag, _)| *tag != SLIP_TAG && is_wanted(tag));
        wanted.for_each(|(_, histogram)| sum += histogram);
        sum
    }

    fn miscount(&self, tag: &str, expected: u64) -> Vec<String> {
        let found = self.histograms.get(tag).map_or(0, Histogram::len);
        let differs = format!("{tag}: the histograms hold {found} times, the history has {expected}");
        if found == expected { Vec::new() } else { vec![differs] }
    }
}

/// Each figure of `run.json` that differs from what its history and histograms make, in words; none where all agree.
#[must_use]
pub fn differences(stored: &RunReport, derived: &Derived) -> Vec<String> {
    let mut found = derived.miscounts.clone();
    let names: BTreeSet<&String> =
        stored.operations.keys().chain(derived.operations.keys()).chain(derived.by_times.keys()).collect();
    let none = OperationReport::default();
    for name in names {
        let figures = [&stored.operations, &derived.operations, &derived.by_times];
        let [stored, logged, by_times] = figures.map(|operations| operations.get(name).unwrap_or(&none));
        found.extend(operation(name, stored, logged, by_times));
    }
    found.extend(operation("total", &stored.total, &derived.total, &derived.total_by_times));
    found.extend(times("slip", &stored.slip_us, &derived.slip_us, &derived.slip_by_times_us));
    let (told, made) = (&stored.rate, &derived.rate);
    for (name, told, made) in [
        ("sent", told.sent_per_s, made.sent_per_s),
        ("answered", told.answered_per_s, made.answered_per_s),
        ("goodput", told.goodput_per_s, made.goodput_per_s),
    ] {
        if !is_near(told, made, LAST_DIGIT) {
            found.push(format!("rate: run.json says {name} {told} per s, the history makes it {made}"));
        }
    }
    found
}

fn operation(
    name: &str,
    stored: &OperationReport,
    logged: &OperationReport,
    by_times: &OperationReport,
) -> Vec<String> {
    let mut found = counts(name, stored, by_times);
    found.extend(times(&format!("{name}: response"), &stored.response_us, &logged.response_us, &by_times.response_us));
    found.extend(times(&format!("{name}: service"), &stored.service_us, &logged.service_us, &by_times.service_us));
    found
}

fn counts(name: &str, stored: &OperationReport, seen: &OperationReport) -> Vec<String> {
    let mut pairs = vec![
        ("sent".to_owned(), stored.sent, seen.sent),
        ("answered".to_owned(), stored.answered, seen.answered),
        ("timed out".to_owned(), stored.timed_out, seen.timed_out),
        ("verified".to_owned(), stored.verified, seen.verified),
    ];
    for (what, stored, seen) in [("wrong", &stored.wrong, &seen.wrong), ("errors", &stored.errors, &seen.errors)] {
        for of in stored.keys().chain(seen.keys()).collect::<BTreeSet<_>>() {
            let count = |named: &BTreeMap<String, u64>| named.get(of).copied().unwrap_or(0);
            pairs.push((format!("{what} ({of})"), count(stored), count(seen)));
        }
    }
    let differing = pairs.into_iter().filter(|(_, stored, seen)| stored != seen);
    differing
        .map(|(what, stored, seen)| format!("{name}: run.json says {stored} {what}, the history has {seen}"))
        .collect()
}

/// Percentiles must be those of the histograms to the digit, and those of the history's times to their precision.
fn times(name: &str, stored: &Percentiles, logged: &Percentiles, by_times: &Percentiles) -> Vec<String> {
    let mut found = Vec::new();
    for (((of, stored), (_, logged)), (_, timed)) in
        stored.named().into_iter().zip(logged.named()).zip(by_times.named())
    {
        if stored != logged {
            found.push(format!("{name} {of}: run.json says {stored} µs, the histograms say {logged} µs"));
        }
        if !is_near(stored as f64, timed as f64, PRECISION) {
            found.push(format!("{name} {of}: run.json says {stored} µs, the history's times make it {timed} µs"));
        }
    }
    if stored.lower_bounds_from != by_times.lower_bounds_from {
        let [told, made] =
            [stored, by_times].map(|of| of.lower_bounds_from.map_or("none".to_owned(), |us| us.to_string()));
        found.push(format!("{name}: run.json has lower bounds from {told} µs on, the history from {made} µs on"));
    }
    for (of, mean, precision) in
        [("the histograms", logged.mean, LAST_DIGIT), ("the history's times", by_times.mean, PRECISION)]
    {
        if !is_near(stored.mean, mean, precision) {
            found.push(format!("{name} mean: run.json says {} µs, {of} make it {mean} µs", stored.mean));
        }
    }
    found
}

fn is_near(a: f64, b: f64, precision: f64) -> bool {
    (a - b).abs() <= precision * a.abs().max(b.abs())
}

#[cfg(test)]
mod tests;
