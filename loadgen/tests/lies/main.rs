//! Servers that lie are caught by the claims and in the loads that the table names, and for what they did. Honest
//! servers are accused of nothing, whatever happens to them or stands in front of them.
//!
//!     cargo test --workspace --test lies                       # the short form: what CI runs
//!     LIES=all cargo test --workspace --test lies              # the whole table, in about 40 minutes on 2 cores
//!     LIES=all cargo test --workspace --test lies -- EmptyState  # some rows of it
//!     LIES=all LIE_RARER=20 cargo test --workspace --test lies # each lie told a twentieth as often
//!
//! A stopped run of the whole table can be resumed: the result of each row is a line of the file `LIES_OUT`, by default
//! `lies.tsv` in the target folder, and rows that passed there are skipped. At the end all results are printed: how
//! often each lie is told and was told, after how many requests it was caught, and by what. To start over, remove the
//! file.
//!
//! - [`table`]: all lies, and what must catch each.
//! - [`ways`]: how a claim or a load is tried on a server that lies.
//! - [`mishaps`]: what may happen to honest servers.
//! - [`results`]: the result of each row, kept between runs.

mod mishaps;
mod results;
#[path = "../support/mod.rs"]
mod support;
mod table;
mod ways;

use libtest_mimic::{Arguments, Trial};
use results::Results;
use std::process::ExitCode;
use std::sync::Arc;
use support::liar::Lie;

/// Which form to run: `short` or `all`.
const FORM: &str = "LIES";

/// Rows run at once by default. More would take time from each other, which some claims judge.
const AT_ONCE: usize = 2;

/// Result of a row: what was counted, or what went wrong.
type Outcome = Result<results::Counts, String>;

/// A row to run.
struct Row {
    name: String,
    is_short: bool,
    run: Box<dyn Fn() -> Outcome + Send>,
}

fn main() -> ExitCode {
    let mut arguments = Arguments::from_args();
    arguments.test_threads.get_or_insert(AT_ONCE);
    let form = std::env::var(FORM).unwrap_or_else(|_| "short".to_owned());
    let is_whole = match form.as_str() {
        "all" => true,
        "short" => false,
        other => {
            eprintln!("{FORM} is {other:?}; it can be \"short\" or \"all\"");
            return ExitCode::FAILURE;
        }
    };
    let results = Arc::new(if is_whole { Results::kept() } else { Results::default() });
    let mut rows = ways::rows();
    rows.extend(mishaps::rows());
    let mut trials = vec![Trial::test("every_lie_is_in_the_table", || every_lie_is_in_the_table().map_err(Into::into))];
    for Row { name, is_short, run } in rows {
        let is_left_out = if is_whole { results.is_right(&name) } else { !is_short };
        let (results, row) = (Arc::clone(&results), name.clone());
        let trial = Trial::test(name, move || results.record(&row, &*run).map_err(Into::into));
        trials.push(trial.with_ignored_flag(is_left_out));
    }
    let conclusion = libtest_mimic::run(&arguments, trials);
    if !arguments.list {
        println!("{results}");
    }
    conclusion.exit_code()
}

/// Each lie has a row, there are at least sixty, and the short form has one of each kind.
fn every_lie_is_in_the_table() -> Result<(), String> {
    let tried: Vec<(Lie, bool)> = table::all().collect();
    let missing: Vec<&Lie> = Lie::ALL.iter().filter(|lie| tried.iter().all(|(tried, _)| tried != *lie)).collect();
    if !missing.is_empty() || Lie::ALL.len() < 60 {
        return Err(format!("of {} lies these are in no row: {missing:?}", Lie::ALL.len()));
    }
    let is_in_short = |lie: &Lie| tried.iter().any(|(tried, is_short)| *is_short && tried.kind() == lie.kind());
    match Lie::ALL.iter().find(|lie| !is_in_short(lie)).map(|lie| lie.kind()) {
        Some(kind) => Err(format!("the short form has no lie of the kind {kind:?}")),
        None => Ok(()),
    }
}
