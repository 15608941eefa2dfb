//! Statistics that verdicts on chance rest on.

use statrs::distribution::{Beta, ChiSquared, ContinuousCDF, Normal};

/// An interval of a share, both ends included.
#[derive(Clone, Copy, Debug, PartialEq)]
pub struct Interval {
    /// Lower end.
    pub low: f64,
    /// Upper end.
    pub high: f64,
}

/// The exact binomial (Clopper–Pearson) interval of a share of which `hits` of `trials` were seen, at the given
/// confidence (0.99, say). With no trials it says nothing: 0 to 1.
#[must_use]
pub fn clopper_pearson(hits: u64, trials: u64, confidence: f64) -> Interval {
    let tail = (1.0 - confidence) / 2.0;
    let (k, n) = (hits as f64, trials as f64);
    let quantile = |a: f64, b: f64, p: f64| Beta::new(a, b).map(|beta| beta.inverse_cdf(p));
    let low = if hits == 0 { 0.0 } else { quantile(k, n - k + 1.0, tail).unwrap_or(0.0) };
    let high = if hits >= trials { 1.0 } else { quantile(k + 1.0, n - k, 1.0 - tail).unwrap_or(1.0) };
    Interval { low, high }
}

/// The chance that a chi-square variable with so many degrees of freedom is at least `statistic`.
#[must_use]
pub fn chi_square_tail(statistic: f64, degrees_of_freedom: f64) -> f64 {
    ChiSquared::new(degrees_of_freedom).map_or(1.0, |distribution| distribution.sf(statistic.max(0.0)))
}

/// Goodness of fit of counts to equal chances: the chi-square statistic over `cells`, and the chance of one at
/// least as large.
///
/// `drawn_from` is `Some(size)` where the draws were without replacement from `size` things spread evenly over the
/// cells; counts then vary less, by the finite population correction.
#[must_use]
pub fn uniformity(counts: &[u64], drawn_from: Option<u64>) -> Fit {
    let draws: u64 = counts.iter().sum();
    let expected = draws as f64 / counts.len() as f64;
    let statistic: f64 = counts.iter().map(|&count| (count as f64 - expected).powi(2) / expected).sum();
    let correction = drawn_from.map_or(1.0, |size| (size - draws) as f64 / (size - 1) as f64);
    let statistic = statistic / correction;
    let degrees_of_freedom = (counts.len() - 1) as f64;
    Fit { statistic, degrees_of_freedom, p: chi_square_tail(statistic, degrees_of_freedom) }
}

/// Goodness of fit where draws are fewer than cells: the statistic's mean and variance under equal chances are
/// still exact (k − 1 and 2(k − 1)(1 − 1/n)), and it is close to normal because so many cells add up to it.
#[must_use]
pub fn sparse_uniformity(draws: u64, cells: u64, sum_of_squared_counts: u64) -> Fit {
    let (n, k) = (draws as f64, cells as f64);
    let statistic = k / n * sum_of_squared_counts as f64 - n;
    let (mean, variance) = (k - 1.0, 2.0 * (k - 1.0) * (1.0 - 1.0 / n));
    let z = (statistic - mean) / variance.sqrt();
    let p = Normal::new(0.0, 1.0).map_or(1.0, |normal| normal.sf(z));
    Fit { statistic, degrees_of_freedom: mean, p }
}

/// A goodness-of-fit test.
#[derive(Clone, Copy, Debug, PartialEq)]
pub struct Fit {
    /// Chi-square statistic.
    pub statistic: f64,
    /// Its degrees of freedom.
    pub degrees_of_freedom: f64,
    /// Chance of a statistic at least as large where all cells are equally likely.
    pub p: f64,
}

/// The value below which a share `q` of the values lies (nearest rank). `None` of no values.
#[must_use]
pub fn percentile(values: &[f64], q: f64) -> Option<f64> {
    let mut sorted = values.to_vec();
    sorted.sort_by(f64::total_cmp);
    // Ranks are counts of values in memory, and not negative.
    #[allow(clippy::cast_possible_truncation, clippy::cast_sign_loss)]
    let rank = (q * sorted.len() as f64).ceil() as usize;
    sorted.get(rank.saturating_sub(1)).copied()
}

/// The mean; `None` of no values.
#[must_use]
pub fn mean(values: &[f64]) -> Option<f64> {
    (!values.is_empty()).then(|| values.iter().sum::<f64>() / values.len() as f64)
}

/// The median of the means of five parts of the values in their order: the mean, as far as a single pause of the
/// machine cannot move it. `None` of fewer than five values.
#[must_use]
pub fn median_of_means(values: &[f64]) -> Option<f64> {
    const PARTS: usize = 5;
    let means: Vec<f64> = values.chunks_exact((values.len() / PARTS).max(1)).take(PARTS).filter_map(mean).collect();
    if means.len() < PARTS { None } else { percentile(&means, 0.5) }
}

