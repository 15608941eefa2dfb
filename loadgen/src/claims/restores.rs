//! S4: restores during saves.

use super::answers::{Halted, judged, wrong_by_itself};
use super::judged::Story;
use super::posted::{self, Shown};
use super::{Claim, Expected, Finding, Needs, Phase};
use crate::lab::{Lab, at_once};
use check::anomaly::Anomaly;
use contract::Body;
use contract::document::{Content, REAL_STATE_BYTES, same};
use contract::visible;
use engine::client::{Exchange, User};
use record::claims::ClaimId;
use record::step::Step;
use record::story::meaning;
use serde_json::Value;
use serde_json::value::RawValue;
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

/// Setting a server's clock back makes times go back once. If they go back more often, each time by more than clocks
/// differ, the cause is not a clock.
const MOST_STEPS_BACK: usize = 2;
const CLOCK_STEP_MS: f64 = 1_000.0;

/// S4
pub(super) static S4: Claim = Claim {
    id: ClaimId::of("S4"),
    title: "a restore answers a whole, current document",
    quote: "restore.php [KEEP] Already read-only, no changes needed",
    tried: "Four documents of 2.7, 2.7, 60 and 300 KB have one saver and three restoring users each, for 5 s \
            (`--quick` 3 s, `--full` 30 s) or until the first wrong response. State, metadata, type and an extra field \
            identify the save that a restore shows.",
    holds_if: "Each restore shows one whole save that began before the restore ended and that no save acknowledged before \
            the restore began had replaced. A 404 or 500 for a document that exists throughout is wrong.",
    needs: Needs::Wire,
    expected: Expected::REFUTED_ON_DOCUMENTED,
    decisions_on_chance: 0,
    phase: Phase::Documents,
    is_quick: true,
    mostly_waits: false,
    takes_times: false,
    attempt: |lab| Box::pin(async move { judged(experiment(lab).await, |told| judge(told)) }),
};

/// One document: what its one writer wrote, and what others were answered meanwhile.
struct Told {
    key: String,
    /// Numbered from 0, which is the instantiate; one after the other.
    writes: Vec<(Content, Exchange)>,
    /// Every restore, with what it showed.
    reads: Vec<(Exchange, Seen)>,
}

/// What a restore showed.
#[derive(Clone, Debug, PartialEq)]
enum Seen {
    /// A document of the right key, exactly as somebody wrote it, with its metadata.
    Whole { content: Content, metadata: Value },
    /// A document with the state of one save and the metadata of another, which has this number.
    Mixed { content: Content, number: u64 },
    /// A document that names another key.
    OfAnother { key: String },
    /// A document with a whole content; the rest is not as posted.
    Changed { how: String },
    /// A document with a state that nobody wrote.
    Broken,
    /// No document: an error, a refusal, or no answer.
    Nothing,
}

async fn experiment(lab: &Arc<Lab>) -> Result<Vec<Told>, Halted> {
    let keys = lab.new_keys(SIZES_BYTES.len()).await?;
    let until = Instant::now() + lab.lasting(Duration::from_secs(3), Duration::from_secs(5), Duration::from_secs(30));
    // Once somebody has met an answer that cannot be right, all stop: one counterexample is enough.
    let found = Arc::new(AtomicBool::new(false));
    let mut started = Vec::new();
    for (writer, (key, size_bytes)) in keys.iter().zip(SIZES_BYTES).enumerate() {
        let mut user = lab.user(writer);
        let content = Content { writer: writer as u64, number: 0, size_bytes };
        let created = posted::instantiate(&mut user, key, content).await;
        if !created.is_success() {
            return Err(Halted::by(&created, "no document to restore"));
        }
        let restored = restore(&mut user, key).await;
        started.push(Told { key: key.clone(), writes: vec![(content, created)], reads: vec![restored] });
    }
    let documents = keys.len();
    let parts = at_once(lab.crowd(documents * (READERS + 1)), move |user, number| {
        let (document, found) = (number % documents, Arc::clone(&found));
        let (key, size_bytes) = (keys[document].clone(), SIZES_BYTES[document]);
        async move {
            // The first users write, one for each document.
            if number < documents {
                (write(user, &key, document as u64, size_bytes, until, &found).await, Vec::new())
            } else {
                (Vec::new(), read(user, &key, until, &found).await)
            }
        }
    });
    for (number, (writes, reads)) in parts.await.into_iter().enumerate() {
        started[number % documents].writes.extend(writes);
        started[number % documents].reads.extend(reads);
    }
    Ok(started)
}

