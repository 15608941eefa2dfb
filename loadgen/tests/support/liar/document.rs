//! JSON objects as they are posted and stored, and what is checked and merged in them. Pure.

use super::keys::Key;
use super::wire::{INVALID_DATA, INVALID_KEY, INVALID_TYPE, MISSING_TYPE, Refusal};
use serde_json::value::RawValue;
use std::collections::BTreeMap;

/// The type slugs that are accepted.
const TYPES: [&str; 8] = ["demo", "word", "powerpoint", "excel", "docs", "slides", "camtasia", "dojo"];

/// Version that instantiate writes into a document, and list shows.
pub(super) const FORMAT_VERSION: &str = "1.0";

/// An object's fields in their order, each value as the text that it came as: so numbers, escapes, the order of
/// fields and the kind of what is empty stay as they were.
#[derive(Clone, Debug, Default)]
pub(super) struct Object<'a>(Vec<(String, &'a str)>);

impl<'a> Object<'a> {
    /// An object; `None` for any other text.
    pub(super) fn parse(text: &'a [u8]) -> Option<Self> {
        let fields: BTreeMap<String, &'a RawValue> = serde_json::from_slice(text).ok()?;
        let mut fields: Vec<_> = fields.into_iter().map(|(name, value)| (name, value.get())).collect();
        // The map has sorted them by name; where each value stands in the text tells their order.
        fields.sort_by_key(|(_, value)| value.as_ptr());
        Some(Self(fields))
    }

    /// As [`Object::parse`]; PHP writes an empty object as an empty list, so that counts as one.
    fn parse_lenient(text: &'a str) -> Option<Self> {
        let is_empty_list = || serde_json::from_str::<[(); 0]>(text).is_ok();
        Self::parse(text.as_bytes()).or_else(|| is_empty_list().then(Self::default))
    }

    /// A field's value, as PHP's `isset` has it: null is as good as absent.
    pub(super) fn get(&self, name: &str) -> Option<&'a str> {
        self.0.iter().find(|(field, _)| field == name).map(|&(_, value)| value).filter(|&value| value != "null")
    }

    /// A field that is an object.
    pub(super) fn object(&self, name: &str) -> Option<Object<'a>> {
        self.get(name).and_then(Self::parse_lenient)
    }

    /// A field that is text.
    fn text(&self, name: &str) -> Option<String> {
        self.get(name).and_then(|value| serde_json::from_str(value).ok())
    }

    /// A field that is a number not below 0, without its fraction: PHP writes milliseconds as a float.
    #[allow(clippy::cast_possible_truncation, clippy::cast_sign_loss, reason = "it ends at the range's edge")]
    pub(super) fn milliseconds(&self, name: &str) -> Option<u64> {
        let value = self.get(name)?;
        value.parse().ok().or_else(|| value.parse::<f64>().ok().map(|ms| ms as u64))
    }

    /// Sets a field: in its place where it is there, else at the end.
    pub(super) fn set(&mut self, name: &str, value: &'a str) {
        match self.0.iter_mut().find(|(field, _)| field == name) {
            Some((_, old)) => *old = value,
            None => self.0.push((name.to_owned(), value)),
        }
    }

    /// Removes a field.
    pub(super) fn remove(&mut self, name: &str) {
        self.0.retain(|(field, _)| field != name);
    }

    /// The fields, with their values as written.
    pub(super) fn fields(&self) -> impl Iterator<Item = (&str, &'a str)> {
        self.0.iter().map(|(name, value)| (name.as_str(), *value))
    }

    /// The fields' names.
    pub(super) fn names(&self) -> impl Iterator<Item = &str> {
        self.fields().map(|(name, _)| name)
    }

    /// These fields, overlaid with others.
    fn overlaid(mut self, with: &Self) -> Self {
        for (name, value) in &with.0 {
            self.set(name, value);
        }
        self
    }

    /// The object as JSON.
    pub(super) fn to_json(&self) -> String {
        let fields: Vec<_> = self.0.iter().map(|(name, value)| format!("{}:{value}", quoted(name))).collect();
        format!("{{{}}}", fields.join(","))
    }
}

impl<'a> FromIterator<(String, &'a str)> for Object<'a> {
    fn from_iter<I: IntoIterator<Item = (String, &'a str)>>(fields: I) -> Self {
        Self(fields.into_iter().collect())
    }
}

fn quoted(text: &str) -> String {
    serde_json::Value::from(text).to_string()
}

/// A checked request to instantiate or save.
#[derive(Debug)]
pub(super) struct Posted<'a> {
    /// The key that it names, well-formed or not.
    pub(super) session_key: String,
    fields: Object<'a>,
}

impl<'a> Posted<'a> {
    /// Checks a request's body in the contract's order. `any_key` (`Traversal`) lets every text of three characters
    /// or more pass for a session key.
    pub(super) fn check(body: &'a [u8], any_key: bool) -> Result<Self, Refusal> {
        let fields = Object::parse(body).ok_or(INVALID_DATA)?;
        fields.get("sessionKey").ok_or(INVALID_DATA)?;
        let is_key = |text: &String| Key::parse(text).is_some() || any_key && text.chars().count() >= 3;
        let session_key = fields.text("sessionKey").filter(is_key).ok_or(INVALID_KEY)?;
        fields.get("typeSlug").ok_or(MISSING_TYPE)?;
        fields.text("typeSlug").filter(|slug| TYPES.contains(&slug.as_str())).ok_or(INVALID_TYPE)?;
        Ok(Self { session_key, fields })
    }

    /// Whether the posted state has any fields.
    pub(super) fn has_state(&self) -> bool {
        self.fields.object("state").is_some_and(|state| state.names().next().is_some())
    }

    /// The document that instantiate writes, with the posted state or, for `InstantiateDropsState`, as if none had been
    /// posted.
    pub(super) fn placeholder(&self, now_ms: u64, with_state: bool) -> String {
        let metadata = format!(r#"{{"version":"{FORMAT_VERSION}","created":{now_ms}}}"#);
        let key = quoted(&self.session_key);
        let mut document = Object::default();
        document.set("sessionKey", &key);
        document.set("typeSlug", self.fields.get("typeSlug").unwrap_or_default());
        document.set("metadata", &metadata);
        document.set("state", self.fields.get("state").filter(|_| with_state).unwrap_or("{}"));
        document.to_json()
    }

    /// The document that save writes over what is stored. `merge_state` (`MergingState`) overlays `state` as well.
    pub(super) fn merged(&self, stored: Option<&[u8]>, now_ms: u64, merge_state: bool) -> Result<String, Refusal> {
        let posted = match self.fields.get("metadata") {
            Some(metadata) => Object::parse_lenient(metadata).ok_or(INVALID_DATA)?,
            None => Object::default(),
        };
        let stored = stored.and_then(Object::parse).unwrap_or_default();
        let last_modified = now_ms.to_string();
        let mut metadata = stored.object("metadata").unwrap_or_default().overlaid(&posted);
        metadata.set("lastModified", &last_modified);
        let metadata = metadata.to_json();
        let state = match (stored.object("state"), self.fields.object("state")) {
            (Some(old), Some(new)) if merge_state => Some(old.overlaid(&new).to_json()),
            _ => None,
        };
        let mut document = self.fields.clone();
        document.0.retain(|(name, _)| name != "type");
        document.set("metadata", &metadata);
        if let Some(state) = &state {
            document.set("state", state);
        }
        Ok(document.to_json())
    }
}
