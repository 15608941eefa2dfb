//! S1, S2: saves of one document by many.

use super::judged::Story;
use super::{Claim, Finding, Needs, SECOND_LOOK, Verdict};
use crate::client::exchange::Step;
use crate::client::{Exchange, User};
use crate::document::{Content, Document, MIN_STATE_BYTES, REAL_STATE_BYTES};
use crate::verify::lab::{Lab, Stuck, at_once};
use std::collections::BTreeMap;
use std::sync::Arc;

/// Rounds of S1: in each, every user adds one metadata key to the same document.
const METADATA_ROUNDS: u64 = 5;

/// Rounds of S2, with so many savers at once, and then so many saves one after the other.
const STATE_ROUNDS: u64 = 20;
const SAVERS: usize = 16;
const SAVES_IN_TURN: u64 = 10;

/// The largest state of S2: several pages, so that two writes could mix.
const LARGE_STATE_BYTES: usize = 20_000;

/// S1
pub(super) static S1: Claim = Claim {
    id: "S1",
    title: "no concurrent save loses another's metadata",
    quote: "Read-modify-write is atomic … file should have exactly 10 saves worth of data",
    needs: Needs::Wire,
    is_quick: true,
    mostly_waits: false,
    attempt: |lab| Box::pin(async move { Ok(judge_metadata(&savers_with_keys_of_their_own(lab).await?)) }),
};

/// S2
pub(super) static S2: Claim = Claim {
    id: "S2",
    title: "the last save wins, whole",
    quote: "Both save different data. Last save wins … No file corruption",
    needs: Needs::Wire,
    is_quick: true,
    mostly_waits: false,
    attempt: |lab| Box::pin(async move { Ok(judge_states(&rounds_of_states(lab).await?)) }),
};

/// What can be seen of a document when all is quiet: the file, where the folder is known, and what restore says.
/// A fault of one way of looking is another claim's business; here only what neither shows counts as gone.
struct Views {
    restored: Exchange,
    documents: Vec<Document>,
}

impl Views {
    async fn of(lab: &Lab, user: &mut User, key: &str) -> Self {
        let restored = user.restore(key).await;
        let by_restore = restored.data().and_then(|data| Document::parse(data.get()));
        let by_file = lab.folder.as_ref().and_then(|folder| Document::parse(&folder.document(key)?));
        Self { restored, documents: by_restore.into_iter().chain(by_file).collect() }
    }

    /// Looks once more, a while later: what restore shows then may be right though it was stale before.
    async fn look_again(&mut self, lab: &Lab, user: &mut User, key: &str) {
        tokio::time::sleep(SECOND_LOOK).await;
        let later = Self::of(lab, user, key).await;
        self.documents.extend(later.documents);
    }

    /// Whether the target answered at all; otherwise nothing follows.
    fn is_known(&self) -> bool {
        self.restored.status().is_some()
    }
}

/// An S1 experiment.
struct Metadata {
    /// Every save, with the metadata key that it alone wrote.
    saves: Vec<(String, Exchange)>,
    views: Views,
}

async fn savers_with_keys_of_their_own(lab: &Arc<Lab>) -> Result<Metadata, Stuck> {
    let mut user = lab.user(0);
    let key = lab.new_key(&mut user).await?;
    let mut saves = Vec::new();
    for round in 0..METADATA_ROUNDS {
        if !lab.has_time() {
            break;
        }
        let key = key.clone();
        let saved = at_once(lab.crowd(lab.users), move |mut user, number| {
            let key = key.clone();
            async move {
                let name = format!("by_user_{number}_in_round_{round}");
                let state = Content { writer: number as u64, number: round, size_bytes: MIN_STATE_BYTES }.state();
                let metadata = BTreeMap::from([(name.clone(), round)]);
                let mut saved = user.save(&key, "word", &metadata, &state).await;
                saved.note = format!("with metadata {name}");
                (name, saved)
            }
        });
        saves.extend(saved.await);
    }
    let mut metadata = Metadata { saves, views: Views::of(lab, &mut user, &key).await };
    if judge_metadata(&metadata).verdict == Verdict::Refuted {
        metadata.views.look_again(lab, &mut user, &key).await;
    }
    Ok(metadata)
}

