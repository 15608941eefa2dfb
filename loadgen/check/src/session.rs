//! What one user can say of each answer to it, while the load runs: nobody else writes to its session, and its
//! own operations come one after another. What only several users' answers together show is for the history.

mod whole;

use super::anomaly::Anomaly;
use contract::blames_request;
use contract::document::Content;
use contract::document::posted::{Mark, OPENING_WRITER};
use contract::response::{Listed, Restored, Said, is_unreadable, list_fault};
use whole::{CameBy, Whole};

/// What an answer is worth.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Grade {
    /// It is right.
    Verified,
    /// It cannot be right, whatever else happened.
    Wrong(Anomaly),
    /// It says clearly that the operation failed, or there is none.
    Error,
}

/// What was asked in a session.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Asked {
    /// instantiate with this content.
    Instantiate(Content),
    /// save of this content.
    Save(Content),
    /// restore.
    Restore,
    /// delete.
    Delete,
    /// list.
    List,
}

/// Whether there is a document, as far as its user can know.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Presence {
    /// The key was handed out, and nothing written yet.
    Handed,
    /// It is there.
    Present,
    /// It was there, and a restore did not find it: the restore is wrong, or the document is gone. Later responses may
    /// fit either.
    Missing,
    /// It was deleted; the key can be somebody else's by now.
    Deleted,
    /// A write or delete had no clear answer.
    Unsure,
}

/// A session, as its user knows it.
#[derive(Clone, Debug)]
pub struct Session {
    /// Its key.
    pub key: String,
    writer: u64,
    /// Whether other users of the run write to it too.
    is_shared: bool,
    /// An operation on the key from before it was handed out had no clear response, and may still take effect.
    is_unsettled: bool,
    presence: Presence,
    /// A delete without a clear answer may take effect at any later time.
    has_open_delete: bool,
    /// Number of the newest content that was acknowledged.
    acknowledged: Option<u64>,
    /// Numbers of contents whose write had no clear answer: they may come up at any later time.
    open_writes: Vec<u64>,
    /// Number of the newest content that was sent.
    sent: Option<u64>,
    /// Numbers of contents that an instantiate stored, or may have stored.
    instantiated: Vec<u64>,
    /// What is known about its document besides the state.
    whole: Whole,
    /// What is wrong with the last graded response, in words, if its grade does not say it all.
    detail: Option<String>,
}

impl Session {
    /// A session whose key was just handed out to the user who writes as `writer`.
    #[must_use]
    pub fn handed(key: String, writer: u64) -> Self {
        Self {
            key,
            writer,
            is_shared: false,
            is_unsettled: false,
            presence: Presence::Handed,
            has_open_delete: false,
            acknowledged: None,
            open_writes: Vec::new(),
            sent: None,
            instantiated: Vec::new(),
            whole: Whole::new(false),
            detail: None,
        }
    }

    /// A session whose key was just handed out, when an operation of an earlier session on that key had no clear
    /// response: a late write can replace the content, and a late delete can remove it.
    #[must_use]
    pub fn unsettled(key: String, writer: u64) -> Self {
        let mut session = Self { is_unsettled: true, has_open_delete: true, ..Self::handed(key, writer) };
        session.doubt();
        session
    }

    /// A session with a document that several users of the run write to.
    #[must_use]
    pub fn shared(key: String, writer: u64) -> Self {
        Self { is_shared: true, presence: Presence::Present, whole: Whole::new(true), ..Self::handed(key, writer) }
    }

    /// Notes that others may write or delete under the key: from then on, its document is held only to what follows
    /// from the content that it shows.
    pub fn doubt(&mut self) {
        self.whole.open();
    }

    /// When its document says it was created, Unix ms, as shown by restores or lists.
    #[must_use]
    pub fn created_ms(&self) -> Option<f64> {
        self.whole.created_ms()
    }

    /// Takes what is wrong with the last graded response, in words, if its grade does not say it all.
    pub fn take_detail(&mut self) -> Option<String> {
        self.detail.take()
    }

    /// Notes the timestamp of a response's envelope, Unix seconds. Call this before grading the response.
    pub fn hear(&mut self, timestamp_s: f64) {
        self.whole.hear(timestamp_s);
    }

