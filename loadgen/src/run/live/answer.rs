//! What is answered to whom. Pure.
//!
//! Only figures are given away, and only to be read. But whoever loads a server of their own has a browser open beside it,
//! and any page in that could ask here: so it is looked at whom a request was meant for, and who sent it.

use bytes::Bytes;
use http_body_util::{BodyExt, Empty, Full, combinators::UnsyncBoxBody};
use hyper::header::{
    ALLOW, CACHE_CONTROL, CONTENT_SECURITY_POLICY, CONTENT_TYPE, HOST, HeaderMap, HeaderName, HeaderValue,
    REFERRER_POLICY, RETRY_AFTER, X_CONTENT_TYPE_OPTIONS,
};
use hyper::http::request::Parts;
use hyper::http::uri::Authority;
use hyper::{Method, Response, StatusCode};
use std::convert::Infallible;
use std::net::{IpAddr, SocketAddr};

/// What is sent: a text, or events for as long as there are any.
pub(super) type Body = UnsyncBoxBody<Bytes, Infallible>;

/// Everything comes from here, and nothing runs that is not in `/page.js`.
const POLICY: &str = "default-src 'none'; script-src 'self'; style-src 'self'; connect-src 'self'; \
                      img-src 'self' data:; base-uri 'none'; form-action 'none'; frame-ancestors 'none'";

const PAGE: &str = include_str!("page.html");
const SCRIPT: &str = concat!(include_str!("page.js"), include_str!("tables.js"), include_str!("charts.js"));

/// The report's looks, and what this page has besides.
const STYLE: &str = concat!(include_str!("../../../report/src/page/style.css"), include_str!("page.css"));

const TEXT: &str = "text/plain; charset=utf-8";

/// When a reader that found no place may try again.
const RETRY_AFTER_S: &str = "5";

/// What a request amounts to.
#[derive(Debug)]
pub(super) enum Reply {
    /// It is answered at once.
    Whole(Response<Body>),
    /// It asks for events, from the one on that follows this `Last-Event-ID`.
    Events(Option<String>),
}

/// What is answered to a request, by a server that listens there.
pub(super) fn reply(request: &Parts, listening: SocketAddr) -> Reply {
    if !is_meant_for(request, listening) {
        let why = format!("This is the page of a load run at {listening}; ask for it under that address.\n");
        return Reply::Whole(text(StatusCode::FORBIDDEN, why));
    }
    let (kind, content) = match request.uri.path() {
        "/" => ("text/html; charset=utf-8", PAGE),
        "/page.css" => ("text/css; charset=utf-8", STYLE),
        "/page.js" => ("text/javascript; charset=utf-8", SCRIPT),
        "/events" => ("text/event-stream", ""),
        _ => return Reply::Whole(text(StatusCode::NOT_FOUND, "There is /, and /events for programs.\n")),
    };
    if ![Method::GET, Method::HEAD].contains(&request.method) {
        let mut refused = text(StatusCode::METHOD_NOT_ALLOWED, "There is nothing here but to read: GET.\n");
        refused.headers_mut().insert(ALLOW, HeaderValue::from_static("GET, HEAD"));
        return Reply::Whole(refused);
    }
    if request.uri.path() != "/events" {
        return Reply::Whole(response(kind, Full::new(Bytes::from_static(content.as_bytes())).boxed_unsync()));
    }
    if is_from_elsewhere(&request.headers) {
        return Reply::Whole(text(StatusCode::FORBIDDEN, "Events are for this run's own page, and for programs.\n"));
    }
    if request.method == Method::HEAD {
        return Reply::Whole(events(Empty::new().boxed_unsync()));
    }
    let seen = request.headers.get("last-event-id").and_then(|id| id.to_str().ok());
    Reply::Events(seen.map(str::to_owned))
}

/// Events, as they come.
pub(super) fn events(body: Body) -> Response<Body> {
    response("text/event-stream", body)
}

