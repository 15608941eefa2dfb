//! S7: a mixed load, judged as a whole.

use super::{Claim, Expected, Finding, Needs, Phase};
use crate::lab::load::{Load, carry_out_written_down, plan};
use crate::lab::{Lab, OPENING, Stuck};
use check::anomaly::Anomaly;
use check::documents::access::{Access, HARNESS, NEVER};
use check::documents::whole::Verdict;
use engine::aftermath;
use engine::aftermath::View;
use engine::scenario::{Plan, Scenario, SessionUse};
use record::claims::ClaimId;
use record::history::{HistoryHeader, HistoryWriter};
use record::step::{Step, ms};
use record::story::meaning;
use std::sync::Arc;
use std::time::Duration;

/// How long each load lasts: tens of thousands of operations.
const DURATION: Duration = Duration::from_secs(2);

/// Users at one document: more only wait longer for each other.
const SHARING: usize = 16;

/// Operations that must be answered to say anything.
const MIN_OPERATIONS: u64 = 200;

/// S7
pub(super) static S7: Claim = Claim {
    id: ClaimId::of("S7"),
    title: "one order explains the whole history of a mixed load",
    quote: "flock() prevents race conditions",
    tried: "Two loads of 2 s each (12 s with `--full`) are recorded: 16 users on one document, and 100 users whose \
            sessions come and go. Each history is judged as a whole, with what the target and, with `--saves`, the \
            folder hold afterwards.",
    holds_if: "For every document, one order of the operations explains all responses (linearizability), and no response \
            is wrong by itself.",
    needs: Needs::Wire,
    expected: Expected::REFUTED_ON_DOCUMENTED,
    decisions_on_chance: 0,
    phase: Phase::Documents,
    is_quick: true,
    mostly_waits: false,
    takes_times: false,
    attempt: |lab| Box::pin(async move { Ok(judge(&experiment(lab).await?)) }),
};

/// A load, and the verdict on its history.
struct Written {
    name: &'static str,
    load: Load,
    verdict: Verdict,
}

/// Many at one document, and each at documents of their own, which come and go.
async fn experiment(lab: &Arc<Lab>) -> Result<Vec<Written>, Stuck> {
    let duration = lab.lasting(DURATION, DURATION, 6 * DURATION);
    let mut written = Vec::new();
    for (scenario, users) in [(Scenario::SameSession, SHARING), (Scenario::Churn, lab.users)] {
        written.push(write_down(lab, plan(lab, scenario, users, duration)).await?);
    }
    Ok(written)
}

async fn write_down(lab: &Arc<Lab>, plan: Plan) -> Result<Written, Stuck> {
    let stuck = |error: &dyn std::fmt::Display| Stuck(format!("the history could not be kept: {error}"));
    let folder = tempfile::tempdir().map_err(|error| stuck(&error))?;
    let path = folder.path().join("history.jsonl.zst");
    let header = HistoryHeader::new(plan.seed, plan.warm_up_us());
    let history = HistoryWriter::create(&path, &header).map_err(|error| stuck(&error))?;
    let mut shared_key = None;
    if plan.scenario.session() == SessionUse::Shared {
        let key = lab.open_session().await?;
        let _ = history.sender().send(aftermath::opening_line(&key, OPENING, plan.seed));
        shared_key = Some(key);
    }
    let (name, seed) = (plan.scenario.name(), plan.seed);
    let load = carry_out_written_down(lab, plan, shared_key, Some(history)).await?;
    let view = View { target: Some((&lab.target, lab.patience)), folder: lab.folder.as_ref(), ..View::default() };
    let judged = aftermath::judge(&path, &view, seed).await.map_err(|error| stuck(&error))?;
    judged.came_back.iter().for_each(|key| lab.ledger.note_open_write(key));
    Ok(Written { name, load, verdict: judged.verdict })
}

fn judge(written: &[Written]) -> Finding {
    let faults = || written.iter().filter_map(fault);
    let answered: u64 = written.iter().map(|written| written.load.total().answered).sum();
    let accesses: u64 = written.iter().map(|written| written.verdict.accesses).sum();
    let documents: u64 = written.iter().map(|written| written.verdict.documents).sum();
    let undecided = written.iter().find_map(|written| written.verdict.undecided.first());
    let finding = if let Some((what, steps)) = faults().next() {
        Finding::refuted(what, steps)
    } else if let Some((key, why)) = undecided {
        Finding::inconclusive(format!("the history of key {key} could not be decided: {why}"))
    } else if answered < MIN_OPERATIONS {
        Finding::inconclusive(format!("only {answered} operations were answered"))
    } else {
        Finding::holds(format!("one order explains all {accesses} operations on {documents} documents, one by one"))
    };
    let anomalies: u64 = written.iter().flat_map(|written| written.verdict.anomalies.values()).sum();
    finding
        .measured("operations", accesses)
        .measured("documents", documents)
        .measured("anomalies", anomalies)
        .expected("anomalies", 0)
}

