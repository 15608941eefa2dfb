use super::*;
use clap::Parser;

#[derive(Debug, Parser)]
struct Line {
    #[command(flatten)]
    arguments: Arguments,
}

fn arguments(more: &[&str]) -> Result<Arguments, clap::Error> {
    let usual = ["plan", "--measured", "run", "--sessions", "10000", "--users", "100", "--session-life", "30d"];
    let objective = ["--objective", "generate-key p99 < 10ms, shared-session risk < 1e-6 a day"];
    Line::try_parse_from(usual.iter().chain(&objective).chain(more)).map(|line| line.arguments)
}

#[test]
fn the_question_is_what_was_asked_with_the_defaults_that_the_help_names() {
    let question = arguments(&["--seed", "7"]).unwrap().question();
    assert_eq!((question.sessions, question.users, question.seed), (10_000, 100, 7));
    assert_eq!((question.life_s, question.window_s, question.think_s), (2_592_000.0, 0.2, 30.0));
    assert_eq!((question.growth, question.max_extrapolation, question.disk_bytes), (1.0, 3.0, None));
    assert_eq!(question.objective.clauses.len(), 2);
    let other = ["--window", "5s", "--think", "0s", "--growth", "2.5x", "--disk", "20GB", "--max-extrapolation", "1"];
    let other = arguments(&other).unwrap().question();
    assert_eq!((other.window_s, other.think_s, other.growth), (5.0, 0.0, 2.5));
    assert_eq!((other.disk_bytes, other.max_extrapolation), (Some(20e9), 1.0));
}

#[test]
fn a_protocol_is_looked_for_by_name_and_without_one_all_are() {
    assert_eq!(arguments(&[]).unwrap().choice(), Choice::All);
    for (name, names) in [
        ("documented", &["documented"][..]),
        ("hardened", &["hardened"]),
        ("target", &["target"]),
        ("both", &["documented", "hardened"]),
    ] {
        assert_eq!(arguments(&["--protocol", name]).unwrap().choice(), Choice::Named(names));
    }
}

#[test]
fn mistakes_are_told_with_what_to_write() {
    for (more, told) in [
        (["--growth", "double"], "write it as 2x"),
        (["--disk", "20"], "write it as 20GB"),
        (["--disk", "0GB"], "write it as 20GB"),
        (["--sessions", "0"], "0 is not in 1.."),
        (["--objective", "save p98 < 1ms"], "understood are clauses such as"),
        (["--protocol", "tls"], "possible values"),
    ] {
        let usual = ["plan", "--measured", "run", "--users", "1", "--session-life", "1d"];
        let rest: &[&str] = match more[0] {
            "--sessions" => &["--objective", "503 < 1%"],
            "--objective" => &["--sessions", "1"],
            _ => &["--sessions", "1", "--objective", "503 < 1%"],
        };
        let error = Line::try_parse_from(usual.iter().chain(rest).chain(&more)).unwrap_err().to_string();
        assert!(error.contains(told), "{error}");
    }
}

#[test]
fn without_measurements_it_is_said_what_makes_them() {
    let folder = tempfile::tempdir().unwrap();
    let arguments = Arguments { measured: folder.path().to_owned(), ..arguments(&[]).unwrap() };
    assert!(run(&arguments).unwrap_err().to_string().contains("`loadgen measure` writes one"));
}

#[test]
fn a_plan_is_written_as_json_and_its_exit_code_answered() {
    let folder = tempfile::tempdir().unwrap();
    report::plan::sample::measurements().write(folder.path()).unwrap();
    let file = folder.path().join("plan.json");
    let at = |objective: &str| Arguments {
        measured: folder.path().to_owned(),
        json: Some(file.clone()),
        objective: objective.parse().unwrap(),
        ..arguments(&["--protocol", "hardened", "--seed", "7"]).unwrap()
    };
    for (objective, code) in [("503 < 1%", 0), ("guesses > 2^60", 1), ("generate-key p99 < 230us", 3)] {
        assert_eq!(run(&at(objective)).unwrap(), code, "{objective}");
        let written: serde_json::Value = serde_json::from_str(&std::fs::read_to_string(&file).unwrap()).unwrap();
        assert_eq!(written["question"]["objective"], objective);
    }
}
