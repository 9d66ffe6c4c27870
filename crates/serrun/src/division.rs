//! How a corpus is divided.

use std::{fmt, str::FromStr};

use serde::{Deserialize, Serialize};

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

/// How the folds of the protocols last-epoch, best-epoch and validated are made: the key `division` of an experiment.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "kebab-case")]
pub enum FoldsBy {
    /// scikit-learn's shuffled KFold, which is the paper's; the corpus' own folds where it has a file of them.
    #[default]
    Random,
    /// Random folds with nearly the same share of each class.
    Stratified,
    /// Whole speakers: one left out, or groups of them.
    Speakers,
    /// Whole texts (sentences), in groups.
    Texts,
    /// Groups of texts by groups of speakers: a fold shares neither with what it is trained on.
    TextsAndSpeakers,
    /// The one fold that the corpus' column `split` says.
    Split,
    /// The folds of the corpus' file of folds.
    File,
}

impl FoldsBy {
    /// All of them.
    pub const ALL: [Self; 7] =
        [Self::Random, Self::Stratified, Self::Speakers, Self::Texts, Self::TextsAndSpeakers, Self::Split, Self::File];

    /// The usual ones, which files leave out.
    pub fn is_random(&self) -> bool {
        *self == Self::Random
    }

    /// Whether a number of folds is set for it.
    pub fn has_folds(self) -> bool {
        matches!(self, Self::Random | Self::Stratified)
    }

    /// Whether it divides into groups, of which a number can be set.
    pub fn has_groups(self) -> bool {
        matches!(self, Self::Speakers | Self::Texts | Self::TextsAndSpeakers)
    }

    /// Whether it depends on the texts of the utterances or on the column `split`.
    pub fn needs_texts_or_split(self) -> bool {
        matches!(self, Self::Texts | Self::TextsAndSpeakers | Self::Split)
    }

    /// The name in files and on the command line.
    pub fn name(self) -> &'static str {
        match self {
            Self::Random => "random",
            Self::Stratified => "stratified",
            Self::Speakers => "speakers",
            Self::Texts => "texts",
            Self::TextsAndSpeakers => "texts-and-speakers",
            Self::Split => "split",
            Self::File => "file",
        }
    }
}

/// Folds that are not the paper's. `groups` is None where no number is set.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub enum OtherFolds {
    /// Shuffled KFold so many times; more than once.
    Repeated(usize),
    /// Shuffled KFold with nearly the same share of each class in each fold.
    Stratified,
    /// Groups of whole speakers; None: one speaker left out.
    Speakers(Option<usize>),
    /// Groups of whole texts; None: [`OtherFolds::GROUPS`] where there are so many texts.
    Texts(Option<usize>),
    /// So many groups of texts by so many groups of speakers; None: [`OtherFolds::GROUPS`] of each where there are so many.
    TextsAndSpeakers(Option<usize>),
    /// The corpus' column `split`.
    Split,
    /// A file of folds, by the first 32 bits of their hash.
    File(u32),
}

impl OtherFolds {
    /// Groups of texts, and of speakers beside texts, where no number is set and the corpus has as many.
    pub const GROUPS: usize = 5;
}

/// The name in folders: `speakers6`.
impl fmt::Display for OtherFolds {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let groups =
            |by: FoldsBy, n: &Option<usize>| format!("{}{}", by.name(), n.map_or_else(String::new, |n| n.to_string()));
        f.write_str(&match self {
            Self::Repeated(n) => format!("repeated{n}"),
            Self::Stratified => FoldsBy::Stratified.name().to_owned(),
            Self::Speakers(n) => groups(FoldsBy::Speakers, n),
            Self::Texts(n) => groups(FoldsBy::Texts, n),
            Self::TextsAndSpeakers(n) => groups(FoldsBy::TextsAndSpeakers, n),
            Self::Split => FoldsBy::Split.name().to_owned(),
            Self::File(hash) => format!("file-{hash:08x}"),
        })
    }
}

