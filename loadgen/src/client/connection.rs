//! One user's connection to the target.

use super::exchange::{Answer, Body, Failure};
use super::target::Target;
use bytes::Bytes;
use http_body_util::{BodyExt, Full, LengthLimitError, Limited};
use hyper::client::conn::http1::{SendRequest, handshake};
use hyper::header::{CONTENT_TYPE, HOST, HeaderMap, HeaderValue};
use hyper::{Method, Request};
use hyper_util::rt::TokioIo;
use std::error::Error;
use std::sync::Arc;
use std::time::{Duration, Instant};
use tokio::net::TcpStream;
use tokio::task::JoinHandle;

/// Longest answer that is read. A list of all 46,656 documents has 8 MB.
const MAX_ANSWER_MB: usize = 64;

/// A connection idle for longer is not used again: servers close idle connections (5 s is common), and a request
/// that meets the closing would look like a fault of the server.
const MAX_IDLE: Duration = Duration::from_secs(1);

/// Header in which a server may say how many keys it tried.
const ATTEMPTS_HEADER: &str = "x-key-attempts";

/// How long a user waits.
#[derive(Clone, Copy, Debug)]
pub struct Patience {
    /// For a connection.
    pub connect: Duration,
    /// For a whole answer.
    pub answer: Duration,
}

impl Default for Patience {
    /// 5 s to connect, and 10 s for an answer: claims.md gives a server 10 s to say that a lock is held.
    fn default() -> Self {
        Self { connect: Duration::from_secs(5), answer: Duration::from_secs(10) }
    }
}

/// A connection, made when it is first needed and again when the server has closed it.
#[derive(Debug)]
pub struct Connection {
    target: Arc<Target>,
    patience: Patience,
    wire: Wire,
}

#[derive(Debug)]
enum Wire {
    Plain(Option<Open>),
    Secure(reqwest::Client),
}

#[derive(Debug)]
struct Open {
    sender: SendRequest<Full<Bytes>>,
    used: Instant,
    /// What drives the connection; it ends with the reason when the connection fails.
    driver: JoinHandle<hyper::Result<()>>,
}

impl Open {
    /// Why a request came to nothing. A request that was only called off says nothing: then the connection knows why.
    async fn failure(self, error: hyper::Error) -> Failure {
        if !error.is_canceled() {
            return failure_of(&error);
        }
        drop(self.sender);
        match self.driver.await {
            Ok(Err(cause)) => failure_of(&cause),
            _ => failure_of(&error),
        }
    }
}

impl Connection {
    /// A connection that is not made yet.
    ///
    /// # Panics
    /// Where TLS cannot be set up at all: the platform's certificates cannot be used.
    #[must_use]
    pub fn new(target: Arc<Target>, patience: Patience) -> Self {
        let wire = if target.is_secure() { Wire::Secure(secure_client(patience)) } else { Wire::Plain(None) };
        Self { target, patience, wire }
    }

    /// Sends one request and reads the whole answer.
    ///
    /// # Errors
    /// A [`Failure`] where there is none.
    pub async fn send(&mut self, method: Method, path_and_query: &str, body: Bytes) -> Result<Answer, Failure> {
        let patience = self.patience;
        let exchange = async {
            match &mut self.wire {
                Wire::Plain(open) => {
                    let request = || plain_request(&self.target, &method, path_and_query, &body);
                    send_plain(&self.target, patience, open, request).await
                }
                Wire::Secure(client) => send_secure(client, &self.target, &method, path_and_query, &body).await,
            }
        };
        let outcome = tokio::time::timeout(patience.answer, exchange).await;
        outcome.unwrap_or(Err(Failure::TimedOut(patience.answer.as_secs())))
    }
}

fn plain_request(
    target: &Target,
    method: &Method,
    path_and_query: &str,
    body: &Bytes,
) -> Result<Request<Full<Bytes>>, Failure> {
    let host = HeaderValue::from_str(&target.authority()).map_err(|error| Failure::CannotConnect(error.to_string()))?;
    let request = Request::builder().method(method).uri(path_and_query).header(HOST, host);
    let request = if body.is_empty() { request } else { request.header(CONTENT_TYPE, "application/json") };
    request.body(Full::new(body.clone())).map_err(|error| Failure::CannotConnect(error.to_string()))
}

