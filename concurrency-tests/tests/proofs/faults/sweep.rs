//! Every fault, and every pair of them, in every call that a scenario makes.

use super::run::{Broken, Launch, Run, Scenario, Then, run};
use super::subject::Recorded;
use concurrency_tests::proof::{Row, with_commas};
use server::fs::failing::{FAULTS, can_occur};
use server::fs::memory::call::name_of;
use server::fs::{CallKind, Fault};

/// What was looked at.
#[derive(Clone, Debug, Default)]
pub(super) struct Tally {
    pub(super) scenarios: usize,
    /// Runs with faults, and the faults armed in them, all of which hit a call.
    pub(super) runs: usize,
    faults: usize,
    /// Answered with an error, documents and reservations as they were.
    errors_without_effect: usize,
    /// Answered with an error that came after the change was in place.
    errors_after_effect: usize,
    /// Answered as if nothing had failed, and right.
    right: usize,
    strays: usize,
    /// Runs in which a promise was broken.
    pub(super) broken: usize,
}

/// A broken promise: what was done, and by which faults.
pub(super) struct Violation<'a> {
    pub(super) scenario: &'a Scenario,
    pub(super) faults: &'a [Fault],
    pub(super) run: &'a Run,
    pub(super) broken: &'a Broken,
}

impl Violation<'_> {
    /// The call that the first fault hit.
    pub(super) fn first_hit(&self) -> CallKind {
        self.run.calls[self.faults.iter().map(|fault| fault.at_call).min().unwrap_or(1) - 1].call
    }

    /// The story, call by call.
    pub(super) fn story(&self) -> String {
        let faults: Vec<String> = self.faults.iter().map(ToString::to_string).collect();
        let call = |one: &Recorded| match one.error {
            Some(error) => format!("{:?} = {}", one.call, name_of(rustix::io::Errno::from_raw_os_error(error))),
            None => format!("{:?}", one.call),
        };
        let calls: Vec<String> = self.run.calls.iter().map(call).collect();
        format!("{}, faults {}: {}\n  {}", self.scenario, faults.join(", "), self.broken, calls.join(", "))
    }
}

/// A sweep of one kind of server.
pub(super) struct Sweep<'a> {
    pub(super) launch: Launch<'a>,
    /// Each run is made once for each of these.
    pub(super) thens: &'a [Then],
    /// Whether a second fault is armed after each, in each later call.
    pub(super) pairs: bool,
    pub(super) tally: Tally,
}

/// Every fault that can occur in a call.
pub(super) fn faults_of(call: CallKind, at_call: usize) -> Vec<Fault> {
    let errnos = FAULTS.into_iter().filter(|&errno| can_occur(errno, call));
    errnos.flat_map(|errno| [Fault::once(at_call, errno), Fault::for_good(at_call, errno)]).collect()
}

impl<'a> Sweep<'a> {
    pub(super) fn new(launch: Launch<'a>, thens: &'a [Then]) -> Self {
        Self { launch, thens, pairs: false, tally: Tally::default() }
    }

