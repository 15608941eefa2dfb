//! Reads lists and document frames in the exact form that the contract's servers write, in a fraction of the time that
//! a general parser takes. Anything else is left to the parser, so spelling never affects a verdict.

use std::str::from_utf8;

/// Most digits of a number that is read here: with these, an `f64` is exact.
const MOST_DIGITS: usize = 15;

/// The input that is still to be read.
#[derive(Clone, Copy, Debug)]
pub(super) struct Scan<'a>(pub(super) &'a [u8]);

impl<'a> Scan<'a> {
    /// Consumes this exact literal.
    pub(super) fn pass(&mut self, literal: &[u8]) -> Option<()> {
        self.0 = self.0.strip_prefix(literal)?;
        Some(())
    }

    /// Reads a whole number.
    #[allow(clippy::cast_precision_loss, reason = "of that many digits it is exact")]
    pub(super) fn number(&mut self) -> Option<f64> {
        let digits = self.0.iter().take(MOST_DIGITS + 1).take_while(|byte| byte.is_ascii_digit()).count();
        let (number, rest) = self.0.split_at(digits);
        if digits == 0 || digits > MOST_DIGITS || (number[0] == b'0' && digits > 1) {
            return None;
        }
        self.0 = rest;
        Some(number.iter().fold(0_u64, |value, digit| value * 10 + u64::from(digit - b'0')) as f64)
    }

    /// Reads a string of plain ASCII without escapes.
    pub(super) fn text(&mut self) -> Option<&'a str> {
        let inner = self.0.strip_prefix(b"\"")?;
        let is_plain = |byte: &u8| matches!(byte, b' '..=b'~') && !matches!(byte, b'"' | b'\\');
        let length = inner.iter().take_while(|byte| is_plain(byte)).count();
        let (text, rest) = inner.split_at(length);
        self.0 = rest.strip_prefix(b"\"")?;
        from_utf8(text).ok()
    }

    /// Reads a success's envelope up to its data; returns its timestamp.
    pub(super) fn envelope(&mut self) -> Option<f64> {
        self.pass(br#"{"success":true,"timestamp":"#)?;
        let timestamp = self.number()?;
        self.pass(br#","data":"#)?;
        Some(timestamp)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn numbers_and_texts_of_the_plain_form_are_read_and_no_others() {
        for (json, number) in [("7,", Some(7.0)), ("0}", Some(0.0)), ("1795494589123}", Some(1_795_494_589_123.0))] {
            assert_eq!(Scan(json.as_bytes()).number(), number, "{json}");
        }
        for json in ["", "-1", "07", "1234567890123456", "\"7\"", "null"] {
            assert_eq!(Scan(json.as_bytes()).number(), None, "{json}");
        }
        assert_eq!(Scan(b"\"A4K\",").text(), Some("A4K"));
        for json in ["", "\"A4K", "\"A\\u0034K\"", "\"\u{e4}\"", "\"A\n\"", "A4K"] {
            assert_eq!(Scan(json.as_bytes()).text(), None, "{json}");
        }
    }
}
