//! Whether the gates on ratios can be trusted on this machine: a server held to itself, which must pass, and to one that is
//! slower by a known share, which must not.

use super::contender::Ready;
use super::{DEFAULT_MIX, Order, compare};
use crate::print::stderr;
use crate::reference::{Launcher, Protocol};
use anyhow::{Context, bail};
use contract::Operation;
use record::comparison::figure::{Figure, Percentile};
use record::comparison::{Comparison, Side};
use report::gate::gates::{RatioGate, TurnLoad};
use report::gate::judge;
use stats::ratio::starts::DEFAULT_STARTS;
use stats::ratio::{Answer, Bound};
use stats::statistics::percentile;
use std::fmt;
use std::path::Path;
use std::time::Duration;
use tokio_util::sync::CancellationToken;

/// By which share the slower server is slower.
pub const SLOWER_BY: f64 = 0.25;

/// Rounds: in each the server is held to itself twice, and to the slower one once.
const ROUNDS: u64 = 10;

/// What is gated: of the operation that most requests are, and the percentile that chance moves least.
const GATE: RatioGate =
    RatioGate { of: Figure::Percentile(Some(Operation::Restore), Percentile::P50), bound: Bound::AtMost(1.10) };

/// How long one comparison may take, with all starts of its servers: thirty of them in at most three quarters of an hour.
const AT_MOST: Duration = Duration::from_secs(88);

/// How long the server is measured to know what a share of its time is.
const CALIBRATION: Duration = Duration::from_secs(5);

/// Of ten comparisons, so many slowdowns must be found, and so many may stay open.
const LEAST_FOUND: usize = 9;
const MOST_OPEN: usize = 2;
const OF: usize = 10;

/// What came of it.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Outcome {
    /// The server held to itself: each should pass.
    pub same: Vec<Answer>,
    /// The server held to the slower one: each should fail.
    pub slower: Vec<Answer>,
}

impl Outcome {
    /// Whether there was no false alarm, enough was found and little stayed open.
    #[must_use]
    pub fn is_kept(&self) -> bool {
        let few = |answers: &[Answer]| count(answers, Answer::Inconclusive) * OF <= MOST_OPEN * answers.len();
        let found = count(&self.slower, Answer::Fail) * OF >= LEAST_FOUND * self.slower.len();
        let is_tried = !self.same.is_empty() && !self.slower.is_empty();
        is_tried && count(&self.same, Answer::Fail) == 0 && found && few(&self.same) && few(&self.slower)
    }
}

impl fmt::Display for Outcome {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let Self { same, slower } = self;
        writeln!(f, "                      of   passed   failed   inconclusive")?;
        for (name, answers) in [("held to itself", same), ("held to a slower one", slower)] {
            let [passed, failed, open] =
                [Answer::Pass, Answer::Fail, Answer::Inconclusive].map(|of| count(answers, of));
            writeln!(f, "{name:<21} {:>2} {passed:>8} {failed:>8} {open:>14}", answers.len())?;
        }
        let (alarms, missed) = (count(same, Answer::Fail), count(slower, Answer::Pass));
        let verdict = if self.is_kept() {
            "Gates on ratios can be trusted here"
        } else {
            "Gates on ratios CANNOT be trusted here"
        };
        write!(f, "{verdict}: {alarms} false alarms, {missed} misses")
    }
}

fn count(answers: &[Answer], of: Answer) -> usize {
    answers.iter().filter(|answer| **answer == of).count()
}

