//! Text from outside, made safe to print.

/// Makes a character visible that does not show as itself: control characters, those that reverse the direction of
/// text, those without a width, and marks that are put on top of the character before.
pub fn visible_character(character: char) -> impl Iterator<Item = char> {
    let plain = matches!(character, '"' | '\'' | '\\').then_some(character);
    // Letters and symbols by their category, but blank: fillers of Hangul, and Braille without dots.
    let is_blank = matches!(character, '\u{115f}' | '\u{1160}' | '\u{2800}' | '\u{3164}' | '\u{ffa0}');
    let blank = is_blank.then(|| character.escape_unicode());
    let other = (plain.is_none() && !is_blank).then(|| character.escape_debug());
    plain.into_iter().chain(blank.into_iter().flatten()).chain(other.into_iter().flatten())
}

/// One line in which every character is visible: `\u{202e}`, `\n`. Of text that is visible already, nothing changes.
pub fn visible(text: &str) -> String {
    text.chars().flat_map(visible_character).collect()
}

/// As [`visible`], but line ends stay: for text whose lines are our own.
pub fn visible_lines(text: &str) -> String {
    text.split('\n').map(visible).collect::<Vec<_>>().join("\n")
}

/// How many characters of an untrusted text are shown.
const EXCERPT_CHARS: usize = 60;

/// The beginning of an untrusted text, on one line.
#[must_use]
pub fn excerpt(bytes: &[u8]) -> String {
    // A character has at most four bytes.
    let text = String::from_utf8_lossy(&bytes[..bytes.len().min((EXCERPT_CHARS + 1) * 4)]);
    let mut excerpt: String = text.chars().take(EXCERPT_CHARS).flat_map(visible_character).collect();
    if text.chars().nth(EXCERPT_CHARS).is_some() {
        excerpt.push('…');
    }
    excerpt
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_does_not_show_as_itself_is_made_visible() {
        let hidden =
            "a\u{202e}b\r\n\t\u{1b}[31m\u{200b}\u{301}\0\u{9b}\u{2066}\u{feff}\u{ad}\u{a0}\u{e0041}\u{3164}\u{2028}";
        let shown = "a\\u{202e}b\\r\\n\\t\\u{1b}[31m\\u{200b}\\u{301}\\0\\u{9b}\\u{2066}\\u{feff}\\u{ad}\\u{a0}\\u{e0041}\
                     \\u{3164}\\u{2028}";
        assert_eq!(visible(hidden), shown);
        assert_eq!(visible(shown), shown, "once is enough");
        assert_eq!(visible("it's \"so\" \\ é – 文"), "it's \"so\" \\ é – 文", "all else stays");
        assert_eq!(visible_lines("a\n\u{7}\n"), "a\n\\u{7}\n");
    }
}
