//! `corpora/NAME.csv`: the utterances of a corpus, so that tables can be made where the recordings are not.

use std::path::{Path, PathBuf};

use sercorpus::CorpusName;
use serde::{Deserialize, Serialize};

use crate::{
    error::Result,
    file::{put_rows, rows},
};

/// One utterance.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub struct Utterance {
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
    /// Where in the recording it starts, in seconds; not in the file.
    #[serde(skip)]
    pub start: Option<f64>,
    /// Where in the recording it ends, in seconds; not in the file.
    #[serde(skip)]
    pub end: Option<f64>,
}

impl Utterance {
    /// Where a run folder has the utterances of a corpus.
    pub fn file(run: &Path, corpus: &CorpusName) -> PathBuf {
        run.join(format!("corpora/{corpus}.csv"))
    }

    /// The utterances of a corpus in official order; None where the run folder does not have them.
    ///
    /// # Errors
    /// Another file.
    pub fn read_all(run: &Path, corpus: &CorpusName) -> Result<Option<Vec<Self>>> {
        rows(&Self::file(run, corpus))
    }

    /// Writes them.
    ///
    /// # Errors
    /// Those of the file system.
    pub fn write_all(all: &[Self], run: &Path, corpus: &CorpusName) -> Result<()> {
        put_rows(&Self::file(run, corpus), all)
    }
}
