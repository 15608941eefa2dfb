//! The times between moments: how wide each is, and which are cut out.

use super::shown::Interval;
use std::collections::BTreeMap;

/// Two moments are never closer.
pub(super) const LEAST_SEGMENT: f64 = 10.0;
/// How wide a time is that was cut out.
pub(super) const GAP: f64 = 68.0;
/// As wide as this, if there is not much to show.
pub(super) const USUAL_WIDTH: f64 = 780.0;
/// Room in proportion to what must be there at least: without it, no time would pass evenly.
const AIR: f64 = 1.4;
/// A time is long if it is so many times the usual one between two moments…
const LONG_IF_IDLE: u64 = 8;
/// …or, while an operation is under way, so many times.
const LONG_IF_BUSY: u64 = 24;
/// If the usual time is as wide as this anyway, nothing has to be cut out.
const WIDE_ENOUGH: f64 = 16.0;

/// The time from one moment to the next.
#[derive(Clone, Copy, Debug)]
pub(super) struct Segment {
    pub(super) start: u64,
    /// In the timeline's unit; nothing after the last moment.
    pub(super) length: Option<u64>,
    /// Whether an operation is under way that is answered later.
    is_busy: bool,
    pub(super) is_cut: bool,
}

/// The times between the moments at which something happens, and the one after the last.
pub(super) fn segments(intervals: &[Interval]) -> Vec<Segment> {
    let mut changes: BTreeMap<u64, i64> = BTreeMap::new();
    for interval in intervals {
        *changes.entry(interval.called).or_default() += i64::from(interval.returned.is_some());
        if let Some(returned) = interval.returned {
            *changes.entry(returned).or_default() -= 1;
        }
    }
    let next = changes.keys().skip(1).map(|at| Some(*at)).chain([None]);
    let mut under_way = 0;
    let mut segments: Vec<Segment> = Vec::new();
    for ((&start, change), next) in changes.iter().zip(next) {
        under_way += change;
        let length = next.map(|next| next - start);
        segments.push(Segment { start, length, is_busy: under_way > 0, is_cut: false });
    }
    cut_out_long_ones(&mut segments);
    segments
}

/// Cuts out what is long in comparison to the usual time between two moments, if that would hardly be seen otherwise.
fn cut_out_long_ones(segments: &mut [Segment]) {
    let mut lengths: Vec<u64> = segments.iter().filter_map(|segment| segment.length).collect();
    lengths.sort_unstable();
    let Some(&usual) = lengths.get(lengths.len().saturating_sub(1) / 2) else { return };
    let all: f64 = lengths.iter().map(|&length| length as f64).sum();
    let width = USUAL_WIDTH.max(lengths.len() as f64 * 2.0 * LEAST_SEGMENT);
    if usual as f64 / all * width > WIDE_ENOUGH {
        return;
    }
    for segment in segments {
        let long = if segment.is_busy { LONG_IF_BUSY } else { LONG_IF_IDLE };
        segment.is_cut = segment.length.is_some_and(|length| length / long >= usual);
    }
}

/// How wide times are.
#[derive(Clone, Copy, Debug)]
pub(super) struct Scale {
    /// Pixels for each unit of time.
    per_unit: f64,
}

impl Scale {
    /// The scale that fills the usual width, or more where more is needed. `room` is what the dots after a moment need.
    pub(super) fn new(segments: &[Segment], room: impl Fn(u64) -> f64) -> Self {
        let width = |per_unit: f64| -> f64 {
            segments.iter().map(|segment| Self { per_unit }.width(segment, room(segment.start))).sum()
        };
        let wanted = USUAL_WIDTH.max(width(0.0) * AIR);
        let times = segments.iter().filter(|segment| !segment.is_cut).filter_map(|segment| segment.length);
        let all: f64 = times.map(|length| length as f64).sum();
        // The scale that makes it as wide as wanted: it is more the more there is that needs its room anyway.
        let (mut low, mut high) = (0.0, wanted / all.max(1.0));
        for _ in 0..50 {
            let middle = f64::midpoint(low, high);
            if width(middle) < wanted { low = middle } else { high = middle }
        }
        Self { per_unit: low }
    }

    /// `room` is what the dots within need.
    pub(super) fn width(self, segment: &Segment, room: f64) -> f64 {
        let Some(length) = segment.length else { return 0.0 };
        let least = if segment.is_cut { GAP } else { LEAST_SEGMENT.max(length as f64 * self.per_unit) };
        least.max(room)
    }
}
