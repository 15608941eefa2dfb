//! Measurements as tables, for a pull request: the same content as the page's, without pictures.

use super::content::{Block, Column, Table};
use super::{advice, sections};
use crate::timeline::text::short_with_note;
use record::measurements::Measurements;
use std::fmt::Write as _;

/// Longest text of a cell or paragraph, in letters.
const LONGEST: usize = 900;

/// The sections of measurements, and what to change by them. Headings begin at the second level.
#[must_use]
pub fn markdown_measurements(measurements: &Measurements) -> String {
    let mut out = String::new();
    for section in sections::measured(Some(measurements)) {
        let _ = writeln!(out, "## {}\n", section.title);
        section.blocks.iter().for_each(|block| write(block, &mut out));
    }
    let advice = advice::all(None, Some(measurements));
    if !advice.is_empty() {
        out.push_str("## What to change, by the measurements\n\n");
        write(&Block::Advice(advice), &mut out);
    }
    out
}

fn write(block: &Block, out: &mut String) {
    let _ = match block {
        Block::Text(of) => writeln!(out, "{}\n", line(of)),
        Block::Heading(of) => writeln!(out, "### {}\n", line(of)),
        Block::List(points) => writeln!(
            out,
            "{}
",
            list(points.iter().map(|point| line(point)))
        ),
        Block::Table(of) => writeln!(out, "{}", table(of)),
        Block::Chart(of) => writeln!(out, "**{}.** {}\n\n{}", line(&of.title), line(&of.sentence), table(&of.table)),
        Block::Advice(all) => {
            writeln!(
                out,
                "{}
",
                list(all.iter().map(|of| format!("**{}** {}", line(&of.what), line(&of.why))))
            )
        }
        // Verdicts have a summary of their own.
        Block::Verdicts(..) => Ok(()),
    };
}

fn list(points: impl Iterator<Item = String>) -> String {
    points.map(|point| format!("- {point}")).collect::<Vec<_>>().join("\n")
}

fn table(of: &Table) -> String {
    let heading = |column: &Column| {
        let basis = column.basis.map(|basis| format!(" ({})", basis.word())).unwrap_or_default();
        format!("{}{basis}", line(&column.name))
    };
    let headings: Vec<String> = of.columns.iter().map(heading).collect();
    let rules: Vec<&str> = of.columns.iter().map(|column| if column.is_number { "--:" } else { "---" }).collect();
    let mut out = format!("| {} |\n|{}|\n", headings.join(" | "), rules.join("|"));
    for row in &of.rows {
        let cells: Vec<String> = row.iter().map(|cell| line(cell)).collect();
        let _ = writeln!(out, "| {} |", cells.join(" | "));
    }
    out
}

/// A text on one line, of which nothing is read as markup.
fn line(text: &str) -> String {
    crate::escape::markdown(&short_with_note(text, LONGEST))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn nothing_from_outside_is_read_as_markup() {
        assert_eq!(line("a|b\n<b>*x*`_"), "a\\|b\\\\n&lt;b&gt;\\*x\\*\\`\\_");
    }
}
