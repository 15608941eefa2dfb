//! R2, R3: the server dies, or the power goes, under load.

use super::environment::{Environment, stuck};
use super::survival::{Crash, DOCUMENTS, Load, SAVERS, judge, look};
use super::{Claim, Expected, Finding, Needs, Phase};
use crate::lab::{Lab, Stuck};
use crate::reference::{Disk, Process};
use engine::saves_folder::SavesFolder;
use rand::rngs::StdRng;
use rand::{Rng, RngExt};
use record::claims::{ClaimId, Verdict};
use record::step::{Step, ms};
use rustix::process::{Signal, kill_process};
use std::collections::BTreeSet;
use std::path::PathBuf;
use std::sync::Arc;
use std::sync::atomic::{AtomicU64, Ordering::Relaxed};
use std::time::{Duration, Instant};
use tokio::time::sleep;
use tokio_util::sync::CancellationToken;

/// A crash comes after so many acknowledged saves, by chance: at least one a saver, so that there is something to lose.
const FEWEST_SAVES: u64 = 2 * SAVERS as u64;
const MOST_SAVES: u64 = 400;

/// The longest that so many are waited for.
const LONGEST_LOAD: Duration = Duration::from_secs(3);

/// How long it is then watched for a file that comes and goes.
const LONGEST_WATCH: Duration = Duration::from_millis(20);

/// How often it is looked whether enough saves were acknowledged.
const LOOK: Duration = Duration::from_millis(1);

/// The quote of both.
const QUOTE: &str = "100% reliable - works every time or fails clearly";

/// R2
pub(super) static R2: Claim = Claim {
    id: ClaimId::of("R2"),
    title: "what was acknowledged survives the server's death",
    quote: QUOTE,
    tried: "16 users save eight documents of 2.7 to 300 KB, four of them shared, until the server gets SIGKILL; \
            another server is started on the folder. The kill comes when a file is seen shorter than any save to it, \
            or else after 32 to 400 acknowledged saves, when a file appears that was not there a moment before. There \
            are ten kills (`--quick` 6, `--full` 100), or fewer if one loses something.",
    holds_if: "Every document is complete and shows a save, acknowledged or cut off, that no acknowledged save followed, \
            and no saver's metadata in it is older than that saver's last acknowledged save. It is enough if restore \
            or file shows it.",
    needs: Needs::OwnServer,
    expected: Expected::REFUTED_ON_DOCUMENTED,
    decisions_on_chance: 0,
    phase: Phase::Faults,
    is_quick: true,
    mostly_waits: false,
    takes_times: false,
    attempt: |lab| Box::pin(async move { Ok(judge_kills(&kills(lab).await?)) }),
};

/// R3
pub(super) static R3: Claim = Claim {
    id: ClaimId::of("R3"),
    title: "what was acknowledged survives a loss of power",
    quote: QUOTE,
    tried: "The load of R2 runs on a server with `--durability disk` whose files are on a model of a disk, in memory. \
            When the power fails, each change that was not synced is lost or kept at random, a write also in part; an \
            ordinary server is then started on what is left. There are eight power failures (`--quick` 3, `--full` \
            100), or fewer if one loses something.",
    holds_if: "As for R2: every document is complete and shows a save, acknowledged or cut off, that no acknowledged save \
            followed, and no saver's metadata in it is older than that saver's last acknowledged save.",
    needs: Needs::OwnServer,
    expected: Expected::REFUTED_ON_DOCUMENTED,
    decisions_on_chance: 0,
    phase: Phase::Faults,
    is_quick: true,
    mostly_waits: false,
    takes_times: false,
    attempt: |lab| Box::pin(async move { Ok(judge_power_cuts(&power_cuts(lab).await?)) }),
};

fn judge_kills(crashes: &[Crash]) -> Finding {
    judge(crashes, "kills")
}

fn judge_power_cuts(crashes: &[Crash]) -> Finding {
    judge(crashes, "power cuts")
}

/// Kills servers under load, each on the folder that the one before left, until one loses something.
async fn kills(lab: &Arc<Lab>) -> Result<Vec<Crash>, Stuck> {
    let mut environment = Environment::new(lab)?;
    let mut random = lab.random(2);
    let mut crashes = Vec::new();
    let mut server = environment.start(Disk::Real).await?;
    while crashes.len() < lab.effort.pick(6, 10, 100) && environment.has_time() {
        let keys = environment.keys(DOCUMENTS.len());
        let load = Load::start(&keys, environment.users(&server, SAVERS)?).await?;
        let what = kill(&environment, &server, &load, &keys, saves_before(&mut random)).await?;
        // It is dead already; now it is gone.
        server.kill().await.map_err(|error| stuck(&error))?;
        let stories = load.end().await;
        server = environment.start(Disk::Real).await?;
        let mut user = environment.users(&server, 1)?.remove(0);
        crashes.push(Crash { what, documents: look(stories, &mut user, environment.folder()).await? });
        if judge_kills(&crashes).verdict == Verdict::Refuted {
            break;
        }
    }
    Ok(crashes)
}

fn saves_before(random: &mut StdRng) -> u64 {
    random.random_range(FEWEST_SAVES..MOST_SAVES)
}

