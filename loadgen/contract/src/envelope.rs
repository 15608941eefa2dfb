//! The envelope of the contract: whether a response is a success, an error, or neither.

use crate::excerpt;
use serde::Deserialize;
use serde_json::value::RawValue;
use std::borrow::Cow;

/// An answer as HTTP gave it.
#[derive(Clone, Debug)]
pub struct Answer {
    /// HTTP status.
    pub status: u16,
    /// `X-Key-Attempts`, where the server sends it.
    pub attempts: Option<u32>,
    /// The body.
    pub body: Body,
}

/// A body, read as the contract's envelope.
#[derive(Clone, Debug)]
pub enum Body {
    /// `{"success":true,…}`; `data` is `null` where it is left out.
    Success(Box<RawValue>),
    /// `{"success":false,"message":…}`.
    Failure(String),
    /// Not the contract's envelope: how it begins, or why it cannot be read.
    Other(String),
    /// Not the contract's envelope, and a redirect to this `Location`.
    Redirect(String),
}

/// Appended to the excerpt of a body that is valid JSON up to where it ends.
pub const CUT_SHORT: &str = " (the JSON ends in the middle)";

/// What a response says about its request, by status and envelope together. Loads and claims both decide it here.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Meaning {
    /// 200, and a success in the contract's envelope.
    Success,
    /// 4xx or 5xx, and an error in the contract's envelope.
    Refusal,
    /// 4xx or 5xx without the envelope, such as a proxy's page. The server may not have seen the request, or may have
    /// done it.
    Unclear,
    /// The contract's envelope, with a status that does not match it, such as 201.
    WrongStatus,
    /// Any other response without the envelope.
    NoEnvelope,
}

impl Meaning {
    /// From a status, and from what the envelope says about success, if there is one.
    #[must_use]
    pub fn of(status: u16, is_success: Option<bool>) -> Self {
        match (status, is_success) {
            (200, Some(true)) => Self::Success,
            (400..600, Some(false)) => Self::Refusal,
            (_, Some(_)) => Self::WrongStatus,
            (400..600, None) => Self::Unclear,
            (_, None) => Self::NoEnvelope,
        }
    }
}

/// Statuses about the server's limits or the path to it, not about the request: too slow, too large, misdirected, too
/// early, too many, header too large.
const LIMITS: [u16; 7] = [408, 413, 414, 421, 425, 429, 431];

/// Whether an error in the contract's envelope with this status says that the request was wrong. After a request that
/// keeps the contract that is never right. Loads and claims both decide it here.
#[must_use]
pub fn blames_request(status: u16) -> bool {
    (400..500).contains(&status) && !LIMITS.contains(&status)
}

/// Whether a refusal in the contract's envelope implies that nothing was done, as the request was wrong. A server that
/// is busy or timed out (408, 429) may have begun.
#[must_use]
pub fn had_no_effect(status: u16) -> bool {
    (400..500).contains(&status) && !matches!(status, 408 | 429)
}

/// The contract's envelope around data of type `D`.
#[derive(Deserialize)]
pub(crate) struct Envelope<'a, D> {
    pub(crate) success: bool,
    #[serde(borrow, default)]
    pub(crate) timestamp: Option<&'a RawValue>,
    /// PHP leaves empty data out.
    #[serde(default = "Option::default")]
    pub(crate) data: Option<D>,
    #[serde(borrow, default)]
    pub(crate) message: Option<Cow<'a, str>>,
}

impl Body {
    /// Reads a body.
    #[must_use]
    pub fn parse(bytes: &[u8]) -> Self {
        match serde_json::from_slice::<Envelope<'_, &RawValue>>(bytes) {
            Ok(Envelope { success: true, data, .. }) => Self::Success(data.unwrap_or(RawValue::NULL).to_owned()),
            Ok(Envelope { success: false, message: Some(message), .. }) => Self::Failure(message.into_owned()),
            read => {
                let mut excerpt = excerpt(bytes);
                if is_cut_short(bytes, read.err().as_ref()) {
                    excerpt.push_str(CUT_SHORT);
                }
                Self::Other(excerpt)
            }
        }
    }
}

/// Whether a body is the beginning of a JSON object.
fn is_cut_short(bytes: &[u8], error: Option<&serde_json::Error>) -> bool {
    bytes.starts_with(b"{") && error.is_some_and(serde_json::Error::is_eof)
}

impl Answer {
    /// What the response says by status and envelope together.
    #[must_use]
    pub fn meaning(&self) -> Meaning {
        let is_success = match self.body {
            Body::Success(_) => Some(true),
            Body::Failure(_) => Some(false),
            Body::Other(_) | Body::Redirect(_) => None,
        };
        Meaning::of(self.status, is_success)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    /// Regression: a proxy's 502, 503 and 504 pages counted as the server's responses, and its 404 and 413 pages as
    /// refusals.
    #[test]
    fn status_and_envelope_are_read_together() {
        use Meaning::{NoEnvelope, Refusal, Success, Unclear, WrongStatus};
        for (status, [success, failure, other]) in [
            (200, [Success, WrongStatus, NoEnvelope]),
            (201, [WrongStatus, WrongStatus, NoEnvelope]),
            (302, [WrongStatus, WrongStatus, NoEnvelope]),
            (400, [WrongStatus, Refusal, Unclear]),
            (404, [WrongStatus, Refusal, Unclear]),
            (413, [WrongStatus, Refusal, Unclear]),
            (500, [WrongStatus, Refusal, Unclear]),
            (504, [WrongStatus, Refusal, Unclear]),
            (600, [WrongStatus, WrongStatus, NoEnvelope]),
        ] {
            let meanings = [Some(true), Some(false), None].map(|is_success| Meaning::of(status, is_success));
            assert_eq!(meanings, [success, failure, other], "{status}");
        }
    }

    /// Regression: loads took 413, 414, 421, 425 and 431 for the refusal of a valid request.
    #[test]
    fn a_limit_does_not_blame_the_request() {
        let blaming: Vec<u16> = (100..600).filter(|status| blames_request(*status)).collect();
        assert!([400, 403, 404, 405, 409, 422].iter().all(|status| blaming.contains(status)));
        assert!(![200, 302, 408, 413, 414, 421, 425, 429, 431, 500, 503].iter().any(|status| blaming.contains(status)));
    }

    #[test]
    fn a_body_that_is_no_envelope_is_shown_by_its_beginning() {
        let Body::Other(excerpt) = Body::parse(&[b"\x00<html>\n".as_slice(), &[b'x'; 500]].concat()) else {
            panic!("other")
        };
        assert!(excerpt.starts_with("\\0<html>\\n") && excerpt.ends_with('…'), "{excerpt}");
    }
}
