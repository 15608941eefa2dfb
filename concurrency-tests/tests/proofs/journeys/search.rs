//! Schedules that shuttle's schedulers find, written down, and taken again.

use super::model::{Finding, Scenario, Server};
use shuttle::scheduler::{
    PctScheduler, RandomScheduler, ReplayScheduler, Schedule, Scheduler, Task, TaskId, UrwRandomScheduler,
};
use shuttle::{Config, FailurePersistence, Runner};
use std::fmt;
use std::panic::{AssertUnwindSafe, catch_unwind};
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};

/// Preemptions of a schedule under [`Walk::Pct`], less one: most faults need no more than two.
const PCT_DEPTH: usize = 3;

/// Stack of a user, bytes: shuttle's own default is too small to check a history on.
const STACK_BYTES: usize = 256 * 1024;

/// How many of the things that are wrong in a schedule are told: the first is what led to the others, mostly.
const MOST_TOLD: usize = 3;

/// How the next step's user is chosen.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Walk {
    /// Each user that can go on is as likely.
    Random,
    /// One user after another, in random order, with few preemptions at random places.
    Pct,
    /// Each interleaving is as likely, as far as the lengths of the journeys are known.
    Uniform,
}

impl Walk {
    pub(crate) const ALL: [Self; 3] = [Self::Random, Self::Pct, Self::Uniform];

    /// How many schedules at the start are not of this kind: the lengths of the journeys are estimated in one that is
    /// drawn at random.
    fn warm_up(self) -> usize {
        usize::from(self == Self::Uniform)
    }

    fn scheduler(self, schedules: usize, seed: u64) -> Box<dyn Scheduler + Send> {
        match self {
            Self::Random => Box::new(RandomScheduler::new_from_seed(seed, schedules)),
            Self::Pct => Box::new(PctScheduler::new_from_seed(seed, PCT_DEPTH, schedules)),
            Self::Uniform => Box::new(UrwRandomScheduler::new_from_seed(seed, schedules)),
        }
    }
}

impl fmt::Display for Walk {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Random => f.write_str("random"),
            Self::Pct => write!(f, "PCT, depth {PCT_DEPTH}"),
            Self::Uniform => f.write_str("uniform walk"),
        }
    }
}

/// What a search has looked at.
pub(crate) struct Searched {
    pub(crate) schedules: usize,
    /// Scheduling decisions, most of them before a system call.
    pub(crate) steps: usize,
    pub(crate) found: Option<Found>,
}

/// A schedule in which something is wrong.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) struct Found {
    pub(crate) findings: Vec<Finding>,
    pub(crate) printed: Printed,
}

/// A schedule with all that it takes to run it again; printed, it is the value of `REPLAY`.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) struct Printed {
    pub(crate) scenario: Scenario,
    /// In shuttle's own notation.
    pub(crate) schedule: String,
}

impl fmt::Display for Printed {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{}: {}", self.scenario, self.schedule)
    }
}

impl Printed {
    /// Reads what [`Printed`] prints; none where it is of something else.
    pub(crate) fn parse(text: &str) -> Option<Self> {
        let (scenario, schedule) = text.trim().split_once(':')?;
        let (server, users) = scenario.rsplit_once(", ")?;
        let server = Server::ALL.into_iter().find(|one| one.to_string() == server)?;
        let users = users.strip_suffix(" users")?.parse().ok()?;
        Some(Self { scenario: Scenario { server, users }, schedule: schedule.trim().to_owned() })
    }

    /// Runs the schedule again.
    pub(crate) fn replay(&self) -> Vec<Finding> {
        let Self { scenario, schedule } = self.clone();
        let record = Arc::default();
        run(scenario, &record, move || Box::new(ReplayScheduler::new_from_encoded(&schedule)), |_| true);
        locked(&record).findings.clone()
    }
}

impl Found {
    /// What was found, and how to see it again.
    pub(crate) fn told(&self) -> String {
        let told: Vec<&str> = self.findings.iter().map(|finding| finding.text.as_str()).take(MOST_TOLD).collect();
        let more = match self.findings.len() - told.len() {
            0 => String::new(),
            more => format!("\n\n(And {more} more.)"),
        };
        format!(
            "{}{more}\n\nRun it again by:\n\nREPLAY='{}' cargo test -p concurrency-tests --test proofs -- --exact replay",
            told.join("\n\n"),
            self.printed
        )
    }
}

/// Searches until something is wrong that is `wanted`, or one of the execution itself (a panic, a deadlock).
pub(crate) fn search(
    scenario: Scenario,
    walk: Walk,
    schedules: usize,
    seed: u64,
    wanted: fn(&Finding) -> bool,
) -> Searched {
    let record = Arc::new(Mutex::new(Record { warm_up: walk.warm_up(), ..Record::default() }));
    run(scenario, &record, move || walk.scheduler(schedules + walk.warm_up(), seed), wanted);
    let record = locked(&record);
    let found = record.has(wanted).then(|| Found {
        findings: record.findings.clone(),
        printed: Printed { scenario, schedule: encoded(record.seed, &record.taken) },
    });
    Searched { schedules: record.schedules, steps: record.steps, found }
}

