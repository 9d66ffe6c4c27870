//! The folds that a corpus brings along: a CSV of id, fold and part, or EmoBox's.
//!
//! A run folder holds them (`corpora/NAME.folds.csv`), so that tables can be made where the file is not.

use std::path::{Path, PathBuf};

use sercorpus::{
    Corpus, CorpusName,
    split::{self, Fold},
};
use serrun::put;

use crate::error::{LabError, Result};

/// The folds of a CSV file, or of a corpus' folder of EmoBox (`data/emodb`).
///
/// # Errors
/// A file that can't be read; a line that does not fit the corpus, by its number; a fold without training or test part.
pub fn read(corpus: &Corpus, path: &Path) -> Result<Vec<Fold>> {
    let folds = if path.is_dir() { split::read_emobox(corpus, path) } else { split::read_csv(corpus, path) };
    let folds = folds.map_err(LabError::input)?;
    if folds.is_empty() {
        return Err(LabError::Input(format!("{}: it has no folds", path.display())));
    }
    Ok(folds)
}

/// Folds as CSV: id, fold, part.
///
/// # Errors
/// None that memory gives.
pub fn csv(corpus: &Corpus, folds: &[Fold]) -> Result<Vec<u8>> {
    let mut text = Vec::new();
    split::write_csv(corpus, folds, &mut text).map_err(LabError::work)?;
    Ok(text)
}

/// Hash of folds: that of their CSV.
///
/// # Errors
/// None that memory gives.
pub fn hash(corpus: &Corpus, folds: &[Fold]) -> Result<String> {
    Ok(blake3::hash(&csv(corpus, folds)?).to_hex().to_string())
}

/// Where a run folder has the folds of a corpus.
pub fn file(run: &Path, corpus: &CorpusName) -> PathBuf {
    // No corpus' name has a dot.
    run.join(format!("corpora/{corpus}.folds.csv"))
}

/// Writes the folds into a run folder.
///
/// # Errors
/// Those of the file system.
pub fn write(run: &Path, name: &CorpusName, corpus: &Corpus, folds: &[Fold]) -> Result<()> {
    Ok(put(&file(run, name), &csv(corpus, folds)?)?)
}
