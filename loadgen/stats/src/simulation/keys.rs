//! Which keys are in the folder.

use super::random::Draws;

/// A word of the bitmap.
const WORD: usize = u64::BITS as usize;

/// Keys of a block: 64 words, 512 bytes, which a search reads at once.
const BLOCK: usize = 64 * WORD;

/// Keys of a district: 512 blocks. 2³² keys would have 2,048 of them.
const DISTRICT: usize = 512 * BLOCK;

/// After so many draws that met keys in use, a free one is looked up instead: at a fill below 75 % that comes about once
/// in a hundred times, and at any fill the look-up costs no more than some 16 draws do.
const DRAWS_BEFORE_LOOKUP: u32 = 16;

/// The keys of a folder: a bit each, set while the key is in the folder.
///
/// A bitmap, because an attempt is a look at a key drawn from all of them, and that costs the same at any fill: one read
/// of memory. 10⁹ keys take 125 MB and 36⁶ take 272 MB; a hash set takes less where few are used, and thirty times more
/// where all are. Two levels of counts above the bits make it possible to find a free key, drawn uniformly, in a folder
/// that is almost full.
pub(super) struct Keys {
    words: Vec<u64>,
    free_in_block: Vec<u16>,
    free_in_district: Vec<u32>,
    size: u64,
    free: u64,
}

impl Keys {
    /// Keys 0 to `used` in the folder, the others free.
    ///
    /// Which ones are in use does not matter: keys are drawn uniformly, so that all sets of one size are alike.
    #[expect(clippy::cast_possible_truncation, reason = "there are fewer than 2³² keys")]
    pub(super) fn new(size: u64, used: u64) -> Self {
        let (keys, used) = (size as usize, used.min(size) as usize);
        let mut words = vec![0; keys.div_ceil(WORD)];
        words[..used / WORD].fill(u64::MAX);
        if used % WORD > 0 {
            words[used / WORD] = (1 << (used % WORD)) - 1;
        }
        let free_from = |start: usize, length: usize| (start + length).min(keys).saturating_sub(start.max(used));
        Self {
            words,
            free_in_block: (0..keys).step_by(BLOCK).map(|start| free_from(start, BLOCK) as u16).collect(),
            free_in_district: (0..keys).step_by(DISTRICT).map(|start| free_from(start, DISTRICT) as u32).collect(),
            size,
            free: size - used as u64,
        }
    }

    /// How many are in the folder.
    pub(super) fn used(&self) -> u64 {
        self.size - self.free
    }

    /// How many are not.
    pub(super) fn free(&self) -> u64 {
        self.free
    }

    /// A key drawn from all of them.
    #[expect(clippy::cast_possible_truncation, reason = "there are fewer than 2³² keys")]
    pub(super) fn draw(&self, draws: &mut Draws) -> u32 {
        draws.below(self.size) as u32
    }

    /// A key drawn from the free ones, if there is one.
    pub(super) fn draw_free(&self, draws: &mut Draws) -> Option<u32> {
        if self.free == 0 {
            return None;
        }
        for _ in 0..DRAWS_BEFORE_LOOKUP {
            let key = self.draw(draws);
            if !self.contains(key) {
                return Some(key);
            }
        }
        self.nth_free(draws.below(self.free))
    }

    pub(super) fn contains(&self, key: u32) -> bool {
        let key = key as usize;
        self.words[key / WORD] >> (key % WORD) & 1 == 1
    }

    /// Puts a key into the folder, if it is not there.
    pub(super) fn insert(&mut self, key: u32) {
        if !self.contains(key) {
            let key = key as usize;
            self.words[key / WORD] |= 1 << (key % WORD);
            self.free_in_block[key / BLOCK] -= 1;
            self.free_in_district[key / DISTRICT] -= 1;
            self.free -= 1;
        }
    }

