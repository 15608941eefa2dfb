//! How fast the generator itself is: the same work against a server that does next to nothing.

use super::{Setup, run};
use crate::client::{Patience, Target};
use crate::scenario::{Load, Pacing, Plan, Scenario, Shape, Think};
use bytes::Bytes;
use contract::document::{Content, REAL_STATE_BYTES, stored};
use contract::key::key_at;
use contract::message::{CREATED, EXISTS, NO_DOCUMENT};
use http_body_util::{BodyExt, Full};
use hyper::body::Incoming;
use hyper::server::conn::http1;
use hyper::service::service_fn;
use hyper::{Method, Request, Response, StatusCode};
use hyper_util::rt::TokioIo;
use stats::keys::THREE_CHARACTER_KEYS;
use std::cell::RefCell;
use std::collections::HashMap;
use std::convert::Infallible;
use std::io::{self, Write as _};
use std::net::SocketAddr;
use std::rc::Rc;
use std::sync::Arc;
use tokio::net::TcpListener;
use tokio::runtime::LocalRuntime;
use tokio::task::spawn_local;
use tokio_util::sync::CancellationToken;

/// Enough connections to have something to send at any time, and few enough to be made in no time.
const USERS: u32 = 50;

/// How long it is measured, after how long a warm-up, µs.
const DURATION_US: u64 = 400_000;
const WARM_UP_US: u64 = 100_000;

/// What the generator can do.
#[derive(Clone, Copy, Debug, PartialEq)]
pub struct Ceiling {
    /// Operations a second, were the target infinitely fast and on a machine of its own.
    pub per_s: f64,
    /// Processor time of the users' threads for each, µs.
    pub cpu_us_per_operation: f64,
}

/// Measures it for operations as a plan has them, on so many threads.
///
/// # Errors
/// Where the null server or the generator cannot be set up.
pub fn measure(plan: &Plan, threads: u32) -> io::Result<Option<Ceiling>> {
    let server = NullServer::start()?;
    let target = Target::new(&format!("http://{}", server.address), "/{op}").map_err(io::Error::other)?;
    let plan = Plan { users: USERS, load: as_fast_as_can_be(), think: Think::None, ..plan.clone() };
    // A journey's users think most of the time; what they do, they do in the mix as well.
    let scenario = if plan.scenario == Scenario::Journey { Scenario::Mixed } else { plan.scenario };
    let setup = Setup {
        plan: Arc::new(Plan { scenario, ..plan }),
        target: Arc::new(target),
        patience: Patience::default(),
        reserves: true,
        keys_in_use: None,
        shared_key: (scenario == Scenario::SameSession).then(shared_key),
        ledger: Arc::default(),
        threads,
        history: None,
    };
    let measured = run(setup, &CancellationToken::new(), &mut |_| ())?;
    let answered: u64 = measured.tallies.iter().map(|tally| tally.response_us().len()).sum();
    if answered == 0 || measured.threads_cpu_s <= 0.0 {
        return Ok(None);
    }
    let cpu_us_per_operation = measured.threads_cpu_s * 1e6 / answered as f64;
    let processors = std::thread::available_parallelism().map_or(1, usize::from) as f64;
    Ok(Some(Ceiling { per_s: f64::from(threads).min(processors) * 1e6 / cpu_us_per_operation, cpu_us_per_operation }))
}

fn as_fast_as_can_be() -> Load {
    let stages = Shape::constant(f64::from(USERS), DURATION_US).after_warm_up(WARM_UP_US);
    Load::Closed { stages, pacing: Pacing::Think }
}

/// A key whose document is there from the start.
fn shared_key() -> String {
    key_at(0)
}

/// A server that keeps what it is sent, and answers as the contract says, with the least that this takes. It ends when
/// it is dropped.
struct NullServer {
    address: SocketAddr,
    stop: CancellationToken,
}

impl NullServer {
    fn start() -> io::Result<Self> {
        let listener = std::net::TcpListener::bind("127.0.0.1:0")?;
        listener.set_nonblocking(true)?;
        let address = listener.local_addr()?;
        let stop = CancellationToken::new();
        let stopped = stop.clone();
        std::thread::Builder::new().name("null-server".to_owned()).spawn(move || -> io::Result<()> {
            let runtime: LocalRuntime =
                tokio::runtime::Builder::new_current_thread().enable_all().build_local(<_>::default())?;
            runtime.block_on(async {
                let listener = TcpListener::from_std(listener)?;
                tokio::select! {
                    () = stopped.cancelled() => Ok(()),
                    served = serve(listener) => served,
                }
            })
        })?;
        Ok(Self { address, stop })
    }
}

impl Drop for NullServer {
    fn drop(&mut self) {
        self.stop.cancel();
    }
}

async fn serve(listener: TcpListener) -> io::Result<()> {
    let mut store = Store::default();
    let content = Content { writer: u64::MAX, number: 0, size_bytes: REAL_STATE_BYTES };
    store.documents.insert(shared_key(), stored(&shared_key(), content, CREATED_MS).into());
    let store = Rc::new(RefCell::new(store));
    loop {
        let (stream, _) = listener.accept().await?;
        let _ = stream.set_nodelay(true);
        let store = Rc::clone(&store);
        let answer = service_fn(move |request| answer(Rc::clone(&store), request));
        spawn_local(http1::Builder::new().serve_connection(TokioIo::new(stream), answer));
    }
}

