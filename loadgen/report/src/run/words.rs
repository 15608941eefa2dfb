//! Words and numbers that the summary, the terminal and CI's file share, so that they say the same.

use contract::visible;
use record::figures::{Named, OperationReport, Percentiles};
use record::run::{CounterexampleReport, HistoryReport, RunReport, Search, Trial, Turns};

/// Heads of the table by operation.
pub(super) const OPERATION_HEADS: [&str; 10] =
    ["operation", "sent", "verified", "wrong", "errors", "response p50", "p99", "p99.9", "max", "service p99"];

/// Heads of the table of a search.
pub(super) const TRIAL_HEADS: [&str; 6] = ["rate per s", "phase", "kept", "goodput per s", "worst", "why"];

/// A time to three digits, in the unit that suits it: 0.123 ms, 12.3 ms, 1.23 s.
pub(super) fn time(us: u64) -> String {
    let us = to_three_digits(us);
    match us {
        0 => "0 ms".to_owned(),
        1..1_000 => format!("{:.3} ms", us as f64 / 1e3),
        1_000..1_000_000 => format!("{:.*} ms", decimals(us / 1_000), us as f64 / 1e3),
        _ => format!("{:.*} s", decimals(us / 1_000_000), us as f64 / 1e6),
    }
}

/// Rounded before the unit is chosen: 999,999 µs is 1.00 s, not 1000 ms.
fn to_three_digits(us: u64) -> u64 {
    let mut unit = 1;
    while us / unit >= 1_000 {
        unit *= 10;
    }
    let rounded = us.saturating_add(unit / 2);
    rounded - rounded % unit
}

/// Digits behind the point that make three in all.
fn decimals(whole: u64) -> usize {
    match whole {
        0..10 => 2,
        10..100 => 1,
        _ => 0,
    }
}

/// Bytes in the unit that suits them.
pub(super) fn bytes(bytes: u64) -> String {
    match bytes {
        0..10_000 => format!("{bytes} B"),
        10_000..10_000_000 => format!("{:.0} kB", bytes as f64 / 1e3),
        _ => format!("{:.0} MB", bytes as f64 / 1e6),
    }
}

/// What ran, when and where, in a sentence.
pub(super) fn what_ran(report: &RunReport) -> String {
    let protocol = report.target.protocol.as_ref().map(|protocol| format!(" ({protocol})")).unwrap_or_default();
    format!(
        "Scenario {} against {}{protocol}, {}, seed {}, on {} with {} CPUs and {} MB. Measured from {:.1} s to {:.1} s.",
        report.scenario,
        report.target.url,
        report.started,
        report.seed,
        report.host.os,
        report.host.cpus,
        report.host.memory_mb,
        report.measured.from_us as f64 / 1e6,
        report.measured.to_us as f64 / 1e6
    )
}

/// The rows of the table by operation, the total last.
pub(super) fn operation_rows(report: &RunReport) -> Vec<[String; 10]> {
    let all = report.operations.iter().map(|(name, operation)| (name.as_str(), operation));
    all.chain([("total", &report.total)]).map(|(name, operation)| operation_row(name, operation)).collect()
}

fn operation_row(name: &str, operation: &OperationReport) -> [String; 10] {
    let response_us = &operation.response_us;
    let service_us = &operation.service_us;
    [
        name.to_owned(),
        operation.sent.to_string(),
        operation.verified.to_string(),
        operation.wrong_count().to_string(),
        operation.error_count().to_string(),
        figure(response_us, response_us.p50),
        figure(response_us, response_us.p99),
        figure(response_us, response_us.p99_9),
        figure(response_us, response_us.max),
        figure(service_us, service_us.p99),
    ]
}

/// One of these figures, marked if it is a lower bound.
#[must_use]
pub fn figure(of: &Percentiles, us: u64) -> String {
    let at_least = if of.is_lower_bound(us) { "≥ " } else { "" };
    format!("{at_least}{}", time(us))
}

