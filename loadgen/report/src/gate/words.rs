//! The gates' answers in words: for a terminal, for a pull request, and for CI.

use super::judge::{Judged, Judgement, Stage};
use crate::escape::markdown as escape;
use contract::{visible, visible_lines};
use quick_junit::{NonSuccessKind, Report, SerializeError, TestCase, TestCaseStatus, TestSuite};
use stats::ratio::Answer;
use std::fmt::Write as _;

impl Stage {
    /// Its name.
    #[must_use]
    pub fn name(self) -> &'static str {
        match self {
            Self::Correctness => "correctness",
            Self::Counts => "counts",
            Self::Limits => "limits",
            Self::Ratios => "ratios",
        }
    }
}

fn mark(answer: Answer) -> &'static str {
    match answer {
        Answer::Pass => "pass",
        Answer::Fail => "FAIL",
        Answer::Inconclusive => "inconclusive",
    }
}

/// What the answers amount to, in a line.
#[must_use]
pub fn outcome(judgement: &Judgement) -> String {
    let count = |answer| judgement.judged.iter().filter(|judged| judged.answer == answer).count();
    let [passed, failed, open] = [Answer::Pass, Answer::Fail, Answer::Inconclusive].map(count);
    let verdict = match judgement.exit_code() {
        0 => "The gate is open",
        1 => "The gate is SHUT",
        _ => "Not decided",
    };
    format!("{verdict}: {passed} passed, {failed} failed, {open} inconclusive")
}

/// For a terminal.
#[must_use]
pub fn terminal(judgement: &Judgement) -> String {
    let mut text = String::new();
    let mut stage = None;
    for judged in &judgement.judged {
        if stage.replace(judged.stage) != Some(judged.stage) {
            let _ = writeln!(text, "{}", judged.stage.name());
        }
        let _ = writeln!(text, "  {:<12}  {}: {}", mark(judged.answer), visible(&judged.gate), visible(&judged.why));
    }
    for left_out in &judgement.left_out {
        let _ = writeln!(text, "Not judged: {}", visible(left_out));
    }
    text + &outcome(judgement) + "\n"
}

/// For a pull request.
#[must_use]
pub fn markdown(judgement: &Judgement) -> String {
    let mut text = format!("## {}\n\n| | gate | | what decides it |\n|---|---|---|---|\n", outcome(judgement));
    for Judged { stage, gate, answer, why } in &judgement.judged {
        let answer = if *answer == Answer::Pass { mark(*answer).to_owned() } else { format!("**{}**", mark(*answer)) };
        let _ = writeln!(text, "| {} | {} | {answer} | {} |", stage.name(), escape(gate), escape(why));
    }
    for left_out in &judgement.left_out {
        let _ = writeln!(text, "\nNot judged: {}", escape(left_out));
    }
    text
}

/// For CI. What is inconclusive is an error there: nothing is said against the server.
///
/// # Errors
/// Where the XML cannot be written, which memory alone could cause.
pub fn junit(judgement: &Judgement) -> Result<String, SerializeError> {
    let mut suite = TestSuite::new("gate");
    suite.add_test_cases(judgement.judged.iter().map(|judged| {
        let kind = match judged.answer {
            Answer::Pass => None,
            Answer::Fail => Some(NonSuccessKind::Failure),
            Answer::Inconclusive => Some(NonSuccessKind::Error),
        };
        let mut status = kind.map_or_else(TestCaseStatus::success, TestCaseStatus::non_success);
        if kind.is_some() {
            status
                .set_type(mark(judged.answer))
                .set_message(visible(&judged.why))
                .set_description(visible_lines(&judged.why));
        }
        let mut case = TestCase::new(visible(&judged.gate), status);
        case.set_classname(format!("loadgen.gate.{}", judged.stage.name()));
        case
    }));
    let mut report = Report::new("loadgen gate");
    report.add_test_suite(suite);
    report.to_string()
}

#[cfg(test)]
mod tests {
    use super::*;

    fn judgement() -> Judgement {
        let of =
            |stage, gate: &str, answer, why: &str| Judged { stage, gate: gate.to_owned(), answer, why: why.to_owned() };
        Judgement {
            judged: vec![
                of(Stage::Correctness, "no wrong answer", Answer::Fail, "2 × torn\nread | <b>"),
                of(Stage::Counts, "counts", Answer::Pass, "3 operations"),
                of(Stage::Ratios, "save p50", Answer::Inconclusive, "too \u{ffff}noisy"),
            ],
            left_out: vec!["limits: none".to_owned()],
        }
    }

    #[test]
    fn every_gate_is_told_with_its_answer_and_what_decides_it() {
        assert_eq!(
            terminal(&judgement()),
            "correctness\n  FAIL          no wrong answer: 2 × torn\\nread | <b>\ncounts\n  pass          counts: 3 operations\nratios\n  \
             inconclusive  save p50: too \\u{ffff}noisy\nNot judged: limits: none\nThe gate is SHUT: 1 passed, 1 failed, 1 inconclusive\n"
        );
        let text = markdown(&judgement());
        assert!(text.starts_with("## The gate is SHUT: 1 passed, 1 failed, 1 inconclusive\n"), "{text}");
        assert!(
            text.contains("| correctness | no wrong answer | **FAIL** | 2 × torn\\\\nread \\| &lt;b&gt; |"),
            "{text}"
        );
        assert!(text.contains("| counts | counts | pass | 3 operations |\n"), "{text}");
    }

    #[test]
    fn failures_and_errors_of_ci_are_told_apart() {
        let text = junit(&judgement()).expect("writes");
        assert!(text.contains("tests=\"3\" skipped=\"0\" errors=\"1\" failures=\"1\""), "{text}");
        assert!(text.contains("<testcase name=\"no wrong answer\" classname=\"loadgen.gate.correctness\">"), "{text}");
        assert!(text.contains("message=\"too \\u{ffff}noisy\" type=\"inconclusive\""), "{text}");
    }

    #[test]
    fn failing_comes_before_undecided() {
        let mut judgement = judgement();
        assert_eq!(judgement.exit_code(), 1);
        judgement.judged.remove(0);
        assert_eq!(
            (judgement.exit_code(), outcome(&judgement).as_str()),
            (3, "Not decided: 1 passed, 0 failed, 1 inconclusive")
        );
        judgement.judged.pop();
        assert_eq!(
            (judgement.exit_code(), outcome(&judgement).as_str()),
            (0, "The gate is open: 1 passed, 0 failed, 0 inconclusive")
        );
    }
}
