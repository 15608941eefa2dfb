//! What is posted with a content besides its state, and whether a document with that content has all of it.
//!
//! Type and extra field follow from the content. So whichever of many saves wrote a document, its content implies the
//! rest.

use contract::Operation;
use contract::document::posted::field_beyond;
use contract::document::{Content, same};
use contract::visible;
use engine::client::{Exchange, User};
use record::step::Step;
use serde::Deserialize;
use serde_json::value::RawValue;
use serde_json::{Value, json};
use std::collections::BTreeMap;
use std::fmt::Write as _;

/// Metadata that instantiate sets, and that a save keeps unless it posts it.
const KEPT: [&str; 2] = ["version", "created"];

/// The value of a field beyond the usual ones: save stores the whole posted object.
fn extra(content: Content) -> Value {
    json!({ "of": content.to_string(), "list": [1, { "two": null }], "text": "ä\"\\" })
}

pub(super) async fn instantiate(user: &mut User, key: &str, content: Content) -> Exchange {
    let mut created = user.instantiate(key, content.type_slug(), &content.state()).await;
    created.note = format!("with {content}");
    created
}

/// Saves a content with its type, an extra field and these metadata fields.
pub(super) async fn save(user: &mut User, key: &str, metadata: &BTreeMap<String, u64>, content: Content) -> Exchange {
    // Assembled as text: a large state is not worth parsing.
    let body = format!(
        r#"{{"sessionKey":"{key}","typeSlug":"{}","metadata":{},"extra":{},"state":{}}}"#,
        content.type_slug(),
        json!(metadata),
        extra(content),
        content.state().get()
    );
    let mut saved = user.post(Operation::Save, key, body).await;
    saved.note = format!("with {content}");
    saved
}

/// A document as restore or its file shows it.
#[derive(Clone, Debug)]
pub(super) struct Shown {
    pub(super) key: Option<String>,
    /// `None` if the state is not whole, or loadgen never generated it.
    pub(super) content: Option<Content>,
    pub(super) metadata: Value,
    type_slug: Value,
    extra: Value,
    /// The name of a field that nobody posts.
    added: Option<String>,
}

impl Shown {
    /// `None` if it is not a whole JSON object.
    pub(super) fn parse(json: &str) -> Option<Self> {
        #[derive(Deserialize)]
        #[serde(rename_all = "camelCase")]
        struct Document {
            #[serde(default)]
            session_key: Option<String>,
            #[serde(default)]
            type_slug: Value,
            #[serde(default)]
            metadata: Value,
            #[serde(default)]
            extra: Value,
            #[serde(default)]
            state: Option<Box<RawValue>>,
        }
        let document: Document = serde_json::from_str(json).ok()?;
        Some(Self {
            key: document.session_key,
            content: document.state.as_deref().and_then(Content::of_state),
            metadata: document.metadata,
            type_slug: document.type_slug,
            extra: document.extra,
            added: field_beyond(json, &["extra"]),
        })
    }

    /// How it differs from what was posted with its content, if it does. Fields beyond the usual ones need not be kept
    /// by an instantiate.
    pub(super) fn difference(&self, was_saved: bool) -> Option<String> {
        let content = self.content?;
        let (posted, shown) = (json!(content.type_slug()), &self.type_slug);
        if *shown != posted {
            return Some(format!("{content} was posted with the type {posted}, and has {shown}"));
        }
        if let Some(added) = &self.added {
            return Some(format!("{content} has the field \"{}\", which nobody posted", visible(added)));
        }
        if was_saved && !same(&self.extra, &extra(content)) {
            let extra = extra(content);
            return Some(format!("{content} was saved with \"extra\": {extra}, and has {}", self.extra));
        }
        let is_time = |value: &Value| value.is_number();
        match self.metadata.get("lastModified") {
            Some(time) if is_time(time) => None,
            None if !was_saved => None,
            Some(other) => Some(format!("{content} has {other} as lastModified, which is no time")),
            None => Some(format!("{content} was saved, and has no lastModified")),
        }
    }

