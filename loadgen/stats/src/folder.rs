//! Disk space of a saves folder by its documents, on a file system of the ext4 kind: whole blocks a file, an inode
//! each, and a directory whose leaves are split in half when they are full.

/// Block, in bytes, of ext4, xfs and btrfs as they are made by default.
pub const BLOCK_BYTES: u64 = 4_096;

/// Inode, in bytes, of ext4 as it is made by default. Inodes are set aside when the file system is made: they run out
/// by number.
pub const INODE_BYTES: u64 = 256;

/// Characters of a document's name after its key: `.json`.
const SUFFIX_BYTES: u64 = 5;

/// Share of a directory's leaves that is in use, on average: ln 2, as of all trees whose leaves are split in half.
const LEAF_FILL: f64 = std::f64::consts::LN_2;

/// What documents take.
#[derive(Clone, Copy, Debug, PartialEq)]
pub struct DiskSpace {
    /// Files, and so inodes.
    pub inodes: u64,
    /// Blocks of the documents, in bytes.
    pub document_bytes: u64,
    /// The directory itself, in bytes: an average over numbers of documents. At one number, leaves that were all split
    /// at about the same time are half full or full, 0.7 to 1.4 times this.
    pub directory_bytes: f64,
}

impl DiskSpace {
    /// Of so many documents of a size in bytes, each with a key of so many characters.
    #[must_use]
    pub fn of(documents: u64, bytes_each: u64, key_length: u32) -> Self {
        Self {
            inodes: documents,
            document_bytes: documents * allocated_bytes(bytes_each),
            directory_bytes: directory_bytes(documents, entry_bytes(key_length)),
        }
    }

    /// Documents, directory and inodes, in bytes.
    #[must_use]
    pub fn total_bytes(&self) -> f64 {
        (self.document_bytes + self.inodes * INODE_BYTES) as f64 + self.directory_bytes
    }
}

/// What a file of a size takes, in bytes: whole blocks, none if it is empty (as a reservation is).
#[must_use]
pub fn allocated_bytes(bytes: u64) -> u64 {
    bytes.div_ceil(BLOCK_BYTES) * BLOCK_BYTES
}

/// What files of many sizes take each, in bytes, on average: half a block more than they hold, as their ends fall
/// anywhere in a block. An approximation: for sizes that spread over several blocks.
#[must_use]
pub fn mean_allocated_bytes(mean_bytes: f64) -> f64 {
    mean_bytes + BLOCK_BYTES as f64 / 2.0
}

/// A document's entry in the directory, in bytes: eight and its name, up to the next multiple of four.
#[must_use]
pub fn entry_bytes(key_length: u32) -> u64 {
    (8 + u64::from(key_length) + SUFFIX_BYTES).next_multiple_of(4)
}

/// A directory of so many entries, in bytes, on average: at least a block.
fn directory_bytes(documents: u64, entry_bytes: u64) -> f64 {
    (documents as f64 * entry_bytes as f64 / LEAF_FILL).max(BLOCK_BYTES as f64)
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::simulated::{assert_mean, random};
    use rand::{RngExt, rngs::StdRng};
    use std::collections::BTreeMap;

    #[test]
    fn files_take_whole_blocks() {
        assert_eq!([0, 1, 4_096, 4_097].map(allocated_bytes), [0, 4_096, 4_096, 8_192]);
        // Written block by block.
        let mut random = random(27);
        for _ in 0..1_000 {
            let bytes: u64 = random.random_range(0..50_000);
            let blocks = (0..bytes).step_by(4_096).count() as u64;
            assert_eq!(allocated_bytes(bytes), blocks * BLOCK_BYTES);
        }
    }

    #[test]
    fn sizes_that_spread_over_blocks_waste_half_a_block_each() {
        let mut random = random(28);
        let sizes: Vec<u64> = (0..20_000).map(|_| random.random_range(1..=20 * BLOCK_BYTES)).collect();
        let mean_bytes = sizes.iter().sum::<u64>() as f64 / 20_000.0;
        let wasted: Vec<f64> = sizes.iter().map(|&size| (allocated_bytes(size) - size) as f64).collect();
        assert_mean(&wasted, mean_allocated_bytes(mean_bytes) - mean_bytes);
    }

    #[test]
    fn names_take_their_entries() {
        // "A4K.json" is 8 characters: 16 bytes; "A4K7.json" is 9: 17, rounded up to 20.
        assert_eq!([3, 4, 7, 8].map(entry_bytes), [16, 20, 20, 24]);
    }

    /// Leaves of a directory that grows to so many entries in a random order of hashes, each split at its middle entry
    /// when it is full: first hash → hashes.
    fn leaves(entries: u64, random: &mut StdRng) -> usize {
        let capacity = usize::try_from(BLOCK_BYTES / entry_bytes(3)).unwrap();
        let mut leaves = BTreeMap::from([(0_u32, Vec::new())]);
        for _ in 0..entries {
            let hash: u32 = random.random();
            let (_, leaf) = leaves.range_mut(..=hash).next_back().unwrap();
            leaf.push(hash);
            if leaf.len() > capacity {
                leaf.sort_unstable();
                let upper = leaf.split_off(capacity / 2);
                leaves.insert(upper[0], upper);
            }
        }
        leaves.len()
    }

    #[test]
    fn a_directory_is_as_large_as_simulated_on_average() {
        let mut random = random(29);
        // Numbers of documents over three doublings, each as far from the next in proportion.
        let ratios: Vec<f64> = (0..40)
            .map(|step| {
                #[allow(clippy::cast_possible_truncation, clippy::cast_sign_loss, reason = "some thousand documents")]
                let documents = (5_000.0 * 8_f64.powf((f64::from(step) + 0.5) / 40.0)) as u64;
                leaves(documents, &mut random) as f64 * BLOCK_BYTES as f64 / directory_bytes(documents, entry_bytes(3))
            })
            .collect();
        assert!(ratios.iter().all(|ratio| (0.66..1.45).contains(ratio)), "{ratios:?}");
        let mean = ratios.iter().sum::<f64>() / 40.0;
        assert!((mean - 1.0).abs() < 0.02, "{mean}");
    }

    #[test]
    fn ten_thousand_documents_take_41_megabytes() {
        let space = DiskSpace::of(10_000, 2_700, 3);
        assert_eq!((space.inodes, space.document_bytes), (10_000, 40_960_000));
        // 160,000 bytes of entries in leaves that are 69 % full; ext4 took 253,952 (docs/results/2026-11.md, "Size of an ext4 directory").
        assert!((space.directory_bytes - 230_831.0).abs() < 1.0, "{space:?}");
        assert!((space.total_bytes() - (40_960_000.0 + 2_560_000.0 + 230_831.0)).abs() < 1.0);
        assert!((DiskSpace::of(1, 0, 3).directory_bytes - 4_096.0).abs() < 1e-9);
    }
}
