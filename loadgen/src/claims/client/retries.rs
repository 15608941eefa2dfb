//! C2: how often a start that fails is tried, and how far apart.

use super::{CALLS_COME, Seat, no_client, step, unless_it_overwrites};
use crate::browser::{Call, Treatment};
use crate::claims::{Claim, Expected, Finding, Needs, Phase};
use crate::lab::{Lab, Stuck};
use contract::Operation;
use contract::message::LOCKED;
use record::claims::ClaimId;
use record::step::Step;
use std::sync::Arc;
use std::time::Duration;

/// C2
pub(in crate::claims) static C2: Claim = Claim {
    id: ClaimId::of("C2"),
    title: "a start is tried three times, a second apart",
    quote: "maxAttempts = 3 … setTimeout(resolve, 1000)",
    tried: "The gateway between browser and target answers every generate-key, every instantiate, and in a third start \
            the first two instantiates with 500. The calls are observed until 2.5 s after the third try.",
    holds_if: "There are exactly three tries in each of the three starts, every pause is at least 950 ms, and the \
            shortest of all is at most 1.5 s.",
    needs: Needs::Browser,
    expected: Expected::HOLDS,
    decisions_on_chance: 0,
    phase: Phase::Waiting,
    is_quick: false,
    mostly_waits: true,
    takes_times: false,
    attempt: |lab| Box::pin(async move { Ok(judge(lab.target.page(), &experiment(lab).await?)) }),
};

/// The specification's number of tries.
const TRIES: usize = 3;

/// How far apart tries may be: one second by the browser's clock, which may be a little off the gateway's, and on a busy
/// machine a try comes late. Of all pauses the shortest is held to the upper end.
const SHORTEST_PAUSE: Duration = Duration::from_millis(950);
const LONGEST_PAUSE: Duration = Duration::from_millis(1_500);

/// How long after the last try it is watched whether one more comes.
const WATCH: Duration = Duration::from_millis(2_500);

/// A start that is made to fail.
struct Failing {
    /// What fails, in words.
    what: &'static str,
    /// The operation that is refused.
    operation: Operation,
    /// How many of its calls are refused; the next one is passed on.
    refused: usize,
    calls: Vec<Call>,
}

impl Failing {
    fn new(what: &'static str, operation: Operation, refused: usize) -> Self {
        Self { what, operation, refused, calls: Vec::new() }
    }

    fn tries(&self) -> Vec<&Call> {
        self.calls.iter().filter(|call| call.operation == self.operation).collect()
    }

    fn pauses(&self) -> Vec<Duration> {
        self.tries().windows(2).map(|pair| pair[1].came.saturating_sub(pair[0].came)).collect()
    }
}

async fn experiment(lab: &Arc<Lab>) -> Result<Vec<Failing>, Stuck> {
    let key = lab.new_keys(1).await?.remove(0);
    let seat = Seat::take(lab).await?;
    let mut starts = vec![
        Failing::new("every generate-key is refused", Operation::GenerateKey, usize::MAX),
        Failing::new("every instantiate is refused", Operation::Instantiate, usize::MAX),
        Failing::new("the first two instantiates are refused", Operation::Instantiate, TRIES - 1),
    ];
    for start in &mut starts {
        let (operation, refused) = (start.operation, start.refused);
        seat.gateway.treat(move |call, before| {
            let earlier = before.iter().filter(|earlier| earlier.operation == operation).count();
            let is_refused = call.operation == operation && earlier < refused;
            if is_refused { Treatment::Refuse(LOCKED.0, LOCKED.1) } else { unless_it_overwrites(call) }
        });
        let query = if operation == Operation::GenerateKey { String::new() } else { format!("?={key}") };
        let count = |calls: &[Call]| calls.iter().filter(|call| call.operation == operation).count();
        seat.open(&query, |calls| count(calls) >= TRIES).await?;
        tokio::time::sleep(WATCH).await;
        start.calls = seat.gateway.calls();
        if start.calls.is_empty() {
            break;
        }
    }
    seat.leave().await;
    Ok(starts)
}

fn judge(page: &str, starts: &[Failing]) -> Finding {
    if starts.iter().all(|start| start.calls.is_empty()) {
        return Finding::untestable(no_client(page));
    }
    let refuted = |start: &Failing, why: String| {
        let mut steps = vec![Step::finding(start.what, String::new())];
        steps.extend(start.calls.iter().map(step));
        Finding::refuted(format!("{}: {why}", start.what), steps)
    };
    for start in starts {
        let tries = start.tries().len();
        if tries == 0 {
            return Finding::inconclusive(format!("{}: the client did not come to call it", start.what));
        }
        if tries != TRIES {
            let waited_s = CALLS_COME.as_secs();
            return refuted(start, format!("{tries} tries within {waited_s} s in place of {TRIES}"));
        }
        if let Some(pause) = start.pauses().into_iter().find(|pause| *pause < SHORTEST_PAUSE) {
            return refuted(start, format!("tried again after {} ms in place of 1000", pause.as_millis()));
        }
    }
    let pauses_ms: Vec<u64> =
        starts.iter().flat_map(Failing::pauses).map(|pause| u64::try_from(pause.as_millis()).unwrap_or(0)).collect();
    let least_ms = pauses_ms.iter().copied().min().unwrap_or(0);
    let found = if u128::from(least_ms) > LONGEST_PAUSE.as_millis() {
        refuted(&starts[0], format!("tried again after {least_ms} ms at the soonest, in place of 1000"))
    } else {
        Finding::holds(format!("{TRIES} tries in each of {} failing starts, {least_ms} ms apart", starts.len()))
    };
    found.measured("pauses_ms", pauses_ms).expected("tries", TRIES).expected("pause_ms", 1_000)
}

#[cfg(test)]
mod tests {
    use super::*;
    use record::claims::Verdict;

    fn start(refused: usize, came_ms: &[u64]) -> Failing {
        let call = |ms: &u64| Call {
            operation: Operation::Instantiate,
            key: Some("A4K".to_owned()),
            came: Duration::from_millis(*ms),
            status: Some(500),
        };
        Failing {
            calls: came_ms.iter().map(call).collect(),
            ..Failing::new("instantiates are refused", Operation::Instantiate, refused)
        }
    }

    fn verdict(came_ms: &[u64]) -> Verdict {
        judge("/", &[start(usize::MAX, came_ms)]).verdict
    }

    #[test]
    fn three_tries_a_second_apart_hold() {
        assert_eq!(verdict(&[100, 1_104, 2_110]), Verdict::Holds);
    }

    #[test]
    fn two_tries_or_four_or_no_pause_or_a_long_one_do_not() {
        for came_ms in [&[100, 1_104][..], &[0, 1_000, 2_000, 3_000], &[0, 300, 1_300], &[0, 2_000, 4_000]] {
            assert_eq!(verdict(came_ms), Verdict::Refuted, "{came_ms:?}");
        }
    }

    #[test]
    fn one_pause_that_a_busy_machine_drew_out_accuses_nobody() {
        assert_eq!(verdict(&[0, 1_010, 4_000]), Verdict::Holds);
    }

    #[test]
    fn a_page_without_a_client_and_a_client_that_never_came_so_far_are_not_judged() {
        assert_eq!(verdict(&[]), Verdict::Untestable);
        let elsewhere = Failing::new("every generate-key is refused", Operation::GenerateKey, usize::MAX);
        let silent = Failing { calls: start(0, &[5]).calls, ..elsewhere };
        assert_eq!(judge("/", &[silent]).verdict, Verdict::Inconclusive);
    }
}
