//! How a save is stored, and a key handed out. An honest server does each in one step.

use super::super::Lie;
use super::super::document::Object;
use super::super::keys::{Drawn, Key};
use super::super::store::{Liar, locked};
use super::super::wire::{EXHAUSTED, INVALID_KEY, NO_ANSWER, OPEN_FAILED, Refusal};
use std::fs;
use std::time::Duration;
use tokio::time::sleep;

/// How long the middle of an operation lasts that has none on an honest server.
const MOMENT: Duration = Duration::from_millis(2);

/// `SavesTwice`: after how many saves one comes once more. More than a test has users: they were all sent afterwards.
const SAVES_BETWEEN: u32 = 20;

/// `ExhaustedEarly`: the number of attempts that it reports.
const MOST_ATTEMPTS: u32 = 100;

impl Liar {
    /// Stores what a save made of what was there before; its document's lock is held.
    pub(in super::super) async fn store(&self, key: Key, before: Option<&[u8]>, content: &str) -> Result<(), Refusal> {
        match self.telling.lie {
            Some(Lie::SavesInTwoSteps) => self.store_half(key, before, content).await?,
            Some(Lie::LaggingReplica) => return self.store_twice_over(key, before, content).await,
            Some(Lie::RemovesFirst) => {
                self.remove(key)?;
                self.told();
                sleep(MOMENT).await;
            }
            _ => {}
        }
        self.put(key, content)?;
        if self.tells(Lie::LosesDocuments) {
            self.remove(key)?;
        }
        if self.tells(Lie::RefusesAndStores) {
            return Err(INVALID_KEY);
        }
        match self.telling.lie {
            Some(Lie::SavesTwice) => self.store_once_more(key, content, SAVES_BETWEEN),
            Some(Lie::ComesOnceMore) => self.store_once_more(key, content, 1),
            _ => Ok(()),
        }
    }

    /// `SavesInTwoSteps`: the first of them.
    async fn store_half(&self, key: Key, before: Option<&[u8]>, content: &str) -> Result<(), Refusal> {
        if let Some(half) = before.and_then(|before| with_notes_of(before, content)) {
            self.put(key, &half)?;
            self.told();
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
    pub(in super::super) fn store_half_a_body(&self, came: &[u8]) {
        let text = String::from_utf8_lossy(came);
        let key = text.split("\"sessionKey\":\"").nth(1).and_then(|rest| Key::parse(rest.get(..3)?));
        if let Some(key) = key.filter(|_| self.tells(Lie::StoresHalfBodies)) {
            // Nobody is there to be told of an error.
            let _ = self.put(key, &text);
        }
    }

    /// `SavesTwice`, `ComesOnceMore`: now and then a save is applied again after others have been stored over it. With
    /// `SavesTwice` it has no response the first time.
    fn store_once_more(&self, key: Key, content: &str, saves_between: u32) -> Result<(), Refusal> {
        let earlier = locked(&self.memory).once_more(key);
        if let Some(earlier) = earlier {
            if self.lies(Lie::ComesOnceMore) {
                drop(locked(&self.memory).set_to_come(key, Some(earlier)));
                return Ok(());
            }
            self.told();
            return self.put(key, &earlier);
        }
        let is_kept = self.is_time() && locked(&self.memory).keep_for_later(key, content, saves_between);
        if is_kept && self.lies(Lie::SavesTwice) { Err(NO_ANSWER) } else { Ok(()) }
    }

    /// `ComesOnceMore`: an earlier save is applied over the document just shown, unless somebody is writing.
    pub(in super::super) fn come_once_more(&self, key: Key, shown: &[u8]) {
        let Ok(_held) = self.locks[key.index()].try_lock() else { return };
        if self.read(key).is_ok_and(|content| content.as_deref() == Some(shown))
            && let Some(earlier) = locked(&self.memory).set_to_come(key, None)
        {
            self.told();
            // If storing fails, the save is not applied again.
            let _ = self.put(key, &earlier);
        }
    }

    /// Hands out a key.
    pub(in super::super) async fn hand_out(&self) -> Drawn {
        match self.telling.lie {
            Some(Lie::SharesKeys) => self.hand_out_together().await,
            Some(Lie::HandsOutLive) => {
                let live = locked(&self.memory).last().filter(|_| self.tells(Lie::HandsOutLive));
                live.map_or_else(|| self.generate_key(), drawn)
            }
            Some(Lie::SameKeyTwice) => self.hand_out_twice(),
            Some(Lie::ExhaustedEarly) if self.tells(Lie::ExhaustedEarly) => {
                Drawn { key: Err(EXHAUSTED), attempts: MOST_ATTEMPTS }
            }
            _ => self.generate_key(),
        }
    }

    /// `SharesKeys`: to two who ask at once.
    async fn hand_out_together(&self) -> Drawn {
        let other = locked(&self.memory).set_on_its_way(None);
        if let Some(key) = other {
            self.told();
            return drawn(key);
        }
        let own = self.generate_key();
        locked(&self.memory).set_on_its_way(own.key.ok());
        sleep(MOMENT).await;
        locked(&self.memory).set_on_its_way(None);
        own
    }

    /// `SameKeyTwice`: the key handed out last, or a new one.
    fn hand_out_twice(&self) -> Drawn {
        let last = locked(&self.memory).set_handed_out(None).filter(|_| self.tells(Lie::SameKeyTwice));
        if let Some(key) = last {
            return drawn(key);
        }
        let own = self.generate_key();
        locked(&self.memory).set_handed_out(own.key.ok());
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
