//! K2, O3: keys are drawn uniformly.
//!
//! If loadgen itself freed keys in the folder just before, by removing the documents that it had filled it with, it
//! first draws keys and gives them back until the server must know of the freed ones: for 2 s and 2,000 keys, twice
//! what a server is allowed. A server that looks at the folder for each key knows at once; one that never looks again
//! is refuted.

use super::answers::{self, Halted, judged};
use super::{Claim, Expected, Finding, Needs, Phase};
use crate::lab::{Lab, Stuck};
use contract::key::KEY_CHARACTERS;
use engine::client::Exchange;
use record::claims::{ClaimId, Verdict};
use record::step::Step;
use stats::keys::THREE_CHARACTER_KEYS;
use stats::statistics::{Fit, chi_square_tail, sparse_uniformity, uniformity};
use std::collections::HashMap;
use std::sync::{Arc, OnceLock};
use std::time::Duration;

/// K2
pub(super) static K2: Claim = Claim {
    id: ClaimId::of("K2"),
    title: "keys are drawn uniformly",
    quote: "PHP `random_int()` is cryptographically secure",
    tried: "30,000 keys (100,000 with `--full`) are requested in batches of 200, and each batch is given back. Five \
            tests look at each of the three positions, at the positions together and at all 46,656 keys; if one fails, \
            a second sample is drawn. If loadgen has just removed documents from the folder, it first lets the server \
            hand out 2,000 keys in at least 2 s, so that the server can know of the freed keys.",
    holds_if: "No test gives p < 0.001 in both samples, and every key is three characters of A to Z and 0 to 9.",
    needs: Needs::Wire,
    expected: Expected::HOLDS,
    // It accuses only if two samples fail one test at p < 0.001 each: once in a million.
    decisions_on_chance: 0,
    phase: Phase::Distribution,
    is_quick: true,
    mostly_waits: false,
    takes_times: false,
    attempt: |lab| {
        let question = Question { keys: lab.effort.pick(30_000, 30_000, 100_000), only_first: false };
        Box::pin(async move { judged(try_twice(lab, question).await, Clone::clone) })
    },
};

/// O3
pub(super) static O3: Claim = Claim {
    id: ClaimId::of("O3"),
    title: "the audit of first characters is even",
    quote: "Audit key distribution: ls saves/ | cut -c1 | sort | uniq -c",
    tried: "A chi-square test of the first characters of 10,000 keys, the first ones of K2's sample if there is one. \
            If it fails, a second sample is drawn.",
    holds_if: "The test does not give p < 0.001 in both samples.",
    needs: Needs::Wire,
    expected: Expected::HOLDS,
    // It accuses only if two samples fail one test at p < 0.001 each: once in a million.
    decisions_on_chance: 0,
    phase: Phase::Distribution,
    is_quick: true,
    mostly_waits: false,
    takes_times: false,
    attempt: |lab| {
        let question = Question { keys: 10_000, only_first: true };
        Box::pin(async move { judged(try_twice(lab, question).await, Clone::clone) })
    },
};

/// What is asked of a sample of keys.
#[derive(Clone, Copy)]
struct Question {
    keys: usize,
    /// Only the first character, or all of them and the keys as a whole.
    only_first: bool,
}

/// The level of every test. A fair server fails one of the five in two hundred runs; so none is accused before a
/// second sample, drawn afresh, has failed the same test.
const LEVEL: f64 = 0.001;

/// Keys drawn before they are given back. Where keys are reserved, a batch is drawn without replacement; at 0.4 % of
/// the space that makes the counts more even by less than the test can see, and never less so.
const BATCH: usize = 200;

/// How long a sample may take: one that is too small says too little to be worth having.
const LONGEST: Duration = Duration::from_secs(25);

/// One test on one sample.
struct Test {
    name: String,
    fit: Fit,
    /// The cell that is farthest from its share.
    worst: String,
}

/// The first keys that were drawn: K2 and O3 look at the same ones.
#[derive(Default)]
struct FirstSample(OnceLock<Vec<String>>);

