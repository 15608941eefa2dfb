//! R4: a lock that another process holds for longer than a client waits.

use super::answers::{Halted, judged, says_nothing, wrong_by_itself};
use super::holder::Locks;
use super::seen::Seen;
use super::{Claim, Expected, Finding, Needs, Phase, SECOND_LOOK};
use crate::lab::Lab;
use crate::lab::stalls::StallWatch;
use bytes::Bytes;
use check::anomaly::Anomaly;
use contract::document::{Content, Document, REAL_STATE_BYTES};
use contract::message::LOCKED;
use contract::{Failure, Operation};
use engine::client::Patience;
use engine::client::{Exchange, User};
use engine::saves_folder::SavesFolder;
use hyper::Method;
use record::claims::ClaimId;
use record::step::Step;
use std::collections::BTreeMap;
use std::sync::Arc;
use std::time::Duration;

/// "that answer, within 10 s"
const LIMIT: Duration = Duration::from_secs(10);

/// How long the client waits: somewhat longer, so that an answer that comes late is told from one that never comes.
const PATIENCE: Duration = Duration::from_secs(12);

/// Saves that are tried once the locks are released: the first may still meet what waited before it.
const TRIES_AFTERWARDS: usize = 3;

/// R4
pub(super) static R4: Claim = Claim {
    id: ClaimId::of("R4"),
    title: "a lock held elsewhere is told within 10 s",
    quote: "File Lock Failure: Clear error, no fallback: … send_error('Failed to acquire file lock', 500)",
    tried: "The harness holds flock on a document and, if the folder was empty at the start, on every file in it whose \
            name begins with a dot (at most 256). It sends a save and an instantiate, and waits up to 12 s. Afterwards \
            it releases the locks and saves again, up to three times. The specification's PHP waits forever for a \
            lock, and is refuted.",
    holds_if: "Both requests return 500 `Failed to acquire file lock` within 10 s (the instantiate may also return \
            `Instance already exists`), the document is unchanged, and a save succeeds once the lock is free. A save \
            that succeeds meanwhile and is stored decides nothing: the server uses none of these locks.",
    needs: Needs::Folder,
    expected: Expected::HOLDS,
    decisions_on_chance: 0,
    phase: Phase::Faults,
    is_quick: true,
    mostly_waits: true,
    takes_times: false,
    attempt: |lab| Box::pin(async move { judged(experiment(lab).await, judge) }),
};

/// What happened while another process held every lock that a save could need, and after.
struct HeldUp {
    /// The document, and how many lock files.
    key: String,
    lock_files: usize,
    /// Sent while the locks were held: a save, and an instantiate of the same document.
    saved: Exchange,
    instantiated: Exchange,
    /// A request that needs no file, sent after the two.
    alive: Exchange,
    /// How long the harness itself did not run meanwhile.
    stalled: Duration,
    /// What the document was when the locks were released, and then, by restore.
    then: [Option<Content>; 2],
    /// If the save was acknowledged and neither shows it: what the document was some time later, by restore. `None` if
    /// that was not looked at, or had no response.
    late: Option<Seen>,
    /// Saves after that, until one succeeds, and what the document is in the end, by restore and in its file.
    afterwards: Vec<Exchange>,
    last: [Option<Content>; 2],
}

/// The contents that are saved: before, while the locks are held, and after.
const BEFORE: Content = Content { writer: 0, number: 1, size_bytes: REAL_STATE_BYTES };
const MEANWHILE: Content = Content { number: 2, ..BEFORE };
const AFTER: Content = Content { number: 3, ..BEFORE };

