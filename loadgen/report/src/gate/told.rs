//! A comparison in words: figure by figure, what each server came to, and the ratio with its interval.

use super::judge::starts_in_words;
use comfy_table::{Table, presets};
use contract::Operation;
use contract::visible;
use record::comparison::figure::{Figure, Percentile};
use record::comparison::{Comparison, Side};
use record::figures::in_words;
use stats::ratio::{Pair, Ratio, RatioError};
use stats::statistics::percentile;
use std::fmt::Write as _;

/// Of each interval by itself.
const CONFIDENCE: f64 = 0.99;

/// What is told of each operation.
const PERCENTILES: [Percentile; 3] = [Percentile::P50, Percentile::P90, Percentile::P99];

/// The whole comparison.
#[must_use]
pub fn comparison(comparison: &Comparison) -> String {
    let mut table = Table::new();
    table.load_style(presets::UTF8_FULL_CONDENSED).set_header(["", "A", "B", "B to A", "interval", ""]);
    for figure in figures(comparison) {
        let pairs = comparison.pairs_of(figure);
        if !pairs.is_empty() {
            table.add_row(row(comparison, figure, &pairs));
        }
    }
    let [a, b, load] = [&comparison.a, &comparison.b, &comparison.load].map(|text| visible(text));
    let mut text = format!("A: {a}\nB: {b}\n{load}\n{table}\n");
    let starts = comparison.turns.last().map_or(0, |turn| turn.start);
    let _ = write!(text, "{} pairs of turns, A B B A, in {}; medians; ", comparison.pairs(), starts_in_words(starts));
    text += if comparison.failures.is_empty() {
        "an interval leaves out the true ratio in one comparison of a hundred.\n"
    } else {
        "no ratio is concluded, as a server failed.\n"
    };
    for failure in &comparison.failures {
        let _ = writeln!(text, "{} FAILED {failure}", comparison.name(failure.side));
        for line in &failure.details {
            let _ = writeln!(text, "  {line}");
        }
    }
    for (side, name) in [(Side::A, "A"), (Side::B, "B")] {
        for (what, named) in [("WRONG", comparison.wrong(side)), ("errors", comparison.errors(side))] {
            if let Some(told) = in_words(&named) {
                let _ = writeln!(text, "{name}: {what}: {}", visible(&told));
            }
        }
    }
    let held_up = comparison.turns.iter().filter(|turn| turn.held_up.is_some()).count();
    if held_up > 0 {
        let of = comparison.turns.len();
        let _ = writeln!(text, "In {held_up} of {of} turns the generator itself was held up: the machine is busy.");
    }
    text
}

fn figures(comparison: &Comparison) -> Vec<Figure> {
    let occurs =
        |operation: &Operation| comparison.turns.iter().any(|turn| turn.operations.contains_key(operation.name()));
    let of_operations = Operation::ALL
        .into_iter()
        .filter(occurs)
        .flat_map(|operation| PERCENTILES.map(|percentile| Figure::Percentile(Some(operation), percentile)));
    std::iter::once(Figure::Goodput).chain(of_operations).collect()
}

fn row(comparison: &Comparison, figure: Figure, pairs: &[Pair]) -> [String; 6] {
    let median = |of: fn(&Pair) -> f64| {
        let values: Vec<f64> = pairs.iter().map(of).collect();
        format!("{:.0} {}", percentile(&values, 0.5).unwrap_or_default(), figure.unit())
    };
    let [a, b] = [median(|pair| pair.a), median(|pair| pair.b)];
    if !comparison.failures.is_empty() {
        return [figure.to_string(), a, b, String::new(), String::new(), String::new()];
    }
    match comparison.ratio(figure, CONFIDENCE) {
        Err(error) => {
            let why = match error {
                RatioError::TooFewPairs { found } => format!("{found} pairs are too few"),
                RatioError::TooFewStarts { found } => format!("{found} starts are too few"),
                _ => "no ratio".to_owned(),
            };
            [figure.to_string(), a, b, String::new(), why, String::new()]
        }
        Ok(ratio) => {
            let interval = format!("{:.3} to {:.3}", ratio.low, ratio.high);
            [figure.to_string(), a, b, format!("{:.3}", ratio.estimate), interval, meaning(figure, &ratio).to_owned()]
        }
    }
}

/// What an interval without 1 in it says.
fn meaning(figure: Figure, ratio: &Ratio) -> &'static str {
    match (ratio.low > 1.0, ratio.high < 1.0) {
        (false, false) => "no difference seen",
        (is_more, _) if is_more == figure.more_is_better() => "B is better",
        _ => "B is worse",
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use record::comparison::failing::ServerFailure;
    use record::samples::{comparison as sample, comparison_with_starts as started_anew};

    #[test]
    fn a_slower_server_is_told_with_its_ratio() {
        let text = comparison(&sample(20, 2.0));
        for part in ["A: hardened\nB: documented\n1 user\n", "save p50", "B is worse", "20 pairs of turns"] {
            assert!(text.contains(part), "{part:?} is missing from\n{text}");
        }
        assert!(comparison(&sample(20, 0.5)).contains("B is better"));
        assert!(comparison(&sample(20, 1.0)).contains("no difference seen"));
        assert!(comparison(&sample(3, 2.0)).contains("3 pairs are too few"));
        let started = comparison(&started_anew(16, 2.0, 0.1));
        assert!(started.contains("in 16 starts of each server") && started.contains("B is worse"), "{started}");
        assert!(comparison(&started_anew(3, 2.0, 0.1)).contains("3 starts are too few"));
    }

    #[test]
    fn nothing_is_concluded_of_a_server_that_failed() {
        let failure =
            |side| ServerFailure { side, turns: vec![9], why: "it ended".to_owned(), details: vec!["oh".to_owned()] };
        for (side, told) in [(Side::A, "A (hardened)"), (Side::B, "B (documented)")] {
            let text = comparison(&Comparison { failures: vec![failure(side)], ..sample(20, 2.0) });
            assert!(text.contains(&format!("{told} FAILED in turn 9: it ended\n  oh\n")), "{text}");
            assert!(!text.contains("B is") && !text.contains("2.0"), "{text}");
        }
    }

    #[test]
    fn more_goodput_is_better_and_more_time_is_worse() {
        let ratio = |low, high| Ratio { estimate: low, low, high, pairs: 10, starts: 1 };
        let save = "save p50".parse().expect("a figure");
        assert_eq!(meaning(save, &ratio(1.1, 1.2)), "B is worse");
        assert_eq!(meaning(save, &ratio(0.8, 0.9)), "B is better");
        assert_eq!(meaning(Figure::Goodput, &ratio(1.1, 1.2)), "B is better");
        assert_eq!(meaning(Figure::Goodput, &ratio(0.8, 0.9)), "B is worse");
        assert_eq!(meaning(save, &ratio(0.9, 1.1)), "no difference seen");
    }

    #[test]
    fn wrong_answers_and_errors_are_told_with_their_server() {
        let mut wrong = sample(10, 1.0);
        wrong.turns[1].total.wrong.insert("torn read".to_owned(), 2);
        wrong.turns[0].total.errors.insert("503 Server busy".to_owned(), 1);
        wrong.turns[0].held_up = Some("slip".to_owned());
        let text = comparison(&wrong);
        for part in ["B: WRONG: 2 × torn read\n", "A: errors: 1 × 503 Server busy\n", "In 1 of 20 turns the generator"]
        {
            assert!(text.contains(part), "{part:?} is missing from\n{text}");
        }
    }
}
