//! A connection over TLS, by reqwest.

use super::target::Target;
use super::wire::{MAX_ANSWER_MB, MAX_IDLE, Patience};
use contract::Failure;
use contract::reply::attempts;
use contract::{Head, Reply, Request};
use hyper::header::{AUTHORIZATION, CONTENT_TYPE};
use std::error::Error;
use std::io;
use std::sync::Arc;

/// A client that keeps one connection.
#[derive(Debug)]
pub(super) struct Secure {
    target: Arc<Target>,
    client: reqwest::Client,
}

impl Secure {
    /// # Panics
    /// Where TLS cannot be set up at all: the platform's certificates cannot be used.
    pub(super) fn new(target: Arc<Target>, patience: Patience) -> Self {
        // An error says that one is installed already, by an earlier user.
        let _ = rustls::crypto::ring::default_provider().install_default();
        let client = reqwest::Client::builder()
            .connect_timeout(patience.connect)
            .pool_max_idle_per_host(1)
            .pool_idle_timeout(MAX_IDLE)
            .redirect(reqwest::redirect::Policy::none())
            .tcp_nodelay(true)
            .build()
            .expect("TLS cannot be set up with this system's certificates");
        Self { target, client }
    }

    pub(super) async fn send(&self, request: &Request) -> Result<Reply, Failure> {
        let url = self.target.url().join(&request.uri.to_string());
        let url = url.map_err(|error| Failure::CannotConnect(error.to_string()))?;
        let sending = self.client.request(request.method.clone(), url);
        let mut sending = sending.header(CONTENT_TYPE, "application/json").body(request.body.clone());
        if let Some(authorization) = self.target.authorization() {
            sending = sending.header(AUTHORIZATION, authorization.clone());
        }
        let mut response = sending.send().await.map_err(|error| failure_of(&error))?;
        let head = Head::of(response.headers(), response.content_length());
        let mut body = Vec::new();
        while let Some(chunk) = response.chunk().await.map_err(|error| failure_of(&error))? {
            body.extend_from_slice(&chunk);
            if body.len() > MAX_ANSWER_MB << 20 {
                return Err(Failure::TooLong(MAX_ANSWER_MB));
            }
        }
        Ok(Reply {
            status: response.status().as_u16(),
            attempts: attempts(response.headers()),
            head,
            body: body.into(),
        })
    }
}

fn failure_of(error: &reqwest::Error) -> Failure {
    let mut text = error.to_string();
    let mut is_untrusted = false;
    let mut cause = error.source();
    while let Some(inner) = cause {
        text = format!("{text}: {inner}");
        is_untrusted |= is_of_certificate(inner);
        cause = inner.source();
    }
    if is_untrusted {
        Failure::Untrusted(text)
    } else if error.is_connect() {
        Failure::CannotConnect(text)
    } else {
        Failure::Closed(text)
    }
}

/// Whether this is about the server's certificate, itself or within an I/O error.
fn is_of_certificate(error: &(dyn Error + 'static)) -> bool {
    let within = error.downcast_ref::<io::Error>().and_then(io::Error::get_ref);
    match error.downcast_ref::<rustls::Error>() {
        Some(error) => matches!(error, rustls::Error::InvalidCertificate(_)),
        None => within.is_some_and(|inner| is_of_certificate(inner)),
    }
}
