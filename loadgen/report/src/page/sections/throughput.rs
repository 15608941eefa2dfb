//! Throughput and mean response time by users, with the law fitted to them.

use crate::page::chances::{from_to, held_out, name};
use crate::page::chart::scale::{Scale, Unit};
use crate::page::chart::{Axis, Chart, Kind, Mark, Point, Series};
use crate::page::content::{Basis, Block, Section, Table, chosen, numbers, words};
use crate::page::law::Law;
use crate::page::number;
use crate::predict::median;
use record::measurements::{Measured, Measurements, Users};

pub(in crate::page) const ID: &str = "throughput";
pub(in crate::page) const TITLE: &str = "Throughput and waiting by users";

/// Steps of a fitted line.
const STEPS: u32 = 80;

/// How far the product of throughput and response time may be off the number of users.
const LITTLES_SLACK: f64 = 0.05;

/// Microseconds in a second.
const SECOND_US: f64 = 1e6;

/// A target with its law.
struct Subject<'m> {
    target: &'m Measured,
    law: Option<Law>,
}

pub(in crate::page) fn section(measurements: &Measurements) -> Section {
    let loaded = measurements.targets.iter().filter(|target| target.users.iter().any(has_rounds));
    let subjects: Vec<Subject<'_>> = loaded
        .map(|target| Subject { target, law: Law::of(target).map(|law| law.with_chance(measurements.seed)) })
        .collect();
    if subjects.is_empty() {
        return Section::left_out(ID, TITLE, "no mixed load was measured");
    }
    let about = "Users go on as soon as they are answered, so throughput is what the server can do. Small dots are single \
                 rounds, shapes their medians (measured). The line is the Universal Scalability Law, fitted to the points \
                 that are not held out, and the band is where chance in the rounds leaves it, at 95 % (fitted). The knee is \
                 the fewest users with nine tenths of the most throughput; beyond the peak, more users get less done.";
    let charts = subjects.iter().flat_map(|of| [throughput(of), waiting(of)]);
    let mut blocks = vec![Block::Text(about.to_owned())];
    blocks.extend(charts.map(|chart| Block::Chart(Box::new(chart))));
    blocks.push(Block::Text(
        "Little's law is the check of the measurement itself: throughput times mean response time must be the number of \
         users, as nobody thinks in between."
            .to_owned(),
    ));
    blocks.push(Block::List(subjects.iter().map(little).collect()));
    Section { id: ID, title: TITLE, blocks }
}

fn has_rounds(of: &Users) -> bool {
    of.users > 0 && of.goodput_per_s.iter().any(|round| *round > 0.0)
}

fn throughput(of: &Subject<'_>) -> Chart {
    let mut series = vec![];
    if let Some(law) = &of.law {
        let line = |users: f64| Point::at(users, law.at(users));
        let band = |users: f64| {
            let ends = law.interval(users)?;
            Some(Point::between(users, law.at(users), ends.low, ends.high))
        };
        series.push(Series::new("95 % of the fit", 0, Kind::Band, steps(law).filter_map(band).collect()));
        series.push(Series::new("fit", 0, Kind::Line, steps(law).map(line).collect()));
    }
    series.extend(measured(of.target, |users| &users.goodput_per_s, 0));
    series.retain(|series| !series.points.is_empty());
    Chart {
        title: format!("{}: verified answers a second", name(of.target)),
        sentence: throughput_sentence(of),
        x: Axis::new("users at once", Scale::Log, Unit::Number),
        y: Axis::new("verified answers a second", Scale::Linear, Unit::Number).from(0.0),
        series,
        marks: marks(of),
        table: table(of),
    }
}

