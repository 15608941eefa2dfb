//! Every page at three widths: no script fails, nothing is asked of the network, nothing is cut, and axe finds nothing
//! serious.

use crate::room::{Room, until};
use crate::support::events::Watched;
use crate::support::harness::{interrupt, loadgen, saves_folder};
use crate::support::liar::{self, Lie};
use crate::{Outcome, pictures, trials};
use anyhow::{Context, ensure};
use loadgen::browser::{Browser, Driver, Treatment};
use rustix::process::Signal;
use serde::Deserialize;
use serde_json::{Value, json};
use std::path::{Path, PathBuf};

trials![
    the_report_opens_from_its_file,
    the_timeline_opens_from_its_file,
    the_checklist_shuts_nobody_out,
    a_run_can_be_watched_to_its_end,
    a_run_that_is_killed_is_said_to_be_gone,
    what_is_planted_is_found,
];

/// Widths of a phone, a tablet and a desk, in CSS pixels; and a height.
const WIDTHS: [u32; 3] = [390, 820, 1_280];
const HEIGHT: u32 = 900;

/// Where `npm ci` puts it.
const AXE: &str = concat!(env!("CARGO_MANIFEST_DIR"), "/tests/browser/node_modules/axe-core/axe.min.js");

async fn the_report_opens_from_its_file() -> Outcome {
    let report = Path::new(concat!(env!("CARGO_MANIFEST_DIR"), "/../reports/reference/report.html"));
    opens_from_its_file(report, "report").await
}

async fn the_timeline_opens_from_its_file() -> Outcome {
    let timeline = tokio::task::spawn_blocking(timeline).await??;
    opens_from_its_file(&timeline.path().join("counterexample.html"), "timeline").await
}

/// A run's folder with a counterexample: of a server that leaves documents out of its lists.
fn timeline() -> anyhow::Result<tempfile::TempDir> {
    let (saves, out) = (saves_folder(), tempfile::tempdir()?);
    let server = liar::spawn(Some(Lie::LosesInList), saves.path());
    let load = ["--scenario", "list-heavy", "--users", "16", "--duration", "4s", "--warm-up", "0s", "--no-ceiling"];
    let mut command = loadgen();
    command.args(["run", "--quiet", "--target", &server.url]).args(load).arg("--out").arg(out.path());
    let output = command.output()?;
    ensure!(output.status.code() == Some(1), "the run convicts nobody: {}", String::from_utf8_lossy(&output.stdout));
    Ok(out)
}

async fn opens_from_its_file(file: &Path, name: &str) -> Outcome {
    let file: PathBuf = file.canonicalize().with_context(|| format!("there is no {}", file.display()))?;
    let driver = Driver::start().await?;
    let browser = driver.open().await?;
    browser.visit(&format!("file://{}", file.display())).await?;
    seen_at_all_widths(&browser, name).await?;
    let Logged { complaints, asked_for } = logged(&browser).await?;
    ensure!(complaints.is_empty(), "{name}: {complaints:?}");
    ensure!(!asked_for.is_empty() && asked_for.iter().all(|url| is_local(url)), "{name} asks for {asked_for:?}");
    Ok(())
}

fn is_local(url: &str) -> bool {
    ["file://", "about:", "data:"].iter().any(|scheme| url.starts_with(scheme))
}

