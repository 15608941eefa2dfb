//! `loadgen compare`: two servers in turns, or the folders of two runs.

use super::gate::GATE_OUTPUTS;
use super::{reports_folder, stop_on_signal};
use crate::compare::contender::Contender;
use crate::compare::{DEFAULT_MIX, Order, compare};
use crate::lab::clean_up::announce;
use crate::print::stdout;
use anyhow::{Context, bail};
use clap::Args;
use contract::DEFAULT_PATH_TEMPLATE;
use engine::scenario::Mix;
use record::comparison;
use record::comparison::{Comparison, Side};
use report::gate::gates::{TurnLoad, number_of_starts};
use report::gate::{runs, told};
use stats::ratio::starts::DEFAULT_STARTS;
use std::path::{Path, PathBuf};
use std::time::Duration;
use tokio_util::sync::CancellationToken;

/// What the exit code means, for `--help`.
pub const EXIT_CODES: &str = "Exit codes: 0 compared · 1 a wrong answer, a server that failed, or a verdict that is worse · 2 wrong usage, a server cannot be loaded, or documents may be left on one · 3 interrupted";

/// Arguments of `compare`.
#[derive(Args, Debug)]
pub struct Arguments {
    /// The baseline: documented, hardened, a URL, a program that takes --listen and --saves, or a run's folder
    #[arg(value_name = "A")]
    a: String,
    /// What is held to it: the same
    #[arg(value_name = "B")]
    b: String,
    /// How long all turns together may take
    #[arg(long, value_name = "TIME", default_value = "30s", value_parser = humantime::parse_duration)]
    duration: Duration,
    /// Users at once
    #[arg(long, value_name = "N", default_value_t = TurnLoad::default().users, value_parser = clap::value_parser!(u32).range(1..=10_000))]
    users: u32,
    /// What they do
    #[arg(long, value_name = "WEIGHTS", default_value = DEFAULT_MIX)]
    mix: Mix,
    /// How often both are started anew, at most [default: 20 if both can be started, 1 if one is at a URL]
    #[arg(long, value_name = "N", value_parser = number_of_starts)]
    starts: Option<usize>,
    #[command(flatten)]
    servers: Servers,
}

/// Arguments about two servers.
#[derive(Args, Debug)]
// No group of its own: two commands have these.
#[group(skip)]
pub(super) struct Servers {
    /// The paths of servers that are there, {op} standing for the operation
    #[arg(long, value_name = "TEMPLATE", default_value = DEFAULT_PATH_TEMPLATE)]
    path_template: String,
    /// Go on though a server that is there holds documents
    #[arg(long)]
    yes: bool,
    /// Seed of all randomness of the harness [default: a random one, printed]
    #[arg(long, value_name = "N")]
    seed: Option<u64>,
    /// Folder for the run's files [default: reports/<UTC time>-compare]
    #[arg(long, value_name = "DIR")]
    out: Option<PathBuf>,
}

impl Servers {
    pub(super) fn seed(&self) -> u64 {
        self.seed.unwrap_or_else(rand::random)
    }

    pub(super) fn folder(&self) -> anyhow::Result<PathBuf> {
        reports_folder(self.out.clone(), "compare", &[&[comparison::NAME], &GATE_OUTPUTS[..]].concat())
    }

    /// Loads two servers in turns until it is decided, or the time is up, and writes the comparison down.
    pub(super) fn in_turns(
        &self,
        [a, b]: [&str; 2],
        load: &TurnLoad,
        mix: Mix,
        out: &Path,
        is_decided: &(dyn Fn(&Comparison) -> bool + Sync),
    ) -> anyhow::Result<Comparison> {
        let contender = |text: &str| Contender::of(text, &self.path_template).map_err(anyhow::Error::msg);
        let contenders = [contender(a).context("A")?, contender(b).context("B")?];
        let seed = self.seed();
        let starts = starts(load.starts, &contenders)?;
        let [a, b] = [contenders[0].name(a), contenders[1].name(b)];
        let order = Order { a, b, load: load.clone(), mix, starts, seed };
        let runtime = tokio::runtime::Builder::new_multi_thread().worker_threads(1).enable_all().build()?;
        let comparison = runtime.block_on(async {
            let stop = CancellationToken::new();
            tokio::spawn(stop_on_signal(stop.clone()));
            let start = async |side: Side| {
                let (contender, log) = match side {
                    Side::A => (&contenders[0], "server-a.log"),
                    Side::B => (&contenders[1], "server-b.log"),
                };
                contender.ready(&out.join(log), seed, self.yes).await
            };
            let keep = |comparison: &Comparison| {
                let written = comparison.write(out);
                written.with_context(|| format!("cannot write the comparison to {}", out.display()))?;
                announce(&stop, out);
                Ok(())
            };
            compare(&order, &start, is_decided, &keep, &stop).await
        })?;
        Ok(comparison)
    }
}

/// How often both are started.
fn starts(asked: Option<usize>, contenders: &[Contender; 2]) -> anyhow::Result<usize> {
    match (asked, contenders.iter().all(Contender::can_be_started)) {
        (Some(starts @ 2..), false) => bail!(
            "a server at a URL cannot be started {starts} times: give documented, hardened or a command for both A and B, or \
             ask for 1 start"
        ),
        (Some(starts), _) => Ok(starts),
        (None, true) => Ok(DEFAULT_STARTS),
        (None, false) => Ok(1),
    }
}

/// Runs `compare`; answers the exit code.
///
/// # Errors
/// Where the arguments do not fit, or a server cannot be loaded.
pub fn run(arguments: &Arguments) -> anyhow::Result<u8> {
    let names = [arguments.a.as_str(), arguments.b.as_str()];
    if names.iter().all(|name| Path::new(name).is_dir()) {
        let [a, b] = names.map(Path::new);
        let told = runs::compare(a, b).map_err(anyhow::Error::msg)?;
        crate::print::text(&told.text);
        return Ok(u8::from(told.is_worse));
    }
    let Arguments { users, mix, duration: at_most, starts, .. } = *arguments;
    let load = TurnLoad { users, at_most, starts, ..TurnLoad::default() };
    let out = arguments.servers.folder()?;
    let comparison = arguments.servers.in_turns(names, &load, mix, &out, &|_| false)?;
    crate::print::text(&told::comparison(&comparison));
    stdout!("Seed {}; the run's files are in {}", comparison.seed, out.display());
    let is_wrong = [Side::A, Side::B].iter().any(|side| !comparison.wrong(*side).is_empty());
    Ok(match (is_wrong || !comparison.failures.is_empty(), comparison.partial) {
        (true, _) => 1,
        (false, true) => 3,
        (false, false) => 0,
    })
}
