//! S1, S2: saves of one document by many.

use super::answers::{Halted, first_wrong, judged};
use super::judged::Story;
use super::posted::{self, Shown};
use super::views::{Views, words};
use super::{Claim, Expected, Finding, Needs, Phase};
use crate::lab::{Lab, at_once};
use check::anomaly::Anomaly;
use contract::document::{Content, MIN_STATE_BYTES, REAL_STATE_BYTES, same};
use engine::client::{Exchange, User};
use record::claims::{ClaimId, Verdict};
use serde_json::{Value, json};
use std::collections::BTreeMap;
use std::sync::Arc;

/// Rounds of S1: in each, every user adds one metadata key to the same document. Users do not wait for each other
/// between rounds.
const METADATA_ROUNDS: u64 = 8;

/// Rounds of S2, each on a document of its own, with this many concurrent savers, and then this many saves one after
/// the other.
const STATE_ROUNDS: u64 = 20;
const SAVERS: usize = 16;
const SAVES_IN_TURN: u64 = 10;

/// The largest state of S2: several pages, so that two writes could mix.
const LARGE_STATE_BYTES: usize = 20_000;

/// S1
pub(super) static S1: Claim = Claim {
    id: ClaimId::of("S1"),
    title: "no concurrent save loses another's metadata",
    quote: "Read-modify-write is atomic … file should have exactly 10 saves worth of data",
    tried: "100 users save one document at the same time, each save with a metadata entry of its own: eight documents \
            that the first save creates, with one save per user, and then an existing document with eight saves per \
            user (800). The state is replaced by design, so metadata shows which saves took effect. The document is \
            looked at by restore and, with `--saves`, in its file, and again half a second later if something is \
            missing.",
    holds_if: "The metadata of every acknowledged save is in the document, and type, extra field, version and created \
            time are those that were written.",
    needs: Needs::Wire,
    expected: Expected::HOLDS,
    decisions_on_chance: 0,
    phase: Phase::Documents,
    is_quick: true,
    mostly_waits: false,
    takes_times: false,
    attempt: |lab| Box::pin(async move { judged(savers_with_keys_of_their_own(lab).await, judge_metadata) }),
};

/// S2
pub(super) static S2: Claim = Claim {
    id: ClaimId::of("S2"),
    title: "the last save wins, whole",
    quote: "Both save different data. Last save wins … No file corruption",
    tried: "On each of 20 documents, 16 users save states of 300, 2,700 and 20,000 bytes at the same time, followed by \
            ten saves one after another. The document is looked at after each of these 220 steps, by restore and, with \
            `--saves`, in its file, and again half a second later if it is wrong.",
    holds_if: "Some order of the writes ends with a state that is seen, so it is a whole state of one save that no \
            acknowledged save followed; type, extra field and kept metadata belong to it.",
    needs: Needs::Wire,
    expected: Expected::HOLDS,
    decisions_on_chance: 0,
    phase: Phase::Documents,
    is_quick: true,
    mostly_waits: false,
    takes_times: false,
    attempt: |lab| Box::pin(async move { judged(rounds_of_states(lab).await, |rounds| judge_states(rounds)) }),
};

/// Creates a document, and looks at it.
async fn created(lab: &Lab, user: &mut User, content: Content) -> Result<(String, Exchange, Views), Halted> {
    let key = lab.new_key(user).await?;
    let created = posted::instantiate(user, &key, content).await;
    if !created.is_success() {
        return Err(Halted::by(&created, "no document to save"));
    }
    let views = Views::of(lab, user, &key).await;
    Ok((key, created, views))
}

/// An S1 experiment.
struct Metadata {
    /// Every save, with the metadata key that only this save wrote, and its value.
    saves: Vec<((String, u64), Exchange)>,
    /// The metadata before the first save.
    before: Value,
    views: Views,
}