async fn the_checklist_shuts_nobody_out() -> Outcome {
    let room = Room::new().await?;
    let ours = room.at_work("").await?;
    ours.write(1, "a note").await?;
    ours.until("saved").await?;
    seen_at_all_widths(&ours.browser, "checklist").await?;
    for scheme in ["light", "dark"] {
        prefers(&ours.browser, scheme).await?;
        room.gateway.treat(|_, _| Treatment::Cut);
        ours.write(2, ".").await?;
        ours.until("unsaved").await?;
        is_open_to_all(&ours.browser, &format!("checklist, not saved, {scheme}")).await?;
        room.gateway.treat(|_, _| Treatment::Pass);
        ours.until("saved").await?;
    }
    let Logged { complaints, .. } = logged(&ours.browser).await?;
    let complaints: Vec<&String> = complaints.iter().filter(|line| !line.contains("ERR_EMPTY_RESPONSE")).collect();
    ensure!(complaints.is_empty(), "{complaints:?}");
    room.gateway.treat(|_, _| Treatment::Refuse(500, "Saves directory not found"));
    let refused = room.visitor("").await?;
    refused.until("failed").await?;
    is_open_to_all(&refused.browser, "checklist, not opened").await
}

/// A run on a server whose restores are torn, so that there are wrong answers to be shown.
async fn a_run_can_be_watched_to_its_end() -> Outcome {
    let saves = saves_folder();
    let server = liar::spawn(Some(Lie::TornRestore), saves.path());
    let target = ["--target", &server.url, "--scenario", "same-session", "--users", "8", "--duration", "1h"];
    let mut watched = Watched::start(&target);
    let page = format!("http://{}/", watched.address);
    let driver = Driver::start().await?;
    let browser = driver.open().await?;
    browser.visit(&page).await?;
    shows(&browser, "return !document.getElementById('alarm').hidden && document.querySelectorAll('svg').length > 1;")
        .await?;
    seen_at_all_widths(&browser, "live-running").await?;
    interrupt(&mut watched.run, Signal::INT, || true);
    shows(&browser, "return document.getElementById('state').textContent.startsWith('This run has ended');").await?;
    seen_at_all_widths(&browser, "live-ended").await?;
    let Logged { complaints, asked_for } = logged(&browser).await?;
    ensure!(complaints.is_empty(), "{complaints:?}");
    let elsewhere: Vec<&String> = asked_for.iter().filter(|url| !url.starts_with(&page) && !is_local(url)).collect();
    ensure!(elsewhere.is_empty(), "the page asks for {elsewhere:?}");
    Ok(())
}

async fn a_run_that_is_killed_is_said_to_be_gone() -> Outcome {
    let mut watched = Watched::start(&["--scenario", "mixed", "--users", "4", "--duration", "1h"]);
    let driver = Driver::start().await?;
    let browser = driver.open().await?;
    browser.visit(&format!("http://{}/", watched.address)).await?;
    shows(&browser, "return document.getElementById('answered').textContent !== '–';").await?;
    watched.run.kill()?;
    shows(&browser, "return document.getElementById('silence').textContent.includes('figures are as of');").await?;
    is_open_to_all(&browser, "live page, gone").await?;
    pictures::take(&browser.page, "live-gone").await
}

async fn seen_at_all_widths(browser: &Browser, name: &str) -> Outcome {
    for scheme in ["light", "dark"] {
        prefers(browser, scheme).await?;
        for width in WIDTHS {
            wide(browser, width).await?;
            is_open_to_all(browser, &format!("{name} at {width} px, {scheme}")).await?;
            pictures::take(&browser.page, &format!("{name}-{width}-{scheme}")).await?;
        }
    }
    Ok(())
}

/// Waits until a page shows something.
async fn shows(browser: &Browser, script: &str) -> Outcome {
    until(script, || async { Ok((browser.run(script, vec![]).await? == true).then_some(())) }).await
}

