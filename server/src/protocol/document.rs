//! Documents as they come in, are stored and are listed. Pure: bytes to bytes.
//!
//! What a client sends below the top level (`state` above all) is passed through as the text it came as: parsing
//! a 2.7 KB document into values and writing them out again costs five times as much, and could change them.

use super::{Error, Listed, ListedMetadata, Rules};
use crate::keys::Key;
use indexmap::IndexMap;
use serde::Deserialize;
use serde_json::value::{RawValue, to_raw_value};

/// A JSON object with its fields in their order; of two fields of one name the last counts, as in PHP.
type Object<'a> = IndexMap<String, &'a RawValue>;

/// Version that instantiate writes into a document, and list shows.
pub(super) const FORMAT_VERSION: &str = "1.0";

/// A checked request to instantiate or save.
#[derive(Debug)]
pub struct Posted<'a> {
    /// The key it names.
    pub key: Key,
    fields: Object<'a>,
}

impl<'a> Posted<'a> {
    /// Checks a request's body, in the order of the wire contract.
    ///
    /// # Errors
    /// `InvalidData`, `InvalidKey`, `MissingType` or `InvalidType`.
    pub fn parse(body: &'a [u8], rules: &Rules) -> Result<Self, Error> {
        let fields: Object<'a> = serde_json::from_slice(body).map_err(|_| Error::InvalidData)?;
        let session_key = set(&fields, "sessionKey").ok_or(Error::InvalidData)?;
        let key = text(session_key).and_then(|text| rules.keys.parse(&text)).ok_or(Error::InvalidKey)?;
        let type_slug = set(&fields, "typeSlug").ok_or(Error::MissingType)?;
        text(type_slug).filter(|slug| rules.types.contains(slug)).ok_or(Error::InvalidType)?;
        Ok(Self { key, fields })
    }

    /// The document that instantiate writes.
    ///
    /// # Errors
    /// `InvalidData` where it cannot be written as JSON.
    pub fn placeholder(&self, now_ms: u64) -> Result<Vec<u8>, Error> {
        #[derive(serde::Serialize)]
        #[serde(rename_all = "camelCase")]
        struct Placeholder<'a> {
            session_key: &'a str,
            type_slug: Option<&'a RawValue>,
            metadata: Metadata,
            state: &'a RawValue,
        }
        #[derive(serde::Serialize)]
        struct Metadata {
            version: &'static str,
            created: u64,
        }
        let empty = raw(&IndexMap::<String, u8>::new())?;
        let placeholder = Placeholder {
            session_key: self.key.as_str(),
            type_slug: self.fields.get("typeSlug").copied(),
            metadata: Metadata { version: FORMAT_VERSION, created: now_ms },
            state: set(&self.fields, "state").unwrap_or(&empty),
        };
        serde_json::to_vec(&placeholder).map_err(|_| Error::InvalidData)
    }

    /// The document that save writes: what was posted less the legacy `type`, with the posted metadata laid
    /// over the existing one, field by field, and `lastModified` set.
    ///
    /// # Errors
    /// `InvalidData` where the posted metadata is no object.
    pub fn merged(&self, existing: Option<&[u8]>, now_ms: u64) -> Result<Vec<u8>, Error> {
        let posted = match set(&self.fields, "metadata") {
            Some(metadata) => object(metadata).ok_or(Error::InvalidData)?,
            None => Object::new(),
        };
        let stored: Option<Object<'_>> = existing.and_then(|content| serde_json::from_slice(content).ok());
        let stored = stored.as_ref().and_then(|document| set(document, "metadata")).and_then(object);
        let mut metadata = stored.unwrap_or_default();
        metadata.extend(posted);
        let now = raw(&now_ms)?;
        metadata.insert("lastModified".to_owned(), &now);

        let metadata = raw(&metadata)?;
        let mut document = self.fields.clone();
        document.shift_remove("type");
        document.insert("metadata".to_owned(), &metadata);
        serde_json::to_vec(&document).map_err(|_| Error::InvalidData)
    }
}

/// Whether a file's content is one whole JSON value other than `null`.
#[must_use]
pub fn is_whole(content: &[u8]) -> bool {
    serde_json::from_slice::<&RawValue>(content).is_ok_and(|value| value.get() != "null")
}

