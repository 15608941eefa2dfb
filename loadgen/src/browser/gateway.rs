//! What stands between a browser and a server: it passes on what it is sent, notes each call of the contract, and does
//! to it what it is told.

use crate::lab::lock;
use bytes::Bytes;
use contract::Body;
use contract::Operation;
use contract::message::CREATED;
use engine::client::ledger::{Ledger, Ownership};
use engine::client::{Patience, Target};
use futures_util::{StreamExt, stream};
use http_body_util::combinators::BoxBody;
use http_body_util::{BodyExt, Full, StreamBody};
use hyper::body::{Frame, Incoming};
use hyper::header::{AUTHORIZATION, CONNECTION, CONTENT_LENGTH, CONTENT_TYPE, HOST, HeaderValue, TRANSFER_ENCODING};
use hyper::server::conn::http1;
use hyper::service::service_fn;
use hyper::{HeaderMap, Method, Request, Response, StatusCode, Uri};
use hyper_util::rt::TokioIo;
use serde::Deserialize;
use std::fmt;
use std::io;
use std::net::{Ipv4Addr, SocketAddr};
use std::sync::{Arc, Mutex};
use std::time::{Duration, Instant};
use tokio::net::TcpListener;
use tokio::task::JoinHandle;
use url::Url;

/// How long an answer that is broken off is held after its beginning.
const BEGINNING_IS_SENT: Duration = Duration::from_millis(50);

/// What is done to a call.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Treatment {
    /// It is passed on.
    Pass,
    /// It is answered with an error, and not passed on.
    Refuse(u16, &'static str),
    /// The connection is closed without an answer, and it is not passed on. A browser may ask once more by itself.
    Cut,
    /// It is passed on, and of the answer only the beginning comes back.
    Swallow,
    /// It is passed on so much later.
    Hold(Duration),
    /// Only the beginning of an answer comes back, at once; so much later it is passed on after all.
    Strand(Duration),
}

/// A call of the contract, as it came by.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Call {
    /// The operation.
    pub operation: Operation,
    /// The key that it is about, or that it was answered.
    pub key: Option<String>,
    /// When it came, since the gateway was opened.
    pub came: Duration,
    /// The status that the browser was answered, once it was.
    pub status: Option<u16>,
}

/// What is done to a call that comes, from all that came before.
type Conduct = dyn Fn(&Call, &[Call]) -> Treatment + Send + Sync;

/// A gateway, open as long as it lives.
pub struct Gateway {
    shared: Arc<Shared>,
    address: SocketAddr,
    serving: JoinHandle<()>,
}

struct Shared {
    target: Url,
    authorization: Option<HeaderValue>,
    client: reqwest::Client,
    ledger: Arc<Ledger>,
    opened: Instant,
    calls: Mutex<Calls>,
    conduct: Mutex<Arc<Conduct>>,
}

/// The calls that came, and how many of them were forgotten.
#[derive(Default)]
struct Calls {
    all: Vec<Call>,
    forgotten: usize,
}

impl Calls {
    fn remembered(&self) -> &[Call] {
        &self.all[self.forgotten..]
    }
}

impl Gateway {
    /// Opens one to a target. Keys that are handed out or written under are entered in a ledger.
    ///
    /// # Errors
    /// Where no port can be had.
    ///
    /// # Panics
    /// Where TLS cannot be set up at all: the platform's certificates cannot be used.
    pub async fn open(target: &Target, patience: Patience, ledger: Arc<Ledger>) -> io::Result<Self> {
        let listener = TcpListener::bind((Ipv4Addr::LOCALHOST, 0)).await?;
        let address = listener.local_addr()?;
        // An error says that one is installed already.
        let _ = rustls::crypto::ring::default_provider().install_default();
        let client = reqwest::Client::builder()
            .no_proxy()
            .redirect(reqwest::redirect::Policy::none())
            .timeout(patience.answer)
            .build()
            .expect("TLS cannot be set up with this system's certificates");
        let shared = Arc::new(Shared {
            target: target.url().clone(),
            authorization: target.authorization().cloned(),
            client,
            ledger,
            opened: Instant::now(),
            calls: Mutex::default(),
            conduct: Mutex::new(Arc::new(|_: &Call, _: &[Call]| Treatment::Pass)),
        });
        let serving = tokio::spawn(serve(listener, Arc::clone(&shared)));
        Ok(Self { shared, address, serving })
    }

    /// The URL of something of the target, as the browser is to ask for it.
    #[must_use]
    pub fn url(&self, path_and_query: &str) -> String {
        format!("http://{}{path_and_query}", self.address)
    }

