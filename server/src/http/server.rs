//! Connections: how many, for how long, and how they end.

use super::answer::{Answer, raw_failure};
use super::handler::{Handler, now_s, on_a_thread};
use super::metrics::Metrics;
use super::pages::Pages;
use crate::outside::RealWorld;
use crate::protocol::{Protocol, World};
use hyper::server::conn::http1;
use hyper::service::service_fn;
use hyper::{Request, StatusCode, body::Incoming};
use hyper_util::rt::{TokioIo, TokioTimer};
use rustix::process::{Resource, Rlimit, getrlimit, setrlimit};
use std::convert::Infallible;
use std::future::poll_fn;
use std::io::Read;
use std::pin::pin;
use std::sync::Arc;
use std::time::Duration;
use tokio::io::{AsyncReadExt, AsyncWriteExt};
use tokio::net::{TcpListener, TcpStream};
use tokio::signal::unix::{SignalKind, signal};
use tokio::sync::{Semaphore, watch};
use tokio::task::JoinSet;
use tracing::{debug, info, warn};

/// What a client may ask of the server, and for how long.
#[derive(Clone, Copy, Debug)]
pub struct Limits {
    /// Connections served at once. Further ones are told `Server busy`; the default leaves 10,000 users room.
    pub connections: usize,
    /// Longest body of a request. PHP takes 8 MiB by default; a real document has 2.7 KB.
    pub body_bytes: usize,
    /// Longest path with query.
    pub uri_bytes: usize,
    /// Most header fields of a request.
    pub headers: usize,
    /// Most bytes in all header fields together.
    pub header_bytes: usize,
    /// Time for the head of a request to come in, and for an idle connection to stay open.
    pub head_time: Duration,
    /// Time for the body of a request to come in.
    pub body_time: Duration,
    /// Time for what was accepted to be finished once the server was told to stop.
    pub stop_time: Duration,
    /// Time that each answer is held back, for gates to be tried on a server that is slower by a known share.
    pub hold_back: Duration,
}

impl Default for Limits {
    fn default() -> Self {
        Self {
            connections: 12_000,
            body_bytes: 8 << 20,
            uri_bytes: 8 << 10,
            headers: 100,
            header_bytes: 16 << 10,
            head_time: Duration::from_secs(30),
            body_time: Duration::from_secs(30),
            stop_time: Duration::from_secs(10),
            hold_back: Duration::ZERO,
        }
    }
}

/// What hyper itself takes, beyond [`Limits`], so that what passes a limit gets an envelope and not a bare status.
const HYPER_HEADERS: usize = 400;
const HYPER_BUFFER_BYTES: usize = 64 << 10;

/// When a client that was told `Server busy` may try again.
const RETRY_AFTER_S: u32 = 1;

/// How long a connection that ends is read on, so that the client reads the answer before it sees a reset.
const LINGER: Duration = Duration::from_secs(1);

/// How long accepting pauses when the process has run out of something, such as open files.
const ACCEPT_PAUSE: Duration = Duration::from_millis(50);

/// Reservations are looked through ten times in their life, but at least every minute and not all the time.
const SWEEPS_PER_LIFE: u32 = 10;
const SWEEP_LONGEST: Duration = Duration::from_mins(1);
const SWEEP_SHORTEST: Duration = Duration::from_secs(1);

/// A server of one protocol.
pub struct Server<P> {
    handler: Arc<Handler<P>>,
}

impl<P: Protocol> Server<P> {
    /// A server that does not listen yet.
    #[must_use]
    pub fn new(protocol: P, limits: Limits, pages: Pages) -> Self {
        Self { handler: Arc::new(Handler { protocol: Arc::new(protocol), limits, metrics: Metrics::new(), pages }) }
    }

    /// Allows the process as many open files as its connections need, as far as it may.
    pub fn raise_open_file_limit(&self) {
        let limit = getrlimit(Resource::Nofile);
        let raised = Rlimit { current: limit.maximum, ..limit };
        if let Err(error) = setrlimit(Resource::Nofile, raised) {
            warn!(%error, "cannot raise the limit of open files");
        }
        // Each connection is one open file, and a request has two more for a moment.
        let needed = (self.handler.limits.connections as u64).saturating_add(1_000);
        if limit.maximum.is_some_and(|maximum| maximum < needed) {
            warn!(
                limit = limit.maximum,
                needed, "the limit of open files is below the connections; raise it with ulimit -n"
            );
        }
    }

    /// Starts giving back reservations older than `life`, from now until the runtime ends.
    pub fn sweep_reservations(&self, life: Duration) {
        let handler = Arc::clone(&self.handler);
        let pause = (life / SWEEPS_PER_LIFE).clamp(SWEEP_SHORTEST, SWEEP_LONGEST);
        let life_ms = u64::try_from(life.as_millis()).unwrap_or(u64::MAX);
        tokio::spawn(async move {
            loop {
                tokio::time::sleep(pause).await;
                let reserved_before_ms = RealWorld.now_ms().saturating_sub(life_ms);
                let protocol = Arc::clone(&handler.protocol);
                match on_a_thread(async move { protocol.give_back_stale(reserved_before_ms).await }).await {
                    Ok(0) => {}
                    Ok(keys) => {
                        handler.metrics.given_back.inc_by(keys as u64);
                        info!(keys, "gave back stale reservations");
                    }
                    Err(error) => warn!(%error, "cannot give back stale reservations; will try again"),
                }
            }
        });
    }