    /// Whether a document may be under the key that the user itself created.
    #[must_use]
    pub fn may_have_document(&self) -> bool {
        self.sent.is_some() && self.presence != Presence::Deleted
    }

    /// Whether a document of the user's own was acknowledged, and has not ended since.
    #[must_use]
    pub fn has_document(&self) -> bool {
        matches!(self.presence, Presence::Present | Presence::Missing)
    }

    /// Whether every write and delete under the key had a clear response, so that nothing can follow once the session
    /// ends.
    #[must_use]
    pub fn is_settled(&self) -> bool {
        !self.has_open_delete && self.open_writes.is_empty()
    }

    /// Whether the user may have lost the key through an operation without a clear response.
    #[must_use]
    pub fn may_be_lost(&self) -> bool {
        self.presence == Presence::Unsure
    }

    /// Grades an answer, and remembers what it says.
    pub fn grade(&mut self, asked: Asked, said: &Said) -> Grade {
        self.detail = None;
        if let Asked::Instantiate(content) | Asked::Save(content) = asked {
            self.sent = Some(content.number);
        }
        if let Asked::Instantiate(content) = asked {
            self.instantiated.push(content.number);
        }
        if said.leaves_open() {
            self.leave_open(asked);
        }
        match said {
            Said::Refused { status, message } => self.grade_refusal(asked, *status, message),
            _ => grade_failure(said).unwrap_or_else(|| self.grade_success(asked, said)),
        }
    }

    /// The outcome of a write or delete is not known.
    fn leave_open(&mut self, asked: Asked) {
        match asked {
            Asked::Instantiate(content) | Asked::Save(content) => {
                self.open_writes.push(content.number);
                if self.presence != Presence::Present {
                    self.presence = Presence::Unsure;
                }
            }
            Asked::Delete => {
                self.has_open_delete = true;
                self.presence = Presence::Unsure;
                self.whole.open();
            }
            Asked::Restore | Asked::List => {}
        }
    }

    fn grade_refusal(&mut self, asked: Asked, status: u16, message: &str) -> Grade {
        let is_there = self.is_surely_there();
        match (asked, status) {
            (Asked::Delete, 404) => {
                self.end();
                if is_there { Grade::Wrong(Anomaly::AcknowledgedThenLost) } else { Grade::Verified }
            }
            (Asked::Restore, 404) if is_there => {
                // If it is gone, the next save creates a new document.
                self.presence = Presence::Missing;
                self.whole.open();
                Grade::Wrong(Anomaly::AcknowledgedThenLost)
            }
            (Asked::Restore, 404) => Grade::Verified,
            (_, status) if blames_request(status) => Grade::Wrong(Anomaly::ValidRequestRefused),
            (Asked::Restore, _) if is_there && is_unreadable(message) => Grade::Wrong(Anomaly::UnreadableDocument),
            _ => Grade::Error,
        }
    }

    fn grade_success(&mut self, asked: Asked, said: &Said) -> Grade {
        let is_there = self.is_surely_there();
        let wrong = match (asked, said) {
            (Asked::Instantiate(content), Said::Created) => {
                self.acknowledge(content);
                self.whole.created();
                if is_there {
                    self.whole.open();
                }
                is_there.then_some(Anomaly::AcknowledgedThenLost)
            }
            (Asked::Instantiate(content), Said::Existed) => {
                let is_anothers = self.presence == Presence::Handed && !self.is_unsettled;
                // Nothing of it was stored.
                self.instantiated.retain(|number| *number != content.number);
                self.sent = self.sent.filter(|sent| *sent != content.number).or(self.acknowledged);
                is_anothers.then_some(Anomaly::DuplicateKey)
            }
            (Asked::Save(content), Said::Saved) => {
                self.acknowledge(content);
                self.whole.saved(content);
                None
            }
            (Asked::Restore, Said::Restored(restored)) => self.misread(restored).or_else(|| self.changed(restored)),
            (Asked::Delete, Said::Deleted) => {
                self.end();
                None
            }
            (Asked::List, Said::Listed(entries)) => self.mislisted(entries),
            _ => Some(Anomaly::MalformedAnswer),
        };
        wrong.map_or(Grade::Verified, Grade::Wrong)
    }

    fn acknowledge(&mut self, content: Content) {
        self.acknowledged = Some(content.number);
        self.presence = Presence::Present;
    }

