//! Honest mishaps: what a network, a proxy or a machine does to requests although no server lies. A server may not be
//! accused because of them.

use super::harness::loadgen;
use super::running::{ACCEPT_PAUSE, Answer, Counted, FIRST_LOOKS, Running, converse};
use bytes::Bytes;
use http_body_util::{BodyExt, Full};
use hyper::body::Incoming;
use hyper::header::{CONTENT_TYPE, HOST, HeaderValue};
use hyper::{Request, Response, StatusCode, Uri};
use hyper_util::client::legacy::Client;
use hyper_util::client::legacy::connect::HttpConnector;
use hyper_util::rt::TokioExecutor;
use rustix::process::{Pid, Signal, kill_process};
use std::io::{self, BufRead, BufReader};
use std::path::{Path, PathBuf};
use std::process::{Child, Stdio};
use std::sync::Arc;
use std::sync::atomic::Ordering;
use std::sync::mpsc::{self, RecvTimeoutError, Sender};
use std::thread::JoinHandle;
use std::time::{Duration, SystemTime, UNIX_EPOCH};
use tokio::time::sleep;

/// The operations, each with the scenarios that use it.
pub(crate) const OPERATIONS: [(&str, &[&str]); 6] = [
    ("generate-key", &["keygen-burst", "churn"]),
    ("instantiate", &["journey", "churn", "mixed"]),
    ("save", &["journey", "same-session", "mixed"]),
    ("restore", &["same-session", "churn", "mixed"]),
    ("delete", &["keygen-burst", "churn", "mixed"]),
    ("list", &["list-heavy", "mixed"]),
];

/// What happens to a request.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Trouble {
    /// The connection is cut before the request is passed on.
    CutBefore,
    /// The connection is cut after the request was done.
    CutAfter,
    /// The request is passed on after its client has given up.
    LateBefore,
    /// The request is done at once, and its response arrives after its client has given up.
    LateAfter,
    /// The request is done, and the response is 500 in the envelope.
    FailsAfter,
    /// The request is not passed on, and the response is 503 in the envelope, as of a server that is out of
    /// connections.
    BusyBefore,
    /// The request is done, and the response is a proxy's page with status 502.
    PageAfter,
    /// The request is not passed on, and the response is a proxy's page with status 503.
    PageBefore,
}

impl Trouble {
    pub(crate) const ALL: [Self; 8] = [
        Self::CutBefore,
        Self::CutAfter,
        Self::LateBefore,
        Self::LateAfter,
        Self::FailsAfter,
        Self::BusyBefore,
        Self::PageAfter,
        Self::PageBefore,
    ];

    /// Whether the request reaches the server.
    const fn is_passed_on(self) -> bool {
        !matches!(self, Self::CutBefore | Self::BusyBefore | Self::PageBefore)
    }
}

/// A trouble that some requests have, of one operation or of any.
#[derive(Clone, Copy, Debug)]
pub(crate) struct Mishap {
    pub(crate) trouble: Trouble,
    pub(crate) operation: Option<&'static str>,
    /// One request in this many, at random.
    pub(crate) each: u32,
    /// How late a late request or response is.
    pub(crate) late: Duration,
}

/// A proxy in front of a server.
struct Proxy {
    mishap: Mishap,
    /// `http://ADDRESS:PORT`.
    server: String,
    client: Client<HttpConnector, Full<Bytes>>,
    counted: Arc<Counted>,
}

/// Starts a proxy in front of a server with this saves folder.
pub(crate) fn spawn(mishap: Mishap, server: &str, saves: &Path) -> Running {
    let counted = Arc::<Counted>::default();
    let proxy = Arc::new(Proxy {
        mishap,
        server: server.to_owned(),
        // A retry would be a second request.
        client: Client::builder(TokioExecutor::new()).retry_canceled_requests(false).build_http(),
        counted: Arc::clone(&counted),
    });
    let mut running = Running::start(saves, |listener| async move {
        loop {
            let proxy = Arc::clone(&proxy);
            match listener.accept().await {
                Ok((stream, _)) => {
                    drop(tokio::spawn(converse(stream, move |request| Arc::clone(&proxy).respond(request))));
                }
                Err(_) => sleep(ACCEPT_PAUSE).await,
            }
        }
    });
    running.counted = counted;
    running
}

