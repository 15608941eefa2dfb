//! An honest server whose responses to some operations get lost: every nth such request is carried out, but its client
//! gets an error or nothing.

use super::liar::{Liar, answer};
use super::running::{ACCEPT_PAUSE, Answer, Running, converse};
use bytes::Bytes;
use http_body_util::Full;
use hyper::Response;
use std::io;
use std::path::Path;
use std::sync::Arc;
use std::sync::atomic::{AtomicU64, Ordering};
use tokio::net::TcpListener;
use tokio::time::sleep;

/// What happens to the response.
#[derive(Clone, Copy, Debug)]
pub(crate) enum Unclear {
    /// An error replaces it, as when the server fails after the operation itself.
    Error,
    /// The connection is closed before it.
    Cut,
}

/// Starts an honest server on a folder, which hands out the keys of ended sessions first. Every `every`th request to a
/// path that contains one of `paths` gets an unclear response.
pub(crate) fn spawn(unclear: Unclear, paths: &'static [&'static str], every: u64, saves: &Path) -> Running {
    let liar = Arc::new(Liar::who_reuses_keys(saves));
    let asked = Arc::new(AtomicU64::new(0));
    let respond = move |request: hyper::Request<hyper::body::Incoming>| {
        let (liar, asked) = (Arc::clone(&liar), Arc::clone(&asked));
        async move {
            let is_meant = paths.iter().any(|path| request.uri().path().contains(path));
            let is_unclear = is_meant && (asked.fetch_add(1, Ordering::Relaxed) + 1).is_multiple_of(every);
            let clear = answer(&liar, request).await?;
            match unclear {
                _ if !is_unclear => Ok(clear),
                Unclear::Error => Ok(error()),
                Unclear::Cut => Err(io::ErrorKind::ConnectionAborted.into()),
            }
        }
    };
    Running::start(saves, |listener: TcpListener| async move {
        loop {
            match listener.accept().await {
                Ok((stream, _)) => drop(tokio::spawn(converse(stream, respond.clone()))),
                Err(_) => sleep(ACCEPT_PAUSE).await,
            }
        }
    })
}

fn error() -> Answer {
    let body = r#"{"success":false,"message":"Internal error","timestamp":1795494589}"#;
    let answer = Response::builder().status(500).header("content-type", "application/json");
    answer.body(Full::new(Bytes::from(body))).expect("a header that is right")
}
