//! A plot with logarithmic axes: seconds by operations, beside n log n.

use std::fmt::Write as _;

/// What is measured for one kind of history.
#[derive(Clone, Debug, PartialEq)]
pub struct Series {
    /// What it is called.
    pub name: String,
    /// Operations and seconds, by operations.
    pub points: Vec<(f64, f64)>,
}

const WIDTH: f64 = 720.0;
const HEIGHT: f64 = 460.0;
const LEFT: f64 = 76.0;
const RIGHT: f64 = 24.0;
const TOP: f64 = 56.0;
const BOTTOM: f64 = 60.0;

/// Colours of series and text, which a reader's dark scheme replaces.
const STYLE: &str = "\
svg{--back:#ffffff;--text:#24292f;--line:#d8dee4;--c0:#0550ae;--c1:#bc4c00;--c2:#1a7f37;--c3:#8250df}\
@media (prefers-color-scheme:dark){svg{--back:#0d1117;--text:#e6edf3;--line:#30363d;--c0:#6cb6ff;--c1:#f69d50;\
--c2:#57ab5a;--c3:#b083f0}}\
text{font:13px system-ui,sans-serif;fill:var(--text)}.back{fill:var(--back)}\
.grid{stroke:var(--line);stroke-width:1}.series{fill:none;stroke-width:2}\
.theory{fill:none;stroke-width:2;stroke-dasharray:1 6;stroke-linecap:round}";

/// Whole decades that hold all values.
#[derive(Clone, Copy, Debug)]
struct Decades {
    first: i32,
    last: i32,
}

impl Decades {
    fn of(values: impl Iterator<Item = f64> + Clone) -> Self {
        let lowest = values.clone().map(exponent_below).min().unwrap_or(0);
        let highest = values.map(|value| -exponent_below(1.0 / value)).max().unwrap_or(1);
        Self { first: lowest, last: highest.max(lowest + 1) }
    }

    /// Where a value lies, from 0 to 1.
    fn share(self, value: f64) -> f64 {
        (value.log10() - f64::from(self.first)) / f64::from(self.last - self.first)
    }
}

/// The power of ten at or below a positive value; the tolerance is for what 10ⁿ and its inverse are rounded to.
fn exponent_below(value: f64) -> i32 {
    let below = (-30..30).take_while(|exponent| 10_f64.powi(*exponent) <= value * (1.0 + 1e-9)).last();
    below.unwrap_or(-30)
}

/// What n log n would have taken at `n`, where `from` was measured.
#[must_use]
pub fn n_log_n(from: (f64, f64), n: f64) -> f64 {
    from.1 * n * n.ln() / (from.0 * from.0.ln())
}

/// Draws the series; the dotted line of each is n log n through its first point.
#[must_use]
pub fn log_log(title: &str, series: &[Series]) -> String {
    let points = || series.iter().flat_map(|series| series.points.iter().copied());
    let across = Decades::of(points().map(|(n, _)| n));
    let up = Decades::of(points().map(|(_, seconds)| seconds));
    let x = |n: f64| LEFT + across.share(n) * (WIDTH - LEFT - RIGHT);
    let y = |seconds: f64| HEIGHT - BOTTOM - up.share(seconds) * (HEIGHT - TOP - BOTTOM);
    let mut svg = format!(
        "<svg xmlns=\"http://www.w3.org/2000/svg\" viewBox=\"0 0 {WIDTH} {HEIGHT}\" role=\"img\" aria-label=\"{0}\">\n\
         <title>{0}</title>\n<style>{STYLE}</style>\n<rect class=\"back\" width=\"{WIDTH}\" height=\"{HEIGHT}\"/>\n",
        escaped(title)
    );
    text(&mut svg, (WIDTH / 2.0, 26.0), "middle", title);
    for exponent in across.first..=across.last {
        let at = x(10_f64.powi(exponent));
        line(&mut svg, (at, TOP), (at, HEIGHT - BOTTOM));
        text(&mut svg, (at, HEIGHT - BOTTOM + 20.0), "middle", &power_of_ten(exponent));
    }
    for exponent in up.first..=up.last {
        let at = y(10_f64.powi(exponent));
        line(&mut svg, (LEFT, at), (WIDTH - RIGHT, at));
        text(&mut svg, (LEFT - 8.0, at + 4.0), "end", &power_of_ten(exponent));
    }
    text(&mut svg, (f64::midpoint(LEFT, WIDTH - RIGHT), HEIGHT - 14.0), "middle", "operations in the history");
    let middle = f64::midpoint(TOP, HEIGHT - BOTTOM);
    let _ = writeln!(
        svg,
        "<text transform=\"translate(20 {middle}) rotate(-90)\" text-anchor=\"middle\">reading and judging, s</text>"
    );
    for (number, series) in series.iter().enumerate() {
        let Some(&first) = series.points.first() else { continue };
        let measured: Vec<(f64, f64)> = series.points.iter().map(|(n, seconds)| (x(*n), y(*seconds))).collect();
        let theory = series.points.iter().map(|(n, _)| (x(*n), y(n_log_n(first, *n)).max(TOP))).collect::<Vec<_>>();
        polyline(&mut svg, "theory", number, &theory);
        polyline(&mut svg, "series", number, &measured);
        for (x, y) in measured {
            let _ = writeln!(svg, "<circle cx=\"{x:.1}\" cy=\"{y:.1}\" r=\"4\" fill=\"var(--c{})\"/>", number % 4);
        }
        legend(&mut svg, number, &series.name);
    }
    let y = TOP + 22.0 + 20.0 * series.len() as f64;
    let _ = writeln!(
        svg,
        "<line class=\"theory\" stroke=\"var(--text)\" x1=\"{}\" y1=\"{y}\" x2=\"{}\" y2=\"{y}\"/>",
        LEFT + 14.0,
        LEFT + 42.0
    );
    text(&mut svg, (LEFT + 50.0, y + 4.0), "start", "n log n, from each first point");
    svg.push_str("</svg>\n");
    svg
}

