//! The paper's figures: `configs/published.toml`.

use std::collections::BTreeMap;

use sercorpus::CorpusKind;
use serde::{Deserialize, Serialize};
use sertrain::Protocol;
use timnet_core::Variant;

use crate::plan::{Division, Training};

/// [UAR, WAR] in percent.
type Pair = [f64; 2];

/// All that the paper and the official README print.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Published {
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
}

/// From percent.
pub fn shares(percent: Pair) -> Pair {
    percent.map(|v| v / 100.0)
}
