//! The result of each row, kept in a file between runs.

use super::Outcome;
use std::any::Any;
use std::collections::BTreeMap;
use std::fmt;
use std::io::Write;
use std::panic::{AssertUnwindSafe, catch_unwind};
use std::path::PathBuf;
use std::sync::{Mutex, PoisonError};
use std::time::Instant;

/// Path of the file, instead of the default one.
const OUT: &str = "LIES_OUT";
const FILE: &str = concat!(env!("CARGO_TARGET_TMPDIR"), "/../lies.tsv");

/// What was counted in a row.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub(crate) struct Counts {
    /// One in this many opportunities to lie was taken; 0 for mishaps.
    pub(crate) each: u32,
    /// How often the lie was told before it was caught, or the mishap happened.
    pub(crate) told: u64,
    /// Requests before it was caught.
    pub(crate) requests: u64,
    /// What caught it: claims, or names with their counts.
    pub(crate) found: String,
}

/// The line of a row.
#[derive(Clone, Debug)]
struct Line {
    is_right: bool,
    counts: Counts,
    took_s: f64,
}

/// The result of each row, by its name.
#[derive(Default)]
pub(crate) struct Results {
    lines: Mutex<BTreeMap<String, Line>>,
    file: Option<PathBuf>,
}

impl Results {
    /// The results of earlier runs, to which this one adds.
    pub(crate) fn kept() -> Self {
        let file = std::env::var_os(OUT).map_or_else(|| PathBuf::from(FILE), PathBuf::from);
        let text = std::fs::read_to_string(&file).unwrap_or_default();
        // The last line about a row counts. A line that was cut off is ignored.
        let lines = text.lines().filter_map(read).collect();
        Self { lines: Mutex::new(lines), file: Some(file) }
    }

    /// Whether a row passed before.
    pub(crate) fn is_right(&self, name: &str) -> bool {
        let lines = self.lines.lock().unwrap_or_else(PoisonError::into_inner);
        lines.get(name).is_some_and(|line| line.is_right)
    }

    /// Runs a row and keeps its result.
    pub(crate) fn record(&self, name: &str, run: &dyn Fn() -> Outcome) -> Result<(), String> {
        let began = Instant::now();
        // A panic counts as a failure.
        let outcome = catch_unwind(AssertUnwindSafe(run)).unwrap_or_else(|panic| Err(message(&*panic)));
        let took_s = began.elapsed().as_secs_f64();
        let (is_right, counts) = match &outcome {
            Ok(counts) => (true, counts.clone()),
            Err(_) => (false, Counts::default()),
        };
        let line = Line { is_right, counts, took_s };
        if let Some(file) = &self.file {
            let written = std::fs::File::options().create(true).append(true).open(file);
            let written = written.and_then(|mut file| file.write_all(write(name, &line).as_bytes()));
            written.map_err(|error| format!("cannot write {}: {error}", file.display()))?;
        }
        self.lines.lock().unwrap_or_else(PoisonError::into_inner).insert(name.to_owned(), line);
        outcome.map(drop)
    }
}

fn message(panic: &(dyn Any + Send)) -> String {
    let text = panic.downcast_ref::<String>().map(String::as_str).or_else(|| panic.downcast_ref::<&str>().copied());
    text.unwrap_or("it panicked").to_owned()
}

fn write(name: &str, line: &Line) -> String {
    let Line { is_right, counts: Counts { each, told, requests, found }, took_s } = line;
    format!("{name}\t{is_right}\t{each}\t{told}\t{requests}\t{found}\t{took_s:.1}\n")
}

fn read(line: &str) -> Option<(String, Line)> {
    let mut fields = line.split('\t');
    let mut next = || fields.next();
    let (name, is_right) = (next()?.to_owned(), next()? == "true");
    let (each, told, requests) = (next()?.parse().ok()?, next()?.parse().ok()?, next()?.parse().ok()?);
    let (found, took_s) = (next()?.to_owned(), next()?.parse().ok()?);
    Some((name, Line { is_right, counts: Counts { each, told, requests, found }, took_s }))
}

/// A Markdown table, as in docs/results.
impl fmt::Display for Results {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let lines = self.lines.lock().unwrap_or_else(PoisonError::into_inner);
        writeln!(f, "| row | told one time in | times told | requests | found |\n|---|---|---|---|---|")?;
        for (name, Line { is_right, counts, .. }) in &*lines {
            let Counts { each, told, requests, found } = counts;
            let found = if *is_right { found } else { "WRONG: see above" };
            writeln!(f, "| {name} | {each} | {told} | {requests} | {found} |")?;
        }
        let wrong = lines.values().filter(|line| !line.is_right).count();
        let took_s: f64 = lines.values().map(|line| line.took_s).sum();
        write!(f, "\n{} rows, {wrong} of them wrong; {took_s:.0} s, one after the other", lines.len())?;
        self.file.as_ref().map_or(Ok(()), |file| write!(f, "; kept in {}", file.display()))
    }
}
