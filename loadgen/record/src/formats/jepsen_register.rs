//! Jepsen's history of a compare-and-set register: a log, or `history.edn`.
//!
//! In a log a line counts that is `INFO`, `jepsen.util`, `-`, a process, `:type`, `:operation` and a value, with tabs or
//! spaces between; all others are passed over, as a log holds much else. A `:fail` of a compare-and-set says there that the
//! register held something else.
//!
//! In `history.edn` each line is a map. A `:fail` says there that the operation did not happen, for whatever reason.

use super::edn::Form;
use super::entry::{Entry, Process};
use super::{FormatError, Problem, Recording};
use check::linearizability::Call;
use check::models::register::{Operation, Outcome};
use std::str::FromStr;

/// What an operation looks like.
const OPERATION: &str =
    "an operation, such as `INFO jepsen.util - 0 :invoke :read nil` or a map with :process, :type, :f and :value";

/// Reads a log.
///
/// # Errors
/// If a line counts and is not in order, or no line counts: what was expected.
pub fn parse(text: &str) -> Result<Vec<Call<Operation>>, FormatError> {
    let is_edn = is_edn(text);
    let recording = Recording::of(text, OPERATION, |line, text, recording| {
        let step = if is_edn { Step::of_edn(text) } else { Step::of_log(text) };
        step?.map_or(Ok(()), |step| step.record(line, recording))
    })?;
    Ok(recording.into_calls())
}

/// Whether a text begins as EDN does. A log ends with EDN, as Jepsen prints what it found.
fn is_edn(text: &str) -> bool {
    text.trim_start().starts_with(['{', '[', '#'])
}

/// A line that counts.
struct Step<'a> {
    format: Format,
    process: u64,
    kind: &'a str,
    operation: &'a str,
    value: &'a str,
}

/// What a line is written in.
#[derive(Clone, Copy, PartialEq, Eq)]
enum Format {
    Log,
    Edn,
}

impl<'a> Step<'a> {
    fn of_log(line: &'a str) -> Result<Option<Self>, Problem> {
        // `INFO` has to be at the very beginning.
        let rest = line.strip_prefix("INFO").filter(|rest| rest.starts_with(char::is_whitespace));
        let Some(rest) = rest else { return Ok(None) };
        let (source, rest) = word(rest);
        let (dash, rest) = word(rest);
        let (process, rest) = word(rest);
        let (kind, rest) = word(rest);
        let (operation, rest) = word(rest);
        let counts = source == "jepsen.util"
            && dash == "-"
            && process.starts_with(|first: char| first.is_ascii_digit())
            && kind.starts_with(':')
            && operation.starts_with(':');
        if !counts {
            return Ok(None);
        }
        let process = number(process, "the number of a process")?;
        Ok(Some(Self { format: Format::Log, process, kind, operation, value: rest.trim() }))
    }

    fn of_edn(line: &'a str) -> Result<Option<Self>, Problem> {
        if line.trim().is_empty() {
            return Ok(None);
        }
        Ok(Entry::of(line, "the fields :process, :type, :f and :value")?.and_then(|entry| match entry.process {
            Process::Number(process) => Some(Self {
                format: Format::Edn,
                process,
                kind: entry.kind,
                operation: entry.function,
                value: entry.value.map_or("nil", Form::written),
            }),
            Process::Other => None,
        }))
    }

    fn record(&self, line: u64, recording: &mut Recording<Operation>) -> Result<(), Problem> {
        if self.kind == ":invoke" {
            return recording.call(line, self.process, self.asked()?);
        }
        let call = recording.answer(self.process)?;
        let called = call.called;
        if self.operation != name(call.operation) {
            return Err(Problem::AnotherCall { since: called });
        }
        match (self.kind, self.operation) {
            (":ok", ":read") => call.operation = self.read()?,
            (":ok", _) => self.set_outcome(call, Outcome::Written)?,
            (":fail", ":cas") if self.format == Format::Log && self.value.starts_with('[') => {
                self.set_outcome(call, Outcome::Refused)?;
            }
            (":fail", _) => {
                recording.did_not_happen(called);
                return Ok(());
            }
            // It stays open.
            (":info", _) => return Ok(()),
            _ => return Err(Problem::unexpected(":invoke, :ok, :fail or :info", self.kind)),
        }
        call.returned = Some(line);
        Ok(())
    }

