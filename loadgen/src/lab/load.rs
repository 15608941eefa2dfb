//! A load on the target, for the claims that are tried by one: a plan carried out, and what there is to judge of it.

use crate::lab::preflight::is_alive;
use crate::lab::{Lab, Stuck};
use check::anomaly::Anomaly;
use contract::{Failure, Operation};
use engine;
use engine::certify::why_held_up;
use engine::client::ledger::Ledger;
use engine::scenario;
use engine::scenario::{Mix, Pacing, Plan, Scenario, Shape, Sizes, Think};
use engine::{Example, Measured, Second, Setup, limits};
use record::figures::{Named, OperationReport, Tally};
use record::history::HistoryWriter;
use record::step::{Step, ms};
use std::collections::BTreeMap;
use std::sync::Arc;
use std::time::Duration;
use tokio_util::sync::CancellationToken;

/// Threads that users run on: the server needs the rest of the machine, and two loads may run at once.
const THREADS: u32 = 1;

/// Lines of a counterexample, and kinds of failures that are named in a sentence: more would only be more of the same.
const MOST_SHOWN: usize = 3;

/// What a load gave, as far as claims are judged by it.
#[derive(Clone, Debug)]
pub(crate) struct Load {
    pub(crate) users: u32,
    /// How long it was measured, s.
    pub(crate) seconds: f64,
    /// By operation, as in [`Operation::ALL`].
    pub(crate) tallies: [Tally; 6],
    pub(crate) verified_by_user: BTreeMap<u32, u64>,
    /// Operations that went wrong, also where they were tried again, of the users who had any.
    pub(crate) failed_by_user: BTreeMap<u32, u64>,
    pub(crate) examples: Vec<Example>,
    /// Why its times are not the server's alone, if they are not.
    pub(crate) held_up: Option<String>,
    /// The longest time that the harness came too late to anything, ms.
    pub(crate) longest_lag_ms: f64,
}

/// A plan of users who go on as soon as they are answered, unless the scenario has times of its own.
pub(crate) fn plan(lab: &Lab, scenario: Scenario, users: usize, duration: Duration) -> Plan {
    let duration_us = u64::try_from(duration.as_micros()).unwrap_or(u64::MAX);
    Plan {
        seed: lab.seed,
        scenario,
        users: u32::try_from(users).unwrap_or(u32::MAX),
        load: scenario::Load::Closed { stages: Shape::constant(users as f64, duration_us), pacing: Pacing::Think },
        think: Think::None,
        sizes: Sizes::default(),
        mix: Mix::default(),
    }
}

/// A plan of users who do one thing, over and over, to one document.
pub(crate) fn plan_of_one(lab: &Lab, kind: &str, users: usize, duration: Duration) -> Result<Plan, Stuck> {
    let mix = format!("{kind}=1").parse().map_err(Stuck)?;
    Ok(Plan { mix, ..plan(lab, Scenario::SameSession, users, duration) })
}

/// Carries a plan out, on a session for all users where one is given. The keys that they still hold at the end are
/// entered in the lab's ledger, also where nobody waits for the load any more: it is then broken off.
pub(crate) async fn carry_out(lab: &Arc<Lab>, plan: Plan, shared_key: Option<String>) -> Result<Load, Stuck> {
    carry_out_written_down(lab, plan, shared_key, None).await
}

/// As [`carry_out`], with a history.
pub(crate) async fn carry_out_written_down(
    lab: &Arc<Lab>,
    plan: Plan,
    shared_key: Option<String>,
    history: Option<HistoryWriter>,
) -> Result<Load, Stuck> {
    let load = carry_out_to_the_end(lab, plan, shared_key, history).await?;
    let total = load.total();
    if total.answered < total.sent && !is_alive(lab).await {
        return Err(Stuck("the target stopped answering".to_owned()));
    }
    Ok(load)
}

