//! As much of EDN as a history's lines are made of.

use super::Problem;
use std::borrow::Cow;

/// A value.
pub(super) enum Form<'a> {
    /// A number, a keyword or a symbol.
    Bare(&'a str),
    /// A string, its escapes resolved.
    Text(Cow<'a, str>),
    /// A list, a vector, a map or a set, as it is written.
    Nested(&'a str),
}

impl<'a> Form<'a> {
    /// The first value, and what comes after it.
    pub(super) fn of(text: &'a str) -> Result<(Self, &'a str), Problem> {
        let text = without_tag(trim(text));
        if let Some(inside) = text.strip_prefix('"') {
            let (content, rest) = string(inside)?;
            return Ok((Self::Text(content), trim(rest)));
        }
        if text.starts_with(['[', '(', '{']) || text.starts_with("#{") {
            let (nested, rest) = text.split_at(nested_bytes(text)?);
            return Ok((Self::Nested(nested), trim(rest)));
        }
        let (bare, rest) = bare(text);
        Ok((Self::Bare(bare), rest))
    }

    /// What is written, if it is no string.
    pub(super) fn written(self) -> &'a str {
        match self {
            Self::Bare(text) | Self::Nested(text) => text,
            Self::Text(_) => "a string",
        }
    }

    pub(super) fn number(self) -> Result<u64, Problem> {
        let text = self.written();
        text.parse().map_err(|_| Problem::unexpected("the number of a process", text))
    }

    /// A keyword; which one, is for the caller to check.
    pub(super) fn keyword(self) -> Result<&'a str, Problem> {
        let text = self.written();
        if text.starts_with(':') { Ok(text) } else { Err(Problem::unexpected("a keyword", text)) }
    }

    pub(super) fn string(self) -> Result<Cow<'a, str>, Problem> {
        match self {
            Self::Text(text) => Ok(text),
            other => Err(Problem::unexpected("a string", other.written())),
        }
    }

    pub(super) fn string_or_nil(self) -> Result<Option<Cow<'a, str>>, Problem> {
        match self {
            Self::Text(text) => Ok(Some(text)),
            Self::Bare("nil") => Ok(None),
            other => Err(Problem::unexpected("a string or nil", other.written())),
        }
    }
}

/// What comes after a sign.
pub(super) fn after<'a>(text: &'a str, sign: &'static str) -> Result<&'a str, Problem> {
    let text = trim(text);
    text.strip_prefix(sign).map(trim).ok_or_else(|| Problem::unexpected(sign, text))
}

/// Nothing more.
pub(super) fn end(text: &str) -> Result<(), Problem> {
    if text.is_empty() { Ok(()) } else { Err(Problem::unexpected("the end of the line", text)) }
}

/// The characters up to a space or a sign, and what comes after them.
pub(super) fn bare(text: &str) -> (&str, &str) {
    let text = trim(text);
    let end = text.find(|next: char| is_space(next) || "\"{}[]()".contains(next)).unwrap_or(text.len());
    let (bare, rest) = text.split_at(end);
    (bare, trim(rest))
}

/// What a tag is put before: `#jepsen.history.Op{…}` is the map.
pub(super) fn without_tag(text: &str) -> &str {
    let is_tag = |rest: &&str| rest.starts_with(char::is_alphabetic);
    text.strip_prefix('#').filter(is_tag).map_or(text, |tag| bare(tag).1)
}

/// The bytes of a nested value up to its closing bracket.
fn nested_bytes(text: &str) -> Result<usize, Problem> {
    let mut depth = 0_u32;
    let mut rest = text;
    while let Some(next) = rest.find(['[', ']', '(', ')', '{', '}', '"', '\\']) {
        let sign = rest.as_bytes()[next];
        rest = &rest[next + 1..];
        match sign {
            b'"' => rest = string(rest)?.1,
            // A character, which can be a bracket.
            b'\\' => rest = rest.get(rest.chars().next().map_or(0, char::len_utf8)..).unwrap_or_default(),
            b'[' | b'(' | b'{' => depth += 1,
            _ => depth -= 1,
        }
        if depth == 0 {
            return Ok(text.len() - rest.len());
        }
    }
    Err(Problem::unexpected("a bracket's end", text))
}

pub(super) fn trim(text: &str) -> &str {
    text.trim_start_matches(is_space)
}

/// A comma is a space.
pub(super) fn is_space(character: char) -> bool {
    character.is_whitespace() || character == ','
}

/// A string from behind its first quote, and what comes after it.
fn string(inside: &str) -> Result<(Cow<'_, str>, &str), Problem> {
    let mut content = Cow::Borrowed("");
    let mut rest = inside;
    loop {
        let end = rest.find(['"', '\\']).ok_or_else(|| Problem::unexpected("a string's end", inside))?;
        content += &rest[..end];
        if rest[end..].starts_with('"') {
            return Ok((content, &rest[end + 1..]));
        }
        let character;
        (character, rest) = escape(&rest[end + 1..])?;
        content.to_mut().push(character);
    }
}

/// The character that an escape stands for, from behind its backslash, and what comes after it.
fn escape(text: &str) -> Result<(char, &str), Problem> {
    const EXPECTED: &str = r#"an escape, \ with one of t r n b f " \ u"#;
    let sign = text.chars().next().ok_or_else(|| Problem::unexpected(EXPECTED, text))?;
    let character = match sign {
        't' => '\t',
        'r' => '\r',
        'n' => '\n',
        'b' => '\u{8}',
        'f' => '\u{c}',
        '"' | '\\' => sign,
        'u' => return unicode(&text[1..]),
        _ => return Err(Problem::unexpected(EXPECTED, text)),
    };
    Ok((character, &text[1..]))
}

/// A character by its number, of which the high ones need two units.
fn unicode(text: &str) -> Result<(char, &str), Problem> {
    let unexpected = || Problem::unexpected(r"four hexadecimal digits of a character after \u", text);
    let (first, rest) = unit(text).ok_or_else(unexpected)?;
    let second = rest.strip_prefix("\\u").and_then(unit);
    let mut characters = char::decode_utf16([first].into_iter().chain(second.map(|(unit, _)| unit)));
    let character = characters.next().and_then(Result::ok).ok_or_else(unexpected)?;
    match second {
        Some((_, rest)) if character.len_utf16() == 2 => Ok((character, rest)),
        _ => Ok((character, rest)),
    }
}

fn unit(text: &str) -> Option<(u16, &str)> {
    let (digits, rest) = text.split_at_checked(4)?;
    let is_plain = digits.bytes().all(|digit| digit.is_ascii_hexdigit());
    u16::from_str_radix(digits, 16).ok().filter(|_| is_plain).map(|unit| (unit, rest))
}
