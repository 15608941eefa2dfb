//! A server that undoes acknowledged operations a moment later, when nobody asks any more.

use super::liar::{Liar, answer};
use super::running::{ACCEPT_PAUSE, Running, converse};
use http_body_util::{BodyExt, Full};
use hyper::Request;
use hyper::body::{Bytes, Incoming};
use std::fs;
use std::io::{self, Write};
use std::path::{Path, PathBuf};
use std::sync::Arc;
use std::sync::atomic::{AtomicU64, Ordering};
use std::time::Duration;
use tokio::net::TcpListener;
use tokio::time::sleep;

/// Which operations are undone.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Undone {
    /// Deletes: a deleted document is back, unless its key has another document by then. Only the first few are undone;
    /// then the server is honest, so that what it holds can be cleaned up.
    Delete,
    /// Saves: a document is again what it was before.
    Save,
}

/// How much later operations are undone.
const LATER: Duration = Duration::from_millis(100);

/// How many deletes are undone.
const DELETES: u64 = 8;

/// Starts a server on a folder that undoes every `every`th operation.
pub(crate) fn spawn(undone: Undone, every: u64, saves: &Path) -> Running {
    let liar = Arc::new(Liar::new(None, saves));
    let asked = Arc::new(AtomicU64::new(0));
    let folder = saves.to_owned();
    let respond = move |request: Request<Incoming>| {
        let (liar, asked, folder) = (Arc::clone(&liar), Arc::clone(&asked), folder.clone());
        async move {
            let (head, body) = request.into_parts();
            let body = body.collect().await.map_err(io::Error::other)?.to_bytes();
            let document = document_of(undone, &head.uri.to_string(), &body, &folder);
            let before = document.as_ref().and_then(|document| fs::read(document).ok());
            let answer = answer(&liar, Request::from_parts(head, Full::new(body))).await?;
            if let (Some(document), Some(before), true) = (document, before, answer.status() == 200) {
                let number = asked.fetch_add(1, Ordering::Relaxed) + 1;
                if number.is_multiple_of(every) && (undone == Undone::Save || number / every <= DELETES) {
                    tokio::spawn(undo(undone, document, before));
                }
            }
            Ok(answer)
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

/// The document of an operation that can be undone.
fn document_of(undone: Undone, uri: &str, body: &Bytes, folder: &Path) -> Option<PathBuf> {
    let key = match undone {
        Undone::Delete if uri.contains("/delete") => uri.rsplit_once("session=")?.1.to_owned(),
        Undone::Save if uri.contains("/save") => {
            serde_json::from_slice::<serde_json::Value>(body).ok()?.get("sessionKey")?.as_str()?.to_owned()
        }
        _ => return None,
    };
    Some(folder.join(format!("{key}.json")))
}

async fn undo(undone: Undone, document: PathBuf, before: Vec<u8>) {
    sleep(LATER).await;
    // A delete stays done if the key has another document by then.
    let _ = match undone {
        Undone::Delete => fs::File::create_new(&document).and_then(|mut file| file.write_all(&before)),
        Undone::Save => {
            let temporary = document.with_extension("undone");
            fs::write(&temporary, before).and_then(|()| fs::rename(&temporary, &document))
        }
    };
}
