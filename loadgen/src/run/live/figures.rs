//! What a run comes to second by second, as the events of its page. Pure.
//!
//! An event is one JSON object, [`Event`], whole in itself: a reader that knows the last one knows how the run stands. All
//! figures are of measured operations, as in `run.json`; times are in µs, and count from when an operation was meant to
//! be sent.

#[cfg(test)]
mod tests;

use super::ending::Ending;
use engine::Second;
use engine::scenario::Plan;
use hdrhistogram::Histogram;
use record::figures::{OperationReport, Percentiles};
use record::hlog::new_histogram;
use record::run::{Trial, TrialPhase};
use report::timeline::text::short;
use serde::Serialize;
use std::collections::BTreeMap;
use std::time::Duration;

/// Name and version of the events' format.
pub const SCHEMA: &str = "claimcheck.live/1";

/// Names of errors, and of wrong answers, that are kept of each operation, and how many columns of each. Errors have the
/// names that the target gives them, so there may be as many as answers; a page of more than this helps nobody.
pub(super) const MOST_NAMES: usize = 20;
pub(super) const LONGEST_NAME: usize = 120;

/// A second of which less than this is measured has counts, but no rates: one that is measured for 20 ms would show some
/// answers as a peak.
const LEAST_MEASURED: Duration = Duration::from_millis(500);

/// Where the run is.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize)]
#[serde(rename_all = "lowercase")]
pub enum Phase {
    /// The server is started, the generator tried, users connect: nothing is sent that counts.
    #[serde(rename = "setting up")]
    SettingUp,
    /// The load runs, and is not measured yet.
    #[serde(rename = "warming up")]
    WarmingUp,
    /// The load runs, and is measured.
    Measured,
    /// The load is over, and its history is judged.
    Judging,
    /// All of it is over; `ending` says how.
    Ended,
}

/// An event.
#[derive(Debug, Serialize)]
pub struct Event<'a> {
    /// [`SCHEMA`].
    schema: &'static str,
    /// What runs, in a sentence.
    what: &'a str,
    phase: Phase,
    /// The trial under way, where the highest rate is looked for. All figures are of this one.
    trial: Option<TrialUnderWay>,
    /// The trials before, as in `run.json`.
    trials: &'a [Trial],
    /// Seconds since users began to connect.
    elapsed_s: u64,
    /// How much of the load is over, from 0 to 1.
    progress: f64,
    /// What happened within the last second; none where the event tells of another phase only.
    second: Option<Moment>,
    /// All until now, by operation.
    so_far: &'a BTreeMap<&'static str, SoFar>,
    /// How the run ended, once it has.
    ending: Option<&'a Ending>,
}

/// A trial of a search.
#[derive(Clone, Copy, Debug, PartialEq, Serialize)]
pub struct TrialUnderWay {
    /// The rate that is tried, per s.
    pub rate_per_s: f64,
    /// Why that one.
    pub phase: TrialPhase,
}

/// Figures of a stretch of time.
#[derive(Clone, Debug, Default, PartialEq, Serialize)]
pub struct Moment {
    /// Of all operations together.
    pub total: Row,
    /// By operation; those that were sent.
    pub operations: BTreeMap<String, Row>,
    /// How late the generator itself was in 99 of 100 cases, µs at most.
    pub slip_p99_us: u64,
}

/// Figures of one kind of operation.
#[derive(Clone, Copy, Debug, Default, PartialEq, Serialize)]
pub struct Row {
    /// Whole answers, whatever they said.
    pub answered: u64,
    /// Right answers.
    pub verified: u64,
    /// Wrong answers.
    pub wrong: u64,
    /// Clear failures.
    pub errors: u64,
    /// Whole answers, per s; none where too little of the time is measured.
    pub answered_per_s: Option<f64>,
    /// Right answers, per s.
    pub goodput_per_s: Option<f64>,
    /// From the time at which it was meant to be sent to the whole answer, or to when it timed out; `None` if nothing
    /// was answered or timed out.
    pub response_us: Option<Times>,
}

/// What is told of response times, µs.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize)]
pub struct Times {
    p50: u64,
    p90: u64,
    p99: u64,
    max: u64,
}

impl Row {
    /// The figures of operations that were measured for so long.
    #[must_use]
    pub fn of(report: &OperationReport, measured: Duration) -> Self {
        let per_s = |count: u64| (measured >= LEAST_MEASURED).then(|| count as f64 / measured.as_secs_f64());
        let Percentiles { p50, p90, p99, max, .. } = report.response_us;
        Self {
            answered: report.answered,
            verified: report.verified,
            wrong: report.wrong_count(),
            errors: report.error_count(),
            answered_per_s: per_s(report.answered),
            goodput_per_s: per_s(report.verified),
            response_us: (report.timed_count() > 0).then_some(Times { p50, p90, p99, max }),
        }
    }
}

/// What became of the operations of one kind until now.
#[derive(Clone, Debug, Default, PartialEq, Serialize)]
pub struct SoFar {
    answered: u64,
    verified: u64,
    wrong: Names,
    errors: Names,
}

