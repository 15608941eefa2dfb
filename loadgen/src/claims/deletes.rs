//! S5: deletes among deletes, saves and restores.

use super::judged::Story;
use super::posted::{self, Shown};
use super::{Claim, Expected, Finding, Needs, Phase};
use crate::lab::{Lab, Stuck, at_once};
use check::anomaly::Anomaly;
use contract::Operation;
use contract::document::{Content, REAL_STATE_BYTES};
use engine::client::{Exchange, User};
use record::claims::ClaimId;
use record::step::Step;
use std::collections::BTreeMap;
use std::sync::Arc;
use std::time::{Duration, Instant};

/// Who meets on one document, round after round: deleters, savers, restorers. Few of them, and many documents: only who
/// comes first can be in each other's way. Restores among saves are another claim's.
const MEETINGS: [(usize, usize, usize); 3] = [(3, 0, 0), (2, 0, 2), (2, 2, 0)];

/// Meetings side by side, so that the server always has two requests for one document to take up at once.
const MEETINGS_AT_ONCE: usize = 16;

/// One in this many meetings continues with saves that do not overlap a delete.
const LONG_EACH: usize = 8;

/// S5
pub(super) static S5: Claim = Claim {
    id: ClaimId::of("S5"),
    title: "a delete happens at one moment, without error",
    quote: "delete.php [KEEP] Delete is atomic operation",
    tried: "For 5 s (`--quick` 4 s, `--full` 30 s) or until the first fault, 16 documents at a time are deleted by \
            three users at once, by two during two restores, or by two during two saves; a restore, a delete and a \
            restore follow. On one document in eight there are also saves before and, on a target that was empty, \
            after that delete, which do not overlap it.",
    holds_if: "For each document, one order of the operations explains all responses (and the file, with `--saves`), and \
            none is a 500 in the contract's envelope. A save to the file that a concurrent delete unlinks counts as a \
            save before that delete.",
    needs: Needs::Wire,
    expected: Expected::REFUTED_ON_DOCUMENTED,
    decisions_on_chance: 0,
    phase: Phase::Documents,
    is_quick: true,
    mostly_waits: false,
    takes_times: false,
    attempt: |lab| Box::pin(async move { Ok(judge(&experiment(lab).await?)) }),
};

/// Status of a delete that failed because another request interfered. A proxy's errors are not in the contract's
/// envelope, and a server that is full returns 503.
const ERROR: u16 = 500;

/// An exchange, with the content that it wrote or was shown.
type Told = (Exchange, Option<Content>);

/// All that happened to one document, from its instantiate on.
struct Meeting {
    created: Told,
    /// What ran at once.
    at_once: Vec<Told>,
    /// Then, one after the other: a restore, a delete and a restore. Long meetings have a save before that delete and,
    /// if nobody else can take the key, a save, a restore, a delete and a restore after it.
    after: Vec<Told>,
    /// A restore that showed the document of another key.
    strange: Option<Step>,
    /// Whether the file with a content was still there at the end; `None` where the folder is not known.
    file_left: Option<bool>,
}

async fn experiment(lab: &Arc<Lab>) -> Result<Vec<Meeting>, Stuck> {
    let until = Instant::now() + lab.lasting(Duration::from_secs(4), Duration::from_secs(5), Duration::from_secs(30));
    let mut meetings: Vec<Meeting> = Vec::new();
    let mut user = lab.user(0);
    let mut is_found = false;
    for round in 0.. {
        if Instant::now() >= until || is_found {
            break;
        }
        let mut side_by_side = Vec::new();
        for place in 0..MEETINGS_AT_ONCE {
            let key = lab.new_key(&mut user).await?;
            // Contents differ between meetings, so that another meeting's document is recognised.
            let number = (round * MEETINGS_AT_ONCE + place) as u64;
            // The other meetings end early, as what goes wrong in a meeting is rare.
            let is_long = place % LONG_EACH == 0;
            side_by_side.push(Host { lab, key, number, is_long }.meeting(MEETINGS[round % MEETINGS.len()]));
        }
        let met = futures_util::future::join_all(side_by_side).await;
        is_found = met.iter().any(|meeting| fault(meeting).is_some());
        meetings.extend(met);
    }
    Ok(meetings)
}

/// Runs one meeting on a document.
struct Host<'a> {
    lab: &'a Arc<Lab>,
    key: String,
    number: u64,
    /// Whether saves that do not overlap a delete follow.
    is_long: bool,
}

