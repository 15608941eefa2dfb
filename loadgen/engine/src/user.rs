//! One user of a load: sends its steps, grades each answer, and writes down what came of it.

use super::ended::Ended;
use super::keys::{Handing, Hold, Keys};
use super::recorder::{Done, Recorder};
use super::time::Time;
use crate::client::Target;
use crate::client::wire::Client;
use crate::scenario::{Action, Step};
use bytes::Bytes;
use check::anomaly::Anomaly;
use check::session::{Asked, Grade, Session, grade_alone};
use contract::Operation;
use contract::document::{Content, MIN_STATE_BYTES};
use contract::key::is_session_key;
use contract::message::EXHAUSTED;
use contract::request::{instantiate_body, save_body};
use contract::response::{Listed, Reading, Said, read};
use record::figures::KEYS_EXHAUSTED;
use record::history::{Answer, Judgement, Output};
use std::cell::RefCell;
use std::fmt::Write as _;
use std::rc::Rc;
use std::sync::Arc;

/// What all users of a run work with, on whatever thread.
#[derive(Debug)]
pub(crate) struct Common {
    target: Arc<Target>,
    pub(crate) keys: Keys,
    /// Whether a key that was handed out is reserved: only then is there something to give back.
    reserves: bool,
    /// The session that all share, where the scenario has one.
    pub(crate) shared_key: Option<String>,
    /// What all randomness of the run comes from: writers of different runs are told apart by it.
    seed: u64,
}

impl Common {
    pub(crate) fn new(target: Arc<Target>, reserves: bool, shared_key: Option<String>, seed: u64) -> Self {
        Self { target, keys: Keys::new(None), reserves, shared_key, seed }
    }

    /// For a target with this many keys in use; `None` if others may use some.
    pub(crate) fn with_keys_in_use(self, in_use: Option<usize>) -> Self {
        Self { keys: Keys::new(in_use), ..self }
    }

    /// Whether generate-key reports that all keys are in use although most must be free.
    fn is_falsely_exhausted(&self, status: u16, message: &str) -> bool {
        (status, message) == EXHAUSTED && self.keys.are_mostly_free()
    }

    /// How a failure is named where failures are counted.
    fn error_name(&self, said: &Said) -> String {
        match said {
            Said::Refused { status, message }
                if (*status, message.as_str()) == EXHAUSTED && self.keys.are_nearly_exhausted() =>
            {
                KEYS_EXHAUSTED.to_owned()
            }
            said => said.error_name(),
        }
    }

    /// Under which number a user writes.
    fn writer(&self, user: u32) -> u64 {
        writer(self.seed, user)
    }

    /// Notes what an operation in a user's session means for its key. A key is released before its delete is sent.
    fn note(&self, session: &Session, user: u32, asked: Asked, effect: Effect) {
        match (asked, effect) {
            (Asked::Instantiate(_) | Asked::Save(_), Effect::Done) => self.keys.written(&session.key, user),
            (Asked::Instantiate(_) | Asked::Save(_), Effect::Unknown) if session.has_document() => {
                self.keys.unsettle(&session.key);
            }
            (_, Effect::Unknown) => self.keys.may_be_free(&session.key, user),
            (Asked::Delete, Effect::None) => {
                let hold = if session.has_document() { Hold::Written } else { Hold::Handed };
                self.keys.keep(&session.key, user, hold);
            }
            _ => {}
        }
    }

    /// A content as the history names it.
    fn name(&self, content: Content, out: &mut String) {
        name_content(self.seed, content, out);
    }
}

/// Whether an operation took effect.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Effect {
    /// It did.
    Done,
    /// It did not, or has none.
    None,
    /// It may have, or may at any later time.
    Unknown,
}

impl Effect {
    fn of(asked: Asked, said: &Said) -> Self {
        match (asked, said) {
            (Asked::Restore | Asked::List, _) => Self::None,
            // If a delete finds nothing, there is nothing under the key, as there is after it.
            (_, Said::Created | Said::Saved | Said::Deleted) | (Asked::Delete, Said::Refused { status: 404, .. }) => {
                Self::Done
            }
            (_, said) if said.leaves_open() => Self::Unknown,
            _ => Self::None,
        }
    }
}

/// Lower bits of a writer's number, which are the user's.
const USER_BITS: u32 = 24;

