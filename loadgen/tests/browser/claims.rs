//! C1 and C2 as `verify` tries them: the reference client keeps them, clients with a fault are found out, and a server
//! without a client is accused of nothing.

use crate::rewriting::rewriting;
use crate::room::{Server, until};
use crate::support::harness::{Run, interrupt, loadgen, names, saves_folder, started, verify};
use crate::support::liar;
use crate::{Outcome, trials};
use anyhow::{Context, ensure};
use contract::DEFAULT_PATH_TEMPLATE;
use engine::client::ledger::{Ledger, Ownership};
use engine::client::{Patience, Target};
use loadgen::browser::Gateway;
use loadgen::reference::Protocol;
use record::claims::Verdict;
use rustix::process::Signal;
use std::path::Path;
use std::sync::Arc;

trials![
    the_reference_client_keeps_both_on_both_protocols,
    a_client_with_a_fault_is_found_out,
    a_server_without_a_client_is_accused_of_nothing,
    an_interrupted_run_leaves_no_browser_behind,
    only_what_a_client_created_is_ours_to_delete,
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

async fn an_interrupted_run_leaves_no_browser_behind() -> Outcome {
    let (temporary, out) = (tempfile::tempdir()?, tempfile::tempdir()?);
    let mut command = loadgen();
    command.args(["verify", "--only", "C2", "--out"]).arg(out.path()).env("TMPDIR", temporary.path());
    let mut run = started(&mut command);
    interrupt(&mut run, Signal::INT, || !processes_of(temporary.path()).is_empty());
    let ended = run.wait()?;
    ensure!(ended.code() == Some(3), "exit {ended}");
    until("the browsers have ended", || async { Ok(processes_of(temporary.path()).is_empty().then_some(())) }).await?;
    ensure!(names(temporary.path()).is_empty(), "{:?}", names(temporary.path()));
    Ok(())
}

/// The browsers that keep their profile in a folder.
fn processes_of(folder: &Path) -> Vec<String> {
    let profile = format!("--user-data-dir={}", folder.display());
    let processes = std::fs::read_dir("/proc").into_iter().flatten().flatten();
    // A process may have ended meanwhile.
    let commands = processes.filter_map(|process| std::fs::read_to_string(process.path().join("cmdline")).ok());
    commands.filter(|command| command.contains(&profile)).collect()
}

/// A faulty server hands out a stranger's key, and the client instantiates it: that document must not be cleaned up.
async fn only_what_a_client_created_is_ours_to_delete() -> Outcome {
    let server = Server::start(Protocol::Documented)?;
    let body = |key: &str| format!(r#"{{"sessionKey":"{key}","typeSlug":"word","state":{{}}}}"#);
    std::fs::write(server.saves.path().join("AAA.json"), body("AAA"))?;
    let ledger = Arc::new(Ledger::default());
    let target = Target::new(&server.url, DEFAULT_PATH_TEMPLATE).map_err(anyhow::Error::msg)?;
    let gateway = Gateway::open(&target, Patience::default(), Arc::clone(&ledger)).await?;
    let client = reqwest::Client::builder().no_proxy().build()?;
    for key in ["AAA", "BBB"] {
        client.post(gateway.url("/php/api/instantiate.php")).body(body(key)).send().await?;
    }
    let handed = client.get(gateway.url("/php/api/generate-key.php")).send().await?.text().await?;
    ensure!(ledger.ownership("AAA").is_none(), "a stranger's document would be deleted");
    ensure!(ledger.ownership("BBB") == Some(Ownership::Written), "{:?}", ledger.keys());
    let ours = ledger.keys().into_iter().find(|key| key != "BBB").context("the key that was handed out")?;
    ensure!(handed.contains(&ours) && ledger.ownership(&ours) == Some(Ownership::Handed), "{handed}: {ours}");
    Ok(())
}
