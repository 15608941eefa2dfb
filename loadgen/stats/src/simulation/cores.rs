//! The server: cores, the requests that wait for them, and the locks.

use super::Operation;
use std::collections::VecDeque;

/// A user's request.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) struct Request {
    pub(super) user: u32,
    pub(super) operation: Operation,
    /// The session's key, but for `generate-key`.
    pub(super) key: Option<u32>,
}

/// Cores that serve requests in the order of arrival. One that finds its lock taken steps aside without a core, as a
/// task does, and goes on, before all that wait, when the lock is handed to it.
pub(super) struct Cores {
    serving: u32,
    free: u32,
    waiting: VecDeque<Waiting>,
    locks: Vec<Lock>,
}

struct Waiting {
    request: Request,
    has_lock: bool,
}

#[derive(Clone, Default)]
struct Lock {
    is_held: bool,
    waiting: VecDeque<Request>,
}

impl Cores {
    /// All idle.
    pub(super) fn new(cores: u32, lock_shares: u32) -> Self {
        Self { serving: 0, free: cores, waiting: VecDeque::new(), locks: vec![Lock::default(); lock_shares as usize] }
    }

    /// A request joins the queue.
    pub(super) fn arrive(&mut self, request: Request) {
        self.waiting.push_back(Waiting { request, has_lock: false });
    }

    /// The request whose service begins now, if a core and its lock are free.
    pub(super) fn begin(&mut self) -> Option<Request> {
        while self.free > 0 {
            let Waiting { request, has_lock } = self.waiting.pop_front()?;
            if let Some(lock) = self.lock_of(request)
                && !has_lock
            {
                if lock.is_held {
                    lock.waiting.push_back(request);
                    continue;
                }
                lock.is_held = true;
            }
            self.free -= 1;
            self.serving += 1;
            return Some(request);
        }
        None
    }

    /// The service of a request ends.
    pub(super) fn end(&mut self, request: Request) {
        self.free += 1;
        self.serving -= 1;
        let Some(lock) = self.lock_of(request) else { return };
        match lock.waiting.pop_front() {
            Some(next) => self.waiting.push_front(Waiting { request: next, has_lock: true }),
            None => lock.is_held = false,
        }
    }

    /// How many requests wait for a core or a lock, or are being served.
    pub(super) fn present(&self) -> usize {
        self.serving as usize + self.waiting.len() + self.locks.iter().map(|lock| lock.waiting.len()).sum::<usize>()
    }

    /// The lock that a request needs: writers of a document do, where locks are shared.
    fn lock_of(&mut self, request: Request) -> Option<&mut Lock> {
        let is_writer = matches!(request.operation, Operation::Instantiate | Operation::Save | Operation::Delete);
        let key = request.key.filter(|_| is_writer && !self.locks.is_empty())?;
        let share = key as usize % self.locks.len();
        self.locks.get_mut(share)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn save(user: u32, key: u32) -> Request {
        Request { user, operation: Operation::Save, key: Some(key) }
    }

    fn begun(cores: &mut Cores) -> Vec<u32> {
        std::iter::from_fn(|| cores.begin()).map(|request| request.user).collect()
    }

    #[test]
    fn requests_begin_in_the_order_of_their_arrival_as_cores_come_free() {
        let mut cores = Cores::new(2, 0);
        (0..5).for_each(|user| cores.arrive(save(user, 7)));
        assert_eq!(begun(&mut cores), [0, 1]);
        assert_eq!(cores.present(), 5);
        cores.end(save(1, 7));
        assert_eq!(begun(&mut cores), [2]);
    }

    #[test]
    fn a_writer_waits_for_its_lock_without_a_core_and_is_the_next_to_get_it() {
        let mut cores = Cores::new(2, 4);
        cores.arrive(save(0, 1));
        cores.arrive(save(1, 5));
        cores.arrive(save(2, 2));
        cores.arrive(save(3, 3));
        assert_eq!(begun(&mut cores), [0, 2], "1 waits for the lock of 0, and 3 for a core");
        cores.end(save(0, 1));
        assert_eq!(begun(&mut cores), [1], "before 3, which came later");
        cores.end(save(2, 2));
        cores.end(save(1, 5));
        assert_eq!(begun(&mut cores), [3]);
    }

    #[test]
    fn readers_take_no_lock() {
        let mut cores = Cores::new(3, 1);
        cores.arrive(save(0, 1));
        cores.arrive(Request { user: 1, operation: Operation::Restore, key: Some(1) });
        cores.arrive(Request { user: 2, operation: Operation::GenerateKey, key: None });
        assert_eq!(begun(&mut cores), [0, 1, 2]);
    }
}