fn waiting(of: &Subject<'_>) -> Chart {
    let by_law = |law: &Law| steps(law).map(|users| Point::at(users, users / law.at(users) * SECOND_US)).collect();
    let line = of.law.as_ref().map(by_law).unwrap_or_default();
    let mut series = vec![Series::new("fit of throughput, by Little's law", 1, Kind::Line, line)];
    series.extend(measured(of.target, |users| &users.mean_response_us, 1));
    series.retain(|series| !series.points.is_empty());
    let at = |users: &Users| {
        let time = number::time(median(&users.mean_response_us));
        format!("{time} with {}", number::of(users.users.into(), "user"))
    };
    let ends: Vec<String> = [of.target.users.first(), of.target.users.last()].into_iter().flatten().map(at).collect();
    Chart {
        title: format!("{}: mean response time", name(of.target)),
        sentence: format!("From {} (measured).", ends.join(" to ")),
        x: Axis::new("users at once", Scale::Log, Unit::Number),
        y: Axis::new("mean response time", Scale::Log, Unit::Time),
        series,
        marks: marks(of),
        table: waiting_table(of.target),
    }
}

/// Single rounds, and the medians of those that are not held out and of those that are.
fn measured(target: &Measured, rounds: impl Fn(&Users) -> &Vec<f64>, hue: usize) -> Vec<Series> {
    let each = |of: &Users| rounds(of).iter().map(|&round| Point::at(of.users.into(), round)).collect::<Vec<_>>();
    let middle = |is_held_out: bool| {
        let points = target.users.iter().filter(|of| of.held_out == is_held_out && !rounds(of).is_empty());
        points.map(|of| Point::at(of.users.into(), median(rounds(of)))).collect()
    };
    vec![
        Series::new("single rounds", hue, Kind::Rounds, target.users.iter().flat_map(each).collect()),
        Series::new("median of the rounds", hue, Kind::Dots, middle(false)),
        Series::new("held out", hue, Kind::HeldOut, middle(true)),
    ]
}

/// Numbers of users from 1 to the largest measured, evenly on a logarithmic axis.
fn steps(law: &Law) -> impl Iterator<Item = f64> {
    let largest = law.largest();
    (0..=STEPS).map(move |step| largest.powf(f64::from(step) / f64::from(STEPS)))
}

fn marks(of: &Subject<'_>) -> Vec<Mark> {
    let Some(law) = &of.law else { return Vec::new() };
    let knee = f64::from(law.knee_users());
    let mut marks = vec![Mark { x: knee, name: format!("knee {}", number::digits(knee)) }];
    marks.extend(law.peak_users().map(|x| Mark { x, name: format!("peak {}", number::digits(x.round())) }));
    marks
}

fn throughput_sentence(of: &Subject<'_>) -> String {
    let Some(law) = &of.law else {
        return "No law could be fitted: that takes answers at three different numbers of users, one of them small."
            .to_owned();
    };
    let (knee, most) = (number::of(law.knee_users().into(), "user"), number::digits(law.most()));
    let peak = law.peak_users().map_or_else(
        || format!("it still rises at {} users", number::digits(law.largest())),
        |users| {
            let interval = law.peak_interval().filter(|of| of.high.is_finite());
            let round = |users: f64| number::digits(users.round());
            let interval = interval.map_or_else(String::new, |of| format!(" (95 %: {})", from_to(of, round)));
            format!("it peaks at {} users{interval} and falls beyond", round(users))
        },
    );
    format!("Throughput reaches nine tenths of its most, {most} a second, with {knee}; {peak} (fitted).")
}

fn table(of: &Subject<'_>) -> Table {
    let columns = vec![
        chosen("users"),
        numbers("median a second", Basis::Measured),
        numbers("rounds", Basis::Measured),
        numbers("law", Basis::Fitted),
        numbers("95 % of it", Basis::Fitted),
        numbers("measured above the law", Basis::Measured),
        words("point"),
    ];
    let none = || number::NONE.to_owned();
    let row = |users: &Users| {
        let (at, middle) = (f64::from(users.users), median(&users.goodput_per_s));
        let law = of.law.as_ref();
        vec![
            number::count(users.users.into()),
            number::digits(middle),
            range(&users.goodput_per_s, number::digits),
            law.map_or_else(none, |law| number::digits(law.at(at))),
            law.and_then(|law| law.interval(at)).map_or_else(none, |of| from_to(of, number::digits)),
            law.map_or_else(none, |law| number::difference(middle / law.at(at) - 1.0)),
            held_out(users.held_out),
        ]
    };
    let caption = format!("{}: verified answers a second by users", name(of.target));
    Table::new(caption, columns).with_rows(of.target.users.iter().map(row))
}

