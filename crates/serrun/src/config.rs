//! `config.toml` of a run folder: all that its figures depend on, and nothing else. Its hash is the run's identity.

use std::{
    collections::{BTreeMap, BTreeSet},
    fmt,
    path::Path,
};

use sercorpus::CorpusName;
use serde::{Deserialize, Serialize, de::DeserializeOwned};
use toml::{Table, Value};

use crate::{
    division::{Division, FoldsBy, OtherFolds, Split},
    error::{Result, RunError},
    features::FeatureSettings,
    file::text,
    protocol::Protocol,
    system::System,
    training::TrainingName,
};

/// One experiment of a run, whose training settings are a `T`.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct RunExperiment<T> {
    /// `table1` and its like.
    pub experiment: String,
    /// Protocols reported.
    pub protocols: Vec<Protocol>,
    /// Systems trained; `variants` in folders of version 2, whose figures `serreport` reads.
    #[serde(alias = "variants")]
    pub systems: Vec<System>,
    /// What is trained on and what is scored.
    #[serde(default, skip_serializing_if = "Split::is_folds")]
    pub split: Split,
    /// Shared classes; cross-corpus only.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub classes: Vec<String>,
    /// The corpora it runs on; absent: all of the run's.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub on: Option<Vec<CorpusName>>,
    /// Folds of the random splits.
    #[serde(default, skip_serializing_if = "is_zero")]
    pub folds: usize,
    /// How the folds of all protocols but speaker-independent are made; absent: at random.
    #[serde(default, skip_serializing_if = "FoldsBy::is_random")]
    pub division: FoldsBy,
    /// Groups of whole speakers or texts; absent: as the division has them.
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
    /// The training.
    pub training: T,
}

impl<T> RunExperiment<T> {
    /// How a corpus is divided for a protocol.
    pub fn division(&self, protocol: Protocol, corpus: &RunCorpus) -> Division {
        match self.split {
            Split::HoldOut => return Division::HoldOut,
            Split::CrossCorpus => return Division::CrossCorpus,
            Split::Folds => {}
        }
        let validated = protocol == Protocol::Validated;
        let other = |folds| Division::Other { folds, validated };
        if protocol == Protocol::SpeakerIndependent {
            return self.groups.map_or(Division::SpeakerOut, |n| other(OtherFolds::Speakers(Some(n))));
        }
        let file = corpus.folds.as_ref().map(|hash| {
            let start = hash.get(..8).and_then(|digits| u32::from_str_radix(digits, 16).ok());
            other(OtherFolds::File(start.unwrap_or_default()))
        });
        match (self.division, file, self.repeats) {
            (FoldsBy::Random | FoldsBy::File, Some(file), _) => file,
            (FoldsBy::Random, None, Some(n)) if n > 1 => other(OtherFolds::Repeated(n)),
            (FoldsBy::Random, None, _) if validated => Division::RandomValidated,
            (FoldsBy::Random, None, _) => Division::Random,
            (FoldsBy::Stratified, ..) => other(OtherFolds::Stratified),
            (FoldsBy::Speakers, ..) => other(OtherFolds::Speakers(self.groups)),
            (FoldsBy::Texts, ..) => other(OtherFolds::Texts(self.groups)),
            (FoldsBy::TextsAndSpeakers, ..) => other(OtherFolds::TextsAndSpeakers(self.groups)),
            (FoldsBy::Split, ..) => other(OtherFolds::Split),
            // A run never begins so.
            (FoldsBy::File, None, _) => other(OtherFolds::File(0)),
        }
    }

    /// Whether it gives a training's figures under a protocol; `corpus` is the training's.
    fn gives(&self, training: &TrainingName, protocol: Protocol, corpus: &RunCorpus) -> bool {
        self.systems.contains(&training.system)
            && self.protocols.contains(&protocol)
            && self.division(protocol, corpus) == training.division
            && self.on.as_ref().is_none_or(|on| on.contains(&training.corpus))
            && self.seeds.as_ref().is_none_or(|seeds| seeds.contains(&training.seed))
            && match &self.training_seeds {
                Some(seeds) => seeds.contains(&training.training_seed.unwrap_or(training.seed)),
                None => training.training_seed.is_none(),
            }
    }
}

