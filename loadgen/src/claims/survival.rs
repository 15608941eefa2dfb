//! What is left of acknowledged saves after a crash: the load before it, the look after it, and the judgement, which R2
//! (the server dies) and R3 (the power goes) share.

use super::Finding;
use super::seen::Seen;
use crate::lab::Stuck;
use contract::document::{Content, REAL_STATE_BYTES};
use engine::client::{Exchange, User};
use engine::saves_folder::SavesFolder;
use record::step::Step;
use serde_json::Value;
use std::collections::BTreeMap;
use std::sync::Arc;
use std::sync::atomic::{AtomicU64, Ordering::Relaxed};
use tokio::task::JoinSet;

/// The documents under load: how large their states are, and how many savers each has. Real ones, and larger ones,
/// whose writing takes longer; some with one saver, some that are fought for.
pub(super) const DOCUMENTS: [(usize, usize); 8] = [
    (REAL_STATE_BYTES, 1),
    (REAL_STATE_BYTES, 1),
    (REAL_STATE_BYTES, 3),
    (REAL_STATE_BYTES, 3),
    (60_000, 1),
    (60_000, 3),
    (300_000, 1),
    (300_000, 3),
];

/// Savers in all.
pub(super) const SAVERS: usize = {
    let (mut savers, mut document) = (0, 0);
    while document < DOCUMENTS.len() {
        savers += DOCUMENTS[document].1;
        document += 1;
    }
    savers
};

/// Saves that one saver sends at most, should the crash not come.
const MOST_SAVES: u64 = 2_000;

/// Restores of a document after the crash, where there is no answer.
const LOOKS: usize = 3;

/// One document and every write to it: the instantiate first, then each saver's saves, one after the other.
#[derive(Clone, Debug)]
pub(super) struct Story {
    pub(super) key: String,
    pub(super) writes: Vec<(Content, Exchange)>,
}

/// Savers at work.
pub(super) struct Load {
    stories: Vec<Story>,
    savers: JoinSet<(usize, Vec<(Content, Exchange)>)>,
    acknowledged: Arc<AtomicU64>,
}

impl Load {
    /// Creates a document under each key, of [`DOCUMENTS`], and has [`SAVERS`] users save them from now on, each until
    /// it gets no answer any more.
    ///
    /// # Errors
    /// Where a document cannot be created.
    pub(super) async fn start(keys: &[String], users: Vec<User>) -> Result<Self, Stuck> {
        let (mut stories, mut savers) = (Vec::new(), JoinSet::new());
        let acknowledged = Arc::new(AtomicU64::new(0));
        let mut users = users.into_iter();
        let seats = DOCUMENTS.iter().enumerate().flat_map(|(document, &(_, savers))| vec![document; savers]);
        let mut seated: Vec<(usize, User)> = seats.zip(&mut users).collect();
        let (_, creator) = seated.first_mut().ok_or_else(|| Stuck("there are no users".to_owned()))?;
        for ((size_bytes, _), key) in DOCUMENTS.into_iter().zip(keys) {
            let content = Content { writer: SAVERS as u64, number: 0, size_bytes };
            let mut created = creator.instantiate(key, "word", &content.state()).await;
            created.note = format!("with {content}");
            if !created.is_success() {
                return Err(Stuck(format!("no document to save: {}", created.step())));
            }
            stories.push(Story { key: key.clone(), writes: vec![(content, created)] });
        }
        for (document, user) in seated {
            let (key, size_bytes) = (keys[document].clone(), DOCUMENTS[document].0);
            let acknowledged = Arc::clone(&acknowledged);
            savers.spawn(async move { (document, save_on(user, &key, size_bytes, &acknowledged).await) });
        }
        Ok(Self { stories, savers, acknowledged })
    }

    /// How many saves were acknowledged until now.
    pub(super) fn acknowledged(&self) -> Arc<AtomicU64> {
        Arc::clone(&self.acknowledged)
    }

    /// All that was written, once the server is gone.
    pub(super) async fn end(mut self) -> Vec<Story> {
        while let Some(Ok((document, writes))) = self.savers.join_next().await {
            self.stories[document].writes.extend(writes);
        }
        self.stories
    }
}

