//! Removing at the end what is ours on a target, and finding out what could not be removed.

use crate::lab::preflight::is_alive;
use crate::lab::{Lab, lock};
use crate::print::stderr;
use std::collections::{BTreeSet, HashSet};
use std::path::Path;
use std::sync::Arc;
use std::time::Duration;
use tokio_util::sync::CancellationToken;

/// Time to wait for a load after its last response is due.
const LOAD_ENDS: Duration = Duration::from_secs(2);

/// Passes over our own keys: what a request under way created behind the first is found by the next.
const PASSES: usize = 3;

/// How long the whole may take after an interruption.
const AFTER_INTERRUPTION: Duration = Duration::from_secs(10);

/// Says that the report of a run that is interrupted is there, and what happens now.
pub fn announce(stop: &CancellationToken, out: &Path) {
    if stop.is_cancelled() {
        let (folder, within_s) = (out.display(), AFTER_INTERRUPTION.as_secs());
        stderr!("report written to {folder}; cleaning up for at most {within_s} s (interrupt again to stop at once)");
    }
}

/// As [`remove`], but when `stop` is cancelled, no longer than [`AFTER_INTERRUPTION`] from then: what was not removed by
/// then is among the keys.
pub async fn clean_up(lab: &Arc<Lab>, stop: &CancellationToken) -> Vec<String> {
    let out_of_time = async {
        stop.cancelled().await;
        tokio::time::sleep(AFTER_INTERRUPTION).await;
    };
    tokio::select! {
        left = remove(lab) => left,
        () = out_of_time => {
            let in_folder = lock(&lab.filler).as_ref().map(|filler| filler.keys().to_vec());
            let left: BTreeSet<String> = lab.may_be_left().into_iter().chain(in_folder.unwrap_or_default()).collect();
            left.into_iter().collect()
        }
    }
}

/// Removes everything that is ours; returns the keys under which a document of ours may be left: those whose delete was
/// refused or had no clear response, and those that are still in the list.
async fn remove(lab: &Arc<Lab>) -> Vec<String> {
    // What was broken off is known to the ledger when it has ended; what does not end must not hold us up.
    let answers = if is_alive(lab).await { lab.patience.answer } else { Duration::ZERO };
    lab.ledger.settle(answers + LOAD_ENDS).await;
    let in_folder = empty_folder(lab);
    let mut left: BTreeSet<String> = lab.may_be_left().into_iter().collect();
    let mut theirs = BTreeSet::new();
    for _ in 0..PASSES {
        if left.is_empty() && lab.ledger.written().is_empty() || !is_alive(lab).await {
            break;
        }
        // Those whose delete had no clear response, too: where keys are reserved, one may have been handed out again.
        let held = lab.ledger.keys();
        let ours: BTreeSet<&String> = left.iter().chain(&held).collect();
        lab.release(&ours.into_iter().cloned().collect::<Vec<String>>()).await;
        let late = lab.release_late_writes().await;
        theirs.extend(late.theirs);
        // Without a list, the next pass asks for each document.
        let back = listed(lab).await.unwrap_or(held);
        left = late.left.into_iter().chain(back).filter(|key| !theirs.contains(key)).collect();
        if left.is_empty() {
            break;
        }
        // What was deleted and is there was written by a request under way then.
        left.iter().for_each(|key| lab.ledger.note_open_write(key));
    }
    left.extend(in_folder);
    left.into_iter().collect()
}

/// Takes the documents away that the folder was filled with; returns the keys of those that stay.
fn empty_folder(lab: &Lab) -> Vec<String> {
    let mut filler = lock(&lab.filler);
    let Some(filler) = filler.as_mut() else { return Vec::new() };
    // What went wrong shows in what stays.
    let _ = filler.empty();
    filler.keys().to_vec()
}

/// The keys of ours that a list shows; `None` if there is no clear response.
async fn listed(lab: &Lab) -> Option<Vec<String>> {
    let written = lab.ledger.written();
    if written.is_empty() {
        return Some(Vec::new());
    }
    let list = lab.user(0).list().await;
    let texts: HashSet<&str> = list.data()?.get().split('"').collect();
    Some(written.into_iter().filter(|key| texts.contains(key.as_str())).collect())
}