/// Saves documents that the first save creates, one per round, and then one existing document in all rounds.
async fn savers_with_keys_of_their_own(lab: &Arc<Lab>) -> Result<Metadata, Halted> {
    let mut user = lab.user(0);
    for _ in 0..METADATA_ROUNDS {
        let key = lab.new_key(&mut user).await?;
        let created_by_save = savers_of(lab, key, json!({}), 1).await;
        if judge_metadata(&created_by_save).verdict != Verdict::Holds {
            return Ok(created_by_save);
        }
    }
    let first = Content { writer: 0, number: METADATA_ROUNDS, size_bytes: MIN_STATE_BYTES };
    let (key, _, before) = created(lab, &mut user, first).await?;
    Ok(savers_of(lab, key, before.metadata(), METADATA_ROUNDS).await)
}

/// Runs the savers of one document; `before` is its metadata before the first save.
async fn savers_of(lab: &Arc<Lab>, key: String, before: Value, rounds: u64) -> Metadata {
    let (mut user, shared) = (lab.user(0), key.clone());
    // Savers do not wait for each other: many savers over some time meet more often.
    let saved = at_once(lab.crowd(lab.users), move |mut user, number| {
        let key = shared.clone();
        async move {
            let mut saves = Vec::new();
            for round in 0..rounds {
                let name = format!("by_user_{number}_in_round_{round}");
                let content = Content { writer: number as u64, number: round, size_bytes: MIN_STATE_BYTES };
                let metadata = BTreeMap::from([(name.clone(), round)]);
                let mut saved = posted::save(&mut user, &key, &metadata, content).await;
                saved.note = format!("with metadata {name}");
                saves.push(((name, round), saved));
            }
            saves
        }
    });
    let saves = saved.await.into_iter().flatten().collect();
    let mut metadata = Metadata { saves, before, views: Views::of(lab, &mut user, &key).await };
    if judge_metadata(&metadata).verdict == Verdict::Refuted {
        metadata.views.look_again(lab, &mut user, &key).await;
    }
    metadata
}

/// How a saved document differs from what was posted, apart from its state, if it does.
fn not_whole(shown: &Shown, before: &Value) -> Option<String> {
    shown.difference(true).or_else(|| shown.lost_metadata(before))
}

fn judge_metadata(metadata: &Metadata) -> Finding {
    let Metadata { saves, before, views } = metadata;
    let acknowledged: Vec<&((String, u64), Exchange)> = saves.iter().filter(|(_, saved)| saved.is_success()).collect();
    let shows = |document: &Shown, (name, value): &(String, u64)| {
        document.metadata.get(name).is_some_and(|shown| same(shown, &json!(value)))
    };
    let is_lost = |mark: &(String, u64)| !views.documents.iter().any(|(_, document)| shows(document, mark));
    let lost: Vec<&&((String, u64), Exchange)> = acknowledged.iter().filter(|(mark, _)| is_lost(mark)).collect();
    let wrong = first_wrong(saves.iter().map(|(_, saved)| saved).chain(&views.looks));
    let finding = if let Some(wrong) = wrong {
        wrong
    } else if acknowledged.len() * 2 < saves.len() || acknowledged.len() < 2 || !views.is_known() {
        let error = saves.iter().find(|(_, saved)| !saved.is_success()).map(|(_, saved)| format!(": {}", saved.step()));
        let error = error.unwrap_or_default();
        Finding::inconclusive(format!("only {} of {} saves were acknowledged{error}", acknowledged.len(), saves.len()))
    } else if let Some((mark, saved)) = lost.first() {
        let other = acknowledged.iter().find(|(other, exchange)| {
            other != mark && !exchange.precedes(saved) && !saved.precedes(exchange) && !is_lost(other)
        });
        let mut steps = vec![saved.step()];
        steps.extend(other.map(|(_, exchange)| exchange.step()));
        let (name, value) = mark;
        steps.extend(views.steps(&format!("does not have {name} as {value}, though its save was acknowledged")));
        let summary = format!("{} of {} acknowledged saves are not in the document", lost.len(), acknowledged.len());
        Finding::refuted(summary, steps).named(Anomaly::LostUpdate)
    } else if let Some(difference) = views.in_all(|shown| not_whole(shown, before)) {
        let summary = format!("{}: {difference}", Anomaly::ChangedDocument);
        Finding::refuted(summary, views.steps(&difference)).named(Anomaly::ChangedDocument)
    } else {
        Finding::holds(format!("all {} acknowledged saves are in the document", acknowledged.len()))
    };
    finding
        .measured("saves", saves.len())
        .measured("acknowledged", acknowledged.len())
        .measured("lost", lost.len())
        .expected("lost", 0)
}

