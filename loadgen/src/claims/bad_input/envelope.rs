//! The Content-Type and the timestamp that every response of the contract has.

use super::super::Finding;
use check::anomaly::Anomaly;
use contract::Operation;
use contract::Reply;
use contract::visible;
use contract::{Answer, Body};
use engine::client::Exchange;
use record::step::Step;
use serde::Deserialize;
use serde_json::Value;

/// Unix seconds reach this in the year 5138; milliseconds did in 1973. So a server with a wrong clock is not accused.
const MILLISECONDS_FROM: f64 = 1e11;

/// A clock may be set back, perhaps twice. If times go back more often within a minute, the cause is not a clock.
const MOST_STEPS_BACK: usize = 2;

/// How far the clocks of two machines behind one address may differ; times that go back by more count.
const APART_S: f64 = 1.0;

/// The envelope of a response.
#[derive(Clone, Debug)]
pub(super) struct Envelope {
    operation: Operation,
    step: Step,
    content_type: Option<String>,
    timestamp: Value,
}

impl Envelope {
    /// `None` if the response is not in the contract's envelope, such as a proxy's page.
    pub(super) fn of(exchange: &Exchange, reply: &Reply) -> Option<Self> {
        #[derive(Deserialize)]
        struct Timed {
            #[serde(default)]
            timestamp: Value,
        }
        let Answer { body: Body::Success(_) | Body::Failure(_), .. } = exchange.outcome.as_ref().ok()? else {
            return None;
        };
        let Timed { timestamp } = serde_json::from_slice(&reply.body).ok()?;
        let content_type = reply.head.content_type.as_ref();
        Some(Self {
            operation: exchange.operation,
            step: exchange.step(),
            content_type: content_type.map(|value| String::from_utf8_lossy(value.as_bytes()).into_owned()),
            timestamp,
        })
    }

    /// What is wrong with this envelope alone, if anything.
    fn fault(&self) -> Option<String> {
        let essence = |value: &String| value.split(';').next().unwrap_or_default().trim().to_ascii_lowercase();
        match self.content_type.as_ref() {
            Some(value) if essence(value) == "application/json" => {}
            Some(value) => {
                return Some(format!("has the Content-Type \"{}\", not application/json", visible(value)));
            }
            None => return Some("has no Content-Type, where application/json is due".to_owned()),
        }
        match (&self.timestamp, self.timestamp.as_f64()) {
            (Value::Null, _) => Some("has no timestamp".to_owned()),
            (other, None) => Some(format!("has the timestamp {other}, which is no number of seconds")),
            (_, Some(seconds)) if seconds.abs() >= MILLISECONDS_FROM => {
                Some(format!("has the timestamp {}: those are no seconds, but milliseconds", self.timestamp))
            }
            _ => None,
        }
    }
}

/// What is wrong with envelopes, in the order in which they came, if anything.
pub(super) fn fault(envelopes: &[Envelope]) -> Option<Finding> {
    let wrong = || envelopes.iter().filter_map(|envelope| Some((envelope, envelope.fault()?)));
    if let Some((envelope, what)) = wrong().next() {
        let summary =
            format!("an answer to {} {what} ({} of {} answers)", envelope.operation, wrong().count(), envelopes.len());
        let steps = vec![envelope.step.clone(), Step::finding("that answer", what)];
        return Some(Finding::refuted(summary, steps).named(Anomaly::MalformedAnswer));
    }
    let times: Vec<(f64, &Envelope)> =
        envelopes.iter().filter_map(|envelope| Some((envelope.timestamp.as_f64()?, envelope))).collect();
    let back_by = |seconds: f64| times.windows(2).filter(move |pair| pair[0].0 - pair[1].0 > seconds);
    // With clocks that differ, responses alternate, so at most every other time goes back.
    let most_in_turns = times.len() / 2 + MOST_STEPS_BACK;
    let by_little = back_by(0.0).count() > most_in_turns;
    let allowed_s = if by_little { 0.0 } else { APART_S };
    let back: Vec<_> = back_by(allowed_s).collect();
    let [(from, earlier), (to, later)] = back.first().filter(|_| back.len() > MOST_STEPS_BACK)? else { return None };
    let summary = format!("the timestamp goes back {} times in {} answers", back.len(), times.len());
    let steps = vec![
        earlier.step.clone(),
        Step::finding("its timestamp", from.to_string()),
        later.step.clone(),
        Step::finding("its timestamp", to.to_string()),
    ];
    Some(Finding::refuted(summary, steps).named(Anomaly::MalformedAnswer))
}

#[cfg(test)]
mod tests {
    use super::*;
    use bytes::Bytes;
    use contract::Head;
    use engine::client::samples::exchange as sample;
    use hyper::header::HeaderValue;

    fn envelope(content_type: Option<&'static str>, body: &str) -> Option<Envelope> {
        let outcome = Ok(Answer { status: 200, attempts: None, body: Body::parse(body.as_bytes()) });
        let exchange = Exchange { outcome, ..sample(Operation::Save, 0, 1, 200) };
        let head = Head { content_type: content_type.map(HeaderValue::from_static), ..Head::default() };
        let reply = Reply { status: 200, attempts: None, head, body: Bytes::copy_from_slice(body.as_bytes()) };
        Envelope::of(&exchange, &reply)
    }

    fn said(content_type: Option<&'static str>, body: &str) -> String {
        let envelope = envelope(content_type, body).expect("an envelope");
        fault(&[envelope]).map_or(String::new(), |finding| finding.summary)
    }

    #[test]
    fn type_and_time_are_the_contracts() {
        let (json, seconds) = (Some("application/json"), r#"{"success":true,"timestamp":1795494589}"#);
        assert_eq!(said(json, seconds), "");
        assert_eq!(said(Some("Application/JSON; charset=utf-8"), seconds), "");
        assert_eq!(said(json, r#"{"success":false,"message":"no","timestamp":3}"#), "", "a clock that is wrong");
        for (content_type, body, what) in [
            (Some("text/html"), seconds, "has the Content-Type \"text/html\""),
            (Some("application/json5"), seconds, "has the Content-Type"),
            (None, seconds, "has no Content-Type"),
            (json, r#"{"success":true,"timestamp":1795494589123}"#, "milliseconds"),
            (json, r#"{"success":false,"message":"no","timestamp":"1795494589"}"#, "no number of seconds"),
            (json, r#"{"success":true}"#, "has no timestamp"),
        ] {
            assert!(said(content_type, body).contains(what), "{body}: {}", said(content_type, body));
        }
        assert!(envelope(Some("text/html"), "<html>").is_none(), "a proxy's page");
    }

    #[test]
    fn a_clock_may_be_set_back_but_not_again_and_again() {
        let goes_back = |times: &[u64]| {
            let answer =
                |time: &u64| envelope(Some("application/json"), &format!(r#"{{"success":true,"timestamp":{time}}}"#));
            fault(&times.iter().filter_map(answer).collect::<Vec<_>>()).is_some()
        };
        assert!(!goes_back(&[10, 10, 11, 12, 12]));
        assert!(!goes_back(&[9_010, 10, 11, 11, 12]), "a clock that was set back");
        assert!(!goes_back(&[9_010, 10, 11, 5, 6, 6]), "and once more");
        assert!(!goes_back(&[10, 9, 10, 9, 10, 9, 11, 10, 11, 10]), "two machines a second apart");
        assert!(goes_back(&[10, 5, 11, 6, 11, 6]));
        assert!(goes_back(&[20, 19, 18, 17, 16, 15, 14, 13]));
    }
}
