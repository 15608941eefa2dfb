//! S5: deletes among deletes, saves and restores.

use super::{Claim, Finding, Needs};
use crate::client::exchange::Step;
use crate::client::{Exchange, Operation, User};
use crate::document::{Content, Document, REAL_STATE_BYTES};
use crate::verify::lab::{Lab, Stuck, at_once};
use std::collections::BTreeMap;
use std::sync::Arc;
use std::time::{Duration, Instant};

/// Who meets on one document, round after round: deleters, savers, restorers. Restores among saves are another claim's.
const MEETINGS: [(usize, usize, usize); 3] = [(6, 0, 0), (2, 0, 4), (2, 3, 0)];

/// Meetings side by side, so that the server always has two requests for one document to take up at once.
const MEETINGS_AT_ONCE: usize = 8;

/// S5
pub(super) static S5: Claim = Claim {
    id: "S5",
    title: "a delete happens at one moment, without error",
    quote: "delete.php [KEEP] Delete is atomic operation",
    needs: Needs::Wire,
    is_quick: true,
    mostly_waits: false,
    attempt: |lab| Box::pin(async move { Ok(judge(&experiment(lab).await?)) }),
};

/// All that happened to one document, from its instantiate on.
struct Meeting {
    created: Exchange,
    /// What ran at once.
    at_once: Vec<Exchange>,
    /// Then, one after the other: a restore, a delete, a restore.
    after: Vec<Exchange>,
    /// Whether the file with a content was still there at the end; `None` where the folder is not known.
    file_left: Option<bool>,
}

async fn experiment(lab: &Arc<Lab>) -> Result<Vec<Meeting>, Stuck> {
    let until = Instant::now() + Duration::from_millis(lab.effort.pick(3_000, 5_000, 30_000));
    let mut meetings: Vec<Meeting> = Vec::new();
    let mut user = lab.user(0);
    for round in 0.. {
        if Instant::now() >= until || meetings.iter().any(|meeting| fault(meeting).is_some()) {
            break;
        }
        let mut side_by_side = Vec::new();
        for _ in 0..MEETINGS_AT_ONCE {
            side_by_side.push(meeting(lab, lab.new_key(&mut user).await?, MEETINGS[round % MEETINGS.len()]));
        }
        meetings.extend(futures_util::future::join_all(side_by_side).await);
    }
    Ok(meetings)
}

async fn meeting(lab: &Arc<Lab>, key: String, (deleters, savers, restorers): (usize, usize, usize)) -> Meeting {
    let mut user = lab.user(0);
    let first = Content { writer: 0, number: 0, size_bytes: REAL_STATE_BYTES };
    let created = user.instantiate(&key, "word", &first.state()).await;
    let shared = key.clone();
    let met = at_once(lab.crowd(deleters + savers + restorers), move |mut user, number| {
        let key = shared.clone();
        async move {
            if number < deleters {
                user.delete(&key).await
            } else if number < deleters + savers {
                let content = Content { writer: number as u64, number: 1, size_bytes: REAL_STATE_BYTES };
                let mut saved = user.save(&key, "word", &BTreeMap::new(), &content.state()).await;
                saved.note = format!("with {content}");
                saved
            } else {
                restore(&mut user, &key).await
            }
        }
    });
    let met = met.await;
    let after = vec![restore(&mut user, &key).await, user.delete(&key).await, restore(&mut user, &key).await];
    let file_left = lab.folder.as_ref().map(|folder| folder.document(&key).is_some_and(|content| !content.is_empty()));
    Meeting { created, at_once: met, after, file_left }
}

async fn restore(user: &mut User, key: &str) -> Exchange {
    let mut restored = user.restore(key).await;
    if let Some(data) = restored.data() {
        let content = Document::parse(data.get()).and_then(|document| document.content());
        restored.note = content.map_or("showing what nobody wrote".to_owned(), |content| format!("showing {content}"));
    }
    restored
}

