//! K9: whole journeys of many users, in which nobody meets anybody else.

use super::chance::CONFIDENCE;
use super::{Claim, Expected, Finding, Needs, Phase};
use crate::lab::{Lab, at_once};
use check::anomaly::Anomaly;
use contract::document::{Content, Document, REAL_STATE_BYTES};
use contract::key::is_key;
use engine::client::{Exchange, User};
use record::claims::ClaimId;
use record::step::Step;
use stats::keys::{THREE_CHARACTER_KEYS, birthday_collision};
use std::collections::{BTreeMap, BTreeSet, HashMap};
use std::sync::Arc;

/// Sessions that each user opens, as in so many tabs. With 100 users they are 1,000 open at once: without
/// reservation two of them get the same key with a chance of 99.998 %.
const SESSIONS_PER_USER: usize = 10;

/// Rounds of journeys, each with all its sessions open at once.
const ROUNDS: u64 = 3;

/// K9
pub(super) static K9: Claim = Claim {
    id: ClaimId::of("K9"),
    title: "nobody ends up in another's session",
    quote: "Server guarantees uniqueness … No client-side collision possibility",
    tried: "100 users request ten keys each, so that 1,000 sessions are open at once; in each session the user \
            instantiates, restores, saves and restores. There are three such rounds. Without reservation two of 1,000 \
            sessions have the same key with a probability of 99.998 %.",
    holds_if: "No two sessions that are open at once have the same key, and no restore shows another session's content. \
            At least one journey must be complete, with enough sessions open at once to meet a shared key with a \
            probability of 99.93 %.",
    needs: Needs::Wire,
    expected: Expected::REFUTED_ON_DOCUMENTED,
    decisions_on_chance: 1,
    phase: Phase::Sessions,
    is_quick: true,
    mostly_waits: false,
    takes_times: false,
    attempt: |lab| Box::pin(async move { Ok(judge(&experiment(lab).await)) }),
};

/// One user's session, from its key to its last restore.
#[derive(Default)]
struct Session {
    writer: u64,
    key: String,
    steps: Vec<Exchange>,
    /// A restore that showed somebody else's work, and whose.
    strangers: Option<(Exchange, u64)>,
}

/// What the rounds gave.
#[derive(Default)]
struct Journeys {
    /// Most sessions that were open at once.
    open_at_once: usize,
    finished: usize,
    /// Two sessions that were open at once under one key.
    shared: Option<[Session; 2]>,
    /// A session in which somebody else's work was seen.
    invaded: Option<Session>,
    error: Option<Exchange>,
    /// A response to generate-key that is wrong by itself, such as an invalid key.
    stray: Option<Exchange>,
}

async fn experiment(lab: &Arc<Lab>) -> Journeys {
    let mut journeys = Journeys::default();
    for round in 0..ROUNDS {
        if journeys.shared.is_some() || journeys.invaded.is_some() || !lab.has_time() {
            break;
        }
        let sessions = round_of_sessions(lab, round).await;
        let keys: Vec<String> = sessions.iter().map(|session| session.key.clone()).collect();
        // Taken before keys are given back: those deletes end no session of this round.
        let unsettled = lab.ledger.unsettled();
        lab.release(&keys).await;
        journeys.note(sessions, &unsettled);
    }
    journeys
}

/// All users open all their sessions, then work in them.
async fn round_of_sessions(lab: &Arc<Lab>, round: u64) -> Vec<Session> {
    let asked = lab.ask_for_keys(lab.users, lab.users * SESSIONS_PER_USER).await;
    let mut by_user: BTreeMap<usize, Vec<Exchange>> = BTreeMap::new();
    for exchange in asked {
        by_user.entry(exchange.user).or_default().push(exchange);
    }
    let until = Arc::clone(lab);
    let worked = at_once(lab.crowd(lab.users), move |mut user, number| {
        let (asked, lab) = (by_user.get(&number).cloned().unwrap_or_default(), Arc::clone(&until));
        async move {
            let mut sessions = Vec::new();
            for (tab, exchange) in asked.into_iter().enumerate() {
                let writer = round * 1_000_000 + (number * SESSIONS_PER_USER + tab) as u64;
                let mut session =
                    Session { writer, key: exchange.key_handed_out().unwrap_or_default(), ..Session::default() };
                session.steps.push(exchange);
                if is_key(&session.key) && lab.has_time() {
                    work(&mut user, &mut session).await;
                }
                sessions.push(session);
            }
            sessions
        }
    });
    worked.await.into_iter().flatten().collect()
}

