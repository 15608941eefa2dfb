//! The entries of a list, and the faults that a list shows by itself, whatever is stored.

use super::scan::Scan;
use super::text::{Scalar, Text};
use crate::excerpt;
use crate::key::{KEYS, place_of_key};
use serde::de::{Deserialize, Deserializer, IgnoredAny, MapAccess, SeqAccess, Visitor};
use std::fmt;

/// An entry of a list. Documents that other clients made may lack any field.
#[derive(Clone, Debug, Default, PartialEq)]
pub struct Listed {
    /// `sessionKey`.
    pub session_key: Option<Text>,
    /// `typeSlug`.
    pub type_slug: Option<Text>,
    /// `timestamp`, which lists are sorted by, newest first.
    pub timestamp: Option<f64>,
    /// `created`, Unix ms. Servers that know only the file's time show that.
    pub created: Option<f64>,
    /// `metadata`.
    pub metadata: ListedMetadata,
}

/// The `metadata` of an entry.
#[derive(Clone, Debug, Default, PartialEq)]
pub struct ListedMetadata {
    /// `version` of the document's format.
    pub version: Option<Text>,
    /// `created`, Unix ms; the same as the entry's.
    pub created: Option<f64>,
    /// `lastModified`, Unix ms.
    pub last_modified: Option<f64>,
}

impl Listed {
    /// The key; empty if the entry has none.
    #[must_use]
    pub fn key(&self) -> &str {
        self.session_key.as_deref().unwrap_or_default()
    }

    /// The creation time from the document itself, Unix ms. `None` if the entry shows the file's time instead, which
    /// says nothing about the document: an ended session and a new one under the same key could then look alike.
    #[must_use]
    pub fn created_ms(&self) -> Option<f64> {
        self.created.filter(|created| Some(*created) != self.timestamp)
    }
}

#[derive(serde::Deserialize)]
#[serde(rename_all = "camelCase", field_identifier)]
enum Name {
    SessionKey,
    TypeSlug,
    Timestamp,
    Created,
    Metadata,
    Version,
    LastModified,
    #[serde(other)]
    Unknown,
}

impl<'de> Deserialize<'de> for Listed {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        deserializer.deserialize_map(EntryVisitor)
    }
}

struct EntryVisitor;

impl<'de> Visitor<'de> for EntryVisitor {
    type Value = Listed;

    fn expecting(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("an entry of a list")
    }

    fn visit_map<A: MapAccess<'de>>(self, mut fields: A) -> Result<Listed, A::Error> {
        let mut entry = Listed::default();
        while let Some(name) = fields.next_key()? {
            match name {
                Name::SessionKey => entry.session_key = fields.next_value::<Scalar>()?.text(),
                Name::TypeSlug => entry.type_slug = fields.next_value::<Scalar>()?.text(),
                Name::Timestamp => entry.timestamp = fields.next_value::<Scalar>()?.number(),
                Name::Created => entry.created = fields.next_value::<Scalar>()?.number(),
                Name::Metadata => entry.metadata = fields.next_value()?,
                Name::Version | Name::LastModified | Name::Unknown => drop(fields.next_value::<IgnoredAny>()?),
            }
        }
        Ok(entry)
    }
}

impl<'de> Deserialize<'de> for ListedMetadata {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        deserializer.deserialize_any(MetadataVisitor)
    }
}

struct MetadataVisitor;

/// Values other than objects have no fields.
impl<'de> Visitor<'de> for MetadataVisitor {
    type Value = ListedMetadata;

    fn expecting(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("metadata")
    }

    fn visit_map<A: MapAccess<'de>>(self, mut fields: A) -> Result<ListedMetadata, A::Error> {
        let mut metadata = ListedMetadata::default();
        while let Some(name) = fields.next_key()? {
            match name {
                Name::Version => metadata.version = fields.next_value::<Scalar>()?.text(),
                Name::Created => metadata.created = fields.next_value::<Scalar>()?.number(),
                Name::LastModified => metadata.last_modified = fields.next_value::<Scalar>()?.number(),
                _ => drop(fields.next_value::<IgnoredAny>()?),
            }
        }
        Ok(metadata)
    }

    fn visit_seq<A: SeqAccess<'de>>(self, mut items: A) -> Result<ListedMetadata, A::Error> {
        while items.next_element::<IgnoredAny>()?.is_some() {}
        Ok(ListedMetadata::default())
    }

    fn visit_unit<E>(self) -> Result<ListedMetadata, E> {
        Ok(ListedMetadata::default())
    }

    fn visit_bool<E>(self, _: bool) -> Result<ListedMetadata, E> {
        Ok(ListedMetadata::default())
    }

    fn visit_str<E>(self, _: &str) -> Result<ListedMetadata, E> {
        Ok(ListedMetadata::default())
    }

    fn visit_u64<E>(self, _: u64) -> Result<ListedMetadata, E> {
        Ok(ListedMetadata::default())
    }

    fn visit_i64<E>(self, _: i64) -> Result<ListedMetadata, E> {
        Ok(ListedMetadata::default())
    }

    fn visit_f64<E>(self, _: f64) -> Result<ListedMetadata, E> {
        Ok(ListedMetadata::default())
    }
}

