//! What is known of a server: its measurements, and what is fitted to them.

use super::objective::Quantile;
use crate::predict;
use crate::predict::Search;
use rand::SeedableRng;
use rand::rngs::StdRng;
use record::figures::Percentiles;
use record::measurements::{Fill, Folder, Measured, Users};
use stats::line::LineFit;
use stats::scalability::{Bootstrap, Fitted, RESAMPLES};

/// Characters that a key is made of.
pub const ALPHABET: u32 = 36;

/// Confidence of all intervals.
pub(super) const CONFIDENCE: f64 = 0.95;

/// Keys up to this length the hardened reference server knows to be free or not; with longer ones it tries at random.
const LONGEST_KNOWN_KEY: u32 = 5;

/// How long, in seconds, the hardened reference server reserves a key unless told otherwise (`--reservation-ttl`).
pub const RESERVATION_S: f64 = 900.0;

/// Whether a server keeps a key that it handed out from others until its document is made.
#[derive(Clone, Copy, Debug, PartialEq)]
pub enum Reserves {
    /// No: the documented protocol.
    Nothing,
    /// For so many seconds: the hardened one.
    For(f64),
    /// Nothing in the measurements tells.
    Unknown,
}

/// A measured server, with the laws fitted to all that was measured: what `measure` held out has served its purpose.
#[derive(Clone, Debug)]
pub struct Server {
    /// `documented`, `hardened` or `target`.
    pub name: String,
    /// Whether it reserves keys.
    pub reserves: Reserves,
    /// How it finds a free key, and the mean time of that by attempts. None where that cannot be told.
    pub keys: Option<predict::Keys>,
    /// Fills, in their order.
    pub fills: Vec<Fill>,
    /// Numbers of users, in their order.
    pub users: Vec<Users>,
    /// Numbers of documents, in their order.
    pub folders: Vec<Folder>,
    /// Throughput by users.
    pub law: Option<Fitted>,
    /// How far chance moves that.
    pub bootstrap: Option<Bootstrap>,
    /// The median time of a list, in µs, by documents.
    pub lists: Option<LineFit>,
    all_keys: u64,
}

impl Server {
    /// Fits the laws; the bootstrap draws from the seed.
    #[must_use]
    pub fn of(measured: &Measured, seed: u64) -> Self {
        let (mut fills, mut users, mut folders) =
            (measured.fills.clone(), measured.users.clone(), measured.folders.clone());
        fills.iter_mut().for_each(|fill| fill.held_out = false);
        users.iter_mut().for_each(|point| point.held_out = false);
        folders.iter_mut().for_each(|folder| folder.held_out = false);
        fills.sort_by_key(|fill| fill.documents);
        users.sort_by_key(|point| point.users);
        folders.sort_by_key(|folder| folder.documents);
        let law = predict::throughput(&users);
        let mut random = StdRng::seed_from_u64(seed);
        Self {
            name: measured.name.clone(),
            reserves: Reserves::of(&measured.name),
            keys: predict::Keys::fit(&fills, measured.keys),
            bootstrap: law.as_ref().and_then(|law| Bootstrap::of(law, RESAMPLES, &mut random).ok()),
            law,
            lists: predict::lists(&folders),
            fills,
            users,
            folders,
            all_keys: measured.keys,
        }
    }

    /// How it finds a free key among keys of a length.
    #[must_use]
    pub fn search(&self, key_length: u32) -> Option<Search> {
        let seen = self.keys.as_ref()?.search;
        Some(if key_length > LONGEST_KNOWN_KEY { Search::AtRandom } else { seen })
    }

    /// The fills that say something about time by attempts, each with its share: not the full folder, of which a
    /// server may know that it need not try.
    pub(super) fn fills_below_full(&self) -> impl Iterator<Item = (&Fill, f64)> {
        let below = self.fills.iter().filter(|fill| fill.documents < self.all_keys);
        below.map(|fill| (fill, fill.share(self.all_keys)))
    }

    /// The largest number of users measured.
    #[must_use]
    pub fn most_users(&self) -> Option<f64> {
        self.users.last().map(|point| f64::from(point.users))
    }

    /// The largest number of documents that the time of a key was measured with.
    #[must_use]
    pub fn most_documents(&self) -> Option<f64> {
        self.fills.last().map(|fill| fill.documents as f64)
    }

    /// The largest number of documents that a list was measured with.
    #[must_use]
    pub fn most_listed(&self) -> Option<f64> {
        self.folders.last().map(|folder| folder.documents as f64)
    }

    /// What a document takes on the disk, in bytes.
    #[must_use]
    #[allow(clippy::cast_possible_truncation, clippy::cast_sign_loss, reason = "bytes of one file, rounded up")]
    pub fn document_bytes(&self) -> Option<u64> {
        let largest = self.folders.last().filter(|folder| folder.documents > 0)?;
        Some((largest.disk_bytes as f64 / largest.documents as f64).ceil() as u64)
    }

    /// Where throughput is highest: users at once, and operations a second. Within the measurements, as the law has it.
    #[must_use]
    pub fn peak(&self) -> Option<(f64, f64)> {
        let (law, most) = (self.law.as_ref()?.law, self.most_users()?);
        let users = law.peak_users().unwrap_or(most).min(most);
        Some((users, law.throughput_per_s(users)))
    }
}

impl Reserves {
    fn of(name: &str) -> Self {
        match name {
            "documented" => Self::Nothing,
            "hardened" => Self::For(RESERVATION_S),
            _ => Self::Unknown,
        }
    }
}

/// A figure of measured times, in µs.
#[must_use]
pub fn quantile_us(times: &Percentiles, quantile: Quantile) -> f64 {
    match quantile {
        Quantile::P50 => times.p50 as f64,
        Quantile::P90 => times.p90 as f64,
        Quantile::P99 => times.p99 as f64,
        Quantile::P99_9 => times.p99_9 as f64,
        Quantile::Mean => times.mean,
    }
}
