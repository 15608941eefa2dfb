//! What a worker writes down: each operation once in its tally and once in the history; nothing of it is shared while
//! the load runs. Once a second the tally goes to whoever gathers them, and a fresh one takes its place.

#[cfg(test)]
mod tests;

use super::example::{Example, MOST_EXAMPLES};
use super::tick::Usage;
use contract::Operation;
use hdrhistogram::Histogram;
use record::figures::{Tally, Took};
use record::history::{Answer, CHUNK_BYTES, HistoryLine, HistorySender, Judgement, Phase};
use record::hlog::{new_histogram, record};
use record::run::{Turns, Window};
use std::collections::BTreeMap;
use std::sync::mpsc::{Receiver, Sender};

/// What one worker saw within a second.
#[derive(Debug)]
pub(crate) struct Interval {
    /// Which worker.
    pub(crate) shard: u32,
    /// The second, counted from the run's origin.
    pub(crate) second: u64,
    /// By operation, as in [`Operation::ALL`].
    pub(crate) tallies: [Tally; 6],
    /// How late operations were sent by the generator's own doing, µs.
    pub(crate) slip_us: Histogram<u64>,
    /// How late the worker came to what was to be done at a moment, whether there was an operation or not, µs.
    pub(crate) lag_us: Histogram<u64>,
    /// Measured operations in flight, summed over time, operation-µs: counted, not taken from their times.
    pub(crate) in_flight_area_us: u64,
    /// Arrivals within what is measured that a user took up.
    pub(crate) arrivals_taken: u64,
    /// Turns of a closed load.
    pub(crate) turns: TurnTimes,
    /// Measured operations that were verified, by user; told once, at the end.
    pub(crate) verified_by_user: BTreeMap<u32, u64>,
    /// Measured operations that were not, even where they were tried again, by user; told once, at the end.
    pub(crate) failed_by_user: BTreeMap<u32, u64>,
    /// Some of what went wrong.
    pub(crate) examples: Vec<Example>,
    /// What the worker had used at the beginning and at the end of what was measured.
    pub(crate) usage: [Option<Usage>; 2],
}

impl Interval {
    pub(crate) fn new() -> Self {
        Self {
            shard: 0,
            second: 0,
            tallies: std::array::from_fn(|_| Tally::new()),
            slip_us: new_histogram(),
            lag_us: new_histogram(),
            in_flight_area_us: 0,
            arrivals_taken: 0,
            turns: TurnTimes::default(),
            verified_by_user: BTreeMap::new(),
            failed_by_user: BTreeMap::new(),
            examples: Vec::new(),
            usage: [None, None],
        }
    }

    /// Adds what another worker saw within the same second, or what came of an earlier one.
    pub(crate) fn merge(&mut self, other: &Self) {
        self.tallies.iter_mut().zip(&other.tallies).for_each(|(tally, other)| tally.merge(other));
        self.slip_us += &other.slip_us;
        self.lag_us += &other.lag_us;
        self.in_flight_area_us = self.in_flight_area_us.wrapping_add(other.in_flight_area_us);
        self.arrivals_taken += other.arrivals_taken;
        self.turns.merge(&other.turns);
        for (user, count) in &other.verified_by_user {
            *self.verified_by_user.entry(*user).or_default() += count;
        }
        for (user, count) in &other.failed_by_user {
            *self.failed_by_user.entry(*user).or_default() += count;
        }
        self.examples.extend_from_slice(&other.examples);
    }

    /// Empties it, to be filled again.
    pub(crate) fn clear(&mut self) {
        self.tallies.iter_mut().for_each(Tally::clear);
        self.slip_us.reset();
        self.lag_us.reset();
        self.in_flight_area_us = 0;
        self.arrivals_taken = 0;
        self.turns = TurnTimes::default();
        self.verified_by_user.clear();
        self.failed_by_user.clear();
        self.examples.clear();
        self.usage = [None, None];
    }
}

/// Turns of a closed load within what is measured, and the time that its users spent without a response.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub(crate) struct TurnTimes {
    /// Turns in which every request got a response, and how long they took together, thinking included, µs.
    taken: u64,
    taken_us: u64,
    /// Other turns, and how long those took, pauses included, µs.
    lost: u64,
    lost_us: u64,
    /// Turns that were due by their users' own clock, and not begun before the run was over.
    skipped: u64,
}

