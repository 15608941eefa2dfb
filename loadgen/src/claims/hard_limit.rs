//! P6: journeys begun where nearly all keys are in use.

use super::chance::CONFIDENCE;
use super::{Claim, Expected, Finding, Needs, Phase};
use crate::lab::load::{Load, carry_out, plan};
use crate::lab::{Lab, Stuck};
use check::anomaly::Anomaly;
use engine::scenario::Scenario;
use record::claims::ClaimId;
use record::step::Step;
use stats::statistics::clopper_pearson;
use std::collections::BTreeSet;
use std::sync::Arc;
use std::time::Duration;

/// "Hard limit: 45,000 sessions"
const HARD_LIMIT: usize = 45_000;

/// How long: all journeys begin within 2 s, and a start is tried three times, a second apart.
const DURATION: Duration = Duration::from_secs(6);

/// "at most 5 % fail"
const MOST_FAIL: f64 = 0.05;

/// P6
pub(super) static P6: Claim = Claim {
    id: ClaimId::of("P6"),
    title: "at 45,000 sessions journeys still succeed",
    quote: "Hard limit: 45,000 sessions",
    tried: "The folder is filled to 45,000 documents, and 100 users begin a journey each, which is followed for 6 s. \
            As in the client, a start that fails is tried three times, one second apart.",
    holds_if: "At most 5 % of the journeys fail (refuted if the exact binomial interval at 99.93 % lies above 5 %), and \
            no response is wrong. A journey whose key another user holds, too, has failed.",
    needs: Needs::Filling,
    expected: Expected::HOLDS,
    decisions_on_chance: 1,
    phase: Phase::RisingFill,
    is_quick: false,
    mostly_waits: true,
    takes_times: true,
    attempt: |lab| Box::pin(async move { Ok(judge(&experiment(lab).await?)) }),
};

async fn experiment(lab: &Arc<Lab>) -> Result<Load, Stuck> {
    lab.fill_to(HARD_LIMIT).await?;
    carry_out(lab, plan(lab, Scenario::Journey, lab.users, DURATION), None).await
}

/// Journeys, one a user: those that had an operation come to its end, and those of them that failed. A journey fails
/// where an operation does, also for a key that two were handed, which is K9's business beyond that; a start that succeeds when the client tries it again, as it does three times, has not failed.
fn journeys(load: &Load) -> (u64, u64) {
    let had_success = load.verified_by_user.iter().filter(|(_, count)| **count > 0);
    let failed = load.failed_by_user.keys();
    let begun: BTreeSet<&u32> = had_success.map(|(user, _)| user).chain(failed.clone()).collect();
    (begun.len() as u64, failed.len() as u64)
}

fn judge(load: &Load) -> Finding {
    let (begun, failed) = journeys(load);
    let share = failed as f64 / begun.max(1) as f64;
    let (most_percent, told) = (MOST_FAIL * 100.0, format!("{failed} of {begun} journeys failed"));
    let total = load.total();
    let finding = if let Some(fault) = load.wrong_besides(Anomaly::DuplicateKey) {
        Finding::refuted(format!("journeys fail otherwise than clearly: {}", fault.summary), fault.steps)
    } else if begun == 0 {
        Finding::inconclusive("no journey was begun")
    } else if clopper_pearson(failed, begun, CONFIDENCE).low > MOST_FAIL {
        let mut steps = vec![Step::finding(format!("journeys at {HARD_LIMIT} sessions"), told.clone())];
        steps.extend(load.errors().map(|fault| fault.steps).unwrap_or_default());
        Finding::refuted(told, steps)
    } else if share > MOST_FAIL {
        Finding::inconclusive(format!("{told}: too few to tell whether more than {most_percent:.0} % do"))
    } else {
        Finding::holds(format!("{told} at {HARD_LIMIT} sessions, each of them clearly"))
    };
    finding
        .measured("journeys", begun)
        .measured("failed", failed)
        .measured("errors_of_all_tries", total.error_count())
        .measured("wrong_answers", total.wrong_count())
        .expected("failed_share_at_most", MOST_FAIL)
        .expected("wrong_answers", 0)
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::lab::load::sample::load;
    use contract::Operation;
    use record::claims::Verdict;
    use record::history::Judgement;

    const EXHAUSTED: Judgement<'_> = Judgement::Error("503 Unable to generate unique key - all attempts exhausted");

    /// A hundred journeys, so many of them failed.
    fn run(failed: u32) -> Load {
        let with_counts = Load {
            verified_by_user: (failed..100).map(|user| (user, 6)).collect(),
            failed_by_user: (0..failed).map(|user| (user, 1)).collect(),
            ..load(100, 8.0)
        };
        with_counts.with(Operation::Save, 300, 3, Judgement::Verified).with(
            Operation::GenerateKey,
            u64::from(failed) * 3,
            3,
            EXHAUSTED,
        )
    }

    #[test]
    fn one_failed_journey_in_twenty_is_allowed_and_one_in_five_refutes() {
        assert_eq!(judge(&run(0)).verdict, Verdict::Holds);
        assert_eq!(judge(&run(5)).verdict, Verdict::Holds);
        assert_eq!(judge(&run(6)).verdict, Verdict::Inconclusive, "6 of 100 can be chance");
        let finding = judge(&run(20));
        assert_eq!((finding.verdict, finding.summary.as_str()), (Verdict::Refuted, "20 of 100 journeys failed"));
        assert!(finding.counterexample[1].got.starts_with("503"), "{:?}", finding.counterexample);
    }

    #[test]
    fn a_failure_that_is_not_clear_refutes_even_if_it_is_the_only_one() {
        let finding = judge(&run(0).with(Operation::Restore, 1, 3, Judgement::Wrong("malformed answer")));
        assert_eq!((finding.verdict, finding.counterexample.len()), (Verdict::Refuted, 1));
    }

    #[test]
    fn a_key_that_two_were_handed_fails_a_journey_and_is_otherwise_another_claims_business() {
        let finding = judge(&run(2).with(Operation::GenerateKey, 1, 3, Judgement::Wrong("duplicate key")));
        assert_eq!(finding.verdict, Verdict::Holds);
        let finding = judge(&run(20).with(Operation::GenerateKey, 1, 3, Judgement::Wrong("duplicate key")));
        assert_eq!(finding.verdict, Verdict::Refuted);
    }

    #[test]
    fn a_start_that_succeeds_when_it_is_tried_again_has_not_failed() {
        let load = run(0).with(Operation::GenerateKey, 50, 3, EXHAUSTED);
        assert_eq!((journeys(&load), judge(&load).verdict), ((100, 0), Verdict::Holds));
    }

    #[test]
    fn a_journey_that_failed_after_a_while_is_counted_once() {
        let mut load = run(2);
        load.verified_by_user.insert(0, 4);
        // Users whose numbers come before the last one's are told with 0.
        load.verified_by_user.insert(1, 0);
        load.verified_by_user.insert(100, 0);
        assert_eq!(journeys(&load), (100, 2));
    }

    #[test]
    fn without_a_journey_nothing_is_decided() {
        assert_eq!(judge(&load(100, 8.0)).verdict, Verdict::Inconclusive);
    }
}
