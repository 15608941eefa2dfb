//! Requests over one connection to a whole server, from the first byte sent to the last one read. The saves folder is in
//! memory where there is some: what HTTP costs is asked here, not what a disk does.

use crate::settings::Place;
use crate::subjects::{REAL_DOCUMENT_BYTES, body, disk, documented, folder_in, hardened};
use benches::limits::measured::Subject;
use criterion::{BenchmarkId, Criterion, SamplingMode};
use serde_json::Value;
use server::http::{Limits, Server, pages::Pages};
use server::protocol::Protocol;
use std::io::{BufRead, BufReader, Read, Write};
use std::net::{SocketAddr, TcpStream};
use std::time::{Duration, Instant};
use tokio::net::TcpListener;
use tokio::runtime::{Builder, Runtime};

const KEY: &str = "A4K";

pub(crate) fn bench(criterion: &mut Criterion, place: &Place) {
    let folder = folder_in(&place.parent);
    of_protocol(criterion, Subject::Documented, documented(disk(folder.path())));
    let folder = folder_in(&place.parent);
    of_protocol(criterion, Subject::Hardened, hardened(disk(folder.path())));
}

fn of_protocol<P: Protocol>(criterion: &mut Criterion, subject: Subject, protocol: P) {
    let runtime = Builder::new_multi_thread().enable_all().build().expect("a runtime");
    let mut connection = Connection::open(serve(&runtime, protocol));
    let document = body(KEY, REAL_DOCUMENT_BYTES);
    let mut group = criterion.benchmark_group("http");
    group.sampling_mode(SamplingMode::Flat);
    let id = |operation: &str| BenchmarkId::new(operation, subject);

    group.bench_function(id("generate-key"), |bencher| {
        bencher.iter_custom(|times| (0..times).map(|_| timed_key(&mut connection)).sum());
    });
    group.bench_function(id("save"), |bencher| bencher.iter(|| connection.must("POST", "/api/save", &document)));
    connection.must("POST", "/api/save", &document);
    let target = format!("/api/restore?sessionKey={KEY}");
    group.bench_function(id("restore"), |bencher| bencher.iter(|| connection.must("GET", &target, &[])));
    group.finish();
    drop(connection);
    runtime.shutdown_background();
}

/// How long a request for a key takes. Giving it back, where it was reserved, is not timed.
fn timed_key(connection: &mut Connection) -> Duration {
    let start = Instant::now();
    let answer = connection.must("GET", "/api/generate-key", &[]);
    let took = start.elapsed();
    let answer: Value = serde_json::from_slice(&answer).expect("JSON");
    let key = answer["data"]["sessionKey"].as_str().expect("a key");
    // The documented protocol reserved nothing, and says so by a 404.
    connection.ask("DELETE", &format!("/api/delete?sessionKey={key}"), &[]);
    took
}

/// Serves a protocol until the runtime ends.
fn serve<P: Protocol>(runtime: &Runtime, protocol: P) -> SocketAddr {
    let listener = runtime.block_on(TcpListener::bind("127.0.0.1:0")).expect("a port");
    let address = listener.local_addr().expect("an address");
    runtime.spawn(Server::new(protocol, Limits::default(), Pages::new(&[], 3)).run(listener, std::future::pending()));
    address
}

/// A client's connection, kept alive.
struct Connection {
    stream: BufReader<TcpStream>,
    request: Vec<u8>,
}

impl Connection {
    fn open(address: SocketAddr) -> Self {
        let stream = TcpStream::connect(address).expect("the server listens");
        stream.set_nodelay(true).expect("a connection");
        Self { stream: BufReader::new(stream), request: Vec::new() }
    }

    /// The body of an answer that must be a success.
    fn must(&mut self, method: &str, target: &str, body: &[u8]) -> Vec<u8> {
        let (status, body) = self.ask(method, target, body);
        assert_eq!(status, 200, "{method} {target}");
        body
    }

    /// Sends a request in one piece; answers the status and the body.
    fn ask(&mut self, method: &str, target: &str, body: &[u8]) -> (u16, Vec<u8>) {
        self.request.clear();
        let head = format!("{method} {target} HTTP/1.1\r\nhost: bench\r\ncontent-length: {}\r\n\r\n", body.len());
        self.request.extend_from_slice(head.as_bytes());
        self.request.extend_from_slice(body);
        self.stream.get_mut().write_all(&self.request).expect("the server reads");
        let status = self.line().split(' ').nth(1).and_then(|status| status.parse().ok()).expect("a status");
        let mut answer = vec![0; self.body_bytes()];
        self.stream.read_exact(&mut answer).expect("the server answers");
        (status, answer)
    }

    /// Reads the fields up to the body, which the server always tells the length of.
    fn body_bytes(&mut self) -> usize {
        let mut bytes = 0;
        loop {
            let line = self.line().to_ascii_lowercase();
            if line.is_empty() {
                return bytes;
            }
            if let Some(length) = line.strip_prefix("content-length:") {
                bytes = length.trim().parse().expect("a length");
            }
        }
    }

    fn line(&mut self) -> String {
        let mut line = String::new();
        self.stream.read_line(&mut line).expect("the server answers");
        line.trim_end().to_owned()
    }
}