/// Tries it on the hardened reference server. Logs go to the folder.
///
/// # Errors
/// Where a server cannot be started or loaded.
pub async fn self_test(seed: u64, out: &Path, stop: &CancellationToken) -> anyhow::Result<Outcome> {
    let launcher = Launcher::new(Protocol::Hardened, out.join("server.log"));
    let usual_us = calibrate(&launcher, seed, stop).await?;
    let slower = launcher.clone().holding_back(Duration::from_secs_f64(usual_us * SLOWER_BY / 1e6));
    stderr!("{} takes {usual_us:.0} µs; the slower server takes {:.0} µs more", GATE.of, usual_us * SLOWER_BY);
    let mut outcome = Outcome::default();
    for round in 0..ROUNDS {
        for is_slower in [false, true, false] {
            let b = if is_slower { &slower } else { &launcher };
            let comparison = of_two(&launcher, b, seed.wrapping_add(round), stop).await?;
            if stop.is_cancelled() {
                return Ok(outcome);
            }
            if let Some(failure) = comparison.failures.first() {
                bail!("a server of the self-test failed {failure}; see {}", out.display());
            }
            let judged = judge::ratio(&GATE, &comparison, 1);
            let what = if is_slower { "a slower one" } else { "itself" };
            stderr!("round {}, held to {what}: {}: {}", round + 1, judged.answer, judged.why);
            if is_slower { &mut outcome.slower } else { &mut outcome.same }.push(judged.answer);
        }
    }
    Ok(outcome)
}

/// The median of the gated figure, µs, of the server as it is.
async fn calibrate(launcher: &Launcher, seed: u64, stop: &CancellationToken) -> anyhow::Result<f64> {
    let load = TurnLoad { at_most: CALIBRATION, ..TurnLoad::default() };
    let order = Order { starts: 1, ..order(load, seed) };
    let comparison =
        compare(&order, &async |_| Ready::started(launcher, seed).await, &|_| false, &|_| Ok(()), stop).await?;
    let of_a = comparison.turns.iter().filter(|turn| turn.side == Side::A);
    let us: Vec<f64> = of_a.filter_map(|turn| turn.figure(GATE.of)).collect();
    percentile(&us, 0.5).context("the server answered nothing")
}

async fn of_two(a: &Launcher, b: &Launcher, seed: u64, stop: &CancellationToken) -> anyhow::Result<Comparison> {
    let load = TurnLoad { at_most: AT_MOST, ..TurnLoad::default() };
    let start = async |side: Side| Ready::started(if side == Side::A { a } else { b }, seed).await;
    compare(&order(load, seed), &start, &|so_far| judge::are_decided(&[GATE], so_far), &|_| Ok(()), stop).await
}

fn order(load: TurnLoad, seed: u64) -> Order {
    let name = Protocol::Hardened.name();
    Order {
        a: name.to_owned(),
        b: name.to_owned(),
        load,
        mix: DEFAULT_MIX.parse().unwrap_or_default(),
        starts: DEFAULT_STARTS,
        seed,
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn outcome(same: [usize; 3], slower: [usize; 3]) -> Outcome {
        let answers = |counts: [usize; 3]| {
            let all = [Answer::Pass, Answer::Fail, Answer::Inconclusive].into_iter().zip(counts);
            all.flat_map(|(answer, count)| std::iter::repeat_n(answer, count)).collect()
        };
        Outcome { same: answers(same), slower: answers(slower) }
    }

    #[test]
    fn one_false_alarm_two_misses_or_too_much_left_open_is_not_trusted() {
        for (same, slower, is_kept) in [
            ([20, 0, 0], [0, 10, 0], true),
            ([16, 0, 4], [0, 9, 1], true),
            ([20, 0, 0], [1, 9, 0], true),
            ([19, 1, 0], [0, 10, 0], false),
            ([15, 0, 5], [0, 10, 0], false),
            ([20, 0, 0], [0, 8, 2], false),
            ([20, 0, 0], [2, 8, 0], false),
            ([0, 0, 0], [0, 0, 0], false),
        ] {
            assert_eq!(outcome(same, slower).is_kept(), is_kept, "{same:?} {slower:?}");
        }
    }

    #[test]
    fn the_table_counts_alarms_and_misses() {
        let text = outcome([18, 1, 1], [2, 7, 1]).to_string();
        assert!(text.contains("held to itself        20       18        1              1\n"), "{text}");
        assert!(text.contains("held to a slower one  10        2        7              1\n"), "{text}");
        assert!(text.ends_with("Gates on ratios CANNOT be trusted here: 1 false alarms, 2 misses"), "{text}");
    }
}
