//! The two protocols in every state that a scenario can reach, held to the sequential model.

use concurrency_tests::explorer::{Programs, Scenario, Violation, search, subject, told};
use concurrency_tests::families::{pairs, triples, two_by_two};
use concurrency_tests::proof::{Proof, Row, with_commas};
use concurrency_tests::scenario::{ACTIONS, Action, Start, UnderKey};
use server::hint::Freshness;

pub(crate) fn proofs() -> Vec<Proof> {
    vec![
        Proof { name: "hardened_every_pair_is_right_whoever_dies", prove: hardened_pairs },
        Proof { name: "hardened_every_pair_is_right_without_exchange", prove: hardened_pairs_without_exchange },
        Proof { name: "hardened_every_triple_is_right_whoever_dies", prove: hardened_triples },
        Proof {
            name: "hardened_every_triple_of_one_process_is_right_with_one_key",
            prove: hardened_triples_with_one_key,
        },
        Proof { name: "hardened_two_by_two_from_absent", prove: hardened_two_by_two::<0> },
        Proof { name: "hardened_two_by_two_from_reserved", prove: hardened_two_by_two::<1> },
        Proof { name: "hardened_two_by_two_from_there", prove: hardened_two_by_two::<2> },
        Proof { name: "hardened_two_by_two_from_absent_with_a_spare", prove: hardened_two_by_two::<3> },
        Proof { name: "hardened_two_by_two_from_reserved_with_a_spare", prove: hardened_two_by_two::<4> },
        Proof { name: "hardened_two_by_two_from_there_with_a_spare", prove: hardened_two_by_two::<5> },
        Proof { name: "hardened_a_free_key_is_found_while_the_clock_goes_on", prove: hardened_keys_and_clock },
        Proof { name: "hardened_no_key_in_use_is_handed_out_while_the_folder_is_read_again", prove: hardened_looks },
        Proof { name: "hardened_a_key_that_others_freed_is_found_when_a_look_is_due", prove: hardened_freed_keys },
        Proof { name: "hardened_users_at_once_have_sessions_of_their_own", prove: hardened_sessions },
        Proof {
            name: "documented_pairs_are_refuted_where_the_claims_say_and_right_elsewhere",
            prove: documented_pairs,
        },
        Proof { name: "documented_writers_of_a_document_that_is_not_deleted_are_right", prove: documented_writers },
        Proof { name: "documented_users_at_once_share_a_session", prove: documented_sessions },
    ]
}

/// Scenarios searched for any violation.
#[derive(Default)]
pub(crate) struct Tally {
    pub(crate) scenarios: usize,
    states: usize,
    steps: usize,
}

impl Tally {
    /// Searches one scenario.
    pub(crate) fn search(&mut self, programs: &mut Programs, scenario: &Scenario) -> Option<Violation> {
        let searched = search(programs, scenario);
        self.scenarios += 1;
        self.states += searched.states;
        self.steps += searched.steps;
        searched.violation
    }

    /// Searches scenarios that must have no violation.
    pub(crate) fn all_right(
        mut self,
        programs: &mut Programs,
        what: &str,
        scenarios: impl IntoIterator<Item = Scenario>,
    ) -> Result<Vec<Row>, String> {
        for scenario in scenarios {
            if let Some(violation) = self.search(programs, &scenario) {
                return Err(told(programs, &scenario, &violation));
            }
        }
        Ok(vec![self.row(what, "no violation")])
    }

    pub(crate) fn row(&self, what: &str, found: &str) -> Row {
        Row {
            by: "explorer",
            what: what.to_owned(),
            scenarios: self.scenarios,
            searched: format!("{} states, {} steps", with_commas(self.states), with_commas(self.steps)),
            bound: "all states".to_owned(),
            found: found.to_owned(),
        }
    }
}

/// The scenarios of a family, from every start.
fn from_every_start(family: &[Vec<Vec<Action>>]) -> impl Iterator<Item = Scenario> {
    Start::ALL.into_iter().flat_map(|start| family.iter().map(move |clients| Scenario::new(start, clients.clone())))
}

fn with_a_death(scenario: Scenario) -> Scenario {
    Scenario { deaths: 1, ..scenario }
}

fn hardened_pairs() -> Result<Vec<Row>, String> {
    let family = pairs(&ACTIONS);
    let processes = [false, true];
    let scenarios = processes.into_iter().flat_map(|one_process| {
        from_every_start(&family).map(move |scenario| with_a_death(Scenario { one_process, ..scenario }))
    });
    let what = "hardened: all pairs, of one process and of two, of which one may die at any moment";
    Tally::default().all_right(&mut subject::hardened(), what, scenarios)
}

