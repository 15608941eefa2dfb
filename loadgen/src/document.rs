//! Documents of real size and shape, whose content says who wrote it and cannot be taken for another's.
//!
//! A state is a pure function of its [`Content`]; so any state that comes back is either exactly one that some
//! user wrote, or it is not whole.

use serde::Deserialize;
use serde_json::Value;
use serde_json::value::RawValue;
use std::borrow::Cow;
use std::fmt::{self, Write as _};

/// Size of a real document's state, a checklist half filled in.
pub const REAL_STATE_BYTES: usize = 2_700;

/// Bytes of the smallest state that is made.
pub const MIN_STATE_BYTES: usize = 300;

/// Words of one note's text.
const NOTE_WORDS: usize = 6;

/// What a state holds: written by whom, its number among that writer's, and its size.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash, PartialOrd, Ord)]
pub struct Content {
    /// Who wrote it.
    pub writer: u64,
    /// Counted up by the writer.
    pub number: u64,
    /// Length that the state has at least, in bytes.
    pub size_bytes: usize,
}

impl fmt::Display for Content {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "w{}.n{}.b{}", self.writer, self.number, self.size_bytes)
    }
}

impl Content {
    /// The state that holds this content, in the shape of a real document's.
    #[must_use]
    pub fn state(self) -> Box<RawValue> {
        let mut text = String::with_capacity(self.size_bytes + 200);
        let mut noise = Noise::new(self);
        // A field of its own beside those of a real document, so that a state laid over another shows.
        let _ = write!(text, r#"{{"sidePanel":"{self}","mark-{self}":true,"statusButtons":{{"#);
        for row in 0..4 {
            let comma = if row > 0 { "," } else { "" };
            let flag = noise.next().is_multiple_of(2);
            let _ = write!(text, r#"{comma}"step-{row}":{{"state":"{}","flag":{flag}}}"#, ["done", "open"][row % 2]);
        }
        text.push_str(r#"},"restartButtons":{"step-0":true},"checkpointRows":{},"notes":{"#);
        let mut note = 0;
        while note == 0 || text.len() < self.size_bytes {
            let comma = if note > 0 { "," } else { "" };
            let _ = write!(text, r#"{comma}"textarea-{note}":""#);
            for _ in 0..NOTE_WORDS {
                noise.push_word(&mut text);
            }
            text.push('"');
            note += 1;
        }
        text.push_str("}}");
        // It is an object by its making.
        RawValue::from_string(text).unwrap_or_else(|_| RawValue::NULL.to_owned())
    }

    /// The content of a state that came back; `None` where it is none that was ever made, or not whole.
    #[must_use]
    pub fn of_state(state: &RawValue) -> Option<Self> {
        #[derive(Deserialize)]
        #[serde(rename_all = "camelCase")]
        struct Tag<'a> {
            #[serde(borrow)]
            side_panel: Cow<'a, str>,
        }
        let tag: Tag<'_> = serde_json::from_str(state.get()).ok()?;
        let content = Self::parse(&tag.side_panel)?;
        // A state that says it is huge is not worth making to find that it is not.
        if content.size_bytes > 4 * state.get().len() + MIN_STATE_BYTES {
            return None;
        }
        let made = content.state();
        (made.get() == state.get() || same(&parse(&made)?, &parse(state)?)).then_some(content)
    }

    fn parse(tag: &str) -> Option<Self> {
        let (writer, rest) = tag.strip_prefix('w')?.split_once(".n")?;
        let (number, size) = rest.split_once(".b")?;
        Some(Self { writer: writer.parse().ok()?, number: number.parse().ok()?, size_bytes: size.parse().ok()? })
    }
}

/// A document as restore answers it, or as its file holds it.
#[derive(Debug, Deserialize)]
#[serde(rename_all = "camelCase")]
pub struct Document {
    /// The key that it says it belongs to.
    #[serde(default)]
    pub session_key: Option<String>,
    /// Its type.
    #[serde(default)]
    pub type_slug: Option<String>,
    /// Its metadata.
    #[serde(default)]
    pub metadata: Value,
    /// Its state.
    #[serde(default)]
    pub state: Option<Box<RawValue>>,
}

impl Document {
    /// Reads a document; `None` where it is not a whole JSON object of that shape.
    #[must_use]
    pub fn parse(json: &str) -> Option<Self> {
        serde_json::from_str(json).ok()
    }

    /// The content of its state; see [`Content::of_state`].
    #[must_use]
    pub fn content(&self) -> Option<Content> {
        Content::of_state(self.state.as_deref()?)
    }
}

/// A whole document as its file holds it, for a folder to be filled with.
#[must_use]
pub fn stored(key: &str, content: Content, created_ms: u64) -> String {
    format!(
        r#"{{"sessionKey":"{key}","typeSlug":"word","metadata":{{"version":"1.0","created":{created_ms}}},"state":{}}}"#,
        content.state().get()
    )
}

/// Whether two values are the same to a client: fields in any order, an empty object the same as an empty list
/// (PHP turns one into the other), numbers by their value.
#[must_use]
pub fn same(a: &Value, b: &Value) -> bool {
    match (a, b) {
        (Value::Object(a), Value::Object(b)) => {
            a.len() == b.len() && a.iter().all(|(name, value)| b.get(name).is_some_and(|other| same(value, other)))
        }
        (Value::Array(a), Value::Array(b)) => a.len() == b.len() && a.iter().zip(b).all(|(a, b)| same(a, b)),
        (Value::Object(fields), Value::Array(items)) | (Value::Array(items), Value::Object(fields)) => {
            fields.is_empty() && items.is_empty()
        }
        (Value::Number(a), Value::Number(b)) => a == b || a.as_f64() == b.as_f64(),
        _ => a == b,
    }
}

fn parse(raw: &RawValue) -> Option<Value> {
    serde_json::from_str(raw.get()).ok()
}

/// Numbers that differ between contents in every place (splitmix64).
struct Noise(u64);

impl Noise {
    fn new(content: Content) -> Self {
        Self(
            content.writer.wrapping_mul(0x9e37_79b9_7f4a_7c15)
                ^ content.number.rotate_left(32)
                ^ content.size_bytes as u64,
        )
    }

    /// A word of sixteen letters and a space. Written by hand, as states of hundreds of kilobytes are made thousands
    /// of times a second.
    fn push_word(&mut self, text: &mut String) {
        let number = self.next();
        let letters: [u8; 16] = std::array::from_fn(|place| b'a' + (number >> (4 * place) & 0xf) as u8);
        text.extend(letters.map(char::from));
        text.push(' ');
    }

    fn next(&mut self) -> u64 {
        self.0 = self.0.wrapping_add(0x9e37_79b9_7f4a_7c15);
        let mixed = (self.0 ^ (self.0 >> 30)).wrapping_mul(0xbf58_476d_1ce4_e5b9);
        let mixed = (mixed ^ (mixed >> 27)).wrapping_mul(0x94d0_49bb_1331_11eb);
        mixed ^ (mixed >> 31)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    const CONTENT: Content = Content { writer: 17, number: 3, size_bytes: REAL_STATE_BYTES };

    fn raw(text: &str) -> Box<RawValue> {
        RawValue::from_string(text.to_owned()).expect("JSON")
    }

    #[test]
    fn a_state_has_its_size_and_tells_its_content() {
        let state = CONTENT.state();
        assert!((REAL_STATE_BYTES..REAL_STATE_BYTES + 200).contains(&state.get().len()), "{}", state.get().len());
        assert_eq!(Content::of_state(&state), Some(CONTENT));
    }

    #[test]
    fn a_state_mixed_from_two_or_cut_short_is_nobodys() {
        let (state, other) = (CONTENT.state(), Content { number: 4, ..CONTENT }.state());
        let (half, rest) = (&state.get()[..1_500], &other.get()[1_500..]);
        assert_eq!(Content::of_state(&raw(&format!("{half}{rest}"))), None);
        let laid_over = state.get().replacen('{', r#"{"mark-w17.n2.b2700":true,"#, 1);
        assert_eq!(Content::of_state(&raw(&laid_over)), None);
        assert_eq!(Content::of_state(&raw(r#"{"sidePanel":"w17.n3.b2700"}"#)), None);
        assert_eq!(Content::of_state(&raw(r#"{"sidePanel":"w1.n1.b99999999999"}"#)), None);
    }

    #[test]
    fn empty_objects_that_php_turned_into_lists_are_the_same() {
        let through_php = CONTENT.state().get().replace("{}", "[]");
        assert_eq!(Content::of_state(&raw(&through_php)), Some(CONTENT));
    }

    #[test]
    fn sameness_is_a_clients() {
        let value = |text: &str| serde_json::from_str::<Value>(text).expect("JSON");
        assert!(same(&value(r#"{"a":1,"b":[{}]}"#), &value(r#"{"b":[[]],"a":1.0}"#)));
        assert!(!same(&value(r#"{"a":1}"#), &value(r#"{"a":"1"}"#)) && !same(&value("[1]"), &value("{}")));
    }

    #[test]
    fn a_stored_document_reads_back() {
        let document = Document::parse(&stored("A4K", CONTENT, 5)).expect("whole");
        assert_eq!((document.session_key.as_deref(), document.content()), (Some("A4K"), Some(CONTENT)));
    }
}
