use std::fmt;
use std::str::FromStr;

use super::{
    Fold, SplitError, crossed_group_kfold, group_kfold, hold_out, kfold, leave_one_group_out, stratified_hold_out,
    stratified_kfold, train_validation_test,
};
use crate::{Corpus, Part};

/// A way to split a corpus, by name.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
#[non_exhaustive]
pub enum Scheme {
    /// `kfold`: the official protocol's random folds.
    KFold,
    /// `stratified`: random folds with equal class shares.
    Stratified,
    /// `loso`: leave one speaker out.
    LeaveOneSpeakerOut,
    /// `leave-one-session-out`.
    LeaveOneSessionOut,
    /// `speaker-independent`: by session where the corpus has sessions, else by speaker.
    SpeakerIndependent,
    /// `group`: k folds, whole speakers.
    GroupKFold,
    /// `texts`: k folds, whole texts (sentences).
    Texts,
    /// `texts-and-speakers`: k x k folds that share neither a text nor a speaker with what they are trained on.
    TextsAndSpeakers,
    /// `hold-out`: 8:2.
    HoldOut,
    /// `stratified-hold-out`: 8:2 with equal class shares.
    StratifiedHoldOut,
    /// `train-validation-test`: 8:1:1 with equal class shares.
    TrainValidationTest,
    /// `manifest`: the parts that a manifest assigns.
    Manifest,
}

const NAMES: &[(Scheme, &str)] = &[
    (Scheme::KFold, "kfold"),
    (Scheme::Stratified, "stratified"),
    (Scheme::LeaveOneSpeakerOut, "loso"),
    (Scheme::LeaveOneSessionOut, "leave-one-session-out"),
    (Scheme::SpeakerIndependent, "speaker-independent"),
    (Scheme::GroupKFold, "group"),
    (Scheme::Texts, "texts"),
    (Scheme::TextsAndSpeakers, "texts-and-speakers"),
    (Scheme::HoldOut, "hold-out"),
    (Scheme::StratifiedHoldOut, "stratified-hold-out"),
    (Scheme::TrainValidationTest, "train-validation-test"),
    (Scheme::Manifest, "manifest"),
];

impl Scheme {
    /// All schemes' names.
    #[must_use]
    pub fn names() -> Vec<&'static str> {
        NAMES.iter().map(|&(_, name)| name).collect()
    }

    /// Split `corpus`. `folds` counts for the k-fold schemes, `seed` for the random ones.
    ///
    /// # Errors
    /// The corpus cannot be split so: too few utterances or speakers, no speakers, no parts in the manifest.
    pub fn split(self, corpus: &Corpus, folds: usize, seed: u32) -> Result<Vec<Fold>, SplitError> {
        let n = corpus.utterances.len();
        let labels = || corpus.label_indices();
        match self {
            Self::KFold => kfold(n, folds, seed),
            Self::Stratified => stratified_kfold(&labels(), folds, seed),
            Self::LeaveOneSpeakerOut => leave_one_group_out(&corpus.speakers()?),
            Self::LeaveOneSessionOut => leave_one_group_out(&corpus.sessions()?),
            Self::SpeakerIndependent => corpus.speaker_independent_folds(),
            Self::GroupKFold => group_kfold(&corpus.speakers()?, folds),
            Self::Texts => group_kfold(&corpus.texts()?, folds),
            Self::TextsAndSpeakers => crossed_group_kfold(&corpus.texts()?, &corpus.speakers()?, (folds, folds)),
            Self::HoldOut => Ok(vec![hold_out(n, 0.2, seed)?]),
            Self::StratifiedHoldOut => Ok(vec![stratified_hold_out(&labels(), 0.2, seed)?]),
            Self::TrainValidationTest => Ok(vec![train_validation_test(&labels(), 0.1, 0.1, seed)?]),
            Self::Manifest => Ok(vec![by_part(corpus)?]),
        }
    }
}

/// The fold that the `split` column of a manifest describes; utterances without a part are in none.
fn by_part(corpus: &Corpus) -> Result<Fold, SplitError> {
    let of = |wanted| {
        let indices = corpus.utterances.iter().enumerate().filter(move |(_, u)| u.part == Some(wanted));
        indices.map(|(i, _)| i).collect::<Vec<_>>()
    };
    let fold = Fold { train: of(Part::Train), validation: of(Part::Validation), test: of(Part::Test) };
    for (part, members) in [("train", &fold.train), ("test", &fold.test)] {
        if members.is_empty() {
            return Err(SplitError::NoPart { part });
        }
    }
    Ok(fold)
}

impl fmt::Display for Scheme {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let name = NAMES.iter().find(|(scheme, _)| scheme == self).map_or("", |&(_, name)| name);
        f.pad(name)
    }
}

impl FromStr for Scheme {
    type Err = String;

    /// Dashes and case do not matter (`holdout`, `LOSO`).
    fn from_str(name: &str) -> Result<Self, String> {
        let plain = |text: &str| text.replace(['-', '_'], "").to_ascii_lowercase();
        let found = NAMES.iter().find(|(_, known)| plain(known) == plain(name)).map(|&(scheme, _)| scheme);
        found.ok_or_else(|| format!("unknown split `{name}`: one of {} wanted", Self::names().join(", ")))
    }
}
