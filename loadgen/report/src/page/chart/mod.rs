//! Charts: what is drawn, as data. [`draw`] makes a picture of it, whose colours [`ink`] leaves to the style sheet.

pub(super) mod draw;
mod elements;
mod frame;
pub(super) mod ink;
pub(super) mod scale;

use super::content::Table;
use scale::{Scale, Unit};

/// A chart.
#[derive(Clone, Debug)]
pub(in crate::page) struct Chart {
    /// What it is of.
    pub(in crate::page) title: String,
    /// What it shows, in a sentence with figures.
    pub(in crate::page) sentence: String,
    /// Across.
    pub(in crate::page) x: Axis,
    /// Upwards.
    pub(in crate::page) y: Axis,
    /// What is drawn, the hindmost first.
    pub(in crate::page) series: Vec<Series>,
    /// Places across that have a name.
    pub(in crate::page) marks: Vec<Mark>,
    /// The same figures.
    pub(in crate::page) table: Table,
}

/// An axis.
#[derive(Clone, Debug)]
pub(in crate::page) struct Axis {
    /// What is along it.
    pub(in crate::page) name: &'static str,
    /// How it is spaced.
    pub(in crate::page) scale: Scale,
    /// How its numbers are printed.
    pub(in crate::page) unit: Unit,
    /// Where it begins and ends, if that does not follow from the points.
    pub(in crate::page) ends: (Option<f64>, Option<f64>),
}

/// Points that belong together.
#[derive(Clone, Debug)]
pub(in crate::page) struct Series {
    /// Its name in the legend; none where another series of the chart has it already.
    pub(in crate::page) name: Option<String>,
    /// Which of the colours and shapes.
    pub(in crate::page) hue: usize,
    /// How it is drawn.
    pub(in crate::page) kind: Kind,
    /// Its points, from left to right.
    pub(in crate::page) points: Vec<Point>,
}

/// How a series is drawn.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(in crate::page) enum Kind {
    /// A line through the points, dashed by its hue.
    Line,
    /// What lies between the ends of the points' intervals.
    Band,
    /// A shape at each point, and a bar from end to end of its interval.
    Dots,
    /// The same, hollow: points that were held out.
    HeldOut,
    /// Small dots: single rounds.
    Rounds,
}

/// A point.
#[derive(Clone, Copy, Debug, PartialEq)]
pub(in crate::page) struct Point {
    /// Across.
    pub(in crate::page) x: f64,
    /// Upwards.
    pub(in crate::page) y: f64,
    /// Lower and upper end of its interval.
    pub(in crate::page) ends: Option<(f64, f64)>,
}

/// A place across that has a name.
#[derive(Clone, Debug)]
pub(in crate::page) struct Mark {
    /// Where.
    pub(in crate::page) x: f64,
    /// Its name.
    pub(in crate::page) name: String,
}

impl Axis {
    /// An axis that reaches as far as the points do.
    pub(in crate::page) fn new(name: &'static str, scale: Scale, unit: Unit) -> Self {
        Self { name, scale, unit, ends: (None, None) }
    }

    /// An axis that begins here.
    pub(in crate::page) fn from(self, least: f64) -> Self {
        Self { ends: (Some(least), self.ends.1), ..self }
    }

    /// An axis that ends here.
    pub(in crate::page) fn to(self, most: f64) -> Self {
        Self { ends: (self.ends.0, Some(most)), ..self }
    }
}

impl Series {
    /// A series with a name.
    pub(in crate::page) fn new(name: impl Into<String>, hue: usize, kind: Kind, points: Vec<Point>) -> Self {
        Self { name: Some(name.into()), hue, kind, points }
    }
}

impl Point {
    /// A point without an interval.
    pub(in crate::page) fn at(x: f64, y: f64) -> Self {
        Self { x, y, ends: None }
    }

    /// A point with an interval.
    pub(in crate::page) fn between(x: f64, y: f64, low: f64, high: f64) -> Self {
        Self { x, y, ends: Some((low, high)) }
    }
}
