//! What there is to judge by: the files of a run's folder.

use super::gates::Gates;
use record::claims;
use record::claims::{Report, TargetReport};
use record::comparison;
use record::comparison::Comparison;
use record::counts;
use record::counts::Counts;
use record::derive::derive;
use record::figures::OperationReport;
use record::files::{HISTORY_FILE, RUN_FILE, read_run};
use record::history::read_history;
use record::run::{RunReport, Window};
use std::collections::{BTreeMap, BTreeSet};
use std::path::Path;
use std::time::Duration;

/// Most time between the beginnings of files that are judged together. No job on GitHub's runners lasts longer.
const ONE_JOB: Duration = Duration::from_hours(6);

/// What a run left behind, as far as it did.
#[derive(Debug, Default)]
pub struct Evidence {
    /// Of `run` with its figures.
    pub run: Option<RunReport>,
    /// Figures of a part of that run, by how long after the measuring began the part does.
    pub windows: BTreeMap<Duration, Figures>,
    /// Of `verify`.
    pub claims: Option<Report>,
    /// What operations cost.
    pub counts: Option<Counts>,
    /// What they are to cost.
    pub baseline: Option<Counts>,
    /// Of `compare`.
    pub comparison: Option<Comparison>,
}

/// Figures of a load.
#[derive(Clone, Debug, Default, PartialEq)]
pub struct Figures {
    /// By operation.
    pub operations: BTreeMap<String, OperationReport>,
    /// All of them together.
    pub total: OperationReport,
    /// How long they were measured, s.
    pub seconds: f64,
}

impl Evidence {
    /// Reads what the folder has. Of the baseline's folder, where there is one, only what was counted is taken, and only
    /// where the gates name no baseline of their own.
    ///
    /// # Errors
    /// A sentence that says which file is damaged, or which one a gate needs that is not there, and how to make it.
    pub fn gather(folder: &Path, baseline: Option<&Path>, gates: &Gates) -> Result<Self, String> {
        let has = |name: &str| folder.join(name).exists();
        let mut evidence = Self::default();
        if has(RUN_FILE) {
            evidence.run = Some(read_run(folder).map_err(|error| error.to_string())?);
        }
        if has(claims::FILE) {
            evidence.claims = Some(Report::read(folder)?);
        }
        if has(counts::NAME) {
            evidence.counts = Some(Counts::read(&folder.join(counts::NAME))?);
        }
        if has(comparison::NAME) {
            evidence.comparison = Some(Comparison::read(folder)?);
        }
        evidence.baseline = match (&gates.counts, baseline.map(|folder| folder.join(counts::NAME))) {
            (Some(gate), _) => Some(Counts::read(&gate.baseline)?),
            (None, Some(counts)) if counts.exists() => Some(Counts::read(&counts)?),
            (None, _) => None,
        };
        evidence.must_be_of_one_run(folder)?;
        evidence.work_windows_out(folder, gates)?;
        evidence.must_have(folder, gates)?;
        Ok(evidence)
    }

    /// Files of another run would be judged for this one.
    fn must_be_of_one_run(&self, folder: &Path) -> Result<(), String> {
        let anew = "make both again, with the same server and folder";
        let files = [
            (RUN_FILE, self.run.as_ref().map(|run| &run.started)),
            (claims::FILE, self.claims.as_ref().map(|claims| &claims.started)),
            (comparison::NAME, self.comparison.as_ref().map(|comparison| &comparison.started)),
        ];
        let begun = |text: &String| humantime::parse_rfc3339(text).ok();
        let mut files: Vec<_> =
            files.iter().filter_map(|(name, text)| text.and_then(begun).map(|begun| (begun, *name))).collect();
        files.sort_unstable();
        if let [(first, earlier), .., (last, later)] = files[..]
            && last.duration_since(first).unwrap_or_default() > ONE_JOB
        {
            let [first, last] = [first, last].map(humantime::format_rfc3339_seconds);
            let folder = folder.display();
            return Err(format!(
                "{folder}: {earlier} was started at {first}, {later} at {last}, in different runs: {anew}"
            ));
        }
        let (Some(run), Some(claims)) = (&self.run, &self.claims) else { return Ok(()) };
        let is_its = |target: &TargetReport| match &run.target.protocol {
            Some(protocol) => target.protocol.as_ref() == Some(protocol),
            None => target.protocol.is_none() && target.url == run.target.url,
        };
        if claims.targets.iter().any(is_its) {
            return Ok(());
        }
        let tried: Vec<&str> = claims.targets.iter().map(|target| target.url.as_str()).collect();
        Err(format!(
            "{}: {RUN_FILE} is about {}, {} about {}: {anew}",
            folder.display(),
            run.target.url,
            claims::FILE,
            tried.join(", ")
        ))
    }

