//! Experiment files.

use std::collections::BTreeMap;

use sercorpus::CorpusName;
use serde::{Deserialize, Deserializer, Serialize, de::Error as _};
use serengine::{Adam, L2, Loss, Objective, RateSchedule};
use serrun::{FeatureKind, FeatureSettings, FoldsBy, Normalise, Protocol, Split, System};
use timnet_core::TcnPooling;

use super::{
    corpus::TOO_LARGE_A_SEED,
    files::Configs,
    front_end::FrontEndChoice,
    overrides::{Overrides, Target},
};
use crate::{
    error::{LabError, Result},
    systems::{known_system, unknown},
};

/// An experiment: `configs/table1.toml` and its like.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Experiment {
    /// Corpora to run on, where they are configured.
    pub corpora: Vec<CorpusName>,
    /// Use only the first corpus that is available.
    #[serde(default)]
    pub one_corpus: bool,
    /// Systems to train.
    #[serde(deserialize_with = "systems")]
    pub systems: Vec<System>,
    /// Protocols to report.
    pub protocols: Vec<Protocol>,
    /// What is trained on and what is scored.
    #[serde(default)]
    pub split: Split,
    /// The classes that all corpora share; cross-corpus only.
    #[serde(default)]
    pub classes: Vec<String>,
    /// Folds of the random splits; not for the other splits.
    #[serde(default)]
    pub folds: usize,
    /// How the folds are made that the protocols last-epoch, best-epoch and validated are scored on.
    #[serde(default, deserialize_with = "division")]
    pub division: FoldsBy,
    /// Groups of whole speakers or texts; absent: as the division has them. With it the protocol speaker-independent leaves out groups
    /// of speakers in place of one.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub groups: Option<usize>,
    /// How many times the random folds are drawn; absent: once.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub repeats: Option<usize>,
    /// Seeds of the folds; absent: each corpus' own.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub seeds: Option<Vec<u64>>,
    /// Seeds of initialisation, order and dropout, each with every seed of the folds; absent: the seed of the folds.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub training_seeds: Option<Vec<u64>>,
    /// What the features are.
    #[serde(default, skip_serializing_if = "FeatureSettings::is_default")]
    pub features: FeatureSettings,
    /// The front end of MFCCs; not used where the features are files.
    pub front_end: FrontEndChoice,
    /// The training.
    pub training: TrainingSettings,
    /// What a preview on a corpus that comes along leaves out.
    pub preview: Preview,
    /// What `--synthetic` runs on.
    pub synthetic: Synthetic,
}

/// A division by its name.
fn division<'de, D: Deserializer<'de>>(from: D) -> std::result::Result<FoldsBy, D::Error> {
    let name = String::deserialize(from)?;
    let found = FoldsBy::ALL.into_iter().find(|by| by.name() == name);
    found.ok_or_else(|| D::Error::custom(unknown("division", &name, &FoldsBy::ALL.map(FoldsBy::name))))
}

/// Systems by their names.
fn systems<'de, D: Deserializer<'de>>(from: D) -> std::result::Result<Vec<System>, D::Error> {
    let names = Vec::<String>::deserialize(from)?;
    names.iter().map(|name| known_system(name).map_err(D::Error::custom)).collect()
}

/// Where the corpora of a run come from.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Origin {
    /// The user's.
    Given,
    /// Real corpora that come along with the program's sources.
    Bundled,
    /// Written by the program.
    Synthetic,
}

