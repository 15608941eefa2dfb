//! P4: savers and readers on one document, none of them served wrong, kept waiting, or passed over.

use super::{Claim, Expectation, Expected, Finding, Needs, Phase};
use crate::lab::load::{Load, carry_out, plan_of_one};
use crate::lab::{Lab, Stuck};
use contract::Operation;
use engine::scenario::Plan;
use record::claims::ClaimId;
use record::step::{Step, ms};
use stats::statistics::jain_index;
use std::sync::Arc;
use std::time::Duration;

/// "16 savers and 16 readers on one document, 5 s"
const SAVERS: usize = 16;
const READERS: usize = 16;
const DURATION: Duration = Duration::from_secs(5);
const QUICK_DURATION: Duration = Duration::from_secs(2);

/// "longest wait < 1 s"
const LONGEST_WAIT_MS: f64 = 1_000.0;

/// "Jain's index of the savers ≥ 0.9"
const LEAST_FAIRNESS: f64 = 0.9;

/// Saves that savers must have on average before an uneven share is held against anybody: where each save's turn is
/// left to chance, few saves are shared unevenly by chance alone (an index of about n / (n + 1) with n each).
const LEAST_SAVES_EACH: f64 = 20.0;

/// P4
pub(super) static P4: Claim = Claim {
    id: ClaimId::of("P4"),
    title: "savers and readers of one session take turns",
    quote: "Concurrent operations: Queued, no corruption",
    tried: "16 users save and 16 users restore one document for 5 s (2 s with `--quick`) as fast as they can. On the \
            documented protocol a restore may be torn, as in S4; whether that happens within the time is chance.",
    holds_if: "No operation fails or gets a wrong response, the longest wait is below 1 s, and Jain's index of the \
            savers' acknowledged saves is at least 0.9.",
    needs: Needs::Wire,
    // A restore during saves is torn now and then; whether one is within the claim's time is chance.
    expected: Expected { documented: Expectation::Either, ..Expected::HOLDS },
    decisions_on_chance: 0,
    phase: Phase::Service,
    is_quick: true,
    mostly_waits: false,
    takes_times: true,
    attempt: |lab| Box::pin(async move { Ok(judge(&experiment(lab).await?)) }),
};

/// What became of both.
struct Queue {
    savers: Load,
    readers: Load,
}

async fn experiment(lab: &Arc<Lab>) -> Result<Queue, Stuck> {
    let duration = lab.effort.pick(QUICK_DURATION, DURATION, DURATION);
    let session = lab.open_session().await?;
    let saving = plan_of_one(lab, "save", SAVERS, duration)?;
    let reading = plan_of_one(lab, "restore", READERS, duration)?;
    // By the seed, readers know that what they read is none of their own doing.
    let reading = Plan { seed: lab.seed.wrapping_add(1), ..reading };
    let (savers, readers) =
        tokio::join!(carry_out(lab, saving, Some(session.clone())), carry_out(lab, reading, Some(session)));
    Ok(Queue { savers: savers?, readers: readers? })
}

impl Queue {
    fn both(&self) -> [&Load; 2] {
        [&self.savers, &self.readers]
    }

    /// The longest time from when an operation was meant to be sent to its answer, ms.
    fn longest_wait_ms(&self) -> f64 {
        let longest_us = self.both().into_iter().flat_map(|load| &load.tallies).map(|tally| tally.response_us().max());
        ms(longest_us.max().unwrap_or_default())
    }

    /// How long of the longest wait may be the harness's own doing, ms.
    fn longest_lag_ms(&self) -> f64 {
        self.savers.longest_lag_ms.max(self.readers.longest_lag_ms)
    }

    fn held_up(&self) -> Option<&str> {
        self.both().into_iter().find_map(|load| load.held_up.as_deref())
    }

    /// Acknowledged saves, by saver.
    fn saves_each(&self) -> Vec<f64> {
        let savers = 0..self.savers.users;
        savers.map(|user| self.savers.verified_by_user.get(&user).map_or(0.0, |&saves| saves as f64)).collect()
    }
}

fn judge(queue: &Queue) -> Finding {
    let saves_each = queue.saves_each();
    let saves_on_average = saves_each.iter().sum::<f64>() / saves_each.len().max(1) as f64;
    let fairness = jain_index(&saves_each);
    let longest_ms = queue.longest_wait_ms();
    let is_long = longest_ms >= LONGEST_WAIT_MS;
    let is_unfair = fairness.is_some_and(|index| index < LEAST_FAIRNESS);
    let wrong = queue.both().into_iter().find_map(Load::wrong);
    let finding = if let Some(fault) = wrong.or_else(|| queue.both().into_iter().find_map(Load::errors)) {
        Finding::refuted(fault.summary, fault.steps)
    } else if let (true, Some(why)) = (is_long || is_unfair, queue.held_up()) {
        Finding::inconclusive(format!("the longest wait was {longest_ms:.0} ms, {}, but {why}", shown(fairness)))
    } else if is_long && longest_ms - queue.longest_lag_ms() < LONGEST_WAIT_MS {
        let lag_ms = queue.longest_lag_ms();
        Finding::inconclusive(format!(
            "the longest wait was {longest_ms:.0} ms, but the harness itself stood still for up to {lag_ms:.0} ms"
        ))
    } else if is_long {
        let who = format!("{SAVERS} savers and {READERS} readers on one document");
        let step = Step::finding(who, format!("the longest wait for an answer was {longest_ms:.0} ms"));
        Finding::refuted(format!("the longest wait was {longest_ms:.0} ms"), vec![step])
    } else if saves_on_average < LEAST_SAVES_EACH && (is_unfair || fairness.is_none()) {
        Finding::inconclusive(format!(
            "{saves_on_average:.0} saves by each saver are too few to tell whether they are shared fairly"
        ))
    } else if is_unfair {
        let counts: Vec<String> = saves_each.iter().map(|saves| format!("{saves:.0}")).collect();
        let step =
            Step::finding(format!("{SAVERS} savers on one document, acknowledged saves of each"), counts.join(", "));
        Finding::refuted(format!("saves are shared unfairly: {}", shown(fairness)), vec![step])
    } else {
        Finding::holds(format!(
            "no error in {} operations, the longest wait {longest_ms:.0} ms, {}",
            queue.both().map(|load| load.total().sent).iter().sum::<u64>(),
            shown(fairness)
        ))
    };
    finding
        .measured("saves", queue.savers.of_operation(Operation::Save).report().verified)
        .measured("restores", queue.readers.of_operation(Operation::Restore).report().verified)
        .measured("longest_wait_ms", longest_ms)
        .measured("longest_lag_of_the_harness_ms", queue.longest_lag_ms())
        .measured("jain_index_of_savers", fairness)
        .expected("longest_wait_ms_below", LONGEST_WAIT_MS)
        .expected("jain_index_of_savers_at_least", LEAST_FAIRNESS)
}