async fn experiment(lab: &Arc<Lab>) -> Result<HeldUp, Halted> {
    let folder = lab.folder()?;
    let mut user = lab.user(0);
    let key = lab.new_key(&mut user).await?;
    let first = save(&mut user, &key, BEFORE).await;
    if !first.is_success() {
        return Err(Halted::by(&first, "no document to lock"));
    }
    let watch = StallWatch::start(lab.origin);
    let locks = Locks::take(folder, &key, lab.was_empty).await?;
    let [mut saver, mut creator] = [patient_user(lab, 1), patient_user(lab, 2)];
    let state = MEANWHILE.state();
    let (saved, instantiated) =
        tokio::join!(save(&mut saver, &key, MEANWHILE), creator.instantiate(&key, "word", &state));
    let alive = user.ask_anything(Operation::Save, Method::POST, "", Bytes::from_static(b"{}")).await;
    let stalled = watch.stalls().iter().map(|stall| Duration::from_micros(stall.to_us - stall.from_us)).sum();
    let held = in_file(folder, &key);
    let lock_files = locks.release();
    let then = [held, by_restore(&mut user, &key).await];
    let mut late = None;
    if saved.is_success() && !then.contains(&Some(MEANWHILE)) {
        tokio::time::sleep(SECOND_LOOK).await;
        late = Seen::by_restore(&user.restore(&key).await);
    }
    let mut afterwards = Vec::new();
    while afterwards.len() < TRIES_AFTERWARDS && !afterwards.last().is_some_and(Exchange::is_success) {
        afterwards.push(save(&mut user, &key, AFTER).await);
    }
    let last = [by_restore(&mut user, &key).await, in_file(folder, &key)];
    Ok(HeldUp { key, lock_files, saved, instantiated, alive, stalled, then, late, afterwards, last })
}

fn patient_user(lab: &Lab, number: usize) -> User {
    let patience = Patience { answer: PATIENCE, ..lab.patience };
    User::new(number, Arc::clone(&lab.target), patience, lab.origin, Arc::clone(&lab.ledger))
}

async fn save(user: &mut User, key: &str, content: Content) -> Exchange {
    let mut saved = user.save(key, "word", &BTreeMap::new(), &content.state()).await;
    saved.note = format!("with {content}");
    saved
}

async fn by_restore(user: &mut User, key: &str) -> Option<Content> {
    Document::parse(user.restore(key).await.data()?.get())?.content()
}

fn in_file(folder: &SavesFolder, key: &str) -> Option<Content> {
    Document::parse(&folder.document(key)?)?.content()
}

/// What an answer is worth.
enum Answered {
    Clearly,
    /// In another way than it should have been.
    Wrongly(String),
    /// Nothing follows from it.
    Unknown(String),
}

impl HeldUp {
    fn answered(&self, exchange: &Exchange) -> Answered {
        let took = Duration::from_micros(exchange.to_us - exchange.from_us);
        let got =
            format!("{} is answered {} after {:.1} s", exchange.operation, exchange.step().got, took.as_secs_f64());
        let is_in_time = took <= LIMIT;
        // Of the time that it took, the harness may have caused as much as it was held up.
        let may_be_in_time = took.saturating_sub(self.stalled) <= LIMIT;
        match &exchange.outcome {
            Ok(_) if exchange.refusal() == Some(LOCKED) => match (is_in_time, may_be_in_time) {
                (true, _) => Answered::Clearly,
                (false, true) => Answered::Unknown(format!("{got}, and the harness was held up")),
                (false, false) => Answered::Wrongly(got),
            },
            // That a document is there can be seen without a lock.
            Ok(_) if exchange.operation == Operation::Instantiate && exchange.has_found() => Answered::Clearly,
            // A proxy's error says nothing about the lock, and neither does a server that is out of connections.
            Ok(_) if says_nothing(exchange) => Answered::Unknown(got),
            Ok(_) => Answered::Wrongly(got),
            Err(Failure::TimedOut(_)) if self.alive.status().is_some() && !may_be_in_time => {
                Answered::Wrongly(format!(
                    "{}: {} while the lock is held, though the server answers other requests",
                    exchange.operation,
                    exchange.step().got
                ))
            }
            Err(failure) => Answered::Unknown(format!("{}: {failure}", exchange.operation)),
        }
    }

