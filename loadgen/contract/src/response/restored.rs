//! A restored document, parsed in full: its content, and what comes with it.

use super::scan::Scan;
use super::text::Text;
use super::timestamp;
use crate::document::Content;
use crate::document::posted::{Mark, NAMES, VIEWS, field_beyond};
use crate::envelope::Envelope;
use crate::excerpt;
use serde::Deserialize;
use serde_json::value::RawValue;
use std::borrow::Cow;

/// A restored document.
#[derive(Clone, Debug, PartialEq)]
pub struct Restored {
    /// `sessionKey`: the key that the document says it belongs to.
    pub session_key: Option<Text>,
    /// The content of `state`; `None` if the state is not whole, or loadgen never generated it.
    pub content: Option<Content>,
    /// All parts but the state.
    pub rest: Rest,
}

/// The parts of a document other than its state.
#[derive(Clone, Debug, Default, PartialEq)]
pub struct Rest {
    /// `typeSlug`: whether it is the type that the shown content was posted with.
    pub type_slug: Part<()>,
    /// `metadata.version`: whether it is the version that instantiate writes.
    pub version: Part<()>,
    /// `metadata.created`, Unix ms.
    pub created: Part<f64>,
    /// `metadata.lastModified`, Unix ms.
    pub last_modified: Part<f64>,
    /// The metadata names that saves post, in the order of [`NAMES`].
    pub names: [Part<Mark>; NAMES.len()],
    /// The fields that saves post, in the order of [`VIEWS`]: whether each holds what was posted with the shown
    /// content.
    pub views: [Part<()>; VIEWS.len()],
    /// The name of a field that nobody posts, if there is one.
    pub added: Option<String>,
    /// Names and values of the parts that are [`Part::Other`].
    pub others: Vec<(&'static str, String)>,
}

/// A part of a document.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub enum Part<T> {
    /// The part is missing.
    #[default]
    Absent,
    /// The part has a value that it can have.
    Is(T),
    /// The part has a value that it cannot have.
    Other,
}

impl<T: Copy> Part<T> {
    /// The value, if the part has one that it can have.
    #[must_use]
    pub fn is(self) -> Option<T> {
        if let Self::Is(value) = self { Some(value) } else { None }
    }
}

/// Format version that instantiate writes into a document.
const FORMAT_VERSION: &str = "1.0";

/// Placeholder for a state that was cut out; no server sends this.
const CUT: &str = "\"\u{fffd}cut\u{fffd}\"";

/// `typeSlug`, as reports name it.
pub const TYPE_SLUG_PART: &str = "typeSlug";
/// `metadata.version`.
pub const VERSION_PART: &str = "metadata.version";
/// `metadata.created`.
pub const CREATED_PART: &str = "metadata.created";
/// `metadata.lastModified`.
pub const LAST_MODIFIED_PART: &str = "metadata.lastModified";
/// The metadata names of [`NAMES`].
pub const NAME_PARTS: [&str; NAMES.len()] = ["metadata.draft-a", "metadata.draft-b", "metadata.draft-c"];

#[derive(Deserialize)]
#[serde(rename_all = "camelCase")]
struct Frame<'a> {
    #[serde(borrow, default)]
    session_key: Option<Cow<'a, str>>,
    #[serde(borrow, default)]
    type_slug: Option<&'a RawValue>,
    #[serde(borrow, default)]
    metadata: Option<&'a RawValue>,
    #[serde(borrow, default, rename = "view-a")]
    view_a: Option<&'a RawValue>,
    #[serde(borrow, default, rename = "view-b")]
    view_b: Option<&'a RawValue>,
    #[serde(borrow, default)]
    state: Option<&'a RawValue>,
}

#[derive(Default, Deserialize)]
#[serde(rename_all = "camelCase")]
struct Metadata<'a> {
    #[serde(borrow, default)]
    version: Option<&'a RawValue>,
    #[serde(borrow, default)]
    created: Option<&'a RawValue>,
    #[serde(borrow, default)]
    last_modified: Option<&'a RawValue>,
    #[serde(borrow, default, rename = "draft-a")]
    draft_a: Option<&'a RawValue>,
    #[serde(borrow, default, rename = "draft-b")]
    draft_b: Option<&'a RawValue>,
    #[serde(borrow, default, rename = "draft-c")]
    draft_c: Option<&'a RawValue>,
}

