use super::*;
use crate::fs::memory::{Called, Reply};
use std::collections::{BTreeSet, HashSet};

const NAME: &str = "A4K.json";
const NEXT: &str = ".A4K.next";

fn open(disk: &mut WriteBack, name: &str, how: Open) -> FileId {
    match disk.call(OWNER, &Call::Open { name: name.to_owned(), how }) {
        Some(Ok(Reply::Opened(file))) => file,
        other => panic!("{name} can be opened: {other:?}"),
    }
}

fn done(disk: &mut WriteBack, call: &Call) {
    assert!(matches!(disk.call(OWNER, call), Some(Ok(_))), "{call}");
}

fn write(disk: &mut WriteBack, file: FileId, text: &str) {
    let mut rest = text.as_bytes();
    while !rest.is_empty() {
        let Some(Ok(Reply::Written(taken))) = disk.call(OWNER, &Call::Write { file, bytes: rest.to_vec() }) else {
            panic!("{text} can be written")
        };
        rest = &rest[taken..];
    }
}

fn create(disk: &mut WriteBack, name: &str, text: &str) -> FileId {
    let file = open(disk, name, Open::New);
    write(disk, file, text);
    file
}

fn sync(disk: &mut WriteBack, file: FileId) {
    done(disk, &Call::Sync { file });
}

fn sync_folder(disk: &mut WriteBack) {
    done(disk, &Call::SyncFolder);
}

fn exchange(disk: &mut WriteBack) {
    done(disk, &Call::Exchange { one: NEXT.to_owned(), other: NAME.to_owned() });
}

fn unlink(disk: &mut WriteBack, name: &str) {
    done(disk, &Call::Unlink { name: name.to_owned() });
}

/// A folder in a line: its names with what they hold, `R` after what is marked.
fn shown(kernel: &Kernel) -> String {
    let file = |name: &str| {
        let content = String::from_utf8_lossy(kernel.content(name).unwrap_or_default()).replace('\0', "0");
        let mark = if kernel.stat(name).is_some_and(|stat| stat.reservation) { " R" } else { "" };
        format!("{name}[{content}]{mark}")
    };
    kernel.name_list().map(file).collect::<Vec<_>>().join(" ")
}

/// Everything that can be left after these calls, on a disk with one document, `old`, under [`NAME`].
fn after(calls: impl FnOnce(&mut WriteBack)) -> BTreeSet<String> {
    let mut folder = Kernel::with_folder();
    folder.place(NAME, b"old", false);
    let mut disk = WriteBack::new(folder);
    calls(&mut disk);
    disk.every_loss().left.iter().map(shown).collect()
}

fn these(shown: &[&str]) -> BTreeSet<String> {
    shown.iter().map(|&text| text.to_owned()).collect()
}

#[test]
fn what_was_on_the_disk_stays_while_nothing_is_changed() {
    let read = |disk: &mut WriteBack| {
        let file = open(disk, NAME, Open::ReadWriteOrCreate);
        done(disk, &Call::Read { file, at_most_bytes: 9 });
        done(disk, &Call::Close { file });
    };
    assert_eq!(after(read), these(&["A4K.json[old]"]));
}

#[test]
fn of_a_write_in_place_any_half_may_survive() {
    let calls = |disk: &mut WriteBack| {
        let file = open(disk, NAME, Open::WriteOrCreate);
        write(disk, file, "1234");
    };
    // The kernel takes 12 and 34 in two calls. Of each, both bytes, the first, or none reach the disk.
    let left = [
        "old", "1ld", "12d", // The second write lost
        "ol3", "1l3", "123", // or half of it kept,
        "ol34", "1l34", "1234", // or all of it.
    ];
    assert_eq!(after(calls), left.map(|content| format!("A4K.json[{content}]")).into());
}

#[test]
fn a_truncation_and_a_write_survive_on_their_own() {
    let calls = |disk: &mut WriteBack| {
        let file = open(disk, NAME, Open::WriteOrCreate);
        done(disk, &Call::Truncate { file });
        write(disk, file, "1");
    };
    assert_eq!(after(calls), these(&["A4K.json[old]", "A4K.json[]", "A4K.json[1ld]", "A4K.json[1]"]));
}

#[test]
fn a_new_file_may_be_gone_empty_or_have_a_hole() {
    let calls = |disk: &mut WriteBack| {
        unlink(disk, NAME);
        sync_folder(disk);
        create(disk, NEXT, "1234");
    };
    let left = ["", "1", "12", "003", "103", "123", "0034", "1034", "1234"];
    let mut left: BTreeSet<String> = left.map(|content| format!(".A4K.next[{content}]")).into();
    left.insert(String::new());
    assert_eq!(after(calls), left);
}