fn is_zero(n: &usize) -> bool {
    *n == 0
}

/// One corpus of a run.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct RunCorpus {
    /// Samples after centre padding or cropping; 0, and absent in the file, where the features are files.
    #[serde(default, skip_serializing_if = "is_zero")]
    pub length: usize,
    /// [frames, coefficients] after padding or cropping about the centre, where the features are files.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub shape: Option<[usize; 2]>,
    /// Blocks of the network.
    pub blocks: usize,
    /// Seed of the folds where an experiment names none; the published one of a known corpus.
    pub seed: u64,
    /// Number of utterances found.
    pub utterances: usize,
    /// [found, expected] number of utterances where recordings are missing or surplus; absent where the corpus is complete.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub partial: Option<[usize; 2]>,
    /// The classes, in label order; only of a corpus of one's own.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub classes: Vec<String>,
    /// Hash of the folds that the corpus' own file has (of [`sercorpus::split::write_csv`]'s text); absent where no experiment uses one.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub folds: Option<String>,
    /// Hash of the utterances' texts and parts of the column `split`; absent where no experiment divides by them.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub texts: Option<String>,
    /// Hash of the feature matrix, the utterance list, the front end and the length.
    pub features: String,
}

/// A system whose settings are not those of the experiments: `T` are the settings of a training, `F` is a front end.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct RunSystem<T, F> {
    /// What computes it, where that is another engine than the run's.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub engine: Option<RunEngine>,
    /// The training, in place of the experiment's.
    pub training: T,
    /// The front end, in place of the run's; absent: the run's.
    #[serde(default = "Option::default", skip_serializing_if = "Option::is_none")]
    pub front_end: Option<F>,
    /// What that made of each corpus; empty without a front end.
    #[serde(default, skip_serializing_if = "BTreeMap::is_empty")]
    pub corpora: BTreeMap<CorpusName, OwnFeatures>,
}

/// An engine and the version of its arithmetic.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct RunEngine {
    /// `native` or `libtorch`.
    pub name: String,
    /// Folds of two versions are never mixed in a run.
    pub numerics: u32,
}

/// The features of a corpus by a system's own front end.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct OwnFeatures {
    /// Samples after padding or cropping.
    pub length: usize,
    /// Hash of the feature matrix, the utterance list, the front end and the length.
    pub features: String,
}

/// The whole of it, as a run of several experiments writes it: `T` are the settings of a training, `F` is the front end.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct RunConfig<T, F> {
    /// What computes the networks.
    pub engine: String,
    /// Version of its arithmetic: folds of two versions are never mixed in a run.
    pub numerics: u32,
    /// Kind of device that it computes on: `cpu` or `cuda`.
    pub device: String,
    /// Whether the corpora are the synthetic stand-in.
    pub synthetic: bool,
    /// The experiments.
    pub parts: Vec<RunExperiment<T>>,
    /// What the features are; absent where MFCCs of whole recordings.
    #[serde(default, skip_serializing_if = "FeatureSettings::is_default")]
    pub features: FeatureSettings,
    /// The front end; absent where the features are files.
    #[serde(default = "Option::default", skip_serializing_if = "Option::is_none")]
    pub front_end: Option<F>,
    /// Systems with settings of their own.
    #[serde(default = "BTreeMap::default", skip_serializing_if = "BTreeMap::is_empty")]
    pub system: BTreeMap<System, RunSystem<T, F>>,
    /// The corpora.
    pub corpora: BTreeMap<CorpusName, RunCorpus>,
}