    /// What is wrong with the document, if anything is: a refused save changes nothing, and a later one works.
    fn fault(&self) -> Option<String> {
        let may_have_been_saved = self.saved.status().is_none();
        let is_right = |content: &Option<Content>, right: Content| {
            *content == Some(right) || *content == Some(MEANWHILE) && may_have_been_saved
        };
        let acknowledged = self.afterwards.iter().any(Exchange::is_success);
        if self.then.contains(&Some(MEANWHILE)) && !may_have_been_saved {
            Some("the save was refused, and stored all the same".to_owned())
        } else if !self.then.iter().any(|content| is_right(content, BEFORE)) {
            Some("the document is not what it was before the lock was held".to_owned())
        } else if !acknowledged {
            let last = self.afterwards.last().map(|saved| saved.step().got).unwrap_or_default();
            Some(format!("with the lock free again, a save is still answered {last}"))
        } else if !self.last.iter().any(|content| is_right(content, AFTER)) {
            Some("the document is not what was saved when the lock was free again".to_owned())
        } else {
            None
        }
    }

    /// The first save after the lock was free again that was refused without cause.
    fn wrong_afterwards(&self) -> Option<(Anomaly, &Exchange)> {
        self.afterwards.iter().find_map(|saved| Some((wrong_by_itself(saved)?, saved)))
    }

    /// The save that got no lock was acknowledged, but nobody sees it, not even some time later.
    fn lost(&self) -> Option<Finding> {
        let late = self.late.as_ref().filter(|late| late.content() != Some(MEANWHILE))?;
        // A failed restore says nothing about what is stored.
        if !self.saved.is_success() || matches!(late, Seen::Refused { .. }) {
            return None;
        }
        let anomaly = Anomaly::LostUpdate;
        let got = self.saved.step().got;
        let what =
            format!("{anomaly}: the save was answered {got} while the lock was held elsewhere, and is not there");
        let mut steps = self.steps_until_released();
        steps.push(Step::finding("restore shows, half a second after that", late.to_string()));
        Some(Finding::refuted(what, steps).named(anomaly))
    }

    fn steps(&self, fault: &str) -> Vec<Step> {
        let mut steps = self.steps_until_released();
        steps.insert(
            3,
            Step::finding("the right answer", format!("{} {} within {} s", LOCKED.0, LOCKED.1, LIMIT.as_secs())),
        );
        steps.extend(self.afterwards.iter().map(Exchange::step));
        steps.push(Step::finding("so", fault));
        steps
    }

    fn steps_until_released(&self) -> Vec<Step> {
        let shown = |content: &Option<Content>| content.map_or("no whole document".to_owned(), |it| it.to_string());
        let locked = match self.lock_files {
            0 => format!("{}.json", self.key),
            files => format!("{}.json and {files} lock files", self.key),
        };
        vec![
            Step::finding("another process", format!("locks {locked}")),
            self.saved.step(),
            self.instantiated.step(),
            Step::finding(
                "another process",
                format!("lets go: the file holds {}, restore shows {}", shown(&self.then[0]), shown(&self.then[1])),
            ),
        ]
    }
}

fn judge(held: &HeldUp) -> Finding {
    let answers = [held.answered(&held.saved), held.answered(&held.instantiated)];
    let wrong = answers.iter().find_map(|answer| if let Answered::Wrongly(what) = answer { Some(what) } else { None });
    let unknown = answers.iter().find_map(|answer| if let Answered::Unknown(why) = answer { Some(why) } else { None });
    let was_seen_again = held.afterwards.iter().any(|saved| saved.status().is_some());
    let finding = if let Some(lost) = held.lost() {
        lost
    } else if held.saved.is_success() {
        Finding::inconclusive(format!(
            "a save succeeds while {}.json and {} lock files are locked: the server uses none of these locks",
            held.key, held.lock_files
        ))
    } else if let Some(what) = wrong {
        Finding::refuted(what.clone(), held.steps(what))
    } else if let Some(why) = unknown {
        Finding::inconclusive(format!("nothing follows from the answers while the lock was held: {why}"))
    } else if !was_seen_again {
        Finding::inconclusive("no save was answered once the lock was free again")
    } else if let Some(fault) = held.fault() {
        Finding::refuted(fault.clone(), held.steps(&fault))
    } else if let Some((anomaly, saved)) = held.wrong_afterwards() {
        let what = format!("{anomaly}: a save was answered {}", saved.step().got);
        Finding::refuted(what.clone(), held.steps(&what)).named(anomaly)
    } else {
        Finding::holds(format!(
            "{} {} after {:.1} s, nothing changed, and the next save works",
            LOCKED.0,
            LOCKED.1,
            held.saved.took_ms() / 1e3
        ))
    };
    finding
        .measured("save_answered_after_ms", held.saved.took_ms().round())
        .measured("instantiate_answered_after_ms", held.instantiated.took_ms().round())
        .measured("lock_files_held", held.lock_files)
        .expected("answered_within_ms", LIMIT.as_secs_f64() * 1e3)
}

