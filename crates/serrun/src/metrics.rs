//! `metrics.json`: the figures of a run.

use std::{
    collections::{BTreeMap, BTreeSet},
    path::{Path, PathBuf},
};

use sercorpus::CorpusName;
use serde::{Deserialize, Serialize};
use sermetrics::{Confusion, Interval, Spread};

use crate::{
    comparison::Comparison,
    division::Division,
    error::{Result, RunError},
    file::{put_json, versioned_json},
    mark::Mark,
    over::Over,
    protocol::Protocol,
    system::System,
    training::TrainingName,
};

/// Version of `metrics.json`. 2: standard deviations with divisor n - 1 alone, marks, what intervals are over, adjusted comparisons.
pub const METRICS_VERSION: u32 = 2;

/// `metrics.json`. Holds nothing that differs between two runs of one configuration, such as times.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
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
    /// Networks in pairs, fold by fold: each against TIM-Net first, where the run has it, then the others among themselves.
    pub paired: Vec<Paired>,
    /// Folds that are not there, by training; empty unless the folder was merged from parts.
    #[serde(default, skip_serializing_if = "BTreeMap::is_empty")]
    pub missing: BTreeMap<String, Vec<usize>>,
}

impl Metrics {
    /// Where a run folder has them.
    pub fn file(run: &Path) -> PathBuf {
        run.join("metrics.json")
    }

    /// Those of a run folder; None where it has none yet.
    ///
    /// # Errors
    /// A file of another version, or one that contradicts itself.
    pub fn read(run: &Path) -> Result<Option<Self>> {
        let path = Self::file(run);
        let Some(metrics) = versioned_json::<Self>(&path, METRICS_VERSION)? else { return Ok(None) };
        let mut seen = BTreeSet::new();
        for (i, cell) in metrics.cells.iter().enumerate() {
            let bad = |what: &str| Err(RunError::malformed(&path, format!("cells[{i}]: {what}")));
            let folds = cell.folds.len();
            if folds == 0 || (cell.uar.count, cell.war.count) != (folds, folds) {
                return bad("`uar`, `war` and `folds` must be of the same folds, at least one");
            }
            if !seen.insert((cell.training(), &cell.target, cell.protocol)) {
                return bad("a second cell of this corpus, network, protocol and seed");
            }
        }
        Ok(Some(metrics))
    }

    /// Writes them.
    ///
    /// # Errors
    /// Those of the file system.
    pub fn write(&self, run: &Path) -> Result<()> {
        put_json(&Self::file(run), self)
    }
}

/// The figures of one corpus, variant, protocol and seed. Shares, not percent.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub struct Cell {
    /// The corpus trained on.
    pub corpus: CorpusName,
    /// The corpus scored, where it is another.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub target: Option<CorpusName>,
    /// Which network.
    pub variant: System,
    /// Which protocol.
    pub protocol: Protocol,
    /// Seed of the folds.
    pub seed: u64,
    /// Seed of initialisation, order and dropout, where it is not that of the folds.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub training_seed: Option<u64>,
    /// How the corpus was divided.
    pub division: Division,
    /// Utterances scored.
    pub utterances: usize,
    /// Epochs trained.
    pub epochs: u32,
    /// [found, expected] number of utterances of the corpora, where one is not complete.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub partial: Option<[usize; 2]>,
    /// What has to be said beside the figure.
    pub marks: Vec<Mark>,
    /// Unweighted average recall over folds.
    pub uar: Spread,
    /// Weighted average recall, which is accuracy, over folds.
    pub war: Spread,
    /// UAR of all folds' predictions together, with its bootstrap interval; absent over fewer than five speakers.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub pooled_uar: Option<Interval>,
    /// The same for WAR.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub pooled_war: Option<Interval>,
    /// What the intervals are over.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub interval_over: Option<Over>,
    /// Rows are the truth, columns the prediction, in label order.
    pub confusion: Confusion,
    /// Recall of each class in the pooled predictions.
    pub recall: BTreeMap<String, f64>,
    /// Each fold that is there.
    pub folds: Vec<FoldScore>,
    /// [UAR, WAR] in the paper.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub published: Option<[f64; 2]>,
}

impl Cell {
    /// The folder of the training it comes from.
    pub fn training(&self) -> TrainingName {
        TrainingName {
            corpus: self.corpus.clone(),
            system: self.variant.clone(),
            division: self.division,
            seed: self.seed,
            training_seed: self.training_seed,
        }
    }
}

/// One fold's figures.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
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
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "kebab-case")]
pub enum SummaryOver {
    /// The trainings of the same folds of one corpus; a training's figure is its mean over folds.
    Trainings,
    /// The seeds of the folds of one corpus; a seed's figure is the mean over folds and trainings.
    Seeds,
    /// The runs of cross-corpus training; a run's figure is its mean over pairs.
    Runs,
    /// The corpora; a corpus' figure is the mean over its seeds.
    Corpora,
}

/// Mean and spread of one network and protocol. Shares, not percent.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub struct Summary {
    /// What it is taken over.
    pub over: SummaryOver,
    /// Which corpus, if over seeds.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub corpus: Option<CorpusName>,
    /// Which network.
    pub variant: System,
    /// Which protocol.
    pub protocol: Protocol,
    /// How the corpora were divided.
    pub division: Division,
    /// The seeds of the folds, if over trainings, seeds or runs.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub seeds: Vec<u64>,
    /// The training seeds, where they are not those of the folds.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub training_seeds: Vec<u64>,
    /// The corpora, if over corpora; the pairs, if over runs.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub corpora: Vec<String>,
    /// What has to be said beside the figure.
    pub marks: Vec<Mark>,
    /// UAR.
    pub uar: Spread,
    /// WAR.
    pub war: Spread,
    /// [UAR, WAR] in the paper over the same corpora or pairs, where it has that.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub published: Option<[f64; 2]>,
}

/// A network against another on the same folds: the mean of (its figure - the other's). Shares, not percent.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub struct Paired {
    /// Which corpus.
    pub corpus: CorpusName,
    /// Which network.
    pub variant: System,
    /// The other one; in files, TIM-Net where the key is absent.
    #[serde(default = "System::tim_net", skip_serializing_if = "System::is_tim_net")]
    pub against: System,
    /// Which protocol.
    pub protocol: Protocol,
    /// How the corpus was divided.
    pub division: Division,
    /// Seeds of the folds that both were trained on.
    pub seeds: Vec<u64>,
    /// Training seeds that both were trained with, where they are not those of the folds.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub training_seeds: Vec<u64>,
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