    /// Completes a call of a write or a compare-and-set; it has to be the one that the line names.
    fn set_outcome(&self, call: &mut Call<Operation>, outcome: Outcome) -> Result<(), Problem> {
        if self.asked()? != call.operation {
            return Err(Problem::AnotherCall { since: call.called });
        }
        if let Operation::CompareAndSet { outcome: unknown, .. } = &mut call.operation {
            *unknown = outcome;
        }
        Ok(())
    }

    /// The operation of a call, with nothing known of what comes of it.
    fn asked(&self) -> Result<Operation, Problem> {
        match self.operation {
            ":read" if self.value == "nil" => Ok(Operation::ReadOfUnknown),
            ":read" => Err(Problem::unexpected("nil, as a read is called", self.value)),
            ":write" => Ok(Operation::Write(number(self.value, "a number that is written")?)),
            ":cas" => self.compare_and_set(),
            other => Err(Problem::unexpected(":read, :write or :cas", other)),
        }
    }

    fn read(&self) -> Result<Operation, Problem> {
        let is_nothing = self.value == "nil";
        let value = if is_nothing { None } else { Some(number(self.value, "nil or the number that was read")?) };
        Ok(Operation::Read(value))
    }

    fn compare_and_set(&self) -> Result<Operation, Problem> {
        const EXPECTED: &str = "two numbers as [from to]";
        let inside = self.value.strip_prefix('[').and_then(|rest| rest.strip_suffix(']'));
        let inside = inside.ok_or_else(|| Problem::unexpected(EXPECTED, self.value))?;
        let (from, to) = word(inside);
        Ok(Operation::CompareAndSet {
            from: number(from, EXPECTED)?,
            to: number(to.trim(), EXPECTED)?,
            outcome: Outcome::Unknown,
        })
    }
}

/// What a log calls an operation.
fn name(operation: Operation) -> &'static str {
    match operation {
        Operation::Read(_) | Operation::ReadOfUnknown => ":read",
        Operation::Write(_) => ":write",
        Operation::CompareAndSet { .. } => ":cas",
    }
}

/// The first word, and what comes after it.
fn word(text: &str) -> (&str, &str) {
    let text = text.trim_start();
    text.split_at(text.find(char::is_whitespace).unwrap_or(text.len()))
}

fn number<N: FromStr>(text: &str, expected: &'static str) -> Result<N, Problem> {
    text.parse().map_err(|_| Problem::unexpected(expected, text))
}

#[cfg(test)]
mod tests {
    use super::*;

    fn read(lines: &[&str]) -> Result<Vec<Call<Operation>>, String> {
        let lines: Vec<String> = lines.iter().map(|line| format!("INFO  jepsen.util - {line}\n")).collect();
        parse(&lines.concat()).map_err(|error| error.to_string())
    }

    /// Operation, called and returned of the only call.
    fn only(lines: &[&str]) -> (Operation, u64, Option<u64>) {
        let calls = read(lines).unwrap();
        assert_eq!(calls.len(), 1, "{calls:?}");
        (calls[0].operation, calls[0].called, calls[0].returned)
    }

    fn compare_and_set(outcome: Outcome) -> Operation {
        Operation::CompareAndSet { from: 3, to: 0, outcome }
    }