/// Named wrong answers or errors with their counts, a line each: `save: 3 × torn read`.
pub(super) fn named(report: &RunReport, of: impl Fn(&OperationReport) -> &Named) -> Vec<String> {
    let line = |name: &str, what: &str, count: u64| format!("{name}: {count} × {}", visible(what));
    let all = report.operations.iter();
    all.flat_map(|(name, operation)| of(operation).iter().map(move |(what, count)| line(name, what, *count))).collect()
}

/// Why there is no verdict on the history, and how to get one.
pub(super) fn unjudged(report: &RunReport) -> String {
    match report.generator.history_bytes {
        0 => "History: none was kept, so nothing says whether the answers contradict each other.".to_owned(),
        _ => {
            "History: not judged. `loadgen check-history --format claimcheck` does so, on this run's folder.".to_owned()
        }
    }
}

/// The verdict on the history, in a sentence.
pub(super) fn history(history: &HistoryReport) -> String {
    let HistoryReport { documents, operations, anomalies, undecided, .. } = history;
    let plural = if *documents == 1 { "" } else { "s" };
    let subject = format!("{operations} operations on {documents} document{plural}");
    match history.linearizable {
        Some(true) => format!("History: one order explains all {subject}, document by document (linearizable)."),
        Some(false) => {
            let named: Vec<String> =
                anomalies.iter().map(|(name, count)| format!("{count} × {}", visible(name))).collect();
            format!("History: NOT LINEARIZABLE. No order explains {subject}: {}.", named.join(", "))
        }
        None => {
            let why = undecided.iter().next().map(|(key, why)| format!(" (key {}: {})", visible(key), visible(why)));
            format!("History: {subject} could not be decided{}.", why.unwrap_or_default())
        }
    }
}

/// Each counterexample: what it is called, where its picture is, and what happened.
pub(super) fn counterexamples(history: &HistoryReport) -> Vec<(String, Vec<String>)> {
    let head = |counterexample: &CounterexampleReport| {
        let picture = counterexample.picture.as_ref().map(|picture| format!(", drawn in {}", visible(picture)));
        format!(
            "{} under key {}{}",
            visible(&counterexample.anomaly),
            visible(&counterexample.key),
            picture.unwrap_or_default()
        )
    };
    let story = |counterexample: &CounterexampleReport| counterexample.story.iter().map(|line| visible(line)).collect();
    history.counterexamples.iter().map(|counterexample| (head(counterexample), story(counterexample))).collect()
}

/// How much failed, of what, and how much may.
#[must_use]
pub fn failed(report: &RunReport) -> String {
    let percent = |share: f64| format!("{:.1} %", share * 100.0);
    let (errors, sent) = (report.total.error_count(), report.total.sent);
    let turns = report.turns.filter(|turns| turns.missed > 0).map(|turns| format!("; {}", missed(turns)));
    let allowed = report.errors_allowed.map(|allowed| format!("; {} allowed", percent(allowed)));
    format!(
        "{} failed ({errors} of {sent} operations{}{})",
        percent(report.failed_share()),
        turns.unwrap_or_default(),
        allowed.unwrap_or_default()
    )
}

fn missed(Turns { taken, missed }: Turns) -> String {
    format!("{missed} of {} turns were missed while users waited for a response", taken + missed)
}

