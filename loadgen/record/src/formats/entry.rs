//! A line of a history in EDN: a map with an operation's fields, as Jepsen's `history.edn` and others have it.

use super::Problem;
use super::edn::{self, Form};

/// A line. Its fields can be in any order; those that say nothing about what happened (`:time`, `:index`, `:error` and
/// whatever else a test keeps) are passed over.
pub(super) struct Entry<'a> {
    pub(super) process: Process,
    pub(super) kind: &'a str,
    pub(super) function: &'a str,
    pub(super) key: Option<Form<'a>>,
    pub(super) value: Option<Form<'a>>,
}

/// Whose line it is.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Process {
    /// A client's.
    Number(u64),
    /// `:nemesis`, or another that breaks things and does nothing with the object.
    Other,
}

impl<'a> Entry<'a> {
    /// Reads a line; `None` if nothing but brackets of a list is on it. `all` names the fields that a line must have.
    pub(super) fn of(line: &'a str, all: &'static str) -> Result<Option<Self>, Problem> {
        // A history can be one list, over many lines.
        let text = edn::trim(edn::trim(line).trim_start_matches('['));
        if edn::trim(text.trim_end_matches(']')).is_empty() && line.contains(['[', ']']) {
            return Ok(None);
        }
        let mut rest = edn::after(edn::without_tag(text), "{")?;
        let [mut process, mut kind, mut function, mut key, mut value] = [const { None }; 5];
        while !rest.starts_with('}') {
            let (name, field);
            (name, rest) = edn::bare(rest);
            if !name.starts_with(':') {
                return Err(Problem::unexpected(":process, :type, :f, :key, :value or }", name));
            }
            (field, rest) = Form::of(rest)?;
            let place = match name {
                ":process" => &mut process,
                ":type" => &mut kind,
                ":f" => &mut function,
                ":key" => &mut key,
                ":value" => &mut value,
                _ => continue,
            };
            if place.replace(field).is_some() {
                return Err(Problem::unexpected("each field once", name));
            }
        }
        edn::end(edn::after(rest, "}")?.trim_end_matches(|sign: char| sign == ']' || edn::is_space(sign)))?;
        let missing = || Problem::unexpected(all, line);
        Ok(Some(Self {
            process: process_of(process.ok_or_else(missing)?)?,
            kind: kind.ok_or_else(missing)?.keyword()?,
            function: function.ok_or_else(missing)?.keyword()?,
            key,
            value,
        }))
    }
}

fn process_of(form: Form<'_>) -> Result<Process, Problem> {
    match form {
        Form::Bare(name) if name.starts_with(':') => Ok(Process::Other),
        form => form.number().map(Process::Number),
    }
}
