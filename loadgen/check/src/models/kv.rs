//! A map from keys to strings, with get, put and append. Each key is independent of the others.

use crate::linearizability::Model;
use std::collections::HashMap;
use std::hash::{Hash, Hasher};
use std::sync::Arc;

/// One key's string, at first empty. All operations are to be of that key.
#[derive(Clone, Debug, Default)]
pub struct OneKey {
    answers: Answers,
}

/// The whole map, at first with an empty string under every key.
#[derive(Clone, Debug, Default)]
pub struct AllKeys {
    answers: Answers,
}

impl OneKey {
    /// The model for just these operations, which is faster than the default, for any.
    pub fn of<'a>(operations: impl IntoIterator<Item = &'a Operation>) -> Self {
        Self { answers: Answers::of(operations) }
    }
}

impl AllKeys {
    /// The model for just these operations, which is faster than the default, for any.
    pub fn of<'a>(operations: impl IntoIterator<Item = &'a Operation>) -> Self {
        Self { answers: Answers::of(operations) }
    }
}

/// The answers of all gets of a history.
///
/// A text with which no answer begins is *lost*: nothing appended to it makes it an answer, so until a put all such
/// texts behave alike, and are one state. Wrong orders of appends, of which there are many, come to the same.
#[derive(Clone, Debug, Default)]
struct Answers {
    /// By key, in order. `None`: they are not known, and nothing is lost.
    by_key: Option<HashMap<u32, Vec<Arc<str>>>>,
}

impl Answers {
    fn of<'a>(operations: impl IntoIterator<Item = &'a Operation>) -> Self {
        let mut by_key: HashMap<u32, Vec<Arc<str>>> = HashMap::new();
        for operation in operations {
            if let Action::Get(Some(answer)) = &operation.action {
                by_key.entry(operation.key).or_default().push(answer.clone());
            }
        }
        by_key.values_mut().for_each(|answers| answers.sort_unstable());
        Self { by_key: Some(by_key) }
    }

    /// Whether no answer begins with a text.
    fn have_lost(&self, key: u32, text: &str) -> bool {
        let Some(by_key) = &self.by_key else { return false };
        let answers = by_key.get(&key).map_or(&[][..], Vec::as_slice);
        // Those that begin with it follow it in the order.
        let at = answers.partition_point(|answer| **answer < *text);
        answers.get(at).is_none_or(|answer| !answer.starts_with(text))
    }
}

/// What was asked of a map, and what was answered.
#[derive(Clone, Debug, PartialEq, Eq, Hash)]
pub struct Operation {
    /// The number of the key.
    pub key: u32,
    /// What was done with it.
    pub action: Action,
}

/// What was done with a key.
#[derive(Clone, Debug, PartialEq, Eq, Hash)]
pub enum Action {
    /// A get that returned this, or of which that is not known.
    Get(Option<Arc<str>>),
    /// The string was replaced.
    Put(Arc<str>),
    /// The string was made longer.
    Append(Arc<str>),
}

impl Operation {
    /// The text that a text is after this; `None` where the answer is not right.
    fn step(&self, text: &Text, answers: &Answers) -> Option<Text> {
        let next = match (&self.action, &text.content) {
            (Action::Get(Some(answer)), Some(content)) => return (answer == content).then(|| text.clone()),
            (Action::Get(Some(_)), None) => return None,
            (Action::Put(new), _) => Text { hash: hash_on(Text::EMPTY, new), content: Some(new.clone()) },
            (Action::Append(piece), Some(content)) if !piece.is_empty() => {
                Text { hash: hash_on(text.hash, piece), content: Some([content, &**piece].concat().into()) }
            }
            (Action::Get(None) | Action::Append(_), _) => return Some(text.clone()),
        };
        let is_lost = next.content.as_ref().is_some_and(|content| answers.have_lost(self.key, content));
        Some(if is_lost { Text::LOST } else { next })
    }
}

impl Action {
    fn is_read_only(&self) -> bool {
        match self {
            Self::Get(_) => true,
            Self::Put(_) => false,
            Self::Append(piece) => piece.is_empty(),
        }
    }

    fn commutes_with(&self, other: &Self) -> bool {
        self == other || self.is_read_only() && other.is_read_only()
    }
}

/// A string with its hash, which is worked out piece by piece.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Text {
    hash: u64,
    /// `None` where no answer begins with it, whatever it is.
    content: Option<Arc<str>>,
}

impl Text {
    const EMPTY: u64 = 0;
    const LOST: Self = Self { hash: u64::MAX, content: None };

    /// The string, if any answer can be made of it.
    #[must_use]
    pub fn as_str(&self) -> Option<&str> {
        self.content.as_deref()
    }

    fn heap_bytes(&self) -> usize {
        self.content.as_ref().map_or(0, |content| content.len())
    }
}

