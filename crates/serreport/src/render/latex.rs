//! The rows of a LaTeX table, to be put between `\begin{tabular}` and `\end{tabular}`.

use serrun::Mark;

use crate::document::{Entry, Table};

/// The header and the rows, with comments that say what they are.
pub fn latex(table: &Table) -> String {
    let mut out = String::new();
    let mut comment = |text: &str| out.push_str(&format!("% {}\n", text.replace(['\n', '\r'], " ")));
    comment(&table.title);
    comment(&table.note);
    table.marks().iter().for_each(|m| comment(&format!("{}: {}", m.short(), m.meaning())));
    let mut commands: Vec<String> =
        table.rows.iter().flatten().filter_map(|e| e.long.as_ref().map(|l| format!("{}: {l}", e.text))).collect();
    commands.sort();
    commands.dedup();
    commands.iter().for_each(|c| comment(c));
    let row = |fields: Vec<String>| fields.join(" & ") + " \\\\\n";
    out.push_str(&row(table.columns.iter().map(|c| escape(&c.title)).collect()));
    out.push_str("\\hline\n");
    table.rows.iter().for_each(|r| out.push_str(&row(r.iter().map(entry).collect())));
    out
}

fn entry(entry: &Entry) -> String {
    let text = escape(&entry.text);
    if entry.marks.is_empty() { text } else { format!("{text}\\textsuperscript{{{}}}", Mark::shorts(&entry.marks)) }
}

/// No character of `text` is taken for a command.
pub fn escape(text: &str) -> String {
    let mut out = String::with_capacity(text.len());
    for c in text.chars() {
        match c {
            '&' | '%' | '$' | '#' | '_' | '{' | '}' => {
                out.push('\\');
                out.push(c);
            }
            '\\' => out.push_str("\\textbackslash{}"),
            '~' => out.push_str("\\textasciitilde{}"),
            '^' => out.push_str("\\textasciicircum{}"),
            '<' => out.push_str("\\textless{}"),
            '>' => out.push_str("\\textgreater{}"),
            '|' => out.push_str("\\textbar{}"),
            '±' => out.push_str("$\\pm$"),
            '√' => out.push_str("$\\surd$"),
            '\n' | '\r' => out.push(' '),
            c => out.push(c),
        }
    }
    out
}
