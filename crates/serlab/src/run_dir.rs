//! The run folder: `metrics.json`, `config.toml`, `environment.json`, and a folder for each training with its folds'
//! scores, weights, predictions and curves.

use std::{
    fs::{self, File, TryLockError},
    path::{Path, PathBuf},
};

use serde::{Deserialize, Serialize};

use crate::{
    error::{LabError, Result},
    explain,
    fold_file::{FoldFile, fold_path, put},
    plan::Training,
    results::Prediction,
    run_config::RunConfig,
    shard,
};

/// Raised when the folder's layout changes.
const VERSION: u32 = 1;

/// A run folder, locked against other processes (but the other shards of its run) while this lives.
#[derive(Debug)]
pub struct RunDir {
    path: PathBuf,
    _locks: Vec<File>,
}

#[derive(Serialize, Deserialize)]
struct Identity {
    version: u32,
    /// Hash of configuration, features and data.
    hash: String,
}

impl RunDir {
    /// Opens or makes the folder of the run that `config` describes.
    ///
    /// Shards of one run may share a folder: each holds its own lock, and together they hold the folder's, so that
    /// nobody else works on it.
    ///
    /// # Errors
    /// A folder that can't be written, is in use, or belongs to another run or version.
    pub fn open(path: &Path, config: &RunConfig, shard: Option<shard::Part>) -> Result<Self> {
        let failed = |e: std::io::Error| LabError::Work(format!("cannot write run folder {}: {e}", path.display()));
        let in_use = |by: &str| {
            LabError::Work(format!(
                "run folder {} is in use by another process{by}; wait for it or give another --run-dir",
                path.display()
            ))
        };
        fs::create_dir_all(path).map_err(failed)?;
        let mut locks = vec![File::create(path.join("lock")).map_err(failed)?];
        let locked = match shard {
            None => locks[0].try_lock(),
            Some(_) => locks[0].try_lock_shared(),
        };
        match locked {
            Err(TryLockError::WouldBlock) => return Err(in_use("")),
            locked => locked.map_err(|e| failed(e.into()))?,
        }
        if let Some(part) = shard {
            let name = format!("lock-shard-{}-of-{}", part.index, part.of);
            let own = File::create(path.join(name)).map_err(failed)?;
            match own.try_lock() {
                Err(TryLockError::WouldBlock) => return Err(in_use(&format!(" with --shard {part}"))),
                locked => locked.map_err(|e| failed(e.into()))?,
            }
            locks.push(own);
        }
        let text = config.to_toml()?;
        let hash = blake3::hash(text.as_bytes()).to_hex().to_string();
        match identity(path)? {
            Some(found) if found.hash == hash => {}
            Some(_) => return Err(another(path, config)),
            None => {
                put(&path.join("config.toml"), text.as_bytes())?;
                let id = Identity { version: VERSION, hash };
                put(&path.join("run.json"), &serde_json::to_vec_pretty(&id).map_err(LabError::work)?)?;
            }
        }
        if shard.is_none() {
            remove_leftovers(path);
        }
        Ok(Self { path: path.to_owned(), _locks: locks })
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
        put(&self.path.join(folder).join("predictions.csv"), &out.into_inner().map_err(LabError::work)?)
    }

