//! Servers that do not keep the contract at all, or not for long. A harness has to notice, say what it found, and
//! neither hang nor grow.

use super::liar::{Liar, answer};
use super::running::{ACCEPT_PAUSE, Answer, Counted, FIRST_LOOKS, Running, converse};
use bytes::Bytes;
use http_body_util::{BodyExt, Full};
use hyper::body::Incoming;
use hyper::header::{CONTENT_ENCODING, CONTENT_TYPE, HeaderValue, LOCATION};
use hyper::{Request, Response, StatusCode};
use serde_json::json;
use std::future::pending;
use std::io;
use std::sync::Arc;
use std::sync::atomic::{AtomicUsize, Ordering};
use std::time::Duration;
use tempfile::TempDir;
use tokio::io::{AsyncReadExt, AsyncWriteExt};
use tokio::net::{TcpListener, TcpStream};
use tokio::sync::Notify;
use tokio::task::JoinSet;

/// How late each answer of [`Hostile::Slow`] is.
const LATE: Duration = Duration::from_secs(1);

/// [`Hostile::Flaky`] closes every so-manieth connection.
const FLAKY_EVERY: usize = 10;

/// A chunk of [`Hostile::Huge`]'s body.
const CHUNK_BYTES: usize = 64 << 10;

/// `{"success":true,"data":[]}` by gzip.
const GZIPPED: [u8; 46] = [
    0x1f, 0x8b, 0x08, 0x00, 0x00, 0x00, 0x00, 0x00, 0x02, 0x03, 0xab, 0x56, 0x2a, 0x2e, 0x4d, 0x4e, 0x4e, 0x2d, 0x2e,
    0x56, 0xb2, 0x2a, 0x29, 0x2a, 0x4d, 0xd5, 0x51, 0x4a, 0x49, 0x2c, 0x49, 0x54, 0xb2, 0x8a, 0x8e, 0xad, 0x05, 0x00,
    0xd8, 0x74, 0x63, 0x3f, 0x1a, 0x00, 0x00, 0x00,
];

/// What [`Hostile::Taunts`] puts wherever a text of its own can be: what steers a terminal, hides or reverses text, and
/// what is a link, an image, HTML, a heading or the end of a code block or table cell in Markdown.
pub(crate) const TAUNTS: [&str; 6] = [
    "\u{202e}\u{1b}[2J\u{1b}]8;;http://evil.example\u{7}x\u{9b}1m",
    "\u{202e}taunt\u{2066}\u{200b}\u{feff}\u{2028}",
    "\u{202e}![taunt](http://evil.example/x.png) [a](//evil.example)",
    "\u{202e}<img src=x onerror=alert(1)></td></pre><script>taunt()</script>",
    "\u{202e}\n\n# taunt\n\n```\n\nAll as expected: | taunt |\r",
    "\u{202e}www.evil.example http://evil.example a@evil.example `taunt`",
];

/// How a server fails.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Hostile {
    /// Speaks first, and another protocol.
    NotHttp,
    /// Answers 200 with random bytes that it calls JSON.
    Garbage,
    /// Answers 200 with a web page.
    Html,
    /// Accepts connections, and never reads or writes.
    Hangs,
    /// Reads each request, and closes the connection.
    Closes,
    /// Announces 100 bytes, sends 10, and hangs.
    HalfAnswer,
    /// Answers 302 with the very address that was asked for.
    Redirects,
    /// Answers 301 with the same path at `https://elsewhere.test`.
    Moved,
    /// Answers 200 with the contract's envelope, compressed though no request accepts that.
    Compressed,
    /// Answers with a body that does not end.
    Huge,
    /// Honest, each answer a second late.
    Slow,
    /// Honest for so many requests; at the next one it is gone, with all its connections.
    DiesLater(usize),
    /// Honest for so many requests; the next ones get no answer.
    HangsLater(usize),
    /// Honest, but every tenth connection is closed at its first request, without an answer.
    Flaky,
    /// Honest at first; then one of [`TAUNTS`] is in every third response: as key, message, type, body or header.
    Taunts,
}

