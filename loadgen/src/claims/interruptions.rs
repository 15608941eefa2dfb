//! R6: connections cut in the middle of a request or of its answer.
//!
//! - [`cutter`]: what stands between a user and the target, and cuts.

mod cutter;

use super::judged::Story;
use super::posted::{self, Shown};
use super::seen::Seen;
use super::{Claim, Expected, Finding, Needs, Phase, SECOND_LOOK};
use crate::lab::{Lab, Stuck};
use check::anomaly::Anomaly;
use contract::Operation;
use contract::document::{Content, MIN_STATE_BYTES, REAL_STATE_BYTES};
use cutter::{Cut, Cutter};
use engine::client::{Exchange, User};
use engine::saves_folder::SavesFolder;
use rand::RngExt;
use rand::rngs::StdRng;
use record::claims::ClaimId;
use record::step::Step;
use std::collections::BTreeMap;
use std::sync::Arc;
use std::time::{Duration, Instant};

/// Documents, each with one user, and the sizes of their states in turn: within a packet, in three, in a dozen.
const DOCUMENTS: usize = 12;
const SIZES_BYTES: [usize; 3] = [MIN_STATE_BYTES, REAL_STATE_BYTES, 20_000];

/// Requests to each document, tries again left out: each write that was cut off may take effect at any later time, and a
/// history with hundreds of such is dear to judge.
const REQUESTS: usize = 60;

/// How long a round may take.
const LONGEST: Duration = Duration::from_secs(8);

/// Of ten requests so many are cut, in the request or in its answer.
const CUT_OF_TEN: u32 = 6;

/// Bytes of a request's head, and of a short answer, about: cuts come before, in and after both.
const HEAD_BYTES: usize = 250;
const ANSWER_BYTES: usize = 200;

/// "Client gets clear error, can retry": so often at most, as the specification's client does.
const TRIES: usize = 3;

/// Cuts that must have been made to say anything.
const FEWEST_CUTS: usize = 30;

/// R6
pub(super) static R6: Claim = Claim {
    id: ClaimId::of("R6"),
    title: "a request that is cut off is done whole or not at all",
    quote: "Network failure: Client gets clear error, can retry",
    tried: "Twelve users, each with a document of its own and behind a proxy of the harness, send 60 requests each \
            (five times as many with `--full`). The proxy cuts six of ten connections at a random byte of the request \
            or of the response. Half of the time the document is restored next; then the request is sent again, uncut, \
            up to three times. Under TLS it is untestable: no byte of the request can be cut.",
    holds_if: "For each document, one order explains all responses and the final file, with every write that was cut off \
            as one that may or may not have happened; and no request fails in all three further tries.",
    needs: Needs::Wire,
    expected: Expected::HOLDS,
    decisions_on_chance: 0,
    phase: Phase::Documents,
    is_quick: true,
    mostly_waits: false,
    takes_times: false,
    attempt: |lab| {
        Box::pin(async move {
            if lab.target.is_secure() {
                return Ok(Finding::untestable("under TLS a connection cannot be cut at a byte of the request"));
            }
            Ok(judge(&experiment(lab).await?))
        })
    },
};

/// What one user did to a document of its own, and what became of it.
#[derive(Default)]
struct Document {
    story: Story,
    /// Connections that were cut, and requests that were tried again therefore.
    cuts: usize,
    retries: usize,
    /// A request that was tried again without a cut, and failed each time.
    stuck: Vec<Exchange>,
}

async fn experiment(lab: &Arc<Lab>) -> Result<Vec<Document>, Stuck> {
    let mut documents = Vec::new();
    for _ in 0..lab.effort.pick(1, 1, 5) {
        documents.extend(round(lab).await?);
    }
    Ok(documents)
}

async fn round(lab: &Arc<Lab>) -> Result<Vec<Document>, Stuck> {
    let until = Instant::now() + LONGEST;
    let mut journeys = Vec::new();
    for (number, key) in lab.new_keys(DOCUMENTS).await?.into_iter().enumerate() {
        let cutter = Cutter::start(&lab.target).await?;
        let target = Arc::new(lab.target.through(cutter.address()));
        let journey = Journey {
            key,
            size_bytes: SIZES_BYTES[number % SIZES_BYTES.len()],
            saved: 0,
            // Elsewhere a key that was deleted may be somebody's at once.
            deletes: lab.was_empty,
            user: User::new(number, target, lab.patience, lab.origin, Arc::clone(&lab.ledger)),
            random: lab.random(number as u64),
            cutter,
            document: Document::default(),
        };
        journeys.push(journey.go(until, lab.folder.as_ref()));
    }
    Ok(futures_util::future::join_all(journeys).await)
}

