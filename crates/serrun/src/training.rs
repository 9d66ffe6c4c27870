//! The files of a training's folder: curves, fusion weights, embeddings, attention.

use std::{
    fmt,
    path::{Path, PathBuf},
};

use sercorpus::CorpusName;
use serde::{Deserialize, Serialize};

use crate::{
    division::Division,
    error::{Result, RunError},
    file::{Wide, json, put, put_rows, rows},
    system::System,
};

/// One system trained over one division of one corpus with one pair of seeds. Its text is the name of its folder:
/// `emodb-tim-net-random-seed46`, and where the training seed is not that of the folds `emodb-tim-net-random-seed46-training7`.
#[derive(Clone, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub struct TrainingName {
    /// The corpus trained on.
    pub corpus: CorpusName,
    /// Which system.
    pub system: System,
    /// How the corpus is divided.
    pub division: Division,
    /// Seed of the folds.
    pub seed: u64,
    /// Seed of initialisation, order and dropout, where it is not that of the folds.
    pub training_seed: Option<u64>,
}

impl TrainingName {
    /// The name without the seeds: `emodb-tim-net-random`.
    pub fn stem(&self) -> String {
        format!("{}-{}-{}", self.corpus, self.system, self.division.name())
    }
}

impl fmt::Display for TrainingName {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{}-seed{}", self.stem(), self.seed)?;
        self.training_seed.map_or(Ok(()), |seed| write!(f, "-training{seed}"))
    }
}

/// A row of `epochs.csv`.
#[derive(Clone, Copy, Debug, PartialEq, Serialize, Deserialize)]
pub struct Epoch {
    /// Counted from 0.
    pub fold: usize,
    /// Counted from 1.
    pub epoch: u32,
    /// Mean training loss.
    pub train_loss: f64,
    /// Training accuracy, 0 to 1.
    pub train_accuracy: f64,
    /// Loss on the validation part; None where there is none.
    pub validation_loss: Option<f64>,
    /// Accuracy on the validation part, 0 to 1.
    pub validation_accuracy: Option<f64>,
    /// Loss on the test part; None where the epoch was not tested.
    pub test_loss: Option<f64>,
    /// Accuracy on the test part, 0 to 1.
    pub test_accuracy: Option<f64>,
}

impl Epoch {
    fn file(training: &Path) -> PathBuf {
        training.join("epochs.csv")
    }

    /// All of a training's; nothing where its folder has none.
    ///
    /// # Errors
    /// Another file.
    pub fn read_all(training: &Path) -> Result<Vec<Self>> {
        Ok(rows(&Self::file(training))?.unwrap_or_default())
    }

    /// Writes them.
    ///
    /// # Errors
    /// Those of the file system.
    pub fn write_all(all: &[Self], training: &Path) -> Result<()> {
        put_rows(&Self::file(training), all)
    }
}

/// A row of `fusion.csv`: the learned weight w_j of each block after a fold's last epoch.
#[derive(Clone, Debug, PartialEq)]
pub struct Fusion<P = f64> {
    /// Counted from 0.
    pub fold: usize,
    /// One a block.
    pub weights: Vec<P>,
}

impl Fusion {
    /// All of a training's; nothing where its folder has none.
    ///
    /// # Errors
    /// Another file.
    pub fn read_all(training: &Path) -> Result<Vec<Self>> {
        let path = training.join("fusion.csv");
        let Some(file) = Wide::read(&path, &["fold"])? else { return Ok(Vec::new()) };
        let row = |(line, start, weights): (u64, Vec<String>, Vec<f64>)| {
            Ok(Self { fold: index(&path, line, &start[0])?, weights })
        };
        file.rows.into_iter().map(row).collect()
    }
}

impl<P: ToString> Fusion<P> {
    /// Writes those of a network of `blocks` blocks.
    ///
    /// # Errors
    /// Those of the file system.
    pub fn write_all(all: &[Self], blocks: usize, training: &Path) -> Result<()> {
        let rows = all.iter().map(|row| ([row.fold.to_string()], row.weights.iter().map(ToString::to_string)));
        Wide::put(&training.join("fusion.csv"), ["fold"], (1..=blocks).map(|j| format!("w_{j}")), rows)
    }
}