fn waiting_table(target: &Measured) -> Table {
    let columns = vec![
        chosen("users"),
        numbers("mean response time, median of the rounds", Basis::Measured),
        numbers("rounds", Basis::Measured),
        numbers("throughput × time / users", Basis::Measured),
        words("point"),
    ];
    let row = |users: &Users| {
        vec![
            number::count(users.users.into()),
            number::time(if users.mean_response_us.is_empty() { f64::NAN } else { median(&users.mean_response_us) }),
            range(&users.mean_response_us, number::time),
            littles_ratio(users).map_or_else(|| number::NONE.to_owned(), number::digits),
            held_out(users.held_out),
        ]
    };
    Table::new(format!("{}: mean response time by users", name(target)), columns)
        .with_rows(target.users.iter().map(row))
}

fn range(rounds: &[f64], text: impl Fn(f64) -> String) -> String {
    let (low, high) =
        rounds.iter().fold((f64::INFINITY, f64::NEG_INFINITY), |(low, high), &of| (low.min(of), high.max(of)));
    if rounds.is_empty() { number::NONE.to_owned() } else { format!("{} to {}", text(low), text(high)) }
}

/// Throughput times mean response time over users, the median of the rounds: 1 by Little's law.
fn littles_ratio(of: &Users) -> Option<f64> {
    let pairs = of.goodput_per_s.iter().zip(&of.mean_response_us);
    let ratios: Vec<f64> = pairs.map(|(rate, us)| rate * us / SECOND_US / f64::from(of.users)).collect();
    stats::statistics::percentile(&ratios, 0.5).filter(|ratio| ratio.is_finite())
}

fn little(of: &Subject<'_>) -> String {
    let off = |users: &&Users| littles_ratio(users).is_some_and(|ratio| (ratio - 1.0).abs() > LITTLES_SLACK);
    let checked = of.target.users.iter().filter(|users| littles_ratio(users).is_some()).count();
    let ratio = |users: &Users| number::digits(littles_ratio(users).unwrap_or(f64::NAN));
    let off: Vec<String> = of
        .target
        .users
        .iter()
        .filter(off)
        .map(|users| format!("{} at {}", ratio(users), number::of(users.users.into(), "user")))
        .collect();
    let name = name(of.target);
    let limit = number::share(LITTLES_SLACK);
    if off.is_empty() {
        return format!("{name}: within {limit} of 1 at all {checked} numbers of users (measured).");
    }
    format!(
        "{name}: more than {limit} off at {} of {checked} numbers of users (measured): {}. Some operations were not \
         answered, or not right, or began or ended outside the time that was counted.",
        off.len(),
        number::and(&off)
    )
}

#[cfg(test)]
mod tests {
    use super::*;

    fn users(rate: f64, response_us: f64) -> Users {
        Users { users: 10, goodput_per_s: vec![rate], mean_response_us: vec![response_us], ..Users::default() }
    }

    fn check(of: Users) -> String {
        little(&Subject { target: &Measured { users: vec![of], ..Measured::default() }, law: None })
    }

    #[test]
    fn littles_law_is_kept_within_a_twentieth_or_its_breach_is_told() {
        assert!(check(users(1_000.0, 10_000.0)).contains("within 5 % of 1 at all 1"));
        assert!(check(users(960.0, 10_000.0)).contains("within 5 %"));
        assert!(
            check(users(900.0, 10_000.0))
                .contains("more than 5 % off at 1 of 1 numbers of users (measured): 0.9 at 10 users")
        );
    }

    #[test]
    fn no_round_makes_no_ratio() {
        assert_eq!(littles_ratio(&Users { users: 1, ..Users::default() }), None);
        assert_eq!(littles_ratio(&Users { users: 0, ..users(0.0, 0.0) }), None);
    }
}
