//! S4: restores during saves.

use super::{Claim, Finding, Needs};
use crate::client::exchange::Step;
use crate::client::{Exchange, User};
use crate::document::{Content, Document, REAL_STATE_BYTES};
use crate::verify::lab::{Lab, Stuck, at_once};
use std::collections::{BTreeMap, HashMap};
use std::sync::Arc;
use std::sync::atomic::{AtomicBool, Ordering::Relaxed};
use std::time::{Duration, Instant};

/// Documents under way, by the size of their states: real ones, and larger ones, whose writing takes longer.
const SIZES_BYTES: [usize; 4] = [REAL_STATE_BYTES, REAL_STATE_BYTES, 60_000, 300_000];

/// Users that restore each document while one saves it.
const READERS: usize = 3;

/// Metadata field in which each save says its number, as its state does.
const NUMBER: &str = "save_number";

/// S4
pub(super) static S4: Claim = Claim {
    id: "S4",
    title: "a restore answers a whole, current document",
    quote: "restore.php [KEEP] Already read-only, no changes needed",
    needs: Needs::Wire,
    is_quick: true,
    mostly_waits: false,
    attempt: |lab| Box::pin(async move { Ok(judge(&experiment(lab).await?)) }),
};

/// One document: what its one writer wrote, and what others were answered meanwhile.
struct Story {
    key: String,
    writer: u64,
    /// Numbered from 0, which is the instantiate; one after the other.
    writes: Vec<Exchange>,
    /// Every restore, with what it showed.
    reads: Vec<(Exchange, Seen)>,
}

/// What a restore showed.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Seen {
    /// A whole document of this writer and number.
    Whole { writer: u64, number: u64 },
    /// A document whose metadata and state are of two saves.
    Mixed,
    /// A document whose state nobody wrote, or of another key.
    Other,
    /// No document: an error, a refusal, or no answer.
    Nothing,
}

async fn experiment(lab: &Arc<Lab>) -> Result<Vec<Story>, Stuck> {
    let keys = lab.new_keys(SIZES_BYTES.len()).await?;
    let until = Instant::now() + lab.lasting(Duration::from_secs(3), Duration::from_secs(5), Duration::from_secs(30));
    // Once somebody has met an answer that cannot be right, all stop: one counterexample is enough.
    let found = Arc::new(AtomicBool::new(false));
    let mut first = lab.user(0);
    let mut started = Vec::new();
    for (writer, (key, size_bytes)) in keys.iter().zip(SIZES_BYTES).enumerate() {
        let content = Content { writer: writer as u64, number: 0, size_bytes };
        let created = first.instantiate(key, "word", &content.state()).await;
        if !created.is_success() {
            return Err(Stuck(format!("no document to restore: {}", created.step())));
        }
        started.push(created);
    }
    let documents = keys.len();
    let parts = at_once(lab.crowd(documents * (READERS + 1)), {
        let keys = keys.clone();
        move |user, number| {
            let (document, found) = (number % documents, Arc::clone(&found));
            let (key, size_bytes) = (keys[document].clone(), SIZES_BYTES[document]);
            async move {
                // The first users write, one each document.
                if number < documents {
                    (write(user, &key, document as u64, size_bytes, until, &found).await, Vec::new())
                } else {
                    (Vec::new(), read(user, &key, until, &found).await)
                }
            }
        }
    });
    let parts = parts.await;
    let mut stories: Vec<Story> = (0..)
        .zip(keys.into_iter().zip(started))
        .map(|(writer, (key, created))| Story { key, writer, writes: vec![created], reads: Vec::new() })
        .collect();
    for (number, (writes, reads)) in parts.into_iter().enumerate() {
        stories[number % documents].writes.extend(writes);
        stories[number % documents].reads.extend(reads);
    }
    Ok(stories)
}

async fn write(
    mut user: User,
    key: &str,
    writer: u64,
    size_bytes: usize,
    until: Instant,
    found: &AtomicBool,
) -> Vec<Exchange> {
    let mut writes = Vec::new();
    while Instant::now() < until && !found.load(Relaxed) {
        let number = writes.len() as u64 + 1;
        let content = Content { writer, number, size_bytes };
        let mut saved = user.save(key, "word", &BTreeMap::from([(NUMBER.to_owned(), number)]), &content.state()).await;
        saved.note = format!("with {content}");
        writes.push(saved);
    }
    writes
}