impl Proxy {
    async fn respond(self: Arc<Self>, request: Request<Incoming>) -> io::Result<Answer> {
        let earlier = self.counted.requests.fetch_add(1, Ordering::Relaxed);
        let (head, body) = request.into_parts();
        let body = body.collect().await.map_err(io::Error::other)?.to_bytes();
        let mut request = Request::new(Full::new(body));
        *request.method_mut() = head.method;
        let path = head.uri.path_and_query().map_or("/", |path| path.as_str());
        *request.uri_mut() = format!("{}{path}", self.server).parse::<Uri>().map_err(io::Error::other)?;
        *request.headers_mut() = head.headers;
        // The client derives it from the URI.
        request.headers_mut().remove(HOST);
        let is_meant = self.mishap.operation.is_none_or(|operation| is_of(path, operation)) && !is_of(path, "health");
        let is_troubled = is_meant && earlier >= FIRST_LOOKS;
        let trouble = (is_troubled && rand::random_range(0..self.mishap.each) == 0).then_some(self.mishap.trouble);
        if trouble.is_some() {
            self.counted.told.fetch_add(1, Ordering::Relaxed);
        }
        // In a task of its own, so that a request that was passed on is done even if the client goes away.
        let answered = tokio::spawn(async move { self.pass_on(request, trouble).await });
        answered.await.map_err(io::Error::other)?
    }

    async fn pass_on(&self, request: Request<Full<Bytes>>, trouble: Option<Trouble>) -> io::Result<Answer> {
        if trouble == Some(Trouble::LateBefore) {
            sleep(self.mishap.late).await;
        }
        let is_passed_on = trouble.is_none_or(Trouble::is_passed_on);
        let answer = if is_passed_on { Some(self.ask(request).await?) } else { None };
        match (trouble, answer) {
            (Some(Trouble::FailsAfter), _) => Ok(failed(StatusCode::INTERNAL_SERVER_ERROR, "Internal error")),
            (Some(Trouble::BusyBefore), _) => Ok(failed(StatusCode::SERVICE_UNAVAILABLE, "Server busy")),
            (Some(Trouble::PageAfter), _) => Ok(page(StatusCode::BAD_GATEWAY)),
            (Some(Trouble::PageBefore), _) => Ok(page(StatusCode::SERVICE_UNAVAILABLE)),
            (Some(Trouble::CutBefore | Trouble::CutAfter), _) | (_, None) => {
                Err(io::ErrorKind::ConnectionAborted.into())
            }
            (Some(Trouble::LateAfter), Some(answer)) => {
                sleep(self.mishap.late).await;
                Ok(answer)
            }
            (Some(Trouble::LateBefore) | None, Some(answer)) => Ok(answer),
        }
    }

    async fn ask(&self, request: Request<Full<Bytes>>) -> io::Result<Answer> {
        let answer = self.client.request(request).await.map_err(io::Error::other)?;
        let (head, body) = answer.into_parts();
        let body = body.collect().await.map_err(io::Error::other)?.to_bytes();
        let mut answer = Response::new(Full::new(body));
        *answer.status_mut() = head.status;
        if let Some(content_type) = head.headers.get(CONTENT_TYPE) {
            answer.headers_mut().insert(CONTENT_TYPE, content_type.clone());
        }
        Ok(answer)
    }
}

fn is_of(path: &str, operation: &str) -> bool {
    path.split(['/', '.', '?']).any(|part| part == operation)
}