/// Kills a server at the worst moment there is until so many saves were acknowledged, or shortly after.
async fn kill(
    environment: &Environment,
    server: &Process,
    load: &Load,
    keys: &[String],
    after: u64,
) -> Result<Step, Stuck> {
    let pid = server.pid().ok_or_else(|| Stuck("the server ended before it was killed".to_owned()))?;
    let files = keys.iter().map(|key| environment.folder().document_path(key));
    let documents = files.zip(DOCUMENTS.map(|(size_bytes, _)| size_bytes as u64)).collect();
    // The thread ends with this future, should it be called off.
    let called_off = CancellationToken::new();
    let _guard = called_off.clone().drop_guard();
    let watch =
        Watch { folder: environment.folder().clone(), documents, acknowledged: load.acknowledged(), after, called_off };
    let watching = tokio::task::spawn_blocking(move || {
        let why = watch.until_the_worst_moment();
        // Once this is called off, the number may soon be another process's.
        if watch.called_off.is_cancelled() { Ok(why) } else { kill_process(pid, Signal::KILL).map(|()| why) }
    });
    let why = watching.await.map_err(|lost| Stuck(lost.to_string()))?;
    let why = why.map_err(|errno| Stuck(format!("the server cannot be killed: {errno}")))?;
    Ok(at(environment.now_us(), "SIGKILL to the server", why))
}

/// Who watches for the moment to kill a server: one in which the folder shows that it is in the middle of something.
struct Watch {
    folder: SavesFolder,
    /// Each with how long it is at least, bytes: its file was created and never shorter since.
    documents: Vec<(PathBuf, u64)>,
    acknowledged: Arc<AtomicU64>,
    after: u64,
    called_off: CancellationToken,
}

impl Watch {
    /// Waits for that moment; answers what makes it one.
    fn until_the_worst_moment(&self) -> String {
        let until = Instant::now() + LONGEST_LOAD;
        let goes_on = |until| Instant::now() < until && !self.called_off.is_cancelled();
        // A document that is shorter than it can be is being written in place.
        while self.acknowledged.load(Relaxed) < self.after && goes_on(until) {
            if let Some(short) = self.short_document() {
                return short;
            }
            // The server needs the processor as well.
            std::thread::yield_now();
        }
        // A file that comes and goes is a document being written aside.
        let lasting = self.names();
        let until = Instant::now() + LONGEST_WATCH;
        while goes_on(until) {
            if let Some(passing) = self.names().difference(&lasting).next() {
                return format!("while {passing} is there");
            }
        }
        format!("after {} acknowledged saves", self.acknowledged.load(Relaxed))
    }

    fn short_document(&self) -> Option<String> {
        self.documents.iter().find_map(|(path, least_bytes)| {
            let there_bytes = std::fs::metadata(path).map_or(0, |metadata| metadata.len());
            let name = path.file_name().unwrap_or_default().to_string_lossy();
            (there_bytes < *least_bytes).then(|| format!("while {name} has {there_bytes} bytes"))
        })
    }

    /// A folder that cannot be read shows nothing.
    fn names(&self) -> BTreeSet<String> {
        self.folder.names().unwrap_or_default().into_iter().collect()
    }
}

/// Cuts the power of servers under load, each on the folder that the one before left, until one loses something.
async fn power_cuts(lab: &Arc<Lab>) -> Result<Vec<Crash>, Stuck> {
    let mut environment = Environment::new(lab)?;
    let mut random = lab.random(3);
    let mut crashes = Vec::new();
    while crashes.len() < lab.effort.pick(3, 8, 100) && environment.has_time() {
        let keys = environment.keys(DOCUMENTS.len());
        let mut server = environment.start(Disk::Forgetting).await?;
        let load = Load::start(&keys, environment.users(&server, SAVERS)?).await?;
        let (acknowledged, after, until) =
            (load.acknowledged(), saves_before(&mut random), Instant::now() + LONGEST_LOAD);
        while acknowledged.load(Relaxed) < after && Instant::now() < until {
            sleep(LOOK).await;
        }
        let seed = random.next_u64();
        let said = server.tell(&format!("power-cut {seed}")).await.map_err(|error| stuck(&error))?;
        if said != "off" {
            return Err(Stuck(format!("the server was told to lose its power, and said {said:?}")));
        }
        let what = at(
            environment.now_us(),
            "the power goes",
            format!("what was not synced is lost, or not, as seed {seed} has it"),
        );
        server.has_ended().await.map_err(|error| stuck(&error))?;
        let stories = load.end().await;
        let again = environment.start(Disk::Real).await?;
        let mut user = environment.users(&again, 1)?.remove(0);
        crashes.push(Crash { what, documents: look(stories, &mut user, environment.folder()).await? });
        if judge_power_cuts(&crashes).verdict == Verdict::Refuted {
            break;
        }
    }
    Ok(crashes)
}

fn at(now_us: u64, did: &str, got: String) -> Step {
    Step { from_ms: Some(ms(now_us)), to_ms: Some(ms(now_us)), ..Step::finding(did, got) }
}