impl OtherFolds {
    /// That of a [`Display`](fmt::Display)ed name.
    fn of_name(name: &str) -> Option<Self> {
        let number = |digits: &str| digits.parse().ok().filter(|n: &usize| n.to_string() == digits);
        let groups = |by: FoldsBy| match name.strip_prefix(by.name())? {
            "" => Some(None),
            digits => number(digits).map(Some),
        };
        let hash = |digits: &str| u32::from_str_radix(digits, 16).ok().filter(|n| format!("{n:08x}") == digits);
        match name {
            "stratified" => Some(Self::Stratified),
            "split" => Some(Self::Split),
            _ => (groups(FoldsBy::TextsAndSpeakers).map(Self::TextsAndSpeakers))
                .or_else(|| groups(FoldsBy::Speakers).map(Self::Speakers))
                .or_else(|| groups(FoldsBy::Texts).map(Self::Texts))
                .or_else(|| name.strip_prefix("repeated").and_then(number).map(Self::Repeated))
                .or_else(|| name.strip_prefix("file-").and_then(hash).map(Self::File)),
        }
    }

    /// In sentences: `6 groups of speakers`.
    fn title(self) -> String {
        let groups = |n: Option<usize>, of: &str| match n {
            Some(n) => format!("{n} groups of {of}"),
            None => format!("groups of {of}"),
        };
        match self {
            Self::Repeated(n) => format!("random folds {n} times"),
            Self::Stratified => "stratified folds".to_owned(),
            Self::Speakers(None) => "one speaker left out".to_owned(),
            Self::Speakers(n) => groups(n, "speakers"),
            Self::Texts(n) => groups(n, "texts"),
            Self::TextsAndSpeakers(n) => groups(n, "texts and of speakers"),
            Self::Split => "the corpus' own split".to_owned(),
            Self::File(hash) => format!("folds of a file ({hash:08x})"),
        }
    }
}

/// How the utterances are divided.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Serialize, Deserialize)]
#[serde(try_from = "String", into = "String")]
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
    /// Folds that are not the paper's.
    Other {
        /// How they are made.
        folds: OtherFolds,
        /// Whether each has a validation part: its own where it has one, else a stratified one cut out of its training part.
        validated: bool,
    },
}

/// A name that is no division's.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
#[error("unknown division `{}`", .0.escape_debug())]
pub struct UnknownDivision(String);

/// What the name of a division with a validation part ends in.
const VALIDATED: &str = "-validated";

impl Division {
    /// The paper's, and those of its other experiments.
    const NAMED: [Self; 5] = [Self::Random, Self::RandomValidated, Self::SpeakerOut, Self::HoldOut, Self::CrossCorpus];

    /// The name in folders: `speaker-out`, `speakers6`, `speakers6-validated`.
    pub fn name(self) -> String {
        match self {
            Self::Random => "random".to_owned(),
            Self::RandomValidated => "validated".to_owned(),
            Self::SpeakerOut => "speaker-out".to_owned(),
            Self::HoldOut => "hold-out".to_owned(),
            Self::CrossCorpus => "cross-corpus".to_owned(),
            Self::Other { folds, validated } => format!("{folds}{}", if validated { VALIDATED } else { "" }),
        }
    }

    /// In sentences: `random folds`.
    pub fn title(self) -> String {
        match self {
            Self::Random => "random folds".to_owned(),
            Self::RandomValidated => "random folds with a validation part".to_owned(),
            Self::SpeakerOut => "one speaker left out".to_owned(),
            Self::HoldOut => "hold-out".to_owned(),
            Self::CrossCorpus => "across corpora".to_owned(),
            Self::Other { folds, validated: false } => folds.title(),
            Self::Other { folds, validated: true } => format!("{} with a validation part", folds.title()),
        }
    }

    /// What stands behind the protocol of a figure on folds that are not those of its name: `6 groups of speakers`.
    pub fn beside_protocol(self) -> Option<String> {
        match self {
            Self::Other { folds, .. } => Some(folds.title()),
            _ => None,
        }
    }

