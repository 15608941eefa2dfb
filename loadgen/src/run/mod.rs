//! A load run from end to end: target, generator, figures, files.
//!
//! - [`carry_out`]: the whole of it. `loaded_target`: the target. `figures`: figures from what was measured.
//! - `aftermath`: the history judged, and what is wrong drawn.
//! - [`progress`]: what the terminal shows meanwhile; [`live`]: what a browser does.
//! - [`search`]: the highest rate at which it does. Pure.

mod aftermath;
mod figures;
pub mod live;
mod loaded_target;
pub mod progress;
pub mod search;

use crate::lab::prepared_target::{LeftBehind, leave_all};
use crate::lab::{OPENING, Subject};
use crate::print::stderr;
use anyhow::Context;
use contract::Operation;
use engine;
use engine::aftermath::opening_line;
use engine::ceiling;
use engine::ceiling::Ceiling;
use engine::client::Patience;
use engine::scenario::Plan;
use engine::{Measured, Second, Setup, limits};
use live::ending::Ending;
use live::figures::TrialUnderWay;
use live::{Live, Teller};
use loaded_target::LoadedTarget;
use progress::Progress;
use record::files::{HISTORY_FILE, HLOG_FILE};
use record::history::{HistoryHeader, HistoryWriter};
use record::hlog::{HlogWriter, SLIP_TAG, response_tag, service_tag};
use record::run::{RunReport, Search};
use report::objective::Objective;
use search::Seek;
use std::fs::File;
use std::io::{self, BufWriter};
use std::net::SocketAddr;
use std::path::PathBuf;
use std::sync::Arc;
use std::time::{Duration, SystemTime};
use tokio_util::sync::CancellationToken;

/// What is to be run.
#[derive(Debug)]
pub struct Order {
    /// Who does what, when.
    pub plan: Plan,
    /// On which server.
    pub subject: Subject,
    /// Threads that users run on.
    pub threads: u32,
    /// How long users wait.
    pub patience: Patience,
    /// What is made of the history.
    pub history: HistoryUse,
    /// Whether it is found out first how fast the generator itself is.
    pub knows_ceiling: bool,
    /// Where the run's files go.
    pub out: PathBuf,
    /// The objective whose highest rate is looked for.
    pub objective: Option<Objective>,
    /// Share of the operations that may fail; none with an objective, which says so itself.
    pub errors_allowed: Option<f64>,
    /// Whether nothing is shown while it runs.
    pub is_quiet: bool,
    /// Where it can be watched.
    pub live: Option<SocketAddr>,
}

/// What is made of a run's history.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum HistoryUse {
    /// None is kept.
    None,
    /// Every operation is written down.
    Kept,
    /// And the whole is judged when the load has ended.
    Judged,
}

impl Order {
    /// What runs, in a sentence.
    fn in_words(&self) -> String {
        let Plan { scenario, users, seed, .. } = &self.plan;
        let server = match &self.subject {
            Subject::Embedded(protocol) => format!("the reference server ({})", protocol.name()),
            Subject::Server { target, .. } => target.url().to_string(),
        };
        let plural = if *users == 1 { "" } else { "s" };
        format!("Scenario {scenario} with {users} user{plural} against {server}, seed {seed}")
    }
}

/// What a run gave, and the plan that was carried out at last.
struct Performed {
    plan: Plan,
    measured: Measured,
    search: Option<Search>,
}

/// Carries an order out, and writes the run's files. When `stop` is cancelled, what was measured until then is
/// reported.
///
/// # Errors
/// Where the target cannot be reached or may not be loaded, the live page not be served, or a file not be written.
pub async fn carry_out(order: &Order, stop: &CancellationToken) -> anyhow::Result<RunReport> {
    // First of all: nothing is loaded for a page that cannot be had.
    let live = Live::start(order.live, order.in_words())?;
    if let Some(address) = live.address() {
        // Even where nothing else is shown.
        stderr!("live: http://{address}/");
    }
    let outcome = carry_out_watched(order, &live.teller(), stop).await;
    live.end(|| Ending::of(&outcome, &order.out)).await;
    outcome
}

async fn carry_out_watched(order: &Order, live: &Teller, stop: &CancellationToken) -> anyhow::Result<RunReport> {
    limits::make_room(order.plan.users).map_err(anyhow::Error::msg)?;
    let started = SystemTime::now();
    let target = LoadedTarget::open(order).await?;
    let ceiling = know_thyself(order).await?;
    let performed = match &order.objective {
        None => perform_once(order, &target, live, stop).await,
        Some(objective) => seek(order, &target, objective, ceiling, live, stop).await,
    };
    let url = target.lab().target.url().to_string();
    if order.history == HistoryUse::Judged {
        live.judges();
    }
    // Before anything is given back: what is in the saves folder belongs to the history.
    let history = aftermath::judge(order, &target, stop).await;
    let report = performed.and_then(|performed| {
        let report = figures::of(order, &performed, ceiling, url, started);
        Ok(RunReport { history: history?, ..report })
    });
    let keep = |report: &mut RunReport, left: Vec<LeftBehind>| {
        for left in left {
            report.left_behind_command = left.command();
            report.left_behind = left.keys;
        }
        Ok(report::run::write(report, &order.out)?)
    };
    leave_all(vec![target.prepared], report, keep, &order.out, stop).await
}

