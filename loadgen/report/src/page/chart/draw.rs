//! A chart as a picture.

use super::elements::{self, Area};
use super::frame::Frame;
use super::ink::{Ink, restyled};
use super::{Chart, Kind, Mark, Point, Series};
use crate::escape::html;
use crate::timeline::text::short;
use plotters::coord::Shift;
use plotters::prelude::{
    Cartesian2d, ChartBuilder, ChartContext, DrawingArea, DrawingAreaErrorKind, IntoDrawingArea, IntoFont, SVGBackend,
    TextStyle,
};
use plotters::style::Color;
use plotters::style::text_anchor::{HPos, Pos, VPos};

/// Of the picture, in its own units: two to a pixel of a wide screen, as places are whole numbers.
const WIDTH: u32 = 1_280;
const HEIGHT: u32 = 800;

/// Letters, in units; [`SIZE`] is what the library makes them of.
const LETTER: f64 = 28.0;
const SIZE: f64 = LETTER * 1.24;
/// Mean width of a letter, as a share of its height: a generous estimate for all fonts.
const LETTER_WIDTH: f64 = 0.56;

/// Left, below and right of the plot, and above it the name of the axis and a row for each line of marks.
const LEFT: u32 = 150;
const BELOW: u32 = 100;
const RIGHT: u32 = 50;
const TITLE_ROW: u32 = 52;
const MARK_ROW: u32 = 38;

/// Longest title and description, in letters.
const LONGEST: usize = 900;

/// Between two names in one row.
const GAP: f64 = 24.0;

type Plot<'a, 'f> = ChartContext<'a, SVGBackend<'a>, Cartesian2d<Frame<'f>, Frame<'f>>>;
pub(super) type Root<'a> = DrawingArea<SVGBackend<'a>, Shift>;
/// Writing into a text does not fail, but the library's types know no better.
pub(super) type Drawn = Result<(), DrawingAreaErrorKind<std::io::Error>>;

/// The picture, with a title and a description under the names `{id}-title` and `{id}-desc`; `None` where there is no
/// point to draw.
pub(in crate::page) fn draw(chart: &Chart, id: &str) -> Option<String> {
    let (x, y) = frames(chart)?;
    if !points(chart).any(|point| is_within(point, &x, &y)) {
        return None;
    }
    let mut svg = String::new();
    picture(&mut svg, chart, &x, &y).ok()?;
    let inner = svg.find('>').map(|end| &svg[end + 1..])?;
    let [title, desc] = [&chart.title, &chart.sentence].map(|of| html(&short(of, LONGEST)));
    Some(format!(
        "<svg class=\"plot\" role=\"img\" aria-labelledby=\"{id}-title\" aria-describedby=\"{id}-desc\" \
         viewBox=\"0 0 {WIDTH} {HEIGHT}\"><title id=\"{id}-title\">{title}</title><desc id=\"{id}-desc\">{desc}</desc>{}",
        restyled(inner).trim_end()
    ))
}

fn points(chart: &Chart) -> impl Iterator<Item = &Point> {
    chart.series.iter().flat_map(|series| &series.points)
}

/// Both axes; `None` where no value has a place on one of them.
fn frames(chart: &Chart) -> Option<(Frame<'_>, Frame<'_>)> {
    let heights = |point: &Point| {
        let (low, high) = point.ends.unwrap_or((point.y, point.y));
        [point.y, low, high]
    };
    let x = Frame::new(&chart.x, &mut points(chart).map(|point| point.x))?.padded();
    let y = Frame::new(&chart.y, &mut points(chart).flat_map(heights))?;
    Some((x, y))
}

/// Whether anything of a point is seen.
fn is_within(point: &Point, x: &Frame<'_>, y: &Frame<'_>) -> bool {
    let has_bar = point.ends.is_some_and(|(_, high)| y.shows_bar_to(high));
    x.place(point.x).is_some() && (y.place(point.y).is_some() || has_bar)
}

/// Pixels for values.
struct Map<'p, 'a, 'f> {
    plot: &'p Plot<'a, 'f>,
    x: &'p Frame<'f>,
    y: &'p Frame<'f>,
}

impl Map<'_, '_, '_> {
    fn at(&self, x: f64, y: f64) -> (i32, i32) {
        self.plot.plotting_area().map_coordinate(&(x, y))
    }

    fn point(&self, point: &Point) -> Option<(i32, i32)> {
        Some(self.at(self.x.place(point.x)?, self.y.place(point.y)?))
    }

    /// The ends of a point's interval, as far as the axis goes.
    fn ends(&self, point: &Point) -> Option<((i32, i32), (i32, i32))> {
        let (x, (low, high)) = (self.x.place(point.x)?, point.ends?);
        let is_drawn = self.y.shows_bar_to(high);
        is_drawn.then(|| (self.at(x, self.y.clamped(low)), self.at(x, self.y.clamped(high))))
    }
}

