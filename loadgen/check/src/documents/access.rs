//! One operation on one document, as a history has it: what was asked and what was answered, in one word.

use std::fmt;

/// A content that was written or read. What users of a run write is unique: a writer counts its contents up.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash, PartialOrd, Ord)]
pub struct Content {
    /// Who wrote it.
    pub writer: u32,
    /// Its number among the writer's.
    pub number: u32,
}

impl fmt::Display for Content {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "w{}.n{}", self.writer, self.number)
    }
}

/// When an operation returned that has no answer.
pub const NEVER: u64 = u64::MAX;

/// Who looks at a document's file in the saves folder: nobody's user.
pub const SAVES_FOLDER: u32 = u32::MAX;

/// Who opens sessions for all users.
pub const HARNESS: u32 = u32::MAX - 1;

/// One operation on one document.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub struct Access {
    /// Who asked.
    pub process: u32,
    /// When it was sent, µs since the run's start.
    pub called_us: u64,
    /// When the whole answer was there, µs since the run's start; [`NEVER`] where the outcome is unknown: it may take
    /// effect at any later time, or never.
    pub returned_us: u64,
    /// What was asked and answered.
    pub kind: Kind,
}

/// What was asked and answered.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub enum Kind {
    /// generate-key handed the key out: there was no document under it. The key may be reserved from then on.
    Handed,
    /// instantiate: created.
    Created(Content),
    /// instantiate: it exists already, so the content that was sent, if known, had no effect.
    Existed(Option<Content>),
    /// instantiate without a clear answer.
    MayCreate(Content),
    /// save: acknowledged.
    Saved(Content),
    /// save without a clear answer.
    MaySave(Content),
    /// save or instantiate that was refused: it had no effect.
    Refused(Content),
    /// restore: this content.
    Shows(Content),
    /// restore: not found.
    ShowsNone,
    /// restore: the server could not read the document, as where it is only just being created. It is no answer to a
    /// restore of a document that is there throughout.
    Unreadable,
    /// restore: something that is no whole document. That is never right.
    Torn,
    /// list: without the document.
    Unlisted,
    /// delete: deleted.
    Deleted,
    /// delete: not found.
    DeletesNone,
    /// delete without a clear answer.
    MayDelete,
}

/// What a kind of access needs and does. This is the compact form of [`store`](crate::store)'s model; that both
/// are one is tested.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Role {
    /// It sees this content.
    SeesContent(Content),
    /// It sees that there is none, and reserves the key.
    Hands,
    /// It sees that there is none.
    SeesAbsent,
    /// It sees that there is one.
    SeesPresent,
    /// It can never be right.
    Impossible,
    /// It has no effect and sees nothing.
    Nothing,
    /// It writes a content over whatever is there.
    Writes(Content),
    /// It writes a content where there is none.
    Creates(Content),
    /// It removes the document that is there, or ends a reservation.
    Removes,
}

impl Role {
    /// Whether it may change what is stored.
    pub(super) fn has_effect(self) -> bool {
        matches!(self, Self::Hands | Self::Writes(_) | Self::Creates(_) | Self::Removes)
    }
}

impl Kind {
    pub(super) fn role(self) -> Role {
        match self {
            Self::Handed => Role::Hands,
            Self::ShowsNone | Self::Unreadable | Self::Unlisted | Self::DeletesNone => Role::SeesAbsent,
            Self::Created(content) | Self::MayCreate(content) => Role::Creates(content),
            Self::Existed(_) => Role::SeesPresent,
            Self::Saved(content) | Self::MaySave(content) => Role::Writes(content),
            Self::Refused(_) => Role::Nothing,
            Self::Shows(content) => Role::SeesContent(content),
            Self::Torn => Role::Impossible,
            Self::Deleted | Self::MayDelete => Role::Removes,
        }
    }

    /// The same operation while its response is outstanding.
    pub(super) fn opened(self) -> Self {
        match self {
            Self::Created(content) => Self::MayCreate(content),
            Self::Saved(content) => Self::MaySave(content),
            Self::Deleted => Self::MayDelete,
            other => other,
        }
    }

    /// The content that it wrote, or may have.
    #[must_use]
    pub fn written(self) -> Option<Content> {
        match self.role() {
            Role::Writes(content) | Role::Creates(content) => Some(content),
            _ => None,
        }
    }

    /// The content that a restore showed.
    #[must_use]
    pub fn shown(self) -> Option<Content> {
        match self {
            Self::Shows(content) => Some(content),
            _ => None,
        }
    }

    /// The name of the operation.
    #[must_use]
    pub fn operation(self) -> &'static str {
        match self {
            Self::Handed => "generate-key",
            Self::Created(_) | Self::Existed(_) | Self::MayCreate(_) => "instantiate",
            Self::Saved(_) | Self::MaySave(_) | Self::Refused(_) => "save",
            Self::Shows(_) | Self::ShowsNone | Self::Unreadable | Self::Torn => "restore",
            Self::Unlisted => "list",
            Self::Deleted | Self::DeletesNone | Self::MayDelete => "delete",
        }
    }

    /// What was sent with it; empty where nothing is.
    #[must_use]
    pub fn input(self) -> String {
        match self {
            Self::Refused(content) | Self::Existed(Some(content)) => content.to_string(),
            _ => self.written().map_or_else(String::new, |content| content.to_string()),
        }
    }

    /// What was answered, in words.
    #[must_use]
    pub fn output(self) -> String {
        match self {
            Self::Handed => "handed out".to_owned(),
            Self::Created(_) => "created".to_owned(),
            Self::Existed(_) => "exists already".to_owned(),
            Self::Saved(_) => "saved".to_owned(),
            Self::Shows(content) => content.to_string(),
            Self::ShowsNone | Self::DeletesNone => "not found".to_owned(),
            Self::Unreadable => "unreadable".to_owned(),
            Self::Torn => "no whole document".to_owned(),
            Self::Unlisted => "without it".to_owned(),
            Self::Deleted => "deleted".to_owned(),
            Self::Refused(_) => "refused".to_owned(),
            Self::MayCreate(_) | Self::MaySave(_) | Self::MayDelete => "no clear answer".to_owned(),
        }
    }
}

impl Access {
    /// Whether it may be left out of an order: its effect is unknown.
    pub(super) fn is_optional(&self) -> bool {
        matches!(self.kind, Kind::MayCreate(_) | Kind::MaySave(_) | Kind::MayDelete)
    }

    /// Whether it may still write something.
    #[must_use]
    pub fn is_open_write(&self) -> bool {
        self.is_optional() && self.kind.written().is_some()
    }

    /// Whether it had its answer before the other was sent. Intervals that touch do not count as one after the other.
    #[must_use]
    pub fn is_before(&self, other: &Self) -> bool {
        self.returned_us < other.called_us
    }
}
