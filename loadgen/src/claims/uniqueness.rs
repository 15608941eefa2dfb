//! K7, K8, P5: a hundred keys asked for, all unique.

use super::answers;
use super::chance::CONFIDENCE;
use super::{Claim, Expected, Finding, Needs, Phase};
use crate::lab::{Effort, Lab};
use check::anomaly::Anomaly;
use contract::key::is_session_key;
use engine::client::Exchange;
use record::claims::{ClaimId, Verdict};
use record::step::Step;
use stats::keys::{THREE_CHARACTER_KEYS, birthday_collision, trials_to_exclude};
use std::collections::HashMap;
use std::sync::Arc;

/// The specification's number of keys in each of its three tests.
const KEYS: usize = 100;

/// `ab -c 10`
const AB_USERS: usize = 10;

/// "10 browsers"
const BROWSERS: usize = 10;

/// Trials even where fewer would do: a server that does not reserve escapes the 69 that are needed in one run of 1,500,
/// and all of these in one of 40,000.
const TRIALS: u64 = 100;

/// K7
pub(super) static K7: Claim = Claim {
    id: ClaimId::of("K7"),
    title: "keys asked for one after the other are unique",
    quote: "Generate 100 keys, verify all unique",
    tried: "One user requests 100 keys and saves nothing; then the keys are given back. There are up to 100 such \
            trials: 69 without a duplicate exclude the birthday rate of 10.07 % per trial at 99.93 %.",
    holds_if: "No key is handed out twice within a trial, in at least 69 complete trials, and no response is wrong by \
            itself.",
    needs: Needs::Wire,
    expected: Expected::REFUTED_ON_DOCUMENTED,
    decisions_on_chance: 1,
    phase: Phase::Uniqueness,
    is_quick: true,
    mostly_waits: false,
    takes_times: false,
    attempt: |lab| Box::pin(async move { Ok(judge(&experiment(lab, 1, KEYS).await)) }),
};

/// K8
pub(super) static K8: Claim = Claim {
    id: ClaimId::of("K8"),
    title: "keys asked for at once are unique",
    quote: "10 browsers request keys simultaneously; all should get unique keys",
    tried: "100 users request one key each at the same time, in up to 100 trials. With `--full`, 10 users do the same \
            afterwards, until the rate of 0.096 % per trial is excluded at 99.93 % (7,582 trials).",
    holds_if: "No key is handed out twice within a trial, in as many complete trials as exclude the birthday rate at \
            99.93 % (69 with 100 users), and no response is wrong by itself.",
    needs: Needs::Wire,
    expected: Expected::REFUTED_ON_DOCUMENTED,
    decisions_on_chance: 1,
    phase: Phase::Uniqueness,
    is_quick: true,
    mostly_waits: false,
    takes_times: false,
    attempt: |lab| {
        Box::pin(async move {
            let all_at_once = judge(&experiment(lab, lab.users, lab.users).await);
            // Ten collide so seldom (0.096 %) that thousands of trials are needed.
            let tried_enough = lab.effort != Effort::Full || all_at_once.verdict != Verdict::Holds;
            if tried_enough { Ok(all_at_once) } else { Ok(judge(&experiment(lab, BROWSERS, BROWSERS).await)) }
        })
    },
};

/// P5
pub(super) static P5: Claim = Claim {
    id: ClaimId::of("P5"),
    title: "ab -n 100 -c 10: unique keys, no errors",
    quote: "ab -n 100 -c 10 … Expected: 100 unique keys, no errors",
    tried: "Ten users request ten keys each at the same time, as `ab -n 100 -c 10` does; then the keys are given back. \
            There are up to 100 such trials.",
    holds_if: "No key is handed out twice within a trial, in at least 69 complete trials (99.93 %), and every response is \
            a key. `503 Server busy`, a proxy's error and a missing response decide nothing.",
    needs: Needs::Wire,
    expected: Expected::REFUTED_ON_DOCUMENTED,
    decisions_on_chance: 1,
    phase: Phase::Uniqueness,
    is_quick: true,
    mostly_waits: false,
    takes_times: true,
    attempt: |lab| Box::pin(async move { Ok(judge_without_errors(&experiment(lab, AB_USERS, KEYS).await)) }),
};

/// What the trials gave.
struct Trials {
    users: usize,
    keys: usize,
    /// Trials in which every key asked for was handed out.
    complete: u64,
    /// Trials that exclude the birthday rate.
    needed: u64,
    /// Two exchanges of one trial that were handed the same key.
    duplicate: Option<[Exchange; 2]>,
    /// The first answer that was not a key.
    error: Option<Exchange>,
    /// The first response that is wrong by itself: an invalid key, or a refusal without cause.
    wrong: Option<Exchange>,
}

async fn experiment(lab: &Arc<Lab>, users: usize, keys: usize) -> Trials {
    let needed = trials_to_exclude(birthday_collision(keys, THREE_CHARACTER_KEYS), CONFIDENCE);
    let mut trials = Trials { users, keys, complete: 0, needed, duplicate: None, error: None, wrong: None };
    let is_decided = |trials: &Trials| trials.duplicate.is_some() || trials.wrong.is_some();
    while trials.complete < needed.max(TRIALS) && !is_decided(&trials) && lab.has_time() {
        let asked = lab.borrow_keys(users, keys).await;
        trials.duplicate = first_duplicate(&asked);
        trials.wrong = asked.iter().find(|asked| answers::wrong_by_itself(asked).is_some()).cloned();
        if asked.iter().filter(|asked| asked.key_handed_out().is_some()).count() == keys {
            trials.complete += 1;
        } else {
            trials.error = trials.error.or_else(|| asked.into_iter().find(|asked| asked.key_handed_out().is_none()));
        }
    }
    trials
}