/// As [`carry_out_written_down`], also if the target stops answering.
pub(crate) async fn carry_out_to_the_end(
    lab: &Arc<Lab>,
    plan: Plan,
    shared_key: Option<String>,
    history: Option<HistoryWriter>,
) -> Result<Load, Stuck> {
    plan.check().map_err(Stuck)?;
    limits::make_room(plan.users).map_err(Stuck)?;
    let users = plan.users;
    let setup = Setup {
        plan: Arc::new(plan),
        target: Arc::clone(&lab.target),
        patience: lab.patience,
        reserves: lab.reserves,
        keys_in_use: None,
        shared_key,
        ledger: Arc::clone(&lab.ledger),
        threads: THREADS,
        history,
    };
    let stop = CancellationToken::new();
    let _breaks_off = stop.clone().drop_guard();
    let ledger = Arc::clone(&lab.ledger);
    let began = lab.origin.elapsed();
    let running = lab
        .ledger
        .under_way()
        .spawn_blocking(move || engine::run(setup, &stop, &mut |second| note_answers(&ledger, second)));
    let ran = running.await.map_err(|lost| Stuck(lost.to_string()))?;
    let measured = ran.map_err(|error| Stuck(format!("the load could not be run: {error}")))?;
    Ok(Load::of(measured, users, began))
}

/// The users of a load keep no ledger, so it is told here, second by second, whether the target still answers.
fn note_answers(ledger: &Ledger, second: &Second) {
    let total = total(&second.tallies);
    if total.answered > 0 {
        ledger.note_outcome(None);
        return;
    }
    let failure = Failure::Closed(total.errors.into_keys().next().unwrap_or_default());
    (0..total.sent).for_each(|_| ledger.note_outcome(Some(&failure)));
}

fn total(tallies: &[Tally; 6]) -> OperationReport {
    let mut together = Tally::new();
    tallies.iter().for_each(|tally| together.merge(tally));
    together.report()
}

impl Load {
    /// `began` is when the load did, on the clock that counterexamples go by.
    fn of(measured: Measured, users: u32, began: Duration) -> Self {
        let began_ms = began.as_secs_f64() * 1e3;
        let mut examples = measured.examples.clone();
        for Step { from_ms, to_ms, .. } in examples.iter_mut().map(|example| &mut example.step) {
            for time_ms in [from_ms, to_ms].into_iter().flatten() {
                *time_ms += began_ms;
            }
        }
        Self {
            users,
            seconds: measured.window.seconds(),
            held_up: why_held_up(&measured),
            longest_lag_ms: ms(measured.lag_us.max()),
            tallies: measured.tallies,
            verified_by_user: measured.verified_by_user,
            failed_by_user: measured.failed_by_user,
            examples,
        }
    }

    /// All operations together.
    pub(crate) fn total(&self) -> OperationReport {
        total(&self.tallies)
    }

    /// What was counted of one operation.
    pub(crate) fn of_operation(&self, operation: Operation) -> &Tally {
        &self.tallies[operation as usize]
    }

    /// Wrong answers in a few words, and examples of them; none where there were none.
    pub(crate) fn wrong(&self) -> Option<Fault> {
        let total = self.total();
        self.fault(total.wrong, total.sent, true)
    }

    /// As [`Load::wrong`], but for those of one name, which are another claim's business.
    pub(crate) fn wrong_besides(&self, wrong: Anomaly) -> Option<Fault> {
        let mut total = self.total();
        total.wrong.remove(wrong.name());
        self.fault(total.wrong, total.sent, true)
    }

    /// As [`Load::wrong`], of operations that were said to have failed, or were not answered.
    pub(crate) fn errors(&self) -> Option<Fault> {
        let total = self.total();
        self.fault(total.errors, total.sent, false)
    }

    fn fault(&self, names: Named, sent: u64, is_wrong: bool) -> Option<Fault> {
        let count: u64 = names.values().sum();
        let mut names: Vec<(String, u64)> = names.into_iter().collect();
        names.sort_by_key(|(_, count)| std::cmp::Reverse(*count));
        let told: Vec<String> =
            names.iter().take(MOST_SHOWN).map(|(name, count)| format!("{name} ({count})")).collect();
        let kind = if is_wrong { "were answered wrong" } else { "failed" };
        let summary = format!("{count} of {sent} operations {kind}: {}", told.join(", "));
        let examples = self.examples.iter().filter(|example| example.is_wrong == is_wrong);
        let steps = examples.take(MOST_SHOWN).map(|example| example.step.clone()).collect();
        (count > 0).then_some(Fault { summary, steps })
    }
}

