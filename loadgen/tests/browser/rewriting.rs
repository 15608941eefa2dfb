//! Clients with a fault: a server whose scripts have something else in place of what is right.

use crate::support::running::{Running, converse};
use bytes::Bytes;
use http_body_util::{BodyExt, Full};
use hyper::Response;
use std::io;
use std::path::Path;
use std::sync::Arc;

/// A server that has another's answers, with something else in its scripts.
pub(crate) fn rewriting(url: &str, right: &str, wrong: &str) -> Running {
    // An error says that one is installed already.
    let _ = rustls::crypto::ring::default_provider().install_default();
    let client = reqwest::Client::builder().no_proxy().build().expect("a client can be built");
    let through = Arc::new((client, url.to_owned(), right.to_owned(), wrong.to_owned()));
    Running::start(Path::new(""), move |listener| async move {
        while let Ok((stream, _)) = listener.accept().await {
            let through = Arc::clone(&through);
            tokio::spawn(converse(stream, move |request| {
                let through = Arc::clone(&through);
                async move {
                    let (head, body) = request.into_parts();
                    let body = body.collect().await.map_err(io::Error::other)?.to_bytes();
                    let (client, url, right, wrong) = &*through;
                    let answer = client.request(head.method, format!("{url}{}", head.uri)).body(body).send().await;
                    let answer = answer.map_err(io::Error::other)?;
                    let mut response = Response::builder().status(answer.status());
                    if let Some(media_type) = answer.headers().get("content-type") {
                        response = response.header("content-type", media_type);
                    }
                    let is_script = Path::new(head.uri.path()).extension().is_some_and(|extension| extension == "js");
                    let mut content = answer.bytes().await.map_err(io::Error::other)?;
                    if is_script {
                        content = Bytes::from(String::from_utf8_lossy(&content).replace(right, wrong));
                    }
                    response.body(Full::new(content)).map_err(io::Error::other)
                }
            }));
        }
    })
}
