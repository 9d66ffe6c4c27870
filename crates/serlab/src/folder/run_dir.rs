//! The run folder: `metrics.json`, `config.toml`, `environment.json`, and a folder for each training with its folds'
//! scores, weights, predictions and curves.

use std::{
    fs::{self, File, OpenOptions, TryLockError},
    io,
    path::{Path, PathBuf},
    time::{Duration, Instant},
};

use sercorpus::CorpusKind;
use serde::{Deserialize, Serialize};
use sertrain::Protocol;

use super::fold_file::{FoldFile, fold_path, fusion};
use crate::{
    config::RunConfig,
    disk::{self, put},
    error::{LabError, Result},
    plan::{Plan, Training},
    shard,
};

/// Raised when the folder's layout changes.
const VERSION: u32 = 2;

/// The file that says that a folder is a run folder, and of which run.
const MARK: &str = "run.json";

/// Longest time that another process is waited for that compares or writes `run.json`.
const PATIENCE: Duration = Duration::from_secs(30);

/// A run folder, locked against other processes (but the other shards of its run) while this lives.
#[derive(Debug)]
pub struct RunDir {
    path: PathBuf,
    _locks: Vec<File>,
}

/// `run.json`
#[derive(Serialize, Deserialize)]
struct Identity {
    version: u32,
    /// The program that made the folder; absent in version 1.
    #[serde(default)]
    written_by: Option<String>,
    /// Hash of configuration, features and data.
    hash: String,
}

/// One row of `predictions.csv`.
pub struct Prediction<'a> {
    /// The utterance.
    pub id: &'a str,
    /// Its speaker.
    pub speaker: Option<&'a str>,
    /// The fold that tested it.
    pub fold: usize,
    /// Its class.
    pub truth: usize,
    /// The class of the largest probability.
    pub predicted: usize,
    /// One a class.
    pub probabilities: &'a [f32],
}

impl RunDir {
    /// Opens or makes the folder of the run that `config` and `plan` describe. Only an absent or empty folder is made one, and
    /// nothing is written into a folder before it is known to be this run's.
    ///
    /// Shards of one run may share a folder: each holds its own lock, and together they hold the folder's, so that nobody else
    /// works on it. Whose run it is, is compared and written under a lock of its own, which one process holds at a time.
    ///
    /// # Errors
    /// A folder that can't be written, is in use, holds other files or links, or belongs to another run or version.
    pub fn open(path: &Path, config: &RunConfig, plan: &Plan, shard: Option<shard::Part>) -> Result<Self> {
        disk::claim(path, MARK, "run folder")?;
        let folders = folders(plan);
        disk::refuse_links(path, &folders)?;
        // A folder of another version is not even locked.
        identity(path)?;
        let lock = lock_file(path, "lock")?;
        let taken = if shard.is_none() { lock.try_lock() } else { lock.try_lock_shared() };
        held(path, taken, "")?;
        let mut locks = vec![lock];
        if let Some(part) = shard {
            let own = lock_file(path, &format!("lock-shard-{}-of-{}", part.index, part.of))?;
            held(path, own.try_lock(), &format!(" with --shard {part}"))?;
            locks.push(own);
        }
        compare(path, config)?;
        if shard.is_none() {
            disk::remove_partial_files(path, &folders)?;
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
        let (mut epochs, mut weights) = (csv::Writer::from_writer(Vec::new()), csv::Writer::from_writer(Vec::new()));
        let mut header = vec!["fold".to_owned()];
        header.extend((1..=training.model.blocks).map(|j| format!("w_{j}")));
        weights.write_record(header).map_err(LabError::work)?;
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
                && let Some(w) = fusion(&fold_path(&self.path, training, fold))?
            {
                let row = std::iter::once(fold.to_string()).chain(w.iter().map(f32::to_string));
                weights.write_record(row).map_err(LabError::work)?;
            }
        }
        let folder = self.path.join(training.name());
        put(&folder.join("epochs.csv"), &epochs.into_inner().map_err(LabError::work)?)?;
        if training.model.has_fusion() {
            put(&folder.join("fusion.csv"), &weights.into_inner().map_err(LabError::work)?)?;
        }
        Ok(())
    }
}

/// The folders of a run, from its root (the empty name) down: all that this program writes into.
fn folders(plan: &Plan) -> Vec<String> {
    let mut out = ["", "corpora", "report", "report/figures", "report/tables"].map(str::to_owned).to_vec();
    for training in &plan.trainings {
        let name = training.name();
        out.push(name.clone());
        for protocol in Protocol::ALL {
            out.push(format!("{name}/{protocol}"));
            out.extend(CorpusKind::ALL.map(|target| format!("{name}/{protocol}/{target}")));
        }
    }
    out
}

/// The file is made where it is missing, and keeps its content.
fn lock_file(folder: &Path, name: &str) -> Result<File> {
    let path = folder.join(name);
    let opened = OpenOptions::new().create(true).truncate(false).write(true).open(&path);
    opened.map_err(|e| LabError::Work(format!("cannot write run folder {}: {name}: {e}", folder.display())))
}

/// What a refused lock means.
fn held(folder: &Path, taken: std::result::Result<(), TryLockError>, by: &str) -> Result<()> {
    match taken {
        Ok(()) => Ok(()),
        Err(TryLockError::WouldBlock) => Err(LabError::Work(format!(
            "run folder {} is in use by another process{by}; wait for it or give another --run-dir",
            folder.display()
        ))),
        Err(TryLockError::Error(e)) => Err(no_locks(folder, &e)),
    }
}

