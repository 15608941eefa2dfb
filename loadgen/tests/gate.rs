//! Regressions are refused by the right gate, with a message that names them; what is as it was passes.

mod support;

use loadgen::gate::counts::Counts;
use std::path::Path;
use std::time::Duration;
use support::harness::{loadgen, saves_folder};
use support::liar::{self, Lie};
use tempfile::{TempDir, tempdir};

/// What a command said, and its exit code.
struct Said {
    code: i32,
    text: String,
}

fn run(arguments: &[&str]) -> Said {
    let output = loadgen().args(arguments).output().expect("it runs");
    let text = String::from_utf8_lossy(&[output.stdout, output.stderr].concat()).into_owned();
    Said { code: output.status.code().unwrap_or(-1), text }
}

/// A folder with a file of gates.
fn gates(text: &str) -> TempDir {
    let folder = tempdir().expect("a folder");
    std::fs::write(folder.path().join("gates.toml"), text).expect("writes");
    folder
}

fn name(path: &Path) -> &str {
    path.to_str().expect("a path in UTF-8")
}

/// `loadgen gate` on a run's folder, or on two servers.
fn gate(subjects: &[&str], gates: &TempDir, more: &[&str]) -> Said {
    let file = gates.path().join("gates.toml");
    run(&[&["gate"], subjects, &["--gates", name(&file)], more].concat())
}

/// A load run on a server, in a folder.
fn load(url: &str, duration: &str) -> TempDir {
    let out = tempdir().expect("a folder");
    let load = ["run", "--quiet", "--no-ceiling", "--warm-up", "0s", "--users", "8", "--scenario", "mixed"];
    run(&[&load[..], &["--target", url, "--duration", duration, "--out", name(out.path())]].concat());
    assert!(out.path().join("run.json").exists());
    out
}

#[test]
fn a_wrong_answer_is_refused_by_name_and_whatever_the_times_are() {
    let gates = gates("[[limit]]\nkeep = \"restore max < 1h\"\n");
    let honest = saves_folder();
    let server = liar::spawn(None, honest.path());
    let right = load(&server.url, "1s");
    let said = gate(&[name(right.path())], &gates, &[]);
    // A generator that was held up leaves it open, and says nothing against the server.
    assert!(said.code != 1 && said.text.contains("pass          no wrong answer"), "{}", said.text);

    let saves = saves_folder();
    let server = liar::spawn(Some(Lie::CrossTalk), saves.path());
    let wrong = load(&server.url, "2s");
    let said = gate(&[name(wrong.path())], &gates, &[]);
    assert_eq!(said.code, 1, "{}", said.text);
    assert!(said.text.contains("FAIL          no wrong answer: "), "{}", said.text);
    assert!(said.text.contains("The gate is SHUT"), "{}", said.text);
    for (file, part) in [("gate.md", "**FAIL**"), ("gate.xml", "classname=\"loadgen.gate.correctness\"")] {
        let text = std::fs::read_to_string(wrong.path().join(file)).expect("it is written");
        assert!(text.contains(part), "{text}");
    }
}

#[test]
fn one_more_sync_and_one_more_allocation_are_refused_by_name() {
    let baseline = Path::new(env!("CARGO_MANIFEST_DIR")).join("../reports/baseline/counts.json");
    let mut counts = Counts::read(&baseline).expect("the committed counts");
    let gates = gates(&format!("[counts]\nbaseline = {baseline:?}\n"));
    let run = tempdir().expect("a folder");
    let write =
        |counts: &Counts| std::fs::write(run.path().join("counts.json"), counts.text().expect("text")).expect("writes");
    write(&counts);
    let said = gate(&[name(run.path())], &gates, &[]);
    assert_eq!(said.code, 0, "{}", said.text);
    let save = counts.operations.get_mut("hardened: save, a further one").expect("it is counted");
    *save.entry("fdatasync".to_owned()).or_default() += 1;
    *save.entry("allocations".to_owned()).or_default() += 1;
    write(&counts);
    let said = gate(&[name(run.path())], &gates, &[]);
    assert_eq!(said.code, 1, "{}", said.text);
    for part in
        ["hardened: save, a further one: fdatasync 0 → 1, 1 more; if that is meant: ", ": allocations ", ", 1 more; if"]
    {
        assert!(said.text.contains(part), "{part:?} is missing from\n{}", said.text);
    }
}

/// Servers that wait before each answer, so that what the machine does is small beside that.
#[test]
fn a_server_that_is_half_as_fast_is_refused_and_one_that_is_as_fast_passes() {
    let gates = gates("[load]\nturn = \"200ms\"\n[[ratio]]\nof = \"restore p50\"\nat_most = 1.5\n");
    let wait = Duration::from_millis(10);
    let folders = [(); 3].map(|()| saves_folder());
    let a = liar::spawn_slow(folders[0].path(), wait);
    let same = liar::spawn_slow(folders[1].path(), wait);
    let slow = liar::spawn_slow(folders[2].path(), 2 * wait);
    let out = tempdir().expect("a folder");
    let held_to = |b: &str| gate(&[&a.url, b], &gates, &["--seed", "7", "--out", name(out.path())]);
    let said = held_to(&slow.url);
    assert_eq!(said.code, 1, "{}", said.text);
    assert!(said.text.contains("FAIL          restore p50 of B at most 1.50 times A's: "), "{}", said.text);
    let said = held_to(&same.url);
    assert_eq!(said.code, 0, "{}", said.text);
    // The comparison was written down, and is judged from its file just so.
    let again = gate(&[name(out.path())], &gates, &[]);
    assert_eq!((again.code, again.text), (said.code, said.text));
    let left: usize = folders.iter().map(|folder| std::fs::read_dir(folder.path()).expect("it is there").count()).sum();
    assert_eq!(left, 0, "what was saved is given back");
}

