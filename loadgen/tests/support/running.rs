//! A server's life: a port, a runtime of its own, and the end.

use bytes::Bytes;
use http_body_util::Full;
use hyper::body::Incoming;
use hyper::server::conn::http1;
use hyper::service::service_fn;
use hyper::{Request, Response};
use hyper_util::rt::TokioIo;
use std::io;
use std::net::{Ipv4Addr, SocketAddr};
use std::path::{Path, PathBuf};
use std::sync::Arc;
use std::sync::atomic::{AtomicU64, Ordering};
use std::time::Duration;
use tokio::net::{TcpListener, TcpSocket, TcpStream};
use tokio::runtime::{Builder, Runtime};

/// An answer with its whole body.
pub(crate) type Answer = Response<Full<Bytes>>;

/// Worker threads of a server. Two are enough for requests to be truly at once; the harness needs the rest.
const WORKERS: usize = 2;

/// Connections that may wait to be accepted: more than any test opens at once.
const BACKLOG: u32 = 4_096;

/// How long the end waits for a thread that is in the middle of a file operation.
const END_TIME: Duration = Duration::from_secs(2);

/// How long accepting pauses when the process has run out of open files.
pub(crate) const ACCEPT_PAUSE: Duration = Duration::from_millis(10);

/// Number of first requests that only check whether the harness may load the server; otherwise it stops.
pub(crate) const FIRST_LOOKS: u64 = 10;

/// What a server counts.
#[derive(Debug, Default)]
pub(crate) struct Counted {
    /// Requests received.
    pub(crate) requests: AtomicU64,
    /// How often it told its lie, or had its mishap, if any.
    pub(crate) told: AtomicU64,
}

impl Counted {
    /// How many requests arrived, and how often the lie was told.
    pub(crate) fn now(&self) -> (u64, u64) {
        (self.requests.load(Ordering::Relaxed), self.told.load(Ordering::Relaxed))
    }
}

/// A server that runs until this is dropped; afterwards nothing of it touches its saves folder any more.
pub(crate) struct Running {
    /// Where it listens: `http://127.0.0.1:PORT`.
    pub(crate) url: String,
    /// Its saves folder.
    pub(crate) saves: PathBuf,
    /// What the server counts.
    pub(crate) counted: Arc<Counted>,
    /// Taken at the drop.
    runtime: Option<Runtime>,
}

impl Running {
    /// Starts what `serve` makes of a listener, on a runtime of its own: so a server can be started in plain tests
    /// and in asynchronous ones, and does not share their threads.
    pub(crate) fn start<S: Future<Output = ()> + Send + 'static>(
        saves: &Path,
        serve: impl FnOnce(TcpListener) -> S,
    ) -> Self {
        let runtime =
            Builder::new_multi_thread().worker_threads(WORKERS).enable_all().build().expect("a runtime can be built");
        let entered = runtime.enter();
        let socket = TcpSocket::new_v4().expect("a socket can be made");
        socket.bind(SocketAddr::from((Ipv4Addr::LOCALHOST, 0))).expect("a port is free");
        let listener = socket.listen(BACKLOG).expect("the port can be listened on");
        let url = format!("http://{}", listener.local_addr().expect("a listener has an address"));
        runtime.spawn(serve(listener));
        drop(entered);
        Self { url, saves: saves.to_owned(), counted: Arc::default(), runtime: Some(runtime) }
    }
}

impl Drop for Running {
    fn drop(&mut self) {
        if let Some(runtime) = self.runtime.take() {
            // On a thread of its own, as a runtime refuses to be waited for in an asynchronous test. A panic of that
            // thread must not become a second one here.
            let _ = std::thread::spawn(move || runtime.shutdown_timeout(END_TIME)).join();
        }
    }
}

/// Speaks HTTP/1.1 on a connection until it ends. Where `answer` fails, the connection is closed without an answer.
pub(crate) async fn converse<F, A>(stream: TcpStream, answer: F)
where
    F: Fn(Request<Incoming>) -> A,
    A: Future<Output = io::Result<Answer>>,
{
    // Answers are small and whole: waiting to fill a packet would only delay them. Without it, it still works.
    let _ = stream.set_nodelay(true);
    // How a connection ends is the client's business; the next one is served all the same.
    let _ = http1::Builder::new().serve_connection(TokioIo::new(stream), service_fn(answer)).await;
}
