//! An implementation of the wire contract that shares no code with the reference server: honest, or with one [`Lie`].
//!
//! The honest server stores a document in the file `KEY.json`, which a rename replaces as a whole. Whoever changes a
//! document holds the lock of its key and that of its file, which another process may hold. A key is reserved by an
//! empty file that only one request can create. The folder is the authority throughout, so changes by others are
//! noticed.
//!
//! - `document`: JSON objects, and how they are checked and merged. Pure.
//! - `keys`: generate-key.
//! - `store`: the other operations on the folder.
//! - `lie`: the lies, and how often each is told.
//! - `faults`: what the lies do, when it takes more than a line.
//! - `memory`: what only lies need to remember.
//! - `wire`: requests and responses.

mod document;
mod faults;
mod keys;
mod lie;
mod memory;
mod store;
mod wire;

pub(crate) use lie::Lie;
pub(crate) use store::Liar;
pub(crate) use wire::answer;

use super::running::{ACCEPT_PAUSE, Answer, Running, converse};
use http_body_util::{BodyExt, Full};
use hyper::Request;
use hyper::body::Incoming;
use std::io;
use std::path::Path;
use std::sync::Arc;
use std::sync::atomic::{AtomicU64, Ordering};
use std::time::Duration;
use tokio::net::TcpListener;
use tokio::time::sleep;
use tokio_util::sync::CancellationToken;

/// Starts a server on a saves folder: an honest one, or one with a lie.
pub(crate) fn spawn(lie: Option<Lie>, saves: &Path) -> Running {
    start(Liar::new(lie, saves), saves)
}

/// Starts an honest server that hands out the keys of ended sessions again before any other.
pub(crate) fn spawn_reusing_keys(saves: &Path) -> Running {
    start(Liar::who_reuses_keys(saves), saves)
}

/// Starts a server that draws from the keys that it knows to be free, whatever others have freed since it read the
/// folder.
pub(crate) fn spawn_never_looking_again(saves: &Path) -> Running {
    start(Liar::who_never_looks_again(saves), saves)
}

/// Starts an honest server that waits so long before each answer.
pub(crate) fn spawn_slow(saves: &Path, wait: Duration) -> Running {
    let liar = Arc::new(Liar::new(None, saves));
    serve(saves, move |request| {
        let liar = Arc::clone(&liar);
        async move {
            sleep(wait).await;
            answer(&liar, request).await
        }
    })
}

/// Starts an honest server that waits before each answer, and that is gone for good after some requests.
pub(crate) fn spawn_mortal(saves: &Path, wait: Duration, requests: u64) -> Running {
    let (liar, asked, death) =
        (Arc::new(Liar::new(None, saves)), Arc::new(AtomicU64::new(0)), CancellationToken::new());
    let dies = death.clone();
    let respond = move |request| {
        let (liar, asked, death) = (Arc::clone(&liar), Arc::clone(&asked), death.clone());
        async move {
            sleep(wait).await;
            if asked.fetch_add(1, Ordering::Relaxed) >= requests {
                death.cancel();
                return Err(io::Error::other("the server is gone"));
            }
            answer(&liar, request).await
        }
    };
    Running::start(saves, |listener| async move {
        tokio::select! {
            () = dies.cancelled() => {}
            () = accept(listener, respond) => {}
        }
    })
}

/// [`spawn_late`] is late with one request in so many, and by so much.
const LATE_EACH: u64 = 7;
const LATE: Duration = Duration::from_millis(400);

/// Starts an honest server that is late with some requests: it does what they ask for late, or at once and only answers
/// late, in turn. It does so whether or not somebody still waits.
pub(crate) fn spawn_late(saves: &Path) -> Running {
    let liar = Arc::new(Liar::new(None, saves));
    let requests = Arc::new(AtomicU64::new(0));
    serve(saves, move |request| {
        let liar = Arc::clone(&liar);
        let number = requests.fetch_add(1, Ordering::Relaxed) + 1;
        async move {
            let (head, body) = request.into_parts();
            let body = body.collect().await.map_err(io::Error::other)?.to_bytes();
            let request = Request::from_parts(head, Full::new(body));
            let late = move |parity| if number % (2 * LATE_EACH) == parity * LATE_EACH { LATE } else { Duration::ZERO };
            // In a task of its own, as a connection that its client closes takes what waits in it with it.
            let answered = tokio::spawn(async move {
                sleep(late(0)).await;
                let answer = answer(&liar, request).await;
                sleep(late(1)).await;
                answer
            });
            answered.await.map_err(io::Error::other)?
        }
    })
}

fn start(liar: Liar, saves: &Path) -> Running {
    let counted = liar.counted();
    let liar = Arc::new(liar);
    let mut running = serve(saves, move |request| {
        let liar = Arc::clone(&liar);
        async move { answer(&liar, request).await }
    });
    running.counted = counted;
    running
}

/// Serves connections for ever, each request as `respond` has it.
fn serve<R, A>(saves: &Path, respond: R) -> Running
where
    R: Fn(Request<Incoming>) -> A + Clone + Send + 'static,
    A: Future<Output = io::Result<Answer>> + Send + 'static,
{
    Running::start(saves, |listener| accept(listener, respond))
}

async fn accept<R, A>(listener: TcpListener, respond: R)
where
    R: Fn(Request<Incoming>) -> A + Clone + Send + 'static,
    A: Future<Output = io::Result<Answer>> + Send + 'static,
{
    loop {
        match listener.accept().await {
            Ok((stream, _)) => drop(tokio::spawn(converse(stream, respond.clone()))),
            Err(_) => sleep(ACCEPT_PAUSE).await,
        }
    }
}
