//! Each figure of "Performance Characteristics" beside what was measured.

use super::Verdict;
use super::measured::{AtFill, CONFIDENCE, Counts, Drained, Holds, Measured, Run, SLOW_MS, Saves, Subject};
use stats::keys::THREE_CHARACTER_KEYS;
use stats::statistics::Interval;

/// "Recommended max: 10,000 concurrent sessions (< 25% utilization)"
pub const RECOMMENDED_MAX: usize = 10_000;
const MOST_UTILIZATION: f64 = 0.25;

/// "Hard limit: 45,000 sessions", and "Exhaustion point: ~45,000 active sessions"
pub const HARD_LIMIT: usize = 45_000;

/// "~45,000", within 5 %: as loadgen judges K5.
const EARLIEST_EXHAUSTION: usize = 42_750;

/// The share of refused requests that counts as exhaustion, and the share of slow ones that a worst case may have: as
/// loadgen judges K5 and K4.
const ONE_PERCENT: f64 = 0.01;

/// The share of refused requests up to which a fill can still be worked at: as loadgen judges P6.
const MOST_REFUSED: f64 = 0.05;

/// "Average case: 1-2 attempts (< 1ms)"
const AVERAGE_ATTEMPTS: f64 = 2.0;
const AVERAGE_MS: f64 = 1.0;

/// "Worst case: 100 attempts"
const WORST_ATTEMPTS: u32 = 100;

/// "`flock()` overhead: < 1ms"
const LOCK_MS: f64 = 1.0;

/// "Throughput: 100+ ops/sec per session"
const SAVES_A_SECOND: f64 = 100.0;

const NS_IN_MS: f64 = 1e6;
const NS_IN_S: f64 = 1e9;

/// A figure, and what became of it.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Row {
    /// As the specification has it.
    pub documented: String,
    /// The protocol, where it makes a difference.
    pub subject: Option<Subject>,
    /// What was measured, in words.
    pub measured: String,
    /// What is said of it.
    pub verdict: Verdict,
    /// What it is about.
    pub about: About,
}

/// What a figure is about, and so what it means when it does not hold.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum About {
    /// A time that should be kept. A machine that pauses can break it, so in a short run it is only told.
    Time,
    /// What is known not to hold everywhere, or follows from what must be as the closed form has it: it is told.
    Told,
    /// That nothing is lost or made up, which must hold whatever the machine does.
    Integrity,
}

impl Row {
    /// Whether a bench with this row must fail.
    #[must_use]
    pub fn fails(&self, is_short: bool) -> bool {
        self.verdict == Verdict::DoesNotHold
            && match self.about {
                About::Time => !is_short,
                About::Told => false,
                About::Integrity => true,
            }
    }
}

/// All figures, in the specification's order.
#[must_use]
pub fn rows(run: &Run) -> Vec<Row> {
    let by_subject = |figure: fn(&Run, Subject) -> Row| Subject::ALL.map(|subject| figure(run, subject));
    [
        &by_subject(|run, subject| average_attempts(run, subject, RECOMMENDED_MAX))[..],
        &by_subject(|run, subject| average_attempts(run, subject, HARD_LIMIT)),
        &by_subject(|run, subject| average_time(run, subject, RECOMMENDED_MAX)),
        &by_subject(|run, subject| average_time(run, subject, HARD_LIMIT)),
        &by_subject(worst_attempts),
        &by_subject(worst_time),
        &[worst_look(run)],
        &by_subject(exhaustion),
        &[flock_overhead(run)],
        &holds(run),
        &by_subject(throughput),
        &[all_keys(run)],
        &by_subject(recommended_max),
        &by_subject(hard_limit),
    ]
    .concat()
}

/// A figure of which nothing is known yet.
fn row(documented: impl Into<String>, subject: impl Into<Option<Subject>>, about: About) -> Row {
    let (documented, subject) = (documented.into(), subject.into());
    Row { documented, subject, measured: "–".to_owned(), verdict: Verdict::NotMeasured, about }
}

impl Row {
    /// With what came out, if anything did.
    fn judged(self, outcome: Option<(String, Verdict)>) -> Self {
        match outcome {
            Some((measured, verdict)) => Self { measured, verdict, ..self },
            None => self,
        }
    }
}

impl Run {
    fn at(&self, subject: Subject, used_keys: usize) -> Option<&AtFill> {
        self.fills.iter().find(|at| at.subject == subject && at.used_keys == used_keys && at.counts.requests > 0)
    }

