//! What an answer says, read as fast as it can be without taking anything on trust.

use crate::client::wire::Reply;
use crate::client::{Failure, Operation};
use crate::document::{Content, Document};
use crate::saves::folder::is_key;
use serde::Deserialize;
use std::borrow::Cow;

/// What came back on an operation.
#[derive(Clone, Debug, PartialEq)]
pub enum Said {
    /// generate-key: this key.
    Key(String),
    /// instantiate: the document is there now.
    Created,
    /// instantiate: it was there already.
    Existed,
    /// save.
    Saved,
    /// restore: a document.
    Restored(Restored),
    /// delete.
    Deleted,
    /// list.
    Listed(Vec<Listed>),
    /// An error in the contract's envelope.
    Refused {
        /// HTTP status.
        status: u16,
        /// `message`.
        message: String,
    },
    /// An answer that is none by the contract: status and envelope do not fit each other, or the data not the operation.
    Malformed {
        /// HTTP status.
        status: u16,
    },
    /// Nothing.
    NoAnswer(Failure),
}

/// A document that restore answered.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Restored {
    /// The key that it says it belongs to.
    pub session_key: Option<String>,
    /// The content of its state; `None` where that is none that was ever made, or not whole.
    pub content: Option<Content>,
}

/// An entry of a list.
#[derive(Clone, Debug, PartialEq, Deserialize)]
#[serde(rename_all = "camelCase")]
pub struct Listed {
    /// Key.
    pub session_key: String,
    /// Type.
    pub type_slug: String,
    /// When the document was created, Unix ms.
    #[serde(default)]
    pub created: Option<f64>,
}

impl Listed {
    /// The key.
    #[must_use]
    pub fn key(&self) -> &str {
        &self.session_key
    }

    /// When the document was created, Unix ms, where it says so.
    #[must_use]
    pub fn created_ms(&self) -> Option<f64> {
        self.created
    }
}

#[derive(Deserialize)]
struct Success<D> {
    success: bool,
    /// PHP leaves empty data out.
    #[serde(default = "Option::default")]
    data: Option<D>,
}

#[derive(Deserialize)]
struct Refusal<'a> {
    success: bool,
    #[serde(borrow)]
    message: Cow<'a, str>,
}

#[derive(Deserialize)]
#[serde(rename_all = "camelCase")]
struct KeyData<'a> {
    #[serde(borrow)]
    session_key: Cow<'a, str>,
}

#[derive(Deserialize)]
struct MessageData<'a> {
    #[serde(borrow)]
    message: Cow<'a, str>,
}

/// Data of which only that it is JSON matters.
#[derive(Deserialize)]
struct Anything {}

/// A document whose state was cut out.
#[derive(Deserialize)]
#[serde(rename_all = "camelCase")]
struct Frame<'a> {
    #[serde(borrow)]
    session_key: Option<Cow<'a, str>>,
    #[serde(borrow)]
    state: Cow<'a, str>,
}

/// What stands in the place of a state that was cut out: no server sends this.
const CUT: &str = "\u{fffd}cut\u{fffd}";

/// Whether a restore's error says that the file itself is no whole document.
#[must_use]
pub fn is_unreadable(message: &str) -> bool {
    matches!(message, "Invalid saved data format" | "Failed to read saved data")
}

/// Reads an answer.
#[must_use]
pub fn read(operation: Operation, outcome: Result<Reply, Failure>) -> Said {
    let reply = match outcome {
        Ok(reply) => reply,
        Err(failure) => return Said::NoAnswer(failure),
    };
    let said = if reply.status == 200 { success(operation, &reply.body) } else { refusal(reply.status, &reply.body) };
    said.unwrap_or(Said::Malformed { status: reply.status })
}

fn refusal(status: u16, body: &[u8]) -> Option<Said> {
    let refusal: Refusal<'_> = serde_json::from_slice(body).ok()?;
    let is_error = !refusal.success && (400..600).contains(&status);
    is_error.then(|| Said::Refused { status, message: refusal.message.into_owned() })
}

fn success(operation: Operation, body: &[u8]) -> Option<Said> {
    match operation {
        Operation::GenerateKey => {
            let key = data::<KeyData<'_>>(body)?.session_key;
            is_key(&key).then(|| Said::Key(key.into_owned()))
        }
        Operation::Instantiate => match &*data::<MessageData<'_>>(body)?.message {
            "Instance created" => Some(Said::Created),
            "Instance already exists" => Some(Said::Existed),
            _ => None,
        },
        Operation::Save => whole::<Anything>(body).map(|_| Said::Saved),
        Operation::Delete => whole::<Anything>(body).map(|_| Said::Deleted),
        Operation::Restore => restored_as_written(body).or_else(|| restored(body)).map(Said::Restored),
        Operation::List => Some(Said::Listed(whole(body)?.data.unwrap_or_default())),
    }
}

fn data<'a, D: Deserialize<'a>>(body: &'a [u8]) -> Option<D> {
    whole(body)?.data
}

fn whole<'a, D: Deserialize<'a>>(body: &'a [u8]) -> Option<Success<D>> {
    serde_json::from_slice(body).ok().filter(|envelope: &Success<D>| envelope.success)
}

