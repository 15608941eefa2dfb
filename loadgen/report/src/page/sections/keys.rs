//! What a key costs by fill: attempts, and the share of requests that find none.

use crate::page::chances::{attempts, fill_share, from_to, held_out, name, refused};
use crate::page::chart::scale::{Scale, Unit};
use crate::page::chart::{Axis, Chart, Kind, Mark, Point, Series};
use crate::page::content::{Basis, Block, Section, Table, chosen, numbers, words};
use crate::page::number;
use crate::predict::Keys;
use record::measurements::{Fill, Measured, Measurements};
use stats::keys::{MAX_ATTEMPTS, THREE_CHARACTER_KEYS, fill_at_exhaustion, fill_at_mean};

pub(in crate::page) const ID: &str = "keys";
pub(in crate::page) const TITLE: &str = "Keys by fill";

/// The specification's limits, in sessions: recommended, hard, and all keys.
const LIMITS: [(f64, &str); 3] =
    [(10_000.0, "10,000 recommended"), (45_000.0, "45,000 limit"), (46_656.0, "46,656 all")];

/// Steps of a line of the model.
const STEPS: u32 = 400;

/// Smallest share of refused requests that is drawn.
const LEAST_SHARE: f64 = 1e-5;

/// From this share of the keys on, requests are refused often enough to be drawn.
const REFUSED_FROM: f64 = 0.85;

pub(in crate::page) fn section(measurements: &Measurements) -> Section {
    let filled: Vec<&Measured> = measurements.targets.iter().filter(|target| !target.fills.is_empty()).collect();
    if filled.is_empty() {
        return Section::left_out(ID, TITLE, "no fill was measured, as no saves folder could be filled");
    }
    let about = "Fill is documents in the folder as a share of all keys. The line is the model: a hundred uniform tries \
                 by the specification, or one try where a server knows which keys are free. It is not fitted to the \
                 points (assumed). Intervals hold at 99 %.";
    let blocks = vec![
        Block::Text(about.to_owned()),
        Block::Chart(Box::new(attempts_chart(&filled))),
        Block::Chart(Box::new(refused_chart(&filled))),
        Block::List(filled.iter().map(|target| limits(target)).collect()),
    ];
    Section { id: ID, title: TITLE, blocks }
}

/// Where limits are passed.
fn limits(target: &Measured) -> String {
    let keys = target.keys as f64;
    let at_random = fits(target).is_some_and(|fit| fit.search == crate::predict::Search::AtRandom);
    let name = name(target);
    if !at_random {
        return format!("{name}: attempts do not grow with fill as those of random tries would (measured).");
    }
    let two = fill_at_mean(2.0).map_or_else(String::new, |fill| {
        format!(" two attempts on average are passed at {} sessions,", number::digits((fill * keys).round()))
    });
    let exhausted = |share: f64| number::digits((fill_at_exhaustion(share) * keys).round());
    format!(
        "{name}: attempts are those of random tries (measured). By the model,{two} 1 % of requests find no key from {} \
         sessions on, and half from {} (assumed).",
        exhausted(0.01),
        exhausted(0.5)
    )
}

fn fits(target: &Measured) -> Option<Keys> {
    Keys::fit(&target.fills, target.keys)
}

fn attempts_chart(targets: &[&Measured]) -> Chart {
    let y = Axis::new("mean attempts", Scale::Log, Unit::Number).from(0.9).to(f64::from(MAX_ATTEMPTS) * 1.2);
    let point = |fill: &Fill| {
        let (mean, of) = attempts(fill)?;
        Some(Point::between(fill.documents as f64, mean, of.low, of.high))
    };
    let line = |fit: &Keys, documents: u64| fit.at(documents).mean_attempts;
    let series = all_series(targets, 0.0, &point, &line);
    let row = |fill: &Fill| match attempts(fill) {
        Some((mean, of)) => [number::digits(mean), from_to(of, number::digits)],
        None => [number::NONE.to_owned(), number::NONE.to_owned()],
    };
    Chart {
        title: "Mean attempts by fill".to_owned(),
        sentence: joined(targets, attempts_sentence),
        x: across(targets, 0.0),
        y,
        series,
        marks: marks(targets, 0.0),
        table: table("Mean attempts by fill", ["mean attempts", "interval"], targets, &row, &|fit, documents| {
            number::digits(fit.at(documents).mean_attempts)
        }),
    }
}

fn refused_chart(targets: &[&Measured]) -> Chart {
    let point = |fill: &Fill| {
        let (share, of) = refused(fill)?;
        Some(Point::between(fill.documents as f64, share, of.low, of.high))
    };
    let line = |fit: &Keys, documents: u64| fit.at(documents).refused_share;
    let row = |fill: &Fill| match refused(fill) {
        Some((share, of)) => [
            format!("{} ({} of {})", number::share(share), number::count(fill.refused), number::count(fill.requests)),
            from_to(of, number::share),
        ],
        None => [number::NONE.to_owned(), number::NONE.to_owned()],
    };
    Chart {
        title: "Share of requests answered 503, near the end".to_owned(),
        sentence: format!(
            "{} A bar without a point is a fill at which none was refused: it ends where the interval does.",
            joined(targets, refused_sentence)
        ),
        x: across(targets, REFUSED_FROM),
        y: Axis::new("share answered 503", Scale::Log, Unit::Share).from(LEAST_SHARE).to(1.5),
        series: all_series(targets, REFUSED_FROM, &point, &line),
        marks: marks(targets, REFUSED_FROM),
        table: table(
            "Requests answered 503 by fill",
            ["answered 503", "interval"],
            targets,
            &row,
            &|fit, documents| number::share(fit.at(documents).refused_share),
        ),
    }
}

