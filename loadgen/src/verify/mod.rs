//! The main job: every claim tried on every target, and a report of the verdicts.
//!
//! - [`runner`]: one claim after the other, within limits.
//! - [`expectations`]: which refutations are known.
//! - [`progress`]: what is shown meanwhile.

pub mod expectations;
pub mod progress;
pub mod runner;

use crate::claims::schedules;
use crate::claims::{Claim, Finding, Needs};
use crate::lab::prepared_target::{LeftBehind, leave_all};
use crate::lab::{self, DEFAULT_USERS, Effort, Keep, PreparedTarget, Settings, Subject};
use crate::reference::Protocol;
use engine::client::target::DEFAULT_PAGE;
use expectations::Expectations;
use progress::Progress;
use record::claims::Verdict;
use record::claims::{ClaimId, ClaimReport, Report, TargetReport};
use runner::{Ended, Tried};
use std::path::PathBuf;
use std::sync::{Mutex, OnceLock};
use std::time::{Duration, SystemTime};
use tokio_util::sync::CancellationToken;

/// What is to be tried, on what.
#[derive(Debug)]
pub struct Plan {
    /// The targets.
    pub subjects: Vec<Subject>,
    /// The refutations that are known of a server that is there; of an embedded one its protocol says them.
    pub known: Expectations,
    /// The claims, in the order in which they are tried.
    pub claims: Vec<&'static Claim>,
    /// Users of experiments that do not name their own number.
    pub users: usize,
    /// What all randomness of the harness comes from.
    pub seed: u64,
    /// How long experiments may take.
    pub effort: Effort,
    /// Where the run's files go.
    pub out: PathBuf,
}

/// A target ready to be tried.
struct Bench<'a> {
    subject: &'a Subject,
    report: TargetReport,
    /// What is known of it.
    known: Expectations,
    target: PreparedTarget,
    verdicts: Mutex<Vec<ClaimReport>>,
    /// Why it can be tried no longer.
    gone: OnceLock<String>,
}

/// Carries a plan out. When `stop` is cancelled, the report is of what was tried until then. It is kept twice: before the
/// clean-up, which may be cut short, and after it.
///
/// # Errors
/// Where a target cannot be set up or may not be tried, or the report not be kept.
pub async fn verify(plan: &Plan, stop: &CancellationToken, keep: Keep<'_, Report>) -> anyhow::Result<Report> {
    let started = humantime::format_rfc3339_seconds(SystemTime::now()).to_string();
    let mut report = Report::new(plan.seed, plan.effort.name(), plan.users, started);
    let mut benches = Vec::new();
    for subject in &plan.subjects {
        benches.push(Bench::set_up(plan, subject).await?);
    }
    let progress = Progress::new(plan.claims.len() * benches.len());
    let run = Run { plan, benches: &benches, progress: &progress, stop };
    let (apart, shared): (Vec<&Claim>, Vec<&Claim>) =
        plan.claims.iter().partition(|claim| claim.needs == Needs::OwnServer);
    let (waiting, busy): (Vec<&Claim>, Vec<&Claim>) = shared.into_iter().partition(|claim| claim.mostly_waits);
    // Servers of their own are killed and cut off beside targets that mostly wait.
    tokio::join!(run.on_all_at_once(&waiting), run.on_one_after_the_other(&apart));
    run.again_alone(&waiting).await;
    run.on_one_after_the_other(&busy).await;
    progress.finish();
    report.partial = stop.is_cancelled();
    report.targets = benches.iter().map(Bench::report).collect();
    let keep = |report: &mut Report, left: Vec<LeftBehind>| {
        for (target, left) in report.targets.iter_mut().zip(left) {
            target.left_behind_command = left.command();
            target.left_behind = left.keys;
        }
        keep(report)
    };
    let targets = benches.into_iter().map(|bench| bench.target).collect();
    leave_all(targets, Ok(report), keep, &plan.out, stop).await
}

/// A plan under way.
struct Run<'a> {
    plan: &'a Plan,
    benches: &'a [Bench<'a>],
    progress: &'a Progress,
    stop: &'a CancellationToken,
}

