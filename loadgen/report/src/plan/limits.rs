//! What is passed as sessions or users grow, each alone, and where.

use super::figure::Basis::{self, ClosedForm};
use super::figure::{Figure, Known, Range, Unknown};
use super::forecast::Forecast;
use super::objective::Clause;
use super::search::{State, first_passed};
use serde::Serialize;

/// Mean attempts that the specification promises at most (K3).
const MOST_ATTEMPTS: f64 = 2.0;

/// The share of 503 that marks the specification's exhaustion point (K5).
const EXHAUSTION: f64 = 0.01;

/// A list that takes longer, in µs, is one that people wait for.
const SLOW_LIST_US: f64 = 1e6;

/// More users than anybody plans for.
const MOST_USERS: f64 = 1e9;

/// What grows, the other staying as planned.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize)]
#[serde(rename_all = "snake_case")]
pub enum Grows {
    /// Documents in the folder.
    Sessions,
    /// Users at work.
    Users,
}

/// What kind of end it is.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Serialize)]
#[serde(rename_all = "snake_case")]
pub enum Kind {
    /// An objective is no longer kept.
    Objective,
    /// Something that the specification or a planner would not want.
    Limit,
    /// The end of what is known: nothing is said of beyond.
    Unknown,
}

/// Something that is passed.
#[derive(Clone, Debug, PartialEq, Serialize)]
pub struct Limit {
    /// As what grows.
    pub grows: Grows,
    /// What kind of end.
    pub kind: Kind,
    /// At how many sessions or users, where it may lie, and what that rests on. An upper end that is not known is as
    /// far as anything is.
    pub at: Figure,
    /// What happens there.
    pub happens: String,
    /// Whether the plan lies beyond.
    pub is_passed: bool,
}

impl Grows {
    /// As it is called.
    #[must_use]
    pub fn name(self) -> &'static str {
        match self {
            Self::Sessions => "sessions",
            Self::Users => "users",
        }
    }

    fn of(self, forecast: &Forecast) -> f64 {
        match self {
            Self::Sessions => forecast.at.sessions,
            Self::Users => forecast.at.users,
        }
    }

    fn most(self, forecast: &Forecast) -> f64 {
        match self {
            Self::Sessions => forecast.space().size(),
            Self::Users => MOST_USERS,
        }
    }

    /// The same plan with so many of them.
    fn grown<'a>(self, forecast: &Forecast<'a>, to: f64) -> Forecast<'a> {
        let mut at = forecast.at;
        match self {
            Self::Sessions => at.sessions = to,
            Self::Users => at.users = to,
        }
        Forecast { at, ..*forecast }
    }
}

/// All limits on one axis, in the order in which they are met.
#[must_use]
pub fn limits(forecast: &Forecast, grows: Grows) -> Vec<Limit> {
    let look = Look { forecast, grows };
    let mut limits: Vec<Limit> =
        forecast.question.objective.clauses.iter().filter_map(|clause| look.objective(clause)).collect();
    match grows {
        Grows::Sessions => limits.extend(look.of_sessions()),
        Grows::Users => limits.extend(look.peak()),
    }
    limits.sort_by(|a, b| a.at.value.total_cmp(&b.at.value).then(a.kind.cmp(&b.kind)));
    limits.dedup_by(|later, earlier| later.kind == Kind::Unknown && later.happens == earlier.happens);
    limits
}

/// One axis of a plan.
struct Look<'a> {
    forecast: &'a Forecast<'a>,
    grows: Grows,
}

impl<'a> Look<'a> {
    fn objective(&self, clause: &Clause) -> Option<Limit> {
        let of = |forecast: &Forecast| forecast.quantity(clause.quantity);
        self.limit(Kind::Objective, format!("{} is no longer kept", clause.text), of, |value| !clause.keeps(value))
    }

    fn of_sessions(&self) -> Vec<Limit> {
        let knows = self.forecast.mean_attempts().is_ok_and(|attempts| {
            // A server that knows its free keys takes as many attempts at every fill.
            let full = self.grows.grown(self.forecast, self.grows.most(self.forecast));
            full.mean_attempts().is_ok_and(|at_full| at_full.value <= attempts.value)
        });
        let refusals = if knows {
            "every key is in use: each request for a key gets 503"
        } else {
            "1 in 100 requests for a key gets 503"
        };
        let attempts = self.limit(
            Kind::Limit,
            "a key costs two attempts on average".to_owned(),
            Forecast::mean_attempts,
            |attempts| attempts >= MOST_ATTEMPTS,
        );
        let refused = self.limit(Kind::Limit, refusals.to_owned(), Forecast::refused, |share| share >= EXHAUSTION);
        let list = self.limit(Kind::Limit, "a list takes 1 s".to_owned(), Forecast::list_us, |us| us >= SLOW_LIST_US);
        [attempts, refused, list, self.disk()].into_iter().flatten().collect()
    }

