//! Keys: three of `A-Z0-9`.

/// Characters of a key, in the specification's order.
pub const KEY_CHARACTERS: &[u8; 36] = b"ABCDEFGHIJKLMNOPQRSTUVWXYZ0123456789";

/// Whether a text is a key of three to eight characters.
#[must_use]
pub fn is_key(text: &str) -> bool {
    (3..=8).contains(&text.len()) && text.bytes().all(|byte| KEY_CHARACTERS.contains(&byte))
}

/// Whether a text is a valid key: three of `A-Z0-9`.
#[must_use]
pub fn is_session_key(text: &str) -> bool {
    text.len() == 3 && is_key(text)
}

/// The three-character key at a position below 46,656, in the order of the alphabet.
#[must_use]
pub fn key_at(position: usize) -> String {
    [36 * 36, 36, 1].iter().map(|place| char::from(KEY_CHARACTERS[position / place % 36])).collect()
}

/// Number of keys of three characters.
pub const KEYS: usize = 36 * 36 * 36;

/// Index of a key among all keys of three characters; `None` if it is not one of them.
#[must_use]
pub fn place_of_key(key: &str) -> Option<usize> {
    let [first, second, third] = key.as_bytes() else { return None };
    let value = |byte: &u8| match byte {
        b'A'..=b'Z' => Some(usize::from(byte - b'A')),
        b'0'..=b'9' => Some(usize::from(byte - b'0') + 26),
        _ => None,
    };
    Some((value(first)? * KEY_CHARACTERS.len() + value(second)?) * KEY_CHARACTERS.len() + value(third)?)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn keys_are_counted_in_the_order_of_the_alphabet() {
        assert_eq!(
            (key_at(0), key_at(35), key_at(36), key_at(46_655)),
            ("AAA".into(), "AA9".into(), "ABA".into(), "999".into())
        );
    }

    #[test]
    fn every_key_has_a_place_of_its_own() {
        let places: std::collections::BTreeSet<_> =
            (0..KEYS).map(|position| place_of_key(&key_at(position)).expect("a key")).collect();
        assert_eq!((places.len(), places.last()), (KEYS, Some(&(KEYS - 1))));
        assert_eq!(["abc", "A4", "A4K7", "A-K"].map(place_of_key), [None; 4]);
    }
}
