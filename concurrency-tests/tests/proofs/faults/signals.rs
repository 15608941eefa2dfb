//! What is no fault and must not be seen: calls that a signal interrupts, reads and writes that take a part.

use super::run::{Launch, Run, Scenario, run};
use super::subject::HintedKeys;
use super::subject::{Recorded, Subject};
use super::{hardened, instantiate_without_folder, scenarios};
use concurrency_tests::proof::{Proof, Row, with_commas};
use rustix::io::Errno;
use server::fs::{Around, CallKind, Fault, Retrying};

pub(super) fn proofs() -> Vec<Proof> {
    vec![
        Proof { name: "no_client_sees_an_interrupted_call_or_a_short_read_or_write", prove: nothing_is_seen },
        Proof { name: "without_retrying_an_interrupted_call_is_seen", prove: without_retrying },
    ]
}

/// How a run with such faults compares to the clean one.
struct Compared {
    armed: usize,
    fired: usize,
    /// In words, where the answer or the files differ.
    difference: Option<String>,
}

fn nothing_is_seen() -> Result<Vec<Row>, String> {
    let retrying: Launch<'_> = &|subject, files| subject.server_on(Around::new(files, Retrying));
    let row = |subject: Subject| {
        let (mut runs, mut faults) = (0, 0);
        let scenarios = all(subject);
        for scenario in &scenarios {
            every_signal(scenario, retrying, &mut |compared| {
                (runs, faults) = (runs + 1, faults + compared.armed);
                match compared.difference {
                    Some(difference) => Err(difference),
                    None if compared.fired < compared.armed => Err(format!("{scenario}: a fault never fired")),
                    None => Ok(()),
                }
            })?;
        }
        Ok(Row {
            by: "faults",
            what: format!("{subject}: interrupted calls, short reads and writes"),
            scenarios: scenarios.len(),
            searched: format!("{} runs, {} faults fired", with_commas(runs), with_commas(faults)),
            bound:
                "each call interrupted once, three times; each read and write short once, for good; each pair of these"
                    .to_owned(),
            found: "never seen: the same answers and files".to_owned(),
        })
    };
    hardened(HintedKeys::Few).into_iter().chain([DOCUMENTED]).map(row).collect()
}

fn without_retrying() -> Result<Vec<Row>, String> {
    let row = |subject: Subject| {
        let (mut runs, mut seen) = (0, 0);
        let scenarios = all(subject);
        for scenario in &scenarios {
            every_signal(scenario, &Subject::server, &mut |compared| {
                (runs, seen) = (runs + 1, seen + usize::from(compared.difference.is_some()));
                Ok(())
            })?;
        }
        if seen == 0 {
            return Err(format!("{subject}: it makes no difference"));
        }
        Ok(Row {
            by: "mutant",
            what: format!("{subject}, without: an interrupted call is made again"),
            scenarios: scenarios.len(),
            searched: format!("{} runs", with_commas(runs)),
            bound: "as where it is".to_owned(),
            found: format!("seen in {}", with_commas(seen)),
        })
    };
    [hardened(HintedKeys::Few)[0], DOCUMENTED].into_iter().map(row).collect()
}

const DOCUMENTED: Subject = Subject::Documented { checks_writes: true };

fn all(subject: Subject) -> Vec<Scenario> {
    let mut scenarios = scenarios(subject);
    scenarios.push(instantiate_without_folder(subject));
    scenarios
}

/// Who is told of each run.
type Tell<'a> = &'a mut dyn FnMut(Compared) -> Result<(), String>;

/// Every such fault of a scenario, and every pair.
fn every_signal(scenario: &Scenario, launch: Launch<'_>, tell: Tell<'_>) -> Result<(), String> {
    let clean = run(scenario, launch, &[], &[]);
    for (place, one) in clean.calls.iter().enumerate() {
        for first in signals_of(one.call, place + 1) {
            let calls = compare(scenario, launch, &clean, &first, tell)?;
            let [first] = first[..] else { continue };
            for (place, one) in calls.iter().enumerate().skip(first.at_call) {
                for second in signals_of(one.call, place + 1) {
                    compare(scenario, launch, &clean, &[&second[..], &[first]].concat(), tell)?;
                }
            }
        }
    }
    Ok(())
}

/// What can come to a call, unseen: each is armed as a whole.
fn signals_of(call: CallKind, at_call: usize) -> Vec<Vec<Fault>> {
    let interrupted = |at_call| Fault::once(at_call, Errno::INTR);
    let mut signals = vec![vec![interrupted(at_call)], (at_call..at_call + 3).map(interrupted).collect()];
    if matches!(call, CallKind::Read | CallKind::Write) {
        let short = Fault::short(at_call);
        signals.extend([vec![short], vec![Fault { for_good: true, ..short }]]);
    }
    signals
}

/// Runs it so; answers the calls that it made.
fn compare(
    scenario: &Scenario,
    launch: Launch<'_>,
    clean: &Run,
    faults: &[Fault],
    tell: Tell<'_>,
) -> Result<Vec<Recorded>, String> {
    let run = run(scenario, launch, faults, &[]);
    let difference = (!is_same(&run, clean)).then(|| {
        let texts: Vec<String> = faults.iter().map(ToString::to_string).collect();
        format!("{scenario}, faults {}: answered {:?}, not {:?}", texts.join(", "), run.said, clean.said)
    });
    tell(Compared { armed: faults.len(), fired: run.fired, difference })?;
    Ok(run.calls)
}

fn is_same(one: &Run, other: &Run) -> bool {
    let left = |run: &Run| {
        let mut left = run.left.clone();
        left.renumber();
        left
    };
    one.said == other.said && left(one) == left(other)
}
