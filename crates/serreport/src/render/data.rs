//! CSV and JSON. A marked number has its marks in its own field: `22.67 (optimistic)` does not parse as a number on purpose.

use serde_json::{Map, Value, json};

use serrun::Mark;

use super::words;
use crate::document::{Document, Entry, Table};

/// Raised when the meaning of the JSON files changes.
const VERSION: u32 = 2;

/// A header and the rows.
pub fn csv(table: &Table) -> String {
    let mut out = String::new();
    let mut line = |fields: Vec<String>| {
        out.push_str(&fields.iter().map(|f| quote(f)).collect::<Vec<_>>().join(","));
        out.push('\n');
    };
    line(table.columns.iter().map(|c| c.title.clone()).collect());
    for row in &table.rows {
        line(row.iter().map(field).collect());
    }
    out
}

fn field(entry: &Entry) -> String {
    let text = match &entry.long {
        Some(long) => format!("{}: {long}", entry.text),
        None => entry.text.clone(),
    };
    if entry.marks.is_empty() { text } else { format!("{text} ({})", words(&entry.marks)) }
}

/// RFC 4180.
fn quote(field: &str) -> String {
    if field.contains([',', '"', '\n', '\r']) {
        format!("\"{}\"", field.replace('"', "\"\""))
    } else {
        field.to_owned()
    }
}

/// A table as an object: rows are objects by column, entries hold text, value and marks.
pub fn table_json(table: &Table) -> Value {
    let entry = |e: &Entry| {
        let mut object = Map::new();
        object.insert("text".into(), json!(e.text));
        if let Some(value) = &e.value {
            object.insert("value".into(), value.clone());
        }
        if !e.marks.is_empty() {
            object.insert("marks".into(), marks(&e.marks));
        }
        if let Some(long) = &e.long {
            object.insert("command".into(), json!(long));
        }
        Value::Object(object)
    };
    let row = |row: &Vec<Entry>| {
        let fields = table.columns.iter().zip(row).map(|(c, e)| (c.title.clone(), entry(e)));
        Value::Object(fields.collect())
    };
    json!({
        "version": VERSION,
        "id": table.id,
        "title": table.title,
        "note": table.note,
        "columns": table.columns.iter().map(|c| &c.title).collect::<Vec<_>>(),
        "rows": table.rows.iter().map(row).collect::<Vec<_>>(),
    })
}

fn marks(marks: &[Mark]) -> Value {
    marks.iter().map(|m| m.word()).collect()
}

/// The whole report but its drawings.
pub fn report_json(document: &Document, absent: &[String]) -> Value {
    let figures = document.figures().map(|f| {
        json!({"id": f.id, "file": format!("figures/{}.svg", f.id), "caption": f.caption, "marks": marks(&f.marks)})
    });
    json!({
        "version": VERSION,
        "title": document.title,
        "warnings": document.warnings,
        "sections": document.sections.iter().map(|s| json!({"title": s.title, "text": texts(s)})).collect::<Vec<_>>(),
        "tables": document.tables().map(table_json).collect::<Vec<_>>(),
        "figures": figures.collect::<Vec<_>>(),
        "absent": absent,
    })
}

fn texts(section: &crate::document::Section) -> Vec<Value> {
    use crate::document::Block;
    let text = |block: &Block| match block {
        Block::Heading(t) | Block::Text(t) | Block::Code(t) => Some(json!(t)),
        Block::List(items) => Some(json!(items)),
        Block::Facts(facts) => Some(facts.iter().map(|(n, v)| (n.clone(), json!(v))).collect::<Map<_, _>>().into()),
        Block::Table(_) | Block::Figures(_) => None,
    };
    section.blocks.iter().filter_map(text).collect()
}