/// What a null server keeps.
#[derive(Default)]
pub(super) struct Store {
    handed: usize,
    documents: HashMap<String, Bytes>,
}

async fn answer(store: Rc<RefCell<Store>>, request: Request<Incoming>) -> Result<Response<Full<Bytes>>, Infallible> {
    let (head, body) = request.into_parts();
    let body = body.collect().await.map(http_body_util::Collected::to_bytes).unwrap_or_default();
    let query = head.uri.query().unwrap_or_default();
    let answer = store.borrow_mut().answer(&head.method, head.uri.path(), query, &body);
    let mut response = Response::new(Full::new(envelope(answer.as_deref())));
    if answer.is_none() {
        *response.status_mut() = StatusCode::NOT_FOUND;
    }
    Ok(response)
}

/// Data as the contract sends it, or that there is none.
pub(super) fn envelope(data: Option<&[u8]>) -> Bytes {
    match data {
        Some(data) => [br#"{"success":true,"timestamp":1,"data":"#, data, b"}"].concat().into(),
        None => format!(r#"{{"success":false,"message":"{}","timestamp":1}}"#, NO_DOCUMENT.1).into(),
    }
}

/// Creation and last save of all its documents: its clock stands still. Not a whole second, as clocks that count
/// seconds prove less.
pub(super) const CREATED_MS: u64 = 1_001;

/// The text between the braces of a document's metadata.
fn metadata(document: &[u8]) -> &[u8] {
    between(document, br#""metadata":{"#, b'}')
}

/// What follows `begin`, up to `end`; empty if it is not there.
fn between<'a>(document: &'a [u8], begin: &[u8], end: u8) -> &'a [u8] {
    let Some(at) = memchr::memmem::find(document, begin) else { return b"" };
    let inner = &document[at + begin.len()..];
    &inner[..memchr::memchr(end, inner).unwrap_or(0)]
}

fn replaced(document: &[u8], part: &[u8], by: &[u8]) -> Bytes {
    let Some(at) = memchr::memmem::find(document, part) else { return Bytes::copy_from_slice(document) };
    [&document[..at], by, &document[at + part.len()..]].concat().into()
}

/// What a save stores: the posted document, with its metadata laid over the stored metadata.
fn overlaid(stored: &[u8], posted: &[u8]) -> Bytes {
    let posted_metadata = metadata(posted);
    let name_of = |field: &[u8]| field[..memchr::memchr(b':', field).unwrap_or(0)].to_vec();
    let mut fields = Vec::new();
    for field in metadata(stored).split(|byte| *byte == b',') {
        if !field.is_empty() && name_of(field) != name_of(posted_metadata) && !field.starts_with(b"\"lastModified") {
            fields.extend_from_slice(field);
            fields.push(b',');
        }
    }
    fields.extend_from_slice(posted_metadata);
    // Writing to memory does not fail.
    let _ = write!(fields, r#","lastModified":{CREATED_MS}"#);
    replaced(posted, posted_metadata, &fields)
}

impl Store {
    /// The data of an answer; `None` where nothing is there. Requests are the generator's own, and well-formed.
    pub(super) fn answer(&mut self, method: &Method, path: &str, query: &str, body: &Bytes) -> Option<Bytes> {
        let key_in_query = query.split_once('=').map_or("", |(_, key)| key);
        let key_in_body = || body.get(15..18).map_or_else(String::new, |key| String::from_utf8_lossy(key).into_owned());
        match path {
            "/generate-key" => Some(format!(r#"{{"sessionKey":"{}"}}"#, self.free_key()).into()),
            "/instantiate" => {
                let metadata = format!(r#","metadata":{{"version":"1.0","created":{CREATED_MS}}},"state":"#);
                let document = || replaced(body, br#","state":"#, metadata.as_bytes());
                let mut message = EXISTS;
                self.documents.entry(key_in_body()).or_insert_with(|| {
                    message = CREATED;
                    document()
                });
                Some(format!(r#"{{"message":"{message}"}}"#).into())
            }
            "/save" => {
                let key = key_in_body();
                let document = overlaid(self.documents.get(&key).map_or(&b""[..], |stored| stored), body);
                self.documents.insert(key, document);
                Some(Bytes::from_static(br#"{"message":""}"#))
            }
            "/restore" => self.documents.get(key_in_query).cloned(),
            "/delete" if method == Method::DELETE => {
                self.documents.remove(key_in_query).map(|_| Bytes::from_static(br#"{"message":"gone"}"#))
            }
            "/list" => {
                let entry = |(key, document): (&String, &Bytes)| {
                    let slug = String::from_utf8_lossy(between(document, br#""typeSlug":""#, b'"'));
                    format!(
                        r#"{{"sessionKey":"{key}","timestamp":1,"created":1,"typeSlug":"{slug}","metadata":{{"version":"1.0","created":1}}}}"#
                    )
                };
                let entries: Vec<String> = self.documents.iter().map(entry).collect();
                Some(format!("[{}]", entries.join(",")).into())
            }
            _ => None,
        }
    }

    fn free_key(&mut self) -> String {
        for _ in 0..THREE_CHARACTER_KEYS {
            self.handed = (self.handed + 1) % THREE_CHARACTER_KEYS;
            let key = key_at(self.handed);
            if !self.documents.contains_key(&key) {
                return key;
            }
        }
        key_at(0)
    }
}