/// What list shows of a document; `None` where the content is not a whole, non-empty object.
#[must_use]
pub(super) fn listed(key: Key, content: &[u8], timestamp_ms: u64) -> Option<Listed> {
    let document: Option<Object<'_>> = serde_json::from_slice(content).ok();
    let document = document.filter(|document| !document.is_empty())?;
    let metadata = set(&document, "metadata").and_then(object).unwrap_or_default();
    Some(Listed {
        session_key: key.to_string(),
        timestamp: timestamp_ms,
        created: timestamp_ms,
        type_slug: document.get("typeSlug").map(|&slug| slug.to_owned()),
        metadata: ListedMetadata {
            version: FORMAT_VERSION,
            created: timestamp_ms,
            last_modified: set(&metadata, "lastModified").map(ToOwned::to_owned),
        },
    })
}

/// When a document says that it was created, Unix milliseconds.
pub(super) fn created_ms(content: &[u8]) -> Option<u64> {
    #[derive(Deserialize)]
    struct Document {
        metadata: Metadata,
    }
    #[derive(Deserialize)]
    struct Metadata {
        created: serde_json::Number,
    }
    let created = serde_json::from_slice::<Document>(content).ok()?.metadata.created;
    // PHP writes it as a float; one beyond the range ends at its edge.
    #[allow(clippy::cast_possible_truncation, clippy::cast_sign_loss)]
    created.as_u64().or_else(|| created.as_f64().map(|ms| ms as u64))
}

/// PHP's `isset`: there, and not null.
fn set<'a>(fields: &Object<'a>, name: &str) -> Option<&'a RawValue> {
    fields.get(name).copied().filter(|value| value.get() != "null")
}

fn text(value: &RawValue) -> Option<String> {
    serde_json::from_str(value.get()).ok()
}

/// An object's fields; PHP writes an empty object as an empty list, so that counts as one.
fn object(value: &RawValue) -> Option<Object<'_>> {
    serde_json::from_str(value.get()).ok().or_else(|| {
        let list: Vec<&RawValue> = serde_json::from_str(value.get()).ok()?;
        list.is_empty().then(Object::new)
    })
}