/// How a fold trains.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct TrainingSettings {
    /// Passes over the training part.
    pub epochs: u32,
    /// Utterances a step.
    pub batch_size: usize,
    /// Probability of spatial dropout of TIM-Net and its ablations; other systems have rates of their own.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub dropout: Option<f64>,
    /// Filters of the network; absent: the paper's 39. A 1x1 convolution takes other numbers of coefficients to them.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub filters: Option<usize>,
    /// Taps of the network's dilated convolutions; absent: the paper's 2.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub kernel_size: Option<usize>,
    /// The learning rate over the optimiser's steps; absent: constant.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub schedule: Option<RateSchedule>,
    /// Weight of the loss of each class, by label; 1 where a label is not named.
    #[serde(default, skip_serializing_if = "BTreeMap::is_empty")]
    pub class_weights: BTreeMap<String, f64>,
    /// Epochs without a better accuracy on the validation part after which training ends; absent: never before `epochs`.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub patience: Option<u32>,
    /// How the TCN turns frames into one vector, where not as `timnet-core` has it.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub tcn_pooling: Option<TcnPooling>,
    /// s of (1 - s) onehot + s / classes.
    pub label_smoothing: f64,
    /// The loss of an utterance; absent: cross entropy.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub loss: Option<Loss>,
    /// A penalty on kernels; absent: none.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub l2: Option<L2>,
    /// The learning rate over epochs, in place of `schedule`; an epoch has as many steps as the training's first fold has.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub epoch_schedule: Option<EpochSchedule>,
    /// Adam's learning rate.
    pub learning_rate: f64,
    /// Adam's decay of the first moment.
    pub beta1: f64,
    /// Adam's decay of the second moment.
    pub beta2: f64,
    /// Added to the root of Adam's second moment.
    pub eps: f64,
    /// Part of the training utterances that the protocol `validated` chooses the epoch on.
    pub validation_share: f64,
}

/// 1 for the first `first` epochs, then `factor` times as much, and again after every further `every` epochs.
#[derive(Clone, Copy, Debug, PartialEq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct EpochSchedule {
    /// Epochs before the first change.
    pub first: u64,
    /// Epochs between two changes after it.
    pub every: u64,
    /// Factor of each change, above 0 and at most 1.
    pub factor: f64,
}

impl TrainingSettings {
    /// The cheapest checks, before anything is computed.
    ///
    /// # Errors
    /// A value that cannot be used, by its key.
    pub fn validate(&self) -> Result<()> {
        let bad = |key: &str, why: &str| Err(LabError::Input(format!("`{key}` {why}")));
        let t = self;
        match () {
            () if t.epochs == 0 => bad("training.epochs", "must be at least 1"),
            () if t.batch_size == 0 => bad("training.batch_size", "must be at least 1"),
            () if t.dropout.is_some_and(|rate| !(0.0..1.0).contains(&rate)) => {
                bad("training.dropout", "must be at least 0 and below 1")
            }
            () if !(0.0..1.0).contains(&t.label_smoothing) => {
                bad("training.label_smoothing", "must be at least 0 and below 1")
            }
            () if !(t.learning_rate > 0.0 && t.learning_rate.is_finite()) => {
                bad("training.learning_rate", "must be above 0")
            }
            () if !(0.0..1.0).contains(&t.beta1) || !(0.0..1.0).contains(&t.beta2) => {
                bad("training.beta1/beta2", "must be at least 0 and below 1")
            }
            () if t.filters.is_some_and(|n| !(1..=1024).contains(&n)) => {
                bad("training.filters", "must be at least 1 and at most 1024")
            }
            () if t.kernel_size.is_some_and(|n| !(1..=16).contains(&n)) => {
                bad("training.kernel_size", "must be at least 1 and at most 16")
            }
            () if t.class_weights.values().any(|w| !(w.is_finite() && *w >= 0.0)) => {
                bad("training.class_weights", "must be finite and at least 0")
            }
            () if t.patience == Some(0) => bad("training.patience", "must be at least 1"),
            () if t.schedule.is_some() && t.epoch_schedule.is_some() => {
                bad("training.schedule/epoch_schedule", "say the same in two ways; leave one out")
            }
            () if !(t.eps > 0.0 && t.eps.is_finite()) => bad("training.eps", "must be above 0"),
            () if !(0.0..0.9).contains(&t.validation_share) || t.validation_share == 0.0 => {
                bad("training.validation_share", "must lie above 0 and below 0.9")
            }
            () => t.objective(&[], 1).adam.validate().map_err(LabError::input),
        }
    }