fn hardened_pairs_without_exchange() -> Result<Vec<Row>, String> {
    let family = pairs(&ACTIONS);
    let what = "hardened without `RENAME_EXCHANGE`: all pairs, one may die";
    let scenarios = from_every_start(&family).map(with_a_death);
    Tally::default().all_right(&mut subject::hardened_without_exchange(), what, scenarios)
}

fn hardened_triples() -> Result<Vec<Row>, String> {
    let family = triples(&ACTIONS);
    let what = "hardened: all triples of processes, one may die";
    Tally::default().all_right(&mut subject::hardened(), what, from_every_start(&family).map(with_a_death))
}

/// With one key in all, exhaustion is near, and every step of the hint is seen.
///
/// It found that of two who looked at the folder at once, the later to tell the hint could be the earlier to have
/// looked: "all keys are in use" was answered when none was.
fn hardened_triples_with_one_key() -> Result<Vec<Row>, String> {
    let family = triples(&ACTIONS);
    let scenarios = from_every_start(&family).map(|scenario| Scenario { keys: 1, one_process: true, ..scenario });
    let what = "hardened: all triples of one process, where there is one key in all";
    Tally::default().all_right(&mut subject::hardened(), what, scenarios)
}

fn hardened_two_by_two<const START: usize>() -> Result<Vec<Row>, String> {
    let start = Start::ALL[START];
    let scenarios = two_by_two(&ACTIONS).into_iter().map(|clients| with_a_death(Scenario::new(start, clients)));
    let what = format!("hardened: two processes with two operations each, one may die; from {start}");
    Tally::default().all_right(&mut subject::hardened(), &what, scenarios)
}

/// Exhaustion is answered from memory while the folder's time says that nothing has changed. Its time is that of the
/// kernel's last tick: a change after a look can bear the time of one before it.
pub(crate) fn keys_and_clock() -> Vec<Scenario> {
    let changes = [
        [Action::Instantiate, Action::Delete],
        [Action::GenerateKey, Action::Delete],
        [Action::Save, Action::MoveAway],
        [Action::GiveBack, Action::Instantiate],
    ];
    let scenarios = changes.into_iter().flat_map(|change| {
        starts_without_a_spare()
            .map(move |start| Scenario::new(start, vec![vec![Action::GenerateKey; 2], change.to_vec()]))
    });
    // Below the tick, 10 ms, and around the margin, 50 ms.
    let clocks = [(2, 4), (2, 9), (2, 30), (1, 51)];
    let with_clocks = scenarios.flat_map(|scenario| {
        clocks.map(|(ticks, tick_ms)| Scenario { keys: 1, one_process: true, ticks, tick_ms, ..scenario.clone() })
    });
    with_clocks.collect()
}

fn hardened_keys_and_clock() -> Result<Vec<Row>, String> {
    let what = "hardened: two generate-key beside two changes, one key in all, while the clock goes on by 4 to 51 ms";
    Tally::default().all_right(&mut subject::hardened(), what, keys_and_clock())
}

/// Keys asked for beside whatever else takes and frees them, in the server and behind its back, while a look at the folder
/// is due for every second key that is picked.
fn looks() -> Vec<Scenario> {
    let looks = Some(Freshness { picks: 1, age_ms: 0 });
    let others = [Action::Save, Action::Instantiate, Action::Delete, Action::GenerateKey, Action::GiveBack];
    let scenarios = others.into_iter().flat_map(|other| {
        starts_without_a_spare().map(move |start| {
            let clients = vec![vec![Action::GenerateKey; 2], vec![other], vec![Action::MoveAway]];
            Scenario { one_process: true, looks, ..Scenario::new(start, clients) }
        })
    });
    scenarios.collect()
}

fn starts_without_a_spare() -> impl Iterator<Item = Start> {
    Start::ALL.into_iter().filter(|start| !start.spare)
}

fn hardened_looks() -> Result<Vec<Row>, String> {
    let what = "hardened: two generate-key beside a change and a move-away, while a look is due for every second key";
    Tally::default().all_right(&mut subject::hardened(), what, looks())
}

/// Whatever happened before, and whoever freed the key: when a look is due, the next one who asks is handed it.
pub(crate) fn freed_keys() -> Vec<Scenario> {
    let looks = Some(Freshness { picks: 0, age_ms: 4 });
    let beside = [Action::Save, Action::Instantiate, Action::Delete, Action::GenerateKey, Action::GiveBack];
    let scenarios = beside.into_iter().flat_map(|other| {
        starts_without_a_spare().map(move |start| {
            let clients = vec![vec![Action::GenerateKey], vec![other], vec![Action::MoveAway]];
            let scenario = Scenario { one_process: true, looks, ..Scenario::new(start, clients) };
            Scenario { ticks: 1, tick_ms: 4, ..scenario.finding_what_was_freed() }
        })
    });
    scenarios.collect()
}