/// A document after saves of known contents.
struct Round {
    /// Everything written to it so far, beginning with its instantiate.
    writes: Vec<(Content, Exchange)>,
    /// Its metadata before the first save.
    before: Value,
    views: Views,
}

impl Round {
    /// Looks at the document after all saves so far have ended.
    async fn of(writes: &[(Content, Exchange)], before: &Value, lab: &Lab, user: &mut User, key: &str) -> Self {
        let views = Views::of(lab, user, key).await;
        let mut round = Self { writes: writes.to_vec(), before: before.clone(), views };
        if fault(&round).is_some() {
            round.views.look_again(lab, user, key).await;
        }
        round
    }
}

async fn rounds_of_states(lab: &Arc<Lab>) -> Result<Vec<Round>, Halted> {
    let mut user = lab.user(0);
    let mut rounds: Vec<Round> = Vec::new();
    for round in 0..STATE_ROUNDS {
        if !lab.has_time() {
            break;
        }
        // The instantiate's writer differs from every saver.
        let first = Content { writer: SAVERS as u64, number: round, size_bytes: MIN_STATE_BYTES };
        let (key, created, before) = created(lab, &mut user, first).await?;
        let (mut writes, before) = (vec![(first, created)], before.metadata());
        let shared = key.clone();
        let saves = at_once(lab.crowd(SAVERS), move |mut user, number| {
            let key = shared.clone();
            let size_bytes = [MIN_STATE_BYTES, REAL_STATE_BYTES, LARGE_STATE_BYTES][number % 3];
            async move { save(&mut user, &key, Content { writer: number as u64, number: round, size_bytes }).await }
        });
        writes.extend(saves.await);
        rounds.push(Round::of(&writes, &before, lab, &mut user, &key).await);
        for turn in 0..SAVES_IN_TURN {
            if !lab.has_time() {
                break;
            }
            let number = STATE_ROUNDS + round * SAVES_IN_TURN + turn;
            writes.push(save(&mut user, &key, Content { writer: 0, number, size_bytes: MIN_STATE_BYTES }).await);
            rounds.push(Round::of(&writes, &before, lab, &mut user, &key).await);
        }
    }
    Ok(rounds)
}

async fn save(user: &mut User, key: &str, content: Content) -> (Content, Exchange) {
    (content, posted::save(user, key, &BTreeMap::new(), content).await)
}

/// What is wrong with a round, if anything: no order of the writes ends with a view of it, no view is whole, or a
/// response is wrong by itself.
fn fault(round: &Round) -> Option<Finding> {
    let Round { writes, before, views } = round;
    let acknowledged = writes.iter().any(|(_, saved)| saved.is_success());
    let mut story = Story::default();
    writes.iter().for_each(|(content, saved)| story.add(saved, Some(*content)));
    if acknowledged && views.is_known() {
        views.add_unless_one_fits(&mut story);
    }
    if let Some((anomaly, mut steps)) = story.fault() {
        let shown = views.documents.first().map_or("none can be read".to_owned(), |(_, shown)| words(shown));
        steps.extend(views.looks.iter().map(Exchange::step));
        return Some(Finding::refuted(format!("{anomaly}: the state is {shown}"), steps).named(anomaly));
    }
    // A view with the instantiate's content has not been saved yet, as far as is known.
    let was_saved = |shown: &Shown| shown.content != writes.first().map(|(content, _)| *content);
    let difference = |shown: &Shown| shown.difference(was_saved(shown)).or_else(|| shown.lost_metadata(before));
    let difference = views.in_all(difference).filter(|_| acknowledged)?;
    let summary = format!("{}: {difference}", Anomaly::ChangedDocument);
    Some(Finding::refuted(summary, views.steps(&difference)).named(Anomaly::ChangedDocument))
}

