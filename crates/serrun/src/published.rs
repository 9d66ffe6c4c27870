//! `published.json`: the paper's figures, and what they were made with.

use std::{
    collections::{BTreeMap, BTreeSet},
    path::{Path, PathBuf},
};

use sercorpus::{CorpusKind, CorpusName};
use serde::{Deserialize, Serialize, de::DeserializeOwned};

use crate::{
    error::Result,
    file::{json, put_json},
    protocol::Protocol,
    system::System,
};

/// [UAR, WAR] in percent.
type Pair = [f64; 2];

/// All that the paper and the official README print. `F` is the front end.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Published<F> {
    /// What TIM-Net's figures were made with.
    pub setting: PaperSetting<F>,
    /// Table 1, TIM-Net.
    #[serde(rename = "tim-net")]
    pub tim_net: BTreeMap<Protocol, BTreeMap<CorpusName, Pair>>,
    /// Table 1, the other systems' rows.
    #[serde(default)]
    pub others: Vec<OtherSystem>,
    /// Table 2, by network: five corpora, 20 pairs, ten runs.
    pub table2: BTreeMap<String, PublishedRuns>,
    /// Table 3: means over the six corpora of the best epochs on the test folds.
    pub table3: BTreeMap<System, Pair>,
}

/// What the paper's figures were made with, as far as it or the official code says: keys of a run's `config.toml`. Figures of a run
/// that differs in one of them are not judged.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct PaperSetting<F> {
    /// Random folds.
    pub folds: usize,
    /// The training.
    pub training: PaperTraining,
    /// The resolved front end.
    pub front_end: F,
    /// The corpora, with the seeds that draw the published folds.
    pub corpora: BTreeMap<CorpusName, PaperCorpus>,
}

/// The training of the published figures.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct PaperTraining {
    /// Passes over the training part.
    pub epochs: u32,
    /// Utterances a step.
    pub batch_size: usize,
    /// Probability of spatial dropout.
    pub dropout: f64,
    /// Label smoothing.
    pub label_smoothing: f64,
    /// Adam's learning rate.
    pub learning_rate: f64,
    /// Adam's decay of the first moment.
    pub beta1: f64,
    /// Adam's decay of the second moment.
    pub beta2: f64,
    /// Added to the root of Adam's second moment.
    pub eps: f64,
}

/// A corpus of the published figures.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct PaperCorpus {
    /// Samples at 22,050 Hz after centre padding or cropping.
    pub length: usize,
    /// Blocks of the network.
    pub blocks: usize,
    /// Seed of the folds.
    pub seed: u64,
    /// Utterances.
    pub utterances: usize,
}

/// Another system's row of Table 1. Percent; the paper's tables leave cells out, and some have one figure only.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct OtherSystem {
    /// Its name.
    pub system: String,
    /// Who printed it.
    pub source: String,
    /// How its epoch was chosen, as far as that is said.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub protocol: Option<Protocol>,
    /// UAR by corpus.
    pub uar: BTreeMap<CorpusName, f64>,
    /// WAR by corpus.
    pub war: BTreeMap<CorpusName, f64>,
}

/// A row of Table 2, percent.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct PublishedRuns {
    /// Mean over runs.
    pub mean: Pair,
    /// Standard deviation over runs.
    pub std: Pair,
}

impl<F: Serialize + DeserializeOwned> Published<F> {
    /// Where a run folder has it.
    pub fn file(run: &Path) -> PathBuf {
        run.join("published.json")
    }

    /// That of a run folder; None where it has none yet.
    ///
    /// # Errors
    /// Another file.
    pub fn read(run: &Path) -> Result<Option<Self>> {
        json(&Self::file(run))
    }

    /// Writes it.
    ///
    /// # Errors
    /// Those of the file system.
    pub fn write(&self, run: &Path) -> Result<()> {
        put_json(&Self::file(run), self)
    }
}

impl<F> Published<F> {
    /// [UAR, WAR] of TIM-Net in Table 1, as shares.
    pub fn table1(&self, system: &System, protocol: Protocol, corpus: &CorpusName) -> Option<Pair> {
        if !system.is_tim_net() {
            return None;
        }
        self.tim_net.get(&protocol)?.get(corpus).copied().map(shares)
    }