/// Writers of a meeting's contents: the host's three, then the savers'.
const CREATED: u64 = 1_000_000;
const BEFORE: u64 = 1_000_001;
const AFTER: u64 = 1_000_002;
const SAVERS: u64 = 1_000_003;

impl Host<'_> {
    async fn meeting(self, (deleters, savers, restorers): (usize, usize, usize)) -> Meeting {
        let Self { lab, key, number, is_long } = &self;
        let mut user = lab.user(0);
        let first = content(CREATED, *number);
        let created = posted::instantiate(&mut user, key, first).await;
        let (shared, number) = (key.clone(), *number);
        let met = at_once(lab.crowd(deleters + savers + restorers), move |mut user, who| {
            let key = shared.clone();
            async move {
                if who < deleters {
                    (user.delete(&key).await, None)
                } else if who < deleters + savers {
                    save(&mut user, &key, content(SAVERS + who as u64, number)).await
                } else {
                    restore(&mut user, &key).await
                }
            }
        });
        let met = met.await;
        let mut after = vec![restore(&mut user, key).await];
        if *is_long {
            after.push(save(&mut user, key, content(BEFORE, number)).await);
        }
        after.extend([(user.delete(key).await, None), restore(&mut user, key).await]);
        // If others have documents here, they may take the key now.
        if *is_long && lab.was_empty {
            after.extend([save(&mut user, key, content(AFTER, number)).await, restore(&mut user, key).await]);
            after.extend([(user.delete(key).await, None), restore(&mut user, key).await]);
        }
        let file = lab.folder.as_ref().map(|folder| folder.document(key));
        let strange = met.iter().chain(&after).find_map(|(exchange, _)| posted::of_another_key(exchange));
        Meeting {
            created: (created, Some(first)),
            at_once: met,
            after,
            strange,
            file_left: file.map(|file| file.is_some_and(|content| !content.is_empty())),
        }
    }
}

fn content(writer: u64, number: u64) -> Content {
    Content { writer, number, size_bytes: REAL_STATE_BYTES }
}

async fn save(user: &mut User, key: &str, content: Content) -> Told {
    (posted::save(user, key, &BTreeMap::new(), content).await, Some(content))
}

async fn restore(user: &mut User, key: &str) -> Told {
    let mut restored = user.restore(key).await;
    let content = restored.data().and_then(|data| Shown::parse(data.get())?.content);
    if restored.is_success() {
        restored.note = content.map_or("showing what nobody wrote".to_owned(), |content| format!("showing {content}"));
    }
    (restored, content)
}

/// What is wrong with a meeting, if anything is: the name, and the exchanges that show it.
fn fault(meeting: &Meeting) -> Option<Finding> {
    let all: Vec<&Told> = std::iter::once(&meeting.created).chain(&meeting.at_once).chain(&meeting.after).collect();
    let exchanges: Vec<&Exchange> = all.iter().map(|(exchange, _)| exchange).collect();
    let is_error = |exchange: &&&Exchange| exchange.refusal().is_some_and(|(status, _)| status == ERROR);
    if let Some(error) = exchanges.iter().find(is_error) {
        let steps = overlapping(&exchanges, error).into_iter().map(Exchange::step).collect();
        return Some(Finding::refuted("a server error, where another came in between", steps));
    }
    let mut story = Story::default();
    all.iter().for_each(|(exchange, content)| story.add(exchange, *content));
    if let Some(step) = &meeting.strange {
        story.add_wrong(Anomaly::KeyChangedOwners, step.clone());
    }
    let ended_us = exchanges.iter().map(|exchange| exchange.to_us).max().unwrap_or_default();
    if meeting.file_left == Some(true) {
        let file = format!("{}.json in the saves folder then", meeting.created.0.key);
        story.add_presence(ended_us + 1, Step::finding(file, "is still there, with its content"));
    }
    let (anomaly, steps) = story.fault()?;
    let summary = match steps.as_slice() {
        [one] => format!("{anomaly}: {} returned {}", one.did, one.got),
        _ => format!("{anomaly}: no order of what was done explains it"),
    };
    Some(Finding::refuted(summary, steps).named(anomaly))
}