/// Rate, slip and the generator's costs, a line each.
pub(super) fn figures(report: &RunReport) -> Vec<String> {
    let (rate, little, generator) = (&report.rate, &report.little, &report.generator);
    let planned = rate.planned_per_s.map(|planned| format!(" of {planned:.1} planned")).unwrap_or_default();
    let ceiling = generator.ceiling_per_s.map_or_else(
        || "not tried".to_owned(),
        |per_s| {
            let cost = generator.ceiling_cpu_us_per_operation;
            let cost = cost.map(|us| format!(" at {us:.1} µs of CPU each")).unwrap_or_default();
            format!("{per_s:.0} operations per s{cost}")
        },
    );
    let mut lines = vec![
        format!(
            "Rate per s: {:.1} sent{planned}, {:.1} answered, {:.1} goodput",
            rate.sent_per_s, rate.answered_per_s, rate.goodput_per_s
        ),
        format!("Slip (how late the generator was): {}", percentiles(&report.slip_us)),
        format!(
            "In flight: {:.2} by count, {:.2} by times (Little's law), {:+.1} % apart",
            little.in_flight_by_count,
            little.in_flight_by_times,
            little.residual * 100.0
        ),
        format!(
            "Generator: {} threads, the busiest {:.0} % busy; {:.1} s of CPU, {:.1} µs an operation; {} of memory, {} a \
             user; history {}",
            generator.threads,
            generator.busiest_thread_share * 100.0,
            generator.cpu_s,
            generator.cpu_us_per_operation,
            bytes(generator.peak_rss_bytes),
            bytes(generator.rss_bytes_per_user),
            bytes(generator.history_bytes)
        ),
        format!("Generator's ceiling: {ceiling}"),
    ];
    let exhausted = report.total.exhausted_count();
    if exhausted > 0 {
        lines.push(format!("Keys exhausted: {exhausted} requests for a key, which are no errors"));
    }
    lines.extend(report.turns.filter(|turns| turns.missed > 0).map(|turns| format!("Turns: {}", missed(turns))));
    lines
}

fn percentiles(of: &Percentiles) -> String {
    of.named().map(|(name, us)| format!("{name} {}", figure(of, us))).join(", ")
}

/// What a search found, in a sentence.
pub(super) fn found(search: &Search) -> String {
    let objective = visible(&search.objective);
    match search.found_per_s {
        Some(per_s) => format!("Highest rate that keeps to \"{objective}\": {per_s:.1} per s."),
        None => format!("No rate was found that keeps to \"{objective}\"."),
    }
}

/// A row of the table of a search.
pub(super) fn trial_row(trial: &Trial) -> [String; 6] {
    let kept = match (trial.valid, trial.kept) {
        (false, _) => "INVALID",
        (true, true) => "yes",
        (true, false) => "no",
    };
    [
        format!("{:.1}", trial.rate_per_s),
        trial.phase.name().to_owned(),
        kept.to_owned(),
        format!("{:.1}", trial.goodput_per_s),
        visible(&trial.worst),
        visible(&trial.why),
    ]
}

/// Why the figures are not to be used, a sentence each; none where they are.
pub(super) fn doubts(report: &RunReport) -> Vec<String> {
    let mut doubts: Vec<String> = report.why_invalid.iter().map(|why| visible(why)).collect();
    if !report.valid && doubts.is_empty() {
        doubts.push("no reason is given".to_owned());
    }
    if report.partial {
        doubts.push("the run was interrupted before its planned end".to_owned());
    }
    doubts
}

#[cfg(test)]
mod tests {
    use crate::run::words::*;

    #[test]
    fn a_time_has_three_digits_and_a_unit_that_suits_it() {
        for (us, text) in [
            (0, "0 ms"),
            (7, "0.007 ms"),
            (123, "0.123 ms"),
            (999, "0.999 ms"),
            (1_234, "1.23 ms"),
            (9_996, "10.0 ms"),
            (12_345, "12.3 ms"),
            (123_456, "123 ms"),
            (999_499, "999 ms"),
            (999_500, "1.00 s"),
            (1_234_567, "1.23 s"),
            (12_345_678, "12.3 s"),
            (600_000_000, "600 s"),
        ] {
            assert_eq!(time(us), text, "{us}");
        }
    }

    #[test]
    fn bytes_are_read_in_the_unit_that_suits_them() {
        assert_eq!([9_999, 12_345, 12_345_678].map(bytes), ["9999 B", "12 kB", "12 MB"]);
    }
}
