//! O5: whether a key is a secret.

use super::chance::CONFIDENCE;
use super::{Claim, Expectation, Expected, Finding, Needs, Phase};
use crate::lab::{Lab, Stuck, at_once};
use contract::document::{Content, Document, MIN_STATE_BYTES};
use contract::key::{KEY_CHARACTERS, key_at};
use engine::client::Exchange;
use rand::RngExt;
use record::claims::ClaimId;
use record::step::Step;
use stats::keys::THREE_CHARACTER_KEYS;
use stats::statistics::clopper_pearson;
use std::sync::Arc;
use std::sync::atomic::{AtomicUsize, Ordering::Relaxed};
use std::time::{Duration, Instant};

/// Sessions to be hit.
const SESSIONS: usize = 100;

/// Those who guess, hits after which they stop, and how long they try: at 466 guesses a hit, a second is enough.
const GUESSERS: usize = 16;
const HITS: usize = 10;
const LONGEST: Duration = Duration::from_secs(3);

/// Guesses that it should take: 2⁴⁰, a year at 35,000 a second.
const MIN_GUESSES: f64 = (1_u64 << 40) as f64;

/// Sessions at once, as the specification recommends at most.
const RECOMMENDED_MAX: f64 = 10_000.0;

/// O5
pub(super) static O5: Claim = Claim {
    id: ClaimId::of("O5"),
    title: "a session cannot be guessed",
    quote: "(a key is all it takes to read, overwrite or delete)",
    tried: "There are 100 sessions, and 16 users restore random keys for 3 s or until ten restores have shown a \
            document. On a target that held documents at the start nobody guesses, as a hit could be another person's \
            document: the possible keys are only counted.",
    holds_if: "Guessing one of 10,000 sessions takes 2⁴⁰ attempts or more. It is refuted if the hits show fewer attempts \
            per hit (99.93 %), or if half the number of possible keys is less.",
    needs: Needs::Wire,
    // Three characters are no secret under any protocol; a server with longer keys may do better.
    expected: Expected {
        documented: Expectation::Refuted,
        hardened: Expectation::Refuted,
        contract: Expectation::Either,
    },
    decisions_on_chance: 1,
    phase: Phase::Service,
    is_quick: true,
    mostly_waits: false,
    takes_times: false,
    attempt: |lab| Box::pin(async move { Ok(judge(&experiment(lab).await?)) }),
};

/// What was seen of the keys, and what guessing them gave.
#[derive(Debug, Default)]
struct Guessed {
    /// Length of the shortest key that was handed out, characters.
    length: usize,
    guesses: usize,
    hits: usize,
    /// One hit.
    hit: Option<Exchange>,
}

async fn experiment(lab: &Arc<Lab>) -> Result<Guessed, Stuck> {
    let keys = lab.new_keys(SESSIONS).await?;
    let length = keys.iter().map(String::len).min().unwrap_or_default();
    let mut owner = lab.user(0);
    for (document, key) in keys.iter().enumerate() {
        let content = Content { writer: document as u64, number: 0, size_bytes: MIN_STATE_BYTES };
        let created = owner.instantiate(key, "word", &content.state()).await;
        if !created.is_success() {
            return Err(Stuck(format!("no session to be guessed: {}", created.step())));
        }
    }
    // Where others have documents, a guess could read one of theirs: there the keys are only counted.
    if !lab.was_empty || length != 3 {
        return Ok(Guessed { length, ..Guessed::default() });
    }
    let until = Instant::now() + LONGEST;
    let hits = Arc::new(AtomicUsize::new(0));
    let lab_of_users = Arc::clone(lab);
    let guessing = at_once(lab.crowd(GUESSERS), move |mut user, number| {
        let (hits, mut random) = (Arc::clone(&hits), lab_of_users.random(number as u64));
        async move {
            let (mut guesses, mut found) = (0, Vec::new());
            while hits.load(Relaxed) < HITS && Instant::now() < until {
                let restored = user.restore(&key_at(random.random_range(0..THREE_CHARACTER_KEYS))).await;
                guesses += usize::from(restored.status().is_some());
                if shows_a_document(&restored) {
                    hits.fetch_add(1, Relaxed);
                    found.push(restored);
                }
            }
            (guesses, found)
        }
    });
    let guessed = guessing.await;
    let guesses = guessed.iter().map(|(guesses, _)| guesses).sum();
    let found: Vec<Exchange> = guessed.into_iter().flat_map(|(_, found)| found).collect();
    Ok(Guessed { length, guesses, hits: found.len(), hit: found.into_iter().next() })
}

fn shows_a_document(restored: &Exchange) -> bool {
    restored.data().and_then(|data| Document::parse(data.get())).is_some_and(|document| document.content().is_some())
}

fn judge(guessed: &Guessed) -> Finding {
    let keys = (KEY_CHARACTERS.len() as f64).powi(i32::try_from(guessed.length).unwrap_or(i32::MAX));
    // One session among all keys that there can be, none tried twice: the most that guessing can take.
    let most_guesses = f64::midpoint(keys, 1.0);
    let share = clopper_pearson(guessed.hits as u64, guessed.guesses as u64, CONFIDENCE);
    let mean = guessed.guesses as f64 / guessed.hits as f64;
    let finding = if let Some(hit) = guessed.hit.as_ref().filter(|_| 1.0 / share.low < MIN_GUESSES) {
        let what = format!("a stranger's document is read after {mean:.0} guesses, with {SESSIONS} sessions");
        let mut step = hit.step();
        step.did = format!("{}, a guess", step.did);
        Finding::refuted(what, vec![step])
    } else if most_guesses < MIN_GUESSES {
        let counted =
            format!("36^{} keys: {most_guesses:.0} guesses on average to hit the only session", guessed.length);
        Finding::refuted(counted.clone(), vec![Step::finding("counting the keys that there can be", counted)])
    } else if keys / RECOMMENDED_MAX < MIN_GUESSES {
        Finding::inconclusive(format!(
            "{most_guesses:.1e} guesses for one session, but {:.1e} with 10,000 sessions",
            keys / RECOMMENDED_MAX
        ))
    } else {
        Finding::holds(format!("{:.1e} guesses to hit one of 10,000 sessions", keys / RECOMMENDED_MAX))
    };
    finding
        .measured("key_characters", guessed.length)
        .measured("guesses", guessed.guesses)
        .measured("hits", guessed.hits)
        .measured("guesses_a_hit", (guessed.hits > 0).then_some(mean))
        .expected("guesses_a_hit_with_these_sessions", keys / SESSIONS as f64)
        .expected("guesses_a_hit_at_least", MIN_GUESSES)
}

#[cfg(test)]
mod tests {
    use super::*;
    use contract::Operation;
    use engine::client::samples::exchange as sample;
    use record::claims::Verdict;

    #[test]
    fn a_hit_refutes_and_so_do_keys_that_can_be_counted() {
        let hit = sample(Operation::Restore, 0, 1, 200);
        let finding = judge(&Guessed { length: 3, guesses: 4_700, hits: 10, hit: Some(hit) });
        assert_eq!(finding.verdict, Verdict::Refuted);
        assert!(finding.summary.contains("after 470 guesses"), "{}", finding.summary);
        let verdict = |length| judge(&Guessed { length, ..Guessed::default() }).verdict;
        assert_eq!((verdict(3), verdict(7)), (Verdict::Refuted, Verdict::Refuted), "2^36 keys");
        assert_eq!((verdict(8), verdict(10)), (Verdict::Inconclusive, Verdict::Inconclusive));
        assert_eq!(verdict(11), Verdict::Holds, "2^57 keys");
    }
}
