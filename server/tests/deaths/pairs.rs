//! Two servers on one folder, of which one dies while the other goes on.

use crate::folder::{Folder, Tally};
use crate::load::{self, Rigour, Trigger};
use crate::support::Server;
use crate::{Plan, judge};
use rand::RngExt;
use rand::rngs::StdRng;

/// Deaths that one folder lives through.
const DEATHS_A_FOLDER: usize = 5;

/// Answers until a death, at the most, and answers of the other server after it.
const MOST_ANSWERS: i64 = 600;
const ANSWERS_AFTER: i64 = 200;

/// One of two servers dies; answers the survivor.
fn one_death(folder: &mut Folder, pair: [Server; 2], random: &mut StdRng) -> Result<Server, String> {
    let [victim, survivor] = pair;
    let trigger = Trigger::new(&victim, random, MOST_ANSWERS, ANSWERS_AFTER);
    let load = load::run(&[&victim, &survivor], &trigger, &folder.clock, Rigour::Strict, random)?;
    folder.bury(victim, &load);
    // The survivor first: it was never told that anything happened.
    folder.examine(&survivor, load.operations)?;
    Ok(survivor)
}

#[test]
fn the_death_of_one_process_troubles_no_user_of_another_and_loses_nothing() {
    let plan = Plan::of("the_death_of_one_process_troubles_no_user_of_another_and_loses_nothing", 20);
    let mut tally = Tally::default();
    for (number, first) in (0..plan.deaths).step_by(DEATHS_A_FOLDER).enumerate() {
        let mut random = plan.random(number);
        let mut folder = Folder::new(if number % 3 == 2 { "disk" } else { "process" });
        let mut older = folder.start();
        for death in first..plan.deaths.min(first + DEATHS_A_FOLDER) {
            let newer = folder.start();
            let pair = if random.random() { [older, newer] } else { [newer, older] };
            older = judge(&format!("death {death}"), one_death(&mut folder, pair, &mut random));
        }
        let what_is_left = folder.start();
        judge("the end", folder.examine(&what_is_left, Vec::new()));
        tally.add(&folder.tally);
    }
    plan.report(&tally.figures());
}
