//! What a document was seen to be when something had gone wrong, by restore or in its file.

use contract::document::{Content, Document};
use engine::client::Exchange;
use engine::saves_folder::SavesFolder;
use serde_json::Value;
use serde_json::value::RawValue;
use std::fmt;

/// What a document was seen to be.
#[derive(Clone, Debug, PartialEq)]
pub(super) enum Seen {
    /// A whole document of its key.
    Whole { content: Content, metadata: Value },
    /// Something else, of so many bytes.
    Broken { size_bytes: usize },
    /// An error in place of a document.
    Refused { status: u16 },
    /// No document.
    Nothing,
}

impl Seen {
    /// What a restore shows; `None` where it was not answered.
    pub(super) fn by_restore(restored: &Exchange) -> Option<Self> {
        Some(match (restored.data(), restored.status()?) {
            (Some(data), _) => Self::of(Some(RawValue::get(data)), &restored.key),
            (None, 404) => Self::Nothing,
            (None, status) => Self::Refused { status },
        })
    }

    /// What the file of a key holds.
    pub(super) fn in_file(folder: &SavesFolder, key: &str) -> Self {
        Self::of(folder.document(key).as_deref(), key)
    }

    fn of(text: Option<&str>, key: &str) -> Self {
        let Some(text) = text else { return Self::Nothing };
        let document = Document::parse(text).filter(|document| document.session_key.as_deref() == Some(key));
        let whole = document.and_then(|document| Some((document.content()?, document.metadata)));
        match whole {
            Some((content, metadata)) => Self::Whole { content, metadata },
            None => Self::Broken { size_bytes: text.len() },
        }
    }

    /// The content, where it is whole.
    pub(super) fn content(&self) -> Option<Content> {
        match self {
            Self::Whole { content, .. } => Some(*content),
            _ => None,
        }
    }

    /// Whether there is no document: none at all, or an empty file, which counts as not there yet.
    pub(super) fn is_nothing(&self) -> bool {
        matches!(self, Self::Nothing | Self::Broken { size_bytes: 0 })
    }
}

impl fmt::Display for Seen {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Whole { content, .. } => write!(f, "the whole {content}"),
            Self::Broken { size_bytes: 0 } => f.write_str("nothing: it is empty"),
            Self::Broken { size_bytes } => write!(f, "{size_bytes} bytes that are no whole document"),
            Self::Refused { status } => write!(f, "no document but an error, {status}"),
            Self::Nothing => f.write_str("no document"),
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use contract::Operation;
    use contract::document::{MIN_STATE_BYTES, stored};
    use engine::client::samples::exchange as sample;

    #[test]
    fn half_a_document_another_keys_and_an_empty_file_are_told_apart() {
        let content = Content { writer: 1, number: 2, size_bytes: MIN_STATE_BYTES };
        let text = stored("A4K", content, 0);
        assert_eq!(Seen::of(Some(&text), "A4K").content(), Some(content));
        assert_eq!(Seen::of(Some(&text), "B4K"), Seen::Broken { size_bytes: text.len() });
        assert_eq!(Seen::of(Some(&text[..100]), "A4K"), Seen::Broken { size_bytes: 100 });
        assert!(Seen::of(Some(""), "A4K").is_nothing() && Seen::of(None, "A4K").is_nothing());
    }

    #[test]
    fn a_restore_shows_nothing_only_where_it_says_so() {
        let restored = |status| Seen::by_restore(&sample(Operation::Restore, 0, 1, status));
        assert_eq!((restored(404), restored(500)), (Some(Seen::Nothing), Some(Seen::Refused { status: 500 })));
    }
}
