//! Histories of registers and maps that others recorded.

use super::Judged;
use check::linearizability::{Budget, Call, Limit, Model, Piece, Verdict, check, partition, smallest};
use check::models::{kv, register};
use record::formats::{FormatError, jepsen_register};
use report::timeline::{Bar, Placed, Timeline, Unit};

/// What a search may use, in bytes, and when it must stop.
pub struct Limits<'a> {
    /// Memory for one search, bytes.
    pub memory_bytes: usize,
    /// Says whether to stop now.
    pub must_stop: &'a mut dyn FnMut() -> bool,
}

/// Times that a search for the longest order may be asked whether it must stop, and its memory, bytes.
const MOST_QUESTIONS: u32 = 50;
const ORDER_BYTES: usize = 256 << 20;

/// What an operation was, in words: its name, what was sent, what came back.
type Words = (&'static str, String, String);

/// Judges a Jepsen log of one compare-and-set register.
///
/// # Errors
/// Where a line is malformed.
pub fn judge_register(text: &str, limits: &mut Limits<'_>) -> Result<Judged, FormatError> {
    let calls = jepsen_register::parse(text)?;
    let object = Object { title: "the register".to_owned(), words: register_words, state_words: value_words };
    Ok(judge(register::Register, calls, object, limits))
}

/// Judges a history of a map, key by key.
///
/// # Errors
/// Where a line is malformed.
pub fn judge_kv(text: &str, limits: &mut Limits<'_>) -> Result<Judged, FormatError> {
    let history = record::formats::kv::parse(text)?;
    let mut whole = Judged { is_linearizable: Some(true), ..Judged::default() };
    for part in partition(&history.calls, |operation| operation.key) {
        let calls: Vec<Call<kv::Operation>> = part.into_iter().map(|index| history.calls[index].clone()).collect();
        let key = calls.first().map_or(0, |call| call.operation.key);
        let name = history.keys.get(key as usize).map_or("", |name| name);
        let object = Object { title: format!("key {name:?}"), words: kv_words, state_words: text_words };
        let model = kv::OneKey::of(calls.iter().map(|call| &call.operation));
        whole.add(judge(model, calls, object, limits));
    }
    Ok(whole)
}

impl Judged {
    /// Adds what is to be said of another part: the whole is right where each part is.
    fn add(&mut self, part: Self) {
        self.is_linearizable = match (self.is_linearizable, part.is_linearizable) {
            (Some(false), _) | (_, Some(false)) => Some(false),
            (Some(true), Some(true)) => Some(true),
            _ => None,
        };
        self.operations += part.operations;
        self.remarks.extend(part.remarks);
        self.counterexamples.extend(part.counterexamples);
    }
}

/// How an object and what is done with it are named.
struct Object<M: Model> {
    title: String,
    words: fn(&M::Operation) -> Words,
    state_words: fn(&M::State) -> String,
}

fn judge<M>(model: M, calls: Vec<Call<M::Operation>>, object: Object<M>, limits: &mut Limits<'_>) -> Judged
where
    M: Model + 'static,
    M::Operation: Clone,
{
    let mut budget = Budget::new(limits.memory_bytes, &mut *limits.must_stop);
    let mut judged = Judged { operations: calls.len() as u64, ..Judged::default() };
    match check(&model, &calls, &mut budget) {
        Verdict::Linearizable { .. } => judged.is_linearizable = Some(true),
        Verdict::NotLinearizable { .. } => {
            judged.is_linearizable = Some(false);
            judged.remarks.push(format!("{}: no order explains its operations", object.title));
            judged.counterexamples.push(Box::new(move || counterexample(&model, &calls, &object)));
        }
        Verdict::Undecided { why } => judged.remarks.push(undecided(&object.title, why)),
    }
    judged
}

fn undecided(title: &str, why: Limit) -> String {
    format!("{title}: not decided, as {why}")
}

fn counterexample<M: Model>(model: &M, calls: &[Call<M::Operation>], object: &Object<M>) -> Timeline
where
    M::Operation: Clone,
{
    let piece = smallest(model, calls);
    let (order, misfits) = longest_order(model, calls, &piece);
    // Of those of which little is held, those are shown that the order needs.
    let mut shown: Vec<usize> =
        piece.core.iter().chain(order.iter().filter(|index| !piece.core.contains(index))).copied().collect();
    shown.sort_unstable();
    let place_of = |index: &usize| shown.binary_search(index).unwrap_or_default();
    let mut state = model.initial();
    let initial_state = (object.state_words)(&state);
    let mut place = |index: &usize| {
        state = model.step(&state, &calls[*index].operation)?;
        Some(Placed { operation: place_of(index), state: (object.state_words)(&state) })
    };
    let order: Vec<Placed> = order.iter().map_while(&mut place).collect();
    let hidden = calls.len() - shown.len();
    Timeline {
        title: format!("No order explains what {} answered", object.title),
        summary: story(piece.core.len(), calls.len() - piece.core.len()),
        unit: Unit::Lines,
        operations: shown.iter().map(|&index| bar(&calls[index], object, piece.core.contains(&index))).collect(),
        order,
        misfits: misfits.iter().map(place_of).collect(),
        initial_state,
        hidden,
    }
}

/// The longest order of a piece's calls, and those of which one has to come next and cannot.
fn longest_order<M: Model>(model: &M, calls: &[Call<M::Operation>], piece: &Piece) -> (Vec<usize>, Vec<usize>)
where
    M::Operation: Clone,
{
    for ghosts in [&piece.ghosts[..], &[]] {
        let indices: Vec<usize> = piece.core.iter().chain(ghosts).copied().collect();
        let part: Vec<Call<M::Operation>> = indices
            .iter()
            .map(|index| Call {
                returned: calls[*index].returned.filter(|_| piece.core.contains(index)),
                ..calls[*index].clone()
            })
            .collect();
        let mut questions = 0;
        let mut budget = Budget::new(ORDER_BYTES, || {
            questions += 1;
            questions > MOST_QUESTIONS
        });
        if let Verdict::NotLinearizable { longest, blocked } = check(model, &part, &mut budget) {
            let indices_of = |places: Vec<usize>| places.into_iter().map(|place| indices[place]).collect();
            return (indices_of(longest), indices_of(blocked));
        }
    }
    (Vec::new(), Vec::new())
}

fn story(core: usize, others: usize) -> Vec<String> {
    let mut story = vec![format!(
        "No order of these {core} operations, in which each takes effect between its call and its answer, gives the answers \
         that were given: after the longest one that does, the marked operation has to come next, and does not fit."
    )];
    if others > 0 {
        story
            .push(format!("That holds whatever the other {others} operations did; without any of these it would not."));
    }
    story
}

fn bar<M: Model>(call: &Call<M::Operation>, object: &Object<M>, is_core: bool) -> Bar {
    let (name, input, output) = (object.words)(&call.operation);
    let output = if is_core { output } else { "may have happened".to_owned() };
    Bar {
        process: format!("process {}", call.process),
        name: name.to_owned(),
        input,
        output,
        called: call.called,
        returned: call.returned.filter(|_| is_core),
    }
}

fn register_words(operation: &register::Operation) -> Words {
    use register::{Operation, Outcome};
    match operation {
        Operation::Read(value) => ("read", String::new(), value_words(value)),
        Operation::ReadOfUnknown => ("read", String::new(), "unknown".to_owned()),
        Operation::Write(value) => ("write", value.to_string(), String::new()),
        Operation::CompareAndSet { from, to, outcome } => {
            let outcome = match outcome {
                Outcome::Written => "written",
                Outcome::Refused => "refused",
                Outcome::Unknown => "unknown",
            };
            ("cas", format!("{from} → {to}"), outcome.to_owned())
        }
    }
}

#[allow(clippy::ref_option, reason = "it is the register's state, as the model has it")]
fn value_words(value: &Option<i64>) -> String {
    value.map_or("nil".to_owned(), |value| value.to_string())
}

fn kv_words(operation: &kv::Operation) -> Words {
    match &operation.action {
        kv::Action::Get(value) => ("get", String::new(), value.as_deref().map_or("unknown".to_owned(), quoted)),
        kv::Action::Put(value) => ("put", quoted(value), String::new()),
        kv::Action::Append(value) => ("append", quoted(value), String::new()),
    }
}

fn quoted(text: &str) -> String {
    format!("{text:?}")
}

fn text_words(text: &kv::Text) -> String {
    text.as_str().map_or_else(|| "a text that no get returned the beginning of".to_owned(), quoted)
}
