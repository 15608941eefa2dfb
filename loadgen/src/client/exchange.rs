//! One operation, what came back, and when.

use super::target::Operation;
use crate::escape::{visible, visible_character};
use serde::{Deserialize, Serialize};
use serde_json::value::RawValue;
use std::fmt;
use std::time::Duration;

/// Why there is no answer. What the operation did at the server is then unknown.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
pub enum Failure {
    /// No connection could be made: nothing happened at the server.
    #[error("cannot connect: {0}")]
    CannotConnect(String),
    /// No connection could be made in time: nothing happened at the server.
    #[error("cannot connect: no connection within {} s", .0.as_secs_f64())]
    NoConnection(Duration),
    /// The server's certificate is not trusted, so that no request was sent.
    #[error("cannot connect: {0}")]
    Untrusted(String),
    /// The answer, or the rest of it, did not come in time.
    #[error("no answer within {} s", .0.as_secs_f64())]
    TimedOut(Duration),
    /// The connection ended before the answer did.
    #[error("connection closed without an answer ({0})")]
    Closed(String),
    /// What came is not HTTP.
    #[error("the answer is not HTTP ({0})")]
    NotHttp(String),
    /// The answer has no end in sight.
    #[error("an answer of more than {0} MB")]
    TooLong(usize),
}

impl Failure {
    /// Whether no request was sent, so that nothing happened at the server.
    #[must_use]
    pub fn was_never_sent(&self) -> bool {
        matches!(self, Self::CannotConnect(_) | Self::NoConnection(_) | Self::Untrusted(_))
    }

    /// Whether a user gave up waiting.
    #[must_use]
    pub fn is_timeout(&self) -> bool {
        matches!(self, Self::TimedOut(_) | Self::NoConnection(_))
    }
}

/// An answer as HTTP gave it.
#[derive(Clone, Debug)]
pub struct Answer {
    /// HTTP status.
    pub status: u16,
    /// `X-Key-Attempts`, where the server sends it.
    pub attempts: Option<u32>,
    /// The body.
    pub body: Body,
}

/// A body, read as the contract's envelope.
#[derive(Clone, Debug)]
pub enum Body {
    /// `{"success":true,…}`; `data` is `null` where it is left out.
    Success(Box<RawValue>),
    /// `{"success":false,"message":…}`.
    Failure(String),
    /// Not the contract's envelope: how it begins, or why it cannot be read.
    Other(String),
    /// Not the contract's envelope, and a redirect to this `Location`.
    Redirect(String),
}

/// How many characters of an untrusted text are shown.
const EXCERPT_CHARS: usize = 60;

/// Appended to the excerpt of a body that is valid JSON up to where it ends.
pub(crate) const CUT_SHORT: &str = " (the JSON ends in the middle)";

/// The beginning of an untrusted text, on one line.
#[must_use]
pub fn excerpt(bytes: &[u8]) -> String {
    // A character has at most four bytes.
    let text = String::from_utf8_lossy(&bytes[..bytes.len().min((EXCERPT_CHARS + 1) * 4)]);
    let mut excerpt: String = text.chars().take(EXCERPT_CHARS).flat_map(visible_character).collect();
    if text.chars().nth(EXCERPT_CHARS).is_some() {
        excerpt.push('…');
    }
    excerpt
}

/// What a response says about its request, by status and envelope together. Loads and claims both decide it here.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Meaning {
    /// 200, and a success in the contract's envelope.
    Success,
    /// 4xx or 5xx, and an error in the contract's envelope.
    Refusal,
    /// 4xx or 5xx without the envelope, such as a proxy's page. The server may not have seen the request, or may have
    /// done it.
    Unclear,
    /// The contract's envelope, with a status that does not match it, such as 201.
    WrongStatus,
    /// Any other response without the envelope.
    NoEnvelope,
}

