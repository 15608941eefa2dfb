//! What the model and the measurements say of one point: so many sessions and users, with keys of a length.

mod load;
mod times;

use super::figure::Basis::{Assumed, ClosedForm, Fitted, Measured};
use super::figure::{Figure, Known, Range, Unknown};
use super::objective::Quantity;
use super::question::{Question, Situation};
use super::server::{ALPHABET, CONFIDENCE, Reserves, Server};
use crate::predict::Search;
use stats::collisions::{DAY_S, Sharing, Traffic, at_once};
use stats::folder::DiskSpace;
use stats::guesses::expected_without_replacement;
use stats::keys::{Attempts, KeySpace};

/// Characters of the keys that were measured: the specification's.
const MEASURED_LENGTH: u32 = 3;

/// One point of a plan.
#[derive(Clone, Copy, Debug)]
pub struct Forecast<'a> {
    /// Of this server.
    pub server: &'a Server,
    /// With what is assumed of the load.
    pub question: &'a Question,
    /// At this point.
    pub at: Situation,
}

impl Forecast<'_> {
    /// What an objective is about, in its unit.
    ///
    /// # Errors
    /// Where it is not known, and why.
    pub fn quantity(&self, quantity: Quantity) -> Known {
        match quantity {
            Quantity::Time(operation, quantile) => self.time_us(operation, quantile),
            Quantity::ListMedian => self.list_us(),
            Quantity::Goodput => self.goodput_at_once(),
            Quantity::Refused => self.refused(),
            Quantity::SharedRisk => Ok(self.shared_risk_a_day()),
            Quantity::Guesses => Ok(self.guesses()),
        }
    }

    /// The keys that there are.
    #[must_use]
    pub fn space(&self) -> KeySpace {
        KeySpace { alphabet: ALPHABET, length: self.at.key_length }
    }

    /// The share of the keys that is in use.
    #[must_use]
    pub fn fill(&self) -> f64 {
        self.space().fill(self.at.sessions)
    }

    fn search(&self) -> Result<Search, Unknown> {
        let never = Unknown::NeverMeasured {
            what: "how the server finds a free key",
            hint: ": `loadgen measure --saves DIR` counts the attempts where the folder is empty and attempts are told",
        };
        self.server.search(self.at.key_length).ok_or(never)
    }

    /// Mean attempts of a request for a key.
    ///
    /// # Errors
    /// Where attempts were not measured.
    pub fn mean_attempts(&self) -> Known {
        Ok(Figure::of(self.search()?.mean_attempts(self.fill()), &[ClosedForm]))
    }

    /// Attempts that 99 in 100 requests do not exceed.
    ///
    /// # Errors
    /// Where attempts were not measured.
    pub fn p99_attempts(&self) -> Known {
        let attempts = match self.search()? {
            Search::AtRandom => f64::from(Attempts::at(self.fill()).percentile(0.99)),
            Search::ByKnowledge => 1.0,
        };
        Ok(Figure::of(attempts, &[ClosedForm]))
    }

    /// Share of the requests for a key that is answered 503.
    ///
    /// # Errors
    /// Where attempts were not measured.
    pub fn refused(&self) -> Known {
        Ok(Figure::of(self.search()?.refused(self.fill()), &[ClosedForm]))
    }

    /// The chance that two users share a session within a day. Where it is not known whether the server reserves keys,
    /// from none to what there is without.
    #[must_use]
    pub fn shared_risk_a_day(&self) -> Figure {
        let traffic = Traffic::holding(self.at.sessions, self.question.window(), self.question.life_s);
        let sharing = match self.server.reserves {
            Reserves::For(ttl_s) => Sharing::reserved(self.space(), traffic, ttl_s),
            Reserves::Nothing | Reserves::Unknown => Sharing::unreserved(self.space(), traffic),
        };
        // With no key free a reserving server hands none out, so that none is shared; of another the worst is taken.
        let without_free_keys = if matches!(self.server.reserves, Reserves::For(_)) { 0.0 } else { 1.0 };
        let risk = sharing.map_or(without_free_keys, |sharing| sharing.any_shared_within(DAY_S));
        self.unless_reserved(risk)
    }

    /// The chance that all users, opening a session at once, do not each get a key of their own.
    #[must_use]
    #[allow(clippy::cast_possible_truncation, clippy::cast_sign_loss, reason = "whole numbers of users and documents")]
    pub fn shared_at_once(&self) -> Figure {
        match self.server.reserves {
            Reserves::For(_) => Figure::of(0.0, &[ClosedForm, Assumed]),
            Reserves::Nothing | Reserves::Unknown => {
                self.unless_reserved(at_once(self.space(), self.at.sessions as usize, self.at.users as usize))
            }
        }
    }

    fn unless_reserved(&self, risk: f64) -> Figure {
        let is_unknown = self.server.reserves == Reserves::Unknown;
        Figure::of(risk, &[ClosedForm, Assumed]).within(is_unknown.then_some(Range { low: 0.0, high: risk }))
    }

    /// Expected guesses until a session is hit.
    #[must_use]
    #[allow(clippy::cast_possible_truncation, clippy::cast_sign_loss, reason = "a whole number of documents")]
    pub fn guesses(&self) -> Figure {
        Figure::of(expected_without_replacement(self.space(), self.at.sessions as u64), &[ClosedForm])
    }

    /// The median time of a list, in µs.
    ///
    /// # Errors
    /// Where lists were not measured, or not so far.
    pub fn list_us(&self) -> Known {
        let (Some(line), Some(most)) = (&self.server.lists, self.server.most_listed()) else {
            return Err(Unknown::NeverMeasured {
                what: "the time of a list by documents",
                hint: ": `loadgen measure` does where the folder is empty",
            });
        };
        let times = self.within_reach(self.at.sessions, most, "the time of a list", "documents")?;
        let interval = line.mean_interval(self.at.sessions, CONFIDENCE);
        Ok(Figure::of(line.at(self.at.sessions).max(0.0), &[Fitted]).within(Some(interval)).extrapolated(times))
    }

    /// Space on the disk, in bytes.
    ///
    /// # Errors
    /// Where it was not measured.
    #[allow(clippy::cast_possible_truncation, clippy::cast_sign_loss, reason = "a whole number of documents")]
    pub fn disk_bytes(&self) -> Known {
        let bytes_each = self.server.document_bytes().ok_or(Unknown::NeverMeasured {
            what: "the space of documents on the disk",
            hint: ": `loadgen measure` does where the folder is empty",
        })?;
        let space = DiskSpace::of(self.at.sessions as u64, bytes_each, self.at.key_length);
        Ok(Figure::of(space.total_bytes(), &[Measured, ClosedForm]))
    }

    /// How far `at` lies beyond the largest measured, as a multiple; 1 where it does not.
    fn within_reach(&self, at: f64, largest: f64, what: &'static str, unit: &'static str) -> Result<f64, Unknown> {
        let reach = largest * self.question.max_extrapolation;
        if at > reach { Err(Unknown::TooFar { what, beyond: reach, unit }) } else { Ok((at / largest).max(1.0)) }
    }
}

#[cfg(test)]
mod tests;
