//! The events until now, for readers that come late or come back. Pure.

use bytes::Bytes;
use std::collections::VecDeque;

/// Most events that are kept: ten minutes of seconds. A page cannot draw more of them apart, and each late reader is sent
/// them all; of a longer run the oldest are dropped, which is no loss, for each event has all counts until then.
pub(super) const MOST_EVENTS: usize = 600;

/// Most bytes that are kept: with six operations and few names an event has 3 kB, and with as many names as a hostile
/// target can have shown ten times that. What is kept is the generator's memory.
pub(super) const MOST_BYTES: usize = 8 << 20;

/// What kind of event it is, in the words of the event stream.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Kind {
    /// Figures, and there will be more.
    Figures,
    /// The last one.
    Ended,
}

/// An event, as it is sent.
#[derive(Clone, Debug)]
pub(super) struct Sent {
    pub(super) number: u64,
    pub(super) is_last: bool,
    pub(super) frame: Bytes,
}

/// See the module.
#[derive(Debug)]
pub(super) struct History {
    /// Tells this run's events from those of another at the same address.
    run: u32,
    next: u64,
    events: VecDeque<Sent>,
    bytes: usize,
}

impl History {
    pub(super) fn new(run: u32) -> Self {
        Self { run, next: 1, events: VecDeque::new(), bytes: 0 }
    }

    /// Forgets the events until now: what comes belongs to another trial, and is told from its begin.
    pub(super) fn begin_anew(&mut self) {
        self.events.clear();
        self.bytes = 0;
    }

    /// Adds an event, and drops the oldest where there are too many. The newest is always kept.
    pub(super) fn push(&mut self, kind: Kind, json: &str) {
        let (run, number) = (self.run, self.next);
        let name = if kind == Kind::Ended { "ended" } else { "figures" };
        // JSON in one line has no line breaks in it, which would end the data.
        let frame: Bytes = format!("id: {run:08x}-{number}\nevent: {name}\ndata: {json}\n\n").into();
        self.next += 1;
        self.bytes += frame.len();
        self.events.push_back(Sent { number, is_last: kind == Kind::Ended, frame });
        while self.events.len() > 1 && (self.events.len() > MOST_EVENTS || self.bytes > MOST_BYTES) {
            self.bytes -= self.events.pop_front().map_or(0, |oldest| oldest.frame.len());
        }
    }

    /// The first event that is kept and newer than the one of that number.
    pub(super) fn after(&self, number: u64) -> Option<&Sent> {
        self.events.get(self.events.partition_point(|event| event.number <= number))
    }

    /// Which event a reader that comes back saw last, by its `Last-Event-ID`; 0, which is before all, where that is none
    /// of this run's.
    pub(super) fn number_of(&self, id: &str) -> u64 {
        let number = id.strip_prefix(&format!("{:08x}-", self.run)).and_then(|number| number.parse().ok());
        number.filter(|number| *number < self.next).unwrap_or(0)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn numbers(history: &History) -> Vec<u64> {
        let mut seen = 0;
        std::iter::from_fn(|| {
            seen = history.after(seen)?.number;
            Some(seen)
        })
        .collect()
    }

    #[test]
    fn an_event_has_the_form_of_the_event_stream() {
        let mut history = History::new(0xab);
        history.push(Kind::Figures, r#"{"a":1}"#);
        history.push(Kind::Ended, "{}");
        let first = history.after(0).expect("there");
        assert_eq!(
            (&first.frame[..], first.is_last),
            (&b"id: 000000ab-1\nevent: figures\ndata: {\"a\":1}\n\n"[..], false)
        );
        let last = history.after(1).expect("there");
        assert_eq!((&last.frame[..], last.is_last), (&b"id: 000000ab-2\nevent: ended\ndata: {}\n\n"[..], true));
        assert!(history.after(2).is_none());
    }

    #[test]
    fn the_oldest_events_are_dropped_and_the_rest_told_in_order() {
        let mut history = History::new(1);
        let (all, kept) = (2_000, MOST_EVENTS as u64);
        (0..all).for_each(|_| history.push(Kind::Figures, "{}"));
        assert_eq!(numbers(&history), (all - kept + 1..=all).collect::<Vec<_>>());
        assert_eq!(history.bytes, history.events.iter().map(|event| event.frame.len()).sum::<usize>());
    }

    #[test]
    fn large_events_are_bounded_by_their_bytes_and_the_newest_is_kept_whatever_its_size() {
        let mut history = History::new(1);
        let large = "x".repeat(MOST_BYTES / 10);
        (0..100).for_each(|_| history.push(Kind::Figures, &large));
        assert_eq!(numbers(&history).len(), 9);
        history.push(Kind::Ended, &"x".repeat(2 * MOST_BYTES));
        assert_eq!(numbers(&history), [101]);
    }

    #[test]
    fn another_trial_is_told_from_its_begin_and_numbers_go_on() {
        let mut history = History::new(1);
        (0..5).for_each(|_| history.push(Kind::Figures, "{}"));
        history.begin_anew();
        history.push(Kind::Figures, "{}");
        assert_eq!((numbers(&history), history.after(3).expect("there").number), (vec![6], 6));
    }

    #[test]
    fn a_reader_that_comes_back_is_known_by_its_last_event_and_a_strange_one_hears_all() {
        let mut history = History::new(0xab);
        (0..5).for_each(|_| history.push(Kind::Figures, "{}"));
        assert_eq!(history.number_of("000000ab-3"), 3);
        for strange in ["", "3", "000000ac-3", "000000ab-", "000000ab-x", "000000ab-6", "000000ab-99999999999999999999"]
        {
            assert_eq!(history.number_of(strange), 0, "{strange}");
        }
    }
}
