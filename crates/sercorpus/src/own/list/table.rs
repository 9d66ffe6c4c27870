//! A list's text as a table: delimited text, or JSON in the forms that programs write.

use std::collections::HashMap;

use serde_json::{Map, Value};

use crate::limits;

/// A value of a row.
#[derive(Debug, Clone, PartialEq, Default)]
pub(super) enum Cell {
    /// Not given.
    #[default]
    Empty,
    /// Text or a number.
    Text(String),
    /// A list or an object.
    Nested,
}

/// Rows with the same columns.
#[derive(Debug, Default)]
pub(super) struct Table {
    /// As they are written.
    pub names: Vec<String>,
    /// The line that each starts at, and its values; a row may be shorter than the names.
    pub rows: Vec<(u64, Vec<Cell>)>,
}

/// What is wrong, and in which line.
pub(super) type Wrong = (u64, String);

impl Table {
    /// JSON where the text starts as such, else delimited.
    pub(super) fn read(text: &str) -> Result<Self, Wrong> {
        let table = if text.trim_start().starts_with(['{', '[']) { json(text) } else { delimited(text) }?;
        match table.names.len() > limits::LIST_COLUMNS {
            true => Err((1, format!("has more than {} columns", limits::LIST_COLUMNS))),
            false => Ok(table),
        }
    }

    fn push(&mut self, line: u64, row: Vec<Cell>) -> Result<(), Wrong> {
        if self.rows.len() == limits::LIST_ROWS {
            return Err((line, format!("more than {} rows: divide the list", limits::LIST_ROWS)));
        }
        self.rows.push((line, row));
        Ok(())
    }
}

/// The text behind a first line `sep=;`, as Excel has it, with that delimiter; else with the most frequent one of the header.
fn delimiter(text: &str) -> (u8, &str, u64) {
    let (first, rest) = text.split_once('\n').unwrap_or((text, ""));
    if let Some([delimiter]) = first.trim_end().strip_prefix("sep=").map(str::as_bytes) {
        return (*delimiter, rest, 1);
    }
    let mut counts = [(b',', 0), (b'\t', 0), (b';', 0), (b'|', 0)];
    let mut quoted = false;
    for byte in first.bytes() {
        quoted ^= byte == b'"';
        counts.iter_mut().filter(|(delimiter, _)| !quoted && *delimiter == byte).for_each(|(_, count)| *count += 1);
    }
    // Of equals the first.
    let most = counts.iter().rev().max_by_key(|(_, count)| *count).map_or(b',', |&(delimiter, _)| delimiter);
    (most, text, 0)
}

fn delimited(text: &str) -> Result<Table, Wrong> {
    let (delimiter, text, skipped) = delimiter(text);
    let mut csv =
        csv::ReaderBuilder::new().delimiter(delimiter).trim(csv::Trim::All).flexible(true).from_reader(text.as_bytes());
    let wrong = |error: csv::Error| (skipped + error.position().map_or(1, csv::Position::line), error.to_string());
    let names: Vec<String> = csv.headers().map_err(wrong)?.iter().map(str::to_owned).collect();
    let mut table = Table { names, rows: Vec::new() };
    let mut record = csv::StringRecord::new();
    while csv.read_record(&mut record).map_err(wrong)? {
        let line = skipped + record.position().map_or(0, csv::Position::line);
        if record.iter().all(str::is_empty) {
            continue;
        }
        if record.len() != table.names.len() {
            let (found, wanted) = (record.len(), table.names.len());
            return Err((
                line,
                format!("{found} fields where the header has {wanted}; put a value that holds the delimiter in quotes"),
            ));
        }
        let cell = |text: &str| if text.is_empty() { Cell::Empty } else { Cell::Text(text.to_owned()) };
        table.push(line, record.iter().map(cell).collect())?;
    }
    Ok(table)
}

/// Objects one after the other (JSONL), an array of them, an object of objects whose names are ids (SpeechBrain), an object of columns
/// (pandas), or one of these inside an object that has nothing else of the kind (`{"data": [..]}`).
fn json(text: &str) -> Result<Table, Wrong> {
    let mut rows = Rows::default();
    let mut values = serde_json::Deserializer::from_str(text).into_iter::<Value>();
    let line_at =
        |offset: usize| 1 + text.as_bytes()[..offset.min(text.len())].iter().filter(|&&b| b == b'\n').count() as u64;
    let (mut line, mut seen) = (1, 0);
    loop {
        // Lines are counted once, not from the start for every value.
        let from = seen;
        seen = from + text[from..].len() - text[from..].trim_start().len();
        line += text[from..seen].bytes().filter(|&b| b == b'\n').count() as u64;
        let value = match values.next() {
            None => return Ok(rows.table),
            Some(Ok(value)) => value,
            Some(Err(error)) => {
                // Of a value that starts in one line and fails in a later one: where it fails.
                let at = if error.line() > 0 { error.line() as u64 } else { line_at(values.byte_offset()) };
                return Err((at, format!("is no JSON object: {error}")));
            }
        };
        let end = values.byte_offset();
        let only = text[end..].trim().is_empty() && rows.table.rows.is_empty();
        match value {
            Value::Object(object) if only => rows.whole(object, line)?,
            Value::Object(object) => rows.object(None, object, line)?,
            Value::Array(array) if only => rows.array(array, line, &text[seen..end])?,
            _ => return Err((line, "is no JSON object".to_owned())),
        }
        line += text[seen..end].bytes().filter(|&b| b == b'\n').count() as u64;
        seen = end;
    }
}