fn hardened_freed_keys() -> Result<Vec<Row>, String> {
    let what = "hardened: a key that was moved away, deleted or given back is handed out when a look is due";
    Tally::default().all_right(&mut subject::hardened(), what, freed_keys())
}

/// Users who each get a key and begin a session with it, and save.
pub(crate) fn sessions(reserves: bool) -> Scenario {
    let journey = vec![Action::GenerateKey, Action::InstantiateOwn];
    let start = Start { under_key: UnderKey::Absent, spare: false };
    Scenario { reserves, afterwards: Vec::new(), ..Scenario::new(start, vec![journey.clone(), journey]) }
}

fn hardened_sessions() -> Result<Vec<Row>, String> {
    let three = {
        let two = sessions(true);
        Scenario { clients: vec![two.clients[0].clone(); 3], ..two }
    };
    let processes = [false, true].map(|one_process| Scenario { one_process, ..three.clone() });
    let what = "hardened: three users get a key and begin a session at once";
    Tally::default().all_right(&mut subject::hardened(), what, processes)
}

fn documented_sessions() -> Result<Vec<Row>, String> {
    let mut tally = Tally::default();
    tally.search(&mut subject::documented(), &sessions(false)).ok_or("K9 was not found")?;
    Ok(vec![
        tally.row("documented: two users get a key and begin a session at once", "K9 refuted: one finds the other's"),
    ])
}

/// What the documented protocol is expected to do wrong, by claim: pairs of operations, and where they start from.
const DOCUMENTED_FAULTS: [(&str, Action, Action, UnderKey); 7] = [
    ("S4", Action::Save, Action::Restore, UnderKey::Absent),
    ("S4", Action::Save, Action::Restore, UnderKey::Present),
    ("S4", Action::Instantiate, Action::Restore, UnderKey::Absent),
    ("S5", Action::Instantiate, Action::Delete, UnderKey::Present),
    ("S5", Action::Restore, Action::Delete, UnderKey::Present),
    ("S5", Action::Delete, Action::Delete, UnderKey::Present),
    ("S6", Action::Save, Action::List, UnderKey::Present),
];

/// What the documented protocol knows of: it has no reservations, gives none back, and leaves no spare.
const DOCUMENTED_ACTIONS: [Action; 6] =
    [Action::Save, Action::Instantiate, Action::Restore, Action::Delete, Action::List, Action::GenerateKey];

fn documented_starts() -> impl Iterator<Item = Start> {
    Start::ALL.into_iter().filter(|start| !start.spare && start.under_key != UnderKey::Reserved)
}

fn documented_pairs() -> Result<Vec<Row>, String> {
    let mut programs = subject::documented();
    let (mut right, mut refuted) = (Tally::default(), Tally::default());
    for start in documented_starts() {
        for clients in pairs(&DOCUMENTED_ACTIONS) {
            let scenario = Scenario { reserves: false, ..Scenario::new(start, clients.clone()) };
            let is_fault = |&(_, one, other, under_key): &(&str, Action, Action, UnderKey)| {
                under_key == start.under_key && clients == [[one], [other]]
            };
            let expected = DOCUMENTED_FAULTS.iter().find(|fault| is_fault(fault));
            let tally = if expected.is_some() { &mut refuted } else { &mut right };
            match (tally.search(&mut programs, &scenario), expected) {
                (Some(violation), None) => return Err(told(&mut programs, &scenario, &violation)),
                (None, Some((claim, ..))) => return Err(format!("{claim} was not refuted by {scenario}")),
                _ => {}
            }
        }
    }
    Ok(vec![
        right.row("documented: the pairs that keep their promises", "no violation"),
        refuted.row("documented: the pairs of S4, S5 and S6", "each refuted"),
    ])
}

/// S1, S2 and S3: as long as nobody deletes, saves and instantiates are right, three at once and two by two.
fn documented_writers() -> Result<Vec<Row>, String> {
    let writers = [Action::Save, Action::Instantiate];
    let families = [triples(&writers), two_by_two(&writers)].concat();
    let scenarios =
        documented_starts().flat_map(|start| families.iter().map(move |clients| Scenario::new(start, clients.clone())));
    let what = "documented: saves and instantiates, three at once and two by two";
    Tally::default().all_right(&mut subject::documented(), what, scenarios)
}
