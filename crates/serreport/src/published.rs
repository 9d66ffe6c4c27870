//! Published figures, from `published.json` of a run folder; shares here, percent there.

use std::collections::BTreeMap;

use serde::Deserialize;
use sertrain::Protocol;

use crate::{document::Mark, run::Run};

/// Epochs of the paper's trainings.
pub const EPOCHS: u32 = 500;
/// Folds of the paper's cross-validations.
pub const FOLDS: usize = 10;
/// Ordered pairs of corpora in Table 2.
pub const PAIRS: usize = 20;
/// Runs of Table 2.
pub const RUNS: usize = 10;
/// Corpora that Table 3 is a mean of.
pub const CORPORA: usize = 6;

/// All of it; nothing where no run has the file. UAR and WAR in pairs.
#[derive(Debug, Clone, Default, Deserialize)]
pub struct Published {
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
}

/// What has to be said of figures of a protocol, whoever made them, on recordings or on synthetic ones.
pub fn marks(protocol: &str, synthetic: bool) -> Vec<Mark> {
    let optimistic = protocol.parse::<Protocol>().is_ok_and(|p| p.caveat().is_some());
    [(optimistic, Mark::Optimistic), (synthetic, Mark::Synthetic)]
        .into_iter()
        .filter_map(|(said, m)| said.then_some(m))
        .collect()
}
