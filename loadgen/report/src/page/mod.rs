//! `report.html`: all that was tried and measured on one page, which a capacity planner reads from top to bottom.
//!
//! Architecture invariant: pure; the bootstrap's random numbers come from the measurements' own seed, so that the same
//! run makes the same page.
//!
//! - `sections`: what each part says, as plain `content`; `advice` and `predicted` hold the rules
//! - `chart`: charts as pictures
//! - `html`: content as a page; `markdown`: as tables for a pull request

mod advice;
mod chances;
mod chart;
mod content;
mod html;
mod law;
pub mod markdown;
mod number;
mod predicted;
mod sections;
#[cfg(test)]
mod tests;
mod verdicts;

use record::claims::Report;
use record::measurements::Measurements;

/// The page's title.
const TITLE: &str = "What the server keeps of its promises";

/// The whole page, of what there is: parts without data say so in a sentence. It loads nothing and runs nothing.
#[must_use]
pub fn render(report: Option<&Report>, measurements: Option<&Measurements>) -> String {
    html::page(TITLE, &sections::all(report, measurements))
}
