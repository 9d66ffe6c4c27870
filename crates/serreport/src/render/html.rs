//! One HTML file that needs nothing else.

use std::fmt::Write as _;

use serrun::Mark;

use crate::{
    document::{Block, Document, Entry, Figure, Section, Table},
    svg::{STYLE, escape},
};

/// Figures of a section that stand open; the others unfold, and are open in print.
const SHOWN: usize = 12;

/// Rows beyond which a table scrolls up and down by itself.
const LONG: usize = 40;

/// The page.
pub fn html(document: &Document) -> String {
    let title = escape(&document.title);
    let mut out = format!(
        "<!DOCTYPE html>\n<html lang=\"en\">\n<head>\n<meta charset=\"utf-8\">\n<meta name=\"viewport\" \
         content=\"width=device-width, initial-scale=1\">\n<meta name=\"color-scheme\" content=\"light dark\">\n\
         <title>{title}</title>\n<style>\n{STYLE}{}</style>\n</head>\n<body>\n<main>\n<h1>{title}</h1>\n",
        include_str!("report.css")
    );
    for warning in &document.warnings {
        let _ = writeln!(out, "<p class=\"warning\" role=\"note\">{}</p>", escape(warning));
    }
    out.push_str("<nav aria-label=\"Contents\"><ol>\n");
    for section in &document.sections {
        let _ = writeln!(out, "<li><a href=\"#{}\">{}</a></li>", section.id, escape(section.title));
    }
    out.push_str("</ol></nav>\n");
    for (i, section) in document.sections.iter().enumerate() {
        write_section(&mut out, i + 1, section);
    }
    out.push_str("</main>\n</body>\n</html>\n");
    out
}

fn write_section(out: &mut String, number: usize, section: &Section) {
    let _ = writeln!(out, "<section id=\"{}\">\n<h2>{number}. {}</h2>", section.id, escape(section.title));
    for block in &section.blocks {
        match block {
            Block::Heading(text) => {
                let _ = writeln!(out, "<h3>{}</h3>", escape(text));
            }
            Block::Text(text) => {
                let _ = writeln!(out, "<p>{}</p>", escape(text));
            }
            Block::Code(text) => {
                let _ = writeln!(out, "<pre tabindex=\"0\"><code>{}</code></pre>", escape(text));
            }
            Block::List(items) => {
                out.push_str("<ul>\n");
                items.iter().for_each(|i| out.push_str(&format!("<li>{}</li>\n", escape(i))));
                out.push_str("</ul>\n");
            }
            Block::Facts(facts) => {
                out.push_str("<dl>\n");
                for (name, value) in facts {
                    let _ = writeln!(out, "<div><dt>{}</dt><dd>{}</dd></div>", escape(name), escape(value));
                }
                out.push_str("</dl>\n");
            }
            Block::Table(table) => write_table(out, table),
            Block::Figures(figures) => {
                let (first, more) = figures.split_at(figures.len().min(SHOWN));
                write_figures(out, first);
                if !more.is_empty() {
                    let _ = writeln!(out, "<details>\n<summary>{} more figures</summary>", more.len());
                    write_figures(out, more);
                    out.push_str("</details>\n");
                }
            }
        }
    }
    out.push_str("</section>\n");
}

fn write_table(out: &mut String, table: &Table) {
    let title = escape(&table.title);
    let wide = if table.columns.len() > 11 { " wide" } else { "" };
    let long = if table.rows.len() > LONG { " long" } else { "" };
    let _ = writeln!(out, "<div class=\"table{wide}{long}\">\n<h3 id=\"{}\">{title}</h3>", table.id);
    let _ = writeln!(
        out,
        "<div class=\"scroll\" tabindex=\"0\" role=\"region\" aria-label=\"{title}\">\n<table>\n<thead><tr>"
    );
    for column in &table.columns {
        let class = if column.number { " class=\"number\"" } else { "" };
        let _ = write!(out, "<th scope=\"col\"{class}>{}</th>", escape(&column.title));
    }
    out.push_str("</tr></thead>\n<tbody>\n");
    for row in &table.rows {
        out.push_str("<tr>");
        for (column, entry) in table.columns.iter().zip(row) {
            let class = if column.number { " class=\"number\"" } else { "" };
            let _ = write!(out, "<td{class}>{}</td>", entry_html(entry));
        }
        out.push_str("</tr>\n");
    }
    out.push_str("</tbody>\n</table>\n</div>\n<p class=\"note\">");
    out.push_str(&escape(&table.note));
    for mark in table.marks() {
        let _ = write!(out, " {} {}.", mark_html(mark), escape(&mark.meaning()));
    }
    out.push_str("</p>\n</div>\n");
}

fn entry_html(entry: &Entry) -> String {
    let marks: String = entry.marks.iter().map(|m| mark_html(*m)).collect();
    match &entry.long {
        Some(long) => format!("<a href=\"#runs\" title=\"{}\">{}</a>{marks}", escape(long), escape(&entry.text)),
        None => format!("{}{marks}", escape(&entry.text)),
    }
}

fn mark_html(mark: Mark) -> String {
    format!("<abbr class=\"mark\" title=\"{}\">{}</abbr>", escape(&mark.meaning()), mark.short())
}

fn write_figures(out: &mut String, figures: &[Figure]) {
    out.push_str("<div class=\"figures\">\n");
    figures.iter().for_each(|f| write_figure(out, f));
    out.push_str("</div>\n");
}

fn write_figure(out: &mut String, figure: &Figure) {
    let marks: String = figure.marks.iter().map(|m| mark_html(*m)).collect();
    let _ = writeln!(
        out,
        "<figure id=\"{}\">\n{}\n<figcaption>{marks} {}</figcaption>\n</figure>",
        figure.id,
        figure.svg.inline(),
        escape(&figure.caption)
    );
}