impl TurnTimes {
    fn merge(&mut self, other: &Self) {
        self.taken += other.taken;
        self.taken_us += other.taken_us;
        self.lost += other.lost;
        self.lost_us += other.lost_us;
        self.skipped += other.skipped;
    }

    /// Turns that were begun, and those that would have been begun in the time of the lost ones.
    pub(crate) fn report(&self) -> Turns {
        let mean_us = self.taken_us.checked_div(self.taken).unwrap_or(0);
        let fit = self.lost_us.checked_div(mean_us).unwrap_or(0);
        Turns { taken: self.taken + self.lost, missed: fit.saturating_sub(self.lost) + self.skipped }
    }
}

/// An operation that has come to its end.
#[derive(Debug)]
pub(crate) struct Done<'a> {
    pub(crate) user: u32,
    pub(crate) operation: Operation,
    pub(crate) key: Option<&'a str>,
    /// When it was meant to be sent, when its user was free to, and when it was sent, µs.
    pub(crate) meant_us: u64,
    pub(crate) free_us: u64,
    pub(crate) call_us: u64,
    /// When its answer was there, the connection lost, or its user gave up.
    pub(crate) end_us: u64,
    /// Whether its user gave up.
    pub(crate) is_timeout: bool,
    pub(crate) input: Option<&'a str>,
    pub(crate) answer: Option<Answer<'a>>,
    pub(crate) judgement: Judgement<'a>,
    /// What is wrong, in words, if the judgement's name does not say it all.
    pub(crate) detail: Option<&'a str>,
    pub(crate) is_set_up: bool,
}

/// A worker's tally and history buffer.
pub(crate) struct Recorder {
    shard: u32,
    window: Window,
    interval: Box<Interval>,
    history: Option<(HistorySender, Vec<u8>)>,
    /// Where intervals go, and where emptied ones come back from.
    out: Sender<Box<Interval>>,
    emptied: Receiver<Box<Interval>>,
    /// By user, of those of this worker.
    verified: Vec<u64>,
    failed: BTreeMap<u32, u64>,
    /// Examples kept until now, of errors and of wrong answers.
    examples_kept: [usize; 2],
    shards: u32,
    in_flight: u64,
    counted_until_us: u64,
}

impl Recorder {
    pub(crate) fn new(
        (shard, shards): (u32, u32),
        window: Window,
        history: Option<HistorySender>,
        out: Sender<Box<Interval>>,
        emptied: Receiver<Box<Interval>>,
    ) -> Self {
        Self {
            shard,
            window,
            interval: Box::new(Interval::new()),
            history: history.map(|sender| (sender, Vec::with_capacity(CHUNK_BYTES))),
            out,
            emptied,
            verified: Vec::new(),
            failed: BTreeMap::new(),
            examples_kept: [0; 2],
            shards,
            in_flight: 0,
            counted_until_us: 0,
        }
    }

    /// Sets what is measured, before anything is.
    pub(crate) fn measure(&mut self, window: Window) {
        self.window = window;
    }

    pub(crate) fn interval(&mut self) -> &mut Interval {
        &mut self.interval
    }

    /// A user takes up a turn that arrived.
    pub(crate) fn arrival_taken(&mut self, arrived_us: u64) {
        self.interval.arrivals_taken += u64::from(self.window.contains(arrived_us));
    }

    /// A user of a closed load has taken a turn, and got a response to every request.
    pub(crate) fn turn_taken(&mut self, began_us: u64, free_us: u64) {
        if self.window.contains(began_us) {
            self.interval.turns.taken += 1;
            self.interval.turns.taken_us += free_us.saturating_sub(began_us);
        }
    }

    /// A user of a closed load got no response to a request of its turn.
    pub(crate) fn turn_lost(&mut self, began_us: u64, free_us: u64) {
        let lost_us = free_us.saturating_sub(began_us.max(self.window.from_us));
        self.interval.turns.lost += u64::from(self.window.contains(began_us));
        self.interval.turns.lost_us += lost_us;
    }

    /// The run is over before a user has begun so many turns that were due.
    pub(crate) fn turns_skipped(&mut self, count: u64) {
        self.interval.turns.skipped += count;
    }

