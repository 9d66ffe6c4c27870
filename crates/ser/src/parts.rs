//! The manifest's column `split`: which rows are learned from, which are for the test.

use sercorpus::{Corpus, Part};

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
        self.keep(corpus, |part| part != Part::Test, "train or validation", "learning from")
    }

    /// The test rows, which is said on stderr; all rows where none names a part.
    ///
    /// # Errors
    /// No test row.
    pub fn test(&self, corpus: Corpus) -> Result<Corpus> {
        self.keep(corpus, |part| part == Part::Test, "test", "scoring")
    }

    fn keep(&self, mut corpus: Corpus, keep: impl Fn(Part) -> bool, parts: &str, verb: &str) -> Result<Corpus> {
        let all = corpus.utterances.len();
        if self.split_column == Column::None || corpus.utterances.iter().all(|u| u.part.is_none()) {
            return Ok(corpus);
        }
        corpus.utterances.retain(|u| u.part.is_some_and(&keep));
        let (name, kept) = (&corpus.name, corpus.utterances.len());
        if kept == 0 {
            return Err(Failure::Input(format!(
                "{name}: `split` is {parts} in no row; --split-column none takes all rows"
            )));
        }
        eprintln!("{name}: {verb} the {kept} of {all} rows whose `split` is {parts}");
        Ok(corpus)
    }
}
