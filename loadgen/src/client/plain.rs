//! A connection over plain HTTP, by hyper's client connection directly: nothing is pooled and nothing retried that
//! may have had its effect.

use super::exchange::Failure;
use super::target::Target;
use super::wire::{MAX_ANSWER_MB, MAX_IDLE, Patience, Reply, Request, attempts};
use bytes::{Bytes, BytesMut};
use http_body_util::{BodyExt, Full};
use hyper::body::{Body, Incoming};
use hyper::client::conn::http1::{SendRequest, handshake};
use hyper::header::{CONTENT_TYPE, HOST, HeaderValue};
use hyper::{Response, Uri};
use hyper_util::rt::TokioIo;
use std::error::Error;
use std::sync::Arc;
use std::time::Instant;
use tokio::net::TcpStream;
use tokio::task::JoinHandle;

/// A connection, made when it is first needed and again when the server has closed it.
#[derive(Debug)]
pub(super) struct Plain {
    target: Arc<Target>,
    patience: Patience,
    open: Option<Open>,
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

impl Plain {
    pub(super) fn new(target: Arc<Target>, patience: Patience) -> Self {
        Self { target, patience, open: None }
    }

    /// Makes the connection, where there is none.
    pub(super) async fn connect(&mut self) -> Result<(), Failure> {
        if self.open.is_none() {
            self.open = Some(connect(&self.target, self.patience).await?);
        }
        Ok(())
    }

    pub(super) async fn send(&mut self, request: &Request) -> Result<Reply, Failure> {
        // Taken out, so that a request that fails, or is called off, leaves no half-used connection behind.
        let kept = self.open.take().filter(|open| open.used.elapsed() < MAX_IDLE && open.sender.is_ready());
        if let Some(mut open) = kept {
            match open.sender.try_send_request(self.plain(request)?).await {
                Ok(response) => return self.read(response, open).await,
                // A request that comes back was never sent, as the server had closed the connection: it is sent on a
                // new one. Any other may have had its effect.
                Err(mut refused) => {
                    if refused.take_message().is_none() {
                        return Err(open.failure(refused.into_error()).await);
                    }
                }
            }
        }
        let mut open = connect(&self.target, self.patience).await?;
        match open.sender.send_request(self.plain(request)?).await {
            Ok(response) => self.read(response, open).await,
            Err(error) => Err(open.failure(error).await),
        }
    }

    fn plain(&self, request: &Request) -> Result<hyper::Request<Full<Bytes>>, Failure> {
        let malformed = |error: String| Failure::CannotConnect(error);
        let uri = Uri::try_from(request.path_and_query.as_str()).map_err(|error| malformed(error.to_string()))?;
        let mut plain = hyper::Request::new(Full::new(request.body.clone()));
        *plain.method_mut() = request.method.clone();
        *plain.uri_mut() = uri;
        plain.headers_mut().insert(HOST, self.target.host_header().clone());
        if !request.body.is_empty() {
            plain.headers_mut().insert(CONTENT_TYPE, HeaderValue::from_static("application/json"));
        }
        Ok(plain)
    }

    async fn read(&mut self, response: Response<Incoming>, mut open: Open) -> Result<Reply, Failure> {
        let (head, body) = response.into_parts();
        let body = whole(body).await?;
        open.used = Instant::now();
        self.open = Some(open);
        Ok(Reply { status: head.status.as_u16(), attempts: attempts(&head.headers), body })
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

/// The whole body. Most come in one piece, which is not copied.
async fn whole(mut body: Incoming) -> Result<Bytes, Failure> {
    let Some(first) = data(&mut body).await? else { return Ok(Bytes::new()) };
    if body.is_end_stream() {
        return Ok(first);
    }
    let mut all = BytesMut::from(first);
    while let Some(more) = data(&mut body).await? {
        all.extend_from_slice(&more);
        if all.len() > MAX_ANSWER_MB << 20 {
            return Err(Failure::TooLong(MAX_ANSWER_MB));
        }
    }
    Ok(all.freeze())
}

/// The next piece of a body; `None` at its end. Trailers are passed over.
async fn data(body: &mut Incoming) -> Result<Option<Bytes>, Failure> {
    while let Some(frame) = body.frame().await {
        let frame = frame.map_err(|error| failure_of(&error))?;
        if let Ok(data) = frame.into_data() {
            return Ok(Some(data));
        }
    }
    Ok(None)
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