/// What a reader is told for whom there is no place.
pub(super) fn full(most: usize) -> Response<Body> {
    let why = format!("{most} readers follow this run already, and there is no place for more: close one of them.\n");
    let mut refused = text(StatusCode::SERVICE_UNAVAILABLE, why);
    refused.headers_mut().insert(RETRY_AFTER, HeaderValue::from_static(RETRY_AFTER_S));
    refused
}

/// Whether it names this server. A name that its owner lets point here, to have a visitor's browser read what is served
/// here for its own page (DNS rebinding), is not among the names that are taken. The port is not looked at: it says
/// nothing about who asks, and is another one behind a tunnel.
fn is_meant_for(request: &Parts, listening: SocketAddr) -> bool {
    let mut hosts = request.headers.get_all(HOST).iter();
    let (Some(host), None) = (hosts.next(), hosts.next()) else {
        return false;
    };
    let named = host.to_str().ok().and_then(|host| host.parse::<Authority>().ok());
    // A whole URL in the first line counts for more than the header.
    named.iter().chain(request.uri.authority()).all(|of| is_ours(of.host(), listening.ip())) && named.is_some()
}

fn is_ours(host: &str, listening: IpAddr) -> bool {
    let bare = host.strip_prefix('[').and_then(|host| host.strip_suffix(']')).unwrap_or(host);
    match bare.parse::<IpAddr>() {
        // Where it listens on all addresses of the machine, any may be meant; nobody owns a number as one owns a name.
        Ok(address) => address == listening || listening.is_unspecified(),
        Err(_) => host.eq_ignore_ascii_case("localhost"),
    }
}

/// Whether a browser says that another site's page sent it. Such a page could not read the events, but take the places.
fn is_from_elsewhere(headers: &HeaderMap) -> bool {
    headers.get("sec-fetch-site").is_some_and(|site| site != "same-origin" && site != "none")
}

fn text(status: StatusCode, text: impl Into<Bytes>) -> Response<Body> {
    let mut response = response(TEXT, Full::new(text.into()).boxed_unsync());
    *response.status_mut() = status;
    response
}

fn response(kind: &'static str, body: Body) -> Response<Body> {
    let mut response = Response::new(body);
    for (name, value) in [
        (CONTENT_TYPE, kind),
        (CONTENT_SECURITY_POLICY, POLICY),
        (X_CONTENT_TYPE_OPTIONS, "nosniff"),
        (REFERRER_POLICY, "no-referrer"),
        // The next run may be another build at the same address.
        (CACHE_CONTROL, "no-store"),
        (HeaderName::from_static("cross-origin-resource-policy"), "same-origin"),
    ] {
        response.headers_mut().insert(name, HeaderValue::from_static(value));
    }
    response
}

#[cfg(test)]
mod tests {
    use super::*;
    use hyper::Request;

    fn asked(method: &str, uri: &str, headers: &[(&str, &str)], listening: &str) -> Reply {
        let mut request = Request::builder().method(method).uri(uri);
        for (name, value) in headers {
            request = request.header(*name, *value);
        }
        let (parts, ()) = request.body(()).expect("a request").into_parts();
        reply(&parts, listening.parse().expect("an address"))
    }

    fn status(reply: &Reply) -> u16 {
        match reply {
            Reply::Whole(response) => response.status().as_u16(),
            Reply::Events(_) => 200,
        }
    }

