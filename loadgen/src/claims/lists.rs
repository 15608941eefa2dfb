//! S6: lists during saves.

use super::answers::{Halted, judged, wrong_by_itself};
use super::{Claim, Expected, Finding, Needs, Phase};
use crate::lab::{Lab, at_once};
use check::anomaly::Anomaly;
use contract::document::{Content, Document, REAL_STATE_BYTES, same};
use contract::visible;
use engine::client::{Exchange, User};
use record::claims::ClaimId;
use record::step::Step;
use serde::Deserialize;
use serde_json::Value;
use std::collections::BTreeMap;
use std::sync::Arc;
use std::sync::atomic::{AtomicBool, Ordering::Relaxed};
use std::time::{Duration, Instant};

/// Documents that are there throughout; the first few are saved all the time.
const DOCUMENTS: usize = 40;
const SAVED: usize = 6;

/// Documents that are deleted before the first list.
const ENDED: usize = 6;

/// Users that list. Each ends a session before its first list, and again after this many.
const LISTERS: usize = 3;
const LISTS_PER_END: usize = 4;

/// The specification's types, so that neighbours differ.
const TYPES: [&str; 5] = ["word", "excel", "docs", "slides", "demo"];

/// State of a document that is saved all the time: its writing takes long enough to be met.
const SAVED_STATE_BYTES: usize = 100_000;

/// S6
pub(super) static S6: Claim = Claim {
    id: ClaimId::of("S6"),
    title: "a list holds what is there throughout",
    quote: "list.php [KEEP] Read-only, no changes needed",
    tried: "Three users list for 3 s (`--quick` 1.5 s, `--full` 30 s) or until the first fault. 40 documents exist \
            throughout, and six of them are saved all the time with states of 100 KB. On an empty target there are \
            also sessions that ended before a list was requested.",
    holds_if: "Every list contains each of the 40 documents once, with its own type, version and times, contains no \
            session that ended before the list was requested, and is ordered newest first.",
    needs: Needs::Wire,
    expected: Expected::REFUTED_ON_DOCUMENTED,
    decisions_on_chance: 0,
    phase: Phase::Documents,
    is_quick: true,
    mostly_waits: false,
    takes_times: false,
    attempt: |lab| Box::pin(async move { judged(experiment(lab).await, judge) }),
};

/// A document that is there throughout.
#[derive(Clone, Debug)]
struct Member {
    key: String,
    type_slug: &'static str,
    /// Its metadata as restore shows it, without the time of the last save if it is saved all the time.
    metadata: BTreeMap<&'static str, Value>,
}

/// Metadata that a list shows.
const LISTED: [&str; 3] = ["version", "created", "lastModified"];

/// A session that ended before a list was requested.
#[derive(Clone, Debug)]
struct Ended {
    key: String,
    deleted: Exchange,
}

/// What the lists showed.
struct Lists {
    members: Vec<Member>,
    answered: usize,
    saves: usize,
    unanswered: usize,
    wrong: Option<Wrong>,
    /// A save of the document in question that was under way then.
    save: Option<Exchange>,
}

/// A list or another response that is wrong, and how.
#[derive(Clone, Debug)]
struct Wrong {
    exchange: Exchange,
    fault: Fault,
}

/// What is wrong with a list.
#[derive(Clone, Debug)]
struct Fault {
    anomaly: Anomaly,
    what: String,
    /// Key of the session that it is about; empty if it is about none.
    key: String,
    /// An earlier exchange that shows why it is wrong.
    before: Option<Step>,
}

#[derive(Deserialize)]
#[serde(rename_all = "camelCase")]
struct Entry {
    session_key: String,
    #[serde(default)]
    type_slug: Value,
    #[serde(default)]
    timestamp: Value,
    #[serde(default)]
    created: Value,
    #[serde(default)]
    metadata: Value,
}

