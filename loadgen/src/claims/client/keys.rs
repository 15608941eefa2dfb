//! C1: where the client takes its key from.

use super::{Seat, no_client, step};
use crate::browser::Call;
use crate::claims::{Claim, Expected, Finding, Needs, Phase};
use crate::lab::{Lab, Stuck};
use contract::Operation;
use record::claims::ClaimId;
use record::step::Step;
use serde_json::json;
use std::sync::Arc;

/// C1
pub(in crate::claims) static C1: Claim = Claim {
    id: ClaimId::of("C1"),
    title: "the client's key comes from page, address or server",
    quote: "Check for existing session from URL or PHP … Request new key from server",
    tried: "Headless Chromium opens the target's page in nine ways: with `window.sessionKeyFromPHP`, with `?=XYZ`, \
            with `?session=XYZ`, with two of them, with something that is no key in each of the three places, and with \
            none. A gateway records the client's calls; a page has 10 s to make them.",
    holds_if: "The first call about a document has the page's key or, if the page has no valid one, that of the address. \
            generate-key is called only if neither has a valid key, and the client then uses the key that it returned.",
    needs: Needs::Browser,
    expected: Expected::HOLDS,
    decisions_on_chance: 0,
    phase: Phase::Waiting,
    is_quick: false,
    mostly_waits: true,
    takes_times: false,
    attempt: |lab| Box::pin(async move { Ok(judge(lab.target.page(), &experiment(lab).await?)) }),
};

/// Where a client is to take its key from.
#[derive(Clone, Debug, PartialEq, Eq)]
enum Source {
    /// It is this one.
    Known(String),
    /// The server is asked.
    Server,
}

/// One way to come to the page, and what the client did then.
struct Visit {
    /// `window.sessionKeyFromPHP`, where the page has it.
    given: Option<String>,
    query: String,
    source: Source,
    calls: Vec<Call>,
}

/// The specification's ways to a key, in its order, and what is no key in each of them.
fn ways([first, second]: [&str; 2]) -> Vec<(Option<String>, String, Source)> {
    let known = |key: &str| Source::Known(key.to_owned());
    vec![
        (None, String::new(), Source::Server),
        (Some(first.to_owned()), String::new(), known(first)),
        (None, format!("?={first}"), known(first)),
        (None, format!("?session={first}"), known(first)),
        (Some(first.to_owned()), format!("?={second}"), known(first)),
        (Some(first.to_owned()), format!("?session={second}"), known(first)),
        (Some("a4k".to_owned()), format!("?={second}"), known(second)),
        (None, "?=a4k".to_owned(), Source::Server),
        (None, "?session=A4".to_owned(), Source::Server),
    ]
}

async fn experiment(lab: &Arc<Lab>) -> Result<Vec<Visit>, Stuck> {
    let keys = lab.new_keys(2).await?;
    let seat = Seat::take(lab).await?;
    let mut visits = Vec::new();
    for (given, query, source) in ways([&keys[0], &keys[1]]) {
        let script = given.as_ref().map(|key| format!("window.sessionKeyFromPHP = {};", json!(key)));
        let script = match script {
            Some(script) => Some(seat.browser.give(&script).await?),
            None => None,
        };
        let calls = seat.open(&query, |calls| calls.iter().any(works)).await?;
        if let Some(script) = script {
            seat.browser.take_back(script).await?;
        }
        visits.push(Visit { given, query, source, calls });
        if visits.iter().all(|visit| visit.calls.is_empty()) {
            // There is no client: it need not be waited for eight times more.
            break;
        }
    }
    seat.leave().await;
    Ok(visits)
}

/// Whether a call is about a document, and so tells which key the client has taken.
fn works(call: &Call) -> bool {
    matches!(call.operation, Operation::Instantiate | Operation::Restore | Operation::Save)
}

impl Visit {
    /// How the client came to the page, in words.
    fn told(&self) -> String {
        let page = self.given.as_ref().map(|key| format!("a page with the key {key}, ")).unwrap_or_default();
        let query = if self.query.is_empty() { "an address without a key" } else { &self.query };
        format!("{page}{query}")
    }