fn picture(svg: &mut String, chart: &Chart, x: &Frame<'_>, y: &Frame<'_>) -> Drawn {
    let root = SVGBackend::with_string(svg, (WIDTH, HEIGHT)).into_drawing_area();
    let rows = rows(chart, x);
    let above =
        TITLE_ROW + MARK_ROW * u32::try_from(rows.iter().map(|&(_, row, _)| row + 1).max().unwrap_or(0)).unwrap_or(0);
    let mut plot = ChartBuilder::on(&root)
        .margin_top(above)
        .margin_right(RIGHT)
        .x_label_area_size(BELOW)
        .y_label_area_size(LEFT)
        .build_cartesian_2d(x.clone(), y.clone())?;
    mesh(&mut plot, x, y)?;
    names(&root, x, y)?;
    let map = Map { plot: &plot, x, y };
    for &(mark, row, _) in &rows {
        draw_mark(&root, &map, mark, row)?;
    }
    for (mark, row, middle) in rows {
        #[allow(clippy::cast_possible_truncation, reason = "within the picture")]
        root.draw_text(&mark.name, &text(HPos::Center), (middle as i32, row_top(row)))?;
    }
    for series in &chart.series {
        draw_series(&root, &map, series)?;
    }
    root.present()
}

fn mesh(plot: &mut Plot<'_, '_>, x: &Frame<'_>, y: &Frame<'_>) -> Drawn {
    plot.configure_mesh()
        .x_labels(x.ticks.len().max(1))
        .y_labels(y.ticks.len().max(1))
        .label_style(text(HPos::Center))
        .bold_line_style(elements::stroke(Ink::Grid, 2))
        .light_line_style(elements::stroke(Ink::Grid, 2))
        .max_light_lines(0)
        .axis_style(elements::stroke(Ink::Axis, 2))
        .draw()
}

/// The names of the axes: below it, and above it where it needs not be turned.
fn names(root: &Root<'_>, x: &Frame<'_>, y: &Frame<'_>) -> Drawn {
    let middle = i32::try_from(LEFT + (WIDTH - LEFT - RIGHT) / 2).unwrap_or(0);
    let bottom = i32::try_from(HEIGHT).unwrap_or(0) - 44;
    root.draw_text(x.axis.name, &text(HPos::Center), (middle, bottom))?;
    root.draw_text(y.axis.name, &text(HPos::Left), (8, 8))
}

fn text(anchor: HPos) -> TextStyle<'static> {
    let mut style = TextStyle::from(("system-ui", SIZE).into_font());
    style.color = Ink::Text.colour().to_backend_color();
    style.pos = Pos::new(anchor, VPos::Top);
    style
}

/// The marks that lie within the plot, the row of each name, and where the name begins, in units. A name goes into the
/// first row where it does not run into another.
fn rows<'a>(chart: &'a Chart, x: &Frame<'_>) -> Vec<(&'a Mark, usize, f64)> {
    let width = f64::from(WIDTH - LEFT - RIGHT);
    let mut placed: Vec<(&Mark, f64)> = chart.marks.iter().filter_map(|mark| Some((mark, x.place(mark.x)?))).collect();
    placed.sort_by(|a, b| a.1.total_cmp(&b.1));
    let mut ends: Vec<f64> = Vec::new();
    let in_row = |(mark, place): (&'a Mark, f64)| {
        let at = f64::from(LEFT) + x.along(place) * width;
        let wide = mark.name.chars().count() as f64 * LETTER * LETTER_WIDTH;
        let from = (at - wide / 2.0).clamp(f64::from(LEFT), (f64::from(WIDTH) - wide - 8.0).max(f64::from(LEFT)));
        let row = ends.iter().position(|&end| end + GAP <= from).unwrap_or(ends.len());
        ends.resize(ends.len().max(row + 1), 0.0);
        ends[row] = from + wide;
        (mark, row, from + wide / 2.0)
    };
    placed.into_iter().map(in_row).collect()
}

/// Where a row of names begins.
fn row_top(row: usize) -> i32 {
    i32::try_from(TITLE_ROW + MARK_ROW * u32::try_from(row).unwrap_or(0)).unwrap_or(0)
}

fn draw_mark(root: &Root<'_>, map: &Map<'_, '_, '_>, mark: &Mark, row: usize) -> Drawn {
    let Some(place) = map.x.place(mark.x) else { return Ok(()) };
    let (at, bottom) = map.at(place, map.y.low);
    elements::line(root, vec![(at, row_top(row + 1)), (at, bottom)], Ink::Mark, 3)
}

fn draw_series(root: &Root<'_>, map: &Map<'_, '_, '_>, series: &Series) -> Drawn {
    let hue = series.hue;
    match series.kind {
        Kind::Line => {
            elements::line(root, series.points.iter().filter_map(|point| map.point(point)).collect(), Ink::Line(hue), 5)
        }
        Kind::Band => {
            let ends: Vec<_> = series.points.iter().filter_map(|point| map.ends(point)).collect();
            let around: Area = ends.iter().map(|of| of.0).chain(ends.iter().rev().map(|of| of.1)).collect();
            elements::area(root, around, Ink::Band(hue))
        }
        Kind::Rounds => {
            let mut places = series.points.iter().filter_map(|point| map.point(point));
            places.try_for_each(|at| elements::round(root, at, Ink::Round(hue)))
        }
        Kind::Dots | Kind::HeldOut => {
            for point in &series.points {
                if let Some((low, high)) = map.ends(point) {
                    elements::interval(root, low, high, Ink::Dot(hue))?;
                }
                if let Some(at) = map.point(point) {
                    elements::shape(root, at, hue, series.kind == Kind::Dots)?;
                }
            }
            Ok(())
        }
    }
}
