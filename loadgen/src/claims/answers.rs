//! What is wrong with a response by itself, whatever happened before. The requests judged here keep the contract, so
//! few responses are right.

use super::Finding;
use crate::lab::Stuck;
use check::anomaly::Anomaly;
use contract::Operation;
use contract::key::is_session_key;
use contract::message::BUSY;
use contract::visible;
use contract::{Answer, Body, CUT_SHORT, Meaning, blames_request};
use engine::client::Exchange;
use record::step::Step;
use serde_json::value::RawValue;

/// The anomaly of a response to a request that keeps the contract. `None` if it can be right, or if nothing follows
/// from it: a server error, or no response.
pub(super) fn wrong_by_itself(exchange: &Exchange) -> Option<Anomaly> {
    let Answer { status, .. } = exchange.outcome.as_ref().ok()?;
    let is_absent = *status == 404 && matches!(exchange.operation, Operation::Restore | Operation::Delete);
    match exchange.meaning()? {
        Meaning::Success => {
            let is_due = exchange.data().is_some_and(|data| is_due(exchange, data));
            (!is_due).then_some(Anomaly::MalformedAnswer)
        }
        Meaning::Refusal => (blames_request(*status) && !is_absent).then_some(Anomaly::ValidRequestRefused),
        Meaning::WrongStatus => Some(Anomaly::WrongStatus),
        // It may be a proxy's, in its own words.
        Meaning::Unclear => None,
        Meaning::NoEnvelope => Some(Anomaly::MalformedAnswer),
    }
}

/// Whether a success carries the data that its operation is for.
fn is_due(exchange: &Exchange, data: &RawValue) -> bool {
    match exchange.operation {
        Operation::GenerateKey => exchange.key_handed_out().is_some_and(|key| is_session_key(&key)),
        Operation::Instantiate => exchange.has_created() || exchange.has_found(),
        Operation::Restore => data.get().starts_with('{'),
        // PHP omits an empty list.
        Operation::List => data.get().starts_with('[') || data.get() == "null",
        _ => true,
    }
}

/// Whether nothing follows from the response: there is none, it is an error outside the contract's envelope (a
/// proxy's), or the server is out of connections.
pub(super) fn says_nothing(exchange: &Exchange) -> bool {
    match exchange.refusal() {
        Some(refusal) => refusal == BUSY,
        None => exchange.meaning().is_none_or(|meaning| meaning == Meaning::Unclear),
    }
}

/// Whether generate-key may have handed out a key that nobody knows of.
pub(super) fn may_have_handed_out(exchange: &Exchange) -> bool {
    exchange.is_unclear() && exchange.refusal().is_none_or(|(status, _)| status != BUSY.0)
}

/// The finding for the first response that is wrong by itself.
pub(super) fn first_wrong<'a>(exchanges: impl IntoIterator<Item = &'a Exchange>) -> Option<Finding> {
    exchanges.into_iter().find_map(finding)
}

/// The finding for a response that is wrong by itself.
pub(super) fn finding(exchange: &Exchange) -> Option<Finding> {
    let anomaly = wrong_by_itself(exchange)?;
    let steps = vec![exchange.step(), Step::finding("what is wrong with that", meaning(exchange, anomaly))];
    Some(Finding::refuted(words(exchange, anomaly), steps).named(anomaly))
}

/// One line that says what happened, starting with the anomaly.
pub(super) fn words(exchange: &Exchange, anomaly: Anomaly) -> String {
    let Step { got, .. } = exchange.step();
    let asked = format!("{} {}", exchange.operation, exchange.key);
    match stray_key(exchange) {
        Some(key) => format!("{anomaly}: generate-key handed out \"{}\", which is no key", visible(&key)),
        None => format!("{anomaly}: {} returned {got}", asked.trim_end()),
    }
}

fn meaning(exchange: &Exchange, anomaly: Anomaly) -> String {
    match anomaly {
        Anomaly::ValidRequestRefused => "the request keeps the contract: nothing calls for a refusal".to_owned(),
        Anomaly::WrongStatus => "status and envelope contradict each other".to_owned(),
        _ if stray_key(exchange).is_some() => "a key is three characters of A to Z and 0 to 9".to_owned(),
        _ if is_cut_short(exchange) => "the answer ends in the middle, though the server sent all of it".to_owned(),
        _ => "it is not what the contract has as an answer to this".to_owned(),
    }
}

