//! A LaTeX table with booktabs, for `\input`; the marks are footnotes.

use serrun::Mark;

use crate::document::{Entry, Table};

/// The table, with comments that say what it is and which packages it needs.
pub fn latex(table: &Table) -> String {
    let mut out = String::new();
    let mut comment = |text: &str| out.push_str(&format!("% {}\n", text.replace(['\n', '\r'], " ")));
    comment("Needs \\usepackage{booktabs,threeparttable}");
    comment(&table.title);
    comment(&table.note);
    let mut commands: Vec<String> =
        table.rows.iter().flatten().filter_map(|e| e.long.as_ref().map(|l| format!("{}: {l}", e.text))).collect();
    commands.sort();
    commands.dedup();
    commands.iter().for_each(|c| comment(c));
    let widest: Vec<String> = (0..table.columns.len()).map(|i| widest(table, i)).collect();
    let row = |fields: Vec<String>| fields.join(" & ") + " \\\\\n";
    let entries = |r: &Vec<Entry>| row(r.iter().zip(&widest).map(|(e, widest)| entry(e, widest)).collect());
    let places: String = table.columns.iter().map(|c| if c.number { 'r' } else { 'l' }).collect();
    out.push_str(&format!("\\begin{{threeparttable}}\n\\begin{{tabular}}{{{places}}}\n\\toprule\n"));
    out.push_str(&row(table.columns.iter().map(|c| escape(&c.title)).collect()));
    out.push_str("\\midrule\n");
    table.rows.iter().for_each(|r| out.push_str(&entries(r)));
    out.push_str("\\bottomrule\n\\end{tabular}\n");
    let marks = table.marks();
    if !marks.is_empty() {
        out.push_str("\\begin{tablenotes}\n");
        marks.iter().for_each(|m| out.push_str(&format!("\\item[{}] {}\n", m.short(), escape(&m.meaning()))));
        out.push_str("\\end{tablenotes}\n");
    }
    out + "\\end{threeparttable}\n"
}

/// The longest marks of a column's entries; every entry leaves the room for them, so that the digits stand below each other.
fn widest(table: &Table, column: usize) -> String {
    let marks = table.rows.iter().filter_map(|r| r.get(column)).map(|e| Mark::shorts(&e.marks));
    marks.max_by_key(String::len).unwrap_or_default()
}

fn entry(entry: &Entry, widest: &str) -> String {
    let mut text = escape(&entry.text);
    if !entry.marks.is_empty() {
        text += &format!("\\rlap{{\\textsuperscript{{{}}}}}", Mark::shorts(&entry.marks));
    }
    if !widest.is_empty() {
        text += &format!("\\phantom{{\\textsuperscript{{{widest}}}}}");
    }
    text
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
            // The end of the row before would take them for its own.
            '[' | '*' => out.push_str(&format!("{{{c}}}")),
            '\n' | '\r' => out.push(' '),
            c => out.push(c),
        }
    }
    out
}
