//! `predictions.csv`: what was predicted of every utterance of a cell.

use std::path::{Path, PathBuf};

use crate::{
    error::{Result, RunError},
    file::Wide,
};

/// The columns before the probabilities.
const COLUMNS: [&str; 4] = ["id", "fold", "truth", "predicted"];

/// The predictions of a cell. Probabilities are `f32` where they are written and `f64` where they are read.
#[derive(Clone, Debug, PartialEq)]
pub struct Predictions<P = f64> {
    /// The classes, in label order.
    pub labels: Vec<String>,
    /// One an utterance.
    pub rows: Vec<Prediction<P>>,
}

/// What was predicted of an utterance.
#[derive(Clone, Debug, PartialEq)]
pub struct Prediction<P = f64> {
    /// The utterance.
    pub id: String,
    /// The fold that tested it, counted from 0.
    pub fold: usize,
    /// Its class, as an index into the labels.
    pub truth: usize,
    /// The class of the largest probability, as an index into the labels.
    pub predicted: usize,
    /// One a class, 0 to 1.
    pub probabilities: Vec<P>,
}

impl<P: ToString> Predictions<P> {
    /// Writes them into a folder.
    ///
    /// # Errors
    /// Those of the file system; a class that has no label.
    pub fn write(&self, folder: &Path) -> Result<()> {
        let path = file(folder);
        let label = |class: usize| {
            self.labels.get(class).cloned().ok_or_else(|| RunError::value(&path, format!("class {class} has no label")))
        };
        let mut rows = Vec::with_capacity(self.rows.len());
        for row in &self.rows {
            let start = [row.id.clone(), row.fold.to_string(), label(row.truth)?, label(row.predicted)?];
            rows.push((start, row.probabilities.iter().map(ToString::to_string)));
        }
        Wide::put(&path, COLUMNS, self.labels.iter().cloned(), rows.into_iter())
    }
}

impl Predictions {
    /// Reads those of a folder; None where it has none.
    ///
    /// # Errors
    /// Another header, a class without a column, a probability outside 0 to 1.
    pub fn read(folder: &Path) -> Result<Option<Self>> {
        let path = file(folder);
        let Some(Wide { names: labels, rows }) = Wide::read(&path, &COLUMNS)? else { return Ok(None) };
        let mut out = Vec::with_capacity(rows.len());
        for (line, start, probabilities) in rows {
            let wrong = |what: String| RunError::malformed(&path, format!("line {line}: {what}"));
            let class = |name: &str| {
                let found = labels.iter().position(|l| l == name);
                found.ok_or_else(|| wrong(format!("no column for the class `{name}`")))
            };
            if probabilities.iter().any(|p| !(0.0..=1.0).contains(p)) {
                return Err(wrong("a probability outside 0 .. 1".to_owned()));
            }
            out.push(Prediction {
                fold: start[1].parse().map_err(|_| wrong(format!("`fold` is no index: {}", start[1])))?,
                truth: class(&start[2])?,
                predicted: class(&start[3])?,
                id: start.into_iter().next().unwrap_or_default(),
                probabilities,
            });
        }
        Ok(Some(Self { labels, rows: out }))
    }
}

fn file(folder: &Path) -> PathBuf {
    folder.join("predictions.csv")
}
