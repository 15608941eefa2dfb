//! S3: one document is created once.

use super::answers::first_wrong;
use super::posted::{self, Shown};
use super::views::{Views, words};
use super::{Claim, Expected, Finding, Needs, Phase};
use crate::lab::{Lab, Stuck, at_once};
use check::anomaly::Anomaly;
use contract::document::{Content, REAL_STATE_BYTES};
use engine::client::{Exchange, User};
use record::claims::ClaimId;
use std::sync::Arc;

/// Documents, each instantiated by so many users at once and by one once more.
const ROUNDS: u64 = 20;
const USERS: usize = 20;

/// S3
pub(super) static S3: Claim = Claim {
    id: ClaimId::of("S3"),
    title: "one instantiate creates, and its content stands",
    quote: "Idempotent: safe to call multiple times. Atomic check-and-create",
    tried: "Each of 20 documents is instantiated by 20 users at the same time, and by one more user afterwards, all \
            with different contents. The document is looked at by restore and, with `--saves`, in its file, and again \
            half a second later if it is wrong.",
    holds_if: "For each document exactly one request returns `Instance created`, and its content is what the document \
            holds. If no request does, an instantiate without a clear response may have created it.",
    needs: Needs::Wire,
    expected: Expected::HOLDS,
    decisions_on_chance: 0,
    phase: Phase::Creation,
    is_quick: true,
    mostly_waits: false,
    takes_times: false,
    attempt: |lab| {
        Box::pin(async move {
            let mut user = lab.user(0);
            let mut rounds = Vec::new();
            for number in 0..ROUNDS {
                if lab.has_time() {
                    rounds.push(round(lab, &mut user, number).await?);
                }
            }
            Ok(judge(&rounds))
        })
    },
};

/// What came of instantiating one document.
struct Round {
    /// All instantiates with their contents; the last one came after the others had ended.
    instantiates: Vec<(Content, Exchange)>,
    views: Views,
}

async fn round(lab: &Arc<Lab>, user: &mut User, number: u64) -> Result<Round, Stuck> {
    let key = lab.new_key(user).await?;
    let shared = key.clone();
    let instantiates = at_once(lab.crowd(USERS), move |mut user, writer| {
        let key = shared.clone();
        let content = Content { writer: writer as u64, number, size_bytes: REAL_STATE_BYTES };
        async move { (content, posted::instantiate(&mut user, &key, content).await) }
    });
    let mut instantiates = instantiates.await;
    let late = Content { writer: USERS as u64, number, size_bytes: REAL_STATE_BYTES };
    instantiates.push((late, posted::instantiate(user, &key, late).await));
    let mut round = Round { instantiates, views: Views::of(lab, user, &key).await };
    if fault(&round).is_some() {
        round.views.look_again(lab, user, &key).await;
    }
    Ok(round)
}

/// What is wrong with a round, if anything is.
fn fault(round: &Round) -> Option<Finding> {
    let Round { instantiates, views } = round;
    let wrong = first_wrong(instantiates.iter().map(|(_, exchange)| exchange).chain(&views.looks));
    if wrong.is_some() {
        return wrong;
    }
    let creators: Vec<&(Content, Exchange)> =
        instantiates.iter().filter(|(_, exchange)| exchange.has_created()).collect();
    let all_answered = instantiates.iter().all(|(_, exchange)| exchange.has_created() || exchange.has_found());
    match creators.as_slice() {
        [] if all_answered => {
            let steps = instantiates.iter().take(2).map(|(_, exchange)| exchange.step()).collect();
            let summary = "nobody created the document: every instantiate returned that it exists";
            Some(Finding::refuted(summary, steps).named(Anomaly::NeverWritten))
        }
        // Somebody who was not answered may have.
        [] => None,
        [(content, creator)] => changed(round, *content, creator),
        [first, second, ..] => {
            let steps = vec![first.1.step(), second.1.step()];
            let summary = format!("{} instantiates of one document returned that they created it", creators.len());
            Some(Finding::refuted(summary, steps).named(Anomaly::AppliedTwice))
        }
    }
}

/// How the document differs from what its only creator sent, if every view of it does.
fn changed(round: &Round, content: Content, creator: &Exchange) -> Option<Finding> {
    let Round { instantiates, views } = round;
    let is_another = |shown: &Shown| shown.content != Some(content);
    if let Some(seen) = views.in_all(|shown| is_another(shown).then(|| words(shown))) {
        let summary = format!("{content} was created, and then {seen} is there");
        let overwriter = instantiates.iter().find(|(other, _)| *other != content && seen == other.to_string());
        let mut steps = vec![creator.step()];
        steps.extend(overwriter.map(|(_, exchange)| exchange.step()));
        steps.extend(views.steps(&format!("holds {seen}")));
        return Some(Finding::refuted(summary, steps));
    }
    if views.documents.is_empty() && views.looks.iter().any(|restored| restored.status() == Some(404)) {
        let steps = std::iter::once(creator.step()).chain(views.steps("is not there")).collect();
        let anomaly = Anomaly::AcknowledgedThenLost;
        return Some(Finding::refuted(format!("{anomaly}: {content} was created"), steps).named(anomaly));
    }
    let difference = views.in_all(|shown| shown.difference(false))?;
    let steps = std::iter::once(creator.step()).chain(views.steps(&difference)).collect();
    let anomaly = Anomaly::ChangedDocument;
    Some(Finding::refuted(format!("{anomaly}: {difference}"), steps).named(anomaly))
}

