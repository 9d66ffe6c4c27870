//! The manifest's column `split`: which rows are learned from, which are for the test.

use sercorpus::Corpus;

use crate::failure::{Failure, Result};

/// `--split-column`.
#[derive(Clone, Copy, Debug, PartialEq, Eq, clap::ValueEnum)]
enum Column {
    Split,
    None,
}

#[derive(Debug, clap::Args)]
pub struct Split {
    /// The manifest's column that divides its rows into train, validation and test; `none` takes all rows.
    #[arg(long, value_enum, default_value_t = Column::Split, value_name = "split|none", hide_possible_values = true)]
    split_column: Column,
}

impl Split {
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
        if self.split_column == Column::None || !corpus.is_split() {
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
