//! One training: a network, the utterances and how they are divided.

use std::{collections::BTreeMap, ops::Range};

use sercorpus::{CorpusKind, split::Fold};
use sertrain::Protocol;
use timnet_core::{ModelConfig, Variant};

use crate::{
    config::{self, Division},
    data::Roster,
};

/// Utterances to train and test on: a corpus, or for cross-corpus training the shared classes of one corpus and after
/// it those of the others.
#[derive(Clone, Debug, PartialEq)]
pub struct Material {
    /// The utterances. Its corpus is the one trained on.
    pub roster: Roster,
    /// The corpora tested on, where it is not the one trained on, and where their utterances lie.
    pub targets: Vec<(CorpusKind, Range<usize>)>,
    /// [found, expected] number of utterances of those of these corpora that are not complete.
    pub partial: BTreeMap<CorpusKind, [usize; 2]>,
}

impl Material {
    /// [found, expected] number of utterances that a figure rests on, of the corpus trained on and `target`, where one of them
    /// is not complete.
    pub fn partial(&self, target: Option<CorpusKind>) -> Option<[usize; 2]> {
        let mut corpora =
            std::iter::once(self.roster.kind).chain(target).filter_map(|kind| self.partial.get(&kind)).copied();
        let first = corpora.next()?;
        Some(corpora.fold(first, |[found, expected], [f, e]| [found + f, expected + e]))
    }
}

/// One network trained over one division's folds with one seed. Gives the figures of one or two protocols.
#[derive(Debug, PartialEq)]
pub struct Training {
    /// Index of the material.
    pub material: usize,
    /// The corpus trained on.
    pub kind: CorpusKind,
    /// Which network.
    pub model: ModelConfig,
    /// Seed of the folds, the initialisation, the order and the dropout.
    pub seed: u64,
    /// How the utterances are divided.
    pub division: Division,
    /// The division.
    pub folds: Vec<Fold>,
    /// How a fold trains.
    pub settings: config::Training,
    /// What is reported.
    pub protocols: Vec<Protocol>,
}

impl Training {
    /// The folder's name, unique in a run.
    pub fn name(&self) -> String {
        training_name(self.kind, self.model.variant, self.division, self.seed)
    }

    /// Whether folds of both can compute together in single operations: one network, one set of features, one objective.
    pub fn may_stack_with(&self, other: &Self) -> bool {
        (self.material, &self.model, &self.settings) == (other.material, &other.model, &other.settings)
    }

    /// What all its folds together train on, validate on and test, in utterances an epoch.
    pub fn utterances(&self) -> (usize, usize) {
        let test = |f: &Fold| if self.division.is_tested_every_epoch() { f.test.len() } else { 0 };
        self.folds.iter().fold((0, 0), |(a, b), f| (a + f.train.len(), b + f.validation.len() + test(f)))
    }
}

/// The name of a training's folder.
pub fn training_name(kind: CorpusKind, variant: Variant, division: Division, seed: u64) -> String {
    format!("{kind}-{variant}-{}-seed{seed}", division.name())
}
