//! Promises, and what came of each on every target.

use record::claims::Verdict;
use record::claims::{ClaimReport, Report};
use record::step::Step;
use serde_json::Value;

/// A promise and what came of it.
#[derive(Clone, Debug)]
pub(super) struct Promise {
    /// Its id in docs/claims.md.
    pub(super) id: String,
    /// Its name in links, of which there is one each.
    pub(super) anchor: String,
    /// What is promised.
    pub(super) title: String,
    /// The specification's words.
    pub(super) quote: String,
    /// What came of it on each target, in their order; `None` where it was not tried.
    pub(super) tried: Vec<Option<Tried>>,
}

/// What came of a promise on one target.
#[derive(Clone, Debug)]
pub(super) struct Tried {
    pub(super) target: String,
    pub(super) verdict: Verdict,
    pub(super) mark: String,
    pub(super) summary: String,
    /// Measured figures that are one number each.
    pub(super) figures: Vec<String>,
    pub(super) counterexample: Vec<Step>,
    pub(super) schedule: Vec<String>,
    pub(super) reproduce: String,
}

/// All promises, in the order in which the targets have them.
pub(super) fn promises(report: &Report) -> Vec<Promise> {
    let mut ids: Vec<&ClaimReport> = Vec::new();
    for claim in report.targets.iter().flat_map(|target| &target.claims) {
        if !ids.iter().any(|known| known.id == claim.id) {
            ids.push(claim);
        }
    }
    let mut promises: Vec<Promise> = Vec::new();
    for claim in ids {
        let anchor = anchor(&claim.id, &promises);
        promises.push(Promise { anchor, ..promise(report, claim) });
    }
    promises
}

/// Letters and digits of the name; the place among the others, where that is another's already.
fn anchor(id: &str, others: &[Promise]) -> String {
    let plain: String = id.chars().filter(char::is_ascii_alphanumeric).take(12).collect();
    let anchor = format!("claim-{plain}");
    let is_free = others.iter().all(|other| other.anchor != anchor);
    if is_free { anchor } else { format!("claim-no-{}", others.len() + 1) }
}

fn promise(report: &Report, first: &ClaimReport) -> Promise {
    let on_each = report.targets.iter().map(|target| {
        let claim = target.claims.iter().find(|claim| claim.id == first.id)?;
        Some(tried(&target.name, claim))
    });
    Promise {
        id: first.id.clone(),
        anchor: String::new(),
        title: first.title.clone(),
        quote: first.quote.clone(),
        tried: on_each.collect(),
    }
}

fn tried(target: &str, claim: &ClaimReport) -> Tried {
    Tried {
        target: target.to_owned(),
        verdict: claim.verdict,
        mark: claim.mark(),
        summary: claim.summary.clone(),
        figures: claim.measured.iter().filter_map(|(name, value)| figure(name, value)).collect(),
        counterexample: claim.counterexample.clone(),
        schedule: claim.schedule.clone(),
        reproduce: claim.reproduce.clone(),
    }
}

/// "mean ms: 0.107". Whole numbers are printed whole.
fn figure(name: &str, value: &Value) -> Option<String> {
    let number = match value.as_u64() {
        Some(whole) => super::number::count(whole),
        None => super::number::digits(value.as_f64()?),
    };
    Some(format!("{}: {number}", name.replace('_', " ")))
}

/// The shape of a verdict, for those who do not tell colours apart.
pub(super) fn shape(verdict: Verdict) -> &'static str {
    match verdict {
        Verdict::Holds => "✓",
        Verdict::Refuted => "✗",
        Verdict::Inconclusive => "?",
        Verdict::Untestable => "–",
    }
}

/// The class of a verdict.
pub(super) fn class(verdict: Verdict) -> &'static str {
    match verdict {
        Verdict::Holds => "holds",
        Verdict::Refuted => "refuted",
        Verdict::Inconclusive => "inconclusive",
        Verdict::Untestable => "untestable",
    }
}
