//! Response times by percentile, from the histograms.

use crate::page::chances::name;
use crate::page::chart::scale::{Scale, Unit};
use crate::page::chart::{Axis, Chart, Kind, Point, Series};
use crate::page::content::{Basis, Block, Section, Table, chosen, numbers};
use crate::page::number;
use record::measurements::{Measured, Measurements, Users};

pub(in crate::page) const ID: &str = "latency";
pub(in crate::page) const TITLE: &str = "Response time by percentile";

/// Numbers of users that are drawn: of those that were measured, the nearest.
const DRAWN: [f64; 4] = [1.0, 16.0, 128.0, 1_000.0];

/// Percentiles of the table.
const TOLD: [f64; 5] = [0.5, 0.9, 0.99, 0.999, 1.0];

pub(in crate::page) fn section(measurements: &Measurements) -> Section {
    let has_times = |users: &Users| users.sent > 0 && !users.response_us.is_empty();
    let timed = measurements.targets.iter().filter(|target| target.users.iter().any(has_times));
    let charts: Vec<Block> = timed.map(|target| Block::Chart(Box::new(chart(target)))).collect();
    if charts.is_empty() {
        return Section::left_out(ID, TITLE, "no mixed load was measured");
    }
    let about = "All operations of a mixed load, from histograms. Each further nine across is one operation in ten times \
                 as many: 99 % is the slowest of a hundred, 99.9 % of a thousand.";
    let blocks = [vec![Block::Text(about.to_owned())], charts].concat();
    Section { id: ID, title: TITLE, blocks }
}

fn chart(target: &Measured) -> Chart {
    let drawn = drawn(&target.users);
    let of_users = |(hue, of): (usize, &&Users)| {
        [Kind::Line, Kind::Dots].map(|kind| Series {
            name: (kind == Kind::Dots).then(|| number::of(of.users.into(), "user")),
            hue,
            kind,
            points: points(of),
        })
    };
    Chart {
        title: format!("{}: response time by percentile", name(target)),
        sentence: sentence(&drawn),
        x: Axis::new("percentile", Scale::Tail, Unit::Percentile).from(0.0),
        y: Axis::new("response time", Scale::Log, Unit::Time),
        series: drawn.iter().enumerate().flat_map(of_users).collect(),
        marks: Vec::new(),
        table: table(target),
    }
}

/// The measured numbers of users that come nearest to those that are wanted, each once.
fn drawn(users: &[Users]) -> Vec<&Users> {
    let measured = || users.iter().filter(|of| of.sent > 0 && of.users > 0);
    let off = |of: &Users, wanted: f64| (f64::from(of.users) / wanted).ln().abs();
    let nearest = |wanted: f64| measured().min_by(|a, b| off(a, wanted).total_cmp(&off(b, wanted)));
    let mut drawn: Vec<&Users> = DRAWN.into_iter().filter_map(nearest).collect();
    drawn.dedup_by_key(|of| of.users);
    drawn
}

/// The longest time stands where the last operation does: at 1 − 1/n. Beyond that a histogram tells nothing.
fn points(of: &Users) -> Vec<Point> {
    let last = 1.0 - 1.0 / of.sent.max(1) as f64;
    let within = of.response_us.iter().filter(|&&(quantile, us)| quantile > 0.0 && quantile <= last && us > 0);
    let longest = of.response_us.iter().filter(|&&(quantile, us)| quantile >= 1.0 && us > 0);
    let mut points: Vec<Point> = within.map(|&(quantile, us)| Point::at(quantile, us as f64)).collect();
    points.extend(longest.map(|&(_, us)| Point::at(last, us as f64)));
    points
}

fn at(of: &Users, quantile: f64) -> Option<u64> {
    of.response_us.iter().find(|(known, _)| (known - quantile).abs() < 1e-9).map(|&(_, us)| us)
}

fn sentence(drawn: &[&Users]) -> String {
    let of_users = |of: &&Users| {
        let time = |quantile| at(of, quantile).map_or_else(|| number::NONE.to_owned(), |us| number::time(us as f64));
        format!("{}: half within {}, 99 % within {}", number::of(of.users.into(), "user"), time(0.5), time(0.99))
    };
    format!("{} (measured).", drawn.iter().map(of_users).collect::<Vec<_>>().join("; "))
}

fn table(target: &Measured) -> Table {
    let percentile = |quantile: f64| if quantile < 1.0 { number::percentile(quantile) } else { "longest".to_owned() };
    let mut columns = vec![chosen("users"), numbers("operations", Basis::Measured)];
    columns.extend(TOLD.map(|quantile| numbers(&percentile(quantile), Basis::Measured)));
    let row = |of: &Users| {
        let time = |quantile| at(of, quantile).map_or_else(|| number::NONE.to_owned(), |us| number::time(us as f64));
        let mut row = vec![number::count(of.users.into()), number::count(of.sent)];
        row.extend(TOLD.map(time));
        row
    };
    Table::new(format!("{}: response times by users", name(target)), columns).with_rows(target.users.iter().map(row))
}

#[cfg(test)]
mod tests {
    use super::*;

    fn users(users: u32, sent: u64) -> Users {
        let response_us = vec![(0.5, 10), (0.99, 20), (0.9999, 30), (1.0, 40)];
        Users { users, sent, response_us, ..Users::default() }
    }

    #[test]
    fn a_percentile_beyond_the_last_operation_is_not_drawn() {
        let quantiles: Vec<f64> = points(&users(1, 200)).iter().map(|point| point.x).collect();
        assert_eq!(quantiles, [0.5, 0.99, 0.995], "0.9999 of 200 is the longest");
        assert_eq!(points(&users(1, 20_000)).len(), 4);
    }

    #[test]
    fn the_nearest_numbers_of_users_are_drawn_each_once() {
        let measured = [users(1, 9), users(20, 9), users(30, 9), users(500, 0)];
        assert_eq!(drawn(&measured).iter().map(|of| of.users).collect::<Vec<_>>(), [1, 20, 30]);
        assert!(drawn(&[]).is_empty());
    }
}
