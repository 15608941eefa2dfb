//! A level over time.

use super::stage::Stage;
use super::units::{SECOND_US, seconds, whole};

/// A piecewise linear level over a run's time: a warm-up (if any), then stages.
///
/// The warm-up keeps the level the first stage starts with, if that is a hold or a soak. Before a ramp or a spike that
/// level is 0, so the warm-up is idle. Levels are users (closed load) or arrivals a second (open load).
#[derive(Clone, Debug, PartialEq)]
pub struct Shape {
    stages: Vec<Stage>,
    warm_up_us: u64,
    /// One after the other from 0 on, without gaps.
    pieces: Vec<Piece>,
}

/// A stretch of time in which the level is a straight line.
#[derive(Clone, Copy, Debug, PartialEq)]
struct Piece {
    start_us: u64,
    /// The first microsecond no longer of it.
    end_us: u64,
    from: f64,
    to: f64,
    /// The integral of the level up to `start_us`, and up to `end_us`.
    count_at_start: f64,
    count_at_end: f64,
}

impl Shape {
    /// One level all the time.
    #[must_use]
    pub fn constant(level: f64, duration_us: u64) -> Self {
        Self::build(vec![Stage::Hold { duration_us, level: Some(level) }], 0)
    }

    /// The stages one after the other.
    ///
    /// # Errors
    /// If there are none, or the first is to keep a level where there is none yet.
    pub fn of_stages(stages: &[Stage]) -> Result<Self, String> {
        match stages.first() {
            None => Err("there are no stages: write at least one, such as hold:60s:200".into()),
            Some(first @ (Stage::Hold { level: None, .. } | Stage::Soak { level: None, .. })) => {
                Err(format!("the first stage, {first}, has no level before it to keep: say which, as in {first}:200"))
            }
            Some(_) => Ok(Self::build(stages.to_vec(), 0)),
        }
    }

    /// The same stages, begun so much later.
    #[must_use]
    pub fn after_warm_up(self, warm_up_us: u64) -> Self {
        Self::build(self.stages, warm_up_us)
    }

    fn build(stages: Vec<Stage>, warm_up_us: u64) -> Self {
        let mut pieces = Vec::with_capacity(stages.len() + 1);
        let mut level = match stages.first() {
            Some(Stage::Hold { level, .. } | Stage::Soak { level, .. }) => level.unwrap_or_default(),
            _ => 0.0,
        };
        push(&mut pieces, warm_up_us, level, level);
        for stage in &stages {
            let (from, to, after) = match *stage {
                Stage::Ramp { level: to, .. } => (level, to, to),
                Stage::Spike { level: peak, .. } => (peak, peak, level),
                Stage::Hold { level: to, .. } | Stage::Soak { level: to, .. } => {
                    let kept = to.unwrap_or(level);
                    (kept, kept, kept)
                }
            };
            push(&mut pieces, stage.duration_us(), from, to);
            level = after;
        }
        Self { stages, warm_up_us, pieces }
    }

    /// The stages, as they were given.
    #[must_use]
    pub fn stages(&self) -> &[Stage] {
        &self.stages
    }

    /// How long the level before the first stage is kept.
    #[must_use]
    pub fn warm_up_us(&self) -> u64 {
        self.warm_up_us
    }

    /// The first microsecond after the last stage.
    #[must_use]
    pub fn end_us(&self) -> u64 {
        self.pieces.last().map_or(0, |piece| piece.end_us)
    }

    /// The highest level.
    #[must_use]
    pub fn peak(&self) -> f64 {
        self.pieces.iter().map(|piece| piece.from.max(piece.to)).fold(0.0, f64::max)
    }

    /// The level at that time; 0 after the end.
    #[must_use]
    pub fn level_at(&self, t_us: u64) -> f64 {
        let index = self.pieces.partition_point(|piece| piece.end_us <= t_us);
        self.pieces.get(index).map_or(0.0, |piece| piece.level_at(t_us))
    }

    /// The integral of the level up to that time, in level × seconds: the arrivals until then.
    #[must_use]
    pub fn cumulative(&self, t_us: u64) -> f64 {
        let index = self.pieces.partition_point(|piece| piece.end_us <= t_us);
        self.pieces.get(index).map_or_else(|| self.total(), |piece| piece.count_until(t_us))
    }

    /// The integral over all the time.
    #[must_use]
    pub fn total(&self) -> f64 {
        self.pieces.last().map_or(0.0, |piece| piece.count_at_end)
    }

    /// The inverse of [`Shape::cumulative`], to the nearest microsecond before the end: when so many have arrived. None
    /// if there are never more than that many.
    #[must_use]
    pub fn time_of(&self, count: f64) -> Option<u64> {
        let index = self.pieces.partition_point(|piece| piece.count_at_end <= count);
        let time_us = self.pieces.get(index)?.time_of(count);
        Some(time_us.min(self.end_us().saturating_sub(1)))
    }

    /// The first microsecond at or after `t_us` at which the level is above this one.
    #[must_use]
    pub fn first_above(&self, level: f64, t_us: u64) -> Option<u64> {
        self.pieces.iter().find_map(|piece| piece.first_above(level, t_us))
    }
}

fn push(pieces: &mut Vec<Piece>, duration_us: u64, from: f64, to: f64) {
    if duration_us == 0 {
        return;
    }
    let (start_us, count_at_start) = pieces.last().map_or((0, 0.0), |piece| (piece.end_us, piece.count_at_end));
    let count_at_end = count_at_start + f64::midpoint(from, to) * seconds(duration_us);
    pieces.push(Piece { start_us, end_us: start_us + duration_us, from, to, count_at_start, count_at_end });
}

impl Piece {
    /// The rise of the level in a second.
    fn slope_per_s(&self) -> f64 {
        (self.to - self.from) / seconds(self.end_us - self.start_us)
    }

    fn level_at(&self, t_us: u64) -> f64 {
        self.from + self.slope_per_s() * seconds(t_us - self.start_us)
    }

    fn count_until(&self, t_us: u64) -> f64 {
        self.count_at_start + f64::midpoint(self.from, self.level_at(t_us)) * seconds(t_us - self.start_us)
    }

    /// Solves `from·x + slope/2·x² = count` in the form that does not lose digits where the slope is small.
    fn time_of(&self, count: f64) -> u64 {
        let missing = (count - self.count_at_start).max(0.0);
        let root = (self.from * self.from + 2.0 * self.slope_per_s() * missing).max(0.0).sqrt();
        let level_sum = self.from + root;
        let after_s = if level_sum > 0.0 { 2.0 * missing / level_sum } else { 0.0 };
        (self.start_us + whole(after_s * SECOND_US as f64)).min(self.end_us)
    }

    fn first_above(&self, level: f64, t_us: u64) -> Option<u64> {
        let from_us = t_us.max(self.start_us);
        if from_us >= self.end_us || self.level_at(from_us).max(self.to) <= level {
            return None;
        }
        if self.level_at(from_us) > level {
            return Some(from_us);
        }
        // It rises through the level within this piece: at this time or the microsecond after.
        let crossing_us = self.start_us + whole((level - self.from) / self.slope_per_s() * SECOND_US as f64);
        (crossing_us.max(from_us)..self.end_us).find(|&t_us| self.level_at(t_us) > level)
    }
}
