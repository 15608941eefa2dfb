//! The gates' answers, from what there is. Correctness comes first, and nothing is tolerated there; then what can be
//! counted, exactly; then limits; and times last, which chance moves.
//!
//! Architecture invariant: pure. What the bootstrap draws comes from the comparison's own seed.

use super::evidence::{Evidence, Figures};
use super::gates::{Gates, RatioGate};
use crate::run::words;
use record::claims::{ClaimId, ClaimReport, Outcome, Report, Verdict};
use record::comparison::{Comparison, Side};
use record::figures::in_words;
use record::run::RunReport;
use stats::ratio::{Answer, Bound, Pair, Ratio};
use stats::statistics::percentile;
use std::collections::{BTreeMap, BTreeSet};

/// What a gate is about, in the order in which they are judged.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub enum Stage {
    /// Wrong answers, verdicts.
    Correctness,
    /// What operations cost in things that can be counted.
    Counts,
    /// Limits of a load.
    Limits,
    /// B to A.
    Ratios,
}

/// One gate's answer.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Judged {
    /// What it is about.
    pub stage: Stage,
    /// What is asked, such as `save p99 < 50ms`.
    pub gate: String,
    /// The answer.
    pub answer: Answer,
    /// What decides it; or what is missing, and what to do.
    pub why: String,
}

/// All answers, in the order of the stages.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Judgement {
    /// What was judged.
    pub judged: Vec<Judged>,
    /// What was not, and why.
    pub left_out: Vec<String>,
}

impl Judgement {
    /// The exit code: 1 where a gate fails, 3 where one is inconclusive, else 0.
    #[must_use]
    pub fn exit_code(&self) -> u8 {
        let any = |answer| self.judged.iter().any(|judged| judged.answer == answer);
        match (any(Answer::Fail), any(Answer::Inconclusive)) {
            (true, _) => 1,
            (false, true) => 3,
            (false, false) => 0,
        }
    }
}

/// Judges all gates; `claims_in_all` is how many claims there are to try.
#[must_use]
pub fn judge(gates: &Gates, evidence: &Evidence, claims_in_all: usize) -> Judgement {
    let mut judgement = Judgement::default();
    let judged = &mut judgement.judged;
    judged.extend(evidence.run.iter().flat_map(answers));
    judged.extend(evidence.comparison.iter().flat_map(answers_in_turns));
    judged.extend(evidence.claims.iter().flat_map(|report| verdicts(report, gates.verdicts.as_ref(), claims_in_all)));
    judged.extend(counts(evidence));
    judged.extend(limits(gates, evidence));
    match &evidence.comparison {
        _ if gates.ratios.is_empty() => {}
        None => judgement.left_out.push(
            "ratios: two servers are measured in turns for them, by loadgen gate A B or loadgen compare A B".to_owned(),
        ),
        Some(_) if judgement.exit_code() == 1 => {
            judgement.left_out.push("ratios: what a server does that fails is not worth its time".to_owned());
        }
        Some(comparison) => {
            judgement.judged.extend(gates.ratios.iter().map(|gate| ratio(gate, comparison, gates.ratios.len())));
        }
    }
    judgement
}

/// A load run: whether it may be believed, and every answer is right.
fn answers(run: &RunReport) -> Vec<Judged> {
    let of = |gate: &str, answer, why: String| Judged { stage: Stage::Correctness, gate: gate.to_owned(), answer, why };
    let mut judged = vec![match in_words(&run.total.wrong) {
        None => of("no wrong answer", Answer::Pass, format!("{} answers verified", run.total.verified)),
        Some(wrong) => of("no wrong answer", Answer::Fail, format!("{wrong}, of {} answers", run.total.answered)),
    }];
    if let Some(history) = &run.history {
        let (answer, why) = match history.linearizable {
            Some(true) => {
                (Answer::Pass, format!("{} operations on {} documents", history.operations, history.documents))
            }
            Some(false) => {
                let anomalies = in_words(&history.anomalies).unwrap_or_default();
                (Answer::Fail, format!("{anomalies}; the run's counterexample.html shows it"))
            }
            None => {
                let (key, why) = history.undecided.iter().next().map_or(("", ""), |(key, why)| (key, why));
                (Answer::Inconclusive, format!("undecided under key {key}: {why}"))
            }
        };
        judged.push(of("one order explains the history", answer, why));
    }
    let answer = if run.fails_too_often() { Answer::Fail } else { Answer::Pass };
    judged.push(of("no more errors than allowed", answer, words::failed(run)));
    judged.extend(left_behind(&run.target.url, &run.left_behind));
    if !run.valid || run.partial {
        let interrupted = run.partial.then(|| "it was interrupted".to_owned());
        let why: Vec<String> = run.why_invalid.iter().cloned().chain(interrupted).collect();
        judged.push(of("the run is valid", Answer::Inconclusive, format!("{}: run it again", why.join("; "))));
    }
    judged
}

