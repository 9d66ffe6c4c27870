//! What is to be trained, and which figures come out of it.

mod division;
mod network;
mod training;

use std::collections::BTreeMap;

use sercorpus::CorpusName;
use sermfcc::FrontEnd;
use serrun::{Division, Protocol, Split, System, TrainingName};

pub use network::Network;
pub use training::{Material, Training};

use crate::{
    config::{RunConfig, RunExperiment},
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
        let partial = |name: &CorpusName| Some((name.clone(), config.corpora.get(name)?.partial?));
        let own = |roster: Roster| Material {
            partial: partial(&roster.name).into_iter().collect(),
            roster,
            targets: Vec::new(),
            front_end_of: None,
        };
        let mut plan = Self { materials: rosters.into_iter().map(own).collect(), trainings: Vec::new() };
        let corpora = plan.materials.len();
        for (system, _) in config.system.iter().filter(|(_, own)| own.front_end.is_some()) {
            let of_it = |material: &Material| Material { front_end_of: Some(system.clone()), ..material.clone() };
            let more: Vec<Material> = plan.materials[..corpora].iter().map(of_it).collect();
            plan.materials.extend(more);
        }
        for part in &config.parts {
            let names: Vec<&CorpusName> = config.corpora_of(part).collect();
            for &name in &names {
                for system in &part.systems {
                    let own_front_end = config.system.get(system).is_some_and(|own| own.front_end.is_some());
                    let front_end_of = own_front_end.then_some(system);
                    let is_own = |m: &Material| {
                        m.targets.is_empty() && m.roster.name == *name && m.front_end_of.as_ref() == front_end_of
                    };
                    let found = plan.materials.iter().position(is_own);
                    let own = found.ok_or_else(|| LabError::Work(format!("no utterances of {name}")))?;
                    let material = match part.split {
                        Split::CrossCorpus => plan.across(&part.classes, own, &names)?,
                        Split::Folds | Split::HoldOut => own,
                    };
                    plan.add(config, part, system, material)?;
                }
            }
        }
        Ok(plan)
    }

    /// The material of training on `own` and testing on the rest of `names`.
    fn across(&mut self, classes: &[String], own: usize, names: &[&CorpusName]) -> Result<usize> {
        let own = &self.materials[own];
        let front_end_of = own.front_end_of.clone();
        let mut roster = own.roster.with_labels(classes);
        let mut targets = Vec::new();
        let mut partial = own.partial.clone();
        for material in self.materials.iter().filter(|m| m.targets.is_empty() && m.front_end_of == front_end_of) {
            let name = &material.roster.name;
            if *name != roster.name && names.contains(&name) {
                let start = roster.rows.len();
                roster.rows.extend(material.roster.with_labels(classes).rows);
                targets.push((name.clone(), start..roster.rows.len()));
                partial.extend(material.partial.clone());
            }
        }
        let source = targets.first().map_or(0, |(_, range)| range.start);
        if source == 0 || targets.iter().any(|(_, range)| range.is_empty()) {
            return Err(LabError::Input(format!(
                "cross-corpus training needs at least two corpora with utterances of {}",
                classes.join(", ")
            )));
        }
        let material = Material { roster, targets, partial, front_end_of };
        if let Some(known) = self.materials.iter().position(|m| *m == material) {
            return Ok(known);
        }
        self.materials.push(material);
        Ok(self.materials.len() - 1)
    }

    fn add(&mut self, config: &RunConfig, part: &RunExperiment, system: &System, material: usize) -> Result<()> {
        let made = &self.materials[material];
        let (roster, name) = (&made.roster, &made.roster.name);
        let corpus = &config.corpora[name];
        let settings = config.training_of(part, system);
        let network = Network::of(system, settings, shape(config, made), roster.labels.len(), corpus.blocks)?;
        let published = vec![corpus.seed];
        let divisions: BTreeMap<Division, Vec<Protocol>> =
            part.protocols.iter().fold(BTreeMap::new(), |mut map, &protocol| {
                map.entry(part.division(protocol, corpus)).or_insert_with(Vec::new).push(protocol);
                map
            });
        let mut new = Vec::new();
        for (seed, training_seed) in seeds(part.seeds.as_ref().unwrap_or(&published), part.training_seeds.as_deref()) {
            for (&division, protocols) in &divisions {
                let (corpus, system) = (name.clone(), system.clone());
                new.push(Training {
                    material,
                    name: TrainingName { corpus, system, division, seed, training_seed },
                    network: network.clone(),
                    folds: divide(part, made, division, seed)?,
                    settings: settings.clone(),
                    protocols: protocols.clone(),
                });
            }
        }
        new.into_iter().try_for_each(|training| self.join(training))
    }

    /// Adds a training, or its protocols to the one that is there.
    fn join(&mut self, new: Training) -> Result<()> {
        let Some(known) = self.trainings.iter_mut().find(|t| t.name == new.name) else {
            self.trainings.push(new);
            return Ok(());
        };
        let more: Vec<Protocol> = new.protocols.iter().copied().filter(|p| !known.protocols.contains(p)).collect();
        if (Training { protocols: known.protocols.clone(), ..new }) != *known {
            return Err(LabError::Input(format!(
                "{}: two experiments of this run train it in different ways (folds or [training]); make their files agree or \
                 run them apart",
                known.name
            )));
        }
        known.protocols.extend(more);
        known.protocols.sort();
        Ok(())
    }

    /// Whether a training is divided otherwise than the paper's are.
    pub fn has_other_folds(&self) -> bool {
        self.trainings.iter().any(|t| matches!(t.division(), Division::Other { .. }))
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

/// [frames, coefficients] of a material's features.
pub fn shape(config: &RunConfig, material: &Material) -> [usize; 2] {
    let name = &material.roster.name;
    let of = |front_end: &FrontEnd, length: usize| [front_end.frames(length), front_end.n_mfcc];
    if let Some(own) = material.front_end_of.as_ref().and_then(|system| config.system.get(system)) {
        let length = own.corpora.get(name).map_or(0, |features| features.length);
        return own.front_end.as_ref().map(|front_end| of(front_end, length)).unwrap_or_default();
    }
    let corpus = &config.corpora[name];
    corpus.shape.or(config.front_end.as_ref().map(|front_end| of(front_end, corpus.length))).unwrap_or_default()
}

/// A fold's place: training and number.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Place {
    /// Index of the training.
    pub training: usize,
    /// Number of the fold.
    pub fold: usize,
}

/// Every seed of the folds with every training seed, which is None where both are equal.
fn seeds(folds: &[u64], trainings: Option<&[u64]>) -> Vec<(u64, Option<u64>)> {
    let own = |&seed: &u64| match trainings {
        None => vec![(seed, None)],
        Some(all) => all.iter().map(|&training| (seed, (training != seed).then_some(training))).collect(),
    };
    folds.iter().flat_map(own).collect()
}
