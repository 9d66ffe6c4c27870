//! From finished folds to figures.

use std::collections::BTreeMap;

use sercorpus::CorpusKind;
use serde::{Deserialize, Serialize};
use sermetrics::{Confusion, Interval, Spread, bootstrap_interval, confusion};
use sertrain::{Protocol, Scored, argmax};
use timnet::Variant;

use crate::{
    config::Experiment,
    corpora::Source,
    error::{LabError, Result},
    fold_file::FoldFile,
    plan::{Division, Training},
};

/// Resamples of the bootstrap intervals.
const RESAMPLES: usize = 2000;

/// Published figures: variant, protocol, corpus to [UAR, WAR] in percent.
pub type Published = BTreeMap<Variant, BTreeMap<Protocol, BTreeMap<CorpusKind, [f64; 2]>>>;

/// `metrics.json`. Holds nothing that differs between two runs of one configuration, such as times.
#[derive(Debug, Serialize, Deserialize)]
pub struct Metrics {
    /// Raised when the file's meaning changes.
    pub version: u32,
    /// Which experiment.
    pub experiment: String,
    /// Whether the recordings are the synthetic stand-in: such figures say nothing about any corpus.
    pub synthetic: bool,
    /// One a corpus, variant, protocol and seed.
    pub cells: Vec<Cell>,
}

/// The figures of one corpus, variant, protocol and seed. Shares, not percent.
#[derive(Debug, Serialize, Deserialize)]
pub struct Cell {
    /// Which corpus.
    pub corpus: CorpusKind,
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
    /// What has to be said beside the figure.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub caveat: Option<String>,
    /// Unweighted average recall over folds.
    pub uar: Spread,
    /// Weighted average recall, which is accuracy, over folds.
    pub war: Spread,
    /// UAR of all folds' predictions together, with its bootstrap interval over utterances.
    pub pooled_uar: Interval,
    /// The same for WAR.
    pub pooled_war: Interval,
    /// Rows are the truth, columns the prediction, in label order.
    pub confusion: Confusion,
    /// Recall of each class in the pooled predictions.
    pub recall: BTreeMap<String, f64>,
    /// Each fold.
    pub folds: Vec<FoldScore>,
    /// [UAR, WAR] in the paper.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub published: Option<[f64; 2]>,
}

/// One fold's figures.
#[derive(Debug, Serialize, Deserialize)]
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
}

/// One row of `predictions.csv`.
pub struct Prediction<'a> {
    /// The utterance.
    pub id: &'a str,
    /// The fold that tested it.
    pub fold: usize,
    /// Its class.
    pub truth: usize,
    /// The class of the largest probability.
    pub predicted: usize,
    /// One a class.
    pub probabilities: &'a [f32],
}

/// The protocols that a training gives figures for.
pub fn protocols<'a>(experiment: &'a Experiment, training: &'a Training) -> impl Iterator<Item = Protocol> + 'a {
    experiment.protocols.iter().copied().filter(|&p| Division::of(p) == training.division)
}

/// A protocol's predictions for every test utterance, fold by fold.
///
/// # Errors
/// A fold file that does not fit the plan.
pub fn predictions<'a>(
    protocol: Protocol,
    training: &Training,
    source: &'a Source,
    folds: &'a [FoldFile],
) -> Result<Vec<Prediction<'a>>> {
    let labels = source.corpus.label_indices();
    let mut out = Vec::new();
    for (fold, (file, division)) in folds.iter().zip(&training.folds).enumerate() {
        let scored = scored(protocol, file)?;
        if scored.probabilities.len() != division.test.len() {
            return Err(LabError::Work(format!(
                "{}, fold {fold}: {} predictions for {} test utterances; give another --run-dir",
                training.name(),
                scored.probabilities.len(),
                division.test.len()
            )));
        }
        for (&i, probabilities) in division.test.iter().zip(&scored.probabilities) {
            let predicted = argmax(probabilities);
            let id = &source.corpus.utterances[i].id;
            out.push(Prediction { id, fold, truth: labels[i], predicted, probabilities });
        }
    }
    Ok(out)
}

fn scored(protocol: Protocol, file: &FoldFile) -> Result<&Scored> {
    match protocol {
        Protocol::LastEpoch | Protocol::SpeakerIndependent => Ok(&file.last),
        Protocol::BestEpoch => Ok(&file.best),
        Protocol::Validated => {
            file.validated.as_ref().ok_or_else(|| LabError::Work("a fold without a validated epoch".into()))
        }
    }
}

/// The figures of one protocol of one training.
///
/// # Errors
/// Fold files that do not fit the plan.
pub fn cell(
    protocol: Protocol,
    training: &Training,
    source: &Source,
    folds: &[FoldFile],
    published: &Published,
) -> Result<Cell> {
    let labels = &source.corpus.labels;
    let predictions = predictions(protocol, training, source, folds)?;
    let columns = |of: &dyn Fn(&&Prediction) -> bool| -> (Vec<usize>, Vec<usize>) {
        predictions.iter().filter(of).map(|p| (p.truth, p.predicted)).unzip()
    };
    let mut scores = Vec::new();
    for (fold, file) in folds.iter().enumerate() {
        let (truth, predicted) = columns(&|p| p.fold == fold);
        let c = confusion(&truth, &predicted, labels.len()).map_err(LabError::work)?;
        let epoch = scored(protocol, file)?.epoch;
        scores.push(FoldScore { fold, epoch, uar: c.uar(), war: c.war(), utterances: truth.len() });
    }
    let (truth, predicted) = columns(&|_| true);
    let pooled = confusion(&truth, &predicted, labels.len()).map_err(LabError::work)?;
    let interval = |metric: fn(&Confusion) -> f64| {
        bootstrap_interval(&truth, &predicted, labels.len(), metric, RESAMPLES, 0.95, training.seed)
            .map_err(LabError::work)
    };
    let spread =
        |of: fn(&FoldScore) -> f64| Spread::of(&scores.iter().map(of).collect::<Vec<_>>()).map_err(LabError::work);
    Ok(Cell {
        corpus: training.kind,
        variant: training.model.variant,
        protocol,
        seed: training.seed,
        division: training.division,
        utterances: truth.len(),
        epochs: folds.first().map_or(0, |f| f.records.len() as u32),
        caveat: protocol.caveat().map(str::to_owned),
        uar: spread(|s| s.uar)?,
        war: spread(|s| s.war)?,
        pooled_uar: interval(Confusion::uar)?,
        pooled_war: interval(Confusion::war)?,
        recall: labels.iter().cloned().zip(pooled.per_class().iter().map(|c| c.recall)).collect(),
        confusion: pooled,
        folds: scores,
        published: published
            .get(&training.model.variant)
            .and_then(|p| p.get(&protocol)?.get(&training.kind))
            .map(|[uar, war]| [uar / 100.0, war / 100.0]),
    })
}