/// The client's way through a session: instantiate, restore, save, restore.
async fn work(user: &mut User, session: &mut Session) {
    let content = |number| Content { writer: session.writer, number, size_bytes: REAL_STATE_BYTES };
    let (first, second) = (content(0), content(1));
    let mut created = user.instantiate(&session.key, "word", &first.state()).await;
    created.note = format!("with {first}");
    session.steps.push(created);
    look(user, session).await;
    let mut saved = user.save(&session.key, "word", &BTreeMap::new(), &second.state()).await;
    saved.note = format!("with {second}");
    session.steps.push(saved);
    look(user, session).await;
}

async fn look(user: &mut User, session: &mut Session) {
    let mut restored = user.restore(&session.key).await;
    let content = restored.data().and_then(|data| Document::parse(data.get())).and_then(|document| document.content());
    if let Some(content) = content {
        restored.note = format!("showing {content}");
        if content.writer != session.writer && session.strangers.is_none() {
            session.strangers = Some((restored.clone(), content.writer));
        }
    }
    session.steps.push(restored);
}

impl Journeys {
    /// Notes the sessions of a round. An operation without a clear response, whoever sent it, may later free its key or
    /// write under it, so users who meet under such a key accuse nobody.
    fn note(&mut self, sessions: Vec<Session>, unsettled: &BTreeSet<String>) {
        let asked = || sessions.iter().filter_map(|session| session.steps.first());
        let is_wrong = |asked: &&Exchange| super::answers::wrong_by_itself(asked).is_some();
        self.stray = self.stray.take().or_else(|| asked().find(is_wrong).cloned());
        let keyed = sessions.iter().filter(|session| is_key(&session.key)).count();
        self.open_at_once = self.open_at_once.max(keyed);
        self.finished += sessions.iter().filter(|session| session.steps.len() == 5).count();
        let failed = |exchange: &&Exchange| !exchange.is_success();
        let first_error = sessions.iter().flat_map(|session| &session.steps).find(failed);
        self.error = self.error.take().or_else(|| first_error.cloned());
        let mut holders: HashMap<String, Session> = HashMap::new();
        for session in sessions {
            if !is_key(&session.key) || unsettled.contains(&session.key) {
                continue;
            }
            if session.strangers.is_some() && self.invaded.is_none() {
                self.invaded = Some(session.copy());
            }
            if let Some(other) = holders.remove(&session.key) {
                // The pair in which somebody's work was seen by the other tells most.
                let seen = session.strangers.is_some() || other.strangers.is_some();
                if seen || self.shared.is_none() {
                    self.shared = Some([other, session]);
                }
                if seen {
                    return;
                }
            } else {
                holders.insert(session.key.clone(), session);
            }
        }
    }
}

impl Session {
    fn copy(&self) -> Self {
        Self {
            writer: self.writer,
            key: self.key.clone(),
            steps: self.steps.clone(),
            strangers: self.strangers.clone(),
        }
    }
}

fn judge(journeys: &Journeys) -> Finding {
    let chance = birthday_collision(journeys.open_at_once, THREE_CHARACTER_KEYS);
    let finding = if let Some(pair) = &journeys.shared {
        let [one, other] = pair;
        let (users, key) = ((one.steps[0].user, other.steps[0].user), &one.key);
        let mut steps: Vec<&Exchange> = pair.iter().flat_map(|session| &session.steps).collect();
        steps.sort_by_key(|exchange| exchange.from_us);
        let mut steps: Vec<Step> = steps.into_iter().map(Exchange::step).collect();
        for (session, stranger) in
            pair.iter().filter_map(|session| session.strangers.as_ref().map(|(_, stranger)| (session, stranger)))
        {
            let found = format!("saw the work of writer {stranger}; its own is that of writer {}", session.writer);
            steps.push(Step::finding(format!("user {}", session.steps[0].user), found));
        }
        let summary = match users {
            (one, other) if one == other => format!("user {one} was handed one session, {key}, in two tabs at once"),
            (one, other) => format!("users {one} and {other} were in one session, {key}, at once"),
        };
        Finding::refuted(summary, steps).named(Anomaly::DuplicateKey)
    } else if let Some((session, (seen, stranger))) =
        journeys.invaded.as_ref().and_then(|session| session.strangers.as_ref().map(|seen| (session, seen)))
    {
        let summary =
            format!("user {} was shown the work of writer {stranger} in its own session {}", seen.user, session.key);
        Finding::refuted(summary, session.steps.iter().map(Exchange::step).collect())
    } else if let Some(wrong) = super::answers::first_wrong(&journeys.stray) {
        wrong
    } else if journeys.finished == 0 || chance < CONFIDENCE {
        let error = journeys.error.as_ref().map(|error| format!("; first error: {}", error.step())).unwrap_or_default();
        Finding::inconclusive(format!("nobody met anybody in {} journeys, too few to tell{error}", journeys.finished))
    } else {
        Finding::holds(format!(
            "nobody met anybody in {} journeys, {} open at once",
            journeys.finished, journeys.open_at_once
        ))
    };
    finding
        .measured("journeys_finished", journeys.finished)
        .measured("sessions_open_at_once", journeys.open_at_once)
        .expected("chance_of_a_shared_key_without_reservation", chance)
}