    /// An operation is about to be sent.
    pub(crate) fn sends(&mut self, meant_us: u64, now_us: u64) {
        if self.window.contains(meant_us) {
            self.count_in_flight(now_us);
            self.in_flight += 1;
        }
    }

    /// An operation has come to its end.
    pub(crate) fn done(&mut self, done: &Done<'_>) {
        if !done.is_set_up && self.window.contains(done.meant_us) {
            self.count_in_flight(done.end_us);
            self.in_flight -= 1;
            let took = (done.answer.is_some() || done.is_timeout).then(|| Took {
                response_us: done.end_us.saturating_sub(done.meant_us),
                service_us: done.end_us.saturating_sub(done.call_us),
                is_timeout: done.is_timeout,
            });
            if took.is_none() {
                // Only operations with times are held against the count.
                let until_lost_us = done.end_us.saturating_sub(done.call_us);
                self.interval.in_flight_area_us = self.interval.in_flight_area_us.wrapping_sub(until_lost_us);
            }
            self.interval.tallies[done.operation as usize].count(took, done.judgement);
            if done.judgement == Judgement::Verified {
                self.count_verified(done.user);
            } else {
                self.keep_example(done);
            }
            record(&mut self.interval.slip_us, done.call_us.saturating_sub(done.meant_us.max(done.free_us)));
        }
        if let Some((sender, chunk)) = &mut self.history {
            let line = HistoryLine {
                process: u64::from(done.user),
                operation: done.operation,
                key: done.key,
                meant_us: done.meant_us,
                free_us: Some(done.free_us).filter(|free_us| *free_us > done.meant_us),
                call_us: done.call_us,
                input: done.input,
                answer: done.answer,
                timed_out_us: done.is_timeout.then_some(done.end_us),
                judgement: done.judgement,
                phase: done.is_set_up.then_some(Phase::SetUp),
            };
            line.write_to(chunk);
            if chunk.len() >= CHUNK_BYTES - CHUNK_BYTES / 16 {
                *chunk = sender.send(std::mem::take(chunk));
            }
        }
    }

    /// A user gives an operation up: it went wrong, and is not tried again.
    pub(crate) fn gives_up(&mut self, user: u32, meant_us: u64) {
        if self.window.contains(meant_us) {
            *self.failed.entry(user).or_default() += 1;
        }
    }

    fn keep_example(&mut self, done: &Done<'_>) {
        let kept = &mut self.examples_kept[usize::from(matches!(done.judgement, Judgement::Wrong(_)))];
        if *kept < MOST_EXAMPLES {
            *kept += 1;
            self.interval.examples.extend(Example::of(done));
        }
    }

    fn count_verified(&mut self, user: u32) {
        let place = (user / self.shards) as usize;
        if self.verified.len() <= place {
            self.verified.resize(place + 1, 0);
        }
        self.verified[place] += 1;
    }

    fn count_in_flight(&mut self, now_us: u64) {
        let since_us = now_us.saturating_sub(self.counted_until_us);
        self.interval.in_flight_area_us = self.interval.in_flight_area_us.wrapping_add(self.in_flight * since_us);
        self.counted_until_us = self.counted_until_us.max(now_us);
    }

    /// Hands over what was seen within a second.
    pub(crate) fn hand_over(&mut self, second: u64, now_us: u64) {
        self.count_in_flight(now_us);
        let mut full = self.emptied.try_recv().unwrap_or_else(|_| Box::new(Interval::new()));
        full.clear();
        std::mem::swap(&mut full, &mut self.interval);
        full.shard = self.shard;
        full.second = second;
        // Whoever gathers them outlives the workers.
        let _ = self.out.send(full);
    }

    /// Hands over the last interval and the end of the history.
    pub(crate) fn finish(mut self, second: u64, now_us: u64) {
        let users = (self.shard..).step_by(self.shards as usize);
        self.interval.verified_by_user = users.zip(std::mem::take(&mut self.verified)).collect();
        self.interval.failed_by_user = std::mem::take(&mut self.failed);
        self.hand_over(second, now_us);
        if let Some((sender, chunk)) = self.history {
            let _ = sender.send(chunk);
        }
    }
}