/// Whether a run may have left documents on a target.
fn left_behind(target: &str, keys: &[String]) -> Option<Judged> {
    (!keys.is_empty()).then(|| Judged {
        stage: Stage::Correctness,
        gate: format!("nothing is left on {target}"),
        answer: Answer::Inconclusive,
        why: format!("there may be documents under {}: delete them, and run it again", keys.join(" ")),
    })
}

/// A comparison: whether every answer is right, both servers responded throughout, and it came to its end.
fn answers_in_turns(comparison: &Comparison) -> Vec<Judged> {
    let of = |gate: String, answer, why| Judged { stage: Stage::Correctness, gate, answer, why };
    let no_wrong = |side: Side| {
        let gate = format!("no wrong answer of {}", comparison.name(side));
        match in_words(&comparison.wrong(side)) {
            None => of(gate, Answer::Pass, format!("{} pairs of turns", comparison.pairs())),
            Some(wrong) => of(gate, Answer::Fail, wrong),
        }
    };
    let mut judged = [Side::A, Side::B].map(no_wrong).to_vec();
    judged.extend(comparison.failures.iter().map(|failure| {
        let why = std::iter::once(failure.to_string()).chain(failure.details.iter().cloned());
        let gate = format!("{} does not fail", comparison.name(failure.side));
        of(gate, Answer::Fail, why.collect::<Vec<_>>().join("; "))
    }));
    if comparison.partial {
        let why = "it was interrupted: compare again".to_owned();
        judged.push(of("the comparison is whole".to_owned(), Answer::Inconclusive, why));
    }
    judged
}

fn verdicts(report: &Report, asked: Option<&BTreeMap<ClaimId, Verdict>>, claims_in_all: usize) -> Vec<Judged> {
    let claims = report.targets.iter().flat_map(|target| target.claims.iter().map(move |claim| (&target.name, claim)));
    let asked_of = |claim: &ClaimReport| {
        let mut asked = asked.into_iter().flatten();
        asked.find(|(id, _)| id.to_string() == claim.id).map(|(_, verdict)| *verdict)
    };
    let tried: BTreeSet<&str> = claims.clone().map(|(_, claim)| claim.id.as_str()).collect();
    let mut judged = Vec::new();
    let mut as_expected = 0;
    for (target, claim) in claims {
        let (answer, expected) = match asked_of(claim) {
            Some(asked) if claim.verdict == asked => (Answer::Pass, String::new()),
            Some(asked) if claim.verdict == Verdict::Inconclusive => {
                (Answer::Inconclusive, format!("{asked} is asked for"))
            }
            Some(asked) => (Answer::Fail, format!("{asked} is asked for")),
            None => match claim.outcome {
                Outcome::AsExpected => (Answer::Pass, String::new()),
                Outcome::Undecided => (Answer::Inconclusive, "undecided".to_owned()),
                Outcome::Failed => (Answer::Fail, "not as expected".to_owned()),
            },
        };
        if answer == Answer::Pass {
            as_expected += 1;
            continue;
        }
        judged.push(Judged {
            stage: Stage::Correctness,
            gate: format!("{} on {target}: {}", claim.id, claim.title),
            answer,
            why: format!("{} ({expected}): {}; again: {}", claim.verdict, claim.summary, claim.reproduce),
        });
    }
    let untried = asked.into_iter().flatten().filter(|(id, _)| {
        !report.targets.iter().any(|target| target.claims.iter().any(|claim| claim.id == id.to_string()))
    });
    judged.extend(untried.map(|(id, verdict)| Judged {
        stage: Stage::Correctness,
        gate: format!("{id} {verdict}"),
        answer: Answer::Inconclusive,
        why: "it was not tried: let verify try it".to_owned(),
    }));
    judged.extend(report.targets.iter().filter_map(|target| left_behind(&target.url, &target.left_behind)));
    if report.partial {
        judged.push(Judged {
            stage: Stage::Correctness,
            gate: "all claims are tried".to_owned(),
            answer: Answer::Inconclusive,
            why: "verify was interrupted: run it again".to_owned(),
        });
    }
    judged.push(Judged {
        stage: Stage::Correctness,
        gate: "verdicts as expected".to_owned(),
        answer: Answer::Pass,
        why: format!("{as_expected} verdicts; {} of {claims_in_all} claims were tried", tried.len()),
    });
    judged
}