/// What is wrong with a meeting, if anything is: the name, and the exchanges that show it.
fn fault(meeting: &Meeting) -> Option<(&'static str, Vec<Step>)> {
    if !meeting.created.is_success() {
        return None;
    }
    let all: Vec<&Exchange> = std::iter::once(&meeting.created).chain(&meeting.at_once).chain(&meeting.after).collect();
    let of = |operation| all.iter().copied().filter(move |exchange| exchange.operation == operation);
    let steps = |exchanges: Vec<&Exchange>| exchanges.into_iter().map(Exchange::step).collect::<Vec<_>>();

    if let Some(error) = all.iter().find(|exchange| exchange.is_server_error()) {
        return Some(("a server error, where another came in between", steps(overlapping(&all, error))));
    }
    // Each document that is deleted was there: created once, and perhaps again by each save.
    let writes: Vec<&Exchange> =
        std::iter::once(&meeting.created).chain(of(Operation::Save).filter(|save| save.may_have_happened())).collect();
    let deleted: Vec<&Exchange> = of(Operation::Delete).filter(|delete| delete.is_success()).collect();
    if deleted.len() > writes.len() {
        return Some(("more deletes succeeded than there were documents", steps(deleted)));
    }
    // A refused delete looks at the document as a restore does.
    for restored in of(Operation::Restore).chain(of(Operation::Delete).filter(|delete| !delete.is_success())) {
        let is_gone = restored.status() == Some(404);
        // What is seen must have been written, and not be deleted for certain by then.
        let remover = deleted
            .iter()
            .find(|delete| delete.precedes(restored) && writes.iter().all(|write| write.precedes(delete)));
        if let (true, Some(delete)) = (restored.is_success(), remover) {
            return Some((
                "a resurrected document: it was deleted, and nothing wrote it anew",
                steps(vec![delete, restored]),
            ));
        }
        // What is gone must have been deleted, and not be written anew for certain by then.
        let keeper = writes.iter().find(|write| {
            let may_remove =
                |delete: &Exchange| delete.may_have_happened() && !delete.precedes(write) && !restored.precedes(delete);
            write.is_success() && write.precedes(restored) && !of(Operation::Delete).any(may_remove)
        });
        if let (true, Some(write)) = (is_gone, keeper) {
            return Some((
                "acknowledged then lost: it was written, and nothing deleted it since",
                steps(vec![write, restored]),
            ));
        }
    }
    let last_delete = meeting.after.get(1)?;
    let is_ended = last_delete.is_success() && meeting.after.get(2).is_some_and(|restored| restored.status().is_some());
    if is_ended && meeting.file_left == Some(true) {
        let left = Step::finding(
            format!("{}.json in the saves folder then", meeting.created.key),
            "is still there, with its content",
        );
        return Some(("a delete was acknowledged, and the document is still there", vec![last_delete.step(), left]));
    }
    None
}

/// An exchange, and those of the same meeting that ran at the same time, in the order of their beginnings.
fn overlapping<'a>(all: &[&'a Exchange], one: &Exchange) -> Vec<&'a Exchange> {
    let mut overlapping: Vec<&Exchange> =
        all.iter().copied().filter(|other| !other.precedes(one) && !one.precedes(other)).collect();
    overlapping.sort_by_key(|exchange| exchange.from_us);
    overlapping
}

fn judge(meetings: &[Meeting]) -> Finding {
    let faults: Vec<_> = meetings.iter().filter_map(fault).collect();
    let deletes = meetings.iter().flat_map(|meeting| meeting.at_once.iter().chain(&meeting.after));
    let deletes =
        deletes.filter(|exchange| exchange.operation == Operation::Delete && exchange.status().is_some()).count();
    let finding = if let Some((what, steps)) = faults.first() {
        Finding::refuted(format!("{what} (after {} meetings without)", meetings.len() - faults.len()), steps.clone())
    } else if deletes < 50 {
        let error = meetings
            .iter()
            .find(|meeting| !meeting.created.is_success())
            .map(|meeting| format!("; {}", meeting.created.step()));
        Finding::inconclusive(format!("only {deletes} deletes were answered{}", error.unwrap_or_default()))
    } else {
        Finding::holds(format!("{deletes} deletes among deletes, saves and restores of {} documents", meetings.len()))
    };
    finding
        .measured("deletes", deletes)
        .measured("documents", meetings.len())
        .measured("faults", faults.len())
        .expected("faults", 0)
}

