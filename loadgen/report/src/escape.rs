//! Text from outside, made safe for where it is shown. A server chooses its messages, keys and documents, and a file of
//! a run may come from anybody: none of that may steer a terminal, or become markup.
//!
//! There is one function per format: [`visible`] for terminals and `JUnit` XML, [`markdown`], [`markdown_code`], [`html`].

use contract::{visible, visible_character};

/// One line of Markdown that is read as plain text: no heading, list, table cell, link, image, HTML or mathematics.
pub(crate) fn markdown(text: &str) -> String {
    let text = visible(text);
    let mut out = String::with_capacity(text.len());
    for (at, character) in text.char_indices() {
        let (before, rest) = text.split_at(at);
        // Within a word it is no emphasis.
        let is_within_word = || {
            let is_letter = |next: Option<char>| next.is_some_and(|next| next.is_ascii_alphanumeric());
            is_letter(before.chars().next_back()) && is_letter(rest.chars().nth(1))
        };
        match character {
            '&' => out.push_str("&amp;"),
            '<' => out.push_str("&lt;"),
            '>' => out.push_str("&gt;"),
            // An escape does not keep these from becoming an address, a mention, an issue or a formula; code does.
            '@' | '#' | '$' => out.extend(['`', character, '`']),
            '_' if is_within_word() => out.push('_'),
            '|' | '*' | '_' | '`' | '[' | ']' | '\\' | '~' => out.extend(['\\', character]),
            '-' | '+' | '=' if before.is_empty() => out.extend(['\\', character]),
            // Addresses become links without any brackets.
            ':' if rest.starts_with("://") => out.push_str("\\:"),
            '.' if before.as_bytes().last_chunk::<3>().is_some_and(|last| last.eq_ignore_ascii_case(b"www")) => {
                out.push_str("\\.");
            }
            _ => out.push(character),
        }
    }
    out
}

/// The content of a code span, or a line of a code block, in Markdown. Backticks become apostrophes, so that it ends
/// where it should.
pub(crate) fn markdown_code(text: &str) -> String {
    visible(text).replace('`', "'")
}

/// Text of HTML, between tags and in attributes alike.
pub(crate) fn html(text: &str) -> String {
    let mut out = String::with_capacity(text.len());
    for character in text.chars().flat_map(visible_character) {
        match character {
            '&' => out.push_str("&amp;"),
            '<' => out.push_str("&lt;"),
            '>' => out.push_str("&gt;"),
            '"' => out.push_str("&quot;"),
            '\'' => out.push_str("&#39;"),
            _ => out.push(character),
        }
    }
    out
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn nothing_is_read_as_markdown() {
        for (text, escaped) in [
            ("a|b\n<b>*x*`_~", "a\\|b\\\\n&lt;b&gt;\\*x\\*\\`\\_\\~"),
            ("![x](http://evil.example/x.png)", "!\\[x\\](http\\://evil.example/x.png)"),
            ("see HTTPS://evil.example or WWW.evil.example", "see HTTPS\\://evil.example or WWW\\.evil.example"),
            ("a@evil.example, @team, #1, $x$", "a`@`evil.example, `@`team, `#`1, `$`x`$`"),
            ("# heading", "`#` heading"),
            ("- item", "\\- item"),
            ("===", "\\==="),
            ("&lt;b&gt;", "&amp;lt;b&amp;gt;"),
            ("\u{202e}\u{1b}]8;;x", "\\\\u{202e}\\\\u{1b}\\]8;;x"),
            ("éwww.文://", "éwww\\.文\\://"),
            ("12:30, a - b, mean_ms, _a_", "12:30, a - b, mean_ms, \\_a\\_"),
        ] {
            assert_eq!(markdown(text), escaped);
        }
    }

    #[test]
    fn code_ends_where_it_should() {
        assert_eq!(markdown_code("```\n# x \u{202e}`"), "'''\\n# x \\u{202e}'");
    }

    #[test]
    fn all_that_html_reads_is_escaped() {
        assert_eq!(html("<a b=\"c\" d='e'>&amp;\u{202e}"), "&lt;a b=&quot;c&quot; d=&#39;e&#39;&gt;&amp;amp;\\u{202e}");
    }
}
