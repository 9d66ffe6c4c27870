//! The run folder: `metrics.json`, `predictions.csv`, `epochs.csv`, `config.toml`, `environment.json`, and a folder for
//! each training with its folds' scores and weights.

use std::{
    fs::{self, File, TryLockError},
    path::{Path, PathBuf},
};

use serde::{Deserialize, Serialize};

use crate::{
    error::{LabError, Result},
    fold_file::{FoldFile, put},
    plan::Training,
    results::{Metrics, Prediction},
};

/// Raised when the folder's layout changes.
const VERSION: u32 = 1;

/// A run folder, locked against other processes while this lives.
#[derive(Debug)]
pub struct RunDir {
    path: PathBuf,
    _lock: File,
}

#[derive(Serialize, Deserialize)]
struct Identity {
    version: u32,
    /// Hash of configuration, features and data.
    hash: String,
}

impl RunDir {
    /// Opens or makes the folder of the run that `hash` stands for.
    ///
    /// # Errors
    /// A folder that can't be written, is in use, or belongs to another run or version.
    pub fn open(path: &Path, hash: &str, config: &str) -> Result<Self> {
        let failed = |e: std::io::Error| LabError::Work(format!("cannot write run folder {}: {e}", path.display()));
        fs::create_dir_all(path).map_err(failed)?;
        let lock = File::create(path.join("lock")).map_err(failed)?;
        match lock.try_lock() {
            Ok(()) => {}
            Err(TryLockError::WouldBlock) => {
                return Err(LabError::Work(format!(
                    "run folder {} is in use by another process; wait for it or give another --run-dir",
                    path.display()
                )));
            }
            Err(TryLockError::Error(e)) => return Err(failed(e)),
        }
        let identity = path.join("run.json");
        match fs::read(&identity) {
            Ok(bytes) => check(&identity, &bytes, hash)?,
            Err(e) if e.kind() == std::io::ErrorKind::NotFound => {
                put(&path.join("config.toml"), config.as_bytes())?;
                let id = Identity { version: VERSION, hash: hash.to_owned() };
                put(&identity, &serde_json::to_vec_pretty(&id).map_err(LabError::work)?)?;
            }
            Err(e) => return Err(failed(e)),
        }
        Ok(Self { path: path.to_owned(), _lock: lock })
    }

    /// The folder.
    pub fn path(&self) -> &Path {
        &self.path
    }

    /// Writes a JSON file.
    ///
    /// # Errors
    /// Those of the file system.
    pub fn json(&self, name: &str, value: &impl Serialize) -> Result<()> {
        let mut bytes = serde_json::to_vec_pretty(value).map_err(LabError::work)?;
        bytes.push(b'\n');
        put(&self.path.join(name), &bytes)
    }

    /// `metrics.json`, in the run folder.
    ///
    /// # Errors
    /// Those of the file system.
    pub fn metrics(&self, metrics: &Metrics) -> Result<()> {
        self.json("metrics.json", metrics)
    }

    /// A cell's `predictions.csv`, in the folder named.
    ///
    /// # Errors
    /// Those of the file system.
    pub fn predictions(&self, folder: &str, labels: &[String], rows: &[Prediction]) -> Result<()> {
        let mut out = csv::Writer::from_writer(Vec::new());
        let header = ["id", "fold", "truth", "predicted"].into_iter().map(str::to_owned);
        out.write_record(header.chain(labels.iter().cloned())).map_err(LabError::work)?;
        for row in rows {
            let start =
                [row.id.to_owned(), row.fold.to_string(), labels[row.truth].clone(), labels[row.predicted].clone()];
            let record = start.into_iter().chain(row.probabilities.iter().map(f32::to_string));
            out.write_record(record).map_err(LabError::work)?;
        }
        let folder = self.path.join(folder);
        fs::create_dir_all(&folder).map_err(|e| LabError::Work(format!("cannot write {}: {e}", folder.display())))?;
        put(&folder.join("predictions.csv"), &out.into_inner().map_err(LabError::work)?)
    }

    /// A training's `epochs.csv`: every epoch of every fold.
    ///
    /// # Errors
    /// Those of the file system.
    pub fn epochs(&self, training: &Training, folds: &[FoldFile]) -> Result<()> {
        #[derive(Serialize)]
        struct Row {
            fold: usize,
            epoch: u32,
            train_loss: f64,
            train_accuracy: f64,
            validation_loss: Option<f64>,
            validation_accuracy: Option<f64>,
            test_loss: f64,
            test_accuracy: f64,
        }
        let mut out = csv::Writer::from_writer(Vec::new());
        for (fold, file) in folds.iter().enumerate() {
            for r in &file.records {
                let validated = file.validated.is_some();
                let row = Row {
                    fold,
                    epoch: r.epoch,
                    train_loss: r.train_loss,
                    train_accuracy: r.train_accuracy,
                    validation_loss: validated.then_some(r.validation_loss),
                    validation_accuracy: validated.then_some(r.validation_accuracy),
                    test_loss: r.test_loss,
                    test_accuracy: r.test_accuracy,
                };
                out.serialize(row).map_err(LabError::work)?;
            }
        }
        let path = self.path.join(training.name()).join("epochs.csv");
        put(&path, &out.into_inner().map_err(LabError::work)?)
    }
}

fn check(path: &Path, bytes: &[u8], hash: &str) -> Result<()> {
    let found: Identity = serde_json::from_slice(bytes)
        .map_err(|e| LabError::Input(format!("{}: {e}; give another --run-dir", path.display())))?;
    if found.version != VERSION {
        return Err(LabError::Input(format!(
            "{}: a run folder of version {}, this program writes {VERSION}; give another --run-dir",
            path.display(),
            found.version
        )));
    }
    if found.hash != hash {
        return Err(LabError::Input(format!(
            "{}: the folder holds a run of another configuration, features or data (see its config.toml); give another \
             --run-dir, or the options it was made with",
            path.display()
        )));
    }
    Ok(())
}
