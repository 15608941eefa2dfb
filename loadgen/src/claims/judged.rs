//! Exchanges about one document, judged by the one definition of right: whether an order explains them.

use super::answers::wrong_by_itself;
use check::anomaly::Anomaly;
use check::documents::access::{Access, Content, Kind, NEVER, SAVES_FOLDER};
use check::documents::counterexample::Counterexample;
use check::documents::judge;
use contract::Operation;
use contract::document;
use contract::had_no_effect;
use contract::response::is_unreadable;
use engine::client::Exchange;
use record::step::Step;

/// All that was done to a document, and what its file was found to hold.
#[derive(Clone, Debug, Default)]
pub(super) struct Story {
    told: Vec<(Access, Step)>,
    /// The first response that is wrong whatever else was done.
    wrong: Option<(Anomaly, Step)>,
}

/// What is wrong with a story.
#[derive(Debug, Default)]
pub(super) struct Judged {
    /// All anomalies.
    pub(super) anomalies: Vec<Anomaly>,
    /// The first anomaly, and the exchanges that show it.
    pub(super) first: Option<(Anomaly, Vec<Step>)>,
}

impl Story {
    /// Adds an exchange, with the content that it wrote or was shown. One that says nothing of the document is left out.
    pub(super) fn add(&mut self, exchange: &Exchange, content: Option<document::Content>) {
        if let Some(anomaly) = wrong_by_itself(exchange) {
            self.add_wrong(anomaly, exchange.step());
        }
        self.add_cut(exchange, content);
    }

    /// Adds an exchange whose request may not have arrived as it was sent, so that a refusal accuses nobody.
    pub(super) fn add_cut(&mut self, exchange: &Exchange, content: Option<document::Content>) {
        let Some(kind) = kind(exchange, content.map(known)) else { return };
        let is_open = matches!(kind, Kind::MayCreate(_) | Kind::MaySave(_) | Kind::MayDelete);
        let access = Access {
            process: u32::try_from(exchange.user).unwrap_or(SAVES_FOLDER),
            called_us: exchange.from_us,
            returned_us: if is_open { NEVER } else { exchange.to_us },
            kind,
        };
        self.told.push((access, exchange.step()));
    }

    /// Adds a look at the document, by whatever way, at a time: a content, or something that is no whole document.
    pub(super) fn add_look(&mut self, at_us: u64, content: Option<document::Content>, step: Step) {
        let kind = content.map_or(Kind::Torn, |content| Kind::Shows(known(content)));
        self.told.push((look(at_us, kind), step));
    }

    /// Adds something that is wrong whatever else was done.
    pub(super) fn add_wrong(&mut self, anomaly: Anomaly, step: Step) {
        self.wrong.get_or_insert((anomaly, step));
    }

    /// Adds that a document was there, at a time.
    pub(super) fn add_presence(&mut self, at_us: u64, step: Step) {
        self.told.push((look(at_us, Kind::Existed(None)), step));
    }

    /// Whether nothing is known about the document.
    pub(super) fn is_empty(&self) -> bool {
        self.told.is_empty()
    }

    /// What is wrong first, if anything is, and the exchanges that show it.
    pub(super) fn fault(&self) -> Option<(Anomaly, Vec<Step>)> {
        self.judged().first
    }

    /// All that is wrong: first what no order explains, then what is wrong by itself.
    pub(super) fn judged(&self) -> Judged {
        let mut told: Vec<&(Access, Step)> = self.told.iter().collect();
        told.sort_by_key(|(access, _)| (access.called_us, access.returned_us));
        let accesses: Vec<Access> = told.iter().map(|(access, _)| *access).collect();
        let judgement = judge(&accesses);
        let wrong = &judgement.wrong;
        let anomalies = wrong.iter().map(|(_, anomaly)| *anomaly).chain(self.wrong.iter().map(|(anomaly, _)| *anomaly));
        let anomalies = anomalies.collect();
        let Some(&(misfit, anomaly)) = wrong.first() else {
            let first = self.wrong.clone().map(|(anomaly, step)| (anomaly, vec![step]));
            return Judged { anomalies, first };
        };
        let misfits = judgement.misfits();
        let smallest = Counterexample::new("", anomaly, &accesses, misfit, &misfits)
            .map_or_else(|| vec![accesses[misfit]], |counterexample| counterexample.accesses);
        let steps = told.iter().filter(|(access, _)| smallest.contains(access)).map(|(_, step)| step.clone());
        Judged { anomalies, first: Some((anomaly, steps.collect())) }
    }
}

fn look(at_us: u64, kind: Kind) -> Access {
    Access { process: SAVES_FOLDER, called_us: at_us, returned_us: at_us, kind }
}

/// A content as the judge knows it. Those of experiments have small numbers.
fn known(content: document::Content) -> Content {
    let number = |number: u64| u32::try_from(number).unwrap_or(u32::MAX);
    Content { writer: number(content.writer), number: number(content.number) }
}

/// What was done to the document; `None` where nothing was, or nothing is known.
fn kind(exchange: &Exchange, content: Option<Content>) -> Option<Kind> {
    let operation = exchange.operation;
    let may_have = || match (operation, content) {
        (Operation::Instantiate, Some(content)) => Some(Kind::MayCreate(content)),
        (Operation::Save, Some(content)) => Some(Kind::MaySave(content)),
        (Operation::Delete, _) => Some(Kind::MayDelete),
        _ => None,
    };
    match (&exchange.outcome, exchange.refusal()) {
        (Err(failure), _) if failure.was_never_sent() => None,
        _ if exchange.is_success() => match (operation, content) {
            (Operation::Instantiate, _) if exchange.has_found() => Some(Kind::Existed(content)),
            (Operation::Instantiate, Some(content)) if exchange.has_created() => Some(Kind::Created(content)),
            (Operation::Instantiate, _) => may_have(),
            (Operation::Save, Some(content)) => Some(Kind::Saved(content)),
            (Operation::Restore, content) => Some(content.map_or(Kind::Torn, Kind::Shows)),
            (Operation::Delete, _) => Some(Kind::Deleted),
            _ => None,
        },
        (_, Some((404, _))) if operation == Operation::Restore => Some(Kind::ShowsNone),
        (_, Some((404, _))) if operation == Operation::Delete => Some(Kind::DeletesNone),
        (_, Some((500, message))) if operation == Operation::Restore => {
            is_unreadable(message).then_some(Kind::Unreadable)
        }
        (_, Some((status, _))) if had_no_effect(status) => {
            content.filter(|_| operation != Operation::Restore).map(Kind::Refused)
        }
        // A server error, or a response that is not the server's, such as a proxy's page.
        _ => may_have(),
    }
}