/// An error in the contract's envelope.
fn failed(status: StatusCode, message: &str) -> Answer {
    let now_s = SystemTime::now().duration_since(UNIX_EPOCH).unwrap_or_default().as_secs();
    let body = format!(r#"{{"success":false,"message":"{message}","timestamp":{now_s}}}"#);
    answer(status, "application/json", body)
}

/// A proxy's page.
fn page(status: StatusCode) -> Answer {
    answer(
        status,
        "text/html",
        format!("<html><head><title>{status}</title></head><body><h1>{status}</h1></body></html>\n"),
    )
}

fn answer(status: StatusCode, content_type: &'static str, body: String) -> Answer {
    let mut answer = Response::new(Full::new(Bytes::from(body)));
    *answer.status_mut() = status;
    answer.headers_mut().insert(CONTENT_TYPE, HeaderValue::from_static(content_type));
    answer
}

/// The reference server, in a process of its own.
pub(crate) struct Reference {
    child: Child,
    pub(crate) url: String,
    saves: PathBuf,
}

impl Reference {
    /// Starts a server on a folder, at any free port.
    pub(crate) fn start(saves: &Path) -> Self {
        Self::start_at(saves, "127.0.0.1:0")
    }

    fn start_at(saves: &Path, address: &str) -> Self {
        let mut command = loadgen();
        command.args(["serve", "--protocol", "hardened", "--log", "warn", "--listen", address, "--saves"]).arg(saves);
        let mut child = command.stdout(Stdio::piped()).spawn().expect("it runs");
        let mut line = String::new();
        let mut stdout = BufReader::new(child.stdout.take().expect("piped"));
        while !line.contains("listening on ") {
            line.clear();
            assert!(stdout.read_line(&mut line).expect("text") > 0, "it ended before it listened");
        }
        let url = line.split("listening on ").nth(1).and_then(|rest| rest.split_whitespace().next()).expect("a URL");
        Self { child, url: url.to_owned(), saves: saves.to_owned() }
    }

    fn signal(&self, signal: Signal) {
        // It may have exited by itself, which the run notices.
        let _ = kill_process(Pid::from_child(&self.child), signal);
    }

    /// Kills the server, and starts another on the same folder and port.
    fn restart(&mut self) {
        let address = self.url.strip_prefix("http://").expect("a URL").to_owned();
        let _ = self.child.kill();
        let _ = self.child.wait();
        *self = Self::start_at(&self.saves.clone(), &address);
    }
}

impl Drop for Reference {
    fn drop(&mut self) {
        let _ = self.child.kill();
        let _ = self.child.wait();
    }
}

/// What happens to a server's process, repeatedly.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Blow {
    /// The process is stopped for this long, then continues.
    Paused(Duration),
    /// The process is killed, and started again on the same folder and port.
    Restarted,
}

/// A reference server that is hit repeatedly until this is dropped.
pub(crate) struct Battered {
    pub(crate) url: String,
    pub(crate) counted: Arc<Counted>,
    /// Dropping it ends the blows.
    end: Option<Sender<()>>,
    thread: Option<JoinHandle<()>>,
}

impl Battered {
    pub(crate) fn start(blow: Blow, every: Duration, saves: &Path) -> Self {
        let mut server = Reference::start(saves);
        let (url, counted) = (server.url.clone(), Arc::<Counted>::default());
        let counter = Arc::clone(&counted);
        let (end, ended) = mpsc::channel::<()>();
        let thread = std::thread::spawn(move || {
            while ended.recv_timeout(every) == Err(RecvTimeoutError::Timeout) {
                match blow {
                    Blow::Paused(time) => {
                        server.signal(Signal::STOP);
                        // If it ended meanwhile, the loop notices afterwards.
                        let _ = ended.recv_timeout(time);
                        server.signal(Signal::CONT);
                    }
                    Blow::Restarted => server.restart(),
                }
                counter.told.fetch_add(1, Ordering::Relaxed);
            }
        });
        Self { url, counted, end: Some(end), thread: Some(thread) }
    }
}

impl Drop for Battered {
    fn drop(&mut self) {
        drop(self.end.take());
        if let Some(thread) = self.thread.take() {
            let is_well = thread.join().is_ok();
            // A second panic would end the process.
            assert!(is_well || std::thread::panicking(), "the server could not be started again");
        }
    }
}