    /// What is wrong with the key that the client took, if anything; an error where it took none.
    fn fault(&self) -> Result<Option<String>, ()> {
        let taken = self.calls.iter().find(|call| works(call)).ok_or(())?;
        let taken = taken.key.as_deref().unwrap_or_default();
        let mut handed = self.calls.iter().filter(|call| call.operation == Operation::GenerateKey);
        Ok(match (&self.source, handed.next()) {
            (Source::Known(key), None) if key == taken => None,
            (Source::Known(key), None) => Some(format!("{taken} in place of {key}")),
            (Source::Known(key), Some(_)) => Some(format!("the server was asked, though the key is {key}")),
            (Source::Server, None) => Some(format!("{taken}, and the server was not asked")),
            (Source::Server, Some(call)) => {
                let others = handed.filter_map(|call| call.key.as_deref()).any(|key| key == taken);
                let is_right = call.key.as_deref() == Some(taken) || others;
                (!is_right).then(|| format!("{taken}, which the server did not hand out"))
            }
        })
    }
}

fn judge(page: &str, visits: &[Visit]) -> Finding {
    if visits.iter().all(|visit| visit.calls.is_empty()) {
        return Finding::untestable(no_client(page));
    }
    let mut silent = None;
    for visit in visits {
        match visit.fault() {
            Ok(None) => {}
            Ok(Some(fault)) => {
                let mut steps = vec![Step::finding(format!("the client comes by {}", visit.told()), String::new())];
                steps.extend(visit.calls.iter().map(step));
                return Finding::refuted(format!("by {}: {fault}", visit.told()), steps);
            }
            Err(()) => silent = silent.or(Some(visit)),
        }
    }
    if let Some(visit) = silent {
        return Finding::inconclusive(format!("by {}: the client opened no document", visit.told()));
    }
    Finding::holds(format!("the right key by {} ways to the page", visits.len())).measured("ways", visits.len())
}

#[cfg(test)]
mod tests {
    use super::*;
    use record::claims::Verdict;
    use std::time::Duration;

    fn call(operation: Operation, key: &str) -> Call {
        Call { operation, key: Some(key.to_owned()), came: Duration::ZERO, status: Some(200) }
    }

    fn visit(source: Source, calls: Vec<Call>) -> Visit {
        Visit { given: None, query: "?=A4K".to_owned(), source, calls }
    }

    fn verdict(source: Source, calls: Vec<Call>) -> Verdict {
        judge("/", &[visit(source, calls)]).verdict
    }

    #[test]
    fn a_known_key_is_taken_and_nobody_is_asked() {
        let known = || Source::Known("A4K".to_owned());
        let right = vec![call(Operation::Instantiate, "A4K"), call(Operation::Restore, "A4K")];
        assert_eq!(verdict(known(), right.clone()), Verdict::Holds);
        assert_eq!(verdict(known(), vec![call(Operation::Instantiate, "B4K")]), Verdict::Refuted);
        let asked = [vec![call(Operation::GenerateKey, "A4K")], right].concat();
        assert_eq!(verdict(known(), asked), Verdict::Refuted);
    }

    #[test]
    fn without_one_the_key_is_the_servers() {
        let handed = call(Operation::GenerateKey, "Z9Z");
        assert_eq!(verdict(Source::Server, vec![handed.clone(), call(Operation::Instantiate, "Z9Z")]), Verdict::Holds);
        assert_eq!(verdict(Source::Server, vec![handed, call(Operation::Instantiate, "Z9Y")]), Verdict::Refuted);
        assert_eq!(verdict(Source::Server, vec![call(Operation::Instantiate, "Z9Z")]), Verdict::Refuted);
    }

    #[test]
    fn a_page_without_a_client_accuses_nobody_and_one_that_is_silent_once_decides_nothing() {
        assert_eq!(verdict(Source::Server, vec![]), Verdict::Untestable);
        let silent = [
            visit(Source::Server, vec![call(Operation::GenerateKey, "A4K")]),
            visit(Source::Known("A4K".to_owned()), vec![]),
        ];
        assert_eq!(judge("/", &silent).verdict, Verdict::Inconclusive);
    }

    #[test]
    fn a_counterexample_says_how_the_client_came_and_what_it_called() {
        let found = judge("/", &[visit(Source::Known("A4K".to_owned()), vec![call(Operation::Restore, "B4K")])]);
        let told: Vec<String> = found.counterexample.iter().map(ToString::to_string).collect();
        assert!(told[0].contains("the client comes by ?=A4K"), "{told:?}");
        assert!(told[1].contains("the client calls restore B4K → 200"), "{told:?}");
    }
}
