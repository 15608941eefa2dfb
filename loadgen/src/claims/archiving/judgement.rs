//! What must be where after an archiving.

use super::super::Finding;
use super::super::seen::Seen;
use super::{Round, Session};
use engine::client::Exchange;
use record::step::Step;

/// Documents that must have been moved, and saves acknowledged, to say anything.
const FEWEST: usize = 20;

/// What is wrong with a session after it was archived, or left, if anything is.
pub(super) fn fault(session: &Session) -> Option<&'static str> {
    let holds = |seen: &Seen, number| seen.content().is_some_and(|content| content.number == number);
    let is_broken = |seen: &Seen| !seen.is_nothing() && seen.content().is_none();
    let was_saved = session.save.as_ref().is_some_and(Exchange::is_success);
    let may_be_saved = session.save.as_ref().is_some_and(Exchange::may_have_happened);
    let (saves, archive) = (&session.in_saves, &session.in_archive);
    if was_saved && holds(archive, 1) {
        return Some("a session in use was moved: its acknowledged save is in the archive");
    }
    if !session.was_old && !archive.is_nothing() {
        return Some("a session was moved that is not old");
    }
    if was_saved && !holds(saves, 1) {
        return Some("an acknowledged save is lost: it is in neither folder");
    }
    if is_broken(saves) || is_broken(archive) {
        return Some("a document is whole no longer");
    }
    if saves.content().is_some() && saves.content() == archive.content() {
        return Some("a document is in both folders");
    }
    if saves.is_nothing() && archive.is_nothing() && !may_be_saved {
        return Some("a document is lost: it is in neither folder");
    }
    None
}

pub(super) fn judge(rounds: &[Round]) -> Finding {
    let sessions = || rounds.iter().flat_map(|round| &round.sessions);
    let by = rounds.first().map(|round| round.by.to_string()).unwrap_or_default();
    let moved = sessions().filter(|session| !session.in_archive.is_nothing()).count();
    let saved = sessions().filter(|session| session.save.as_ref().is_some_and(Exchange::is_success)).count();
    let faults: Vec<(&Session, &str)> =
        sessions().filter_map(|session| fault(session).map(|what| (session, what))).collect();
    let stray = rounds.iter().find_map(|round| round.strays.first());
    let finding = if let Some((session, what)) = faults.first() {
        let archivings = rounds.len();
        Finding::refuted(
            format!("{what} ({} of {moved} moved; archivings: {archivings})", faults.len()),
            steps(session, &by),
        )
    } else if let Some(name) = stray {
        let step = Step::finding(format!("{by}, which is to move old sessions"), format!("moved {name}"));
        Finding::refuted(format!("{name} was moved, which is no document"), vec![step])
    } else if moved < FEWEST || saved < FEWEST {
        Finding::inconclusive(format!("only {moved} documents were moved, during {saved} saves"))
    } else {
        Finding::holds(format!(
            "{moved} old documents moved by {by} during {saved} saves: none in use, none lost, none twice"
        ))
    };
    finding
        .measured("archivings", rounds.len())
        .measured("documents_moved", moved)
        .measured("saves_meanwhile", saved)
        .measured("faults", faults.len())
        .expected("faults", 0)
}

fn steps(session: &Session, by: &str) -> Vec<Step> {
    let mut steps = vec![Step::finding(
        format!("{by}, with {}.json {}", session.key, if session.was_old { "40 days old" } else { "new" }),
        "begins",
    )];
    steps.extend(session.save.iter().map(Exchange::step));
    steps.push(Step::finding(format!("{}.json in the saves folder then", session.key), session.in_saves.to_string()));
    steps.push(Step::finding(format!("{}.json in the archive then", session.key), session.in_archive.to_string()));
    steps
}

#[cfg(test)]
mod tests {
    use super::super::archiver::Archiver;
    use super::super::content;
    use super::*;
    use contract::Operation;
    use engine::client::samples::exchange as sample;
    use record::claims::Verdict;
    use serde_json::Value;

    fn whole(number: u64) -> Seen {
        Seen::Whole { content: content(0, number), metadata: Value::Null }
    }

    /// An old session, saved meanwhile where a status is given.
    fn session(save: Option<u16>, in_saves: Seen, in_archive: Seen) -> Session {
        let save = save.map(|status| sample(Operation::Save, 10, 20, status));
        Session { key: "A4K".to_owned(), was_old: true, save, in_saves, in_archive }
    }

    #[test]
    fn a_session_is_in_one_place_and_one_in_use_in_the_saves_folder() {
        let right = [
            session(None, Seen::Nothing, whole(0)),
            session(None, whole(0), Seen::Nothing),
            session(Some(200), whole(1), Seen::Nothing),
            // It was moved, and then somebody began anew under its key.
            session(Some(200), whole(1), whole(0)),
            session(Some(500), Seen::Nothing, whole(0)),
        ];
        for session in right {
            assert_eq!(fault(&session), None, "{session:?}");
        }
    }

    #[test]
    fn what_is_in_use_lost_twice_or_broken_is_a_fault() {
        let young = Session { was_old: false, ..session(None, Seen::Nothing, whole(0)) };
        let broken = Seen::Broken { size_bytes: 100 };
        for (session, what) in [
            (session(Some(200), Seen::Nothing, whole(1)), "a session in use was moved"),
            (session(Some(200), whole(1), whole(1)), "a session in use was moved"),
            (young, "a session was moved that is not old"),
            (session(Some(200), Seen::Nothing, whole(0)), "an acknowledged save is lost"),
            (session(Some(200), whole(0), Seen::Nothing), "an acknowledged save is lost"),
            (session(None, Seen::Nothing, broken.clone()), "a document is whole no longer"),
            (session(None, broken, whole(0)), "a document is whole no longer"),
            (session(None, whole(0), whole(0)), "a document is in both folders"),
            (session(None, Seen::Nothing, Seen::Nothing), "a document is lost"),
        ] {
            assert!(fault(&session).is_some_and(|found| found.starts_with(what)), "{session:?}");
        }
    }

    #[test]
    fn a_file_that_is_no_document_must_stay_and_too_little_says_nothing() {
        let many = |session: &Session, strays: &[&str]| {
            let strays = strays.iter().map(|&name| name.to_owned()).collect();
            Round { by: Archiver::Specification, sessions: vec![session.clone(); FEWEST], strays }
        };
        let moved = many(&session(None, Seen::Nothing, whole(0)), &[]);
        let kept = |strays: &[&str]| many(&session(Some(200), whole(1), Seen::Nothing), strays);
        assert_eq!(judge(&[moved.clone(), kept(&[])]).verdict, Verdict::Holds);
        let finding = judge(&[moved.clone(), kept(&["notes.json"])]);
        assert!(finding.verdict == Verdict::Refuted && finding.summary.starts_with("notes.json was moved"));
        assert_eq!(judge(&[moved]).verdict, Verdict::Inconclusive, "nobody saved");
        assert_eq!(judge(&[kept(&[])]).verdict, Verdict::Inconclusive, "nothing was moved");
    }
}
