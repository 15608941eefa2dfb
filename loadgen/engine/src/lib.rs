//! The load engine: a plan carried out on a target, and what was measured.
//!
//! A thread per processor, each with a runtime, connections, histograms and a history buffer of its own. Once a second
//! each hands over what it counted; this side merges, shows and writes that down.
//!
//! - [`run`]: the whole of it.
//! - `worker`: one thread; `turns`: its users' turns, closed or open; `user`: one user's operations, sent and graded.
//! - `recorder`: what a worker writes down. `example`: some of what went wrong. `tick`: what it uses, and how late it is.
//! - `time`: its clock. `keys`: which keys the users hold. `ended`: which sessions are over.
//! - [`ceiling`]: how fast the generator itself is. [`limits`]: what the system must allow.
//! - [`aftermath`]: what belongs to its history besides, and the verdict on it.
//! - [`certify`]: whether a run's figures may be believed. Pure.
//! - [`scenario`]: what users do, and when: the plan. Pure.
//! - [`client`]: one user's way to a server: target, connection, exchange.
//! - [`saves_folder`]: a saves folder and its files, as seen from outside.

#![deny(clippy::print_stdout, clippy::print_stderr)]

pub mod aftermath;
pub mod ceiling;
pub mod certify;
pub mod client;
mod ended;
mod example;
mod keys;
pub mod limits;
mod recorder;
pub mod saves_folder;
pub mod scenario;
mod tick;
mod time;
mod turns;
mod user;
mod worker;

#[cfg(test)]
mod tests;

use crate::client::connection::Connection;
use crate::client::ledger::Ledger;
use crate::client::wire::Buffers;
use crate::client::{Patience, Target};
use crate::scenario::{Load, Plan};
use contract::Operation;
pub use example::Example;
use hdrhistogram::Histogram;
pub use keys::Hold;
use record::figures::{OperationReport, Tally};
use record::history::HistoryWriter;
use record::run::{Turns, Window};
use recorder::Interval;
use std::collections::BTreeMap;
use std::io;
use std::sync::Arc;
use std::sync::atomic::{AtomicU64, Ordering};
use std::sync::mpsc::{Receiver, RecvTimeoutError, Sender, channel};
use std::thread::JoinHandle;
use std::time::{Duration, Instant};
use tick::Usage;
use time::RealTime;
use tokio::runtime::LocalRuntime;
use tokio_util::sync::CancellationToken;
use user::Common;
use user::name_content;
use worker::{Assignment, Worker};

/// How often it is looked whether the run is to be stopped.
const LOOK: Duration = Duration::from_millis(50);

/// Between the last user's being ready and the first one's beginning, µs: time for all workers to hear of it.
const LEAD_US: u64 = 20_000;

/// What is carried out, and on what.
#[derive(Debug)]
pub struct Setup {
    /// The plan.
    pub plan: Arc<Plan>,
    /// The target.
    pub target: Arc<Target>,
    /// How long users wait.
    pub patience: Patience,
    /// Whether the target reserves the keys that it hands out.
    pub reserves: bool,
    /// Most keys in use at the target before the run; `None` if others may use some too.
    pub keys_in_use: Option<usize>,
    /// The session that all share, where the scenario has one.
    pub shared_key: Option<String>,
    /// Where keys are entered that users still hold when the run has ended, or has failed.
    pub ledger: Arc<Ledger>,
    /// Threads that users run on.
    pub threads: u32,
    /// Where the history goes.
    pub history: Option<HistoryWriter>,
}

/// What happened within a second, all workers together.
#[derive(Debug)]
pub struct Second {
    /// Its begin, since the run's origin.
    pub start: Duration,
    /// How much of it is within what is measured.
    pub measured: Duration,
    /// How far the run is, a share of its planned length.
    pub progress: f64,
    /// By operation, as in [`Operation::ALL`]: measured operations only.
    pub tallies: [Tally; 6],
    /// How late operations were sent by the generator's own doing, µs.
    pub slip_us: Histogram<u64>,
}

