//! Counting while the simulation runs.

use super::Operation;
use super::folder::Handed;
use super::outcome::{Attempts, Chance, FillSample, OperationOutcome, Outcome, Response};
use super::parameters::{Parameters, Protocol, seconds};
use hdrhistogram::Histogram;

/// Digits that response times keep.
const DIGITS: u8 = 3;

/// Seconds of a day.
const DAY_S: f64 = 86_400.0;

/// Everything that is counted.
pub(super) struct Measure {
    since_ns: u64,
    attempts: Vec<u64>,
    exhausted: u64,
    shared: u64,
    shared_expected: f64,
    pub(super) given_up: u64,
    pub(super) reservations_ended: u64,
    pub(super) deleted: u64,
    pub(super) abandoned: u64,
    /// Cores that serve.
    pub(super) busy: Level,
    /// Sessions between hand-out and end.
    pub(super) active: Level,
    /// Requests sent and not answered.
    pub(super) present: Level,
    fill: Vec<FillSample>,
    operations: Vec<Counted>,
    /// Of the whole run.
    pub(super) events: u64,
}

/// A number that goes up and down, and its integral over time.
#[derive(Clone, Copy, Default)]
pub(super) struct Level {
    value: u64,
    changed_ns: u64,
    /// In nanoseconds times the level: ten years of a hundred million are more than a `u64` holds.
    integral: u128,
}

#[derive(Clone)]
struct Counted {
    /// Of the whole run.
    sent: u64,
    answered: u64,
    /// After the warm-up, in nanoseconds.
    times: Histogram<u64>,
    sum_ns: u128,
}

impl Measure {
    pub(super) fn new(parameters: &Parameters) -> Result<Self, String> {
        let most_attempts = match parameters.protocol {
            Protocol::Documented { max_attempts } => max_attempts,
            Protocol::Hardened { .. } => 1,
        };
        let mut times = Histogram::new(DIGITS).map_err(|error| format!("no histogram of {DIGITS} digits: {error}"))?;
        times.auto(true);
        Ok(Self {
            since_ns: 0,
            attempts: vec![0; most_attempts as usize + 1],
            exhausted: 0,
            shared: 0,
            shared_expected: 0.0,
            given_up: 0,
            reservations_ended: 0,
            deleted: 0,
            abandoned: 0,
            busy: Level::default(),
            active: Level::default(),
            present: Level::default(),
            fill: Vec::new(),
            operations: vec![Counted { sent: 0, answered: 0, times, sum_ns: 0 }; Operation::ALL.len()],
            events: 0,
        })
    }

    /// The warm-up is over: what was counted is forgotten, but for what is of the whole run.
    pub(super) fn begin(&mut self, now_ns: u64) {
        self.since_ns = now_ns;
        self.attempts.fill(0);
        (self.exhausted, self.shared, self.shared_expected, self.given_up) = (0, 0, 0.0, 0);
        (self.reservations_ended, self.deleted, self.abandoned) = (0, 0, 0);
        [&mut self.busy, &mut self.active, &mut self.present].into_iter().for_each(|level| level.begin(now_ns));
        for counted in &mut self.operations {
            counted.times.reset();
            counted.sum_ns = 0;
        }
    }

    pub(super) fn sent(&mut self, operation: Operation) {
        self.operations[operation as usize].sent += 1;
    }

    pub(super) fn answered(&mut self, operation: Operation, after_ns: u64) {
        let counted = &mut self.operations[operation as usize];
        counted.answered += 1;
        // It grows as needed, so that no time is refused: the result has nothing to tell.
        counted.times.record(after_ns).ok();
        counted.sum_ns += u128::from(after_ns);
    }

    pub(super) fn handed(&mut self, handed: Handed) {
        self.attempts[handed.attempts as usize] += 1;
        self.exhausted += u64::from(handed.key.is_none());
        self.shared += u64::from(handed.is_shared);
        self.shared_expected += handed.shared_chance;
    }

    pub(super) fn sample(&mut self, now_ns: u64, used_keys: u64, keys: u64) {
        let (at_s, fill) = (seconds(now_ns - self.since_ns), used_keys as f64 / keys as f64);
        self.fill.push(FillSample { at_s, used_keys, fill, active_sessions: self.active.value });
    }

    /// The figures at the end; `in_flight` says how many requests of an operation wait or are being served.
    pub(super) fn outcome(
        self,
        parameters: &Parameters,
        seed: u64,
        end_ns: u64,
        in_flight: impl Fn(Operation) -> u64,
    ) -> Outcome {
        let duration_s = seconds(end_ns - self.since_ns);
        let requests: u64 = self.attempts.iter().sum();
        let openings = requests - self.exhausted;
        let mean_over_time = |level: Level| level.integral_until(end_ns) as f64 / (end_ns - self.since_ns) as f64;
        let operations = Operation::ALL.into_iter().zip(&self.operations);
        Outcome {
            seed,
            duration_s,
            openings,
            exhausted: Chance { hits: self.exhausted, trials: requests },
            exhausted_per_s: self.exhausted as f64 / duration_s,
            given_up: self.given_up,
            attempts: Attempts::of_counts(self.attempts),
            shared_sessions: Chance { hits: self.shared, trials: openings },
            shared_sessions_per_day: self.shared as f64 * DAY_S / duration_s,
            shared_sessions_expected: self.shared_expected,
            shared_sessions_expected_per_day: self.shared_expected * DAY_S / duration_s,
            reservations_ended: self.reservations_ended,
            deleted: self.deleted,
            abandoned: self.abandoned,
            active_sessions: mean_over_time(self.active),
            fill: self.fill,
            operations: operations
                .map(|(operation, counted)| counted.outcome(operation, in_flight(operation), duration_s))
                .collect(),
            utilisation: mean_over_time(self.busy) / f64::from(parameters.server.cores),
            requests_in_system: mean_over_time(self.present),
            events: self.events,
        }
    }
}

impl Counted {
    fn outcome(&self, operation: Operation, in_flight: u64, duration_s: f64) -> OperationOutcome {
        let count = self.times.len();
        let us = |ns: u64| ns as f64 / 1e3;
        let at = |share: f64| us(self.times.value_at_quantile(share));
        let response = (count > 0).then(|| Response {
            count,
            mean_us: self.sum_ns as f64 / count as f64 / 1e3,
            p50_us: at(0.5),
            p90_us: at(0.9),
            p99_us: at(0.99),
            p99_9_us: at(0.999),
            max_us: us(self.times.max()),
        });
        let throughput_per_s = count as f64 / duration_s;
        OperationOutcome { operation, sent: self.sent, answered: self.answered, in_flight, throughput_per_s, response }
    }
}

impl Level {
    pub(super) fn up(&mut self, now_ns: u64) {
        self.integral = self.integral_until(now_ns);
        self.changed_ns = now_ns;
        self.value += 1;
    }

    pub(super) fn down(&mut self, now_ns: u64) {
        self.integral = self.integral_until(now_ns);
        self.changed_ns = now_ns;
        self.value -= 1;
    }

    fn begin(&mut self, now_ns: u64) {
        self.integral = 0;
        self.changed_ns = now_ns;
    }

    fn integral_until(&self, now_ns: u64) -> u128 {
        self.integral + u128::from(self.value) * u128::from(now_ns - self.changed_ns)
    }
}