/// The invalid key that generate-key handed out, if it did.
fn stray_key(exchange: &Exchange) -> Option<String> {
    exchange.key_handed_out().filter(|key| exchange.operation == Operation::GenerateKey && !is_session_key(key))
}

/// Whether a response was transferred completely, but ends in the middle.
fn is_cut_short(exchange: &Exchange) -> bool {
    matches!(&exchange.outcome, Ok(Answer { body: Body::Other(excerpt), .. }) if excerpt.ends_with(CUT_SHORT))
}

/// Why an experiment did not finish: it got stuck, or a response was wrong whatever follows.
#[derive(Debug)]
pub(super) enum Halted {
    Stuck(Stuck),
    Wrong(Box<Finding>),
}

impl From<Stuck> for Halted {
    fn from(stuck: Stuck) -> Self {
        Self::Stuck(stuck)
    }
}

impl Halted {
    /// For a request that did not succeed and that the experiment depends on.
    pub(super) fn by(exchange: &Exchange, missing: &str) -> Self {
        match finding(exchange) {
            Some(finding) => Self::Wrong(Box::new(finding)),
            None => Self::Stuck(Stuck(format!("{missing}: {}", exchange.step()))),
        }
    }
}

/// The finding of an experiment, finished or not.
pub(super) fn judged<T>(seen: Result<T, Halted>, judge: impl FnOnce(&T) -> Finding) -> Result<Finding, Stuck> {
    match seen {
        Ok(seen) => Ok(judge(&seen)),
        Err(Halted::Wrong(finding)) => Ok(*finding),
        Err(Halted::Stuck(stuck)) => Err(stuck),
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use Anomaly::{MalformedAnswer, ValidRequestRefused, WrongStatus};
    use Operation::{Delete, GenerateKey, Instantiate, List, Restore, Save};
    use contract::Failure;
    use engine::client::samples::exchange as sample;
    use std::time::Duration;

    fn with(operation: Operation, status: u16, body: &str) -> Exchange {
        let outcome = Ok(Answer { status, attempts: None, body: Body::parse(body.as_bytes()) });
        Exchange { outcome, ..sample(operation, 0, 1, status) }
    }

    fn success(data: &str) -> String {
        format!(r#"{{"success":true,"timestamp":1,"data":{data}}}"#)
    }

    const REFUSAL: &str = r#"{"success":false,"message":"no","timestamp":1}"#;

    #[test]
    fn what_the_contract_has_as_an_answer_accuses_nobody() {
        for operation in [GenerateKey, Instantiate, Save, Restore, Delete, List] {
            assert_eq!(wrong_by_itself(&sample(operation, 0, 1, 200)), None, "{operation}");
            for status in [500, 502, 503] {
                assert_eq!(wrong_by_itself(&sample(operation, 0, 1, status)), None, "{operation} {status}");
                assert_eq!(wrong_by_itself(&with(operation, status, "<html>")), None, "{operation} {status}");
            }
            for status in [408, 413, 414, 421, 425, 429, 431] {
                assert_eq!(wrong_by_itself(&sample(operation, 0, 1, status)), None, "{operation} {status}");
            }
            // Regression: a proxy's 404 page was a malformed answer of the server's.
            for status in [403, 404] {
                let page = with(operation, status, "<html>");
                assert!(wrong_by_itself(&page).is_none() && says_nothing(&page), "{operation} {status}");
            }
            let lost =
                Exchange { outcome: Err(Failure::TimedOut(Duration::from_secs(10))), ..sample(operation, 0, 1, 200) };
            assert_eq!(wrong_by_itself(&lost), None, "{operation}");
            assert!(says_nothing(&lost) && says_nothing(&with(operation, 503, "<html>")), "{operation}");
            let busy = REFUSAL.replace("no", "Server busy");
            assert!(says_nothing(&with(operation, 503, &busy)) && !says_nothing(&with(operation, 500, &busy)));
            assert!(!says_nothing(&with(operation, 503, REFUSAL)), "{operation}");
        }
        assert_eq!(wrong_by_itself(&sample(Restore, 0, 1, 404)), None);
        assert_eq!(wrong_by_itself(&sample(Delete, 0, 1, 404)), None);
        let exists = with(Instantiate, 200, &success(r#"{"message":"Instance already exists"}"#));
        assert_eq!(wrong_by_itself(&exists), None);
        assert_eq!(wrong_by_itself(&with(List, 200, r#"{"success":true,"timestamp":1}"#)), None, "as PHP has it");
    }

    /// Regression: K1 missed keys that were handed out in lost responses.
    #[test]
    fn a_key_may_be_in_any_answer_that_was_not_clear() {
        let lost =
            Exchange { outcome: Err(Failure::TimedOut(Duration::from_secs(10))), ..sample(GenerateKey, 0, 1, 200) };
        let unclear = [lost, with(GenerateKey, 500, REFUSAL), with(GenerateKey, 502, "<html>")];
        assert!(unclear.iter().all(may_have_handed_out));
        let refused =
            Exchange { outcome: Err(Failure::CannotConnect(String::new())), ..sample(GenerateKey, 0, 1, 200) };
        let clear = [refused, with(GenerateKey, 503, REFUSAL), with(GenerateKey, 405, REFUSAL)];
        assert!(!clear.iter().any(may_have_handed_out));
    }

    #[test]
    fn a_refusal_that_nothing_calls_for_and_a_success_without_substance_are_wrong() {
        for operation in [GenerateKey, Instantiate, Save, List] {
            assert_eq!(wrong_by_itself(&sample(operation, 0, 1, 404)), Some(ValidRequestRefused), "{operation}");
        }
        for operation in [GenerateKey, Instantiate, Save, Restore, Delete, List] {
            assert_eq!(wrong_by_itself(&sample(operation, 0, 1, 400)), Some(ValidRequestRefused), "{operation}");
            assert_eq!(wrong_by_itself(&with(operation, 200, "fine")), Some(MalformedAnswer), "{operation}");
            assert_eq!(wrong_by_itself(&with(operation, 200, REFUSAL)), Some(WrongStatus), "{operation}");
            assert_eq!(wrong_by_itself(&with(operation, 201, &success("{}"))), Some(WrongStatus), "{operation}");
        }
        assert_eq!(wrong_by_itself(&with(Instantiate, 200, &success(r#"{"message":"fine"}"#))), Some(MalformedAnswer));
        assert_eq!(wrong_by_itself(&with(Restore, 200, &success("[1]"))), Some(MalformedAnswer));
        assert_eq!(wrong_by_itself(&with(List, 200, &success("{}"))), Some(MalformedAnswer));
    }

    #[test]
    fn a_key_is_three_characters_of_the_alphabet() {
        for key in ["a4k", "A4KX", "A4", "", "A4Ä", "../"] {
            let handed = with(GenerateKey, 200, &success(&format!(r#"{{"sessionKey":"{key}"}}"#)));
            let finding = finding(&handed).expect("no key");
            assert_eq!(finding.anomaly, Some(MalformedAnswer));
            assert!(
                finding.summary.ends_with(&format!("handed out \"{key}\", which is no key")),
                "{}",
                finding.summary
            );
            assert!(finding.counterexample[0].to_string().contains(key), "{}", finding.counterexample[0]);
        }
        assert_eq!(wrong_by_itself(&with(GenerateKey, 200, &success("{}"))), Some(MalformedAnswer));
    }

    #[test]
    fn an_answer_that_ends_in_the_middle_is_called_so() {
        let whole = success(r#"{"sessionKey":"A4K"}"#);
        let finding = finding(&with(Restore, 200, &whole[..50])).expect("cut short");
        assert!(finding.counterexample[1].got.starts_with("the answer ends in the middle"), "{finding:?}");
        let other = super::finding(&with(Restore, 200, "<html>")).expect("no envelope");
        assert!(!other.counterexample[1].got.contains("middle"), "{other:?}");
    }
}
