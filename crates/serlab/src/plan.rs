//! What is to be trained, and which figures come out of it.

use std::{collections::BTreeMap, ops::Range};

use sercorpus::{
    CorpusKind,
    split::{self, Fold},
};
use serde::{Deserialize, Serialize};
use sertrain::Protocol;
use timnet::{ModelConfig, Variant};

use crate::{
    config::{self, Split},
    error::{LabError, Result},
    roster::Roster,
    run_config::{Part, RunConfig},
};

/// Share of the utterances that a hold-out tests on.
const HELD_OUT: f64 = 0.2;

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

    /// Whether the test part is scored after every epoch; across corpora, where it is four times the training part, after
    /// the last one alone.
    pub fn is_tested_every_epoch(self) -> bool {
        self != Self::CrossCorpus
    }
}

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

/// All that is trained in a run.
pub struct Plan {
    /// The corpora of the run in order, then those of cross-corpus training.
    pub materials: Vec<Material>,
    /// In the order of the tables; what several experiments need is there once.
    pub trainings: Vec<Training>,
}

impl Plan {
    /// Of the corpora's utterances.
    ///
    /// # Errors
    /// A corpus that can't be divided as asked; experiments that would train the same network in two ways.
    pub fn of(config: &RunConfig, rosters: Vec<Roster>) -> Result<Self> {
        let partial = |kind: CorpusKind| Some((kind, config.corpora.get(&kind)?.partial?));
        let own = |roster: Roster| Material {
            partial: partial(roster.kind).into_iter().collect(),
            roster,
            targets: Vec::new(),
        };
        let mut plan = Self { materials: rosters.into_iter().map(own).collect(), trainings: Vec::new() };
        let corpora = plan.materials.len();
        for part in &config.parts {
            let kinds: Vec<CorpusKind> = config.corpora_of(part).collect();
            for &kind in &kinds {
                let found = plan.materials[..corpora].iter().position(|m| m.roster.kind == kind);
                let own = found.ok_or_else(|| LabError::Work(format!("no utterances of {kind}")))?;
                let material = match part.split {
                    Split::CrossCorpus => plan.across(&part.classes, own, &kinds)?,
                    Split::Folds | Split::HoldOut => own,
                };
                plan.add(config, part, material)?;
            }
        }
        Ok(plan)
    }

    /// The material of training on `own` and testing on the rest of `kinds`.
    fn across(&mut self, classes: &[String], own: usize, kinds: &[CorpusKind]) -> Result<usize> {
        let mut roster = self.materials[own].roster.with_labels(classes);
        let mut targets = Vec::new();
        let mut partial = self.materials[own].partial.clone();
        for material in &self.materials {
            let kind = material.roster.kind;
            if material.targets.is_empty() && kind != roster.kind && kinds.contains(&kind) {
                let start = roster.rows.len();
                roster.rows.extend(material.roster.with_labels(classes).rows);
                targets.push((kind, start..roster.rows.len()));
                partial.extend(&material.partial);
            }
        }
        let source = targets.first().map_or(0, |(_, range)| range.start);
        if source == 0 || targets.iter().any(|(_, range)| range.is_empty()) {
            return Err(LabError::Input(format!(
                "cross-corpus training needs at least two corpora with utterances of {}",
                classes.join(", ")
            )));
        }
        let material = Material { roster, targets, partial };
        if let Some(known) = self.materials.iter().position(|m| *m == material) {
            return Ok(known);
        }
        self.materials.push(material);
        Ok(self.materials.len() - 1)
    }

    fn add(&mut self, config: &RunConfig, part: &Part, material: usize) -> Result<()> {
        let roster = &self.materials[material].roster;
        let kind = roster.kind;
        let corpus = &config.corpora[&kind];
        let published = vec![corpus.seed];
        let divisions: BTreeMap<Division, Vec<Protocol>> =
            part.protocols.iter().fold(BTreeMap::new(), |mut map, &protocol| {
                let division = match part.split {
                    Split::Folds => Division::of(protocol),
                    Split::HoldOut => Division::HoldOut,
                    Split::CrossCorpus => Division::CrossCorpus,
                };
                map.entry(division).or_insert_with(Vec::new).push(protocol);
                map
            });
        let mut new = Vec::new();
        for &variant in &part.variants {
            for &seed in part.seeds.as_ref().unwrap_or(&published) {
                for (&division, protocols) in &divisions {
                    let folds = divide(part, &self.materials[material], division, seed)
                        .map_err(|e| LabError::Input(format!("{kind}: {e}")))?;
                    let model = ModelConfig::of(variant, corpus.blocks, roster.labels.len());
                    new.push(Training {
                        material,
                        kind,
                        model: ModelConfig {
                            dropout: part.training.dropout,
                            tcn_pooling: part.training.tcn_pooling.unwrap_or_default(),
                            ..model
                        },
                        seed,
                        division,
                        folds,
                        settings: part.training.clone(),
                        protocols: protocols.clone(),
                    });
                }
            }
        }
        new.into_iter().try_for_each(|training| self.join(training))
    }

    /// Adds a training, or its protocols to the one that is there.
    fn join(&mut self, new: Training) -> Result<()> {
        let Some(known) = self.trainings.iter_mut().find(|t| t.name() == new.name()) else {
            self.trainings.push(new);
            return Ok(());
        };
        let more: Vec<Protocol> = new.protocols.iter().copied().filter(|p| !known.protocols.contains(p)).collect();
        if (Training { protocols: known.protocols.clone(), ..new }) != *known {
            return Err(LabError::Input(format!(
                "{}: two experiments of this run train it in different ways (folds or [training]); make their files agree or \
                 run them apart",
                known.name()
            )));
        }
        known.protocols.extend(more);
        known.protocols.sort();
        Ok(())
    }

    /// Every fold of every training, in order.
    pub fn places(&self) -> Vec<Place> {
        let folds = |(training, t): (usize, &Training)| (0..t.folds.len()).map(move |fold| Place { training, fold });
        self.trainings.iter().enumerate().flat_map(folds).collect()
    }

    /// What a training works on.
    pub fn material(&self, training: &Training) -> &Material {
        &self.materials[training.material]
    }
}

/// A fold's place: training and number.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Place {
    /// Index of the training.
    pub training: usize,
    /// Number of the fold.
    pub fold: usize,
}

fn divide(
    part: &Part,
    material: &Material,
    division: Division,
    seed: u64,
) -> std::result::Result<Vec<Fold>, split::SplitError> {
    let roster = &material.roster;
    let n = roster.rows.len();
    // `Experiment::load` and `CorpusConfig::load` keep seeds below 2^32.
    let numpy_seed = seed as u32;
    let random = || split::kfold(n, part.folds, numpy_seed);
    match division {
        Division::Random => random(),
        Division::RandomValidated => {
            let labels = roster.label_indices();
            let share = part.training.validation_share;
            random()?.into_iter().map(|f| split::with_validation(f, &labels, share, numpy_seed)).collect()
        }
        Division::SpeakerOut => roster.speaker_independent_folds(),
        Division::HoldOut => Ok(vec![split::stratified_hold_out(&roster.label_indices(), HELD_OUT, numpy_seed)?]),
        Division::CrossCorpus => {
            let start = material.targets.first().map_or(n, |(_, range)| range.start);
            Ok(vec![Fold { train: (0..start).collect(), validation: Vec::new(), test: (start..n).collect() }])
        }
    }
}
