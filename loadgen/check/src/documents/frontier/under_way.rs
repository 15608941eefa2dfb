//! The accesses under way, each with a seat: seats are few, and used again.

/// An access that has a seat.
#[derive(Clone, Copy, Debug)]
struct Seated {
    place: usize,
    returned_us: u64,
    is_optional: bool,
    removes: bool,
}

/// The accesses under way, by seat.
#[derive(Debug)]
pub(super) struct UnderWay {
    seats: Vec<Option<Seated>>,
    free: Vec<usize>,
    /// Seats of accesses that remove the document.
    removals: Vec<usize>,
    /// By place, for those that have one.
    seat_of: Vec<Option<usize>>,
}

impl UnderWay {
    /// Nothing is under way yet, of so many accesses.
    pub(super) fn new(accesses: usize) -> Self {
        Self { seats: Vec::new(), free: Vec::new(), removals: Vec::new(), seat_of: vec![None; accesses] }
    }

    pub(super) fn sit(&mut self, place: usize, returned_us: u64, is_optional: bool, removes: bool) -> usize {
        let seat = self.free.pop().unwrap_or_else(|| {
            self.seats.push(None);
            self.seats.len() - 1
        });
        self.seats[seat] = Some(Seated { place, returned_us, is_optional, removes });
        self.seat_of[place] = Some(seat);
        if removes {
            self.removals.push(seat);
        }
        seat
    }

    pub(super) fn leave(&mut self, seat: usize) {
        if let Some(seated) = self.seats[seat].take() {
            self.seat_of[seated.place] = None;
            self.free.push(seat);
            if seated.removes {
                self.removals.retain(|other| *other != seat);
            }
        }
    }

    /// Every seat that is taken, with the access's place.
    pub(super) fn iter(&self) -> impl Iterator<Item = (usize, usize)> + '_ {
        self.seats.iter().enumerate().filter_map(|(seat, seated)| seated.map(|seated| (seat, seated.place)))
    }

    /// As [`Self::iter`], of accesses that remove the document.
    pub(super) fn removals(&self) -> impl Iterator<Item = (usize, usize)> + '_ {
        self.removals.iter().map(|seat| (*seat, self.at(*seat)))
    }

    /// The place of the access on a seat that is taken.
    pub(super) fn at(&self, seat: usize) -> usize {
        self.seats[seat].map_or(usize::MAX, |seated| seated.place)
    }

    pub(super) fn seat_of(&self, place: usize) -> Option<usize> {
        self.seat_of[place]
    }

    pub(super) fn returned_us(&self, seat: usize) -> u64 {
        self.seats[seat].map_or(u64::MAX, |seated| seated.returned_us)
    }

    pub(super) fn is_optional(&self, seat: usize) -> bool {
        self.seats[seat].is_some_and(|seated| seated.is_optional)
    }
}
