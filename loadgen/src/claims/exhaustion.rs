//! K5, K10: where keys run out, and what happens then.

use super::answers::{may_have_handed_out, says_nothing};
use super::chance::CONFIDENCE;
use super::{Claim, Expected, Finding, Needs, Phase};
use crate::lab::{Lab, Stuck, lock};
use contract::message::EXHAUSTED;
use engine::client::Exchange;
use rand::RngExt;
use record::claims::ClaimId;
use record::step::Step;
use serde_json::json;
use stats::keys::{THREE_CHARACTER_KEYS, exhaustion_chance};
use stats::statistics::{Interval, clopper_pearson};
use std::sync::Arc;

/// "~45,000", within 5 %
const DOCUMENTED: f64 = 45_000.0;
const EARLIEST: usize = 42_750;

/// Fills at which the share of 503s is measured; the first and the last decide, the others place the point.
const FILLS: [usize; 5] = [EARLIEST, 44_500, 45_000, 46_000, THREE_CHARACTER_KEYS];

/// The share of 503s that counts as exhaustion.
const ONE_PERCENT: f64 = 0.01;

/// Requests at each fill: without a 503, 800 exclude 1 % as surely as they must; more leave room for some.
const REQUESTS: u64 = 1_200;

/// Keys asked for before they are given back: at the first fill they are 3 % of what is free.
const BATCH: usize = 100;

/// Requests on the full folder.
const FULL_REQUESTS: usize = 200;

/// How often the one free key is asked for.
const SEARCHES: usize = 20;

/// K5
pub(super) static K5: Claim = Claim {
    id: ClaimId::of("K5"),
    title: "keys run out at about 45,000 sessions",
    quote: "Exhaustion point: ~45,000 active sessions",
    tried: "At each of 42,750, 44,500, 45,000, 46,000 and 46,656 documents, 1,200 keys are requested in batches of 100 \
            that are given back. The fill at which 1 % of the requests get 503 is reported; theory says 44,556 without \
            reservation.",
    holds_if: "At 42,750 documents (5 % below 45,000) at most 1 % of requests get 503, and with all keys in use at least \
            1 % do (exact binomial intervals at 99.93 %).",
    needs: Needs::Filling,
    expected: Expected::HOLDS,
    // One at the first fill, and one at the last.
    decisions_on_chance: 2,
    phase: Phase::Exhaustion,
    is_quick: true,
    mostly_waits: false,
    takes_times: false,
    attempt: |lab| {
        Box::pin(async move {
            let mut levels = Vec::new();
            for fill in FILLS {
                lab.fill_to(fill).await?;
                levels.push(refusals_at(lab, fill).await);
            }
            Ok(judge_point(&levels))
        })
    },
};

/// K10
pub(super) static K10: Claim = Claim {
    id: ClaimId::of("K10"),
    title: "a full folder is said to be full, and one free key is found",
    quote: "works every time or fails clearly … all attempts exhausted",
    tried: "With all 46,656 keys in use, 200 keys are requested. Then one session is deleted, and one user requests a \
            key 20 times, giving it back each time.",
    holds_if: "Every response on the full folder is exactly 503 `Unable to generate unique key - all attempts exhausted`, \
            and each of the later requests gets the one free key. `503 Server busy`, a proxy's error and a missing \
            response decide nothing.",
    needs: Needs::Filling,
    expected: Expected::REFUTED_ON_DOCUMENTED,
    decisions_on_chance: 0,
    phase: Phase::Exhaustion,
    is_quick: true,
    mostly_waits: false,
    takes_times: false,
    attempt: |lab| Box::pin(async move { Ok(judge_end(&full_and_one_free(lab).await?)) }),
};

/// How requests for keys fared at a fill.
struct Level {
    fill: usize,
    requests: u64,
    refused: u64,
    example: Option<Exchange>,
}

impl Level {
    fn share(&self) -> Interval {
        clopper_pearson(self.refused, self.requests, CONFIDENCE)
    }
}

async fn refusals_at(lab: &Arc<Lab>, fill: usize) -> Level {
    let mut level = Level { fill, requests: 0, refused: 0, example: None };
    while level.requests < REQUESTS && lab.has_time() {
        let asked = lab.borrow_keys(lab.users.min(BATCH), BATCH).await;
        level.requests += asked.iter().filter(|asked| !says_nothing(asked)).count() as u64;
        level.refused += asked.iter().filter(|asked| is_refused(asked)).count() as u64;
        level.example = level.example.or_else(|| asked.into_iter().find(is_refused));
    }
    level
}

/// Whether the server reports that no key is free.
pub(super) fn is_refused(asked: &Exchange) -> bool {
    !says_nothing(asked) && asked.refusal().is_some_and(|(status, _)| status == 503)
}

