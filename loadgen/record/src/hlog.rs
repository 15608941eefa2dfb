//! `latency.hlog`: latencies by second and operation, in the interval log format of `HdrHistogram`, which its tools in
//! Java, Python and JavaScript read and plot.
//!
//! Only measured operations are in it, so that its sums are the figures of `run.json`. Tags are the operation's name for
//! its response time, the name and `.service` for its service time, and [`SLIP_TAG`].

use base64::Engine as _;
use base64::prelude::BASE64_STANDARD;
use contract::Operation;
use hdrhistogram::Histogram;
use hdrhistogram::serialization::Deserializer;
use hdrhistogram::serialization::V2DeflateSerializer;
use hdrhistogram::serialization::interval_log::{
    IntervalLogIterator, IntervalLogWriterBuilder, IntervalLogWriterError, LogEntry, LogIteratorError, Tag,
};
use std::collections::BTreeMap;
use std::io::{self, Write};
use std::time::{Duration, SystemTime};

/// The tag of the generator's own lateness.
pub const SLIP_TAG: &str = "slip";

/// What is added to an operation's name for the tag of its service time.
pub const SERVICE_SUFFIX: &str = ".service";

/// The shortest time that is told from none, µs.
const LOWEST_US: u64 = 1;

/// The longest time that is told from longer ones: 10 minutes, µs. No operation is waited for as long.
const HIGHEST_US: u64 = 600_000_000;

/// Each value is kept to 3 digits, that is to 0.1 %.
const SIGNIFICANT_DIGITS: u8 = 3;

/// Values are µs; the column `Interval_Max`, which only people read, is in ms by convention.
const US_PER_MS: f64 = 1_000.0;

/// An empty histogram with the bounds that all of a run have.
///
/// # Panics
/// Never: the bounds are constants that fit.
#[must_use]
pub fn new_histogram() -> Histogram<u64> {
    Histogram::new_with_bounds(LOWEST_US, HIGHEST_US, SIGNIFICANT_DIGITS).expect("bounds that fit")
}

/// Records a time; one beyond the longest counts as the longest, for it must not be lost.
pub fn record(histogram: &mut Histogram<u64>, value_us: u64) {
    histogram.saturating_record(value_us);
}

/// The tag of an operation's response time.
#[must_use]
pub fn response_tag(operation: Operation) -> &'static str {
    operation.name()
}

/// The tag of an operation's service time.
#[must_use]
pub fn service_tag(operation: Operation) -> String {
    format!("{}{SERVICE_SUFFIX}", operation.name())
}

/// Writes a log, interval by interval.
pub struct HlogWriter<W: Write> {
    out: W,
    serializer: V2DeflateSerializer,
    lines: Vec<u8>,
}

impl<W: Write> HlogWriter<W> {
    /// Begins a log of a run that started at this time.
    ///
    /// # Errors
    /// Where it cannot be written.
    pub fn new(mut out: W, started: SystemTime) -> io::Result<Self> {
        let mut serializer = V2DeflateSerializer::new();
        let mut builder = IntervalLogWriterBuilder::new();
        builder
            .add_comment("[Logged with claimcheck]")
            .add_comment("[Histogram log format version 1.3]")
            .add_comment(" Values are in microseconds, Interval_Max is in milliseconds.")
            .add_comment(
                " Tags: NAME is the response time of an operation (meant to be sent, to answered), NAME.service",
            )
            .add_comment(" its service time (sent, to answered), slip how late it was sent. Measured operations only.")
            .with_start_time(started)
            .with_base_time(started);
        builder.begin_log_with(&mut out, &mut serializer)?;
        writeln!(out, "\"StartTimestamp\",\"Interval_Length\",\"Interval_Max\",\"Interval_Compressed_Histogram\"")?;
        Ok(Self { out, serializer, lines: Vec::new() })
    }

    /// Adds the times of an interval, which started so long after the run; an empty histogram adds nothing.
    ///
    /// # Errors
    /// Where it cannot be written, or the tag has a comma, a space or a line end.
    pub fn interval(
        &mut self,
        start: Duration,
        length: Duration,
        tag: &str,
        histogram: &Histogram<u64>,
    ) -> io::Result<()> {
        if histogram.is_empty() {
            return Ok(());
        }
        let tag = Tag::new(tag)
            .ok_or_else(|| io::Error::new(io::ErrorKind::InvalidInput, format!("{tag:?} is no tag of a log")))?;
        self.lines.clear();
        IntervalLogWriterBuilder::new()
            .with_max_value_divisor(US_PER_MS)
            .begin_log_with(&mut self.lines, &mut self.serializer)?
            .write_histogram(histogram, start, length, Some(tag))
            .map_err(|error| match error {
                IntervalLogWriterError::IoError(error) => error,
                IntervalLogWriterError::SerializeError(error) => io::Error::other(error.to_string()),
            })?;
        // The library borrows what it writes to, so each interval is a log of its own, of which the last line is wanted.
        let interval = self.lines.split_inclusive(|byte| *byte == b'\n').next_back().unwrap_or_default();
        self.out.write_all(interval)
    }