/// Under which number a user of a run writes.
pub(crate) fn writer(seed: u64, user: u32) -> u64 {
    (seed & 0xffff_ffff) << USER_BITS | u64::from(user)
}

/// Names a content as the history of a run does: by user and number, if a user of this run wrote it. Returns whether
/// one did.
pub(crate) fn name_content(seed: u64, content: Content, out: &mut String) -> bool {
    let user = content.writer & ((1 << USER_BITS) - 1);
    let is_ours = u32::try_from(user).is_ok_and(|user| writer(seed, user) == content.writer);
    let writer = if is_ours { user } else { content.writer };
    // Writing to memory does not fail.
    let _ = write!(out, "w{writer}.n{}", content.number);
    is_ours
}

/// When a step is to be sent.
#[derive(Clone, Copy, Debug)]
pub(crate) struct Due {
    /// When it is meant to be.
    pub(crate) meant_us: u64,
    /// Since when its user is free to.
    pub(crate) free_us: u64,
    /// Whether it belongs to what comes before the run.
    pub(crate) is_set_up: bool,
}

/// What came of a step.
#[derive(Clone, Copy, Debug)]
pub(crate) struct Outcome {
    /// When it had its answer, or was given up.
    pub(crate) end_us: u64,
    /// Whether the answer was right.
    pub(crate) is_verified: bool,
    /// Whether the user can go on as planned.
    pub(crate) goes_on: bool,
    /// Whether there was no answer at all.
    pub(crate) is_unanswered: bool,
}

/// A user of a load.
pub(crate) struct User<C, T> {
    number: u32,
    client: C,
    time: T,
    common: Arc<Common>,
    recorder: Rc<RefCell<Recorder>>,
    /// The sessions that users of its worker have ended.
    ended: Rc<RefCell<Ended>>,
    session: Option<Session>,
    /// When its session's document was created, µs.
    opened_us: u64,
    /// Number of its next content.
    next: u64,
    /// Contents as they are named, to be reused.
    input: String,
    output: String,
}

impl<C: Client, T: Time> User<C, T> {
    /// A user who records what it does with its worker.
    pub(crate) fn new(
        number: u32,
        client: C,
        time: T,
        common: Arc<Common>,
        (recorder, ended): (Rc<RefCell<Recorder>>, Rc<RefCell<Ended>>),
    ) -> Self {
        let session = common.shared_key.clone().map(|key| Session::shared(key, common.writer(number)));
        let (input, output) = (String::new(), String::new());
        Self { number, client, time, common, recorder, ended, session, opened_us: 0, next: 0, input, output }
    }

    pub(crate) fn number(&self) -> u32 {
        self.number
    }

    pub(crate) fn client(&mut self) -> &mut C {
        &mut self.client
    }

    /// Whether a step cannot be taken without a session.
    pub(crate) fn lacks_session_for(&self, action: Action) -> bool {
        let needs_one = matches!(action, Action::Instantiate | Action::Restore | Action::Save | Action::Delete);
        needs_one && self.session.is_none()
    }

    /// Gets a key and creates a document under it.
    pub(crate) async fn open_session(&mut self, due: Due, state_bytes: usize) -> Outcome {
        let got = self.generate_key(due).await;
        if !got.goes_on {
            return got;
        }
        let due = Due { meant_us: got.end_us, free_us: got.end_us, ..due };
        let opened = self.instantiate(due, state_bytes).await;
        self.leave_if_lost();
        opened
    }

    /// Takes a step.
    pub(crate) async fn take(&mut self, step: &Step, due: Due) -> Outcome {
        match step.action {
            Action::GenerateKey => self.generate_key(due).await,
            Action::GiveBack => self.give_back(due).await,
            Action::Instantiate => self.instantiate(due, step.state_bytes).await,
            Action::Save => {
                let content = self.content(step.state_bytes);
                let body = save_body(self.key(), content);
                self.act(Operation::Save, Asked::Save(content), due, body).await.0
            }
            Action::Restore => self.act(Operation::Restore, Asked::Restore, due, Bytes::new()).await.0,
            Action::Delete => self.delete(due).await,
            Action::List => self.act(Operation::List, Asked::List, due, Bytes::new()).await.0,
        }
    }

