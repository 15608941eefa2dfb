//! Documents of real size and shape, whose content identifies who wrote it.
//!
//! A state is a pure function of its [`Content`], so any state that comes back is either exactly one that some user
//! wrote, or not whole. It also carries a checksum of itself, so that an unchanged state is recognised in a fraction of
//! the time.
//!
//! [`posted`]: what a save posts besides the state. [`difference`]: how a shown document differs from the posted one.

pub mod posted;

use crate::excerpt;
use rand::{Rng, SeedableRng};
use rand_xoshiro::SplitMix64;
use serde::Deserialize;
use serde_json::value::RawValue;
use serde_json::{Map, Value};
use std::borrow::Cow;
use std::fmt;
use std::io::Write as _;
use twox_hash::XxHash3_64;

/// Size of a real document's state, a checklist half filled in.
pub const REAL_STATE_BYTES: usize = 2_700;

/// Bytes of the smallest state that is made.
pub const MIN_STATE_BYTES: usize = 300;

/// Words of one note's text.
const NOTE_WORDS: usize = 6;

/// What a state may have beyond its size: its last note.
const SPARE_BYTES: usize = 200;

/// Longest tag that is read: four numbers, and what stands between them.
const MOST_TAG_BYTES: usize = 100;

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
        let mut text = Vec::with_capacity(self.size_bytes + SPARE_BYTES);
        self.write_state(&mut text);
        // It is an object of ASCII characters by its making.
        let text = String::from_utf8(text).unwrap_or_default();
        RawValue::from_string(text).unwrap_or_else(|_| RawValue::NULL.to_owned())
    }

    /// Writes that state behind what is in `out`. States are made, and read back, tens of thousands of times a second.
    pub fn write_state(self, out: &mut Vec<u8>) {
        let began = out.len();
        write_ascii(out, format_args!(r#"{{"sidePanel":"{self}"#));
        let seal_at = out.len();
        out.extend_from_slice(&[b'0'; SEAL_BYTES]);
        let sealed_from = out.len();
        let mut noise = self.noise();
        // A field of its own beside those of a real document, so that a state laid over another shows.
        write_ascii(out, format_args!(r#"","mark-{self}":true,"statusButtons":{{"#));
        for row in 0..4 {
            let comma = if row > 0 { "," } else { "" };
            let flag = noise.next_u64().is_multiple_of(2);
            let state = ["done", "open"][row % 2];
            write_ascii(out, format_args!(r#"{comma}"step-{row}":{{"state":"{state}","flag":{flag}}}"#));
        }
        out.extend_from_slice(br#"},"restartButtons":{"step-0":true},"checkpointRows":{},"notes":{"#);
        let mut note = 0_u64;
        while note == 0 || out.len() - began < self.size_bytes {
            let comma: &[u8] = if note > 0 { b"," } else { b"" };
            out.extend_from_slice(comma);
            out.extend_from_slice(b"\"textarea-");
            out.extend_from_slice(itoa::Buffer::new().format(note).as_bytes());
            out.extend_from_slice(b"\":\"");
            for _ in 0..NOTE_WORDS {
                out.extend_from_slice(&word(noise.next_u64()));
            }
            out.push(b'"');
            note += 1;
        }
        out.extend_from_slice(b"}}");
        let seal = Seal { bytes: out.len() - sealed_from, checksum: self.checksum(&out[sealed_from..]) };
        out[seal_at..sealed_from].copy_from_slice(&seal.text());
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
        if let Some((content, bytes)) = Self::sealed(state.get().as_bytes())
            && bytes == state.get().len()
        {
            return Some(content);
        }
        // Not as it was written; it may still be the same to a client.
        let tag: Tag<'_> = serde_json::from_str(state.get()).ok()?;
        let (content, _) = Self::parse(&tag.side_panel)?;
        // A state that says it is huge is not worth making to find that it is not.
        if content.size_bytes > 4 * state.get().len() + MIN_STATE_BYTES {
            return None;
        }
        let made = content.state();
        same(&parse(&made)?, &parse(state)?).then_some(content)
    }

    /// The content that these bytes begin with, and the length of its state, where they are the very bytes that were
    /// written: what its seal says of the rest is so.
    pub(crate) fn sealed(bytes: &[u8]) -> Option<(Self, usize)> {
        let tag = bytes.strip_prefix(br#"{"sidePanel":""#)?;
        // The longest tag has four numbers of 20 digits.
        let tag = &tag[..memchr::memchr(b'"', &tag[..tag.len().min(MOST_TAG_BYTES)])?];
        let (content, seal) = Self::parse(std::str::from_utf8(tag).ok()?)?;
        let sealed_from = br#"{"sidePanel":""#.len() + tag.len();
        let ends = sealed_from.checked_add(seal.bytes)?;
        let rest = bytes.get(sealed_from..ends)?;
        (content.checksum(rest) == seal.checksum).then_some((content, ends))
    }

    fn parse(tag: &str) -> Option<(Self, Seal)> {
        let (writer, rest) = tag.strip_prefix('w')?.split_once(".n")?;
        let (number, rest) = rest.split_once(".b")?;
        let (size, seal) = rest.split_once(".r")?;
        let content =
            Self { writer: writer.parse().ok()?, number: number.parse().ok()?, size_bytes: size.parse().ok()? };
        Some((content, Seal::parse(seal)?))
    }

    /// Numbers that differ between contents in every place.
    fn noise(self) -> SplitMix64 {
        SplitMix64::seed_from_u64(self.seed())
    }

    /// Of what comes behind the tag, together with the tag.
    fn checksum(self, rest: &[u8]) -> u64 {
        XxHash3_64::oneshot_with_seed(self.seed(), rest)
    }

    fn seed(self) -> u64 {
        self.writer.wrapping_mul(0x9e37_79b9_7f4a_7c15)
            ^ self.number.rotate_left(32)
            ^ (self.size_bytes as u64).rotate_left(48)
    }
}

/// What a state says of all that comes behind its tag: that it is whole shows without its being made anew.
struct Seal {
    bytes: usize,
    checksum: u64,
}

/// `.r00002700.c0123456789abcdef`
const SEAL_BYTES: usize = 2 + 8 + 2 + 16;

impl Seal {
    fn text(&self) -> [u8; SEAL_BYTES] {
        let mut text = [0; SEAL_BYTES];
        let mut rest = text.as_mut_slice();
        // It fits: states are shorter than 100 MB.
        let _ = write!(rest, ".r{:08}.c{:016x}", self.bytes, self.checksum);
        text
    }

    /// Reads what comes behind `.r`.
    fn parse(text: &str) -> Option<Self> {
        let (bytes, checksum) = text.split_once(".c")?;
        Some(Self { bytes: bytes.parse().ok()?, checksum: u64::from_str_radix(checksum, 16).ok()? })
    }
}

fn write_ascii(out: &mut Vec<u8>, text: fmt::Arguments<'_>) {
    // Writing to memory does not fail.
    let _ = out.write_fmt(text);
}

/// A word of sixteen letters and a space, one letter for each four bits of a number.
fn word(number: u64) -> [u8; 17] {
    let mut word = [b' '; 17];
    word[..8].copy_from_slice(&letters(number & 0xffff_ffff));
    word[8..16].copy_from_slice(&letters(number >> 32));
    word
}

/// The letters of the lower 32 bits: each four bits spread to a byte of its own.
fn letters(number: u64) -> [u8; 8] {
    let spread = (number | number << 16) & 0x0000_ffff_0000_ffff;
    let spread = (spread | spread << 8) & 0x00ff_00ff_00ff_00ff;
    let spread = (spread | spread << 4) & 0x0f0f_0f0f_0f0f_0f0f;
    (spread + 0x6161_6161_6161_6161).to_le_bytes()
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
        r#"{{"sessionKey":"{key}","typeSlug":"{}","metadata":{{"version":"1.0","created":{created_ms}}},"state":{}}}"#,
        content.type_slug(),
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

/// The first difference between a document as posted and as shown; `None` if it came back whole. Posted metadata is
/// merged into the stored metadata, and the server adds its own, so only the posted fields are compared there. The
/// legacy field `type` is dropped by design.
#[must_use]
pub fn difference(posted: &Value, shown: &Value) -> Option<String> {
    let (Value::Object(posted), Value::Object(shown)) = (posted, shown) else {
        return Some(changed("the document", Some(posted), Some(shown)));
    };
    let is_plain = |name: &&String| *name != "metadata" && *name != "type";
    let plain = posted.keys().chain(shown.keys()).filter(is_plain);
    let changed = plain.filter_map(|name| differing(name, posted.get(name), shown.get(name)));
    let metadata = |document: &Map<String, Value>, name: &str| document.get("metadata")?.get(name).cloned();
    let names = posted.get("metadata").and_then(Value::as_object).into_iter().flat_map(Map::keys);
    let overlaid = names.filter_map(|name| {
        let part = format!("metadata.{name}");
        differing(&part, metadata(posted, name).as_ref(), metadata(shown, name).as_ref())
    });
    changed.chain(overlaid).next()
}

/// The first place where a part of a document differs.
fn differing(part: &str, posted: Option<&Value>, shown: Option<&Value>) -> Option<String> {
    match (posted, shown) {
        (Some(posted), Some(shown)) if same(posted, shown) => None,
        (Some(Value::Object(posted)), Some(Value::Object(shown))) => {
            let mut names = posted.keys().chain(shown.keys());
            names.find_map(|name| differing(&format!("{part}.{name}"), posted.get(name), shown.get(name)))
        }
        _ => Some(changed(part, posted, shown)),
    }
}

/// Describes how a part of a document changed.
fn changed(part: &str, posted: Option<&Value>, shown: Option<&Value>) -> String {
    let text = |value: Option<&Value>| {
        value.map_or_else(|| "nothing".to_owned(), |value| excerpt(value.to_string().as_bytes()))
    };
    format!("{}: posted {}, shown {}", excerpt(part.as_bytes()), text(posted), text(shown))
}

fn parse(raw: &RawValue) -> Option<Value> {
    serde_json::from_str(raw.get()).ok()
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
        assert_eq!(Content::of_state(&raw(r#"{"sidePanel":"w1.n1.b99999999999.r00000000.c0"}"#)), None);
    }

    #[test]
    fn a_single_changed_byte_is_found_by_the_checksum() {
        let state = CONTENT.state();
        let bytes = state.get().as_bytes();
        assert_eq!(Content::sealed(bytes), Some((CONTENT, bytes.len())));
        for place in (0..bytes.len()).filter(|place| bytes[*place].is_ascii_alphanumeric()) {
            let mut spoiled = bytes.to_vec();
            spoiled[place] ^= 1;
            assert!(Content::sealed(&spoiled).is_none_or(|(content, _)| content != CONTENT), "byte {place}");
            // Some are no JSON any more.
            if let Ok(spoiled) = RawValue::from_string(String::from_utf8(spoiled).expect("ASCII")) {
                assert_ne!(Content::of_state(&spoiled), Some(CONTENT), "byte {place}");
            }
        }
        assert_eq!(Content::sealed(&bytes[..bytes.len() - 1]), None);
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
    fn the_first_difference_is_named_with_what_was_posted_and_what_is_shown() {
        let posted =
            r#"{"sessionKey":"A4K","typeSlug":"word","type":"old","metadata":{"mine":1},"tabs":[{}],"state":{"a":1}}"#;
        let shown = posted.replace(r#""type":"old","#, "").replace("{}", "[]");
        let shown = shown.replace(r#""mine":1"#, r#""created":5,"mine":1.0,"lastModified":6"#);
        let value = |text: &str| serde_json::from_str::<Value>(text).expect("JSON");
        let told = |shown: &str| difference(&value(posted), &value(shown)).unwrap_or_default();
        assert_eq!(told(&shown), "");
        for (part, other, expected) in [
            (r#""word""#, r#""demo""#, r#"typeSlug: posted "word", shown "demo""#),
            (r#","tabs":[[]]"#, "", "tabs: posted [{}], shown nothing"),
            (r#""mine":1.0"#, r#""mine":2"#, "metadata.mine: posted 1, shown 2"),
            (r#""a":1"#, r#""a":null"#, "state.a: posted 1, shown null"),
            (r#""tabs""#, r#""more":true,"tabs""#, "more: posted nothing, shown true"),
        ] {
            assert_eq!(told(&shown.replacen(part, other, 1)), expected);
        }
        assert!(told("[1]").starts_with("the document: posted {"));
        let long = shown.replace(r#""word""#, &format!("\"{}\"", "x".repeat(500)));
        assert!(told(&long).len() < 200 && told(&long).ends_with('…'), "{}", told(&long));
    }

    #[test]
    fn a_stored_document_reads_back() {
        let document = Document::parse(&stored("A4K", CONTENT, 5)).expect("whole");
        assert_eq!((document.session_key.as_deref(), document.content()), (Some("A4K"), Some(CONTENT)));
    }
}
