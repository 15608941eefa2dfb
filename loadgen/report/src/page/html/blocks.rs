//! Pieces of a section as HTML.

use super::{tag, text, verdicts};
use crate::page::advice::Advice;
use crate::page::chart::draw::draw;
use crate::page::chart::ink::HUES;
use crate::page::chart::{Chart, Kind, Series};
use crate::page::content::{Block, Column, Table};
use std::fmt::Write as _;

pub(super) fn write(block: &Block, charts: &mut usize, out: &mut String) {
    match block {
        Block::Text(of) => {
            let _ = writeln!(out, "<p>{}</p>", text(of));
        }
        Block::Heading(of) => {
            let _ = writeln!(out, "<h3>{}</h3>", text(of));
        }
        Block::List(points) => list(points, out),
        Block::Table(of) => table(of, out),
        Block::Chart(of) => {
            *charts += 1;
            chart(of, &format!("chart{charts}"), out);
        }
        Block::Verdicts(targets, promises) => verdicts::write(targets, promises, out),
        Block::Advice(of) => advice(of, out),
    }
}

fn list(points: &[String], out: &mut String) {
    out.push_str("<ul>");
    for point in points {
        let _ = write!(out, "<li>{}</li>", text(point));
    }
    out.push_str("</ul>\n");
}

fn advice(of: &[Advice], out: &mut String) {
    out.push_str("<ol class=\"advice\">");
    for Advice { what, why, .. } in of {
        let _ = write!(out, "<li><strong>{}</strong> {}</li>", text(what), text(why));
    }
    out.push_str("</ol>\n");
}

/// In a box of its own, which scrolls where the table is wider than the page.
pub(super) fn table(of: &Table, out: &mut String) {
    let caption = text(&of.caption);
    let _ = write!(
        out,
        "<div class=\"scroll\" tabindex=\"0\" role=\"region\" aria-label=\"{caption}\"><table>\
         <caption><span>{caption}</span></caption><thead><tr>"
    );
    for column in &of.columns {
        let basis = column.basis.map(|basis| format!(" {}", tag(basis))).unwrap_or_default();
        let _ = write!(out, "<th scope=\"col\"{}>{}{basis}</th>", class(column), text(&column.name));
    }
    out.push_str("</tr></thead><tbody>\n");
    for row in &of.rows {
        out.push_str("<tr>");
        for (index, (cell, column)) in row.iter().zip(&of.columns).enumerate() {
            let _ = match index {
                0 => write!(out, "<th scope=\"row\"{}>{}</th>", class(column), text(cell)),
                _ => write!(out, "<td{}>{}</td>", class(column), text(cell)),
            };
        }
        out.push_str("</tr>\n");
    }
    out.push_str("</tbody></table></div>\n");
}

fn class(column: &Column) -> &'static str {
    if column.is_number { " class=\"number\"" } else { "" }
}

/// The sentence, the legend, the picture, and the figures as a table. Where there is nothing to draw, the table alone.
fn chart(of: &Chart, id: &str, out: &mut String) {
    let Some(picture) = draw(of, id) else {
        let _ = writeln!(out, "<p><strong>{}.</strong> There is no point to draw.</p>", text(&of.title));
        table(&of.table, out);
        return;
    };
    let (title, sentence) = (text(&of.title), text(&of.sentence));
    let _ = writeln!(
        out,
        "<div class=\"charted\"><figure><figcaption><strong>{title}.</strong> {sentence}</figcaption>{}",
        legend(&of.series)
    );
    let _ = writeln!(
        out,
        "<div class=\"scroll chart\" tabindex=\"0\" role=\"region\" aria-label=\"Chart: {title}\">{picture}</div></figure>"
    );
    out.push_str("<details><summary>The figures as a table</summary>\n");
    table(&of.table, out);
    out.push_str("</details></div>\n");
}

/// The keys are letters, which print and scale as the words beside them do.
fn legend(series: &[Series]) -> String {
    let named = series.iter().filter_map(|of| Some((of.name.as_ref()?, key(of.kind, of.hue % HUES), of.hue % HUES)));
    let mut entries = String::new();
    for (name, key, hue) in named {
        let _ =
            write!(entries, "<li><span class=\"key key{hue}\" aria-hidden=\"true\">{key}</span> {}</li>", text(name));
    }
    if entries.is_empty() { entries } else { format!("<ul class=\"legend\">{entries}</ul>") }
}

fn key(kind: Kind, hue: usize) -> &'static str {
    let of = |keys: [&'static str; HUES]| keys[hue];
    match kind {
        Kind::Line => of(["━━", "╍╍", "┅┅", "━╍"]),
        Kind::Band => "▒▒",
        Kind::Dots => of(["●", "▲", "■", "◆"]),
        Kind::HeldOut => of(["○", "△", "□", "◇"]),
        Kind::Rounds => "·",
    }
}
