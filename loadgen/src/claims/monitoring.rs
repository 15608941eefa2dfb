//! O1, O2: the specification's monitoring commands.

use super::answers::{Halted, judged};
use super::{Claim, Expected, Finding, Needs, Phase};
use crate::lab::{Lab, Stuck, at_once};
use contract::document::{Content, REAL_STATE_BYTES};
use engine::client::User;
use engine::saves_folder::key_of;
use record::claims::ClaimId;
use record::step::Step;
use std::collections::{BTreeMap, BTreeSet};
use std::path::PathBuf;
use std::sync::Arc;
use std::time::{Duration, Instant};

/// Sessions of O1: saved, of which some are ended, and handed out only.
const SAVED: usize = 60;
const ENDED: usize = 20;
const HANDED_OUT: usize = 15;

/// Users of O2, and how long they save.
const SAVERS: usize = 16;
const DURATION: Duration = Duration::from_secs(1);

/// O1
pub(super) static O1: Claim = Claim {
    id: ClaimId::of("O1"),
    title: "the files count the active sessions",
    quote: "Count active sessions: ls -1 saves/*.json | wc -l",
    tried: "60 sessions are created and saved, 20 of them are deleted, and 15 keys are handed out without being used. \
            Then the files that `ls -1 saves/*.json` prints are counted.",
    holds_if: "The count is the number of files before plus the saved sessions that were not deleted, with or without the \
            15 keys that were only handed out, and each new file belongs to one of these sessions.",
    needs: Needs::Folder,
    expected: Expected::HOLDS,
    decisions_on_chance: 0,
    phase: Phase::Service,
    is_quick: true,
    mostly_waits: false,
    takes_times: false,
    attempt: |lab| Box::pin(async move { judged(sessions(lab).await, judge_count) }),
};

/// O2
pub(super) static O2: Claim = Claim {
    id: ClaimId::of("O2"),
    title: "no lock files are left or seen",
    quote: "Check for lock files (shouldn't exist): find saves/ -name \"*.lock\"",
    tried: "16 users save four documents for 1 s while the harness searches the folder for `*.lock` again and again, \
            and once more afterwards.",
    holds_if: "No search finds a file or folder whose name ends in .lock.",
    needs: Needs::Folder,
    expected: Expected::HOLDS,
    decisions_on_chance: 0,
    phase: Phase::Service,
    is_quick: true,
    mostly_waits: false,
    takes_times: false,
    attempt: |lab| Box::pin(async move { Ok(judge_lock_files(&looks(lab).await?)) }),
};

/// How many sessions there should be, and how many the command counts.
#[derive(Debug)]
struct Count {
    /// Files before.
    before: usize,
    saved: usize,
    ended: usize,
    handed_out: usize,
    /// Files after.
    after: usize,
    /// Names that are neither a session's nor were there before.
    strays: Vec<String>,
}

async fn sessions(lab: &Arc<Lab>) -> Result<Count, Halted> {
    let folder = lab.folder()?;
    let before: BTreeSet<String> = folder.json_names().map_err(Stuck::from)?.into_iter().collect();
    let mut user = lab.user(0);
    let (mut saved, mut ended) = (BTreeSet::new(), BTreeSet::new());
    for number in 0..SAVED {
        let key = counted_key(lab, &mut user).await?;
        let content = Content { writer: number as u64, number: 0, size_bytes: REAL_STATE_BYTES };
        let created = user.instantiate(&key, "word", &content.state()).await;
        let stored = user.save(&key, "word", &BTreeMap::new(), &content.state()).await;
        for done in [&created, &stored] {
            if !done.is_success() {
                return Err(Halted::by(done, "no session to count"));
            }
        }
        saved.insert(key);
    }
    for key in saved.iter().take(ENDED) {
        let done = user.delete(key).await;
        if !done.is_success() {
            return Err(Halted::by(&done, "a session could not be ended"));
        }
        // It may be handed out again: then it is a session of its own.
        lab.ledger.disown(std::slice::from_ref(key));
        ended.insert(key.clone());
    }
    let mut handed_out = BTreeSet::new();
    for _ in 0..HANDED_OUT {
        handed_out.insert(counted_key(lab, &mut user).await?);
    }
    let names = folder.json_names().map_err(Stuck::from)?;
    let is_known = |name: &String| {
        let is_ours = |key: &str| saved.contains(key) && !ended.contains(key) || handed_out.contains(key);
        before.contains(name) || key_of(name).is_some_and(is_ours)
    };
    let strays = names.iter().filter(|name| !is_known(name)).cloned().collect();
    let (saved, ended, handed_out) = (saved.len(), ended.len(), handed_out.len());
    Ok(Count { before: before.len(), saved, ended, handed_out, after: names.len(), strays })
}

/// A new key of our own. Fails if an earlier request without a clear response may have begun a session that nobody
/// knows of.
async fn counted_key(lab: &Arc<Lab>, user: &mut User) -> Result<String, Stuck> {
    lab.needs_time()?;
    let key = lab.new_key(user).await?;
    match lab.ledger.unclear() {
        0 => Ok(key),
        _ => Err(Stuck("requests were left without a clear answer, so the sessions cannot be counted".to_owned())),
    }
}