    #[test]
    fn each_kind_of_answer_is_read_as_what_it_means() {
        let cases: [(&str, &str, Operation, Option<u64>); 11] = [
            (":read nil", ":ok :read nil", Operation::Read(None), Some(2)),
            (":read nil", ":ok :read -7", Operation::Read(Some(-7)), Some(2)),
            (":read nil", ":info :read :timed-out", Operation::ReadOfUnknown, None),
            (":write 4", ":info :write 4 :connection-lost", Operation::Write(4), None),
            (":write 4", ":ok :write 4", Operation::Write(4), Some(2)),
            (":write 4", ":info :write :timed-out", Operation::Write(4), None),
            (":cas [3 0]", ":ok :cas [3 0]", compare_and_set(Outcome::Written), Some(2)),
            (":cas [3 0]", ":fail :cas [3 0]", compare_and_set(Outcome::Refused), Some(2)),
            (":cas [3 0]", ":info :cas :timed-out", compare_and_set(Outcome::Unknown), None),
            (":cas  [ 3\t0 ]", ":ok\t:cas [3 0]\t", compare_and_set(Outcome::Written), Some(2)),
            (":write 4", "", Operation::Write(4), None),
        ];
        for (call, answer, operation, returned) in cases {
            let mut lines = vec![format!("0\t:invoke {call}")];
            lines.extend((!answer.is_empty()).then(|| format!("0 {answer}")));
            let lines: Vec<&str> = lines.iter().map(String::as_str).collect();
            assert_eq!(only(&lines), (operation, 1, returned), "{call} {answer}");
        }
    }

    #[test]
    fn a_process_whose_call_timed_out_may_call_again() {
        let calls = read(&["0 :invoke :write 4", "0 :info :write :timed-out", "0 :invoke :read nil"]).unwrap();
        assert_eq!(calls.iter().map(|call| (call.called, call.returned)).collect::<Vec<_>>(), [(1, None), (3, None)]);
    }

    /// The value that a write failed with was an error, and so was a read's that had not timed out.
    #[test]
    fn an_operation_that_failed_did_not_happen() {
        for (call, answer) in [
            (":write 4", ":fail :write 4"),
            (":write 4", ":fail :write :timed-out"),
            (":read nil", ":fail :read :timed-out"),
            (":read nil", ":fail :read nil"),
            (":cas [3 0]", ":fail :cas :timed-out"),
        ] {
            let calls = read(&[&format!("0 :invoke {call}"), &format!("0 {answer}"), "0 :invoke :write 1"]).unwrap();
            let called: Vec<u64> = calls.iter().map(|call| call.called).collect();
            assert_eq!(called, [3], "{call} {answer}");
        }
    }

