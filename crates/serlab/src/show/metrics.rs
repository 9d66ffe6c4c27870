//! `metrics.json`: the figures of a run.

use std::collections::BTreeMap;

use sercorpus::CorpusKind;
use serde::Serialize;
use sermetrics::{Confusion, Interval, Spread};
use serreport::{Comparison, Mark, Over as IntervalOver};
use sertrain::Protocol;
use timnet_core::Variant;

use crate::{config::Division, plan::training_name};

/// `metrics.json`. Holds nothing that differs between two runs of one configuration, such as times.
#[derive(Debug, Serialize)]
pub struct Metrics {
    /// Raised when the file's meaning changes.
    pub version: u32,
    /// Which experiment.
    pub experiment: String,
    /// Whether the recordings are the synthetic stand-in: such figures say nothing about any corpus.
    pub synthetic: bool,
    /// One a corpus, target, variant, protocol, division and seed.
    pub cells: Vec<Cell>,
    /// Over seeds, over runs of Table 2, over corpora.
    pub summaries: Vec<Summary>,
    /// The other networks against TIM-Net, fold by fold.
    pub paired: Vec<Paired>,
    /// Folds that are not there, by training; empty unless the folder was merged from parts.
    #[serde(skip_serializing_if = "BTreeMap::is_empty")]
    pub missing: BTreeMap<String, Vec<usize>>,
}

/// The figures of one corpus, variant, protocol and seed. Shares, not percent.
#[derive(Debug, Serialize)]
pub struct Cell {
    /// The corpus trained on.
    pub corpus: CorpusKind,
    /// The corpus scored, where it is another.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub target: Option<CorpusKind>,
    /// Which network.
    pub variant: Variant,
    /// Which protocol.
    pub protocol: Protocol,
    /// Which seed.
    pub seed: u64,
    /// How the corpus was divided.
    pub division: Division,
    /// Utterances scored.
    pub utterances: usize,
    /// Epochs trained.
    pub epochs: u32,
    /// [found, expected] number of utterances of the corpora, where one is not complete.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub partial: Option<[usize; 2]>,
    /// What has to be said beside the figure.
    pub marks: Vec<Mark>,
    /// Unweighted average recall over folds.
    pub uar: Spread,
    /// Weighted average recall, which is accuracy, over folds.
    pub war: Spread,
    /// UAR of all folds' predictions together, with its bootstrap interval; absent over fewer than five speakers.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub pooled_uar: Option<Interval>,
    /// The same for WAR.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub pooled_war: Option<Interval>,
    /// What the intervals are over.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub interval_over: Option<IntervalOver>,
    /// Rows are the truth, columns the prediction, in label order.
    pub confusion: Confusion,
    /// Recall of each class in the pooled predictions.
    pub recall: BTreeMap<String, f64>,
    /// Each fold that is there.
    pub folds: Vec<FoldScore>,
    /// [UAR, WAR] in the paper.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub published: Option<[f64; 2]>,
}

impl Cell {
    /// The folder of the training it comes from.
    pub fn training(&self) -> String {
        training_name(self.corpus, self.variant, self.division, self.seed)
    }
}

/// One fold's figures.
#[derive(Debug, Serialize)]
pub struct FoldScore {
    /// Which fold.
    pub fold: usize,
    /// The epoch reported.
    pub epoch: u32,
    /// UAR.
    pub uar: f64,
    /// WAR.
    pub war: f64,
    /// Test utterances.
    pub utterances: usize,
    /// Training utterances.
    pub trained_on: usize,
}

/// What a summary is taken over.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize)]
#[serde(rename_all = "kebab-case")]
pub enum Over {
    /// The seeds of one corpus; a seed's figure is its mean over folds.
    Seeds,
    /// The runs of cross-corpus training; a run's figure is its mean over pairs.
    Runs,
    /// The corpora; a corpus' figure is the mean over its seeds.
    Corpora,
}

/// Mean and spread of one network and protocol. Shares, not percent.
#[derive(Clone, Debug, PartialEq, Serialize)]
pub struct Summary {
    /// What it is taken over.
    pub over: Over,
    /// Which corpus, if over seeds.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub corpus: Option<CorpusKind>,
    /// Which network.
    pub variant: Variant,
    /// Which protocol.
    pub protocol: Protocol,
    /// How the corpora were divided.
    pub division: Division,
    /// The seeds, if over seeds or runs.
    #[serde(skip_serializing_if = "Vec::is_empty")]
    pub seeds: Vec<u64>,
    /// The corpora, if over corpora; the pairs, if over runs.
    #[serde(skip_serializing_if = "Vec::is_empty")]
    pub corpora: Vec<String>,
    /// What has to be said beside the figure.
    pub marks: Vec<Mark>,
    /// UAR.
    pub uar: Spread,
    /// WAR.
    pub war: Spread,
    /// [UAR, WAR] in the paper over the same corpora or pairs, where it has that.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub published: Option<[f64; 2]>,
}

/// Another network against TIM-Net on the same folds: the mean of (its figure - TIM-Net's). Shares, not percent.
#[derive(Clone, Debug, PartialEq, Serialize)]
pub struct Paired {
    /// Which corpus.
    pub corpus: CorpusKind,
    /// Which network.
    pub variant: Variant,
    /// Which protocol.
    pub protocol: Protocol,
    /// How the corpus was divided.
    pub division: Division,
    /// Seeds that both were trained with.
    pub seeds: Vec<u64>,
    /// Differences: one a fold and seed of the folds; trainings of the same fold are averaged first.
    pub n: usize,
    /// Test utterances for each training utterance of a fold, mean over folds: how much training data the folds share.
    pub test_to_train: f64,
    /// What has to be said beside the figure.
    pub marks: Vec<Mark>,
    /// Difference of UAR.
    pub uar: Comparison,
    /// Difference of WAR.
    pub war: Comparison,
}