impl Hostile {
    /// One of each kind. `requests`: how many of them those that fail later answer before.
    pub(crate) const fn all(requests: usize) -> [Self; 15] {
        [
            Self::NotHttp,
            Self::Garbage,
            Self::Html,
            Self::Hangs,
            Self::Closes,
            Self::HalfAnswer,
            Self::Redirects,
            Self::Moved,
            Self::Compressed,
            Self::Huge,
            Self::Slow,
            Self::DiesLater(requests),
            Self::HangsLater(requests),
            Self::Flaky,
            Self::Taunts,
        ]
    }
}

/// What the connections of a server share.
struct Server {
    kind: Hostile,
    honest: Liar,
    connections: AtomicUsize,
    counted: Arc<Counted>,
    /// Told when the server is to be gone.
    dead: Notify,
    /// Its saves folder, removed with it.
    _folder: TempDir,
}

/// Starts a server on an empty saves folder of its own, which is removed with it.
pub(crate) fn spawn(kind: Hostile) -> Running {
    let counted = Arc::<Counted>::default();
    let folder = TempDir::new().expect("a temporary folder can be made");
    let saves = folder.path().to_owned();
    let server = Arc::new(Server {
        kind,
        honest: Liar::new(None, &saves),
        connections: AtomicUsize::new(0),
        counted: Arc::clone(&counted),
        dead: Notify::new(),
        _folder: folder,
    });
    let mut running = Running::start(&saves, |listener| serve(server, listener));
    running.counted = counted;
    running
}

/// Accepts connections until the server is to be gone; then listener and connections go with this.
async fn serve(server: Arc<Server>, listener: TcpListener) {
    let mut connections = JoinSet::new();
    loop {
        let accepted = tokio::select! {
            accepted = listener.accept() => accepted,
            () = server.dead.notified() => return,
        };
        while connections.try_join_next().is_some() {}
        match accepted {
            // However a connection ends, it was meant to end badly.
            Ok((stream, _)) => drop(connections.spawn(Arc::clone(&server).meet(stream))),
            Err(_) => tokio::time::sleep(ACCEPT_PAUSE).await,
        }
    }
}

impl Server {
    async fn meet(self: Arc<Self>, mut stream: TcpStream) -> io::Result<()> {
        let number = self.connections.fetch_add(1, Ordering::Relaxed) + 1;
        match self.kind {
            Hostile::NotHttp => {
                stream.write_all(b"SSH-2.0-x\r\n").await?;
                pending().await
            }
            Hostile::Hangs => pending().await,
            Hostile::HalfAnswer => {
                read_some(&mut stream).await?;
                let head = "HTTP/1.1 200 OK\r\ncontent-type: application/json\r\ncontent-length: 100\r\n\r\n";
                stream.write_all(format!("{head}{{\"success\"").as_bytes()).await?;
                pending().await
            }
            Hostile::Huge => {
                read_some(&mut stream).await?;
                let head = "HTTP/1.1 200 OK\r\ncontent-type: application/json\r\ntransfer-encoding: chunked\r\n\r\n";
                let start = r#"{"success":true,"timestamp":1,"data":""#;
                stream.write_all(format!("{head}{:x}\r\n{start}\r\n", start.len()).as_bytes()).await?;
                let chunk = format!("{CHUNK_BYTES:x}\r\n{}\r\n", "a".repeat(CHUNK_BYTES));
                loop {
                    stream.write_all(chunk.as_bytes()).await?;
                }
            }
            Hostile::Flaky if number.is_multiple_of(FLAKY_EVERY) => read_some(&mut stream).await,
            _ => {
                converse(stream, |request| Arc::clone(&self).respond(request)).await;
                Ok(())
            }
        }
    }

