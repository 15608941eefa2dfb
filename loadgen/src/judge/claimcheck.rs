//! A load run's history.

use super::Judged;
use check::documents::counterexample::Counterexample;
use check::documents::whole::Verdict;
use record::history::Accesses;
use report::counterexample::timeline;
use report::timeline::Timeline;

/// Judges a run's history, document by document.
#[must_use]
pub fn judge(accesses: &Accesses) -> Judged {
    let verdict = Verdict::of(&accesses.by_key);
    Judged {
        is_linearizable: verdict.is_linearizable(),
        operations: accesses.operations,
        remarks: remarks(&verdict),
        counterexamples: verdict.counterexamples.into_iter().map(drawn).collect(),
    }
}

fn drawn(counterexample: Counterexample) -> Box<dyn FnOnce() -> Timeline> {
    Box::new(move || timeline(&counterexample))
}

/// What is wrong, and what is not decided.
#[must_use]
fn remarks(verdict: &Verdict) -> Vec<String> {
    let wrong = verdict.anomalies.iter().map(|(anomaly, count)| format!("{count} × {anomaly}"));
    let undecided = verdict.undecided.iter().map(|(key, why)| format!("key {key}: {why}"));
    wrong.chain(undecided).collect()
}