/// Counts by name. The sum is always whole; of the names there are no more than a page can show.
#[derive(Clone, Debug, Default, PartialEq, Serialize)]
pub struct Names {
    count: u64,
    by_name: BTreeMap<String, u64>,
    /// Those of further names.
    others: u64,
}

impl Names {
    fn add(&mut self, name: &str, count: u64) {
        self.count += count;
        // Names come from elsewhere: what does not show as itself, or turns text around, is made visible.
        let name = short(name, LONGEST_NAME);
        if let Some(sum) = self.by_name.get_mut(&name) {
            *sum += count;
        } else if self.by_name.len() < MOST_NAMES {
            self.by_name.insert(name, count);
        } else {
            self.others += count;
        }
    }
}

impl SoFar {
    fn add(&mut self, report: &OperationReport) {
        self.answered += report.answered;
        self.verified += report.verified;
        report.wrong.iter().for_each(|(name, count)| self.wrong.add(name, *count));
        report.errors.iter().for_each(|(name, count)| self.errors.add(name, *count));
    }
}

/// Makes the events of a run.
#[derive(Debug)]
pub struct Figures {
    what: String,
    phase: Phase,
    trial: Option<TrialUnderWay>,
    trials: Vec<Trial>,
    /// How much of the load comes before what is measured, from 0 to 1.
    warm_up: f64,
    elapsed_s: u64,
    progress: f64,
    so_far: BTreeMap<&'static str, SoFar>,
    /// Of all operations within a second; kept for its memory.
    together_us: Histogram<u64>,
}

impl Figures {
    /// Those of a run that is set up; `what` says in a sentence what runs.
    #[must_use]
    pub fn new(what: String) -> Self {
        Self {
            what,
            phase: Phase::SettingUp,
            trial: None,
            trials: Vec::new(),
            warm_up: 0.0,
            elapsed_s: 0,
            progress: 0.0,
            so_far: BTreeMap::new(),
            together_us: new_histogram(),
        }
    }

    /// A load is about to begin: nothing is counted yet. A search has several, one after the other.
    pub fn begin(&mut self, plan: &Plan, trial: Option<TrialUnderWay>) {
        self.phase = Phase::SettingUp;
        self.trial = trial;
        self.warm_up = plan.warm_up_us() as f64 / plan.end_us().max(1) as f64;
        self.elapsed_s = 0;
        self.progress = 0.0;
        self.so_far.clear();
    }

    /// What came of a trial.
    pub fn note_trial(&mut self, trial: &Trial) {
        self.trials.push(trial.clone());
    }

    /// The history is judged from now on.
    pub fn judge(&mut self) {
        self.phase = Phase::Judging;
    }

    /// A second, of which `reports` are the operations' figures: its event.
    pub fn second(&mut self, second: &Second, reports: &[(&'static str, OperationReport)]) -> String {
        self.elapsed_s = second.start.as_secs() + 1;
        self.progress = second.progress;
        self.phase = match second.progress {
            ..=0.0 => Phase::SettingUp,
            progress if progress <= self.warm_up => Phase::WarmingUp,
            _ => Phase::Measured,
        };
        for (name, report) in reports {
            self.so_far.entry(name).or_default().add(report);
        }
        let moment = self.moment(second, reports);
        self.event(Some(moment), None)
    }

    /// How the run stands, where no second has passed.
    #[must_use]
    pub fn standing(&self) -> String {
        self.event(None, None)
    }

    /// The last event.
    pub fn end(&mut self, ending: &Ending) -> String {
        self.phase = Phase::Ended;
        self.event(None, Some(ending))
    }

    fn moment(&mut self, second: &Second, reports: &[(&str, OperationReport)]) -> Moment {
        self.together_us.reset();
        for tally in &second.tallies {
            self.together_us += tally.response_us();
        }
        let mut total =
            OperationReport { response_us: Percentiles::of(&self.together_us), ..OperationReport::default() };
        for (_, report) in reports {
            total.answered += report.answered;
            total.timed_out += report.timed_out;
            total.verified += report.verified;
        }
        let rows = reports.iter().map(|(name, report)| ((*name).to_owned(), Row::of(report, second.measured)));
        let sum = |of: fn(&OperationReport) -> u64| reports.iter().map(|(_, report)| of(report)).sum();
        Moment {
            total: Row {
                wrong: sum(OperationReport::wrong_count),
                errors: sum(OperationReport::error_count),
                ..Row::of(&total, second.measured)
            },
            operations: rows.collect(),
            slip_p99_us: second.slip_us.value_at_quantile(0.99),
        }
    }

    fn event(&self, second: Option<Moment>, ending: Option<&Ending>) -> String {
        let event = Event {
            schema: SCHEMA,
            what: &self.what,
            phase: self.phase,
            trial: self.trial,
            trials: &self.trials,
            elapsed_s: self.elapsed_s,
            progress: self.progress,
            second,
            so_far: &self.so_far,
            ending,
        };
        // It is made of texts and finite numbers.
        serde_json::to_string(&event).unwrap_or_default()
    }
}
