//! A list's column `split`, or folders of parts: which rows are learned from, which are for the test.

use sercorpus::Corpus;

use crate::failure::{Failure, Result};

/// Takes all rows.
const NONE: &str = "none";

#[derive(Debug, clap::Args)]
pub struct Split {
    /// A list's column that divides its rows into train, validation and test; folders of parts count as it. `none` takes all rows.
    #[arg(long, default_value = "split", value_name = "COLUMN|none")]
    split_column: String,
}

impl Split {
    /// The column, where it is not the one that its name tells.
    pub fn columns(&self) -> Vec<(String, String)> {
        let column = Some(&self.split_column).filter(|column| !["split", NONE].contains(&column.as_str()));
        column.map(|column| ("split".to_owned(), column.clone())).into_iter().collect()
    }

    /// The rows for training and validation, which is said on stderr; all rows where none names a part.
    ///
    /// # Errors
    /// No such row.
    pub fn training(&self, corpus: Corpus) -> Result<Corpus> {
        self.keep(corpus, Corpus::for_training, "train or validation", "learning from")
    }

    /// The test rows, which is said on stderr; all rows where none names a part.
    ///
    /// # Errors
    /// No test row.
    pub fn test(&self, corpus: Corpus) -> Result<Corpus> {
        self.keep(corpus, Corpus::for_testing, "test", "scoring")
    }

    fn keep(&self, corpus: Corpus, keep: fn(&Corpus) -> Corpus, parts: &str, verb: &str) -> Result<Corpus> {
        if self.split_column == NONE || !corpus.is_split() {
            return Ok(corpus);
        }
        let kept = keep(&corpus);
        let (name, n, all) = (&corpus.name, kept.utterances.len(), corpus.utterances.len());
        if n == 0 {
            return Err(Failure::Input(format!(
                "{name}: `split` is {parts} in no row; --split-column none takes all rows"
            )));
        }
        tracing::info!("{name}: {verb} the {n} of {all} rows whose `split` is {parts}");
        Ok(kept)
    }
}