impl Second {
    /// The figures of every operation that was sent, by name.
    #[must_use]
    pub fn reports(&self) -> Vec<(&'static str, OperationReport)> {
        let all = Operation::ALL.into_iter().zip(&self.tallies);
        all.map(|(operation, tally)| (operation.name(), tally.report())).filter(|(_, report)| report.sent > 0).collect()
    }
}

/// What a run gave.
#[derive(Debug)]
pub struct Measured {
    /// Which operations are measured, µs since the run's origin.
    pub window: Window,
    /// Whether it was stopped before its end.
    pub is_partial: bool,
    /// By operation, as in [`Operation::ALL`].
    pub tallies: [Tally; 6],
    /// How late operations were sent by the generator's own doing, µs.
    pub slip_us: Histogram<u64>,
    /// How late workers came to what was to be done, µs.
    pub lag_us: Histogram<u64>,
    /// Mean number of operations in flight, counted.
    pub in_flight_by_count: f64,
    /// Measured operations that were verified, by user.
    pub verified_by_user: BTreeMap<u32, u64>,
    /// Measured operations that were not, even where they were tried again, by user; those of whom there are any.
    pub failed_by_user: BTreeMap<u32, u64>,
    /// Some of what went wrong: of each thread, the first wrong answers and the first errors.
    pub examples: Vec<Example>,
    /// Arrivals that were planned within the window, and those that a user took up; none with a closed load.
    pub arrivals: Option<Arrivals>,
    /// Turns within the window; none with an open load.
    pub turns: Option<Turns>,
    /// Threads that users ran on.
    pub threads: u32,
    /// Processor time of the whole process within the window, s.
    pub cpu_s: f64,
    /// Processor time of the threads that users ran on, within the window, s.
    pub threads_cpu_s: f64,
    /// Share of the window that the busiest of these threads was computing.
    pub busiest_thread_share: f64,
    /// Most memory at any time, bytes.
    pub peak_rss_bytes: u64,
    /// What the users took of it, bytes each.
    pub rss_bytes_per_user: u64,
    /// Size of the compressed history, bytes.
    pub history_bytes: u64,
    /// Keys that users still hold.
    pub held: Vec<(String, Hold)>,
    /// Most keys that can be in use at the target, if that is known and less than half of all.
    pub keys_in_use: Option<usize>,
}

/// Arrivals of an open load within what was measured.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Arrivals {
    /// As the plan says.
    pub planned: u64,
    /// Taken up before the end.
    pub taken: u64,
}

/// Carries a plan out; `observe` is called for every second. When `stop` is cancelled, users finish what is under way,
/// and what was measured until then is returned.
///
/// # Errors
/// Where a thread cannot be set up, or the history not be written.
pub fn run(setup: Setup, stop: &CancellationToken, observe: &mut dyn FnMut(&Second)) -> io::Result<Measured> {
    let origin = Instant::now();
    let (memory_before, _) = limits::memory_bytes();
    let users = u64::from(setup.plan.most_users().max(1));
    let common = Common::new(Arc::clone(&setup.target), setup.reserves, setup.shared_key.clone(), setup.plan.seed);
    let common = Arc::new(common.with_keys_in_use(setup.keys_in_use));
    let ledger = Arc::clone(&setup.ledger);
    let measured = perform(setup, origin, &common, stop, observe);
    let held = common.keys.held();
    held.iter().for_each(|(key, hold)| hold.enter(key, &ledger));
    let mut measured = measured?;
    let (_, peak) = limits::memory_bytes();
    measured.peak_rss_bytes = peak;
    measured.rss_bytes_per_user = peak.saturating_sub(memory_before) / users;
    measured.held = held;
    measured.keys_in_use = common.keys.most_in_use();
    Ok(measured)
}