impl Meaning {
    /// From a status, and from what the envelope says about success, if there is one.
    #[must_use]
    pub fn of(status: u16, is_success: Option<bool>) -> Self {
        match (status, is_success) {
            (200, Some(true)) => Self::Success,
            (400..600, Some(false)) => Self::Refusal,
            (_, Some(_)) => Self::WrongStatus,
            (400..600, None) => Self::Unclear,
            (_, None) => Self::NoEnvelope,
        }
    }
}

/// Whether a refusal in the contract's envelope implies that nothing was done, as the request was wrong. A server that
/// is busy or timed out (408, 429) may have begun.
#[must_use]
pub fn had_no_effect(status: u16) -> bool {
    (400..500).contains(&status) && !matches!(status, 408 | 429)
}

#[derive(Deserialize)]
struct Envelope {
    success: bool,
    #[serde(default)]
    message: Option<String>,
    #[serde(default)]
    data: Option<Box<RawValue>>,
}

impl Body {
    /// Reads a body.
    #[must_use]
    pub fn parse(bytes: &[u8]) -> Self {
        match serde_json::from_slice::<Envelope>(bytes) {
            Ok(Envelope { success: true, data, .. }) => {
                Self::Success(data.unwrap_or_else(|| RawValue::NULL.to_owned()))
            }
            Ok(Envelope { success: false, message: Some(message), .. }) => Self::Failure(message),
            read => {
                let mut excerpt = excerpt(bytes);
                if is_cut_short(bytes, read.err().as_ref()) {
                    excerpt.push_str(CUT_SHORT);
                }
                Self::Other(excerpt)
            }
        }
    }
}

/// Whether a body is the beginning of a JSON object.
fn is_cut_short(bytes: &[u8], error: Option<&serde_json::Error>) -> bool {
    bytes.starts_with(b"{") && error.is_some_and(serde_json::Error::is_eof)
}

impl Answer {
    /// What the response says by status and envelope together.
    #[must_use]
    pub fn meaning(&self) -> Meaning {
        let is_success = match self.body {
            Body::Success(_) => Some(true),
            Body::Failure(_) => Some(false),
            Body::Other(_) | Body::Redirect(_) => None,
        };
        Meaning::of(self.status, is_success)
    }
}

/// One operation of one user: what was asked, what came back, and when.
#[derive(Clone, Debug)]
pub struct Exchange {
    /// Who.
    pub user: usize,
    /// What.
    pub operation: Operation,
    /// The key that it was about; empty for generate-key and list.
    pub key: String,
    /// What else there is to say of the request: which content, say.
    pub note: String,
    /// Just before it was sent, µs since the start of the run (one monotonic clock for all users).
    pub from_us: u64,
    /// When the whole answer was there, or it was given up.
    pub to_us: u64,
    /// What came back.
    pub outcome: Result<Answer, Failure>,
}

impl Exchange {
    /// The answer's data, where it succeeded: status 200 and a success envelope.
    #[must_use]
    pub fn data(&self) -> Option<&RawValue> {
        match &self.outcome {
            Ok(answer @ Answer { body: Body::Success(data), .. }) if answer.meaning() == Meaning::Success => Some(data),
            _ => None,
        }
    }

    /// Whether it succeeded.
    #[must_use]
    pub fn is_success(&self) -> bool {
        self.data().is_some()
    }

    /// `data.message`, where it succeeded and there is one.
    #[must_use]
    pub fn success_message(&self) -> Option<String> {
        message_in(self.data()?)
    }

    /// The key that generate-key handed out.
    #[must_use]
    pub fn key_handed_out(&self) -> Option<String> {
        key_in(self.data()?)
    }

    /// Status and message of a refusal in the contract's envelope.
    #[must_use]
    pub fn refusal(&self) -> Option<(u16, &str)> {
        match &self.outcome {
            Ok(answer @ Answer { body: Body::Failure(message), .. }) if answer.meaning() == Meaning::Refusal => {
                Some((answer.status, message))
            }
            _ => None,
        }
    }

