//! One request through a protocol.

use super::answer::{self, Answer};
use super::metrics::{self, Metrics};
use super::pages::Pages;
use super::route::Operation;
use super::server::Limits;
use crate::protocol::{Error, Protocol};
use bytes::Bytes;
use http_body_util::{BodyExt, Full, LengthLimitError, Limited};
use hyper::body::{Body, Incoming};
use hyper::header::{CONTENT_TYPE, HeaderValue};
use hyper::{HeaderMap, Request, StatusCode};
use std::sync::Arc;
use std::time::{Instant, SystemTime, UNIX_EPOCH};
use tracing::{debug, warn};

/// Everything that requests share.
pub(super) struct Handler<P> {
    pub(super) protocol: Arc<P>,
    pub(super) limits: Limits,
    pub(super) metrics: Metrics,
    pub(super) pages: Pages,
}

impl<P: Protocol> Handler<P> {
    /// Answers a request, and counts and logs the answer.
    pub(super) async fn handle(&self, request: Request<Incoming>) -> Answer {
        let came = Instant::now();
        let operation = Operation::of_path(request.uri().path());
        let method = request.method().clone();
        let answer = self.answer(operation, request).await;
        self.hold_back();
        let (status, took) = (answer.status().as_u16(), came.elapsed());
        self.metrics.answered(operation, status, took);
        debug!(operation = operation.map(Operation::name), %method, status, took_us = took.as_micros(), "answered");
        answer
    }

    /// By computing, not by sleeping: timers are a hundred times as coarse as what is to be added.
    fn hold_back(&self) {
        if !self.limits.hold_back.is_zero() {
            let answered = Instant::now();
            while answered.elapsed() < self.limits.hold_back {
                std::hint::spin_loop();
            }
        }
    }

    async fn answer(&self, operation: Option<Operation>, request: Request<Incoming>) -> Answer {
        let uri_bytes = request.uri().path_and_query().map_or(0, |path| path.as_str().len());
        if uri_bytes > self.limits.uri_bytes {
            return answer::closing(answer::failure(now_s(), StatusCode::URI_TOO_LONG, "URI too long"));
        }
        if exceeds(request.headers(), &self.limits) {
            let status = StatusCode::REQUEST_HEADER_FIELDS_TOO_LARGE;
            return answer::closing(answer::failure(now_s(), status, "Request header fields too large"));
        }
        let Some(operation) = operation else {
            return not_found();
        };
        if !operation.allows(request.method()) {
            return answer::method_not_allowed(now_s(), operation.allow());
        }
        self.operate(operation, request).await.unwrap_or_else(|error| refused(operation, &error))
    }

    async fn operate(&self, operation: Operation, request: Request<Incoming>) -> Result<Answer, Error> {
        Ok(match operation {
            Operation::GenerateKey => {
                let outcome = self.protocol.generate_key().await;
                if let Ok(crate::protocol::Generated { attempts, .. }) | Err(Error::KeysExhausted { attempts }) =
                    outcome
                {
                    self.metrics.attempted(attempts);
                }
                answer::generated(now_s(), outcome?)
            }
            Operation::Instantiate => match self.body(request).await {
                Ok(body) => answer::instantiated(now_s(), self.protocol.instantiate(&body).await?),
                Err(answer) => answer,
            },
            Operation::Save => match self.body(request).await {
                Ok(body) => {
                    self.protocol.save(&body).await?;
                    answer::success(now_s(), br#"{"message":""}"#)
                }
                Err(answer) => answer,
            },
            Operation::Restore => {
                let key = parameter(&request, "sessionKey");
                answer::success(now_s(), &self.protocol.restore(&key).await?)
            }
            Operation::Delete => {
                self.protocol.delete(&parameter(&request, "session")).await?;
                answer::success(now_s(), br#"{"message":"Instance deleted successfully"}"#)
            }
            Operation::List => {
                let protocol = Arc::clone(&self.protocol);
                answer::list(now_s(), &on_a_thread(async move { protocol.list().await }).await?)
            }
            Operation::Health => answer::success(now_s(), br#"{"status":"ok"}"#),
            Operation::Metrics => {
                let mut answer = Answer::new(Full::new(Bytes::from(self.metrics.text())));
                answer.headers_mut().insert(CONTENT_TYPE, HeaderValue::from_static(metrics::CONTENT_TYPE));
                answer
            }
            Operation::Page => self.pages.at(request.uri().path()).unwrap_or_else(not_found),
        })
    }

    /// A request's whole body, or the answer that refuses it.
    async fn body(&self, request: Request<Incoming>) -> Result<Bytes, Answer> {
        let too_large = || answer::failure(now_s(), StatusCode::PAYLOAD_TOO_LARGE, "Request body too large");
        let body = request.into_body();
        if body.size_hint().lower() > self.limits.body_bytes as u64 {
            return Err(answer::closing(too_large()));
        }
        let whole = Limited::new(body, self.limits.body_bytes).collect();
        match tokio::time::timeout(self.limits.body_time, whole).await {
            Ok(Ok(body)) => Ok(body.to_bytes()),
            Ok(Err(error)) if error.is::<LengthLimitError>() => Err(answer::closing(too_large())),
            // The client went away in the middle, or does not speak HTTP: nobody is likely to read this.
            Ok(Err(_)) => {
                Err(answer::closing(answer::failure(now_s(), StatusCode::BAD_REQUEST, "Incomplete request body")))
            }
            Err(_) => Err(answer::closing(answer::failure(
                now_s(),
                StatusCode::REQUEST_TIMEOUT,
                "Request body not received in time",
            ))),
        }
    }
}

/// Runs a long operation, one that goes through the whole folder, on a thread where it holds up no request.
pub(super) async fn on_a_thread<T: Send + 'static>(
    operation: impl Future<Output = Result<T, Error>> + Send + 'static,
) -> Result<T, Error> {
    let runtime = tokio::runtime::Handle::current();
    let outcome = tokio::task::spawn_blocking(move || runtime.block_on(operation)).await;
    outcome.unwrap_or_else(|lost| Err(Error::AccessFolder(std::io::Error::other(lost))))
}

fn not_found() -> Answer {
    answer::failure(now_s(), StatusCode::NOT_FOUND, "Not found")
}

fn refused(operation: Operation, error: &Error) -> Answer {
    if let Some(cause) = std::error::Error::source(error) {
        warn!(operation = operation.name(), %error, %cause, "failed");
    }
    answer::refused(now_s(), error)
}

/// A parameter of the query; the last one of the name counts, as in PHP. Empty where it is missing.
fn parameter(request: &Request<Incoming>, name: &str) -> String {
    let query = request.uri().query().unwrap_or_default();
    let named = form_urlencoded::parse(query.as_bytes()).filter(|(parameter, _)| parameter == name);
    named.last().map(|(_, value)| value.into_owned()).unwrap_or_default()
}

fn exceeds(headers: &HeaderMap, limits: &Limits) -> bool {
    let bytes: usize = headers.iter().map(|(name, value)| name.as_str().len() + value.len()).sum();
    headers.len() > limits.headers || bytes > limits.header_bytes
}

pub(super) fn now_s() -> u64 {
    SystemTime::now().duration_since(UNIX_EPOCH).unwrap_or_default().as_secs()
}
