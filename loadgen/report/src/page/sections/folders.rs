//! What documents cost: the time of a list, and space on the disk.

use crate::page::chances::{held_out, name};
use crate::page::chart::scale::{Scale, Unit};
use crate::page::chart::{Axis, Chart, Kind, Point, Series};
use crate::page::content::{Basis, Block, Section, Table, chosen, numbers, words};
use crate::page::law::CONFIDENCE;
use crate::page::number;
use crate::predict::lists;
use record::measurements::{Folder, Measured, Measurements};
use stats::line::{Errors, LineFit};

pub(in crate::page) const ID: &str = "folders";
pub(in crate::page) const TITLE: &str = "Lists and disk space by documents";

/// Steps of a fitted line.
const STEPS: u32 = 40;

pub(in crate::page) fn section(measurements: &Measurements) -> Section {
    let filled: Vec<&Measured> = measurements.targets.iter().filter(|target| !target.folders.is_empty()).collect();
    if filled.is_empty() {
        return Section::left_out(ID, TITLE, "no folder of documents was measured");
    }
    let about = "A list reads every document. Its median time is a straight line by documents, fitted to the points that \
                 are not held out; the band is the line's 95 % interval (fitted).";
    let charts = [list_chart(&filled), disk_chart(&filled)].map(|chart| Block::Chart(Box::new(chart)));
    let blocks = [vec![Block::Text(about.to_owned())], charts.to_vec()].concat();
    Section { id: ID, title: TITLE, blocks }
}

/// Bytes on the disk by documents, fitted to the points that are not held out.
fn disk(folders: &[Folder]) -> Option<LineFit> {
    let fitted = folders.iter().filter(|of| !of.held_out);
    let points: Vec<(f64, f64)> = fitted.map(|of| (of.documents as f64, of.disk_bytes as f64)).collect();
    LineFit::to(&points, Errors::Plain).ok()
}

type ValueOf = fn(&Folder) -> f64;

fn list_us(of: &Folder) -> f64 {
    of.list_us.p50 as f64
}

fn disk_bytes(of: &Folder) -> f64 {
    of.disk_bytes as f64
}

fn list_chart(targets: &[&Measured]) -> Chart {
    let sentence = |target: &&Measured| {
        let slope = lists(&target.folders).map(|line| {
            let (each, interval) = (number::time(line.slope), line.slope_interval(CONFIDENCE));
            let (low, high) = (number::time(interval.low), number::time(interval.high));
            format!("each document adds {each} (95 %: {low} to {high}, fitted)")
        });
        let last = target.folders.last().map(|of| {
            format!("a list of {} takes {} (measured)", number::of(of.documents, "document"), number::time(list_us(of)))
        });
        said(target, [slope, last])
    };
    Chart {
        title: "Median time of a list".to_owned(),
        sentence: targets.iter().map(sentence).collect::<Vec<_>>().join(" "),
        x: Axis::new("documents in the folder", Scale::Linear, Unit::Number).from(0.0),
        y: Axis::new("median time of a list", Scale::Linear, Unit::Time).from(0.0),
        series: series(targets, list_us, lists),
        marks: Vec::new(),
        table: list_table(targets),
    }
}

fn disk_chart(targets: &[&Measured]) -> Chart {
    let sentence = |target: &&Measured| {
        let slope = disk(&target.folders)
            .map(|line| format!("each document takes {} on the disk (fitted)", number::bytes(line.slope)));
        let last = target.folders.last().map(|of| {
            format!("{} take {} (measured)", number::of(of.documents, "document"), number::bytes(disk_bytes(of)))
        });
        said(target, [slope, last])
    };
    Chart {
        title: "Disk space".to_owned(),
        sentence: targets.iter().map(sentence).collect::<Vec<_>>().join(" "),
        x: Axis::new("documents in the folder", Scale::Linear, Unit::Number).from(0.0),
        y: Axis::new("bytes on the disk", Scale::Linear, Unit::Bytes).from(0.0),
        series: series(targets, disk_bytes, disk),
        marks: Vec::new(),
        table: disk_table(targets),
    }
}

fn said(target: &Measured, parts: [Option<String>; 2]) -> String {
    let parts: Vec<String> = parts.into_iter().flatten().collect();
    format!("{}: {}.", name(target), number::and(&parts))
}

fn series(targets: &[&Measured], value: ValueOf, fit: impl Fn(&[Folder]) -> Option<LineFit>) -> Vec<Series> {
    let of_target = |(hue, target): (usize, &&Measured)| {
        let name = name(target);
        let points = |is_held_out: bool| {
            let folders = target.folders.iter().filter(|of| of.held_out == is_held_out);
            folders.map(|of| Point::at(of.documents as f64, value(of))).collect::<Vec<_>>()
        };
        let line = fit(&target.folders).map(|line| fitted(&line, &target.folders)).unwrap_or_default();
        let mut series = vec![
            Series::new(format!("{name}, 95 % of the fit"), hue, Kind::Band, line.clone()),
            Series::new(format!("{name}, fit"), hue, Kind::Line, line),
            Series::new(format!("{name}, measured"), hue, Kind::Dots, points(false)),
            Series::new(format!("{name}, held out"), hue, Kind::HeldOut, points(true)),
        ];
        series.retain(|series| !series.points.is_empty());
        series
    };
    targets.iter().enumerate().flat_map(of_target).collect()
}

/// The line and its interval from none to the most documents.
fn fitted(line: &LineFit, folders: &[Folder]) -> Vec<Point> {
    let most = folders.iter().map(|of| of.documents).max().unwrap_or(0) as f64;
    let at = |step: u32| {
        let documents = most * f64::from(step) / f64::from(STEPS);
        let interval = line.mean_interval(documents, CONFIDENCE);
        Point::between(documents, line.at(documents), interval.low.max(0.0), interval.high)
    };
    (0..=STEPS).map(at).collect()
}

fn list_table(targets: &[&Measured]) -> Table {
    let columns = vec![
        words("server"),
        chosen("documents"),
        numbers("median", Basis::Measured),
        numbers("99 %", Basis::Measured),
        numbers("size of the answer", Basis::Measured),
        numbers("line", Basis::Fitted),
        words("point"),
    ];
    let of_target = |target: &&Measured| {
        let line = lists(&target.folders);
        let row = |of: &Folder| {
            let at = line.map_or(f64::NAN, |line| line.at(of.documents as f64));
            let (p50, p99) = (number::time(list_us(of)), number::time(of.list_us.p99 as f64));
            let (documents, size) = (number::count(of.documents), number::bytes(of.list_bytes as f64));
            vec![name(target), documents, p50, p99, size, number::time(at), held_out(of.held_out)]
        };
        target.folders.iter().map(row).collect::<Vec<_>>()
    };
    Table::new("Time of a list by documents", columns).with_rows(targets.iter().flat_map(of_target))
}

fn disk_table(targets: &[&Measured]) -> Table {
    let columns = vec![
        words("server"),
        chosen("documents"),
        numbers("on the disk", Basis::Measured),
        numbers("line", Basis::Fitted),
        words("point"),
    ];
    let of_target = |target: &&Measured| {
        let line = disk(&target.folders);
        let row = |of: &Folder| {
            let at = line.map_or(f64::NAN, |line| line.at(of.documents as f64).max(0.0));
            let (documents, size) = (number::count(of.documents), number::bytes(disk_bytes(of)));
            vec![name(target), documents, size, number::bytes(at), held_out(of.held_out)]
        };
        target.folders.iter().map(row).collect::<Vec<_>>()
    };
    Table::new("Disk space by documents", columns).with_rows(targets.iter().flat_map(of_target))
}