impl Default for Text {
    fn default() -> Self {
        Self { hash: Self::EMPTY, content: Some(Arc::default()) }
    }
}

impl Hash for Text {
    fn hash<H: Hasher>(&self, state: &mut H) {
        state.write_u64(self.hash);
    }
}

/// An odd number whose bits are in no order.
const SPREAD: u64 = 0x9e37_79b9_7f4a_7c15;

/// A polynomial in the bytes, so that it is the same in however many pieces they come.
fn hash_on(hash: u64, piece: &str) -> u64 {
    piece.bytes().fold(hash, |hash, byte| hash.wrapping_mul(SPREAD).wrapping_add(u64::from(byte) + 1))
}

impl Model for OneKey {
    type State = Text;
    type Operation = Operation;

    fn initial(&self) -> Text {
        Text::default()
    }

    fn step(&self, text: &Text, operation: &Operation) -> Option<Text> {
        operation.step(text, &self.answers)
    }

    fn is_read_only(&self, operation: &Operation) -> bool {
        operation.action.is_read_only()
    }

    fn commute(&self, one: &Operation, other: &Operation) -> bool {
        one.action.commutes_with(&other.action)
    }

    fn heap_bytes(&self, text: &Text) -> usize {
        text.heap_bytes()
    }
}

/// The texts of all keys. A map that was changed shares with the one before it all but the way to the change.
#[derive(Clone, Debug, Default)]
pub struct Texts {
    /// Of all texts, in no order.
    hash: u64,
    root: Option<Arc<Node>>,
    /// What it does not share with the one before it.
    own_bytes: usize,
}

/// A tree: of the keys under a node one is its own, and of the rest the even ones are on one side, halved, the odd
/// ones on the other.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
struct Node {
    text: Text,
    sides: [Option<Arc<Node>>; 2],
}

impl PartialEq for Texts {
    fn eq(&self, other: &Self) -> bool {
        // What both share is equal without a look, as `Arc` compares addresses first.
        self.hash == other.hash && self.root == other.root
    }
}

impl Eq for Texts {}

impl Hash for Texts {
    fn hash<H: Hasher>(&self, state: &mut H) {
        state.write_u64(self.hash);
    }
}

impl Texts {
    /// The text of a key, if it was ever written.
    #[must_use]
    pub fn get(&self, key: u32) -> Option<&Text> {
        let mut node = self.root.as_deref()?;
        for side in way_to(key) {
            node = node.sides[side].as_deref()?;
        }
        Some(&node.text)
    }

    fn with(&self, key: u32, text: Text) -> Self {
        let before = self.get(key).map_or(0, |before| hash_under(key, before));
        let hash = self.hash.wrapping_sub(before).wrapping_add(hash_under(key, &text));
        let mut own_bytes = text.heap_bytes();
        let mut root = self.root.clone();
        let mut node = own(&mut root, &mut own_bytes);
        for side in way_to(key) {
            node = own(&mut node.sides[side], &mut own_bytes);
        }
        node.text = text;
        Self { hash, root, own_bytes }
    }
}

/// A node that may be changed: a copy, or a new one.
fn own<'a>(node: &'a mut Option<Arc<Node>>, own_bytes: &mut usize) -> &'a mut Node {
    *own_bytes += size_of::<Node>();
    Arc::make_mut(node.get_or_insert_default())
}

/// The sides to take from the root to a key's node: the digits of the key's successor but for the highest.
fn way_to(key: u32) -> impl Iterator<Item = usize> {
    let place = u64::from(key) + 1;
    (0..place.ilog2()).map(move |digit| usize::from(place >> digit & 1 == 1))
}

/// The part of a text in the hash of all. An empty one has none, as if it had never been written.
fn hash_under(key: u32, text: &Text) -> u64 {
    let product = (u64::from(key) + 1).wrapping_mul(SPREAD);
    (product ^ product >> 32).wrapping_mul(text.hash)
}

impl Model for AllKeys {
    type State = Texts;
    type Operation = Operation;

    fn initial(&self) -> Texts {
        Texts::default()
    }

    fn step(&self, texts: &Texts, operation: &Operation) -> Option<Texts> {
        let empty = Text::default();
        let text = texts.get(operation.key).unwrap_or(&empty);
        let next = operation.step(text, &self.answers)?;
        Some(if next == *text { texts.clone() } else { texts.with(operation.key, next) })
    }

    fn is_read_only(&self, operation: &Operation) -> bool {
        operation.action.is_read_only()
    }

    fn commute(&self, one: &Operation, other: &Operation) -> bool {
        one.key != other.key || one.action.commutes_with(&other.action)
    }

    fn heap_bytes(&self, texts: &Texts) -> usize {
        texts.own_bytes
    }
}

#[cfg(test)]
mod tests;