    /// [UAR, WAR] of a row of Table 2 over runs, as shares: mean and standard deviation.
    pub fn table2(&self, system: &str) -> Option<[Pair; 2]> {
        self.table2.get(system).map(|row| [shares(row.mean), shares(row.std)])
    }

    /// [UAR, WAR], mean over exactly these corpora, as shares: Table 3 has it over all six, Table 1 has TIM-Net's figure of each. None
    /// where the paper does not say.
    pub fn mean(&self, system: &System, protocol: Protocol, corpora: &[CorpusName]) -> Option<Pair> {
        let all: BTreeSet<CorpusName> = CorpusKind::ALL.map(CorpusName::from).into();
        if protocol == Protocol::BestEpoch
            && corpora.iter().eq(&all)
            && let Some(mean) = self.table3.get(system)
        {
            return Some(shares(*mean));
        }
        let figures = self.tim_net.get(&protocol).filter(|_| system.is_tim_net())?;
        let each: Vec<Pair> = corpora.iter().map(|name| figures.get(name).copied()).collect::<Option<_>>()?;
        let mean = |i: usize| each.iter().map(|pair| pair[i]).sum::<f64>() / each.len() as f64;
        (!each.is_empty()).then(|| shares([mean(0), mean(1)]))
    }
}

/// The ordered pairs of the corpora of Table 2, sorted: `casia -> emodb`.
pub fn table2_pairs() -> Vec<String> {
    use CorpusKind::{Casia, Emodb, Emovo, Ravdess, Savee};
    let corpora = [Casia, Emodb, Emovo, Ravdess, Savee];
    let pair = |a: CorpusKind, b: CorpusKind| (a != b).then(|| format!("{a} -> {b}"));
    let mut pairs: Vec<String> =
        corpora.iter().flat_map(|&a| corpora.iter().filter_map(move |&b| pair(a, b))).collect();
    pairs.sort();
    pairs
}

/// From percent.
fn shares(percent: Pair) -> Pair {
    percent.map(|v| v / 100.0)
}

#[cfg(test)]
mod tests {
    #![allow(clippy::unwrap_used)]

    use super::*;

    #[test]
    fn a_mean_is_over_exactly_the_corpora_asked_for() {
        let text = include_str!("../../../configs/published.toml");
        let published: Published<toml::Table> = toml::from_str(text).unwrap();
        let mean = |system: &str, protocol, corpora: &[CorpusKind]| {
            let corpora: Vec<CorpusName> = corpora.iter().map(|&k| k.into()).collect();
            published.mean(&system.parse().unwrap(), protocol, &corpora)
        };
        let (best, last) = (Protocol::BestEpoch, Protocol::LastEpoch);
        // Table 3's mean is that of Table 1's six rows.
        let six = [0, 1].map(|i| published.tim_net[&best].values().map(|v| v[i] / 100.0).sum::<f64>() / 6.0);
        let [uar, war] = mean("tim-net", best, &CorpusKind::ALL).unwrap();
        assert!((uar - six[0]).abs() < 5e-5 && (war - six[1]).abs() < 5e-5, "{uar} {war} {six:?}");
        assert_eq!(mean("tcn", best, &CorpusKind::ALL), Some([0.8045, 0.8056]));
        assert_eq!(mean("tcn", last, &CorpusKind::ALL), None);
        let part = [CorpusKind::Emodb, CorpusKind::Savee];
        assert_eq!(mean("tcn", best, &part), None);
        let [uar, _] = mean("tim-net", last, &part).unwrap();
        assert!((uar - (0.8919 + 0.7726) / 2.0).abs() < 1e-11, "{uar}");
        assert!(mean("tim-net", last, &CorpusKind::ALL).is_some(), "IEMOCAP's last-epoch figure is missing");
        assert_eq!(mean("tim-net", last, &[]), None);
        assert_eq!(table2_pairs().len(), 20);
    }
}
