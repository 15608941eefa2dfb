//! `loadgen gate`

use super::compare::Servers;
use super::stop_on_signal;
use crate::claims;
use crate::compare::DEFAULT_MIX;
use crate::compare::self_test::self_test;
use crate::print::stdout;
use anyhow::{Context, anyhow, bail};
use clap::Args;
use record::files::set_aside;
use report::gate::evidence::Evidence;
use report::gate::gates::Gates;
use report::gate::judge::{Judgement, are_decided, judge};
use report::gate::words;
use std::path::{Path, PathBuf};
use tokio_util::sync::CancellationToken;

/// What the exit code means, for `--help`.
pub const EXIT_CODES: &str = "\
One folder: what verify, run and others wrote there is held to verdicts, limits and counts.
Two servers: they are loaded in turns, and held to ratios. Two folders: as one, with the counts of A as the baseline.

Exit codes: 0 all gates pass · 1 one fails · 2 wrong usage, something is missing to judge by, or documents may be left on a server · 3 inconclusive";

/// Files of the answers, for a pull request and for CI.
const MARKDOWN: &str = "gate.md";
const JUNIT: &str = "gate.xml";
pub(super) const GATE_OUTPUTS: [&str; 2] = [MARKDOWN, JUNIT];

/// Arguments of `gate`.
#[derive(Args, Debug)]
pub struct Arguments {
    /// A run's folder; or A and B as `compare` takes them
    #[arg(value_name = "DIR | A B", num_args = 1..=2, required_unless_present = "self_test")]
    subjects: Vec<String>,
    /// The file of gates
    #[arg(long, value_name = "FILE", required_unless_present = "self_test")]
    gates: Option<PathBuf>,
    /// Find out whether gates on ratios can be trusted on this machine: a server held to itself, and to a slower one
    #[arg(long, conflicts_with_all = ["subjects", "gates"])]
    self_test: bool,
    #[command(flatten)]
    servers: Servers,
}

/// Runs `gate`; answers the exit code.
///
/// # Errors
/// Where the arguments do not fit, or something is missing to judge by.
pub fn run(arguments: &Arguments) -> anyhow::Result<u8> {
    if arguments.self_test {
        return try_oneself(&arguments.servers);
    }
    let subjects: Vec<&str> = arguments.subjects.iter().map(String::as_str).collect();
    let is_folder = |name: &&str| Path::new(name).is_dir();
    // Old answers go first of all, whatever fails after that.
    let out = match subjects.last().filter(|last| is_folder(last)) {
        Some(folder) => {
            set_aside(Path::new(folder), &GATE_OUTPUTS)?;
            PathBuf::from(folder)
        }
        None => arguments.servers.folder()?,
    };
    let path = arguments.gates.as_deref().context("--gates is missing")?;
    let gates = Gates::read(path).map_err(anyhow::Error::msg)?;
    if let Some((id, _)) = gates.verdicts.iter().flatten().find(|(id, _)| claims::by_id(**id).is_none()) {
        bail!("{} is no file of gates: there is no claim \"{id}\"", path.display());
    }
    let judgement = match subjects[..] {
        [folder] => of_folder(Path::new(folder), None, &gates)?,
        [a, b] if is_folder(&a) && is_folder(&b) => of_folder(Path::new(b), Some(Path::new(a)), &gates)?,
        [a, b] => of_servers([a, b], &arguments.servers, &out, gates)?,
        _ => bail!("give a run's folder, or two servers"),
    };
    for (name, text) in [(MARKDOWN, words::markdown(&judgement)), (JUNIT, words::junit(&judgement)?)] {
        let path = out.join(name);
        std::fs::write(&path, text).with_context(|| format!("cannot write {}", path.display()))?;
    }
    // A reader that went away early (`| head`) has seen enough; the answers are in the folder.
    crate::print::text(&words::terminal(&judgement));
    Ok(judgement.exit_code())
}

fn of_folder(folder: &Path, baseline: Option<&Path>, gates: &Gates) -> anyhow::Result<Judgement> {
    let evidence = Evidence::gather(folder, baseline, gates).map_err(anyhow::Error::msg)?;
    Ok(judge(gates, &evidence, claims::ALL.len()))
}

/// Only ratios, and whether every answer was right, are judged of servers: the other gates are about a run's files.
fn of_servers(servers: [&str; 2], how: &Servers, out: &Path, gates: Gates) -> anyhow::Result<Judgement> {
    if gates.ratios.is_empty() {
        bail!("the file of gates has no [[ratio]]: two servers are held to nothing");
    }
    let mix = gates.load.mix.as_deref().unwrap_or(DEFAULT_MIX);
    let mix = mix.parse().map_err(|error| anyhow!("the file of gates, [load]: {error}"))?;
    let comparison = how.in_turns(servers, &gates.load, mix, out, &|so_far| are_decided(&gates.ratios, so_far))?;
    let others = gates.verdicts.is_some() || !gates.limits.is_empty() || gates.counts.is_some();
    let evidence = Evidence { comparison: Some(comparison), ..Evidence::default() };
    let mut judgement = judge(&Gates { ratios: gates.ratios, ..Gates::default() }, &evidence, claims::ALL.len());
    if others {
        let why = "verdicts, limits and counts: they are about the folder of a run, by loadgen gate DIR";
        judgement.left_out.push(why.to_owned());
    }
    Ok(judgement)
}

fn try_oneself(servers: &Servers) -> anyhow::Result<u8> {
    let out = servers.folder()?;
    let runtime = tokio::runtime::Builder::new_multi_thread().worker_threads(1).enable_all().build()?;
    let stop = CancellationToken::new();
    let outcome = runtime.block_on(async {
        tokio::spawn(stop_on_signal(stop.clone()));
        self_test(servers.seed(), &out, &stop).await
    })?;
    stdout!("{outcome}");
    Ok(match (stop.is_cancelled(), outcome.is_kept()) {
        (true, _) => 3,
        (false, true) => 0,
        (false, false) => 1,
    })
}