/// Rows of objects that may have other names each.
#[derive(Default)]
struct Rows {
    table: Table,
    places: HashMap<String, usize>,
}

/// The column of the names of an object of objects, where these have no id of their own.
const NAME: &str = "id";

impl Rows {
    fn place(&mut self, name: &str) -> usize {
        if let Some(&place) = self.places.get(name) {
            return place;
        }
        self.table.names.push(name.to_owned());
        self.places.insert(name.to_owned(), self.table.names.len() - 1);
        self.table.names.len() - 1
    }

    fn object(&mut self, name: Option<String>, mut object: Map<String, Value>, line: u64) -> Result<(), Wrong> {
        if let Some(name) = name
            && !object.keys().any(|key| key.eq_ignore_ascii_case(NAME))
        {
            object.insert(NAME.to_owned(), Value::String(name));
        }
        let mut row = Vec::new();
        for (name, value) in object {
            let place = self.place(&name);
            if row.len() <= place {
                row.resize(place + 1, Cell::Empty);
            }
            row[place] = cell(value);
        }
        self.table.push(line, row)
    }

    fn array(&mut self, array: Vec<Value>, line: u64, text: &str) -> Result<(), Wrong> {
        let mut lines = starts(text).into_iter();
        for value in array {
            let line = line + lines.next().unwrap_or_default();
            match value {
                Value::Object(object) => self.object(None, object, line)?,
                _ => return Err((line, "is no JSON object: an array of objects is wanted".to_owned())),
            }
        }
        Ok(())
    }

    /// An object that is the whole file.
    fn whole(&mut self, object: Map<String, Value>, line: u64) -> Result<(), Wrong> {
        if let Some(columns) = columns(&object) {
            return columns.into_iter().try_for_each(|row| self.object(None, row, line));
        }
        if !object.is_empty()
            && object.values().all(Value::is_object)
            && !object.keys().any(|name| super::columns::is_path(name))
        {
            for (name, value) in object {
                // Names come sorted, not in the order of the lines: a row is told by its id.
                if let Value::Object(inner) = value {
                    self.object(Some(name), inner, line)?;
                }
            }
            return Ok(());
        }
        let inner = object
            .iter()
            .filter(|(_, value)| value.as_array().is_some_and(|a| a.first().is_some_and(Value::is_object)));
        let names: Vec<String> = inner.map(|(name, _)| name.clone()).collect();
        match (&names[..], object.keys().any(|name| super::columns::is_path(name))) {
            ([only], false) => match object.into_iter().find(|(name, _)| name == only) {
                Some((_, Value::Array(array))) => self.array(array, line, ""),
                _ => Ok(()),
            },
            _ => self.object(None, object, line),
        }
    }
}

/// Rows of an object of columns: `{"path": {"0": "a.wav"}, "label": {"0": "sad"}}` or `{"path": ["a.wav"], ..}`.
fn columns(object: &Map<String, Value>) -> Option<Vec<Map<String, Value>>> {
    let path = object.iter().find(|(name, _)| super::columns::is_path(name)).map(|(_, value)| value)?;
    let keys: Vec<String> = match path {
        Value::Object(of) if of.values().all(|v| v.is_string()) => of.keys().cloned().collect(),
        Value::Array(of) if of.iter().all(Value::is_string) && !of.is_empty() => {
            (0..of.len()).map(|i| i.to_string()).collect()
        }
        _ => return None,
    };
    // pandas' `audio` of one row, {"path": .., "bytes": ..}, is no column.
    if keys.iter().any(|key| super::columns::is_path(key)) {
        return None;
    }
    let rows = keys.iter().enumerate().map(|(i, key)| {
        let value = |column: &Value| match column {
            Value::Object(of) => of.get(key).cloned(),
            Value::Array(of) => of.get(i).cloned(),
            _ => None,
        };
        object.iter().filter_map(|(name, column)| Some((name.clone(), value(column)?))).collect()
    });
    Some(rows.collect())
}

