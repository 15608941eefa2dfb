//! How a handed-out key is written.

use super::super::Lie;
use super::super::keys::Key;
use super::super::store::Liar;

impl Liar {
    /// generate-key's response in place of a key.
    pub(in super::super) fn misspelt(&self, key: Key) -> String {
        let key = key.to_string();
        let Some(lie) = self.telling.lie else { return key };
        let wrong = match lie {
            Lie::LowerCaseKey => key.to_lowercase(),
            Lie::FourCharacterKey => format!("{key}A"),
            Lie::SpaceInKey => format!("{} {}", &key[..1], &key[2..]),
            _ => return key,
        };
        if wrong != key && self.tells(lie) { wrong } else { key }
    }
}
