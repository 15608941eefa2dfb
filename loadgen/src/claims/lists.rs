//! S6: lists during saves.

use super::{Claim, Finding, Needs};
use crate::client::exchange::Step;
use crate::client::{Exchange, User};
use crate::document::{Content, Document, REAL_STATE_BYTES};
use crate::verify::lab::{Lab, Stuck, at_once};
use serde::Deserialize;
use serde_json::Value;
use std::collections::BTreeMap;
use std::sync::Arc;
use std::sync::atomic::{AtomicBool, Ordering::Relaxed};
use std::time::{Duration, Instant};

/// Documents that are there throughout; the first few are saved all the time.
const DOCUMENTS: usize = 40;
const SAVED: usize = 6;

/// Users that list.
const LISTERS: usize = 3;

/// The specification's types, so that neighbours differ.
const TYPES: [&str; 5] = ["word", "excel", "docs", "slides", "demo"];

/// State of a document that is saved all the time: its writing takes long enough to be met.
const SAVED_STATE_BYTES: usize = 100_000;

/// S6
pub(super) static S6: Claim = Claim {
    id: "S6",
    title: "a list holds what is there throughout",
    quote: "list.php [KEEP] Read-only, no changes needed",
    needs: Needs::Wire,
    is_quick: true,
    mostly_waits: false,
    attempt: |lab| Box::pin(async move { Ok(judge(&experiment(lab).await?)) }),
};

/// A document that is there throughout.
#[derive(Clone, Debug)]
struct Member {
    key: String,
    type_slug: &'static str,
    /// When it was last saved, as restore says; `None` where it is saved all the time.
    last_modified: Option<Value>,
}

/// What the lists showed.
struct Lists {
    members: Vec<Member>,
    answered: usize,
    saves: usize,
    unanswered: usize,
    /// A list that is wrong, and how.
    wrong: Option<(Exchange, String)>,
    /// A save of the document in question that was under way then.
    save: Option<Exchange>,
}

#[derive(Deserialize)]
#[serde(rename_all = "camelCase")]
struct Entry {
    session_key: String,
    #[serde(default)]
    type_slug: Option<String>,
    #[serde(default)]
    metadata: Value,
}

async fn experiment(lab: &Arc<Lab>) -> Result<Lists, Stuck> {
    let members = Arc::new(members(lab).await?);
    let until =
        Instant::now() + lab.lasting(Duration::from_millis(1_500), Duration::from_secs(3), Duration::from_secs(30));
    let found = Arc::new(AtomicBool::new(false));
    let shared = Arc::clone(&members);
    let parts = at_once(lab.crowd(SAVED + LISTERS), move |mut user, number| {
        let (members, found) = (Arc::clone(&shared), Arc::clone(&found));
        async move {
            let mut part = Part::default();
            while Instant::now() < until && !found.load(Relaxed) {
                if number < SAVED {
                    part.save(&mut user, &members[number]).await;
                } else if part.list(&mut user, &members).await {
                    found.store(true, Relaxed);
                }
            }
            part
        }
    });
    let parts = parts.await;
    let wrong = parts.iter().find_map(|part| part.wrong.clone());
    let overlaps = |save: &&Exchange| {
        wrong
            .as_ref()
            .is_some_and(|(list, what)| what.contains(&save.key) && !save.precedes(list) && !list.precedes(save))
    };
    let save = parts.iter().flat_map(|part| &part.last_saves).find(overlaps).cloned();
    Ok(Lists {
        answered: parts.iter().map(|part| part.lists).sum(),
        saves: parts.iter().map(|part| part.saves).sum(),
        unanswered: parts.iter().map(|part| part.unanswered).sum(),
        wrong,
        save,
        members: members.to_vec(),
    })
}

/// Creates and saves the documents, and learns when each was saved.
async fn members(lab: &Arc<Lab>) -> Result<Vec<Member>, Stuck> {
    let mut user = lab.user(0);
    let mut members = Vec::new();
    for number in 0..DOCUMENTS {
        lab.needs_time()?;
        let (key, type_slug) = (lab.new_key(&mut user).await?, TYPES[number % TYPES.len()]);
        let content = Content { writer: number as u64, number: 0, size_bytes: REAL_STATE_BYTES };
        let saved = user.save(&key, type_slug, &BTreeMap::new(), &content.state()).await;
        if !saved.is_success() {
            return Err(Stuck(format!("no documents to list: {}", saved.step())));
        }
        let restored = user.restore(&key).await;
        let document = restored.data().and_then(|data| Document::parse(data.get()));
        let last_modified = document.and_then(|document| document.metadata.get("lastModified").cloned());
        members.push(Member { key, type_slug, last_modified: last_modified.filter(|_| number >= SAVED) });
    }
    Ok(members)
}

/// One user's part.
#[derive(Default)]
struct Part {
    lists: usize,
    saves: usize,
    unanswered: usize,
    wrong: Option<(Exchange, String)>,
    /// The latest saves, of which one may overlap a wrong list.
    last_saves: Vec<Exchange>,
}

