//! One server at a time, which dies again and again.

use crate::folder::{Folder, Tally};
use crate::load::{self, Rigour, Trigger};
use crate::{Plan, judge};
use rand::rngs::StdRng;

/// Deaths that one folder lives through: it gets older, and the histories stay short.
const DEATHS_A_FOLDER: usize = 10;

/// Answers until a death, at the most.
const MOST_ANSWERS: i64 = 600;

/// A load, a death, whatever `tamper` does then, and what is found after.
pub(crate) fn one_death(folder: &mut Folder, random: &mut StdRng, tamper: impl FnOnce(&Folder)) -> Result<(), String> {
    let server = folder.start();
    let trigger = Trigger::new(&server, random, MOST_ANSWERS, 0);
    let load = load::run(&[&server], &trigger, &folder.clock, Rigour::Strict, random)?;
    folder.bury(server, &load);
    tamper(folder);
    let mut operations = load.operations;
    folder.look(&mut operations)?;
    folder.examine(&folder.start(), operations)
}

#[test]
fn what_was_acknowledged_before_a_death_is_there_after_it() {
    let plan = Plan::of("what_was_acknowledged_before_a_death_is_there_after_it", 50);
    let mut tally = Tally::default();
    for (number, first) in (0..plan.deaths).step_by(DEATHS_A_FOLDER).enumerate() {
        let mut random = plan.random(number);
        // Every third folder syncs as well, which takes a write through other steps.
        let mut folder = Folder::new(if number % 3 == 2 { "disk" } else { "process" });
        for death in first..plan.deaths.min(first + DEATHS_A_FOLDER) {
            judge(&format!("death {death}"), one_death(&mut folder, &mut random, |_| {}));
        }
        tally.add(&folder.tally);
    }
    plan.report(&tally.figures());
}
