//! Regressions are refused by the right gate, with a message that names them; what is as it was passes.

mod support;

use record::counts::Counts;
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

/// How long the servers that die wait before each answer, and how many they give: those of some turns.
const DYING_WAIT: Duration = Duration::from_millis(10);
const DYING_REQUESTS: u64 = 100;

/// A ratio that never occurs in the load, so that nothing is decided before a server dies.
const UNDECIDED: &str = "[load]\nturn = \"200ms\"\nat_most = \"5m\"\n[[ratio]]\nof = \"list p50\"\nat_most = 1.5\n";

/// What a comparison wrote down of servers that failed: the side, how many turns are concerned, and why.
fn failures(out: &Path) -> Vec<(String, usize, String)> {
    let text = std::fs::read_to_string(out.join("comparison.json")).expect("it is written");
    let json: serde_json::Value = serde_json::from_str(&text).expect("JSON");
    let failures = json["failures"].as_array().expect("a list").iter();
    let of = |failure: &serde_json::Value| {
        let [side, why] = ["side", "why"].map(|name| failure[name].as_str().expect("text").to_owned());
        (side, failure["turns"].as_array().expect("a list").len(), why)
    };
    failures.map(of).collect()
}

#[test]
fn a_server_that_dies_between_its_turns_is_reported_by_name_and_nothing_is_concluded() {
    for (side, name_of_side) in [(0, "A"), (1, "B")] {
        // A server that dies leaves a document behind.
        let folders = [(); 3].map(|()| saves_folder());
        let lasting = liar::spawn_slow(folders[0].path(), DYING_WAIT);
        let dying = |folder: usize| liar::spawn_mortal(folders[folder].path(), DYING_WAIT, DYING_REQUESTS);
        let in_order = |dying: &str| {
            let mut urls = [lasting.url.clone(), lasting.url.clone()];
            dying.clone_into(&mut urls[side]);
            urls
        };

        let (out, server) = (tempdir().expect("a folder"), dying(1));
        let [a, b] = in_order(&server.url);
        let said = gate(&[&a, &b], &gates(UNDECIDED), &["--out", name(out.path())]);
        assert_eq!(said.code, 1, "{}", said.text);
        let failed = format!("FAIL          {name_of_side} ({}) does not fail: ", server.url);
        assert!(said.text.contains(&failed) && said.text.contains("Not judged: ratios"), "{}", said.text);
        let found = failures(out.path());
        let [(side, turns, why)] = &found[..] else { panic!("{found:?}") };
        assert_eq!((side.as_str(), *turns), (name_of_side.to_lowercase().as_str(), 1), "{found:?}");
        assert!(why.contains("it does not respond: cannot connect"), "{why}");
        for (file, part) in [("gate.md", "**FAIL**"), ("gate.xml", "<failure message=\"in turn ")] {
            let text = std::fs::read_to_string(out.path().join(file)).expect("it is written");
            assert!(text.contains(part) && text.contains(server.url.trim_start_matches("http://")), "{text}");
        }

        let (out, server) = (tempdir().expect("a folder"), dying(2));
        let [a, b] = in_order(&server.url);
        let said = run(&["compare", &a, &b, "--duration", "5m", "--out", name(out.path())]);
        assert_eq!((said.code, failures(out.path()).len()), (1, 1), "{}", said.text);
        let told = format!("{name_of_side} ({}) FAILED in turn ", server.url);
        assert!(said.text.contains(&told) && !said.text.contains("pairs are too few"), "{}", said.text);
    }
}