fn judge_count(count: &Count) -> Finding {
    let active = count.before + count.saved - count.ended;
    let reserved = active + count.handed_out;
    // Where keys are reserved, a session begins when it is handed out; elsewhere when it is saved.
    let finding = if [active, reserved].contains(&count.after) && count.strays.is_empty() {
        Finding::holds(format!(
            "{} counted: {} saved, {} ended, {} handed out only",
            count.after, count.saved, count.ended, count.handed_out
        ))
    } else {
        let did = format!(
            "{} sessions saved, {} of them ended, {} only handed out, {} there before",
            count.saved, count.ended, count.handed_out, count.before
        );
        let steps = vec![
            Step::finding(did, format!("{active} or, where keys are reserved, {reserved} are active")),
            Step::finding("ls -1 saves/*.json | wc -l", count.after.to_string()),
            Step::finding("files of no active session", count.strays.join(" ")),
        ];
        Finding::refuted(format!("{} counted, where {active} or {reserved} sessions are active", count.after), steps)
    };
    finding.measured("counted", count.after).expected("counted", serde_json::json!([active, reserved]))
}

/// What `find` printed, again and again.
struct Looks {
    during: usize,
    saves: u64,
    found: Vec<PathBuf>,
    found_after: Vec<PathBuf>,
}

async fn looks(lab: &Arc<Lab>) -> Result<Looks, Stuck> {
    let keys = lab.new_keys(4).await?;
    let until = Instant::now() + DURATION;
    let saving = at_once(lab.crowd(SAVERS), move |mut user, number| {
        let key = keys[number % keys.len()].clone();
        async move {
            let state = Content { writer: number as u64, number: 0, size_bytes: REAL_STATE_BYTES }.state();
            let mut saves = 0;
            while Instant::now() < until {
                saves += u64::from(user.save(&key, "word", &BTreeMap::new(), &state).await.is_success());
            }
            saves
        }
    });
    let folder = lab.folder()?.clone();
    let looking = tokio::task::spawn_blocking(move || {
        let (mut during, mut found) = (0, Vec::new());
        while Instant::now() < until && found.is_empty() {
            found = folder.lock_files().unwrap_or_default();
            during += 1;
        }
        (during, found)
    });
    let saves = saving.await.into_iter().sum();
    let (during, found) = looking.await.map_err(|lost| Stuck(lost.to_string()))?;
    Ok(Looks { during, saves, found, found_after: lab.folder()?.lock_files()? })
}

fn judge_lock_files(looks: &Looks) -> Finding {
    let when = if looks.found.is_empty() { "after" } else { "during" };
    let finding = if let Some(path) = looks.found.first().or(looks.found_after.first()) {
        let step = Step::finding(format!("find saves/ -name \"*.lock\" {when} saves"), path.display().to_string());
        let name = path.file_name().unwrap_or_default().to_string_lossy().into_owned();
        Finding::refuted(format!("{name} was there {when} saves"), vec![step])
    } else if looks.saves < 20 || looks.during < 5 {
        Finding::inconclusive(format!("only {} looks during {} saves", looks.during, looks.saves))
    } else {
        Finding::holds(format!("none in {} looks during {} saves, and none after", looks.during, looks.saves))
    };
    finding.measured("looks", looks.during).measured("saves", looks.saves).expected("lock_files", 0)
}

#[cfg(test)]
mod tests {
    use super::*;
    use record::claims::Verdict;

    fn count(after: usize, strays: &[&str]) -> Verdict {
        let strays = strays.iter().map(|&name| name.to_owned()).collect();
        judge_count(&Count { before: 2, saved: 60, ended: 20, handed_out: 15, after, strays }).verdict
    }

    #[test]
    fn sessions_count_from_their_save_or_from_their_reservation() {
        assert_eq!((count(42, &[]), count(57, &[])), (Verdict::Holds, Verdict::Holds));
        assert_eq!(
            (count(43, &[]), count(62, &[]), count(41, &[])),
            (Verdict::Refuted, Verdict::Refuted, Verdict::Refuted)
        );
        assert_eq!(count(42, &["A4K-old.json"]), Verdict::Refuted);
    }

    #[test]
    fn a_lock_file_seen_once_refutes() {
        let looks = |during, found: &[&str], after: &[&str]| {
            let paths = |names: &[&str]| names.iter().map(PathBuf::from).collect();
            judge_lock_files(&Looks { during, saves: 100, found: paths(found), found_after: paths(after) }).verdict
        };
        assert_eq!((looks(50, &[], &[]), looks(2, &[], &[])), (Verdict::Holds, Verdict::Inconclusive));
        assert_eq!(
            (looks(50, &["A4K.lock"], &[]), looks(50, &[], &["A4K.lock"])),
            (Verdict::Refuted, Verdict::Refuted)
        );
    }
}