fn raw<T: serde::Serialize>(value: &T) -> Result<Box<RawValue>, Error> {
    to_raw_value(value).map_err(|_| Error::InvalidData)
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::keys::KeySpace;

    fn rules() -> Rules {
        Rules { keys: KeySpace::new(3).expect("in range"), types: vec!["word".to_owned(), "demo".to_owned()] }
    }

    fn merged(body: &str, existing: Option<&str>) -> String {
        let posted = Posted::parse(body.as_bytes(), &rules()).expect("a valid body");
        let document = posted.merged(existing.map(str::as_bytes), 7).expect("merges");
        String::from_utf8(document).expect("UTF-8")
    }

    #[test]
    fn a_body_is_checked_in_the_order_of_the_contract() {
        let refusal = |body: &str| Posted::parse(body.as_bytes(), &rules()).map(|_| ()).map_err(|e| e.to_string());
        let table = [
            ("", "Invalid data format"),
            ("no", "Invalid data format"),
            ("null", "Invalid data format"),
            ("[]", "Invalid data format"),
            ("{}", "Invalid data format"),
            (r#"{"typeSlug":"nope"}"#, "Invalid data format"),
            (r#"{"sessionKey":null,"typeSlug":"word"}"#, "Invalid data format"),
            (r#"{"sessionKey":"A4K","typeSlug":"word"} trailing"#, "Invalid data format"),
            (r#"{"sessionKey":"a4k"}"#, "Invalid session key"),
            (r#"{"sessionKey":17}"#, "Invalid session key"),
            (r#"{"sessionKey":["A4K"],"typeSlug":"word"}"#, "Invalid session key"),
            (r#"{"sessionKey":"A4K"}"#, "Missing typeSlug parameter"),
            (r#"{"sessionKey":"A4K","typeSlug":null}"#, "Missing typeSlug parameter"),
            (r#"{"sessionKey":"A4K","typeSlug":"nope"}"#, "Invalid checklist type"),
            (r#"{"sessionKey":"A4K","typeSlug":{}}"#, "Invalid checklist type"),
        ];
        for (body, message) in table {
            assert_eq!(refusal(body), Err(message.to_owned()), "{body}");
        }
        assert_eq!(refusal(r#"{"sessionKey":"A4K","typeSlug":"word"}"#), Ok(()));
    }

    #[test]
    fn a_key_may_be_spelled_with_escapes() {
        let posted = Posted::parse(br#"{"sessionKey":"\u00414K","typeSlug":"wor\u0064"}"#, &rules()).expect("valid");
        assert_eq!(posted.key.as_str(), "A4K");
    }

    #[test]
    fn the_placeholder_has_the_specifications_fields_in_its_order() {
        let document = |body: &str| {
            let posted = Posted::parse(body.as_bytes(), &rules()).expect("valid");
            String::from_utf8(posted.placeholder(5).expect("writes")).expect("UTF-8")
        };
        let with_state = r#"{"extra":1,"state":{"b": 1.50,"a":[]},"typeSlug":"word","sessionKey":"A4K"}"#;
        assert_eq!(
            document(with_state),
            r#"{"sessionKey":"A4K","typeSlug":"word","metadata":{"version":"1.0","created":5},"state":{"b": 1.50,"a":[]}}"#
        );
        assert!(document(r#"{"sessionKey":"A4K","typeSlug":"word","state":null}"#).ends_with(r#""state":{}}"#));
    }

    #[test]
    fn a_save_replaces_everything_but_lays_metadata_over_the_stored() {
        let existing = r#"{"old":1,"metadata":{"version":"1.0","created":5,"mine":1,"lastModified":6}}"#;
        let body =
            r#"{"sessionKey":"A4K","typeSlug":"word","type":"legacy","metadata":{"mine":2,"yours":3},"state":[{}]}"#;
        assert_eq!(
            merged(body, Some(existing)),
            concat!(
                r#"{"sessionKey":"A4K","typeSlug":"word","#,
                r#""metadata":{"version":"1.0","created":5,"mine":2,"lastModified":7,"yours":3},"state":[{}]}"#
            )
        );
    }

    #[test]
    fn a_save_without_metadata_gets_it_at_the_end() {
        let body = r#"{"sessionKey":"A4K","typeSlug":"word","state":{}}"#;
        let expected = r#"{"sessionKey":"A4K","typeSlug":"word","state":{},"metadata":{"lastModified":7}}"#;
        for existing in [None, Some(""), Some("{half"), Some("[]"), Some(r#"{"metadata":"text"}"#)] {
            assert_eq!(merged(body, existing), expected, "{existing:?}");
        }
    }

    #[test]
    fn an_empty_list_counts_as_empty_metadata_and_other_values_are_refused() {
        let body = |metadata: &str| format!(r#"{{"sessionKey":"A4K","typeSlug":"word","metadata":{metadata}}}"#);
        assert!(merged(&body("[]"), None).contains(r#""metadata":{"lastModified":7}"#));
        for metadata in ["1", "\"text\"", "[1]", "true"] {
            let body = body(metadata);
            let posted = Posted::parse(body.as_bytes(), &rules()).expect("valid so far");
            assert!(matches!(posted.merged(None, 7), Err(Error::InvalidData)), "{metadata}");
        }
    }

    #[test]
    fn a_million_levels_are_passed_over_without_a_stack_of_that_depth() {
        let deep = format!(
            r#"{{"sessionKey":"A4K","typeSlug":"word","state":{}{}}}"#,
            "[".repeat(1 << 20),
            "]".repeat(1 << 20)
        );
        assert!(merged(&deep, None).len() > 1 << 21);
    }

    #[test]
    fn half_a_document_is_not_whole() {
        let whole = r#"{"a":{"b":"c"}}"#;
        assert!(is_whole(whole.as_bytes()));
        assert!((0..whole.len()).all(|end| !is_whole(&whole.as_bytes()[..end])));
        assert!(!is_whole(b"null") && !is_whole(b"{} {}"));
    }

    #[test]
    fn list_shows_type_and_last_save() {
        let key = rules().keys.parse("A4K").expect("a key");
        let content = br#"{"typeSlug":"word","metadata":{"created":5.0,"lastModified":7.0}}"#;
        let json = serde_json::to_string(&listed(key, content, 9)).expect("writes");
        assert_eq!(
            json,
            r#"{"sessionKey":"A4K","timestamp":9,"created":9,"typeSlug":"word","metadata":{"version":"1.0","created":9,"lastModified":7.0}}"#
        );
        assert_eq!(created_ms(content), Some(5));
        assert!(listed(key, b"{\"typeSlug\":", 9).is_none() && listed(key, b"{}", 9).is_none());
    }
}
