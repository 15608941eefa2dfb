//! What would help where an objective is not kept.

use super::forecast::Forecast;
use super::judged::{Judged, Verdict};
use super::objective::{Clause, Operation, Quantity};
use super::server::{ALPHABET, Reserves};
use super::text::count;
use stats::guesses::length_for_expected;

/// A sentence for each objective that is not kept.
pub(super) fn advice(forecast: &Forecast, objectives: &[Judged]) -> Vec<String> {
    let clauses = forecast.question.objective.clauses.iter().zip(objectives);
    clauses
        .filter_map(|(clause, judged)| Some(format!("{}: {}", clause.text, help(forecast, clause, judged)?)))
        .collect()
}

fn help(forecast: &Forecast, clause: &Clause, judged: &Judged) -> Option<String> {
    match judged.verdict {
        Verdict::Kept => None,
        Verdict::Open => Some(
            "measure again, on a machine with nothing else to do and without --quick, for narrower intervals"
                .to_owned(),
        ),
        Verdict::Broken => Some(remedy(forecast, clause)),
    }
}

fn remedy(forecast: &Forecast, clause: &Clause) -> String {
    let reserves = forecast.server.reserves;
    match clause.quantity {
        Quantity::Time(Operation::GenerateKey, _) | Quantity::Refused if reserves == Reserves::Nothing => {
            "the hardened protocol, which takes about one attempt at any fill; or fewer sessions by a shorter life"
                .to_owned()
        }
        Quantity::Time(..) => "fewer users or longer pauses between operations, or a faster server".to_owned(),
        Quantity::Refused => "fewer sessions, by a shorter life".to_owned(),
        Quantity::ListMedian => "fewer documents, by a shorter life: no key length changes it".to_owned(),
        Quantity::Goodput => {
            "another server, or more of its processes: neither key length nor fewer sessions change it".to_owned()
        }
        Quantity::SharedRisk => match reserves {
            Reserves::For(_) => "a reservation (--reservation-ttl) longer than the longest window".to_owned(),
            Reserves::Nothing | Reserves::Unknown => {
                "the hardened protocol, which reserves keys; or a shorter window before instantiate".to_owned()
            }
        },
        Quantity::Guesses => guesses(forecast, clause.limit),
    }
}

#[allow(clippy::cast_possible_truncation, clippy::cast_sign_loss, reason = "a whole number of sessions")]
fn guesses(forecast: &Forecast, limit: f64) -> String {
    let sessions = forecast.at.sessions;
    let length = length_for_expected(ALPHABET, sessions as u64, limit);
    let length =
        length.map_or("more characters than a name can have".to_owned(), |length| format!("{length} characters"));
    format!("{} sessions need keys of {length} (closed form), or a secret beside the key", count(sessions))
}
