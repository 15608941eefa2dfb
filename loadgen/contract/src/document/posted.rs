//! What saves post besides the state, so that a document that comes back incomplete is noticed. All of it is a pure
//! function of the content, so checking it needs no memory of what was sent.

use super::Content;
use serde_json::Value;
use serde_json::value::RawValue;
use std::collections::BTreeMap;
use std::fmt;

/// Types that every server accepts by default; users post them in turn.
const TYPES: [&str; 2] = ["word", "demo"];

/// The fields that every document has.
const USUAL: [&str; 4] = ["sessionKey", "typeSlug", "metadata", "state"];

/// Metadata names that saves post, one per save, in turn. They show whether a save overlays the stored metadata or
/// replaces it. None looks like an integer, as PHP renumbers those.
pub const NAMES: [&str; 3] = ["draft-a", "draft-b", "draft-c"];

/// Fields beyond the usual ones, one per save, in turn: a save removes the other one.
pub const VIEWS: [&str; 2] = ["view-a", "view-b"];

/// Writer of the initial document of a session that all users share, by instantiate. Saves wrote all other contents
/// there.
pub const OPENING_WRITER: u64 = u64::MAX;

/// The value of a metadata name: which save posted it.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Mark {
    /// The user who saved.
    pub writer: u64,
    /// The number of the content.
    pub number: u64,
}

impl Mark {
    /// Parses a mark.
    #[must_use]
    pub fn parse(text: &str) -> Option<Self> {
        let (writer, number) = text.strip_prefix('w')?.split_once(".n")?;
        Some(Self { writer: writer.parse().ok()?, number: number.parse().ok()? })
    }

    /// The type that its content is posted with.
    #[must_use]
    pub fn type_slug(self) -> &'static str {
        TYPES[place(self.writer ^ self.number, TYPES.len())]
    }

    /// Index of the name in [`NAMES`] that carries it.
    #[must_use]
    pub fn place(self) -> usize {
        place(self.number, NAMES.len())
    }
}

impl fmt::Display for Mark {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "w{}.n{}", self.writer, self.number)
    }
}

