//! Envelopes and statuses.

use crate::protocol::{Error, Generated, Instantiated, Listed};
use bytes::Bytes;
use http_body_util::Full;
use hyper::header::{ALLOW, CONNECTION, CONTENT_TYPE, HeaderValue, RETRY_AFTER};
use hyper::{Response, StatusCode};

/// An answer with its whole body.
pub type Answer = Response<Full<Bytes>>;

/// Header with the number of keys that generate-key tried.
pub const ATTEMPTS_HEADER: &str = "x-key-attempts";

/// `{"success":true,"timestamp":…,"data":…}` around data that is JSON already.
#[must_use]
pub fn success(now_s: u64, data: &[u8]) -> Answer {
    let mut body = format!(r#"{{"success":true,"timestamp":{now_s},"data":"#).into_bytes();
    body.extend_from_slice(data.trim_ascii());
    body.push(b'}');
    json(StatusCode::OK, body)
}

/// `{"success":false,"message":…,"timestamp":…}`.
#[must_use]
pub fn failure(now_s: u64, status: StatusCode, message: &str) -> Answer {
    json(status, failure_body(now_s, message))
}

/// Answer to generate-key.
#[must_use]
pub fn generated(now_s: u64, generated: Generated) -> Answer {
    let answer = success(now_s, format!(r#"{{"sessionKey":"{}"}}"#, generated.key).as_bytes());
    with_attempts(answer, generated.attempts)
}

/// Answer to instantiate.
#[must_use]
pub fn instantiated(now_s: u64, instantiated: Instantiated) -> Answer {
    match instantiated {
        Instantiated::Created => success(now_s, br#"{"message":"Instance created"}"#),
        Instantiated::Existed => success(now_s, br#"{"message":"Instance already exists"}"#),
    }
}

/// Answer to list.
#[must_use]
pub fn list(now_s: u64, listed: &[Listed]) -> Answer {
    match serde_json::to_vec(listed) {
        Ok(data) => success(now_s, &data),
        Err(error) => failure(now_s, StatusCode::INTERNAL_SERVER_ERROR, &error.to_string()),
    }
}

/// Answer to an operation that failed.
#[must_use]
pub fn refused(now_s: u64, error: &Error) -> Answer {
    let answer = failure(now_s, status_of(error), &error.to_string());
    match error {
        Error::KeysExhausted { attempts } => with_attempts(answer, *attempts),
        _ => answer,
    }
}

/// 405, with the methods that are allowed.
#[must_use]
pub fn method_not_allowed(now_s: u64, allow: &'static str) -> Answer {
    let mut answer = failure(now_s, StatusCode::METHOD_NOT_ALLOWED, "Method not allowed");
    answer.headers_mut().insert(ALLOW, HeaderValue::from_static(allow));
    answer
}

/// Marks an answer as the last on its connection: what is left of the request will not be read.
#[must_use]
pub fn closing(mut answer: Answer) -> Answer {
    answer.headers_mut().insert(CONNECTION, HeaderValue::from_static("close"));
    answer
}

/// A whole answer as bytes, for a connection that cannot be served as HTTP (any longer).
#[must_use]
pub fn raw_failure(now_s: u64, status: StatusCode, message: &str, retry_after_s: Option<u32>) -> Vec<u8> {
    let body = failure_body(now_s, message);
    let retry = retry_after_s.map(|s| format!("{}: {s}\r\n", RETRY_AFTER.as_str())).unwrap_or_default();
    let head = format!(
        "HTTP/1.1 {status}\r\ncontent-type: application/json\r\ncontent-length: {}\r\n{retry}connection: close\r\n\r\n",
        body.len()
    );
    [head.into_bytes(), body].concat()
}

fn failure_body(now_s: u64, message: &str) -> Vec<u8> {
    serde_json::json!({ "success": false, "message": message, "timestamp": now_s }).to_string().into_bytes()
}

fn status_of(error: &Error) -> StatusCode {
    match error {
        Error::InvalidData | Error::InvalidKey | Error::MissingType | Error::InvalidType | Error::KeyRequired => {
            StatusCode::BAD_REQUEST
        }
        Error::NothingSaved | Error::InstanceNotFound => StatusCode::NOT_FOUND,
        Error::KeysExhausted { .. } => StatusCode::SERVICE_UNAVAILABLE,
        Error::FolderNotFound
        | Error::CreateFolder(_)
        | Error::AccessFolder(_)
        | Error::Open(_)
        | Error::Lock(_)
        | Error::Write(_)
        | Error::Read(_)
        | Error::InvalidSavedData
        | Error::Delete(_) => StatusCode::INTERNAL_SERVER_ERROR,
    }
}

fn json(status: StatusCode, body: Vec<u8>) -> Answer {
    let mut answer = Response::new(Full::new(Bytes::from(body)));
    *answer.status_mut() = status;
    answer.headers_mut().insert(CONTENT_TYPE, HeaderValue::from_static("application/json"));
    answer
}

fn with_attempts(mut answer: Answer, attempts: u32) -> Answer {
    answer.headers_mut().insert(ATTEMPTS_HEADER, HeaderValue::from(attempts));
    answer
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::fs::ready;
    use http_body_util::BodyExt;

    fn body(answer: Answer) -> String {
        let bytes = ready(answer.into_body().collect()).expect("ready").expect("infallible").to_bytes();
        String::from_utf8(bytes.to_vec()).expect("UTF-8")
    }

    #[test]
    fn success_carries_the_data_as_it_is() {
        assert_eq!(body(success(7, b" {\"b\": 1.50}\n")), r#"{"success":true,"timestamp":7,"data":{"b": 1.50}}"#);
    }

    #[test]
    fn failure_names_its_message() {
        let answer = failure(7, StatusCode::NOT_FOUND, "say \"what\"");
        assert_eq!(answer.status(), 404);
        assert_eq!(answer.headers()[CONTENT_TYPE], "application/json");
        assert_eq!(body(answer), r#"{"message":"say \"what\"","success":false,"timestamp":7}"#);
    }

    #[test]
    fn exhaustion_tells_its_attempts_and_405_its_methods() {
        let answer = refused(7, &Error::KeysExhausted { attempts: 100 });
        assert_eq!((answer.status().as_u16(), &answer.headers()[ATTEMPTS_HEADER]), (503, &HeaderValue::from(100)));
        let answer = method_not_allowed(7, "GET, HEAD");
        assert_eq!((answer.status().as_u16(), &answer.headers()[ALLOW]), (405, &HeaderValue::from_static("GET, HEAD")));
    }

    #[test]
    fn a_raw_failure_is_a_whole_answer() {
        let text =
            String::from_utf8(raw_failure(7, StatusCode::SERVICE_UNAVAILABLE, "Server busy", Some(1))).expect("UTF-8");
        let (head, body) = text.split_once("\r\n\r\n").expect("a head and a body");
        assert!(
            head.starts_with("HTTP/1.1 503 Service Unavailable\r\n") && head.contains("retry-after: 1\r\n"),
            "{head}"
        );
        assert!(head.contains(&format!("content-length: {}", body.len())) && body.contains("Server busy"), "{head}");
    }
}