fn judge_point(levels: &[Level]) -> Finding {
    let (Some(earliest), Some(full)) = (levels.first(), levels.last()) else {
        return Finding::inconclusive("nothing was measured");
    };
    let point = exhaustion_point(levels);
    let refused = |level: &Level| {
        format!("{} of {} requests are answered 503 at a fill of {}", level.refused, level.requests, level.fill)
    };
    let finding = if earliest.share().low > ONE_PERCENT {
        let steps = earliest.example.iter().map(Exchange::step).collect();
        Finding::refuted(format!("too early: {}", refused(earliest)), steps)
    } else if full.share().high < ONE_PERCENT {
        let step = Step::finding(format!("generate-key with all {} keys in use", full.fill), refused(full));
        Finding::refuted(format!("never: {}", refused(full)), vec![step])
    } else if earliest.share().high > ONE_PERCENT || full.share().low < ONE_PERCENT {
        Finding::inconclusive(format!("too few requests to tell: {}, {}", refused(earliest), refused(full)))
    } else {
        let point = point.map_or("at the last key".to_owned(), |point| format!("at about {point:.0}"));
        Finding::holds(format!("1 % of requests are answered 503 {point}"))
    };
    let by_fill: Vec<_> = levels
        .iter()
        .map(|level| {
            let documented = exhaustion_chance(level.fill as f64 / THREE_CHARACTER_KEYS as f64);
            json!({ "fill": level.fill, "requests": level.requests, "refused": level.refused, "share_as_documented": documented })
        })
        .collect();
    finding
        .measured("by_fill", by_fill)
        .measured("fill_where_1_percent_are_refused", point)
        .expected("fill", DOCUMENTED)
}

/// The fill at which the share of 503s passes 1 %, on a line between the logarithms of the shares around it.
fn exhaustion_point(levels: &[Level]) -> Option<f64> {
    let log_share = |level: &Level| (level.refused.max(1) as f64 / level.requests.max(1) as f64).ln();
    let pair = levels
        .windows(2)
        .find(|pair| log_share(&pair[0]) <= ONE_PERCENT.ln() && log_share(&pair[1]) > ONE_PERCENT.ln())?;
    let (low, high) = (log_share(&pair[0]), log_share(&pair[1]));
    let span = pair[1].fill as f64 - pair[0].fill as f64;
    Some(pair[0].fill as f64 + span * (ONE_PERCENT.ln() - low) / (high - low))
}

/// What a full folder, and then one with one free key, gave.
struct End {
    /// Requests on the full folder.
    full: Vec<Exchange>,
    free_key: String,
    /// How it was freed.
    freed: Step,
    /// Requests with the one key free, one after the other; a key handed out is given back before the next.
    searches: Vec<Exchange>,
}

async fn full_and_one_free(lab: &Arc<Lab>) -> Result<End, Stuck> {
    lab.fill_to(THREE_CHARACTER_KEYS).await?;
    let full = lab.ask_for_keys(lab.users.min(FULL_REQUESTS), FULL_REQUESTS).await;
    let (free_key, freed) = free_one(lab).await?;
    let mut user = lab.user(0);
    let mut searches = Vec::new();
    while searches.len() < SEARCHES && lab.has_time() {
        let asked = user.generate_key().await;
        if let Some(key) = asked.key_handed_out() {
            lab.release(&[key]).await;
        }
        let may_be_gone = may_have_handed_out(&asked);
        searches.push(asked);
        if may_be_gone {
            // The free key may have been handed out to nobody.
            break;
        }
    }
    Ok(End { full, free_key, freed, searches })
}

/// Ends one of the sessions that the folder was filled with, the way a user would; where the server leaves the
/// file behind, it is removed by hand.
async fn free_one(lab: &Arc<Lab>) -> Result<(String, Step), Stuck> {
    let key = {
        let filler = lock(&lab.filler);
        let keys = filler.as_ref().map(crate::saves::Filler::keys).unwrap_or_default();
        let index = lab.random(10).random_range(0..keys.len().max(1));
        keys.get(index).cloned().ok_or_else(|| Stuck("the folder is full of others' documents".to_owned()))?
    };
    let deleted = lab.user(0).delete(&key).await;
    let mut filler = lock(&lab.filler);
    let filler = filler.as_mut().ok_or_else(|| Stuck("the saves folder is not known".to_owned()))?;
    if lab.folder()?.document_path(&key).exists() {
        filler.take_away(&key)?;
        return Ok((key.clone(), Step::finding(format!("{key}.json removed from the folder"), "one key is free")));
    }
    filler.forget(&key);
    Ok((key, deleted.step()))
}

