//! Headless Chromium, by way of ChromeDriver.

use fantoccini::error::{CmdError, NewSessionError};
use fantoccini::wd::WebDriverCompatibleCommand;
use fantoccini::{Client, ClientBuilder};
use hyper::Method;
use hyper_util::client::legacy::connect::HttpConnector;
use rustix::process::{Pid, Signal, getuid, kill_process_group};
use serde_json::{Map, Value, json};
use std::process::Stdio;
use std::time::Duration;
use tempfile::TempDir;
use tokio::io::{AsyncBufReadExt, BufReader};
use tokio::process::{Child, Command};
use url::{ParseError, Url};

/// The program that drives the browser, and the names of those that it can start.
const DRIVER: &str = "chromedriver";
const BROWSERS: [&str; 4] = ["chromium", "chromium-browser", "google-chrome", "chrome"];

/// How long the driver may take to start, and to end.
const START: Duration = Duration::from_secs(20);
const END: Duration = Duration::from_secs(5);

/// What the driver says when it listens; the port follows.
const LISTENING: &str = "started successfully on port ";

/// Why there is no browser, or it did not do what it was told.
#[derive(Debug, thiserror::Error)]
pub enum BrowserError {
    /// A program is not installed.
    #[error("{0} is not on the PATH; on Debian: apt-get install chromium chromium-driver")]
    Missing(&'static str),
    /// The driver did not come to listen.
    #[error("{DRIVER} could not be started: {0}")]
    NotStarted(String),
    /// A browser did not come to be driven.
    #[error("the browser could not be started: {0}")]
    NotOpened(#[from] NewSessionError),
    /// A command failed.
    #[error("the browser did not do what it was told: {0}")]
    Failed(#[from] CmdError),
}

/// How often a driver is started until it listens. It takes any free port of IPv4, and ends if that one is in use on IPv6.
const STARTS: usize = 3;

/// A driver, of which browsers are had. With it end all of them, however it ends.
#[derive(Debug)]
pub struct Driver {
    process: Child,
    url: String,
    /// Profiles and what else browsers leave.
    _temporary: TempDir,
}

impl Driver {
    /// What is not installed of what it takes, if anything.
    #[must_use]
    pub fn missing() -> Option<BrowserError> {
        if !is_installed(DRIVER) {
            return Some(BrowserError::Missing(DRIVER));
        }
        (!BROWSERS.into_iter().any(is_installed)).then_some(BrowserError::Missing(BROWSERS[0]))
    }

    /// Starts one.
    ///
    /// # Errors
    /// Where it is not installed or cannot be started.
    pub async fn start() -> Result<Self, BrowserError> {
        if let Some(missing) = Self::missing() {
            return Err(missing);
        }
        let mut started = Self::try_start().await;
        for _ in 1..STARTS {
            if !matches!(started, Err(BrowserError::NotStarted(_))) {
                break;
            }
            started = Self::try_start().await;
        }
        started
    }

    async fn try_start() -> Result<Self, BrowserError> {
        let not_started = |error: String| BrowserError::NotStarted(error);
        let temporary = tempfile::tempdir().map_err(|error| not_started(error.to_string()))?;
        let mut process = Command::new(DRIVER)
            .arg("--port=0")
            .env("TMPDIR", temporary.path())
            .stdin(Stdio::null())
            .stdout(Stdio::piped())
            .stderr(Stdio::null())
            .process_group(0)
            .spawn()
            .map_err(|error| not_started(error.to_string()))?;
        let stdout = process.stdout.take().ok_or_else(|| not_started("it has no output".to_owned()))?;
        let mut driver = Self { process, url: String::new(), _temporary: temporary };
        let mut lines = BufReader::new(stdout).lines();
        let port = async {
            while let Ok(Some(line)) = lines.next_line().await {
                if let Some((_, port)) = line.split_once(LISTENING) {
                    return Ok(port.trim_end_matches('.').to_owned());
                }
            }
            Err(not_started("it ended before it listened".to_owned()))
        };
        let port = tokio::time::timeout(START, port).await;
        let port = port.map_err(|_| not_started(format!("it did not listen within {} s", START.as_secs())))??;
        driver.url = format!("http://127.0.0.1:{port}");
        // What it says from now on is read, and of no interest: a full pipe would hold it up.
        tokio::spawn(async move { while let Ok(Some(_)) = lines.next_line().await {} });
        Ok(driver)
    }

    /// Opens a browser that shares nothing with any other.
    ///
    /// # Errors
    /// Where it does not start.
    pub async fn open(&self) -> Result<Browser, BrowserError> {
        let page = ClientBuilder::new(HttpConnector::new()).capabilities(wanted()).connect(&self.url).await?;
        Ok(Browser { page })
    }

    /// Ends it, and every browser.
    pub async fn end(mut self) {
        self.kill();
        // What is left of it then is the system's to clear away.
        let _ = tokio::time::timeout(END, self.process.wait()).await;
    }

    fn kill(&self) {
        // Its browsers are of its process group. One that has ended is no matter.
        if let Some(pid) = self.process.id().and_then(|id| Pid::from_raw(id.cast_signed())) {
            let _ = kill_process_group(pid, Signal::KILL);
        }
    }
}

impl Drop for Driver {
    fn drop(&mut self) {
        self.kill();
    }
}

/// What a browser is to be like.
fn wanted() -> Map<String, Value> {
    // Small machines, and containers, have next to no shared memory.
    let mut arguments = vec!["--headless", "--disable-dev-shm-usage"];
    if getuid().is_root() {
        // As root it has no sandbox.
        arguments.push("--no-sandbox");
    }
    [
        ("goog:chromeOptions", json!({ "args": arguments })),
        ("goog:loggingPrefs", json!({ "browser": "ALL", "performance": "ALL" })),
    ]
    .map(|(name, value)| (name.to_owned(), value))
    .into_iter()
    .collect()
}

fn is_installed(program: &str) -> bool {
    let path = std::env::var_os("PATH").unwrap_or_default();
    std::env::split_paths(&path).any(|folder| folder.join(program).is_file())
}

/// A browser, at one page at a time.
#[derive(Debug)]
pub struct Browser {
    /// What drives it, for what is not told here.
    pub page: Client,
}

/// A script that pages are given before their own.
#[derive(Debug)]
pub struct Given(Value);

impl Browser {
    /// Goes to an address, and waits until the page is loaded.
    ///
    /// # Errors
    /// Where it cannot.
    pub async fn visit(&self, url: &str) -> Result<(), BrowserError> {
        Ok(self.page.goto(url).await?)
    }

    /// Runs a script in the page; answers what it returns.
    ///
    /// # Errors
    /// Where it fails.
    pub async fn run(&self, script: &str, arguments: Vec<Value>) -> Result<Value, BrowserError> {
        Ok(self.page.execute(script, arguments).await?)
    }

    /// Runs a script in every page from now on, before the page's own.
    ///
    /// # Errors
    /// Where the browser refuses it.
    pub async fn give(&self, script: &str) -> Result<Given, BrowserError> {
        let source = json!({ "source": script });
        Ok(Given(self.tell("Page.addScriptToEvaluateOnNewDocument", source).await?))
    }

    /// Takes a script back.
    ///
    /// # Errors
    /// Where the browser does not know it.
    pub async fn take_back(&self, given: Given) -> Result<(), BrowserError> {
        self.tell("Page.removeScriptToEvaluateOnNewDocument", given.0).await?;
        Ok(())
    }

    /// Tells it something in the `DevTools` protocol; answers what it answers.
    ///
    /// # Errors
    /// Where it refuses.
    pub async fn tell(&self, method: &str, parameters: Value) -> Result<Value, BrowserError> {
        let body = json!({ "cmd": method, "params": parameters });
        Ok(self.page.issue_cmd(OfTheVendor { path: "goog/cdp/execute", body }).await?)
    }

    /// What it has logged of a kind since that was last asked for: `browser` what scripts and the network complain of,
    /// `performance` what happened.
    ///
    /// # Errors
    /// Where it keeps no such log.
    pub async fn log(&self, kind: &str) -> Result<Value, BrowserError> {
        Ok(self.page.issue_cmd(OfTheVendor { path: "se/log", body: json!({ "type": kind }) }).await?)
    }

    /// Closes it.
    ///
    /// # Errors
    /// Where it does not answer.
    pub async fn close(self) -> Result<(), BrowserError> {
        Ok(self.page.close().await?)
    }
}

/// A command that the standard does not have.
#[derive(Debug)]
struct OfTheVendor {
    path: &'static str,
    body: Value,
}

impl WebDriverCompatibleCommand for OfTheVendor {
    fn endpoint(&self, base_url: &Url, session_id: Option<&str>) -> Result<Url, ParseError> {
        base_url.join(&format!("session/{}/{}", session_id.unwrap_or_default(), self.path))
    }

    fn method_and_body(&self, _: &Url) -> (Method, Option<String>) {
        (Method::POST, Some(self.body.to_string()))
    }
}