    /// Notes that the key may belong to somebody else from now on.
    fn end(&mut self) {
        self.presence = Presence::Deleted;
        self.whole.open();
    }

    fn is_surely_there(&self) -> bool {
        self.presence == Presence::Present && !self.has_open_delete
    }

    /// What is wrong with a document that restore answered.
    fn misread(&self, restored: &Restored) -> Option<Anomaly> {
        let is_own = restored.session_key.as_deref() == Some(self.key.as_str());
        let content = match restored.content {
            Some(content) if is_own => content,
            None if self.presence == Presence::Deleted || self.is_unsettled => return None,
            None => return Some(Anomaly::TornRead),
            Some(_) => return Some(Anomaly::KeyChangedOwners),
        };
        if content.writer != self.writer {
            // After a delete the key can be anybody's.
            let is_right = self.is_shared || self.is_unsettled || self.presence == Presence::Deleted;
            return (!is_right).then_some(Anomaly::KeyChangedOwners);
        }
        if self.open_writes.contains(&content.number) {
            return None;
        }
        match (Some(content.number), self.acknowledged, self.sent) {
            // A late write may belong to an earlier session of the same user.
            _ if self.is_unsettled && self.sent.is_none_or(|sent| content.number <= sent) => None,
            (shown, _, sent) if shown > sent => Some(Anomaly::NeverWritten),
            _ if self.presence == Presence::Deleted => Some(Anomaly::ResurrectedDocument),
            (shown, acknowledged, _) if shown < acknowledged => Some(Anomaly::StaleRead),
            (shown, acknowledged, _) if shown > acknowledged => Some(Anomaly::AbortedRead),
            _ => None,
        }
    }

    /// What is wrong with a document whose state is right.
    fn changed(&mut self, restored: &Restored) -> Option<Anomaly> {
        let content = restored.content.filter(|_| self.presence != Presence::Deleted)?;
        let is_instantiated = if content.writer == self.writer {
            self.instantiated.contains(&content.number)
        } else {
            content.writer == OPENING_WRITER
        };
        let came_by = if is_instantiated { CameBy::Instantiate } else { CameBy::Save };
        self.detail = self.whole.restored(content, came_by, &restored.rest, &self.open_writes);
        self.detail.is_some().then_some(Anomaly::ChangedDocument)
    }

    /// What is wrong with a list.
    fn mislisted(&mut self, entries: &[Listed]) -> Option<Anomaly> {
        self.detail = list_fault(entries);
        if self.detail.is_none() && self.is_surely_there() {
            let Some(own) = entries.iter().find(|entry| entry.key() == self.key) else {
                return Some(Anomaly::MissingFromList);
            };
            let number = self.acknowledged.filter(|_| self.open_writes.is_empty());
            self.detail = self.whole.listed(own, number.map(|number| Mark { writer: self.writer, number }));
        }
        self.detail.is_some().then_some(Anomaly::WrongListEntry)
    }
}

/// Grades a response to a user without a session; describes what is wrong with a list.
#[must_use]
pub fn grade_alone(said: &Said) -> (Grade, Option<String>) {
    match said {
        Said::Refused { status, .. } if blames_request(*status) => (Grade::Wrong(Anomaly::ValidRequestRefused), None),
        Said::Refused { .. } => (Grade::Error, None),
        Said::Listed(entries) => {
            let detail = list_fault(entries);
            let is_wrong = detail.is_some();
            (if is_wrong { Grade::Wrong(Anomaly::WrongListEntry) } else { Grade::Verified }, detail)
        }
        _ => (grade_failure(said).unwrap_or(Grade::Verified), None),
    }
}

/// Grades a response outside the contract's envelope, or one that says nothing about the request. `None` for all
/// others.
fn grade_failure(said: &Said) -> Option<Grade> {
    match said {
        Said::Malformed { .. } => Some(Grade::Wrong(Anomaly::MalformedAnswer)),
        Said::WrongStatus { .. } => Some(Grade::Wrong(Anomaly::WrongStatus)),
        Said::NoKey(_) => Some(Grade::Wrong(Anomaly::InvalidKey)),
        Said::Unclear { .. } | Said::NoAnswer(_) => Some(Grade::Error),
        _ => None,
    }
}

#[cfg(test)]
mod tests;
