//! A training's folder in a run: curves, predictions, embeddings, attention, fusion weights.

use std::{collections::BTreeMap, path::Path};

use sercorpus::CorpusName;
use serrun::{Attention, Embedding, Embeddings, Epoch, Fusion, Metrics, Predictions, Protocol, TrainingName};

use crate::error::Result;

/// One system trained over one division with one pair of seeds. Whatever the folder does not have is empty.
#[derive(Debug)]
pub struct Training {
    pub name: TrainingName,
    pub epochs: Vec<Epoch>,
    /// By protocol; one for each corpus tested, where that is not the one trained on.
    pub predictions: BTreeMap<Protocol, Vec<Tested>>,
    pub embeddings: Vec<Embedding>,
    pub attention: Option<Attention>,
    /// A fold's weight of each block, `[folds][blocks]`.
    pub fusion: Vec<Vec<f64>>,
}

/// `predictions.csv`, and the corpus tested, where it is not the one trained on.
#[derive(Debug)]
pub struct Tested {
    pub target: Option<CorpusName>,
    pub predictions: Predictions,
}

impl Training {
    /// Those that a run's figures come from, as far as their folders are there.
    ///
    /// # Errors
    /// A file that does not hold what it should.
    pub fn all(run: &Path, metrics: &Metrics) -> Result<Vec<Self>> {
        let mut names: BTreeMap<String, (TrainingName, Vec<Option<&CorpusName>>)> = BTreeMap::new();
        for cell in &metrics.cells {
            let name = cell.training();
            let targets = &mut names.entry(name.to_string()).or_insert_with(|| (name, Vec::new())).1;
            if !targets.contains(&cell.target.as_ref()) {
                targets.push(cell.target.as_ref());
            }
        }
        let open = |(folder, (name, mut targets)): (String, (TrainingName, Vec<Option<&CorpusName>>))| {
            targets.sort();
            Self::open(&run.join(folder), name, &targets).transpose()
        };
        names.into_iter().filter_map(open).collect()
    }

    fn open(folder: &Path, name: TrainingName, targets: &[Option<&CorpusName>]) -> Result<Option<Self>> {
        let mut predictions: BTreeMap<Protocol, Vec<Tested>> = BTreeMap::new();
        for protocol in Protocol::ALL {
            for &target in targets {
                let own = folder.join(protocol.name());
                let place = target.map_or(own.clone(), |target| own.join(target.as_str()));
                if let Some(found) = Predictions::read(&place)?.filter(|p| !p.rows.is_empty()) {
                    let tested = Tested { target: target.cloned(), predictions: found };
                    predictions.entry(protocol).or_default().push(tested);
                }
            }
        }
        let training = Self {
            epochs: Epoch::read_all(folder)?,
            predictions,
            embeddings: Embeddings::read(folder)?.0,
            attention: Attention::read(folder)?,
            fusion: Fusion::read_all(folder)?.into_iter().map(|row| row.weights).collect(),
            name,
        };
        let empty = training.epochs.is_empty() && training.predictions.is_empty() && training.embeddings.is_empty();
        Ok((!empty || training.attention.is_some() || !training.fusion.is_empty()).then_some(training))
    }
}