/// Saves a document again and again, each time with a metadata field that says which of this saver's saves it is.
async fn save_on(mut user: User, key: &str, size_bytes: usize, acknowledged: &AtomicU64) -> Vec<(Content, Exchange)> {
    let mut writes: Vec<(Content, Exchange)> = Vec::new();
    let writer = user.number() as u64;
    for number in 1..=MOST_SAVES {
        let content = Content { writer, number, size_bytes };
        let metadata = BTreeMap::from([(metadata_field(writer), number)]);
        let mut saved = user.save(key, "word", &metadata, &content.state()).await;
        saved.note = format!("with {content}");
        acknowledged.fetch_add(u64::from(saved.is_success()), Relaxed);
        let is_answered = saved.status().is_some();
        writes.push((content, saved));
        if !is_answered {
            break;
        }
    }
    writes
}

fn metadata_field(writer: u64) -> String {
    format!("saves_by_{writer}")
}

/// A document after a crash.
#[derive(Clone, Debug)]
pub(super) struct Remains {
    story: Story,
    /// By restore.
    restored: Exchange,
    /// What that showed, and what is in the file.
    views: [Seen; 2],
}

/// Looks at every document, with the server back.
///
/// # Errors
/// Where the server does not answer.
pub(super) async fn look(stories: Vec<Story>, user: &mut User, folder: &SavesFolder) -> Result<Vec<Remains>, Stuck> {
    let mut remains = Vec::new();
    for story in stories {
        let mut restored = user.restore(&story.key).await;
        for _ in 1..LOOKS {
            if restored.status().is_none() {
                restored = user.restore(&story.key).await;
            }
        }
        let Some(by_restore) = Seen::by_restore(&restored) else {
            return Err(Stuck(format!("the server that was started again does not answer: {}", restored.step())));
        };
        let by_file = Seen::in_file(folder, &story.key);
        remains.push(Remains { story, restored, views: [by_restore, by_file] });
    }
    Ok(remains)
}

/// One crash.
#[derive(Clone, Debug)]
pub(super) struct Crash {
    /// What happened, and when, as a line of a counterexample.
    pub(super) what: Step,
    pub(super) documents: Vec<Remains>,
}

impl Remains {
    fn acknowledged(&self) -> impl Iterator<Item = &(Content, Exchange)> {
        self.story.writes.iter().filter(|(_, write)| write.is_success())
    }

    /// What is wrong with the document as it was seen, if anything is, and the acknowledged save that shows it.
    fn fault(&self, seen: &Seen) -> Option<(&'static str, Option<&Exchange>)> {
        let last = self.acknowledged().max_by_key(|(_, write)| write.to_us).map(|(_, write)| write);
        let (content, metadata) = match seen {
            Seen::Whole { content, metadata } => (content, metadata),
            Seen::Nothing => {
                return last.map(|last| ("an acknowledged save is lost: there is no document", Some(last)));
            }
            Seen::Broken { size_bytes: 0 } => {
                return last.map(|last| ("an acknowledged save is lost: the document is empty", Some(last)));
            }
            Seen::Broken { .. } => return Some(("a torn document: it is whole no longer", last)),
            Seen::Refused { .. } => return Some(("a document that cannot be restored any more", last)),
        };
        let Some((_, written)) = self.story.writes.iter().find(|(written, _)| written == content) else {
            return Some(("a document that nobody saved", last));
        };
        if !written.may_have_happened() {
            return Some(("a save that was refused is there", last));
        }
        if let Some((_, later)) = self.acknowledged().find(|(_, other)| written.precedes(other)) {
            return Some(("an acknowledged save is lost: an earlier document is back", Some(later)));
        }
        let forgotten = self.acknowledged().find(|(content, _)| {
            let shown = metadata.get(metadata_field(content.writer)).and_then(Value::as_u64);
            // An instantiate, number 0, has no such metadata.
            shown.unwrap_or(0) < content.number
        });
        forgotten.map(|(_, save)| ("an acknowledged save is lost: its metadata are not in the document", Some(save)))
    }