fn legend(svg: &mut String, number: usize, name: &str) {
    let y = TOP + 22.0 + 20.0 * number as f64;
    polyline(svg, "series", number, &[(LEFT + 14.0, y), (LEFT + 42.0, y)]);
    text(svg, (LEFT + 50.0, y + 4.0), "start", name);
}

fn line(svg: &mut String, from: (f64, f64), to: (f64, f64)) {
    let ((x1, y1), (x2, y2)) = (from, to);
    let _ = writeln!(svg, "<line class=\"grid\" x1=\"{x1:.1}\" y1=\"{y1:.1}\" x2=\"{x2:.1}\" y2=\"{y2:.1}\"/>");
}

fn polyline(svg: &mut String, class: &str, number: usize, points: &[(f64, f64)]) {
    let points: Vec<String> = points.iter().map(|(x, y)| format!("{x:.1},{y:.1}")).collect();
    let points = points.join(" ");
    let _ = writeln!(svg, "<polyline class=\"{class}\" stroke=\"var(--c{})\" points=\"{points}\"/>", number % 4);
}

fn text(svg: &mut String, (x, y): (f64, f64), anchor: &str, text: &str) {
    let _ = writeln!(svg, "<text x=\"{x:.1}\" y=\"{y:.1}\" text-anchor=\"{anchor}\">{}</text>", escaped(text));
}

fn escaped(text: &str) -> String {
    text.replace('&', "&amp;").replace('<', "&lt;").replace('"', "&quot;")
}

/// Such as 10⁻².
fn power_of_ten(exponent: i32) -> String {
    let raised = |digit: char| match digit {
        '-' => '⁻',
        '1' => '¹',
        '2' => '²',
        '3' => '³',
        '4'..='9' => char::from_u32(digit.to_digit(10).unwrap_or(0) + 0x2070).unwrap_or(digit),
        _ => '⁰',
    };
    format!("10{}", exponent.to_string().chars().map(raised).collect::<String>())
}

#[cfg(test)]
mod tests {
    use super::*;

    fn plot() -> String {
        let points = vec![(1e4, 0.01), (1e5, 0.125), (1e6, 1.5)];
        log_log("a < b", &[Series { name: "keys & more".to_owned(), points }])
    }

    #[test]
    fn axes_are_whole_decades_that_hold_every_point() {
        let plot = plot();
        for (label, is_there) in
            [("10⁴", true), ("10⁶", true), ("10⁷", false), ("10⁻²", true), ("10¹", true), ("10⁻³", false)]
        {
            assert_eq!(plot.contains(&format!(">{label}<")), is_there, "{label}");
        }
    }

    #[test]
    fn a_decade_is_as_long_everywhere() {
        let decades = Decades::of([1e4, 1e6].into_iter());
        let shares = [1e4, 1e5, 1e6].map(|n| decades.share(n));
        assert!(shares.iter().zip([0.0, 0.5, 1.0]).all(|(share, known)| (share - known).abs() < 1e-9), "{shares:?}");
    }

    #[test]
    fn what_takes_n_log_n_lies_on_the_dotted_line() {
        let plot = plot();
        let points = |class: &str| {
            let from = plot.find(&format!("class=\"{class}\" stroke=\"var(--c0)\" points=")).expect("a line");
            plot[from..].split('"').nth(5).expect("points").to_owned()
        };
        assert_eq!(points("series"), points("theory"));
    }

    #[test]
    fn names_cannot_break_the_file() {
        let plot = plot();
        assert!(plot.contains("a &lt; b") && plot.contains("keys &amp; more") && !plot.contains("a < b"));
    }
}