    /// A training's `epochs.csv`, every epoch of every fold, and `fusion.csv`, the weights w_j of every fold's last epoch.
    ///
    /// # Errors
    /// Those of the file system.
    pub fn training(&self, training: &Training, folds: &[Option<FoldFile>]) -> Result<()> {
        #[derive(Serialize)]
        struct Row {
            fold: usize,
            epoch: u32,
            train_loss: f64,
            train_accuracy: f64,
            validation_loss: Option<f64>,
            validation_accuracy: Option<f64>,
            test_loss: Option<f64>,
            test_accuracy: Option<f64>,
        }
        let tested = training.division.is_tested_every_epoch();
        let (mut epochs, mut fusion) = (csv::Writer::from_writer(Vec::new()), csv::Writer::from_writer(Vec::new()));
        let mut header = vec!["fold".to_owned()];
        header.extend((1..=training.model.blocks).map(|j| format!("w_{j}")));
        fusion.write_record(header).map_err(LabError::work)?;
        for (fold, file) in folds.iter().enumerate() {
            let Some(file) = file else { continue };
            for r in &file.records {
                let (validated, tested) = (file.validated.is_some(), tested || r.epoch == training.settings.epochs);
                let row = Row {
                    fold,
                    epoch: r.epoch,
                    train_loss: r.train_loss,
                    train_accuracy: r.train_accuracy,
                    validation_loss: r.validation_loss.filter(|_| validated),
                    validation_accuracy: r.validation_accuracy.filter(|_| validated),
                    test_loss: r.test_loss.filter(|_| tested),
                    test_accuracy: r.test_accuracy.filter(|_| tested),
                };
                epochs.serialize(row).map_err(LabError::work)?;
            }
            if training.model.has_fusion()
                && let Some(w) = explain::fusion(&fold_path(&self.path, training, fold))?
            {
                let row = std::iter::once(fold.to_string()).chain(w.iter().map(f32::to_string));
                fusion.write_record(row).map_err(LabError::work)?;
            }
        }
        let folder = self.path.join(training.name());
        put(&folder.join("epochs.csv"), &epochs.into_inner().map_err(LabError::work)?)?;
        if training.model.has_fusion() {
            put(&folder.join("fusion.csv"), &fusion.into_inner().map_err(LabError::work)?)?;
        }
        Ok(())
    }
}

/// `run.json`; None where there is none yet.
fn identity(folder: &Path) -> Result<Option<Identity>> {
    let path = folder.join("run.json");
    let bytes = match fs::read(&path) {
        Ok(bytes) => bytes,
        Err(e) if e.kind() == std::io::ErrorKind::NotFound => return Ok(None),
        Err(e) => return Err(LabError::Work(format!("{}: {e}", path.display()))),
    };
    let found: Identity = serde_json::from_slice(&bytes)
        .map_err(|e| LabError::Input(format!("{}: {e}; give another --run-dir", path.display())))?;
    if found.version != VERSION {
        return Err(LabError::Input(format!(
            "{}: a run folder of version {}, this program works with {VERSION}; use the program it was made with, or give \
             another --run-dir",
            path.display(),
            found.version
        )));
    }
    Ok(Some(found))
}

/// The configuration of the run in `folder`.
///
/// # Errors
/// No run folder, one of another version, or one whose `config.toml` was changed since.
pub fn config(folder: &Path) -> Result<RunConfig> {
    let path = folder.join("config.toml");
    let found = identity(folder)?
        .ok_or_else(|| LabError::Input(format!("{}: no run folder: run.json is not there", folder.display())))?;
    let text = fs::read_to_string(&path).map_err(|e| LabError::Input(format!("{}: {e}", path.display())))?;
    if blake3::hash(text.as_bytes()).to_hex().as_str() != found.hash {
        return Err(edited(&path));
    }
    RunConfig::from_toml(&text).map_err(|e| LabError::Input(format!("{}: {e}", path.display())))
}

fn edited(path: &Path) -> LabError {
    LabError::Input(format!(
        "{}: it was changed after the run began, so it no longer says how the folds beside it were trained; undo the change, or \
         give another --run-dir and put new values in configs/ or on the command line",
        path.display()
    ))
}

/// The folder holds another run than `wanted`; the error names the first key that differs.
fn another(folder: &Path, wanted: &RunConfig) -> LabError {
    let path = folder.join("config.toml");
    match config(folder).and_then(|found| found.difference(wanted)) {
        Err(e) => e,
        Ok(key) => LabError::Input(format!(
            "{}: the folder holds a run of another configuration, features or data (here and now: {}); give another \
             --run-dir, or the options it was made with",
            path.display(),
            key.unwrap_or_default()
        )),
    }
}

/// What a killed process was writing. Only while nobody else works on the folder.
fn remove_leftovers(folder: &Path) {
    for entry in fs::read_dir(folder).into_iter().flatten().flatten() {
        let path = entry.path();
        if path.is_dir() {
            remove_leftovers(&path);
        } else if entry.file_name().to_string_lossy().starts_with(".tmp") {
            // It is garbage: that it stays does no harm.
            let _ = fs::remove_file(path);
        }
    }
}
