//! A training's folder in a run: curves, predictions, embeddings, attention, fusion weights.

use std::{collections::BTreeMap, path::Path};

use serde::Deserialize;

use crate::{
    error::{ReportError, Result},
    names,
    run::{folders, json, rows, text},
};

/// One network trained over one division with one seed. Whatever the folder does not have is empty.
#[derive(Debug, Default)]
pub struct Training {
    /// The folder's name.
    pub name: String,
    pub epochs: Vec<Epoch>,
    /// By protocol; one for each corpus tested, where that is not the one trained on.
    pub predictions: BTreeMap<String, Vec<Predictions>>,
    pub embeddings: Vec<Embedding>,
    pub attention: Option<Attention>,
    /// A fold's weight of each block, `[folds][blocks]`.
    pub fusion: Vec<Vec<f64>>,
}

/// A row of `epochs.csv`.
#[derive(Debug, Deserialize)]
pub struct Epoch {
    pub fold: usize,
    pub epoch: u32,
    pub train_loss: f64,
    pub train_accuracy: f64,
    /// Where the epoch was tested.
    pub test_loss: Option<f64>,
    pub test_accuracy: Option<f64>,
}

/// `predictions.csv`.
#[derive(Debug)]
pub struct Predictions {
    /// The corpus tested, where it is not the one trained on.
    pub target: Option<String>,
    /// The classes, in label order.
    pub labels: Vec<String>,
    pub rows: Vec<Prediction>,
}

/// A row of `predictions.csv`.
#[derive(Debug)]
pub struct Prediction {
    pub id: String,
    /// Index into the labels.
    pub truth: usize,
    /// Index into the labels.
    pub predicted: usize,
    /// One a class.
    pub probabilities: Vec<f64>,
}

/// A row of `embeddings.csv`.
#[derive(Debug)]
pub struct Embedding {
    pub fold: usize,
    pub label: String,
    pub predicted: String,
    pub values: Vec<f64>,
}

/// `attention.json`.
#[derive(Debug, Deserialize)]
pub struct Attention {
    pub id: String,
    pub label: String,
    pub predicted: String,
    /// Seconds from one frame to the next.
    pub hop_seconds: f64,
    /// `[blocks][frames]`.
    pub attention: Vec<Vec<f64>>,
}

impl Training {
    /// Reads a folder; None where it is no training's.
    pub fn open(folder: &Path) -> Result<Option<Self>> {
        let mut predictions = BTreeMap::new();
        for protocol in folders(folder)? {
            let mut found: Vec<Predictions> = read_predictions(&protocol, None)?.into_iter().collect();
            for target in folders(&protocol)? {
                found.extend(read_predictions(&target, Some(file_name(&target)))?);
            }
            if !found.is_empty() {
                predictions.insert(file_name(&protocol), found);
            }
        }
        let training = Self {
            epochs: rows(&folder.join("epochs.csv"))?.unwrap_or_default(),
            embeddings: read_embeddings(&folder.join("embeddings.csv"))?,
            attention: read_attention(&folder.join("attention.json"))?,
            fusion: read_fusion(&folder.join("fusion.csv"))?,
            predictions,
            name: file_name(folder),
        };
        let empty = training.epochs.is_empty() && training.predictions.is_empty() && training.embeddings.is_empty();
        Ok((!empty || training.attention.is_some() || !training.fusion.is_empty()).then_some(training))
    }

    /// The name without the seed.
    pub fn stem(&self) -> &str {
        names::split_seed(&self.name).0
    }
}

/// The lines of a CSV file: the header, then each row with its line number.
struct Lines {
    header: Vec<String>,
    rows: Vec<(u64, csv::StringRecord)>,
}

