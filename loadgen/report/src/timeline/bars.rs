//! The bars and the dots, drawn.

use super::layout::{BAR_HEIGHT, BarPlace, Dot, FADE, LABEL_HEIGHT};
use super::shown::Operation;
use std::fmt::Write as _;

/// In how many steps a bar fades out.
const FADE_STEPS: u32 = 8;
/// Between the lines of a hatching.
const HATCH: f64 = 7.0;

pub(super) fn draw_bar(operation: &Operation<'_>, bar: &BarPlace, out: &mut String) {
    let class = match (operation.is_misfit, operation.place) {
        (true, _) => "misfit",
        (false, Some(_)) => "placed",
        (false, None) => "left",
    };
    // A pixel less on each side: bars that touch in time are still two.
    let (x, y, width) = (bar.from_x + 1.0, bar.y + LABEL_HEIGHT, bar.to_x - bar.from_x - 2.0);
    if bar.fades {
        let _ =
            write!(out, "<path class=\"bar {class} open\" d=\"M{:.1} {y:.1}H{x:.1}v{BAR_HEIGHT}H{0:.1}\"/>", bar.to_x);
        let step = FADE / f64::from(FADE_STEPS);
        for place in 0..FADE_STEPS {
            let x = bar.to_x + f64::from(place) * step;
            let opacity = 1.0 - f64::from(place + 1) / f64::from(FADE_STEPS + 1);
            let _ = write!(
                out,
                "<path class=\"bar {class} open\" opacity=\"{opacity:.2}\" d=\"M{x:.1} {y:.1}h{step:.1}m0 {BAR_HEIGHT}h-{step:.1}\"/>"
            );
        }
    } else {
        let _ = write!(
            out,
            "<rect class=\"bar {class}\" x=\"{x:.1}\" y=\"{y:.1}\" width=\"{width:.1}\" height=\"{BAR_HEIGHT}\" rx=\"2\"/>"
        );
    }
    if operation.is_misfit {
        let end_x = if bar.fades { bar.end_x() } else { bar.to_x - 1.0 };
        hatching(x, y, end_x - x, out);
    }
}

fn hatching(x: f64, y: f64, width: f64, out: &mut String) {
    let mut lines = String::new();
    let mut at = -BAR_HEIGHT;
    while at < width {
        let _ = write!(lines, "M{at:.1} {BAR_HEIGHT}l{BAR_HEIGHT} -{BAR_HEIGHT}");
        at += HATCH;
    }
    let _ = write!(
        out,
        "<svg x=\"{x:.1}\" y=\"{y:.1}\" width=\"{width:.1}\" height=\"{BAR_HEIGHT}\"><path class=\"hatch\" d=\"{lines}\"/></svg>"
    );
}

pub(super) fn draw_dot(dot: &Dot, out: &mut String) {
    let Dot { x, y, number, .. } = *dot;
    let (radius, size) = match number {
        0..100 => (8.5, "digits"),
        100..1_000 => (10.0, "digits many"),
        _ => (11.0, "digits most"),
    };
    let _ = write!(out, "<ellipse class=\"dot\" cx=\"{x:.1}\" cy=\"{y:.1}\" rx=\"{radius}\" ry=\"8.5\"/>");
    let _ = write!(out, "<text class=\"{size}\" x=\"{x:.1}\" y=\"{:.1}\">{number}</text>", y + 3.6);
}
