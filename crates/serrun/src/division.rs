//! How a corpus is divided.

use serde::{Deserialize, Serialize};

use crate::protocol::Protocol;

/// What is trained on and what is scored.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "kebab-case")]
pub enum Split {
    /// The folds that each protocol says.
    #[default]
    Folds,
    /// One stratified division, 8:2.
    HoldOut,
    /// All of one corpus, all of another.
    CrossCorpus,
}

impl Split {
    /// The usual one, which files leave out.
    pub fn is_folds(&self) -> bool {
        *self == Self::Folds
    }
}

/// How the utterances are divided.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Serialize, Deserialize)]
#[serde(rename_all = "kebab-case")]
pub enum Division {
    /// scikit-learn's shuffled KFold.
    Random,
    /// The same, with a stratified validation part cut out of each training part.
    RandomValidated,
    /// One speaker (IEMOCAP: session) left out.
    SpeakerOut,
    /// One stratified 8:2 division.
    HoldOut,
    /// All of one corpus for training, all of the others for testing.
    CrossCorpus,
}

impl Division {
    /// What a protocol is scored on where an experiment trains on folds.
    pub fn of(protocol: Protocol) -> Self {
        match protocol {
            Protocol::LastEpoch | Protocol::BestEpoch => Self::Random,
            Protocol::Validated => Self::RandomValidated,
            Protocol::SpeakerIndependent => Self::SpeakerOut,
        }
    }

    /// All divisions.
    pub const ALL: [Self; 5] =
        [Self::Random, Self::RandomValidated, Self::SpeakerOut, Self::HoldOut, Self::CrossCorpus];

    /// The name in folders.
    pub fn name(self) -> &'static str {
        match self {
            Self::Random => "random",
            Self::RandomValidated => "validated",
            Self::SpeakerOut => "speaker-out",
            Self::HoldOut => "hold-out",
            Self::CrossCorpus => "cross-corpus",
        }
    }

    /// In sentences: `random folds`.
    pub fn title(self) -> &'static str {
        match self {
            Self::Random => "random folds",
            Self::RandomValidated => "random folds with a validation part",
            Self::SpeakerOut => "one speaker left out",
            Self::HoldOut => "hold-out",
            Self::CrossCorpus => "across corpora",
        }
    }

    /// Whether nobody who speaks in the test part speaks in the training part.
    pub fn is_of_new_speakers(self) -> bool {
        matches!(self, Self::SpeakerOut | Self::CrossCorpus)
    }

    /// Whether the seed draws the folds; where it does not, several seeds are several trainings of the same folds.
    pub fn is_drawn(self) -> bool {
        matches!(self, Self::Random | Self::RandomValidated | Self::HoldOut)
    }

    /// Whether the test part is scored after every epoch; across corpora, where it is four times the training part, after
    /// the last one alone.
    pub fn is_tested_every_epoch(self) -> bool {
        self != Self::CrossCorpus
    }
}