/// Jain's index of fairness: 1 where all shares are equal, 1/n where one of n has everything. `None` where there is
/// nothing to share.
#[must_use]
pub fn jain_index(shares: &[f64]) -> Option<f64> {
    let (sum, squares) = shares.iter().fold((0.0, 0.0), |(sum, squares), share| (sum + share, squares + share * share));
    (squares > 0.0).then(|| sum * sum / (shares.len() as f64 * squares))
}

#[cfg(test)]
mod tests {
    use super::*;
    use rand::{RngExt, SeedableRng, rngs::StdRng};

    fn close(a: f64, b: f64) -> bool {
        (a - b).abs() < 1e-4
    }

    #[test]
    fn the_exact_interval_agrees_with_published_values() {
        // 0 of n: the upper end is 1 − (α/2)^(1/n); 44 trials without a hit exclude 11.4 % two-sided at 99 %.
        assert!(close(clopper_pearson(0, 44, 0.99).high, 1.0 - 0.005_f64.powf(1.0 / 44.0)));
        // R: binom.test(7, 20)$conf.int
        let interval = clopper_pearson(7, 20, 0.95);
        assert!(close(interval.low, 0.153_909_2) && close(interval.high, 0.592_189_2), "{interval:?}");
        assert_eq!(clopper_pearson(0, 0, 0.99), Interval { low: 0.0, high: 1.0 });
        assert!(close(clopper_pearson(5, 5, 0.99).high, 1.0));
    }

    #[test]
    fn chi_square_tails_agree_with_tables() {
        assert!(close(chi_square_tail(66.619, 35.0), 0.001) && close(chi_square_tail(0.0, 35.0), 1.0));
    }

    /// How often each test rejects fair draws at 5 %: it must be about 5 %.
    fn rejections(mut test: impl FnMut(&mut StdRng) -> Fit) -> f64 {
        let mut random = StdRng::seed_from_u64(1);
        let runs = 2_000;
        (0..runs).filter(|_| test(&mut random).p < 0.05).count() as f64 / f64::from(runs)
    }

    #[test]
    fn fair_draws_are_rejected_as_often_as_the_level_says() {
        let with_replacement = rejections(|random| {
            let mut counts = [0; 36];
            (0..1_000).for_each(|_| counts[random.random_range(0..36)] += 1);
            uniformity(&counts, None)
        });
        let without_replacement = rejections(|random| {
            let mut counts = [0; 36];
            let drawn = rand::seq::index::sample(random, 1_296, 600);
            drawn.into_iter().for_each(|index| counts[index % 36] += 1);
            uniformity(&counts, Some(1_296))
        });
        let sparse = rejections(|random| {
            let mut counts = vec![0_u64; 4_665];
            (0..2_000).for_each(|_| counts[random.random_range(0..4_665)] += 1);
            sparse_uniformity(2_000, 4_665, counts.iter().map(|c| c * c).sum())
        });
        for share in [with_replacement, without_replacement, sparse] {
            assert!((0.03..0.07).contains(&share), "{share}");
        }
    }

    #[test]
    fn a_modulo_bias_is_rejected_in_twenty_thousand_draws() {
        let mut random = StdRng::seed_from_u64(2);
        let mut counts = [0; 36];
        (0..60_000).for_each(|_| counts[usize::from(random.random::<u8>()) % 36] += 1);
        assert!(uniformity(&counts, None).p < 1e-6);
    }

    #[test]
    fn one_pause_does_not_move_the_median_of_means() {
        let mut values = vec![0.2; 500];
        values[77] = 400.0;
        assert_eq!(median_of_means(&values).map(|mean| (mean * 1e9).round()), Some(0.2e9));
        assert_eq!(median_of_means(&[1.0; 4]), None);
    }

    #[test]
    fn fairness_is_one_of_equal_shares_and_one_in_n_where_one_has_everything() {
        assert_eq!(jain_index(&[7.0; 16]), Some(1.0));
        assert_eq!(jain_index(&[0.0, 0.0, 9.0, 0.0]), Some(0.25));
        // Jain, Chiu and Hawe (1984): of a hundred users ten share equally.
        assert_eq!(jain_index(&[[3.0; 10].as_slice(), &[0.0; 90]].concat()), Some(0.1));
        assert_eq!(jain_index(&[1.0, 3.0]), Some(0.8));
        assert_eq!((jain_index(&[]), jain_index(&[0.0; 3])), (None, None));
    }

    #[test]
    fn percentiles_are_nearest_ranks() {
        let values: Vec<f64> = (1..=100).map(f64::from).collect();
        assert_eq!(
            (percentile(&values, 0.99), percentile(&values, 0.5), percentile(&[], 0.5)),
            (Some(99.0), Some(50.0), None)
        );
    }
}