async fn send_plain(
    target: &Target,
    patience: Patience,
    kept: &mut Option<Open>,
    request: impl Fn() -> Result<Request<Full<Bytes>>, Failure>,
) -> Result<Answer, Failure> {
    // Taken out, so that a request that fails, or is called off, leaves no half-used connection behind.
    if let Some(mut open) = kept.take().filter(|open| open.used.elapsed() < MAX_IDLE && open.sender.is_ready()) {
        match open.sender.try_send_request(request()?).await {
            Ok(response) => return read_plain(response, open, kept).await,
            // A request that comes back was never sent, as the server had closed the connection: it is sent on a
            // new one. Any other may have had its effect.
            Err(mut refused) => {
                if refused.take_message().is_none() {
                    return Err(open.failure(refused.into_error()).await);
                }
            }
        }
    }
    let mut open = connect(target, patience).await?;
    match open.sender.send_request(request()?).await {
        Ok(response) => read_plain(response, open, kept).await,
        Err(error) => Err(open.failure(error).await),
    }
}

async fn connect(target: &Target, patience: Patience) -> Result<Open, Failure> {
    let connecting = TcpStream::connect((target.host(), target.port()));
    let stream = match tokio::time::timeout(patience.connect, connecting).await {
        Ok(stream) => stream.map_err(|error| Failure::CannotConnect(error.to_string()))?,
        Err(_) => return Err(Failure::CannotConnect(format!("no connection within {} s", patience.connect.as_secs()))),
    };
    // Requests are small and whole: waiting to fill a packet only delays them. Without it, it still works.
    let _ = stream.set_nodelay(true);
    let (sender, driver) = handshake(TokioIo::new(stream)).await.map_err(|error| failure_of(&error))?;
    Ok(Open { sender, used: Instant::now(), driver: tokio::spawn(driver) })
}

async fn read_plain(
    response: hyper::Response<hyper::body::Incoming>,
    mut open: Open,
    kept: &mut Option<Open>,
) -> Result<Answer, Failure> {
    let (head, body) = response.into_parts();
    let body = match Limited::new(body, MAX_ANSWER_MB << 20).collect().await {
        Ok(body) => body.to_bytes(),
        Err(error) if error.is::<LengthLimitError>() => return Err(Failure::TooLong(MAX_ANSWER_MB)),
        Err(error) => {
            let error = error.downcast::<hyper::Error>();
            return Err(error.map_or_else(|other| Failure::Closed(other.to_string()), |error| failure_of(&error)));
        }
    };
    open.used = Instant::now();
    *kept = Some(open);
    Ok(Answer { status: head.status.as_u16(), attempts: attempts(&head.headers), body: Body::parse(&body) })
}

fn failure_of(error: &hyper::Error) -> Failure {
    let mut text = error.to_string();
    if let Some(cause) = error.source() {
        text = format!("{text}: {cause}");
    }
    // Bytes that come before anything was asked are no answer either; hyper has no name for that in its interface.
    let is_unasked = text.contains("unexpected message");
    if error.is_parse() || is_unasked { Failure::NotHttp(text) } else { Failure::Closed(text) }
}

fn secure_client(patience: Patience) -> reqwest::Client {
    // An error says that one is installed already, by an earlier user.
    let _ = rustls::crypto::ring::default_provider().install_default();
    reqwest::Client::builder()
        .connect_timeout(patience.connect)
        .pool_max_idle_per_host(1)
        .pool_idle_timeout(MAX_IDLE)
        .redirect(reqwest::redirect::Policy::none())
        .tcp_nodelay(true)
        .build()
        .expect("TLS cannot be set up with this system's certificates")
}

async fn send_secure(
    client: &reqwest::Client,
    target: &Target,
    method: &Method,
    path_and_query: &str,
    body: &Bytes,
) -> Result<Answer, Failure> {
    let url = target.url().join(path_and_query).map_err(|error| Failure::CannotConnect(error.to_string()))?;
    let request = client.request(method.clone(), url).header(CONTENT_TYPE, "application/json").body(body.clone());
    let mut response = request.send().await.map_err(|error| failure_of_secure(&error))?;
    let mut body = Vec::new();
    while let Some(chunk) = response.chunk().await.map_err(|error| failure_of_secure(&error))? {
        body.extend_from_slice(&chunk);
        if body.len() > MAX_ANSWER_MB << 20 {
            return Err(Failure::TooLong(MAX_ANSWER_MB));
        }
    }
    Ok(Answer { status: response.status().as_u16(), attempts: attempts(response.headers()), body: Body::parse(&body) })
}

fn failure_of_secure(error: &reqwest::Error) -> Failure {
    let mut text = error.to_string();
    let mut cause = error.source();
    while let Some(inner) = cause {
        text = format!("{text}: {inner}");
        cause = inner.source();
    }
    if error.is_connect() { Failure::CannotConnect(text) } else { Failure::Closed(text) }
}

fn attempts(headers: &HeaderMap) -> Option<u32> {
    headers.get(ATTEMPTS_HEADER)?.to_str().ok()?.parse().ok()
}