    /// Serves connections until `stop` is ready, and then what was accepted until it is finished.
    pub async fn run(self, listener: TcpListener, stop: impl Future<Output = ()>) {
        let (stopping, watched) = watch::channel(false);
        let places = Arc::new(Semaphore::new(self.handler.limits.connections.min(Semaphore::MAX_PERMITS)));
        let mut conversations = JoinSet::new();
        let mut stop = pin!(stop);
        loop {
            let accepted = tokio::select! {
                accepted = listener.accept() => accepted,
                () = &mut stop => break,
            };
            while conversations.try_join_next().is_some() {}
            match accepted {
                Ok((stream, _)) => match Arc::clone(&places).try_acquire_owned() {
                    Ok(place) => {
                        let conversation = converse(Arc::clone(&self.handler), stream, watched.clone());
                        conversations.spawn(async move {
                            conversation.await;
                            drop(place);
                        });
                    }
                    Err(_) => drop(conversations.spawn(turn_away(stream))),
                },
                Err(error) => {
                    warn!(%error, "cannot accept connections; pausing");
                    tokio::time::sleep(ACCEPT_PAUSE).await;
                }
            }
        }
        drop(listener);
        // Nobody listens when every conversation has ended already.
        let _ = stopping.send(true);
        let finished = async { while conversations.join_next().await.is_some() {} };
        if tokio::time::timeout(self.handler.limits.stop_time, finished).await.is_err() {
            warn!("some requests were not finished in time, and were cut off");
        }
    }
}

/// Serves one connection to its end.
async fn converse<P: Protocol>(handler: Arc<Handler<P>>, stream: TcpStream, mut stopping: watch::Receiver<bool>) {
    handler.metrics.connections.inc();
    // Answers are small and whole: waiting to fill a packet only delays them. Without it, it still works.
    let _ = stream.set_nodelay(true);
    let service = service_fn(|request: Request<Incoming>| {
        let handler = Arc::clone(&handler);
        Box::pin(async move { Ok::<Answer, Infallible>(handler.handle(request).await) })
    });
    let mut connection = http1::Builder::new()
        .timer(TokioTimer::new())
        .header_read_timeout(handler.limits.head_time)
        .max_headers(HYPER_HEADERS)
        .max_buf_size(HYPER_BUFFER_BYTES)
        .serve_connection(TokioIo::new(stream), service);
    let mut told = false;
    let ended = loop {
        tokio::select! {
            ended = poll_fn(|context| connection.poll_without_shutdown(context)) => break ended,
            _ = stopping.changed(), if !told => {
                told = true;
                std::pin::Pin::new(&mut connection).graceful_shutdown();
            }
        }
    };
    let parts = connection.into_parts();
    let mut stream = parts.io.into_inner();
    if let Err(error) = ended {
        debug!(%error, "connection failed");
        // An idle connection may be closed without a word; half a request deserves one.
        if error.is_timeout() && !parts.read_buf.is_empty() {
            let answer = raw_failure(now_s(), StatusCode::REQUEST_TIMEOUT, "Request not received in time", None);
            // The client may be gone.
            let _ = stream.write_all(&answer).await;
        }
    }
    close(stream).await;
    handler.metrics.connections.dec();
}

async fn turn_away(mut stream: TcpStream) {
    let answer = raw_failure(now_s(), StatusCode::SERVICE_UNAVAILABLE, "Server busy", Some(RETRY_AFTER_S));
    // The client may be gone.
    let _ = stream.write_all(&answer).await;
    close(stream).await;
}

/// Ends a connection so that the last answer arrives: closing at once, with bytes unread, would send a reset that
/// can overtake it.
async fn close(mut stream: TcpStream) {
    let read_on = async {
        if stream.shutdown().await.is_ok() {
            let mut unread = [0; 8 << 10];
            while stream.read(&mut unread).await.is_ok_and(|bytes| bytes > 0) {}
        }
    };
    // Past the time, the reset is the client's own doing.
    let _ = tokio::time::timeout(LINGER, read_on).await;
}

/// Ready when the process is told to stop: by SIGINT, by SIGTERM, or, if asked for, by the end of standard input.
/// From this call on, not only from the first time that it is awaited, no signal goes by.
pub fn told_to_stop(until_stdin_closes: bool) -> impl Future<Output = ()> {
    let interrupted = signalled(SignalKind::interrupt());
    let terminated = signalled(SignalKind::terminate());
    async move {
        tokio::select! {
            () = interrupted => {}
            () = terminated => {}
            () = stdin_closed(), if until_stdin_closes => {}
        }
    }
}

async fn stdin_closed() {
    let (closed, told) = tokio::sync::oneshot::channel();
    // A thread of its own, as reading standard input cannot be called off.
    std::thread::spawn(move || {
        let mut ignored = [0; 256];
        while std::io::stdin().read(&mut ignored).is_ok_and(|bytes| bytes > 0) {}
        // The server may have stopped already.
        let _ = closed.send(());
    });
    // Either way, the thread has ended.
    let _ = told.await;
}

fn signalled(kind: SignalKind) -> impl Future<Output = ()> {
    let signals = signal(kind);
    if let Err(error) = &signals {
        warn!(%error, ?kind, "cannot listen to a signal; it will end the server at once");
    }
    async move {
        match signals {
            Ok(mut signals) => {
                signals.recv().await;
            }
            Err(_) => std::future::pending().await,
        }
    }
}
