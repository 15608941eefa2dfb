//! The folders of two runs side by side: verdicts, wrong answers, counts; and times, of which nothing is concluded, for
//! they were taken at different times of day.

use crate::run::words;
use comfy_table::{Table, presets};
use record::claims;
use record::claims::Report;
use record::claims::Verdict;
use record::counts;
use record::counts::Counts;
use record::files::{RUN_FILE, read_run};
use record::run::RunReport;
use std::collections::BTreeMap;
use std::fmt::Write as _;
use std::path::Path;

/// What the two differ in.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Told {
    /// In words.
    pub text: String,
    /// Whether B has a wrong answer, or refutes what held in A, or costs anything else than A in what is counted.
    pub is_worse: bool,
}

/// Compares what both folders have.
///
/// # Errors
/// A sentence that says which file is damaged, or that the two have nothing in common.
pub fn compare(a: &Path, b: &Path) -> Result<Told, String> {
    let both = |name: &str| a.join(name).exists() && b.join(name).exists();
    let mut told = Told::default();
    let mut has_any = false;
    if both(claims::FILE) {
        verdicts(&Report::read(a)?, &Report::read(b)?, &mut told);
        has_any = true;
    }
    if both(counts::NAME) {
        let differences = Counts::read(&a.join(counts::NAME))?.differences(&Counts::read(&b.join(counts::NAME))?);
        told.say(&format!("Counts: {}", if differences.is_empty() { "the same" } else { "they differ" }));
        differences.iter().for_each(|difference| told.say(&format!("  {difference}")));
        told.is_worse |= !differences.is_empty();
        has_any = true;
    }
    if both(RUN_FILE) {
        let read = |folder: &Path| read_run(folder).map_err(|error| error.to_string());
        loads(&read(a)?, &read(b)?, &mut told);
        has_any = true;
    }
    let names = [claims::FILE, counts::NAME, RUN_FILE].join(", ");
    if has_any { Ok(told) } else { Err(format!("the two folders have none of {names} in common")) }
}

impl Told {
    fn say(&mut self, line: &str) {
        let _ = writeln!(self.text, "{line}");
    }
}

fn verdicts(a: &Report, b: &Report, told: &mut Told) {
    let of = |report: &Report| -> BTreeMap<(String, String), Verdict> {
        let targets = report.targets.iter();
        targets
            .flat_map(|target| {
                target.claims.iter().map(|claim| ((claim.id.clone(), target.name.clone()), claim.verdict))
            })
            .collect()
    };
    let (a, b) = (of(a), of(b));
    let changed: Vec<_> = a.iter().filter_map(|(of, before)| Some((of, before, b.get(of)?))).collect();
    told.say(&format!("Verdicts: {} claims tried in both", changed.len()));
    for ((claim, target), before, now) in changed.into_iter().filter(|(_, before, now)| before != now) {
        told.say(&format!("  {claim} on {target}: {before} → {now}"));
        told.is_worse |= *now == Verdict::Refuted;
    }
}

fn loads(a: &RunReport, b: &RunReport, told: &mut Told) {
    if a.scenario != b.scenario || a.plan["users"] != b.plan["users"] {
        told.say("Loads: the two ran different plans, so their figures say nothing of each other");
    }
    for (name, run) in [("A", a), ("B", b)] {
        let wrong = run.total.wrong_count();
        told.say(&format!("Load {name}: {} answers, {wrong} wrong; {}", run.total.answered, words::failed(run)));
    }
    told.is_worse |= b.total.wrong_count() > 0 || b.fails_too_often();
    let mut table = Table::new();
    table.load_style(presets::UTF8_FULL_CONDENSED).set_header(["response time", "A p50", "B p50", "A p99", "B p99"]);
    for (name, before) in &a.operations {
        if let Some(now) = b.operations.get(name) {
            let both = [&before.response_us, &now.response_us];
            let times =
                both.map(|of| words::figure(of, of.p50)).into_iter().chain(both.map(|of| words::figure(of, of.p99)));
            table.add_row(std::iter::once(name.clone()).chain(times));
        }
    }
    told.say(&table.to_string());
    told.say(
        "Nothing is concluded from these times: the runs were not made in turns. Compare the two servers for that.",
    );
}

#[cfg(test)]
mod tests {
    use super::*;
    use record::files::write_run;
    use record::samples::run as sample;
    use tempfile::{TempDir, tempdir};

    fn folders() -> [TempDir; 2] {
        [(); 2].map(|()| tempdir().expect("a folder"))
    }

    fn told(folders: &[TempDir; 2]) -> Told {
        compare(folders[0].path(), folders[1].path()).expect("compared")
    }

    fn claims(verdict: &str) -> Report {
        let text = std::fs::read_to_string(concat!(env!("CARGO_MANIFEST_DIR"), "/../../reports/reference/claims.json"));
        let mut report: Report = serde_json::from_str(&text.expect("the reference")).expect("a report");
        let verdict: Verdict = serde_json::from_value(verdict.into()).expect("a verdict");
        report.targets[1].claims[0].verdict = verdict;
        report
    }

    #[test]
    fn a_verdict_that_turned_is_told_and_is_worse_where_it_is_refuted() {
        let folders = folders();
        let write = |number: usize, verdict| claims(verdict).write(folders[number].path()).expect("writes");
        write(0, "holds");
        write(1, "holds");
        assert!(!told(&folders).is_worse);
        write(1, "refuted");
        let worse = told(&folders);
        assert!(worse.is_worse && worse.text.contains("  K1 on hardened: holds → refuted\n"), "{}", worse.text);
        write(0, "refuted");
        write(1, "holds");
        assert!(!told(&folders).is_worse, "better is not worse");
    }

    #[test]
    fn times_of_two_runs_are_shown_and_nothing_is_concluded_from_them() {
        let folders = folders();
        let mut run = sample();
        write_run(&run, folders[0].path()).expect("writes");
        run.operations.values_mut().for_each(|report| report.wrong.clear());
        run.total.wrong.clear();
        run.operations.values_mut().for_each(|report| report.response_us.p50 *= 10);
        write_run(&run, folders[1].path()).expect("writes");
        let told = told(&folders);
        assert!(!told.is_worse && told.text.contains("Nothing is concluded from these times"), "{}", told.text);
        write_run(&sample(), folders[1].path()).expect("writes");
        assert!(compare(folders[0].path(), folders[1].path()).expect("compared").is_worse, "it has wrong answers");
    }

    #[test]
    fn folders_without_anything_in_common_are_refused() {
        let folders = folders();
        let error = compare(folders[0].path(), folders[1].path()).expect_err("nothing");
        assert!(error.contains("claims.json, counts.json, run.json"), "{error}");
    }
}
