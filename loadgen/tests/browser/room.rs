//! A reference server, the gateway before it, and browsers at its page.

use crate::rewriting::rewriting;
use crate::support::harness::{loadgen, saves_folder};
use crate::support::running::Running;
use anyhow::{Context, ensure};
use contract::DEFAULT_PATH_TEMPLATE;
use engine::client::ledger::Ledger;
use engine::client::{Patience, Target, User};
use fantoccini::Locator;
use fantoccini::elements::Element;
use loadgen::browser::{Browser, Driver, Gateway};
use loadgen::reference::Protocol;
use serde_json::{Value, json};
use std::io::{BufRead, BufReader};
use std::process::{Child, Stdio};
use std::sync::Arc;
use std::time::{Duration, Instant};
use tempfile::TempDir;

/// How long something that must come is waited for, on however busy a machine.
const COMES: Duration = Duration::from_mins(1);

/// How often it is looked whether it has.
const LOOK: Duration = Duration::from_millis(25);

/// A server on a folder and a port of its own, which it keeps when it is started again.
pub(crate) struct Server {
    child: Child,
    pub(crate) url: String,
    protocol: Protocol,
    pub(crate) saves: TempDir,
}

impl Server {
    pub(crate) fn start(protocol: Protocol) -> anyhow::Result<Self> {
        let saves = saves_folder();
        let (child, url) = serve(protocol, &saves, "127.0.0.1:0")?;
        Ok(Self { child, url, protocol, saves })
    }

    pub(crate) fn kill(&mut self) -> anyhow::Result<()> {
        self.child.kill()?;
        self.child.wait()?;
        Ok(())
    }

    pub(crate) fn start_again(&mut self) -> anyhow::Result<()> {
        let address = self.url.trim_start_matches("http://").to_owned();
        (self.child, self.url) = serve(self.protocol, &self.saves, &address)?;
        Ok(())
    }

    /// Somebody who speaks to it without a browser.
    pub(crate) fn user(&self) -> anyhow::Result<User> {
        let target = Arc::new(target_at(&self.url)?);
        Ok(User::new(0, target, Patience::default(), Instant::now(), Arc::default()))
    }

    /// The document under a key.
    pub(crate) async fn document(&self, key: &str) -> anyhow::Result<Value> {
        let restored = self.user()?.restore(key).await;
        let data = restored.data().with_context(|| format!("{}", restored.step()))?;
        Ok(serde_json::from_str(data.get())?)
    }
}

impl Drop for Server {
    fn drop(&mut self) {
        // It may have been killed already.
        let _ = self.kill();
    }
}

fn target_at(url: &str) -> anyhow::Result<Target> {
    Target::new(url, DEFAULT_PATH_TEMPLATE).map_err(anyhow::Error::msg)
}

fn serve(protocol: Protocol, saves: &TempDir, address: &str) -> anyhow::Result<(Child, String)> {
    let mut command = loadgen();
    command.args(["serve", "--log", "warn", "--protocol", protocol.name(), "--listen", address, "--saves"]);
    let mut child = command.arg(saves.path()).stdout(Stdio::piped()).spawn()?;
    let mut line = String::new();
    BufReader::new(child.stdout.take().context("it has no output")?).read_line(&mut line)?;
    let url = line.trim().strip_prefix("listening on ").with_context(|| format!("the server said {line:?}"))?;
    Ok((child, url.to_owned()))
}

/// See the module.
pub(crate) struct Room {
    pub(crate) server: Server,
    pub(crate) gateway: Gateway,
    pub(crate) driver: Driver,
    _mutant: Option<Running>,
}

impl Room {
    pub(crate) async fn new() -> anyhow::Result<Self> {
        Self::of(Protocol::Hardened).await
    }

    pub(crate) async fn of(protocol: Protocol) -> anyhow::Result<Self> {
        let server = Server::start(protocol)?;
        let mutant = std::env::var("CLIENT_MUTANT").ok();
        let mutant = mutant.as_deref().and_then(|mutant| mutant.split_once("=>"));
        let mutant = mutant.map(|(right, wrong)| rewriting(&server.url, right, wrong));
        let target = target_at(mutant.as_ref().map_or(&server.url, |mutant| &mutant.url))?;
        let gateway = Gateway::open(&target, Patience::default(), Arc::new(Ledger::default())).await?;
        Ok(Self { server, gateway, driver: Driver::start().await?, _mutant: mutant })
    }