/// A piece of a view's JSON.
enum Piece {
    Text(&'static str),
    Writer,
    Number,
}

/// A value of each kind that a server may lose when it parses documents.
const VIEW: [Piece; 7] = [
    Piece::Text(r#"{"title":"Größe von \"n"#),
    Piece::Number,
    Piece::Text(r#"\"\tw"#),
    Piece::Writer,
    Piece::Text(r#"","rows":["#),
    Piece::Number,
    Piece::Text(r#",1.5,false,null],"at":{"x":true}}"#),
];

impl Content {
    /// The mark that the save of this content posts.
    #[must_use]
    pub fn mark(self) -> Mark {
        Mark { writer: self.writer, number: self.number }
    }

    /// The type that this content is posted with.
    #[must_use]
    pub fn type_slug(self) -> &'static str {
        self.mark().type_slug()
    }

    /// Index of the field in [`VIEWS`] that its save posts.
    #[must_use]
    pub fn view_place(self) -> usize {
        place(self.number, VIEWS.len())
    }

    /// Writes what its save posts besides key, type and state: fields of a JSON object, each preceded by a comma.
    pub fn write_posted(self, out: &mut Vec<u8>) {
        let mut number = itoa::Buffer::new();
        out.extend_from_slice(b",\"metadata\":{\"");
        out.extend_from_slice(NAMES[self.mark().place()].as_bytes());
        out.extend_from_slice(b"\":\"w");
        out.extend_from_slice(number.format(self.writer).as_bytes());
        out.extend_from_slice(b".n");
        out.extend_from_slice(number.format(self.number).as_bytes());
        out.extend_from_slice(b"\"},\"");
        out.extend_from_slice(VIEWS[self.view_place()].as_bytes());
        out.extend_from_slice(b"\":");
        self.write_view(out);
    }

    fn write_view(self, out: &mut Vec<u8>) {
        let mut number = itoa::Buffer::new();
        for piece in &VIEW {
            out.extend_from_slice(self.piece(piece, &mut number).as_bytes());
        }
    }

    /// The view that its save posts, as JSON.
    #[must_use]
    pub fn view(self) -> String {
        let mut view = Vec::new();
        self.write_view(&mut view);
        // All pieces are valid UTF-8.
        String::from_utf8(view).unwrap_or_default()
    }

    /// Whether a JSON value equals that view.
    #[must_use]
    pub fn is_view(self, shown: &str) -> bool {
        self.pass_view(shown.as_bytes()).is_some_and(<[u8]>::is_empty) || is_same(&self.view(), shown)
    }

    /// The rest of a text that begins with that view, byte for byte as posted.
    #[must_use]
    pub fn pass_view(self, mut text: &[u8]) -> Option<&[u8]> {
        let mut number = itoa::Buffer::new();
        for piece in &VIEW {
            text = text.strip_prefix(self.piece(piece, &mut number).as_bytes())?;
        }
        Some(text)
    }

    fn piece<'a>(self, piece: &Piece, number: &'a mut itoa::Buffer) -> &'a str {
        match piece {
            Piece::Text(text) => text,
            Piece::Writer => number.format(self.writer),
            Piece::Number => number.format(self.number),
        }
    }
}

/// The types that saves post, for messages.
pub const TYPES_IN_WORDS: &str = "\"word\" or \"demo\"";

/// Whether saves post this type.
#[must_use]
pub fn is_type(type_slug: &str) -> bool {
    TYPES.contains(&type_slug)
}

/// The first field of a document that is neither a usual one nor one of `posted`.
#[must_use]
pub fn field_beyond(document: &str, posted: &[&str]) -> Option<String> {
    let names: BTreeMap<String, &RawValue> = serde_json::from_str(document).ok()?;
    let is_known = |name: &str| USUAL.contains(&name) || posted.contains(&name);
    names.into_keys().find(|name| !is_known(name))
}

fn place(number: u64, places: usize) -> usize {
    usize::try_from(number % places as u64).unwrap_or_default()
}

fn is_same(posted: &str, shown: &str) -> bool {
    let parse = |text| serde_json::from_str::<Value>(text).ok();
    parse(posted).zip(parse(shown)).is_some_and(|(posted, shown)| super::same(&posted, &shown))
}

#[cfg(test)]
mod tests {
    use super::*;

    const CONTENT: Content = Content { writer: 17, number: 3, size_bytes: 300 };

    #[test]
    fn what_is_posted_is_json_and_says_which_save_it_is_of() {
        let mut posted = Vec::new();
        CONTENT.write_posted(&mut posted);
        assert!((100..160).contains(&posted.len()), "{}", posted.len());
        let posted = format!(r#"{{"key":1{}}}"#, String::from_utf8(posted).expect("text"));
        let posted: Value = serde_json::from_str(&posted).expect("JSON");
        assert_eq!(posted["metadata"][NAMES[0]], "w17.n3");
        assert_eq!(Mark::parse("w17.n3"), Some(CONTENT.mark()));
        let view = &posted[VIEWS[1]];
        assert_eq!(view["title"], "Größe von \"n3\"\tw17");
        assert_eq!(view["rows"], serde_json::json!([3, 1.5, false, null]));
    }

    #[test]
    fn a_view_is_known_in_any_spelling_and_told_from_every_other() {
        let view = CONTENT.view();
        let spelled = view.replace('ö', "\\u00f6").replace(',', " , ").replace("1.5", "15e-1");
        assert!(CONTENT.is_view(&view) && CONTENT.is_view(&spelled));
        for other in [
            view.replace("null", "0"),
            view.replace("null", "\"null\""),
            view.replace("1.5", "1"),
            view.replace("ö", "o"),
            view.replace("\\t", " "),
            view.replace(",\"at\":{\"x\":true}", ""),
            format!("[{view}]"),
            Content { number: 5, ..CONTENT }.view(),
            Content { writer: 18, ..CONTENT }.view(),
            "null".to_owned(),
        ] {
            assert!(!CONTENT.is_view(&other), "{other}");
        }
    }
}
