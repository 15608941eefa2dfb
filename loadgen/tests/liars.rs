//! Claims on servers that lie or are honest, in addition to the table of lies (`tests/lies`).

mod support;

use loadgen::claims;
use loadgen::claims::{Expectation, Needs};
use record::claims::Verdict;
use support::harness::{saves_folder, verify, verify_target};
use support::liar::{self, Lie};

#[test]
fn a_stale_restore_is_told_from_a_lost_save_without_the_folder() {
    let saves = saves_folder();
    let server = liar::spawn(Some(Lie::StaleRestore), saves.path());
    let run = verify(&["--target", &server.url, "--quick", "--only", "S1,S2,S3,S4"]);
    assert_eq!(run.verdict("S4").0, Verdict::Refuted);
    for id in ["S1", "S2", "S3"] {
        let (verdict, summary) = run.verdict(id);
        assert_ne!(verdict, Verdict::Refuted, "{id}: {summary}");
    }
}

/// The key of a save that was never answered is looked at again after every claim, for what the save may have left. A
/// document that the folder is filled with was once taken for that, and the folder could not be filled any more.
#[test]
fn a_folder_can_be_filled_after_a_save_was_left_without_an_answer() {
    let saves = saves_folder();
    let server = liar::spawn(Some(Lie::WaitsForEver), saves.path());
    let run = verify_target(&server.url, saves.path(), &["--only", "R4,K5,K10"]);
    assert_eq!(run.verdict("R4").0, Verdict::Refuted);
    for id in ["K5", "K10"] {
        let (verdict, summary) = run.verdict(id);
        assert_eq!(verdict, Verdict::Holds, "{id}: {summary}");
    }
}

/// A key that O1 had ended and was handed again was taken for one that it did not know: one run in two hundred accused an
/// honest server.
#[test]
fn a_key_that_is_handed_out_again_after_its_session_ended_is_no_stray() {
    let saves = saves_folder();
    let server = liar::spawn_reusing_keys(saves.path());
    let run = verify_target(&server.url, saves.path(), &["--only", "O1"]);
    let (verdict, summary) = run.verdict("O1");
    assert_eq!(verdict, Verdict::Holds, "{summary}");
}

/// Each of these processes is honest, and takes a file's lock, but replaces the file under it.
#[test]
fn processes_whose_locks_do_not_hold_against_each_other_are_caught_together() {
    let saves = saves_folder();
    let [one, other] = [(); 2].map(|()| liar::spawn(None, saves.path()));
    let run = verify_target(&one.url, saves.path(), &["--target", &other.url, "--only", "S9,S1"]);
    assert_eq!(run.verdict("S1").0, Verdict::Holds, "one process alone keeps it");
    let (verdict, summary) = run.verdict("S9");
    assert!(verdict == Verdict::Refuted && summary.contains("is refuted with 2 processes"), "{verdict}: {summary}");
}

#[test]
fn processes_that_serve_different_folders_are_no_service() {
    let folders = [(); 2].map(|()| saves_folder());
    let [one, other] = [0, 1].map(|number: usize| liar::spawn(None, folders[number].path()));
    let run = verify_target(&one.url, folders[0].path(), &["--target", &other.url, "--only", "S9"]);
    let (verdict, summary) = run.verdict("S9");
    assert_eq!(verdict, Verdict::Inconclusive, "{summary}");
    assert!(summary.contains(&other.url) && summary.contains("does not serve the folder"), "{summary}");
}

#[test]
fn an_honest_server_that_shares_no_code_with_ours_is_not_accused() {
    let saves = saves_folder();
    let server = liar::spawn(None, saves.path());
    let run = verify_target(&server.url, saves.path(), &[]);
    for claim in claims::in_order().into_iter().filter(|claim| claim.is_quick) {
        let (verdict, summary) = run.verdict(&claim.id.to_string());
        // It is somebody's server: it is neither killed nor given a disk that fails.
        let untestable = claim.needs == Needs::OwnServer;
        let right = match claim.expected.contract {
            _ if untestable => Verdict::Untestable,
            // The specification's archiving and its three characters: no server can mend them.
            Expectation::Either => Verdict::Refuted,
            _ => Verdict::Holds,
        };
        assert_eq!((verdict, summary.contains("started itself")), (right, untestable), "{}: {summary}", claim.id);
    }
    assert_eq!(run.code, 0, "{}", run.stderr);
    let left: Vec<_> = std::fs::read_dir(saves.path()).expect("reads").collect();
    assert!(left.is_empty(), "nothing of ours is left: {left:?}");
}
