//! Crashes, enumerated: after every system call of what a client does, the process dies, or the power goes.
//!
//! Layout:
//! - [`machine`]: makes a server's system calls and keeps what was on the disk after each. Mutants are flaws of it.
//! - [`subject`]: the servers under test.
//! - [`life`]: what a client does, and every moment at which a crash can come.
//! - [`recovery`]: what a crash left, what a new server makes of it, and whether that is right.
//! - [`survey`]: every crash of many lives.
//! - [`together`]: crashes while two clients are served at once.
//! - [`documented`]: what the documented protocol loses.
//!
//! What is on the disk after a loss of power is [`server::fs::forgetting`]'s model. A crash that leaves a state that was
//! judged already is counted and not judged again.

mod documented;
mod life;
mod machine;
mod recovery;
mod subject;
mod survey;
mod together;

use check::Monitor;
use concurrency_tests::proof::{Proof, Row};
use concurrency_tests::scenario::{Action, Start};
use life::{BEFORE, BETWEEN, Life, live};
use machine::Flaw;
use recovery::{is_sound, keeps_all};
use server::fs::memory::Kernel;
use server::protocol::Durability;
use std::hash::Hash;
use subject::Subject;
use survey::{Crash, Survey};

/// The proofs of this file.
pub(crate) fn proofs() -> Vec<Proof> {
    vec![
        Proof { name: "hardened_keeps_all_that_it_acknowledged_when_the_process_dies", prove: process_dies },
        Proof { name: "hardened_on_disk_keeps_all_that_it_acknowledged_when_the_power_goes", prove: power_goes },
        Proof { name: "hardened_on_disk_keeps_it_when_the_process_dies_and_then_the_power_goes", prove: both },
        Proof {
            name: "hardened_on_disk_keeps_the_changes_of_two_clients_at_once_when_the_power_goes",
            prove: together::power_goes,
        },
        Proof { name: "hardened_without_syncs_shows_no_torn_document_when_the_power_goes", prove: unsynced },
        Proof { name: "documented_loses_a_document_when_the_process_dies", prove: documented::process_dies },
        Proof { name: "documented_loses_what_it_acknowledged_when_the_power_goes", prove: documented::power_goes },
        Proof {
            name: "without_the_sync_before_the_exchange_a_loss_of_power_is_found_to_lose_a_save",
            prove: no_file_sync,
        },
        Proof { name: "without_the_folders_sync_a_loss_of_power_is_found_to_lose_a_save", prove: no_folder_sync },
        Proof { name: "with_the_sync_after_the_exchange_a_loss_of_power_is_found_to_lose_a_save", prove: late_sync },
        Proof {
            name: "without_the_sync_at_the_start_a_death_and_a_loss_of_power_are_found_to_lose_a_document",
            prove: no_sync_at_start,
        },
        Proof { name: "without_marks_a_lost_document_is_found_to_be_taken_for_a_reservation", prove: no_marks },
    ]
}

const IN_PROCESS: [Subject; 2] = hardened(Durability::Process);
const ON_DISK: [Subject; 2] = hardened(Durability::Disk);

const fn hardened(durability: Durability) -> [Subject; 2] {
    [Subject::Hardened { durability, can_exchange: true }, Subject::Hardened { durability, can_exchange: false }]
}

/// What a client can do; who moves files away from outside has nothing acknowledged.
const ACTIONS: [Action; 8] = {
    use Action::{Delete, GenerateKey, GiveBack, Instantiate, InstantiateOwn, List, Restore, Save};
    [Save, Instantiate, Restore, Delete, List, GenerateKey, GiveBack, InstantiateOwn]
};

/// A longer life.
const LONG: [Action; 12] = {
    use Action::{Delete, GenerateKey, GiveBack, Instantiate, InstantiateOwn, List, Restore, Save};
    [GenerateKey, InstantiateOwn, Save, Save, GiveBack, List, Delete, Save, Restore, Delete, Instantiate, Save]
};

/// Every life of so many actions at most.
fn lives_of(starts: &[Start], actions_at_most: usize) -> Vec<Life> {
    let mut lives: Vec<Life> = starts.iter().map(|&start| Life { start, actions: Vec::new() }).collect();
    let mut every = Vec::new();
    for _ in 0..actions_at_most {
        let longer = |life: &Life| {
            let with = |action| Life { start: life.start, actions: [&life.actions[..], &[action]].concat() };
            ACTIONS.map(with)
        };
        lives = lives.iter().flat_map(longer).collect();
        every.extend(lives.clone());
    }
    every
}

/// The longer life, as far as each of its actions.
fn long_lives(starts: &[Start]) -> Vec<Life> {
    let of = |&start: &Start| (1..=LONG.len()).map(move |end| Life { start, actions: LONG[..end].to_vec() });
    starts.iter().flat_map(of).collect()
}

/// All that was acknowledged is there, whatever the crash.
fn nothing_is_lost(subject: Subject, flaw: Flaw, crash: Crash) -> (Survey<Monitor>, Result<(), String>) {
    let mut survey = Survey::new(subject, flaw, crash);
    let lives = [lives_of(&Start::ALL, 3), long_lives(&Start::ALL)].concat();
    let kept = survey.lives(
        &lives,
        |moment| moment.possible.clone(),
        |left, moment, _| keeps_all(subject, flaw, left, &moment.possible),
    );
    (survey, kept)
}

