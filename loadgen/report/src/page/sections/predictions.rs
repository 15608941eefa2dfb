//! Predicted against measured: all points that were held out.

use crate::page::content::{Basis, Block, Section, Table, chosen, numbers, words};
use crate::page::number;
use crate::page::predicted::{Prediction, What, all};
use record::measurements::Measurements;

pub(in crate::page) const ID: &str = "predictions";
pub(in crate::page) const TITLE: &str = "Predicted against measured";

pub(in crate::page) fn section(measurements: &Measurements) -> Section {
    let predictions: Vec<Prediction> = measurements.targets.iter().flat_map(all).collect();
    if predictions.is_empty() {
        return Section::left_out(ID, TITLE, "no point was held out");
    }
    let about = "These points took no part in any fit. They were predicted first and measured then; the error is measured \
                 above predicted.";
    let sentences = What::ALL.into_iter().filter_map(|what| sentence(what, &predictions));
    let blocks =
        vec![Block::Text(about.to_owned()), Block::List(sentences.collect()), Block::Table(table(&predictions))];
    Section { id: ID, title: TITLE, blocks }
}

fn sentence(what: What, predictions: &[Prediction]) -> Option<String> {
    let of: Vec<&Prediction> = predictions.iter().filter(|of| of.what == what).collect();
    let largest = of.iter().filter_map(|of| of.error).max_by(|a, b| a.abs().total_cmp(&b.abs()));
    let largest =
        largest.map_or_else(String::new, |error| format!("; the largest error is {}", number::difference(error)));
    let judged: Vec<bool> = of.iter().filter_map(|of| of.is_kept).collect();
    let kept = judged.iter().filter(|&&is_kept| is_kept).count();
    let (name, limit) = (what.name(), what.limit());
    match (of.len(), judged.len()) {
        (0, _) => None,
        (count, 0) => Some(format!("{name}: {limit}, {} held out{largest}.", number::of(count as u64, "point"))),
        (_, count) => Some(format!("{name}: {kept} of {count} {limit}{largest}.")),
    }
}

fn table(predictions: &[Prediction]) -> Table {
    let columns = vec![
        words("server"),
        words("what"),
        words("at"),
        chosen("predicted"),
        words("which is"),
        numbers("seen", Basis::Measured),
        numbers("error", Basis::Measured),
        words("limit"),
        words("kept"),
    ];
    let row = |of: &Prediction| {
        let kept = match of.is_kept {
            Some(true) => "✓ yes",
            Some(false) => "✗ no",
            None => number::NONE,
        };
        vec![
            of.target.clone(),
            of.what.name().to_owned(),
            of.at.clone(),
            of.predicted.clone(),
            of.basis.word().to_owned(),
            of.measured.clone(),
            of.error.map_or_else(|| number::NONE.to_owned(), number::difference),
            of.what.limit().to_owned(),
            kept.to_owned(),
        ]
    };
    Table::new("All held-out points", columns).with_rows(predictions.iter().map(row))
}