    /// The calls that came since they were last forgotten, in the order in which they came.
    #[must_use]
    pub fn calls(&self) -> Vec<Call> {
        lock(&self.shared.calls).remembered().to_vec()
    }

    /// The calls of one operation.
    #[must_use]
    pub fn calls_of(&self, operation: Operation) -> Vec<Call> {
        self.calls().into_iter().filter(|call| call.operation == operation).collect()
    }

    /// Forgets the calls.
    pub fn forget(&self) {
        let mut calls = lock(&self.shared.calls);
        calls.forgotten = calls.all.len();
    }

    /// Has calls treated so from now on, given those that came before since they were last forgotten.
    pub fn treat(&self, conduct: impl Fn(&Call, &[Call]) -> Treatment + Send + Sync + 'static) {
        *lock(&self.shared.conduct) = Arc::new(conduct);
    }
}

impl fmt::Debug for Gateway {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Gateway").field("address", &self.address).finish_non_exhaustive()
    }
}

impl Drop for Gateway {
    fn drop(&mut self) {
        self.serving.abort();
    }
}

async fn serve(listener: TcpListener, shared: Arc<Shared>) {
    loop {
        let Ok((stream, _)) = listener.accept().await else {
            // Out of open files, say: there will be some again.
            tokio::time::sleep(Duration::from_millis(50)).await;
            continue;
        };
        let shared = Arc::clone(&shared);
        let service = service_fn(move |request| Arc::clone(&shared).pass(request));
        // A connection that fails, or is closed on purpose, is the browser's to see.
        tokio::spawn(http1::Builder::new().serve_connection(TokioIo::new(stream), service));
    }
}

/// A body that is sent to the browser: one that is whole, or one that is broken off.
type Outgoing = BoxBody<Bytes, io::Error>;

/// A request, read to its end.
struct Asked {
    method: Method,
    path_and_query: String,
    headers: HeaderMap,
    body: Bytes,
}

impl Shared {
    /// An error closes the connection without an answer.
    async fn pass(self: Arc<Self>, request: Request<Incoming>) -> io::Result<Response<Outgoing>> {
        let (head, body) = request.into_parts();
        let body = body.collect().await.map_err(io::Error::other)?.to_bytes();
        let path_and_query = head.uri.path_and_query().map_or("/", |path| path.as_str()).to_owned();
        let asked = Asked { method: head.method, path_and_query, headers: head.headers, body };
        let Some(operation) = operation_of(head.uri.path()) else {
            return self.forward(asked).await.map(Answered::into_response);
        };
        let key = key_in(&head.uri, &asked.body);
        let (place, treatment) = self.enter(operation, key.clone());
        let answer = match treatment {
            Treatment::Pass => self.call(operation, key.as_deref(), asked).await,
            Treatment::Hold(time) => {
                tokio::time::sleep(time).await;
                self.call(operation, key.as_deref(), asked).await
            }
            Treatment::Refuse(status, message) => Ok(Answered::refusal(status, message)),
            Treatment::Cut => Err(io::Error::other("cut on purpose")),
            Treatment::Swallow => {
                let _ = self.call(operation, key.as_deref(), asked).await;
                return Ok(broken_off());
            }
            Treatment::Strand(time) => {
                let shared = Arc::clone(&self);
                self.ledger.under_way().spawn(async move {
                    tokio::time::sleep(time).await;
                    shared.call(operation, key.as_deref(), asked).await
                });
                return Ok(broken_off());
            }
        };
        let mut calls = lock(&self.calls);
        if let (Some(call), Ok(answer)) = (calls.all.get_mut(place), &answer) {
            call.status = Some(answer.status.as_u16());
            call.key = call.key.take().or_else(|| answer.key_handed_out(operation));
        }
        answer.map(Answered::into_response)
    }

    /// Notes that a call came; answers its place among them, and what is to be done to it.
    fn enter(&self, operation: Operation, key: Option<String>) -> (usize, Treatment) {
        let call = Call { operation, key, came: self.opened.elapsed(), status: None };
        let conduct = Arc::clone(&lock(&self.conduct));
        let mut calls = lock(&self.calls);
        let treatment = conduct(&call, calls.remembered());
        calls.all.push(call);
        (calls.all.len() - 1, treatment)
    }

