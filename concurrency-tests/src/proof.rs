//! What was proved, within which bounds: the rows of the table that the proofs print.

/// A proof: a test with something to tell.
#[derive(Clone, Copy)]
pub struct Proof {
    /// What it proves, as a claim; the test's name.
    pub name: &'static str,
    /// Carries it out. The error is the counterexample, in words.
    pub prove: fn() -> Result<Vec<Row>, String>,
}

/// What a proof looked at. No time is in it: the same code gives the same row.
#[derive(Clone, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub struct Row {
    /// By what means.
    pub by: &'static str,
    /// What was looked at: the protocol, and which scenarios of it.
    pub what: String,
    /// How many scenarios.
    pub scenarios: usize,
    /// How many interleavings, states, faults or crashes, with their name.
    pub searched: String,
    /// Whether that was all there is, or up to which bound.
    pub bound: String,
    /// What was found.
    pub found: String,
}

const HEADINGS: [&str; 6] = ["by", "what", "scenarios", "searched", "bound", "found"];

/// The rows as a Markdown table, in their order.
#[must_use]
pub fn table(rows: &[Row]) -> String {
    let mut lines = vec![line(HEADINGS), line(["---", "---", "---:", "---:", "---", "---"])];
    lines.extend(rows.iter().map(|row| {
        let scenarios = with_commas(row.scenarios);
        line([row.by, &row.what, &scenarios, &row.searched, &row.bound, &row.found])
    }));
    lines.join("\n")
}

/// A number with its thousands apart.
#[must_use]
pub fn with_commas(number: usize) -> String {
    let digits = number.to_string();
    let first = (digits.len() - 1) % 3 + 1;
    let (head, tail) = digits.split_at(first);
    tail.as_bytes().chunks(3).fold(head.to_owned(), |text, three| format!("{text},{}", String::from_utf8_lossy(three)))
}

/// Cells may hold bars, as scenarios do.
fn line(cells: [&str; 6]) -> String {
    format!("| {} |", cells.map(|cell| cell.replace('|', "\\|")).join(" | "))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn thousands_are_set_apart() {
        let texts = [0, 7, 999, 1_000, 46_656, 1_234_567].map(with_commas);
        assert_eq!(texts, ["0", "7", "999", "1,000", "46,656", "1,234,567"]);
    }

    #[test]
    fn a_table_has_a_line_a_row() {
        let row = Row {
            by: "loom",
            what: "pairs".to_owned(),
            scenarios: 1_200,
            searched: "5 interleavings".to_owned(),
            bound: "all".to_owned(),
            found: "save | save".to_owned(),
        };
        let table = table(&[row]);
        assert!(table.ends_with("\n| loom | pairs | 1,200 | 5 interleavings | all | save \\| save |"), "{table}");
    }
}
