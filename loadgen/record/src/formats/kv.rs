//! A map's history as lines of EDN: `{:process 9, :type :invoke, :f :append, :key "0", :value "x"}`.
//!
//! `:ok` completes a call, `:fail` says that it did not happen, and after `:info` it may take effect at any later time, or
//! never. Lines of `:nemesis` are passed over, and so are other fields than those five.

use super::entry::{Entry, Process};
use super::{FormatError, Problem, Recording};
use check::linearizability::Call;
use check::models::kv::{Action, Operation};
use std::borrow::Cow;
use std::collections::HashMap;
use std::sync::Arc;

/// A map's history.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct History {
    /// The keys by their numbers.
    pub keys: Vec<Arc<str>>,
    /// The calls.
    pub calls: Vec<Call<Operation>>,
}

/// Reads a history. Empty lines are passed over.
///
/// # Errors
/// If a line is not in order, or none is an operation: what was expected.
pub fn parse(text: &str) -> Result<History, FormatError> {
    let mut keys = Keys::default();
    let recording = Recording::of(text, OPERATION, |line, text, recording| match Change::of(text)? {
        Some(change) => change.record(line, &mut keys, recording),
        None => Ok(()),
    })?;
    Ok(History { keys: keys.names, calls: recording.into_calls() })
}

/// The keys by number and by name.
#[derive(Default)]
struct Keys {
    names: Vec<Arc<str>>,
    numbers: HashMap<Arc<str>, u32>,
}

impl Keys {
    fn number_of(&mut self, name: &str) -> Result<u32, Problem> {
        if let Some(&number) = self.numbers.get(name) {
            return Ok(number);
        }
        let number = u32::try_from(self.names.len()).map_err(|_| Problem::unexpected("fewer keys than 2^32", name))?;
        let name: Arc<str> = name.into();
        self.names.push(name.clone());
        self.numbers.insert(name, number);
        Ok(number)
    }
}

/// A line of a client: all five fields are there, once each, in any order.
struct Change<'a> {
    process: u64,
    kind: &'a str,
    function: &'a str,
    key: Cow<'a, str>,
    /// `None` is nil.
    value: Option<Cow<'a, str>>,
}

/// What an operation looks like.
const OPERATION: &str = "an operation: a map with the fields :process, :type, :f, :key and :value";

/// The fields of a line.
const FIELDS: &str = "the fields :process, :type, :f, :key and :value";

impl<'a> Change<'a> {
    /// Reads a line; `None` if it is empty, or no client's.
    fn of(line: &'a str) -> Result<Option<Self>, Problem> {
        if line.trim().is_empty() {
            return Ok(None);
        }
        let Some(Entry { process, kind, function, key, value }) = Entry::of(line, FIELDS)? else { return Ok(None) };
        let Process::Number(process) = process else { return Ok(None) };
        let missing = || Problem::unexpected(FIELDS, line);
        let (key, value) = (key.ok_or_else(missing)?.string()?, value.ok_or_else(missing)?.string_or_nil()?);
        Ok(Some(Self { process, kind, function, key, value }))
    }

    fn record(self, line: u64, keys: &mut Keys, recording: &mut Recording<Operation>) -> Result<(), Problem> {
        let key = keys.number_of(&self.key)?;
        match self.kind {
            ":invoke" => {
                let action = match self.function {
                    ":get" => self.nothing_read()?,
                    _ => self.change()?,
                };
                recording.call(line, self.process, Operation { key, action })
            }
            ":ok" => {
                let call = recording.answer(self.process)?;
                let answered = match self.function {
                    ":get" => Action::Get(Some(self.text("the string that was read")?)),
                    _ => self.change()?,
                };
                let is_get = |action: &Action| matches!(action, Action::Get(_));
                let is_same = call.operation.action == answered || is_get(&call.operation.action) && is_get(&answered);
                if call.operation.key != key || !is_same {
                    return Err(Problem::AnotherCall { since: call.called });
                }
                call.operation.action = answered;
                call.returned = Some(line);
                Ok(())
            }
            ":fail" => {
                let called = recording.answer(self.process)?.called;
                recording.did_not_happen(called);
                Ok(())
            }
            // It stays open.
            ":info" => recording.answer(self.process).map(drop),
            other => Err(Problem::unexpected(":invoke, :ok, :fail or :info", other)),
        }
    }

