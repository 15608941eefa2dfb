//! P2: what a lock costs by itself. The harness takes it: on a file of its own, in the folder that the server uses.

use super::{Claim, Expected, Finding, Needs, Phase};
use crate::lab::{Lab, Stuck};
use record::claims::ClaimId;
use record::step::Step;
use rustix::fs::{FlockOperation, flock};
use rustix::io::retry_on_intr;
use serde_json::{Value, json};
use stats::statistics::percentile;
use std::fs::{File, OpenOptions};
use std::io;
use std::path::Path;
use std::sync::{Arc, Barrier};
use std::time::Instant;

/// "< 1ms on local filesystem"
const LIMIT_MS: f64 = 1.0;

/// How often a free file is locked and unlocked: one in a hundred is then many.
const ROUNDS: usize = 5_000;

/// How often each of two threads locks and unlocks the file that the other locks too.
const CONTENDED_ROUNDS: usize = 1_000;

/// The file: neither a document nor, to whoever looks for them, a lock file.
const PROBE: &str = ".claimcheck-lock-probe";

/// P2
pub(super) static P2: Claim = Claim {
    id: ClaimId::of("P2"),
    title: "a lock costs less than 1 ms",
    quote: "flock() overhead: < 1ms on local filesystem",
    tried: "The harness locks and unlocks a free file of its own in the saves folder 5,000 times with flock; two \
            threads then contend for it 1,000 times each, which is only reported. A slow result is measured again, and \
            the better one counts.",
    holds_if: "The p99 of locking and unlocking the free file is below 1 ms.",
    needs: Needs::Folder,
    expected: Expected::HOLDS,
    decisions_on_chance: 0,
    phase: Phase::Service,
    is_quick: true,
    mostly_waits: false,
    takes_times: true,
    attempt: |lab| {
        Box::pin(async move {
            let mut measurements = vec![experiment(lab).await?];
            // A slow result is measured anew: what the machine did once does not count.
            if measurements[0].p99_ms() >= LIMIT_MS {
                measurements.push(experiment(lab).await?);
            }
            Ok(judge(&measurements))
        })
    },
};

/// How long each lock and unlock took, ms.
#[derive(Debug)]
struct Measurement {
    free_ms: Vec<f64>,
    contended_ms: Vec<f64>,
}

impl Measurement {
    fn p99_ms(&self) -> f64 {
        percentile(&self.free_ms, 0.99).unwrap_or_default()
    }
}

async fn experiment(lab: &Arc<Lab>) -> Result<Measurement, Stuck> {
    let folder = lab.folder()?.path().to_owned();
    let measuring = tokio::task::spawn_blocking(move || measure(&folder));
    let measured = measuring.await.map_err(|lost| Stuck(lost.to_string()))?;
    measured.map_err(|error| Stuck(format!("a file in the saves folder cannot be locked: {error}")))
}

fn measure(folder: &Path) -> io::Result<Measurement> {
    let [file, other] = open_twice(folder)?;
    let free_ms = lock_and_unlock(&file, FlockOperation::NonBlockingLockExclusive, ROUNDS)?;
    let start = Barrier::new(2);
    let contend = |file| {
        start.wait();
        lock_and_unlock(file, FlockOperation::LockExclusive, CONTENDED_ROUNDS)
    };
    let (here, there) = std::thread::scope(|scope| {
        let there = scope.spawn(|| contend(&other));
        (contend(&file), there.join().unwrap_or_else(|_| Err(io::Error::other("the other thread panicked"))))
    });
    Ok(Measurement { free_ms, contended_ms: [here?, there?].concat() })
}

/// A file of our own, opened twice. It has no name any more when this returns, so nothing can be left behind.
fn open_twice(folder: &Path) -> io::Result<[File; 2]> {
    let path = folder.join(PROBE);
    let file = OpenOptions::new().write(true).create_new(true).open(&path)?;
    let other = File::open(&path);
    std::fs::remove_file(&path)?;
    Ok([file, other?])
}

fn lock_and_unlock(file: &File, lock: FlockOperation, rounds: usize) -> io::Result<Vec<f64>> {
    let round = |_| {
        let began = Instant::now();
        retry_on_intr(|| flock(file, lock))?;
        retry_on_intr(|| flock(file, FlockOperation::Unlock))?;
        Ok(began.elapsed().as_secs_f64() * 1e3)
    };
    (0..rounds).map(round).collect()
}