impl Part {
    async fn save(&mut self, user: &mut User, member: &Member) {
        let content =
            Content { writer: user.number() as u64, number: 1 + self.saves as u64, size_bytes: SAVED_STATE_BYTES };
        let saved = user.save(&member.key, member.type_slug, &BTreeMap::new(), &content.state()).await;
        self.saves += usize::from(saved.is_success());
        if self.last_saves.len() == 4 {
            self.last_saves.remove(0);
        }
        self.last_saves.push(saved);
    }

    /// Lists once; true where the list is wrong.
    async fn list(&mut self, user: &mut User, members: &[Member]) -> bool {
        let listed = user.list().await;
        if listed.status().is_none() {
            self.unanswered += 1;
            return false;
        }
        self.lists += 1;
        self.wrong = fault(&listed, members).map(|what| (listed, what));
        self.wrong.is_some()
    }
}

/// What is wrong with a list, if anything is.
fn fault(listed: &Exchange, members: &[Member]) -> Option<String> {
    let Some(data) = listed.data() else { return Some(format!("a list was answered {}", listed.step().got)) };
    // PHP leaves empty data out.
    let entries: Vec<Entry> = if data.get() == "null" { Vec::new() } else { serde_json::from_str(data.get()).ok()? };
    let by_key: BTreeMap<&str, &Entry> = entries.iter().map(|entry| (entry.session_key.as_str(), entry)).collect();
    for Member { key, type_slug, last_modified } in members {
        let Some(entry) = by_key.get(key.as_str()) else {
            return Some(format!("{key} was there throughout and is not in the list"));
        };
        if entry.type_slug.as_deref() != Some(type_slug) {
            return Some(format!("{key} is of type {type_slug} and listed with {:?}", entry.type_slug));
        }
        let (listed, saved) = (entry.metadata.get("lastModified"), last_modified.as_ref());
        if let (Some(listed), Some(saved)) = (listed, saved)
            && !crate::document::same(listed, saved)
        {
            return Some(format!("{key} was last saved at {saved} and is listed with {listed}"));
        }
    }
    None
}

fn judge(lists: &Lists) -> Finding {
    let finding = if let Some((list, what)) = &lists.wrong {
        let mut steps: Vec<Step> = lists.save.iter().map(Exchange::step).collect();
        steps.push(list.step());
        steps.push(Step::finding("in that list", what.clone()));
        Finding::refuted(format!("{what} (after {} right lists)", lists.answered.saturating_sub(1)), steps)
    } else if lists.answered < 20 || lists.saves < 20 {
        Finding::inconclusive(format!("only {} lists were answered during {} saves", lists.answered, lists.saves))
    } else {
        Finding::holds(format!(
            "{} lists during {} saves, all {} documents in each",
            lists.answered,
            lists.saves,
            lists.members.len()
        ))
    };
    finding.measured("lists", lists.answered).measured("saves", lists.saves).measured("unanswered", lists.unanswered)
}

#[cfg(test)]
mod tests {
    use super::super::Verdict;
    use super::*;
    use crate::client::Operation;
    use crate::client::exchange::{Answer, Body};

    fn listed(data: &str) -> Exchange {
        let body = Body::parse(format!(r#"{{"success":true,"timestamp":1,"data":{data}}}"#).as_bytes());
        let (key, note) = (String::new(), String::new());
        let outcome = Ok(Answer { status: 200, attempts: None, body });
        Exchange { user: 0, operation: Operation::List, key, note, from_us: 0, to_us: 1, outcome }
    }

    fn member() -> Vec<Member> {
        vec![Member { key: "A4K".to_owned(), type_slug: "word", last_modified: Some(7.into()) }]
    }

    #[test]
    fn what_is_there_throughout_is_listed_with_its_own_data() {
        let right = r#"[{"sessionKey":"B4K"},{"sessionKey":"A4K","typeSlug":"word","metadata":{"lastModified":7.0}}]"#;
        assert_eq!(fault(&listed(right), &member()), None);
        let without_time = r#"[{"sessionKey":"A4K","typeSlug":"word","metadata":[]}]"#;
        assert_eq!(fault(&listed(without_time), &member()), None);
        for (wrong, what) in [
            ("[]", "not in the list"),
            ("null", "not in the list"),
            (r#"[{"sessionKey":"A4K","typeSlug":"excel"}]"#, "listed with Some(\"excel\")"),
            (r#"[{"sessionKey":"A4K","typeSlug":"word","metadata":{"lastModified":8}}]"#, "listed with 8"),
        ] {
            assert!(fault(&listed(wrong), &member()).is_some_and(|fault| fault.contains(what)), "{wrong}");
        }
    }

    #[test]
    fn lists_hold_when_there_were_enough_and_all_right() {
        let lists =
            |answered, wrong| Lists { members: member(), answered, saves: 100, unanswered: 0, wrong, save: None };
        assert_eq!(judge(&lists(20, None)).verdict, Verdict::Holds);
        assert_eq!(judge(&lists(19, None)).verdict, Verdict::Inconclusive);
        assert_eq!(judge(&lists(20, Some((listed("[]"), "A4K".to_owned())))).verdict, Verdict::Refuted);
    }
}
