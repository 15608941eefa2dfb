//! What a target costs: attempts and time by fill, throughput by users, lists and space by documents.
//!
//! Some of the points are *held out*: the model is fitted to the others, says what they will be, and only then are they
//! measured. So the file holds each prediction beside what came of it.
//!
//! - `by_fill`, `by_users`, `by_documents`: the three sweeps

mod by_documents;
mod by_fill;
mod by_users;

use crate::lab::clean_up::announce;
use crate::lab::{DEFAULT_USERS, Effort, Keep, Lab, PreparedTarget, Settings, Subject};
use crate::print::stderr;
use record::host::Host;
use record::measurements::{Measured, Measurements};
use stats::keys::THREE_CHARACTER_KEYS;
use std::path::PathBuf;
use std::sync::Arc;
use std::time::SystemTime;
use tokio_util::sync::CancellationToken;

/// What is to be measured.
#[derive(Debug)]
pub struct Order {
    /// The targets.
    pub subjects: Vec<Subject>,
    /// What all randomness comes from.
    pub seed: u64,
    /// How many requests and rounds.
    pub effort: Effort,
    /// Where the run's files go.
    pub out: PathBuf,
}

/// Measures one target after the other. When `stop` is cancelled, the file is of what was measured until then. It is kept
/// before the clean-up, which may be cut short.
///
/// # Errors
/// Where a target cannot be set up or may not be loaded, the file not be kept, or documents may be left on the target.
pub async fn measure(
    order: &Order,
    stop: &CancellationToken,
    keep: Keep<'_, Measurements>,
) -> anyhow::Result<Measurements> {
    let mut measurements = Measurements {
        schema: record::measurements::SCHEMA.to_owned(),
        seed: order.seed,
        started: humantime::format_rfc3339_seconds(SystemTime::now()).to_string(),
        partial: false,
        host: Host::this(),
        targets: Vec::new(),
    };
    let settings = Settings { users: DEFAULT_USERS, seed: order.seed, effort: order.effort, uses_folder: true };
    for (number, subject) in order.subjects.iter().enumerate() {
        let target = PreparedTarget::open(subject, &order.out, settings).await?;
        let measured = sweep(subject.name(), &target.lab, stop).await.and_then(|measured| {
            measurements.targets.push(measured);
            measurements.partial = stop.is_cancelled();
            if number + 1 == order.subjects.len() {
                keep(&measurements)?;
                announce(stop, &order.out);
            }
            Ok(())
        });
        let left = target.leave_or_fail(stop).await;
        measured?;
        left?;
    }
    Ok(measurements)
}

/// The three sweeps, as far as the folder allows them.
async fn sweep(name: &str, lab: &Arc<Lab>, stop: &CancellationToken) -> anyhow::Result<Measured> {
    let mut measured = Measured {
        name: name.to_owned(),
        url: lab.target.url().to_string(),
        keys: THREE_CHARACTER_KEYS as u64,
        ..Measured::default()
    };
    let sweeps = async {
        if lab.was_empty && lab.folder.is_some() {
            tell(name, "keys by fill");
            measured.fills = by_fill::sweep(lab).await?;
            tell(name, "lists by documents");
            measured.folders = by_documents::sweep(lab).await?;
        }
        tell(name, "throughput by users");
        measured.users = by_users::sweep(lab).await?;
        Ok::<_, crate::lab::Stuck>(())
    };
    tokio::select! {
        () = stop.cancelled() => {}
        done = sweeps => done.map_err(|stuck| anyhow::anyhow!("{name} cannot be measured: {stuck}"))?,
    }
    Ok(measured)
}

fn tell(name: &str, what: &str) {
    stderr!("measuring {name}: {what}");
}
