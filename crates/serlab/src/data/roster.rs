//! The utterance list: id, label, speaker and session of each utterance.
//!
//! A run folder holds them (`corpora/NAME.csv`), so that tables can be made where the corpora are not.

use std::path::{Path, PathBuf};

use sercorpus::{
    Corpus, CorpusName,
    split::{self, Fold, SplitError},
};
use serrun::{RunCorpus, Utterance};

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
}

impl Roster {
    /// Of a corpus on disk.
    pub fn of(name: &CorpusName, corpus: &Corpus) -> Self {
        let rows = corpus.utterances.iter().map(|u| Utterance {
            id: u.id.clone(),
            label: u.label.clone(),
            speaker: u.speaker.clone(),
            session: u.session.clone(),
            path: u.path.clone(),
            start: u.start,
            end: u.end,
        });
        Self { name: name.clone(), labels: corpus.labels.clone(), rows: rows.collect() }
    }

    /// Writes `corpora/NAME.csv` below `folder`.
    ///
    /// # Errors
    /// Those of the file system.
    pub fn write(&self, folder: &Path) -> Result<()> {
        Ok(Utterance::write_all(&self.rows, folder, &self.name)?)
    }

    /// Reads it from the first of `folders` that has it. Runs that fit together have equal hashes of features, and so the same
    /// utterances.
    ///
    /// # Errors
    /// No folder that has it; another file.
    pub fn read(folders: &[PathBuf], name: &CorpusName, corpus: &RunCorpus) -> Result<Self> {
        for folder in folders {
            if let Some(rows) = Utterance::read_all(folder, name)? {
                let known = |kind: sercorpus::CorpusKind| kind.labels().iter().map(|&l| l.to_owned()).collect();
                let labels = name.kind().map_or_else(|| corpus.classes.clone(), known);
                return Ok(Self { name: name.clone(), labels, rows });
            }
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
        Self { name: self.name.clone(), labels: labels.to_vec(), rows }
    }

    /// One session left out where the corpus has sessions (IEMOCAP), else one speaker.
    ///
    /// # Errors
    /// An utterance without one.
    pub fn speaker_independent_folds(&self) -> std::result::Result<Vec<Fold>, SplitError> {
        let sessions = self.rows.iter().any(|r| r.session.is_some());
        let (what, group): (_, fn(&Utterance) -> Option<&str>) =
            if sessions { ("session", |r| r.session.as_deref()) } else { ("speaker", |r| r.speaker.as_deref()) };
        let groups: Vec<&str> = self.rows.iter().filter_map(group).collect();
        let n = self.rows.len();
        match self.rows.iter().find(|r| group(r).is_none()) {
            None => split::leave_one_group_out(&groups),
            Some(first) => Err(SplitError::NoGroup { what, missing: n - groups.len(), n, first: first.id.clone() }),
        }
    }
}