/// A user at a document that nobody else has, behind something that cuts connections.
struct Journey {
    key: String,
    size_bytes: usize,
    /// Contents written so far.
    saved: u64,
    deletes: bool,
    user: User,
    random: StdRng,
    cutter: Cutter,
    document: Document,
}

impl Journey {
    async fn go(mut self, until: Instant, folder: Option<&SavesFolder>) -> Document {
        // From here on the key stands for a document; before, it may have been reserved, which can be ended too.
        self.request(Operation::Instantiate).await;
        for _ in 0..REQUESTS {
            if Instant::now() >= until || !self.document.stuck.is_empty() {
                break;
            }
            let operation = self.draw_operation();
            if self.random.random_range(0..10) < CUT_OF_TEN {
                let cut = self.draw_cut(operation);
                self.cutter.arm(cut);
            }
            let done = self.request(operation).await;
            if done.status().is_none() {
                // What is tried again at once may cover up what the first try left.
                if self.random.random() {
                    self.request(Operation::Restore).await;
                }
                self.try_again(operation).await;
            }
        }
        self.request(Operation::Restore).await;
        if let Some(folder) = folder {
            self.look_into(folder).await;
        }
        self.document
    }

    fn draw_operation(&mut self) -> Operation {
        match self.random.random_range(0..20) {
            0..3 => Operation::Restore,
            3..6 => Operation::Instantiate,
            6 if self.deletes => Operation::Delete,
            _ => Operation::Save,
        }
    }

    /// Somewhere in the request, or in its answer.
    fn draw_cut(&mut self, operation: Operation) -> Cut {
        let has_body = matches!(operation, Operation::Save | Operation::Instantiate);
        let (body_bytes, answer_bytes) = if has_body { (self.size_bytes, 0) } else { (0, self.size_bytes) };
        if self.random.random() {
            Cut::Request(self.random.random_range(0..HEAD_BYTES + body_bytes))
        } else {
            Cut::Answer(self.random.random_range(0..ANSWER_BYTES + answer_bytes))
        }
    }

    /// Makes a request, and enters in the story what came of it.
    async fn request(&mut self, operation: Operation) -> Exchange {
        let (user, key) = (&mut self.user, self.key.as_str());
        let writer = user.number() as u64;
        // Tried again it is the page as it is then: a content of its own.
        self.saved += 1;
        let content = Content { writer, number: self.saved, size_bytes: self.size_bytes };
        let (mut done, content) = match operation {
            Operation::Save => (user.save(key, "word", &BTreeMap::new(), &content.state()).await, Some(content)),
            Operation::Instantiate => (user.instantiate(key, "word", &content.state()).await, Some(content)),
            Operation::Delete => (user.delete(key).await, None),
            _ => {
                let restored = self.restore().await;
                let shown = restored.data().and_then(|data| Shown::parse(data.get()));
                if let Some(step) = posted::of_another_key(&restored) {
                    self.document.story.add_wrong(Anomaly::KeyChangedOwners, step);
                }
                (restored, shown.and_then(|shown| shown.content))
            }
        };
        done.note = content.map_or_else(String::new, |content| match operation {
            Operation::Restore => format!("showing {content}"),
            _ => format!("with {content}"),
        });
        // A response to a request that was cut is not about the request as it was sent.
        if self.cutter.disarm() {
            self.document.cuts += 1;
            self.document.story.add_cut(&done, content);
        } else {
            self.document.story.add(&done, content);
        }
        done
    }

    /// A restore beside a write that was cut off, and may still be under way, can be torn: that is S4's business. So one
    /// that shows no document and no lack of one is asked for once more.
    async fn restore(&mut self) -> Exchange {
        let restored = self.user.restore(&self.key).await;
        match Seen::by_restore(&restored) {
            Some(Seen::Broken { .. } | Seen::Refused { .. }) => {
                tokio::time::sleep(SECOND_LOOK).await;
                self.user.restore(&self.key).await
            }
            _ => restored,
        }
    }

    async fn try_again(&mut self, operation: Operation) {
        self.document.retries += 1;
        let mut tries = Vec::new();
        while tries.len() < TRIES {
            let again = self.request(operation).await;
            let is_done = again.is_success() || again.status() == Some(404);
            tries.push(again);
            if is_done {
                return;
            }
        }
        self.document.stuck = tries;
    }