fn judge_metadata(metadata: &Metadata) -> Finding {
    let acknowledged: Vec<&(String, Exchange)> =
        metadata.saves.iter().filter(|(_, saved)| saved.is_success()).collect();
    let shows = |document: &Document, name: &str| document.metadata.get(name).is_some();
    let is_lost = |name: &str| !metadata.views.documents.iter().any(|document| shows(document, name));
    let lost: Vec<&&(String, Exchange)> = acknowledged.iter().filter(|(name, _)| is_lost(name)).collect();
    let finding =
        if acknowledged.len() * 2 < metadata.saves.len() || acknowledged.len() < 2 || !metadata.views.is_known() {
            let error = metadata
                .saves
                .iter()
                .find(|(_, saved)| !saved.is_success())
                .map(|(_, saved)| format!(": {}", saved.step()));
            let error = error.unwrap_or_default();
            Finding::inconclusive(format!(
                "only {} of {} saves were acknowledged{error}",
                acknowledged.len(),
                metadata.saves.len()
            ))
        } else if let Some((name, saved)) = lost.first() {
            let other = acknowledged.iter().find(|(other, exchange)| {
                other != name && !exchange.precedes(saved) && !saved.precedes(exchange) && !is_lost(other)
            });
            let mut steps: Vec<Step> = other.map(|(_, exchange)| exchange.step()).into_iter().collect();
            steps.insert(0, saved.step());
            steps.push(metadata.views.restored.step());
            steps.push(Step::finding(
                format!("{name} in the document then"),
                "is not there, though its save was acknowledged",
            ));
            Finding::refuted(
                format!("{} of {} acknowledged saves are not in the document", lost.len(), acknowledged.len()),
                steps,
            )
        } else {
            Finding::holds(format!("all {} acknowledged saves are in the document", acknowledged.len()))
        };
    finding
        .measured("saves", metadata.saves.len())
        .measured("acknowledged", acknowledged.len())
        .measured("lost", lost.len())
        .expected("lost", 0)
}

/// What a document held after saves of known contents.
struct Round {
    saves: Vec<(Content, Exchange)>,
    views: Views,
}

impl Round {
    /// A round of saves that have ended, and what the document holds then.
    async fn of(
        mut saves: Vec<(Content, Exchange)>,
        unanswered: &mut Vec<(Content, Exchange)>,
        lab: &Lab,
        user: &mut User,
        key: &str,
    ) -> Self {
        let open: Vec<_> = saves.iter().filter(|(_, saved)| saved.status().is_none()).cloned().collect();
        saves.append(&mut unanswered.clone());
        unanswered.extend(open);
        let mut round = Self { saves, views: Views::of(lab, user, key).await };
        if fault(&round).is_some() {
            round.views.look_again(lab, user, key).await;
        }
        round
    }
}

async fn rounds_of_states(lab: &Arc<Lab>) -> Result<Vec<Round>, Stuck> {
    let mut user = lab.user(0);
    let key = lab.new_key(&mut user).await?;
    let mut rounds: Vec<Round> = Vec::new();
    // Saves without an answer may take effect in any later round.
    let mut unanswered: Vec<(Content, Exchange)> = Vec::new();
    for round in 0..STATE_ROUNDS {
        if !lab.has_time() {
            break;
        }
        let shared = key.clone();
        let saves = at_once(lab.crowd(SAVERS), move |mut user, number| {
            let key = shared.clone();
            let size_bytes = [MIN_STATE_BYTES, REAL_STATE_BYTES, LARGE_STATE_BYTES][number % 3];
            async move { save(&mut user, &key, Content { writer: number as u64, number: round, size_bytes }).await }
        })
        .await;
        rounds.push(Round::of(saves, &mut unanswered, lab, &mut user, &key).await);
        for turn in 0..SAVES_IN_TURN {
            if !lab.has_time() {
                break;
            }
            let number = STATE_ROUNDS + round * SAVES_IN_TURN + turn;
            let saved = save(&mut user, &key, Content { writer: 0, number, size_bytes: MIN_STATE_BYTES }).await;
            rounds.push(Round::of(vec![saved], &mut unanswered, lab, &mut user, &key).await);
        }
    }
    Ok(rounds)
}

async fn save(user: &mut User, key: &str, content: Content) -> (Content, Exchange) {
    let mut saved = user.save(key, "word", &BTreeMap::new(), &content.state()).await;
    saved.note = format!("with {content}");
    (content, saved)
}

/// What is wrong with a round's final state, if anything is: no order of the saves ends with any view of it.
fn fault(round: &Round) -> Option<(String, Vec<Step>)> {
    let acknowledged = || round.saves.iter().filter(|(_, saved)| saved.is_success());
    if acknowledged().next().is_none() || !round.views.is_known() {
        return None;
    }
    let restored = &round.views.restored;
    let mut first_fault = None;
    for document in &round.views.documents {
        let content = document.content();
        let shown = content.map_or("no whole one of those saved".to_owned(), |content| content.to_string());
        let mut story = Story::default();
        round.saves.iter().for_each(|(content, saved)| story.add(saved, Some(*content)));
        story.add_look(restored.to_us, content, Step::finding("the state, when all is quiet", shown.clone()));
        let (anomaly, steps) = story.fault()?;
        first_fault.get_or_insert((format!("{anomaly}: the state is {shown}"), steps));
    }
    let nothing = || {
        (
            "no document can be read after acknowledged saves".to_owned(),
            acknowledged().map(|(_, saved)| saved.step()).collect(),
        )
    };
    let (what, mut steps) = first_fault.unwrap_or_else(nothing);
    steps.push(restored.step());
    Some((what, steps))
}