    async fn generate_key(&mut self, due: Due) -> Outcome {
        let sent = self.send(Operation::GenerateKey, due, Bytes::new()).await;
        let grade = match &sent.said {
            Said::Key(key) => {
                let (key, writer) = (key.clone(), self.common.writer(self.number));
                let handing = self.common.keys.hand(&key, self.number);
                self.session = Some(match handing {
                    Handing::Unsettled => Session::unsettled(key, writer),
                    Handing::Own | Handing::Duplicate => Session::handed(key, writer),
                });
                if handing == Handing::Duplicate { Grade::Wrong(Anomaly::DuplicateKey) } else { Grade::Verified }
            }
            Said::Refused { status, message } if self.common.is_falsely_exhausted(*status, message) => {
                Grade::Wrong(Anomaly::ValidRequestRefused)
            }
            said => grade_alone(said).0,
        };
        if !matches!(sent.said, Said::Key(_)) {
            self.common.keys.may_have_handed();
            self.session = None;
        }
        self.write_down(Operation::GenerateKey, due, &sent, grade)
    }

    async fn instantiate(&mut self, due: Due, state_bytes: usize) -> Outcome {
        let content = self.content(state_bytes);
        let body = instantiate_body(self.key(), content);
        let (outcome, _) = self.act(Operation::Instantiate, Asked::Instantiate(content), due, body).await;
        if self.session.as_ref().is_some_and(|session| !session.may_have_document()) {
            // It was refused, or is another's: nothing may be written or deleted there.
            self.leave_session();
            return Outcome { goes_on: false, ..outcome };
        }
        outcome
    }

    async fn delete(&mut self, due: Due) -> Outcome {
        // Once it is asked for, the key can be anybody's.
        if let Some(session) = &self.session {
            self.common.keys.release(&session.key, self.number);
        }
        let (outcome, effect) = self.act(Operation::Delete, Asked::Delete, due, Bytes::new()).await;
        if effect == Effect::Unknown {
            // From now on the key may have another owner.
            self.leave_session();
            return Outcome { goes_on: false, ..outcome };
        }
        outcome
    }

    /// Ends a key that nothing was written under.
    async fn give_back(&mut self, due: Due) -> Outcome {
        if self.session.is_none() || !self.common.reserves {
            self.leave_session();
            let end_us = due.free_us.max(due.meant_us);
            return Outcome { end_us, is_verified: true, goes_on: true, is_unanswered: false };
        }
        let outcome = self.delete(due).await;
        self.session = None;
        outcome
    }

    /// Leaves a session that the user may have lost: nothing may be written there.
    pub(crate) fn leave_if_lost(&mut self) {
        if self.common.shared_key.is_none() && self.session.as_ref().is_some_and(Session::may_be_lost) {
            self.leave_session();
        }
    }

    fn leave_session(&mut self) {
        if let Some(session) = self.session.take() {
            self.common.keys.release(&session.key, self.number);
        }
    }

    /// Performs an operation in the user's session; also returns whether it took effect.
    async fn act(&mut self, operation: Operation, asked: Asked, due: Due, body: Bytes) -> (Outcome, Effect) {
        let mut sent = self.send(operation, due, body).await;
        let shows_ended = match &sent.said {
            Said::Listed(entries) => self.ended.borrow().is_shown(entries, sent.call_us),
            _ => false,
        };
        let listed = |grade| match grade {
            Grade::Verified if shows_ended => Grade::Wrong(Anomaly::ListedAfterDelete),
            grade => grade,
        };
        let Some(session) = &mut self.session else {
            // Only a list can be asked for without one.
            let (grade, detail) = grade_alone(&sent.said);
            sent.detail = detail;
            return (self.write_down(operation, due, &sent, listed(grade)), Effect::None);
        };
        if let Some(timestamp_s) = sent.timestamp_s {
            session.hear(timestamp_s);
        }
        // Read before grading: once the session has ended, this is unknown.
        let created_ms = session.created_ms();
        let grade = listed(session.grade(asked, &sent.said));
        sent.detail = session.take_detail();
        match (&sent.said, created_ms) {
            (Said::Created, _) => self.opened_us = sent.end_us,
            (Said::Deleted, Some(created_ms)) if session.is_settled() => {
                let lived_us = sent.call_us.saturating_sub(self.opened_us);
                self.ended.borrow_mut().note(&session.key, created_ms, lived_us, sent.end_us);
            }
            _ => {}
        }
        let effect = Effect::of(asked, &sent.said);
        if self.common.shared_key.is_none() {
            self.common.note(session, self.number, asked, effect);
        }
        (self.write_down(operation, due, &sent, grade), effect)
    }

