//! An honest server behind a layer that changes single requests or responses: the claim that each change breaks finds
//! it, under its name; and what any proxy does accuses nobody.

mod support;

use bytes::Bytes;
use http_body_util::{BodyExt, Full};
use hyper::body::Incoming;
use hyper::header::{CONTENT_TYPE, HeaderValue};
use hyper::{Request, Response};
use record::claims::Verdict;
use rustix::fs::{FlockOperation, flock};
use serde_json::{Value, json};
use std::collections::BTreeMap;
use std::io;
use std::path::{Path, PathBuf};
use std::sync::atomic::{AtomicU64, Ordering};
use std::sync::{Arc, Mutex};
use support::harness::{Run, saves_folder, verify_target};
use support::liar::{self, Liar};
use support::running::{Answer, Running, converse};

/// What is changed.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Twist {
    /// A save on a deleted key is refused with 404.
    RefusesSavesAfterDeletes,
    /// Every other save on a deleted key is acknowledged and dropped.
    DropsSavesAfterDeletes,
    /// One key in ten has four characters.
    LongKeys,
    /// One key in ten is in lower case.
    LowerCaseKeys,
    /// One key in ten is empty.
    EmptyKeys,
    /// A list includes the entries of deleted sessions.
    ListsDeleted,
    /// A list shows its first entry twice.
    ListsTwice,
    /// A list shows the oldest first.
    ListsBackwards,
    /// A list shows another creation time.
    ListsOtherCreated,
    /// One restore in twenty has another type.
    ChangesType,
    /// One restore in twenty has a `lastModified` of a day before.
    ChangesTime,
    /// A save stores the usual fields only.
    DropsFields,
    /// The envelope's timestamp is in milliseconds.
    Milliseconds,
    /// Every fifth response has a timestamp of a minute before.
    GoesBack,
    /// Responses claim to be HTML.
    SaysHtml,
    /// A save of a document that is locked elsewhere is acknowledged and dropped.
    DropsLockedSaves,
    /// One request in twenty gets a proxy's page, before or after it was done.
    AnswersLikeAProxy,
}

/// The server, and the state that the changes need.
struct Twisted {
    twist: Twist,
    server: Liar,
    saves: PathBuf,
    requests: AtomicU64,
    /// Deleted keys, and how many saves each has had since.
    deleted: Mutex<BTreeMap<String, u64>>,
}

fn start(twist: Twist, saves: &Path) -> Running {
    let (requests, deleted) = (AtomicU64::new(0), Mutex::default());
    let server = Liar::new(None, saves);
    let twisted = Arc::new(Twisted { twist, server, saves: saves.to_owned(), requests, deleted });
    Running::start(saves, |listener| async move {
        while let Ok((stream, _)) = listener.accept().await {
            let twisted = Arc::clone(&twisted);
            let respond = move |request| {
                let twisted = Arc::clone(&twisted);
                async move { twisted.respond(request).await }
            };
            tokio::spawn(converse(stream, respond));
        }
    })
}

impl Twisted {
    async fn respond(&self, request: Request<Incoming>) -> io::Result<Answer> {
        let (head, body) = request.into_parts();
        let mut body = body.collect().await.map_err(io::Error::other)?.to_bytes();
        let number = self.requests.fetch_add(1, Ordering::Relaxed);
        let path = head.uri.path().trim_end_matches(".php");
        let operation = path.rsplit('/').next().unwrap_or_default().to_owned();
        let posted: Value = serde_json::from_slice(&body).unwrap_or_default();
        let query = head.uri.query().unwrap_or_default();
        let key = posted["sessionKey"].as_str().or_else(|| query.split_once('=').map(|(_, key)| key));
        let key = key.unwrap_or_default().to_owned();
        if self.twist == Twist::AnswersLikeAProxy && number % 40 == 7 {
            return Ok(page());
        }
        if operation == "save"
            && let Some(answer) = self.instead_of_a_save(&key)
        {
            return Ok(answer);
        }
        if (self.twist, operation.as_str()) == (Twist::DropsFields, "save") && posted.is_object() {
            let usual = ["sessionKey", "typeSlug", "metadata", "state"];
            let kept: Value = usual.iter().filter_map(|name| Some((*name, posted.get(name)?.clone()))).collect();
            body = Bytes::from(kept.to_string());
        }
        let answer = liar::answer(&self.server, Request::from_parts(head, Full::new(body))).await?;
        if self.twist == Twist::AnswersLikeAProxy && number % 40 == 27 {
            return Ok(page());
        }
        Ok(self.twisted(&operation, &key, number, answer).await)
    }

