//! `loadgen check-history`

use crate::judge::recorded::{Limits, judge_kv, judge_register};
use crate::judge::{Judged, claimcheck};
use crate::print::stdout;
use anyhow::{Context, anyhow, ensure};
use clap::{Args, ValueEnum};
use contract::visible;
use record::files::HISTORY_FILE;
use record::formats;
use record::history::{Accesses, read_history};
use report::timeline::Timeline;
use report::timeline::write_pages;
use std::path::{Path, PathBuf};
use std::time::{Duration, Instant};

pub(super) const EXIT_CODES: &str = "\
Exit codes: 0 each history is linearizable · 1 one is not · 2 wrong usage, or a file that is no history · 3 one could not \
be decided

A history of a run is judged by `run` itself; this judges it again.";

/// Exit code where a history is not linearizable, and where one is undecided.
const NOT_LINEARIZABLE: u8 = 1;
const UNDECIDED: u8 = 3;

/// Pictures that are made of one history: the others would say much the same.
const MOST_PICTURES: usize = 20;

/// Arguments of `check-history`.
#[derive(Args, Debug)]
pub struct Arguments {
    /// What the histories are written in
    #[arg(long, value_enum)]
    format: Format,
    /// Time for one history before it counts as undecided
    #[arg(long, value_name = "TIME", default_value = "60s", value_parser = humantime::parse_duration)]
    limit: Duration,
    /// Memory for one search, MB
    #[arg(long, value_name = "MB", default_value_t = 1024)]
    memory: usize,
    /// Folder for pictures of what is not linearizable [default: reports/<UTC time>-check-history]
    #[arg(long, value_name = "DIR")]
    out: Option<PathBuf>,
    /// The histories; a run's folder stands for the history in it
    #[arg(value_name = "FILE", required = true)]
    files: Vec<PathBuf>,
}

/// Formats of histories.
#[derive(Clone, Copy, Debug, ValueEnum)]
enum Format {
    /// A run's own: history.jsonl.zst
    Claimcheck,
    /// Jepsen's history of one compare-and-set register: a log, or `history.edn`. A `:fail` did not happen, but that of a
    /// compare-and-set in a log, `:fail :cas [A B]`: the register did not hold A
    JepsenRegister,
    /// EDN lines of get, put and append on a map, with `:invoke`, `:ok`, `:fail` (it did not happen) or `:info` (it may
    /// have)
    Kv,
}

/// Runs `check-history`; answers the exit code.
///
/// # Errors
/// Where a file cannot be read, or a picture not be written.
pub fn run(arguments: &Arguments) -> anyhow::Result<u8> {
    let mut checked = Checked::default();
    let mut folder = None;
    for file in &arguments.files {
        let began = Instant::now();
        let judged = judge(arguments, file).with_context(|| file.display().to_string())?;
        let took = began.elapsed();
        checked.count(&judged, took);
        stdout!("{}: {}", file.display(), in_words(&judged, took));
        judged.remarks.iter().for_each(|remark| stdout!("    {}", visible(remark)));
        if judged.counterexamples.is_empty() {
            continue;
        }
        let shown = judged.counterexamples.into_iter().take(MOST_PICTURES);
        let counterexamples: Vec<Timeline> = shown.map(|counterexample| counterexample()).collect();
        if arguments.files.len() == 1 {
            stdout!("\n{}", counterexamples[0]);
        }
        let folder = match &folder {
            Some(folder) => folder,
            None => folder.insert(super::reports_folder(arguments.out.clone(), "check-history", &[])?),
        };
        let name = file.file_stem().map_or_else(|| "history".to_owned(), |name| name.to_string_lossy().into_owned());
        for page in write_pages(folder, &name, &counterexamples)? {
            stdout!("    picture: {}", folder.join(page).display());
        }
    }
    if arguments.files.len() > 1 {
        stdout!("{checked}");
    }
    Ok(checked.exit_code())
}

/// Reads and judges one history.
fn judge(arguments: &Arguments, file: &Path) -> anyhow::Result<Judged> {
    let deadline = Instant::now() + arguments.limit;
    let mut limits = Limits {
        memory_bytes: arguments.memory.saturating_mul(1 << 20),
        must_stop: &mut || Instant::now() >= deadline,
    };
    let text = || Ok::<_, anyhow::Error>(formats::text(std::fs::read(file).context("it cannot be read")?)?);
    Ok(match arguments.format {
        Format::Claimcheck => {
            let file = if file.is_dir() { file.join(HISTORY_FILE) } else { file.to_owned() };
            let accesses = Accesses::gather(read_history(&file)?).map_err(|error| anyhow!(error))?;
            ensure!(accesses.operations > 0, "line 2 of the history: expected an operation, found its end");
            claimcheck::judge(&accesses)
        }
        Format::JepsenRegister => judge_register(&text()?, &mut limits)?,
        Format::Kv => judge_kv(&text()?, &mut limits)?,
    })
}

fn in_words(judged: &Judged, took: Duration) -> String {
    let verdict = match judged.is_linearizable {
        Some(true) => "linearizable",
        Some(false) => "NOT linearizable",
        None => "undecided",
    };
    format!("{verdict} ({} operations, {})", judged.operations, milliseconds(took))
}

fn milliseconds(took: Duration) -> String {
    format!("{:.1} ms", took.as_secs_f64() * 1e3)
}

/// What came of all histories together.
#[derive(Debug, Default)]
struct Checked {
    linearizable: u64,
    not: u64,
    undecided: u64,
    took: Duration,
}

impl Checked {
    fn count(&mut self, judged: &Judged, took: Duration) {
        self.took += took;
        *match judged.is_linearizable {
            Some(true) => &mut self.linearizable,
            Some(false) => &mut self.not,
            None => &mut self.undecided,
        } += 1;
    }

    fn exit_code(&self) -> u8 {
        match (self.not, self.undecided) {
            (1.., _) => NOT_LINEARIZABLE,
            (0, 1..) => UNDECIDED,
            (0, 0) => 0,
        }
    }
}

impl std::fmt::Display for Checked {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        let all = self.linearizable + self.not + self.undecided;
        write!(
            f,
            "{all} histories in {}: {} linearizable, {} not, {} undecided",
            milliseconds(self.took),
            self.linearizable,
            self.not,
            self.undecided
        )
    }
}
