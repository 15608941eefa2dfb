//! Servers that lie are caught, by the claim that they break; and the honest are not accused.
//!
//! The table is [`Lie::breaks`] and [`Lie::may_break`]: a lie must be found by the first, may be by the second (the
//! same operation carries both claims), and every other claim that is tried must hold.

mod support;

use loadgen::claims::{self, Needs, Verdict};
use support::harness::{saves_folder, verify, verify_target};
use support::liar::{self, Lie};

/// Claims that every liar is tried with besides those that it breaks: quick ones, of each kind.
const BYSTANDERS: [&str; 7] = ["R5", "S1", "S2", "S3", "K7", "K9", "O1"];

fn is_caught(lie: Lie) {
    let saves = saves_folder();
    let server = liar::spawn(Some(lie), saves.path());
    let innocent = |id: &&&str| !lie.breaks().contains(id) && !lie.may_break().contains(id);
    let bystanders: Vec<&str> = BYSTANDERS.iter().filter(innocent).copied().collect();
    let tried = [lie.breaks(), &bystanders].concat();
    let run = verify_target(&server.url, saves.path(), &["--only", &tried.join(",")]);
    for id in lie.breaks() {
        let (verdict, summary) = run.verdict(id);
        assert_eq!(verdict, Verdict::Refuted, "{lie:?} escapes {id}: {summary}");
    }
    for id in bystanders {
        let (verdict, summary) = run.verdict(id);
        assert_eq!(verdict, Verdict::Holds, "{lie:?} is accused of {id}: {summary}");
    }
    assert_eq!(run.code, 1, "{}", run.stderr);
}

macro_rules! liars {
    ($($name:ident: $lie:ident,)*) => {
        $(#[test]
        fn $name() {
            is_caught(Lie::$lie);
        })*

        #[test]
        fn every_lie_is_tried() {
            assert_eq!([$(Lie::$lie),*].len(), Lie::ALL.len());
        }
    };
}

liars! {
    a_save_without_a_lock_is_caught: NoLock,
    a_biased_key_picker_is_caught: BiasedPicker,
    a_lost_metadata_merge_is_caught: LostMerge,
    an_instantiate_that_overwrites_is_caught: InstantiateOverwrites,
    an_instantiate_that_creates_twice_is_caught: InstantiateTwiceCreated,
    a_delete_that_keeps_the_file_is_caught: DeleteKeepsFile,
    a_delete_that_succeeds_twice_is_caught: DeleteTwice,
    a_stale_restore_is_caught: StaleRestore,
    a_torn_restore_is_caught: TornRestore,
    a_save_that_is_not_stored_is_caught: LyingSave,
    a_save_that_merges_states_is_caught: MergingState,
    a_key_that_is_not_reserved_is_caught: NoReservation,
    a_key_in_use_that_is_handed_out_is_caught: HandsOutUsed,
    a_search_for_keys_that_gives_up_early_is_caught: GivesUpEarly,
    an_unclear_answer_when_full_is_caught: WrongExhaustion,
    a_list_that_loses_documents_is_caught: LosesInList,
    a_list_that_mixes_documents_up_is_caught: MixedUpList,
    a_slow_save_is_caught: SlowSave,
    a_lock_file_is_caught: LockFiles,
    a_file_that_is_no_session_is_caught: KeepsExtraFiles,
    a_wrong_status_is_caught: WrongStatus,
    a_key_that_is_not_checked_is_caught: Traversal,
    another_users_document_is_caught: CrossTalk,
    a_lock_that_is_waited_for_for_ever_is_caught: WaitsForEver,
    a_refused_save_that_is_stored_is_caught: StoresWithoutLock,
    half_a_save_that_is_stored_is_caught: StoresHalfBodies,
}

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
        let (verdict, summary) = run.verdict(claim.id);
        // It is somebody's server: it is neither killed nor given a disk that fails.
        let untestable = claim.needs == Needs::OwnServer;
        let right = match claim.id {
            _ if untestable => Verdict::Untestable,
            // The specification's archiving and its three characters: no server can mend them.
            "O4" | "O5" => Verdict::Refuted,
            _ => Verdict::Holds,
        };
        assert_eq!((verdict, summary.contains("started itself")), (right, untestable), "{}: {summary}", claim.id);
    }
    assert_eq!(run.code, 0, "{}", run.stderr);
    let left: Vec<_> = std::fs::read_dir(saves.path()).expect("reads").collect();
    assert!(left.is_empty(), "nothing of ours is left: {left:?}");
}