    /// The first key that is set and belongs to TIM-Net and its ablations alone.
    pub fn of_timnet_alone(&self) -> Option<&'static str> {
        let set = [
            ("dropout", self.dropout.is_some()),
            ("filters", self.filters.is_some()),
            ("kernel_size", self.kernel_size.is_some()),
            ("tcn_pooling", self.tcn_pooling.is_some()),
        ];
        set.into_iter().find(|(_, set)| *set).map(|(key, _)| key)
    }

    fn rates(&self, steps: u64) -> RateSchedule {
        match self.epoch_schedule {
            Some(EpochSchedule { first, every, factor }) => RateSchedule::StepFrom {
                first: first.saturating_mul(steps),
                every: every.saturating_mul(steps),
                factor,
            },
            None => self.schedule.unwrap_or_default(),
        }
    }

    /// As the engines take it, for classes in the order of `labels`.
    pub fn objective(&self, labels: &[String], steps_an_epoch: usize) -> Objective {
        let weight = |label: &String| self.class_weights.get(label).copied().unwrap_or(1.0);
        Objective {
            loss: self.loss.unwrap_or_default(),
            l2: self.l2.clone(),
            label_smoothing: self.label_smoothing,
            class_weights: if self.class_weights.is_empty() { Vec::new() } else { labels.iter().map(weight).collect() },
            adam: Adam {
                learning_rate: self.learning_rate,
                beta1: self.beta1,
                beta2: self.beta2,
                eps: self.eps,
                schedule: self.rates(steps_an_epoch as u64),
            },
            ..Objective::default()
        }
    }
}

/// A preview: a run on a corpus that comes along, without `--full`.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Preview {
    /// Epochs in place of the experiment's.
    pub epochs: u32,
}

/// The synthetic stand-in.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Synthetic {
    /// Seed of the recordings.
    pub seed: u64,
    /// Folds in place of the experiment's.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub folds: Option<usize>,
    /// Seeds in place of the experiment's.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub seeds: Option<Vec<u64>>,
    /// Epochs in place of the experiment's.
    pub epochs: u32,
    /// Batch size in place of the experiment's: a small corpus takes few steps an epoch, and BatchNorm's running
    /// statistics want hundreds.
    pub batch_size: usize,
}

/// Whether a protocol is scored on whatever folds an experiment has, with no validation part.
fn on_any_folds(protocol: Protocol) -> bool {
    matches!(protocol, Protocol::LastEpoch | Protocol::BestEpoch)
}

impl Experiment {
    /// Whether it leaves speakers out by its protocol.
    fn leaves_speakers_out(&self) -> bool {
        self.protocols.contains(&Protocol::SpeakerIndependent)
    }

    /// Whether it trains on the folds of a corpus' own file, where the corpus has one.
    pub fn takes_a_corpus_folds(&self) -> bool {
        self.split.is_folds()
            && matches!(self.division, FoldsBy::Random | FoldsBy::File)
            && self.protocols.iter().any(|&p| p != Protocol::SpeakerIndependent)
    }

    /// Reads `name`'s file with the command line's values in place of its own. Where the corpora do not come
    /// from the user, the values of `[preview]` (unless `full`) or `[synthetic]` stand in first.
    ///
    /// # Errors
    /// As [`Configs::read`]; an override that does not fit, by its text; a value that cannot be used.
    pub fn load(configs: &Configs, name: &str, overrides: &Overrides, origin: Origin, full: bool) -> Result<Self> {
        let file = configs.file(&format!("{name}.toml"))?;
        if file.parse::<toml::Table>()?.contains_key("variants") {
            return Err(LabError::Input(format!("{}: `variants` is called `systems` now; rename the key", file.path)));
        }
        let split = file.parse::<Self>()?.split;
        let target = Target::Experiment { name, folds: split.is_folds() };
        let mut loaded: Self = overrides.apply(&target, file.parse()?)?;
        let stands_in = match origin {
            Origin::Given => false,
            Origin::Bundled => !full,
            Origin::Synthetic => true,
        };
        if stands_in {
            loaded.stand_in(origin);
            // What was asked for in so many words counts all the same.
            loaded = overrides.apply(&target, toml::Table::try_from(&loaded).map_err(LabError::work)?)?;
        }
        loaded.validate().map_err(|e| LabError::Input(format!("{}: {e}", file.path)))?;
        Ok(loaded)
    }

    fn stand_in(&mut self, origin: Origin) {
        if origin == Origin::Bundled {
            self.training.epochs = self.preview.epochs;
            return;
        }
        let Synthetic { folds, seeds, epochs, batch_size, .. } = self.synthetic.clone();
        self.folds = folds.unwrap_or(self.folds);
        self.seeds = seeds.or(self.seeds.take());
        self.training.epochs = epochs;
        self.training.batch_size = batch_size;
    }

