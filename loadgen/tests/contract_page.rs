//! docs/contract.md is right: its examples, replayed in order on a server, get the responses that it shows.

use contract::{Reply, Request};
use engine::client::connection::Connection;
use engine::client::wire::{Buffers, Client as _};
use engine::client::{Patience, Target};
use http::{Method, Uri};
use loadgen::reference::{Embedded, Launcher};
use serde_json::Value;
use std::path::{Path, PathBuf};
use std::sync::Arc;

/// Keys on the page, in the order in which the server hands out its own.
const PAGE_KEYS: [&str; 2] = ["A4K", "B7Z"];

/// Numbers that differ from run to run: only how many digits they have is compared.
const TIMES: [&str; 3] = ["timestamp", "created", "lastModified"];

/// Heading from which on the page is about the reference server alone.
const ADDITIONS: &str = "## Additions of the reference server";

/// One example of the page.
#[derive(Debug)]
struct Example {
    method: Method,
    path: String,
    body: String,
    status: u16,
    response: Value,
}

impl Example {
    /// Parses an `http` block: method and path, a body, an empty line, the status, the response's body.
    fn parse(block: &str) -> Self {
        let (request, response) = block.split_once("\n\n").expect("an empty line after the request");
        let (line, body) = request.split_once('\n').unwrap_or((request, ""));
        let (method, path) = line.split_once(' ').expect("a method and a path");
        let (status, response) = response.split_once('\n').expect("a status and a body");
        Self {
            method: method.parse().expect("a method"),
            path: path.to_owned(),
            body: body.to_owned(),
            status: status.parse().expect("a status"),
            response: serde_json::from_str(response).expect("JSON"),
        }
    }
}

fn page() -> String {
    let path = Path::new(env!("CARGO_MANIFEST_DIR")).join("../docs/contract.md");
    std::fs::read_to_string(path).expect("the page")
}

fn examples(page: &str) -> Vec<Example> {
    let blocks = page.split("\n```http\n").skip(1);
    blocks.map(|rest| Example::parse(rest.split("\n```").next().unwrap_or_default())).collect()
}

/// Whether the server's response is the page's.
fn is_same(shown: &Value, got: &Value) -> bool {
    match (shown, got) {
        (Value::Object(shown), Value::Object(got)) => {
            let is_same_field = |(name, value): (&String, &Value)| match got.get(name) {
                Some(other) if TIMES.contains(&name.as_str()) => digits(value) == digits(other),
                Some(other) => is_same(value, other),
                None => false,
            };
            shown.len() == got.len() && shown.iter().all(is_same_field)
        }
        (Value::Array(shown), Value::Array(got)) => {
            shown.len() == got.len() && shown.iter().zip(got).all(|(shown, got)| is_same(shown, got))
        }
        _ => shown == got,
    }
}

fn digits(time: &Value) -> Option<usize> {
    Some(time.as_f64()?.trunc().to_string().len())
}

/// Replays examples on a server whose saves folder is empty; returns a line for each that differs.
async fn replay(examples: &[Example], target: Target) -> Vec<String> {
    let mut connection = Connection::new(Arc::new(target), Patience::default(), Buffers::default());
    let mut keys: Vec<String> = Vec::new();
    let mut differences = Vec::new();
    for Example { method, path, body, status, response } in examples {
        let own =
            |text: &str| keys.iter().zip(PAGE_KEYS).fold(text.to_owned(), |text, (key, page)| text.replace(page, key));
        let uri = Uri::try_from(own(path)).expect("a path");
        let request = Request { method: method.clone(), uri, body: own(body).into_bytes().into() };
        let Reply { status: got_status, body: got, .. } = connection.send(request).await.expect("a response");
        let got = String::from_utf8_lossy(&got).into_owned();
        let handed_out = serde_json::from_str(&got).ok().and_then(|got: Value| {
            Some(got["data"]["sessionKey"].as_str()?.to_owned()).filter(|_| path.contains("generate-key"))
        });
        keys.extend(handed_out);
        let got = keys.iter().zip(PAGE_KEYS).fold(got, |text, (key, page)| text.replace(key, page));
        let is_right = serde_json::from_str(&got).is_ok_and(|got: Value| is_same(response, &got));
        if got_status != *status || !is_right {
            differences.push(format!("{method} {path} {body}: {got_status} {got}"));
        }
    }
    differences
}

async fn replay_on(launcher: &Launcher, page: &str) -> Vec<String> {
    let examples = examples(page);
    assert!(examples.len() > 20, "only {} examples were found on the page", examples.len());
    let server = Embedded::start(launcher).await.expect("starts");
    let target = server.target().expect("a target");
    let differences = replay(&examples, target).await;
    server.stop().await.expect("stops");
    differences
}

fn reference(protocol: &str, log: PathBuf) -> Launcher {
    let arguments = ["serve", "--until-stdin-closes", "--protocol", protocol].map(str::to_owned).to_vec();
    Launcher::of_program(env!("CARGO_BIN_EXE_loadgen").into(), arguments, log)
}

#[tokio::test]
async fn the_reference_server_responds_as_the_contract_shows() {
    let temp = tempfile::tempdir().expect("a folder");
    for protocol in ["documented", "hardened"] {
        let launcher = reference(protocol, temp.path().join("log"));
        assert_eq!(replay_on(&launcher, &page()).await, Vec::<String>::new(), "{protocol}");
    }
}

/// An example for authors of servers, written from the page alone.
#[tokio::test]
async fn the_example_server_in_python_responds_as_the_contract_shows() {
    let temp = tempfile::tempdir().expect("a folder");
    let server = concat!(env!("CARGO_MANIFEST_DIR"), "/../examples/servers/python/server.py");
    let launcher = Launcher::of_program("python3".into(), vec![server.to_owned()], temp.path().join("log"));
    let page = page();
    let (contract, _) = page.split_once(ADDITIONS).expect("what other servers need not speak is marked");
    assert_eq!(replay_on(&launcher, contract).await, Vec::<String>::new());
}

#[tokio::test]
async fn an_example_that_is_wrong_is_found() {
    let temp = tempfile::tempdir().expect("a folder");
    let wrong = page().replacen("Instance already exists", "It is there already", 2);
    let launcher = reference("hardened", temp.path().join("log"));
    let differences = replay_on(&launcher, &wrong).await;
    assert!(!differences.is_empty() && differences.iter().all(|line| line.contains("instantiate")), "{differences:?}");
}
