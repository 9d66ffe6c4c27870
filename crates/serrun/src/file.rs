//! Text, JSON and CSV files.

use std::{fs, io, path::Path};

use serde::{Deserialize, Serialize, de::DeserializeOwned};

use crate::{
    disk::{create_folder, write_atomic},
    error::{Result, RunError},
};

/// Writes a file whole ([`write_atomic`]), its folder made where it is missing.
///
/// # Errors
/// Those of the file system.
pub fn put(path: &Path, bytes: &[u8]) -> Result<()> {
    let written = path.parent().map_or(Ok(()), create_folder).and_then(|()| write_atomic(path, bytes));
    written.map_err(|source| RunError::Write { path: path.to_owned(), source })
}

/// Writes JSON, indented, with a line feed at its end.
///
/// # Errors
/// Those of the file system.
pub fn put_json(path: &Path, value: &impl Serialize) -> Result<()> {
    let mut bytes = serde_json::to_vec_pretty(value).map_err(|e| RunError::value(path, e))?;
    bytes.push(b'\n');
    put(path, &bytes)
}

/// The text of a file; None where there is no file.
///
/// # Errors
/// A file that can't be read.
pub fn text(path: &Path) -> Result<Option<String>> {
    match fs::read_to_string(path) {
        Ok(text) => Ok(Some(text)),
        Err(e) if e.kind() == io::ErrorKind::NotFound => Ok(None),
        Err(source) => Err(RunError::Read { path: path.to_owned(), source }),
    }
}

/// A JSON file; None where there is no file.
pub(crate) fn json<T: DeserializeOwned>(path: &Path) -> Result<Option<T>> {
    text(path)?.map(|t| serde_json::from_str(&t).map_err(|e| RunError::malformed(path, e))).transpose()
}

/// A JSON file with a key `version`, which is looked at before all others; None where there is no file.
pub(crate) fn versioned_json<T: DeserializeOwned>(path: &Path, expected: u32) -> Result<Option<T>> {
    #[derive(Deserialize)]
    struct Version {
        version: u32,
    }
    let Some(text) = text(path)? else { return Ok(None) };
    let malformed = |e: serde_json::Error| RunError::malformed(path, e);
    let Version { version: found } = serde_json::from_str(&text).map_err(malformed)?;
    if found != expected {
        return Err(RunError::Version { path: path.to_owned(), found, expected });
    }
    serde_json::from_str(&text).map(Some).map_err(malformed)
}

/// The rows of a CSV file with a header; None where there is no file.
pub(crate) fn rows<T: DeserializeOwned>(path: &Path) -> Result<Option<Vec<T>>> {
    let Some(text) = text(path)? else { return Ok(None) };
    let mut reader = csv::Reader::from_reader(text.as_bytes());
    let rows = reader.deserialize().collect::<csv::Result<_>>();
    rows.map(Some).map_err(|e| RunError::malformed(path, e))
}

/// Writes the rows of a CSV file, with their fields' names as header.
pub(crate) fn put_rows<T: Serialize>(path: &Path, rows: impl IntoIterator<Item = T>) -> Result<()> {
    let mut out = csv::Writer::from_writer(Vec::new());
    rows.into_iter().try_for_each(|row| out.serialize(row)).map_err(|e| RunError::value(path, e))?;
    put(path, &out.into_inner().map_err(|e| RunError::value(path, e))?)
}

/// A CSV file whose rows start with some columns of text and go on with numbers, one for each name in the header.
pub(crate) struct Wide {
    /// The names above the numbers.
    pub names: Vec<String>,
    /// Line number, text columns, numbers.
    pub rows: Vec<(u64, Vec<String>, Vec<f64>)>,
}

impl Wide {
    /// Reads a file whose header starts with `start`; None where there is no file.
    ///
    /// # Errors
    /// Another header; a number that is none.
    pub fn read(path: &Path, start: &[&str]) -> Result<Option<Self>> {
        let Some(text) = text(path)? else { return Ok(None) };
        let malformed = |e: csv::Error| RunError::malformed(path, e);
        let mut reader = csv::Reader::from_reader(text.as_bytes());
        let header: Vec<String> = reader.headers().map_err(malformed)?.iter().map(str::to_owned).collect();
        if header.len() <= start.len() || header.iter().zip(start).any(|(a, b)| a != b) {
            let what = format!("line 1: expected the columns {}, then one or more", start.join(", "));
            return Err(RunError::malformed(path, what));
        }
        let mut rows = Vec::new();
        for row in reader.records() {
            let row = row.map_err(malformed)?;
            let line = row.position().map_or(0, csv::Position::line);
            let number = |v: &str| {
                let number = v.trim().parse().ok().filter(|n: &f64| n.is_finite());
                number.ok_or_else(|| RunError::malformed(path, format!("line {line}: `{v}` is no number")))
            };
            let numbers = row.iter().skip(start.len()).map(number).collect::<Result<_>>()?;
            rows.push((line, row.iter().take(start.len()).map(str::to_owned).collect(), numbers));
        }
        Ok(Some(Self { names: header[start.len()..].to_vec(), rows }))
    }

    /// Writes what [`Self::read`] reads.
    ///
    /// # Errors
    /// Those of the file system.
    pub fn put<const N: usize, T: ToString>(
        path: &Path,
        start: [&str; N],
        names: impl Iterator<Item = String>,
        rows: impl Iterator<Item = ([String; N], impl IntoIterator<Item = T>)>,
    ) -> Result<()> {
        let value = |e: csv::Error| RunError::value(path, e);
        let mut out = csv::Writer::from_writer(Vec::new());
        out.write_record(start.into_iter().map(str::to_owned).chain(names)).map_err(value)?;
        for (start, numbers) in rows {
            let numbers = numbers.into_iter().map(|n| n.to_string());
            out.write_record(start.into_iter().chain(numbers)).map_err(value)?;
        }
        put(path, &out.into_inner().map_err(|e| RunError::value(path, e))?)
    }
}
