//! Session keys: their alphabet, the space they are drawn from, and the hint of which are free.
//!
//! Everything here is pure: randomness comes in as a function that draws below a bound.

use std::fmt;

/// The characters of a key, in the order of the specification.
pub const ALPHABET: &[u8; 36] = b"ABCDEFGHIJKLMNOPQRSTUVWXYZ0123456789";

/// The shortest key length that a server can be started with.
pub const MIN_KEY_LENGTH: usize = 3;

/// The longest: 36⁸ = 2.8 × 10¹² keys still count in a `u64` with room to spare.
pub const MAX_KEY_LENGTH: usize = 8;

/// Up to this many keys (36⁵ = 60,466,176, a bitmap of 7.6 MB) the hint holds a bit for each key. A larger
/// space cannot be filled by a folder of files to where a hint would save attempts, so there it holds nothing.
const MAX_HINTED_KEYS: u64 = 36_u64.pow(5);

/// Draws from the bitmap before it is searched in order: at half fill one draw in 2⁶⁴ goes on to the search.
const DRAWS_BEFORE_SEARCH: usize = 64;

/// A source of randomness: called with `n`, it answers a uniform number below `n`.
pub type Draw<'a> = dyn FnMut(u64) -> u64 + 'a;

/// A well-formed key of 3 to 8 characters of [`ALPHABET`].
#[derive(Clone, Copy, PartialEq, Eq, Hash, PartialOrd, Ord)]
pub struct Key {
    chars: [u8; MAX_KEY_LENGTH],
    length: usize,
}

impl Key {
    /// The key as text.
    #[must_use]
    pub fn as_str(&self) -> &str {
        std::str::from_utf8(&self.chars[..self.length]).unwrap_or_default()
    }
}

impl fmt::Display for Key {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(self.as_str())
    }
}

impl fmt::Debug for Key {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(self.as_str())
    }
}

/// All keys of one length.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct KeySpace {
    length: usize,
}

impl KeySpace {
    /// The space of keys of `length` characters; `None` outside 3 to 8.
    #[must_use]
    pub fn new(length: usize) -> Option<Self> {
        (MIN_KEY_LENGTH..=MAX_KEY_LENGTH).contains(&length).then_some(Self { length })
    }

    /// Characters in a key.
    #[must_use]
    pub fn length(self) -> usize {
        self.length
    }

    /// How many keys there are: 36 to the power of the length.
    #[must_use]
    pub fn size(self) -> u64 {
        (0..self.length).fold(1, |size, _| size * ALPHABET.len() as u64)
    }

    /// The key that `text` spells, if it is one of this space.
    #[must_use]
    pub fn parse(self, text: &str) -> Option<Key> {
        let bytes = text.as_bytes();
        if bytes.len() != self.length || !bytes.iter().all(|byte| ALPHABET.contains(byte)) {
            return None;
        }
        let mut chars = [0; MAX_KEY_LENGTH];
        chars[..self.length].copy_from_slice(bytes);
        Some(Key { chars, length: self.length })
    }

    /// Draws one key, each character on its own, as the specification's `generateRandomKey` does.
    pub fn pick(self, draw: &mut Draw<'_>) -> Key {
        let mut chars = [0; MAX_KEY_LENGTH];
        for place in &mut chars[..self.length] {
            *place = ALPHABET[below_alphabet(draw(ALPHABET.len() as u64))];
        }
        Key { chars, length: self.length }
    }

    /// The position of a key of this space, below [`KeySpace::size`].
    #[must_use]
    pub fn index(self, key: Key) -> u64 {
        key.as_str().bytes().fold(0, |index, byte| {
            let digit = ALPHABET.iter().position(|&c| c == byte).unwrap_or_default();
            index * ALPHABET.len() as u64 + digit as u64
        })
    }

