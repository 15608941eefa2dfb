//! `junit.xml`: a run as CI reads it, with a test case for each operation and one for the run's validity.

use crate::run::words;
use contract::{visible, visible_lines};
use quick_junit::{NonSuccessKind, Report, SerializeError, TestCase, TestCaseStatus, TestSuite};
use record::figures::{Named, OperationReport};
use record::run::{HistoryReport, RunReport};

/// What CI's pages file the test cases under; some show none without it.
const CLASS: &str = "loadgen.run";

/// The whole file. What XML cannot hold is not visible either, and escaped.
///
/// # Errors
/// Where the XML cannot be written, which memory alone could cause.
pub fn junit(report: &RunReport) -> Result<String, SerializeError> {
    let mut suite = TestSuite::new(format!("run {}", visible(&report.scenario)));
    suite.add_test_case(validity(report));
    suite.add_test_case(errors(report));
    for (name, operation) in &report.operations {
        suite.add_test_case(answers(name, operation));
    }
    if let Some(judged) = &report.history {
        suite.add_test_case(history(judged));
    }
    suite.set_system_out(visible_lines(&words::figures(report).join("\n")));
    let mut junit = Report::new("loadgen run");
    junit.add_test_suite(suite);
    junit.to_string()
}

fn validity(report: &RunReport) -> TestCase {
    let doubts = words::doubts(report);
    let mut status = TestCaseStatus::success();
    if !doubts.is_empty() {
        // An error, not a failure: nothing is said against the server.
        status = TestCaseStatus::non_success(NonSuccessKind::Error);
        status
            .set_type("invalid")
            .set_message(visible(&doubts.join("; ")))
            .set_description(visible_lines(&doubts.join("\n")));
    }
    let mut case = TestCase::new("the run is valid", status);
    case.set_classname(CLASS);
    case
}

/// Whether no more failed than may.
fn errors(report: &RunReport) -> TestCase {
    let mut status = TestCaseStatus::success();
    if report.fails_too_often() {
        status = TestCaseStatus::non_success(NonSuccessKind::Failure);
        status.set_type("too many errors").set_message(words::failed(report));
    }
    let mut case = TestCase::new("no more errors than allowed", status);
    case.set_classname(CLASS);
    case
}

/// The verdict on the history; undecided is an error, as nothing is said against the server.
fn history(history: &HistoryReport) -> TestCase {
    let status = match history.linearizable {
        Some(true) => TestCaseStatus::success(),
        Some(false) => failed(NonSuccessKind::Failure, "not linearizable", history),
        None => failed(NonSuccessKind::Error, "undecided", history),
    };
    let mut case = TestCase::new("one order explains the whole history", status);
    case.set_classname(CLASS);
    case
}

fn failed(kind: NonSuccessKind, what: &str, history: &HistoryReport) -> TestCaseStatus {
    let mut status = TestCaseStatus::non_success(kind);
    let stories =
        words::counterexamples(history).into_iter().map(|(head, story)| format!("{head}\n{}", story.join("\n")));
    let stories: Vec<String> = stories.collect();
    status
        .set_type(what)
        .set_message(visible(&words::history(history)))
        .set_description(visible_lines(&stories.join("\n\n")));
    status
}

fn answers(name: &str, operation: &OperationReport) -> TestCase {
    let mut status = TestCaseStatus::success();
    if operation.wrong_count() > 0 {
        status = TestCaseStatus::non_success(NonSuccessKind::Failure);
        let count = format!("{} of {} answers are wrong", operation.wrong_count(), operation.answered);
        status.set_type("wrong answer").set_message(count).set_description(lines(&operation.wrong));
    }
    let mut case = TestCase::new(format!("every answer to {} is right", visible(name)), status);
    case.set_classname(CLASS);
    if operation.error_count() > 0 {
        let count = format!("{} of {} operations failed", operation.error_count(), operation.sent);
        case.set_system_out(format!("{count}\n{}", lines(&operation.errors)));
    }
    case
}

fn lines(named: &Named) -> String {
    let lines: Vec<String> = named.iter().map(|(name, count)| format!("{count} × {}", visible(name))).collect();
    lines.join("\n")
}

#[cfg(test)]
mod tests {
    use crate::run::junit::*;
    use record::samples::{invalid_run as invalid, run as sample};

    #[test]
    fn wrong_answers_are_failures_and_errors_are_told() {
        let text = junit(&sample()).expect("writes");
        for part in [
            "<testsuite name=\"run editing\" tests=\"5\" skipped=\"0\" errors=\"0\" failures=\"2\">",
            "<testcase name=\"the run is valid\" classname=\"loadgen.run\"/>",
            "<testcase name=\"no more errors than allowed\" classname=\"loadgen.run\"/>",
            "<testcase name=\"every answer to restore is right\" classname=\"loadgen.run\">",
            "<failure message=\"1 of 10 answers are wrong\" type=\"wrong answer\">1 × torn read</failure>",
            "<failure message=\"History: NOT LINEARIZABLE. No order explains 45 operations on 3 documents: 2 × stale read.\" \
             type=\"not linearizable\">stale read under key A4K, drawn in counterexample.html\nFrom 1.000 s",
            "<system-out>1 of 20 operations failed\n1 × no answer within 10 s</system-out>",
        ] {
            assert!(text.contains(part), "{part:?} is missing from\n{text}");
        }
        assert!(!text.contains("<error"), "{text}");
    }

    #[test]
    fn more_errors_than_allowed_are_a_failure() {
        let text = junit(&RunReport { errors_allowed: Some(0.03), ..invalid() }).expect("writes");
        let failure =
            "<failure message=\"3.3 % failed (1 of 30 operations; 3.0 % allowed)\" type=\"too many errors\"/>";
        assert!(text.contains(failure), "{text}");
    }

    #[test]
    fn an_invalid_run_is_an_error_with_its_reasons() {
        let text = junit(&invalid()).expect("writes");
        assert!(text.contains("errors=\"1\" failures=\"0\""), "{text}");
        assert!(text.contains("<error message=\"slip p99 is 12 ms; the generator was late; the run was int"), "{text}");
    }

    #[test]
    fn hostile_messages_leave_well_formed_xml() {
        let hostile: String =
            (0..0xffff_u32).filter_map(char::from_u32).chain("]]> <a b='\u{ffff}'>&x;".chars()).collect();
        let mut report = invalid();
        report.scenario.clone_from(&hostile);
        report.why_invalid.push(hostile.clone());
        report.left_behind.push(hostile.clone());
        let save = report.operations.get_mut("save").expect("there");
        save.errors.insert(hostile.clone(), 1);
        save.wrong.insert(hostile, 2);
        let text = junit(&report).expect("writes");
        let is_xml = |letter: char| matches!(letter, '\t' | '\n' | '\r' | ' '..='\u{fffd}' | '\u{10000}'..);
        assert_eq!(text.chars().find(|letter| !is_xml(*letter)), None);
        assert!(text.contains("]]&gt; &lt;a b="), "it is escaped");
        assert!(!text.contains("<a b"), "and makes no element");
    }
}