async fn write(
    mut user: User,
    key: &str,
    writer: u64,
    size_bytes: usize,
    until: Instant,
    found: &AtomicBool,
) -> Vec<(Content, Exchange)> {
    let mut writes = Vec::new();
    while Instant::now() < until && !found.load(Relaxed) {
        let number = writes.len() as u64 + 1;
        let content = Content { writer, number, size_bytes };
        let metadata = BTreeMap::from([(NUMBER.to_owned(), number)]);
        let saved = posted::save(&mut user, key, &metadata, content).await;
        if wrong_by_itself(&saved).is_some() {
            found.store(true, Relaxed);
        }
        writes.push((content, saved));
    }
    writes
}

async fn read(mut user: User, key: &str, until: Instant, found: &AtomicBool) -> Vec<(Exchange, Seen)> {
    let mut reads = Vec::new();
    while Instant::now() < until && !found.load(Relaxed) {
        let (restored, seen) = restore(&mut user, key).await;
        if never_right(&restored, &seen).is_some() {
            found.store(true, Relaxed);
        }
        reads.push((restored, seen));
    }
    reads
}

async fn restore(user: &mut User, key: &str) -> (Exchange, Seen) {
    let mut restored = user.restore(key).await;
    let seen = see(&restored, key);
    restored.note = shown(&seen);
    // The response itself is no longer needed, and thousands of them take memory.
    if let (Ok(answer), Seen::Whole { .. }) = (&mut restored.outcome, &seen)
        && let Ok(nothing) = RawValue::from_string("{}".to_owned())
    {
        answer.body = Body::Success(nothing);
    }
    (restored, seen)
}

fn see(restored: &Exchange, key: &str) -> Seen {
    let Some(data) = restored.data() else { return Seen::Nothing };
    let Some(document) = Shown::parse(data.get()) else { return Seen::Broken };
    match &document.key {
        Some(other) if other != key => return Seen::OfAnother { key: other.clone() },
        _ => {}
    }
    let Some(content) = document.content else { return Seen::Broken };
    // The instantiate's document has no number yet.
    let number = document.metadata.get(NUMBER).map_or(Some(0), Value::as_u64);
    match number {
        Some(number) if number != content.number => return Seen::Mixed { content, number },
        None => return Seen::Changed { how: format!("{content} has another {NUMBER} than was posted") },
        Some(_) => {}
    }
    match document.difference(content.number > 0) {
        Some(how) => Seen::Changed { how },
        None if document.key.is_none() => Seen::Changed { how: format!("{content} has no sessionKey") },
        None => Seen::Whole { content, metadata: document.metadata },
    }
}

/// A restore's note: what it showed.
fn shown(seen: &Seen) -> String {
    match seen {
        Seen::Whole { content, .. } => format!("showing {content}"),
        Seen::Mixed { content, number } => format!("showing {content} with the metadata of save {number}"),
        Seen::OfAnother { key } => format!("showing the document of \"{}\"", visible(key)),
        Seen::Changed { how } => format!("showing a changed document: {how}"),
        Seen::Broken => "showing what nobody saved".to_owned(),
        Seen::Nothing => String::new(),
    }
}

/// The anomaly of a response that is wrong in every order, for a document that is there throughout.
fn never_right(restored: &Exchange, seen: &Seen) -> Option<Anomaly> {
    match seen {
        Seen::Whole { .. } => None,
        Seen::Mixed { .. } | Seen::Broken => Some(Anomaly::TornRead),
        Seen::OfAnother { .. } => Some(Anomaly::KeyChangedOwners),
        Seen::Changed { .. } => Some(Anomaly::ChangedDocument),
        Seen::Nothing => match restored.refusal() {
            // "A 500 for a document that is there throughout is a wrong answer", whatever its message; a proxy's 500 is
            // outside the contract.
            Some((500, _)) => Some(Anomaly::UnreadableDocument),
            Some((404, _)) => Some(Anomaly::AcknowledgedThenLost),
            _ => wrong_by_itself(restored),
        },
    }
}

/// An anomaly of a document, and the steps that show it.
type Fault = (Anomaly, Vec<Step>);