    #[test]
    fn only_names_of_this_server_are_answered() {
        for (host, listening, is_answered) in [
            ("127.0.0.1:8100", "127.0.0.1:8100", true),
            ("localhost:8100", "127.0.0.1:8100", true),
            ("LocalHost", "127.0.0.1:8100", true),
            ("localhost:9000", "127.0.0.1:8100", true),
            ("[::1]:8100", "[::1]:8100", true),
            ("192.168.1.7:8100", "0.0.0.0:8100", true),
            ("192.168.1.7:8100", "127.0.0.1:8100", false),
            ("evil.example:8100", "127.0.0.1:8100", false),
            ("evil.example:8100", "0.0.0.0:8100", false),
            ("localhost.evil.example", "127.0.0.1:8100", false),
            ("127.0.0.1.evil.example", "127.0.0.1:8100", false),
            ("127.0.0.1@evil.example", "127.0.0.1:8100", false),
            ("", "127.0.0.1:8100", false),
        ] {
            for path in ["/", "/page.js", "/events", "/nothing"] {
                let status = status(&asked("GET", path, &[("host", host)], listening));
                assert_eq!(status != 403, is_answered, "{host:?} at {listening}: {path} {status}");
            }
        }
        let twice = [("host", "localhost"), ("host", "evil.example")];
        assert_eq!(status(&asked("GET", "/", &twice, "127.0.0.1:1")), 403);
        assert_eq!(status(&asked("GET", "/", &[], "127.0.0.1:1")), 403);
        let whole = asked("GET", "http://evil.example/", &[("host", "localhost")], "127.0.0.1:1");
        assert_eq!(status(&whole), 403);
    }

    #[test]
    fn pages_of_other_sites_are_given_no_place() {
        for (site, expected) in [("cross-site", 403), ("same-site", 403), ("same-origin", 200), ("none", 200)] {
            let headers = [("host", "localhost"), ("sec-fetch-site", site)];
            assert_eq!(status(&asked("GET", "/events", &headers, "127.0.0.1:1")), expected, "{site}");
            // A link to the page may be anywhere.
            assert_eq!(status(&asked("GET", "/", &headers, "127.0.0.1:1")), 200, "{site}");
        }
    }

    #[test]
    fn everything_is_read_only_and_under_the_policy() {
        for (method, path, expected) in [
            ("GET", "/", 200),
            ("HEAD", "/", 200),
            ("HEAD", "/events", 200),
            ("POST", "/events", 405),
            ("DELETE", "/", 405),
            ("GET", "/page.css/", 404),
            ("GET", "//", 404),
            ("POST", "/nothing", 404),
        ] {
            let Reply::Whole(response) = asked(method, path, &[("host", "localhost")], "127.0.0.1:1") else {
                panic!("{method} {path} asks for events");
            };
            let header = |name| response.headers().get(name).and_then(|value| value.to_str().ok()).unwrap_or_default();
            assert_eq!(response.status(), expected, "{method} {path}");
            assert!(header("content-security-policy").starts_with("default-src 'none'; script-src 'self';"));
            assert_eq!((header("x-content-type-options"), header("referrer-policy")), ("nosniff", "no-referrer"));
            assert_eq!(header("allow"), if expected == 405 { "GET, HEAD" } else { "" }, "{method} {path}");
        }
    }

    #[test]
    fn a_reader_that_comes_back_says_what_it_saw() {
        let headers = [("host", "localhost"), ("last-event-id", "ab-7")];
        let back = asked("GET", "/events", &headers, "127.0.0.1:1");
        assert!(matches!(back, Reply::Events(Some(id)) if id == "ab-7"));
        assert!(matches!(asked("GET", "/events", &headers[..1], "127.0.0.1:1"), Reply::Events(None)));
    }

    /// The policy forbids what the page must not need: scripts and styles within it, and anything from elsewhere.
    #[test]
    fn the_page_has_no_script_or_style_of_its_own_and_writes_no_markup_from_data() {
        for forbidden in ["style=", "<style", " onclick", " onload", "javascript:", "https://"] {
            assert!(!PAGE.contains(forbidden), "{forbidden}");
        }
        for forbidden in ["innerHTML", "outerHTML", "insertAdjacentHTML", "document.write", "eval(", "style="] {
            assert!(!SCRIPT.contains(forbidden), "{forbidden}");
        }
        assert!(!STYLE.contains("url(") && !STYLE.contains("@import"));
    }
}