/// What happened last, and how much in all.
#[derive(Default)]
struct Record {
    seed: u64,
    /// Each step's user; none where a number was drawn.
    taken: Vec<Option<usize>>,
    findings: Vec<Finding>,
    /// How many schedules are left that do not count.
    warm_up: usize,
    schedules: usize,
    steps: usize,
}

impl Record {
    /// Makes ready for a schedule.
    fn begin(&mut self, seed: u64) {
        self.seed = seed;
        self.taken.clear();
        self.findings.clear();
        self.schedules += 1;
    }

    /// Ends a schedule; one of the warm-up was none.
    fn end(&mut self) {
        if self.warm_up > 0 && self.schedules > 0 {
            self.warm_up -= 1;
            let Self { schedules, steps, findings, .. } = self;
            (*schedules, *steps) = (0, 0);
            findings.clear();
        }
    }

    fn has(&self, wanted: fn(&Finding) -> bool) -> bool {
        self.findings.iter().any(|finding| finding.violation.is_none() || wanted(finding))
    }
}

fn locked(record: &Mutex<Record>) -> MutexGuard<'_, Record> {
    record.lock().unwrap_or_else(PoisonError::into_inner)
}

fn run(
    scenario: Scenario,
    record: &Arc<Mutex<Record>>,
    scheduler: impl FnOnce() -> Box<dyn Scheduler + Send>,
    wanted: fn(&Finding) -> bool,
) {
    let mut config = Config::new();
    config.stack_size = STACK_BYTES;
    // It is printed here, where the scenario is known.
    config.failure_persistence = FailurePersistence::None;
    let ran = catch_unwind(AssertUnwindSafe(|| {
        let recording = Recording { scheduler: scheduler(), record: Arc::clone(record), wanted };
        let record = Arc::clone(record);
        Runner::new(recording, config).run(move || {
            let findings = scenario.run();
            locked(&record).findings = findings;
        })
    }));
    if let Err(panic) = ran {
        let text = panic.downcast_ref::<String>().map(String::as_str).or(panic.downcast_ref::<&str>().copied());
        locked(record).findings = vec![Finding::of(text.unwrap_or("A panic without a text.").to_owned())];
    }
}

/// A scheduler, what it chose, and an end to its search when something wanted is found.
struct Recording {
    scheduler: Box<dyn Scheduler + Send>,
    record: Arc<Mutex<Record>>,
    wanted: fn(&Finding) -> bool,
}

impl Scheduler for Recording {
    fn new_execution(&mut self) -> Option<Schedule> {
        let mut record = locked(&self.record);
        record.end();
        if record.has(self.wanted) {
            // One that is dropped before its end takes that for a failure, and prints a seed.
            while self.scheduler.new_execution().is_some() {}
            return None;
        }
        let schedule = self.scheduler.new_execution()?;
        record.begin(schedule.seed);
        Some(schedule)
    }

    fn next_task(&mut self, runnable: &[&Task], current: Option<TaskId>, is_yielding: bool) -> Option<TaskId> {
        let next = self.scheduler.next_task(runnable, current, is_yielding)?;
        let mut record = locked(&self.record);
        record.taken.push(Some(next.into()));
        record.steps += 1;
        Some(next)
    }

    fn next_u64(&mut self) -> u64 {
        locked(&self.record).taken.push(None);
        self.scheduler.next_u64()
    }
}

/// A schedule in shuttle's notation, which it does not export: hexadecimal, the version, the bits of a user's number,
/// the number of steps, the seed, and then a bit 1 for a draw, a bit 0 and the user's number for a step, the lowest
/// bits first.
fn encoded(seed: u64, taken: &[Option<usize>]) -> String {
    const VERSION: u8 = 0x91;
    let most = taken.iter().flatten().max().copied().unwrap_or_default();
    let user_bits = (usize::BITS - most.leading_zeros()).max(1);
    let mut bytes = vec![VERSION];
    [u64::from(user_bits), taken.len() as u64, seed].into_iter().for_each(|number| push_number(&mut bytes, number));
    let bits = taken.iter().flat_map(|step| match step {
        None => vec![true],
        Some(user) => std::iter::once(false).chain((0..user_bits).map(|bit| user >> bit & 1 == 1)).collect(),
    });
    let bits: Vec<bool> = bits.collect();
    bytes.extend(bits.chunks(8).map(|byte| byte.iter().rev().fold(0, |byte, &bit| byte << 1 | u8::from(bit))));
    let digits = bytes.iter().flat_map(|byte| [byte >> 4, byte & 0xf]);
    digits.filter_map(|digit| char::from_digit(u32::from(digit), 16)).collect()
}

/// Seven bits a byte, the lowest first; the eighth says that there are more.
fn push_number(bytes: &mut Vec<u8>, number: u64) {
    let low = (number & 0x7f) as u8;
    match number >> 7 {
        0 => bytes.push(low),
        rest => {
            bytes.push(low | 0x80);
            push_number(bytes, rest);
        }
    }
}
