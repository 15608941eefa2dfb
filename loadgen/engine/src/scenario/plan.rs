//! A run's plan, what is wrong with it, and when its users are there.

use super::Scenario;
use super::arrivals::Arrivals;
use super::mix::Mix;
use super::random::{Draws, Purpose};
use super::shape::Shape;
use super::sizes::Sizes;
use super::text::PlanText;
use super::think::Think;
use super::units::{LONGEST_US, SECOND_US, duration_text, parse_span_us, whole};
use serde::{Deserialize, Serialize};
use std::fmt;
use std::str::FromStr;

/// No run has more users: each has a connection of its own, and beyond this a machine runs out of ports and descriptors
/// before its server is measured.
pub const MOST_USERS: u32 = 10_000;

/// No open load has a higher rate, in arrivals a second: arrivals are planned to the microsecond.
pub const MOST_RATE_PER_S: f64 = 1_000_000.0;

/// All three-character keys (36³), of which a user needs one at a time.
const ALL_KEYS: u32 = 46_656;
const _: () = assert!(MOST_USERS < ALL_KEYS, "every user finds a key, so no check of the plan has to count them");

/// Without a warm-up, the journey's users begin within this time: that all begin in one instant is another experiment.
const START_WITHIN_US: u64 = 2 * SECOND_US;

/// All that decides what is sent when, apart from the server's answers.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
#[serde(into = "PlanText", try_from = "PlanText")]
pub struct Plan {
    /// Decides all draws.
    pub seed: u64,
    /// What the users do.
    pub scenario: Scenario,
    /// How many there are.
    pub users: u32,
    /// When turns begin, and for how long; the warm-up is the shape's.
    pub load: Load,
    /// How long users think.
    pub think: Think,
    /// How large documents are.
    pub sizes: Sizes,
    /// What turns of the scenario `mixed` do.
    pub mix: Mix,
}

/// When turns begin.
#[derive(Clone, Debug, PartialEq)]
pub enum Load {
    /// A user's next turn waits for the one before: a slow server is asked less.
    Closed {
        /// Users active over time.
        stages: Shape,
        /// When the next turn begins.
        pacing: Pacing,
    },
    /// Turns arrive whatever the server does.
    Open {
        /// Arrivals a second over time.
        stages: Shape,
        /// How they are spaced.
        arrivals: Arrivals,
    },
}

/// When a user's next turn begins, with a closed load.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub enum Pacing {
    /// After the last turn's answer and the think time.
    #[default]
    Think,
    /// So many microseconds after the last step was meant to be sent: for turns of one step, one turn in that time.
    Pace(u64),
}

impl Plan {
    /// What is wrong with the plan, if anything, and what to do about it.
    ///
    /// # Errors
    /// If it cannot be run as it is meant.
    pub fn check(&self) -> Result<(), String> {
        if !(1..=MOST_USERS).contains(&self.users) {
            return Err(format!("{} users: choose from 1 to {MOST_USERS}", self.users));
        }
        self.check_time()?;
        let peak = self.stages().peak();
        if peak.is_nan() || peak <= 0.0 {
            return Err("the level is 0 all the time: give a rate, or a stage with a level, above 0".into());
        }
        match &self.load {
            Load::Open { .. } if peak > MOST_RATE_PER_S => {
                Err(format!("{peak} arrivals a second: the rate can be {MOST_RATE_PER_S} at most"))
            }
            Load::Closed { .. } if peak > f64::from(self.users) => Err(format!(
                "the stages go up to {peak} users but there are {}: give as many users, or lower the stages",
                self.users
            )),
            Load::Closed { pacing: Pacing::Pace(0), .. } => {
                Err("a pace of 0 would begin turns without end: give a pace above 0, or none".into())
            }
            Load::Open { .. } | Load::Closed { .. } => Ok(()),
        }
    }

    fn check_time(&self) -> Result<(), String> {
        if self.duration_us() == 0 {
            return Err("the run has no duration: give one above 0, such as 30s".into());
        }
        if self.end_us() > LONGEST_US {
            return Err(format!("the run would take {}: a week (7days) is the most", duration_text(self.end_us())));
        }
        Ok(())
    }

    /// The level over time, warm-up and all.
    #[must_use]
    pub fn stages(&self) -> &Shape {
        match &self.load {
            Load::Closed { stages, .. } | Load::Open { stages, .. } => stages,
        }
    }

    /// How long the run takes before it is measured.
    #[must_use]
    pub fn warm_up_us(&self) -> u64 {
        self.stages().warm_up_us()
    }

    /// How long the run is measured: all its stages.
    #[must_use]
    pub fn duration_us(&self) -> u64 {
        self.end_us() - self.warm_up_us()
    }

    /// The first microsecond after the run.
    #[must_use]
    pub fn end_us(&self) -> u64 {
        self.stages().end_us()
    }

    /// How many users are there at most at one time: all of them, or as many as a closed load's stages go up to.
    #[must_use]
    pub fn most_users(&self) -> u32 {
        match &self.load {
            Load::Open { .. } => self.users,
            Load::Closed { stages, .. } => {
                u32::try_from(whole(stages.peak().ceil())).unwrap_or(u32::MAX).min(self.users)
            }
        }
    }

    /// When, at or after `t_us`, a closed load's user is active: now, later, or (None) never again.
    ///
    /// User u is active while u is below the level, so that the number of users active is the level, rounded up. An
    /// open load's users are never active by themselves.
    #[must_use]
    pub fn active_from(&self, user: u32, t_us: u64) -> Option<u64> {
        match &self.load {
            Load::Closed { stages, .. } if user < self.users => stages.first_above(f64::from(user), t_us),
            Load::Closed { .. } | Load::Open { .. } => None,
        }
    }

    /// When a closed load's user begins its first turn, if it is active then.
    ///
    /// The journey's users begin one after the other, each somewhere in its own slot of the warm-up (of two seconds if
    /// there is none, but never of more than the run). Users of other scenarios begin at 0, or, at a pace, evenly over
    /// its length: that all take their turns at the same moments is another experiment.
    #[must_use]
    pub fn start_us(&self, user: u32) -> u64 {
        if let Load::Closed { pacing: Pacing::Pace(pace_us), .. } = self.load
            && self.scenario != Scenario::Journey
        {
            return pace_us * u64::from(user) / u64::from(self.most_users().max(1));
        }
        if self.scenario != Scenario::Journey || matches!(self.load, Load::Open { .. }) {
            return 0;
        }
        let within_us = if self.warm_up_us() > 0 { self.warm_up_us() } else { START_WITHIN_US.min(self.end_us()) };
        let slots = u64::from(self.most_users().max(1));
        let slot = u64::from(user) % slots;
        let (from_us, to_us) = (within_us * slot / slots, within_us * (slot + 1) / slots);
        Draws::of(self.seed, Purpose::Start, user, 0).between(from_us, to_us)
    }
}

impl fmt::Display for Pacing {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match *self {
            Self::Think => f.write_str("think"),
            Self::Pace(pace_us) => write!(f, "pace:{}", duration_text(pace_us)),
        }
    }
}

impl FromStr for Pacing {
    type Err = String;

    fn from_str(text: &str) -> Result<Self, String> {
        match text.strip_prefix("pace:") {
            Some(pace) => parse_span_us(pace).map(Self::Pace).map_err(|mistake| format!("pacing {text:?}: {mistake}")),
            None if text == "think" => Ok(Self::Think),
            None => Err(format!("there is no pacing {text:?}: choose think, or a pace as in pace:1s")),
        }
    }
}