fn cell(value: Value) -> Cell {
    match value {
        Value::Null => Cell::Empty,
        Value::String(text) => Cell::Text(text),
        Value::Number(number) => Cell::Text(number.to_string()),
        Value::Bool(truth) => Cell::Text(truth.to_string()),
        // The audio of Hugging Face ({"path": .., "bytes": ..}) and SpeechBrain ({"file": .., "start": ..}).
        Value::Object(mut inner) => match ["path", "file"].into_iter().find_map(|name| inner.remove(name)) {
            Some(Value::String(text)) => Cell::Text(text),
            _ => Cell::Nested,
        },
        Value::Array(_) => Cell::Nested,
    }
}

/// The line, counted from 0 on, at which each value inside the outermost brackets starts; of an array.
fn starts(text: &str) -> Vec<u64> {
    let (mut depth, mut line, mut lines) = (0usize, 0, Vec::new());
    let (mut quoted, mut escaped, mut wanted) = (false, false, true);
    for byte in text.bytes() {
        line += u64::from(byte == b'\n');
        if quoted {
            (quoted, escaped) = (escaped || byte != b'"', !escaped && byte == b'\\');
            continue;
        }
        if depth == 1 && wanted && !byte.is_ascii_whitespace() && byte != b']' {
            lines.push(line);
            wanted = false;
        }
        match byte {
            b'"' => quoted = true,
            b'[' | b'{' => depth += 1,
            b']' | b'}' => depth = depth.saturating_sub(1),
            b',' if depth == 1 => wanted = true,
            _ => {}
        }
    }
    lines
}

#[cfg(test)]
mod tests {
    #![allow(clippy::unwrap_used)]

    use super::*;

    fn rows(text: &str) -> Vec<(u64, Vec<(String, String)>)> {
        let table = Table::read(text).unwrap();
        let of = |row: Vec<Cell>| {
            let cells = table.names.iter().zip(row).filter_map(|(name, cell)| match cell {
                Cell::Text(text) => Some((name.clone(), text)),
                _ => None,
            });
            let mut cells: Vec<_> = cells.collect();
            cells.sort();
            cells
        };
        table.rows.iter().map(|(line, row)| (*line, of(row.clone()))).collect()
    }

    #[test]
    fn delimiters_are_told_by_the_header() {
        for text in ["a,b\n1,2\n", "a;b\r\n1;2\r\n", "a\tb\n1\t2", "a|b\n\n1|2\n", "sep=;\na;b\n1;2\n;\n"] {
            let found = rows(text);
            assert_eq!(found.len(), 1, "{text}");
            assert_eq!(found[0].1, [("a".into(), "1".into()), ("b".into(), "2".into())], "{text}");
        }
        assert_eq!(rows("a;\"b,,,\"\n\"x\ny\";2\n3;4\n").iter().map(|(line, _)| *line).collect::<Vec<_>>(), [2, 4]);
        assert_eq!(Table::read("a,b\n1\n").unwrap_err().0, 2);
    }

    #[test]
    fn forms_of_json() {
        let wanted = [[("label", "x"), ("path", "a")], [("label", "y"), ("path", "b")]]
            .map(|row| row.map(|(name, value)| (name.to_owned(), value.to_owned())).to_vec());
        for text in [
            "{\"path\":\"a\",\"label\":\"x\"}\n{\"path\":\"b\",\"label\":\"y\"}\n",
            "[{\"path\":\"a\",\"label\":\"x\"},\n {\"path\":\"b\",\"label\":\"y\"}]",
            "{\"data\": [{\"path\":\"a\",\"label\":\"x\"}, {\"path\":\"b\",\"label\":\"y\"}], \"version\": 1}",
            "{\"path\":{\"0\":\"a\",\"1\":\"b\"},\"label\":{\"0\":\"x\",\"1\":\"y\"}}",
            "{\"path\":[\"a\",\"b\"],\"label\":[\"x\",\"y\"]}",
            "[{\"path\":{\"path\":\"a\",\"bytes\":null},\"label\":\"x\"},{\"path\":\"b\",\"label\":\"y\"}]",
        ] {
            assert_eq!(rows(text).into_iter().map(|(_, row)| row).collect::<Vec<_>>(), wanted, "{text}");
        }
        let named = rows("{\"u1\": {\"wav\": \"a\", \"emo\": \"x\"},\n \"u2\": {\"wav\": \"b\", \"emo\": \"y\"}}");
        assert_eq!(named[1].1[1], ("id".into(), "u2".into()));
        let lines = |text: &str| rows(text).iter().map(|(line, _)| *line).collect::<Vec<_>>();
        assert_eq!(lines("\n[\n{\"a\": \"]\\\"{\"},\n\n{\"a\":\n1}]"), [3, 5]);
        assert_eq!(lines("{\"a\":1}\n\n{\"a\":\n1}\n{\"a\":2}"), [1, 3, 5]);
        for (text, line) in [("[1]", 1), ("{\"a\":1}\n{oops", 2), ("[{\"a\":1},\n 2]", 2), ("{\"a\":1}\n[2]", 2)] {
            assert_eq!(Table::read(text).unwrap_err().0, line, "{text}");
        }
        assert_eq!(rows("[]"), []);
    }
}
