//! The picture of a counterexample: why no order of some operations explains what they answered.
//!
//! [`Timeline`] is what happened, and the longest order that was legal. [`Timeline::page`] makes a page of it that needs
//! nothing from elsewhere, and [`Timeline::lines`] the same as text for a terminal.
//!
//! Layout:
//! - `shown`: what of it is shown, checked, as a caller's order may be none.
//! - `axis`, with `segments`, and `dots`: where moments and the dots of the order are, from left to right;
//!   `layout`, with `labels`: everything else that has a place.
//! - `svg`, with `bars`, `table` and `page`: the page. `terminal`: the text.
//! - `units` and `text`: moments in words, and text from outside, which is hostile.
//!
//! Architecture invariant: pure, and the same input makes the same bytes. The page holds no script and loads nothing.

mod axis;
mod bars;
mod dots;
mod labels;
mod layout;
mod page;
mod segments;
mod shown;
mod svg;
mod table;
mod terminal;
#[cfg(test)]
mod tests;
pub mod text;
mod units;

use record::files::at;
use std::fmt;
use std::io;
use std::path::Path;
pub use units::Unit;

/// What happened, and how much of it some order explains.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Timeline {
    /// What went wrong, such as "Stale read under key A4K".
    pub title: String,
    /// The story, a sentence each.
    pub summary: Vec<String>,
    /// What [`Bar::called`] and [`Bar::returned`] count.
    pub unit: Unit,
    /// The operations, in any order.
    pub operations: Vec<Bar>,
    /// The longest legal order, from its first operation on.
    pub order: Vec<Placed>,
    /// The operations that fit nowhere after it, as places in `operations`.
    pub misfits: Vec<usize>,
    /// The state before the first operation.
    pub initial_state: String,
    /// How many operations of the history are not here, as they need no explanation.
    pub hidden: usize,
}

/// One operation.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Bar {
    /// Who did it, such as "user 17". Each gets a row.
    pub process: String,
    /// What it was, such as "save".
    pub name: String,
    /// What was sent; may be empty.
    pub input: String,
    /// What came back; may be empty.
    pub output: String,
    /// When it was called.
    pub called: u64,
    /// When its answer was there; none without one, so that it can have had effect at any time after its call.
    pub returned: Option<u64>,
}

/// One operation of an order.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Placed {
    /// Its place in [`Timeline::operations`].
    pub operation: usize,
    /// The state after it, as text.
    pub state: String,
}

impl Timeline {
    /// The whole page, as HTML. Where there are more operations than a picture can hold, it shows those that are nearest
    /// to the ones that fit nowhere, and says so.
    #[must_use]
    pub fn page(&self) -> String {
        page::render(self)
    }

    /// The same as lines of text, 120 columns wide at most.
    #[must_use]
    pub fn lines(&self) -> Vec<String> {
        terminal::lines(self)
    }
}

/// The lines, one below the other.
impl fmt::Display for Timeline {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        self.lines().iter().try_for_each(|line| writeln!(f, "{line}"))
    }
}

/// Writes a page for each counterexample, the first `NAME.html`, the next `NAME-2.html`; returns their names.
///
/// # Errors
/// If one cannot be written; the message names it.
pub fn write_pages(folder: &Path, name: &str, counterexamples: &[Timeline]) -> io::Result<Vec<String>> {
    let write = |(number, counterexample): (usize, &Timeline)| {
        let page = if number == 0 { format!("{name}.html") } else { format!("{name}-{}.html", number + 1) };
        let path = folder.join(&page);
        std::fs::write(&path, counterexample.page()).map_err(|error| at(&path, &error))?;
        Ok(page)
    };
    counterexamples.iter().enumerate().map(write).collect()
}