#[test]
fn a_synced_file_may_lose_its_name_and_a_synced_name_its_data() {
    let data_alone = |disk: &mut WriteBack| {
        let file = create(disk, NEXT, "1");
        sync(disk, file);
    };
    assert_eq!(after(data_alone), these(&["A4K.json[old]", ".A4K.next[1] A4K.json[old]"]));
    let name_alone = |disk: &mut WriteBack| {
        create(disk, NEXT, "1");
        sync_folder(disk);
    };
    assert_eq!(after(name_alone), these(&[".A4K.next[] A4K.json[old]", ".A4K.next[1] A4K.json[old]"]));
}

#[test]
fn an_exchange_is_atomic_and_independent_of_what_came_before_it() {
    let calls = |disk: &mut WriteBack| {
        let file = create(disk, NEXT, "1");
        sync(disk, file);
        exchange(disk);
        unlink(disk, NEXT);
    };
    // The last: the creation of the name was lost, and the exchange not.
    let left = ["A4K.json[old]", ".A4K.next[1] A4K.json[old]", "A4K.json[1]", ".A4K.next[old] A4K.json[1]"];
    assert_eq!(after(calls), these(&left));
    let synced = |disk: &mut WriteBack| {
        calls(disk);
        sync_folder(disk);
    };
    assert_eq!(after(synced), these(&["A4K.json[1]"]));
}

#[test]
fn a_rename_is_atomic() {
    let calls = |disk: &mut WriteBack| done(disk, &Call::Rename { from: NAME.to_owned(), to: NEXT.to_owned() });
    assert_eq!(after(calls), these(&["A4K.json[old]", ".A4K.next[old]"]));
    let onto_itself = |disk: &mut WriteBack| done(disk, &Call::Rename { from: NAME.to_owned(), to: NAME.to_owned() });
    assert_eq!(after(onto_itself), these(&["A4K.json[old]"]));
}

#[test]
fn a_mark_is_journaled_with_its_file() {
    let calls = |disk: &mut WriteBack| {
        open(disk, "B4K.json", Open::NewReservation);
    };
    assert_eq!(after(calls), these(&["A4K.json[old]", "A4K.json[old] B4K.json[] R"]));
}

#[test]
fn a_removed_file_whose_number_is_given_again_is_not_the_new_one() {
    let calls = |disk: &mut WriteBack| {
        let first = create(disk, NEXT, "1");
        done(disk, &Call::Close { file: first });
        unlink(disk, NEXT);
        let second = create(disk, NEXT, "2");
        sync(disk, second);
    };
    let left =
        ["A4K.json[old]", ".A4K.next[] A4K.json[old]", ".A4K.next[1] A4K.json[old]", ".A4K.next[2] A4K.json[old]"];
    assert_eq!(after(calls), these(&left));
}

#[test]
fn writes_to_an_unlinked_file_are_forgotten_once_the_unlink_is_synced() {
    let mut disk = WriteBack::new(Kernel::with_folder());
    let file = create(&mut disk, NAME, "1");
    unlink(&mut disk, NAME);
    sync_folder(&mut disk);
    write(&mut disk, file, "2");
    assert_eq!(disk.unsynced(), 0);
}

#[test]
fn what_a_loss_leaves_has_the_marks_the_stamps_and_the_clock_and_no_open_file() {
    let mut disk = WriteBack::new(Kernel::with_folder());
    disk.set_clock(1_000);
    open(&mut disk, "B4K.json", Open::NewReservation);
    disk.set_clock(2_000);
    let file = create(&mut disk, NAME, "1");
    done(&mut disk, &Call::Lock { file, kind: crate::fs::memory::LockKind::Exclusive });
    disk.set_clock(3_000);
    let left = disk.left(&[Fate::Kept; 3]);
    let stamps = ["B4K.json", NAME].map(|name| left.stat(name).map(|stat| (stat.modified_ms, stat.reservation)));
    assert_eq!(stamps, [Some((1_000, true)), Some((2_000, false))]);
    assert_eq!((left.now_ms(), left.open_file_count(), left.is_locked(NAME)), (3_000, 0, Some(false)));
}

/// Every way in which changes can come out, one by one.
fn all_fates(disk: &WriteBack) -> Vec<Vec<Fate>> {
    // No write below is longer than two bytes, so its half is one byte.
    let fates = [Fate::Lost, Fate::Kept, Fate::Torn { kept_bytes: 1 }];
    (0..disk.unsynced()).fold(vec![Vec::new()], |all, _| {
        all.iter().flat_map(|before| fates.map(|fate| [&before[..], &[fate]].concat())).collect()
    })
}

