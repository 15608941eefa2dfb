//! `loadgen run`

use super::{positive, reports_folder, stop_on_signal};
use crate::lab::Subject;
use crate::print::stderr;
use crate::reference::Protocol;
use crate::run::{HistoryUse, Order, carry_out};
use anyhow::{Context, bail};
use clap::Args;
use contract::DEFAULT_PATH_TEMPLATE;
use engine::client::{Patience, Target};
use engine::scenario::{Arrivals, Load, MOST_USERS, Mix, Pacing, Plan, Scenario, Shape, Sizes, Stage, Think};
use record::files::OUTPUTS;
use report::objective::Objective;
use report::run::terminal;
use std::net::SocketAddr;
use std::path::PathBuf;
use std::time::Duration;
use tokio_util::sync::CancellationToken;

/// The scenarios, and what the exit code means, for `--help`.
#[must_use]
pub fn after_help() -> String {
    let scenarios: Vec<String> =
        Scenario::ALL.iter().map(|scenario| format!("  {scenario:<13} {}", scenario.description())).collect();
    format!(
        "Scenarios:\n{}\nExit codes: 0 as expected · 1 wrong answers, or more errors than allowed · 2 wrong usage, or the target cannot be loaded · 3 the run \
         is not valid, was interrupted, or may have left documents on the target",
        scenarios.join("\n")
    )
}

/// Users where none are given.
const DEFAULT_USERS: u32 = 100;

/// How long a run takes where nothing is said, and which part of it comes before as a warm-up, within these limits.
const DEFAULT_DURATION: Duration = Duration::from_secs(30);
const WARM_UP_SHARE: u32 = 10;
const LEAST_WARM_UP: Duration = Duration::from_secs(1);
const MOST_WARM_UP: Duration = Duration::from_secs(10);

/// Arrivals a second that a search begins with where no rate is given.
const FIRST_RATE_PER_S: f64 = 200.0;

/// Share of the operations that may fail if nothing is said about it.
const ERRORS_ALLOWED: f64 = 0.01;

