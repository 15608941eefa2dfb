//! Requests and answers.

use super::super::running::Answer;
use super::Lie;
use super::document::Posted;
use super::faults::Sealed;
use super::keys::Drawn;
use super::store::{Instantiated, Liar};
use bytes::Bytes;
use http_body_util::{BodyExt, LengthLimitError, Limited};
use hyper::body::Body;
use hyper::header::{ALLOW, HeaderValue};
use hyper::{Method, Request};
use serde_json::{Value, json};
use std::error::Error;
use std::io;
use std::pin::pin;
use std::sync::atomic::Ordering;
use std::time::{SystemTime, UNIX_EPOCH};

/// Longest body of a request, PHP's default. A real document has 2.7 KB.
const BODY_BYTES: usize = 8 << 20;

/// A status and message that refuse a request.
pub(super) type Refusal = (u16, &'static str);

pub(super) const INVALID_DATA: Refusal = (400, "Invalid data format");
pub(super) const INVALID_KEY: Refusal = (400, "Invalid session key");
pub(super) const MISSING_TYPE: Refusal = (400, "Missing typeSlug parameter");
pub(super) const INVALID_TYPE: Refusal = (400, "Invalid checklist type");
pub(super) const KEY_REQUIRED: Refusal = (400, "Session key is required");
pub(super) const NOTHING_SAVED: Refusal = (404, "No saved data found");
pub(super) const INSTANCE_NOT_FOUND: Refusal = (404, "Instance not found");
pub(super) const FOLDER_NOT_FOUND: Refusal = (500, "Saves directory not found");
pub(super) const CREATE_FOLDER_FAILED: Refusal = (500, "Failed to create saves directory");
pub(super) const ACCESS_FAILED: Refusal = (500, "Failed to access saves directory");
pub(super) const OPEN_FAILED: Refusal = (500, "Failed to open file");
pub(super) const LOCK_FAILED: Refusal = (500, "Failed to acquire file lock");
pub(super) const READ_FAILED: Refusal = (500, "Failed to read saved data");
pub(super) const INVALID_SAVED_DATA: Refusal = (500, "Invalid saved data format");
pub(super) const DELETE_FAILED: Refusal = (500, "Failed to delete instance");
pub(super) const EXHAUSTED: Refusal = (503, "Unable to generate unique key - all attempts exhausted");
/// `WrongExhaustion`.
pub(super) const INTERNAL_ERROR: Refusal = (500, "Internal error");

/// `SavesTwice`: not even a refusal, as the connection is closed. No status has this number.
pub(super) const NO_ANSWER: Refusal = (0, "");

const NOT_FOUND: Refusal = (404, "Not found");
const METHOD_NOT_ALLOWED: Refusal = (405, "Method not allowed");
const BODY_TOO_LARGE: Refusal = (413, "Request body too large");
const BODY_INCOMPLETE: Refusal = (400, "Incomplete request body");

/// The header that tells how many keys were tried.
const ATTEMPTS: &str = "x-key-attempts";

/// Each operation with the methods it answers to.
const OPERATIONS: [(&str, &str); 7] = [
    ("generate-key", "GET, POST"),
    ("instantiate", "POST"),
    ("save", "POST"),
    ("restore", "GET, HEAD"),
    ("delete", "DELETE"),
    ("list", "GET, HEAD"),
    ("health", "GET, HEAD"),
];

/// A body that is read as it comes, or is there already.
pub(crate) trait ReadBody: Body<Data = Bytes, Error: Into<Box<dyn Error + Send + Sync>>> {}

impl<B: Body<Data = Bytes, Error: Into<Box<dyn Error + Send + Sync>>>> ReadBody for B {}

/// Answers a request; an error where the connection is to be closed instead, which only a lie does.
pub(crate) async fn answer<B: ReadBody>(liar: &Liar, request: Request<B>) -> io::Result<Answer> {
    liar.counted().requests.fetch_add(1, Ordering::Relaxed);
    let Some((operation, methods)) = operation(request.uri().path()) else {
        return Ok(refused(liar, NOT_FOUND));
    };
    if !allows(methods, request.method()) {
        let mut answer = refused(liar, METHOD_NOT_ALLOWED);
        answer.headers_mut().insert(ALLOW, HeaderValue::from_static(methods));
        return Ok(answer);
    }
    if operation == "generate-key" {
        return Ok(generated(liar, &liar.hand_out().await));
    }
    Ok(match operate(liar, operation, request).await {
        Ok(data) => succeeded(liar, &data, operation == "restore"),
        Err(NO_ANSWER) => return Err(io::ErrorKind::ConnectionAborted.into()),
        // WrongStatus: a client's mistake passes for the server's.
        Err(MISSING_TYPE) if liar.tells(Lie::WrongStatus) => refused(liar, (500, MISSING_TYPE.1)),
        Err(refusal) => refused(liar, refusal),
    })
}

/// The operation that a path names, and its methods.
fn operation(path: &str) -> Option<(&'static str, &'static str)> {
    let php = path.strip_prefix("/php/api/").map(|name| name.strip_suffix(".php").unwrap_or(name));
    let name = php.or_else(|| path.strip_prefix("/api/"))?;
    OPERATIONS.into_iter().find(|&(operation, _)| operation == name)
}

fn allows(methods: &str, method: &Method) -> bool {
    methods.split(", ").any(|allowed| allowed == method.as_str())
}

/// The data, as JSON, that an operation answers with.
async fn operate<B: ReadBody>(liar: &Liar, operation: &str, request: Request<B>) -> Result<Vec<u8>, Refusal> {
    let message = |message: &str| json!({ "message": message }).to_string().into_bytes();
    match operation {
        "instantiate" => {
            let body = whole(request, |_| ()).await?;
            Ok(message(match liar.instantiate(&Posted::check(&body, false)?).await? {
                Instantiated::Created => "Instance created",
                Instantiated::Existed => "Instance already exists",
            }))
        }
        "save" => {
            liar.folder_must_exist()?;
            let body = whole(request, |came| liar.store_half_a_body(came)).await?;
            liar.save(&Posted::check(&body, liar.lies(Lie::Traversal))?).await?;
            Ok(message(""))
        }
        "restore" => liar.restore(&parameter(&request, "sessionKey")),
        "delete" => {
            liar.delete(&parameter(&request, "session")).await?;
            Ok(message("Instance deleted successfully"))
        }
        // Off the threads that requests run on, as it goes through the whole folder.
        "list" => tokio::task::block_in_place(|| Ok(Value::from(liar.list()?).to_string().into_bytes())),
        _ => Ok(br#"{"status":"ok"}"#.to_vec()),
    }
}

/// A request's whole body: nothing is done before all of it is there, but what is done with a part of one, where the
/// client goes away in the middle.
async fn whole<B: ReadBody>(request: Request<B>, with_half: impl FnOnce(&[u8])) -> Result<Vec<u8>, Refusal> {
    let mut body = pin!(Limited::new(request.into_body(), BODY_BYTES));
    let mut came = Vec::new();
    while let Some(frame) = body.as_mut().frame().await {
        match frame {
            Ok(frame) => came.extend_from_slice(frame.data_ref().map_or(&[][..], |data| data)),
            Err(error) if error.is::<LengthLimitError>() => return Err(BODY_TOO_LARGE),
            Err(_) => {
                with_half(&came);
                return Err(BODY_INCOMPLETE);
            }
        }
    }
    Ok(came)
}

/// A parameter of the query, the last of its name, as in PHP; empty where there is none.
fn parameter<B>(request: &Request<B>, name: &str) -> String {
    let query = request.uri().query().unwrap_or_default().as_bytes();
    let values = form_urlencoded::parse(query).filter(|(parameter, _)| parameter == name);
    values.last().map(|(_, value)| value.into_owned()).unwrap_or_default()
}

fn generated(liar: &Liar, drawn: &Drawn) -> Answer {
    let mut answer = match drawn.key {
        Ok(key) => succeeded(liar, json!({ "sessionKey": liar.misspelt(key) }).to_string().as_bytes(), false),
        Err(refusal) => refused(liar, refusal),
    };
    answer.headers_mut().insert(ATTEMPTS, HeaderValue::from(drawn.attempts));
    answer
}

fn succeeded(liar: &Liar, data: &[u8], is_restore: bool) -> Answer {
    liar.seal(&Sealed { status: 200, timestamp_s: now_s(), rest: [b"\"data\":", data].concat(), is_restore })
}

fn refused(liar: &Liar, (status, message): Refusal) -> Answer {
    let rest = format!(r#""message":{}"#, Value::from(message)).into_bytes();
    liar.seal(&Sealed { status, timestamp_s: now_s(), rest, is_restore: false })
}

fn now_s() -> u64 {
    SystemTime::now().duration_since(UNIX_EPOCH).unwrap_or_default().as_secs()
}