    /// Every fault of a scenario; `tell` is told each broken promise, and can end the sweep with an error.
    pub(super) fn scenario(
        &mut self,
        scenario: &Scenario,
        tell: &mut dyn FnMut(&Violation<'_>) -> Result<(), String>,
    ) -> Result<(), String> {
        self.tally.scenarios += 1;
        let clean = run(scenario, self.launch, &[], self.thens[0]);
        if let Err(broken) = &clean.verdict {
            return Err(format!("{scenario}: where nothing fails, {broken}"));
        }
        for (place, one) in clean.calls.iter().enumerate() {
            // A short read or write is no fault. It is one half of a pair: a disk that takes a part, and then fails.
            let is_moving = matches!(one.call, CallKind::Read | CallKind::Write);
            let short = (self.pairs && is_moving).then(|| Fault::short(place + 1));
            for fault in faults_of(one.call, place + 1).into_iter().chain(short) {
                let calls = self.faults(scenario, &[fault], tell)?;
                if self.pairs {
                    self.seconds(scenario, fault, &calls, tell)?;
                }
            }
        }
        self.probe(scenario, &[], clean.calls.len() + 1)
    }

    /// Every second fault, after a first one: in each later call of the run in which that fired.
    fn seconds(
        &mut self,
        scenario: &Scenario,
        first: Fault,
        calls: &[Recorded],
        tell: &mut dyn FnMut(&Violation<'_>) -> Result<(), String>,
    ) -> Result<(), String> {
        for (place, one) in calls.iter().enumerate().skip(first.at_call) {
            for second in faults_of(one.call, place + 1) {
                // The later one is named first: it has its way in its call, where the first lasts.
                self.faults(scenario, &[second, first], tell)?;
            }
        }
        self.probe(scenario, &[first], calls.len() + 1)
    }

    /// One run for each of what comes after it; answers the calls that it made.
    pub(super) fn faults(
        &mut self,
        scenario: &Scenario,
        faults: &[Fault],
        tell: &mut dyn FnMut(&Violation<'_>) -> Result<(), String>,
    ) -> Result<Vec<Recorded>, String> {
        let mut calls = Vec::new();
        for (place, then) in self.thens.iter().enumerate() {
            let run = run(scenario, self.launch, faults, then);
            if run.fired < faults.len() {
                return Err(never_fired(scenario, faults, run.fired));
            }
            if place == 0 {
                self.tally.runs += 1;
                self.tally.faults += faults.len();
                self.count(&run);
            }
            if let Err(broken) = &run.verdict {
                tell(&Violation { scenario, faults, run: &run, broken })?;
            }
            calls = run.calls;
        }
        Ok(calls)
    }

    fn count(&mut self, run: &Run) {
        let Ok(good) = run.verdict else {
            self.tally.broken += 1;
            return;
        };
        *match (good.is_error, good.is_unchanged) {
            (true, true) => &mut self.tally.errors_without_effect,
            (true, false) => &mut self.tally.errors_after_effect,
            (false, _) => &mut self.tally.right,
        } += 1;
        self.tally.strays += usize::from(good.is_stray_left);
    }

    /// That was all: a fault in the call after the last never fires.
    fn probe(&self, scenario: &Scenario, before: &[Fault], at_call: usize) -> Result<(), String> {
        let faults = [before, &[Fault::once(at_call, FAULTS[0])]].concat();
        let fired = run(scenario, self.launch, &faults, &[]).fired;
        if fired == before.len() {
            return Ok(());
        }
        Err(format!("{scenario}: there is a call {at_call}, which was not counted"))
    }

    pub(super) fn row(&self, what: String, found: String) -> Row {
        let Tally { scenarios, runs, faults, .. } = self.tally;
        let each = "each call × each error it can have × once, for good";
        Row {
            by: "faults",
            what,
            scenarios,
            searched: if self.pairs {
                format!("{} pairs or single faults, {} faults fired", with_commas(runs), with_commas(faults))
            } else {
                format!("{} faults, all fired", with_commas(runs))
            },
            bound: if self.pairs {
                format!("{each}, and each such fault or none in each later call")
            } else {
                each.to_owned()
            },
            found,
        }
    }

    pub(super) fn found(&self) -> String {
        let Tally { errors_without_effect, errors_after_effect, right, strays, .. } = self.tally;
        let [without, after, right, strays] =
            [errors_without_effect, errors_after_effect, right, strays].map(with_commas);
        format!(
            "no violation: {without} errors, all as it was; {after} errors, the change in place; {right} right answers \
             all the same; {strays} spares that could not be removed, and that the next save removed"
        )
    }
}

/// A fault that hit nothing tested nothing.
pub(super) fn never_fired(scenario: &Scenario, faults: &[Fault], fired: usize) -> String {
    let texts: Vec<String> = faults.iter().map(ToString::to_string).collect();
    format!("{scenario}: of the faults {}, {fired} fired", texts.join(", "))
}