/// The run itself; what it took and what users hold is entered afterwards.
fn perform(
    setup: Setup,
    origin: Instant,
    common: &Arc<Common>,
    stop: &CancellationToken,
    observe: &mut dyn FnMut(&Second),
) -> io::Result<Measured> {
    let end_us = Arc::new(AtomicU64::new(u64::MAX));
    let (crew, intervals) = Crew::hire(&setup, origin, common, &end_us)?;
    let start_us = elapsed_us(origin) + LEAD_US;
    let window = Window { from_us: start_us + setup.plan.warm_up_us(), to_us: start_us + setup.plan.end_us() };
    end_us.store(window.to_us, Ordering::Relaxed);
    crew.begin(start_us, window);
    let mut gathered = Gathered::new(origin, start_us, window);
    gathered.until_all_are_done(&crew, &intervals, &end_us, stop, observe);
    crew.dismiss()?;
    let history_bytes = setup.history.map_or(Ok(0), HistoryWriter::finish)?;
    let mut measured = gathered.measured(&setup.plan, setup.threads, end_us.load(Ordering::Relaxed));
    measured.history_bytes = history_bytes;
    Ok(measured)
}

fn elapsed_us(origin: Instant) -> u64 {
    u64::try_from(origin.elapsed().as_micros()).unwrap_or(u64::MAX)
}

/// The workers' threads.
struct Crew {
    members: Vec<Member>,
}

struct Member {
    go: Sender<(u64, Window)>,
    emptied: Sender<Box<Interval>>,
    thread: JoinHandle<io::Result<()>>,
}

impl Crew {
    /// Starts the threads, and waits until all users are ready.
    fn hire(
        setup: &Setup,
        origin: Instant,
        common: &Arc<Common>,
        end_us: &Arc<AtomicU64>,
    ) -> io::Result<(Self, Receiver<Box<Interval>>)> {
        let (out, intervals) = channel();
        let (ready, readiness) = channel();
        let mut members = Vec::new();
        for shard in 0..setup.threads {
            let (go, begin) = channel();
            let (emptied, back) = channel();
            let assignment = Assignment {
                plan: Arc::clone(&setup.plan),
                common: Arc::clone(common),
                shard,
                shards: setup.threads,
                history: setup.history.as_ref().map(HistoryWriter::sender),
                out: out.clone(),
                emptied: back,
                end_us: Arc::clone(end_us),
            };
            let (target, patience, ready) = (Arc::clone(&setup.target), setup.patience, ready.clone());
            let work = move || {
                let outcome = work(assignment, origin, &target, patience, &ready, &begin);
                // Where it never came to be ready, nobody waits for it in vain; else nobody listens any more.
                let _ = ready.send(false);
                outcome
            };
            let thread = std::thread::Builder::new().name(format!("load-{shard}")).spawn(work)?;
            members.push(Member { go, emptied, thread });
        }
        let crew = Self { members };
        let are_ready = readiness.iter().take(crew.members.len()).filter(|is_ready| *is_ready).count();
        if are_ready < crew.members.len() {
            crew.dismiss()?;
            return Err(io::Error::other("a thread of the generator ended before it was ready"));
        }
        Ok((crew, intervals))
    }

    fn begin(&self, start_us: u64, window: Window) {
        for member in &self.members {
            // One that is gone says why when it is dismissed.
            let _ = member.go.send((start_us, window));
        }
    }

    fn are_done(&self) -> bool {
        self.members.iter().all(|member| member.thread.is_finished())
    }

    /// Gives an emptied interval to whoever has need of it next.
    fn give_back(&self, interval: Box<Interval>, count: usize) {
        if let Some(member) = self.members.get(count % self.members.len().max(1)) {
            let _ = member.emptied.send(interval);
        }
    }

