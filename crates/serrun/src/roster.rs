//! `corpora/NAME.csv`: the utterances of a corpus, so that tables can be made where the recordings are not.

use std::path::{Path, PathBuf};

use sercorpus::{CorpusName, Part};
use serde::{Deserialize, Serialize};

use crate::{
    error::Result,
    file::{Wide, rows},
};

/// The columns that every file has.
const COLUMNS: [&str; 4] = ["id", "label", "speaker", "session"];

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
    /// Which text is spoken; in files of runs that divide otherwise than the paper does.
    #[serde(default, skip_serializing)]
    pub text: Option<String>,
    /// The part that the corpus' column `split` says; in files of the same runs.
    #[serde(default, skip_serializing)]
    pub part: Option<Part>,
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

    /// Writes them, and with `divided` what else divisions depend on: the columns `text` and `part`.
    ///
    /// # Errors
    /// Those of the file system.
    pub fn write_all(all: &[Self], divided: bool, run: &Path, corpus: &CorpusName) -> Result<()> {
        let more = if divided { &["text", "part"][..] } else { &[] };
        let rows = all.iter().map(|u| {
            let plain = |value: &Option<String>| value.clone().unwrap_or_default();
            let part = u.part.map(|part| part.name().to_owned());
            let start = [u.id.clone(), u.label.clone(), plain(&u.speaker), plain(&u.session)];
            (start, [plain(&u.text), plain(&part)].into_iter().take(more.len()))
        });
        Wide::put(&Self::file(run, corpus), COLUMNS, more.iter().map(|&name| name.to_owned()), rows)
    }
}