async fn read(mut user: User, key: &str, until: Instant, found: &AtomicBool) -> Vec<(Exchange, Seen)> {
    let mut reads = Vec::new();
    while Instant::now() < until && !found.load(Relaxed) {
        let mut restored = user.restore(key).await;
        let seen = see(&restored, key);
        restored.note = format!("showing {seen:?}");
        if is_never_right(&restored, seen) {
            found.store(true, Relaxed);
        }
        // The answer itself is not needed any more, and thousands of them would be a burden.
        if let Ok(answer) = &mut restored.outcome
            && matches!(seen, Seen::Whole { .. })
        {
            answer.body = crate::client::exchange::Body::Success(serde_json::value::RawValue::NULL.to_owned());
        }
        reads.push((restored, seen));
    }
    reads
}

fn see(restored: &Exchange, key: &str) -> Seen {
    let Some(data) = restored.data() else { return Seen::Nothing };
    let Some(document) = Document::parse(data.get()) else { return Seen::Other };
    let Some(content) = document.content().filter(|_| document.session_key.as_deref() == Some(key)) else {
        return Seen::Other;
    };
    // The instantiate's document has no number yet.
    let number = document.metadata.get(NUMBER).and_then(serde_json::Value::as_u64).unwrap_or(0);
    if number == content.number { Seen::Whole { writer: content.writer, number } } else { Seen::Mixed }
}

/// An answer that cannot be right whatever the order, for a document that is there throughout.
fn is_never_right(restored: &Exchange, seen: Seen) -> bool {
    match seen {
        Seen::Whole { .. } => false,
        Seen::Mixed | Seen::Other => true,
        Seen::Nothing => restored.status().is_some(),
    }
}

/// The name of what is wrong with a restore, if anything is.
fn anomaly(
    story: &Story,
    restored: &Exchange,
    seen: Seen,
    last_acknowledged: &[usize],
) -> Option<(&'static str, Vec<Step>)> {
    let Seen::Whole { writer, number } = seen else {
        let name = match (seen, restored.status()) {
            (_, None) => return None,
            (Seen::Mixed, _) => "a torn read: metadata and state of two saves",
            (Seen::Other, _) => "a torn read: a document that nobody saved",
            (_, Some(404)) => "a document that is there throughout was not found",
            _ => "a torn read: an error for a document that is there throughout",
        };
        return Some((name, around(story, restored)));
    };
    if writer != story.writer {
        return Some(("another document's content", vec![restored.step()]));
    }
    let Some(write) = usize::try_from(number).ok().and_then(|number| story.writes.get(number)) else {
        return Some(("a content that was never saved", vec![restored.step()]));
    };
    if restored.precedes(write) || !write.may_have_happened() {
        return Some(("a content that was not saved by then", vec![write.step(), restored.step()]));
    }
    // Writes follow one another, so what was acknowledged before the restore began is overwritten only by later ones.
    let before = last_acknowledged.partition_point(|&index| story.writes[index].precedes(restored));
    let newest = before.checked_sub(1).map(|place| last_acknowledged[place])?;
    let is_stale = write.is_success() && (newest as u64) > number;
    is_stale.then(|| {
        (
            "a stale read: a later save was acknowledged before",
            vec![write.step(), story.writes[newest].step(), restored.step()],
        )
    })
}

/// The writes that a restore overlaps, and the last before it.
fn around(story: &Story, restored: &Exchange) -> Vec<Step> {
    let overlaps = |write: &&Exchange| !write.precedes(restored) && !restored.precedes(write);
    let before = story.writes.iter().rfind(|write| write.precedes(restored));
    let during = story.writes.iter().filter(overlaps).take(3);
    let mut steps: Vec<Step> = before.into_iter().chain(during).map(Exchange::step).collect();
    steps.push(restored.step());
    steps
}

fn judge(stories: &[Story]) -> Finding {
    let mut anomalies = Vec::new();
    let mut counts: HashMap<&'static str, u64> = HashMap::new();
    for story in stories {
        let acknowledged: Vec<usize> =
            (0..story.writes.len()).filter(|&index| story.writes[index].is_success()).collect();
        for (restored, seen) in &story.reads {
            if let Some((name, steps)) = anomaly(story, restored, *seen, &acknowledged) {
                *counts.entry(name).or_default() += 1;
                anomalies.push((name, steps, &story.key));
            }
        }
    }
    let saves: usize = stories.iter().map(|story| story.writes.iter().filter(|write| write.is_success()).count()).sum();
    let reads = stories.iter().map(|story| story.reads.iter().filter(|(_, seen)| *seen != Seen::Nothing).count());
    let reads: usize = reads.sum();
    let finding = if let Some((name, steps, key)) = anomalies.first() {
        let mut steps = steps.clone();
        steps.push(Step::finding(format!("{key} was there throughout; this is"), *name));
        Finding::refuted(format!("{name}, after {reads} right restores during {saves} saves"), steps)
    } else if reads < 50 || saves < 20 {
        Finding::inconclusive(format!("only {reads} restores were answered during {saves} acknowledged saves"))
    } else {
        Finding::holds(format!("{reads} restores during {saves} saves: all whole and current"))
    };
    let counts: serde_json::Map<_, _> =
        counts.into_iter().map(|(name, count)| (name.to_owned(), count.into())).collect();
    finding.measured("restores", reads).measured("saves", saves).measured("wrong", counts).expected("wrong", 0)
}