/// A document whose state comes back byte for byte as it was written. The state is known by its seal and cut out, and
/// what is around it, a tenth of the whole, is read as JSON: if the cut came to lie where a document's state is, the
/// whole was a document with that state. `None` says only that the slow way must be taken.
fn restored_as_written(body: &[u8]) -> Option<Restored> {
    const FIELD: &[u8] = br#""state":"#;
    let at = memchr::memmem::find(body, br#""state":{"sidePanel":""#)? + FIELD.len();
    let (content, bytes) = Content::sealed(&body[at..])?;
    let around = [&body[..at], b"\"", CUT.as_bytes(), b"\"", &body[at + bytes..]].concat();
    let frame = data::<Frame<'_>>(&around).filter(|frame| frame.state == CUT)?;
    Some(Restored { session_key: frame.session_key.map(Cow::into_owned), content: Some(content) })
}

fn restored(body: &[u8]) -> Option<Restored> {
    let document: Document = data(body)?;
    Some(Restored { content: document.content(), session_key: document.session_key })
}

impl Said {
    /// How it is named where answers are counted: the same for all of a kind.
    #[must_use]
    pub fn error_name(&self) -> String {
        match self {
            Self::Refused { status, message } => format!("{status} {message}"),
            Self::Malformed { status } => format!("{status}, not in the contract's envelope"),
            Self::NoAnswer(failure) => failure.to_string(),
            _ => "success".to_owned(),
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::client::wire::Head;
    use crate::document::stored;

    const CONTENT: Content = Content { writer: 17, number: 3, size_bytes: 2_700 };

    fn said(operation: Operation, status: u16, body: &str) -> Said {
        read(
            operation,
            Ok(Reply { status, attempts: None, head: Head::default(), body: body.as_bytes().to_vec().into() }),
        )
    }

    fn success(data: &str) -> String {
        format!(r#"{{"success":true,"timestamp":1795494589,"data":{data}}}"#)
    }

    #[test]
    fn the_answers_of_the_contract_are_read() {
        let key = said(Operation::GenerateKey, 200, &success(r#"{"sessionKey":"A4K"}"#));
        assert_eq!(key, Said::Key("A4K".to_owned()));
        let message = |text: &str| success(&format!(r#"{{"message":"{text}"}}"#));
        assert_eq!(said(Operation::Instantiate, 200, &message("Instance created")), Said::Created);
        assert_eq!(said(Operation::Instantiate, 200, &message("Instance already exists")), Said::Existed);
        assert_eq!(said(Operation::Save, 200, &message("")), Said::Saved);
        assert_eq!(said(Operation::Delete, 200, &message("Instance deleted successfully")), Said::Deleted);
        let entry = r#"{"sessionKey":"A4K","timestamp":1,"created":1,"typeSlug":"word","metadata":{}}"#;
        let listed = Listed { session_key: "A4K".to_owned(), type_slug: "word".to_owned(), created: Some(1.0) };
        assert_eq!(said(Operation::List, 200, &success(&format!("[{entry}]"))), Said::Listed(vec![listed]));
        assert_eq!(said(Operation::List, 200, r#"{"success":true,"timestamp":1}"#), Said::Listed(vec![]));
        let refused =
            said(Operation::Restore, 404, r#"{"success":false,"message":"No saved data found","timestamp":1}"#);
        assert_eq!(refused, Said::Refused { status: 404, message: "No saved data found".to_owned() });
    }

    #[test]
    fn what_the_contract_does_not_know_is_malformed() {
        for (operation, status, body) in [
            (Operation::Save, 200, ""),
            (Operation::Save, 200, "<html>"),
            (Operation::Save, 200, r#"{"success":false,"message":"no"}"#),
            (Operation::Save, 201, r#"{"success":true,"data":{}}"#),
            (Operation::Save, 500, r#"{"success":true,"message":"no"}"#),
            (Operation::Save, 302, r#"{"success":false,"message":"no"}"#),
            (Operation::GenerateKey, 200, r#"{"success":true,"data":{"sessionKey":"../x"}}"#),
            (Operation::GenerateKey, 200, r#"{"success":true}"#),
            (Operation::Instantiate, 200, r#"{"success":true,"data":{"message":"fine"}}"#),
            (Operation::List, 200, r#"{"success":true,"data":[{"sessionKey":"A4K"}]}"#),
            (Operation::Restore, 200, r#"{"success":true,"data":[1]}"#),
        ] {
            assert_eq!(said(operation, status, body), Said::Malformed { status }, "{operation} {status} {body}");
        }
    }

    #[test]
    fn a_document_is_read_the_fast_way_and_the_slow_way_alike() {
        let document = stored("A4K", CONTENT, 5);
        let expected = Restored { session_key: Some("A4K".to_owned()), content: Some(CONTENT) };
        let as_written = success(&document);
        assert_eq!(restored_as_written(as_written.as_bytes()), Some(expected.clone()));
        assert_eq!(restored(as_written.as_bytes()), Some(expected.clone()));
        let through_php = success(&document.replace("{}", "[]"));
        assert_eq!(restored_as_written(through_php.as_bytes()), None);
        assert_eq!(said(Operation::Restore, 200, &through_php), Said::Restored(expected));
    }

    #[test]
    fn a_state_in_the_wrong_place_or_in_a_broken_frame_is_not_taken_for_the_documents() {
        let state = CONTENT.state();
        let state = state.get();
        for frame in [
            format!(r#"{{"sessionKey":"A4K","metadata":{{"state":{state}}}}}"#),
            format!(r#"{{"sessionKey":"A4K","metadata":{{"state":{state}}},"state":{{}}}}"#),
            format!(r#"{{"sessionKey":"A4K","state":{state},"state":{{}}}}"#),
        ] {
            let Said::Restored(restored) = said(Operation::Restore, 200, &success(&frame)) else { continue };
            assert_eq!(restored.content, None, "{frame}");
        }
        let cut_short = success(&stored("A4K", CONTENT, 5));
        let cut_short = &cut_short[..cut_short.len() - 1];
        assert_eq!(said(Operation::Restore, 200, cut_short), Said::Malformed { status: 200 });
    }
}