fn shown(fairness: Option<f64>) -> String {
    fairness.map_or("no saves".to_owned(), |index| format!("Jain's index of the savers {index:.3}"))
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::lab::load::sample::load;
    use record::claims::Verdict;
    use record::history::Judgement;

    /// So many saves by each saver, of which one had to wait; the first savers have more.
    fn queue(saves_each: u64, longest_ms: u64, first: std::ops::Range<u32>, more: u64) -> Queue {
        let verified_by_user =
            (0..16).map(|user| (user, if first.contains(&user) { saves_each + more } else { saves_each }));
        let savers = Load { verified_by_user: verified_by_user.collect(), ..load(16, 5.0) };
        Queue {
            savers: savers.with(Operation::Save, saves_each * 16, 5, Judgement::Verified).with(
                Operation::Save,
                1,
                longest_ms,
                Judgement::Verified,
            ),
            readers: load(16, 5.0).with(Operation::Restore, 1_000, 3, Judgement::Verified),
        }
    }

    fn fair() -> Queue {
        queue(100, 400, 0..0, 0)
    }

    fn verdict(queue: &Queue) -> Verdict {
        judge(queue).verdict
    }

    #[test]
    fn equal_turns_and_short_waits_hold() {
        let finding = judge(&fair());
        assert_eq!(finding.verdict, Verdict::Holds, "{}", finding.summary);
        assert!(finding.summary.contains("no error in 2601 operations"), "{}", finding.summary);
    }

    #[test]
    fn a_torn_read_and_an_error_refute_and_the_wrong_answer_is_shown_first() {
        let with = |operation, judgement| {
            let queue = fair();
            Queue { readers: queue.readers.with(operation, 1, 3, judgement), ..queue }
        };
        assert_eq!(verdict(&with(Operation::Restore, Judgement::Error("500 no"))), Verdict::Refuted);
        let torn = with(Operation::Restore, Judgement::Wrong("torn read"));
        let both = Queue { savers: torn.savers.with(Operation::Save, 1, 3, Judgement::Error("500 no")), ..torn };
        let finding = judge(&both);
        assert_eq!((finding.verdict, finding.counterexample[0].got.as_str()), (Verdict::Refuted, "torn read"));
    }

    #[test]
    fn a_wait_of_a_second_refutes_unless_the_harness_may_have_caused_it() {
        assert_eq!(verdict(&queue(100, 1_001, 0..0, 0)), Verdict::Refuted);
        let late = queue(100, 1_200, 0..0, 0);
        assert_eq!(verdict(&Queue { readers: late.readers.held_up(), ..late }), Verdict::Inconclusive);
        let stood_still = |longest_lag_ms| {
            let queue = queue(100, 1_200, 0..0, 0);
            Queue { savers: Load { longest_lag_ms, ..queue.savers }, ..queue }
        };
        assert_eq!(verdict(&stood_still(250.0)), Verdict::Inconclusive);
        assert_eq!(verdict(&stood_still(100.0)), Verdict::Refuted);
        let fair = fair();
        assert_eq!(verdict(&Queue { readers: fair.readers.held_up(), ..fair }), Verdict::Holds);
    }

    #[test]
    fn savers_that_are_passed_over_refute_when_there_are_saves_enough() {
        let unfair = queue(20, 5, 0..2, 200);
        let finding = judge(&unfair);
        assert_eq!(finding.verdict, Verdict::Refuted, "{}", finding.summary);
        assert!(finding.counterexample[0].got.starts_with("220, 220, 20, "), "{}", finding.counterexample[0].got);
        assert_eq!(verdict(&Queue { savers: unfair.savers.held_up(), ..unfair }), Verdict::Inconclusive);
        assert_eq!(verdict(&queue(2, 5, 0..2, 20)), Verdict::Inconclusive, "five saves each can be uneven by chance");
        assert_eq!(verdict(&queue(2, 5, 0..0, 0)), Verdict::Holds, "they are not uneven");
    }

    #[test]
    fn a_saver_without_a_save_counts_as_one() {
        let savers = Load { verified_by_user: (0..8).map(|user| (user, 50)).collect(), ..fair().savers };
        assert_eq!(jain_index(&Queue { savers, ..fair() }.saves_each()), Some(0.5));
    }

    #[test]
    fn without_a_save_nothing_is_decided() {
        assert_eq!(verdict(&Queue { savers: load(16, 5.0), ..fair() }), Verdict::Inconclusive);
    }
}
