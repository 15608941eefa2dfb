//! Whether response times tell of a server's stalls as they were: measured on a real server over real connections, and
//! held against arithmetic. A server that stands still for a second in five is loaded in three ways; for each the
//! percentiles are printed as arithmetic has them, as response times (from when a request was meant to be sent), and as
//! service times (from when it was sent), which hide what could not even be asked meanwhile.
//!
//! `cargo bench -p benches --bench stalls` takes 70 s, and fails where a response time is more than 2 % off.

use bytes::Bytes;
use contract::Operation;
use contract::key::key_at;
use engine::client::{Patience, Target};
use engine::scenario::{Arrivals, Load, Mix, Pacing, Plan, Scenario, Shape, Sizes, Think};
use engine::{Setup, run};
use http_body_util::{BodyExt, Collected, Full};
use hyper::body::Incoming;
use hyper::server::conn::http1;
use hyper::service::service_fn;
use hyper::{Request, Response};
use hyper_util::rt::TokioIo;
use record::figures::Tally;
use std::collections::HashMap;
use std::convert::Infallible;
use std::net::SocketAddr;
use std::sync::{Arc, Mutex, PoisonError};
use std::time::{Duration, Instant};
use tokio_util::sync::CancellationToken;

const PERIOD_S: f64 = 5.0;
const STALL_S: f64 = 1.0;

/// Whole periods, so that it does not matter when the first stall comes.
const DURATION_US: u64 = 20_000_000;

/// How far a response time may be from arithmetic.
const TOLERANCE: f64 = 0.02;

const QUANTILES: [(&str, f64); 4] = [("p90", 0.9), ("p95", 0.95), ("p99", 0.99), ("p99.9", 0.999)];

fn main() {
    let server = stalling_server();
    println!("| load | percentile | arithmetic, ms | response, ms | off | service, ms |\n|---|---|---|---|---|---|");
    let open = Load::Open { stages: Shape::constant(500.0, DURATION_US), arrivals: Arrivals::Constant };
    let paced = closed(50, Pacing::Pace(100_000));
    let thinking = closed(100, Pacing::Think);
    let think = "exp:100ms".parse().expect("a think time");
    let rows = [
        table("open, 500 a second", &server, 50, open, Think::None, waits_while_it_stalls),
        table("closed, 50 users at a pace of 100 ms", &server, 50, paced, Think::None, waits_while_it_stalls),
        table("closed, 100 users who think for 100 ms", &server, 100, thinking, think, waits_once),
    ];
    let worst = rows.into_iter().fold(0.0, f64::max);
    println!("\nAt most {:.1} % off.", worst * 100.0);
    assert!(worst <= TOLERANCE, "response times are further than {:.0} % from arithmetic", TOLERANCE * 100.0);
}

fn closed(users: u32, pacing: Pacing) -> Load {
    Load::Closed { stages: Shape::constant(f64::from(users), DURATION_US), pacing }
}

/// Where requests are meant to be sent evenly over time, those meant within a stall wait for its end: a share
/// `STALL_S / PERIOD_S` of all, each value up to `STALL_S` as likely. No time where the quantile lies below them.
fn waits_while_it_stalls(quantile: f64) -> Option<f64> {
    Some(STALL_S - (1.0 - quantile) * PERIOD_S).filter(|wait_s| *wait_s > 0.0)
}

/// A user who thinks for an exponential time after each answer is caught once by a stall, as long after its begin as
/// the rest of that time, which is exponential too; in the rest of the period it is answered `(PERIOD_S - STALL_S) /
/// 0.1` times.
fn waits_once(quantile: f64) -> Option<f64> {
    const THINK_S: f64 = 0.1;
    let operations_in_a_period = (PERIOD_S - STALL_S) / THINK_S + 1.0;
    let share_of_caught = (1.0 - quantile) * operations_in_a_period;
    let wait_s = STALL_S + THINK_S * (1.0 - share_of_caught).ln();
    Some(wait_s).filter(|_| share_of_caught < 0.9)
}

