//! What can be seen of a document when all is quiet: what restore shows and, if the folder is known, the file.
//!
//! A fault of a single view is another claim's business. As to what is stored, only what no view shows is lost.

use super::SECOND_LOOK;
use super::judged::Story;
use super::posted::Shown;
use crate::lab::Lab;
use engine::client::{Exchange, User};
use record::step::Step;
use serde_json::Value;

/// The restores and documents seen when looking at one key.
#[derive(Clone)]
pub(super) struct Views {
    /// The restores: two if the first showed something wrong.
    pub(super) looks: Vec<Exchange>,
    /// Every document seen, and when, in µs since the run began.
    pub(super) documents: Vec<(u64, Shown)>,
}

impl Views {
    pub(super) async fn of(lab: &Lab, user: &mut User, key: &str) -> Self {
        let restored = user.restore(key).await;
        let by_restore = restored.data().and_then(|data| Shown::parse(data.get()));
        let by_file = lab.folder.as_ref().and_then(|folder| Shown::parse(&folder.document(key)?));
        let seen = by_restore.into_iter().chain(by_file);
        Self { documents: seen.map(|shown| (restored.to_us, shown)).collect(), looks: vec![restored] }
    }

    /// Looks once more, a while later: a restore that was stale before may be right by then.
    pub(super) async fn look_again(&mut self, lab: &Lab, user: &mut User, key: &str) {
        tokio::time::sleep(SECOND_LOOK).await;
        let later = Self::of(lab, user, key).await;
        self.looks.extend(later.looks);
        self.documents.extend(later.documents);
    }

    /// Whether it says anything: a document was seen, or a restore clearly reported none, or an unreadable one.
    pub(super) fn is_known(&self) -> bool {
        !self.documents.is_empty() || self.looks.iter().any(says_something)
    }

    /// The metadata of the first document seen.
    pub(super) fn metadata(&self) -> Value {
        self.documents.first().map(|(_, shown)| shown.metadata.clone()).unwrap_or_default()
    }

    /// The fault of the first document, if every document seen has one.
    pub(super) fn in_all(&self, fault: impl Fn(&Shown) -> Option<String>) -> Option<String> {
        let faults: Option<Vec<String>> = self.documents.iter().map(|(_, shown)| fault(shown)).collect();
        faults?.into_iter().next()
    }

    /// The restores as steps of a counterexample, and what they show.
    pub(super) fn steps(&self, found: &str) -> Vec<Step> {
        let mut steps: Vec<Step> = self.looks.iter().map(Exchange::step).collect();
        steps.push(Step::finding("the document then", found));
        steps
    }

    /// Adds what was seen to a story: nothing if some view fits by itself, and everything if none does.
    pub(super) fn add_unless_one_fits(&self, story: &mut Story) {
        let looked = |story: &Story, (at_us, shown): &(u64, Shown)| {
            let mut story = story.clone();
            story.add_look(*at_us, shown.content, Step::finding("the state, when all is quiet", words(shown)));
            story
        };
        if self.documents.is_empty() {
            self.looks.iter().for_each(|restored| story.add(restored, None));
        } else if self.documents.iter().all(|seen| looked(story, seen).fault().is_some()) {
            *story = self.documents.iter().fold(story.clone(), |story, seen| looked(&story, seen));
        }
    }
}

fn says_something(restored: &Exchange) -> bool {
    let mut story = Story::default();
    story.add(restored, None);
    !story.is_empty()
}

pub(super) fn words(shown: &Shown) -> String {
    shown.content.map_or("no whole one of those saved".to_owned(), |content| content.to_string())
}