    /// The user's next content.
    fn content(&mut self, state_bytes: usize) -> Content {
        let number = self.next;
        self.next += 1;
        Content { writer: self.common.writer(self.number), number, size_bytes: state_bytes.max(MIN_STATE_BYTES) }
    }

    fn key(&self) -> &str {
        self.session.as_ref().map_or("", |session| &session.key)
    }

    /// Sends a request, and reads what is answered. Times are taken just before and just after.
    async fn send(&mut self, operation: Operation, due: Due, body: Bytes) -> Sent {
        let request = self.common.target.paths().request(operation, self.key(), body);
        let call_us = self.time.now_us();
        if !due.is_set_up {
            self.recorder.borrow_mut().sends(due.meant_us, call_us);
        }
        let outcome = self.client.send(request).await;
        let end_us = self.time.now_us();
        let Reading { said, timestamp_s } = read(operation, outcome);
        Sent { call_us, end_us, said, timestamp_s, detail: None }
    }

    fn write_down(&mut self, operation: Operation, due: Due, sent: &Sent, grade: Grade) -> Outcome {
        let key = self.session.as_ref().map(|session| session.key.as_str());
        let writes = matches!(operation, Operation::Instantiate | Operation::Save);
        self.input.clear();
        if writes {
            let content = Content { writer: self.common.writer(self.number), number: self.next - 1, size_bytes: 0 };
            self.common.name(content, &mut self.input);
        }
        self.output.clear();
        let output = output(&sent.said, &self.common, &mut self.output);
        let error = if grade == Grade::Error { self.common.error_name(&sent.said) } else { String::new() };
        let done = Done {
            user: self.number,
            operation,
            key: key.filter(|_| !matches!(operation, Operation::GenerateKey | Operation::List)),
            meant_us: due.meant_us,
            free_us: due.free_us,
            call_us: sent.call_us,
            end_us: sent.end_us,
            is_timeout: matches!(&sent.said, Said::NoAnswer(failure) if failure.is_timeout()),
            input: writes.then_some(&self.input),
            answer: output.map(|output| Answer { return_us: sent.end_us, output }),
            judgement: match grade {
                Grade::Verified => Judgement::Verified,
                Grade::Wrong(wrong) => Judgement::Wrong(wrong.name()),
                Grade::Error => Judgement::Error(&error),
            },
            detail: sent.detail.as_deref(),
            is_set_up: due.is_set_up,
        };
        self.recorder.borrow_mut().done(&done);
        Outcome {
            end_us: sent.end_us,
            is_verified: grade == Grade::Verified,
            goes_on: match sent.said {
                Said::Malformed { .. }
                | Said::WrongStatus { .. }
                | Said::Unclear { .. }
                | Said::NoKey(_)
                | Said::NoAnswer(_) => false,
                Said::Refused { .. } => matches!(operation, Operation::Restore | Operation::Delete),
                _ => true,
            },
            is_unanswered: matches!(sent.said, Said::NoAnswer(_)),
        }
    }
}

/// What was sent, and what came back.
struct Sent {
    call_us: u64,
    end_us: u64,
    said: Said,
    /// The envelope's timestamp, Unix seconds.
    timestamp_s: Option<f64>,
    /// What is wrong with it, in words, if its grade does not say it all.
    detail: Option<String>,
}

/// What an answer said, as the history has it; `None` where there is none.
fn output<'a>(said: &'a Said, common: &Common, text: &'a mut String) -> Option<Output<'a>> {
    if let Some((status, message)) = said.refusal() {
        text.push_str(&message);
        return Some(Output::Refusal { status, message: text });
    }
    Some(Output::Success(match said {
        Said::Key(key) => key,
        Said::Created => "created",
        Said::Existed => "exists",
        Said::Saved => "saved",
        Said::Deleted => "deleted",
        Said::Restored(restored) => {
            match restored.content {
                Some(content) => common.name(content, text),
                None => text.push_str("no whole document"),
            }
            text
        }
        Said::Listed(entries) => {
            for key in entries.iter().map(Listed::key).filter(|key| is_session_key(key)) {
                text.push_str(key);
                text.push(' ');
            }
            text.trim_end()
        }
        // No response; other failures were written above.
        _ => return None,
    }))
}
