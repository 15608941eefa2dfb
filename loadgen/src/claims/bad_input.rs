//! R5: bad and hostile input.
//!
//! - `envelope.rs`: Content-Type and timestamp of every response.

mod envelope;

use super::answers::{Halted, judged, says_nothing};
use super::{Claim, Expected, Finding, Needs, Phase};
use crate::lab::{Lab, Stuck};
use bytes::Bytes;
use contract::Operation;
use contract::Reply;
use contract::document::{Content, REAL_STATE_BYTES};
use contract::message::{
    self, INVALID_DATA, INVALID_KEY, INVALID_TYPE, KEY_REQUIRED, MISSING_TYPE, NO_DOCUMENT, NOTHING_TO_DELETE,
    WRONG_METHOD,
};
use engine::client::{Exchange, User};
use envelope::Envelope;
use hyper::Method;
use record::claims::ClaimId;
use record::step::Step;
use std::collections::BTreeSet;
use std::sync::Arc;

/// R5
pub(super) static R5: Claim = Claim {
    id: ClaimId::of("R5"),
    title: "bad input gets a clear error and changes nothing",
    quote: "Clear errors … works every time or fails clearly",
    tried: "More than a hundred requests with wrong methods, bodies, keys and types, among them JSON nested 200,000 \
            deep, a key of 100,000 characters and path traversal, each followed by a restore of a document that must \
            not change. Content-Type and timestamp of every response are checked, those of successes included.",
    holds_if: "Each request gets the contract's status and message, the document and (with `--saves`) the folder's names \
            do not change, and every response in the envelope is application/json with a timestamp in Unix seconds \
            that goes back by more than 1 s at most twice.",
    needs: Needs::Wire,
    expected: Expected::HOLDS,
    decisions_on_chance: 0,
    phase: Phase::Faults,
    is_quick: true,
    mostly_waits: false,
    takes_times: false,
    attempt: |lab| Box::pin(async move { judged(experiment(lab).await, judge) }),
};

/// Levels of an array that is never closed: more than a recursive reader has stack for.
const DEEP: usize = 200_000;

/// Length of a key, and of a URL's, that is far too long.
const LONG: usize = 100_000;
const LONG_QUERY: usize = 6_000;

/// How often a request is sent before it counts as one that the server does not answer.
const TRIES: usize = 5;

/// What a request that keeps the contract gets.
const RIGHT: message::Error = (200, "");

/// A request that must be refused.
struct Case {
    what: String,
    operation: Operation,
    method: Method,
    query: String,
    body: Bytes,
    status: u16,
    message: &'static str,
}

/// The contract's table of errors, less what only the reference server adds. `own` is a key with a document, `free`
/// one without.
fn cases(own: &str, free: &str) -> Vec<Case> {
    let mut cases = Vec::new();
    for method in [Method::DELETE, Method::PUT] {
        cases.push(Case::new(Operation::GenerateKey, method, "", "", WRONG_METHOD));
    }
    cases.push(Case::new(Operation::Instantiate, Method::GET, "", "", WRONG_METHOD));
    for operation in [Operation::Instantiate, Operation::Save] {
        cases.extend(
            bodies(own)
                .into_iter()
                .map(|(body, expected)| Case { body, ..Case::new(operation, Method::POST, "", "", expected) }),
        );
    }
    for key in [
        "",
        "a4k",
        "A4",
        "A4KX4KX4K",
        "..%2F..%2Fetc%2Fpasswd",
        "A4%00",
        "A4K%00",
        "A4K%0A",
        "%C3%844K",
        "%FF%FE",
        "*",
        "A4K.json",
    ] {
        cases.push(Case::new(Operation::Restore, Method::GET, &format!("sessionKey={key}"), "", INVALID_KEY));
        let expected = if key.is_empty() { KEY_REQUIRED } else { INVALID_KEY };
        cases.push(Case::new(Operation::Delete, Method::DELETE, &format!("session={key}"), "", expected));
    }
    let long = "A".repeat(LONG_QUERY);
    cases.push(Case::new(Operation::Restore, Method::GET, &format!("sessionKey={long}"), "", INVALID_KEY));
    cases.push(Case::new(Operation::Restore, Method::GET, "", "", INVALID_KEY));
    cases.push(Case::new(Operation::Restore, Method::GET, &format!("session={own}"), "", INVALID_KEY));
    cases.push(Case::new(Operation::Delete, Method::DELETE, "", "", KEY_REQUIRED));
    cases.push(Case::new(Operation::Delete, Method::DELETE, &format!("sessionKey={own}"), "", KEY_REQUIRED));
    cases.push(Case::new(Operation::Restore, Method::GET, &format!("sessionKey={free}"), "", NO_DOCUMENT));
    cases.push(Case::new(Operation::Delete, Method::DELETE, &format!("session={free}"), "", NOTHING_TO_DELETE));
    cases.into_iter().map(Case::described).collect()
}

