//! The table that a run ends with, and what follows from it.

use super::left_behind;
use comfy_table::{ContentArrangement, Table, presets};
use contract::visible;
use record::claims::{ClaimId, ClaimReport, Outcome, Report, TargetReport, Verdict};
use std::collections::BTreeSet;
use std::fmt::Write as _;
use std::path::Path;

/// Lines of a counterexample that are shown; the rest is in the run's folder.
const SHOWN_STEPS: usize = 8;

/// Columns of the table. It is made for a terminal of usual width, and the same everywhere, to be compared.
const WIDTH: u16 = 118;

/// The whole result: table, counterexamples, and what it amounts to. `folder` holds the run's files.
#[must_use]
pub fn render(report: &Report, folder: &Path) -> String {
    let mut out = format!("{}\n", table(report));
    for target in &report.targets {
        for claim in target.claims.iter().filter(|claim| claim.verdict == Verdict::Refuted) {
            let _ = write!(out, "\n{}", counterexample(target, claim));
        }
        let open: Vec<&ClaimReport> = target
            .claims
            .iter()
            .filter(|claim| matches!(claim.verdict, Verdict::Inconclusive | Verdict::Untestable))
            .collect();
        for claim in open {
            let (name, id, summary) = (visible(&target.name), visible(&claim.id), visible(&claim.summary));
            let _ = write!(out, "\n{name}: {id} is {}: {summary}", claim.verdict);
        }
        for line in left_behind::lines(&target.left_behind, target.left_behind_command.as_deref(), &target.name) {
            let _ = write!(out, "\n{line}");
        }
    }
    let _ = write!(out, "\n{}", conclusion(report, folder));
    out
}

/// The verdicts, a row a claim, a column a target.
#[must_use]
pub(super) fn table(report: &Report) -> Table {
    let mut table = Table::new();
    table
        .load_style(presets::UTF8_FULL_CONDENSED)
        .set_content_arrangement(ContentArrangement::Dynamic)
        .set_width(WIDTH);
    let verdict_headers = report.targets.iter().map(|target| target.name.clone());
    let is_single = report.targets.len() == 1;
    let mut header = vec!["claim".to_owned(), "promise".to_owned()];
    header.extend(verdict_headers);
    if is_single {
        header.push("what was seen".to_owned());
    }
    table.set_header(header.iter().map(|head| visible(head)));
    let tried: BTreeSet<((bool, Option<ClaimId>), &str)> = report
        .targets
        .iter()
        .flat_map(|target| &target.claims)
        .map(|claim| (place(&claim.id), claim.id.as_str()))
        .collect();
    for (_, id) in tried {
        let of_target = |target: &'_ TargetReport| target.claims.iter().find(|claim| claim.id == id).cloned();
        let title = report.targets.iter().find_map(of_target).map(|claim| claim.title).unwrap_or_default();
        let mut row = vec![id.to_owned(), title];
        for target in &report.targets {
            row.push(of_target(target).map_or_else(|| "not tried".to_owned(), |claim| claim.mark()));
        }
        if is_single {
            row.push(report.targets.first().and_then(of_target).map(|claim| claim.summary).unwrap_or_default());
        }
        table.add_row(row.iter().map(|cell| visible(cell)));
    }
    table
}

/// Where a claim stands in the table: what is no claim's id comes last.
fn place(id: &str) -> (bool, Option<ClaimId>) {
    let id = id.parse().ok();
    (id.is_none(), id)
}

pub(super) fn counterexample(target: &TargetReport, claim: &ClaimReport) -> String {
    let [id, name, quote, summary] = [&claim.id, &target.name, &claim.quote, &claim.summary].map(|text| visible(text));
    let mut out = format!("{id} on {name}: \"{quote}\"\n  {summary}\n");
    for step in claim.counterexample.iter().take(SHOWN_STEPS) {
        let _ = writeln!(out, "    {}", visible(&step.to_string()));
    }
    if claim.counterexample.len() > SHOWN_STEPS {
        let _ = writeln!(out, "    … and {} more lines in summary.md", claim.counterexample.len() - SHOWN_STEPS);
    }
    if !claim.schedule.is_empty() {
        out.push_str("  The shortest way there in the specification's protocol, in the model:\n");
    }
    for line in &claim.schedule {
        let _ = writeln!(out, "{}", format!("    {}", visible(line)).trim_end());
    }
    let _ = writeln!(out, "  again: {}", visible(&claim.reproduce));
    out
}

fn conclusion(report: &Report, folder: &Path) -> String {
    let mut out = String::new();
    for target in &report.targets {
        let count = |verdict| target.count(verdict);
        let (holds, refuted) = (count(Verdict::Holds), count(Verdict::Refuted));
        let open = count(Verdict::Inconclusive) + count(Verdict::Untestable);
        let name = visible(&target.name);
        let _ = write!(out, "\n{name}: {holds} hold, {refuted} refuted, {open} undecided or untestable");
        let named = |outcome| {
            let ids: Vec<&str> =
                target.claims.iter().filter(|claim| claim.outcome == outcome).map(|claim| claim.id.as_str()).collect();
            visible(&ids.join(" "))
        };
        let (failed, undecided) = (named(Outcome::Failed), named(Outcome::Undecided));
        if !failed.is_empty() {
            let _ = write!(out, "; not as expected: {failed}");
        }
        if !undecided.is_empty() {
            let _ = write!(out, "; inconclusive: {undecided}");
        }
    }
    let verdict = match (report.partial, report.outcome()) {
        (true, _) => "The run was interrupted: this is what was measured until then.",
        (_, Outcome::AsExpected) => "All as expected: every refutation was known, and every known one was found.",
        (_, Outcome::Failed) => {
            "Not as expected. The counterexamples above say what happened; run a single claim again with its \"again\" line."
        }
        (_, Outcome::Undecided) if report.may_have_left_documents() => {
            "Nothing unexpected, but documents may be left on a target, or something could not be decided."
        }
        (_, Outcome::Undecided) => {
            "Nothing unexpected, but not everything could be decided; --full gives the experiments more time."
        }
    };
    let _ = write!(out, "\n{verdict}\nSeed {}; the run's files are in {}\n", report.seed, folder.display());
    out
}

#[cfg(test)]
mod tests {
    use super::*;
    use record::samples::{claims, s1, torn};

    #[test]
    fn the_result_says_what_happened_and_what_to_do() {
        let text = render(
            &claims(vec![torn(), s1(Verdict::Inconclusive, Outcome::Undecided, "too few")]),
            Path::new("reports/x"),
        );
        for part in [
            "refuted (known)",
            "S4 on documented: \"restore.php [KEEP]",
            "          1.500 to       2.250 ms  user 3    restore A4K → 500 no",
            "The shortest way there in the specification's protocol, in the model:\n    At the start AAA.json is there.",
            "    Schedule: there; save | restore;",
            "again: loadgen verify --only S4 --seed 7",
            "documented: S1 is inconclusive: too few",
            "documented: 0 hold, 1 refuted, 1 undecided or untestable; inconclusive: S1",
            "the run's files are in reports/x",
        ] {
            assert!(text.contains(part), "{part:?} is missing from\n{text}");
        }
    }
}
