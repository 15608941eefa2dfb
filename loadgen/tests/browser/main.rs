//! The reference client and the pages that people look at, in a real browser: headless Chromium, driven by ChromeDriver.
//!
//!     apt-get install chromium chromium-driver
//!     npm ci --prefix loadgen/tests/browser
//!     BROWSER_TESTS=1 cargo test --workspace --test browser
//!
//! `CLIENT_MUTANT='right=>wrong'` puts something else into the reference client's scripts: some test must fail then.
//!
//! Without `BROWSER_TESTS` they are left out, and say so: not everybody who changes something has a browser to drive.
//! Pictures of each page are put into `BROWSER_OUT`, or else a folder `reports/<UTC time>-browser`.
//!
//! - [`room`]: a server, what stands before it, and browsers.
//! - [`checklist`]: the page as a person uses it.
//! - [`scenarios`]: the specification's integration tests, with real tabs.
//! - [`trouble`]: servers that are down, slow, restarted, full; others' work; what was stored by whoever.
//! - [`leaving`]: pages that are left before their work is saved.
//! - [`claims`]: C1 and C2, on the reference client and on clients with a fault.
//! - [`rewriting`]: clients with a fault.
//! - [`pages`]: every page at three widths: nothing cut, nothing loaded, nothing that shuts anybody out.
//! - [`pictures`]: where pictures go.

mod checklist;
mod claims;
mod leaving;
mod pages;
mod pictures;
mod rewriting;
mod room;
mod scenarios;
#[path = "../support/mod.rs"]
mod support;
mod trouble;

use libtest_mimic::{Arguments, Trial};
use std::process::ExitCode;
use std::time::Duration;

/// Set to have the tests run.
const ASKED_FOR: &str = "BROWSER_TESTS";

/// Tests at once, where nothing is said: they mostly wait, two seconds for each save.
const AT_ONCE: usize = 4;

/// Longer than any test takes on a machine that works at all: a browser that hangs must not hang everything.
const HANGS: Duration = Duration::from_mins(5);

/// A test's outcome: what went wrong is told by its message.
type Outcome = anyhow::Result<()>;

fn main() -> ExitCode {
    let mut arguments = Arguments::from_args();
    arguments.test_threads.get_or_insert(AT_ONCE);
    let is_asked_for = std::env::var_os(ASKED_FOR).is_some_and(|value| !value.is_empty() && value != "0");
    let mut trials = Vec::new();
    trials.extend(scenarios::trials());
    trials.extend(checklist::trials());
    trials.extend(trouble::trials());
    trials.extend(leaving::trials());
    trials.extend(claims::trials());
    trials.extend(pages::trials());
    let count = trials.len();
    let trials = trials.into_iter().map(|trial| trial.with_ignored_flag(!is_asked_for)).collect();
    let conclusion = libtest_mimic::run(&arguments, trials);
    if !is_asked_for && !arguments.list {
        println!(
            "{count} tests in a real browser were LEFT OUT. To run them:\n  apt-get install chromium chromium-driver\n  \
             npm ci --prefix loadgen/tests/browser\n  {ASKED_FOR}=1 cargo test --workspace --test browser\n"
        );
    }
    conclusion.exit_code()
}

/// A test that runs on a runtime of its own.
fn trial<T: Future<Output = Outcome> + Send + 'static>(name: &str, test: fn() -> T) -> Trial {
    Trial::test(name, move || {
        let runtime = tokio::runtime::Builder::new_multi_thread().worker_threads(2).enable_all().build()?;
        let outcome = runtime.block_on(async {
            let outcome = tokio::time::timeout(HANGS, test()).await;
            outcome.unwrap_or_else(|_| anyhow::bail!("it did not end within {} s", HANGS.as_secs()))
        });
        Ok(outcome.map_err(|error| format!("{error:#}"))?)
    })
}

/// The trials of functions, by their names.
macro_rules! trials {
    ($($test:ident),* $(,)?) => {
        pub(crate) fn trials() -> Vec<libtest_mimic::Trial> {
            vec![$(crate::trial(stringify!($test), $test)),*]
        }
    };
}
pub(crate) use trials;
