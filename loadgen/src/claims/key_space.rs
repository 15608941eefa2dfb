//! K1: all 46,656 keys, and no others.

use super::answers;
use super::{Claim, Expected, Finding, Needs, Phase};
use crate::lab::{Lab, Stuck};
use contract::key::key_at;
use engine::client::Exchange;
use record::claims::ClaimId;
use record::step::Step;
use stats::keys::THREE_CHARACTER_KEYS;
use std::collections::BTreeSet;
use std::sync::Arc;

/// Keys left free.
const FREE: usize = 300;

/// Keys asked for before what came is looked at.
const BATCH: usize = 400;

/// A key that did not come is only held against the server when a fair one would leave any out with a chance below.
const CHANCE: f64 = 1e-6;

/// K1
pub(super) static K1: Claim = Claim {
    id: ClaimId::of("K1"),
    title: "all 46,656 keys come out, and no others",
    quote: "3-character keys (A-Z, 0-9) = 46,656 combinations",
    tried: "The folder is filled until 300 keys are free. Keys are then requested, first without giving any back and \
            then in batches of 30 that are given back, until all 300 have appeared. A key counts as missing only after \
            so many draws from all free keys that a fair server would leave any of them out with a probability below \
            10⁻⁶ (5,856).",
    holds_if: "Every free key is handed out, and no key that is in use or is not three characters of A to Z and 0 to 9.",
    needs: Needs::Filling,
    expected: Expected::HOLDS,
    decisions_on_chance: 0,
    phase: Phase::NearlyFullFolder,
    is_quick: true,
    mostly_waits: false,
    takes_times: false,
    attempt: |lab| Box::pin(async move { Ok(judge(&experiment(lab).await?)) }),
};

/// What came out of a folder with few free keys.
struct Drain {
    free: BTreeSet<String>,
    came: BTreeSet<String>,
    /// A key that came though it was not free, or is none.
    stray: Option<(String, Exchange)>,
    /// A response that is wrong by itself, such as a refusal without cause.
    wrong: Option<Exchange>,
    /// Keys drawn from all free ones alike, so that chance can be judged.
    draws: usize,
    requests: usize,
    /// Requests without a clear response: each may hold a key that nobody knows of.
    unclear: usize,
}

impl Drain {
    fn note(&mut self, asked: &[Exchange]) -> Vec<String> {
        self.requests += asked.len();
        self.unclear += asked.iter().filter(|exchange| answers::may_have_handed_out(exchange)).count();
        let mut handed = Vec::new();
        for exchange in asked {
            if self.wrong.is_none() && answers::wrong_by_itself(exchange).is_some() {
                self.wrong = Some(exchange.clone());
            }
            let Some(key) = exchange.key_handed_out() else { continue };
            if !self.free.contains(&key) {
                self.stray.get_or_insert_with(|| (key.clone(), exchange.clone()));
            }
            self.came.insert(key.clone());
            handed.push(key);
        }
        handed
    }

    fn is_decided(&self) -> bool {
        self.stray.is_some()
            || self.wrong.is_some()
            || self.came.len() >= self.free.len()
            || self.draws >= draws_needed(self.free.len())
    }
}

/// Draws, each from all free keys alike, after which any key is still missing with a chance below [`CHANCE`].
#[allow(clippy::cast_possible_truncation, clippy::cast_sign_loss, reason = "a count of draws, rounded up")]
fn draws_needed(free: usize) -> usize {
    (free as f64 * (free as f64 / CHANCE).ln()).ceil() as usize
}

async fn experiment(lab: &Arc<Lab>) -> Result<Drain, Stuck> {
    lab.fill_to(THREE_CHARACTER_KEYS - FREE).await?;
    let used: BTreeSet<String> = lab.folder()?.keys()?.into_iter().collect();
    let free = (0..THREE_CHARACTER_KEYS).map(key_at).filter(|key| !used.contains(key)).collect();
    let mut drain = Drain { free, came: BTreeSet::new(), stray: None, wrong: None, draws: 0, requests: 0, unclear: 0 };
    // First without giving any back: where keys are reserved, each comes once, until none is left.
    let mut held = Vec::new();
    while !drain.is_decided() && lab.has_time() {
        let handed = drain.note(&lab.ask_for_keys(lab.users.min(BATCH), BATCH).await);
        if handed.is_empty() {
            break;
        }
        drain.draws += if lab.reserves { 0 } else { handed.len() };
        held.extend(handed);
    }
    lab.release(&held).await;
    lab.allow(lab.effort.limit());
    // Then each batch from all free keys anew.
    while !drain.is_decided() && lab.has_time() {
        let handed = drain.note(&lab.borrow_keys(1, FREE / 10).await);
        drain.draws += handed.len();
    }
    Ok(drain)
}

