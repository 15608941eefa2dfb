//! How long operations take: of one user, and how much longer among many.

use super::super::figure::Basis::{self, Assumed, ClosedForm, Fitted, Measured};
use super::super::figure::{Figure, Known, Range, Unknown};
use super::super::objective::{Operation, Quantile};
use super::super::server::quantile_us;
use super::super::typical::typical;
use super::{Forecast, MEASURED_LENGTH};
use record::measurements::Users;

impl Forecast<'_> {
    /// A figure of an operation's times, in µs: that of one user, and so many times longer as it was among the users
    /// that were measured.
    ///
    /// # Errors
    /// Where it was not measured, or not so far.
    pub fn time_us(&self, operation: Operation, quantile: Quantile) -> Known {
        let alone = match operation {
            Operation::GenerateKey => self.key_us(quantile)?,
            other => self.alone_us(other, quantile)?,
        };
        let longer = self.longer(operation, quantile)?;
        let figure = alone.extrapolated(self.users_within_reach()?);
        Ok(if longer > 1.0 { figure.times(longer).also(Fitted).also(Assumed) } else { figure })
    }

    /// `generate-key` of one user at this fill.
    fn key_us(&self, quantile: Quantile) -> Known {
        self.search()?;
        let most = self.server.most_documents().unwrap_or(0.0);
        let times = self.within_reach(self.at.sessions, most, "the time of generate-key", "documents")?;
        let never =
            Unknown::NeverMeasured { what: "the time of generate-key by fill", hint: ": `loadgen measure` does" };
        let time = self.server.key_time(quantile, self.fill()).ok_or(never)?;
        let basis: &[Basis] = if time.is_fitted { &[Fitted, ClosedForm] } else { &[Measured] };
        let figure = Figure::of(time.us, basis).within(Some(time.range)).extrapolated(times);
        Ok(if self.at.key_length == MEASURED_LENGTH { figure } else { figure.also(Assumed) })
    }

    /// Another operation of one user, as it was measured with the fewest users; as uncertain as its rounds differed.
    fn alone_us(&self, operation: Operation, quantile: Quantile) -> Known {
        let never = Unknown::NeverMeasured { what: operation.name(), hint: " by users: `loadgen measure` does" };
        let fewest = self.server.users.first().ok_or(never.clone())?;
        let value = time_of(fewest, operation, quantile).ok_or(never)?;
        let range = typical(fewest.mean_response_us.clone())
            .map(|(median, range)| Range { low: value * range.low / median, high: value * range.high / median });
        Ok(Figure::of(value, &[Measured]).within(range))
    }

    /// How many times longer an operation takes among so many at once than with the fewest users measured: between two
    /// measured numbers of users on a straight line of logarithms, beyond the last in proportion.
    fn longer(&self, operation: Operation, quantile: Quantile) -> Result<f64, Unknown> {
        let at_once = self.requests_at_once()?;
        let points: Vec<(f64, f64)> = (self.server.users.iter())
            .filter_map(|point| Some((f64::from(point.users), time_of(point, operation, quantile)?)))
            .collect();
        let (Some(first), Some(last)) = (points.first(), points.last()) else {
            return Err(Unknown::NeverMeasured { what: operation.name(), hint: " by users: `loadgen measure` does" });
        };
        let at = points.partition_point(|(users, _)| *users <= at_once);
        let time = match (at.checked_sub(1).map(|before| points[before]), points.get(at)) {
            (None, _) => first.1,
            (Some(_), None) => last.1 * at_once / last.0,
            (Some(low), Some(high)) => {
                let share = (at_once / low.0).ln() / (high.0 / low.0).ln();
                low.1 * (high.1 / low.1).powf(share)
            }
        };
        Ok((time / first.1).max(1.0))
    }
}

/// A measured time, where the operation occurred.
fn time_of(point: &Users, operation: Operation, quantile: Quantile) -> Option<f64> {
    point.operations.get(operation.name()).map(|times| quantile_us(times, quantile)).filter(|time| *time > 0.0)
}