/// An exchange, and those of the same meeting that ran at the same time, in the order of their beginnings.
fn overlapping<'a>(all: &[&'a Exchange], one: &Exchange) -> Vec<&'a Exchange> {
    let mut overlapping: Vec<&Exchange> =
        all.iter().copied().filter(|other| !other.precedes(one) && !one.precedes(other)).collect();
    overlapping.sort_by_key(|exchange| exchange.from_us);
    overlapping
}

fn judge(meetings: &[Meeting]) -> Finding {
    let faults: Vec<Finding> = meetings.iter().filter_map(fault).collect();
    let count = faults.len();
    let told = meetings.iter().flat_map(|meeting| meeting.at_once.iter().chain(&meeting.after));
    let is_delete = |(exchange, _): &&Told| exchange.operation == Operation::Delete && exchange.status().is_some();
    let deletes = told.filter(is_delete).count();
    let finding = if let Some(fault) = faults.into_iter().next() {
        let summary = format!("{} (after {} meetings without)", fault.summary, meetings.len() - count);
        Finding { summary, ..fault }
    } else if deletes < 50 {
        let error = meetings
            .iter()
            .find(|meeting| !meeting.created.0.is_success())
            .map(|meeting| format!("; {}", meeting.created.0.step()));
        Finding::inconclusive(format!("only {deletes} deletes were answered{}", error.unwrap_or_default()))
    } else {
        Finding::holds(format!("{deletes} deletes among deletes, saves and restores of {} documents", meetings.len()))
    };
    finding
        .measured("deletes", deletes)
        .measured("documents", meetings.len())
        .measured("faults", count)
        .expected("faults", 0)
}

#[cfg(test)]
mod tests {
    use super::*;
    use Operation::{Delete, Instantiate, Restore, Save};
    use contract::{Answer, Body};
    use engine::client::samples::exchange;
    use record::claims::Verdict;

    const FIRST: Content = Content { writer: 0, number: 0, size_bytes: REAL_STATE_BYTES };
    const SECOND: Content = Content { writer: 1, number: 1, size_bytes: REAL_STATE_BYTES };
    const THIRD: Content = Content { writer: 1, number: 2, size_bytes: REAL_STATE_BYTES };

    fn told((operation, from, to, status, content): (Operation, u64, u64, u16, Option<Content>)) -> Told {
        (exchange(operation, from, to, status), content)
    }

    /// A meeting after which a restore, a delete and a restore are answered with these statuses; a save is of the second
    /// content, and what a restore shows is the content given.
    fn meeting(at_once: &[(Operation, u64, u64, u16)], after: [u16; 3], shown: Content) -> Meeting {
        let content = |operation, status| match operation {
            Save => Some(SECOND),
            Restore if status == 200 => Some(shown),
            _ => None,
        };
        let tell = |(operation, from, to, status)| told((operation, from, to, status, content(operation, status)));
        let after = [(Restore, 100), (Delete, 110), (Restore, 120)].iter().zip(after);
        Meeting {
            created: told((Instantiate, 0, 5, 200, Some(FIRST))),
            at_once: at_once.iter().copied().map(tell).collect(),
            after: after.map(|(&(operation, from), status)| tell((operation, from, from + 5, status))).collect(),
            strange: None,
            file_left: Some(false),
        }
    }

    /// A meeting without faults, then a save of the third content, a restore, a delete and a restore with these
    /// statuses.
    fn saved_after(statuses: [u16; 4], shown: Content) -> Meeting {
        let mut meeting = meeting(&[(Delete, 10, 20, 200)], [404, 404, 404], FIRST);
        let [saved, restored, deleted, last] = statuses;
        let shown = Some(shown).filter(|_| restored == 200);
        meeting.after.extend([
            told((Save, 130, 135, saved, Some(THIRD))),
            told((Restore, 140, 145, restored, shown)),
            told((Delete, 150, 155, deleted, None)),
            told((Restore, 160, 165, last, None)),
        ]);
        meeting
    }

    fn name(meeting: &Meeting) -> String {
        fault(meeting).map_or(String::new(), |finding| finding.summary)
    }

    /// Regression: hardly any save was clear of a delete, so a save that was acknowledged after a delete and dropped
    /// passed, as did one that was refused with 404.
    #[test]
    fn a_save_after_a_delete_creates_the_document_anew() {
        is_fine(&saved_after([200, 200, 200, 404], THIRD));
        assert_ne!(name(&saved_after([200, 404, 404, 404], THIRD)), "", "acknowledged and dropped");
        is_called(&saved_after([404, 404, 404, 404], THIRD), "valid request refused: save A4K returned 404");
        is_called(&saved_after([200, 200, 200, 404], FIRST), "stale read");
        is_fine(&saved_after([502, 404, 404, 404], THIRD));
        let refused = fault(&saved_after([404, 404, 404, 404], THIRD)).expect("refused");
        assert_eq!(refused.counterexample.len(), 1);
    }