/// What is wrong with a load's history, or else with its answers, each by itself.
fn fault(written: &Written) -> Option<(String, Vec<Step>)> {
    let named = |(anomaly, count): (&Anomaly, &u64)| format!("{count} × {anomaly}");
    let names: Vec<String> = written.verdict.anomalies.iter().map(named).collect();
    if let Some(counterexample) = written.verdict.counterexamples.first() {
        let mut steps: Vec<Step> =
            counterexample.accesses.iter().map(|access| step(access, &counterexample.key)).collect();
        steps.push(Step::finding(meaning(counterexample.anomaly), counterexample.anomaly.name()));
        return Some((format!("{}: no order explains it: {}", written.name, names.join(", ")), steps));
    }
    written.load.wrong().map(|fault| (fault.summary, fault.steps))
}

/// An access as a line of a counterexample; times are those of the load's own clock.
fn step(access: &Access, key: &str) -> Step {
    let is_user = access.process < HARNESS;
    let to_us = Some(access.returned_us).filter(|us| *us != NEVER);
    Step {
        user: is_user.then_some(access.process as usize),
        from_ms: Some(ms(access.called_us)),
        to_ms: to_us.map(ms),
        did: format!("{} {key} {}", access.kind.operation(), access.kind.input()).trim_end().to_owned(),
        got: access.kind.output(),
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::lab::load::sample::load;
    use check::documents::access::{Content, Kind, SAVES_FOLDER};
    use contract::Operation;
    use record::claims::Verdict as Of;
    use record::history::Judgement;

    const CONTENT: Content = Content { writer: 3, number: 7 };

    fn at(us: u64, process: u32, kind: Kind) -> Access {
        Access { process, called_us: us, returned_us: us + 500, kind }
    }

    fn written(accesses: &[Access]) -> Written {
        let by_key = [("A4K".to_owned(), accesses.to_vec())];
        let load = load(2, 1.0).with(Operation::Restore, 500, 1, Judgement::Verified);
        Written { name: "same-session", load, verdict: Verdict::of(&by_key) }
    }

    #[test]
    fn a_history_that_no_order_explains_refutes_and_is_shown() {
        let lost = [at(1_000, 3, Kind::Created(CONTENT)), at(2_000, SAVES_FOLDER, Kind::ShowsNone)];
        let finding = judge(&[written(&lost[..1]), written(&lost)]);
        assert_eq!((finding.verdict, finding.counterexample.len()), (Of::Refuted, 3));
        assert!(finding.summary.contains("1 × acknowledged then lost"), "{}", finding.summary);
        let [created, gone, meaning] = &finding.counterexample[..] else { panic!("three lines") };
        assert_eq!(
            (created.user, created.from_ms, created.did.as_str()),
            (Some(3), Some(1.0), "instantiate A4K w3.n7")
        );
        assert_eq!((gone.user, gone.got.as_str(), meaning.got.as_str()), (None, "not found", "acknowledged then lost"));
    }

    #[test]
    fn one_wrong_answer_refutes_though_an_order_explains_the_rest() {
        let mut fine = written(&[at(1_000, 3, Kind::Created(CONTENT))]);
        assert_eq!(judge(std::slice::from_ref(&fine)).verdict, Of::Holds);
        fine.load = fine.load.with(Operation::List, 1, 1, Judgement::Wrong("missing from list"));
        assert_eq!(judge(&[fine]).verdict, Of::Refuted);
    }

    #[test]
    fn too_little_and_what_cannot_be_decided_leave_it_open() {
        let few = || Written { load: load(2, 1.0), ..written(&[at(1_000, 3, Kind::Created(CONTENT))]) };
        assert_eq!(judge(&[few()]).verdict, Of::Inconclusive);
        let mut undecided = written(&[at(1_000, 3, Kind::Created(CONTENT))]);
        undecided.verdict.undecided.push(("A4K".to_owned(), "too many orders"));
        let finding = judge(&[undecided]);
        assert!(finding.verdict == Of::Inconclusive && finding.summary.contains("too many orders"), "{finding:?}");
    }
}