fn counts(evidence: &Evidence) -> Vec<Judged> {
    let (Some(baseline), Some(counts)) = (&evidence.baseline, &evidence.counts) else { return Vec::new() };
    let differences = baseline.differences(counts);
    let of = |answer, why| Judged { stage: Stage::Counts, gate: "counts of the baseline".to_owned(), answer, why };
    if differences.is_empty() {
        let operations = baseline.operations.len();
        return vec![of(Answer::Pass, format!("{operations} operations cost what they did"))];
    }
    let renew = &baseline.renewed_by;
    differences.iter().map(|difference| of(Answer::Fail, format!("{difference}; if that is meant: {renew}"))).collect()
}

fn limits(gates: &Gates, evidence: &Evidence) -> Vec<Judged> {
    let judged = gates.limits.iter().map(|limit| {
        let after = (!limit.after.is_zero()).then(|| format!(", after {}", humantime::format_duration(limit.after)));
        let gate = format!("{}{}", limit.keep, after.unwrap_or_default());
        let (answer, why) = match evidence.figures(limit.after) {
            None => (Answer::Inconclusive, "there are no figures of a load from then on".to_owned()),
            Some(Figures { operations, total, seconds }) => {
                let standing = limit.keep.standing(&operations, &total, seconds);
                (if standing.is_kept { Answer::Pass } else { Answer::Fail }, standing.worst)
            }
        };
        Judged { stage: Stage::Limits, gate, answer, why }
    });
    judged.collect()
}

/// A gate on a ratio, one of so many: the error that a comparison may make is shared among them.
#[must_use]
pub fn ratio(gate: &RatioGate, comparison: &Comparison, gates: usize) -> Judged {
    let judged = |answer, why| Judged { stage: Stage::Ratios, gate: in_question(gate), answer, why };
    match comparison.ratio_at_last_look(gate.of, gates) {
        Err(error) => judged(Answer::Inconclusive, error.to_string()),
        Ok(ratio) => {
            let figures = told(gate, comparison, &ratio);
            match gate.bound.judge(&ratio) {
                Answer::Inconclusive => judged(
                    Answer::Inconclusive,
                    format!("{figures}: the interval has the bound in it; measure longer, or on a quieter machine"),
                ),
                answer => judged(answer, figures),
            }
        }
    }
}

/// Whether it is time to look, and all gates on ratios are decided.
#[must_use]
pub fn are_decided(gates: &[RatioGate], comparison: &Comparison) -> bool {
    let is_open = |gate| ratio(gate, comparison, gates.len()).answer == Answer::Inconclusive;
    comparison.is_at_look() && !gates.iter().any(is_open)
}

fn in_question(gate: &RatioGate) -> String {
    match gate.bound {
        Bound::AtMost(ratio) => format!("{} of B at most {ratio:.2} times A's", gate.of),
        Bound::AtLeast(ratio) => format!("{} of B at least {ratio:.2} times A's", gate.of),
    }
}

fn told(gate: &RatioGate, comparison: &Comparison, ratio: &Ratio) -> String {
    let mut pairs = comparison.pairs_of(gate.of);
    pairs.truncate(ratio.pairs);
    let median = |of: fn(&Pair) -> f64| {
        let values: Vec<f64> = pairs.iter().map(of).collect();
        percentile(&values, 0.5).unwrap_or_default()
    };
    format!(
        "{:.3} times ({:.3} to {:.3}) in {} pairs; A {:.0} {unit}, B {:.0} {unit}; {starts}",
        ratio.estimate,
        ratio.low,
        ratio.high,
        ratio.pairs,
        median(|pair| pair.a),
        median(|pair| pair.b),
        unit = gate.of.unit(),
        starts = starts_in_words(ratio.starts),
    )
}

/// How many starts of both servers a ratio rests on.
pub(super) fn starts_in_words(starts: usize) -> String {
    match starts {
        1 => "one start of each server: the ratio includes the variation between starts".to_owned(),
        starts => format!("{starts} starts of each server"),
    }
}

#[cfg(test)]
mod tests;