#[test]
fn names_and_data_taken_apart_leave_what_all_subsets_leave() {
    let mut disk = WriteBack::new(Kernel::with_folder());
    create(&mut disk, NAME, "1234");
    create(&mut disk, NEXT, "5678");
    exchange(&mut disk);
    unlink(&mut disk, NEXT);
    let one_by_one: HashSet<Kernel> = all_fates(&disk).iter().map(|fates| disk.left(fates)).collect();
    let losses = disk.every_loss();
    assert_eq!(losses.left.len(), one_by_one.len());
    assert_eq!(losses.left.into_iter().collect::<HashSet<_>>(), one_by_one);
    assert_eq!((losses.ways, losses.bounded), (3_usize.pow(4) * 2_usize.pow(4), false));
}

#[test]
fn beyond_the_bound_the_older_changes_stand_or_fall_together() {
    let mut disk = WriteBack::new(Kernel::with_folder());
    let names: Vec<String> = (0..FREE_CHANGES + 2).map(|number| format!("{number:02}")).collect();
    names.iter().for_each(|name| {
        open(&mut disk, name, Open::New);
    });
    let losses = disk.every_loss();
    assert_eq!((losses.left.len(), losses.ways, losses.bounded), (2 << FREE_CHANGES, 2 << FREE_CHANGES, true));
    let together = |kernel: &Kernel| kernel.stat("00").is_some() == kernel.stat("01").is_some();
    assert!(losses.left.iter().all(together));
}

#[test]
fn some_loss_is_one_of_those_that_can_be() {
    let mut state = 7_u64;
    let mut draw = move |below: u64| {
        state = state.wrapping_mul(6_364_136_223_846_793_005).wrapping_add(1_442_695_040_888_963_407);
        (state >> 33) % below
    };
    let mut disk = WriteBack::new(Kernel::with_folder());
    create(&mut disk, NAME, "1234");
    create(&mut disk, NEXT, "5678");
    exchange(&mut disk);
    let every: HashSet<Kernel> = disk.every_loss().left.into_iter().collect();
    let met: HashSet<Kernel> = (0..1_000).map(|_| disk.some_loss(&mut draw)).collect();
    assert!(met.len() > 20 && met.is_subset(&every), "{} of {}", met.len(), every.len());
}

#[test]
fn files_come_back_from_a_real_folder_as_they_were_put_there() {
    let mut kernel = Kernel::with_folder();
    kernel.set_clock(1_600_000_000_000);
    kernel.place("B4K.json", b"", true);
    kernel.set_clock(1_700_000_000_010);
    kernel.place(NAME, b"text", false);
    kernel.place("C4K.json", b"", false);
    let folder = tempfile::tempdir().expect("a folder");
    std::fs::write(folder.path().join("lost"), "by the loss of power").expect("can be written");
    write_to(&kernel, folder.path()).expect("can be written");
    let mut back = read_from(folder.path()).expect("can be read");
    for kernel in [&mut back, &mut kernel] {
        kernel.set_clock(0);
        kernel.renumber();
    }
    assert_eq!(back, kernel);
}

fn shared() -> Forgetting {
    Forgetting::new(WriteBack::new(Kernel::with_folder()), || 1_700_000_000_000)
}

#[tokio::test]
async fn a_lock_is_waited_for_until_its_holder_is_closed() {
    let files = Called(shared());
    let holder = files.open(NAME, Open::WriteOrCreate).await.expect("opens");
    files.lock(&holder).await.expect("free");
    let other = files.open(NAME, Open::WriteOrCreate).await.expect("opens");
    let mut waiting = Box::pin(files.lock(&other));
    assert!(ready(&mut waiting).is_err(), "it is held");
    drop(holder);
    waiting.await.expect("free now");
}

#[test]
fn without_power_nothing_is_answered_any_more() {
    let disk = shared();
    let files = Called(disk.clone());
    let file = ready(files.open(NAME, Open::NewReservation)).expect("at once").expect("opens");
    ready(files.sync_folder()).expect("at once").expect("synced");
    let left = disk.cut_power(&mut |_| 0).expect("it has power");
    assert_eq!(shown(&left), "A4K.json[] R");
    assert_eq!(left.stat(NAME).map(|stat| stat.modified_ms), Some(1_700_000_000_000));
    assert!(ready(files.names()).is_err() && ready(files.sync(&file)).is_err(), "no call ends");
    drop(file);
    assert!(disk.cut_power(&mut |_| 0).is_err(), "it is gone already");
}
