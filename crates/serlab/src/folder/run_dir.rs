//! The run folder: `metrics.json`, `config.toml`, `environment.json`, and a folder for each training with its folds'
//! scores, weights, predictions and curves.

use std::{
    fs::{self, File, OpenOptions, TryLockError},
    io,
    path::{Path, PathBuf},
    time::{Duration, Instant},
};

use serrun::{Epoch, FinishedFold, Fusion, Identity, Protocol, RUN_VERSION, RunError, put};

use super::folds::{fold_path, fusion};
use crate::{
    config::RunConfig,
    disk,
    error::{LabError, Result},
    plan::{Plan, Training},
    shard,
};

/// Longest time that another process is waited for that compares or writes `run.json`.
const PATIENCE: Duration = Duration::from_secs(30);

/// A run folder, locked against other processes (but the other shards of its run) while this lives.
#[derive(Debug)]
pub struct RunDir {
    path: PathBuf,
    _locks: Vec<File>,
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
        disk::claim(path, Identity::FILE, "run folder")?;
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

    /// A training's `epochs.csv`, every epoch of every fold, and `fusion.csv`, the weights w_j of every fold's last epoch.
    ///
    /// # Errors
    /// Those of the file system.
    pub fn training(&self, training: &Training, folds: &[Option<FinishedFold>]) -> Result<()> {
        let every_epoch = training.division().is_tested_every_epoch();
        let (mut epochs, mut weights) = (Vec::new(), Vec::new());
        for (fold, file) in folds.iter().enumerate() {
            let Some(file) = file else { continue };
            epochs.extend(file.records.iter().map(|r| {
                let (validated, tested) =
                    (file.validated.is_some(), every_epoch || r.epoch == training.settings.epochs);
                Epoch {
                    fold,
                    epoch: r.epoch,
                    train_loss: r.train_loss,
                    train_accuracy: r.train_accuracy,
                    validation_loss: r.validation_loss.filter(|_| validated),
                    validation_accuracy: r.validation_accuracy.filter(|_| validated),
                    test_loss: r.test_loss.filter(|_| tested),
                    test_accuracy: r.test_accuracy.filter(|_| tested),
                }
            }));
            if training.network.fused_blocks().is_some()
                && let Some(w) = fusion(&fold_path(&self.path, training, fold))?
            {
                weights.push(Fusion { fold, weights: w });
            }
        }
        let folder = self.path.join(training.name.to_string());
        Epoch::write_all(&epochs, &folder)?;
        if let Some(blocks) = training.network.fused_blocks() {
            Fusion::write_all(&weights, blocks, &folder)?;
        }
        Ok(())
    }
}

/// The folders of a run, from its root (the empty name) down: all that this program writes into.
fn folders(plan: &Plan) -> Vec<String> {
    let mut out = ["", "corpora", "report", "report/figures", "report/tables"].map(str::to_owned).to_vec();
    for training in &plan.trainings {
        let name = training.name.to_string();
        out.push(name.clone());
        out.extend((0..training.folds.len()).map(|fold| format!("{name}/fold-{fold:02}")));
        for protocol in Protocol::ALL {
            out.push(format!("{name}/{protocol}"));
            let targets = plan.material(training).targets.iter();
            out.extend(targets.map(|(target, _)| format!("{name}/{protocol}/{target}")));
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
        "run folder {}: its file system gives no file locks ({e}), without which two processes could train into one folder; put the run folder on another disk (--run-dir), or mount this one with locks (NFS: without `nolock`; Lustre: with `flock`)",
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
            let written_by = format!("{} {}", env!("CARGO_PKG_NAME"), env!("CARGO_PKG_VERSION"));
            Identity::new(written_by, hash).write(folder)?;
        }
    }
    let path = folder.join(RunConfig::FILE);
    // A process killed between the two files leaves the first alone.
    if path.exists() { Ok(()) } else { Ok(put(&path, text.as_bytes())?) }
}

/// `run.json`; None where there is none yet.
fn identity(folder: &Path) -> Result<Option<Identity>> {
    let path = folder.join(Identity::FILE);
    let found = Identity::read(folder).map_err(|e| match e {
        RunError::Malformed { what, .. } => LabError::Input(format!(
            "{}: not written by serlab ({what}), so the folder is left as it is; give another one",
            path.display()
        )),
        e => e.into(),
    })?;
    match &found {
        Some(found) if found.version != RUN_VERSION => Err(LabError::Input(format!(
            "{}: a run folder of version {}, written by {}; this program works with version {RUN_VERSION}. Go on with the program that it was \
             made with, or train again in another --run-dir",
            path.display(),
            found.version,
            found.written_by.as_deref().unwrap_or("serlab 0.1")
        ))),
        _ => Ok(found),
    }
}

/// The configuration of the run in `folder`.
///
/// # Errors
/// No run folder, one of another version, or one whose `config.toml` was changed since.
pub fn config(folder: &Path) -> Result<RunConfig> {
    let path = folder.join("config.toml");
    let found = identity(folder)?.ok_or_else(|| {
        LabError::Input(format!("{}: no run folder: {} is not there", folder.display(), Identity::FILE))
    })?;
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
        Err(e) => e.into(),
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
        let mut config = RunConfig::from_toml(include_str!("../../../serrun/tests/config-v3.toml")).unwrap();
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
