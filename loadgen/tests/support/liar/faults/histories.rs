//! The lies that only a whole history tells: how they store a save, and hand out a key. An honest server does it in one step.

use super::Lie;
use super::document::Object;
use super::keys::{Drawn, Key};
use super::store::{Liar, locked};
use super::wire::{INVALID_KEY, NO_ANSWER, OPEN_FAILED, Refusal};
use std::fs;
use std::sync::atomic::Ordering;
use std::time::Duration;
use tokio::time::sleep;

/// How long the middle of an operation lasts that has none on an honest server.
const MOMENT: Duration = Duration::from_millis(2);

/// `SavesTwice`: after how many saves one comes once more. More than a test has users: they were all sent afterwards.
const SAVES_BETWEEN: u32 = 20;

impl Liar {
    /// Whether this is the server's lie, and it is told now: each so-manieth time.
    pub(super) fn lies_each(&self, nth: u64, lie: Lie) -> bool {
        self.lies(lie) && (self.counted.fetch_add(1, Ordering::Relaxed) + 1).is_multiple_of(nth)
    }

    /// Stores what a save made of what was there before; its document's lock is held.
    pub(super) async fn store(&self, key: Key, before: Option<&[u8]>, content: &str) -> Result<(), Refusal> {
        match self.lie {
            Some(Lie::SavesInTwoSteps) => self.store_half(key, before, content).await?,
            Some(Lie::LaggingReplica) => return self.store_twice_over(key, before, content).await,
            Some(Lie::RemovesFirst) => {
                self.remove(key)?;
                sleep(MOMENT).await;
            }
            _ => {}
        }
        self.put(key, content)?;
        if self.lies_each(10, Lie::LosesDocuments) {
            self.remove(key)?;
        }
        if self.lies_each(10, Lie::RefusesAndStores) {
            return Err(INVALID_KEY);
        }
        if self.lies(Lie::SavesTwice) {
            return self.store_once_more(key, content);
        }
        Ok(())
    }

    /// `SavesInTwoSteps`: the first of them.
    async fn store_half(&self, key: Key, before: Option<&[u8]>, content: &str) -> Result<(), Refusal> {
        if let Some(half) = before.and_then(|before| with_notes_of(before, content)) {
            self.put(key, &half)?;
            sleep(MOMENT).await;
        }
        Ok(())
    }

    /// `LaggingReplica`: one copy after the other.
    async fn store_twice_over(&self, key: Key, before: Option<&[u8]>, content: &str) -> Result<(), Refusal> {
        locked(&self.memory).set_replica(key, before.map(<[u8]>::to_vec));
        let stored = self.put(key, content);
        sleep(MOMENT).await;
        locked(&self.memory).set_replica(key, None);
        stored
    }

    /// `StoresHalfBodies`: under the key that it begins with.
    pub(super) fn store_half_a_body(&self, came: &[u8]) {
        let text = String::from_utf8_lossy(came);
        let key = text.split("\"sessionKey\":\"").nth(1).and_then(|rest| Key::parse(rest.get(..3)?));
        if let Some(key) = key.filter(|_| self.lies(Lie::StoresHalfBodies)) {
            // Nobody is there to be told of an error.
            let _ = self.put(key, &text);
        }
    }

    /// `SavesTwice`: now and then a save has no answer, and comes once more when others have been stored over it.
    fn store_once_more(&self, key: Key, content: &str) -> Result<(), Refusal> {
        let earlier = locked(&self.memory).once_more(key);
        if let Some(earlier) = earlier {
            return self.put(key, &earlier);
        }
        let has_no_answer =
            self.lies_each(25, Lie::SavesTwice) && locked(&self.memory).keep_for_later(key, content, SAVES_BETWEEN);
        if has_no_answer { Err(NO_ANSWER) } else { Ok(()) }
    }

    /// Hands out a key.
    pub(super) async fn hand_out(&self) -> Drawn {
        match self.lie {
            Some(Lie::SharesKeys) => self.hand_out_together().await,
            Some(Lie::HandsOutLive) if self.lies_each(10, Lie::HandsOutLive) => {
                let live = locked(&self.memory).last();
                live.map_or_else(|| self.generate_key(), drawn)
            }
            _ => self.generate_key(),
        }
    }

    /// `SharesKeys`: to two who ask at once.
    async fn hand_out_together(&self) -> Drawn {
        let other = locked(&self.memory).set_on_its_way(None);
        if let Some(key) = other {
            return drawn(key);
        }
        let own = self.generate_key();
        locked(&self.memory).set_on_its_way(own.key.ok());
        sleep(MOMENT).await;
        locked(&self.memory).set_on_its_way(None);
        own
    }

    /// Removes a document that is there, if it is.
    fn remove(&self, key: Key) -> Result<(), Refusal> {
        match fs::remove_file(self.path(key)) {
            Err(error) if error.kind() != std::io::ErrorKind::NotFound => Err(OPEN_FAILED),
            _ => Ok(()),
        }
    }
}

fn drawn(key: Key) -> Drawn {
    Drawn { key: Ok(key), attempts: 1 }
}

/// A document with the notes of an earlier one.
fn with_notes_of(earlier: &[u8], content: &str) -> Option<String> {
    let mut document = Object::parse(content.as_bytes())?;
    let mut state = document.object("state")?;
    let earlier = Object::parse(earlier)?.object("state")?;
    state.set("notes", earlier.get("notes")?);
    let state = state.to_json();
    document.set("state", &state);
    Some(document.to_json())
}
