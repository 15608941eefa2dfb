//! Real deaths: the server's own process killed with SIGKILL under load, at a moment drawn by the count of its answers,
//! and started again on the same folder. What was acknowledged before must be there after.
//!
//! `DEATHS=1000 cargo test -p server --test deaths` kills more often, `SEED=…` repeats what was drawn; a failure prints
//! both. What the scheduler does is not drawn, so a seed repeats the plan of a run, not the run.
//!
//! - `load` is what users do until the server dies, `folder` a saves folder that lives through deaths, with what must be
//!   found in it.
//! - Whether the answers of a folder's whole life can be explained is searched by `support/search.rs`; `search` holds
//!   that search to account, and `mutants` what is looked at after a death.

mod documented;
mod folder;
mod hardened;
mod keys;
mod load;
mod mutants;
mod pairs;
mod search;
#[path = "../support/mod.rs"]
mod support;

use rand::rngs::StdRng;
use rand::{RngExt, SeedableRng};
use std::time::Instant;

/// What a run of deaths is drawn from.
struct Plan {
    test: &'static str,
    seed: u64,
    deaths: usize,
    began: Instant,
}

impl Plan {
    /// As the environment says: `DEATHS` is for the main test, and the others take their part of it.
    fn of(test: &'static str, deaths: usize) -> Self {
        /// Deaths of the main test where nothing else is asked for.
        const DEATHS: usize = 50;
        let asked = |name: &str| {
            let text = std::env::var(name).ok()?;
            Some(text.parse::<u64>().unwrap_or_else(|error| panic!("{name}={text}: {error}")))
        };
        let in_all = asked("DEATHS").map_or(DEATHS, |deaths| usize::try_from(deaths).expect("a number of deaths"));
        let deaths = (in_all * deaths).div_ceil(DEATHS).max(1);
        let seed = asked("SEED").unwrap_or_else(rand::random);
        // Kept back where the test passes, shown where it fails.
        println!("again: SEED={seed} DEATHS={in_all} cargo test -p server --test deaths {test}");
        Self { test, seed, deaths, began: Instant::now() }
    }

    /// The choices of one part of the run.
    fn random(&self, part: usize) -> StdRng {
        StdRng::seed_from_u64(self.seed.wrapping_add(part as u64))
    }

    /// Figures for those who run it with `--nocapture`.
    fn report(&self, figures: &str) {
        let Self { test, deaths, began, .. } = self;
        println!("{test}: {deaths} deaths in {:.1} s, {figures}", began.elapsed().as_secs_f64());
    }
}

/// Ends the test where something was found; `what` says where.
fn judge<T>(what: &str, outcome: Result<T, String>) -> T {
    outcome.unwrap_or_else(|fault| panic!("{what}: {fault}"))
}

/// A part of the random numbers for each of several threads.
fn split(random: &mut StdRng) -> StdRng {
    StdRng::seed_from_u64(random.random())
}