    /// Whether nobody who speaks in the test part speaks in the training part. None where that depends on the corpus and its folds,
    /// which have to be looked at.
    pub fn is_of_new_speakers(self) -> Option<bool> {
        match self {
            Self::SpeakerOut | Self::CrossCorpus => Some(true),
            Self::Random | Self::RandomValidated | Self::HoldOut => Some(false),
            Self::Other { .. } => None,
        }
    }

    /// Whether the seed draws the folds; where it does not, several seeds are several trainings of the same folds.
    pub fn is_drawn(self) -> bool {
        match self {
            Self::Random | Self::RandomValidated | Self::HoldOut => true,
            Self::SpeakerOut | Self::CrossCorpus => false,
            Self::Other { folds, validated } => {
                validated || matches!(folds, OtherFolds::Repeated(_) | OtherFolds::Stratified)
            }
        }
    }

    /// Whether a number of folds is set for it.
    pub fn has_folds(self) -> bool {
        match self {
            Self::Random | Self::RandomValidated => true,
            Self::Other { folds, .. } => matches!(folds, OtherFolds::Repeated(_) | OtherFolds::Stratified),
            Self::SpeakerOut | Self::HoldOut | Self::CrossCorpus => false,
        }
    }

    /// Whether its folds have a validation part.
    pub fn is_validated(self) -> bool {
        matches!(self, Self::RandomValidated | Self::Other { validated: true, .. })
    }

    /// Whether the test part is scored after every epoch; across corpora, where it is four times the training part, after
    /// the last one alone.
    pub fn is_tested_every_epoch(self) -> bool {
        self != Self::CrossCorpus
    }

    /// The word in data files: the name, but for random folds with a validation part, which were written so before.
    fn word(self) -> String {
        if self == Self::RandomValidated { "random-validated".to_owned() } else { self.name() }
    }
}

impl From<Division> for String {
    fn from(division: Division) -> Self {
        division.word()
    }
}

impl FromStr for Division {
    type Err = UnknownDivision;

    fn from_str(word: &str) -> Result<Self, UnknownDivision> {
        let (name, validated) = word.strip_suffix(VALIDATED).map_or((word, false), |name| (name, true));
        let named = Self::NAMED.into_iter().find(|division| division.word() == word);
        let other = || OtherFolds::of_name(name).map(|folds| Self::Other { folds, validated });
        named.or_else(other).ok_or_else(|| UnknownDivision(word.to_owned()))
    }
}

impl TryFrom<String> for Division {
    type Error = UnknownDivision;

    fn try_from(word: String) -> Result<Self, UnknownDivision> {
        word.parse()
    }
}

#[cfg(test)]
mod tests {
    #![allow(clippy::unwrap_used)]

    use super::*;

    #[test]
    fn every_division_is_read_as_it_is_written() {
        let folds = [
            OtherFolds::Repeated(3),
            OtherFolds::Stratified,
            OtherFolds::Speakers(None),
            OtherFolds::Speakers(Some(6)),
            OtherFolds::Texts(Some(5)),
            OtherFolds::TextsAndSpeakers(None),
            OtherFolds::TextsAndSpeakers(Some(2)),
            OtherFolds::Split,
            OtherFolds::File(0x0012_abcd),
        ];
        let other =
            folds.into_iter().flat_map(|folds| [true, false].map(|validated| Division::Other { folds, validated }));
        let mut words = Vec::new();
        for division in Division::NAMED.into_iter().chain(other) {
            let json = serde_json::to_string(&division).unwrap();
            assert_eq!(serde_json::from_str::<Division>(&json).unwrap(), division, "{json}");
            words.push(String::from(division));
        }
        // As files of earlier programs have them.
        assert_eq!(words[..5], ["random", "random-validated", "speaker-out", "hold-out", "cross-corpus"]);
        assert_eq!(words[5..7], ["repeated3-validated", "repeated3"]);
        assert_eq!(words[words.len() - 1], "file-0012abcd");
        assert_eq!(Division::RandomValidated.name(), "validated");
        for wrong in
            ["", "speakers06", "speakers-6", "random3", "file-12abcd", "file-0012ABCD", "texts-and-speaker", "../x"]
        {
            assert!(wrong.parse::<Division>().is_err(), "{wrong}");
        }
    }
}
