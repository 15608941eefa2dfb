//! Text from outside: made visible, and shortened. It may hold anything.

use contract::visible_character;
use std::fmt::Write as _;

/// What stands for the rest of a text.
const REST: char = '…';

/// The beginning of a text, made visible; no wider than `limit` columns, with an ellipsis in place of the rest.
#[must_use]
pub fn short(text: &str, limit: usize) -> String {
    shortened(text, limit).0
}

/// As [`short`], and says how long the text is where it was cut.
#[must_use]
pub fn short_with_note(text: &str, limit: usize) -> String {
    let (mut out, is_cut) = shortened(text, limit);
    if is_cut {
        let _ = write!(out, " (shortened: {} characters in all)", grouped(text.chars().count()));
    }
    out
}

/// The text, and whether it was cut. Reads no more of it than it keeps.
fn shortened(text: &str, limit: usize) -> (String, bool) {
    let mut out = String::new();
    let mut width = 0;
    // Where it is cut if what follows turns out not to fit: one column is left for the ellipsis there.
    let mut cut = 0;
    for letter in text.chars() {
        let of_letter: usize = visible_character(letter).map(columns_of).sum();
        if width + of_letter > limit {
            out.truncate(cut);
            out.push(REST);
            return (out, true);
        }
        out.extend(visible_character(letter));
        width += of_letter;
        if width < limit {
            cut = out.len();
        }
    }
    (out, false)
}

/// How many columns of a terminal a text takes, given that [`visible_character`] was applied to it.
pub(super) fn columns(text: &str) -> usize {
    text.chars().map(columns_of).sum()
}

/// Letters of East Asian scripts and pictures take two columns. These blocks are wide as a whole, or nearly.
fn columns_of(letter: char) -> usize {
    let is_wide = matches!(letter,
        '\u{1100}'..='\u{115f}' | '\u{2e80}'..='\u{a4cf}' | '\u{ac00}'..='\u{d7a3}' | '\u{f900}'..='\u{faff}'
        | '\u{fe30}'..='\u{fe6f}' | '\u{ff00}'..='\u{ff60}' | '\u{ffe0}'..='\u{ffe6}' | '\u{1f300}'..='\u{1faff}'
        | '\u{20000}'..='\u{3fffd}');
    1 + usize::from(is_wide)
}

/// Fills a text up with spaces.
pub(super) fn padded(text: &str, width: usize) -> String {
    format!("{text}{}", " ".repeat(width.saturating_sub(columns(text))))
}

/// As [`padded`], with the spaces in front.
pub(super) fn right_aligned(text: &str, width: usize) -> String {
    format!("{}{text}", " ".repeat(width.saturating_sub(columns(text))))
}

/// A number with its thousands set apart.
#[must_use]
pub fn grouped(number: impl std::fmt::Display) -> String {
    let digits = number.to_string();
    let mut out = String::new();
    for (place, digit) in digits.chars().enumerate() {
        if place > 0 && (digits.len() - place).is_multiple_of(3) {
            out.push(',');
        }
        out.push(digit);
    }
    out
}

/// "1 operation", "3 operations".
pub(super) fn operations(count: usize) -> String {
    format!("{} operation{}", grouped(count), if count == 1 { "" } else { "s" })
}

/// Breaks a text between words, or within one that is longer than a line. It must be visible already.
pub(super) fn wrapped(text: &str, width: usize) -> Vec<String> {
    let mut lines = Vec::new();
    let mut line = String::new();
    let mut used = 0;
    for word in text.split(' ') {
        if used > 0 && used + 1 + columns(word) > width {
            lines.push(std::mem::take(&mut line));
            used = 0;
        } else if used > 0 {
            line.push(' ');
            used += 1;
        }
        for letter in word.chars() {
            if used + columns_of(letter) > width {
                lines.push(std::mem::take(&mut line));
                used = 0;
            }
            line.push(letter);
            used += columns_of(letter);
        }
    }
    lines.push(line);
    lines
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_text_is_cut_to_the_columns_that_there_are() {
        assert_eq!(short("abcdef", 6), "abcdef");
        assert_eq!(short("abcdefg", 6), "abcde…");
        assert_eq!(short("文文文", 6), "文文文");
        assert_eq!(short("文文文文", 6), "文文…", "a wide letter is not cut in two");
        assert_eq!(short("abc\n", 4), "abc…", "nor is an escape");
        for limit in 1..9 {
            assert!(columns(&short("文a\u{202e}bcdefghij", limit)) <= limit);
        }
    }

    #[test]
    fn a_text_that_was_cut_says_how_long_it_is() {
        assert_eq!(short_with_note(&"x".repeat(100_000), 5), "xxxx… (shortened: 100,000 characters in all)");
        assert_eq!(short_with_note("xxxx…", 5), "xxxx…", "an ellipsis that was there before is none of ours");
        assert_eq!(short_with_note("\n…", 5), "\\n…", "nor where something else became longer");
        assert_eq!(short_with_note("xxxx…yyyy", 5), "xxxx… (shortened: 9 characters in all)");
    }

    #[test]
    fn lines_break_between_words_and_within_long_ones() {
        assert_eq!(wrapped("a bc def", 4), ["a bc", "def"]);
        assert_eq!(wrapped("a bcdefghij k", 4), ["a", "bcde", "fghi", "j k"]);
        assert_eq!(wrapped("", 4), [""]);
        assert_eq!(wrapped("文文文", 4), ["文文", "文"]);
    }

    #[test]
    fn thousands_are_set_apart() {
        assert_eq!([0, 999, 1000, 1_234_567].map(grouped), ["0", "999", "1,000", "1,234,567"]);
    }
}
