//! A counterexample in words.

use check::anomaly::Anomaly;
use check::documents::access::{Access, HARNESS, Kind, NEVER, SAVES_FOLDER};
use check::documents::counterexample::Counterexample;

/// Sentences of a story: whoever wants more has the picture.
const MOST_SENTENCES: usize = 12;

/// Who did it, by name.
#[must_use]
pub fn who(access: &Access) -> String {
    match access.process {
        SAVES_FOLDER => "saves folder".to_owned(),
        HARNESS => "the harness".to_owned(),
        user => format!("user {user}"),
    }
}

/// What happened, a sentence each, and why it cannot be.
#[must_use]
pub fn story(counterexample: &Counterexample) -> Vec<String> {
    let accesses = &counterexample.accesses;
    let mut story: Vec<String> = accesses.iter().take(MOST_SENTENCES).map(sentence).collect();
    if accesses.len() > MOST_SENTENCES {
        story.push(format!("{} more follow.", accesses.len() - MOST_SENTENCES));
    }
    story.push(format!("{} No order of these operations explains it.", meaning(counterexample.anomaly)));
    if counterexample.hidden > 0 {
        let others = counterexample.hidden;
        story.push(format!(
            "That holds whatever the other {others} operations on this key did; without any of these it would not."
        ));
    }
    story
}

fn sentence(access: &Access) -> String {
    let (who, sent) = (who(access), moment(access.called_us));
    let what = match access.kind {
        Kind::Handed => "asked for a key and was handed this one".to_owned(),
        Kind::Created(content) => format!("instantiated it with {content} and was told \"created\""),
        Kind::Existed(Some(content)) => format!("instantiated it with {content} and was told that it exists"),
        Kind::Existed(None) => "instantiated it and was told that it exists".to_owned(),
        Kind::MayCreate(content) => format!("instantiated it with {content} and got no clear answer"),
        Kind::Saved(content) => format!("saved {content}, which was acknowledged"),
        Kind::MaySave(content) => format!("saved {content} and got no clear answer"),
        Kind::Refused(content) => format!("sent {content}, which was refused"),
        Kind::Shows(content) => format!("restored it and was shown {content}"),
        Kind::ShowsNone => "restored it and was told that there is none".to_owned(),
        Kind::Unreadable => "restored it and was told that it cannot be read".to_owned(),
        Kind::Torn => "restored it and was shown no whole document".to_owned(),
        Kind::Unlisted => "listed all documents and was not shown it".to_owned(),
        Kind::Deleted => "deleted it and was told \"deleted\"".to_owned(),
        Kind::DeletesNone => "deleted it and was told that there is none".to_owned(),
        Kind::MayDelete => "deleted it and got no clear answer".to_owned(),
    };
    match access.returned_us {
        NEVER => format!("At {sent} {who} {what}."),
        returned_us => format!("From {sent} to {} {who} {what}.", moment(returned_us)),
    }
}

/// Seconds since the run's start.
fn moment(us: u64) -> String {
    format!("{}.{:06} s", us / 1_000_000, us % 1_000_000)
}

/// What an anomaly is, in a sentence.
#[must_use]
pub fn meaning(anomaly: Anomaly) -> &'static str {
    match anomaly {
        Anomaly::DuplicateKey => "Both were handed the key, and both use it.",
        Anomaly::KeyChangedOwners => {
            "The key was handed out while its document was there, or it shows another's document."
        }
        Anomaly::TornRead => "What was shown is no whole document.",
        Anomaly::StaleRead => "What was shown had been replaced before it was asked for.",
        Anomaly::NonMonotonicRead => "What was shown is older than what had been shown before.",
        Anomaly::IntermediateRead => "The document was there before and after, and not in between.",
        Anomaly::AbortedRead => "What was shown had been refused.",
        Anomaly::NeverWritten => "What was shown had not been written by anybody.",
        Anomaly::LostUpdate => {
            "The save was acknowledged, and nobody could ever read it: the document went on without it."
        }
        Anomaly::AcknowledgedThenLost => "The document was acknowledged, not deleted, and is gone.",
        Anomaly::WriteToUnlinkedFile => "The save was acknowledged after the delete, and went nowhere.",
        Anomaly::ResurrectedDocument => "The document was deleted, and is back.",
        Anomaly::AppliedTwice => "It can happen once, and happened twice.",
        Anomaly::UnreadableDocument => "The document was there throughout, and could not be read.",
        Anomaly::MissingFromList => "The document was there throughout, and was not listed.",
        Anomaly::ListedAfterDelete => "The document was deleted, and was listed afterwards.",
        Anomaly::WrongListEntry
        | Anomaly::ChangedDocument
        | Anomaly::InvalidKey
        | Anomaly::MalformedAnswer
        | Anomaly::WrongStatus
        | Anomaly::ValidRequestRefused
        | Anomaly::NotLinearizable => "",
    }
}