    fn disk(&self) -> Option<Limit> {
        let space = self.forecast.question.disk_bytes?;
        self.limit(Kind::Limit, "the disk is full".to_owned(), Forecast::disk_bytes, |bytes| bytes > space)
    }

    /// Where throughput is highest, or the end of what is known of users.
    fn peak(&self) -> Option<Limit> {
        let at = self.forecast.users_at_peak().ok()?;
        let at = at.clone().extrapolated(at.value / self.forecast.server.most_users()?);
        if self.grows.grown(self.forecast, at.value).goodput_at_once().is_ok() {
            let happens = "throughput of the measured server peaks: more users get less in all".to_owned();
            return Some(self.told(Kind::Limit, at, happens));
        }
        let at_peak = self.grows.grown(self.forecast, at.value);
        self.unknown(&at_peak.goodput_at_once().err()?)
    }

    /// Where a figure passes what is allowed; where it may with the ends of its interval; or where it is not known.
    fn limit(
        &self,
        kind: Kind,
        happens: String,
        figure: impl Fn(&Forecast<'a>) -> Known,
        is_over: impl Fn(f64) -> bool,
    ) -> Option<Limit> {
        let at = |to: f64| figure(&self.grows.grown(self.forecast, to));
        let state = |of: fn(&Figure) -> f64, to: f64| match at(to) {
            Err(_) => State::Unknown,
            Ok(figure) if is_over(of(&figure)) => State::Over,
            Ok(_) => State::Below,
        };
        let (planned, most) = (self.grows.of(self.forecast), self.grows.most(self.forecast));
        let passed = |of: fn(&Figure) -> f64| first_passed(planned, most, |to| state(of, to));
        let place = passed(|figure| figure.value)?.at;
        let here = match at(place) {
            Ok(here) => here,
            Err(why) => return self.unknown(&why),
        };
        let ends = here.range.map(|_| {
            // An end that has passed already, and from the start, leaves it open at the planned number.
            let otherwise = |of| if state(of, planned) == State::Below { most } else { planned };
            let end = |of| passed(of).map_or_else(|| otherwise(of), |passed| passed.at);
            let (one, other) = (end(Figure::low), end(Figure::high));
            Range { low: one.min(other).round(), high: one.max(other).round() }
        });
        let at = Figure { value: place, range: ends, ..here };
        Some(self.told(kind, at, happens))
    }

    fn unknown(&self, why: &Unknown) -> Option<Limit> {
        let Unknown::TooFar { beyond, .. } = *why else { return None };
        let basis: &[Basis] = &[Basis::Measured, Basis::Assumed];
        Some(self.told(Kind::Unknown, Figure::of(beyond, basis), why.to_string()))
    }

    fn told(&self, kind: Kind, at: Figure, happens: String) -> Limit {
        let at = Figure { value: at.value.round(), ..at };
        let planned = self.grows.of(self.forecast);
        let is_passed = if kind == Kind::Unknown { at.value < planned } else { at.value <= planned };
        Limit { grows: self.grows, kind, at, happens, is_passed }
    }
}

/// How far sessions or users can grow.
#[derive(Clone, Debug, PartialEq, Serialize)]
pub struct Headroom {
    /// How many times today's; none where nothing ends it.
    pub times: Option<f64>,
    /// Whether it ends where nothing is known of beyond, rather than at an objective or a limit.
    pub at_least: bool,
    /// What the factor rests on.
    pub basis: Vec<Basis>,
}

/// How many times `today` the first limit ahead is; 0 where an objective is missed already.
#[must_use]
pub fn headroom(limits: &[Limit], today: f64, is_missed: bool) -> Headroom {
    if is_missed {
        return Headroom { times: Some(0.0), at_least: false, basis: vec![ClosedForm] };
    }
    let first = limits.iter().find(|limit| !limit.is_passed);
    Headroom {
        times: first.map(|limit| limit.at.value / today),
        at_least: first.is_some_and(|limit| limit.kind == Kind::Unknown),
        basis: first.map_or_else(|| vec![ClosedForm], |limit| limit.at.basis.clone()),
    }
}

#[cfg(test)]
mod tests;