    /// What all requests of a protocol for keys came to, at every fill.
    fn counts(&self, subject: Subject) -> Counts {
        let of_subject = self.fills.iter().filter(|at| at.subject == subject);
        of_subject.fold(Counts::default(), |counts, at| counts.and(at.counts))
    }
}

fn average_attempts(run: &Run, subject: Subject, used_keys: usize) -> Row {
    let measured = run.at(subject, used_keys).and_then(|at| at.attempts);
    let judge = |attempts: Measured| {
        (with_interval(&attempts, 1.0, "attempts"), Verdict::at_most(attempts.interval, AVERAGE_ATTEMPTS))
    };
    row(format!("1-2 attempts on average (at {used_keys} keys)"), subject, About::Told).judged(measured.map(judge))
}

fn average_time(run: &Run, subject: Subject, used_keys: usize) -> Row {
    let measured = run.at(subject, used_keys).and_then(|at| at.time_ns);
    row(format!("< 1 ms on average (at {used_keys} keys)"), subject, About::Time)
        .judged(measured.map(|time_ns| below_ms(&time_ns, AVERAGE_MS)))
}

fn below_ms(time_ns: &Measured, limit_ms: f64) -> (String, Verdict) {
    (with_interval(time_ns, NS_IN_MS, "ms"), Verdict::below(time_ns.interval, limit_ms * NS_IN_MS))
}

fn worst_attempts(run: &Run, subject: Subject) -> Row {
    let counts = run.counts(subject);
    let judge = |counts: Counts| {
        let told = format!("{} at most, of {} requests at all fills", counts.most_attempts, counts.requests);
        (told, Verdict::exactly(counts.most_attempts <= WORST_ATTEMPTS))
    };
    row("100 attempts at worst", subject, About::Integrity).judged(Some(counts).filter(is_asked).map(judge))
}

fn is_asked(counts: &Counts) -> bool {
    counts.requests > 0
}

fn worst_time(run: &Run, subject: Subject) -> Row {
    let full = run.at(subject, THREE_CHARACTER_KEYS).filter(|at| at.counts.timed > 0);
    let judge = |at: &AtFill| {
        let share = at.counts.slow_share();
        let mean = at.time_ns.map(|time_ns| with_interval(&time_ns, NS_IN_MS, "ms")).unwrap_or_default();
        let slow = format!("{mean}; {} of {} took {SLOW_MS} ms or more", at.counts.slow, at.counts.timed);
        (format!("{slow}, {} (1 % may)", percent(share)), Verdict::below(share, ONE_PERCENT))
    };
    row("< 10 ms at worst (on a full folder)", subject, About::Time).judged(full.map(judge))
}

/// Until the folder has not changed for a while, a hardened server reads it anew to say that it is full.
fn worst_look(run: &Run) -> Row {
    row("< 10 ms at worst (on a folder that just became full)", Subject::Hardened, About::Told)
        .judged(run.look_ns.map(|look_ns| below_ms(&look_ns, SLOW_MS)))
}

/// Keys run out neither well before 45,000 sessions nor never.
fn exhaustion(run: &Run, subject: Subject) -> Row {
    let before = run.fills.iter().filter(|at| at.used_keys <= EARLIEST_EXHAUSTION).map(|at| at.used_keys).max();
    let before = before.and_then(|used_keys| run.at(subject, used_keys));
    let levels = before.zip(run.at(subject, HARD_LIMIT)).zip(run.at(subject, THREE_CHARACTER_KEYS));
    let judge = |((before, at), full): ((&AtFill, &AtFill), &AtFill)| {
        let told = [before, at, full].map(|at| format!("{} at {}", refused(at), at.used_keys)).join("; ");
        let is_late_enough = Verdict::below(before.counts.refused_share(CONFIDENCE), ONE_PERCENT);
        let comes = Verdict::at_least(full.counts.refused_share(CONFIDENCE), ONE_PERCENT);
        (told, is_late_enough.and(comes))
    };
    row("keys run out (1 % refused) at ~45,000 sessions, or later", subject, About::Told).judged(levels.map(judge))
}

fn refused(at: &AtFill) -> String {
    let Counts { requests, refused, .. } = at.counts;
    format!("{refused} of {requests} refused, {}", percent(at.counts.refused_share(CONFIDENCE)))
}