    /// The key at a position; the inverse of [`KeySpace::index`]. Positions wrap at the size of the space.
    #[must_use]
    pub fn at(self, index: u64) -> Key {
        let mut rest = index;
        let mut chars = [0; MAX_KEY_LENGTH];
        for place in chars[..self.length].iter_mut().rev() {
            *place = ALPHABET[below_alphabet(rest)];
            rest /= ALPHABET.len() as u64;
        }
        Key { chars, length: self.length }
    }
}

/// A number brought below 36, to index the alphabet.
fn below_alphabet(number: u64) -> usize {
    usize::try_from(number % ALPHABET.len() as u64).unwrap_or_default()
}

/// Which word of the bitmap holds the bit at `index`.
fn word_of(index: u64) -> usize {
    usize::try_from(index / 64).unwrap_or(usize::MAX)
}

/// The keys believed free. A hint only: the file system decides, and each answer of it is told to the hint.
#[derive(Debug)]
pub struct FreeKeys {
    space: KeySpace,
    /// One bit a key, set while it is believed free; empty where the space is too large to hold.
    bits: Vec<u64>,
    free: u64,
}

impl FreeKeys {
    /// A hint in which every key is believed free.
    #[must_use]
    pub fn all(space: KeySpace) -> Self {
        Self::without(space, std::iter::empty())
    }

    /// A hint in which all but the `used` keys are believed free.
    #[must_use]
    pub fn without(space: KeySpace, used: impl Iterator<Item = Key>) -> Self {
        let size = space.size();
        let words = if size <= MAX_HINTED_KEYS { word_of(size.div_ceil(64) * 64) } else { 0 };
        let mut hint = Self { space, bits: vec![u64::MAX; words], free: size };
        let past_the_end = size % 64;
        if let Some(last) = hint.bits.last_mut().filter(|_| past_the_end > 0) {
            *last = (1 << past_the_end) - 1;
        }
        used.for_each(|key| hint.taken(key));
        hint
    }

    /// How many keys are believed free.
    #[must_use]
    pub fn free(&self) -> u64 {
        self.free
    }

    /// Notes that a key is in use.
    pub fn taken(&mut self, key: Key) {
        self.set(key, false);
    }

    /// Notes that a key is free again.
    pub fn freed(&mut self, key: Key) {
        self.set(key, true);
    }

    /// Draws a key uniformly from those believed free; `None` where there is none.
    pub fn pick(&self, draw: &mut Draw<'_>) -> Option<Key> {
        if self.bits.is_empty() {
            return Some(self.space.pick(draw));
        }
        if self.free == 0 {
            return None;
        }
        for _ in 0..DRAWS_BEFORE_SEARCH {
            let index = draw(self.space.size());
            if self.bits[word_of(index)] >> (index % 64) & 1 == 1 {
                return Some(self.space.at(index));
            }
        }
        self.nth_free(draw(self.free))
    }

    fn nth_free(&self, n: u64) -> Option<Key> {
        let mut left = n;
        for (place, &word) in self.bits.iter().enumerate() {
            let here = u64::from(word.count_ones());
            if left >= here {
                left -= here;
                continue;
            }
            let without_lower_ones = (0..left).fold(word, |word, _| word & (word - 1));
            return Some(self.space.at(place as u64 * 64 + u64::from(without_lower_ones.trailing_zeros())));
        }
        None
    }

    /// Whether the space is too large to store: every key is then believed free, whatever is reported.
    #[must_use]
    pub fn is_without_memory(&self) -> bool {
        self.bits.is_empty()
    }

