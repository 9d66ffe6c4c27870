//! `config.toml` of a run folder: all that its figures depend on, and nothing else. Its hash is the run's identity.

use std::{
    collections::{BTreeMap, BTreeSet},
    fmt,
};

use sercorpus::CorpusKind;
use serde::{Deserialize, Serialize};
use sermfcc::FrontEnd;
use sertrain::Protocol;
use timnet_core::Variant;
use toml::{Table, Value};

use super::{division::Split, experiment};
use crate::error::{LabError, Result};

/// One experiment of a run.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Part {
    /// `table1` and its like.
    pub experiment: String,
    /// Protocols reported.
    pub protocols: Vec<Protocol>,
    /// Networks trained.
    pub variants: Vec<Variant>,
    /// What is trained on and what is scored.
    #[serde(default, skip_serializing_if = "Split::is_folds")]
    pub split: Split,
    /// Shared classes; cross-corpus only.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub classes: Vec<String>,
    /// The corpora it runs on; absent: all of the run's.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub on: Option<Vec<CorpusKind>>,
    /// Folds of the random splits.
    #[serde(default, skip_serializing_if = "is_zero")]
    pub folds: usize,
    /// Seeds; absent: each corpus' own.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub seeds: Option<Vec<u64>>,
    /// The training.
    pub training: experiment::Training,
}

fn is_zero(n: &usize) -> bool {
    *n == 0
}

/// One corpus of a run.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct RunCorpus {
    /// Samples after centre padding or cropping.
    pub length: usize,
    /// Blocks of the network.
    pub blocks: usize,
    /// Published seed.
    pub seed: u64,
    /// Number of utterances found.
    pub utterances: usize,
    /// [found, expected] number of utterances where recordings are missing or surplus; absent where the corpus is complete.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub partial: Option<[usize; 2]>,
    /// Hash of the feature matrix, the utterance list, the front end and the length.
    pub features: String,
}

/// The whole of it, as a run of several experiments writes it.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct RunConfig {
    /// What computes the networks.
    pub engine: String,
    /// Version of its arithmetic: folds of two versions are never mixed in a run.
    pub numerics: u32,
    /// Kind of device that it computes on: `cpu` or `cuda`.
    pub device: String,
    /// Whether the corpora are the synthetic stand-in.
    pub synthetic: bool,
    /// The experiments.
    pub parts: Vec<Part>,
    /// The features.
    pub front_end: FrontEnd,
    /// The corpora.
    pub corpora: BTreeMap<CorpusKind, RunCorpus>,
}

/// How a run of one experiment is written: its keys stand at the top. In the order that its hash was first taken in.
#[derive(Serialize)]
struct One {
    experiment: String,
    engine: String,
    numerics: u32,
    device: String,
    synthetic: bool,
    protocols: Vec<Protocol>,
    variants: Vec<Variant>,
    #[serde(skip_serializing_if = "Split::is_folds")]
    split: Split,
    #[serde(skip_serializing_if = "Vec::is_empty")]
    classes: Vec<String>,
    #[serde(skip_serializing_if = "Option::is_none")]
    on: Option<Vec<CorpusKind>>,
    #[serde(skip_serializing_if = "is_zero")]
    folds: usize,
    #[serde(skip_serializing_if = "Option::is_none")]
    seeds: Option<Vec<u64>>,
    training: experiment::Training,
    front_end: FrontEnd,
    corpora: BTreeMap<CorpusKind, RunCorpus>,
}

impl RunConfig {
    /// The run's name: its experiment, or `all` where there are several.
    pub fn name(&self) -> &str {
        match &self.parts[..] {
            [part, rest @ ..] if rest.iter().all(|p| p.experiment == part.experiment) => &part.experiment,
            _ => "all",
        }
    }

    /// The corpora that `part` runs on.
    pub fn corpora_of<'a>(&'a self, part: &'a Part) -> impl Iterator<Item = CorpusKind> + 'a {
        self.corpora.keys().copied().filter(|kind| part.on.as_ref().is_none_or(|on| on.contains(kind)))
    }

    /// The file's text.
    ///
    /// # Errors
    /// None that a configuration of numbers and names can meet.
    pub fn to_toml(&self) -> Result<String> {
        let Self { engine, numerics, device, synthetic, parts, front_end, corpora } = self.clone();
        match <[Part; 1]>::try_from(parts) {
            Ok([Part { experiment, protocols, variants, split, classes, on, folds, seeds, training }]) => {
                let one = One {
                    experiment,
                    engine,
                    numerics,
                    device,
                    synthetic,
                    protocols,
                    variants,
                    split,
                    classes,
                    on,
                    folds,
                    seeds,
                    training,
                    front_end,
                    corpora,
                };
                toml::to_string(&one)
            }
            Err(_) => toml::to_string(self),
        }
        .map_err(LabError::work)
    }

    /// Reads what [`Self::to_toml`] wrote.
    ///
    /// # Errors
    /// Another text.
    pub fn from_toml(text: &str) -> std::result::Result<Self, toml::de::Error> {
        let mut table: Table = toml::from_str(text)?;
        if !table.contains_key("parts") {
            let shared =
                |key: &str| ["engine", "numerics", "device", "synthetic", "front_end", "corpora"].contains(&key);
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
        let table = |run: &Self| toml::from_str::<Table>(&run.to_toml()?).map_err(LabError::work);
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
    use super::*;

    /// A file of this version: its hash must stay what it was.
    #[test]
    fn a_run_of_one_experiment_reads_and_writes_as_ever() {
        let text = include_str!("../../tests/config-v2.toml");
        let config = RunConfig::from_toml(text).unwrap();
        assert_eq!((config.name(), config.parts.len()), ("table1", 1));
        assert_eq!(config.to_toml().unwrap(), text);
        let older = RunConfig::from_toml(&text.replace("hop_length", "hop")).unwrap_err().to_string();
        assert!(older.contains("front_end key `hop` is called `hop_length` now"), "{older}");
        let mut several = config.clone();
        several.parts.push(Part { experiment: "fig3".into(), split: Split::HoldOut, ..config.parts[0].clone() });
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