#[test]
fn what_a_gate_needs_and_is_not_there_is_named_with_what_makes_it() {
    let run = tempdir().expect("a folder");
    for (text, missing) in [
        ("[verdicts]\n", "no claims.json"),
        ("[[limit]]\nkeep = \"wrong = 0\"\n", "no run.json"),
        ("[[ratio]]\nof = \"p50\"\nat_most = 1.1\n", "there is nothing to judge"),
        ("[counts]\nbaseline = \"nowhere.json\"\n", "cannot read"),
    ] {
        let said = gate(&[name(run.path())], &gates(text), &[]);
        assert!(said.code == 2 && said.text.contains(missing), "{text}: {}", said.text);
    }
    let said = gate(&["hardened", "hardened"], &gates("[verdicts]\n"), &[]);
    assert!(said.code == 2 && said.text.contains("no [[ratio]]"), "{}", said.text);
    let said = gate(
        &["hardened", "softened"],
        &gates("[[ratio]]\nof = \"p50\"\nat_most = 1.1\n"),
        &["--out", name(run.path())],
    );
    assert!(said.code == 2 && said.text.contains("\"softened\" is no server: give documented"), "{}", said.text);
}

/// The README's recipe for CI. A server that dies does so during the load.
fn recipe(url: &str, out: &Path) -> Said {
    let target = ["--target", url, "--out", name(out)];
    let load = ["run", "--quiet", "--no-ceiling", "--scenario", "mixed", "--users", "8", "--duration", "6s"];
    run(&[&load[..], &target].concat());
    run(&[&["verify", "--only", "S3"][..], &target].concat());
    let gates = gates("[verdicts]\n[[limit]]\nkeep = \"save p99 < 1h\"\nafter = \"1s\"\n");
    gate(&[name(out)], &gates, &[])
}

/// Regression: all three opened the gate: a server that died, as it had been fast; one that was down, by the files of the
/// run before; and the verdicts of another server.
#[test]
fn a_server_that_dies_or_is_down_is_refused_whatever_an_earlier_run_left() {
    let (saves, out) = (saves_folder(), tempdir().expect("a folder"));
    let server = liar::spawn(None, saves.path());
    let (url, counted) = (server.url.clone(), std::sync::Arc::clone(&server.counted));
    let said = recipe(&url, out.path());
    // A generator that was held up leaves it open.
    assert!(matches!(said.code, 0 | 3) && said.text.contains("1 verdicts; 1 of 38 claims were tried"), "{}", said.text);

    let dies_at = counted.now().0 + 3_000;
    let dies = std::thread::spawn(move || {
        while counted.now().0 < dies_at {
            std::thread::yield_now();
        }
        drop(server);
    });
    let said = recipe(&url, out.path());
    dies.join().expect("it died");
    assert_eq!(said.code, 2, "{}", said.text);
    assert!(said.text.contains("the gates ask for verdicts, and there is no claims.json"), "{}", said.text);
    let limits = gates("[[limit]]\nkeep = \"save p99 < 1h\"\n");
    let said = gate(&[name(out.path())], &limits, &[]);
    assert_eq!(said.code, 1, "{}", said.text);
    assert!(said.text.contains("FAIL          no more errors than allowed: "), "{}", said.text);

    let said = recipe(&url, out.path());
    assert!(said.code == 2 && said.text.contains("there is no claims.json"), "{}", said.text);
    let said = gate(&[name(out.path())], &limits, &[]);
    assert!(said.code == 2 && said.text.contains("there is no run.json"), "{}", said.text);
    assert!(!out.path().join("gate.md").exists(), "the answers of before are gone, too");
}

#[test]
fn files_of_different_runs_are_not_judged_together() {
    let saves = [saves_folder(), saves_folder()];
    let servers = [0, 1].map(|number: usize| liar::spawn(None, saves[number].path()));
    let out = load(&servers[0].url, "1s");
    run(&["verify", "--only", "S3", "--target", &servers[1].url, "--out", name(out.path())]);
    let said = gate(&[name(out.path())], &gates("[verdicts]\n"), &[]);
    assert_eq!(said.code, 2, "{}", said.text);
    let about = format!("run.json is about {}", servers[0].url);
    assert!(said.text.contains(&about) && said.text.contains(&servers[1].url), "{}", said.text);
    run(&["verify", "--only", "S3", "--target", &servers[0].url, "--out", name(out.path())]);
    assert_ne!(gate(&[name(out.path())], &gates("[verdicts]\n"), &[]).code, 2);
    let claims = out.path().join("claims.json");
    let text = std::fs::read_to_string(&claims).expect("it is written");
    let begun = text.find("\"started\": \"").expect("it has begun") + "\"started\": \"".len();
    let yesterday = [&text[..begun], "2026-11-01T00:00:00Z", &text[begun + 20..]].concat();
    std::fs::write(&claims, yesterday).expect("writes");
    let said = gate(&[name(out.path())], &gates("[verdicts]\n"), &[]);
    assert!(
        said.code == 2 && said.text.contains("claims.json is of 2026-11-01T00:00:00Z, run.json of"),
        "{}",
        said.text
    );
    std::fs::write(&claims, text).expect("writes");
    let other = load(&servers[0].url, "1s");
    std::fs::copy(other.path().join("history.jsonl.zst"), out.path().join("history.jsonl.zst")).expect("copies");
    let limit = gates("[[limit]]\nkeep = \"wrong = 0\"\nafter = \"100ms\"\n");
    let said = gate(&[name(out.path())], &limit, &[]);
    assert!(said.code == 2 && said.text.contains("history.jsonl.zst is of another run than run.json"), "{}", said.text);
}
