//! Headless Chromium, by way of ChromeDriver.

use rustix::process::{Pid, Signal, getuid, kill_process_group};
use serde_json::Value;
use std::process::Stdio;
use std::time::Duration;
use tempfile::TempDir;
use thirtyfour::prelude::*;
use thirtyfour::{ChromiumLikeCapabilities, LoggingPrefsLogLevel};
use tokio::io::{AsyncBufReadExt, BufReader};
use tokio::process::{Child, Command};

/// The program that drives the browser, and the names of those that it can start.
const DRIVER: &str = "chromedriver";
const BROWSERS: [&str; 4] = ["chromium", "chromium-browser", "google-chrome", "chrome"];

/// How long the driver may take to start, and to end.
const START: Duration = Duration::from_secs(20);
const END: Duration = Duration::from_secs(5);

/// How long one command to a browser may take: on a machine that others use, its start takes seconds.
const COMMAND: Duration = Duration::from_mins(1);

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
    /// A command failed.
    #[error("the browser did not do what it was told: {0}")]
    Failed(#[from] WebDriverError),
}

/// A driver, of which browsers are had. With it end all of them, however it ends.
#[derive(Debug)]
pub struct Driver {
    process: Child,
    url: String,
    client: reqwest::Client,
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
        // An error says that one is installed already.
        let _ = rustls::crypto::ring::default_provider().install_default();
        let client = reqwest::Client::builder().no_proxy().timeout(COMMAND).build();
        let client = client.map_err(|error| not_started(error.to_string()))?;
        let mut driver = Self { process, url: String::new(), client, _temporary: temporary };
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
        let mut wanted = DesiredCapabilities::chrome();
        wanted.set_headless()?;
        // Small machines, and containers, have next to no shared memory.
        wanted.set_disable_dev_shm_usage()?;
        if getuid().is_root() {
            // As root it has no sandbox.
            wanted.set_no_sandbox()?;
        }
        wanted.set_browser_log_level(LoggingPrefsLogLevel::All)?;
        wanted.set_logging_prefs("performance", LoggingPrefsLogLevel::All)?;
        // Otherwise it would answer the question of a page that is left with unsaved work by itself.
        wanted.set("unhandledPromptBehavior", "ignore")?;
        let page = WebDriver::builder(&self.url, wanted).client(self.client.clone()).connect().await?;
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

fn is_installed(program: &str) -> bool {
    let path = std::env::var_os("PATH").unwrap_or_default();
    std::env::split_paths(&path).any(|folder| folder.join(program).is_file())
}

/// A browser, at one page at a time.
#[derive(Debug)]
pub struct Browser {
    /// What drives it, for what is not told here.
    pub page: WebDriver,
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
        Ok(self.page.execute(script, arguments).await?.json().clone())
    }

    /// Runs a script in every page from now on, before the page's own.
    ///
    /// # Errors
    /// Where the browser refuses it.
    pub async fn give(&self, script: &str) -> Result<Given, BrowserError> {
        let source = serde_json::json!({ "source": script });
        let given = self.page.cdp().send_raw("Page.addScriptToEvaluateOnNewDocument", source).await?;
        Ok(Given(given))
    }

    /// Takes a script back.
    ///
    /// # Errors
    /// Where the browser does not know it.
    pub async fn take_back(&self, given: Given) -> Result<(), BrowserError> {
        self.page.cdp().send_raw("Page.removeScriptToEvaluateOnNewDocument", given.0).await?;
        Ok(())
    }

    /// Closes it.
    ///
    /// # Errors
    /// Where it does not answer.
    pub async fn close(self) -> Result<(), BrowserError> {
        Ok(self.page.quit().await?)
    }
}
