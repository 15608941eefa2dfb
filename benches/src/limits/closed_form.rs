//! Attempts and refusals by fill, held to the closed form of [`Attempts`].
//!
//! A contradiction must mean something: of a whole run in which all is as the closed form has it, one is found at most
//! once in a thousand. That chance is shared out evenly between all comparisons (Bonferroni), so it holds whatever they
//! have to do with each other. Each comparison keeps its part exactly, not nearly: refusals by the exact binomial
//! interval, means by Chernoff's bound, `P(mean of n ≥ a) ≤ exp(−n sup_t (t a − ln E exp(t X)))`, with the exact moment
//! generating function of the attempts of a request. The normal distribution would not do: far out, where a thousandth's
//! part is, the attempts at a low fill are anything but normal. The price is an interval an eighth wider.

use super::measured::{AtFill, Run, Subject};
use stats::keys::{Attempts, MAX_ATTEMPTS, THREE_CHARACTER_KEYS};
use stats::statistics::Interval;

/// How often a run in which all is right may be said to contradict.
pub const WHOLE_RUN_ERRS: f64 = 0.001;

/// Halvings of a bisection: what is left of the first interval then is lost in an `f64`'s rounding.
const HALVINGS: usize = 60;

/// Tilts of the distribution that are tried: exp(60) outweighs every chance of a number of attempts that is not itself
/// too small for an `f64` to matter. A tilt that is not the best still gives a bound that is right, if wider.
const STEEPEST: f64 = 60.0;

/// Relative error that is rounding: of sums of as many attempts as a run can make.
const ROUNDING: f64 = 1e-9;

/// How many attempts a request makes at a fill. The hardened protocol knows which keys are free: it makes one, as the
/// documented does on an empty folder.
#[must_use]
pub fn attempts_of(subject: Subject, used_keys: usize) -> Attempts {
    match subject {
        Subject::Documented => Attempts::at(used_keys as f64 / THREE_CHARACTER_KEYS as f64),
        Subject::Hardened => Attempts::at(0.0),
    }
}

/// The share of requests that find no key: by the closed form, or none before the last key is gone.
#[must_use]
pub fn refusals_of(subject: Subject, used_keys: usize) -> f64 {
    if used_keys >= THREE_CHARACTER_KEYS { 1.0 } else { attempts_of(subject, used_keys).exhaustion() }
}

/// What one comparison may err by, so that all of these runs' together keep [`WHOLE_RUN_ERRS`].
#[must_use]
pub fn chance_each(runs: &[Run]) -> f64 {
    let fills = || runs.iter().flat_map(|run| &run.fills);
    let means = fills().filter(|at| at.attempts.is_some()).count();
    let shares = fills().filter(|at| at.counts.requests > 0).count();
    WHOLE_RUN_ERRS / (means + shares).max(1) as f64
}

/// What of these runs is not as the closed form has it, in words; nothing where all is.
#[must_use]
pub fn contradictions(runs: &[Run]) -> Vec<String> {
    let chance = chance_each(runs);
    let of_run = |run: &Run| {
        let told = |at: &AtFill| [wrong_mean(at, chance), wrong_share(at, chance)].into_iter().flatten();
        let place = run.place.clone();
        let all: Vec<String> = run.fills.iter().flat_map(told).map(|what| format!("{place}: {what}")).collect();
        all
    };
    runs.iter().flat_map(of_run).collect()
}

fn wrong_mean(at: &AtFill, chance: f64) -> Option<String> {
    let measured = at.attempts?;
    let expected = attempts_of(at.subject, at.used_keys);
    let Interval { low, high } = mean_interval(expected, measured.iterations, chance);
    let mean = measured.counted_mean();
    let is_within = (low * (1.0 - ROUNDING)..=high * (1.0 + ROUNDING)).contains(&mean);
    (!is_within).then(|| {
        format!(
            "{} at {} used keys: {} requests tried {mean:.4} keys on average; by the closed form it is {:.4}, and \
             {low:.4} to {high:.4} but for a chance of {chance:.1e}",
            at.subject,
            at.used_keys,
            measured.iterations,
            expected.mean()
        )
    })
}

fn wrong_share(at: &AtFill, chance: f64) -> Option<String> {
    let Interval { low, high } = at.counts.refused_share(1.0 - chance);
    let expected = refusals_of(at.subject, at.used_keys);
    (!(low..=high).contains(&expected)).then(|| {
        format!(
            "{} at {} used keys: {} of {} requests found no key, so {low:.6} to {high:.6} do but for a chance of \
             {chance:.1e}; by the closed form it is {expected:.6}",
            at.subject, at.used_keys, at.counts.refused, at.counts.requests
        )
    })
}

/// Where the mean of so many requests lies, but for `chance`.
#[must_use]
pub fn mean_interval(attempts: Attempts, requests: u64, chance: f64) -> Interval {
    let enough = (2.0 / chance).ln() / requests as f64;
    let tilted = Tilted::new(attempts);
    let edge = |far| edge(attempts.mean(), far, |mean| tilted.rate(mean) >= enough);
    Interval { low: edge(1.0), high: edge(f64::from(MAX_ATTEMPTS)) }
}

/// The likely mean that is next to an unlikely one, on the way from `likely` to `far`; `far` where that is likely too.
fn edge(likely: f64, far: f64, is_unlikely: impl Fn(f64) -> bool) -> f64 {
    if !is_unlikely(far) {
        return far;
    }
    let halve = |(likely, unlikely), _| {
        let middle = f64::midpoint(likely, unlikely);
        if is_unlikely(middle) { (likely, middle) } else { (middle, unlikely) }
    };
    (0..HALVINGS).fold((likely, far), halve).1
}

/// The distribution of attempts, each chance weighted by exp(t n).
struct Tilted {
    /// Each number of attempts that can be, and the logarithm of its chance.
    ln_chances: Vec<(f64, f64)>,
}

impl Tilted {
    fn new(attempts: Attempts) -> Self {
        let possible = (1..=MAX_ATTEMPTS).map(|n| (f64::from(n), attempts.chance_of(n)));
        Self { ln_chances: possible.filter(|(_, chance)| *chance > 0.0).map(|(n, p)| (n, p.ln())).collect() }
    }

    /// The logarithm of E exp(t X), and the mean of the tilted distribution, which is its derivative.
    fn at(&self, t: f64) -> (f64, f64) {
        // The largest is taken out, so that no exponential overflows.
        let largest = self.ln_chances.iter().map(|(n, ln_p)| ln_p + t * n).fold(f64::NEG_INFINITY, f64::max);
        let weighted = || self.ln_chances.iter().map(|(n, ln_p)| (n, (ln_p + t * n - largest).exp()));
        let sum: f64 = weighted().map(|(_, weight)| weight).sum();
        let mean = weighted().map(|(n, weight)| n * weight).sum::<f64>() / sum;
        (largest + sum.ln(), mean)
    }

    /// How fast a mean of `mean` or further out becomes unlikely with the number of requests:
    /// `sup_t (t mean − ln E exp(t X))`, found where the tilted mean is `mean`.
    fn rate(&self, mean: f64) -> f64 {
        let halve = |(low, high), _| {
            let middle = f64::midpoint(low, high);
            if self.at(middle).1 < mean { (middle, high) } else { (low, middle) }
        };
        let (low, high) = (0..HALVINGS).fold((-STEEPEST, STEEPEST), halve);
        let t = f64::midpoint(low, high);
        t * mean - self.at(t).0
    }
}
