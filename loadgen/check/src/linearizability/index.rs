//! A hash index: finds numbers of things that are kept elsewhere, by the things' hashes.

use std::hash::Hasher;

/// Open addressing with linear probing. A cell is 0 where it is free; otherwise half of a hash, by which it is placed
/// and compared first, and a number plus 1. Whether the thing is the one that is sought is for the caller to say.
#[derive(Default)]
pub(super) struct Index {
    cells: Vec<u64>,
    used: usize,
}

impl Index {
    const SMALLEST: usize = 64;

    /// The number that was inserted under this hash and is the one.
    pub(super) fn find(&self, hash: u64, mut is_the_one: impl FnMut(u32) -> bool) -> Option<u32> {
        let mask = self.cells.len().checked_sub(1)?;
        let tag = hash >> 32;
        let mut at = Self::place(tag, mask);
        while self.cells[at] != 0 {
            if self.cells[at] >> 32 == tag {
                let number = Self::number(self.cells[at]);
                if is_the_one(number) {
                    return Some(number);
                }
            }
            at = (at + 1) & mask;
        }
        None
    }

    /// Inserts a number, less than `u32::MAX`, that is not there yet.
    pub(super) fn insert(&mut self, hash: u64, number: u32) {
        if self.used >= self.cells.len() / 2 {
            self.grow();
        }
        self.used += 1;
        self.put((hash >> 32) << 32 | (u64::from(number) + 1));
    }

    /// Bytes held; while it grows, it holds what it had as well.
    pub(super) fn held_bytes(&self) -> usize {
        self.cells.len() * size_of::<u64>()
    }

    fn grow(&mut self) {
        let length = (self.cells.len() * 2).max(Self::SMALLEST);
        let old = std::mem::replace(&mut self.cells, vec![0; length]);
        for cell in old.into_iter().filter(|&cell| cell != 0) {
            self.put(cell);
        }
    }

    fn put(&mut self, cell: u64) {
        let mask = self.cells.len() - 1;
        let mut at = Self::place(cell >> 32, mask);
        while self.cells[at] != 0 {
            at = (at + 1) & mask;
        }
        self.cells[at] = cell;
    }

    fn place(tag: u64, mask: usize) -> usize {
        low(tag) as usize & mask
    }

    fn number(cell: u64) -> u32 {
        low(cell).wrapping_sub(1)
    }
}

/// The low half.
#[expect(clippy::cast_possible_truncation, reason = "the low half is what is asked for")]
fn low(word: u64) -> u32 {
    word as u32
}

/// A fast hasher for what is looked up often. Equality decides, so a collision costs time alone.
#[derive(Default)]
pub(super) struct FastHasher(u64);

impl Hasher for FastHasher {
    fn finish(&self) -> u64 {
        self.0
    }

    fn write(&mut self, bytes: &[u8]) {
        let (words, rest) = bytes.as_chunks::<8>();
        for word in words {
            self.write_u64(u64::from_le_bytes(*word));
        }
        let mut last = [0; 8];
        last[..rest.len()].copy_from_slice(rest);
        self.write_u64(u64::from_le_bytes(last) ^ (bytes.len() as u64).rotate_left(56));
    }

    fn write_u64(&mut self, word: u64) {
        self.0 = mix(self.0 ^ word);
    }

    fn write_u8(&mut self, number: u8) {
        self.write_u64(number.into());
    }

    fn write_u32(&mut self, number: u32) {
        self.write_u64(number.into());
    }

    fn write_usize(&mut self, number: usize) {
        self.write_u64(number as u64);
    }
}

/// Spreads every bit over the word: a product with an odd number, its halves folded onto each other.
pub(super) fn mix(word: u64) -> u64 {
    const SPREAD: u128 = 0x9e37_79b9_7f4a_7c15;
    const NOT_ZERO: u64 = 0x243f_6a88_85a3_08d3;
    let product = u128::from(word ^ NOT_ZERO) * SPREAD;
    fold(product)
}

/// Both halves, one onto the other.
#[expect(clippy::cast_possible_truncation, reason = "the halves are what is asked for")]
fn fold(product: u128) -> u64 {
    product as u64 ^ (product >> 64) as u64
}
