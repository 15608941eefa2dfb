//! The answer: the shortest key that keeps every objective, and on which server.

use super::advice::advice;
use super::figure::Unknown;
use super::file::{LengthRow, ServerPlan};
use super::forecast::Forecast;
use super::judged::{Judged, Verdict, worst};
use super::limits::{Grows, headroom, limits};
use super::question::Question;
use super::rows::rows;
use super::server::{ALPHABET, Server};
use stats::keys::KeySpace;
use std::cmp::Ordering;
use std::ops::RangeInclusive;

/// Lengths of keys that are tried.
pub const KEY_LENGTHS: RangeInclusive<u32> = 3..=12;

/// The plan for one server.
///
/// # Errors
/// Where an objective is about something that is not known of it.
pub(super) fn plan_for(server: &Server, question: &Question) -> Result<ServerPlan, Unknown> {
    let at = |key_length| Forecast { server, question, at: question.planned(key_length) };
    let lengths = KEY_LENGTHS.map(|length| judge(&at(length))).collect::<Result<Vec<_>, _>>()?;
    let Some(chosen) = lengths.iter().min_by(|a, b| preference(a, b)) else {
        return Err(Unknown::NeverMeasured { what: "any key length", hint: "" });
    };
    let forecast = at(chosen.key_length);
    let is_missed = chosen.verdict == Verdict::Broken;
    let (of_sessions, of_users) = (limits(&forecast, Grows::Sessions), limits(&forecast, Grows::Users));
    Ok(ServerPlan {
        name: server.name.clone(),
        verdict: chosen.verdict,
        key_length: chosen.key_length,
        objectives: chosen.objectives.clone(),
        sessions_headroom: headroom(&of_sessions, question.sessions as f64, is_missed),
        users_headroom: headroom(&of_users, f64::from(question.users), is_missed),
        figures: rows(&forecast),
        advice: advice(&forecast, &chosen.objectives),
        limits: of_sessions.into_iter().chain(of_users).collect(),
        lengths,
    })
}

fn judge(forecast: &Forecast) -> Result<LengthRow, Unknown> {
    let clauses = &forecast.question.objective.clauses;
    let objectives = clauses.iter().map(|clause| clause.judge(forecast)).collect::<Result<Vec<Judged>, _>>()?;
    let key_length = forecast.at.key_length;
    let keys = KeySpace { alphabet: ALPHABET, length: key_length }.size();
    // More sessions than keys: no figure matters.
    let has_room = forecast.at.sessions <= keys;
    let verdict = if has_room { worst(&objectives) } else { Verdict::Broken };
    Ok(LengthRow { key_length, keys, has_room, verdict, objectives })
}

/// The better verdict first; of the kept ones the shortest key, of the others that which misses least.
fn preference(a: &LengthRow, b: &LengthRow) -> Ordering {
    let by_verdict = a.verdict.cmp(&b.verdict).then(b.has_room.cmp(&a.has_room));
    let misses = |row: &LengthRow| {
        let missed = row.objectives.iter().filter(|judged| judged.verdict == row.verdict);
        missed.fold((0, 0.0_f64), |(count, most), judged| (count + 1, most.max(judged.used)))
    };
    let by_misses = if a.verdict == Verdict::Kept {
        Ordering::Equal
    } else {
        let ((count, most), (other_count, other_most)) = (misses(a), misses(b));
        count.cmp(&other_count).then(most.total_cmp(&other_most))
    };
    by_verdict.then(by_misses).then(a.key_length.cmp(&b.key_length))
}

/// Which of the plans is recommended: the best verdict, the shortest key, then the most headroom in sessions.
pub(super) fn best(plans: &[ServerPlan]) -> Option<&ServerPlan> {
    let room = |plan: &ServerPlan| plan.sessions_headroom.times.unwrap_or(f64::INFINITY);
    plans.iter().min_by(|a, b| {
        let by_answer = (a.verdict, a.key_length).cmp(&(b.verdict, b.key_length));
        by_answer.then(room(b).total_cmp(&room(a)))
    })
}