/// Arguments of `run`.
#[derive(Args, Debug)]
#[allow(clippy::struct_excessive_bools, reason = "flags of a command line")]
pub struct Arguments {
    /// What the users do; see below
    #[arg(long, value_name = "NAME", default_value = "journey")]
    scenario: Scenario,
    /// Users, each with a connection of its own [default: 100]
    #[arg(long, value_name = "N", value_parser = clap::value_parser!(u32).range(1..=i64::from(MOST_USERS)))]
    users: Option<u32>,
    /// Turns that begin a second, whatever the server does (an open load). Without it each user begins its next turn when
    /// the one before has ended (a closed load)
    #[arg(long, value_name = "R", value_parser = positive)]
    rate: Option<f64>,
    /// How arrivals are spaced: constant or poisson
    #[arg(long, value_name = "HOW", default_value = "poisson")]
    arrivals: Arrivals,
    /// How long is measured [default: 30s, or what the stages take]
    #[arg(long, value_name = "TIME", value_parser = humantime::parse_duration, conflicts_with = "stages")]
    duration: Option<Duration>,
    /// A stage: ramp:30s:1000, hold:60s, spike:5s:5000, soak:10m. Levels are arrivals a second with --open, users without;
    /// may be given again
    #[arg(long = "stage", value_name = "STAGE")]
    stages: Vec<Stage>,
    /// The levels of --stage are arrivals a second
    #[arg(long, requires = "stages", conflicts_with = "rate")]
    open: bool,
    /// How long the load runs before anything is measured [default: a tenth of the run, from 1s to 10s]
    #[arg(long, value_name = "TIME", value_parser = humantime::parse_duration)]
    warm_up: Option<Duration>,
    /// How long users think between turns: none, 100ms, or exp:100ms for a random time of that mean
    #[arg(long, value_name = "TIME", default_value = "none")]
    think: Think,
    /// Each user begins a turn so often by its own clock, whether or not the one before was answered soon
    #[arg(long, value_name = "TIME", value_parser = humantime::parse_duration, conflicts_with_all = ["rate", "open", "think"])]
    pace: Option<Duration>,
    /// Size of documents: 2700, or 1000..100000 for a range in which each order of magnitude is as likely
    #[arg(long, value_name = "SIZE", default_value_t = Sizes::default())]
    document_bytes: Sizes,
    /// Weights of the turns of mixed, and of restores and saves in same-session
    #[arg(long, value_name = "WEIGHTS", default_value_t = Mix::default())]
    mix: Mix,
    /// Look for the highest rate that keeps this, such as 'save p99 < 50ms, wrong = 0'
    #[arg(long, value_name = "OBJECTIVE", conflicts_with_all = ["stages", "pace"])]
    objective: Option<Objective>,
    /// Share of the operations that may fail, such as 1% or 0.01; if more do, the exit code is 1. Turns that users missed
    /// because the target did not respond count as failed [default: 1%, or what the objective says]
    #[arg(long, value_name = "SHARE", value_parser = share)]
    errors_allowed: Option<f64>,
    /// Protocol of the embedded reference server
    #[arg(long, value_enum, default_value_t = Protocol::Hardened, conflicts_with = "target")]
    protocol: Protocol,
    /// Load the server at this URL instead
    #[arg(long, value_name = "URL")]
    target: Option<String>,
    /// The target's paths, {op} standing for the operation
    #[arg(long, value_name = "TEMPLATE", default_value = DEFAULT_PATH_TEMPLATE, requires = "target")]
    path_template: String,
    /// Go on though the target holds documents
    #[arg(long, requires = "target")]
    yes: bool,
    /// How long an answer is waited for
    #[arg(long, value_name = "TIME", default_value = "10s", value_parser = humantime::parse_duration)]
    patience: Duration,
    /// Threads of the generator [default: one a processor]
    #[arg(long, value_name = "N", value_parser = clap::value_parser!(u32).range(1..=256))]
    threads: Option<u32>,
    /// Seed of all randomness of the plan [default: a random one, printed]
    #[arg(long, value_name = "N")]
    seed: Option<u64>,
    /// Folder for the run's files [default: reports/<UTC time>-<scenario>]
    #[arg(long, value_name = "DIR")]
    out: Option<PathBuf>,
    /// Do not write every operation down
    #[arg(long)]
    no_history: bool,
    /// Leave the history to check-history: do not judge it when the load has ended
    #[arg(long)]
    no_judge: bool,
    /// Do not find out first how fast the generator itself is
    #[arg(long)]
    no_ceiling: bool,
    /// Show nothing while it runs
    #[arg(long)]
    quiet: bool,
    /// Serve a page at this address on which the run can be watched; port 0 takes any free one, and where it is comes on
    /// standard error. Whoever reaches the address can read it
    #[arg(long, value_name = "ADDRESS", value_parser = address)]
    live: Option<SocketAddr>,
}

/// Runs `run`; answers the exit code.
///
/// # Errors
/// Where the arguments do not fit, or the target cannot be loaded.
pub fn run(arguments: Arguments) -> anyhow::Result<u8> {
    let out = reports_folder(arguments.out.clone(), arguments.scenario.name(), &OUTPUTS)?;
    let order = order(arguments, out)?;
    let runtime = tokio::runtime::Builder::new_multi_thread().worker_threads(1).enable_all().build()?;
    let report = runtime.block_on(async {
        let stop = CancellationToken::new();
        tokio::spawn(stop_on_signal(stop.clone()));
        carry_out(&order, &stop).await
    })?;
    // A reader that went away early (`| head`) has seen enough; the report is in its folder.
    crate::print::text(&terminal::render(&report, &order.out));
    Ok(report.exit_code())
}