    /// What is wrong with the document, whichever way one looks, and the steps that show it.
    fn loss(&self, crash: &Step) -> Option<(&'static str, Vec<Step>)> {
        let [by_restore, by_file] = &self.views;
        self.fault(by_restore)?;
        // The file shows better what happened: to restore, half a document is none.
        let (name, witness) = self.fault(by_file)?;
        let mut steps: Vec<Step> = witness.map(Exchange::step).into_iter().collect();
        let under_way = self.story.writes.iter().filter(|(_, write)| write.status().is_none());
        steps.extend(under_way.take(2).map(|(_, write)| write.step()));
        steps.push(crash.clone());
        steps.push(self.restored.step());
        steps.push(Step::finding(format!("{}.json then holds", self.story.key), by_file.to_string()));
        steps.push(Step::finding("so", name));
        Some((name, steps))
    }
}

/// Crashes without a loss that are too few to say anything, and acknowledged saves that each must have had before it.
const FEWEST_CRASHES: usize = 2;
const FEWEST_SAVES: usize = SAVERS;

/// The verdict on crashes of a kind, named in the plural.
pub(super) fn judge(crashes: &[Crash], kind: &str) -> Finding {
    let losses: Vec<(&'static str, Vec<Step>)> = crashes
        .iter()
        .flat_map(|crash| crash.documents.iter().filter_map(|document| document.loss(&crash.what)))
        .collect();
    let saves = |crash: &Crash| crash.documents.iter().map(|document| document.acknowledged().count()).sum::<usize>();
    let telling = crashes.iter().filter(|crash| saves(crash) >= FEWEST_SAVES).count();
    let documents: usize = crashes.iter().map(|crash| crash.documents.len()).sum();
    let acknowledged: usize = crashes.iter().map(saves).sum();
    let finding = if let Some((name, steps)) = losses.first() {
        let summary = format!("{name} ({} of {documents} documents, in {} {kind})", losses.len(), crashes.len());
        Finding::refuted(summary, steps.clone())
    } else if telling < FEWEST_CRASHES {
        Finding::inconclusive(format!("only {telling} {kind} came after enough acknowledged saves to lose one"))
    } else {
        Finding::holds(format!(
            "{telling} {kind}: {acknowledged} acknowledged writes are all there, {documents} documents whole"
        ))
    };
    finding
        .measured("crashes", crashes.len())
        .measured("acknowledged", acknowledged)
        .measured("documents", documents)
        .measured("documents_with_a_loss", losses.len())
        .expected("documents_with_a_loss", 0)
}

#[cfg(test)]
mod tests {
    use super::*;
    use contract::{Failure, Operation};
    use engine::client::samples::exchange as sample;
    use record::claims::Verdict;
    use serde_json::json;

    const CREATED: Content = Content { writer: SAVERS as u64, number: 0, size_bytes: REAL_STATE_BYTES };

    fn content(writer: u64, number: u64) -> Content {
        Content { writer, number, size_bytes: REAL_STATE_BYTES }
    }

    /// Created, then saved by user 1 three times, one after the other: twice acknowledged, the last one as given.
    fn story(last: Result<u16, Failure>) -> Story {
        let save =
            |number, status| (content(1, number), sample(Operation::Save, number * 20, number * 20 + 10, status));
        let mut writes =
            vec![(CREATED, sample(Operation::Instantiate, 0, 10, 200)), save(1, 200), save(2, 200), save(3, 200)];
        match last {
            Ok(status) => writes[3] = save(3, status),
            Err(failure) => writes[3].1.outcome = Err(failure),
        }
        Story { key: "A4K".to_owned(), writes }
    }

    fn whole(content: Content, metadata: Value) -> Seen {
        Seen::Whole { content, metadata }
    }

    fn save_of_one(number: u64) -> Seen {
        whole(content(1, number), json!({ "saves_by_1": number }))
    }

    fn crash(story: Story, views: [Seen; 2]) -> Crash {
        let restored = sample(Operation::Restore, 900, 910, 200);
        Crash { what: Step::finding("SIGKILL", "now"), documents: vec![Remains { story, restored, views }] }
    }

    fn loss(last: Result<u16, Failure>, seen: &Seen) -> &'static str {
        let crash = crash(story(last), [seen.clone(), seen.clone()]);
        crash.documents[0].loss(&crash.what).map_or("", |(name, _)| name)
    }

    fn cut_off() -> Result<u16, Failure> {
        Err(Failure::Closed("reset".to_owned()))
    }

    #[test]
    fn the_last_acknowledged_save_must_be_there_and_one_that_was_cut_off_may_be() {
        assert_eq!(loss(Ok(200), &save_of_one(3)), "");
        assert_eq!((loss(cut_off(), &save_of_one(2)), loss(cut_off(), &save_of_one(3))), ("", ""));
        assert_eq!((loss(Ok(500), &save_of_one(2)), loss(Ok(500), &save_of_one(3))), ("", ""), "a 500 says nothing");
        assert!(loss(Ok(200), &save_of_one(2)).ends_with("an earlier document is back"));
        assert!(loss(cut_off(), &save_of_one(1)).ends_with("an earlier document is back"));
        assert!(loss(Ok(400), &save_of_one(3)).starts_with("a save that was refused"));
    }

    #[test]
    fn a_document_that_is_gone_empty_torn_or_nobodys_is_a_loss() {
        for (seen, name) in [
            (Seen::Nothing, "there is no document"),
            (Seen::Broken { size_bytes: 0 }, "the document is empty"),
            (Seen::Broken { size_bytes: 1_000 }, "a torn document: it is whole no longer"),
            (Seen::Refused { status: 500 }, "cannot be restored any more"),
            (save_of_one(9), "that nobody saved"),
        ] {
            assert!(loss(cut_off(), &seen).ends_with(name), "{seen}: {}", loss(cut_off(), &seen));
        }
    }

    #[test]
    fn concurrent_saves_may_come_in_any_order_but_none_may_be_forgotten() {
        let mut shared = story(Ok(200));
        // User 2 saves during the third save of user 1.
        shared.writes.push((content(2, 1), sample(Operation::Save, 65, 75, 200)));
        let both = json!({ "saves_by_1": 3, "saves_by_2": 1 });
        let name = |seen: Seen| {
            let crash = crash(shared.clone(), [seen.clone(), seen]);
            crash.documents[0].loss(&crash.what).map_or("", |(name, _)| name)
        };
        assert_eq!((name(whole(content(1, 3), both.clone())), name(whole(content(2, 1), both))), ("", ""));
        let one = json!({ "saves_by_1": 3 });
        assert!(name(whole(content(1, 3), one)).ends_with("its metadata are not in the document"));
    }

    #[test]
    fn what_one_of_two_views_shows_is_not_lost() {
        let crash = crash(story(Ok(200)), [Seen::Refused { status: 500 }, save_of_one(3)]);
        assert!(crash.documents[0].loss(&crash.what).is_none());
    }

    #[test]
    fn one_loss_refutes_and_crashes_with_nothing_to_lose_say_nothing() {
        let full = |seen: Seen| {
            let mut crash = crash(story(Ok(200)), [seen.clone(), seen]);
            let more = (0..FEWEST_SAVES as u64).map(|number| (content(3, number), sample(Operation::Save, 0, 1, 200)));
            let (mut remains, plenty) = (crash.documents[0].clone(), more.collect());
            remains.story = Story { key: "B4K".to_owned(), writes: plenty };
            let last = whole(content(3, 2), json!({ "saves_by_3": FEWEST_SAVES }));
            remains.views = [last.clone(), last];
            crash.documents.push(remains);
            crash
        };
        assert_eq!(judge(&[full(save_of_one(3)), full(save_of_one(3))], "kills").verdict, Verdict::Holds);
        let finding = judge(&[full(save_of_one(3)), full(Seen::Nothing)], "kills");
        assert_eq!((finding.verdict, finding.counterexample.len()), (Verdict::Refuted, 5));
        assert_eq!(judge(&[full(save_of_one(3))], "kills").verdict, Verdict::Inconclusive, "one is too few");
        let quiet = || crash(story(Ok(200)), [save_of_one(3), save_of_one(3)]);
        assert_eq!(judge(&[quiet(), quiet(), quiet()], "kills").verdict, Verdict::Inconclusive);
    }
}