fn lines(path: &Path) -> Result<Option<Lines>> {
    let Some(text) = text(path)? else { return Ok(None) };
    let mut reader = csv::Reader::from_reader(text.as_bytes());
    let header = reader.headers().map_err(|e| ReportError::malformed(path, e))?.iter().map(str::to_owned).collect();
    let row = |r: csv::Result<csv::StringRecord>| r.map(|r| (r.position().map_or(0, csv::Position::line), r));
    let rows = reader.records().map(row).collect::<csv::Result<_>>().map_err(|e| ReportError::malformed(path, e))?;
    Ok(Some(Lines { header, rows }))
}

/// The columns from `first` on, as finite numbers.
fn numbers(path: &Path, line: u64, row: &csv::StringRecord, first: usize) -> Result<Vec<f64>> {
    let parse = |v: &str| {
        let number = v.trim().parse().ok().filter(|n: &f64| n.is_finite());
        number.ok_or_else(|| ReportError::malformed(path, format!("line {line}: `{v}` is no number")))
    };
    row.iter().skip(first).map(parse).collect()
}

fn expect(path: &Path, header: &[String], start: &[&str]) -> Result<()> {
    if header.len() > start.len() && header.iter().zip(start).all(|(a, b)| a == b) {
        return Ok(());
    }
    Err(ReportError::malformed(path, format!("line 1: expected the columns {}, then one or more", start.join(", "))))
}

fn file_name(path: &Path) -> String {
    path.file_name().unwrap_or_default().to_string_lossy().into_owned()
}

fn read_predictions(folder: &Path, target: Option<String>) -> Result<Option<Predictions>> {
    let path = &folder.join("predictions.csv");
    let Some(Lines { header, rows }) = lines(path)? else { return Ok(None) };
    expect(path, &header, &["id", "fold", "truth", "predicted"])?;
    let labels = header[4..].to_vec();
    let class = |line: u64, name: &str| {
        let found = labels.iter().position(|l| l == name);
        found.ok_or_else(|| ReportError::malformed(path, format!("line {line}: no column for the class `{name}`")))
    };
    let mut out = Vec::new();
    for (line, row) in &rows {
        let probabilities = numbers(path, *line, row, 4)?;
        if probabilities.iter().any(|p| !(0.0..=1.0).contains(p)) {
            return Err(ReportError::malformed(path, format!("line {line}: a probability outside 0 .. 1")));
        }
        out.push(Prediction {
            id: row[0].to_owned(),
            truth: class(*line, &row[2])?,
            predicted: class(*line, &row[3])?,
            probabilities,
        });
    }
    Ok((!out.is_empty()).then_some(Predictions { target, labels, rows: out }))
}

fn read_embeddings(path: &Path) -> Result<Vec<Embedding>> {
    let Some(Lines { header, rows }) = lines(path)? else { return Ok(Vec::new()) };
    expect(path, &header, &["id", "fold", "label", "predicted"])?;
    let read = |(line, row): &(u64, csv::StringRecord)| {
        let fold =
            row[1].parse().map_err(|_| ReportError::malformed(path, format!("line {line}: `fold` is no index")))?;
        let values = numbers(path, *line, row, 4)?;
        Ok(Embedding { fold, label: row[2].to_owned(), predicted: row[3].to_owned(), values })
    };
    rows.iter().map(read).collect()
}

fn read_fusion(path: &Path) -> Result<Vec<Vec<f64>>> {
    let Some(Lines { header, rows }) = lines(path)? else { return Ok(Vec::new()) };
    expect(path, &header, &["fold"])?;
    rows.iter().map(|(line, row)| numbers(path, *line, row, 1)).collect()
}

fn read_attention(path: &Path) -> Result<Option<Attention>> {
    let Some(found) = json::<Attention>(path)? else { return Ok(None) };
    let frames = found.attention.first().map_or(0, Vec::len);
    if frames == 0 || found.attention.iter().any(|b| b.len() != frames) {
        return Err(ReportError::malformed(path, "`attention` must have the same number of frames in every block"));
    }
    if !(found.hop_seconds > 0.0 && found.hop_seconds.is_finite()) {
        return Err(ReportError::malformed(path, "`hop_seconds` must be above 0"));
    }
    Ok(Some(found))
}