fn no_locks(folder: &Path, e: &io::Error) -> LabError {
    LabError::Work(format!(
        "run folder {}: its file system gives no file locks ({e}), without which two processes could train into one folder; put          the run folder on another disk (--run-dir), or mount this one with locks (NFS: without `nolock`; Lustre: with `flock`)",
        folder.display()
    ))
}

/// Writes whose run the folder is, or compares it, with no other process doing so at the same time.
fn compare(folder: &Path, config: &RunConfig) -> Result<()> {
    let lock = lock_file(folder, "lock-identity")?;
    let start = Instant::now();
    loop {
        match lock.try_lock() {
            Err(TryLockError::WouldBlock) if start.elapsed() < PATIENCE => {
                std::thread::sleep(Duration::from_millis(20))
            }
            taken => break held(folder, taken, " that is just starting")?,
        }
    }
    let text = config.to_toml()?;
    let hash = blake3::hash(text.as_bytes()).to_hex().to_string();
    match identity(folder)? {
        Some(found) if found.hash != hash => return Err(another(folder, config)),
        Some(_) => {}
        None => {
            let written_by = Some(format!("{} {}", env!("CARGO_PKG_NAME"), env!("CARGO_PKG_VERSION")));
            let id = Identity { version: VERSION, written_by, hash };
            put(&folder.join(MARK), &serde_json::to_vec_pretty(&id).map_err(LabError::work)?)?;
        }
    }
    let path = folder.join("config.toml");
    // A process killed between the two files leaves the first alone.
    if path.exists() { Ok(()) } else { put(&path, text.as_bytes()) }
}

/// `run.json`; None where there is none yet.
fn identity(folder: &Path) -> Result<Option<Identity>> {
    let path = folder.join(MARK);
    let bytes = match fs::read(&path) {
        Ok(bytes) => bytes,
        Err(e) if e.kind() == io::ErrorKind::NotFound => return Ok(None),
        Err(e) => return Err(LabError::Work(format!("{}: {e}", path.display()))),
    };
    let found: Identity = serde_json::from_slice(&bytes).map_err(|e| {
        LabError::Input(format!(
            "{}: not written by serlab ({e}), so the folder is left as it is; give another one",
            path.display()
        ))
    })?;
    if found.version != VERSION {
        return Err(LabError::Input(format!(
            "{}: a run folder of version {}, written by {}; this program works with version {VERSION}. Go on with the program that it              was made with, or train again in another --run-dir",
            path.display(),
            found.version,
            found.written_by.as_deref().unwrap_or("serlab 0.1")
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
        .ok_or_else(|| LabError::Input(format!("{}: no run folder: {MARK} is not there", folder.display())))?;
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
    let found = match config(folder) {
        Ok(found) => found,
        Err(e) => return e,
    };
    match found.difference(wanted) {
        Err(e) => e,
        Ok(None) => edited(&path),
        Ok(Some(d)) => LabError::Input(format!(
            "{}: the folder holds another run: it has {} = {}, this command asks for {}; give another --run-dir, or the options it \
             was made with",
            path.display(),
            d.key,
            d.left,
            d.right
        )),
    }
}

#[cfg(test)]
mod tests {
    use std::sync::Barrier;

    use super::*;

    fn config(seed: u64) -> RunConfig {
        let mut config = RunConfig::from_toml(include_str!("../../tests/config-v2.toml")).unwrap();
        config.parts[0].seeds = Some(vec![seed]);
        config
    }

    fn nothing() -> Plan {
        Plan { materials: Vec::new(), trainings: Vec::new() }
    }

    #[test]
    fn of_shards_started_at_once_those_of_one_run_alone_get_the_folder() {
        for round in 0..10 {
            let folder = tempfile::tempdir().unwrap();
            let path = folder.path().join("run");
            let barrier = Barrier::new(4);
            let opened: Vec<Result<RunDir>> = std::thread::scope(|scope| {
                let open = |seed: usize| {
                    let (config, barrier, path) = (config(seed as u64), &barrier, &path);
                    let part = Some(shard::Part { index: seed + 1, of: 4 });
                    scope.spawn(move || {
                        barrier.wait();
                        RunDir::open(path, &config, &nothing(), part)
                    })
                };
                let threads: Vec<_> = (0..4).map(open).collect();
                threads.into_iter().map(|t| t.join().unwrap()).collect()
            });
            let seeds: Vec<usize> = (0..4).filter(|&i| opened[i].is_ok()).collect();
            assert_eq!(seeds.len(), 1, "round {round}: runs of seeds {seeds:?} share a folder");
            let winner = super::config(&path).unwrap();
            assert_eq!(winner, config(seeds[0] as u64));
            for refused in opened.into_iter().filter_map(Result::err) {
                let text = refused.to_string();
                assert!(refused.code() == 2 && text.contains("holds another run: it has seeds ="), "{text}");
            }
        }
    }

    #[test]
    fn a_process_killed_between_mark_and_configuration_does_no_harm() {
        let folder = tempfile::tempdir().unwrap();
        drop(RunDir::open(folder.path(), &config(1), &nothing(), None).unwrap());
        fs::remove_file(folder.path().join("config.toml")).unwrap();
        drop(RunDir::open(folder.path(), &config(1), &nothing(), None).unwrap());
        assert_eq!(super::config(folder.path()).unwrap(), config(1));
    }

    #[test]
    fn a_file_system_without_locks_is_told_with_what_to_do() {
        // ENOTSUP is what flock(2) gives there; no such file system is at hand.
        for code in [libc::ENOTSUP, libc::ENOLCK, libc::ENOSYS] {
            let e = TryLockError::Error(io::Error::from_raw_os_error(code));
            let text = held(Path::new("run"), Err(e), "").unwrap_err().to_string();
            assert!(text.contains("no file locks") && text.contains("--run-dir") && text.contains("flock"), "{text}");
        }
    }
}
