//! The paper's figures: `configs/published.toml`.

use std::collections::BTreeMap;

use sercorpus::CorpusKind;
use serde::{Deserialize, Serialize};
use sermfcc::FrontEnd;
use sertrain::Protocol;
use timnet_core::Variant;

use crate::{config::Division, plan::Training};

/// [UAR, WAR] in percent.
type Pair = [f64; 2];

/// The corpora of the paper's Table 2.
pub const TABLE2: [CorpusKind; 5] =
    [CorpusKind::Casia, CorpusKind::Emodb, CorpusKind::Emovo, CorpusKind::Ravdess, CorpusKind::Savee];

/// All that the paper and the official README print.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Published {
    /// What TIM-Net's figures were made with.
    pub setting: Setting,
    /// Table 1, TIM-Net.
    #[serde(rename = "tim-net")]
    pub tim_net: BTreeMap<Protocol, BTreeMap<CorpusKind, Pair>>,
    /// Table 1, the other systems' rows.
    #[serde(default)]
    pub others: Vec<Other>,
    /// Table 2, by network: five corpora, 20 pairs, ten runs.
    pub table2: BTreeMap<String, PublishedRuns>,
    /// Table 3: means over the six corpora of the best epochs on the test folds.
    pub table3: BTreeMap<Variant, Pair>,
}

/// What the paper's figures were made with, as far as it or the official code says: keys of a run's `config.toml`. Figures of a run
/// that differs in one of them are not judged.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Setting {
    /// Random folds.
    pub folds: usize,
    /// The training.
    pub training: SettingOfTraining,
    /// The resolved front end.
    pub front_end: FrontEnd,
    /// The corpora, with the seeds that draw the published folds.
    pub corpora: BTreeMap<CorpusKind, SettingOfCorpus>,
}

/// The training of the published figures.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct SettingOfTraining {
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
pub struct SettingOfCorpus {
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
pub struct Other {
    /// Its name.
    pub system: String,
    /// Who printed it.
    pub source: String,
    /// How its epoch was chosen, as far as that is said.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub protocol: Option<Protocol>,
    /// UAR by corpus.
    pub uar: BTreeMap<CorpusKind, f64>,
    /// WAR by corpus.
    pub war: BTreeMap<CorpusKind, f64>,
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

impl Published {
    /// What the paper has for a cell, as shares.
    pub fn cell(&self, training: &Training, protocol: Protocol) -> Option<Pair> {
        let fits = training.model.variant == Variant::TimNet && training.division == Division::Random;
        let pair = self.tim_net.get(&protocol)?.get(&training.kind).filter(|_| fits)?;
        Some(shares(*pair))
    }

    /// Mean over exactly these corpora, in percent: Table 3 has it over all six, Table 1 has TIM-Net's figure of each. None where the
    /// paper does not say.
    pub fn mean(&self, variant: Variant, protocol: Protocol, corpora: &[CorpusKind]) -> Option<Pair> {
        if corpora == CorpusKind::ALL
            && protocol == Protocol::BestEpoch
            && let Some(mean) = self.table3.get(&variant)
        {
            return Some(*mean);
        }
        let figures = self.tim_net.get(&protocol).filter(|_| variant == Variant::TimNet)?;
        let each: Vec<Pair> = corpora.iter().map(|kind| figures.get(kind).copied()).collect::<Option<_>>()?;
        let mean = |i: usize| each.iter().map(|pair| pair[i]).sum::<f64>() / each.len() as f64;
        (!each.is_empty()).then(|| [mean(0), mean(1)])
    }
}

/// From percent.
pub fn shares(percent: Pair) -> Pair {
    percent.map(|v| v / 100.0)
}

#[cfg(test)]
mod tests {
    use std::path::Path;

    use toml::{Table, Value};

    use super::*;

    fn published() -> (Published, Table) {
        let text = include_str!("../../../../configs/published.toml");
        (toml::from_str(text).unwrap(), toml::from_str(text).unwrap())
    }

    /// Every key of `paper` is in `ours` with its value.
    fn holds(ours: &Table, paper: &Table) {
        for (key, value) in paper {
            assert_eq!(ours.get(key), Some(value), "{key}");
        }
    }

    #[test]
    fn the_configurations_are_the_papers() {
        let (typed, table) = published();
        let configs = Path::new(env!("CARGO_MANIFEST_DIR")).join("../../configs");
        let read =
            |name: &str| -> Table { toml::from_str(&std::fs::read_to_string(configs.join(name)).unwrap()).unwrap() };
        let part = |key: &str| table["setting"][key].as_table().unwrap().clone();
        let table1 = read("table1.toml");
        holds(table1["training"].as_table().unwrap(), &part("training"));
        assert_eq!(table1["folds"], table["setting"]["folds"]);
        let preset = table1["front_end"]["preset"].as_str().unwrap();
        assert_eq!(FrontEnd::preset(preset).unwrap(), typed.setting.front_end);
        assert_eq!(typed.setting.corpora.len(), 6);
        for (name, mut corpus) in part("corpora") {
            let kind: CorpusKind = name.parse().unwrap();
            let corpus = corpus.as_table_mut().unwrap();
            assert_eq!(corpus.remove("utterances"), Some(Value::Integer(kind.expected_total() as i64)));
            holds(&read(&format!("corpora/{name}.toml")), corpus);
        }
    }

    #[test]
    fn a_mean_is_over_exactly_the_corpora_asked_for() {
        let (published, _) = published();
        let mean = |variant, protocol, corpora: &[CorpusKind]| published.mean(variant, protocol, corpora);
        let (best, last) = (Protocol::BestEpoch, Protocol::LastEpoch);
        // Table 3's mean is that of Table 1's six rows.
        let six = [0, 1].map(|i| published.tim_net[&best].values().map(|v| v[i]).sum::<f64>() / 6.0);
        let [uar, war] = mean(Variant::TimNet, best, &CorpusKind::ALL).unwrap();
        assert!((uar - six[0]).abs() < 0.005 && (war - six[1]).abs() < 0.005, "{uar} {war} {six:?}");
        assert_eq!(mean(Variant::Tcn, best, &CorpusKind::ALL), Some([80.45, 80.56]));
        assert_eq!(mean(Variant::Tcn, last, &CorpusKind::ALL), None);
        let part = [CorpusKind::Emodb, CorpusKind::Savee];
        assert_eq!(mean(Variant::Tcn, best, &part), None);
        let [uar, _] = mean(Variant::TimNet, last, &part).unwrap();
        assert!((uar - (89.19 + 77.26) / 2.0).abs() < 1e-9, "{uar}");
        assert!(mean(Variant::TimNet, last, &CorpusKind::ALL).is_some(), "IEMOCAP's last-epoch figure is missing");
        assert_eq!(mean(Variant::TimNet, last, &[]), None);
    }
}