    /// Looks at the file when all is quiet; once more where it is not whole, as a write may just be under way.
    async fn look_into(&mut self, folder: &SavesFolder) {
        let mut seen = Seen::in_file(folder, &self.key);
        if seen.content().is_none() && !seen.is_nothing() {
            tokio::time::sleep(SECOND_LOOK).await;
            seen = Seen::in_file(folder, &self.key);
        }
        if !seen.is_nothing() {
            let step = Step::finding(format!("{}.json then holds", self.key), seen.to_string());
            self.document.story.add_look(self.user.now_us(), seen.content(), step);
        }
    }
}

fn judge(documents: &[Document]) -> Finding {
    let sum = |figure: fn(&Document) -> usize| documents.iter().map(figure).sum::<usize>();
    let (cuts, retries) = (sum(|document| document.cuts), sum(|document| document.retries));
    let broken = documents.iter().find_map(|document| document.story.fault());
    let stuck = documents.iter().find(|document| !document.stuck.is_empty());
    let finding = if let Some((anomaly, steps)) = broken {
        Finding::refuted(format!("{anomaly}, after {cuts} connections were cut"), steps).named(anomaly)
    } else if let Some(document) = stuck {
        let steps: Vec<Step> = document.stuck.iter().map(Exchange::step).collect();
        Finding::refuted(format!("a request that was cut off was tried again {TRIES} times in vain"), steps)
    } else if cuts < FEWEST_CUTS {
        Finding::inconclusive(format!("only {cuts} connections were cut"))
    } else {
        Finding::holds(format!(
            "{cuts} connections cut, {retries} requests tried again: each was done whole or not at all"
        ))
    };
    finding.measured("connections_cut", cuts).measured("requests_tried_again", retries)
}

#[cfg(test)]
mod tests {
    use super::*;
    use contract::Failure;
    use engine::client::samples::exchange as sample;
    use record::claims::Verdict;

    const CONTENT: Content = Content { writer: 0, number: 1, size_bytes: MIN_STATE_BYTES };

    fn cut_off(operation: Operation, from_us: u64) -> Exchange {
        let outcome = Err(Failure::Closed("reset".to_owned()));
        Exchange { outcome, ..sample(operation, from_us, from_us + 5, 200) }
    }

    /// A document whose save was cut off, and which then is seen to hold something.
    fn document(seen: Option<Content>) -> Document {
        let mut document = Document { cuts: FEWEST_CUTS, ..Document::default() };
        document.story.add(&sample(Operation::Instantiate, 0, 5, 200), Some(Content { number: 0, ..CONTENT }));
        document.story.add(&cut_off(Operation::Save, 10), Some(CONTENT));
        document.story.add(&sample(Operation::Restore, 20, 25, 200), seen);
        document
    }

    #[test]
    fn a_save_that_was_cut_off_may_be_there_or_not_but_not_in_part() {
        for seen in [0, 1].map(|number| Some(Content { number, ..CONTENT })) {
            assert_eq!(judge(&[document(seen)]).verdict, Verdict::Holds, "{seen:?}");
        }
        let finding = judge(&[document(None)]);
        assert!(finding.verdict == Verdict::Refuted && finding.summary.starts_with("torn read"), "{finding:?}");
    }

    #[test]
    fn a_request_that_was_not_cut_and_is_refused_without_cause_refutes() {
        let mut told = document(Some(CONTENT));
        let refused = sample(Operation::Save, 30, 35, 404);
        told.story.add_cut(&refused, Some(Content { number: 2, ..CONTENT }));
        assert_eq!(judge(std::slice::from_ref(&told)).verdict, Verdict::Holds, "a request that was cut");
        told.story.add(&refused, Some(Content { number: 3, ..CONTENT }));
        let finding = judge(&[told]);
        assert!(finding.summary.starts_with("valid request refused"), "{}", finding.summary);
    }

    #[test]
    fn what_cannot_be_tried_again_refutes_and_too_few_cuts_say_nothing() {
        let stuck = Document { stuck: vec![cut_off(Operation::Save, 10); TRIES], ..document(Some(CONTENT)) };
        let finding = judge(&[stuck]);
        assert_eq!((finding.verdict, finding.counterexample.len()), (Verdict::Refuted, TRIES));
        let few = Document { cuts: FEWEST_CUTS - 1, ..document(Some(CONTENT)) };
        assert_eq!(judge(&[few]).verdict, Verdict::Inconclusive);
    }
}
