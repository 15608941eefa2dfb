//! The verdicts: every promise, with what came of it on all targets side by side.

use crate::page::content::{Block, Section};
use crate::page::verdicts::promises;
use record::claims::Report;

const ID: &str = "verdicts";
const TITLE: &str = "The promises, one by one";

pub(in crate::page) fn section(report: Option<&Report>) -> Section {
    let Some(report) = report.filter(|report| report.targets.iter().any(|target| !target.claims.is_empty())) else {
        return Section::left_out(ID, TITLE, "no verdicts were given; loadgen verify makes them");
    };
    let about = "Each promise stands with the specification's own words, and what was seen on each server. A refuted one \
                 has its counterexample: who did what, when, and what came back.";
    let targets = report.targets.iter().map(|target| target.name.clone()).collect();
    let verdicts = Block::Verdicts(targets, promises(report));
    Section { id: ID, title: TITLE, blocks: vec![Block::Text(about.to_owned()), verdicts] }
}
