//! Rules by what was measured: up to where to load a server, and what to measure again.

use super::{Advice, LONGER_KEYS};
use crate::page::chances::name;
use crate::page::law::Law;
use crate::page::number;
use crate::page::number::{digits, of};
use crate::page::predicted;
use crate::predict::{Keys, Search, lists};
use record::measurements::{Measured, Measurements};
use stats::guesses::{SECRET_ENOUGH, expected_without_replacement, length_for_expected};
use stats::keys::{KeySpace, fill_at_exhaustion, fill_at_mean};

/// Sessions that a key should be a secret among: what the specification recommends at most.
const SESSIONS: u64 = 10_000;

/// The longest that somebody who looks at a list waits without noticing, µs.
const NOTICED_US: f64 = 100_000.0;

pub(super) fn all(measurements: &Measurements) -> Vec<Advice> {
    let targets = measurements.targets.iter();
    let mut all: Vec<Advice> = Vec::new();
    all.extend(merged(LONGER_KEYS, targets.clone().filter_map(secret)));
    all.extend(merged(
        "Keep the number of sessions below where random tries run out.",
        targets.clone().filter_map(fill),
    ));
    let users = targets.clone().filter_map(users);
    all.extend(merged("Let no more users in at once than the server gains from.", users));
    all.extend(merged("Page or cache lists.", targets.clone().filter_map(list)));
    all.extend(merged("Measure again on a quieter machine before relying on the fits.", targets.filter_map(missed)));
    all
}

/// One piece of advice for all servers that it is for.
fn merged(what: &str, reasons: impl Iterator<Item = String>) -> Option<Advice> {
    let reasons: Vec<String> = reasons.collect();
    (!reasons.is_empty()).then(|| Advice { what: what.to_owned(), why: reasons.join(" ") })
}

/// Keys that are so few that a session is guessed.
fn secret(target: &Measured) -> Option<String> {
    let alphabet = KeySpace::SPECIFIED.alphabet;
    let spaces = (1..=16).map(|length| KeySpace { alphabet, length });
    let space = spaces.into_iter().find(|space| (space.size() / target.keys as f64 - 1.0).abs() < 1e-6)?;
    let guesses = expected_without_replacement(space, SESSIONS);
    let length = length_for_expected(alphabet, SESSIONS, SECRET_ENOUGH)?;
    (guesses < SECRET_ENOUGH).then(|| {
        format!(
            "{}: with {} characters one of {} sessions is hit after {} guesses; {length} characters make it 2⁴⁰ (assumed).",
            name(target),
            space.length,
            number::count(SESSIONS),
            digits(guesses)
        )
    })
}

fn fill(target: &Measured) -> Option<String> {
    let keys = Keys::fit(&target.fills, target.keys).filter(|fit| fit.search == Search::AtRandom)?;
    let at = |share: f64| digits((share * target.keys as f64).floor());
    let two = fill_at_mean(2.0)?;
    let time = keys
        .at(target.keys)
        .mean_us
        .map_or_else(String::new, |us| format!(", a full folder costs {} a request (fitted)", number::time(us)));
    Some(format!(
        "{}: up to {} sessions a key takes two attempts at most on average, from {} on more than 1 % of requests get none \
         (assumed){time}.",
        name(target),
        at(two),
        at(fill_at_exhaustion(0.01))
    ))
}

fn users(target: &Measured) -> Option<String> {
    let law = Law::of(target)?;
    let peak = law.peak_users()?;
    let (knee, at_peak) = (of(law.knee_users().into(), "user"), digits(law.most()));
    let (largest, at_largest) = (digits(law.largest()), digits(law.at(law.largest())));
    Some(format!(
        "{}: {knee} get nine tenths of the most, {at_peak} a second; beyond {} more users get less, {at_largest} a second \
         with {largest} (fitted).",
        name(target),
        digits(peak.round())
    ))
}

fn list(target: &Measured) -> Option<String> {
    let line = lists(&target.folders)?;
    let largest = target.folders.iter().map(|of| of.documents).max()?;
    let at_largest = line.at(largest as f64);
    let documents = ((NOTICED_US - line.intercept) / line.slope).floor().max(0.0);
    (at_largest > NOTICED_US && line.slope > 0.0).then(|| {
        let (limit, time) = (number::time(NOTICED_US), number::time(at_largest));
        let with = of(largest, "document");
        format!(
            "{}: a list takes {limit} from {} documents on, and {time} with {with} (fitted).",
            name(target),
            digits(documents)
        )
    })
}

/// Predictions that missed their limits.
fn missed(target: &Measured) -> Option<String> {
    let judged: Vec<bool> = predicted::all(target).iter().filter_map(|of| of.is_kept).collect();
    let missed = judged.iter().filter(|&&is_kept| !is_kept).count();
    let all = of(judged.len() as u64, "held-out point");
    (missed > 0).then(|| format!("{}: {missed} of {all} were off by more than their limits (measured).", name(target)))
}
