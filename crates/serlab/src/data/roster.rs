//! The utterance list: id, label, speaker and session of each utterance.
//!
//! A run folder holds them (`corpora/NAME.csv`), so that tables can be made where the corpora are not.

use std::path::{Path, PathBuf};

use sercorpus::{Corpus, CorpusName, split::Fold};
use serrun::{RunCorpus, Utterance};

use super::folds;
use crate::error::{LabError, Result};

/// The utterances of a corpus, in official order.
#[derive(Clone, Debug, PartialEq)]
pub struct Roster {
    /// Which corpus.
    pub name: CorpusName,
    /// The classes, in official order.
    pub labels: Vec<String>,
    /// The utterances.
    pub rows: Vec<Utterance>,
    /// The folds that the corpus brings along, where an experiment uses them.
    pub folds: Option<Vec<Fold>>,
}

impl Roster {
    /// Of a corpus on disk.
    pub fn of(name: &CorpusName, corpus: &Corpus) -> Self {
        let rows = corpus.utterances.iter().map(|u| Utterance {
            id: u.id.clone(),
            label: u.label.clone(),
            speaker: u.speaker.clone(),
            session: u.session.clone(),
            text: u.text.clone(),
            part: u.part,
            path: u.path.clone(),
            start: u.start,
            end: u.end,
        });
        Self { name: name.clone(), labels: corpus.labels.clone(), rows: rows.collect(), folds: None }
    }

    /// As a corpus, for what divides corpora.
    pub fn corpus(&self) -> Corpus {
        let utterance = |row: &Utterance| {
            let mut u = sercorpus::Utterance::new(&row.id, &row.path, &row.label);
            (u.speaker, u.session) = (row.speaker.clone(), row.session.clone());
            (u.text, u.part) = (row.text.clone(), row.part);
            u
        };
        Corpus::new(&self.name, self.labels.clone(), self.rows.iter().map(utterance).collect())
    }

    /// Hash of the texts and of the parts of the column `split`.
    pub fn texts_hash(&self) -> String {
        let mut hash = blake3::Hasher::new();
        for row in &self.rows {
            // Neither has a NUL in a CSV file; one that had would be another run at worst.
            hash.update(format!("{:?}\0{:?}\0", row.text, row.part).as_bytes());
        }
        hash.finalize().to_hex().to_string()
    }

    /// Writes `corpora/NAME.csv` below `folder`, and the folds that the corpus brings along. `divided`: with texts and parts, which
    /// divisions other than the paper's depend on.
    ///
    /// # Errors
    /// Those of the file system.
    pub fn write(&self, divided: bool, folder: &Path) -> Result<()> {
        if let Some(all) = &self.folds {
            folds::write(folder, &self.name, &self.corpus(), all)?;
        }
        Ok(Utterance::write_all(&self.rows, divided, folder, &self.name)?)
    }

    /// Reads it from the first of `folders` that has it with texts and parts, else from the first that has it. Runs that fit together
    /// have equal hashes of features, and so the same utterances.
    ///
    /// # Errors
    /// No folder that has it; another file.
    pub fn read(folders: &[PathBuf], name: &CorpusName, corpus: &RunCorpus) -> Result<Self> {
        let mut found: Option<Self> = None;
        for folder in folders {
            if let Some(rows) = Utterance::read_all(folder, name)? {
                let divided = rows.iter().any(|row| row.text.is_some() || row.part.is_some());
                if found.is_some() && !divided {
                    continue;
                }
                let known = |kind: sercorpus::CorpusKind| kind.labels().iter().map(|&l| l.to_owned()).collect();
                let labels = name.kind().map_or_else(|| corpus.classes.clone(), known);
                let mut roster = Self { name: name.clone(), labels, rows, folds: None };
                if corpus.folds.is_some() {
                    let (whole, path) = (roster.corpus(), folds::file(folder, name));
                    let own = folds::read(&whole, &path)?;
                    if Some(folds::hash(&whole, &own)?) != corpus.folds {
                        return Err(LabError::Input(format!(
                            "{}: it was changed after the run began, so it no longer says what the folds beside it were trained on; undo the change",
                            path.display()
                        )));
                    }
                    roster.folds = Some(own);
                }
                found = Some(roster);
                if divided {
                    break;
                }
            }
        }
        if let Some(found) = found {
            return Ok(found);
        }
        let wanted = folders.first().map_or_else(PathBuf::new, |folder| Utterance::file(folder, name));
        Err(LabError::Input(format!(
            "{}: not there; run the folder's own command once more, which writes it and recomputes nothing",
            wanted.display()
        )))
    }

    /// The class index of each utterance; the number of classes where it has none of them.
    pub fn label_indices(&self) -> Vec<usize> {
        let index = |row: &Utterance| self.labels.iter().position(|l| *l == row.label).unwrap_or(self.labels.len());
        self.rows.iter().map(index).collect()
    }

    /// Only the utterances of `labels`, which become the classes.
    pub fn with_labels(&self, labels: &[String]) -> Self {
        let mut rows = Vec::new();
        for label in labels {
            rows.extend(self.rows.iter().filter(|r| r.label == *label).cloned());
        }
        Self { name: self.name.clone(), labels: labels.to_vec(), rows, folds: None }
    }
}