/// The two exchanges, in the order of their times, that were handed one key.
fn first_duplicate(asked: &[Exchange]) -> Option<[Exchange; 2]> {
    let mut holders: HashMap<String, &Exchange> = HashMap::new();
    for exchange in asked {
        // An invalid key is wrong by itself.
        let Some(key) = exchange.key_handed_out().filter(|key| is_session_key(key)) else { continue };
        if let Some(other) = holders.insert(key, exchange) {
            let mut pair = [other.clone(), exchange.clone()];
            pair.sort_by_key(|exchange| exchange.from_us);
            return Some(pair);
        }
    }
    None
}

fn judge(trials: &Trials) -> Finding {
    let Trials { users, keys, complete, needed, .. } = trials;
    let chance = birthday_collision(*keys, THREE_CHARACTER_KEYS);
    let finding = if let Some([first, second]) = &trials.duplicate {
        let key = first.key_handed_out().unwrap_or_default();
        let nothing_between = Step::finding("between the two", "nobody ended that session: it was to be one user's");
        let steps = vec![first.step(), nothing_between, second.step()];
        Finding::refuted(format!("{key} was handed out twice, in trial {} of {keys} keys", complete.max(&1)), steps)
            .named(Anomaly::DuplicateKey)
    } else if let Some(wrong) = answers::first_wrong(&trials.wrong) {
        wrong
    } else if complete >= needed {
        Finding::holds(format!("no duplicate in {complete} trials of {keys} keys"))
    } else {
        let error = trials.error.as_ref().map(|error| format!("; generate-key answered {}", error.step().got));
        let missing = format!("no duplicate in {complete} complete trials of {keys} keys, {needed} are needed");
        Finding::inconclusive(missing + &error.unwrap_or_default())
    };
    finding
        .measured("trials", *complete)
        .measured("users", *users)
        .measured("keys_per_trial", *keys)
        .expected("trials_that_exclude_the_birthday_rate", *needed)
        .expected("birthday_rate_per_trial", chance)
}

fn judge_without_errors(trials: &Trials) -> Finding {
    let finding = judge(trials);
    match &trials.error {
        Some(error) if finding.verdict != Verdict::Refuted && !answers::says_nothing(error) => {
            let summary = format!("a request for a key was answered {}", error.step().got);
            Finding { counterexample: vec![error.step()], verdict: Verdict::Refuted, summary, ..finding }
        }
        _ => finding,
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use contract::Operation;
    use contract::{Answer, Body};

    fn handed(user: usize, key: &str) -> Exchange {
        let body = format!(r#"{{"success":true,"timestamp":1,"data":{{"sessionKey":"{key}"}}}}"#);
        let outcome = Ok(Answer { status: 200, attempts: None, body: Body::parse(body.as_bytes()) });
        let at = user as u64;
        Exchange {
            user,
            operation: Operation::GenerateKey,
            key: String::new(),
            note: String::new(),
            from_us: at,
            to_us: at + 1,
            outcome,
        }
    }

    fn refused() -> Exchange {
        let body = Body::parse(br#"{"success":false,"message":"no","timestamp":1}"#);
        Exchange { outcome: Ok(Answer { status: 500, attempts: None, body }), ..handed(3, "A4K") }
    }

    fn trials(complete: u64, duplicate: Option<[Exchange; 2]>, error: Option<Exchange>) -> Trials {
        Trials { users: 1, keys: 100, complete, needed: 44, duplicate, error, wrong: None }
    }

    #[test]
    fn a_duplicate_refutes_and_enough_trials_without_one_hold() {
        let pair =
            first_duplicate(&[handed(0, "A4K"), refused(), handed(1, "B4K"), handed(2, "A4K")]).expect("a duplicate");
        let finding = judge(&trials(3, Some(pair), None));
        assert_eq!(finding.verdict, Verdict::Refuted);
        assert!(finding.summary.starts_with("A4K was handed out twice") && finding.counterexample.len() == 3);
        assert_eq!(judge(&trials(44, None, None)).verdict, Verdict::Holds);
        assert_eq!(judge(&trials(43, None, None)).verdict, Verdict::Inconclusive);
        assert!(first_duplicate(&[handed(0, "A4K"), handed(1, "B4K")]).is_none());
    }

    /// Regression: keys of four characters, lower-case keys and empty keys counted as valid.
    #[test]
    fn a_key_that_is_none_refutes_with_the_exchange_that_shows_it() {
        for key in ["A4KX", "a4k", ""] {
            let wrong = Some(handed(3, key));
            let finding = judge(&Trials { wrong, ..trials(44, None, None) });
            assert_eq!((finding.verdict, finding.counterexample.len()), (Verdict::Refuted, 2));
            assert!(finding.summary.contains(&format!("handed out \"{key}\"")), "{}", finding.summary);
        }
    }

    #[test]
    fn an_error_refutes_only_the_claim_that_promises_none() {
        assert_eq!(judge(&trials(44, None, Some(refused()))).verdict, Verdict::Holds);
        let finding = judge_without_errors(&trials(44, None, Some(refused())));
        assert_eq!((finding.verdict, finding.counterexample.len()), (Verdict::Refuted, 1));
    }
}