    /// A list that has an element twice, and the element: it would be trained twice, or have two rows.
    fn repeated(&self) -> Option<(&'static str, String)> {
        fn of<T: PartialEq + ToString>(key: &'static str, list: &[T]) -> Option<(&'static str, String)> {
            let twice = list.iter().enumerate().find(|(i, element)| list[..*i].contains(element))?;
            Some((key, twice.1.to_string()))
        }
        of("corpora", &self.corpora)
            .or_else(|| of("systems", &self.systems))
            .or_else(|| of("protocols", &self.protocols))
            .or_else(|| of("classes", &self.classes))
            .or_else(|| of("seeds", self.seeds.as_deref().unwrap_or_default()))
            .or_else(|| of("training_seeds", self.training_seeds.as_deref().unwrap_or_default()))
    }

    /// The cheapest checks, before anything is computed.
    fn validate(&self) -> Result<()> {
        let bad = |key: &str, why: &str| Err(LabError::Input(format!("`{key}` {why}")));
        let t = &self.training;
        if let Some((key, twice)) = self.repeated() {
            return bad(key, &format!("names {twice} twice; leave one out"));
        }
        match () {
            () if self.corpora.is_empty() => bad("corpora", "names no corpus"),
            () if self.systems.is_empty() => bad("systems", "names no system"),
            () if self.protocols.is_empty() => bad("protocols", "names no protocol"),
            () if !self.split.is_folds() && self.protocols.iter().any(|&p| !on_any_folds(p)) => {
                bad("protocols", "may only be last-epoch and best-epoch where `split` is not folds")
            }
            () if self.split == Split::CrossCorpus && self.protocols != [Protocol::LastEpoch] => {
                bad("protocols", "may only be last-epoch across corpora: no target data is seen before the end")
            }
            () if self.split == Split::CrossCorpus && self.classes.len() < 2 => {
                bad("classes", "must name at least two classes that all corpora share")
            }
            () if self.seeds.as_ref().is_some_and(Vec::is_empty) => bad("seeds", "is empty"),
            () if self.training_seeds.as_ref().is_some_and(Vec::is_empty) => bad("training_seeds", "is empty"),
            () if self.seeds.iter().flatten().any(|&s| s > u64::from(u32::MAX)) => bad("seeds", TOO_LARGE_A_SEED),
            () if self.features.trim.is_some_and(|db| !(1.0..=200.0).contains(&db)) => {
                bad("features.trim", "must lie between 1 and 200 decibels")
            }
            () if self.features.kind == FeatureKind::Files && self.features.trim.is_some() => {
                bad("features.trim", "is for MFCCs of recordings; features of files are taken as they are")
            }
            () if self.features.prepare.is_some()
                && (self.features.kind == FeatureKind::Files || self.features.normalise != Normalise::None) =>
            {
                bad(
                    "features.prepare",
                    "is for MFCCs of samples of a fixed length: leave it out, or `kind` and `normalise`",
                )
            }
            () if self.split.is_folds() && self.folds < 2 => bad("folds", "must be at least 2"),
            () if !self.split.is_folds() && self.folds != 0 => bad(
                "folds",
                "is for experiments that train on folds; `split` says that this one does not, so leave it out",
            ),
            () if !self.split.is_folds()
                && (!self.division.is_random() || self.groups.is_some() || self.repeats.is_some()) =>
            {
                bad(
                    "division/groups/repeats",
                    "are for experiments that train on folds; `split` says that this one does not, so leave them out",
                )
            }
            () if (!self.division.is_random() || self.repeats.is_some())
                && self.protocols == [Protocol::SpeakerIndependent] =>
            {
                bad(
                    "division/repeats",
                    "are for other protocols than speaker-independent, which says itself how it divides; leave them out",
                )
            }
            () if self.groups.is_some_and(|n| n < 2) => bad("groups", "must be at least 2"),
            () if self.groups.is_some() && !self.division.has_groups() && !self.leaves_speakers_out() => bad(
                "groups",
                "is for the divisions speakers, texts and texts-and-speakers and for the protocol speaker-independent; leave it out, or say \
                 which of them is meant",
            ),
            () if self.repeats == Some(0) => bad("repeats", "must be at least 1"),
            () if self.repeats.is_some() && !self.division.is_random() => {
                bad("repeats", "is for the division random, which alone is another one each time; leave it out")
            }
            () if t.patience.is_some() && self.protocols != [Protocol::Validated] => bad(
                "training.patience",
                "looks at the validation part, which the protocol `validated` alone has; give --protocol validated",
            ),
            () if t.dropout.is_none() => bad("training.dropout", "is missing"),
            () => t.validate(),
        }
    }
}
