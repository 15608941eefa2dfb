//! S3: one document is created once.

use super::{Claim, Finding, Needs, SECOND_LOOK};
use crate::client::exchange::Step;
use crate::client::{Exchange, User};
use crate::document::{Content, Document, REAL_STATE_BYTES};
use crate::verify::lab::{Lab, Stuck, at_once};
use std::sync::Arc;

/// Documents, each instantiated by so many users at once and by one once more.
const ROUNDS: u64 = 20;
const USERS: usize = 20;

/// S3
pub(super) static S3: Claim = Claim {
    id: "S3",
    title: "one instantiate creates, and its content stands",
    quote: "Idempotent: safe to call multiple times. Atomic check-and-create",
    needs: Needs::Wire,
    is_quick: true,
    mostly_waits: false,
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
    restored: Exchange,
    /// The contents that can be seen then, in the file and by restore; `None` for one that nobody wrote.
    contents: Vec<Option<Content>>,
}

async fn round(lab: &Arc<Lab>, user: &mut User, number: u64) -> Result<Round, Stuck> {
    let key = lab.new_key(user).await?;
    let shared = key.clone();
    let instantiates = at_once(lab.crowd(USERS), move |mut user, writer| {
        let key = shared.clone();
        let content = Content { writer: writer as u64, number, size_bytes: REAL_STATE_BYTES };
        async move { instantiate(&mut user, &key, content).await }
    });
    let mut instantiates = instantiates.await;
    let late = Content { writer: USERS as u64, number, size_bytes: REAL_STATE_BYTES };
    instantiates.push(instantiate(user, &key, late).await);
    let restored = user.restore(&key).await;
    let mut round = Round { instantiates, contents: contents(lab, &key, &restored), restored };
    if fault(&round).is_some() {
        tokio::time::sleep(SECOND_LOOK).await;
        let later = user.restore(&key).await;
        round.contents.extend(contents(lab, &key, &later));
    }
    Ok(round)
}

/// What restore and, where the folder is known, the file show; `None` for a content that nobody wrote.
fn contents(lab: &Lab, key: &str, restored: &Exchange) -> Vec<Option<Content>> {
    let by_restore = restored.data().map(|data| data.get().to_owned());
    let by_file = lab.folder.as_ref().and_then(|folder| folder.document(key));
    let documents = by_restore.into_iter().chain(by_file);
    documents.map(|text| Document::parse(&text).and_then(|document| document.content())).collect()
}

async fn instantiate(user: &mut User, key: &str, content: Content) -> (Content, Exchange) {
    let mut exchange = user.instantiate(key, "word", &content.state()).await;
    exchange.note = format!("with {content}");
    (content, exchange)
}

fn created(exchange: &Exchange) -> bool {
    exchange.success_message().as_deref() == Some("Instance created")
}

fn existed(exchange: &Exchange) -> bool {
    exchange.success_message().as_deref() == Some("Instance already exists")
}

/// What is wrong with a round, if anything is.
fn fault(round: &Round) -> Option<(String, Vec<Step>)> {
    let creators: Vec<&(Content, Exchange)> =
        round.instantiates.iter().filter(|(_, exchange)| created(exchange)).collect();
    let all_answered = round.instantiates.iter().all(|(_, exchange)| created(exchange) || existed(exchange));
    match creators.as_slice() {
        [] if all_answered => {
            let steps = round.instantiates.iter().take(2).map(|(_, exchange)| exchange.step()).collect();
            Some(("nobody created the document: all were told that it exists".to_owned(), steps))
        }
        // Somebody who was not answered may have.
        [] => None,
        [(content, creator)] => {
            let stands = round.contents.is_empty() || round.contents.contains(&Some(*content));
            let seen = round.contents.first().copied().flatten();
            let seen = seen.map_or_else(|| "a content that nobody wrote".to_owned(), |seen| seen.to_string());
            let found = format!("{content} was created, and then {seen} is there");
            let overwriter =
                round.instantiates.iter().find(|(other, _)| *other != *content && seen == other.to_string());
            let mut steps = vec![creator.step()];
            steps.extend(overwriter.map(|(_, exchange)| exchange.step()));
            steps.extend([round.restored.step(), Step::finding("the document then", format!("holds {seen}"))]);
            (!stands).then_some((found, steps))
        }
        [first, second, ..] => {
            let steps = vec![first.1.step(), second.1.step()];
            Some((format!("{} instantiates of one document were told that they created it", creators.len()), steps))
        }
    }
}