    fn instead_of_a_save(&self, key: &str) -> Option<Answer> {
        let again = self.deleted.lock().expect("whole").get_mut(key).map(|times| {
            *times += 1;
            *times
        });
        let done = || answer(200, &json!({ "success": true, "timestamp": 1, "data": { "message": "" } }));
        match (self.twist, again) {
            (Twist::RefusesSavesAfterDeletes, Some(_)) => {
                Some(answer(404, &json!({ "success": false, "message": "Not found", "timestamp": 1 })))
            }
            (Twist::DropsSavesAfterDeletes, Some(times)) if times % 2 == 1 => Some(done()),
            (Twist::DropsLockedSaves, _) => {
                let file = std::fs::File::open(self.saves.join(format!("{key}.json"))).ok()?;
                flock(&file, FlockOperation::NonBlockingLockExclusive).is_err().then(done)
            }
            _ => None,
        }
    }

    async fn twisted(&self, operation: &str, key: &str, number: u64, answered: Answer) -> Answer {
        let status = answered.status().as_u16();
        if (operation, status) == ("delete", 200) {
            self.deleted.lock().expect("whole").insert(key.to_owned(), 0);
        }
        let body = answered.into_body().collect().await.expect("it is there").to_bytes();
        let mut body: Value = serde_json::from_slice(&body).expect("JSON");
        let (is_restore, is_list) = ((operation, status) == ("restore", 200), operation == "list");
        match self.twist {
            Twist::LongKeys if operation == "generate-key" && number % 10 == 3 => {
                let key = body["data"]["sessionKey"].as_str().map(|key| format!("{key}X"));
                body["data"]["sessionKey"] = json!(key);
            }
            Twist::LowerCaseKeys if operation == "generate-key" && number % 10 == 3 => {
                let key = body["data"]["sessionKey"].as_str().map(str::to_lowercase);
                body["data"]["sessionKey"] = json!(key);
            }
            Twist::EmptyKeys if operation == "generate-key" && number % 10 == 3 => {
                body["data"]["sessionKey"] = json!("");
            }
            Twist::ListsDeleted if is_list => {
                let entry = |key: &String| json!({ "sessionKey": key, "timestamp": 1, "created": 1, "typeSlug": "word", "metadata": {} });
                let deleted: Vec<Value> = self.deleted.lock().expect("whole").keys().map(entry).collect();
                entries(&mut body).extend(deleted);
            }
            Twist::ListsTwice if is_list => {
                let first = entries(&mut body).first().cloned();
                entries(&mut body).extend(first);
            }
            Twist::ListsBackwards if is_list => entries(&mut body).reverse(),
            Twist::ListsOtherCreated if is_list => {
                entries(&mut body).iter_mut().for_each(|entry| entry["created"] = json!(17));
            }
            Twist::ChangesType if is_restore && number % 20 == 3 => body["data"]["typeSlug"] = json!("dojo"),
            Twist::ChangesTime if is_restore && number % 20 == 3 => {
                let time = &mut body["data"]["metadata"]["lastModified"];
                *time = json!(time.as_u64().unwrap_or_default().saturating_sub(86_400_000));
            }
            Twist::Milliseconds => body["timestamp"] = json!(body["timestamp"].as_u64().unwrap_or_default() * 1_000),
            Twist::GoesBack if number.is_multiple_of(5) => {
                body["timestamp"] = json!(body["timestamp"].as_u64().unwrap_or_default() - 60);
            }
            _ => {}
        }
        let mut answered = answer(status, &body);
        if self.twist == Twist::SaysHtml {
            answered.headers_mut().insert(CONTENT_TYPE, HeaderValue::from_static("text/html"));
        }
        answered
    }
}

