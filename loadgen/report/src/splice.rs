//! Parts of a page that are made from a report: between `<!-- reference: PART -->` and `<!-- /reference -->`, in the
//! README, say. A part is `verdicts`, the table that a run ends with, or a claim, whose counterexample is shown.

use super::terminal;
use record::claims::{ClaimReport, Report, TargetReport};

/// What stands before a part, around its name, and after it.
const BEGIN: (&str, &str) = ("<!-- reference: ", " -->\n");
const END: &str = "<!-- /reference -->";

/// The text with every part made anew.
///
/// # Errors
/// A sentence that says which part cannot be made, or has no end.
pub fn splice(text: &str, report: &Report) -> Result<String, String> {
    let (mut out, mut rest) = (String::new(), text);
    while let Some((before, after)) = rest.split_once(BEGIN.0) {
        let Some((name, after)) = after.split_once(BEGIN.1) else {
            return Err(format!("the part after {:?} has no name", BEGIN.0));
        };
        let Some((_, after)) = after.split_once(END) else {
            return Err(format!("the part {name:?} has no end: put {END} behind it"));
        };
        let made = part(name, report).ok_or_else(|| format!("the report has no part {name:?}"))?;
        out.extend([before, BEGIN.0, name, BEGIN.1, "```text\n", made.trim_end(), "\n```\n", END]);
        rest = after;
    }
    Ok(out + rest)
}

fn part(name: &str, report: &Report) -> Option<String> {
    if name == "verdicts" {
        return Some(terminal::table(report).to_string());
    }
    let of_target = |target: &'_ TargetReport| {
        let claim: Option<&ClaimReport> =
            target.claims.iter().find(|claim| claim.id == name && !claim.counterexample.is_empty());
        claim.map(|claim| terminal::counterexample(target, claim))
    };
    report.targets.iter().find_map(of_target)
}

#[cfg(test)]
mod tests {
    use super::*;
    use record::claims::{Outcome, Verdict};
    use record::samples::{claims, s1_holds, s4, torn};

    const PAGE: &str = "before\n<!-- reference: verdicts -->\nstale\n<!-- /reference -->\nbetween\n\
        <!-- reference: S4 -->\n<!-- /reference -->\nafter\n";

    #[test]
    fn every_part_is_made_anew_and_the_rest_stays() {
        let spliced = splice(PAGE, &claims(vec![torn(), s1_holds()])).expect("has both parts");
        assert!(spliced.starts_with("before\n<!-- reference: verdicts -->\n```text\n┌"), "{spliced}");
        assert!(
            spliced.contains("┘\n```\n<!-- /reference -->\nbetween\n<!-- reference: S4 -->\n```text\nS4 on documented")
        );
        assert!(spliced.ends_with("--seed 7\n```\n<!-- /reference -->\nafter\n") && !spliced.contains("stale"));
        assert_eq!(splice(&spliced, &claims(vec![torn(), s1_holds()])).as_ref(), Ok(&spliced));
    }

    #[test]
    fn a_part_that_is_not_there_or_has_no_end_is_named() {
        let report = claims(vec![s4(Verdict::Holds, Outcome::Failed), s1_holds()]);
        assert_eq!(splice(PAGE, &report), Err("the report has no part \"S4\"".to_owned()));
        let endless = PAGE.replace(END, "");
        assert!(splice(&endless, &report).is_err_and(|error| error.contains("\"verdicts\" has no end")));
    }
}