impl Told {
    /// All anomalies, and the first of them with its steps.
    fn faults(&self) -> (Vec<Anomaly>, Option<Fault>) {
        // Whether a 404 is wrong is left to the judge, which knows what else was done.
        let is_absent = |restored: &Exchange| restored.refusal().is_some_and(|(status, _)| status == 404);
        let wrong = |(restored, seen): &(Exchange, Seen)| {
            Some((never_right(restored, seen).filter(|_| !is_absent(restored))?, self.around(restored)))
        };
        let mut all: Vec<Fault> = self.reads.iter().filter_map(wrong).collect();
        all.extend(self.changed_metadata());
        let mut story = Story::default();
        self.writes.iter().for_each(|(content, exchange)| story.add(exchange, Some(*content)));
        for (restored, seen) in &self.reads {
            match seen {
                Seen::Whole { content, .. } => story.add(restored, Some(*content)),
                Seen::Nothing if is_absent(restored) => story.add(restored, None),
                _ => {}
            }
        }
        let judged = story.judged();
        let names = all.iter().map(|(anomaly, _)| *anomaly).chain(judged.anomalies).collect();
        (names, all.into_iter().next().or(judged.first))
    }

    /// Two restores of one save with different metadata, metadata that saves should have kept, or times that go back
    /// again and again.
    fn changed_metadata(&self) -> Option<Fault> {
        let wholes = || {
            self.reads.iter().filter_map(|(restored, seen)| match seen {
                Seen::Whole { content, metadata } => Some((restored, content.number, metadata)),
                _ => None,
            })
        };
        let mut first: BTreeMap<u64, (&Exchange, &Value)> = BTreeMap::new();
        for (restored, number, metadata) in wholes() {
            let (other, before) = *first.entry(number).or_insert((restored, metadata));
            if !same(before, metadata) {
                let found = format!("of save {number} are {before}, and then {metadata}");
                return Some(changed(&[other, restored], "the metadata", found));
            }
        }
        let created = first.get(&0).map(|(_, metadata)| (*metadata).clone()).unwrap_or_default();
        for (&number, &(restored, metadata)) in &first {
            if let Some(how) = posted::lost_metadata(metadata, &created) {
                let before = first.get(&0).map(|(exchange, _)| *exchange);
                let steps: Vec<&Exchange> = before.into_iter().chain([restored]).collect();
                return Some(changed(&steps, &format!("at save {number}"), how));
            }
        }
        let time = |metadata: &Value| metadata.get("lastModified").and_then(Value::as_f64);
        let timed: Vec<(u64, &Exchange, f64)> =
            first.iter().filter_map(|(number, (read, metadata))| Some((*number, *read, time(metadata)?))).collect();
        let back: Vec<_> = timed.windows(2).filter(|pair| pair[1].2 < pair[0].2 - CLOCK_STEP_MS).collect();
        let [earlier, later] = back.first().filter(|_| back.len() > MOST_STEPS_BACK)? else { return None };
        let found = format!("{} at save {}, and {} at save {}", earlier.2, earlier.0, later.2, later.0);
        Some(changed(&[earlier.1, later.1], &format!("lastModified, which went back {} times", back.len()), found))
    }

    /// The last write before a restore, the writes that it overlaps, and the restore.
    fn around(&self, restored: &Exchange) -> Vec<Step> {
        let writes = || self.writes.iter().map(|(_, write)| write);
        let overlaps = |write: &&Exchange| !write.precedes(restored) && !restored.precedes(write);
        let before = writes().rfind(|write| write.precedes(restored));
        let during = writes().filter(overlaps).take(3);
        before.into_iter().chain(during).chain([restored]).map(Exchange::step).collect()
    }
}

fn changed(exchanges: &[&Exchange], what: &str, found: String) -> Fault {
    let mut steps: Vec<Step> = exchanges.iter().map(|exchange| exchange.step()).collect();
    steps.push(Step::finding(what, found));
    (Anomaly::ChangedDocument, steps)
}

