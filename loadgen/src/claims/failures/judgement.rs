//! What requests of which a call failed say of R1.

use super::super::Finding;
use super::super::seen::Seen;
use super::{BEFORE, Enumeration, REQUESTS, Request, Trial};
use contract::document::Content;
use contract::key::is_key;
use contract::{Answer, Body};
use record::step::Step;
use serde_json::json;

/// How a request was answered.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Answered {
    Success,
    ClearError,
    /// Neither success nor the contract's error.
    Wrongly,
    Not,
}

impl Trial {
    fn answered(&self) -> Answered {
        match &self.exchange.outcome {
            Err(_) => Answered::Not,
            Ok(_) if self.exchange.is_success() => Answered::Success,
            Ok(Answer { status: 500.., body: Body::Failure(_), .. }) => Answered::ClearError,
            Ok(_) => Answered::Wrongly,
        }
    }

    /// Whether the document is this one, or, of none, not there, whichever way one looks.
    fn shows(&self, content: Option<Content>) -> bool {
        self.views.iter().any(|seen| match content {
            Some(content) => seen.content() == Some(content),
            None => seen.is_nothing(),
        })
    }

    /// Whether a success says what it should.
    fn answers_right(&self) -> bool {
        match self.request {
            Request::Restore => Seen::by_restore(&self.exchange).is_some_and(|seen| seen.content() == Some(BEFORE)),
            Request::List => self.exchange.data().is_some_and(|data| data.get().contains(&format!("\"{}\"", self.key))),
            Request::GenerateKey => self.exchange.key_handed_out().is_some_and(|key| is_key(&key)),
            _ => true,
        }
    }

    /// What is wrong, if anything is.
    fn fault(&self) -> Option<&'static str> {
        let (before, after) = (self.request.before(), self.request.after());
        match self.answered() {
            Answered::Not => None,
            Answered::Wrongly => Some("the answer is neither a success nor a clear error"),
            Answered::Success if !self.answers_right() => Some("a success that says something else than what is there"),
            Answered::Success if !self.shows(after) => Some("acknowledged, and not done"),
            Answered::ClearError if !self.shows(before) && !self.shows(after) => match before {
                Some(_) => Some("an error, and the earlier document is lost"),
                None => Some("an error, and half a document is left"),
            },
            _ if self.again.status().is_some() && !self.again.is_success() => {
                Some("with the disk well again, a save still fails")
            }
            _ => None,
        }
    }

    fn steps(&self, fault: &str) -> Vec<Step> {
        let before = self.request.before().map_or("no document".to_owned(), |content| format!("the whole {content}"));
        vec![
            Step::finding(format!("{} is", self.key), before),
            Step::finding("the disk", &self.fault),
            self.exchange.step(),
            Step::finding("the disk", "works again"),
            self.restored.step(),
            Step::finding(format!("{}.json then holds", self.key), self.views[1].to_string()),
            self.again.step(),
            Step::finding("so", fault),
        ]
    }
}