fn entries(body: &mut Value) -> &mut Vec<Value> {
    body["data"].as_array_mut().expect("a list")
}

fn answer(status: u16, body: &Value) -> Answer {
    let answer = Response::builder().status(status).header(CONTENT_TYPE, "application/json");
    answer.body(Full::from(body.to_string())).expect("a status and a header that are right")
}

fn page() -> Answer {
    let answer = Response::builder().status(502).header(CONTENT_TYPE, "text/html");
    answer.body(Full::from("<html><title>502 Bad Gateway</title></html>")).expect("a page")
}

fn tried(twist: Twist, claims: &str) -> Run {
    let saves = saves_folder();
    let server = start(twist, saves.path());
    verify_target(&server.url, saves.path(), &["--only", claims])
}

/// The claim is refuted, with a summary that begins like this; the others hold.
#[track_caller]
fn is_found(twist: Twist, id: &str, expected: &str, others: &str) {
    let run = tried(twist, &format!("{id},{others}"));
    let (verdict, summary) = run.verdict(id);
    assert!(verdict == Verdict::Refuted && summary.contains(expected), "{twist:?}, {id}: {verdict}: {summary}");
    for id in others.split(',') {
        let (verdict, summary) = run.verdict(id);
        assert_eq!(verdict, Verdict::Holds, "{twist:?} is accused of {id}: {summary}");
    }
}

#[test]
fn a_save_after_a_delete_that_is_refused_or_dropped_is_found() {
    is_found(Twist::RefusesSavesAfterDeletes, "S5", "valid request refused: save", "S2");
    is_found(Twist::DropsSavesAfterDeletes, "S5", "", "S2");
}

#[test]
fn keys_that_are_none_are_found_by_every_claim_of_keys_and_blamed_on_nothing_else() {
    for (twist, extra) in [(Twist::LongKeys, "X\", which is no key"), (Twist::LowerCaseKeys, "\", which is no key")] {
        let run = tried(twist, "K2,K7,K8,K9,O3,P5,S1");
        for id in ["K2", "K7", "K8", "K9", "O3", "P5"] {
            let (verdict, summary) = run.verdict(id);
            assert!(verdict == Verdict::Refuted && summary.contains(extra), "{twist:?}, {id}: {verdict}: {summary}");
        }
        let (verdict, summary) = run.verdict("S1");
        assert_eq!(verdict, Verdict::Holds, "{twist:?}: {summary}");
    }
    is_found(Twist::EmptyKeys, "K7", "\"\", which is no key", "S1");
}

#[test]
fn a_list_with_too_much_or_in_the_wrong_order_is_found() {
    is_found(Twist::ListsDeleted, "S6", "listed after its delete", "S2");
    is_found(Twist::ListsTwice, "S6", "wrong list entry", "S2");
    is_found(Twist::ListsBackwards, "S6", "wrong list entry", "S2");
    is_found(Twist::ListsOtherCreated, "S6", "wrong list entry", "S2");
}

#[test]
fn a_document_that_is_not_whole_is_found() {
    is_found(Twist::ChangesType, "S4", "changed document", "S2");
    is_found(Twist::ChangesTime, "S4", "changed document", "S2");
    is_found(Twist::DropsFields, "S2", "changed document", "S3");
}

#[test]
fn an_envelope_with_another_time_or_type_is_found() {
    is_found(Twist::Milliseconds, "R5", "milliseconds", "S2");
    is_found(Twist::GoesBack, "R5", "the timestamp goes back", "S2");
    is_found(Twist::SaysHtml, "R5", "text/html", "S2");
}

#[test]
fn a_save_that_got_no_lock_and_was_acknowledged_is_found() {
    is_found(Twist::DropsLockedSaves, "R4", "lost update", "S2");
}

#[test]
fn what_a_proxy_says_accuses_nobody() {
    let claims = "S1,S2,S3,S4,S5,S6,R4,R5,R6,K7,K8,K9,K10,P5,O1,O3";
    let run = tried(Twist::AnswersLikeAProxy, claims);
    for id in claims.split(',') {
        let (verdict, summary) = run.verdict(id);
        assert_ne!(verdict, Verdict::Refuted, "{id}: {summary}");
    }
}