/// Parses a list in the exact form that the contract's servers write; returns it with the envelope's timestamp. `None`
/// means only that the general parser must read it.
pub(super) fn as_written(body: &[u8]) -> Option<(Vec<Listed>, Option<f64>)> {
    let mut scan = Scan(body);
    let timestamp = scan.envelope()?;
    scan.pass(b"[")?;
    let mut entries = Vec::with_capacity(scan.0.len() / ENTRY_BYTES);
    if scan.pass(b"]}").is_none() {
        entries.push(entry_as_written(&mut scan)?);
        while scan.pass(b",").is_some() {
            entries.push(entry_as_written(&mut scan)?);
        }
        scan.pass(b"]}")?;
    }
    scan.0.is_empty().then_some((entries, Some(timestamp)))
}

/// Approximate size of an entry, in bytes.
const ENTRY_BYTES: usize = 150;

fn entry_as_written(scan: &mut Scan<'_>) -> Option<Listed> {
    scan.pass(br#"{"sessionKey":"#)?;
    let session_key = scan.text()?;
    scan.pass(br#","timestamp":"#)?;
    let timestamp = scan.number()?;
    scan.pass(br#","created":"#)?;
    let created = scan.number()?;
    scan.pass(br#","typeSlug":"#)?;
    let type_slug = scan.text()?;
    scan.pass(br#","metadata":{"version":"#)?;
    let version = scan.text()?;
    scan.pass(br#","created":"#)?;
    let metadata_created = scan.number()?;
    let last_modified = match scan.pass(br#","lastModified":"#) {
        Some(()) => Some(scan.number()?),
        None => None,
    };
    scan.pass(b"}}")?;
    let metadata = ListedMetadata { version: Some(version.into()), created: Some(metadata_created), last_modified };
    Some(Listed {
        session_key: Some(session_key.into()),
        type_slug: Some(type_slug.into()),
        timestamp: Some(timestamp),
        created: Some(created),
        metadata,
    })
}

/// The first fault of a list that shows whoever made its documents: an invalid key, a duplicate key, or a wrong order.
#[must_use]
pub fn list_fault(entries: &[Listed]) -> Option<String> {
    let mut seen = [0_u64; KEYS.div_ceil(64)];
    let mut before: Option<(usize, f64)> = None;
    for (place, entry) in entries.iter().enumerate() {
        let Some(index) = place_of_key(entry.key()) else { return Some(no_key(place, entry)) };
        let bit = 1 << (index % 64);
        if seen[index / 64] & bit != 0 {
            return Some(twice(entries, place));
        }
        seen[index / 64] |= bit;
        let Some(timestamp) = entry.timestamp else { continue };
        if let Some((older, _)) = before.filter(|(_, earlier)| *earlier < timestamp) {
            return Some(disordered(entries, older, place));
        }
        before = Some((place, timestamp));
    }
    None
}

fn no_key(place: usize, entry: &Listed) -> String {
    match &entry.session_key {
        Some(key) => format!("entry {} shows \"{}\", which is no key", place + 1, excerpt(key.as_bytes())),
        None => format!("entry {} has no sessionKey", place + 1),
    }
}

fn twice(entries: &[Listed], place: usize) -> String {
    let key = entries[place].key();
    let first = entries.iter().position(|entry| entry.key() == key).unwrap_or(place);
    format!("{key} is listed twice, as entries {} and {}", first + 1, place + 1)
}

fn disordered(entries: &[Listed], older: usize, newer: usize) -> String {
    let shown = |place: usize| {
        let entry = &entries[place];
        format!("entry {} ({}, timestamp {})", place + 1, entry.key(), entry.timestamp.unwrap_or_default())
    };
    format!("{} comes behind {}, which is older", shown(newer), shown(older))
}

#[cfg(test)]
mod tests {
    use super::*;

    fn entries(json: &str) -> Vec<Listed> {
        serde_json::from_str(json).expect("a list")
    }

    fn entry(key: &str, timestamp: u64) -> String {
        format!(
            r#"{{"sessionKey":"{key}","timestamp":{timestamp},"created":4,"typeSlug":"word","metadata":{{"version":"1.0","created":4,"lastModified":6.0}}}}"#
        )
    }

    fn fault(entries_json: &[String]) -> String {
        list_fault(&entries(&format!("[{}]", entries_json.join(",")))).unwrap_or_default()
    }

    #[test]
    fn an_entry_is_read_whole() {
        let metadata = ListedMetadata { version: Some("1.0".into()), created: Some(4.0), last_modified: Some(6.0) };
        let listed = Listed {
            session_key: Some("A4K".into()),
            type_slug: Some("word".into()),
            timestamp: Some(7.0),
            created: Some(4.0),
            metadata,
        };
        assert_eq!(entries(&format!("[{}]", entry("A4K", 7))), [listed]);
    }

    /// With any one byte replaced, or the list cut off anywhere, the fast path reads what the parser reads, or nothing.
    #[test]
    fn a_list_is_read_the_fast_way_as_the_parser_reads_it() {
        let plain = entry("A4K", 9).replace("6.0", "6");
        let unsaved = entry("B4K", 8).replace(r#","lastModified":6.0"#, "");
        let list = format!(r#"{{"success":true,"timestamp":7,"data":[{plain},{unsaved}]}}"#);
        let parsed = |body: &[u8]| super::super::data::<Vec<Listed>>(body);
        let (entries, timestamp) = as_written(list.as_bytes()).expect("it has the form");
        assert_eq!(parsed(list.as_bytes()), Some((Some(entries), timestamp)));
        assert_eq!(as_written(br#"{"success":true,"timestamp":7,"data":[]}"#), Some((vec![], Some(7.0))));
        for place in 0..list.len() {
            assert_eq!(as_written(&list.as_bytes()[..place]), None);
            for other in b"0a\"\\,:{}[] -" {
                let mut spoiled = list.clone().into_bytes();
                spoiled[place] = *other;
                if let Some((entries, timestamp)) = as_written(&spoiled) {
                    let told = String::from_utf8_lossy(&spoiled).into_owned();
                    assert_eq!(parsed(&spoiled), Some((Some(entries), timestamp)), "{told}");
                }
            }
        }
    }

    #[test]
    fn documents_of_others_may_lack_anything_but_the_key() {
        for other in [
            r#"{"sessionKey":"B4K"}"#,
            r#"{"sessionKey":"B4K","timestamp":null,"typeSlug":null,"created":"today","metadata":[]}"#,
            r#"{"sessionKey":"B4K","metadata":{"created":{"a":[1]},"mine":1},"more":[{}]}"#,
            r#"{"sessionKey":"B4K","metadata":"none"}"#,
        ] {
            assert_eq!(fault(&[entry("A4K", 9), other.to_owned(), entry("C4K", 8)]), "", "{other}");
        }
    }

    #[test]
    fn only_a_documents_own_time_says_when_it_was_created() {
        let [listed] = &entries(&format!("[{}]", entry("A4K", 7)))[..] else { panic!("one entry") };
        assert_eq!(listed.created_ms(), Some(4.0));
        let [by_file] = &entries(&format!("[{}]", entry("A4K", 4)))[..] else { panic!("one entry") };
        assert_eq!(by_file.created_ms(), None);
    }

    /// Regression: only missing entries were noticed; lists with duplicates, a wrong order or invalid keys passed.
    #[test]
    fn what_a_list_shows_wrong_by_itself_is_named() {
        let [a, b, c] = [entry("A4K", 9), entry("B4K", 8), entry("C4K", 8)];
        assert_eq!(fault(&[]), "");
        assert_eq!(fault(&[a.clone(), b.clone(), c.clone()]), "");
        assert_eq!(fault(&[a.clone(), c.clone(), b.clone()]), "", "they are of one time");
        assert_eq!(fault(&[a.clone(), b.clone(), c.clone(), b.clone()]), "B4K is listed twice, as entries 2 and 4");
        assert_eq!(
            fault(&[b.clone(), a.clone()]),
            "entry 2 (A4K, timestamp 9) comes behind entry 1 (B4K, timestamp 8), which is older"
        );
        assert_eq!(fault(&[a.clone(), entry("abc", 9)]), "entry 2 shows \"abc\", which is no key");
        assert_eq!(fault(&[a, entry("A4KX", 9)]), "entry 2 shows \"A4KX\", which is no key");
        assert_eq!(fault(&["{}".to_owned()]), "entry 1 has no sessionKey");
        assert!(fault(&[entry(&"X".repeat(500), 9)]).ends_with("X…\", which is no key"));
    }
}
