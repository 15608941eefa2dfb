//! A user's journey beside a clock that is moved by waiting on it.

use super::super::ended::Ended;
use super::super::recorder::Interval;
use super::*;
use crate::client::Target;
use crate::scenario::{Mix, Pacing, Shape, Sizes, Think};
use crate::user::Common;
use contract::{Failure, Operation};
use contract::{Head, Reply, Request};
use record::run::Window;
use std::sync::mpsc::channel;

/// How long a run takes that nothing ends.
const LENGTH_US: u64 = 60_000_000;

/// A clock that is at a moment as soon as anybody waits for it.
#[derive(Clone, Default)]
struct Moved(Rc<Cell<u64>>);

impl Time for Moved {
    fn now_us(&self) -> u64 {
        self.0.get()
    }

    async fn until(&self, at_us: u64) {
        self.0.set(self.0.get().max(at_us));
    }

    fn call_off(&self) {}
}

/// A server that refuses so many requests for a key before it hands one out, and the run is over when there is a
/// document.
struct Refusing {
    refusals: u32,
    end_us: Arc<AtomicU64>,
}

impl Client for Refusing {
    async fn connect(&mut self) -> Result<(), Failure> {
        Ok(())
    }

    async fn send(&mut self, request: Request) -> Result<Reply, Failure> {
        let body = r#"{"success":false,"message":"all attempts exhausted","timestamp":1}"#;
        if request.uri.path() == "/generate-key" && self.refusals > 0 {
            self.refusals -= 1;
            return Ok(Reply { status: 503, attempts: None, head: Head::default(), body: body.into() });
        }
        let data = if request.uri.path() == "/generate-key" {
            r#"{"sessionKey":"A4K"}"#
        } else {
            self.end_us.store(0, Ordering::Relaxed);
            r#"{"message":"Instance created"}"#
        };
        let body = format!(r#"{{"success":true,"timestamp":1,"data":{data}}}"#);
        Ok(Reply { status: 200, attempts: None, head: Head::default(), body: body.into() })
    }
}

/// What is counted of a journey that begins with so many refusals.
async fn journey(refusals: u32) -> Interval {
    let plan = Plan {
        seed: 1,
        scenario: Scenario::Journey,
        users: 1,
        load: Load::Closed { stages: Shape::constant(1.0, LENGTH_US), pacing: Pacing::Think },
        think: Think::None,
        sizes: Sizes::default(),
        mix: Mix::default(),
    };
    let ((out, intervals), (_back, emptied)) = (channel(), channel());
    let window = Window { from_us: 0, to_us: LENGTH_US };
    let recorder = Rc::new(RefCell::new(Recorder::new((0, 1), window, None, out, emptied)));
    let (time, end_us) = (Moved::default(), Arc::new(AtomicU64::new(LENGTH_US)));
    let target = Target::new("http://127.0.0.1:1", "/{op}").expect("a target");
    let common = Arc::new(Common::new(Arc::new(target), false, None, 1));
    let client = Refusing { refusals, end_us: Arc::clone(&end_us) };
    let books = (Rc::clone(&recorder), Rc::new(RefCell::new(Ended::new())));
    let user = User::new(0, client, time.clone(), common, books);
    let turns = Turns { plan: Arc::new(plan), time, start_us: 0, end_us, recorder: Rc::clone(&recorder) };
    Rc::new(turns).live(0, user).await;
    let recorder = Rc::try_unwrap(recorder).ok().expect("nobody else has it");
    recorder.into_inner().finish(0, LENGTH_US);
    *intervals.recv().expect("handed over")
}

#[tokio::test]
async fn a_start_that_succeeds_when_it_is_tried_again_has_not_failed() {
    let interval = journey(2).await;
    assert_eq!(interval.tallies[Operation::GenerateKey as usize].report().error_count(), 2);
    assert!(interval.failed_by_user.is_empty());
    assert_eq!(interval.verified_by_user, [(0, 2)].into());
}

#[tokio::test]
async fn a_start_that_is_given_up_has_failed_once_whatever_comes_later() {
    let interval = journey(3).await;
    assert_eq!(interval.failed_by_user, [(0, 1)].into());
    assert_eq!(interval.verified_by_user, [(0, 2)].into());
    // A later visit tries three times as well.
    assert_eq!(journey(5).await.failed_by_user, [(0, 1)].into());
    assert_eq!(journey(6).await.failed_by_user, [(0, 2)].into());
}
