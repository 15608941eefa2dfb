//! One operation, what came back, and when.

use contract::message::{CREATED, EXISTS};
use contract::{Answer, Body, Failure, Meaning, Operation, had_no_effect, visible};
use record::step::{Step, ms};
use serde::Deserialize;
use serde_json::value::RawValue;

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

    /// Whether instantiate created the document.
    #[must_use]
    pub fn has_created(&self) -> bool {
        self.success_message().as_deref() == Some(CREATED)
    }

    /// Whether instantiate found a document.
    #[must_use]
    pub fn has_found(&self) -> bool {
        self.success_message().as_deref() == Some(EXISTS)
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

#[cfg(test)]
mod tests {
    use super::*;
    use std::time::Duration;

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

    /// Regression: proxies' error pages counted as the server's responses.
    #[test]
    fn an_error_page_is_unclear() {
        for body in ["", "<html>502 Bad Gateway</html>", r#"{"message":"no upstream"}"#, r#"{"success":false}"#] {
            for status in [400, 404, 413, 502, 503, 504] {
                let exchange = exchange(status, body);
                assert_eq!(exchange.meaning(), Some(Meaning::Unclear), "{status} {body}");
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

    #[test]
    fn a_step_says_who_did_what_when_and_what_came_back() {
        let step = exchange(500, r#"{"success":false,"message":"Failed to open file","timestamp":1}"#).step();
        assert_eq!(
            step.to_string(),
            "      1.000 to       2.500 ms  user 17   save A4K version 3 → 500 Failed to open file"
        );
    }
}