async fn try_twice(lab: &Arc<Lab>, question: Question) -> Result<Finding, Halted> {
    let FirstSample(first) = &*lab.shared();
    let mut samples = Vec::new();
    let mut had_freed_keys = false;
    for sample in 0..2 {
        if sample == 1 || first.get().is_none_or(|keys| keys.len() < question.keys) {
            had_freed_keys |= until_freed_keys_are_known(lab).await?;
            let keys = draw(lab, question.keys).await?;
            samples.push(tests(&keys, question.only_first));
            // A second sample is for one claim alone.
            let _ = first.set(keys);
        } else if let Some(keys) = first.get() {
            samples.push(tests(&keys[..question.keys], question.only_first));
        }
        if samples.last().is_some_and(|tests| tests.iter().all(|test| test.fit.p >= LEVEL)) {
            break;
        }
    }
    let mut finding = judge(&samples, question);
    if had_freed_keys && finding.verdict == Verdict::Refuted {
        let waited =
            "loadgen removed documents from the saves folder, then had 2,000 keys or more handed out in 2 s or more";
        finding.counterexample.insert(0, Step::finding("before the sample", waited));
    }
    Ok(finding)
}

/// Draws keys until the server must know of those that were freed in its folder; returns whether there were any.
async fn until_freed_keys_are_known(lab: &Arc<Lab>) -> Result<bool, Halted> {
    let had_freed_keys = lab.has_freed_keys_lately();
    lab.allow(LONGEST);
    while lab.has_freed_keys_lately() {
        draw_batch(lab, BATCH, "the folder was emptied, and then no key could be had in time").await?;
    }
    Ok(had_freed_keys)
}

/// Draws keys in batches, and gives back each batch as a whole. A response that is wrong by itself ends it.
async fn draw(lab: &Arc<Lab>, keys: usize) -> Result<Vec<String>, Halted> {
    lab.allow(LONGEST);
    let mut drawn = Vec::with_capacity(keys);
    while drawn.len() < keys {
        let missing = format!("only {} of {keys} keys could be drawn in time", drawn.len());
        drawn.extend(draw_batch(lab, BATCH.min(keys - drawn.len()), &missing).await?);
    }
    Ok(drawn)
}

/// Draws keys and gives them back. `missing` says what is lacking if no more keys can be had or the time is over. A
/// response that is wrong by itself is a finding.
async fn draw_batch(lab: &Arc<Lab>, keys: usize, missing: &str) -> Result<Vec<String>, Halted> {
    let asked = lab.borrow_keys(lab.users.min(BATCH), keys).await;
    if let Some(wrong) = answers::first_wrong(&asked) {
        return Err(Halted::Wrong(Box::new(wrong)));
    }
    let batch: Vec<String> = asked.iter().filter_map(Exchange::key_handed_out).collect();
    if batch.is_empty() || !lab.has_time() {
        let last = asked.last().map(|last| format!("; generate-key last answered {}", last.step().got));
        return Err(Stuck(format!("{missing}{}", last.unwrap_or_default())).into());
    }
    Ok(batch)
}

fn tests(keys: &[String], only_first: bool) -> Vec<Test> {
    let positions = if only_first { 0..1 } else { 0..3 };
    let mut tests: Vec<Test> = positions.map(|position| position_test(keys, position)).collect();
    if !only_first {
        tests.push(together(&tests));
        tests.push(cell_test(keys));
    }
    tests
}

fn position_test(keys: &[String], position: usize) -> Test {
    let counts = KEY_CHARACTERS.map(|c| keys.iter().filter(|key| key.as_bytes()[position] == c).count() as u64);
    let expected = keys.len() as f64 / KEY_CHARACTERS.len() as f64;
    let distance = |&(_, count): &(usize, u64)| (count as f64 - expected).abs();
    let worst = counts.into_iter().enumerate().max_by(|a, b| distance(a).total_cmp(&distance(b)));
    let worst = worst.map(|(cell, count)| {
        let place = ["first", "second", "third"][position];
        format!("{} as the {place} character: {count} times, {expected:.0} expected", char::from(KEY_CHARACTERS[cell]))
    });
    Test {
        name: format!("p_position_{}", position + 1),
        fit: uniformity(&counts, None),
        worst: worst.unwrap_or_default(),
    }
}

/// All positions as one: a small bias in each adds up.
fn together(positions: &[Test]) -> Test {
    let statistic = positions.iter().map(|test| test.fit.statistic).sum();
    let degrees_of_freedom = positions.iter().map(|test| test.fit.degrees_of_freedom).sum();
    let fit = Fit { statistic, degrees_of_freedom, p: chi_square_tail(statistic, degrees_of_freedom) };
    let least_likely = positions.iter().min_by(|a, b| a.fit.p.total_cmp(&b.fit.p));
    let worst = least_likely.map(|test| test.worst.clone()).unwrap_or_default();
    Test { name: "p_positions_together".to_owned(), fit, worst }
}

