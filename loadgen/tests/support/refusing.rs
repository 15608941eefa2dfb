//! An honest server that stops carrying out some operations, as one does whose disk became read-only or whose proxy
//! blocks methods.

use super::liar::{Liar, answer};
use super::running::{ACCEPT_PAUSE, Answer, FIRST_LOOKS, Running, converse};
use bytes::Bytes;
use http_body_util::Full;
use hyper::Response;
use std::io;
use std::path::Path;
use std::sync::Arc;
use std::sync::atomic::{AtomicU64, Ordering};
use tokio::net::TcpListener;
use tokio::time::sleep;

/// What comes back for an operation that is not carried out.
#[derive(Clone, Copy, Debug)]
pub(crate) enum Refusal {
    /// A refusal in the contract's envelope.
    Forbidden,
    /// A proxy's page.
    BadGateway,
    /// Nothing: the connection is closed.
    Cut,
}

/// Starts an honest server on a folder that, after the first looks, carries out no request to a path that contains one of
/// these names.
pub(crate) fn spawn(refused: &'static [(&'static str, Refusal)], saves: &Path) -> Running {
    let liar = Arc::new(Liar::new(None, saves));
    let asked = Arc::new(AtomicU64::new(0));
    let respond = move |request: hyper::Request<hyper::body::Incoming>| {
        let (liar, asked) = (Arc::clone(&liar), Arc::clone(&asked));
        async move {
            let is_first = asked.fetch_add(1, Ordering::Relaxed) < FIRST_LOOKS;
            let is_refused = |(name, _): &&(&str, Refusal)| !is_first && request.uri().path().contains(name);
            match refused.iter().find(is_refused) {
                None => answer(&liar, request).await,
                Some((_, Refusal::Forbidden)) => {
                    Ok(response(403, r#"{"success":false,"message":"Read-only","timestamp":1795494589}"#))
                }
                Some((_, Refusal::BadGateway)) => Ok(response(502, "<html>502 Bad Gateway</html>")),
                Some((_, Refusal::Cut)) => Err(io::ErrorKind::ConnectionAborted.into()),
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

fn response(status: u16, body: &'static str) -> Answer {
    let response = Response::builder().status(status).header("content-type", "application/json");
    response.body(Full::new(Bytes::from(body))).expect("a header that is right")
}