/// No part sticks out, and axe finds nothing serious.
async fn is_open_to_all(browser: &Browser, what: &str) -> Outcome {
    let widths = browser.run("return [document.documentElement.scrollWidth, innerWidth];", vec![]).await?;
    let (content, window): (u32, u32) = serde_json::from_value(widths)?;
    ensure!(content <= window, "{what}: {content} px of content in a window of {window} px");
    let axe =
        std::fs::read_to_string(AXE).context("axe-core is not installed: npm ci --prefix loadgen/tests/browser")?;
    browser.run(&axe, vec![]).await?;
    let script = "const done = arguments[arguments.length - 1];
        axe.run(document, { resultTypes: ['violations'] }).then(
            (results) => done(results.violations.map((it) => [it.impact, it.id, it.help, it.nodes.map((node) => node.target.join(' '))])),
            (error) => done([['critical', 'axe', String(error), []]]));";
    let found = browser.page.execute_async(script, vec![]).await?;
    let found: Vec<(Option<String>, String, String, Vec<String>)> = serde_json::from_value(found)?;
    let is_serious = |impact: &Option<String>| matches!(impact.as_deref(), Some("serious" | "critical"));
    let serious: Vec<_> = found.iter().filter(|(impact, ..)| is_serious(impact)).collect();
    ensure!(serious.is_empty(), "{what}: {serious:#?}");
    Ok(())
}

/// A page with a fault of each kind.
const PLANTED: &str = "<!doctype html><html lang=en><meta charset=utf-8><title>planted</title><main><h1>planted</h1>
    <p style='width:3000px'>wide</p><input><img src='http://127.0.0.1:9/elsewhere.png' alt=''></main>
    <script>throw new Error('planted')</script>";

async fn what_is_planted_is_found() -> Outcome {
    let folder = tempfile::tempdir()?;
    let file = folder.path().join("planted.html");
    let driver = Driver::start().await?;
    let browser = driver.open().await?;
    let without_wide = PLANTED.replace("width:3000px", "");
    for (page, found) in
        [(PLANTED, "px of content in a window"), (without_wide.as_str(), "Form elements must have labels")]
    {
        std::fs::write(&file, page)?;
        browser.visit(&format!("file://{}", file.display())).await?;
        let fault = is_open_to_all(&browser, "planted").await.map_err(|error| error.to_string());
        ensure!(fault.as_ref().is_err_and(|fault| fault.contains(found)), "{found}: {fault:?}");
    }
    let Logged { complaints, asked_for } = logged(&browser).await?;
    ensure!(complaints.iter().any(|line| line.contains("Error: planted")), "{complaints:?}");
    ensure!(asked_for.iter().any(|url| !is_local(url)), "{asked_for:?}");
    Ok(())
}

/// What a browser's logs have.
struct Logged {
    /// Errors and warnings: scripts that failed, what could not be loaded.
    complaints: Vec<String>,
    /// URLs.
    asked_for: Vec<String>,
}

/// A line of a browser's log.
#[derive(Deserialize)]
struct Entry {
    level: String,
    message: String,
}

/// What the browser has logged since this was last looked at.
async fn logged(browser: &Browser) -> anyhow::Result<Logged> {
    let complaints: Vec<Entry> = serde_json::from_value(browser.log("browser").await?)?;
    let complaints = complaints.into_iter().filter(|entry| ["SEVERE", "WARNING"].contains(&entry.level.as_str()));
    let mut asked_for = Vec::new();
    let happened: Vec<Entry> = serde_json::from_value(browser.log("performance").await?)?;
    for entry in happened {
        let message: Value = serde_json::from_str(&entry.message)?;
        if message["message"]["method"] == "Network.requestWillBeSent" {
            asked_for.extend(message["message"]["params"]["request"]["url"].as_str().map(str::to_owned));
        }
    }
    Ok(Logged { complaints: complaints.map(|entry| entry.message).collect(), asked_for })
}

async fn wide(browser: &Browser, width: u32) -> Outcome {
    let metrics = json!({ "width": width, "height": HEIGHT, "deviceScaleFactor": 1, "mobile": false });
    browser.tell("Emulation.setDeviceMetricsOverride", metrics).await?;
    Ok(())
}

async fn prefers(browser: &Browser, scheme: &str) -> Outcome {
    let media = json!({ "features": [{ "name": "prefers-color-scheme", "value": scheme }] });
    browser.tell("Emulation.setEmulatedMedia", media).await?;
    Ok(())
}