    #[test]
    fn an_error_of_a_proxy_and_a_server_that_is_full_accuse_nobody() {
        for status in [502, 503, 504] {
            is_fine(&meeting(&[(Delete, 10, 20, 200), (Delete, 11, 20, status)], [404, 404, 404], FIRST));
        }
    }

    #[test]
    fn another_keys_document_is_called_so() {
        let strange = Some(Step::finding("restore A4K", "200"));
        is_called(&Meeting { strange, ..saved_after([200, 200, 200, 404], THIRD) }, "key that changed owners");
        let data = posted::stored(FIRST, &serde_json::json!({}));
        let body = format!(r#"{{"success":true,"timestamp":1,"data":{data}}}"#);
        let outcome = Ok(Answer { status: 200, attempts: None, body: Body::parse(body.as_bytes()) });
        let restored = Exchange { outcome, ..exchange(Restore, 0, 1, 200) };
        assert!(posted::of_another_key(&restored).is_none());
        assert!(posted::of_another_key(&Exchange { key: "B4K".to_owned(), ..restored }).is_some());
    }

    #[track_caller]
    fn is_fine(meeting: &Meeting) {
        assert_eq!(name(meeting), "");
    }

    #[track_caller]
    fn is_called(meeting: &Meeting, expected: &str) {
        assert!(name(meeting).starts_with(expected), "{:?}", name(meeting));
    }

    #[test]
    fn one_of_many_deletes_succeeds() {
        let both = |status| meeting(&[(Delete, 10, 20, 200), (Delete, 11, 20, status)], [404, 404, 404], FIRST);
        is_fine(&both(404));
        is_called(&both(200), "applied twice");
        is_called(&both(500), "a server error");
    }

    #[test]
    fn a_save_on_the_unlinked_file_comes_before_the_delete() {
        // The save is acknowledged after the delete, and nothing is there: it took effect before.
        is_fine(&meeting(&[(Save, 10, 30, 200), (Delete, 12, 20, 200)], [404, 404, 404], SECOND));
        // One that began after the delete must be there.
        let unlinked = meeting(&[(Delete, 10, 20, 200), (Save, 21, 30, 200)], [404, 404, 404], SECOND);
        is_called(&unlinked, "write to an unlinked file");
        // Nor is it not found.
        is_called(&meeting(&[(Delete, 10, 20, 404)], [404, 404, 404], FIRST), "acknowledged then lost");
        // Two deletes may both succeed where a save comes between.
        let between = [(Save, 10, 30, 200), (Delete, 12, 20, 200), (Delete, 13, 30, 200)];
        is_fine(&meeting(&between, [404, 404, 404], SECOND));
    }

    #[test]
    fn what_was_deleted_is_not_seen_again() {
        is_called(&meeting(&[(Delete, 10, 20, 200)], [200, 404, 404], FIRST), "resurrected document");
        is_fine(&meeting(&[(Delete, 10, 20, 200), (Restore, 11, 30, 200)], [404, 404, 404], FIRST));
        is_fine(&meeting(&[(Delete, 10, 20, 200), (Save, 15, 30, 200)], [200, 200, 404], SECOND));
        is_called(&meeting(&[(Delete, 10, 20, 200), (Save, 15, 30, 200)], [200, 200, 404], FIRST), "stale read");
    }

    #[test]
    fn a_document_whose_file_stays_was_not_deleted() {
        let kept = Meeting { file_left: Some(true), ..meeting(&[(Save, 10, 20, 200)], [200, 200, 404], SECOND) };
        is_called(&kept, "resurrected document");
        is_fine(&Meeting { file_left: None, ..kept });
    }

    #[test]
    fn too_few_deletes_decide_nothing() {
        let quiet = || meeting(&[(Delete, 10, 20, 200)], [404, 404, 404], FIRST);
        assert_eq!(judge(&[quiet()]).verdict, Verdict::Inconclusive);
        assert_eq!(judge(&(0..30).map(|_| quiet()).collect::<Vec<_>>()).verdict, Verdict::Holds);
    }
}