fn judge_states(rounds: &[Round]) -> Finding {
    let faults: Vec<Finding> = rounds.iter().filter_map(fault).collect();
    let is_known =
        |round: &&Round| round.views.is_known() && round.writes.last().is_some_and(|(_, saved)| saved.is_success());
    let known = rounds.iter().filter(is_known).count();
    let count = faults.len();
    let finding = if let Some(fault) = faults.into_iter().next() {
        Finding { summary: format!("{} (in {count} of {} rounds)", fault.summary, rounds.len()), ..fault }
    } else if known < 10 {
        Finding::inconclusive(format!("only {known} rounds of saves were acknowledged and could be looked at"))
    } else {
        Finding::holds(format!("a whole last state in each of {known} rounds"))
    };
    finding.measured("rounds", known).measured("faults", count).expected("faults", 0)
}

#[cfg(test)]
mod tests {
    use super::super::posted::stored;
    use super::*;
    use contract::Operation;
    use engine::client::samples::exchange;

    const BEFORE: u64 = 99;

    fn before() -> Value {
        json!({ "version": "1.0", "created": 5 })
    }

    fn after(extra: &Value) -> Value {
        let mut metadata = json!({ "version": "1.0", "created": 5, "lastModified": 7 });
        for (name, value) in extra.as_object().expect("an object") {
            metadata[name] = value.clone();
        }
        metadata
    }

    fn views(documents: &[String]) -> Views {
        let documents = documents.iter().filter_map(|document| Some((901, Shown::parse(document)?))).collect();
        Views { looks: vec![exchange(Operation::Restore, 900, 901, 200)], documents }
    }

    fn content(number: u64) -> Content {
        Content { writer: 1, number, size_bytes: MIN_STATE_BYTES }
    }

    fn document(number: u64) -> String {
        stored(content(number), &after(&json!({})))
    }

    fn round(saves: &[(u64, u64, u64, u16)], documents: &[String]) -> Round {
        let save = |&(number, from, to, status)| (content(number), exchange(Operation::Save, from, to, status));
        let mut writes = vec![(content(BEFORE), exchange(Operation::Instantiate, 0, 0, 200))];
        writes.extend(saves.iter().map(save));
        Round { writes, before: before(), views: views(documents) }
    }

    fn name(round: &Round) -> String {
        fault(round).map_or(String::new(), |finding| finding.summary)
    }

    #[test]
    fn the_final_state_is_that_of_a_save_that_none_followed() {
        let concurrent = [(1, 1, 10, 200), (2, 5, 15, 200)];
        assert_eq!(name(&round(&concurrent, &[document(1)])), "");
        assert_eq!(name(&round(&concurrent, &[document(2)])), "");
        let in_turn = [(1, 1, 10, 200), (2, 11, 15, 200)];
        assert_eq!(name(&round(&in_turn, &[document(2)])), "");
        let what = name(&round(&in_turn, &[document(1)]));
        assert!(what.starts_with("lost update: the state is w1.n1."), "{what}");
    }

    /// Regression: what an earlier round had saved was called "content never written", as each round was judged by
    /// itself.
    #[test]
    fn what_an_earlier_round_saved_is_known() {
        let saves = [(1, 1, 10, 200), (2, 11, 15, 200), (3, 16, 20, 200)];
        assert!(name(&round(&saves, &[document(1)])).starts_with("stale read"));
        let created = stored(content(BEFORE), &before());
        let twice = [created.clone(), created];
        let what = name(&round(&saves, &twice));
        assert!(what.starts_with("stale read") || what.starts_with("lost update"), "{what}");
    }

