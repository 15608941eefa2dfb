//! Least squares in three unknowns of which none may be negative, exactly: the few ways in which some are zero are all
//! tried.

/// Which of the unknowns may differ from zero, where not all of them do.
const SUPPORTS: [[bool; 3]; 6] = [
    [true, true, false],
    [true, false, true],
    [true, false, false],
    [false, true, true],
    [false, true, false],
    [false, false, true],
];

/// One equation: the weights of the unknowns, and what they should come to.
#[derive(Clone, Copy, Debug)]
pub(super) struct Equation {
    pub(super) weights: [f64; 3],
    pub(super) target: f64,
}

impl Equation {
    fn error(&self, unknowns: [f64; 3]) -> f64 {
        dot(self.weights, unknowns) - self.target
    }
}

pub(super) fn dot(a: [f64; 3], b: [f64; 3]) -> f64 {
    a[0] * b[0] + a[1] * b[1] + a[2] * b[2]
}

/// The unknowns, none negative, with the least sum of squared errors. `None` where the equations determine none.
///
/// The sum of squares is convex: the least of all is best if it has no negative unknowns, and else the best of those
/// that have zeros.
pub(super) fn non_negative(equations: &[Equation]) -> Option<[f64; 3]> {
    let squares = |unknowns| equations.iter().map(|equation| equation.error(unknowns).powi(2)).sum::<f64>();
    let allowed = |unknowns: &[f64; 3]| unknowns.iter().all(|&unknown| unknown >= 0.0);
    let with_zeros = || {
        let solutions = SUPPORTS.iter().filter_map(|&support| solve(equations, support)).filter(allowed);
        solutions.min_by(|&a, &b| squares(a).total_cmp(&squares(b)))
    };
    solve(equations, [true; 3]).filter(allowed).or_else(with_zeros)
}

/// Least squares with the unknowns outside the support at zero, by the normal equations. The columns are brought to
/// one length before, as users and their squares differ by many powers of ten.
fn solve(equations: &[Equation], support: [bool; 3]) -> Option<[f64; 3]> {
    let lengths = [0, 1, 2].map(|i| equations.iter().map(|equation| equation.weights[i].powi(2)).sum::<f64>().sqrt());
    let mut rows = [[0.0; 4]; 3];
    for i in 0..3 {
        for j in 0..3 {
            let inside = support[i] && support[j];
            let product =
                equations.iter().map(|e| e.weights[i] * e.weights[j]).sum::<f64>() / (lengths[i] * lengths[j]);
            rows[i][j] = if inside { product } else { f64::from(u8::from(i == j)) };
        }
        let target = equations.iter().map(|e| e.weights[i] * e.target).sum::<f64>() / lengths[i];
        rows[i][3] = if support[i] { target } else { 0.0 };
    }
    let scaled = eliminate(rows)?;
    let unscaled = [0, 1, 2].map(|i| if support[i] { scaled[i] / lengths[i] } else { 0.0 });
    unscaled.iter().all(|unknown| unknown.is_finite()).then_some(unscaled)
}

/// Gauss's elimination; `None` where the rows do not determine the unknowns. No exchange of rows: the matrix is
/// symmetric and positive.
fn eliminate(mut rows: [[f64; 4]; 3]) -> Option<[f64; 3]> {
    /// Smallest pivot of columns of length 1 that is more than rounding.
    const LEAST_PIVOT: f64 = 1e-13;
    for i in 0..3 {
        if rows[i][i] < LEAST_PIVOT || rows[i][i].is_nan() {
            return None;
        }
        for below in i + 1..3 {
            let factor = rows[below][i] / rows[i][i];
            let pivot = rows[i];
            rows[below].iter_mut().zip(pivot).for_each(|(value, above)| *value -= factor * above);
        }
    }
    let third = rows[2][3] / rows[2][2];
    let second = (rows[1][3] - rows[1][2] * third) / rows[1][1];
    let first = (rows[0][3] - rows[0][1] * second - rows[0][2] * third) / rows[0][0];
    Some([first, second, third])
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::simulated::random;
    use rand::RngExt;

    #[test]
    fn an_exact_solution_is_found() {
        let unknowns = [2.0, 0.5, 0.25];
        let equation = |n: f64| {
            let weights = [1.0, n, n * n];
            Equation { weights, target: dot(weights, unknowns) }
        };
        let found = non_negative(&[1.0, 10.0, 100.0, 1_000.0].map(equation)).unwrap();
        found.iter().zip(unknowns).for_each(|(found, exact)| assert!((found / exact - 1.0).abs() < 1e-9));
    }

    #[test]
    fn no_random_point_beats_the_solution_found() {
        let mut random = random(16);
        for _ in 0..300 {
            let equations: Vec<Equation> = (0..6)
                .map(|_| Equation {
                    weights: [0; 3].map(|_| random.random_range(0.1..1.0)),
                    target: random.random_range(0.0..2.0),
                })
                .collect();
            let squares = |at: [f64; 3]| equations.iter().map(|e| e.error(at).powi(2)).sum::<f64>();
            let best = non_negative(&equations).unwrap();
            assert!(best.iter().all(|&unknown| unknown >= 0.0));
            for _ in 0..300 {
                let near = best.map(|unknown| (unknown + random.random_range(-0.1..0.1)).max(0.0));
                assert!(squares(near) >= squares(best) - 1e-12, "{best:?} {near:?}");
            }
        }
    }

    #[test]
    fn equations_that_determine_nothing_have_no_solution() {
        assert_eq!(non_negative(&[]), None);
    }
}