fn judge(drain: &Drain) -> Finding {
    let (free, came) = (drain.free.len(), drain.came.intersection(&drain.free).count());
    let missing = drain.free.difference(&drain.came).next();
    let finding = if let Some((key, exchange)) = &drain.stray {
        let was = if contract::key::is_key(key) && key.len() == 3 {
            "in use: its file was there"
        } else {
            "no three-character key"
        };
        let steps = vec![exchange.step(), Step::finding(format!("{key} was"), was)];
        Finding::refuted(format!("{key} was handed out, which was {was}"), steps)
    } else if let Some(wrong) = answers::first_wrong(&drain.wrong) {
        wrong
    } else if let Some(key) = missing {
        let is_due = drain.draws >= draws_needed(free) || drain.came.is_empty() && drain.requests >= 10 * free;
        if is_due && free - came > drain.unclear {
            let found = format!("not among {} keys handed out in {} requests", drain.draws, drain.requests);
            let steps = vec![Step::finding(format!("{key} was free all the time"), found)];
            Finding::refuted(format!("{} of {free} free keys never came out, {key} for one", free - came), steps)
        } else {
            Finding::inconclusive(format!("{came} of {free} free keys came out in {} requests", drain.requests))
        }
    } else {
        Finding::holds(format!("the {free} keys left free came out, and no others, in {} requests", drain.requests))
    };
    finding.measured("keys_left_free", free).measured("keys_that_came", came).measured("requests", drain.requests)
}

#[cfg(test)]
mod tests {
    use super::*;
    use contract::Operation;
    use contract::{Answer, Body};
    use record::claims::Verdict;

    fn handed(key: &str) -> Exchange {
        let body =
            Body::parse(format!(r#"{{"success":true,"timestamp":1,"data":{{"sessionKey":"{key}"}}}}"#).as_bytes());
        let outcome = Ok(Answer { status: 200, attempts: None, body });
        let (key, note) = (String::new(), String::new());
        Exchange { user: 0, operation: Operation::GenerateKey, key, note, from_us: 0, to_us: 1, outcome }
    }

    fn drain(keys: &[&str], draws: usize) -> Drain {
        let free = ["AAA", "AAB", "AAC"].map(str::to_owned).into();
        let mut drain = Drain { free, came: BTreeSet::new(), stray: None, wrong: None, draws, requests: 0, unclear: 0 };
        drain.note(&keys.iter().map(|key| handed(key)).collect::<Vec<_>>());
        drain
    }

    #[test]
    fn those_and_only_those_come_out() {
        assert_eq!(judge(&drain(&["AAA", "AAC", "AAB", "AAA"], 4)).verdict, Verdict::Holds);
        assert_eq!(judge(&drain(&["AAA", "AAD"], 2)).verdict, Verdict::Refuted);
        assert_eq!(judge(&drain(&["aaa"], 1)).verdict, Verdict::Refuted);
    }

    #[test]
    fn a_key_that_did_not_come_is_held_against_the_server_only_beyond_chance() {
        assert_eq!(judge(&drain(&["AAA", "AAC"], draws_needed(3) - 1)).verdict, Verdict::Inconclusive);
        assert_eq!(judge(&drain(&["AAA", "AAC"], draws_needed(3))).verdict, Verdict::Refuted);
        let lost = Drain { unclear: 1, ..drain(&["AAA", "AAC"], draws_needed(3)) };
        assert_eq!(judge(&lost).verdict, Verdict::Inconclusive);
        assert_eq!(draws_needed(300), 5_856);
    }
}