    fn work_windows_out(&mut self, folder: &Path, gates: &Gates) -> Result<(), String> {
        let Some(run) = &self.run else { return Ok(()) };
        let windows: BTreeSet<Duration> = gates.limits.iter().map(|limit| limit.after).collect();
        for after in windows.into_iter().filter(|after| !after.is_zero()) {
            let history = folder.join(HISTORY_FILE);
            if !history.exists() {
                return Err(format!(
                    "a limit holds after {}, and there is no {} to tell what came then: run without --no-history",
                    humantime::format_duration(after),
                    history.display()
                ));
            }
            let after_us = u64::try_from(after.as_micros()).unwrap_or(u64::MAX);
            let window = Window { from_us: run.measured.from_us.saturating_add(after_us), ..run.measured };
            if window.seconds() <= 0.0 {
                return Err(format!(
                    "a limit holds after {}, and the run was measured for {:.1} s: run it for longer",
                    humantime::format_duration(after),
                    run.measured.seconds()
                ));
            }
            let read = read_history(&history).map_err(|error| format!("{}: {error}", history.display()))?;
            if read.header().seed != run.seed {
                return Err(format!("{} is of another run than {RUN_FILE}: run it again", history.display()));
            }
            let derived = derive(&BTreeMap::new(), read, window);
            let derived = derived.map_err(|error| format!("{}: {error}", history.display()))?;
            let figures =
                Figures { operations: derived.by_times, total: derived.total_by_times, seconds: window.seconds() };
            self.windows.insert(after, figures);
        }
        Ok(())
    }

    fn must_have(&self, folder: &Path, gates: &Gates) -> Result<(), String> {
        let needed = [
            (
                gates.verdicts.is_some() && self.claims.is_none(),
                "verdicts",
                claims::FILE,
                "loadgen verify --out writes it there",
            ),
            (
                !gates.limits.is_empty() && self.run.is_none(),
                "limits of a load",
                RUN_FILE,
                "loadgen run --out writes it there",
            ),
            (gates.counts.is_some() && self.counts.is_none(), "counts", counts::NAME, "whoever counts puts it there"),
        ];
        match needed.into_iter().find(|(is_missing, ..)| *is_missing) {
            None if self.is_empty() => Err(format!(
                "there is nothing to judge in {}: none of {RUN_FILE}, {}, {}, {}",
                folder.display(),
                claims::FILE,
                counts::NAME,
                comparison::NAME
            )),
            None => Ok(()),
            Some((_, what, file, how)) => {
                Err(format!("the gates ask for {what}, and there is no {file} in {}: {how}", folder.display()))
            }
        }
    }

    fn is_empty(&self) -> bool {
        self.run.is_none() && self.claims.is_none() && self.counts.is_none() && self.comparison.is_none()
    }

    /// The figures of the run from some time after the measuring began.
    #[must_use]
    pub fn figures(&self, after: Duration) -> Option<Figures> {
        if !after.is_zero() {
            return self.windows.get(&after).cloned();
        }
        let RunReport { operations, total, measured, .. } = self.run.as_ref()?;
        Some(Figures { operations: operations.clone(), total: total.clone(), seconds: measured.seconds() })
    }
}