async fn experiment(lab: &Arc<Lab>) -> Result<Lists, Halted> {
    let members = Arc::new(members(lab).await?);
    let ended = Arc::new(ended(lab).await?);
    let spare = Arc::new(lab.new_keys(LISTERS).await?);
    // If others have documents in the folder, they may take a key as soon as it is free.
    let ends = lab.was_empty;
    let until =
        Instant::now() + lab.lasting(Duration::from_millis(1_500), Duration::from_secs(3), Duration::from_secs(30));
    let found = Arc::new(AtomicBool::new(false));
    let shared = Arc::clone(&members);
    let parts = at_once(lab.crowd(SAVED + LISTERS), move |mut user, number| {
        let (members, found) = (Arc::clone(&shared), Arc::clone(&found));
        let (ended, spare) = (Arc::clone(&ended), Arc::clone(&spare));
        async move {
            let mut part = Part { ended: ended.to_vec(), ..Part::default() };
            while Instant::now() < until && !found.load(Relaxed) {
                if number < SAVED {
                    part.save(&mut user, &members[number]).await;
                } else {
                    if ends && part.lists.is_multiple_of(LISTS_PER_END) {
                        part.end(&mut user, &spare[number - SAVED], ended.len()).await;
                    }
                    part.list(&mut user, &members).await;
                }
                if part.wrong.is_some() {
                    found.store(true, Relaxed);
                }
            }
            part
        }
    });
    let parts = parts.await;
    let wrong = parts.iter().find_map(|part| part.wrong.clone());
    let overlaps = |save: &&Exchange| {
        wrong.as_ref().is_some_and(|Wrong { exchange: list, fault }| {
            fault.key == save.key && !save.precedes(list) && !list.precedes(save)
        })
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

/// Creates and saves the documents, and records when each was created and saved.
async fn members(lab: &Arc<Lab>) -> Result<Vec<Member>, Halted> {
    let mut user = lab.user(0);
    let mut members = Vec::new();
    for number in 0..DOCUMENTS {
        lab.needs_time()?;
        let (key, type_slug) = (lab.new_key(&mut user).await?, TYPES[number % TYPES.len()]);
        let content = Content { writer: number as u64, number: 0, size_bytes: REAL_STATE_BYTES };
        create(&mut user, &key, type_slug, content).await?;
        let restored = user.restore(&key).await;
        let document = restored.data().and_then(|data| Document::parse(data.get()));
        let shown = document.map(|document| document.metadata).unwrap_or_default();
        let named = LISTED.into_iter().filter(|name| number >= SAVED || *name != "lastModified");
        let metadata = named.filter_map(|name| Some((name, shown.get(name)?.clone()))).collect();
        members.push(Member { key, type_slug, metadata });
    }
    Ok(members)
}

/// Creates a document, and saves it once.
async fn create(user: &mut User, key: &str, type_slug: &str, content: Content) -> Result<(), Halted> {
    let created = user.instantiate(key, type_slug, &content.state()).await;
    let saved = user.save(key, type_slug, &BTreeMap::new(), &content.state()).await;
    for done in [&created, &saved] {
        if !done.is_success() {
            return Err(Halted::by(done, "no documents to list"));
        }
    }
    Ok(())
}

/// Begins and ends sessions.
async fn ended(lab: &Arc<Lab>) -> Result<Vec<Ended>, Halted> {
    let mut user = lab.user(0);
    let mut ended = Vec::new();
    for number in (0..ENDED).filter(|_| lab.was_empty) {
        lab.needs_time()?;
        let key = lab.new_key(&mut user).await?;
        let content = Content { writer: (DOCUMENTS + number) as u64, number: 0, size_bytes: REAL_STATE_BYTES };
        create(&mut user, &key, TYPES[number % TYPES.len()], content).await?;
        let deleted = user.delete(&key).await;
        if deleted.is_success() {
            ended.push(Ended { key, deleted });
        }
    }
    Ok(ended)
}

/// One user's part.
#[derive(Default)]
struct Part {
    lists: usize,
    saves: usize,
    unanswered: usize,
    ended: Vec<Ended>,
    wrong: Option<Wrong>,
    /// The latest saves, of which one may overlap a wrong list.
    last_saves: Vec<Exchange>,
}

impl Part {
    async fn save(&mut self, user: &mut User, member: &Member) {
        let content =
            Content { writer: user.number() as u64, number: 1 + self.saves as u64, size_bytes: SAVED_STATE_BYTES };
        let saved = user.save(&member.key, member.type_slug, &BTreeMap::new(), &content.state()).await;
        self.saves += usize::from(saved.is_success());
        self.note(&saved);
        if self.last_saves.len() == 4 {
            self.last_saves.remove(0);
        }
        self.last_saves.push(saved);
    }

    /// Begins and ends a session of the user's own.
    async fn end(&mut self, user: &mut User, key: &str, others: usize) {
        let content = Content { writer: user.number() as u64, number: 0, size_bytes: REAL_STATE_BYTES };
        self.ended.truncate(others);
        let saved = user.save(key, "word", &BTreeMap::new(), &content.state()).await;
        let deleted = user.delete(key).await;
        self.note(&saved);
        self.note(&deleted);
        // A save without a response may take effect after the delete.
        if saved.is_success() && deleted.is_success() {
            self.ended.push(Ended { key: key.to_owned(), deleted });
        }
    }

    /// Notes a response that is wrong whatever else was done.
    fn note(&mut self, exchange: &Exchange) {
        if let (None, Some(anomaly)) = (&self.wrong, wrong_by_itself(exchange)) {
            let what = super::answers::words(exchange, anomaly);
            let fault = Fault { anomaly, what, key: exchange.key.clone(), before: None };
            self.wrong = Some(Wrong { exchange: exchange.clone(), fault });
        }
    }

    /// Lists once, and notes what is wrong with the list.
    async fn list(&mut self, user: &mut User, members: &[Member]) {
        let listed = user.list().await;
        if is_unknown(&listed) {
            self.unanswered += 1;
            return;
        }
        self.lists += 1;
        if let (None, Some(fault)) = (&self.wrong, fault(&listed, members, &self.ended)) {
            self.wrong = Some(Wrong { exchange: listed, fault });
        }
    }
}

/// Whether nothing follows from a list: there is no response, or an error, a proxy's or the server's.
fn is_unknown(listed: &Exchange) -> bool {
    !listed.is_success() && wrong_by_itself(listed).is_none()
}

/// What is wrong with a list, if anything is.
fn fault(listed: &Exchange, members: &[Member], ended: &[Ended]) -> Option<Fault> {
    let fault = |anomaly, key: &str, what| Some(Fault { anomaly, what, key: key.to_owned(), before: None });
    if let Some(anomaly) = wrong_by_itself(listed) {
        return fault(anomaly, "", format!("a list was answered {}", listed.step().got));
    }
    let entries = match entries(listed.data()?.get()) {
        Ok(entries) => entries,
        Err(error) => {
            return fault(Anomaly::MalformedAnswer, "", format!("a list has an entry that cannot be read: {error}"));
        }
    };
    let mut by_key: BTreeMap<&str, &Entry> = BTreeMap::new();
    for entry in &entries {
        if by_key.insert(&entry.session_key, entry).is_some() {
            let key = visible(&entry.session_key);
            return fault(Anomaly::WrongListEntry, &key, format!("{key} is in the list twice"));
        }
    }
    for Ended { key, deleted } in ended.iter().filter(|ended| ended.deleted.precedes(listed)) {
        if by_key.contains_key(key.as_str()) {
            let what = format!("{key} had ended before the list was asked for, and is in it");
            let before = Some(deleted.step());
            return Some(Fault { anomaly: Anomaly::ListedAfterDelete, what, key: key.clone(), before });
        }
    }
    for member in members {
        let Some(entry) = by_key.get(member.key.as_str()) else {
            let what = format!("{} was there throughout and is not in the list", member.key);
            return fault(Anomaly::MissingFromList, &member.key, what);
        };
        if let Some(what) = member.difference(entry) {
            return fault(Anomaly::WrongListEntry, &member.key, format!("{} {what}", member.key));
        }
    }
    let mut neighbours = entries.windows(2).filter_map(|pair| Some((pair, time(&pair[0])?, time(&pair[1])?)));
    let (pair, first, second) = neighbours.find(|(_, first, second)| first < second)?;
    let [earlier, later] = [&pair[0].session_key, &pair[1].session_key].map(|key| visible(key));
    let what = format!("the newest is not first: {earlier}, of {first}, stands before {later}, of {second}");
    fault(Anomaly::WrongListEntry, &earlier, what)
}

/// The entries of a list. PHP omits empty data.
fn entries(data: &str) -> serde_json::Result<Vec<Entry>> {
    if data == "null" { Ok(Vec::new()) } else { serde_json::from_str(data) }
}

fn time(entry: &Entry) -> Option<f64> {
    entry.timestamp.as_f64()
}

impl Member {
    /// How an entry differs from its session.
    fn difference(&self, entry: &Entry) -> Option<String> {
        if entry.type_slug != self.type_slug {
            return Some(format!("is of the type {}, and is listed with {}", self.type_slug, entry.type_slug));
        }
        if !entry.timestamp.is_number() {
            return Some(format!("is listed with the timestamp {}, which is no time", entry.timestamp));
        }
        let listed = |name: &str| entry.metadata.get(name).unwrap_or(&Value::Null);
        for name in ["version", "lastModified"] {
            if let Some(own) = self.metadata.get(name).filter(|own| !same(own, listed(name))) {
                return Some(format!("has {name} {own}, and is listed with {}", listed(name)));
            }
        }
        // The specification's PHP reports the file's change time as the creation time.
        let own = self.metadata.get("created")?;
        let is_right = |shown: &Value| same(shown, own) || same(shown, &entry.timestamp);
        let shown = [&entry.created, listed("created")].into_iter().find(|shown| !is_right(shown))?;
        Some(format!("was created at {own}, and is listed with {shown}"))
    }
}

fn judge(lists: &Lists) -> Finding {
    let finding = if let Some(Wrong { exchange, fault }) = &lists.wrong {
        let mut steps: Vec<Step> = lists.save.iter().map(Exchange::step).collect();
        steps.extend(fault.before.clone());
        steps.push(exchange.step());
        steps.push(Step::finding("what is wrong", fault.what.clone()));
        let summary =
            format!("{}: {} (after {} right lists)", fault.anomaly, fault.what, lists.answered.saturating_sub(1));
        Finding::refuted(summary, steps).named(fault.anomaly)
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
    use super::*;
    use contract::Operation;
    use contract::{Answer, Body};
    use engine::client::samples::exchange as sample;
    use record::claims::Verdict;
    use serde_json::json;

    fn answered(status: u16, body: &str) -> Exchange {
        let outcome = Ok(Answer { status, attempts: None, body: Body::parse(body.as_bytes()) });
        Exchange { outcome, key: String::new(), ..sample(Operation::List, 20, 30, 200) }
    }

    fn listed(data: &str) -> Exchange {
        answered(200, &format!(r#"{{"success":true,"timestamp":1,"data":{data}}}"#))
    }

    fn members() -> Vec<Member> {
        let metadata = [("version", json!("1.0")), ("created", json!(5)), ("lastModified", json!(7))].into();
        vec![Member { key: "A4K".to_owned(), type_slug: "word", metadata }]
    }

    /// The member's entry, with a field replaced.
    fn own(from: &str, to: &str) -> String {
        let entry = r#"{"sessionKey":"A4K","timestamp":7000,"created":5,"typeSlug":"word","metadata":{"version":"1.0","created":5,"lastModified":7.0}}"#;
        entry.replace(from, to)
    }

    fn other(key: &str, time: u64) -> String {
        format!(r#"{{"sessionKey":"{key}","timestamp":{time},"created":1,"typeSlug":null,"metadata":[]}}"#)
    }

    fn found(entries: &[String]) -> String {
        let list = listed(&format!("[{}]", entries.join(",")));
        fault(&list, &members(), &[]).map_or(String::new(), |fault| format!("{}: {}", fault.anomaly, fault.what))
    }

    #[test]
    fn what_is_there_throughout_is_listed_with_its_own_data() {
        assert_eq!(found(&[other("B4K", 7_000), own("", "")]), "");
        let php = own("\"created\":5", "\"created\":7000");
        assert_eq!(found(&[php]), "", "PHP shows the time of the last change");
        for (from, to, what) in [
            ("A4K", "B4K", "missing from list: A4K was there throughout"),
            ("word", "excel", "wrong list entry: A4K is of the type word, and is listed with \"excel\""),
            ("\"typeSlug\":\"word\"", "\"typeSlug\":null", "wrong list entry: A4K is of the type word"),
            ("7.0", "8", "wrong list entry: A4K has lastModified 7, and is listed with 8"),
            (",\"lastModified\":7.0", "", "wrong list entry: A4K has lastModified 7, and is listed with null"),
            ("\"1.0\"", "\"2.0\"", "wrong list entry: A4K has version \"1.0\""),
            ("\"created\":5,\"typeSlug\"", "\"created\":6,\"typeSlug\"", "wrong list entry: A4K was created at 5"),
            ("\"created\":5,\"lastM", "\"created\":6,\"lastM", "wrong list entry: A4K was created at 5"),
            ("7000", "\"now\"", "wrong list entry: A4K is listed with the timestamp"),
        ] {
            assert!(found(&[own(from, to)]).starts_with(what), "{to}: {}", found(&[own(from, to)]));
        }
        let empty = fault(&answered(200, r#"{"success":true,"timestamp":1}"#), &members(), &[]).map(|it| it.anomaly);
        assert_eq!(empty, Some(Anomaly::MissingFromList));
    }

    #[test]
    fn a_list_has_each_session_once_and_the_newest_first() {
        assert_eq!(found(&[own("", ""), other("B4K", 7_000), other("C4K", 6_999)]), "");
        assert!(found(&[own("", ""), own("", "")]).starts_with("wrong list entry: A4K is in the list twice"));
        let backwards = found(&[other("B4K", 6_999), own("", "")]);
        assert!(backwards.starts_with("wrong list entry: the newest is not first"), "{backwards}");
    }

    #[test]
    fn a_session_that_had_ended_is_not_listed() {
        let ended = |from, to| {
            let deleted = Exchange { key: "B4K".to_owned(), ..sample(Operation::Delete, from, to, 200) };
            vec![Ended { key: "B4K".to_owned(), deleted }]
        };
        let list = listed(&format!("[{},{}]", own("", ""), other("B4K", 1)));
        let found = fault(&list, &members(), &ended(10, 19)).expect("listed after its end");
        assert!(found.anomaly == Anomaly::ListedAfterDelete && found.before.is_some(), "{found:?}");
        assert!(fault(&list, &members(), &ended(10, 20)).is_none(), "touching is at the same time");
        assert!(fault(&list, &members(), &ended(25, 40)).is_none());
    }

    #[test]
    fn a_list_that_is_refused_or_no_list_is_wrong_and_an_error_says_nothing() {
        let refusal = r#"{"success":false,"message":"no","timestamp":1}"#;
        for (list, wrong) in [
            (answered(404, refusal), Some(Anomaly::ValidRequestRefused)),
            (listed("{}"), Some(Anomaly::MalformedAnswer)),
            (listed("[1]"), Some(Anomaly::MalformedAnswer)),
            (answered(500, refusal), None),
            (answered(503, refusal), None),
            (answered(429, refusal), None),
            (answered(502, "<html>"), None),
            (answered(500, "<html>"), None),
        ] {
            assert_eq!(fault(&list, &members(), &[]).map(|fault| fault.anomaly), wrong, "{}", list.step());
            assert_eq!(is_unknown(&list), wrong.is_none(), "{}", list.step());
        }
    }

    #[test]
    fn lists_hold_when_there_were_enough_and_all_right() {
        let lists =
            |answered, wrong| Lists { members: members(), answered, saves: 100, unanswered: 0, wrong, save: None };
        assert_eq!(judge(&lists(20, None)).verdict, Verdict::Holds);
        assert_eq!(judge(&lists(19, None)).verdict, Verdict::Inconclusive);
        let exchange = listed("[]");
        let fault = fault(&exchange, &members(), &[]).expect("empty");
        let finding = judge(&lists(20, Some(Wrong { exchange, fault })));
        assert_eq!((finding.verdict, finding.anomaly), (Verdict::Refuted, Some(Anomaly::MissingFromList)));
    }
}