    /// See [`lost_metadata`].
    pub(super) fn lost_metadata(&self, before: &Value) -> Option<String> {
        lost_metadata(&self.metadata, before)
    }
}

/// The step of a restore whose document names another key.
pub(super) fn of_another_key(restored: &Exchange) -> Option<Step> {
    let data = restored.data().filter(|_| restored.operation == Operation::Restore)?;
    let other = Shown::parse(data.get())?.key.filter(|key| *key != restored.key)?;
    let mut step = restored.step();
    let _ = write!(step.got, ", in a document of the key \"{}\"", visible(&other));
    Some(step)
}

/// How metadata differs from the same document's earlier metadata, of which a save keeps what it does not post.
pub(super) fn lost_metadata(metadata: &Value, before: &Value) -> Option<String> {
    KEPT.iter().find_map(|&name| {
        let had = before.get(name)?;
        match metadata.get(name) {
            Some(has) if same(has, had) => None,
            Some(has) => Some(format!("its metadata had {name} {had}, and have {has}")),
            None => Some(format!("its metadata had {name} {had}, and have none")),
        }
    })
}

/// A document with a content, as a server that keeps the contract stores it.
#[cfg(test)]
pub(super) fn stored(content: Content, metadata: &Value) -> String {
    let (slug, extra, state) = (content.type_slug(), extra(content), content.state());
    format!(r#"{{"sessionKey":"A4K","typeSlug":"{slug}","metadata":{metadata},"extra":{extra},"state":{state}}}"#)
}

#[cfg(test)]
mod tests {
    use super::*;
    use contract::document::MIN_STATE_BYTES;

    const CONTENT: Content = Content { writer: 1, number: 2, size_bytes: MIN_STATE_BYTES };

    fn whole() -> String {
        stored(CONTENT, &json!({ "version": "1.0", "created": 5, "lastModified": 7, "mark": 1 }))
    }

    fn difference(text: &str) -> String {
        Shown::parse(text).expect("JSON").difference(true).unwrap_or_default()
    }

    #[test]
    fn a_document_is_whole_with_its_type_its_extra_field_and_its_time() {
        assert_eq!(CONTENT.type_slug(), "demo");
        assert_eq!(difference(&whole()), "");
        assert_eq!(difference(&whole().replace("{\"two\":null}", "{ \"two\" : null }")), "");
        for (right, wrong, expected) in [
            ("\"demo\"", "\"word\"", "posted with the type \"demo\", and has \"word\""),
            ("\"typeSlug\"", "\"slug\"", "and has null"),
            ("\"extra\"", "\"other\"", "which nobody posted"),
            ("[1,", "[2,", "was saved with \"extra\""),
            ("\"extra\"", "\"more\":1,\"extra\"", "has the field \"more\", which nobody posted"),
            ("\"lastModified\":7", "\"x\":7", "no lastModified"),
            ("\"lastModified\":7", "\"lastModified\":\"7\"", "which is no time"),
        ] {
            let found = difference(&whole().replacen(right, wrong, 1));
            assert!(found.contains(expected), "{found}");
        }
    }

    #[test]
    fn what_an_instantiate_stores_has_no_extra_field_and_no_time_of_a_save() {
        let extra = format!("\"extra\":{},", extra(CONTENT));
        let created = whole().replacen(&extra, "", 1).replacen("\"lastModified\":7,", "", 1);
        assert_eq!(Shown::parse(&created).expect("JSON").difference(false), None);
    }

    #[test]
    fn created_and_version_stay_as_they_were() {
        let shown = Shown::parse(&whole()).expect("JSON");
        assert_eq!(shown.lost_metadata(&json!({ "version": "1.0", "created": 5.0, "lastModified": 6 })), None);
        assert_eq!(shown.lost_metadata(&Value::Null), None);
        let lost = |before| shown.lost_metadata(&before).unwrap_or_default();
        assert_eq!(lost(json!({ "created": 4 })), "its metadata had created 4, and have 5");
        assert!(lost(json!({ "version": "2.0" })).contains("version"));
    }
}
