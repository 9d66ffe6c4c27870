//! The utterance list: id, label, speaker and session of each utterance, without its recording.
//!
//! A run folder holds them (`corpora/NAME.csv`), so that tables can be made where the corpora are not.

use std::path::{Path, PathBuf};

use sercorpus::{
    Corpus, CorpusKind,
    split::{self, Fold, SplitError},
};
use serde::{Deserialize, Serialize};

use crate::{
    disk::put,
    error::{LabError, Result},
};

/// One utterance.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub struct Row {
    /// Unique in its corpus.
    pub id: String,
    /// Its class.
    pub label: String,
    /// Who speaks.
    pub speaker: Option<String>,
    /// Recording session (IEMOCAP).
    pub session: Option<String>,
    /// The recording; not in the file.
    #[serde(skip)]
    pub path: PathBuf,
}

/// The utterances of a corpus, in official order.
#[derive(Clone, Debug, PartialEq)]
pub struct Roster {
    /// Which corpus.
    pub kind: CorpusKind,
    /// The classes, in official order.
    pub labels: Vec<String>,
    /// The utterances.
    pub rows: Vec<Row>,
}

impl Roster {
    /// Of a corpus on disk.
    pub fn of(kind: CorpusKind, corpus: &Corpus) -> Self {
        let rows = corpus.utterances.iter().map(|u| Row {
            id: u.id.clone(),
            label: u.label.clone(),
            speaker: u.speaker.clone(),
            session: u.session.clone(),
            path: u.path.clone(),
        });
        Self { kind, labels: corpus.labels.clone(), rows: rows.collect() }
    }

    /// Writes `corpora/NAME.csv` below `folder`.
    ///
    /// # Errors
    /// Those of the file system.
    pub fn write(&self, folder: &Path) -> Result<()> {
        let mut out = csv::Writer::from_writer(Vec::new());
        self.rows.iter().try_for_each(|row| out.serialize(row)).map_err(LabError::work)?;
        put(&file(folder, self.kind), &out.into_inner().map_err(LabError::work)?)
    }

    /// Reads what [`Self::write`] wrote.
    ///
    /// # Errors
    /// No such file, or none of these.
    pub fn read(folder: &Path, kind: CorpusKind) -> Result<Self> {
        let path = file(folder, kind);
        let wrong = |e: csv::Error| {
            LabError::Input(format!(
                "{}: {e}; run the folder's own command once more, which writes it and recomputes nothing",
                path.display()
            ))
        };
        let rows = csv::Reader::from_path(&path)
            .and_then(|mut r| r.deserialize().collect::<std::result::Result<Vec<Row>, _>>())
            .map_err(wrong)?;
        let labels = kind.labels().iter().map(|&l| l.to_owned()).collect();
        Ok(Self { kind, labels, rows })
    }

    /// Reads it from the first of `folders` that has it. Runs that fit together have equal hashes of features, and so the same
    /// utterances.
    ///
    /// # Errors
    /// As [`Self::read`], of the first folder.
    pub fn read_any(folders: &[PathBuf], kind: CorpusKind) -> Result<Self> {
        let mut found = folders.iter().map(|folder| Self::read(folder, kind));
        let first = found.next().unwrap_or_else(|| Err(LabError::Input("no folder".into())));
        first.or_else(|e| found.find_map(Result::ok).ok_or(e))
    }

    /// The class index of each utterance; the number of classes where it has none of them.
    pub fn label_indices(&self) -> Vec<usize> {
        let index = |row: &Row| self.labels.iter().position(|l| *l == row.label).unwrap_or(self.labels.len());
        self.rows.iter().map(index).collect()
    }

    /// Only the utterances of `labels`, which become the classes.
    pub fn with_labels(&self, labels: &[String]) -> Self {
        let mut rows = Vec::new();
        for label in labels {
            rows.extend(self.rows.iter().filter(|r| r.label == *label).cloned());
        }
        Self { kind: self.kind, labels: labels.to_vec(), rows }
    }

    /// One session left out where the corpus has sessions (IEMOCAP), else one speaker.
    ///
    /// # Errors
    /// An utterance without one.
    pub fn speaker_independent_folds(&self) -> std::result::Result<Vec<Fold>, SplitError> {
        let sessions = self.rows.iter().any(|r| r.session.is_some());
        let (what, group): (_, fn(&Row) -> Option<&str>) =
            if sessions { ("session", |r| r.session.as_deref()) } else { ("speaker", |r| r.speaker.as_deref()) };
        let groups: Vec<&str> = self.rows.iter().filter_map(group).collect();
        let n = self.rows.len();
        match self.rows.iter().find(|r| group(r).is_none()) {
            None => split::leave_one_group_out(&groups),
            Some(first) => Err(SplitError::NoGroup { what, missing: n - groups.len(), n, first: first.id.clone() }),
        }
    }
}

fn file(folder: &Path, kind: CorpusKind) -> PathBuf {
    folder.join(format!("corpora/{kind}.csv"))
}