    /// Today's Jepsen writes no log that counts, but this; it was read as a history without any operation.
    #[test]
    fn a_history_in_edn_is_read_line_by_line() {
        let text = "[{:type :invoke, :f :write, :value 4, :time 3291485317, :process 0, :index 0}
{:index 1 :time 3291485318 :process :nemesis :f :start-partition :type :info :value [:isolated {\"n1\" #{\"n2\"}}]}
#jepsen.history.Op{:index 2, :time 7, :type :ok, :process 0, :f :write, :value 4}

{:process 1, :type :invoke, :f :cas, :value [3 0]}
{:process 1, :type :fail, :f :cas, :value [3 0], :error [:not-equal \"}\" \\] 3]}
{:process 1, :type :invoke, :f :cas, :value [4 0], :extra nil}
{:process 2, :type :invoke, :f :read}
{:process 1, :type :info, :f :cas, :value [4 0], :error :timeout}
{:process 3, :type :invoke, :f :write, :value 5}
{:process 3, :type :fail, :f :write, :value 5, :error :full}
{:process 2, :type :ok, :f :read, :value 0}
{:process 2, :type :invoke, :f :read, :value nil}
{:process 2, :type :fail, :f :read, :value nil, :error :timeout}
]";
        let compare_and_set = Operation::CompareAndSet { from: 4, to: 0, outcome: Outcome::Unknown };
        assert_eq!(
            parse(text).unwrap(),
            [
                Call { process: 0, operation: Operation::Write(4), called: 1, returned: Some(3) },
                Call { process: 1, operation: compare_and_set, called: 7, returned: None },
                Call { process: 2, operation: Operation::Read(Some(0)), called: 8, returned: Some(12) },
            ]
        );
    }

    #[test]
    fn an_error_in_edn_says_which_line_it_is_and_what_is_expected() {
        const CALL: &str = "{:process 0, :type :invoke, :f :write, :value 4}";
        for (line, message) in [
            ("4", "expected {, found \"4\""),
            ("{:process 0, :type :invoke}", "expected the fields :process, :type, :f and :value, found"),
            ("{:process 1, :type :invoke, :f :txn, :value []}", "expected :read, :write or :cas, found \":txn\""),
            (
                "{:process 1, :type :invoke, :f :write, :value \"4\"}",
                "expected a number that is written, found \"a string\"",
            ),
            (
                "{:process 1, :type :invoke, :f :cas, :value [[1 2] 3]}",
                "expected two numbers as [from to], found \"[1\"",
            ),
            ("{:process 1, :type :ok, :f :read, :value 3}", "expected a call of process 1 before an answer to it"),
        ] {
            let error = parse(&format!("{CALL}\n{line}")).unwrap_err().to_string();
            assert!(error.starts_with(&format!("line 2: {message}")), "{error}\nis not\n{message}");
        }
    }

    #[test]
    fn lines_that_are_no_operation_are_passed_over() {
        let text = "INFO  jepsen.core - 0 :invoke :read nil\n INFO jepsen.util - 0 :invoke :read nil\n\nINFO jepsen.util\n\
                    INFO  jepsen.util - :nemesis :info :start nil\nINFOjepsen.util - 0 :invoke :read nil\n\
                    INFO  jepsen.util - 0 starts\r\nINFO jepsen.util - 2 :invoke :write 1\r\n";
        let calls = parse(text).unwrap();
        assert_eq!(calls, [Call { process: 2, operation: Operation::Write(1), called: 8, returned: None }]);
    }

    #[test]
    fn an_error_says_which_line_it_is_and_what_is_expected() {
        let cases: [(&[&str], &str); 14] = [
            (&["0 :invoke :read 3"], "line 1: expected nil, as a read is called, found \"3\""),
            (&["0 :invoke :write x"], "line 1: expected a number that is written, found \"x\""),
            (&["0 :invoke :write"], "line 1: expected a number that is written, found \"\""),
            (
                &["0 :invoke :write 9223372036854775808"],
                "line 1: expected a number that is written, found \"9223372036854775808\"",
            ),
            (&["0 :invoke :cas [1 2"], "line 1: expected two numbers as [from to], found \"[1 2\""),
            (&["0 :invoke :cas [1]"], "line 1: expected two numbers as [from to], found \"\""),
            (&["0 :invoke :drop nil"], "line 1: expected :read, :write or :cas, found \":drop\""),
            (&["0x :invoke :read nil"], "line 1: expected the number of a process, found \"0x\""),
            (&["7 :ok :read nil"], "line 1: expected a call of process 7 before an answer to it"),
            (
                &["7 :invoke :read nil", "7 :invoke :read nil"],
                "line 2: expected the answer to process 7's call of line 1, found another call of it",
            ),
            (
                &["7 :invoke :write 1", "7 :ok :write 2"],
                "line 2: expected an answer to the call of line 1, found one to another call",
            ),
            (
                &["7 :invoke :write 1", "7 :info :cas :timed-out"],
                "line 2: expected an answer to the call of line 1, found one to another call",
            ),
            (&["7 :invoke :cas [1 2]", "7 :fail :cas [1 3]"], "line 2: expected an answer to the call of line 1"),
            (
                &["7 :invoke :read nil", "7 :failed :read nil"],
                "line 2: expected :invoke, :ok, :fail or :info, found \":failed\"",
            ),
        ];
        for (lines, message) in cases {
            let error = read(lines).unwrap_err();
            assert!(error.starts_with(message), "{error}\nis not\n{message}");
        }
    }
}
