//! What is to be trained, and which figures come out of it.

mod division;
mod training;

use std::collections::BTreeMap;

use sercorpus::CorpusKind;
use sertrain::Protocol;
use timnet_core::ModelConfig;

pub use training::{Material, Training, training_name};

use crate::{
    config::{Division, Part, RunConfig, Split},
    data::Roster,
    error::{LabError, Result},
};
use division::divide;

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