    fn nothing_read(&self) -> Result<Action, Problem> {
        match &self.value {
            None => Ok(Action::Get(None)),
            Some(value) => Err(Problem::unexpected("nil, as a get is called", value)),
        }
    }

    fn change(&self) -> Result<Action, Problem> {
        match self.function {
            ":put" => Ok(Action::Put(self.text("the string that is put")?)),
            ":append" => Ok(Action::Append(self.text("the string that is appended")?)),
            other => Err(Problem::unexpected(":get, :put or :append", other)),
        }
    }

    fn text(&self, expected: &'static str) -> Result<Arc<str>, Problem> {
        self.value.as_deref().map(Arc::from).ok_or_else(|| Problem::unexpected(expected, "nil"))
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    const CALL: &str = r#"{:process 9, :type :invoke, :f :append, :key "0", :value "x"}"#;

    fn error(text: &str) -> String {
        parse(text).unwrap_err().to_string()
    }

    fn append(key: u32, piece: &str) -> Operation {
        Operation { key, action: Action::Append(piece.into()) }
    }

    #[test]
    fn calls_and_answers_are_put_together_by_process() {
        let text = r#"
{:process 1, :type :invoke, :f :append, :key "b", :value "x 1 0 y"}
{:process 2, :type :invoke, :f :get, :key "a", :value nil}
{:process 1, :type :ok, :f :append, :key "b", :value "x 1 0 y"}
{:process 2, :type :ok, :f :get, :key "a", :value ""}
{:process 1, :type :invoke, :f :put, :key "b", :value "z"}
{:process 2, :type :invoke, :f :get, :key "a", :value nil}"#;
        let history = parse(text).unwrap();
        let get = |value: Option<&str>| Operation { key: 1, action: Action::Get(value.map(Arc::from)) };
        let put = Operation { key: 0, action: Action::Put("z".into()) };
        assert_eq!(history.keys, ["b".into(), "a".into()]);
        assert_eq!(
            history.calls,
            [
                Call { process: 1, operation: append(0, "x 1 0 y"), called: 2, returned: Some(4) },
                Call { process: 2, operation: get(Some("")), called: 3, returned: Some(5) },
                Call { process: 1, operation: put, called: 6, returned: None },
                Call { process: 2, operation: get(None), called: 7, returned: None },
            ]
        );
    }

    #[test]
    fn fields_can_be_in_any_order_with_whatever_space_between() {
        let text = "\t{ :value\"x\":key \"0\",,:f :append :type :invoke :process 9}  \r\n";
        assert_eq!(parse(text).unwrap(), parse(CALL).unwrap());
    }

    /// A call that failed was an error, and so were the fields that every history of Jepsen has.
    #[test]
    fn a_call_that_failed_did_not_happen_and_one_that_is_unclear_stays_open() {
        let text = r#"
{:type :invoke, :f :put, :value "z", :key "b", :process 1, :time 12, :index 0}
{:type :info, :f :start, :process :nemesis, :value nil, :time 13, :index 1}
#jepsen.history.Op{:type :fail, :f :put, :value "z", :key "b", :process 1, :time 14, :index 2, :error [:x {:a "}"}]}
{:type :invoke, :f :append, :value "y", :key "b", :process 1, :time 15, :index 3}
{:type :info, :f :append, :value "y", :key "b", :process 1, :time 16, :index 4, :error :timeout}
{:type :invoke, :f :append, :value "x", :key "b", :process 1, :time 17, :index 5}"#;
        let called = |operation, called| Call { process: 1, operation, called, returned: None };
        assert_eq!(parse(text).unwrap().calls, [called(append(0, "y"), 5), called(append(0, "x"), 7)]);
    }

    #[test]
    fn escapes_in_strings_stand_for_what_they_mean() {
        let text = CALL.replace("\"x\"", r#""a\"b\\c\n\t\r\b\f\u00e9\ud83d\ude00 }, ü""#);
        let piece = "a\"b\\c\n\t\r\u{8}\u{c}\u{e9}\u{1f600} }, ü";
        assert_eq!(parse(&text).unwrap().calls[0].operation, append(0, piece));
    }

    #[test]
    fn an_error_says_which_line_it_is_and_what_is_expected() {
        let ok = |change: &str, to: &str| format!("{CALL}\n{}", CALL.replace(":invoke", ":ok").replace(change, to));
        let cases = [
            ("x".into(), "line 1: expected {, found \"x\""),
            (CALL.replace('}', ""), "line 1: expected :process, :type, :f, :key, :value or }, found \"\""),
            (format!("\n\n{CALL} x"), "line 3: expected the end of the line, found \"x\""),
            (CALL.replace(":process 9, ", ""), MISSING),
            (
                CALL.replace(":process 9, ", ":process 9, :process 9, "),
                "line 1: expected each field once, found \":process\"",
            ),
            (CALL.replace('9', "-1"), "line 1: expected the number of a process, found \"-1\""),
            (
                CALL.replace('9', "99999999999999999999"),
                "line 1: expected the number of a process, found \"99999999999999999999\"",
            ),
            (
                CALL.replace(":process 9", ":process \"9\""),
                "line 1: expected the number of a process, found \"a string\"",
            ),
            (CALL.replace(":invoke", ":failed"), "line 1: expected :invoke, :ok, :fail or :info, found \":failed\""),
            (CALL.replace(":key", ":time [[[1, :key"), "line 1: expected a bracket's end, found \"[[[1"),
            (CALL.replace(":append", ":drop"), "line 1: expected :get, :put or :append, found \":drop\""),
            (CALL.replace(":append", ":get"), "line 1: expected nil, as a get is called, found \"x\""),
            (CALL.replace("\"x\"", "nil"), "line 1: expected the string that is appended, found \"nil\""),
            (CALL.replace("\"x\"", "7"), "line 1: expected a string or nil, found \"7\""),
            (CALL.replace("\"0\"", "0"), "line 1: expected a string, found \"0\""),
            (CALL.replace("\"x\"}", "\"x}"), "line 1: expected a string's end, found \"x}\""),
            (
                CALL.replace("\"x\"", r#""\q""#),
                "line 1: expected an escape, \\ with one of t r n b f \" \\ u, found \"q",
            ),
            (CALL.replace("\"x\"", r#""\u00g0""#), UNICODE),
            (CALL.replace("\"x\"", r#""\ud83d""#), UNICODE),
            (CALL.replace("\"x\"", r#""\u+123""#), UNICODE),
            (CALL.replace(":invoke", ":ok"), "line 1: expected a call of process 9 before an answer to it"),
            (
                format!("{CALL}\n{CALL}"),
                "line 2: expected the answer to process 9's call of line 1, found another call of it",
            ),
            (ok("\"x\"", "\"y\""), OTHER),
            (ok("\"0\"", "\"1\""), OTHER),
            (ok(":append", ":get"), OTHER),
        ];
        for (text, message) in cases {
            assert!(error(&text).starts_with(message), "{}\nis not\n{message}", error(&text));
        }
    }

    const MISSING: &str = "line 1: expected the fields :process, :type, :f, :key and :value, found \"{:type";
    const UNICODE: &str = "line 1: expected four hexadecimal digits of a character after \\u";
    const OTHER: &str = "line 2: expected an answer to the call of line 1, found one to another call";
}
