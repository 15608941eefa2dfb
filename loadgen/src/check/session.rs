//! What one user can say of each answer to it, while the load runs: nobody else writes to its session, and its
//! own operations come one after another. What only several users' answers together show is for the history.

use super::anomaly::Anomaly;
use super::answer::{Listed, Restored, Said, is_unreadable};
use crate::client::Failure;
use crate::document::Content;

/// The type of all documents that are written.
pub const TYPE_SLUG: &str = "word";

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
    /// What was asked for under the key before it was handed out had no clear answer, and may still take effect.
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
    /// When its document was created, as a list showed it, Unix ms.
    created_ms: Option<f64>,
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
            created_ms: None,
        }
    }

    /// A session whose key was just handed out, where an operation of an earlier session of that key had no clear answer:
    /// a late write can show another content, and a late delete none.
    #[must_use]
    pub fn unsettled(key: String, writer: u64) -> Self {
        Self { is_unsettled: true, has_open_delete: true, ..Self::handed(key, writer) }
    }

    /// A session with a document that several users of the run write to.
    #[must_use]
    pub fn shared(key: String, writer: u64) -> Self {
        Self { is_shared: true, presence: Presence::Present, ..Self::handed(key, writer) }
    }

    /// Whether a document may be under the key that the user itself created.
    #[must_use]
    pub fn may_have_document(&self) -> bool {
        self.sent.is_some() && self.presence != Presence::Deleted
    }

    /// Whether a document of the user's own was acknowledged, and not ended since.
    #[must_use]
    pub fn has_document(&self) -> bool {
        self.presence == Presence::Present
    }

    /// When its document was created by its own account, Unix ms, where that was shown.
    #[must_use]
    pub fn created_ms(&self) -> Option<f64> {
        self.created_ms
    }

    /// Whether nothing under the key had no clear answer, so that it is over when it is ended.
    #[must_use]
    pub fn is_settled(&self) -> bool {
        !self.has_open_delete && self.open_writes.is_empty()
    }

    /// Whether an operation without a clear answer leaves open whether the user still has the key.
    #[must_use]
    pub fn may_be_lost(&self) -> bool {
        self.presence == Presence::Unsure
    }

    /// Grades an answer, and remembers what it says.
    pub fn grade(&mut self, asked: Asked, said: &Said) -> Grade {
        if let Asked::Instantiate(content) | Asked::Save(content) = asked {
            self.sent = Some(content.number);
        }
        match said {
            Said::Malformed { .. } => {
                self.leave_open(asked);
                Grade::Wrong(Anomaly::MalformedAnswer)
            }
            // Nothing happened at the server.
            Said::NoAnswer(Failure::CannotConnect(_)) => Grade::Error,
            Said::NoAnswer(_) => {
                self.leave_open(asked);
                Grade::Error
            }
            Said::Refused { status, message } => self.grade_refusal(asked, *status, message),
            _ => self.grade_success(asked, said),
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
            }
            Asked::Restore | Asked::List => {}
        }
    }

    fn grade_refusal(&mut self, asked: Asked, status: u16, message: &str) -> Grade {
        let is_there = self.is_surely_there();
        match (asked, status) {
            (Asked::Delete, 404) => {
                self.presence = Presence::Deleted;
                if is_there { Grade::Wrong(Anomaly::AcknowledgedThenLost) } else { Grade::Verified }
            }
            (Asked::Restore, 404) if is_there => Grade::Wrong(Anomaly::AcknowledgedThenLost),
            (Asked::Restore, 404) => Grade::Verified,
            // It is busy, not mistaken.
            (_, 408 | 429) => {
                self.leave_open(asked);
                Grade::Error
            }
            (_, 400..500) => Grade::Wrong(Anomaly::ValidRequestRefused),
            (Asked::Restore, _) if is_there && is_unreadable(message) => Grade::Wrong(Anomaly::UnreadableDocument),
            _ => {
                self.leave_open(asked);
                Grade::Error
            }
        }
    }

    fn grade_success(&mut self, asked: Asked, said: &Said) -> Grade {
        let is_there = self.is_surely_there();
        let wrong = match (asked, said) {
            (Asked::Instantiate(content), Said::Created) => {
                self.acknowledge(content);
                is_there.then_some(Anomaly::AcknowledgedThenLost)
            }
            (Asked::Instantiate(content), Said::Existed) => {
                let is_anothers = self.presence == Presence::Handed && !self.is_unsettled;
                // Nothing of it was stored.
                self.sent = self.sent.filter(|sent| *sent != content.number).or(self.acknowledged);
                is_anothers.then_some(Anomaly::DuplicateKey)
            }
            (Asked::Save(content), Said::Saved) => {
                self.acknowledge(content);
                None
            }
            (Asked::Restore, Said::Restored(restored)) => self.misread(restored),
            (Asked::Delete, Said::Deleted) => {
                self.presence = Presence::Deleted;
                None
            }
            (Asked::List, Said::Listed(entries)) => {
                let own = entries.iter().filter(|entry| entry.session_key == self.key);
                let is_right = own.clone().map(|entry| entry.type_slug == TYPE_SLUG).eq([true]);
                if is_there && is_right {
                    self.created_ms = own.last().and_then(Listed::created_ms);
                }
                (is_there && !is_right).then_some(Anomaly::MissingFromList)
            }
            _ => Some(Anomaly::MalformedAnswer),
        };
        wrong.map_or(Grade::Verified, Grade::Wrong)
    }

    fn acknowledge(&mut self, content: Content) {
        self.acknowledged = Some(content.number);
        self.presence = Presence::Present;
    }

    fn is_surely_there(&self) -> bool {
        self.presence == Presence::Present && !self.has_open_delete
    }

    /// What is wrong with a document that restore answered.
    fn misread(&self, restored: &Restored) -> Option<Anomaly> {
        let is_own = restored.session_key.as_ref() == Some(&self.key);
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
            // A late write may be of an earlier session of the user's own.
            _ if self.is_unsettled && self.sent.is_none_or(|sent| content.number <= sent) => None,
            (shown, _, sent) if shown > sent => Some(Anomaly::NeverWritten),
            _ if self.presence == Presence::Deleted => Some(Anomaly::ResurrectedDocument),
            (shown, acknowledged, _) if shown < acknowledged => Some(Anomaly::StaleRead),
            (shown, acknowledged, _) if shown > acknowledged => Some(Anomaly::AbortedRead),
            _ => None,
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    const WRITER: u64 = 17;

    fn content(number: u64) -> Content {
        Content { writer: WRITER, number, size_bytes: 2_700 }
    }

    fn showing(key: &str, content: Option<Content>) -> Said {
        Said::Restored(Restored { session_key: Some(key.to_owned()), content })
    }

    fn refused(status: u16, message: &str) -> Said {
        Said::Refused { status, message: message.to_owned() }
    }

    const TIMED_OUT: Said = Said::NoAnswer(Failure::TimedOut(10));

    /// A session of key A4K with what came before.
    fn session(before: &[(Asked, Said)]) -> Session {
        let mut session = Session::handed("A4K".to_owned(), WRITER);
        for (asked, said) in before {
            session.grade(*asked, said);
        }
        session
    }

    /// How a restore is graded after that.
    fn restored(before: &[(Asked, Said)], said: &Said) -> Grade {
        session(before).grade(Asked::Restore, said)
    }

    fn created() -> (Asked, Said) {
        (Asked::Instantiate(content(0)), Said::Created)
    }

    fn saved(number: u64) -> (Asked, Said) {
        (Asked::Save(content(number)), Said::Saved)
    }

    #[test]
    fn a_restore_shows_the_newest_acknowledged_write_or_one_whose_outcome_is_not_known() {
        let before = [created(), saved(1), (Asked::Save(content(2)), TIMED_OUT)];
        let grade = |number| restored(&before, &showing("A4K", Some(content(number))));
        assert_eq!(grade(0), Grade::Wrong(Anomaly::StaleRead));
        assert_eq!(grade(1), Grade::Verified);
        assert_eq!(grade(2), Grade::Verified);
        assert_eq!(grade(3), Grade::Wrong(Anomaly::NeverWritten));
        let later = [&before[..], &[saved(3)]].concat();
        let grade = |number| restored(&later, &showing("A4K", Some(content(number))));
        assert_eq!(grade(1), Grade::Wrong(Anomaly::StaleRead));
        assert_eq!(grade(2), Grade::Verified, "what was never answered may take effect at any later time");
        assert_eq!(grade(3), Grade::Verified);
    }

    #[test]
    fn each_way_of_reading_wrong_has_its_name() {
        let there = [created(), saved(1)];
        let refused_write = [created(), (Asked::Save(content(1)), refused(400, "Invalid checklist type"))];
        let deleted = [created(), (Asked::Delete, Said::Deleted)];
        let elsewhere = Content { writer: 4, ..content(1) };
        for (before, said, wrong) in [
            (&there, showing("A4K", None), Anomaly::TornRead),
            (&there, showing("B4K", Some(content(1))), Anomaly::KeyChangedOwners),
            (&there, showing("A4K", Some(elsewhere)), Anomaly::KeyChangedOwners),
            (&refused_write, showing("A4K", Some(content(1))), Anomaly::AbortedRead),
            (&there, refused(404, "No saved data found"), Anomaly::AcknowledgedThenLost),
            (&there, refused(500, "Invalid saved data format"), Anomaly::UnreadableDocument),
            (&there, refused(400, "Invalid session key"), Anomaly::ValidRequestRefused),
            (&there, Said::Malformed { status: 200 }, Anomaly::MalformedAnswer),
            (&there, Said::Saved, Anomaly::MalformedAnswer),
            (&deleted, showing("A4K", Some(content(0))), Anomaly::ResurrectedDocument),
        ] {
            assert_eq!(restored(before, &said), Grade::Wrong(wrong), "{said:?}");
        }
    }

    #[test]
    fn after_a_delete_the_key_can_be_anybodys() {
        let deleted = [created(), (Asked::Delete, Said::Deleted)];
        let elsewhere = Content { writer: 4, ..content(1) };
        for said in [refused(404, "No saved data found"), showing("A4K", Some(elsewhere)), showing("A4K", None)] {
            assert_eq!(restored(&deleted, &said), Grade::Verified, "{said:?}");
        }
    }

    #[test]
    fn what_had_no_clear_answer_accuses_nobody() {
        let nothing = refused(404, "No saved data found");
        for open in [
            vec![(Asked::Instantiate(content(0)), TIMED_OUT)],
            vec![(Asked::Instantiate(content(0)), refused(500, "Failed to open file"))],
            vec![created(), (Asked::Delete, TIMED_OUT)],
            vec![created(), (Asked::Delete, TIMED_OUT), saved(1)],
            vec![created(), (Asked::Delete, refused(500, "Failed to delete instance"))],
            vec![created(), (Asked::Delete, refused(408, "Request timeout"))],
        ] {
            assert_eq!(restored(&open, &nothing), Grade::Verified, "{open:?}");
            assert_eq!(session(&open).grade(Asked::Delete, &nothing), Grade::Verified, "{open:?}");
            let unreadable = refused(500, "Failed to read saved data");
            assert_eq!(restored(&open, &unreadable), Grade::Error, "{open:?}");
        }
        let never_sent = [created(), (Asked::Delete, Said::NoAnswer(Failure::CannotConnect(String::new())))];
        assert_eq!(restored(&never_sent, &nothing), Grade::Wrong(Anomaly::AcknowledgedThenLost));
    }

    /// A delete that nobody heard of ends the next owner's session; a save comes up in it.
    #[test]
    fn what_is_left_of_an_earlier_session_accuses_nobody() {
        let unsettled = |before: &[(Asked, Said)]| {
            let mut session = Session::unsettled("A4K".to_owned(), WRITER);
            assert!(before.iter().all(|(asked, said)| session.grade(*asked, said) == Grade::Verified));
            session
        };
        let before = [(Asked::Instantiate(content(6)), Said::Created), saved(7)];
        let elsewhere = Content { writer: 4, ..content(9) };
        let shown = [Some(elsewhere), Some(content(2)), Some(content(7)), None];
        let nothing = refused(404, "No saved data found");
        for said in shown.map(|shown| showing("A4K", shown)).iter().chain([&nothing]) {
            assert_eq!(unsettled(&before).grade(Asked::Restore, said), Grade::Verified, "{said:?}");
        }
        assert_eq!(unsettled(&before).grade(Asked::Delete, &nothing), Grade::Verified);
        assert_eq!(unsettled(&before).grade(Asked::List, &Said::Listed(vec![])), Grade::Verified);
        let mut taken = unsettled(&[(Asked::Instantiate(content(6)), Said::Existed)]);
        assert!(!taken.may_have_document());
        assert_eq!(taken.grade(Asked::Restore, &showing("A4K", Some(content(2)))), Grade::Verified);
        let wrong = [
            (showing("A4K", Some(content(8))), Anomaly::NeverWritten),
            (showing("B4K", Some(elsewhere)), Anomaly::KeyChangedOwners),
        ];
        for (said, anomaly) in wrong {
            assert_eq!(unsettled(&before).grade(Asked::Restore, &said), Grade::Wrong(anomaly), "{said:?}");
        }
    }

    #[test]
    fn clear_failures_are_errors_and_not_wrong() {
        for said in
            [refused(500, "Failed to acquire file lock"), refused(503, "Server busy"), refused(429, "slow"), TIMED_OUT]
        {
            for asked in [Asked::Save(content(1)), Asked::Restore, Asked::Delete, Asked::List] {
                assert_eq!(session(&[created()]).grade(asked, &said), Grade::Error, "{asked:?} {said:?}");
            }
        }
    }

    #[test]
    fn an_instantiate_finds_what_is_known_to_be_there() {
        let exists = Said::Existed;
        let again = Asked::Instantiate(content(5));
        assert_eq!(session(&[]).grade(again, &exists), Grade::Wrong(Anomaly::DuplicateKey));
        assert!(!session(&[(again, exists.clone())]).may_have_document(), "it is another's");
        assert_eq!(session(&[created()]).grade(again, &exists), Grade::Verified);
        assert_eq!(session(&[created()]).grade(again, &Said::Created), Grade::Wrong(Anomaly::AcknowledgedThenLost));
        let mut unsure = session(&[(Asked::Instantiate(content(0)), TIMED_OUT)]);
        assert_eq!(unsure.grade(again, &exists), Grade::Verified);
        assert_eq!(
            unsure.grade(Asked::Restore, &showing("A4K", Some(content(5)))),
            Grade::Wrong(Anomaly::NeverWritten)
        );
    }

    #[test]
    fn a_list_shows_ones_own_document_once_with_its_type() {
        let entry =
            |key: &str, slug: &str| Listed { session_key: key.to_owned(), type_slug: slug.to_owned(), created: None };
        let (own, other) = (entry("A4K", TYPE_SLUG), entry("B4K", TYPE_SLUG));
        for (entries, grade) in [
            (vec![other.clone(), own.clone()], Grade::Verified),
            (vec![other.clone()], Grade::Wrong(Anomaly::MissingFromList)),
            (vec![own.clone(), own.clone()], Grade::Wrong(Anomaly::MissingFromList)),
            (vec![entry("A4K", "demo")], Grade::Wrong(Anomaly::MissingFromList)),
        ] {
            assert_eq!(session(&[created()]).grade(Asked::List, &Said::Listed(entries)), grade);
        }
        assert_eq!(session(&[]).grade(Asked::List, &Said::Listed(vec![other])), Grade::Verified);
    }

    #[test]
    fn a_shared_document_may_be_anybodys_but_not_older_than_ones_own_save() {
        let mut shared = Session::shared("A4K".to_owned(), WRITER);
        let elsewhere = Content { writer: 4, ..content(9) };
        assert_eq!(shared.grade(Asked::Restore, &showing("A4K", Some(elsewhere))), Grade::Verified);
        shared.grade(Asked::Save(content(0)), &Said::Saved);
        shared.grade(Asked::Save(content(1)), &Said::Saved);
        assert_eq!(shared.grade(Asked::Restore, &showing("A4K", Some(elsewhere))), Grade::Verified);
        assert_eq!(shared.grade(Asked::Restore, &showing("A4K", Some(content(0)))), Grade::Wrong(Anomaly::StaleRead));
        assert_eq!(shared.grade(Asked::Restore, &showing("A4K", None)), Grade::Wrong(Anomaly::TornRead));
    }

    #[test]
    fn wrong_answers_have_names_of_their_own() {
        let names: std::collections::BTreeSet<&str> = Anomaly::ALL.map(Anomaly::name).into();
        assert_eq!(names.len(), Anomaly::ALL.len());
    }
}
