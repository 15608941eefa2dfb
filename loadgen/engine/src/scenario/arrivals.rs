//! When an open load's turns arrive, whatever the server does.

use super::plan::{Load, Plan};
use super::random::{Draws, Purpose};
use super::shape::Shape;
use std::fmt;
use std::str::FromStr;

/// How arrivals are spaced. Either way their rate is the level of the shape at the time.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub enum Arrivals {
    /// Evenly: arrival k comes when the level's integral reaches k + ½, so at a rate R the first comes after 1/(2R)
    /// seconds and there are exactly as many as R × duration says.
    Constant,
    /// Independently of one another, as people come: when the integral reaches the sum of k + 1 exponential gaps of
    /// mean 1. That is a Poisson process whose rate follows the level exactly.
    #[default]
    Poisson,
}

/// A turn's planned begin.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Arrival {
    /// Whose turn it is.
    pub user: u32,
    /// Which of the user's turns.
    pub turn: u64,
    /// When it is to begin.
    pub at_us: u64,
}

impl Plan {
    /// An open load's arrivals in order of time, of those users for whom `user % shards == shard`; a closed load has
    /// none. Arrival k is turn k / users of user k % users.
    ///
    /// Every shard walks the whole stream (some nanoseconds an arrival) and keeps its own, so that the plan does not
    /// depend on the number of shards. `shards` has to be 1 or more.
    pub fn arrivals(&self, shard: u32, shards: u32) -> impl Iterator<Item = Arrival> + Send + use<> {
        let (shape, arrivals) = match &self.load {
            Load::Open { stages, arrivals } => (stages.clone(), *arrivals),
            Load::Closed { .. } => (Shape::constant(0.0, 0), Arrivals::Constant),
        };
        let draws = Draws::of(self.seed, Purpose::Arrivals, 0, 0);
        let total = shape.total();
        Stream { shape, total, arrivals, draws, users: self.users, shard, shards, number: 0, count: 0.0, next: (0, 0) }
    }

    /// How many arrivals of an open load are planned in `from_us..to_us`, to tell whether the rate was kept; 0 for a
    /// closed load. Walks the stream up to `to_us`: once a run, not once a second.
    #[must_use]
    pub fn planned_arrivals(&self, from_us: u64, to_us: u64) -> u64 {
        let until = self.arrivals(0, 1).take_while(|arrival| arrival.at_us < to_us);
        until.filter(|arrival| arrival.at_us >= from_us).count() as u64
    }
}

/// The stream of all arrivals, of which a shard keeps its own.
struct Stream {
    shape: Shape,
    /// The shape's integral over all the time.
    total: f64,
    arrivals: Arrivals,
    draws: Draws,
    users: u32,
    shard: u32,
    shards: u32,
    /// Arrivals so far.
    number: u64,
    /// The sum of exponential gaps so far.
    count: f64,
    /// Whose turn is next, and which.
    next: (u32, u64),
}

impl Iterator for Stream {
    type Item = Arrival;

    fn next(&mut self) -> Option<Arrival> {
        loop {
            let count = self.next_count();
            if count >= self.total {
                return None;
            }
            let (user, turn) = self.next_turn();
            if user % self.shards == self.shard {
                return Some(Arrival { user, turn, at_us: self.shape.time_of(count)? });
            }
        }
    }
}

impl Stream {
    /// The integral of the level at which the next arrival comes.
    fn next_count(&mut self) -> f64 {
        match self.arrivals {
            Arrivals::Constant => self.number as f64 + 0.5,
            Arrivals::Poisson => {
                self.count += self.draws.exponential();
                self.count
            }
        }
    }

    fn next_turn(&mut self) -> (u32, u64) {
        let (user, turn) = self.next;
        self.number += 1;
        self.next = if user + 1 < self.users { (user + 1, turn) } else { (0, turn + 1) };
        (user, turn)
    }
}

impl fmt::Display for Arrivals {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.pad(match self {
            Self::Constant => "constant",
            Self::Poisson => "poisson",
        })
    }
}

impl FromStr for Arrivals {
    type Err = String;

    fn from_str(text: &str) -> Result<Self, String> {
        match text {
            "constant" => Ok(Self::Constant),
            "poisson" => Ok(Self::Poisson),
            _ => Err(format!("arrivals do not come {text:?}: choose constant or poisson")),
        }
    }
}
