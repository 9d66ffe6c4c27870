//! A finished fold on disk.

use std::{
    collections::BTreeMap,
    fs,
    path::{Path, PathBuf},
};

use serde::{Deserialize, Serialize};
use serengine::Weights;
use sertrain::{EpochRecord, FoldOutcome, Protocol, Scored, Selected};
use timnet_core::{ModelConfig, Places};

use crate::{
    disk::put,
    error::{LabError, Result},
    plan::Training,
};

/// Raised when the file's meaning changes.
const VERSION: u32 = 1;

/// Scores of a finished fold; its weights are in safetensors files beside it.
#[derive(Serialize, Deserialize)]
pub struct FoldFile {
    version: u32,
    /// One record an epoch.
    pub records: Vec<EpochRecord>,
    /// The last epoch.
    pub last: Scored,
    /// The best epoch on the test part.
    pub best: Scored,
    /// The best epoch on the validation part.
    pub validated: Option<Scored>,
}

impl FoldFile {
    /// Writes the weights first and the scores last: where the scores are, the fold is whole.
    ///
    /// # Errors
    /// Those of the file system, with the file.
    pub fn write(path: &Path, outcome: FoldOutcome, metadata: &BTreeMap<String, String>) -> Result<Self> {
        let FoldOutcome { records, last, best, validated } = outcome;
        let save = |name: &str, selected: &Selected| {
            let metadata = metadata.clone().into_iter().chain([
                ("selected".to_owned(), name.to_owned()),
                ("epoch".to_owned(), selected.scored.epoch.to_string()),
            ]);
            let bytes = selected.weights.to_safetensors(&metadata.collect()).map_err(LabError::work)?;
            put(&path.with_extension(format!("{name}.safetensors")), &bytes)
        };
        save("last", &last)?;
        save("best", &best)?;
        if let Some(validated) = &validated {
            save("validated", validated)?;
        }
        let file = Self {
            version: VERSION,
            records,
            last: last.scored,
            best: best.scored,
            validated: validated.map(|v| v.scored),
        };
        put(path, &serde_json::to_vec(&file).map_err(LabError::work)?)?;
        Ok(file)
    }

    /// None where the fold is not finished.
    ///
    /// # Errors
    /// A file of another version or no fold at all.
    pub fn read(path: &Path) -> Result<Option<Self>> {
        let bytes = match fs::read(path) {
            Ok(bytes) => bytes,
            Err(e) if e.kind() == std::io::ErrorKind::NotFound => return Ok(None),
            Err(e) => return Err(LabError::Work(format!("{}: {e}", path.display()))),
        };
        let file: Self = serde_json::from_slice(&bytes)
            .map_err(|e| LabError::Work(format!("{}: {e}; delete it to train the fold again", path.display())))?;
        if file.version != VERSION {
            return Err(LabError::Work(format!(
                "{}: version {}, this program writes {VERSION}; give another --run-dir",
                path.display(),
                file.version
            )));
        }
        Ok(Some(file))
    }

    /// What a protocol reports.
    ///
    /// # Errors
    /// A fold without a validation part has no epoch chosen on one.
    pub fn scored(&self, protocol: Protocol) -> Result<&Scored> {
        match protocol {
            Protocol::LastEpoch | Protocol::SpeakerIndependent => Ok(&self.last),
            Protocol::BestEpoch => Ok(&self.best),
            Protocol::Validated => {
                self.validated.as_ref().ok_or_else(|| LabError::Work("a fold without a validated epoch".into()))
            }
        }
    }
}

/// Where a fold's scores are, in the run folder `dir`; its other files begin with the same name.
pub fn fold_path(dir: &Path, training: &Training, fold: usize) -> PathBuf {
    dir.join(training.name()).join(format!("fold-{fold:02}.json"))
}

/// The learned w_j of a fold's last epoch; None for networks without them.
///
/// # Errors
/// Weights that can't be read.
pub fn fusion(fold_file: &Path) -> Result<Option<Vec<f32>>> {
    let (weights, _) =
        Weights::load::<ModelConfig>(&fold_file.with_extension("last.safetensors")).map_err(LabError::work)?;
    let places = Places::of(&weights.settings().map_err(LabError::work)?);
    Ok(places.fusion.map(|range| weights.parameters[range.all()].to_vec()))
}