impl Run<'_> {
    /// Claims that hardly use the machine: each on all targets at once.
    async fn on_all_at_once(&self, claims: &[&'static Claim]) {
        for claim in claims {
            let attempts = self.benches.iter().map(|bench| bench.attempt(claim, self));
            futures_util::future::join_all(attempts).await;
        }
    }

    /// Claims that have the machine for themselves.
    async fn on_one_after_the_other(&self, claims: &[&'static Claim]) {
        for bench in self.benches {
            for claim in claims {
                bench.attempt(claim, self).await;
            }
        }
    }

    /// What takes times and did not hold in company is tried again, as others may have taken the machine from it. What
    /// held in company holds all the more alone.
    async fn again_alone(&self, claims: &[&'static Claim]) {
        for claim in claims.iter().filter(|claim| claim.takes_times) {
            for bench in self.benches {
                if bench.withdraw_unless_held(claim) {
                    bench.attempt(claim, self).await;
                }
            }
        }
    }
}

impl<'a> Bench<'a> {
    /// Makes a target ready.
    async fn set_up(plan: &'a Plan, subject: &'a Subject) -> anyhow::Result<Self> {
        let settings = Settings { users: plan.users, seed: plan.seed, effort: plan.effort, uses_folder: true };
        let target = PreparedTarget::open(subject, &plan.out, settings).await?;
        let url = target.lab.target.url().to_string();
        let mut report = TargetReport::new(subject.name(), subject.protocol(), &url);
        report.saves = target.lab.folder.as_ref().map(|saves| saves.path().display().to_string());
        let known = match subject {
            Subject::Embedded(Protocol::Documented) => Expectations::documented(),
            Subject::Embedded(Protocol::Hardened) => Expectations::hardened(),
            Subject::Server { .. } => plan.known.clone(),
        };
        Ok(Self { subject, report, known, target, verdicts: Mutex::default(), gone: OnceLock::new() })
    }

    /// Tries a claim, and enters what came of it. After an interruption nothing is tried.
    async fn attempt(&self, claim: &'static Claim, run: &Run<'_>) {
        if run.stop.is_cancelled() {
            return;
        }
        run.progress.begins(&self.report.name, claim);
        let untried = |why: String| Tried { finding: Finding::inconclusive(why), took: Duration::ZERO };
        let tried = match self.gone.get() {
            Some(why) if claim.needs != Needs::OwnServer => untried(format!("not tried: {why}")),
            _ => match runner::attempt(&self.target.lab, claim, run.stop).await {
                Ok(tried) => tried,
                Err(Ended::Interrupted) => return,
                Err(Ended::Gone(why)) => {
                    self.gone.get_or_init(|| format!("the target stopped answering during {}: {why}", claim.id));
                    untried(format!("the target stopped answering: {why}"))
                }
            },
        };
        run.progress.ended(&self.report.name, claim, &tried);
        let reproduce = reproduce(run.plan, self.subject, claim);
        lab::lock(&self.verdicts).push(claim_report(claim, tried, &self.known, reproduce));
    }

    /// Withdraws a verdict that company may have caused; whether there was one. Company there is only where the servers
    /// are the harness's own.
    fn withdraw_unless_held(&self, claim: &Claim) -> bool {
        if self.target.server.is_none() {
            return false;
        }
        let id = claim.id.to_string();
        let mut verdicts = lab::lock(&self.verdicts);
        let before = verdicts.len();
        verdicts.retain(|report| report.id != id || report.verdict == Verdict::Holds);
        verdicts.len() < before
    }

    /// The verdicts.
    fn report(&self) -> TargetReport {
        let mut report = self.report.clone();
        report.claims.clone_from(&lab::lock(&self.verdicts));
        report.claims.sort_by_key(|claim| claim.id.parse::<ClaimId>().ok());
        report
    }
}

/// The command that tries one claim again.
fn reproduce(plan: &Plan, subject: &Subject, claim: &Claim) -> String {
    let mut words = vec![format!("loadgen verify --only {} --seed {}", claim.id, plan.seed)];
    match subject {
        Subject::Embedded(protocol) => words.push(format!("--protocol {}", protocol.name())),
        Subject::Server { target, saves, .. } => {
            let urls = (0..target.processes()).map(|number| target.process(number).url_to_give());
            words.extend(urls.map(|url| format!("--target {url}")));
            words.push(format!("--path-template '{}'", target.paths().template()));
            words.extend((target.page() != DEFAULT_PAGE).then(|| format!("--page '{}'", target.page())));
            words.extend(saves.as_ref().map(|saves| format!("--saves '{}'", saves.path().display())));
        }
    }
    if plan.users != DEFAULT_USERS {
        words.push(format!("--users {}", plan.users));
    }
    if plan.effort == Effort::Full {
        words.push("--full".to_owned());
    }
    words.join(" ")
}

/// A verdict as it goes into the report, of a target of which something is known.
fn claim_report(claim: &Claim, tried: Tried, known: &Expectations, reproduce: String) -> ClaimReport {
    let Tried { finding, took } = tried;
    let schedule = schedules::of_finding(claim.id, &finding);
    ClaimReport {
        id: claim.id.to_string(),
        title: claim.title.to_owned(),
        quote: claim.quote.to_owned(),
        verdict: finding.verdict,
        outcome: known.weigh(claim.id, finding.verdict),
        summary: finding.summary,
        measured: finding.measured,
        expected: finding.expected,
        counterexample: finding.counterexample,
        schedule: schedule.into_iter().flat_map(str::lines).map(str::to_owned).collect(),
        reproduce,
        took_s: took.as_secs_f64(),
    }
}