    /// Waits for all threads: none goes on loading the target when another has failed.
    fn dismiss(self) -> io::Result<()> {
        let end = |member: Member| {
            drop(member.go);
            member.thread.join().unwrap_or_else(|_| Err(io::Error::other("a thread of the generator panicked")))
        };
        let ends: Vec<io::Result<()>> = self.members.into_iter().map(end).collect();
        ends.into_iter().collect()
    }
}

/// One worker, from its thread's begin to its end.
fn work(
    assignment: Assignment,
    origin: Instant,
    target: &Arc<Target>,
    patience: Patience,
    ready: &Sender<bool>,
    begin: &Receiver<(u64, Window)>,
) -> io::Result<()> {
    let runtime: LocalRuntime =
        tokio::runtime::Builder::new_current_thread().enable_all().build_local(<_>::default())?;
    runtime.block_on(async {
        let time = RealTime::new(origin)?;
        tokio::task::spawn_local(time.clone().drive());
        let buffers = if assignment.plan.users < limits::MANY_USERS { Buffers::Growing } else { Buffers::Small };
        let connect = |user: u32| Connection::new(target.process_of(user as usize), patience, buffers);
        let worker = Worker::set_up(assignment, time, connect).await;
        // Whoever waits for these outlives the worker, or wants it to end.
        if ready.send(true).is_ok()
            && let Ok((start_us, window)) = begin.recv()
        {
            worker.run(start_us, window).await;
        }
        Ok(())
    })
}

/// What was gathered from all workers.
struct Gathered {
    origin: Instant,
    start_us: u64,
    window: Window,
    /// Seconds that not all workers have reported yet, and how many have.
    open: BTreeMap<u64, (usize, Box<Interval>)>,
    total: Interval,
    /// Of each worker, what it used within the window.
    usage: Vec<Option<[Usage; 2]>>,
    process: [Option<Usage>; 2],
    is_partial: bool,
    received: usize,
}

impl Gathered {
    fn new(origin: Instant, start_us: u64, window: Window) -> Self {
        Self {
            origin,
            start_us,
            window,
            open: BTreeMap::new(),
            total: Interval::new(),
            usage: Vec::new(),
            process: [None, None],
            is_partial: false,
            received: 0,
        }
    }
}

impl Gathered {
    /// Takes what the workers hand over, second by second, until the last of them has ended.
    fn until_all_are_done(
        &mut self,
        crew: &Crew,
        intervals: &Receiver<Box<Interval>>,
        end_us: &AtomicU64,
        stop: &CancellationToken,
        observe: &mut dyn FnMut(&Second),
    ) {
        loop {
            match intervals.recv_timeout(LOOK) {
                Ok(interval) => {
                    let spare = self.take(interval, crew.members.len(), observe);
                    self.received += 1;
                    crew.give_back(spare, self.received);
                }
                Err(RecvTimeoutError::Disconnected) => break,
                Err(RecvTimeoutError::Timeout) if crew.are_done() => break,
                Err(RecvTimeoutError::Timeout) => {}
            }
            let now_us = elapsed_us(self.origin);
            if stop.is_cancelled() && !self.is_partial && now_us < end_us.load(Ordering::Relaxed) {
                self.is_partial = true;
                end_us.store(now_us, Ordering::Relaxed);
            }
            self.look_at_process(now_us, end_us.load(Ordering::Relaxed));
        }
        while let Ok(interval) = intervals.try_recv() {
            self.take(interval, crew.members.len(), observe);
        }
        while let Some((second, (_, interval))) = self.open.pop_first() {
            self.close(second, &interval, observe);
        }
    }

    /// Notes what the process used at the first look within the window, and at the last.
    fn look_at_process(&mut self, now_us: u64, end_us: u64) {
        if (self.window.from_us..=end_us).contains(&now_us) {
            self.process[0].get_or_insert_with(|| Usage::of_process(now_us));
            self.process[1] = Some(Usage::of_process(now_us));
        }
    }