fn order(arguments: Arguments, out: PathBuf) -> anyhow::Result<Order> {
    let plan = plan(&arguments)?;
    let subject = match &arguments.target {
        None => Subject::Embedded(arguments.protocol),
        Some(url) => Subject::Server {
            target: Box::new(
                Target::new(url, &arguments.path_template).map_err(anyhow::Error::msg).context("--target")?,
            ),
            saves: None,
            consent: arguments.yes,
        },
    };
    let (share, is_search) = (arguments.errors_allowed.unwrap_or(ERRORS_ALLOWED), arguments.objective.is_some());
    let processors = std::thread::available_parallelism().map_or(1, |count| u32::try_from(count.get()).unwrap_or(1));
    Ok(Order {
        threads: arguments.threads.unwrap_or(processors).min(plan.most_users()),
        out,
        plan,
        subject,
        patience: Patience { answer: arguments.patience, ..Patience::default() },
        history: match (arguments.no_history, arguments.no_judge) {
            (true, _) => HistoryUse::None,
            (false, true) => HistoryUse::Kept,
            (false, false) => HistoryUse::Judged,
        },
        knows_ceiling: !arguments.no_ceiling,
        objective: arguments.objective.map(|objective| with_bound(objective, share, arguments.quiet)),
        errors_allowed: (!is_search).then_some(share),
        is_quiet: arguments.quiet,
        live: arguments.live,
    })
}

/// The objective, with a clause on errors.
fn with_bound(objective: Objective, share: f64, is_quiet: bool) -> Objective {
    if objective.bounds_errors() {
        return objective;
    }
    let objective = objective.with_errors_below(share);
    if !is_quiet {
        stderr!("The objective had no clause on errors. It is now: {objective}");
    }
    objective
}

fn plan(arguments: &Arguments) -> anyhow::Result<Plan> {
    let rate = arguments.rate.or(arguments.objective.as_ref().map(|_| FIRST_RATE_PER_S));
    let is_open = rate.is_some() || arguments.open;
    if rate.is_some() && !arguments.stages.is_empty() {
        bail!(
            "--rate and --stage each say how much is sent: give one of them (with --open, stages are arrivals a second)"
        );
    }
    let duration = arguments.duration.unwrap_or(DEFAULT_DURATION);
    let users = arguments.users.unwrap_or(DEFAULT_USERS);
    let shape = if arguments.stages.is_empty() {
        Shape::constant(rate.unwrap_or(f64::from(users)), us(duration))
    } else {
        Shape::of_stages(&arguments.stages).map_err(anyhow::Error::msg).context("--stage")?
    };
    let users = match arguments.users {
        None if !is_open && !arguments.stages.is_empty() => whole_users(shape.peak()),
        _ => users,
    };
    let measured = Duration::from_micros(shape.end_us());
    let warm_up = arguments.warm_up.unwrap_or((measured / WARM_UP_SHARE).clamp(LEAST_WARM_UP, MOST_WARM_UP));
    let stages = shape.after_warm_up(us(warm_up));
    let load = if is_open {
        Load::Open { stages, arrivals: arguments.arrivals }
    } else {
        Load::Closed { stages, pacing: arguments.pace.map_or(Pacing::Think, |pace| Pacing::Pace(us(pace))) }
    };
    let plan = Plan {
        seed: arguments.seed.unwrap_or_else(rand::random),
        scenario: arguments.scenario,
        users,
        load,
        think: arguments.think,
        sizes: arguments.document_bytes,
        mix: arguments.mix,
    };
    plan.check().map_err(anyhow::Error::msg)?;
    Ok(plan)
}

fn address(text: &str) -> Result<SocketAddr, String> {
    text.parse().map_err(|_| "give an address and a port, such as 127.0.0.1:8100, or [::1]:0 for any port".to_owned())
}

/// A share: 1% or 0.01.
fn share(text: &str) -> Result<f64, String> {
    let number = |text: &str| text.trim().parse::<f64>().ok();
    let share = text.strip_suffix('%').map_or_else(|| number(text), |percent| number(percent).map(|of| of / 100.0));
    share
        .filter(|share| (0.0..=1.0).contains(share))
        .ok_or_else(|| "give a share from 0 to 1, such as 1% or 0.01".into())
}

fn us(time: Duration) -> u64 {
    u64::try_from(time.as_micros()).unwrap_or(u64::MAX)
}

/// As many users as the highest level takes.
#[allow(clippy::cast_possible_truncation, clippy::cast_sign_loss, reason = "what is out of range the plan refuses")]
fn whole_users(peak: f64) -> u32 {
    peak.ceil() as u32
}
