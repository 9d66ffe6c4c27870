//! What is to be trained, and which figures come out of it.

use sercorpus::{
    CorpusKind,
    split::{self, Fold},
};
use serde::{Deserialize, Serialize};
use sertrain::Protocol;
use timnet::{ModelConfig, Variant};

use crate::{
    config::Experiment,
    corpora::Source,
    error::{LabError, Result},
};

/// How a corpus is divided.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Serialize, Deserialize)]
#[serde(rename_all = "kebab-case")]
pub enum Division {
    /// scikit-learn's shuffled KFold.
    Random,
    /// The same, with a stratified validation part cut out of each training part.
    RandomValidated,
    /// One speaker (IEMOCAP: session) left out.
    SpeakerOut,
}

impl Division {
    /// What a protocol is scored on.
    pub fn of(protocol: Protocol) -> Self {
        match protocol {
            Protocol::LastEpoch | Protocol::BestEpoch => Self::Random,
            Protocol::Validated => Self::RandomValidated,
            Protocol::SpeakerIndependent => Self::SpeakerOut,
        }
    }

    /// The name in folders.
    pub fn name(self) -> &'static str {
        match self {
            Self::Random => "random",
            Self::RandomValidated => "validated",
            Self::SpeakerOut => "speaker-out",
        }
    }
}

/// One network trained over one division's folds with one seed. Gives the figures of one or two protocols.
pub struct Training {
    /// Index of the corpus.
    pub source: usize,
    /// Which corpus.
    pub kind: CorpusKind,
    /// Which network.
    pub model: ModelConfig,
    /// Seed of the folds, the initialisation, the order and the dropout.
    pub seed: u64,
    /// How the corpus is divided.
    pub division: Division,
    /// The division.
    pub folds: Vec<Fold>,
}

impl Training {
    /// The folder's name, unique in a run.
    pub fn name(&self) -> String {
        format!("{}-{}-{}-seed{}", self.kind, self.model.variant, self.division.name(), self.seed)
    }
}

/// All trainings of an experiment, in the order of its tables.
///
/// # Errors
/// A corpus that can't be divided as asked.
pub fn trainings(experiment: &Experiment, sources: &[Source]) -> Result<Vec<Training>> {
    let mut divisions: Vec<Division> = experiment.protocols.iter().map(|&p| Division::of(p)).collect();
    divisions.sort();
    divisions.dedup();
    let mut out = Vec::new();
    for (i, source) in sources.iter().enumerate() {
        let published = vec![source.config.seed];
        for &variant in &experiment.variants {
            for &seed in experiment.seeds.as_ref().unwrap_or(&published) {
                for &division in &divisions {
                    let folds = divide(experiment, source, division, seed)
                        .map_err(|e| LabError::Input(format!("{}: {e}", source.kind)))?;
                    out.push(Training {
                        source: i,
                        kind: source.kind,
                        model: model(experiment, source, variant),
                        seed,
                        division,
                        folds,
                    });
                }
            }
        }
    }
    Ok(out)
}

fn model(experiment: &Experiment, source: &Source, variant: Variant) -> ModelConfig {
    let config = ModelConfig::of(variant, source.config.blocks, source.corpus.labels.len());
    ModelConfig { dropout: experiment.training.dropout, ..config }
}

fn divide(
    experiment: &Experiment,
    source: &Source,
    division: Division,
    seed: u64,
) -> std::result::Result<Vec<Fold>, split::SplitError> {
    let corpus = &source.corpus;
    // `Experiment::validate` keeps seeds below 2^32.
    let numpy_seed = seed as u32;
    let random = || split::kfold(corpus.utterances.len(), experiment.folds, numpy_seed);
    match division {
        Division::Random => random(),
        Division::RandomValidated => {
            let labels = corpus.label_indices();
            let share = experiment.training.validation_share;
            random()?.into_iter().map(|f| split::with_validation(f, &labels, share, numpy_seed)).collect()
        }
        Division::SpeakerOut => corpus.speaker_independent_folds(),
    }
}
