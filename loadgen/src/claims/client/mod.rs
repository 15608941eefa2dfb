//! The client that the target serves, in a real browser.
//!
//! It is judged by the calls that it makes: what a page shows, and how its scripts are called, each client decides.

mod keys;
mod retries;

pub(super) use keys::C1;
pub(super) use retries::C2;

use crate::browser::driver::BrowserError;
use crate::browser::{Browser, Call, Driver, Gateway, Treatment};
use crate::lab::{Lab, Stuck};
use contract::Operation;
use record::step::Step;
use std::sync::Arc;
use std::time::{Duration, Instant};

/// How long a page is given to make the calls that it is to make. A client that has not begun by then is not judged.
const CALLS_COME: Duration = Duration::from_secs(10);

/// How often it is looked whether they have.
const LOOK: Duration = Duration::from_millis(20);

impl From<BrowserError> for Stuck {
    fn from(error: BrowserError) -> Self {
        Self(error.to_string())
    }
}

/// A browser behind a gateway to the target.
struct Seat {
    driver: Driver,
    browser: Browser,
    gateway: Gateway,
    page: String,
}

impl Seat {
    async fn take(lab: &Arc<Lab>) -> Result<Self, Stuck> {
        let gateway = Gateway::open(&lab.target, lab.patience, Arc::clone(&lab.ledger)).await;
        let gateway = gateway.map_err(|error| Stuck(format!("nothing can be put before the target: {error}")))?;
        let driver = Driver::start().await?;
        let browser = driver.open().await?;
        gateway.treat(|call, _| unless_it_overwrites(call));
        Ok(Self { driver, browser, gateway, page: lab.target.page().to_owned() })
    }

    /// Opens the page with a query, and waits until enough calls have come, or the time is up; answers them.
    async fn open(&self, query: &str, is_enough: impl Fn(&[Call]) -> bool) -> Result<Vec<Call>, Stuck> {
        // The page before must not go on calling.
        self.browser.visit("about:blank").await?;
        self.gateway.forget();
        self.browser.visit(&self.gateway.url(&format!("{}{query}", self.page))).await?;
        let until = Instant::now() + CALLS_COME;
        while !is_enough(&self.gateway.calls()) && Instant::now() < until {
            tokio::time::sleep(LOOK).await;
        }
        Ok(self.gateway.calls())
    }

    async fn leave(self) {
        // With the driver ends the browser, whether or not it closed well.
        let _ = self.browser.close().await;
        self.driver.end().await;
    }
}

/// Passes on what changes no document that is there. A faulty server can hand out the key of somebody's, and these claims
/// need no save to be done: it is enough that it comes.
fn unless_it_overwrites(call: &Call) -> Treatment {
    match call.operation {
        Operation::Save | Operation::Delete => Treatment::Refuse(503, "Not while this client is tried"),
        _ => Treatment::Pass,
    }
}

/// Why there is nothing to judge, where a page made no call at all.
fn no_client(page: &str) -> String {
    format!(
        "the target serves no client that calls the contract at {page}: --page says where one is, if there is one behind the same host"
    )
}

/// What a call was about, and what it was answered.
fn step(call: &Call) -> Step {
    let ms = call.came.as_secs_f64() * 1e3;
    let key = call.key.as_deref().unwrap_or_default();
    let did = match call.operation {
        Operation::GenerateKey => "generate-key".to_owned(),
        operation => format!("{operation} {key}"),
    };
    let got = match (call.status, call.operation) {
        (None, _) => "no answer".to_owned(),
        (Some(status), Operation::GenerateKey) => format!("{status} {key}").trim_end().to_owned(),
        (Some(status), _) => status.to_string(),
    };
    Step { user: None, from_ms: Some(ms), to_ms: Some(ms), did: format!("the client calls {did}"), got }
}