/// Prints a load's rows; answers how far the worst is off.
fn table(
    name: &str,
    server: &SocketAddr,
    users: u32,
    load: Load,
    think: Think,
    arithmetic: fn(f64) -> Option<f64>,
) -> f64 {
    let mix: Mix = "restore=1".parse().expect("a mix");
    let plan = Plan { seed: 1, scenario: Scenario::Mixed, users, load, think, sizes: Sizes::default(), mix };
    let setup = Setup {
        plan: Arc::new(plan),
        target: Arc::new(Target::new(&format!("http://{server}"), "/{op}").expect("a target")),
        patience: Patience::default(),
        reserves: false,
        keys_in_use: None,
        shared_key: None,
        ledger: Arc::default(),
        threads: 1,
        history: None,
    };
    let measured = run(setup, &CancellationToken::new(), &mut |_| ()).expect("it runs");
    let restores: &Tally = &measured.tallies[Operation::Restore as usize];
    let report = restores.report();
    assert!(report.sent > 0 && report.verified == report.sent, "not every restore was right: {report:?}");
    let mut worst = 0.0;
    for (percentile, quantile) in QUANTILES {
        let response_ms = restores.response_us().value_at_quantile(quantile) as f64 / 1e3;
        let service_ms = restores.service_us().value_at_quantile(quantile) as f64 / 1e3;
        let (expected, off) = match arithmetic(quantile) {
            Some(wait_s) => {
                let off = response_ms / (wait_s * 1e3) - 1.0;
                worst = off.abs().max(worst);
                (format!("{:.0}", wait_s * 1e3), format!("{:+.1} %", off * 100.0))
            }
            None => ("not stalled".to_owned(), "–".to_owned()),
        };
        println!("| {name} | {percentile} | {expected} | {response_ms:.1} | {off} | {service_ms:.1} |");
    }
    worst
}

/// Starts a server of its own, that stands still in the last second of every five, on a thread of its own.
fn stalling_server() -> SocketAddr {
    let listener = std::net::TcpListener::bind("127.0.0.1:0").expect("a port");
    let address = listener.local_addr().expect("an address");
    listener.set_nonblocking(true).expect("a listener");
    std::thread::spawn(move || {
        let runtime = tokio::runtime::Builder::new_current_thread().enable_all().build().expect("a runtime");
        runtime.block_on(async { serve(tokio::net::TcpListener::from_std(listener).expect("a listener")).await });
    });
    address
}

async fn serve(listener: tokio::net::TcpListener) {
    let began = Instant::now();
    let store = Arc::new(Mutex::new(Store::default()));
    while let Ok((stream, _)) = listener.accept().await {
        stream.set_nodelay(true).expect("a connection");
        let store = Arc::clone(&store);
        let answer = service_fn(move |request| answer(Arc::clone(&store), began, request));
        tokio::spawn(http1::Builder::new().serve_connection(TokioIo::new(stream), answer));
    }
}

#[derive(Default)]
struct Store {
    handed: usize,
    documents: HashMap<String, Bytes>,
}

async fn answer(
    store: Arc<Mutex<Store>>,
    began: Instant,
    request: Request<Incoming>,
) -> Result<Response<Full<Bytes>>, Infallible> {
    let into_period_s = began.elapsed().as_secs_f64() % PERIOD_S;
    if into_period_s >= PERIOD_S - STALL_S {
        tokio::time::sleep(Duration::from_secs_f64(PERIOD_S - into_period_s)).await;
    }
    let (head, body) = request.into_parts();
    let body = body.collect().await.map(Collected::to_bytes).unwrap_or_default();
    let mut store = store.lock().unwrap_or_else(PoisonError::into_inner);
    let data = match head.uri.path() {
        "/generate-key" => {
            store.handed += 1;
            format!(r#"{{"sessionKey":"{}"}}"#, key_at(store.handed)).into()
        }
        "/instantiate" => {
            store.documents.insert(String::from_utf8_lossy(&body[15..18]).into_owned(), body);
            Bytes::from_static(br#"{"message":"Instance created"}"#)
        }
        _ => {
            let key = head.uri.query().unwrap_or_default().split_once('=').map_or("", |(_, key)| key);
            store.documents.get(key).cloned().unwrap_or_default()
        }
    };
    let body = [br#"{"success":true,"timestamp":1,"data":"#, &data[..], b"}"].concat();
    Ok(Response::new(Full::new(body.into())))
}
