//! The part of docs/claims.md that is made from the claims, between [`BEGIN`] and [`END`].

use super::{ALL, Claim, Expectation};
use std::fmt::Write as _;

/// The line before the part.
pub const BEGIN: &str = "<!-- claims: begin -->\n";
/// The line after it.
pub const END: &str = "<!-- claims: end -->\n";

/// The page with that part made anew; `None` if its markers are missing.
#[must_use]
pub fn renewed(page: &str) -> Option<String> {
    let (before, rest) = page.split_once(BEGIN)?;
    let (_, after) = rest.split_once(END)?;
    Some([before, BEGIN, &part(), END, after].concat())
}

fn part() -> String {
    let mut out = "| claim | promise | needs | documented | hardened |\n|---|---|---|---|---|\n".to_owned();
    for claim in ALL {
        let Claim { id, title, needs, expected, .. } = claim;
        let link = format!("[{id}](#{})", id.to_string().to_lowercase());
        row(
            &mut out,
            &[&link, title, &needs.to_string(), &expected.documented.to_string(), &expected.hardened.to_string()],
        );
    }
    for claim in ALL {
        section(&mut out, claim);
    }
    out
}

fn section(out: &mut String, claim: &Claim) {
    let Claim { id, title, quote, tried, holds_if, needs, expected, .. } = claim;
    let mut verdicts = format!("{} on documented, {} on hardened", expected.documented, expected.hardened);
    if expected.contract != Expectation::Holds {
        let _ = write!(verdicts, ", {} on any other server", expected.contract);
    }
    let _ = write!(out, "\n### {id}\n\n");
    row(out, &["", title]);
    out.push_str("|---|---|\n");
    row(out, &["specification", &format!("“{}”", quote.replace('\\', "\\\\"))]);
    row(out, &["tried", tried]);
    row(out, &["holds if", holds_if]);
    row(out, &["needs", &needs.to_string()]);
    row(out, &["expected", &verdicts]);
}

/// A row of a table. A bar ends a cell even within code.
fn row(out: &mut String, cells: &[&str]) {
    for cell in cells {
        let _ = write!(out, "| {} ", cell.replace('|', "\\|"));
    }
    out.push_str("|\n");
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn only_what_is_between_the_markers_is_made_anew() {
        let page = format!("before\n{BEGIN}stale\n{END}after\n");
        let renewed_page = renewed(&page).expect("has markers");
        assert!(renewed_page.starts_with(&format!("before\n{BEGIN}| claim |")));
        assert!(renewed_page.ends_with(&format!("|\n{END}after\n")) && !renewed_page.contains("stale"));
        assert_eq!(renewed(&renewed_page), Some(renewed_page));
        assert_eq!(renewed(&page.replace(END, "")), None);
    }

    #[test]
    fn every_row_has_the_cells_of_its_table() {
        let part = part();
        let bars = |line: &str| line.replace("\\|", "").matches('|').count();
        let lines: Vec<&str> = part.lines().filter(|line| line.starts_with('|')).collect();
        assert!(lines[..2 + ALL.len()].iter().all(|line| bars(line) == 6));
        assert!(lines[2 + ALL.len()..].iter().all(|line| bars(line) == 3));
        assert_eq!(lines.len(), 2 + ALL.len() + 7 * ALL.len());
    }
}
