//! Verdicts depend neither on which other claims are tried nor on their order.
//!
//! Regression: `verify --protocol hardened --only K1,K2,O3` always refuted K2 and O3. K1 had filled the folder and
//! emptied it again without the server's knowledge, and the server kept drawing from the 300 keys that it knew to be
//! free.
//!
//! `ORDERS=20` tries 20 orders on each protocol; `FIRST_ORDER=7` begins with the order of seed 7. By default only a few
//! are tried, in addition to those that were once wrong.

mod support;

use contract::DEFAULT_PATH_TEMPLATE;
use engine::client::Target;
use engine::saves_folder::SavesFolder;
use libtest_mimic::{Arguments, Failed, Trial};
use loadgen::claims;
use loadgen::claims::Claim;
use loadgen::lab::Effort;
use loadgen::lab::{DEFAULT_USERS, Subject};
use loadgen::reference::Protocol;
use loadgen::verify::expectations::Expectations;
use loadgen::verify::{Plan, verify};
use rand::rngs::StdRng;
use rand::seq::{IndexedRandom, SliceRandom};
use rand::{RngExt, SeedableRng};
use record::claims::ClaimId;
use record::claims::Outcome;
use record::claims::TargetReport;
use record::claims::Verdict;
use record::step::Step;
use std::path::Path;
use std::process::ExitCode;
use support::harness::saves_folder;
use support::liar;
use support::running::Running;
use tokio_util::sync::CancellationToken;

/// Orders tried on each protocol by default.
const ORDERS: u64 = 1;

/// Claims in one order. All quick claims that take longer than two seconds would leave time for few orders.
const CLAIMS_IN_AN_ORDER: usize = 7;

/// Orders in which the hardened protocol was once refuted wrongly.
const ONCE_WRONG: [&[&str]; 2] = [&["K1", "K2", "O3"], &["K3", "O3"]];

fn main() -> ExitCode {
    // The harness starts its own binary as a server.
    if std::env::args().nth(1).as_deref() == Some("serve") {
        return serve();
    }
    let mut trials: Vec<Trial> = ONCE_WRONG.iter().map(|ids| trial(Protocol::Hardened, ids_of(ids), 1)).collect();
    let honest = |saves: &Path| liar::spawn(None, saves);
    let never = "a_stranger_that_never_reads_the_folder_again_is_refuted";
    trials.push(stranger("a_stranger_that_reads_the_folder_again_is_not_accused", honest, Verdict::Holds));
    trials.push(stranger(never, liar::spawn_never_looking_again, Verdict::Refuted));
    let first = from_environment("FIRST_ORDER").unwrap_or(1);
    for seed in first..first + from_environment("ORDERS").unwrap_or(ORDERS) {
        for protocol in [Protocol::Documented, Protocol::Hardened] {
            trials.push(trial(protocol, some_order(seed), seed));
        }
    }
    // Two at once would compete for the machine, and some verdicts are about time.
    let arguments = Arguments { test_threads: Some(1), ..Arguments::from_args() };
    libtest_mimic::run(&arguments, trials).exit_code()
}

fn serve() -> ExitCode {
    #[derive(clap::Parser)]
    enum Command {
        Serve(server::ServerOptions),
    }
    let Command::Serve(options) = <Command as clap::Parser>::parse();
    match loadgen::reference::serve(options) {
        Ok(()) => ExitCode::SUCCESS,
        Err(error) => {
            eprintln!("{error:#}");
            ExitCode::FAILURE
        }
    }
}

fn from_environment(name: &str) -> Option<u64> {
    std::env::var(name).ok()?.parse().ok()
}

/// Some of the quick claims, in a random order. Most orders have a claim that fills the folder and the ones about the
/// distribution of keys; what runs in between is random.
fn some_order(seed: u64) -> Vec<ClaimId> {
    let mut random = StdRng::seed_from_u64(seed);
    let quick: Vec<ClaimId> = claims::in_order().iter().filter(|claim| claim.is_quick).map(|claim| claim.id).collect();
    let mut some: Vec<ClaimId> = quick.sample(&mut random, CLAIMS_IN_AN_ORDER).copied().collect();
    if random.random_bool(0.75) {
        some.extend(ids_of(&[["K1", "K3", "K5", "K10"].choose(&mut random).copied().unwrap_or("K1"), "K2", "O3"]));
    }
    some.shuffle(&mut random);
    let mut order: Vec<ClaimId> = Vec::new();
    some.into_iter().for_each(|id| {
        if !order.contains(&id) {
            order.push(id);
        }
    });
    order
}

fn ids_of(names: &[&str]) -> Vec<ClaimId> {
    names.iter().map(|name| ClaimId::of(name)).collect()
}

