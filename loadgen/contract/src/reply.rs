//! A response as it came, not yet decoded.

use crate::{Answer, Body, visible};
use bytes::Bytes;
use http::header::{CONTENT_ENCODING, CONTENT_TYPE, HeaderMap, HeaderValue, LOCATION, TRANSFER_ENCODING};

/// Header in which a server may say how many keys it tried.
const ATTEMPTS_HEADER: &str = "x-key-attempts";

/// A response as it came, not yet decoded.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Reply {
    /// HTTP status.
    pub status: u16,
    /// `X-Key-Attempts`, where the server sends it.
    pub attempts: Option<u32>,
    /// Other headers that matter.
    pub head: Head,
    /// The whole body.
    pub body: Bytes,
}

/// What the headers say about the body.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Head {
    /// `Content-Type`.
    pub content_type: Option<HeaderValue>,
    /// `Content-Encoding`: a body that is not sent as it is.
    pub content_encoding: Option<HeaderValue>,
    /// `Location`: where a redirect leads.
    pub location: Option<HeaderValue>,
    /// Whether no length is given, so that the body ends with the connection: a lost connection then looks like its
    /// end.
    pub is_open_ended: bool,
}

impl Head {
    /// From a response's headers, and the body's length if it is known.
    #[must_use]
    pub fn of(headers: &HeaderMap, body_bytes: Option<u64>) -> Self {
        let is_open_ended = body_bytes.is_none() && !headers.contains_key(TRANSFER_ENCODING);
        let header = |name| headers.get(name).cloned();
        Self {
            content_type: header(CONTENT_TYPE),
            content_encoding: header(CONTENT_ENCODING),
            location: header(LOCATION),
            is_open_ended,
        }
    }

    /// What a body without the contract's envelope is, as far as these headers tell.
    fn explained(&self, status: u16, excerpt: String) -> Body {
        let location = self.location.as_ref().filter(|_| (300..400).contains(&status));
        let encoding = self.content_encoding.as_ref().filter(|encoding| *encoding != "identity");
        match (location, encoding) {
            (Some(location), _) => Body::Redirect(text(location)),
            (None, Some(encoding)) => Body::Other(format!(
                "a body compressed with \"{}\", although loadgen does not accept compression: turn it off at the server",
                text(encoding)
            )),
            (None, None) => Body::Other(excerpt),
        }
    }
}

/// A header of the server's, safe to print.
fn text(value: &HeaderValue) -> String {
    visible(&String::from_utf8_lossy(value.as_bytes()))
}

impl Reply {
    /// Whether the connection seems to have been lost in the middle of the body.
    #[must_use]
    pub fn is_cut_off(&self) -> bool {
        let reads = || serde_json::from_slice::<&serde_json::value::RawValue>(&self.body);
        self.head.is_open_ended && reads().is_err_and(|error| error.is_eof())
    }
}

impl From<Reply> for Answer {
    fn from(reply: Reply) -> Self {
        let body = match Body::parse(&reply.body) {
            Body::Other(excerpt) => reply.head.explained(reply.status, excerpt),
            envelope => envelope,
        };
        Self { status: reply.status, attempts: reply.attempts, body }
    }
}

/// Number of keys that the server tried, from its header.
#[must_use]
pub fn attempts(headers: &HeaderMap) -> Option<u32> {
    headers.get(ATTEMPTS_HEADER)?.to_str().ok()?.parse().ok()
}

#[cfg(test)]
mod tests {
    use super::*;

    /// Regression: the specification's PHP, served by its own web server, sends no length, so a lost connection counted
    /// as a response that is not JSON.
    #[test]
    fn a_body_of_unknown_length_that_ends_in_the_middle_was_cut_off() {
        let reply = |is_open_ended, body: &'static str| {
            let head = Head { is_open_ended, ..Head::default() };
            Reply { status: 200, attempts: None, head, body: Bytes::from_static(body.as_bytes()) }.is_cut_off()
        };
        assert!(reply(true, r#"{"success":true,"da"#) && reply(true, ""));
        assert!(!reply(true, r#"{"success":true}"#) && !reply(true, "<html>"));
        assert!(!reply(false, r#"{"success":true,"da"#), "the server said that this is all");
    }

    #[test]
    fn a_head_says_whether_a_body_has_an_end() {
        let mut headers = HeaderMap::new();
        assert!(Head::of(&headers, None).is_open_ended && !Head::of(&headers, Some(7)).is_open_ended);
        headers.insert(TRANSFER_ENCODING, HeaderValue::from_static("chunked"));
        assert!(!Head::of(&headers, None).is_open_ended);
    }
}
