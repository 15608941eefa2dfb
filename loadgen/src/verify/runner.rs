//! One claim after the other, on one target, within limits.

use crate::browser::Driver;
use crate::claims::elsewhere::KnownVerdicts;
use crate::claims::{Claim, Finding, Needs};
use crate::lab::preflight::is_alive;
use crate::lab::{Lab, Stuck};
use futures_util::FutureExt;
use std::panic::AssertUnwindSafe;
use std::sync::Arc;
use std::time::{Duration, Instant};
use tokio_util::sync::CancellationToken;

/// The longest that any experiment may take: it is told to end itself long before.
const LONGEST: Duration = Duration::from_mins(2);

/// How often it is looked whether the target still answers.
const LOOK: Duration = Duration::from_millis(500);

/// What came of trying a claim.
#[derive(Debug)]
pub struct Tried {
    /// The finding.
    pub finding: Finding,
    /// How long it took.
    pub took: Duration,
}

/// Why no further claim can be tried.
#[derive(Debug, PartialEq, Eq)]
pub enum Ended {
    /// The run was interrupted: this claim has no finding.
    Interrupted,
    /// The target stopped answering.
    Gone(String),
}

/// Tries a claim, and cleans up after it.
///
/// # Errors
/// Where the run has to end. When the target stopped answering, the claim itself is inconclusive, for that reason.
pub async fn attempt(lab: &Arc<Lab>, claim: &Claim, stop: &CancellationToken) -> Result<Tried, Ended> {
    let began = Instant::now();
    let tried = |finding| Tried { finding, took: began.elapsed() };
    if let Some(why) = untestable(lab, claim) {
        return Ok(tried(Finding::untestable(why)));
    }
    if claim.needs == Needs::OwnServer {
        // It has nothing to do with the target, on which another claim may be tried meanwhile.
        return tokio::select! {
            () = stop.cancelled() => Err(Ended::Interrupted),
            finding = experiment(lab, claim) => Ok(tried(finding)),
        };
    }
    if claim.needs != Needs::Filling && lab.filled() > 0 {
        // What stays behind is counted as any other document is.
        let _ = lab.empty_fill().await;
    }
    lab.begin_claim();
    let finding = tokio::select! {
        () = stop.cancelled() => return Err(Ended::Interrupted),
        why = gone(lab) => return Err(Ended::Gone(why)),
        finding = experiment(lab, claim) => finding,
    };
    lab.shared::<KnownVerdicts>().note(claim.id, finding.verdict);
    let ours = lab.ledger.keys();
    tokio::select! {
        () = stop.cancelled() => {}
        why = gone(lab) => return Err(Ended::Gone(why)),
        _ = async { lab.release(&ours).await; lab.release_late_writes().await } => {}
    }
    Ok(tried(finding))
}

/// A claim's experiment, within the time that any may take.
async fn experiment(lab: &Arc<Lab>, claim: &Claim) -> Finding {
    let experiment = AssertUnwindSafe((claim.attempt)(lab)).catch_unwind();
    match tokio::time::timeout(LONGEST, experiment).await {
        Ok(Ok(Ok(finding))) => finding,
        Ok(Ok(Err(Stuck(why)))) => Finding::inconclusive(why),
        Ok(Err(_)) => {
            Finding::inconclusive("the harness failed in this experiment: a bug of its own, see standard error")
        }
        Err(_) => Finding::inconclusive(format!("the experiment did not end within {} s", LONGEST.as_secs())),
    }
}

fn untestable(lab: &Lab, claim: &Claim) -> Option<String> {
    if claim.needs == Needs::Browser {
        return Driver::missing().map(|missing| format!("it takes a real browser: {missing}"));
    }
    match claim.needs {
        Needs::Wire | Needs::Browser => None,
        Needs::OwnServer => lab.launcher.is_none().then_some(
            "it takes a server that is killed, whose disk is made to fail, or that is put on other disks: verify does that only to one that it started itself",
        ),
        Needs::Processes => (lab.launcher.is_none() && lab.service.processes() == 1)
            .then_some("only one process of the target is known: give --target once for each, or let verify start them"),
        _ if lab.folder.is_none() => Some("the saves folder is not known: give --saves"),
        Needs::Filling if !lab.was_empty => Some("the saves folder was not empty, so it is not filled"),
        Needs::Folder | Needs::Filling => None,
    }
    .map(str::to_owned)
}

/// Ready when the target has stopped answering, with how that showed.
async fn gone(lab: &Arc<Lab>) -> String {
    loop {
        tokio::time::sleep(LOOK).await;
        if let Some(failure) = lab.ledger.suspicion()
            && !is_alive(lab).await
        {
            return failure.to_string();
        }
    }
}