fn judge(measurements: &[Measurement]) -> Finding {
    let best = measurements.iter().min_by(|one, other| one.p99_ms().total_cmp(&other.p99_ms()));
    let Some(best) = best.filter(|best| !best.free_ms.is_empty()) else {
        return Finding::inconclusive("nothing was measured");
    };
    let (p99_ms, rounds) = (best.p99_ms(), best.free_ms.len());
    let summary = format!("lock and unlock of a free file, {rounds} times: p99 {p99_ms:.4} ms");
    let finding = if p99_ms < LIMIT_MS {
        Finding::holds(summary)
    } else {
        let each: Vec<String> =
            measurements.iter().map(|measurement| format!("p99 {:.3} ms", measurement.p99_ms())).collect();
        let step = Step::finding(
            format!("a free file in the saves folder locked and unlocked with flock, {rounds} times"),
            each.join(", then "),
        );
        Finding::refuted(summary, vec![step])
    };
    finding
        .measured("free_ms", told(&best.free_ms))
        .measured("contended_by_two_ms", told(&best.contended_ms))
        .expected("free_p99_ms_below", LIMIT_MS)
}

fn told(times_ms: &[f64]) -> Value {
    json!({
        "rounds": times_ms.len(),
        "p50": percentile(times_ms, 0.5),
        "p99": percentile(times_ms, 0.99),
        "max": percentile(times_ms, 1.0),
    })
}

#[cfg(test)]
mod tests {
    use super::*;
    use record::claims::Verdict;

    /// A thousand rounds, so many of them slow.
    fn measurement(slow: usize) -> Measurement {
        let free_ms = [vec![0.002; 1_000 - slow], vec![1.5; slow]].concat();
        Measurement { free_ms, contended_ms: vec![20.0; 10] }
    }

    #[test]
    fn a_hundredth_of_slow_locks_is_allowed_and_more_refute() {
        assert_eq!(judge(&[measurement(10)]).verdict, Verdict::Holds);
        let finding = judge(&[measurement(11)]);
        assert_eq!((finding.verdict, finding.counterexample[0].got.as_str()), (Verdict::Refuted, "p99 1.500 ms"));
    }

    #[test]
    fn the_better_of_two_measurements_is_judged() {
        assert_eq!(judge(&[measurement(300), measurement(0)]).verdict, Verdict::Holds);
        assert_eq!(judge(&[measurement(300), measurement(200)]).verdict, Verdict::Refuted);
    }

    #[test]
    fn a_lock_that_is_waited_for_is_told_and_not_judged() {
        let finding = judge(&[measurement(0)]);
        assert_eq!(finding.verdict, Verdict::Holds);
        assert_eq!(finding.measured["contended_by_two_ms"]["p99"], 20.0);
    }

    #[test]
    fn no_measurement_decides_nothing() {
        let nothing = Measurement { free_ms: Vec::new(), contended_ms: Vec::new() };
        assert_eq!(judge(&[nothing]).verdict, Verdict::Inconclusive);
    }

    #[test]
    fn measuring_leaves_nothing_in_the_folder_and_touches_no_file_of_others() {
        let temp = tempfile::tempdir().expect("a folder");
        let measured = measure(temp.path()).expect("locks");
        assert_eq!((measured.free_ms.len(), measured.contended_ms.len()), (ROUNDS, 2 * CONTENDED_ROUNDS));
        assert_eq!(std::fs::read_dir(temp.path()).expect("reads").count(), 0);
        std::fs::write(temp.path().join(PROBE), "theirs").expect("writes");
        assert!(measure(temp.path()).is_err());
        assert_eq!(std::fs::read(temp.path().join(PROBE)).expect("is there"), b"theirs");
    }

    #[test]
    fn the_two_openings_lock_each_other_out() {
        let temp = tempfile::tempdir().expect("a folder");
        let [file, other] = open_twice(temp.path()).expect("opens");
        let try_lock = |file: &File| flock(file, FlockOperation::NonBlockingLockExclusive);
        assert!(try_lock(&file).is_ok() && try_lock(&other).is_err());
    }
}