/// How a run of one experiment is written: its keys stand at the top. In the order that its hash was first taken in.
#[derive(Serialize)]
struct One<T, F> {
    experiment: String,
    engine: String,
    numerics: u32,
    device: String,
    synthetic: bool,
    protocols: Vec<Protocol>,
    systems: Vec<System>,
    #[serde(skip_serializing_if = "Split::is_folds")]
    split: Split,
    #[serde(skip_serializing_if = "Vec::is_empty")]
    classes: Vec<String>,
    #[serde(skip_serializing_if = "Option::is_none")]
    on: Option<Vec<CorpusName>>,
    #[serde(skip_serializing_if = "is_zero")]
    folds: usize,
    #[serde(skip_serializing_if = "FoldsBy::is_random")]
    division: FoldsBy,
    #[serde(skip_serializing_if = "Option::is_none")]
    groups: Option<usize>,
    #[serde(skip_serializing_if = "Option::is_none")]
    repeats: Option<usize>,
    #[serde(skip_serializing_if = "Option::is_none")]
    seeds: Option<Vec<u64>>,
    #[serde(skip_serializing_if = "Option::is_none")]
    training_seeds: Option<Vec<u64>>,
    training: T,
    #[serde(skip_serializing_if = "FeatureSettings::is_default")]
    features: FeatureSettings,
    #[serde(skip_serializing_if = "Option::is_none")]
    front_end: Option<F>,
    #[serde(skip_serializing_if = "BTreeMap::is_empty")]
    system: BTreeMap<System, RunSystem<T, F>>,
    corpora: BTreeMap<CorpusName, RunCorpus>,
}

impl<T: Clone + Serialize + DeserializeOwned, F: Clone + Serialize + DeserializeOwned> RunConfig<T, F> {
    /// Name of the file.
    pub const FILE: &str = "config.toml";

    /// The run's name: its experiment, or `all` where there are several.
    pub fn name(&self) -> &str {
        match &self.parts[..] {
            [part, rest @ ..] if rest.iter().all(|p| p.experiment == part.experiment) => &part.experiment,
            _ => "all",
        }
    }

    /// The corpora that `part` runs on.
    pub fn corpora_of<'a>(&'a self, part: &'a RunExperiment<T>) -> impl Iterator<Item = &'a CorpusName> {
        self.corpora.keys().filter(|name| part.on.as_ref().is_none_or(|on| on.contains(name)))
    }

    /// The experiment that gives a training's figures under a protocol.
    pub fn part_of(&self, training: &TrainingName, protocol: Protocol) -> Option<&RunExperiment<T>> {
        let corpus = self.corpora.get(&training.corpus)?;
        self.parts.iter().find(|part| part.gives(training, protocol, corpus))
    }

    /// How a system is trained: its own settings, or those of the experiment.
    pub fn training_of<'a>(&'a self, part: &'a RunExperiment<T>, system: &System) -> &'a T {
        self.system.get(system).map_or(&part.training, |own| &own.training)
    }

    /// The file's text.
    ///
    /// # Errors
    /// None that a configuration of numbers and names can meet.
    pub fn to_toml(&self) -> Result<String> {
        let Self { engine, numerics, device, synthetic, parts, features, front_end, system, corpora } = self.clone();
        match <[RunExperiment<T>; 1]>::try_from(parts) {
            Ok([part]) => {
                let RunExperiment { experiment, protocols, systems, split, classes, on, folds, .. } = part;
                let RunExperiment { division, groups, repeats, seeds, training_seeds, training, .. } = part;
                let one = One {
                    experiment,
                    engine,
                    numerics,
                    device,
                    synthetic,
                    protocols,
                    systems,
                    split,
                    classes,
                    on,
                    folds,
                    division,
                    groups,
                    repeats,
                    seeds,
                    training_seeds,
                    training,
                    features,
                    front_end,
                    system,
                    corpora,
                };
                toml::to_string(&one)
            }
            Err(_) => toml::to_string(self),
        }
        .map_err(|e| RunError::value(Path::new(Self::FILE), e))
    }

    /// That of a run folder; None where it has none.
    ///
    /// # Errors
    /// Another file.
    pub fn read(run: &Path) -> Result<Option<Self>> {
        let path = run.join(Self::FILE);
        text(&path)?.map(|t| Self::from_toml(&t).map_err(|e| RunError::malformed(&path, e))).transpose()
    }