    /// Notes whether a key is free.
    pub fn set(&mut self, key: Key, free: bool) {
        let index = self.space.index(key);
        let Some(word) = self.bits.get_mut(word_of(index)) else { return };
        let bit = 1 << (index % 64);
        match (*word & bit != 0, free) {
            (true, false) => (*word, self.free) = (*word & !bit, self.free - 1),
            (false, true) => (*word, self.free) = (*word | bit, self.free + 1),
            _ => {}
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::*;
    use std::collections::HashSet;

    fn three() -> KeySpace {
        KeySpace::new(3).expect("three is in range")
    }

    /// A deterministic stand-in for randomness (a 64-bit linear congruence, its high bits).
    fn numbers(seed: u64) -> impl FnMut(u64) -> u64 {
        let mut state = seed;
        move |below| {
            state = state.wrapping_mul(6_364_136_223_846_793_005).wrapping_add(1_442_695_040_888_963_407);
            (state >> 33) % below
        }
    }

    #[test]
    fn key_lengths_outside_three_to_eight_are_refused() {
        assert!((3..=8).all(|length| KeySpace::new(length).is_some()));
        assert!([0, 2, 9].iter().all(|&length| KeySpace::new(length).is_none()));
    }

    #[test]
    fn three_characters_make_46_656_keys() {
        assert_eq!(three().size(), 46_656);
        assert_eq!(KeySpace::new(8).map(KeySpace::size), Some(2_821_109_907_456));
    }

    #[test]
    fn only_keys_of_the_length_and_alphabet_parse() {
        assert_eq!(three().parse("A4K").map(|key| key.to_string()), Some("A4K".to_owned()));
        for text in ["", "A4", "A4KX", "a4k", "A4\n", "A4K\n", "Ä4", "../", "A K"] {
            assert_eq!(three().parse(text), None, "{text:?}");
        }
    }

    #[test]
    fn a_pick_takes_each_character_from_its_own_draw() {
        let mut draws = [0, 30, 35].into_iter();
        let key = three().pick(&mut |_| draws.next().unwrap_or_default());
        assert_eq!(key.as_str(), "A49");
    }

    #[test]
    fn a_full_hint_picks_nothing_and_an_almost_full_one_the_last_key() {
        let last = three().at(12_345);
        let mut hint = FreeKeys::without(three(), (0..46_656).map(|i| three().at(i)).filter(|&k| k != last));
        assert_eq!((hint.free(), hint.pick(&mut numbers(1))), (1, Some(last)));
        hint.taken(last);
        assert_eq!(hint.pick(&mut numbers(1)), None);
        hint.freed(last);
        assert_eq!(hint.pick(&mut numbers(1)), Some(last));
    }

    #[test]
    fn the_search_reaches_every_free_key_once() {
        let free: Vec<Key> = (0..46_656).step_by(63).map(|i| three().at(i)).collect();
        let used: HashSet<Key> = (0..46_656).map(|i| three().at(i)).filter(|k| !free.contains(k)).collect();
        let hint = FreeKeys::without(three(), used.into_iter());
        let found: Vec<Key> = (0..hint.free()).filter_map(|n| hint.nth_free(n)).collect();
        assert_eq!(found, free);
    }

    #[test]
    fn a_space_too_large_for_a_hint_is_drawn_from_as_a_whole() {
        let space = KeySpace::new(8).expect("eight is in range");
        let mut hint = FreeKeys::all(space);
        let key = hint.pick(&mut numbers(7)).expect("a key");
        hint.taken(key);
        assert_eq!(hint.pick(&mut numbers(7)), Some(key));
    }

    proptest! {
        #[test]
        fn index_and_at_are_inverse(length in 3_usize..=8, seed in any::<u64>()) {
            let space = KeySpace::new(length).expect("in range");
            let index = seed % space.size();
            prop_assert_eq!(space.index(space.at(index)), index);
            prop_assert_eq!(space.parse(space.at(index).as_str()), Some(space.at(index)));
        }

        #[test]
        fn the_hint_never_picks_what_it_was_told_is_taken(
            taken in proptest::collection::hash_set(0_u64..46_656, 0..300), seed in any::<u64>(),
        ) {
            let hint = FreeKeys::without(three(), taken.iter().map(|&i| three().at(i)));
            prop_assert_eq!(hint.free(), 46_656 - taken.len() as u64);
            let mut draw = numbers(seed);
            for _ in 0..50 {
                let key = hint.pick(&mut draw).expect("most keys are free");
                prop_assert!(!taken.contains(&three().index(key)));
            }
        }
    }
}