fn judge_end(end: &End) -> Finding {
    let unclear = end.full.iter().find(|asked| !says_nothing(asked) && asked.refusal() != Some(EXHAUSTED));
    let answered: Vec<&Exchange> = end.searches.iter().filter(|asked| !says_nothing(asked)).collect();
    let missed: Vec<&&Exchange> =
        answered.iter().filter(|asked| asked.key_handed_out().as_deref() != Some(&end.free_key)).collect();
    let finding = if let Some(exchange) = unclear {
        let should =
            Step::finding("with every key in use, the answer should be", format!("{} {}", EXHAUSTED.0, EXHAUSTED.1));
        Finding::refuted(format!("a full folder is answered {}", exchange.step().got), vec![exchange.step(), should])
    } else if let Some(exchange) = missed.first() {
        let summary = format!("one key was free, and {} of {} requests did not get it", missed.len(), answered.len());
        let state = Step::finding("the folder then", format!("{} is free, and nothing else moves", end.free_key));
        Finding::refuted(summary, vec![end.freed.clone(), state, exchange.step()])
    } else if end.full.iter().filter(|asked| asked.status().is_some()).count() < FULL_REQUESTS / 2
        || answered.len() < SEARCHES / 2
    {
        Finding::inconclusive("too few requests were answered")
    } else {
        Finding::holds(format!(
            "exactly 503 when full; the one free key found {} times of {}",
            answered.len(),
            answered.len()
        ))
    };
    finding
        .measured("requests_when_full", end.full.len())
        .measured("requests_with_one_key_free", answered.len())
        .measured("found", answered.len() - missed.len())
        .expected("found", answered.len())
}

#[cfg(test)]
mod tests {
    use super::*;
    use contract::Operation;
    use contract::{Answer, Body};
    use record::claims::Verdict;

    fn answered(status: u16, body: &str) -> Exchange {
        let outcome = Ok(Answer { status, attempts: None, body: Body::parse(body.as_bytes()) });
        let (key, note) = (String::new(), String::new());
        Exchange { user: 0, operation: Operation::GenerateKey, key, note, from_us: 0, to_us: 1, outcome }
    }

    fn exhausted() -> Exchange {
        answered(503, &format!(r#"{{"success":false,"message":"{}","timestamp":1}}"#, EXHAUSTED.1))
    }

    fn handed(key: &str) -> Exchange {
        answered(200, &format!(r#"{{"success":true,"timestamp":1,"data":{{"sessionKey":"{key}"}}}}"#))
    }

    fn end(full: Exchange, search: Exchange) -> End {
        let freed = Step::finding("delete A4K", "200");
        End { full: vec![full; FULL_REQUESTS], free_key: "A4K".to_owned(), freed, searches: vec![search; SEARCHES] }
    }

    fn point(refused: [u64; 5], requests: u64) -> Finding {
        let level = |(fill, refused)| Level { fill, requests, refused, example: Some(exhausted()) };
        judge_point(&FILLS.into_iter().zip(refused).map(level).collect::<Vec<_>>())
    }

    #[test]
    fn exhaustion_is_where_one_percent_are_refused() {
        let documented = point([0, 11, 32, 280, 1_200], 1_200);
        assert_eq!(documented.verdict, Verdict::Holds);
        let fill = documented.measured["fill_where_1_percent_are_refused"].as_f64().expect("a point");
        assert!((44_400.0..44_700.0).contains(&fill), "{fill}");
        assert_eq!(point([0, 0, 0, 0, 1_200], 1_200).verdict, Verdict::Holds);
        assert_eq!(point([40, 80, 160, 300, 1_200], 1_200).verdict, Verdict::Refuted);
        assert_eq!(point([0; 5], 1_200).verdict, Verdict::Refuted);
        assert_eq!(point([0, 0, 0, 0, 100], 100).verdict, Verdict::Inconclusive);
    }

    /// Regression: a server that was out of connections for one of 200 requests was said to misreport a full folder.
    #[test]
    fn a_server_that_is_busy_says_nothing_of_its_keys() {
        let busy = || answered(503, r#"{"success":false,"message":"Server busy","timestamp":1}"#);
        let mut end = end(exhausted(), handed("A4K"));
        (end.full[7], end.searches[3]) = (busy(), busy());
        assert_eq!(judge_end(&end).verdict, Verdict::Holds);
        assert!(!is_refused(&busy()) && is_refused(&exhausted()));
    }

    #[test]
    fn the_end_is_a_clear_503_and_the_last_key_is_found() {
        assert_eq!(judge_end(&end(exhausted(), handed("A4K"))).verdict, Verdict::Holds);
        let finding = judge_end(&end(exhausted(), exhausted()));
        assert!(finding.verdict == Verdict::Refuted && finding.counterexample.len() == 3, "{}", finding.summary);
        assert_eq!(judge_end(&end(exhausted(), handed("B4K"))).verdict, Verdict::Refuted);
        assert_eq!(
            judge_end(&end(answered(503, r#"{"success":false,"message":"full","timestamp":1}"#), handed("A4K")))
                .verdict,
            Verdict::Refuted
        );
        assert_eq!(judge_end(&end(handed("B4K"), handed("A4K"))).verdict, Verdict::Refuted);
    }
}