/// Bodies of instantiate and save, and the message that each must get.
fn bodies(own: &str) -> Vec<(Bytes, message::Error)> {
    let mut bodies: Vec<(Bytes, message::Error)> = Vec::new();
    let mut add =
        |expected, texts: &[&str]| bodies.extend(texts.iter().map(|text| (Bytes::from((*text).to_owned()), expected)));
    add(
        INVALID_DATA,
        &[
            "",
            " ",
            "no",
            "null",
            "17",
            "\"text\"",
            "[]",
            "[1,2]",
            "{}",
            "{",
            r#"{"typeSlug":"word"}"#,
            r#"{"sessionKey":null}"#,
        ],
    );
    add(INVALID_DATA, &[&format!(r#"{{"sessionKey":"{own}","typeSlug":"word""#), &format!("{{'sessionKey':'{own}'}}")]);
    add(
        INVALID_DATA,
        &[&"[".repeat(DEEP), &format!(r#"{{"sessionKey":"{own}","typeSlug":"word","state":{}"#, "[".repeat(DEEP))],
    );
    let key = |json: &str| format!(r#"{{"sessionKey":{json},"typeSlug":"word","state":{{"hostile":true}}}}"#);
    for json in [
        r#""""#,
        r#""a4k""#,
        r#""A4""#,
        r#""A4KX4KX4K""#,
        r#""../../A4K""#,
        r#""A4K\n""#,
        r#""A4\u0000""#,
        r#""A4K\u0000""#,
        "\"Ä4K\"",
        "17",
        "true",
        r#"["A4K"]"#,
        r#"{"a":"A4K"}"#,
    ] {
        add(INVALID_KEY, &[&key(json)]);
    }
    add(
        INVALID_KEY,
        &[
            &key(&format!("\"{}\"", "A".repeat(LONG))),
            r#"{"sessionKey":"a4k"}"#,
            r#"{"sessionKey":"a4k","typeSlug":"nope"}"#,
        ],
    );
    let with_type = |json: &str| format!(r#"{{"sessionKey":"{own}","typeSlug":{json},"state":{{"hostile":true}}}}"#);
    add(MISSING_TYPE, &[&format!(r#"{{"sessionKey":"{own}"}}"#), &with_type("null")]);
    for json in [r#""nope""#, r#""WORD""#, r#""""#, "17", r#"["word"]"#, r#""../word""#] {
        add(INVALID_TYPE, &[&with_type(json)]);
    }
    bodies
        .push((Bytes::from_static(b"{\"sessionKey\":\"A4K\",\"typeSlug\":\"word\",\"x\":\"\xff\xfe\"}"), INVALID_DATA));
    bodies
}

impl Case {
    fn new(operation: Operation, method: Method, query: &str, body: &str, (status, message): message::Error) -> Self {
        let (query, body) = (query.to_owned(), Bytes::from(body.to_owned()));
        Self { what: String::new(), operation, method, query, body, status, message }
    }

    fn described(mut self) -> Self {
        let shown = |text: &str| {
            let short: String = text.chars().take(70).flat_map(char::escape_debug).collect();
            if text.len() > 70 { format!("{short}… ({} bytes)", text.len()) } else { short }
        };
        let query = if self.query.is_empty() { String::new() } else { format!("?{}", shown(&self.query)) };
        let body = if self.body.is_empty() {
            String::new()
        } else {
            format!(" {}", shown(&String::from_utf8_lossy(&self.body)))
        };
        self.what = format!("{} {}{query}{body}", self.method, self.operation);
        self
    }
}

/// One case, and how things were after it.
struct Trial {
    what: String,
    status: u16,
    message: &'static str,
    exchange: Exchange,
    /// A restore of the document that must not have changed, and whether it had.
    after: Exchange,
    unchanged: bool,
}

/// All cases, the envelopes of their responses, and the folder's names before and after.
struct Trials {
    tried: Vec<Trial>,
    envelopes: Vec<Envelope>,
    names: Option<[BTreeSet<String>; 2]>,
}

async fn experiment(lab: &Arc<Lab>) -> Result<Trials, Halted> {
    let mut asker = Asker { user: lab.user(0), envelopes: Vec::new() };
    let (own, free) = (lab.new_key(&mut asker.user).await?, lab.new_key(&mut asker.user).await?);
    lab.release(std::slice::from_ref(&free)).await;
    let look = Case::new(Operation::Restore, Method::GET, &format!("sessionKey={own}"), "", RIGHT);
    let mut original = asker.establish(Operation::Instantiate, &own, &look).await?;
    let names_before = names(lab)?;
    let mut tried = Vec::new();
    for case in cases(&own, &free) {
        if !lab.has_time() {
            break;
        }
        let exchange = asker.ask(&case).await;
        let after = asker.ask(&look).await;
        let unchanged = document(&after).as_ref() == Some(&original);
        tried.push(Trial { what: case.what, status: case.status, message: case.message, exchange, after, unchanged });
        if !unchanged {
            // So that a change during a later case is that case's own.
            match asker.establish(Operation::Save, &own, &look).await {
                Ok(document) => original = document,
                Err(_) => break,
            }
        }
    }
    let names = names_before.zip(names(lab)?).map(|(before, after)| [before, after]);
    if let Ok(spare) = lab.new_key(&mut asker.user).await {
        asker.succeed_once(&spare, lab.was_empty).await;
    }
    Ok(Trials { tried, envelopes: asker.envelopes, names })
}

fn document(restored: &Exchange) -> Option<String> {
    restored.data().map(|data| data.get().to_owned())
}

/// Sends requests, and keeps the envelopes of the responses.
struct Asker {
    user: User,
    envelopes: Vec<Envelope>,
}

impl Asker {
    /// Writes a document that must not change from then on; returns it as restore shows it.
    async fn establish(&mut self, by: Operation, key: &str, look: &Case) -> Result<String, Halted> {
        let content = Content { writer: 0, number: 0, size_bytes: REAL_STATE_BYTES };
        let body = format!(r#"{{"sessionKey":"{key}","typeSlug":"word","state":{}}}"#, content.state().get());
        let written = self.ask_about(key, &Case::new(by, Method::POST, "", &body, RIGHT)).await;
        let restored = self.ask(look).await;
        let first_failed = if written.is_success() { &restored } else { &written };
        document(&restored).ok_or_else(|| Halted::by(first_failed, "no document to protect"))
    }

    /// Sends every operation once in a way that succeeds, to record the envelopes.
    async fn succeed_once(&mut self, key: &str, deletes: bool) {
        let body = format!(r#"{{"sessionKey":"{key}","typeSlug":"word"}}"#);
        let (get, post) = (Method::GET, Method::POST);
        let mut right = vec![
            Case::new(Operation::GenerateKey, get.clone(), "", "", RIGHT),
            Case::new(Operation::Instantiate, post.clone(), "", &body, RIGHT),
            Case::new(Operation::Save, post, "", &body, RIGHT),
            Case::new(Operation::List, get.clone(), "", "", RIGHT),
            Case::new(Operation::Restore, get, &format!("sessionKey={key}"), "", RIGHT),
        ];
        if deletes {
            right.push(Case::new(Operation::Delete, Method::DELETE, &format!("session={key}"), "", RIGHT));
        }
        for case in right {
            let writes = matches!(case.operation, Operation::Instantiate | Operation::Save);
            self.ask_about(if writes { key } else { "" }, &case).await;
        }
    }

    async fn ask(&mut self, case: &Case) -> Exchange {
        self.ask_about("", case).await
    }

    /// Sends a request, and repeats it if there is no response, or only a proxy's: a connection may be lost by chance a
    /// few times, but not every time.
    async fn ask_about(&mut self, key: &str, case: &Case) -> Exchange {
        let mut tries = 1;
        loop {
            let (method, body) = (case.method.clone(), case.body.clone());
            let (exchange, reply): (Exchange, Option<Reply>) =
                self.user.ask_in_full(case.operation, key, method, &case.query, body).await;
            self.envelopes.extend(reply.and_then(|reply| Envelope::of(&exchange, &reply)));
            if !says_nothing(&exchange) || tries == TRIES {
                return exchange;
            }
            tries += 1;
        }
    }
}

/// The names that the specification's commands show, where the folder is known.
fn names(lab: &Lab) -> Result<Option<BTreeSet<String>>, Stuck> {
    let names = lab.folder.as_ref().map(engine::saves_folder::SavesFolder::json_names).transpose()?;
    Ok(names.map(|names| names.into_iter().collect()))
}

fn judge(trials: &Trials) -> Finding {
    let wrong: Vec<&Trial> = trials
        .tried
        .iter()
        .filter(|trial| trial.exchange.refusal() != Some((trial.status, trial.message)) || !trial.unchanged)
        .collect();
    let appeared = trials.names.as_ref().and_then(|[before, after]| after.symmetric_difference(before).next());
    let count = trials.tried.len();
    let finding = if let Some(trial) = wrong.first() {
        let got = trial.exchange.step().got;
        let asked = Step { did: trial.what.clone(), ..trial.exchange.step() };
        let right = Step::finding("the contract's answer", format!("{} {}", trial.status, trial.message));
        let answered_right = trial.exchange.refusal() == Some((trial.status, trial.message));
        let summary = if answered_right {
            format!("{} changed a document, or ended the service", trial.what)
        } else {
            format!("{} is answered {got}, not {} {}", trial.what, trial.status, trial.message)
        };
        let change = if trial.unchanged { "as before" } else { "not as before" };
        let after = Step { got: format!("{} ({change})", trial.after.step().got), ..trial.after.step() };
        Finding::refuted(format!("{summary} ({} of {count} cases wrong)", wrong.len()), vec![asked, right, after])
    } else if let Some(name) = appeared {
        let step = Step::finding("the saves folder after bad input", format!("{name} appeared or is gone"));
        Finding::refuted(format!("bad input changed the folder: {name}"), vec![step])
    } else if let Some(wrong) = envelope::fault(&trials.envelopes) {
        wrong
    } else if count < 50 {
        Finding::inconclusive(format!("only {count} cases could be tried in time"))
    } else {
        let answers = trials.envelopes.len();
        Finding::holds(format!(
            "{count} cases: the right status and message, nothing changed; {answers} answers in the right envelope"
        ))
    };
    finding.measured("cases", count).measured("wrong", wrong.len()).expected("wrong", 0)
}

#[cfg(test)]
mod tests {
    use super::*;
    use contract::{Answer, Body};
    use record::claims::Verdict;

    fn answered(status: u16, message: &str) -> Exchange {
        let body = Body::parse(format!(r#"{{"success":false,"message":"{message}","timestamp":1}}"#).as_bytes());
        let (key, note) = (String::new(), String::new());
        let outcome = Ok(Answer { status, attempts: None, body });
        Exchange { user: 0, operation: Operation::Save, key, note, from_us: 0, to_us: 1, outcome }
    }

    fn trials(last: Exchange, unchanged: bool, names: [&[&str]; 2]) -> Trials {
        let trial = |exchange, unchanged| Trial {
            what: "POST save {}".to_owned(),
            status: 400,
            message: INVALID_DATA.1,
            exchange,
            after: answered(200, ""),
            unchanged,
        };
        let mut tried: Vec<Trial> = (0..60).map(|_| trial(answered(400, INVALID_DATA.1), true)).collect();
        tried.push(trial(last, unchanged));
        let names = names.map(|names| names.iter().map(|&name| name.to_owned()).collect());
        Trials { tried, envelopes: Vec::new(), names: Some(names) }
    }

    #[test]
    fn status_message_and_no_effect_are_all_required() {
        let right = || answered(400, INVALID_DATA.1);
        assert_eq!(judge(&trials(right(), true, [&[], &[]])).verdict, Verdict::Holds);
        assert_eq!(judge(&trials(answered(500, INVALID_DATA.1), true, [&[], &[]])).verdict, Verdict::Refuted);
        assert_eq!(judge(&trials(answered(400, INVALID_KEY.1), true, [&[], &[]])).verdict, Verdict::Refuted);
        assert_eq!(judge(&trials(right(), false, [&[], &[]])).verdict, Verdict::Refuted);
        assert_eq!(judge(&trials(right(), true, [&[], &["A4K.json"]])).verdict, Verdict::Refuted);
    }

    #[test]
    fn every_message_of_the_table_is_asked_for() {
        let cases = cases("A4K", "B4K");
        for (status, message) in [
            WRONG_METHOD,
            INVALID_DATA,
            INVALID_KEY,
            MISSING_TYPE,
            INVALID_TYPE,
            KEY_REQUIRED,
            NO_DOCUMENT,
            NOTHING_TO_DELETE,
        ] {
            assert!(cases.iter().any(|case| (case.status, case.message) == (status, message)), "{message}");
        }
        assert!(cases.iter().all(|case| case.what.len() < 400), "a case can be read");
    }
}