    /// The status, where there is an answer.
    #[must_use]
    pub fn status(&self) -> Option<u16> {
        self.outcome.as_ref().ok().map(|answer| answer.status)
    }

    /// What the response says by status and envelope together; `None` without a response.
    #[must_use]
    pub fn meaning(&self) -> Option<Meaning> {
        self.outcome.as_ref().ok().map(Answer::meaning)
    }

    /// Whether the operation may have taken effect: it succeeded, or it failed without saying so. A refusal (4xx) in
    /// the contract's envelope and a connection that was never made had no effect.
    #[must_use]
    pub fn may_have_happened(&self) -> bool {
        match &self.outcome {
            Ok(_) => !self.refusal().is_some_and(|(status, _)| had_no_effect(status)),
            Err(failure) => !failure.was_never_sent(),
        }
    }

    /// Whether it is unknown if the operation took effect, or will: there is no response, or a failure of the server.
    #[must_use]
    pub fn is_unclear(&self) -> bool {
        let is_busy = matches!(self.status(), Some(408 | 429));
        is_busy || self.may_have_happened() && !self.is_success()
    }

    /// How long it took, ms.
    #[must_use]
    pub fn took_ms(&self) -> f64 {
        (self.to_us - self.from_us) as f64 / 1e3
    }

    /// Whether it ended before the other began: touching counts as concurrent. One without an answer may take effect
    /// at any later time, so it precedes nothing.
    #[must_use]
    pub fn precedes(&self, other: &Self) -> bool {
        self.outcome.is_ok() && self.to_us < other.from_us
    }

    /// The exchange as a line of a counterexample.
    #[must_use]
    pub fn step(&self) -> Step {
        let mut did = self.operation.name().to_owned();
        for part in [&self.key, &self.note] {
            if !part.is_empty() {
                did = format!("{did} {part}");
            }
        }
        Step {
            user: Some(self.user),
            from_ms: Some(ms(self.from_us)),
            to_ms: Some(ms(self.to_us)),
            did,
            got: self.got(),
        }
    }

    fn got(&self) -> String {
        let answer = match &self.outcome {
            Err(failure) => return failure.to_string(),
            Ok(answer) => answer,
        };
        let said = match &answer.body {
            Body::Failure(message) | Body::Other(message) => visible(message),
            Body::Redirect(to) => format!("a redirect to {}", visible(to)),
            Body::Success(data) => {
                let known = key_in(data).or_else(|| message_in(data));
                known.map_or_else(|| format!("{} bytes", data.get().len()), |text| visible(&text))
            }
        };
        let envelope = match (answer.meaning(), &answer.body) {
            (Meaning::WrongStatus, Body::Success(_)) => ", a success with a wrong status: the contract's is 200",
            (Meaning::WrongStatus, _) => ", an error with a wrong status: the contract's are 4xx and 5xx",
            _ => "",
        };
        format!("{}{envelope}", format!("{} {said}", answer.status).trim_end())
    }
}

fn message_in(data: &RawValue) -> Option<String> {
    #[derive(Deserialize)]
    struct Data {
        message: String,
    }
    serde_json::from_str::<Data>(data.get()).ok().map(|data| data.message)
}

fn key_in(data: &RawValue) -> Option<String> {
    #[derive(Deserialize)]
    #[serde(rename_all = "camelCase")]
    struct Data {
        session_key: String,
    }
    serde_json::from_str::<Data>(data.get()).ok().map(|data| data.session_key)
}

/// Microseconds as milliseconds.
#[must_use]
pub fn ms(us: u64) -> f64 {
    us as f64 / 1e3
}

/// A line of a counterexample: who did what, when, and what came back. Lines that are no exchange (what was found
/// on the disk, what should have come) have no user or time.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub struct Step {
    /// Number of the user.
    pub user: Option<usize>,
    /// Begin, ms since the start of the run.
    pub from_ms: Option<f64>,
    /// End, ms since the start of the run.
    pub to_ms: Option<f64>,
    /// What was done.
    pub did: String,
    /// What came back.
    pub got: String,
}