#[cfg(test)]
mod tests {
    use super::super::Verdict;
    use super::*;
    use crate::client::Operation;
    use crate::client::exchange::sample as exchange;
    use crate::client::exchange::{Answer, Body};

    /// Writes at 0–10, 20–30, 40–50, …; the second answered as given.
    fn story(second: u16, read: (u64, u64, u16), seen: Seen) -> Story {
        let status = |number| if number == 1 { second } else { 200 };
        let writes =
            (0..30).map(|number| exchange(Operation::Save, number * 20, number * 20 + 10, status(number))).collect();
        let right = (exchange(Operation::Restore, 900, 910, 200), Seen::Whole { writer: 7, number: 29 });
        let mut reads = vec![right; 50];
        reads.push((exchange(Operation::Restore, read.0, read.1, read.2), seen));
        Story { key: "A4K".to_owned(), writer: 7, writes, reads }
    }

    fn verdict(second: u16, read: (u64, u64, u16), seen: Seen) -> (Verdict, String) {
        let finding = judge(&[story(second, read, seen)]);
        (finding.verdict, finding.summary)
    }

    fn whole(number: u64) -> Seen {
        Seen::Whole { writer: 7, number }
    }

    #[test]
    fn a_restore_may_show_what_was_current_at_any_moment_of_it() {
        for (read, number) in [((12, 15), 0), ((12, 25), 0), ((12, 25), 1), ((12, 45), 1), ((12, 45), 2), ((30, 35), 0)]
        {
            assert_eq!(
                verdict(200, (read.0, read.1, 200), whole(number)).0,
                Verdict::Holds,
                "{read:?} showing {number}"
            );
        }
    }

    #[test]
    fn what_was_overwritten_before_or_not_yet_saved_refutes() {
        assert!(verdict(200, (31, 35, 200), whole(0)).1.starts_with("a stale read"));
        assert!(verdict(200, (12, 15, 200), whole(1)).1.starts_with("a content that was not saved by then"));
        assert!(verdict(200, (12, 15, 200), whole(99)).1.starts_with("a content that was never saved"));
        assert!(verdict(400, (31, 35, 200), whole(1)).1.starts_with("a content that was not saved"));
    }

    #[test]
    fn a_save_without_a_clear_answer_may_take_effect_late_or_never() {
        for number in [0, 1] {
            assert_eq!(verdict(500, (31, 35, 200), whole(number)).0, Verdict::Holds, "{number}");
        }
        assert_eq!(verdict(500, (60, 65, 200), whole(1)).0, Verdict::Holds);
    }

    #[test]
    fn an_error_for_a_document_that_is_there_refutes_but_no_answer_does_not() {
        assert_eq!(verdict(200, (12, 15, 500), Seen::Nothing).0, Verdict::Refuted);
        assert_eq!(verdict(200, (12, 15, 404), Seen::Nothing).0, Verdict::Refuted);
        assert_eq!(verdict(200, (12, 15, 200), Seen::Mixed).0, Verdict::Refuted);
        let mut story = story(200, (12, 15, 200), Seen::Nothing);
        story.reads.last_mut().expect("a read").0.outcome = Err(crate::client::Failure::TimedOut(10));
        assert_eq!(judge(&[story]).verdict, Verdict::Holds);
    }

    #[test]
    fn a_document_says_by_state_and_metadata_which_save_it_is() {
        let state = Content { writer: 7, number: 3, size_bytes: 300 }.state();
        let mut restored = exchange(Operation::Restore, 0, 1, 200);
        let mut answer = |key: &str, number: u64| {
            let document = format!(
                r#"{{"success":true,"data":{{"sessionKey":"{key}","metadata":{{"{NUMBER}":{number}}},"state":{state}}}}}"#
            );
            restored.outcome = Ok(Answer { status: 200, attempts: None, body: Body::parse(document.as_bytes()) });
            see(&restored, "A4K")
        };
        assert_eq!(answer("A4K", 3), whole(3));
        assert_eq!((answer("A4K", 2), answer("B4K", 3)), (Seen::Mixed, Seen::Other));
    }
}