    /// Passes a call on, and enters in the ledger what becomes ours by it: what is ours is deleted in the end. A document
    /// that was there when it was instantiated may be a stranger's, whose key a faulty server handed out again.
    async fn call(&self, operation: Operation, key: Option<&str>, asked: Asked) -> io::Result<Answered> {
        let answer = self.forward(asked).await;
        let writes = matches!(operation, Operation::Instantiate | Operation::Save);
        match (&answer, key) {
            (Ok(answer), Some(key)) if answer.has_written(operation) => drop(self.ledger.own(key, Ownership::Written)),
            (Ok(answer), None) => {
                if let Some(key) = answer.key_handed_out(operation) {
                    self.ledger.own(&key, Ownership::Handed);
                }
            }
            (Err(_), Some(key)) if writes => self.ledger.note_open_write(key),
            _ => {}
        }
        answer
    }

    async fn forward(&self, asked: Asked) -> io::Result<Answered> {
        let url = self.target.join(&asked.path_and_query).map_err(io::Error::other)?;
        let mut headers = asked.headers;
        for name in [HOST, CONNECTION, CONTENT_LENGTH, TRANSFER_ENCODING] {
            headers.remove(name);
        }
        if let Some(authorization) = &self.authorization {
            headers.insert(AUTHORIZATION, authorization.clone());
        }
        let request = self.client.request(asked.method, url).headers(headers).body(asked.body);
        let answer = request.send().await.map_err(io::Error::other)?;
        let (status, mut headers) = (answer.status(), answer.headers().clone());
        let body = answer.bytes().await.map_err(io::Error::other)?;
        for name in [CONNECTION, CONTENT_LENGTH, TRANSFER_ENCODING] {
            headers.remove(name);
        }
        Ok(Answered { status, headers, body })
    }
}

/// An answer, read to its end.
struct Answered {
    status: StatusCode,
    headers: HeaderMap,
    body: Bytes,
}

impl Answered {
    fn refusal(status: u16, message: &str) -> Self {
        let envelope = serde_json::json!({ "success": false, "message": message, "timestamp": 0 });
        let status = StatusCode::from_u16(status).unwrap_or(StatusCode::INTERNAL_SERVER_ERROR);
        let headers = HeaderMap::from_iter([(CONTENT_TYPE, HeaderValue::from_static("application/json"))]);
        Self { status, headers, body: envelope.to_string().into() }
    }

    /// Whether a document is there by this, or as it is by this.
    fn has_written(&self, operation: Operation) -> bool {
        match (operation, Body::parse(&self.body)) {
            (Operation::Instantiate, Body::Success(data)) => data.get().contains(&format!("\"{CREATED}\"")),
            (Operation::Save, Body::Success(_)) => true,
            _ => false,
        }
    }

    fn key_handed_out(&self, operation: Operation) -> Option<String> {
        match Body::parse(&self.body) {
            Body::Success(data) if operation == Operation::GenerateKey => key_in_json(data.get().as_bytes()),
            _ => None,
        }
    }

    fn into_response(self) -> Response<Outgoing> {
        let whole = Full::new(self.body).map_err(|never| match never {});
        let mut response = Response::new(whole.boxed());
        *response.status_mut() = self.status;
        *response.headers_mut() = self.headers;
        response
    }
}

/// The operation that a path names: its last part, with or without `.php`. Where the contract's paths begin, each
/// server decides.
fn operation_of(path: &str) -> Option<Operation> {
    let name = path.rsplit('/').next()?;
    Operation::of_name(name.strip_suffix(".php").unwrap_or(name))
}

/// The key that a call is about: of its query, or of its body.
fn key_in(uri: &Uri, body: &[u8]) -> Option<String> {
    let mut query = url::form_urlencoded::parse(uri.query().unwrap_or_default().as_bytes());
    let named = query.find(|(name, _)| name == "sessionKey" || name == "session").map(|(_, key)| key.into_owned());
    named.or_else(|| key_in_json(body))
}

fn key_in_json(json: &[u8]) -> Option<String> {
    #[derive(Deserialize)]
    #[serde(rename_all = "camelCase")]
    struct Keyed {
        session_key: String,
    }
    serde_json::from_slice::<Keyed>(json).ok().map(|keyed| keyed.session_key)
}

/// An answer that ends before it is whole. Where nothing at all comes back, a browser asks once more by itself.
fn broken_off() -> Response<Outgoing> {
    let beginning = stream::once(async { Ok(Frame::data(Bytes::from_static(b"{"))) });
    let end = stream::once(async {
        // What has begun is sent before it is known that nothing follows.
        tokio::time::sleep(BEGINNING_IS_SENT).await;
        Err(io::Error::other("cut on purpose"))
    });
    Response::new(BodyExt::boxed(StreamBody::new(Box::pin(beginning.chain(end)))))
}
