//! C1 and C2 as `verify` tries them: the reference client keeps them, clients with a fault are found out, and a server
//! without a client is accused of nothing.

use crate::room::Server;
use crate::support::harness::{Run, saves_folder, verify};
use crate::support::liar;
use crate::support::running::{Running, converse};
use crate::{Outcome, trials};
use anyhow::ensure;
use bytes::Bytes;
use http_body_util::{BodyExt, Full};
use hyper::Response;
use loadgen::claims::Verdict;
use loadgen::reference::Protocol;
use std::io;
use std::path::Path;
use std::sync::Arc;

trials![
    the_reference_client_keeps_both_on_both_protocols,
    a_client_with_a_fault_is_found_out,
    a_server_without_a_client_is_accused_of_nothing,
];

async fn on_a_thread(arguments: Vec<String>) -> anyhow::Result<Run> {
    let run = move || verify(&arguments.iter().map(String::as_str).collect::<Vec<_>>());
    Ok(tokio::task::spawn_blocking(run).await?)
}

async fn tried(url: &str, claims: &str) -> anyhow::Result<Run> {
    on_a_thread(["--target", url, "--only", claims, "--yes"].map(str::to_owned).to_vec()).await
}

async fn the_reference_client_keeps_both_on_both_protocols() -> Outcome {
    let run = on_a_thread(["--only", "C1,C2"].map(str::to_owned).to_vec()).await?;
    ensure!(run.code == 0, "exit {}\n{}{}", run.code, run.stdout, run.stderr);
    let report = run.report.as_ref().ok_or_else(|| anyhow::anyhow!("no report"))?;
    for target in &report.targets {
        for claim in &target.claims {
            ensure!(claim.verdict == Verdict::Holds, "{} on {}: {}", claim.id, target.name, claim.summary);
        }
    }
    ensure!(report.targets.len() == 2 && report.targets.iter().all(|target| target.claims.len() == 2));
    Ok(())
}

/// A fault: what is put in place of what in the client's scripts, and the claim that it breaks.
const FAULTS: [(&str, &str, &str); 8] = [
    ("[given, minimal, named]", "[minimal, given, named]", "C1"),
    ("[given, minimal, named]", "[given, minimal]", "C1"),
    ("[given, minimal, named]", "[given, named]", "C1"),
    (".find(isKey)", ".find((text) => text)", "C1"),
    ("START_ATTEMPTS = 3", "START_ATTEMPTS = 2", "C2"),
    ("START_ATTEMPTS = 3", "START_ATTEMPTS = 4", "C2"),
    ("START_PAUSE_MS = 1_000", "START_PAUSE_MS = 400", "C2"),
    ("START_PAUSE_MS = 1_000", "START_PAUSE_MS = 2_500", "C2"),
];

async fn a_client_with_a_fault_is_found_out() -> Outcome {
    let server = Server::start(Protocol::Hardened)?;
    let trials = FAULTS.map(|(right, wrong, claim)| {
        let faulty = rewriting(&server.url, right, wrong);
        async move {
            let run = tried(&faulty.url, claim).await?;
            let (verdict, summary) = run.verdict(claim);
            ensure!(verdict == Verdict::Refuted, "{wrong}: {claim} is {verdict}: {summary}");
            anyhow::Ok(())
        }
    });
    // They mostly wait.
    futures_util::future::try_join_all(trials).await.map(drop)
}

async fn a_server_without_a_client_is_accused_of_nothing() -> Outcome {
    let saves = saves_folder();
    let server = liar::spawn(None, saves.path());
    let run = tried(&server.url, "C1,C2").await?;
    for claim in ["C1", "C2"] {
        let (verdict, summary) = run.verdict(claim);
        ensure!(verdict == Verdict::Untestable && summary.contains("--page"), "{claim} is {verdict}: {summary}");
    }
    ensure!(run.code == 0, "exit {}: {}", run.code, run.stdout);
    Ok(())
}

/// A server that has another's answers, with something else in its scripts.
fn rewriting(url: &str, right: &'static str, wrong: &'static str) -> Running {
    // An error says that one is installed already.
    let _ = rustls::crypto::ring::default_provider().install_default();
    let client = reqwest::Client::builder().no_proxy().build().expect("a client can be built");
    let through = Arc::new((client, url.to_owned()));
    Running::start(Path::new(""), move |listener| async move {
        while let Ok((stream, _)) = listener.accept().await {
            let through = Arc::clone(&through);
            tokio::spawn(converse(stream, move |request| {
                let through = Arc::clone(&through);
                async move {
                    let (head, body) = request.into_parts();
                    let body = body.collect().await.map_err(io::Error::other)?.to_bytes();
                    let (client, url) = &*through;
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
