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
use crate::lab::{self, DEFAULT_USERS, Effort, Keep, Lab, Subject, clean_up, preflight};
use crate::reference::{Embedded, Launcher, Protocol};
use anyhow::Context;
use engine::client::Target;
use engine::client::target::DEFAULT_PAGE;
use engine::saves_folder::SavesFolder;
use expectations::Expectations;
use progress::Progress;
use record::claims::Verdict;
use record::claims::{ClaimId, ClaimReport, Report, TargetReport};
use report::left_behind;
use runner::{Ended, Tried};
use std::path::PathBuf;
use std::sync::{Arc, Mutex, OnceLock};
use std::time::{Duration, SystemTime};
use tokio_util::sync::CancellationToken;

/// What is to be tried, on what.
#[derive(Debug)]
pub struct Plan {
    /// The targets.
    pub subject: Subject,
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
struct Bench {
    report: TargetReport,
    /// What is known of it.
    known: Expectations,
    lab: Arc<Lab>,
    embedded: Option<Embedded>,
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
    let benches = set_up(plan).await?;
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
    // One that cannot be kept leaves the targets to be cleaned up no less.
    let kept = keep(&report);
    if kept.is_ok() {
        clean_up::announce(stop, &plan.out);
    }
    let labs: Vec<Arc<Lab>> = benches.iter().map(|bench| Arc::clone(&bench.lab)).collect();
    for ((bench, lab), target) in benches.into_iter().zip(&labs).zip(&mut report.targets) {
        leave(target, &lab.target, bench.close(stop).await?);
    }
    let kept = kept.and_then(|()| keep(&report));
    if kept.is_err() {
        labs.iter().zip(&report.targets).for_each(|(lab, target)| lab.print_left_behind(&target.left_behind));
    }
    kept.map(|()| report)
}

/// A plan under way.
struct Run<'a> {
    plan: &'a Plan,
    benches: &'a [Bench],
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

async fn set_up(plan: &Plan) -> anyhow::Result<Vec<Bench>> {
    match &plan.subject {
        Subject::Embedded(protocols) => {
            let mut benches = Vec::new();
            for &protocol in protocols {
                benches.push(embedded(plan, protocol).await?);
            }
            Ok(benches)
        }
        Subject::Server { target, saves, consent } => {
            let url = target.url().to_string();
            let report = TargetReport::new("target", None, &url);
            Ok(vec![
                bench(report, plan.known.clone(), lab(plan, Target::clone(target), saves.clone()), *consent, None)
                    .await?,
            ])
        }
    }
}

async fn embedded(plan: &Plan, protocol: Protocol) -> anyhow::Result<Bench> {
    let log = |what: &str| plan.out.join(format!("server-{}{what}.log", protocol.name()));
    let embedded = Embedded::start(&Launcher::new(protocol, log(""))).await?;
    let target = embedded.target().map_err(anyhow::Error::msg)?;
    let saves = SavesFolder::open(embedded.saves()).map_err(anyhow::Error::msg)?;
    let known = match protocol {
        Protocol::Documented => Expectations::documented(),
        Protocol::Hardened => Expectations::hardened(),
    };
    let report = TargetReport::new(protocol.name(), Some(protocol.name()), target.url().as_str());
    let mut lab = lab(plan, target, Some(saves));
    lab.launcher = Some(Launcher::new(protocol, log("-apart")));
    bench(report, known, lab, true, Some(embedded)).await
}

fn lab(plan: &Plan, target: Target, saves: Option<SavesFolder>) -> Lab {
    Lab::new(target, saves, plan.users, plan.seed, plan.effort)
}

async fn bench(
    mut report: TargetReport,
    known: Expectations,
    mut lab: Lab,
    consent: bool,
    embedded: Option<Embedded>,
) -> anyhow::Result<Bench> {
    report.saves = lab.folder.as_ref().map(|saves| saves.path().display().to_string());
    preflight::look(&mut lab, consent).await?;
    Ok(Bench { report, known, lab: Arc::new(lab), embedded, verdicts: Mutex::default(), gone: OnceLock::new() })
}

impl Bench {
    /// Tries a claim, and enters what came of it. After an interruption nothing is tried.
    async fn attempt(&self, claim: &'static Claim, run: &Run<'_>) {
        if run.stop.is_cancelled() {
            return;
        }
        run.progress.begins(&self.report.name, claim);
        let untried = |why: String| Tried { finding: Finding::inconclusive(why), took: Duration::ZERO };
        let tried = match self.gone.get() {
            Some(why) if claim.needs != Needs::OwnServer => untried(format!("not tried: {why}")),
            _ => match runner::attempt(&self.lab, claim, run.stop).await {
                Ok(tried) => tried,
                Err(Ended::Interrupted) => return,
                Err(Ended::Gone(why)) => {
                    self.gone.get_or_init(|| format!("the target stopped answering during {}: {why}", claim.id));
                    untried(format!("the target stopped answering: {why}"))
                }
            },
        };
        run.progress.ended(&self.report.name, claim, &tried);
        let reproduce = reproduce(run.plan, &self.report, claim);
        lab::lock(&self.verdicts).push(claim_report(claim, tried, &self.known, reproduce));
    }

    /// Withdraws a verdict that company may have caused; whether there was one. Company there is only where the servers
    /// are the harness's own.
    fn withdraw_unless_held(&self, claim: &Claim) -> bool {
        if self.embedded.is_none() {
            return false;
        }
        let id = claim.id.to_string();
        let mut verdicts = lab::lock(&self.verdicts);
        let before = verdicts.len();
        verdicts.retain(|report| report.id != id || report.verdict == Verdict::Holds);
        verdicts.len() < before
    }

    /// The verdicts, and what may be left on the target until the clean-up.
    fn report(&self) -> TargetReport {
        let mut report = self.report.clone();
        report.claims.clone_from(&lab::lock(&self.verdicts));
        report.claims.sort_by_key(|claim| claim.id.parse::<ClaimId>().ok());
        if self.embedded.is_none() {
            leave(&mut report, &self.lab.target, self.lab.may_be_left());
        }
        report
    }

    /// Cleans up, and ends an embedded server; returns the keys under which a document may be left.
    async fn close(self, stop: &CancellationToken) -> anyhow::Result<Vec<String>> {
        match self.embedded {
            // Its folder goes with it.
            Some(embedded) => {
                embedded.stop().await.context("the embedded server could not be cleaned up").map(|()| Vec::new())
            }
            None => Ok(clean_up::clean_up(&self.lab, stop).await),
        }
    }
}

/// The command that tries one claim again.
fn reproduce(plan: &Plan, report: &TargetReport, claim: &Claim) -> String {
    let mut words = vec![format!("loadgen verify --only {} --seed {}", claim.id, plan.seed)];
    match &plan.subject {
        Subject::Embedded(_) => words.push(format!("--protocol {}", report.name)),
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

/// Enters what may be left on a target.
fn leave(report: &mut TargetReport, target: &Target, keys: Vec<String>) {
    report.left_behind_command = left_behind::command(&target.delete_url_to_give(), &keys);
    report.left_behind = keys;
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
