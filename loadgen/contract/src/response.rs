//! Parses responses: as fast as possible, but taking nothing on trust.
//!
//! [`restored`]: a document, parsed in full. [`listed`]: the entries of a list. `text`: short strings without an
//! allocation. `scan`: reads JSON in the exact form that servers write.

pub mod listed;
pub mod restored;
mod scan;
mod text;

use crate::Reply;
use crate::envelope::Envelope;
use crate::key::is_session_key;
use crate::message::{CREATED, EXISTS, NO_WHOLE_DOCUMENT, NOT_READ};
use crate::{Failure, Operation};
use crate::{Meaning, excerpt, had_no_effect};
pub use listed::{Listed, ListedMetadata, list_fault};
pub use restored::Restored;
use serde::Deserialize;
use serde_json::value::RawValue;
use std::borrow::Cow;
pub use text::Text;

/// What came back on an operation.
#[derive(Clone, Debug, PartialEq)]
pub enum Said {
    /// generate-key: this key.
    Key(String),
    /// generate-key: a text that is not a valid key.
    NoKey(String),
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
    /// An error outside the contract's envelope, such as a proxy's error page. What the server did is unknown.
    Unclear {
        /// HTTP status.
        status: u16,
    },
    /// The contract's envelope, with a status that does not match it.
    WrongStatus {
        /// HTTP status.
        status: u16,
    },
    /// A response that breaks the contract: no envelope, or data that does not belong to the operation.
    Malformed {
        /// HTTP status.
        status: u16,
    },
    /// Nothing.
    NoAnswer(Failure),
}

/// A parsed response, and the timestamp of its envelope.
#[derive(Clone, Debug, PartialEq)]
pub struct Reading {
    /// The response.
    pub said: Said,
    /// The envelope's `timestamp` in Unix seconds, if it has one.
    pub timestamp_s: Option<f64>,
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

/// Whether a restore's error says that the file itself is no whole document.
#[must_use]
pub fn is_unreadable(message: &str) -> bool {
    [NO_WHOLE_DOCUMENT.1, NOT_READ.1].contains(&message)
}

/// Reads an answer.
#[must_use]
pub fn read(operation: Operation, outcome: Result<Reply, Failure>) -> Reading {
    let reply = match outcome {
        Ok(reply) => reply,
        Err(failure) => return Reading { said: Said::NoAnswer(failure), timestamp_s: None },
    };
    let (said, timestamp_s) = if reply.status == 200 { success(operation, &reply.body) } else { None }
        .unwrap_or_else(|| other(reply.status, &reply.body));
    Reading { said, timestamp_s }
}

/// Classifies a response that is not a success of the operation.
fn other(status: u16, body: &[u8]) -> (Said, Option<f64>) {
    // Errors in the contract's envelope have a message.
    let envelope = serde_json::from_slice::<Envelope<'_, &RawValue>>(body).ok();
    let envelope = envelope.filter(|envelope| envelope.success || envelope.message.is_some());
    let timestamp_s = envelope.as_ref().and_then(|envelope| timestamp(envelope.timestamp));
    let said = match Meaning::of(status, envelope.as_ref().map(|envelope| envelope.success)) {
        Meaning::Refusal => {
            let message = envelope.and_then(|envelope| envelope.message).unwrap_or_default().into_owned();
            Said::Refused { status, message }
        }
        Meaning::Unclear => Said::Unclear { status },
        Meaning::WrongStatus => Said::WrongStatus { status },
        Meaning::Success | Meaning::NoEnvelope => Said::Malformed { status },
    };
    (said, timestamp_s)
}

fn success(operation: Operation, body: &[u8]) -> Option<(Said, Option<f64>)> {
    match operation {
        Operation::GenerateKey => {
            let (data, timestamp_s) = data::<KeyData<'_>>(body)?;
            let key = data?.session_key.into_owned();
            Some((if is_session_key(&key) { Said::Key(key) } else { Said::NoKey(key) }, timestamp_s))
        }
        Operation::Instantiate => {
            let (data, timestamp_s) = data::<MessageData<'_>>(body)?;
            match &*data?.message {
                CREATED => Some((Said::Created, timestamp_s)),
                EXISTS => Some((Said::Existed, timestamp_s)),
                _ => None,
            }
        }
        Operation::Save => data::<Anything>(body).map(|(_, timestamp_s)| (Said::Saved, timestamp_s)),
        Operation::Delete => data::<Anything>(body).map(|(_, timestamp_s)| (Said::Deleted, timestamp_s)),
        Operation::Restore => {
            let read = restored::as_written(body).or_else(|| restored::any(body));
            read.map(|(restored, timestamp_s)| (Said::Restored(restored), timestamp_s))
        }
        Operation::List => {
            let as_parsed = || data::<Vec<Listed>>(body).map(|(data, time)| (data.unwrap_or_default(), time));
            let (entries, timestamp_s) = listed::as_written(body).or_else(as_parsed)?;
            Some((Said::Listed(entries), timestamp_s))
        }
    }
}

/// The data of a success, and the envelope's timestamp.
fn data<'a, D: Deserialize<'a>>(body: &'a [u8]) -> Option<(Option<D>, Option<f64>)> {
    let envelope: Envelope<'a, D> =
        serde_json::from_slice(body).ok().filter(|envelope: &Envelope<'a, D>| envelope.success)?;
    Some((envelope.data, timestamp(envelope.timestamp)))
}

fn timestamp(raw: Option<&RawValue>) -> Option<f64> {
    restored::number(raw?.get())
}

/// What the history records for a response outside the contract's envelope, which says nothing about the document.
pub const NO_ENVELOPE: &str = "not in the contract's envelope";

/// What the history records for an envelope with a wrong status, which says nothing about the document.
pub const WRONG_STATUS: &str = "a status that does not belong to its envelope";

impl Said {
    /// Whether a write or delete with this response may have taken effect, or still may.
    #[must_use]
    pub fn leaves_open(&self) -> bool {
        match self {
            Self::Malformed { .. } | Self::WrongStatus { .. } | Self::Unclear { .. } => true,
            // The request never reached the server.
            Self::NoAnswer(failure) => !failure.was_never_sent(),
            Self::Refused { status, .. } => !had_no_effect(*status),
            _ => false,
        }
    }

    /// Status and message of an unsuccessful response, as the history records them.
    #[must_use]
    pub fn refusal(&self) -> Option<(u16, Cow<'_, str>)> {
        match self {
            Self::Refused { status, message } => Some((*status, message.into())),
            Self::Malformed { status } | Self::Unclear { status } => Some((*status, NO_ENVELOPE.into())),
            Self::WrongStatus { status } => Some((*status, WRONG_STATUS.into())),
            Self::NoKey(text) => Some((200, format!("\"{}\" is no key", excerpt(text.as_bytes())).into())),
            _ => None,
        }
    }

    /// How it is named where answers are counted: the same for all of a kind.
    #[must_use]
    pub fn error_name(&self) -> String {
        match self {
            Self::Refused { status, message } => format!("{status} {message}"),
            Self::Malformed { status } | Self::Unclear { status } => format!("{status}, {NO_ENVELOPE}"),
            Self::WrongStatus { status } => format!("{status}, {WRONG_STATUS}"),
            Self::NoAnswer(failure) => failure.to_string(),
            _ => "success".to_owned(),
        }
    }
}

#[cfg(test)]
mod tests;
