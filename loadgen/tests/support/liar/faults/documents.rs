//! What restore shows of a document, and what save stores of it.

use super::super::Lie;
use super::super::document::Object;
use super::super::keys::Key;
use super::super::store::{Liar, locked};
use super::super::wire::{INVALID_SAVED_DATA, NOTHING_SAVED, Refusal};
use serde_json::Value;
use std::time::Duration;

/// `LastModifiedGoesBack`: by how much.
const BACK_MS: u64 = 60_000;

/// `RestoreLagsBehindInstantiate`: how long a new document is not found.
const LAG: Duration = Duration::from_millis(20);

/// The fields that every document has; all others are the client's own.
const USUAL: [&str; 4] = ["sessionKey", "typeSlug", "metadata", "state"];

impl Liar {
    /// restore's response for an existing document.
    pub(in super::super) fn shown(&self, key: Key, content: Vec<u8>) -> Result<Vec<u8>, Refusal> {
        let is_new = || locked(&self.memory).is_new(key, LAG);
        match self.telling.lie {
            Some(lie @ Lie::RestoreLagsBehindInstantiate) if is_new() && self.tells(lie) => Err(NOTHING_SAVED),
            Some(lie @ Lie::RestoreNotFound) if self.tells(lie) => Err(NOTHING_SAVED),
            Some(lie @ Lie::RestoreUnreadable) if self.tells(lie) => Err(INVALID_SAVED_DATA),
            Some(Lie::ComesOnceMore) => {
                self.come_once_more(key, &content);
                Ok(content)
            }
            Some(lie) => {
                let changed = self.changed(lie, key, &content).filter(|changed| *changed != content);
                Ok(changed.filter(|_| self.tells(lie)).unwrap_or(content))
            }
            None => Ok(content),
        }
    }

    /// A shown document as a lie changes it.
    fn changed(&self, lie: Lie, key: Key, content: &[u8]) -> Option<Vec<u8>> {
        let document = Object::parse(content)?;
        let last = || locked(&self.memory).last().filter(|last| *last != key);
        let changed = match lie {
            Lie::EmptyState => with(&document, "state", "{}"),
            Lie::ForeignSessionKey => with(&document, "sessionKey", &format!("\"{}\"", last()?)),
            Lie::OtherType => with(
                &document,
                "typeSlug",
                if document.get("typeSlug")? == "\"word\"" { "\"demo\"" } else { "\"word\"" },
            ),
            Lie::TypeOfAnother => {
                with(&document, "typeSlug", Object::parse(&self.read(last()?).ok()??)?.get("typeSlug")?)
            }
            Lie::AddsField => with(&document, "served", "1"),
            Lie::LastModifiedGoesBack => {
                let earlier = document.object("metadata")?.milliseconds("lastModified")?.saturating_sub(BACK_MS);
                with_metadata(&document, |metadata| metadata.set("lastModified", &earlier.to_string()))?
            }
            Lie::LastModifiedMissing => with_metadata(&document, |metadata| metadata.remove("lastModified"))?,
            Lie::VersionChanges => with_metadata(&document, |metadata| metadata.set("version", "\"2.0\""))?,
            _ => return None,
        };
        Some(changed.into_bytes())
    }

    /// What save stores instead of the right document.
    pub(in super::super) fn mangled(&self, before: Option<&[u8]>, content: String, now_ms: u64) -> String {
        let Some(lie) = self.telling.lie else { return content };
        let changed = misstored(lie, before, &content, now_ms).filter(|changed| *changed != content);
        changed.filter(|_| self.tells(lie)).unwrap_or(content)
    }

    /// `SwapsSaves`: a save waits for another user's save, and each is stored in the other's place. Returns whether
    /// this one was.
    pub(in super::super) fn swaps(&self, key: Key, content: &str) -> Result<bool, Refusal> {
        if !self.lies(Lie::SwapsSaves) {
            return Ok(false);
        }
        let waiting = locked(&self.memory).take_waiting(key);
        if let Some((other, others)) = waiting {
            self.put(other, content)?;
            self.put(key, &others)?;
            return Ok(true);
        }
        if self.tells(Lie::SwapsSaves) {
            locked(&self.memory).set_waiting(key, content);
        }
        Ok(false)
    }
}

