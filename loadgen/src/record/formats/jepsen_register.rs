//! Jepsen's log of a compare-and-set register.
//!
//! A line counts that is `INFO`, `jepsen.util`, `-`, a process, `:type`, `:operation` and a value, with tabs or
//! spaces between; all others are passed over, as a log holds much else.

use super::{FormatError, Problem, Recording, lines};
use crate::check::linearizability::Call;
use crate::check::models::register::{Operation, Outcome};
use std::str::FromStr;

/// Reads a log.
///
/// # Errors
/// Where a line counts and is not in order: what was expected.
pub fn parse(text: &str) -> Result<Vec<Call<Operation>>, FormatError> {
    let mut recording = Recording::new();
    for (line, text) in lines(text) {
        let Some(entry) = Entry::of(text) else { continue };
        entry.record(line, &mut recording).map_err(|problem| FormatError { line, problem })?;
    }
    Ok(recording.calls)
}

/// A line that counts.
struct Entry<'a> {
    process: &'a str,
    kind: &'a str,
    operation: &'a str,
    value: &'a str,
}

impl<'a> Entry<'a> {
    fn of(line: &'a str) -> Option<Self> {
        // `INFO` has to be at the very beginning.
        let rest = line.strip_prefix("INFO").filter(|rest| rest.starts_with(char::is_whitespace))?;
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
        counts.then_some(Self { process, kind, operation, value: rest.trim() })
    }

    fn record(&self, line: u64, recording: &mut Recording<Operation>) -> Result<(), Problem> {
        let process = number(self.process, "the number of a process")?;
        if self.kind == ":invoke" {
            return recording.call(line, process, self.asked()?);
        }
        let call = recording.answer(process)?;
        if self.operation != name(call.operation) {
            return Err(Problem::AnotherCall { since: call.called });
        }
        match (self.kind, self.operation) {
            (":ok", ":read") => call.operation = self.read()?,
            (":fail", ":read") => self.timed_out()?,
            (":ok", _) | (":fail", ":cas") => {
                if self.asked()? != call.operation {
                    return Err(Problem::AnotherCall { since: call.called });
                }
                let outcome = if self.kind == ":ok" { Outcome::Written } else { Outcome::Refused };
                call.operation = with_outcome(call.operation, outcome);
            }
            // It stays open.
            (":info", ":write" | ":cas") => return self.timed_out(),
            (":info", _) => return Err(Problem::unexpected(":ok or :fail for a read", self.kind)),
            (":fail", _) => return Err(Problem::unexpected(":ok or :info for a write", self.kind)),
            _ => return Err(Problem::unexpected(":invoke, :ok, :fail or :info", self.kind)),
        }
        call.returned = Some(line);
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

    fn timed_out(&self) -> Result<(), Problem> {
        if self.value == ":timed-out" { Ok(()) } else { Err(Problem::unexpected(":timed-out", self.value)) }
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

fn with_outcome(operation: Operation, outcome: Outcome) -> Operation {
    match operation {
        Operation::CompareAndSet { from, to, .. } => Operation::CompareAndSet { from, to, outcome },
        other => other,
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
        let cases: [(&str, &str, Operation, Option<u64>); 10] = [
            (":read nil", ":ok :read nil", Operation::Read(None), Some(2)),
            (":read nil", ":ok :read -7", Operation::Read(Some(-7)), Some(2)),
            (":read nil", ":fail :read :timed-out", Operation::ReadOfUnknown, Some(2)),
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
            (&["7 :invoke :write 1", "7 :fail :write 1"], "line 2: expected :ok or :info for a write, found \":fail\""),
            (&["7 :invoke :read nil", "7 :fail :read nil"], "line 2: expected :timed-out, found \"nil\""),
        ];
        for (lines, message) in cases {
            assert_eq!(read(lines).unwrap_err(), message);
        }
    }
}