    #[test]
    fn a_state_that_nobody_saved_whole_or_that_was_refused_is_a_fault() {
        let saves = [(1, 1, 10, 200), (2, 5, 15, 400)];
        assert!(name(&round(&saves, &[document(2)])).starts_with("aborted read"));
        let mixed = document(1).replace("textarea-0", "textarea-x");
        assert!(name(&round(&[(1, 1, 10, 200)], &[mixed])).starts_with("torn read"));
        let gone = Views { looks: vec![exchange(Operation::Restore, 900, 901, 404)], documents: Vec::new() };
        let gone = Round { views: gone, ..round(&[(1, 1, 10, 200)], &[]) };
        assert!(name(&gone).starts_with("acknowledged then lost"), "{}", name(&gone));
        assert_eq!(name(&round(&[(1, 1, 10, 500), (2, 5, 15, 200)], &[document(1)])), "", "a 500 may have been stored");
    }

    #[test]
    fn a_proxys_error_in_place_of_a_document_accuses_nobody() {
        let looks = vec![exchange(Operation::Restore, 900, 901, 502)];
        let round = Round { views: Views { looks, documents: Vec::new() }, ..round(&[(1, 1, 10, 200)], &[]) };
        assert_eq!(name(&round), "");
        assert_eq!(judge_states(&[round]).verdict, Verdict::Inconclusive);
    }

    #[test]
    fn a_save_that_is_refused_without_cause_is_a_fault() {
        let what = name(&round(&[(1, 1, 10, 200), (2, 11, 15, 404)], &[document(1)]));
        assert!(what.starts_with("valid request refused"), "{what}");
    }

    #[test]
    fn what_one_of_two_views_shows_is_not_lost() {
        let saves = [(1, 1, 10, 200), (2, 11, 15, 200)];
        assert_eq!(name(&round(&saves, &[document(1), document(2)])), "");
    }

    #[test]
    fn a_document_without_its_type_its_extra_field_or_its_metadata_is_changed() {
        let of = |documents: &[String]| name(&round(&[(1, 1, 10, 200)], documents));
        let word = document(1).replacen(content(1).type_slug(), "excel", 1);
        assert!(of(std::slice::from_ref(&word)).starts_with("changed document"), "{}", of(&[word]));
        assert_eq!(of(&[word.clone(), document(1)]), "", "one view alone is another claim's business");
        let dropped = document(1).replacen("\"extra\"", "\"other\"", 1);
        assert!(of(&[dropped]).starts_with("changed document"));
        let created = document(1).replacen("\"created\":5", "\"created\":6", 1);
        assert!(of(&[created]).starts_with("changed document"));
    }

    #[test]
    fn an_acknowledged_metadata_key_that_no_view_shows_is_lost() {
        let saves = || {
            vec![
                (("a".to_owned(), 1), exchange(Operation::Save, 0, 9, 200)),
                (("b".to_owned(), 1), exchange(Operation::Save, 5, 9, 200)),
            ]
        };
        let judged = |saves: Vec<_>, extra: Value| {
            let views = views(&[stored(content(1), &after(&extra))]);
            judge_metadata(&Metadata { saves, before: before(), views })
        };
        assert_eq!(judged(saves(), json!({"a":1,"b":1})).verdict, Verdict::Holds);
        let finding = judged(saves(), json!({"b":1}));
        assert_eq!((finding.verdict, finding.counterexample.len()), (Verdict::Refuted, 4));
        assert_eq!(judged(saves(), json!({"a":2,"b":1})).verdict, Verdict::Refuted, "another value");
        let failed = vec![(("a".to_owned(), 1), exchange(Operation::Save, 0, 9, 500)); 3];
        assert_eq!(judged(failed, json!({})).verdict, Verdict::Inconclusive);
        let mut refused = saves();
        refused.push((("c".to_owned(), 1), exchange(Operation::Save, 0, 9, 404)));
        let finding = judged(refused, json!({"a":1,"b":1}));
        assert_eq!(finding.anomaly, Some(Anomaly::ValidRequestRefused), "{}", finding.summary);
        let changed = judged(saves(), json!({"a":1,"b":1,"created":6}));
        assert_eq!(changed.anomaly, Some(Anomaly::ChangedDocument), "{}", changed.summary);
    }
}
