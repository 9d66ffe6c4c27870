//! What must be said beside a figure: one vocabulary, for the terminal, the report and every data file.

use std::{fmt, str::FromStr};

use serde::{Deserialize, Serialize};

/// What must be said beside a figure. In files it is its [`word`](Self::word).
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Serialize, Deserialize)]
#[serde(try_from = "String", into = "String")]
pub enum Mark {
    /// The epoch, a threshold or a setting was chosen on the data that is scored.
    Optimistic,
    /// Features of the test recordings entered the system, without their labels.
    UnlabelledTestData,
    /// Recordings of the corpus are missing.
    PartialCorpus,
    /// A program made the recordings.
    Synthetic,
    /// A part of the system was trained on data that cannot be seen.
    ExternalModel,
    /// Trained for fewer epochs than the published figures.
    Preview {
        /// Epochs trained.
        epochs: u32,
        /// Epochs of the published figures.
        of: u32,
    },
    /// The same sentences are spoken in training and test.
    TextsShared,
}

/// A word that is no mark.
#[derive(Debug, thiserror::Error)]
#[error(
    "unknown mark `{0}`; known: optimistic, unlabelled test data seen, partial corpus, synthetic, external model, preview: N of M epochs, texts shared"
)]
pub struct UnknownMark(String);

impl Mark {
    const PLAIN: [Self; 6] = [
        Self::Optimistic,
        Self::UnlabelledTestData,
        Self::PartialCorpus,
        Self::Synthetic,
        Self::ExternalModel,
        Self::TextsShared,
    ];

    /// The words in data files: `optimistic`, `preview: 20 of 500 epochs`.
    #[must_use]
    pub fn word(self) -> String {
        match self {
            Self::Optimistic => "optimistic".to_owned(),
            Self::UnlabelledTestData => "unlabelled test data seen".to_owned(),
            Self::PartialCorpus => "partial corpus".to_owned(),
            Self::Synthetic => "synthetic".to_owned(),
            Self::ExternalModel => "external model".to_owned(),
            Self::Preview { epochs, of } => format!("preview: {epochs} of {of} epochs"),
            Self::TextsShared => "texts shared".to_owned(),
        }
    }

    /// The abbreviation in tables: `opt`.
    #[must_use]
    pub fn short(self) -> &'static str {
        match self {
            Self::Optimistic => "opt",
            Self::UnlabelledTestData => "unl",
            Self::PartialCorpus => "part",
            Self::Synthetic => "syn",
            Self::ExternalModel => "ext",
            Self::Preview { .. } => "pre",
            Self::TextsShared => "txt",
        }
    }

    /// What it means, after its words.
    #[must_use]
    pub fn meaning(self) -> String {
        let meaning = match self {
            Self::Optimistic => {
                "the epoch, a threshold or a setting was chosen on the data that is scored, so the figure is too high for new data"
            }
            Self::UnlabelledTestData => "features of the test recordings entered the system, without their labels",
            Self::PartialCorpus => {
                "recordings of the corpus are missing, so the figure is not about the corpus as published"
            }
            Self::Synthetic => "a program made the recordings, so the figure says nothing about any corpus",
            Self::ExternalModel => {
                "a part of the system was trained on data that cannot be seen and may hold the test recordings"
            }
            Self::Preview { .. } => "trained for fewer epochs than the published figures",
            Self::TextsShared => {
                "the same sentences are spoken in training and test, so the figure says nothing about new sentences"
            }
        };
        format!("{}: {meaning}", self.word())
    }

    /// `marks` in order, each once.
    #[must_use]
    pub fn sorted(marks: impl IntoIterator<Item = Self>) -> Vec<Self> {
        let mut marks: Vec<Self> = marks.into_iter().collect();
        marks.sort_unstable();
        marks.dedup();
        marks
    }

    /// `opt, txt`.
    #[must_use]
    pub fn shorts(marks: &[Self]) -> String {
        marks.iter().map(|m| m.short()).collect::<Vec<_>>().join(", ")
    }
}

impl fmt::Display for Mark {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&self.word())
    }
}

impl From<Mark> for String {
    fn from(mark: Mark) -> Self {
        mark.word()
    }
}

impl FromStr for Mark {
    type Err = UnknownMark;

    fn from_str(word: &str) -> Result<Self, UnknownMark> {
        let preview = || {
            let (epochs, of) = word.strip_prefix("preview: ")?.strip_suffix(" epochs")?.split_once(" of ")?;
            Some(Self::Preview { epochs: epochs.parse().ok()?, of: of.parse().ok()? })
        };
        let plain = Self::PLAIN.into_iter().find(|m| m.word() == word);
        plain.or_else(preview).ok_or_else(|| UnknownMark(word.to_owned()))
    }
}

impl TryFrom<String> for Mark {
    type Error = UnknownMark;

    fn try_from(word: String) -> Result<Self, UnknownMark> {
        word.parse()
    }
}

#[cfg(test)]
mod tests {
    #![allow(clippy::unwrap_used)]

    use super::*;

    #[test]
    fn every_mark_is_read_as_it_is_written() {
        for mark in Mark::PLAIN.into_iter().chain([Mark::Preview { epochs: 20, of: 500 }]) {
            assert_eq!(mark.word().parse::<Mark>().unwrap(), mark);
            let json = serde_json::to_string(&mark).unwrap();
            assert_eq!(serde_json::from_str::<Mark>(&json).unwrap(), mark, "{json}");
            assert!(mark.meaning().starts_with(&mark.word()));
        }
        for wrong in ["", "caveat", "preview: 20 epochs", "preview: x of 500 epochs"] {
            assert!(wrong.parse::<Mark>().is_err(), "{wrong}");
        }
    }
}
