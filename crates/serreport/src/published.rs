//! Published figures, from `published.json` of a run folder; shares here, percent there.

use std::collections::BTreeMap;

use serde::Deserialize;
use serde_json::Value;
use sertrain::Protocol;

use crate::{marks::Mark, run::Run, setting::Setting};

/// Ordered pairs of corpora in Table 2.
pub const PAIRS: usize = 20;
/// Runs of Table 2.
pub const RUNS: usize = 10;
/// Corpora that Table 3 is a mean of.
pub const CORPORA: [&str; 6] = ["casia", "emodb", "emovo", "iemocap", "ravdess", "savee"];

/// All of it; nothing where no run has the file. UAR and WAR in pairs.
#[derive(Debug, Clone, Default, Deserialize)]
pub struct Published {
    /// What the figures were made with, in the keys of a run's `config.toml`; `corpora.NAME.seed` draws the folds.
    #[serde(default)]
    setting: Value,
    /// Table 1, TIM-Net: protocol, then corpus.
    #[serde(default, rename = "tim-net")]
    pub tim_net: BTreeMap<String, BTreeMap<String, [f64; 2]>>,
    /// Table 1, other systems.
    #[serde(default)]
    pub others: Vec<Other>,
    /// Table 2, by network.
    #[serde(default)]
    pub table2: BTreeMap<String, Runs>,
    /// Table 3, by network.
    #[serde(default)]
    pub table3: BTreeMap<String, [f64; 2]>,
}

/// A row of Table 1.
#[derive(Debug, Clone, Deserialize)]
pub struct Other {
    pub system: String,
    /// Who printed it.
    pub source: String,
    pub protocol: Option<String>,
    pub uar: BTreeMap<String, f64>,
    pub war: BTreeMap<String, f64>,
}

/// A row of Table 2.
#[derive(Debug, Clone, Deserialize)]
pub struct Runs {
    pub mean: [f64; 2],
    /// Over [`RUNS`] runs.
    pub std: [f64; 2],
}

impl Published {
    /// Of the first run that has it.
    pub fn of(runs: &[Run]) -> Self {
        let mut all = runs.iter().find_map(|r| r.published.clone()).unwrap_or_default();
        let pairs = all.tim_net.values_mut().flat_map(BTreeMap::values_mut).chain(all.table3.values_mut());
        let pairs = pairs.chain(all.table2.values_mut().flat_map(|r| [&mut r.mean, &mut r.std]));
        pairs.flatten().for_each(|v| *v /= 100.0);
        let singles = all.others.iter_mut().flat_map(|o| o.uar.values_mut().chain(o.war.values_mut()));
        singles.for_each(|v| *v /= 100.0);
        all
    }

    /// UAR and WAR of our network in the paper's Table 1.
    pub fn table1(&self, variant: &str, protocol: &str, corpus: &str) -> Option<[f64; 2]> {
        if variant != "tim-net" {
            return None;
        }
        self.tim_net.get(protocol)?.get(corpus).copied()
    }

    /// UAR and WAR of a network, mean over exactly these corpora: Table 3 has the means over all six, Table 1 has TIM-Net's figure of
    /// each corpus. None where the paper does not say.
    pub fn mean(&self, variant: &str, protocol: &str, corpora: &[&str]) -> Option<[f64; 2]> {
        let all = corpora.len() == CORPORA.len() && CORPORA.iter().all(|c| corpora.contains(c));
        if all
            && protocol == "best-epoch"
            && let Some(mean) = self.table3.get(variant)
        {
            return Some(*mean);
        }
        let each: Vec<[f64; 2]> = corpora.iter().map(|c| self.table1(variant, protocol, c)).collect::<Option<_>>()?;
        let mean = |i: usize| each.iter().map(|v| v[i]).sum::<f64>() / each.len() as f64;
        (!each.is_empty()).then(|| [mean(0), mean(1)])
    }

    /// What the figures were made with, without the seeds; None where the file does not say.
    pub fn setting(&self) -> Option<Setting> {
        let mut setting = self.setting.clone();
        for corpus in setting.get_mut("corpora")?.as_object_mut()?.values_mut() {
            corpus.as_object_mut()?.remove("seed");
        }
        Some(Setting::of(&setting))
    }

    /// The seed of a corpus' published folds.
    pub fn seed(&self, corpus: &str) -> Option<u64> {
        self.setting.get("corpora")?.get(corpus)?.get("seed")?.as_u64()
    }
}

/// What must be said beside a published figure within a corpus. The folds of a protocol are random, so they share their sentences; of
/// other protocols nothing is known.
pub fn marks(protocol: &str) -> Vec<Mark> {
    match protocol.parse::<Protocol>() {
        Ok(protocol) if protocol.caveat().is_some() => vec![Mark::Optimistic, Mark::TextsShared],
        Ok(_) => vec![Mark::TextsShared],
        Err(_) => Vec::new(),
    }
}

/// What must be said beside a published figure of Table 2. CAAM aligns the corpora's features without the labels of the one tested.
pub fn marks_across(system: &str) -> Vec<Mark> {
    if system == "caam" { vec![Mark::UnlabelledTestData] } else { Vec::new() }
}
