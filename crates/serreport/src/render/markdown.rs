//! Markdown (GitHub's), with the figures beside it.

use std::fmt::Write as _;

use serrun::Mark;

use super::words;
use crate::document::{Block, Document, Entry, Table};

/// The report; figures are in `figures/`.
pub fn markdown(document: &Document) -> String {
    let mut out = format!("# {}\n", escape(&document.title));
    for warning in &document.warnings {
        let _ = write!(out, "\n> **{}**\n", escape(warning));
    }
    for (i, section) in document.sections.iter().enumerate() {
        let _ = write!(out, "\n## {}. {}\n", i + 1, escape(section.title));
        section.blocks.iter().for_each(|b| write_block(&mut out, b));
    }
    out
}

fn write_block(out: &mut String, block: &Block) {
    out.push('\n');
    match block {
        Block::Heading(text) => {
            let _ = writeln!(out, "### {}", escape(text));
        }
        Block::Text(text) => {
            let _ = writeln!(out, "{}", escape(text));
        }
        Block::Code(text) => {
            let _ = writeln!(out, "```text\n{}\n```", text.replace('\n', " "));
        }
        Block::List(items) => items.iter().for_each(|i| out.push_str(&format!("- {}\n", escape(i)))),
        Block::Facts(facts) => {
            facts.iter().for_each(|(n, v)| out.push_str(&format!("- **{}**: {}\n", escape(n), escape(v))));
        }
        Block::Table(table) => write_table(out, table),
        Block::Figures(figures) => {
            for (i, figure) in figures.iter().enumerate() {
                let gap = if i == 0 { "" } else { "\n" };
                let marks =
                    if figure.marks.is_empty() { String::new() } else { format!("**{}** ", words(&figure.marks)) };
                let caption = escape(&figure.caption);
                let _ = writeln!(out, "{gap}![{caption}](figures/{}.svg)\n{marks}{caption}", figure.id);
            }
        }
    }
}

fn write_table(out: &mut String, table: &Table) {
    let _ = writeln!(out, "### {}\n", escape(&table.title));
    let mut row = |fields: Vec<String>| {
        let _ = writeln!(out, "| {} |", fields.join(" | "));
    };
    row(table.columns.iter().map(|c| escape(&c.title)).collect());
    row(table.columns.iter().map(|c| if c.number { "---:" } else { "---" }.to_owned()).collect());
    table.rows.iter().for_each(|r| row(r.iter().map(entry).collect()));
    let _ = write!(out, "\n{}", escape(&table.note));
    for mark in table.marks() {
        let _ = write!(out, " {}: {}.", mark.short(), escape(&mark.meaning()));
    }
    out.push('\n');
}

fn entry(entry: &Entry) -> String {
    let text = escape(&entry.text);
    if entry.marks.is_empty() { text } else { format!("{text} ({})", Mark::shorts(&entry.marks)) }
}

/// No character of `text` is taken for markup.
pub fn escape(text: &str) -> String {
    let mut out = String::with_capacity(text.len());
    for c in text.chars() {
        match c {
            '<' => out.push_str("&lt;"),
            '>' => out.push_str("&gt;"),
            '&' => out.push_str("&amp;"),
            '\n' | '\r' => out.push(' '),
            '\\' | '`' | '*' | '_' | '[' | ']' | '|' | '#' | '~' | '$' => {
                out.push('\\');
                out.push(c);
            }
            c => out.push(c),
        }
    }
    out
}