const ALL_KEPT: &str = "nothing acknowledged is lost, every document is whole";

fn keeps_everything(subjects: &[Subject], crash: Crash) -> Result<Vec<Row>, String> {
    let one = |&subject: &Subject| {
        let (survey, kept) = nothing_is_lost(subject, Flaw::None, crash);
        kept.map(|()| survey.row("up to three actions, and twelve", ALL_KEPT.to_owned()))
    };
    subjects.iter().map(one).collect()
}

fn process_dies() -> Result<Vec<Row>, String> {
    keeps_everything(&[IN_PROCESS, ON_DISK].concat(), Crash::Process)
}

fn power_goes() -> Result<Vec<Row>, String> {
    keeps_everything(&ON_DISK, Crash::Power)
}

/// The process dies, another is started on the same page cache and serves a client, and then the power goes.
fn both() -> Result<Vec<Row>, String> {
    let one = |subject| {
        let (survey, kept) = process_then_power(subject, Flaw::None);
        kept.map(|()| survey.row(AFTER_A_DEATH, ALL_KEPT.to_owned()))
    };
    ON_DISK.into_iter().map(one).collect()
}

const AFTER_A_DEATH: &str = "after the process died in one action and was started anew for another";

fn process_then_power(subject: Subject, flaw: Flaw) -> (Survey<Monitor>, Result<(), String>) {
    let mut survey = Survey::new(subject, flaw, Crash::Power);
    let kept = lives_of(&Start::ALL, 1).iter().try_for_each(|life| died_in(&mut survey, life));
    (survey, kept)
}

fn died_in(survey: &mut Survey<Monitor>, life: &Life) -> Result<(), String> {
    let (subject, flaw) = (survey.subject, survey.flaw);
    let Some(first) = live(subject, flaw, &life.begin()?, BEFORE, &life.actions)? else { return Ok(()) };
    for (moment, action) in first.moments.iter().flat_map(|moment| ACTIONS.map(|action| (moment, action))) {
        let Some(second) = live(subject, flaw, moment, BETWEEN, &[action])? else { continue };
        survey.tally.lives += 1;
        for later in &second.moments {
            let judge = |left: &Kernel| keeps_all(subject, flaw, left, &later.possible);
            survey.moment(later, &later.possible, judge).map_err(|broken| {
                let (first, second) = (&moment.after, &later.after);
                format!("{subject}, {life}: the process dies after {first}, the power goes after {second}: {broken}")
            })?;
        }
    }
    Ok(())
}

/// No promise that what was acknowledged is there; but what is there is a whole document that was once, or an error.
fn without_syncs(subject: Subject, flaw: Flaw) -> (Survey<()>, Result<(), String>) {
    let mut survey = Survey::new(subject, flaw, Crash::Power);
    let lives = lives_of(&Start::ALL, 2);
    let sound =
        survey.lives(&lives, |_| (), |left, _, moments| is_sound(subject, flaw, left, Some(&moments.documents)));
    (survey, sound)
}

fn unsynced() -> Result<Vec<Row>, String> {
    let one = |subject| {
        let (survey, sound) = without_syncs(subject, Flaw::None);
        let found = "what was acknowledged may be lost; no document is shown that never was, what is torn is an error, \
                     no key in use is handed out, the next save mends it";
        sound.map(|()| survey.row("up to two actions", found.to_owned()))
    };
    IN_PROCESS.into_iter().map(one).collect()
}

/// Has the proof fail that a flaw has to make fail.
fn caught<K: Clone + Eq + Hash>(surveyed: (Survey<K>, Result<(), String>), without: &str) -> Result<Vec<Row>, String> {
    let (survey, Err(broken)) = surveyed else { return Err(format!("{without} goes unnoticed")) };
    let broken = broken.split(". Left:").next().unwrap_or_default();
    Ok(vec![survey.row(without, format!("caught: {broken}"))])
}

fn no_file_sync() -> Result<Vec<Row>, String> {
    caught(nothing_is_lost(ON_DISK[0], Flaw::NoFileSync, Crash::Power), "a mutant without the file's sync")
}

fn no_folder_sync() -> Result<Vec<Row>, String> {
    caught(nothing_is_lost(ON_DISK[0], Flaw::NoFolderSync, Crash::Power), "a mutant without the folder's sync")
}

fn late_sync() -> Result<Vec<Row>, String> {
    let mutant = "a mutant that syncs the file after the exchange";
    caught(nothing_is_lost(ON_DISK[0], Flaw::SyncAfterReplacing, Crash::Power), mutant)
}

fn no_marks() -> Result<Vec<Row>, String> {
    caught(without_syncs(IN_PROCESS[0], Flaw::NoMarks), "a mutant for which every empty file is a reservation")
}

fn no_sync_at_start() -> Result<Vec<Row>, String> {
    let mutant = "a mutant that syncs nothing when it starts, after the process died";
    caught(process_then_power(ON_DISK[0], Flaw::NoSyncAtStart), mutant)
}
