//! Connections: how many, for how long, and how they end.
//!
//! Each reader takes events out of the history at its own pace, when its connection can take more: nobody waits for a
//! slow one, nothing is queued for it, and what was dropped meanwhile it does not get.

use super::answer::{self, Body, Reply};
use super::history::History;
use bytes::Bytes;
use futures_util::stream;
use http_body_util::{BodyExt, StreamBody};
use hyper::body::{Frame, Incoming};
use hyper::server::conn::http1;
use hyper::service::service_fn;
use hyper::{Request, Response};
use hyper_util::rt::{TokioIo, TokioTimer};
use std::convert::Infallible;
use std::io;
use std::net::SocketAddr;
use std::pin::pin;
use std::sync::Arc;
use std::time::Duration;
use tokio::net::{TcpListener, TcpStream};
use tokio::sync::{OwnedSemaphorePermit, Semaphore, watch};
use tokio::time::{sleep, timeout};
use tokio_util::sync::CancellationToken;
use tokio_util::task::TaskTracker;

/// Readers of events at once; further ones are told so. Each costs the generator some work a second.
pub(super) const MOST_READERS: usize = 32;

/// Connections at once; further ones wait to be accepted. Readers have theirs, and as many are for pages that load.
const MOST_CONNECTIONS: usize = 2 * MOST_READERS;

/// Time for the head of a request to come in.
const HEAD_TIME: Duration = Duration::from_secs(5);

/// Most bytes of a head. A browser sends one of some 600.
const HEAD_BYTES: usize = 16 << 10;

/// After so long without an event, a reader is told that there is none, and whoever is between that it is in use.
const HEARTBEAT: Duration = Duration::from_secs(15);

/// When the run is over, readers have so long to receive the last event.
const LAST_WORDS: Duration = Duration::from_secs(1);

/// How long accepting pauses when the process has run out of something, such as open files.
const ACCEPT_PAUSE: Duration = Duration::from_millis(50);

/// What comes first: that a browser that lost the connection is to try again after a second.
const GREETING: &str = "retry: 1000\n\n";

/// A comment, which no reader sees.
const NOTHING_NEW: &str = ": nothing new\n\n";

/// Serves until `ended`, and then what was accepted until it is finished, but no longer than [`LAST_WORDS`].
pub(super) async fn serve(
    listener: std::net::TcpListener,
    events: watch::Receiver<History>,
    ended: CancellationToken,
) -> io::Result<()> {
    let listening = listener.local_addr()?;
    let listener = TcpListener::from_std(listener)?;
    let desk = Arc::new(Desk { listening, events, readers: Arc::new(Semaphore::new(MOST_READERS)) });
    let connections = Arc::new(Semaphore::new(MOST_CONNECTIONS));
    let conversations = TaskTracker::new();
    loop {
        let accepted = tokio::select! {
            accepted = accept(&listener, &connections) => accepted,
            () = ended.cancelled() => break,
        };
        match accepted {
            Ok((stream, place)) => {
                let conversation = converse(Arc::clone(&desk), stream, ended.clone());
                conversations.spawn_local(async move {
                    conversation.await;
                    drop(place);
                });
            }
            Err(_) => sleep(ACCEPT_PAUSE).await,
        }
    }
    conversations.close();
    // Whoever has not read it by then is too slow to be waited for.
    let _ = timeout(LAST_WORDS, conversations.wait()).await;
    Ok(())
}

/// The next connection, once there is room for one.
async fn accept(listener: &TcpListener, connections: &Arc<Semaphore>) -> io::Result<(TcpStream, OwnedSemaphorePermit)> {
    let place = Arc::clone(connections).acquire_owned().await.map_err(io::Error::other)?;
    let (stream, _) = listener.accept().await?;
    Ok((stream, place))
}

/// Serves one connection to its end. It is for one request: nothing is kept open that is not read from.
async fn converse(desk: Arc<Desk>, stream: TcpStream, ended: CancellationToken) {
    // Events are small and whole: waiting to fill a packet only delays them. Without it, it still works.
    let _ = stream.set_nodelay(true);
    let service = service_fn(move |request| {
        let answer = desk.answer(request);
        async move { Ok::<_, Infallible>(answer) }
    });
    let connection = http1::Builder::new()
        .timer(TokioTimer::new())
        .header_read_timeout(HEAD_TIME)
        .max_buf_size(HEAD_BYTES)
        .keep_alive(false)
        .serve_connection(TokioIo::new(stream), service);
    let mut connection = pin!(connection);
    tokio::select! {
        // How a connection ends is the reader's business.
        _ = connection.as_mut() => return,
        () = ended.cancelled() => {}
    }
    connection.as_mut().graceful_shutdown();
    let _ = connection.await;
}

/// What all connections share.
struct Desk {
    listening: SocketAddr,
    events: watch::Receiver<History>,
    readers: Arc<Semaphore>,
}

impl Desk {
    fn answer(&self, request: Request<Incoming>) -> Response<Body> {
        let (head, _) = request.into_parts();
        let seen = match answer::reply(&head, self.listening) {
            Reply::Whole(response) => return response,
            Reply::Events(seen) => seen,
        };
        let Ok(place) = Arc::clone(&self.readers).try_acquire_owned() else {
            return answer::full(MOST_READERS);
        };
        let events = self.events.clone();
        let seen = seen.map_or(0, |id| events.borrow().number_of(&id));
        let reader = Reader { events, seen, has_heard_all: false, _place: place };
        let frames =
            stream::unfold((Some(Bytes::from_static(GREETING.as_bytes())), reader), |(greeting, reader)| async {
                let (bytes, reader) = match greeting {
                    Some(greeting) => (greeting, reader),
                    None => reader.next().await?,
                };
                Some((Ok(Frame::data(bytes)), (None, reader)))
            });
        answer::events(StreamBody::new(frames).boxed_unsync())
    }
}

/// One who reads events.
struct Reader {
    events: watch::Receiver<History>,
    /// Number of the event that was sent last.
    seen: u64,
    has_heard_all: bool,
    _place: OwnedSemaphorePermit,
}

impl Reader {
    /// What is sent next, once there is something; none after the last event.
    async fn next(mut self) -> Option<(Bytes, Self)> {
        while !self.has_heard_all {
            let next = self.events.borrow_and_update().after(self.seen).cloned();
            if let Some(event) = next {
                self.seen = event.number;
                self.has_heard_all = event.is_last;
                return Some((event.frame, self));
            }
            tokio::select! {
                // The run is gone, without a last event.
                changed = self.events.changed() => changed.ok()?,
                () = sleep(HEARTBEAT) => return Some((Bytes::from_static(NOTHING_NEW.as_bytes()), self)),
            }
        }
        None
    }
}