    /// A browser of its own, not yet at the page.
    pub(crate) async fn browser(&self) -> anyhow::Result<Checklist> {
        Ok(Checklist { browser: self.driver.open().await? })
    }

    /// A browser that has come to the page by a query.
    pub(crate) async fn visitor(&self, query: &str) -> anyhow::Result<Checklist> {
        let visitor = self.browser().await?;
        visitor.browser.visit(&self.gateway.url(&format!("/{query}"))).await?;
        Ok(visitor)
    }

    /// A browser in which a checklist is open and saved.
    pub(crate) async fn at_work(&self, query: &str) -> anyhow::Result<Checklist> {
        let visitor = self.visitor(query).await?;
        visitor.until("saved").await?;
        Ok(visitor)
    }
}

/// A browser at the page with the checklist.
pub(crate) struct Checklist {
    pub(crate) browser: Browser,
}

/// What the page says of whether the work is safe.
#[derive(Debug)]
pub(crate) struct Said {
    /// The status, by its name.
    pub(crate) status: String,
    /// What a person reads.
    pub(crate) text: String,
    /// Whether the browser asks before the page is left.
    pub(crate) warns: bool,
}

impl Checklist {
    pub(crate) async fn said(&self) -> anyhow::Result<Said> {
        let script = "const box = document.getElementById('status');
            const leaving = new Event('beforeunload', { cancelable: true });
            window.dispatchEvent(leaving);
            return [box.dataset.status, box.innerText, leaving.defaultPrevented];";
        let (status, text, warns) = serde_json::from_value(self.browser.run(script, vec![]).await?)?;
        Ok(Said { status, text, warns })
    }

    /// Waits until the page says a status; answers what it says then.
    pub(crate) async fn until(&self, status: &str) -> anyhow::Result<Said> {
        let until = Instant::now() + COMES;
        loop {
            let said = self.said().await?;
            if said.status == status {
                return Ok(said);
            }
            ensure!(Instant::now() < until, "the page does not come to say {status:?}, but {said:?}");
            tokio::time::sleep(LOOK).await;
        }
    }

    pub(crate) async fn key(&self) -> anyhow::Result<String> {
        Ok(self.element("#key").await?.text().await?)
    }

    pub(crate) async fn element(&self, css: &str) -> anyhow::Result<Element> {
        self.browser.page.find(Locator::Css(css)).await.with_context(|| format!("there is no {css}"))
    }

    /// Types into the note of an item, counted from 1.
    pub(crate) async fn write(&self, item: usize, text: &str) -> anyhow::Result<()> {
        self.element(&format!("#items li:nth-child({item}) textarea")).await?.send_keys(text).await?;
        Ok(())
    }

    pub(crate) async fn tick(&self, item: usize) -> anyhow::Result<()> {
        self.element(&format!("#items li:nth-child({item}) input")).await?.click().await?;
        Ok(())
    }

    pub(crate) async fn press(&self, label: &str) -> anyhow::Result<()> {
        let path = format!("//button[normalize-space()={}]", json!(label));
        self.browser
            .page
            .find(Locator::XPath(&path))
            .await
            .with_context(|| format!("no button {label:?}"))?
            .click()
            .await?;
        Ok(())
    }

    /// What the page shows: ticks and notes, item by item.
    pub(crate) async fn shown(&self) -> anyhow::Result<Vec<(bool, String)>> {
        let script = "return [...document.querySelectorAll('#items li')].map((item) =>
            [item.querySelector('input').checked, item.querySelector('textarea').value]);";
        Ok(serde_json::from_value(self.browser.run(script, vec![]).await?)?)
    }
}

/// Waits until something is so.
pub(crate) async fn until<T, F: Future<Output = anyhow::Result<Option<T>>>>(
    what: &str,
    look: impl Fn() -> F,
) -> anyhow::Result<T> {
    let until = Instant::now() + COMES;
    loop {
        if let Some(found) = look().await? {
            return Ok(found);
        }
        ensure!(Instant::now() < until, "it does not come about that {what}");
        tokio::time::sleep(LOOK).await;
    }
}