#[cfg(test)]
mod tests {
    use super::*;
    use contract::Operation;
    use contract::{Answer, Body};
    use engine::client::samples::exchange as sample;
    use record::claims::Verdict;

    fn step(user: usize, operation: Operation) -> Exchange {
        let outcome =
            Ok(Answer { status: 200, attempts: None, body: Body::parse(br#"{"success":true,"timestamp":1}"#) });
        let (key, note) = (String::new(), String::new());
        Exchange { user, operation, key, note, from_us: 0, to_us: 1, outcome }
    }

    fn session(user: usize, key: &str, strangers: Option<u64>) -> Session {
        let mut steps = vec![step(user, Operation::Save); 5];
        steps[0] = Exchange { user, key: String::new(), ..sample(Operation::GenerateKey, 0, 1, 200) };
        let strangers = strangers.map(|writer| (step(user, Operation::Restore), writer));
        Session { writer: user as u64, key: key.to_owned(), steps, strangers }
    }

    fn journeys(sessions: Vec<Session>) -> Journeys {
        let mut journeys = Journeys { open_at_once: 1_000, ..Journeys::default() };
        journeys.note(sessions, &BTreeSet::new());
        journeys
    }

    #[test]
    fn a_key_held_by_two_at_once_refutes() {
        let finding =
            judge(&journeys(vec![session(1, "A4K", None), session(2, "B4K", None), session(3, "A4K", Some(1))]));
        assert_eq!(finding.verdict, Verdict::Refuted);
        assert_eq!(
            (finding.summary.as_str(), finding.counterexample.len()),
            ("users 1 and 3 were in one session, A4K, at once", 11)
        );
    }

    #[test]
    fn anothers_work_in_ones_own_session_refutes() {
        let finding = judge(&journeys(vec![session(1, "A4K", Some(9)), session(2, "B4K", None)]));
        assert_eq!((finding.verdict, finding.counterexample.len()), (Verdict::Refuted, 5));
    }

    /// Regression: invalid keys were skipped silently.
    #[test]
    fn a_key_that_is_none_refutes_with_the_exchange_that_shows_it() {
        let mut stray = session(1, "a4k", None);
        let body = Body::parse(br#"{"success":true,"timestamp":1,"data":{"sessionKey":"a4k"}}"#);
        stray.steps[0].outcome = Ok(Answer { status: 200, attempts: None, body });
        let finding = judge(&journeys(vec![stray, session(2, "B4K", None)]));
        assert_eq!((finding.verdict, finding.counterexample.len()), (Verdict::Refuted, 2));
        assert!(finding.summary.contains("handed out \"a4k\""), "{}", finding.summary);
    }

    /// A delete of the previous round without a response frees the key under its next user; a late save shows up there.
    #[test]
    fn what_may_come_late_accuses_nobody() {
        let met = || vec![session(1, "A4K", None), session(2, "A4K", Some(9)), session(3, "B4K", None)];
        let mut journeys = Journeys { open_at_once: 1_000, ..Journeys::default() };
        journeys.note(met(), &["A4K".to_owned()].into());
        assert_eq!(judge(&journeys).verdict, Verdict::Holds);
        journeys.note(met(), &["B4K".to_owned()].into());
        assert_eq!(judge(&journeys).verdict, Verdict::Refuted);
    }

    #[test]
    fn journeys_hold_when_there_were_enough_to_meet() {
        assert_eq!(judge(&journeys(vec![session(1, "A4K", None), session(2, "B4K", None)])).verdict, Verdict::Holds);
        let few = Journeys { open_at_once: 100, ..journeys(vec![session(1, "A4K", None)]) };
        assert_eq!(judge(&few).verdict, Verdict::Inconclusive);
    }
}