/// A stored document as a lie changes it.
fn misstored(lie: Lie, before: Option<&[u8]>, content: &str, now_ms: u64) -> Option<String> {
    let document = Object::parse(content.as_bytes())?;
    let before = before.and_then(Object::parse).unwrap_or_default();
    match lie {
        Lie::CreatedChanges => with_metadata(&document, |metadata| metadata.set("created", &now_ms.to_string())),
        Lie::CreatedDropped => with_metadata(&document, |metadata| metadata.remove("created")),
        Lie::LosesMetadata => {
            let kept = before.object("metadata")?;
            // As if nothing had been stored before: what this save does not post is gone.
            with_metadata(&document, |metadata| {
                kept.names().filter(|name| *name != "lastModified").for_each(|name| metadata.remove(name));
            })
        }
        Lie::StateWithOldMetadata => Some(with(&document, "metadata", before.get("metadata")?)),
        Lie::KeepsOldType => Some(with(&document, "typeSlug", before.get("typeSlug")?)),
        Lie::DropsPostedField => {
            let mut document = document;
            let extra = document.names().find(|name| !USUAL.contains(name))?.to_owned();
            document.remove(&extra);
            Some(document.to_json())
        }
        Lie::NumberToText => with_posted(&document, &|value| {
            if let Value::Number(number) = value {
                *value = Value::from(number.to_string());
            }
        }),
        Lie::DropsNestedNull => with_posted(&document, &|value| match value {
            Value::Object(fields) => fields.retain(|_, value| !value.is_null()),
            Value::Array(values) => values.retain(|value| !value.is_null()),
            _ => {}
        }),
        _ => None,
    }
}

/// The document with another value for a field.
fn with(document: &Object<'_>, name: &str, value: &str) -> String {
    let mut document = document.clone();
    document.set(name, value);
    document.to_json()
}

/// The document with changed metadata.
fn with_metadata(document: &Object<'_>, change: impl FnOnce(&mut Owned)) -> Option<String> {
    let mut metadata = Owned::of(&document.object("metadata")?);
    change(&mut metadata);
    Some(with(document, "metadata", &metadata.as_object().to_json()))
}

/// The document with all values of its extra fields changed, at any depth.
fn with_posted(document: &Object<'_>, change: &impl Fn(&mut Value)) -> Option<String> {
    let mut owned = Owned::of(document);
    for (name, text) in owned.0.iter_mut().filter(|(name, _)| !USUAL.contains(&name.as_str())) {
        let _ = name;
        let mut value: Value = serde_json::from_str(text).ok()?;
        let was = value.clone();
        change_all(&mut value, change);
        if value != was {
            *text = value.to_string();
        }
    }
    Some(owned.as_object().to_json())
}

fn change_all(value: &mut Value, change: &impl Fn(&mut Value)) {
    match value {
        Value::Object(fields) => fields.iter_mut().for_each(|(_, value)| change_all(value, change)),
        Value::Array(values) => values.iter_mut().for_each(|value| change_all(value, change)),
        _ => {}
    }
    change(value);
}

/// The fields of an object, to be changed.
struct Owned(Vec<(String, String)>);

impl Owned {
    fn of(object: &Object<'_>) -> Self {
        Self(object.fields().map(|(name, value)| (name.to_owned(), value.to_owned())).collect())
    }

    fn as_object(&self) -> Object<'_> {
        self.0.iter().map(|(name, value)| (name.clone(), value.as_str())).collect()
    }

    fn set(&mut self, name: &str, value: &str) {
        self.remove(name);
        self.0.push((name.to_owned(), value.to_owned()));
    }

    fn remove(&mut self, name: &str) {
        self.0.retain(|(field, _)| field != name);
    }
}
