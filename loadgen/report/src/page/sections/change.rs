//! What to change.

use crate::page::advice;
use crate::page::content::{Block, Section};
use record::claims::Report;
use record::measurements::Measurements;

const ID: &str = "change";
const TITLE: &str = "What to change";

pub(in crate::page) fn section(report: Option<&Report>, measurements: Option<&Measurements>) -> Section {
    if report.is_none() && measurements.is_none() {
        return Section::left_out(ID, TITLE, "nothing was tried or measured");
    }
    let advice = advice::all(report, measurements);
    let block = if advice.is_empty() {
        Block::Text("Nothing that was tried or measured calls for a change.".to_owned())
    } else {
        Block::Advice(advice)
    };
    let about = "Each point follows from a rule over the verdicts and figures above, the weightiest first.";
    Section { id: ID, title: TITLE, blocks: vec![Block::Text(about.to_owned()), block] }
}