fn judge(rounds: &[Round]) -> Finding {
    let faults: Vec<Finding> = rounds.iter().filter_map(fault).collect();
    let clear = |round: &&Round| {
        round.instantiates.iter().any(|(_, exchange)| exchange.has_created()) && !round.views.documents.is_empty()
    };
    let clear = rounds.iter().filter(clear).count();
    let count = faults.len();
    let finding = if let Some(fault) = faults.into_iter().next() {
        Finding { summary: format!("{} (in {count} of {} rounds)", fault.summary, rounds.len()), ..fault }
    } else if clear < 5 {
        let error = rounds.iter().flat_map(|round| &round.instantiates).find(|(_, exchange)| !exchange.is_success());
        let error = error.map(|(_, exchange)| format!("; {}", exchange.step())).unwrap_or_default();
        Finding::inconclusive(format!("only {clear} rounds could be looked at{error}"))
    } else {
        Finding::holds(format!("one of {USERS} at once created it, and its content stood, in {clear} rounds"))
    };
    finding.measured("rounds", rounds.len()).measured("faults", count).expected("faults", 0)
}

#[cfg(test)]
mod tests {
    use super::super::posted::stored;
    use super::*;
    use contract::Operation;
    use contract::{Answer, Body};
    use engine::client::samples::exchange as sample;
    use record::claims::Verdict;
    use serde_json::json;

    fn content(writer: u64) -> Content {
        Content { writer, number: 0, size_bytes: REAL_STATE_BYTES }
    }

    fn answered(message: &str) -> Exchange {
        let body =
            Body::parse(format!(r#"{{"success":true,"timestamp":1,"data":{{"message":"{message}"}}}}"#).as_bytes());
        let outcome = Ok(Answer { status: 200, attempts: None, body });
        Exchange { outcome, ..sample(Operation::Instantiate, 0, 1, 200) }
    }

    fn document(writer: u64) -> String {
        stored(content(writer), &json!({ "version": "1.0", "created": 5 }))
    }

    fn rounds(answers: &[Exchange], restored: u16, seen: &[String]) -> Finding {
        let instantiates = || (0..).zip(answers).map(|(writer, answer)| (content(writer), answer.clone())).collect();
        let looks = || vec![sample(Operation::Restore, 2, 3, restored)];
        let documents = || seen.iter().filter_map(|text| Some((3, Shown::parse(text)?))).collect();
        let round = || Round { instantiates: instantiates(), views: Views { looks: looks(), documents: documents() } };
        judge(&(0..5).map(|_| round()).collect::<Vec<_>>())
    }

    fn judged(messages: [&str; 3], seen: &[String]) -> Finding {
        rounds(&messages.map(answered), 200, seen)
    }

    const CREATED: &str = "Instance created";
    const EXISTS: &str = "Instance already exists";

    #[test]
    fn exactly_one_creates_and_its_content_stands() {
        assert_eq!(judged([EXISTS, CREATED, EXISTS], &[document(1)]).verdict, Verdict::Holds);
        let finding = judged([EXISTS, CREATED, EXISTS], &[document(2)]);
        assert_eq!((finding.verdict, finding.counterexample.len()), (Verdict::Refuted, 4), "{}", finding.summary);
        assert_eq!(judged([EXISTS, CREATED, CREATED], &[document(1)]).verdict, Verdict::Refuted);
        assert_eq!(judged([EXISTS, EXISTS, EXISTS], &[document(1)]).verdict, Verdict::Refuted);
        let nobodys = document(1).replace("textarea-0", "textarea-x");
        assert_eq!(judged([EXISTS, CREATED, EXISTS], &[nobodys]).verdict, Verdict::Refuted);
    }

    #[test]
    fn what_one_of_two_views_shows_stands() {
        assert_eq!(judged([CREATED, EXISTS, EXISTS], &[document(2), document(0)]).verdict, Verdict::Holds);
        assert_eq!(rounds(&[CREATED, EXISTS].map(answered), 502, &[]).verdict, Verdict::Inconclusive);
    }

    #[test]
    fn a_refusal_an_unknown_message_another_type_and_a_document_that_is_gone_refute() {
        let named = |finding: Finding| (finding.verdict, finding.anomaly);
        let refused = [answered(CREATED), sample(Operation::Instantiate, 0, 1, 400)];
        let finding = named(rounds(&refused, 200, &[document(0)]));
        assert_eq!(finding, (Verdict::Refuted, Some(Anomaly::ValidRequestRefused)));
        let finding = named(judged([CREATED, "fine", EXISTS], &[document(0)]));
        assert_eq!(finding, (Verdict::Refuted, Some(Anomaly::MalformedAnswer)));
        let retyped = document(0).replacen("\"word\"", "\"demo\"", 1);
        let finding = named(judged([CREATED, EXISTS, EXISTS], &[retyped]));
        assert_eq!(finding, (Verdict::Refuted, Some(Anomaly::ChangedDocument)));
        let finding = named(rounds(&[CREATED, EXISTS].map(answered), 404, &[]));
        assert_eq!(finding, (Verdict::Refuted, Some(Anomaly::AcknowledgedThenLost)));
    }
}
