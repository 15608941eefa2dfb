//! Every crash of many lives, each judged once.

use super::life::{BEFORE, Life, Moment, Moments, live};
use super::machine::Flaw;
use super::recovery::shown;
use super::subject::Subject;
use concurrency_tests::proof::{Row, with_commas};
use server::fs::forgetting::{FREE_CHANGES, WriteBack};
use server::fs::memory::Kernel;
use std::collections::{HashMap, HashSet};
use std::hash::Hash;

/// What crashes.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Crash {
    /// The process: the page cache stays.
    Process,
    /// The machine: any of what was not synced is lost.
    Power,
}

/// What was looked at.
#[derive(Clone, Debug, Default)]
pub(super) struct Tally {
    pub(super) lives: usize,
    /// Moments at which the crash came.
    pub(super) crash_points: usize,
    /// Ways in which what was not synced came out, over all of them.
    ways: usize,
    /// Crash points with more unsynced changes than every subset was tried of.
    bounded: usize,
    /// Different states that a server was started on.
    pub(super) recovered: usize,
}

/// A survey, with what was judged already.
#[derive(Debug)]
pub(super) struct Survey<K> {
    pub(super) subject: Subject,
    pub(super) flaw: Flaw,
    crash: Crash,
    pub(super) tally: Tally,
    disks: HashMap<(WriteBack, K), (usize, bool)>,
    judged: HashSet<(Kernel, K)>,
}

impl<K: Clone + Eq + Hash> Survey<K> {
    pub(super) fn new(subject: Subject, flaw: Flaw, crash: Crash) -> Self {
        let tally = Tally::default();
        Self { subject, flaw, crash, tally, disks: HashMap::new(), judged: HashSet::new() }
    }

    /// Lets every crash come to these lives' last actions. `judge` is given each state that is left, once for every
    /// `known` about the moment that its judgement depends on.
    pub(super) fn lives(
        &mut self,
        lives: &[Life],
        known: impl Fn(&Moment) -> K,
        mut judge: impl FnMut(&Kernel, &Moment, &Moments) -> Result<(), String>,
    ) -> Result<(), String> {
        for life in lives {
            let Some(moments) = live(self.subject, self.flaw, &life.begin()?, BEFORE, &life.actions)
                .map_err(|broken| format!("{}, {life}: {broken}", self.subject))?
            else {
                continue;
            };
            self.tally.lives += 1;
            for moment in &moments.moments {
                let judge = |left: &Kernel| judge(left, moment, &moments);
                self.moment(moment, &known(moment), judge).map_err(|broken| self.story(life, moment, &broken))?;
            }
        }
        Ok(())
    }

    /// Lets the crash come at a moment.
    pub(super) fn moment(
        &mut self,
        moment: &Moment,
        known: &K,
        mut judge: impl FnMut(&Kernel) -> Result<(), String>,
    ) -> Result<(), String> {
        self.tally.crash_points += 1;
        let key = (moment.disk.clone(), known.clone());
        if let Some((ways, bounded)) = self.disks.get(&key) {
            self.tally.ways += ways;
            self.tally.bounded += usize::from(*bounded);
            return Ok(());
        }
        let (left, ways, bounded) = match self.crash {
            Crash::Process => {
                let mut left = moment.disk.cache().clone();
                left.renumber();
                (vec![left], 1, false)
            }
            Crash::Power => {
                let losses = moment.disk.every_loss();
                (losses.left, losses.ways, losses.bounded)
            }
        };
        self.disks.insert(key, (ways, bounded));
        self.tally.ways += ways;
        self.tally.bounded += usize::from(bounded);
        for folder in left {
            let key = (folder, known.clone());
            if self.judged.contains(&key) {
                continue;
            }
            self.tally.recovered += 1;
            judge(&key.0).map_err(|broken| format!("{broken}. Left: {}", shown(&key.0)))?;
            self.judged.insert(key);
        }
        Ok(())
    }

    fn story(&self, life: &Life, moment: &Moment, broken: &str) -> String {
        let what = match self.crash {
            Crash::Process => "the process dies",
            Crash::Power => "the power goes",
        };
        format!("{}, {life}: {what} after {}: {broken}", self.subject, moment.after)
    }

    pub(super) fn row(&self, sequences: &str, found: String) -> Row {
        let Tally { lives, crash_points, ways, bounded, recovered } = self.tally;
        let crash_points = with_commas(crash_points);
        let recovered = with_commas(recovered);
        let (what, searched, bound) = match self.crash {
            Crash::Process => (
                "the process dies",
                format!("{crash_points} crash points, {recovered} states recovered"),
                "after every call".to_owned(),
            ),
            Crash::Power => (
                "the power goes",
                format!(
                    "{crash_points} crash points, {} ways to lose, {recovered} states recovered",
                    with_commas(ways)
                ),
                if bounded == 0 {
                    "after every call, every subset, each write whole or half".to_owned()
                } else {
                    format!(
                        "after every call, every subset, each write whole or half; at {} points the {FREE_CHANGES} newest changes, those before them all or none",
                        with_commas(bounded)
                    )
                },
            ),
        };
        Row {
            by: "crashes",
            what: format!("{}: {what}; {sequences}", self.subject),
            scenarios: lives,
            searched,
            bound,
            found,
        }
    }
}