/// What went wrong in a load.
#[derive(Clone, Debug, PartialEq)]
pub(crate) struct Fault {
    pub(crate) summary: String,
    pub(crate) steps: Vec<Step>,
}

/// Loads for the tests of judgements.
#[cfg(test)]
pub(crate) mod sample {
    use crate::lab::load::*;
    use record::figures::Took;
    use record::history::Judgement;

    /// A load of which nothing is known yet.
    pub(crate) fn load(users: u32, seconds: f64) -> Load {
        Load {
            users,
            seconds,
            tallies: std::array::from_fn(|_| Tally::new()),
            verified_by_user: BTreeMap::new(),
            failed_by_user: BTreeMap::new(),
            examples: Vec::new(),
            held_up: None,
            longest_lag_ms: 1.0,
        }
    }

    impl Load {
        /// The same with so many more operations, each of which took so long.
        pub(crate) fn with(mut self, operation: Operation, count: u64, took_ms: u64, judgement: Judgement<'_>) -> Self {
            let took = Took { response_us: took_ms * 1_000, service_us: took_ms * 1_000, is_timeout: false };
            (0..count).for_each(|_| self.tallies[operation as usize].count(Some(took), judgement));
            let example = match judgement {
                Judgement::Verified => return self,
                Judgement::Wrong(name) => Example { is_wrong: true, step: Step::finding(operation.name(), name) },
                Judgement::Error(name) => Example { is_wrong: false, step: Step::finding(operation.name(), name) },
            };
            self.examples.push(example);
            self
        }

        /// The same, with the harness held up.
        pub(crate) fn held_up(self) -> Self {
            Self { held_up: Some("the generator was late".to_owned()), ..self }
        }
    }
}

#[cfg(test)]
mod tests {
    use crate::lab::load::sample::load;
    use crate::lab::load::*;
    use record::history::Judgement;

    #[test]
    fn wrong_answers_and_errors_are_told_apart_the_most_frequent_first() {
        let load = load(2, 1.0)
            .with(Operation::Save, 10, 1, Judgement::Verified)
            .with(Operation::Save, 1, 1, Judgement::Error("500 no"))
            .with(Operation::Restore, 1, 1, Judgement::Wrong("stale read"))
            .with(Operation::Restore, 3, 1, Judgement::Wrong("torn read"));
        let wrong = load.wrong().expect("wrong answers");
        assert_eq!(wrong.summary, "4 of 15 operations were answered wrong: torn read (3), stale read (1)");
        assert_eq!(wrong.steps.iter().map(|step| step.got.as_str()).collect::<Vec<_>>(), ["stale read", "torn read"]);
        let errors = load.errors().expect("errors");
        assert_eq!((errors.summary.as_str(), errors.steps.len()), ("1 of 15 operations failed: 500 no (1)", 1));
    }

    #[test]
    fn a_load_without_a_fault_has_none() {
        let load = load(2, 1.0).with(Operation::Save, 10, 1, Judgement::Verified);
        assert_eq!((load.wrong(), load.errors()), (None, None));
    }

    #[test]
    fn a_second_without_any_answer_makes_a_target_suspect_and_one_answer_clears_it() {
        let second = |load: Load| Second {
            start: Duration::ZERO,
            measured: Duration::ZERO,
            progress: 0.0,
            tallies: load.tallies,
            slip_us: record::hlog::new_histogram(),
        };
        let mut dead = load(2, 1.0);
        (0..3).for_each(|_| dead.tallies[2].count(None, Judgement::Error("cannot connect")));
        let answering = dead.clone().with(Operation::Save, 1, 1, Judgement::Verified);
        let ledger = Ledger::default();
        note_answers(&ledger, &second(dead));
        assert_eq!(ledger.unclear(), 3);
        note_answers(&ledger, &second(answering));
        assert_eq!((ledger.unclear(), ledger.suspicion()), (3, None));
        note_answers(&ledger, &second(load(2, 1.0)));
        assert_eq!(ledger.unclear(), 3, "a second in which nothing came to its end says nothing");
    }
}