fn judge(rounds: &[Round]) -> Finding {
    let faults: Vec<(String, Vec<Step>)> = rounds.iter().filter_map(fault).collect();
    let clear =
        |round: &&Round| round.instantiates.iter().any(|(_, exchange)| created(exchange)) && !round.contents.is_empty();
    let clear = rounds.iter().filter(clear).count();
    let finding = if let Some((what, steps)) = faults.first() {
        Finding::refuted(format!("{what} (in {} of {} rounds)", faults.len(), rounds.len()), steps.clone())
    } else if clear < 5 {
        let error = rounds.iter().flat_map(|round| &round.instantiates).find(|(_, exchange)| !exchange.is_success());
        let error = error.map(|(_, exchange)| format!("; {}", exchange.step())).unwrap_or_default();
        Finding::inconclusive(format!("only {clear} rounds could be looked at{error}"))
    } else {
        Finding::holds(format!("one of {USERS} at once created it, and its content stood, in {clear} rounds"))
    };
    finding.measured("rounds", rounds.len()).measured("faults", faults.len()).expected("faults", 0)
}

#[cfg(test)]
mod tests {
    use super::super::Verdict;
    use super::*;
    use crate::client::Operation;
    use crate::client::exchange::{Answer, Body};

    fn content(writer: u64) -> Content {
        Content { writer, number: 0, size_bytes: REAL_STATE_BYTES }
    }

    fn answered(message: &str) -> Exchange {
        let body =
            Body::parse(format!(r#"{{"success":true,"timestamp":1,"data":{{"message":"{message}"}}}}"#).as_bytes());
        let outcome = Ok(Answer { status: 200, attempts: None, body });
        let (key, note) = ("A4K".to_owned(), String::new());
        Exchange { user: 0, operation: Operation::Instantiate, key, note, from_us: 0, to_us: 1, outcome }
    }

    fn rounds(messages: [&str; 3], seen: &[Option<Content>]) -> Finding {
        let instantiates =
            || (0..).zip(messages).map(|(writer, message)| (content(writer), answered(message))).collect();
        let round = || Round { instantiates: instantiates(), restored: answered(""), contents: seen.to_vec() };
        judge(&(0..5).map(|_| round()).collect::<Vec<_>>())
    }

    const CREATED: &str = "Instance created";
    const EXISTS: &str = "Instance already exists";

    #[test]
    fn exactly_one_creates_and_its_content_stands() {
        assert_eq!(rounds([EXISTS, CREATED, EXISTS], &[Some(content(1))]).verdict, Verdict::Holds);
        let finding = rounds([EXISTS, CREATED, EXISTS], &[Some(content(2))]);
        assert_eq!((finding.verdict, finding.counterexample.len()), (Verdict::Refuted, 4), "{}", finding.summary);
        assert_eq!(rounds([EXISTS, CREATED, CREATED], &[Some(content(1))]).verdict, Verdict::Refuted);
        assert_eq!(rounds([EXISTS, EXISTS, EXISTS], &[Some(content(1))]).verdict, Verdict::Refuted);
        assert_eq!(rounds([EXISTS, CREATED, EXISTS], &[None]).verdict, Verdict::Refuted);
    }

    #[test]
    fn what_one_of_two_views_shows_stands() {
        assert_eq!(rounds([CREATED, EXISTS, EXISTS], &[Some(content(2)), Some(content(0))]).verdict, Verdict::Holds);
        assert_eq!(rounds([CREATED, EXISTS, EXISTS], &[]).verdict, Verdict::Inconclusive);
    }
}