fn most_keys(targets: &[&Measured]) -> f64 {
    targets.iter().map(|target| target.keys as f64).fold(1.0, f64::max)
}

fn across(targets: &[&Measured], from_share: f64) -> Axis {
    let keys = most_keys(targets);
    Axis::new("documents in the folder", Scale::Linear, Unit::Number)
        .from(keys * from_share)
        .to(keys * (1.0 + (1.0 - from_share) * 0.02))
}

/// The documented limits, where the keys are those of the specification.
fn marks(targets: &[&Measured], from_share: f64) -> Vec<Mark> {
    let keys = THREE_CHARACTER_KEYS as f64;
    let is_specified = targets.iter().all(|target| target.keys == THREE_CHARACTER_KEYS as u64);
    let within = LIMITS.iter().filter(|(at, _)| is_specified && *at >= keys * from_share);
    within.map(|&(x, name)| Mark { x, name: name.to_owned() }).collect()
}

type PointOf<'f> = dyn Fn(&Fill) -> Option<Point> + 'f;
type LineOf<'f> = dyn Fn(&Keys, u64) -> f64 + 'f;

/// The model's line, the points, and those that were held out, of each target.
fn all_series(targets: &[&Measured], from_share: f64, point: &PointOf<'_>, line: &LineOf<'_>) -> Vec<Series> {
    let of_target = |(hue, target): (usize, &&Measured)| {
        let name = name(target);
        let points = |is_held_out: bool| {
            let fills = target.fills.iter().filter(|fill| fill.held_out == is_held_out);
            fills.filter_map(point).collect::<Vec<_>>()
        };
        let model = fits(target).map(|fit| model_line(&fit, target.keys, from_share, line));
        let mut series = vec![Series::new(format!("{name}, model"), hue, Kind::Line, model.unwrap_or_default())];
        series.push(Series::new(format!("{name}, measured"), hue, Kind::Dots, points(false)));
        series.push(Series::new(format!("{name}, held out"), hue, Kind::HeldOut, points(true)));
        series.retain(|series| !series.points.is_empty());
        series
    };
    targets.iter().enumerate().flat_map(of_target).collect()
}

#[allow(clippy::cast_possible_truncation, clippy::cast_sign_loss, reason = "documents, at most all keys")]
fn model_line(fit: &Keys, keys: u64, from_share: f64, line: &LineOf<'_>) -> Vec<Point> {
    let from = keys as f64 * from_share;
    let at = |step: u32| {
        // Closer together towards the end, where the model is steep.
        let left = 1.0 - f64::from(step) / f64::from(STEPS);
        let documents = (keys as f64 - (keys as f64 - from) * left * left).round() as u64;
        Point::at(documents as f64, line(fit, documents))
    };
    (0..=STEPS).map(at).collect()
}

type RowOf<'f> = dyn Fn(&Fill) -> [String; 2] + 'f;

fn table(
    caption: &str,
    names: [&str; 2],
    targets: &[&Measured],
    row: &RowOf<'_>,
    model: &dyn Fn(&Keys, u64) -> String,
) -> Table {
    let columns = vec![
        words("server"),
        chosen("documents"),
        chosen("fill"),
        numbers(names[0], Basis::Measured),
        numbers(names[1], Basis::Measured),
        numbers("model", Basis::Assumed),
        numbers("median time", Basis::Measured),
        words("point"),
    ];
    let of_target = |target: &&Measured| {
        let fit = fits(target);
        let cells = |fill: &Fill| {
            let [value, interval] = row(fill);
            let model = fit.as_ref().map_or_else(|| number::NONE.to_owned(), |fit| model(fit, fill.documents));
            let (documents, share) = (number::count(fill.documents), fill_share(fill, target.keys));
            vec![name(target), documents, share, value, interval, model, time(fill), held_out(fill.held_out)]
        };
        target.fills.iter().map(cells).collect::<Vec<_>>()
    };
    Table::new(caption, columns).with_rows(targets.iter().flat_map(of_target))
}

fn time(fill: &Fill) -> String {
    if fill.timed == 0 { number::NONE.to_owned() } else { number::time(fill.time_us.p50 as f64) }
}

fn joined(targets: &[&Measured], of: impl Fn(&Measured) -> String) -> String {
    targets.iter().map(|target| of(target)).collect::<Vec<_>>().join(" ")
}

fn attempts_sentence(target: &Measured) -> String {
    let told = target.fills.iter().filter_map(|fill| Some((fill, attempts(fill)?.0)));
    let below = told.filter(|(fill, _)| fill.documents < target.keys);
    let (first, last) = below.fold((None, None), |(first, _), of| (first.or(Some(of)), Some(of)));
    let text = |(fill, mean): (&Fill, f64)| {
        format!("{} on average with {}", number::digits(mean), number::of(fill.documents, "document"))
    };
    match (first, last) {
        (Some(first), Some(last)) => {
            format!("{}: {}, {} (measured).", name(target), text(first), text(last))
        }
        _ => format!("{}: attempts are not told.", name(target)),
    }
}

fn refused_sentence(target: &Measured) -> String {
    let first = target.fills.iter().find(|fill| fill.refused > 0);
    let name = name(target);
    first.and_then(|fill| Some((fill, refused(fill)?.0))).map_or_else(
        || format!("{name}: no request was refused at any fill (measured)."),
        |(fill, share)| {
            let documents = number::of(fill.documents, "document");
            format!(
                "{name}: the first refusals are seen with {documents}, {} of requests (measured).",
                number::share(share)
            )
        },
    )
}
