//! Names for what goes wrong.

use std::fmt;

/// A wrong answer, or several that cannot all be right, by its standard name.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash, PartialOrd, Ord)]
pub enum Anomaly {
    /// A key that another user holds was handed out.
    DuplicateKey,
    /// A key was handed out while its document was there, or a session shows a document that is another's.
    KeyChangedOwners,
    /// A document that is not whole, or mixed from several.
    TornRead,
    /// A document that an acknowledged save had replaced before it was asked for.
    StaleRead,
    /// A document older than one that somebody had seen before, while the save of the newer was still under way.
    NonMonotonicRead,
    /// Nothing, where a document was before and after: the middle of an operation.
    IntermediateRead,
    /// The content of a write that was refused.
    AbortedRead,
    /// A content that was never sent, or not yet.
    NeverWritten,
    /// An acknowledged save that nobody ever sees: the document goes on as if it had not been.
    LostUpdate,
    /// A document is gone that was acknowledged and not deleted.
    AcknowledgedThenLost,
    /// A save that was acknowledged after a delete, and is not there: it went into the file that was deleted.
    WriteToUnlinkedFile,
    /// A document is back that was deleted.
    ResurrectedDocument,
    /// What can happen once happened twice: a creation, a removal, or a save that comes back after it was replaced.
    AppliedTwice,
    /// An error where a document is that was there throughout.
    UnreadableDocument,
    /// A list without a document that was there throughout.
    MissingFromList,
    /// A list with a document that was deleted before the list was requested.
    ListedAfterDelete,
    /// A list that shows a session twice, is out of order, or shows data that is not the session's.
    WrongListEntry,
    /// The content is right, but the type, the metadata or another posted field is not.
    ChangedDocument,
    /// A key was handed out that is not valid: not three of `A-Z0-9`.
    InvalidKey,
    /// A response outside the contract's envelope, or with data that does not belong to the operation.
    MalformedAnswer,
    /// A response in the contract's envelope, with an HTTP status that does not match it.
    WrongStatus,
    /// A request that keeps the contract was refused as if it did not.
    ValidRequestRefused,
    /// No order explains it, and it has no name of its own.
    NotLinearizable,
}

impl Anomaly {
    /// All of them.
    pub const ALL: [Self; 23] = [
        Self::DuplicateKey,
        Self::KeyChangedOwners,
        Self::TornRead,
        Self::StaleRead,
        Self::NonMonotonicRead,
        Self::IntermediateRead,
        Self::AbortedRead,
        Self::NeverWritten,
        Self::LostUpdate,
        Self::AcknowledgedThenLost,
        Self::WriteToUnlinkedFile,
        Self::ResurrectedDocument,
        Self::AppliedTwice,
        Self::UnreadableDocument,
        Self::MissingFromList,
        Self::ListedAfterDelete,
        Self::WrongListEntry,
        Self::ChangedDocument,
        Self::InvalidKey,
        Self::MalformedAnswer,
        Self::WrongStatus,
        Self::ValidRequestRefused,
        Self::NotLinearizable,
    ];

    /// Its name in reports.
    #[must_use]
    pub fn name(self) -> &'static str {
        match self {
            Self::DuplicateKey => "duplicate key",
            Self::KeyChangedOwners => "key that changed owners",
            Self::TornRead => "torn read",
            Self::StaleRead => "stale read",
            Self::NonMonotonicRead => "non-monotonic read",
            Self::IntermediateRead => "intermediate read",
            Self::AbortedRead => "aborted read",
            Self::NeverWritten => "content never written",
            Self::LostUpdate => "lost update",
            Self::AcknowledgedThenLost => "acknowledged then lost",
            Self::WriteToUnlinkedFile => "write to an unlinked file",
            Self::ResurrectedDocument => "resurrected document",
            Self::AppliedTwice => "applied twice",
            Self::UnreadableDocument => "unreadable document",
            Self::MissingFromList => "missing from list",
            Self::ListedAfterDelete => "listed after its delete",
            Self::WrongListEntry => "wrong list entry",
            Self::ChangedDocument => "changed document",
            Self::InvalidKey => "invalid key",
            Self::MalformedAnswer => "malformed answer",
            Self::WrongStatus => "wrong status",
            Self::ValidRequestRefused => "valid request refused",
            Self::NotLinearizable => "not linearizable",
        }
    }
}

impl fmt::Display for Anomaly {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(self.name())
    }
}