/// How fast the generator is by itself.
async fn know_thyself(order: &Order) -> anyhow::Result<Option<Ceiling>> {
    if !order.knows_ceiling {
        return Ok(None);
    }
    let (plan, threads) = (order.plan.clone(), order.threads);
    let measuring = tokio::task::spawn_blocking(move || ceiling::measure(&plan, threads));
    measuring.await?.context("the generator could not be tried on a server of its own")
}

async fn perform_once(
    order: &Order,
    target: &LoadedTarget,
    live: &Teller,
    stop: &CancellationToken,
) -> anyhow::Result<Performed> {
    let plan = order.plan.clone();
    live.begins(&plan, None);
    let measured = perform(order, target, &plan, live, stop).await?;
    Ok(Performed { plan, measured, search: None })
}

/// Looks for the highest rate that keeps to the objective, and confirms it: the run that is reported is the last one.
async fn seek(
    order: &Order,
    target: &LoadedTarget,
    objective: &Objective,
    ceiling: Option<Ceiling>,
    live: &Teller,
    stop: &CancellationToken,
) -> anyhow::Result<Performed> {
    let mut seek = Seek::new(order.plan.stages().peak());
    loop {
        let (rate_per_s, is_confirming) = seek.next();
        let plan = search::plan_of_trial(&order.plan, rate_per_s, is_confirming);
        live.begins(&plan, Some(TrialUnderWay { rate_per_s, phase: seek.phase() }));
        let measured = perform(order, target, &plan, live, stop).await?;
        let trial = figures::trial(&plan, &measured, objective, ceiling, seek.phase(), rate_per_s);
        if !order.is_quiet {
            stderr!("{}", progress::trial(&trial));
        }
        live.tried(&trial);
        seek.note(trial);
        if !seek.is_over() {
            tokio::select! {
                biased;
                () = stop.cancelled() => {}
                () = target.release(&measured) => {}
            }
        }
        if seek.is_over() || stop.is_cancelled() {
            let search = seek.told(objective);
            return Ok(Performed { plan, measured, search: Some(search) });
        }
    }
}

/// One run of a plan, with the files that are written while it lasts.
async fn perform(
    order: &Order,
    target: &LoadedTarget,
    plan: &Plan,
    live: &Teller,
    stop: &CancellationToken,
) -> anyhow::Result<Measured> {
    let history = (order.history != HistoryUse::None).then(|| {
        let header = HistoryHeader::new(plan.seed, plan.warm_up_us());
        HistoryWriter::create(&order.out.join(HISTORY_FILE), &header)
    });
    let history = history.transpose()?;
    let shared_key = target.shared_key(plan).await?;
    if let (Some(history), Some(key)) = (&history, &shared_key) {
        let _ = history.sender().send(opening_line(key, OPENING, plan.seed));
    }
    let mut log = Log::create(order)?;
    let mut progress = Progress::new(plan, order.is_quiet);
    let setup = Setup {
        plan: Arc::new(plan.clone()),
        target: Arc::clone(&target.lab().target),
        patience: order.patience,
        reserves: target.lab().reserves,
        keys_in_use: target.keys_in_use(),
        shared_key,
        ledger: Arc::clone(&target.lab().ledger),
        threads: order.threads,
        history,
    };
    let (live, stop) = (live.clone(), stop.clone());
    let running = tokio::task::spawn_blocking(move || -> io::Result<Measured> {
        let measured = engine::run(setup, &stop, &mut |second| {
            log.add(second);
            let reports = second.reports();
            progress.show(second, &reports);
            live.second(second, &reports);
        })?;
        progress.finish();
        log.finish()?;
        Ok(measured)
    });
    let measured = running.await?.context("the load could not be run to its end")?;
    target.note_keys_in_use(measured.keys_in_use);
    Ok(measured)
}

/// `latency.hlog`, while it is written. Of several failures the first is told.
struct Log {
    writer: HlogWriter<BufWriter<File>>,
    outcome: io::Result<()>,
}

impl Log {
    fn create(order: &Order) -> anyhow::Result<Self> {
        let path = order.out.join(HLOG_FILE);
        let file = File::create(&path).with_context(|| format!("cannot write {}", path.display()))?;
        Ok(Self { writer: HlogWriter::new(BufWriter::new(file), SystemTime::now())?, outcome: Ok(()) })
    }

    fn add(&mut self, second: &Second) {
        if self.outcome.is_ok() {
            self.outcome = self.write(second);
        }
    }

    fn write(&mut self, second: &Second) -> io::Result<()> {
        const LENGTH: Duration = Duration::from_secs(1);
        for (operation, tally) in Operation::ALL.into_iter().zip(&second.tallies) {
            self.writer.interval(second.start, LENGTH, response_tag(operation), tally.response_us())?;
            self.writer.interval(second.start, LENGTH, &service_tag(operation), tally.service_us())?;
        }
        self.writer.interval(second.start, LENGTH, SLIP_TAG, &second.slip_us)
    }

    fn finish(self) -> io::Result<()> {
        self.outcome?;
        self.writer.finish().map(drop)
    }
}
