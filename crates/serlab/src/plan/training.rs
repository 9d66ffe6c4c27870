//! One training: a network, the utterances and how they are divided.

use std::{collections::BTreeMap, ops::Range};

use sercorpus::{
    CorpusName,
    split::{Fold, leakage},
};
use serengine::streams;
use serrun::{Division, Protocol, System, TrainingName};

use super::network::Network;
use crate::{config::TrainingSettings, data::Roster};

/// Utterances to train and test on: a corpus, or for cross-corpus training the shared classes of one corpus and after
/// it those of the others.
#[derive(Clone, Debug, PartialEq)]
pub struct Material {
    /// The utterances. Its corpus is the one trained on.
    pub roster: Roster,
    /// The corpora tested on, where it is not the one trained on, and where their utterances lie.
    pub targets: Vec<(CorpusName, Range<usize>)>,
    /// [found, expected] number of utterances of those of these corpora that are not complete.
    pub partial: BTreeMap<CorpusName, [usize; 2]>,
    /// The system whose own front end makes its features; None where it is the run's.
    pub front_end_of: Option<System>,
}

impl Material {
    /// The corpora that its utterances belong to, and where those of each lie.
    pub fn ranges(&self) -> Vec<(CorpusName, Range<usize>)> {
        let own = 0..self.targets.first().map_or(self.roster.rows.len(), |(_, range)| range.start);
        std::iter::once((self.roster.name.clone(), own)).chain(self.targets.iter().cloned()).collect()
    }

    /// [found, expected] number of utterances that a figure rests on, of the corpus trained on and `target`, where one of them
    /// is not complete.
    pub fn partial(&self, target: Option<&CorpusName>) -> Option<[usize; 2]> {
        let mut corpora =
            std::iter::once(&self.roster.name).chain(target).filter_map(|name| self.partial.get(name)).copied();
        let first = corpora.next()?;
        Some(corpora.fold(first, |[found, expected], [f, e]| [found + f, expected + e]))
    }
}

/// What the test parts of folds have in common with what was learnt from or chosen on.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Common {
    /// A speaker is on both sides, or one is not known.
    pub speakers: bool,
    /// A text is on both sides.
    pub texts: bool,
}

/// One system trained over one division's folds with one pair of seeds. Gives the figures of one or two protocols.
#[derive(Debug, PartialEq)]
pub struct Training {
    /// Index of the material.
    pub material: usize,
    /// The corpus trained on, the system, the division and the seeds.
    pub name: TrainingName,
    /// The network.
    pub network: Network,
    /// The division.
    pub folds: Vec<Fold>,
    /// How a fold trains.
    pub settings: TrainingSettings,
    /// What is reported.
    pub protocols: Vec<Protocol>,
}

impl Training {
    /// The corpus trained on.
    pub fn corpus(&self) -> &CorpusName {
        &self.name.corpus
    }

    /// The system trained.
    pub fn system(&self) -> &System {
        &self.name.system
    }

    /// How the utterances are divided.
    pub fn division(&self) -> Division {
        self.name.division
    }

    /// What test and training parts of its folds have in common, where that has to be looked at.
    pub fn common(&self, material: &Material) -> Common {
        if let Some(new_speakers) = self.division().is_of_new_speakers() {
            // In each of the six corpora every speaker says the same sentences, or plays the same scripts; of others nothing is known.
            let texts = material.targets.is_empty() && self.corpus().kind().is_some();
            return Common { speakers: !new_speakers, texts };
        }
        let corpus = material.roster.corpus();
        let folds = leakage(&corpus, &self.folds, None).folds;
        // IEMOCAP, of whose scripts the names of the files say nothing, is taken as above.
        let unknown = corpus.kind.is_some() && corpus.texts().is_err();
        Common {
            speakers: corpus.speakers().is_err() || folds.iter().any(|f| f.shared_speakers > 0),
            texts: unknown || folds.iter().any(|f| f.shared_texts > 0),
        }
    }

    /// What a fold's random draws depend on.
    pub fn key(&self, fold: usize) -> streams::Key {
        streams::Key { seed: self.name.training_seed.unwrap_or(self.name.seed), fold: fold as u32 }
    }

    /// Whether folds of both can compute together in single operations: one network, one set of features, one objective.
    pub fn may_stack_with(&self, other: &Self) -> bool {
        (self.material, &self.network, &self.settings) == (other.material, &other.network, &other.settings)
    }

    /// What all its folds together train on, validate on and test, in utterances an epoch.
    pub fn utterances(&self) -> (usize, usize) {
        let test = |f: &Fold| if self.division().is_tested_every_epoch() { f.test.len() } else { 0 };
        self.folds.iter().fold((0, 0), |(a, b), f| (a + f.train.len(), b + f.validation.len() + test(f)))
    }
}
