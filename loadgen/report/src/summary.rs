//! `summary.md`: the verdicts for a pull request, with every figure and counterexample.

use super::left_behind::in_markdown;
use crate::escape::{markdown as escape, markdown_code as code};
use record::claims::Verdict;
use record::claims::{ClaimReport, Report, TargetReport};
use std::fmt::Write as _;

/// The whole summary.
#[must_use]
pub fn markdown(report: &Report) -> String {
    let mut out = String::from("# Claims\n\n");
    let partial =
        if report.partial { " The run was **interrupted**: claims that are missing were not tried." } else { "" };
    let _ = writeln!(
        out,
        "Tried {} with {} users, effort `{}`, seed {}, on {} with {} CPUs and {} MB.{partial}\n",
        escape(&report.started),
        report.users,
        code(&report.effort),
        report.seed,
        escape(&report.host.os),
        report.host.cpus,
        report.host.memory_mb
    );
    for target in &report.targets {
        let saves = target.saves.as_ref().map(|saves| format!(", saves folder `{}`", code(saves))).unwrap_or_default();
        let _ = writeln!(out, "## {} ({}{saves})\n", escape(&target.name), escape(&target.url));
        out.push_str(&table(target));
        for claim in target.claims.iter().filter(|claim| claim.verdict == Verdict::Refuted) {
            out.push_str(&counterexample(claim));
        }
        out.push_str(&in_markdown(&target.left_behind, target.left_behind_command.as_deref(), &target.name));
        out.push('\n');
    }
    out
}

fn table(target: &TargetReport) -> String {
    let mut out = String::from("| claim | promise | verdict | what was seen | figures |\n|---|---|---|---|---|\n");
    for claim in &target.claims {
        let cells = [&claim.id, &claim.title, &claim.mark(), &claim.summary, &figures(claim)].map(|cell| escape(cell));
        let _ = writeln!(out, "| {} |", cells.join(" | "));
    }
    out
}

/// The measured figures that are one number each; longer ones are in `claims.json`.
fn figures(claim: &ClaimReport) -> String {
    let single = claim.measured.iter().filter(|(_, value)| value.is_number());
    let single: Vec<String> = single.map(|(name, value)| format!("{name} {}", rounded(value))).collect();
    single.join(", ")
}

fn rounded(value: &serde_json::Value) -> String {
    match value.as_f64() {
        Some(number) if !value.is_u64() && !value.is_i64() => format!("{number:.3}"),
        _ => value.to_string(),
    }
}

fn counterexample(claim: &ClaimReport) -> String {
    let [id, title, quote, summary] = [&claim.id, &claim.title, &claim.quote, &claim.summary].map(|text| escape(text));
    let mut out = format!("\n### {id}: {title}\n\n> {quote}\n\n{summary}\n\n```text\n");
    for step in &claim.counterexample {
        let _ = writeln!(out, "{}", code(&step.to_string()));
    }
    out.push_str("```\n");
    if !claim.schedule.is_empty() {
        let schedule: Vec<String> = claim.schedule.iter().map(|line| code(line)).collect();
        let schedule = schedule.join("\n");
        let _ = writeln!(
            out,
            "\nThe shortest way there in the specification's protocol, in the model:\n\n```text\n{schedule}\n```"
        );
    }
    let _ = writeln!(out, "\nAgain: `{}`", code(&claim.reproduce));
    out
}

#[cfg(test)]
mod tests {
    use super::*;
    use record::samples::{claims, s1_holds, torn};

    #[test]
    fn the_summary_holds_verdicts_figures_and_counterexamples() {
        let mut s1 = s1_holds();
        s1.measured.insert("mean_ms".to_owned(), 0.123_456.into());
        let text = markdown(&claims(vec![torn(), s1]));
        for part in [
            "Tried 2026-11-24T09:00:00Z with 100 users, effort `quick`, seed 7, on Linux 6 with 2 CPUs and 1000 MB.",
            "| S4 | a restore answers a whole, current document | refuted (known) | a torn read \\| of half | restores 17 |",
            "| S1 | no concurrent save loses another's metadata | holds | all there | mean_ms 0.123 |",
            "in the model:\n\n```text\nAt the start AAA.json is there.",
            "      1.500 to       2.250 ms  user 3    restore A4K → 500 no\nA4K → was there\n```",
        ] {
            assert!(text.contains(part), "{part:?} is missing from\n{text}");
        }
    }
}