#[cfg(test)]
mod tests {
    use super::super::Verdict;
    use super::*;
    use crate::client::exchange::sample as exchange;
    use Operation::{Delete, Instantiate, Restore, Save};

    /// A meeting after which a restore, a delete and a restore are answered with these statuses.
    fn meeting(at_once: &[(Operation, u64, u64, u16)], after: [u16; 3]) -> Meeting {
        let at_once =
            at_once.iter().map(|&(operation, from, to, status)| exchange(operation, from, to, status)).collect();
        let after = [(Restore, 100), (Delete, 110), (Restore, 120)].iter().zip(after);
        Meeting {
            created: exchange(Instantiate, 0, 5, 200),
            at_once,
            after: after.map(|(&(operation, from), status)| exchange(operation, from, from + 5, status)).collect(),
            file_left: Some(false),
        }
    }

    fn name(meeting: &Meeting) -> &'static str {
        fault(meeting).map_or("", |(name, _)| name)
    }

    #[test]
    fn one_of_many_deletes_succeeds() {
        assert_eq!(name(&meeting(&[(Delete, 10, 20, 200), (Delete, 11, 20, 404)], [404, 404, 404])), "");
        assert!(
            name(&meeting(&[(Delete, 10, 20, 200), (Delete, 11, 20, 200)], [404, 404, 404]))
                .starts_with("more deletes")
        );
        assert!(
            name(&meeting(&[(Delete, 10, 20, 200), (Delete, 11, 20, 500)], [404, 404, 404]))
                .starts_with("a server error")
        );
    }

    #[test]
    fn a_save_on_the_unlinked_file_comes_before_the_delete() {
        // The save is acknowledged after the delete, and nothing is there: it took effect before.
        assert_eq!(name(&meeting(&[(Save, 10, 30, 200), (Delete, 12, 20, 200)], [404, 404, 404])), "");
        // One that began after the delete must be there.
        assert!(
            name(&meeting(&[(Delete, 10, 20, 200), (Save, 21, 30, 200)], [404, 404, 404]))
                .starts_with("acknowledged then lost")
        );
        // Nor is it not found.
        assert!(name(&meeting(&[(Delete, 10, 20, 404)], [404, 404, 404])).starts_with("acknowledged then lost"));
        // Two deletes may both succeed where a save comes between.
        assert_eq!(
            name(&meeting(&[(Save, 10, 30, 200), (Delete, 12, 20, 200), (Delete, 13, 30, 200)], [404, 404, 404])),
            ""
        );
    }

    #[test]
    fn what_was_deleted_is_not_seen_again() {
        assert!(name(&meeting(&[(Delete, 10, 20, 200)], [200, 404, 404])).starts_with("a resurrected document"));
        assert_eq!(name(&meeting(&[(Delete, 10, 20, 200), (Restore, 11, 30, 200)], [404, 404, 404])), "");
        assert_eq!(name(&meeting(&[(Delete, 10, 20, 200), (Save, 15, 30, 200)], [200, 200, 404])), "");
    }

    #[test]
    fn a_document_whose_file_stays_was_not_deleted() {
        let kept = Meeting { file_left: Some(true), ..meeting(&[(Save, 10, 20, 200)], [200, 200, 404]) };
        assert!(name(&kept).starts_with("a delete was acknowledged"));
        assert_eq!(name(&Meeting { file_left: None, ..kept }), "");
    }

    #[test]
    fn too_few_deletes_decide_nothing() {
        let quiet = || meeting(&[(Delete, 10, 20, 200)], [404, 404, 404]);
        assert_eq!(judge(&[quiet()]).verdict, Verdict::Inconclusive);
        assert_eq!(judge(&(0..30).map(|_| quiet()).collect::<Vec<_>>()).verdict, Verdict::Holds);
    }
}