    /// Writes out what is buffered, and gives back what it wrote to.
    ///
    /// # Errors
    /// Where it cannot be written.
    pub fn finish(mut self) -> io::Result<W> {
        self.out.flush()?;
        Ok(self.out)
    }
}

/// The sums of all intervals, by tag.
///
/// # Errors
/// A sentence that says what is wrong with the log, and where.
pub fn read_hlog(bytes: &[u8]) -> Result<BTreeMap<String, Histogram<u64>>, String> {
    let mut deserializer = Deserializer::new();
    let mut sums = BTreeMap::new();
    for (at, entry) in IntervalLogIterator::new(bytes).enumerate() {
        let entry = entry.map_err(|LogIteratorError::ParseError { offset }| {
            format!("the log of latencies is damaged: what begins at byte {offset} cannot be read")
        })?;
        let LogEntry::Interval(interval) = entry else { continue };
        let damaged = |error: &dyn std::fmt::Display| format!("entry {} of the log of latencies: {error}", at + 1);
        let payload = BASE64_STANDARD.decode(interval.encoded_histogram()).map_err(|error| damaged(&error))?;
        let histogram: Histogram<u64> =
            deserializer.deserialize(&mut payload.as_slice()).map_err(|error| damaged(&error))?;
        let tag = interval.tag().map_or_else(String::new, |tag| tag.as_str().to_owned());
        let sum = sums.entry(tag).or_insert_with(new_histogram);
        sum.add(&histogram).map_err(|error| damaged(&error))?;
    }
    Ok(sums)
}

#[cfg(test)]
mod tests {
    use super::*;

    const SECOND: Duration = Duration::from_secs(1);

    fn of(values_us: impl IntoIterator<Item = u64>) -> Histogram<u64> {
        let mut histogram = new_histogram();
        values_us.into_iter().for_each(|us| record(&mut histogram, us));
        histogram
    }

    fn log() -> Vec<u8> {
        let started = SystemTime::UNIX_EPOCH + Duration::from_millis(1_795_000_000_250);
        let mut log = HlogWriter::new(Vec::new(), started).expect("writes");
        log.interval(SECOND, SECOND, response_tag(Operation::Save), &of(1..=1_000)).expect("writes");
        log.interval(SECOND, SECOND, &service_tag(Operation::Save), &of([5])).expect("writes");
        log.interval(SECOND, SECOND, SLIP_TAG, &new_histogram()).expect("skips");
        log.interval(2 * SECOND, SECOND, response_tag(Operation::Save), &of([7_000_000])).expect("writes");
        log.finish().expect("writes")
    }

    #[test]
    fn a_log_has_a_header_and_a_line_for_each_interval_that_is_not_empty() {
        let text = String::from_utf8(log()).expect("text");
        let (header, intervals): (Vec<&str>, Vec<&str>) = text.lines().partition(|line| !line.starts_with("Tag="));
        assert!(header.contains(&"#[StartTime: 1795000000.250 (seconds since epoch)]"), "{text}");
        assert!(header.contains(&"#[BaseTime: 1795000000.250 (seconds since epoch)]"), "{text}");
        assert!(header.iter().all(|line| line.starts_with(['#', '"'])), "{text}");
        assert_eq!(intervals.len(), 3);
        assert!(intervals[0].starts_with("Tag=save,1.000,1.000,1.000,HIST"), "{text}");
        assert!(intervals[1].starts_with("Tag=save.service,1.000,1.000,0.005,HIST"), "{text}");
    }

    #[test]
    fn reading_sums_all_intervals_by_tag() {
        let sums = read_hlog(&log()).expect("reads");
        assert_eq!(sums.keys().collect::<Vec<_>>(), ["save", "save.service"]);
        assert_eq!(sums["save"], of((1..=1_000).chain([7_000_000])));
        assert_eq!(sums["save.service"], of([5]));
    }

    #[test]
    fn times_beyond_the_bounds_are_counted_at_the_bound() {
        let histogram = of([0, u64::MAX]);
        assert_eq!(histogram.len(), 2);
        assert!(histogram.max() >= HIGHEST_US && histogram.max() < HIGHEST_US * 1_001 / 1_000, "{}", histogram.max());
        let bytes = {
            let mut log = HlogWriter::new(Vec::new(), SystemTime::UNIX_EPOCH).expect("writes");
            log.interval(SECOND, SECOND, "save", &histogram).expect("writes");
            log.finish().expect("writes")
        };
        assert_eq!(read_hlog(&bytes).expect("reads")["save"], histogram);
    }

    #[test]
    fn a_damaged_log_is_refused_and_so_is_a_tag_that_would_damage_it() {
        let good = String::from_utf8(log()).expect("text");
        for bad in [
            good.replace("Tag=save,1.000", "Tag=save,one"),
            good.replace(",HIST", ",HI?T"),
            good.replace(",HIST", ",AAAA"),
            good.trim_end().to_owned(),
        ] {
            assert!(read_hlog(bad.as_bytes()).is_err(), "{bad}");
        }
        let mut log = HlogWriter::new(Vec::new(), SystemTime::UNIX_EPOCH).expect("writes");
        assert!(log.interval(SECOND, SECOND, "a,b", &of([1])).is_err());
    }
}
