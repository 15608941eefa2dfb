//! A connection over plain HTTP, by hyper's client connection directly: nothing is pooled and nothing retried that
//! may have had its effect.
//!
//! The connection has no task of its own: whoever waits for an answer drives it meanwhile. That saves waking one task
//! from another twice a request.

use super::target::Target;
use super::whole_writes::WholeWrites;
use super::wire::{Buffers, MAX_ANSWER_MB, MAX_IDLE, Patience};
use bytes::{Bytes, BytesMut};
use contract::Failure;
use contract::reply::attempts;
use contract::{Head, Reply, Request};
use http_body_util::{BodyExt, Full};
use hyper::Response;
use hyper::body::{Body, Incoming};
use hyper::client::conn::http1::{Builder, Connection, SendRequest};
use hyper::header::{AUTHORIZATION, CONTENT_TYPE, HOST, HeaderValue};
use std::error::Error;
use std::future::poll_fn;
use std::pin::{Pin, pin};
use std::sync::Arc;
use std::task::{Context, Poll, Waker};
use std::time::Instant;
use tokio::net::TcpStream;

/// A document of real size and what comes with it take 3.2 KB.
const SMALL_BUFFER_BYTES: usize = 4 << 10;

/// A connection, made when it is first needed and again when the server has closed it.
#[derive(Debug)]
pub(super) struct Plain {
    target: Arc<Target>,
    patience: Patience,
    buffers: Buffers,
    open: Option<Open>,
}

#[derive(Debug)]
struct Open {
    sender: SendRequest<Full<Bytes>>,
    connection: Box<Connection<WholeWrites<TcpStream>, Full<Bytes>>>,
    /// How the connection ended, once it has.
    end: Option<hyper::Result<()>>,
    /// When the last request was handed to it.
    used: Instant,
}

impl Open {
    /// Drives the connection for as long as there is something to do.
    fn drive(&mut self, context: &mut Context<'_>) {
        if self.end.is_none()
            && let Poll::Ready(end) = Pin::new(&mut *self.connection).poll(context)
        {
            self.end = Some(end);
        }
    }

    /// Ready when the future is; the connection is driven meanwhile.
    async fn while_driven<F: Future>(&mut self, future: F) -> F::Output {
        let mut future = pin!(future);
        poll_fn(|context| {
            self.drive(context);
            future.as_mut().poll(context)
        })
        .await
    }

    /// Whether a request can be sent, as far as is known.
    ///
    /// The connection is looked at on nobody's behalf: it then has nobody to wake when it is handed the request, who
    /// is about to drive it anyway.
    fn can_send(&mut self, now: Instant) -> bool {
        self.drive(&mut Context::from_waker(Waker::noop()));
        now.duration_since(self.used) < MAX_IDLE && self.end.is_none() && self.sender.is_ready()
    }

    /// Why a request came to nothing. A request that was only called off says nothing: then the connection knows why.
    fn failure(&self, error: &hyper::Error) -> Failure {
        match &self.end {
            Some(Err(cause)) if error.is_canceled() => failure_of(cause),
            _ => failure_of(error),
        }
    }
}

impl Plain {
    pub(super) fn new(target: Arc<Target>, patience: Patience, buffers: Buffers) -> Self {
        Self { target, patience, buffers, open: None }
    }

    /// Makes the connection, where there is none.
    pub(super) async fn connect(&mut self) -> Result<(), Failure> {
        if self.open.is_none() {
            self.open = Some(self.make().await?);
        }
        Ok(())
    }

    pub(super) async fn send(&mut self, request: &Request, now: Instant) -> Result<Reply, Failure> {
        // Taken out, so that a request that fails, or is called off, leaves no half-used connection behind.
        if let Some(mut open) = self.open.take()
            && open.can_send(now)
        {
            open.used = now;
            let sending = open.sender.try_send_request(self.plain(request));
            match open.while_driven(sending).await {
                Ok(response) => return self.read(response, open).await,
                // A request that comes back was never sent, as the server had closed the connection: it is sent on a
                // new one. Any other may have had its effect.
                Err(mut refused) => {
                    if refused.take_message().is_none() {
                        return Err(open.failure(refused.error()));
                    }
                }
            }
        }
        let mut open = self.make().await?;
        let sending = open.sender.send_request(self.plain(request));
        match open.while_driven(sending).await {
            Ok(response) => self.read(response, open).await,
            Err(error) => Err(open.failure(&error)),
        }
    }

    /// A new connection.
    async fn make(&self) -> Result<Open, Failure> {
        let within = self.patience.connect;
        let connecting = async {
            match self.target.goes_through() {
                Some(address) => TcpStream::connect(address).await,
                None => TcpStream::connect((self.target.host(), self.target.port())).await,
            }
        };
        let stream = match tokio::time::timeout(within, connecting).await {
            Ok(stream) => stream.map_err(|error| Failure::CannotConnect(error.to_string()))?,
            Err(_) => return Err(Failure::NoConnection(within)),
        };
        // Requests are small and whole: waiting to fill a packet only delays them. Without it, it still works.
        let _ = stream.set_nodelay(true);
        let mut builder = Builder::new();
        if self.buffers == Buffers::Small {
            builder.read_buf_exact_size(Some(SMALL_BUFFER_BYTES));
        }
        let made = builder.handshake(WholeWrites::new(stream)).await;
        let (sender, connection) = made.map_err(|error| failure_of(&error))?;
        Ok(Open { sender, connection: Box::new(connection), end: None, used: Instant::now() })
    }

    fn plain(&self, request: &Request) -> hyper::Request<Full<Bytes>> {
        let mut plain = hyper::Request::new(Full::new(request.body.clone()));
        *plain.method_mut() = request.method.clone();
        *plain.uri_mut() = request.uri.clone();
        plain.headers_mut().insert(HOST, self.target.host_header().clone());
        if let Some(authorization) = self.target.authorization() {
            plain.headers_mut().insert(AUTHORIZATION, authorization.clone());
        }
        if !request.body.is_empty() {
            plain.headers_mut().insert(CONTENT_TYPE, HeaderValue::from_static("application/json"));
        }
        plain
    }

    async fn read(&mut self, response: Response<Incoming>, mut open: Open) -> Result<Reply, Failure> {
        let (parts, body) = response.into_parts();
        let head = Head::of(&parts.headers, body.size_hint().exact());
        let body = whole(body, &mut open).await?;
        self.open = Some(open);
        Ok(Reply { status: parts.status.as_u16(), attempts: attempts(&parts.headers), head, body })
    }
}

/// The whole body. Most come in one piece, which is not copied.
async fn whole(mut body: Incoming, open: &mut Open) -> Result<Bytes, Failure> {
    let Some(first) = data(&mut body, open).await? else { return Ok(Bytes::new()) };
    if body.is_end_stream() {
        return Ok(first);
    }
    let mut all = BytesMut::from(first);
    while let Some(more) = data(&mut body, open).await? {
        all.extend_from_slice(&more);
        if all.len() > MAX_ANSWER_MB << 20 {
            return Err(Failure::TooLong(MAX_ANSWER_MB));
        }
    }
    Ok(all.freeze())
}

/// The next piece of a body; `None` at its end. Trailers are passed over.
async fn data(body: &mut Incoming, open: &mut Open) -> Result<Option<Bytes>, Failure> {
    while let Some(frame) = open.while_driven(body.frame()).await {
        let frame = frame.map_err(|error| open.failure(&error))?;
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