#[cfg(test)]
mod tests {
    use super::*;
    use contract::{Answer, Body};
    use engine::client::samples::exchange as sample;
    use record::claims::Verdict;

    fn answered(operation: Operation, after_s: u64, status: u16, message: &str) -> Exchange {
        let body = Body::parse(format!(r#"{{"success":{},"message":"{message}"}}"#, status == 200).as_bytes());
        let outcome = Ok(Answer { status, attempts: None, body });
        Exchange { outcome, ..sample(operation, 0, after_s * 1_000_000, status) }
    }

    fn unanswered(operation: Operation, failure: Failure) -> Exchange {
        Exchange { outcome: Err(failure), ..sample(operation, 0, 12_000_000, 0) }
    }

    /// A server that does all of it right.
    fn right() -> HeldUp {
        HeldUp {
            key: "A4K".to_owned(),
            lock_files: 3,
            saved: answered(Operation::Save, 5, LOCKED.0, LOCKED.1),
            instantiated: answered(Operation::Instantiate, 5, LOCKED.0, LOCKED.1),
            alive: sample(Operation::Save, 0, 1, 400),
            stalled: Duration::ZERO,
            then: [Some(BEFORE); 2],
            late: None,
            afterwards: vec![sample(Operation::Save, 20_000_000, 20_000_001, 200)],
            last: [Some(AFTER); 2],
        }
    }

    fn verdict(held: &HeldUp) -> (Verdict, String) {
        let finding = judge(held);
        (finding.verdict, finding.summary)
    }

    #[test]
    fn a_clear_error_in_time_holds_also_where_instantiate_sees_the_document_without_a_lock() {
        assert_eq!(verdict(&right()).0, Verdict::Holds);
        let mut instantiated = answered(Operation::Instantiate, 0, 200, "");
        let body = Body::parse(br#"{"success":true,"data":{"message":"Instance already exists"}}"#);
        instantiated.outcome = Ok(Answer { status: 200, attempts: None, body });
        let sees = HeldUp { instantiated, ..right() };
        assert_eq!(verdict(&sees).0, Verdict::Holds);
    }

    #[test]
    fn waiting_for_ever_an_unclear_error_and_one_that_comes_late_refute() {
        let timed_out = || unanswered(Operation::Save, Failure::TimedOut(Duration::from_secs(12)));
        for saved in [
            timed_out(),
            answered(Operation::Save, 5, 500, "Internal error"),
            answered(Operation::Save, 5, 503, LOCKED.1),
            answered(Operation::Save, 11, LOCKED.0, LOCKED.1),
        ] {
            let got = saved.step().got;
            assert_eq!(verdict(&HeldUp { saved, ..right() }).0, Verdict::Refuted, "{got}");
        }
        let instantiated = unanswered(Operation::Instantiate, Failure::TimedOut(Duration::from_secs(12)));
        assert_eq!(verdict(&HeldUp { instantiated, ..right() }).0, Verdict::Refuted);
        let finding = judge(&HeldUp { saved: timed_out(), then: [Some(BEFORE), Some(MEANWHILE)], ..right() });
        assert_eq!((finding.verdict, finding.counterexample.len()), (Verdict::Refuted, 7));
    }

    /// Regression: "Server busy" refuted, although it says nothing about the lock.
    #[test]
    fn a_busy_server_is_not_accused() {
        let busy = || answered(Operation::Save, 0, 503, "Server busy");
        assert_eq!(verdict(&HeldUp { saved: busy(), ..right() }).0, Verdict::Inconclusive);
        assert_eq!(verdict(&HeldUp { instantiated: busy(), ..right() }).0, Verdict::Inconclusive);
    }

    #[test]
    fn a_refused_save_that_is_stored_and_one_that_never_works_again_refute() {
        let (refuted, why) = verdict(&HeldUp { then: [Some(BEFORE), Some(MEANWHILE)], ..right() });
        assert_eq!((refuted, why.contains("stored all the same")), (Verdict::Refuted, true), "{why}");
        assert_eq!(verdict(&HeldUp { then: [None; 2], ..right() }).0, Verdict::Refuted);
        let stuck = answered(Operation::Save, 5, LOCKED.0, LOCKED.1);
        assert_eq!(
            verdict(&HeldUp { afterwards: vec![stuck; 3], last: [Some(BEFORE); 2], ..right() }).0,
            Verdict::Refuted
        );
        assert_eq!(verdict(&HeldUp { last: [Some(MEANWHILE); 2], ..right() }).0, Verdict::Refuted);
    }

    #[test]
    fn a_server_without_these_locks_a_lost_connection_and_a_pause_of_the_harness_accuse_nobody() {
        let ignores = HeldUp { saved: answered(Operation::Save, 0, 200, ""), last: [Some(AFTER); 2], ..right() };
        let (undecided, why) = verdict(&ignores);
        assert_eq!((undecided, why.contains("uses none of these locks")), (Verdict::Inconclusive, true), "{why}");
        let closed = || Failure::Closed("reset".to_owned());
        let table = [
            HeldUp { saved: unanswered(Operation::Save, closed()), ..right() },
            HeldUp {
                saved: unanswered(Operation::Save, Failure::TimedOut(Duration::from_secs(12))),
                alive: unanswered(Operation::Save, closed()),
                ..right()
            },
            HeldUp {
                saved: unanswered(Operation::Save, Failure::TimedOut(Duration::from_secs(12))),
                stalled: Duration::from_secs(6),
                ..right()
            },
            HeldUp {
                saved: answered(Operation::Save, 11, LOCKED.0, LOCKED.1),
                stalled: Duration::from_secs(6),
                ..right()
            },
            HeldUp { afterwards: vec![unanswered(Operation::Save, closed()); 3], last: [None; 2], ..right() },
        ];
        for held in table {
            let (verdict, why) = verdict(&held);
            assert_eq!(verdict, Verdict::Inconclusive, "{why}");
        }
    }

    /// Regression: this was inconclusive, as the server counted as one that needs no lock.
    #[test]
    fn a_save_without_the_lock_that_is_acknowledged_and_not_done_is_lost() {
        let whole = |content| Some(Seen::Whole { content, metadata: serde_json::Value::Null });
        let with = |late| HeldUp { saved: answered(Operation::Save, 0, 200, ""), late, ..right() };
        for late in [whole(BEFORE), Some(Seen::Nothing)] {
            let finding = judge(&with(late));
            let refuted = (finding.verdict, finding.anomaly);
            assert_eq!(refuted, (Verdict::Refuted, Some(Anomaly::LostUpdate)), "{}", finding.summary);
            assert_eq!(finding.counterexample.len(), 5);
        }
        for late in [whole(MEANWHILE), None, Some(Seen::Refused { status: 502 })] {
            assert_eq!(verdict(&with(late)).0, Verdict::Inconclusive);
        }
    }

    #[test]
    fn a_save_that_is_refused_without_cause_when_the_lock_is_free_refutes() {
        let refused = answered(Operation::Save, 5, 404, "No");
        let afterwards = vec![refused, sample(Operation::Save, 20_000_000, 20_000_001, 200)];
        assert_eq!(judge(&HeldUp { afterwards, ..right() }).anomaly, Some(Anomaly::ValidRequestRefused));
    }

    #[test]
    fn what_waited_without_an_answer_may_be_stored_once_the_lock_is_free() {
        let late = HeldUp {
            saved: unanswered(Operation::Save, Failure::TimedOut(Duration::from_secs(12))),
            then: [Some(MEANWHILE); 2],
            last: [Some(MEANWHILE); 2],
            ..right()
        };
        assert_eq!(late.fault(), None);
    }
}
