//! The page's skeleton: what frames the sections. All text from outside is escaped here and below, and nowhere else.
//!
//! Architecture invariant: the page runs nothing and loads nothing; its policy forbids both, whatever it might hold.

mod blocks;
mod verdicts;

use super::content::{Basis, Section};
use crate::escape::html;
use crate::timeline::text::short_with_note;
use std::fmt::Write as _;

const POLICY: &str =
    "default-src 'none'; style-src 'unsafe-inline'; img-src data:; base-uri 'none'; form-action 'none'";

const STYLE: &str = include_str!("../style.css");

/// Longest text from outside, in letters: quotes, summaries, names.
const LONGEST: usize = 900;

/// The whole page.
pub(super) fn page(title: &str, sections: &[Section]) -> String {
    let mut body = String::new();
    let mut charts = 0;
    for of in sections {
        section(of, &mut charts, &mut body);
    }
    format!(
        "<!DOCTYPE html>\n<html lang=\"en-GB\"><head><meta charset=\"utf-8\"/>\
         <meta http-equiv=\"Content-Security-Policy\" content=\"{policy}\"/>\
         <meta name=\"viewport\" content=\"width=device-width, initial-scale=1\"/>\
         <meta name=\"referrer\" content=\"no-referrer\"/><title>{title}</title>\n<style>\n{STYLE}</style></head>\n\
         <body><a class=\"skip\" href=\"#content\">Skip to the content</a>\n\
         <header><h1>{title}</h1>\n{words}</header>\n{contents}<main id=\"content\" tabindex=\"-1\">\n{body}</main>\n\
         <footer><p>The same verdicts are in <code>claims.json</code>, the same measurements in \
         <code>measurements.json</code>, for machines.</p></footer></body></html>\n",
        policy = html(POLICY),
        title = text(title),
        words = words(),
        contents = contents(sections),
    )
}

/// A text from outside as HTML: made visible, no longer than is sensible, and escaped.
fn text(of: &str) -> String {
    html(&short_with_note(of, LONGEST))
}

/// What the three words mean.
fn words() -> String {
    let mut out = String::from("<dl class=\"words\">");
    for basis in Basis::ALL {
        let _ = write!(out, "<div><dt>{}</dt><dd>{}</dd></div>", tag(basis), basis.meaning());
    }
    out + "</dl>"
}

fn tag(basis: Basis) -> String {
    format!("<span class=\"basis {0}\">{0}</span>", basis.word())
}

fn contents(sections: &[Section]) -> String {
    let mut out = String::from("<nav aria-label=\"Contents\"><ol>");
    for of in sections {
        let _ = write!(out, "<li><a href=\"#{}\">{}</a></li>", of.id, of.title);
    }
    out + "</ol></nav>\n"
}

fn section(of: &Section, charts: &mut usize, out: &mut String) {
    let Section { id, title, blocks } = of;
    let _ = writeln!(out, "<section id=\"{id}\" aria-labelledby=\"{id}-title\"><h2 id=\"{id}-title\">{title}</h2>");
    for block in blocks {
        blocks::write(block, charts, out);
    }
    out.push_str("</section>\n");
}