pub(super) fn judge(Enumeration { trials, is_complete }: &Enumeration) -> Finding {
    let faults: Vec<(&Trial, &'static str)> = trials.iter().filter_map(|trial| Some((trial, trial.fault()?))).collect();
    let count = |answered| trials.iter().filter(|trial| trial.answered() == answered).count();
    let (errors, successes, unanswered) = (count(Answered::ClearError), count(Answered::Success), count(Answered::Not));
    let untried = REQUESTS.into_iter().find(|&request| !trials.iter().any(|trial| trial.request == request));
    let finding = if let Some((trial, fault)) = faults.first() {
        let summary = format!("{fault} ({}; {} of {} faults)", trial.request, faults.len(), trials.len());
        Finding::refuted(summary, trial.steps(fault))
    } else if unanswered > 0 {
        Finding::inconclusive(format!("{unanswered} of {} requests had no answer when a call failed", trials.len()))
    } else if !is_complete {
        Finding::inconclusive(format!("the time ran out when {} calls had been made to fail", trials.len()))
    } else if let Some(request) = untried {
        Finding::inconclusive(format!("only {} calls were made to fail, none of them in a {request}", trials.len()))
    } else {
        Finding::holds(format!(
            "{} calls failed in turn: {errors} clear errors, {successes} successes all the same, no document lost",
            trials.len()
        ))
    };
    let by_request: Vec<_> = REQUESTS.iter().map(|&request| figures(request, trials)).collect();
    finding
        .measured("calls_that_failed", trials.len())
        .measured("wrong", faults.len())
        .measured("by_request", by_request)
        .expected("wrong", 0)
}

fn figures(request: Request, trials: &[Trial]) -> serde_json::Value {
    let of_it: Vec<&Trial> = trials.iter().filter(|trial| trial.request == request).collect();
    let wrong: Vec<String> =
        of_it.iter().filter_map(|trial| Some(format!("{}: {}", trial.fault, trial.fault()?))).collect();
    json!({ "request": request.to_string(), "calls_that_failed": of_it.len(), "wrong": wrong })
}

#[cfg(test)]
mod tests {
    use super::super::ASKED;
    use super::*;
    use contract::{Failure, Operation};
    use engine::client::samples::exchange as sample;
    use record::claims::Verdict;

    fn whole(content: Content) -> Seen {
        Seen::Whole { content, metadata: json!({}) }
    }

    /// A request that got an answer, and what is there then, whichever way one looks.
    fn trial(request: Request, status: u16, then: Seen) -> Trial {
        Trial {
            request,
            key: "A4K".to_owned(),
            fault: "call 3, Write, fails with EIO".to_owned(),
            exchange: sample(Operation::Save, 0, 1, status),
            restored: sample(Operation::Restore, 2, 3, 200),
            views: [then.clone(), then],
            again: sample(Operation::Save, 4, 5, 200),
        }
    }

    /// One of each request, all told clearly and nothing lost; and this one.
    fn with(last: Trial) -> Finding {
        let mut trials: Vec<Trial> = REQUESTS
            .into_iter()
            .map(|request| trial(request, 500, request.before().map_or(Seen::Nothing, whole)))
            .collect();
        trials.push(last);
        judge(&Enumeration { trials, is_complete: true })
    }

    #[test]
    fn an_error_with_the_earlier_document_there_or_the_new_one_whole_is_right() {
        for then in [whole(BEFORE), whole(ASKED)] {
            assert_eq!(with(trial(Request::Save, 500, then)).verdict, Verdict::Holds);
        }
        for then in [Seen::Nothing, Seen::Broken { size_bytes: 0 }, whole(ASKED)] {
            assert_eq!(with(trial(Request::Instantiate, 500, then)).verdict, Verdict::Holds);
        }
        for then in [whole(BEFORE), Seen::Nothing] {
            assert_eq!(with(trial(Request::Delete, 500, then)).verdict, Verdict::Holds);
        }
        assert_eq!(with(trial(Request::Save, 200, whole(ASKED))).verdict, Verdict::Holds, "it works all the same");
        assert_eq!(with(trial(Request::Delete, 200, Seen::Nothing)).verdict, Verdict::Holds);
    }

    #[test]
    fn a_lost_document_half_a_document_and_an_empty_promise_refute() {
        let half = || Seen::Broken { size_bytes: 1_000 };
        let table = [
            (Request::Save, 500, Seen::Broken { size_bytes: 0 }, "earlier document is lost"),
            (Request::Save, 500, half(), "earlier document is lost"),
            (Request::Save, 500, Seen::Nothing, "earlier document is lost"),
            (Request::Restore, 500, Seen::Nothing, "earlier document is lost"),
            (Request::SaveFirst, 500, half(), "half a document"),
            (Request::Delete, 500, half(), "earlier document is lost"),
            (Request::Save, 200, whole(BEFORE), "not done"),
            (Request::Instantiate, 200, Seen::Nothing, "not done"),
            (Request::Delete, 200, whole(BEFORE), "not done"),
            (Request::Delete, 404, whole(BEFORE), "neither a success nor a clear error"),
            (Request::Restore, 404, whole(BEFORE), "neither a success nor a clear error"),
            (Request::Restore, 200, whole(BEFORE), "something else than what is there"),
            (Request::GenerateKey, 200, Seen::Nothing, "something else than what is there"),
            (Request::List, 200, whole(BEFORE), "something else than what is there"),
            (Request::List, 500, Seen::Nothing, "earlier document is lost"),
        ];
        for (request, status, then, why) in table {
            let finding = with(trial(request, status, then));
            assert_eq!(finding.verdict, Verdict::Refuted, "{request:?} {status}");
            assert!(finding.summary.contains(why), "{request:?} {status}: {}", finding.summary);
            assert_eq!(finding.counterexample.len(), 8);
        }
    }

    #[test]
    fn a_server_that_does_not_recover_is_refuted() {
        let again = sample(Operation::Save, 4, 5, 500);
        let finding = with(Trial { again, ..trial(Request::Save, 500, whole(BEFORE)) });
        assert_eq!((finding.verdict, finding.summary.contains("disk well again")), (Verdict::Refuted, true));
    }

    #[test]
    fn one_view_that_is_right_and_a_lost_connection_accuse_nobody() {
        let mut seen = trial(Request::Save, 500, whole(BEFORE));
        seen.views[0] = Seen::Refused { status: 500 };
        assert_eq!(with(seen).verdict, Verdict::Holds);
        let mut lost = trial(Request::Save, 500, Seen::Nothing);
        lost.exchange.outcome = Err(Failure::Closed("reset".to_owned()));
        assert_eq!(with(lost).verdict, Verdict::Inconclusive);
    }

    #[test]
    fn what_was_not_tried_to_its_end_is_left_open() {
        let one = || vec![trial(Request::Save, 500, whole(BEFORE))];
        for is_complete in [false, true] {
            assert_eq!(judge(&Enumeration { trials: one(), is_complete }).verdict, Verdict::Inconclusive);
        }
        let lost = vec![trial(Request::Save, 500, Seen::Nothing)];
        assert_eq!(judge(&Enumeration { trials: lost, is_complete: false }).verdict, Verdict::Refuted);
    }
}
