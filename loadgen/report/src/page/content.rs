//! What a page is made of, before it is text of any kind: plain words, tables, charts. None of it is escaped yet.

use super::advice::Advice;
use super::chart::Chart;
use super::verdicts::Promise;

/// Where a number comes from. Of every number on the page one of the three words is said.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Basis {
    /// Counted or timed in the run.
    Measured,
    /// From a law whose constants were fitted to measurements of the run.
    Fitted,
    /// From arithmetic on assumptions that are stated beside it.
    Assumed,
}

impl Basis {
    /// All of them.
    pub(super) const ALL: [Self; 3] = [Self::Measured, Self::Fitted, Self::Assumed];

    /// The word.
    pub(super) fn word(self) -> &'static str {
        match self {
            Self::Measured => "measured",
            Self::Fitted => "fitted",
            Self::Assumed => "assumed",
        }
    }

    /// What the word means.
    pub(super) fn meaning(self) -> &'static str {
        match self {
            Self::Measured => "counted or timed in this run",
            Self::Fitted => "read off a law whose constants were fitted to what this run measured",
            Self::Assumed => {
                "arithmetic on assumptions that are stated beside it, the specification's protocol among them"
            }
        }
    }
}

/// A part of the page with a heading of its own.
#[derive(Clone, Debug)]
pub(super) struct Section {
    /// Its name in links.
    pub(super) id: &'static str,
    /// Its heading.
    pub(super) title: &'static str,
    /// What it says, in order.
    pub(super) blocks: Vec<Block>,
}

/// A piece of a section.
#[derive(Clone, Debug)]
pub(super) enum Block {
    /// A paragraph.
    Text(String),
    /// A heading below the section's.
    Heading(String),
    /// Points of a list.
    List(Vec<String>),
    /// A table.
    Table(Table),
    /// A chart, with its figures as a table.
    Chart(Box<Chart>),
    /// Verdicts on all targets side by side: their names, and the promises.
    Verdicts(Vec<String>, Vec<Promise>),
    /// What to change.
    Advice(Vec<Advice>),
}

impl Section {
    /// A section that says only why it is left out.
    pub(super) fn left_out(id: &'static str, title: &'static str, why: &str) -> Self {
        Self { id, title, blocks: vec![Block::Text(format!("Left out: {why}."))] }
    }
}

/// A table. Its cells are plain text.
#[derive(Clone, Debug, PartialEq)]
pub(super) struct Table {
    /// What it is of.
    pub(super) caption: String,
    /// Its columns.
    pub(super) columns: Vec<Column>,
    /// As many cells a row as there are columns.
    pub(super) rows: Vec<Vec<String>>,
}

/// A column.
#[derive(Clone, Debug, PartialEq)]
pub(super) struct Column {
    /// Its heading.
    pub(super) name: String,
    /// Where its numbers come from; `None` of words, and of numbers that were chosen.
    pub(super) basis: Option<Basis>,
    /// Whether it holds numbers, which are set flush right.
    pub(super) is_number: bool,
}

/// A column of words.
pub(super) fn words(name: &str) -> Column {
    Column { name: name.to_owned(), basis: None, is_number: false }
}

/// A column of numbers that were chosen: users, documents, lengths.
pub(super) fn chosen(name: &str) -> Column {
    Column { name: name.to_owned(), basis: None, is_number: true }
}

/// A column of numbers that come from somewhere.
pub(super) fn numbers(name: &str, basis: Basis) -> Column {
    Column { name: name.to_owned(), basis: Some(basis), is_number: true }
}

impl Table {
    /// A table without rows.
    pub(super) fn new(caption: impl Into<String>, columns: Vec<Column>) -> Self {
        Self { caption: caption.into(), columns, rows: Vec::new() }
    }

    /// With these rows.
    pub(super) fn with_rows(self, rows: impl IntoIterator<Item = Vec<String>>) -> Self {
        Self { rows: rows.into_iter().collect(), ..self }
    }
}
