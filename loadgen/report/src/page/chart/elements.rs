//! Lines, areas and shapes, in units of the picture. Series are told apart by shape too, not by colour alone.

use super::draw::{Drawn, Root};
use super::ink::Ink;
use plotters::element::{Circle, PathElement, Polygon};
use plotters::style::{Color, ShapeStyle};

/// Corners of an area.
pub(super) type Area = Vec<(i32, i32)>;

/// Half the width of a shape, and of a round's dot.
const REACH: i32 = 11;
const ROUND_REACH: i32 = 5;

/// Half the width of the ends of a bar.
const CAP: i32 = 8;

/// A line of a width.
pub(super) fn stroke(ink: Ink, width: u32) -> ShapeStyle {
    ink.colour().stroke_width(width)
}

pub(super) fn line(root: &Root<'_>, points: Area, ink: Ink, width: u32) -> Drawn {
    if points.len() < 2 { Ok(()) } else { root.draw(&PathElement::new(points, stroke(ink, width))) }
}

pub(super) fn area(root: &Root<'_>, corners: Area, ink: Ink) -> Drawn {
    if corners.len() < 3 { Ok(()) } else { root.draw(&Polygon::new(corners, ink.colour().filled())) }
}

pub(super) fn round(root: &Root<'_>, at: (i32, i32), ink: Ink) -> Drawn {
    root.draw(&Circle::new(at, ROUND_REACH, ink.colour().filled()))
}

/// A bar from end to end, where there is room between them.
pub(super) fn interval(root: &Root<'_>, low: (i32, i32), high: (i32, i32), ink: Ink) -> Drawn {
    if (low.1 - high.1).abs() < 2 {
        return Ok(());
    }
    for (x, y) in [low, high] {
        line(root, vec![(x - CAP, y), (x + CAP, y)], ink, 3)?;
    }
    line(root, vec![low, high], ink, 3)
}

/// The shape of a hue: circle, triangle, square, diamond.
pub(super) fn shape(root: &Root<'_>, at: (i32, i32), hue: usize, is_filled: bool) -> Drawn {
    let inside = if is_filled { Ink::Dot(hue) } else { Ink::Ground };
    let corners = corners(at, hue);
    if corners.is_empty() {
        root.draw(&Circle::new(at, REACH, inside.colour().filled()))?;
        return root.draw(&Circle::new(at, REACH, stroke(Ink::Dot(hue), 4)));
    }
    area(root, corners.clone(), inside)?;
    let around = corners.iter().chain(corners.iter().take(2)).copied().collect();
    line(root, around, Ink::Dot(hue), 4)
}

/// None of a circle.
fn corners((x, y): (i32, i32), hue: usize) -> Area {
    match hue % super::ink::HUES {
        0 => Vec::new(),
        1 => vec![(x, y - REACH - 3), (x + REACH + 2, y + REACH - 2), (x - REACH - 2, y + REACH - 2)],
        2 => vec![(x - REACH, y - REACH), (x + REACH, y - REACH), (x + REACH, y + REACH), (x - REACH, y + REACH)],
        _ => vec![(x, y - REACH - 4), (x + REACH + 4, y), (x, y + REACH + 4), (x - REACH - 4, y)],
    }
}