    /// Adds an interval to its second; answers one that is not needed any more.
    fn take(&mut self, interval: Box<Interval>, workers: usize, observe: &mut dyn FnMut(&Second)) -> Box<Interval> {
        if let [Some(first), Some(last)] = interval.usage {
            self.note_usage(interval.shard, first, last);
        }
        let second = interval.second;
        let Some((reports, mut together)) = self.open.remove(&second) else {
            if workers > 1 {
                self.open.insert(second, (1, interval));
                return Box::new(Interval::new());
            }
            self.close(second, &interval, observe);
            return interval;
        };
        together.merge(&interval);
        if reports + 1 == workers {
            self.close(second, &together, observe);
            return together;
        }
        self.open.insert(second, (reports + 1, together));
        interval
    }

    fn note_usage(&mut self, shard: u32, first: Usage, last: Usage) {
        let shard = shard as usize;
        if self.usage.len() <= shard {
            self.usage.resize(shard + 1, None);
        }
        let [from, _] = self.usage[shard].unwrap_or([first, last]);
        self.usage[shard] = Some([from, last]);
    }

    /// A second is told, and added to the whole.
    fn close(&mut self, second: u64, interval: &Interval, observe: &mut dyn FnMut(&Second)) {
        self.total.merge(interval);
        let planned_us = self.window.to_us.saturating_sub(self.start_us).max(1);
        let done_us = (second + 1).saturating_mul(1_000_000).saturating_sub(self.start_us);
        let (from_us, to_us) = (second.saturating_mul(1_000_000), (second + 1).saturating_mul(1_000_000));
        let measured_us = to_us.min(self.window.to_us).saturating_sub(from_us.max(self.window.from_us));
        observe(&Second {
            start: Duration::from_secs(second),
            measured: Duration::from_micros(measured_us),
            progress: (done_us as f64 / planned_us as f64).min(1.0),
            tallies: interval.tallies.clone(),
            slip_us: interval.slip_us.clone(),
        });
    }

    fn measured(self, plan: &Plan, threads: u32, end_us: u64) -> Measured {
        let window = Window { from_us: self.window.from_us.min(end_us), to_us: end_us };
        let window_us = (window.to_us - window.from_us).max(1);
        let usage: Vec<[Usage; 2]> = self.usage.into_iter().flatten().collect();
        let shares = usage.iter().map(|[first, last]| last.share_since(first));
        let threads_cpu_us: u64 = usage.iter().map(|[first, last]| last.cpu_us - first.cpu_us).sum();
        let cpu_us = match self.process {
            [Some(first), Some(last)] => last.cpu_us - first.cpu_us,
            _ => 0,
        };
        let taken = self.total.arrivals_taken;
        let (from_us, to_us) =
            (window.from_us - self.start_us.min(window.from_us), end_us.saturating_sub(self.start_us));
        let is_open = matches!(plan.load, Load::Open { .. });
        Measured {
            window,
            is_partial: self.is_partial,
            in_flight_by_count: self.total.in_flight_area_us.cast_signed() as f64 / window_us as f64,
            turns: (!is_open).then(|| self.total.turns.report()),
            arrivals: is_open.then(|| Arrivals { planned: plan.planned_arrivals(from_us, to_us), taken }),
            threads,
            cpu_s: cpu_us as f64 / 1e6,
            threads_cpu_s: threads_cpu_us as f64 / 1e6,
            busiest_thread_share: shares.fold(0.0, f64::max),
            peak_rss_bytes: 0,
            rss_bytes_per_user: 0,
            history_bytes: 0,
            held: Vec::new(),
            keys_in_use: None,
            verified_by_user: self.total.verified_by_user,
            failed_by_user: self.total.failed_by_user,
            examples: self.total.examples,
            tallies: self.total.tallies,
            slip_us: self.total.slip_us,
            lag_us: self.total.lag_us,
        }
    }
}