fn judge_states(rounds: &[Round]) -> Finding {
    let faults: Vec<(String, Vec<Step>)> = rounds.iter().filter_map(fault).collect();
    let known =
        rounds.iter().filter(|round| round.views.is_known() && round.saves.iter().any(|(_, saved)| saved.is_success()));
    let known = known.count();
    let finding = if let Some((what, steps)) = faults.first() {
        Finding::refuted(format!("{what} (in {} of {known} rounds)", faults.len()), steps.clone())
    } else if known < 10 {
        Finding::inconclusive(format!("only {known} rounds of saves were acknowledged and could be looked at"))
    } else {
        Finding::holds(format!("a whole last state in each of {known} rounds"))
    };
    finding.measured("rounds", known).measured("faults", faults.len()).expected("faults", 0)
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::client::Operation;
    use crate::client::exchange::sample as exchange;

    fn views(documents: &[String]) -> Views {
        let documents = documents.iter().filter_map(|document| Document::parse(document)).collect();
        Views { restored: exchange(Operation::Restore, 900, 901, 200), documents }
    }

    fn content(number: u64) -> Content {
        Content { writer: 1, number, size_bytes: MIN_STATE_BYTES }
    }

    fn document(number: u64) -> String {
        format!(r#"{{"metadata":{{}},"state":{}}}"#, content(number).state())
    }

    fn round(saves: &[(u64, u64, u64, u16)], documents: &[String]) -> Round {
        let save = |&(number, from, to, status)| (content(number), exchange(Operation::Save, from, to, status));
        Round { saves: saves.iter().map(save).collect(), views: views(documents) }
    }

    #[test]
    fn the_final_state_is_that_of_a_save_that_none_followed() {
        let concurrent = [(1, 0, 10, 200), (2, 5, 15, 200)];
        assert!(
            fault(&round(&concurrent, &[document(1)])).is_none()
                && fault(&round(&concurrent, &[document(2)])).is_none()
        );
        let in_turn = [(1, 0, 10, 200), (2, 11, 15, 200)];
        assert!(fault(&round(&in_turn, &[document(2)])).is_none());
        let (what, _) = fault(&round(&in_turn, &[document(1)])).expect("overwritten");
        assert!(what.starts_with("stale read: the state is w1.n1."), "{what}");
    }

    #[test]
    fn a_state_that_nobody_saved_whole_or_that_was_refused_is_a_fault() {
        let saves = [(1, 0, 10, 200), (2, 5, 15, 400)];
        assert!(fault(&round(&saves, &[document(2)])).is_some_and(|(what, _)| what.starts_with("aborted read")));
        let mixed = document(1).replace("textarea-0", "textarea-x");
        assert!(fault(&round(&saves, &[mixed])).is_some_and(|(what, _)| what.starts_with("torn read")));
        assert!(fault(&round(&saves, &[])).is_some_and(|(what, _)| what.contains("no document")));
        assert!(
            fault(&round(&[(1, 0, 10, 500), (2, 5, 15, 200)], &[document(1)])).is_none(),
            "a 500 may have been stored"
        );
    }

    #[test]
    fn what_one_of_two_views_shows_is_not_lost() {
        let saves = [(1, 0, 10, 200), (2, 11, 15, 200)];
        assert!(fault(&round(&saves, &[document(1), document(2)])).is_none());
    }

    #[test]
    fn an_acknowledged_metadata_key_that_no_view_shows_is_lost() {
        let saves = || {
            vec![
                ("a".to_owned(), exchange(Operation::Save, 0, 9, 200)),
                ("b".to_owned(), exchange(Operation::Save, 5, 9, 200)),
            ]
        };
        let with = |metadata: &str| views(&[format!(r#"{{"metadata":{metadata}}}"#)]);
        assert_eq!(
            judge_metadata(&Metadata { saves: saves(), views: with(r#"{"a":1,"b":1}"#) }).verdict,
            Verdict::Holds
        );
        let finding = judge_metadata(&Metadata { saves: saves(), views: with(r#"{"b":1}"#) });
        assert_eq!((finding.verdict, finding.counterexample.len()), (Verdict::Refuted, 4));
        let refused = vec![("a".to_owned(), exchange(Operation::Save, 0, 9, 500)); 3];
        assert_eq!(judge_metadata(&Metadata { saves: refused, views: with("{}") }).verdict, Verdict::Inconclusive);
    }
}