fn trial(protocol: Protocol, ids: Vec<ClaimId>, seed: u64) -> Trial {
    let names: Vec<String> = ids.iter().map(ToString::to_string).collect();
    let name = format!("{}_gets_its_verdicts_in_the_order_{}", protocol.name(), names.join("_"));
    Trial::test(name, move || holds(protocol, &ids, seed).map_err(Failed::from))
}

/// Every verdict must be the expected one. But a busy machine can leave a claim undecided, or be too slow for a claim
/// about times, or miss a race in the time that a claim takes. So those count as faults of the order only if they recur
/// in that order, and not when the claim is tried alone.
fn holds(protocol: Protocol, ids: &[ClaimId], seed: u64) -> Result<(), String> {
    let mut flipped = flips(protocol, ids, seed)?;
    if !flipped.is_empty() && flipped.iter().all(Flip::may_be_the_machines) {
        flipped.iter().for_each(|flip| println!("{}; tried again", flip.what));
        flipped = flips(protocol, ids, seed)?;
        flipped.retain(|flip| {
            !flip.may_be_the_machines() || flips(protocol, &[flip.id], seed).is_ok_and(|alone| alone.is_empty())
        });
    }
    let told: Vec<&str> = flipped.iter().map(|flip| flip.what.as_str()).collect();
    if told.is_empty() { Ok(()) } else { Err(format!("seed {seed}: {}", told.join("; "))) }
}

/// An unexpected verdict.
struct Flip {
    id: ClaimId,
    verdict: Verdict,
    what: String,
}

impl Flip {
    fn may_be_the_machines(&self) -> bool {
        let is_about_times = ids_of(&["K3", "K4", "K6", "R4"]).contains(&self.id)
            || claims::by_id(self.id).is_some_and(|claim| claim.takes_times);
        is_about_times || self.verdict == Verdict::Holds
    }
}

fn flips(protocol: Protocol, ids: &[ClaimId], seed: u64) -> Result<Vec<Flip>, String> {
    let target = tried(protocol, ids, seed).map_err(|error| format!("{error:#}"))?;
    let known = match protocol {
        Protocol::Documented => Expectations::documented(),
        Protocol::Hardened => Expectations::hardened(),
    };
    let mut flipped = Vec::new();
    for &id in ids {
        let claim = target
            .claims
            .iter()
            .find(|claim| claim.id == id.to_string())
            .ok_or_else(|| format!("{id} was not tried"))?;
        let what = format!("{id} {}: {}", claim.verdict, claim.summary);
        match known.weigh(id, claim.verdict) {
            Outcome::AsExpected => {}
            Outcome::Undecided => println!("{what}"),
            Outcome::Failed => flipped.push(Flip { id, verdict: claim.verdict, what }),
        }
    }
    Ok(flipped)
}

fn tried(protocol: Protocol, ids: &[ClaimId], seed: u64) -> anyhow::Result<TargetReport> {
    tried_on(Subject::Embedded(protocol), ids, seed)
}

fn tried_on(subject: Subject, ids: &[ClaimId], seed: u64) -> anyhow::Result<TargetReport> {
    let out = tempfile::tempdir()?;
    let plan = Plan {
        subjects: vec![subject],
        known: Expectations::default(),
        claims: ids.iter().filter_map(|id| claims::by_id(*id)).collect::<Vec<&'static Claim>>(),
        users: DEFAULT_USERS,
        seed,
        effort: Effort::Quick,
        out: out.path().to_owned(),
    };
    let runtime = tokio::runtime::Builder::new_multi_thread().enable_all().build()?;
    let report = runtime.block_on(verify(&plan, &CancellationToken::new(), &|_| Ok(())))?;
    report.targets.into_iter().next().ok_or_else(|| anyhow::anyhow!("there is no report"))
}

/// An independent server, whose folder K1 fills and empties without its knowledge: it may notice that in any way, as
/// long as it does.
fn stranger(name: &str, spawn: fn(&Path) -> Running, expected: Verdict) -> Trial {
    Trial::test(name, move || {
        let saves = saves_folder();
        let server = spawn(saves.path());
        let target = Box::new(Target::new(&server.url, DEFAULT_PATH_TEMPLATE)?);
        let saves = Some(SavesFolder::open(saves.path())?);
        let tried = tried_on(Subject::Server { target, saves, consent: false }, &ids_of(&["K1", "O3"]), 1);
        let tried = tried.map_err(|error| format!("{error:#}"))?;
        for claim in &tried.claims {
            let should = if claim.id == "O3" { expected } else { Verdict::Holds };
            if claim.verdict != should {
                return Err(format!("{} {}: {}", claim.id, claim.verdict, claim.summary).into());
            }
            // The counterexample must say what happened to the folder before.
            let explained = |steps: &[Step]| steps.first().is_some_and(|step| step.got.contains("removed documents"));
            if claim.verdict == Verdict::Refuted && !explained(&claim.counterexample) {
                return Err(format!("the counterexample is {:?}", claim.counterexample).into());
            }
        }
        Ok(())
    })
}