impl Step {
    /// A line that is a finding, not an exchange.
    #[must_use]
    pub fn finding(did: impl Into<String>, got: impl Into<String>) -> Self {
        Self { user: None, from_ms: None, to_ms: None, did: did.into(), got: got.into() }
    }
}

impl fmt::Display for Step {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        if let (Some(from), Some(to)) = (self.from_ms, self.to_ms) {
            write!(f, "{from:>11.3} to {to:>11.3} ms  ")?;
        }
        if let Some(user) = self.user {
            write!(f, "user {user:<4} ")?;
        }
        write!(f, "{} → {}", self.did, self.got)
    }
}

/// An exchange about one key, for tests of judgements: the contract's success for status 200, a refusal for all others.
#[cfg(test)]
pub(crate) fn sample(operation: Operation, from_us: u64, to_us: u64, status: u16) -> Exchange {
    let data = match operation {
        Operation::GenerateKey => r#"{"sessionKey":"A4K"}"#,
        Operation::Instantiate => r#"{"message":"Instance created"}"#,
        Operation::Restore => "{}",
        Operation::List => "[]",
        _ => r#"{"message":""}"#,
    };
    let refusal = r#"{"success":false,"message":"no","timestamp":1}"#.to_owned();
    let body = if status == 200 { format!(r#"{{"success":true,"timestamp":1,"data":{data}}}"#) } else { refusal };
    let outcome = Ok(Answer { status, attempts: None, body: Body::parse(body.as_bytes()) });
    Exchange { user: 0, operation, key: "A4K".to_owned(), note: String::new(), from_us, to_us, outcome }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn exchange(status: u16, body: &str) -> Exchange {
        let answer = Answer { status, attempts: None, body: Body::parse(body.as_bytes()) };
        Exchange {
            user: 17,
            operation: Operation::Save,
            key: "A4K".to_owned(),
            note: "version 3".to_owned(),
            from_us: 1_000,
            to_us: 2_500,
            outcome: Ok(answer),
        }
    }

    #[test]
    fn only_a_200_with_a_success_envelope_is_a_success() {
        assert!(exchange(200, r#"{"success":true,"timestamp":1,"data":{"message":""}}"#).is_success());
        assert!(exchange(200, r#"{"success":true,"timestamp":1}"#).is_success());
        for (status, body) in [
            (201, r#"{"success":true,"timestamp":1,"data":{}}"#),
            (200, r#"{"success":false,"message":"no","timestamp":1}"#),
            (200, "<html>"),
            (200, ""),
        ] {
            assert!(!exchange(status, body).is_success(), "{status} {body}");
        }
    }

    /// Regression: a server that returned 201 was reported as "malformed", without its status.
    #[test]
    fn a_wrong_status_is_named() {
        for (status, body, got) in [
            (
                201,
                r#"{"success":true,"timestamp":1,"data":{"message":"Instance created"}}"#,
                "201 Instance created, a success with a wrong status: the contract's is 200",
            ),
            (
                200,
                r#"{"success":false,"message":"no","timestamp":1}"#,
                "200 no, an error with a wrong status: the contract's are 4xx and 5xx",
            ),
        ] {
            let exchange = exchange(status, body);
            assert_eq!((exchange.meaning(), exchange.step().got.as_str()), (Some(Meaning::WrongStatus), got));
            assert!(!exchange.is_success() && exchange.refusal().is_none() && exchange.may_have_happened());
        }
    }

    /// Regression: a proxy's 502, 503 and 504 pages counted as the server's responses, and its 404 and 413 pages as
    /// refusals.
    #[test]
    fn status_and_envelope_are_read_together() {
        use Meaning::{NoEnvelope, Refusal, Success, Unclear, WrongStatus};
        for (status, [success, failure, other]) in [
            (200, [Success, WrongStatus, NoEnvelope]),
            (201, [WrongStatus, WrongStatus, NoEnvelope]),
            (302, [WrongStatus, WrongStatus, NoEnvelope]),
            (400, [WrongStatus, Refusal, Unclear]),
            (404, [WrongStatus, Refusal, Unclear]),
            (413, [WrongStatus, Refusal, Unclear]),
            (500, [WrongStatus, Refusal, Unclear]),
            (504, [WrongStatus, Refusal, Unclear]),
            (600, [WrongStatus, WrongStatus, NoEnvelope]),
        ] {
            let meanings = [Some(true), Some(false), None].map(|is_success| Meaning::of(status, is_success));
            assert_eq!(meanings, [success, failure, other], "{status}");
        }
        for body in ["", "<html>502 Bad Gateway</html>", r#"{"message":"no upstream"}"#, r#"{"success":false}"#] {
            for status in [400, 404, 413, 502, 503, 504] {
                let exchange = exchange(status, body);
                assert_eq!(exchange.meaning(), Some(Unclear), "{status} {body}");
                assert!(exchange.may_have_happened() && exchange.refusal().is_none(), "{status} {body}");
            }
        }
    }

    #[test]
    fn a_refusal_had_no_effect_and_an_error_may_have() {
        for status in [408, 429] {
            assert!(exchange(status, r#"{"success":false,"message":"no","timestamp":1}"#).may_have_happened());
        }
        assert!(!exchange(400, r#"{"success":false,"message":"no","timestamp":1}"#).may_have_happened());
        assert!(exchange(500, r#"{"success":false,"message":"no","timestamp":1}"#).may_have_happened());
        assert!(exchange(200, "garbage").may_have_happened());
        let mut lost = exchange(200, "");
        lost.outcome = Err(Failure::TimedOut(Duration::from_secs(10)));
        let later = Exchange { from_us: 9_000, to_us: 9_001, ..lost.clone() };
        assert!(lost.may_have_happened() && !lost.precedes(&later));
        lost.outcome = Err(Failure::CannotConnect("refused".to_owned()));
        assert!(!lost.may_have_happened());
        let refusal = r#"{"success":false,"message":"no","timestamp":1}"#;
        let unclear = [400, 404, 408, 429, 500, 504].map(|status| exchange(status, refusal).is_unclear());
        assert_eq!(unclear, [false, false, true, true, true, true]);
        let saved = exchange(200, r#"{"success":true,"timestamp":1,"data":{"message":""}}"#);
        assert!(!saved.is_unclear() && !lost.is_unclear() && exchange(200, "<html>").is_unclear());
    }

    /// Regression: after `--patience 500ms` it was "no answer within 0 s".
    #[test]
    fn a_patience_of_less_than_a_second_is_named_in_full() {
        for (patience, text) in [
            (Duration::from_secs(10), "no answer within 10 s"),
            (Duration::from_millis(500), "no answer within 0.5 s"),
            (Duration::from_millis(1_250), "no answer within 1.25 s"),
        ] {
            assert_eq!(Failure::TimedOut(patience).to_string(), text);
        }
    }

    #[test]
    fn a_step_says_who_did_what_when_and_what_came_back() {
        let step = exchange(500, r#"{"success":false,"message":"Failed to open file","timestamp":1}"#).step();
        assert_eq!(
            step.to_string(),
            "      1.000 to       2.500 ms  user 17   save A4K version 3 → 500 Failed to open file"
        );
    }

    #[test]
    fn a_body_that_is_no_envelope_is_shown_by_its_beginning() {
        let Body::Other(excerpt) = Body::parse(&[b"\x00<html>\n".as_slice(), &[b'x'; 500]].concat()) else {
            panic!("other")
        };
        assert!(excerpt.starts_with("\\0<html>\\n") && excerpt.ends_with('…'), "{excerpt}");
    }
}