/// Parses a document whose state comes back byte for byte as it was written; returns it with the envelope's timestamp.
/// The seal identifies the state. The frame around it, a tenth of the whole, mostly has the form that the contract's
/// servers write. If not, a placeholder replaces the state, and the general parser reads the rest: if it finds the
/// placeholder as the document's `state`, the whole was a document with that state. `None` means only that the slow
/// path must be taken.
pub(super) fn as_written(body: &[u8]) -> Option<(Restored, Option<f64>)> {
    const FIELD: &[u8] = br#""state":"#;
    let at = memchr::memmem::find(body, br#""state":{"sidePanel":""#)? + FIELD.len();
    let (content, bytes) = Content::sealed(&body[at..])?;
    let (before, after) = (&body[..at], &body[at + bytes..]);
    frame_as_written(before, after, content).or_else(|| frame_around(before, after, content))
}

fn frame_as_written(before: &[u8], after: &[u8], content: Content) -> Option<(Restored, Option<f64>)> {
    let mut scan = Scan(before);
    let timestamp = scan.envelope()?;
    scan.pass(br#"{"sessionKey":"#)?;
    let session_key = scan.text()?;
    scan.pass(br#","typeSlug":"#)?;
    let mut rest = Rest::default();
    put(&mut rest.type_slug, (scan.text()? == content.type_slug()).then_some(()))?;
    scan.pass(br#","metadata":{"#)?;
    loop {
        let name = scan.text()?;
        scan.pass(b":")?;
        match name {
            "version" => put(&mut rest.version, (scan.text()? == FORMAT_VERSION).then_some(()))?,
            "created" => put(&mut rest.created, scan.number())?,
            "lastModified" => put(&mut rest.last_modified, scan.number())?,
            _ => {
                let place = NAMES.iter().position(|known| *known == name)?;
                put(&mut rest.names[place], Mark::parse(scan.text()?))?;
            }
        }
        if scan.pass(b",").is_none() {
            break scan.pass(b"}")?;
        }
    }
    if let Some(place) = (0..VIEWS.len()).find(|place| scan.pass(VIEW_FIELDS[*place]).is_some()) {
        scan.0 = content.pass_view(scan.0)?;
        rest.views[place] = Part::Is(());
    }
    let is_whole = scan.0 == br#","state":"# && after == b"}}";
    is_whole
        .then(|| (Restored { session_key: Some(session_key.into()), content: Some(content), rest }, Some(timestamp)))
}

/// How each field of [`VIEWS`] begins, as servers write it.
pub(super) const VIEW_FIELDS: [&[u8]; VIEWS.len()] = [br#","view-a":"#, br#","view-b":"#];

/// Sets a part once. Duplicates and unexpected values are left to the parser.
fn put<T>(part: &mut Part<T>, value: Option<T>) -> Option<()> {
    let is_first = matches!(part, Part::Absent);
    *part = Part::Is(value.filter(|_| is_first)?);
    Some(())
}

fn frame_around(before: &[u8], after: &[u8], content: Content) -> Option<(Restored, Option<f64>)> {
    let around = [before, CUT.as_bytes(), after].concat();
    let (frame, added, timestamp) = frame(&around)?;
    frame.state.filter(|state| state.get() == CUT)?;
    Some((frame.restored(Some(content), added), timestamp))
}

/// Parses any document; returns it with the envelope's timestamp.
pub(super) fn any(body: &[u8]) -> Option<(Restored, Option<f64>)> {
    let (frame, added, timestamp) = frame(body)?;
    let content = frame.state.and_then(Content::of_state);
    Some((frame.restored(content, added), timestamp))
}

/// A document's frame, the name of a field that nobody posts, and the envelope's timestamp.
fn frame(body: &[u8]) -> Option<(Frame<'_>, Option<String>, Option<f64>)> {
    let envelope: Envelope<'_, &RawValue> = serde_json::from_slice(body).ok()?;
    let document = envelope.data.filter(|_| envelope.success)?.get();
    Some((serde_json::from_str(document).ok()?, field_beyond(document, &VIEWS), timestamp(envelope.timestamp)))
}

impl Frame<'_> {
    fn restored(self, content: Option<Content>, added: Option<String>) -> Restored {
        let metadata = self.metadata.map(|metadata| serde_json::from_str::<Metadata<'_>>(metadata.get()));
        // Values other than objects have no fields.
        let metadata = metadata.and_then(Result::ok).unwrap_or_default();
        let mut others = Vec::new();
        let [draft_a, draft_b, draft_c] = NAME_PARTS;
        let [view_a, view_b] = VIEWS;
        let is_view = |raw: &str| content?.is_view(raw).then_some(());
        let rest = Rest {
            type_slug: part(self.type_slug, TYPE_SLUG_PART, &mut others, |raw| is_text(raw, content?.type_slug())),
            version: part(metadata.version, VERSION_PART, &mut others, |raw| is_text(raw, FORMAT_VERSION)),
            created: part(metadata.created, CREATED_PART, &mut others, number),
            last_modified: part(metadata.last_modified, LAST_MODIFIED_PART, &mut others, number),
            names: [
                part(metadata.draft_a, draft_a, &mut others, mark),
                part(metadata.draft_b, draft_b, &mut others, mark),
                part(metadata.draft_c, draft_c, &mut others, mark),
            ],
            views: [part(self.view_a, view_a, &mut others, is_view), part(self.view_b, view_b, &mut others, is_view)],
            added,
            others,
        };
        Restored { session_key: self.session_key.map(|key| Text::from(&*key)), content, rest }
    }
}

fn part<T>(
    raw: Option<&RawValue>,
    name: &'static str,
    others: &mut Vec<(&'static str, String)>,
    read: impl FnOnce(&str) -> Option<T>,
) -> Part<T> {
    let Some(raw) = raw else { return Part::Absent };
    read(raw.get()).map_or_else(
        || {
            others.push((name, excerpt(raw.get().as_bytes())));
            Part::Other
        },
        Part::Is,
    )
}

/// The text of a JSON string.
fn text(raw: &str) -> Option<Cow<'_, str>> {
    let plain = raw.strip_prefix('"')?.strip_suffix('"')?;
    if plain.contains('\\') { serde_json::from_str(raw).ok().map(Cow::Owned) } else { Some(Cow::Borrowed(plain)) }
}

fn is_text(raw: &str, expected: &str) -> Option<()> {
    (text(raw)? == expected).then_some(())
}

fn mark(raw: &str) -> Option<Mark> {
    Mark::parse(&text(raw)?)
}

#[allow(clippy::cast_precision_loss, reason = "times in ms and s are far below 2^53")]
pub(super) fn number(raw: &str) -> Option<f64> {
    // JSON numbers are finite, and no other JSON value parses as a number.
    raw.parse::<u64>().map(|number| number as f64).ok().or_else(|| raw.parse().ok())
}