/// The program stands for a server that says where it listens, and then dies with an error on its standard error.
#[test]
fn a_started_server_that_dies_is_reported_with_its_exit_status_and_its_last_words() {
    let folders = [(); 2].map(|()| saves_folder());
    let lasting = liar::spawn_slow(folders[0].path(), DYING_WAIT);
    let dying = liar::spawn_mortal(folders[1].path(), DYING_WAIT, DYING_REQUESTS);
    let out = tempdir().expect("a folder");
    let script = out.path().join("server.sh");
    let words = format!("echo listening on {}\necho too many sessions >&2\nexit 3\n", dying.url);
    std::fs::write(&script, words).expect("writes");
    let b = format!("/bin/sh {}", name(&script));
    let said = gate(&[&lasting.url, &b], &gates(UNDECIDED), &["--out", name(out.path())]);
    assert_eq!(said.code, 1, "{}", said.text);
    let parts = ["FAIL          B (/bin/sh ", "its process ended (exit status: 3)", "too many sessions"];
    for part in parts {
        assert!(said.text.contains(part), "{part:?} is missing from\n{}", said.text);
    }
}

#[test]
fn a_server_that_is_down_from_the_start_is_a_mistake_of_the_set_up() {
    let saves = saves_folder();
    let lasting = liar::spawn(None, saves.path());
    let out = tempdir().expect("a folder");
    for down in ["http://127.0.0.1:1", "/bin/false"] {
        let said = gate(&[&lasting.url, down], &gates(UNDECIDED), &["--out", name(out.path())]);
        assert!(said.code == 2 && said.text.contains('B'), "{down}: {}", said.text);
    }
}

/// A program that notes each of its starts, and becomes the hardened server.
fn noting_server(folder: &Path) -> String {
    let (script, notes) = (folder.join("server.sh"), folder.join("starts"));
    let words = format!(
        "echo start >> {}\nexec {} serve --protocol hardened --log warn --until-stdin-closes \"$@\"\n",
        name(&notes),
        env!("CARGO_BIN_EXE_loadgen")
    );
    std::fs::write(&script, words).expect("writes");
    format!("/bin/sh {}", name(&script))
}

#[test]
fn both_servers_are_started_anew_and_each_turn_has_the_number_of_its_start() {
    let folders = [(); 3].map(|()| tempdir().expect("a folder"));
    let out = folders[2].path();
    let [a, b] = [0, 1].map(|server| noting_server(folders[server].path()));
    let how = ["--starts", "4", "--duration", "10m", "--out", name(out)];
    let said = run(&[&["compare", &a, &b], &how[..]].concat());
    assert_eq!(said.code, 0, "{}", said.text);
    assert!(said.text.contains("in 4 starts of each server"), "{}", said.text);
    for folder in &folders[..2] {
        let notes = std::fs::read_to_string(folder.path().join("starts")).expect("it was started");
        assert_eq!(notes.lines().count(), 4);
    }
    let text = std::fs::read_to_string(out.join("comparison.json")).expect("it is written");
    let json: serde_json::Value = serde_json::from_str(&text).expect("JSON");
    let turns = json["turns"].as_array().expect("a list").iter();
    let found: Vec<_> = turns.map(|turn| (turn["start"].as_u64(), turn["side"].as_str())).collect();
    let sides = ["a", "b", "b", "a"];
    let expected: Vec<_> = (0..48).map(|turn| (Some(turn as u64 / 12 + 1), Some(sides[turn % 4]))).collect();
    assert_eq!((found, json["starts"].as_u64()), (expected, Some(4)));
}

#[test]
fn starts_that_cannot_be_made_are_wrong_usage() {
    let saves = saves_folder();
    let server = liar::spawn(None, saves.path());
    let out = tempdir().expect("a folder");
    let out = ["--out", name(out.path())];
    let asked = UNDECIDED.replacen("[load]", "[load]\nstarts = 4", 1);
    let said = gate(&["hardened", &server.url], &gates(&asked), &out);
    assert!(said.code == 2 && said.text.contains("a server at a URL cannot be started 4 times"), "{}", said.text);
    let said = run(&[&["compare", "hardened", "hardened", "--starts", "3"], &out[..]].concat());
    assert!(said.code == 2 && said.text.contains("3 starts: use 1, or 4 to 64"), "{}", said.text);
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
        said.code == 2 && said.text.contains("claims.json was started at 2026-11-01T00:00:00Z, run.json at"),
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
