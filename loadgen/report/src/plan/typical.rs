//! A typical value of several, and how far chance may have moved it, whatever their distribution is.

use super::figure::Range;

/// The median of the values, and an interval for the median of what they are drawn from: between the two order
/// statistics that contain it at 95 % (binomial, exact), or the least and the most where there are too few for that.
#[must_use]
pub(super) fn typical(mut values: Vec<f64>) -> Option<(f64, Range)> {
    values.sort_by(f64::total_cmp);
    let count = values.len();
    let (first, last) = (*values.first()?, *values.last()?);
    let median = f64::midpoint(values[(count - 1) / 2], values[count / 2]);
    let outside = ranks_outside(count);
    let range = if outside == 0 {
        Range { low: first, high: last }
    } else {
        Range { low: values[outside - 1], high: values[count - outside] }
    };
    Some((median, range))
}

/// How many values lie outside at each end, the ends of the interval among them: the most ranks k with a chance of at
/// most 2.5 % that fewer than k of so many fair coins come up heads.
fn ranks_outside(count: usize) -> usize {
    const TAIL: f64 = 0.025;
    let mut chance = 0.5_f64.powi(i32::try_from(count).unwrap_or(i32::MAX));
    let mut fewer = 0.0;
    for heads in 0..count {
        fewer += chance;
        if fewer > TAIL {
            return heads;
        }
        chance *= (count - heads) as f64 / (heads + 1) as f64;
    }
    0
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_interval_of_a_median_has_the_ranks_of_the_tables() {
        // Sign-test tables: 6 values use the ends; 15 the 4th and 12th; 20 the 6th and 15th.
        assert_eq!([5, 6, 8, 9, 15, 20].map(ranks_outside), [0, 1, 1, 2, 4, 6]);
        let (median, range) = typical((1..=15).rev().map(f64::from).collect()).unwrap();
        assert_eq!((median, range), (8.0, Range { low: 4.0, high: 12.0 }));
    }

    #[test]
    fn few_values_are_as_uncertain_as_they_are_far_apart() {
        assert_eq!(typical(vec![3.0, 1.0]), Some((2.0, Range { low: 1.0, high: 3.0 })));
        assert_eq!(typical(Vec::new()), None);
    }
}
