//! S8, S9: the promises of one saves folder on other file systems, and with several server processes.
//!
//! - [`comparison`]: claims tried in each of several places, and whether the verdicts are the same.
//! - [`disks`]: file systems that are there or can be made.

mod comparison;
mod disks;

use super::deletes::S5;
use super::environment::{Environment, stuck};
use super::instantiate::S3;
use super::lists::S6;
use super::restores::S4;
use super::saves::{S1, S2};
use super::whole_history::S7;
use super::{Claim, Expected, Finding, Needs, Phase};
use crate::lab::{Lab, Stuck};
use crate::reference::{Disk, Process};
pub(crate) use comparison::KnownVerdicts;
use comparison::{Compared, Place, compare};
use contract::document::{Content, MIN_STATE_BYTES};
use record::claims::ClaimId;
use std::sync::Arc;

/// Claims about documents that a file system could break.
static OF_A_DISK: [&Claim; 4] = [&S1, &S2, &S3, &S4];

/// Claims that several processes could break.
static OF_PROCESSES: [&Claim; 7] = [&S1, &S2, &S3, &S4, &S5, &S6, &S7];

/// Processes that serve one folder in S9, as PHP's workers do.
const PROCESSES: usize = 4;

/// S8
pub(super) static S8: Claim = Claim {
    id: ClaimId::of("S8"),
    title: "file systems make no difference",
    quote: "Works on standard filesystems",
    tried: "S1 to S4 are tried on a reference server on each file system that exists (in /dev/shm, /var/tmp, /tmp and \
            the temporary folder) or can be made by root (ext4, xfs and btrfs in a file, and an overlay), in a quarter \
            of the usual time. A fault that appears in one place only is looked for in the others up to three more \
            times, with the full time. With only one file system it is untestable.",
    holds_if: "Each of S1 to S4 has the same verdict on every file system, whichever verdict that is.",
    needs: Needs::OwnServer,
    expected: Expected::HOLDS,
    decisions_on_chance: 0,
    phase: Phase::FileSystems,
    is_quick: false,
    mostly_waits: false,
    takes_times: false,
    attempt: |lab| Box::pin(on_other_disks(lab)),
};

/// S9
pub(super) static S9: Claim = Claim {
    id: ClaimId::of("S9"),
    title: "several server processes are as good as one",
    quote: "flock() prevents race conditions",
    tried: "S1 to S7 are tried with several processes on the target's folder, four if the server is loadgen's own, \
            with users spread over them, in a quarter of the usual time, and compared with the verdicts for one \
            process. A target needs `--target` once per process. A fault that appears on one side only is looked for \
            on the other up to three more times, with the full time.",
    holds_if: "Each of S1 to S7 has the same verdict with several processes as with one, whichever verdict that is.",
    needs: Needs::Processes,
    expected: Expected::HOLDS,
    decisions_on_chance: 0,
    phase: Phase::Documents,
    is_quick: false,
    mostly_waits: false,
    takes_times: false,
    attempt: |lab| Box::pin(with_other_processes(lab)),
};

/// S8's experiment: a server on each file system.
async fn on_other_disks(lab: &Arc<Lab>) -> Result<Finding, Stuck> {
    let (disks, left_out) = tokio::task::spawn_blocking(disks::find).await.map_err(|lost| Stuck(lost.to_string()))?;
    let (mut servers, mut places) = (Vec::new(), Vec::new());
    for disk in &disks {
        let environment = Environment::on(lab, disk.path())?;
        let server = environment.start(Disk::Real).await?;
        let there = lab.beside(server.target().map_err(Stuck)?, Some(environment.folder().clone()));
        places.push(Place { name: format!("on {}", disk.name()), lab: Arc::new(there) });
        servers.push((server, environment));
    }
    let compared = compare(&OF_A_DISK, &places).await;
    for (server, environment) in servers {
        server.stop().await.map_err(|error| stuck(&error))?;
        drop(environment);
    }
    let finding = if disks.len() < 2 {
        Finding::untestable(format!("only one file system can be tried here: {}", left_out.join("; ")))
    } else {
        comparison::judge(&compared)
    };
    let names: Vec<&str> = disks.iter().map(disks::Mounted::name).collect();
    Ok(finding.measured("file_systems", names).measured("left_out", left_out))
}

/// S9's experiment: the target with one process, as it was tried before, and with several.
async fn with_other_processes(lab: &Arc<Lab>) -> Result<Finding, Stuck> {
    let started = start_beside(lab).await?;
    let target = match &started[..] {
        [] => lab.service.clone(),
        started => lab.target.with_processes(
            started.iter().map(|process| process.target().map(Arc::new)).collect::<Result<_, _>>().map_err(Stuck)?,
        ),
    };
    let processes = target.processes();
    let mut there = lab.beside(target, lab.folder.clone());
    // What is written there is written to the same folder, and cleaned up with everything else.
    there.ledger = Arc::clone(&lab.ledger);
    let here = Place { name: "with one process".to_owned(), lab: Arc::clone(lab) };
    let there = Place { name: format!("with {processes} processes"), lab: Arc::new(there) };
    serve_one_folder(&there.lab, processes).await?;
    let compared: Vec<Compared> = compare(&OF_PROCESSES, &[here, there]).await;
    for process in started {
        process.stop().await.map_err(|error| stuck(&error))?;
    }
    Ok(comparison::judge(&compared).measured("processes", processes))
}

/// More processes on the target's folder, where the target is ours.
async fn start_beside(lab: &Lab) -> Result<Vec<Process>, Stuck> {
    let Some(launcher) = &lab.launcher else { return Ok(Vec::new()) };
    let mut started = Vec::new();
    for _ in 1..PROCESSES {
        started.push(launcher.start(lab.folder()?.path(), Disk::Real).await.map_err(|error| stuck(&error))?);
    }
    Ok(started)
}

/// Makes sure that what one process saved is what every other restores.
async fn serve_one_folder(lab: &Lab, processes: usize) -> Result<(), Stuck> {
    let mut first = lab.user(0);
    let key = lab.new_key(&mut first).await?;
    let content = Content { writer: 0, number: 0, size_bytes: MIN_STATE_BYTES };
    let created = first.instantiate(&key, "word", &content.state()).await;
    if !created.is_success() {
        return Err(Stuck(format!("no document to look for in the other processes: {}", created.step())));
    }
    for number in 1..processes {
        let restored = lab.user(number).restore(&key).await;
        if !restored.is_success() {
            let url = lab.target.process(number).url().to_string();
            return Err(Stuck(format!(
                "{url} does not serve the folder that the first process does: what was created there is answered {}",
                restored.step().got
            )));
        }
    }
    Ok(())
}