fn flock_overhead(run: &Run) -> Row {
    row("flock() overhead < 1 ms", None, About::Time).judged(run.flock_ns.map(|lock_ns| below_ms(&lock_ns, LOCK_MS)))
}

fn holds(run: &Run) -> Vec<Row> {
    let documented = "concurrent operations queued, no corruption";
    if run.holds.is_empty() {
        return vec![row(documented, None, About::Integrity)];
    }
    let judge = |holds: &Holds| {
        let Holds { by, held, counted, hold_ns } = holds;
        let time = hold_ns.map(|ns| format!("; {} each", with_interval(&ns, NS_IN_MS, "ms"))).unwrap_or_default();
        let told = format!("{by} held the lock {held} times, and counted {counted}{time}");
        (told, Verdict::exactly(held == counted && *held > 0))
    };
    run.holds.iter().map(|holds| row(documented, None, About::Integrity).judged(Some(judge(holds)))).collect()
}

fn throughput(run: &Run, subject: Subject) -> Row {
    let saves = run.saves.iter().find(|saves| saves.subject == subject);
    let judge = |(savers, ns): (usize, Measured)| {
        let rate = Interval { low: NS_IN_S / ns.interval.high, high: NS_IN_S / ns.interval.low };
        let point = NS_IN_S / ns.mean;
        let told = format!("{point:.0} saves a second ({:.0} to {:.0}) by {savers} at once", rate.low, rate.high);
        (told, Verdict::at_least(rate, SAVES_A_SECOND))
    };
    let measured = saves.and_then(|Saves { savers, save_ns, .. }| Some((*savers, (*save_ns)?)));
    row("100+ operations a second per session", subject, About::Time).judged(measured.map(judge))
}

fn all_keys(run: &Run) -> Row {
    let judge = |drained: Drained| {
        let all = drained.used_keys + drained.handed_out;
        let told =
            format!("{} in use and {} handed out until there was none: {all}", drained.used_keys, drained.handed_out);
        (told, Verdict::exactly(all == THREE_CHARACTER_KEYS))
    };
    row("46,656 combinations", Subject::Hardened, About::Integrity).judged(run.drained.map(judge))
}

fn recommended_max(run: &Run, subject: Subject) -> Row {
    let judge = |at: &AtFill| {
        let utilization = RECOMMENDED_MAX as f64 / THREE_CHARACTER_KEYS as f64;
        let told = format!("{:.1} % of the keys; {}", utilization * 100.0, refused(at));
        let is_unburdened = Verdict::below(at.counts.refused_share(CONFIDENCE), ONE_PERCENT);
        (told, Verdict::exactly(utilization < MOST_UTILIZATION).and(is_unburdened))
    };
    row("10,000 sessions are < 25 % (and 1 % refused is not reached)", subject, About::Told)
        .judged(run.at(subject, RECOMMENDED_MAX).map(judge))
}

/// "(collision probability increases)" shows in the attempts.
fn hard_limit(run: &Run, subject: Subject) -> Row {
    let attempts = |used_keys| Some(run.at(subject, used_keys)?.attempts?.mean);
    let attempts = attempts(RECOMMENDED_MAX).zip(attempts(HARD_LIMIT)).map(|(before, at)| {
        format!("; {} attempts a request, and {} at {RECOMMENDED_MAX}", significant(at), significant(before))
    });
    let judge = |at: &AtFill| {
        let told = format!("{}{}", refused(at), attempts.as_deref().unwrap_or_default());
        (told, Verdict::below(at.counts.refused_share(CONFIDENCE), MOST_REFUSED))
    };
    row("up to 45,000 sessions (at most 5 % refused)", subject, About::Told)
        .judged(run.at(subject, HARD_LIMIT).map(judge))
}

/// Such as "0.00512 ms (0.00508 to 0.00517)".
fn with_interval(measured: &Measured, scale: f64, unit: &str) -> String {
    let [mean, low, high] =
        [measured.mean, measured.interval.low, measured.interval.high].map(|value| significant(value / scale));
    format!("{mean} {unit} ({low} to {high})")
}

/// With four digits that count; of 0, with eight that do not.
#[must_use]
pub fn significant(value: f64) -> String {
    let places = (0..8).find(|places| value * 10_f64.powi(*places) >= 1_000.0).unwrap_or(8);
    format!("{value:.*}", usize::try_from(places).unwrap_or_default())
}

fn percent(share: Interval) -> String {
    format!("{:.3} to {:.3} %", share.low * 100.0, share.high * 100.0)
}