    async fn respond(self: Arc<Self>, request: Request<Incoming>) -> io::Result<Answer> {
        let number = self.counted.requests.fetch_add(1, Ordering::Relaxed) + 1;
        let number = usize::try_from(number).expect("fewer requests");
        match self.kind {
            Hostile::Garbage => {
                let bytes: Vec<u8> = (0..rand::random_range(1..4_096)).map(|_| rand::random()).collect();
                Ok(page("application/json", bytes))
            }
            Hostile::Html => {
                let html = "<!DOCTYPE html><html><head><title>Welcome</title></head><body>It works!</body></html>";
                Ok(page("text/html; charset=utf-8", html.into()))
            }
            Hostile::Closes => {
                // What of it cannot be read makes no difference.
                let _ = request.into_body().collect().await;
                Err(io::ErrorKind::ConnectionAborted.into())
            }
            Hostile::Redirects => {
                let answer = Response::builder().status(302).header(LOCATION, request.uri().to_string());
                Ok(answer.body(Full::default()).expect("an address that came can go back"))
            }
            Hostile::Moved => {
                let to = format!("https://elsewhere.test{}", request.uri());
                let answer = Response::builder().status(301).header(LOCATION, to).body(Full::default());
                Ok(answer.expect("an address that came can go back"))
            }
            Hostile::Compressed => {
                let mut answer = page("application/json", GZIPPED.to_vec());
                answer.headers_mut().insert(CONTENT_ENCODING, HeaderValue::from_static("gzip"));
                Ok(answer)
            }
            Hostile::DiesLater(honest) if number > honest => {
                self.dead.notify_one();
                pending().await
            }
            Hostile::HangsLater(honest) if number > honest => pending().await,
            Hostile::Taunts if number as u64 > FIRST_LOOKS && number.is_multiple_of(3) => Ok(taunting(number / 3)),
            _ => {
                let answer = answer(&self.honest, request).await?;
                if self.kind == Hostile::Slow {
                    tokio::time::sleep(LATE).await;
                }
                Ok(answer)
            }
        }
    }
}

/// Waits for a request, or the part of it that comes first.
async fn read_some(stream: &mut TcpStream) -> io::Result<()> {
    stream.read(&mut [0; 4 << 10]).await.map(drop)
}

/// A response with a text that means harm; which text and where depend on the number.
fn taunting(number: usize) -> Answer {
    let taunt = TAUNTS[number % TAUNTS.len()];
    let (status, body) = match number / TAUNTS.len() % 6 {
        0 => (200, json!({"success": true, "timestamp": 1, "data": {"sessionKey": taunt, "message": taunt}})),
        1 => (500, json!({"success": false, "timestamp": 1, "message": taunt})),
        2 => (403, json!({"success": false, "timestamp": 1, "message": taunt})),
        3 => (
            200,
            json!({"success": true, "timestamp": 1, "data": {
                "sessionKey": taunt, "typeSlug": taunt, "metadata": {taunt: taunt}, "state": {taunt: taunt},
            }}),
        ),
        4 => (200, json!({"success": true, "timestamp": 1, "data": [{"sessionKey": taunt, "typeSlug": taunt}]})),
        _ => {
            let response = Response::builder().status(302).header(LOCATION, "//evil.example/taunt");
            let text =
                HeaderValue::from_bytes("\u{202e}![taunt](//evil.example)".as_bytes()).expect("bytes of a header");
            return response.header(CONTENT_TYPE, text).body(Full::from(taunt)).expect("headers that are right");
        }
    };
    let mut response = page("application/json", body.to_string().into_bytes());
    *response.status_mut() = StatusCode::from_u16(status).expect("a status");
    response
}

fn page(content_type: &str, body: Vec<u8>) -> Answer {
    let answer = Response::builder().status(200).header(CONTENT_TYPE, content_type);
    answer.body(Full::new(Bytes::from(body))).expect("a header that is right")
}