/// A row of `embeddings.csv`: what the network makes of a test utterance before its last layer.
#[derive(Clone, Debug, PartialEq)]
pub struct Embedding<P = f64> {
    /// The utterance.
    pub id: String,
    /// The fold that tested it, counted from 0.
    pub fold: usize,
    /// Its class.
    pub label: String,
    /// The class that was predicted.
    pub predicted: String,
    /// One a coefficient.
    pub values: Vec<P>,
}

/// `embeddings.csv`.
#[derive(Clone, Debug, PartialEq)]
pub struct Embeddings<P = f64>(pub Vec<Embedding<P>>);

/// The columns before an embedding's values.
const EMBEDDING: [&str; 4] = ["id", "fold", "label", "predicted"];

impl Embeddings {
    /// Where a training's folder has them.
    pub fn file(training: &Path) -> PathBuf {
        training.join("embeddings.csv")
    }

    /// A training's; nothing where its folder has none.
    ///
    /// # Errors
    /// Another file.
    pub fn read(training: &Path) -> Result<Self> {
        let path = Self::file(training);
        let Some(file) = Wide::read(&path, &EMBEDDING)? else { return Ok(Self(Vec::new())) };
        let row = |(line, start, values): (u64, Vec<String>, Vec<f64>)| {
            let [id, fold, label, predicted] = <[String; 4]>::try_from(start)
                .map_err(|_| RunError::malformed(&path, format!("line {line}: a column is missing")))?;
            Ok(Embedding { id, fold: index(&path, line, &fold)?, label, predicted, values })
        };
        file.rows.into_iter().map(row).collect::<Result<_>>().map(Self)
    }
}

impl<P: ToString> Embeddings<P> {
    /// Writes those of `coefficients` values each.
    ///
    /// # Errors
    /// Those of the file system.
    pub fn write(&self, coefficients: usize, training: &Path) -> Result<()> {
        let rows = self.0.iter().map(|e| {
            let start = [e.id.clone(), e.fold.to_string(), e.label.clone(), e.predicted.clone()];
            (start, e.values.iter().map(ToString::to_string))
        });
        Wide::put(&Embeddings::file(training), EMBEDDING, (0..coefficients).map(|i| format!("e{i}")), rows)
    }
}

/// `attention.json`: how open each block's gate is at each frame of one utterance.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub struct Attention<P = f64> {
    /// Raised when the file's meaning changes.
    pub version: u32,
    /// The utterance.
    pub id: String,
    /// Its class.
    pub label: String,
    /// The class that was predicted.
    pub predicted: String,
    /// Seconds from one frame to the next.
    pub hop_seconds: f64,
    /// Number of frames.
    pub frames: usize,
    /// Number of blocks.
    pub blocks: usize,
    /// `[blocks][frames]`, 0.5 (closed) to 1.
    pub attention: Vec<Vec<P>>,
}

impl Attention {
    /// The version that is written.
    pub const VERSION: u32 = 1;

    /// Where a training's folder has it.
    pub fn file(training: &Path) -> PathBuf {
        training.join("attention.json")
    }

    /// A training's; None where its folder has none.
    ///
    /// # Errors
    /// Another file; blocks of different lengths.
    pub fn read(training: &Path) -> Result<Option<Self>> {
        let path = Self::file(training);
        let Some(found) = json::<Self>(&path)? else { return Ok(None) };
        if found.frames == 0 || found.attention.iter().any(|b| b.len() != found.frames) {
            let what = "`attention` must have the same number of frames in every block";
            return Err(RunError::malformed(&path, what));
        }
        if !(found.hop_seconds > 0.0 && found.hop_seconds.is_finite()) {
            return Err(RunError::malformed(&path, "`hop_seconds` must be above 0"));
        }
        Ok(Some(found))
    }
}

impl<P: Serialize> Attention<P> {
    /// Writes it.
    ///
    /// # Errors
    /// Those of the file system.
    pub fn write(&self, training: &Path) -> Result<()> {
        let path = Attention::file(training);
        put(&path, &serde_json::to_vec(self).map_err(|e| RunError::value(&path, e))?)
    }
}

fn index(path: &Path, line: u64, text: &str) -> Result<usize> {
    text.parse().map_err(|_| RunError::malformed(path, format!("line {line}: `fold` is no index")))
}
