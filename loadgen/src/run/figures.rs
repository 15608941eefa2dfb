//! The figures of a run, from what was measured.

use super::{Order, Performed};
use contract::Operation;
use engine::ceiling::Ceiling;
use engine::scenario::Plan;
use engine::{Measured, certify};
use record::figures::{OperationReport, Percentiles, Rate, Tally};
use record::host::Host;
use record::run::{Generator, RunReport, RunTarget, SCHEMA, Trial, TrialPhase};
use report::objective::Objective;
use std::collections::BTreeMap;
use std::time::SystemTime;

/// The report of a run that began at a time; what was left behind is not known yet.
pub(super) fn of(
    order: &Order,
    performed: &Performed,
    ceiling: Option<Ceiling>,
    url: String,
    started: SystemTime,
) -> RunReport {
    let Performed { plan, measured, search } = performed;
    let (operations, total) = operations(measured);
    let mut why_invalid = certify::why_invalid(measured, &total, plan.users, ceiling);
    if let Some(search) = search
        && search.found_per_s.is_none()
    {
        why_invalid.push(format!("no rate was found that keeps {}", search.objective));
    }
    let protocol = order.subject.protocol().map(str::to_owned);
    let seconds = measured.window.seconds().max(f64::MIN_POSITIVE);
    let planned_per_s = measured.arrivals.map(|arrivals| arrivals.planned as f64 / seconds);
    RunReport {
        schema: SCHEMA.to_owned(),
        seed: plan.seed,
        started: humantime::format_rfc3339_seconds(started).to_string(),
        scenario: plan.scenario.name().to_owned(),
        // It is made of texts and numbers.
        plan: serde_json::to_value(plan).unwrap_or_default(),
        target: RunTarget { url, protocol },
        valid: why_invalid.is_empty(),
        why_invalid,
        partial: measured.is_partial,
        measured: measured.window,
        turns: measured.turns,
        errors_allowed: order.errors_allowed,
        rate: Rate::of(&total, measured.window, planned_per_s),
        slip_us: Percentiles::of(&measured.slip_us),
        little: certify::little(measured),
        generator: generator(measured, &total, ceiling),
        operations,
        total,
        search: search.clone(),
        history: None,
        left_behind: Vec::new(),
        left_behind_command: None,
        host: Host::this(),
    }
}

/// One trial of a search, judged.
pub(super) fn trial(
    plan: &Plan,
    measured: &Measured,
    objective: &Objective,
    ceiling: Option<Ceiling>,
    phase: TrialPhase,
    rate_per_s: f64,
) -> Trial {
    let (operations, total) = operations(measured);
    let why_invalid = certify::why_invalid(measured, &total, plan.users, ceiling);
    let standing = objective.standing(&operations, &total, measured.window.seconds());
    let rate = Rate::of(&total, measured.window, None);
    let valid = why_invalid.is_empty();
    let why = if valid { standing.worst.clone() } else { why_invalid.join("; ") };
    Trial {
        rate_per_s,
        phase,
        kept: standing.is_kept,
        valid,
        why,
        goodput_per_s: rate.goodput_per_s,
        worst: standing.worst,
    }
}

fn operations(measured: &Measured) -> (BTreeMap<String, OperationReport>, OperationReport) {
    let mut together = Tally::new();
    let mut operations = BTreeMap::new();
    for (operation, tally) in Operation::ALL.into_iter().zip(&measured.tallies) {
        together.merge(tally);
        let report = tally.report();
        if report.sent > 0 {
            operations.insert(operation.name().to_owned(), report);
        }
    }
    (operations, together.report())
}

fn generator(measured: &Measured, total: &OperationReport, ceiling: Option<Ceiling>) -> Generator {
    Generator {
        threads: measured.threads as usize,
        cpu_s: measured.cpu_s,
        cpu_us_per_operation: if total.sent > 0 { measured.cpu_s * 1e6 / total.sent as f64 } else { 0.0 },
        busiest_thread_share: measured.busiest_thread_share,
        lag_us: Percentiles::of(&measured.lag_us),
        peak_rss_bytes: measured.peak_rss_bytes,
        rss_bytes_per_user: measured.rss_bytes_per_user,
        ceiling_per_s: ceiling.map(|ceiling| ceiling.per_s),
        ceiling_cpu_us_per_operation: ceiling.map(|ceiling| ceiling.cpu_us_per_operation),
        history_bytes: measured.history_bytes,
    }
}