fn judge(told: &[Told]) -> Finding {
    let mut counts: HashMap<&'static str, u64> = HashMap::new();
    let mut first: Option<(Fault, &str)> = None;
    for document in told {
        let (names, fault) = document.faults();
        names.iter().for_each(|anomaly| *counts.entry(anomaly.name()).or_default() += 1);
        first = first.or_else(|| Some((fault?, document.key.as_str())));
    }
    let saves: usize = told.iter().map(|told| told.writes.iter().filter(|(_, write)| write.is_success()).count()).sum();
    let reads =
        told.iter().map(|told| told.reads.iter().filter(|(_, seen)| matches!(seen, Seen::Whole { .. })).count());
    let reads: usize = reads.sum();
    let finding = if let Some(((anomaly, mut steps), key)) = first {
        steps.push(Step::finding(format!("{key} was there throughout: {anomaly}"), meaning(anomaly)));
        Finding::refuted(format!("{anomaly}, among {reads} whole restores during {saves} saves"), steps).named(anomaly)
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
    use super::*;
    use contract::Answer;
    use contract::Operation;
    use contract::document::MIN_STATE_BYTES;
    use engine::client::samples::exchange;
    use record::claims::Verdict;
    use serde_json::json;

    fn content(number: u64) -> Content {
        Content { writer: 7, number, size_bytes: MIN_STATE_BYTES }
    }

    fn metadata(number: u64) -> Value {
        json!({ "version": "1.0", "created": 5, "lastModified": 1_000 + number, NUMBER: number })
    }

    fn whole(number: u64) -> Seen {
        Seen::Whole { content: content(number), metadata: metadata(number) }
    }

    fn read(from: u64, to: u64, status: u16, seen: Seen) -> (Exchange, Seen) {
        (exchange(Operation::Restore, from, to, status), seen)
    }

    /// Writes at 0–10, 20–30, 40–50, …; the second with this status.
    fn told(second: u16, reads: Vec<(Exchange, Seen)>) -> Told {
        let write = |number: u64| {
            let operation = if number == 0 { Operation::Instantiate } else { Operation::Save };
            let status = if number == 1 { second } else { 200 };
            (content(number), exchange(operation, number * 20, number * 20 + 10, status))
        };
        let mut all = vec![read(900, 910, 200, whole(29)); 50];
        all.extend(reads);
        Told { key: "A4K".to_owned(), writes: (0..30).map(write).collect(), reads: all }
    }

    fn judged(second: u16, one: (Exchange, Seen)) -> Finding {
        judge(&[told(second, vec![one])])
    }

    #[track_caller]
    fn is_called(second: u16, one: (Exchange, Seen), expected: Anomaly) {
        let finding = judged(second, one);
        assert_eq!((finding.verdict, finding.anomaly), (Verdict::Refuted, Some(expected)), "{}", finding.summary);
    }

    #[test]
    fn a_restore_may_show_what_was_current_at_any_moment_of_it() {
        for (from, to, number) in [(12, 15, 0), (12, 25, 0), (12, 25, 1), (12, 45, 1), (12, 45, 2), (30, 35, 0)] {
            let finding = judged(200, read(from, to, 200, whole(number)));
            assert_eq!(finding.verdict, Verdict::Holds, "{from} to {to} showing {number}: {}", finding.summary);
        }
    }

    #[test]
    fn what_was_overwritten_before_or_not_yet_saved_refutes() {
        is_called(200, read(31, 35, 200, whole(0)), Anomaly::StaleRead);
        is_called(200, read(12, 15, 200, whole(1)), Anomaly::NeverWritten);
        let never = Seen::Whole { content: content(99), metadata: json!({}) };
        is_called(200, read(12, 15, 200, never), Anomaly::KeyChangedOwners);
        is_called(400, read(31, 35, 200, whole(1)), Anomaly::AbortedRead);
    }

    #[test]
    fn a_save_without_a_clear_answer_may_take_effect_late_or_never() {
        for number in [0, 1] {
            assert_eq!(judged(500, read(31, 35, 200, whole(number))).verdict, Verdict::Holds, "{number}");
        }
    }

    #[test]
    fn an_error_for_a_document_that_is_there_refutes_but_no_answer_and_a_proxys_do_not() {
        is_called(200, read(12, 15, 500, Seen::Nothing), Anomaly::UnreadableDocument);
        is_called(200, read(12, 15, 404, Seen::Nothing), Anomaly::AcknowledgedThenLost);
        is_called(200, read(12, 15, 400, Seen::Nothing), Anomaly::ValidRequestRefused);
        is_called(400, read(900, 910, 200, whole(29)), Anomaly::ValidRequestRefused);
        let mut lost = read(12, 15, 200, Seen::Nothing);
        lost.0.outcome = Err(contract::Failure::TimedOut(Duration::from_secs(10)));
        assert_eq!(judged(200, lost.clone()).verdict, Verdict::Holds);
        lost.0.outcome = Ok(Answer { status: 500, attempts: None, body: Body::parse(b"<html>") });
        assert_eq!(judged(200, lost).verdict, Verdict::Holds);
        assert_eq!(judged(200, read(12, 15, 503, Seen::Nothing)).verdict, Verdict::Holds, "a server that is full");
    }

    /// Regression: another key's document was called a torn read, as was a response that was cut short.
    #[test]
    fn what_is_no_document_of_the_key_is_called_by_what_it_is() {
        let seen = Seen::OfAnother { key: "B4K".to_owned() };
        is_called(200, read(12, 15, 200, seen), Anomaly::KeyChangedOwners);
        is_called(200, read(12, 15, 200, Seen::Broken), Anomaly::TornRead);
        is_called(200, read(12, 15, 200, Seen::Mixed { content: content(1), number: 2 }), Anomaly::TornRead);
        let mut short = read(12, 15, 200, Seen::Nothing);
        short.0.outcome =
            Ok(Answer { status: 200, attempts: None, body: Body::parse(br#"{"success":true,"data":{"se"#) });
        is_called(200, short, Anomaly::MalformedAnswer);
    }

    #[test]
    fn one_save_has_one_metadata_and_created_and_version_stay() {
        let with = |number: u64, name: &str, value: Value| {
            let mut metadata = metadata(number);
            metadata[name] = value;
            read(900, 910, 200, Seen::Whole { content: content(number), metadata })
        };
        is_called(200, with(29, "lastModified", json!(1)), Anomaly::ChangedDocument);
        is_called(200, with(29, "more", json!(1)), Anomaly::ChangedDocument);
        let created = read(10, 11, 200, whole(0));
        let mut lost = with(28, "created", json!(6));
        (lost.0.from_us, lost.0.to_us) = (575, 576);
        let finding = judge(&[told(200, vec![created, lost])]);
        assert_eq!(finding.anomaly, Some(Anomaly::ChangedDocument), "{}", finding.summary);
        let found = &finding.counterexample[2].got;
        assert_eq!(found, "its metadata had created 5, and have 6");
    }

    #[test]
    fn times_that_go_back_again_and_again_are_no_clocks() {
        let at = |number: u64, time_ms: i64| {
            let mut metadata = metadata(number);
            metadata["lastModified"] = json!(time_ms);
            read(number * 20 + 12, number * 20 + 13, 200, Seen::Whole { content: content(number), metadata })
        };
        let series = |times: &[i64]| {
            let mut told = told(200, (2..).zip(times).map(|(number, time)| at(number, *time)).collect());
            told.reads.drain(..49);
            told.reads.remove(0);
            told.faults().1.map(|(anomaly, _)| anomaly)
        };
        assert_eq!(series(&[10_000, 11_000, 5_000, 6_000, 7_000]), None, "a clock that was set back");
        assert_eq!(series(&[10_000, 9_500, 9_900, 9_400, 9_800, 9_300]), None, "clocks that are not quite one");
        let back = series(&[10_000, 5_000, 10_100, 5_100, 10_200, 5_200]);
        assert_eq!(back, Some(Anomaly::ChangedDocument));
    }

    #[test]
    fn a_document_says_by_state_and_metadata_which_save_it_is() {
        let document = posted::stored(content(3), &metadata(3));
        let answer = |document: &str| {
            let body = Body::parse(format!(r#"{{"success":true,"data":{document}}}"#).as_bytes());
            let outcome = Ok(Answer { status: 200, attempts: None, body });
            see(&Exchange { outcome, ..exchange(Operation::Restore, 0, 1, 200) }, "A4K")
        };
        assert_eq!(answer(&document), whole(3));
        let other = answer(&posted::stored(content(3), &metadata(2)));
        assert_eq!(other, Seen::Mixed { content: content(3), number: 2 });
        assert_eq!(answer(&document.replacen("A4K", "B4K", 1)), Seen::OfAnother { key: "B4K".to_owned() });
        assert_eq!(answer(&document.replace("textarea-0", "textarea-x")), Seen::Broken);
        assert!(matches!(answer(&document.replacen("\"extra\"", "\"x\"", 1)), Seen::Changed { .. }));
    }
}