    /// Reads what [`Self::to_toml`] wrote.
    ///
    /// # Errors
    /// Another text.
    pub fn from_toml(text: &str) -> std::result::Result<Self, toml::de::Error> {
        let mut table: Table = toml::from_str(text)?;
        if !table.contains_key("parts") {
            let shared = |key: &str| {
                ["engine", "numerics", "device", "synthetic", "features", "front_end", "system", "corpora"]
                    .contains(&key)
            };
            let (mut whole, part): (Table, Table) = table.into_iter().partition(|(key, _)| shared(key));
            whole.insert("parts".into(), Value::Array(vec![Value::Table(part)]));
            table = whole;
        }
        table.try_into()
    }

    /// The first key in which two runs' files differ, with both values.
    ///
    /// # Errors
    /// As [`Self::to_toml`].
    pub fn difference(&self, other: &Self) -> Result<Option<Difference>> {
        let file = Path::new(Self::FILE);
        let table = |run: &Self| toml::from_str::<Table>(&run.to_toml()?).map_err(|e| RunError::value(file, e));
        Ok(difference(&table(self)?, &table(other)?))
    }
}

/// A key that differs, with both values: `training.epochs: 500 and 400`.
#[derive(Clone, Debug, PartialEq)]
pub struct Difference {
    /// `training.epochs`
    pub key: String,
    /// As TOML; `absent` where the first has no such key.
    pub left: String,
    /// The same for the second.
    pub right: String,
}

impl fmt::Display for Difference {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{}: {} and {}", self.key, self.left, self.right)
    }
}

/// The first key in which two tables differ.
pub fn difference(a: &Table, b: &Table) -> Option<Difference> {
    let shown = |v: Option<&Value>| v.map_or_else(|| "absent".to_owned(), Value::to_string);
    let keys: BTreeSet<&String> = a.keys().chain(b.keys()).collect();
    keys.into_iter().find_map(|key| match (a.get(key), b.get(key)) {
        (Some(Value::Table(a)), Some(Value::Table(b))) => {
            difference(a, b).map(|d| Difference { key: format!("{key}.{}", d.key), ..d })
        }
        (a, b) => (a != b).then(|| Difference { key: key.clone(), left: shown(a), right: shown(b) }),
    })
}

#[cfg(test)]
mod tests {
    #![allow(clippy::unwrap_used)]

    use super::*;

    /// `serlab` holds the bytes of such a file; tables that are read as any values come out in another order.
    #[test]
    fn the_keys_of_one_experiment_stand_at_the_top_and_those_of_several_in_parts() {
        let config = RunConfig::<Table, Table>::from_toml(include_str!("../tests/config-v3.toml")).unwrap();
        assert_eq!((config.name(), config.parts.len()), ("table1", 1));
        let text = config.to_toml().unwrap();
        assert!(text.starts_with("experiment = \"table1\"\nengine = ") && !text.contains("parts"), "{text}");
        assert_eq!(RunConfig::from_toml(&text).unwrap(), config);
        let mut several = config.clone();
        several.parts.push(RunExperiment {
            experiment: "fig3".into(),
            split: Split::HoldOut,
            ..config.parts[0].clone()
        });
        assert_eq!(RunConfig::from_toml(&several.to_toml().unwrap()).unwrap(), several);
        assert_eq!(several.name(), "all");
    }

    #[test]
    fn a_difference_names_its_key() {
        let of = |text: &str| toml::from_str::<Table>(text).unwrap();
        let a = of("x = 1\n[t]\ny = [1, 2]\nz = 2\n");
        let told = |text: &str| difference(&a, &of(text)).unwrap().to_string();
        assert_eq!(difference(&a, &a), None);
        assert_eq!(told("x = 1\n[t]\ny = [1]\nz = 2"), "t.y: [1, 2] and [1]");
        assert_eq!(told("x = 1\n[t]\ny = [1, 2]"), "t.z: 2 and absent");
        assert_eq!(told("x = 3\n[t]\ny = [1, 2]\nz = 2"), "x: 1 and 3");
        assert_eq!(told("t = 1\nx = 1").split(':').next(), Some("t"));
    }
}