fn cell_test(keys: &[String]) -> Test {
    let mut counts: HashMap<&str, u64> = HashMap::new();
    keys.iter().for_each(|key| *counts.entry(key).or_default() += 1);
    let squares = counts.values().map(|count| count * count).sum();
    let worst = counts.into_iter().max_by_key(|(_, count)| *count);
    let worst = worst.map(|(key, count)| format!("{key}: {count} times in {} keys", keys.len())).unwrap_or_default();
    Test {
        name: "p_all_keys".to_owned(),
        fit: sparse_uniformity(keys.len() as u64, THREE_CHARACTER_KEYS as u64, squares),
        worst,
    }
}

fn judge(samples: &[Vec<Test>], question: Question) -> Finding {
    let failed = |sample: &[Test], name: &str| sample.iter().any(|test| test.name == name && test.fit.p < LEVEL);
    let last = samples.last().map(Vec::as_slice).unwrap_or_default();
    let biased: Vec<&Test> = last
        .iter()
        .filter(|test| samples.len() > 1 && samples.iter().all(|sample| failed(sample, &test.name)))
        .collect();
    let keys = question.keys;
    let finding = if biased.is_empty() {
        let least = last.iter().map(|test| test.fit.p).fold(1.0, f64::min);
        Finding::holds(format!("{keys} keys, smallest p of {} tests {least:.3}", last.len()))
    } else {
        let describe = |test: &&Test| {
            let Fit { statistic, degrees_of_freedom, p } = test.fit;
            let found = format!(
                "chi-square {statistic:.0} on {degrees_of_freedom:.0} degrees of freedom, p = {p:.1e}; {}",
                test.worst
            );
            Step::finding(format!("{keys} keys, {}, second sample", test.name), found)
        };
        let steps = biased.iter().map(describe).collect();
        Finding::refuted(format!("keys are not uniform, in two samples of {keys}: {}", biased[0].worst), steps)
    };
    let measured = |finding: Finding, test: &Test| finding.measured(&test.name, test.fit.p);
    let finding = last.iter().fold(finding, measured).measured("keys", keys).expected("p_at_least", LEVEL);
    debug_assert!(finding.verdict != Verdict::Refuted || !finding.counterexample.is_empty());
    finding
}

#[cfg(test)]
mod tests {
    use super::*;
    use contract::key::key_at;
    use rand::rngs::StdRng;
    use rand::{RngExt, SeedableRng};

    const QUESTION: Question = Question { keys: 30_000, only_first: false };

    fn sample(seed: u64, mut pick: impl FnMut(&mut StdRng) -> String) -> Vec<Test> {
        let mut random = StdRng::seed_from_u64(seed);
        super::tests(&(0..QUESTION.keys).map(|_| pick(&mut random)).collect::<Vec<_>>(), false)
    }

    fn fair(random: &mut StdRng) -> String {
        key_at(random.random_range(0..THREE_CHARACTER_KEYS))
    }

    fn modulo(random: &mut StdRng) -> String {
        (0..3).map(|_| char::from(KEY_CHARACTERS[usize::from(random.random::<u8>()) % 36])).collect()
    }

    /// Even in every position, but only one key in four ever comes.
    fn every_fourth(random: &mut StdRng) -> String {
        let [a, b, c]: [usize; 3] = std::array::from_fn(|_| random.random_range(0..36));
        key_at(a * 1_296 + b * 36 + (a + b + c / 9 * 9) % 36)
    }

    #[test]
    fn fair_keys_hold_and_biased_ones_are_refuted() {
        assert_eq!(judge(&[sample(1, fair)], QUESTION).verdict, Verdict::Holds);
        let finding = judge(&[sample(1, modulo), sample(2, modulo)], QUESTION);
        assert_eq!(finding.verdict, Verdict::Refuted, "{}", finding.summary);
        let finding = judge(&[sample(1, every_fourth), sample(2, every_fourth)], QUESTION);
        assert!(finding.verdict == Verdict::Refuted && finding.counterexample[0].did.contains("p_all_keys"));
    }

    #[test]
    fn one_unlucky_sample_accuses_nobody() {
        assert_eq!(judge(&[sample(1, modulo), sample(2, fair)], QUESTION).verdict, Verdict::Holds);
    }

    #[test]
    fn batches_without_replacement_pass_as_fair() {
        let mut random = StdRng::seed_from_u64(3);
        let batch = |_| {
            rand::seq::index::sample(&mut random, THREE_CHARACTER_KEYS, BATCH)
                .into_iter()
                .map(key_at)
                .collect::<Vec<_>>()
        };
        let tests = super::tests(&(0..QUESTION.keys / BATCH).flat_map(batch).collect::<Vec<_>>(), false);
        assert!(tests.len() == 5 && tests.iter().all(|test| test.fit.p > LEVEL));
    }
}
