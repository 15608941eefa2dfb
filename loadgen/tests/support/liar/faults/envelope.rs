//! The envelope around the data.

use super::super::super::running::Answer;
use super::super::Lie;
use super::super::store::Liar;
use bytes::Bytes;
use http_body_util::Full;
use hyper::header::{CONTENT_TYPE, HeaderValue};
use hyper::{Response, StatusCode};
use serde_json::Value;

/// `TimestampGoesBack`: by how much.
const BACK_S: u64 = 3_600;

/// A response before it is sent.
pub(in super::super) struct Sealed {
    pub(in super::super) status: u16,
    pub(in super::super) timestamp_s: u64,
    /// The part after `success` and `timestamp`: `"data":…` or `"message":…`.
    pub(in super::super) rest: Vec<u8>,
    pub(in super::super) is_restore: bool,
}

impl Liar {
    /// Puts a response into the envelope.
    pub(in super::super) fn seal(&self, sealed: &Sealed) -> Answer {
        let Sealed { status, timestamp_s, rest, is_restore } = sealed;
        let is_success = *status == 200;
        let success =
            if self.tells(Lie::SuccessAsText) { Value::from(is_success.to_string()) } else { is_success.into() };
        let timestamp = match self.telling.lie {
            Some(lie @ Lie::TimestampMissing) if self.tells(lie) => String::new(),
            Some(lie @ Lie::TimestampInMs) if self.tells(lie) => format!(r#""timestamp":{},"#, timestamp_s * 1_000),
            Some(lie @ Lie::TimestampGoesBack) if self.tells(lie) => {
                format!(r#""timestamp":{},"#, timestamp_s - BACK_S)
            }
            _ => format!(r#""timestamp":{timestamp_s},"#),
        };
        let mut body = [format!(r#"{{"success":{success},{timestamp}"#).as_bytes(), rest, b"}"].concat();
        if *is_restore && is_success && self.tells(Lie::RestoreCutShort) {
            body.truncate(body.len() / 2);
        }
        let mut answer = Response::new(Full::new(Bytes::from(body)));
        *answer.status_mut() = StatusCode::from_u16(*status).expect("a status");
        let content_type = if self.tells(Lie::HtmlType) { "text/html" } else { "application/json" };
        answer.headers_mut().insert(CONTENT_TYPE, HeaderValue::from_static(content_type));
        if is_success && self.tells(Lie::CreatedStatus) {
            *answer.status_mut() = StatusCode::CREATED;
        }
        if !is_success && self.tells(Lie::RefusalWithOk) {
            *answer.status_mut() = StatusCode::OK;
        }
        answer
    }
}