    /// Takes a key out of the folder, if it is there.
    pub(super) fn remove(&mut self, key: u32) {
        if self.contains(key) {
            let key = key as usize;
            self.words[key / WORD] &= !(1 << (key % WORD));
            self.free_in_block[key / BLOCK] += 1;
            self.free_in_district[key / DISTRICT] += 1;
            self.free += 1;
        }
    }

    /// The free key before which there are `rank` others.
    fn nth_free(&self, rank: u64) -> Option<u32> {
        let (district, rank) = descend(&self.free_in_district, 0, rank)?;
        let (block, rank) = descend(&self.free_in_block, district * (DISTRICT / BLOCK), rank)?;
        let mut rank = rank;
        for (index, &word) in self.words.iter().enumerate().skip(block * (BLOCK / WORD)) {
            // In the last word, what is beyond the last key counts as free, but is never come to.
            let free = u64::from(word.count_zeros());
            if rank < free {
                let nth = (0..u64::BITS).filter(|bit| word >> bit & 1 == 0).nth(usize::try_from(rank).ok()?)?;
                return u32::try_from(index * WORD).ok().map(|first| first + nth);
            }
            rank -= free;
        }
        None
    }
}

/// Which count, from index `start` on, holds the free key of that rank, and which rank it has there.
fn descend<C: Copy + Into<u64>>(counts: &[C], start: usize, rank: u64) -> Option<(usize, u64)> {
    let mut rank = rank;
    for (index, &count) in counts.iter().enumerate().skip(start) {
        let free = count.into();
        if rank < free {
            return Some((index, rank));
        }
        rank -= free;
    }
    None
}

#[cfg(test)]
mod tests {
    use super::*;
    use std::collections::BTreeSet;

    fn free_keys(keys: &Keys) -> Vec<u32> {
        (0..u32::try_from(keys.size).unwrap()).filter(|&key| !keys.contains(key)).collect()
    }

    #[test]
    fn keys_come_and_go_like_those_of_a_set() {
        let mut keys = Keys::new(5_000, 700);
        let mut set: BTreeSet<u32> = (0..700).collect();
        let mut draws = Draws::of(1);
        for _ in 0..20_000 {
            let key = keys.draw(&mut draws);
            if draws.unit() < 0.5 {
                keys.insert(key);
                set.insert(key);
            } else {
                keys.remove(key);
                set.remove(&key);
            }
            assert_eq!(keys.used(), set.len() as u64);
        }
        assert_eq!(free_keys(&keys), (0..5_000).filter(|key| !set.contains(key)).collect::<Vec<_>>());
    }

    #[test]
    fn every_free_key_is_found_by_its_rank_across_blocks_and_districts() {
        let size = DISTRICT as u64 + 3 * BLOCK as u64 + 77;
        let mut keys = Keys::new(size, size);
        let wanted: Vec<u32> = [0, 63, 64, 4_095, 4_096, 2_097_151, 2_097_152, 2_101_248, 2_109_516].to_vec();
        wanted.iter().for_each(|&key| keys.remove(key));
        let found: Vec<u32> = (0..wanted.len() as u64).filter_map(|rank| keys.nth_free(rank)).collect();
        assert_eq!(found, wanted);
        assert_eq!(keys.nth_free(wanted.len() as u64), None);
    }

    #[test]
    fn a_free_key_is_drawn_uniformly_from_a_folder_that_is_almost_full() {
        let mut keys = Keys::new(46_656, 46_656);
        let free: [u32; 5] = [3, 70, 5_000, 30_000, 46_655];
        free.iter().for_each(|&key| keys.remove(key));
        let mut draws = Draws::of(2);
        let mut counts = [0_i32; 5];
        for _ in 0..10_000 {
            let key = keys.draw_free(&mut draws).unwrap();
            counts[free.iter().position(|&free| free == key).unwrap()] += 1;
        }
        assert!(counts.iter().all(|count| (count - 2_000).abs() < 160), "{counts:?}");
        free.iter().for_each(|&key| keys.insert(key));
        assert_eq!(keys.draw_free(&mut draws), None);
    }
}
