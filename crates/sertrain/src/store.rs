//! The fold store: finished folds by what they were trained on and how, shared by runs, processes and machines.
//!
//! `folds/KK/KEY/` belongs to one [`Trajectory`], whose hash is KEY, and holds
//!
//! | file | what |
//! |---|---|
//! | `EPOCHS.fold` | the fold as it ended after so many epochs, with all that it needs to go on to more |
//! | `EPOCHS.part` | a training on its way there: its last checkpoint |
//! | `EPOCHS.notes` | what the caller keeps beside it, see [`Claim::notes`] |
//! | `lock` | held while a process trains; its time says when the fold was last asked for |
//!
//! Names, recordings' files and versions of other code are in no key: copies of a corpus in WAV and in FLAC share their folds, and a
//! further seed, protocol or corpus trains only what is new.

use std::{
    fs::{self, File, OpenOptions, TryLockError},
    io::{self, ErrorKind, Write},
    ops::ControlFlow,
    path::{Path, PathBuf},
    time::{Duration, SystemTime},
};

use serengine::Engine;
use serrun::{EpochRecord, create_folder, is_partial, sync_folder, write_atomic};

use crate::{
    checkpoint::{Checkpoint, CheckpointError, Trajectory},
    fold::{TrainError, finish},
    task::{FoldOutcome, FoldTask, Schedule},
};

/// The file that marks a folder as a fold store, and its text.
const MARK: &str = "ser-fold-store.txt";
const MARK_TEXT: &str =
    "Folds that were trained, by content. Made by serlab; `serlab store` shows and cleans it.\nversion 1\n";
const LOCK: &str = "lock";
/// Time between two looks at a key that another process holds.
const LOOK: Duration = Duration::from_millis(500);

/// A folder of finished folds.
#[derive(Clone, Debug)]
pub struct FoldStore {
    root: PathBuf,
}

impl FoldStore {
    /// The store at `root`, which is made where it is absent or empty.
    ///
    /// # Errors
    /// A folder that holds something and is no store; those of the file system.
    pub fn open(root: &Path) -> Result<Self, StoreError> {
        let failed = StoreError::io(root);
        create_folder(root).map_err(&failed)?;
        let mark = root.join(MARK);
        match fs::read_to_string(&mark) {
            Ok(text) if text == MARK_TEXT => return Ok(Self { root: root.to_owned() }),
            // Another process writes it at this moment, or was killed while it did.
            Ok(text) if MARK_TEXT.starts_with(&text) => {}
            Ok(_) => return Err(StoreError::Version { path: mark }),
            Err(e) if e.kind() == ErrorKind::NotFound => {}
            Err(e) => return Err(StoreError::io(&mark)(e)),
        }
        for entry in fs::read_dir(root).map_err(&failed)? {
            let entry = entry.map_err(&failed)?;
            let name = entry.file_name().to_string_lossy().into_owned();
            // Another process may be making the store at this moment.
            if !is_partial(&name) && name != MARK && name != "folds" {
                return Err(StoreError::Foreign { path: root.to_owned(), entry: name });
            }
        }
        write_mark(&mark).map_err(StoreError::io(&mark))?;
        Ok(Self { root: root.to_owned() })
    }

    /// Where it is.
    pub fn root(&self) -> &Path {
        &self.root
    }

    /// Holds a trajectory for this process. Where another process holds it, `wait` is called every half second until it is free,
    /// and may end the waiting: then there is None.
    ///
    /// A file system without locks gives the trajectory to everybody who asks: several then train the same, and their files are the
    /// same.
    ///
    /// # Errors
    /// Those of the file system; a symbolic link in the key's place.
    pub fn claim<'a>(
        &self,
        trajectory: &'a Trajectory<'a>,
        wait: &mut dyn FnMut() -> ControlFlow<()>,
    ) -> Result<Option<Claim<'a>>, StoreError> {
        let key = trajectory.key().map_err(|e| StoreError::io(&self.root)(e.into()))?;
        let folder = self.root.join("folds").join(&key[..2]).join(key);
        let mut lock = loop {
            create_folder(&folder).map_err(StoreError::io(&folder))?;
            if !fs::symlink_metadata(&folder).is_ok_and(|m| m.is_dir()) {
                return Err(StoreError::Foreign { path: folder, entry: "a symbolic link".into() });
            }
            match Lock::take(&folder)? {
                Some(lock) => break lock,
                None if wait().is_break() => return Ok(None),
                None => std::thread::sleep(LOOK),
            }
        };
        lock.touch();
        let claim = Claim { folder, trajectory, lock };
        if claim.lock.holds() {
            claim.sweep().map_err(StoreError::io(&claim.folder))?;
        }
        Ok(Some(claim))
    }

    /// Every key of the store, in the order of the keys.
    ///
    /// # Errors
    /// Those of the file system.
    pub fn entries(&self) -> Result<Vec<Entry>, StoreError> {
        let mut entries = Vec::new();
        for shelf in folders(&self.root.join("folds"))? {
            for folder in folders(&shelf)? {
                let failed = StoreError::io(&folder);
                let mut entry =
                    Entry { used: SystemTime::UNIX_EPOCH, finished: Vec::new(), bytes: 0, folder: folder.clone() };
                for file in fs::read_dir(&folder).map_err(&failed)? {
                    let file = file.map_err(&failed)?;
                    let (name, facts) = (file.file_name(), file.metadata().map_err(&failed)?);
                    let name = name.to_string_lossy();
                    entry.bytes += facts.len();
                    if name == LOCK {
                        entry.used = facts.modified().map_err(&failed)?;
                    }
                    entry.finished.extend(number_before(&name, ".fold"));
                }
                entry.finished.sort_unstable();
                entries.push(entry);
            }
        }
        entries.sort_by(|a, b| a.folder.cmp(&b.folder));
        Ok(entries)
    }

    /// Deletes what the store wrote of an entry, unless a process holds it: then false. Other files stay.
    ///
    /// # Errors
    /// Those of the file system.
    pub fn delete(&self, entry: &Entry) -> Result<bool, StoreError> {
        let failed = StoreError::io(&entry.folder);
        let Some(lock) = Lock::take(&entry.folder)? else { return Ok(false) };
        let mut foreign = false;
        for file in fs::read_dir(&entry.folder).map_err(&failed)? {
            let file = file.map_err(&failed)?;
            let name = file.file_name().to_string_lossy().into_owned();
            match file.file_type().map_err(&failed)?.is_file() && is_ours(&name) {
                true if name == LOCK => {}
                true => fs::remove_file(file.path()).map_err(&failed)?,
                false => foreign = true,
            }
        }
        fs::remove_file(entry.folder.join(LOCK)).map_err(&failed)?;
        drop(lock);
        if !foreign {
            // A process that waits for the lock may have made it anew: then the folder is no longer empty, and stays.
            let _ = fs::remove_dir(&entry.folder);
        }
        Ok(true)
    }
}

/// Writes the mark in its place and not beside it: nobody could tell a temporary file of a process that was killed from that of one that
/// writes, and where several write, they write the same.
fn write_mark(path: &Path) -> io::Result<()> {
    if fs::symlink_metadata(path).is_ok_and(|m| !m.is_file()) {
        return Err(io::Error::other("not a regular file"));
    }
    let mut file = OpenOptions::new().write(true).create(true).truncate(false).open(path)?;
    file.write_all(MARK_TEXT.as_bytes())?;
    file.sync_all()?;
    sync_folder(path.parent().unwrap_or(path))
}

/// A key of the store.
#[derive(Clone, Debug, PartialEq)]
pub struct Entry {
    /// Its folder.
    pub folder: PathBuf,
    /// Epochs of the finished folds, ascending.
    pub finished: Vec<u32>,
    /// Bytes on disk.
    pub bytes: u64,
    /// When it was last asked for.
    pub used: SystemTime,
}

/// A trajectory that this process holds.
pub struct Claim<'a> {
    folder: PathBuf,
    trajectory: &'a Trajectory<'a>,
    lock: Lock,
}

impl Claim<'_> {
    /// The fold as it ended after `epochs`; None where it has not been trained so far. A damaged entry counts as none, and is told.
    ///
    /// # Errors
    /// Those of the file system.
    pub fn finished(&self, epochs: u32) -> Result<Option<FoldOutcome>, CheckpointError> {
        let outcome = self.read(&self.file(epochs, "fold"), epochs)?.and_then(Checkpoint::outcome);
        if outcome.is_some() {
            // There where a training was killed after it had written the fold.
            let _ = fs::remove_file(self.file(epochs, "part"));
        }
        Ok(outcome)
    }

    /// Trains the fold, from the most epochs that the store has of it on, and keeps it. `begin` is called before the first epoch with the
    /// number of epochs that are there.
    ///
    /// # Errors
    /// See [`TrainError`]; what `begin` says. On [`TrainError::Stopped`] all finished epochs are in the store.
    pub fn train<E: From<TrainError>>(
        &self,
        engine: &mut dyn Engine,
        task: &FoldTask,
        schedule: &Schedule,
        begin: impl FnOnce(u32) -> Result<(), E>,
        observe: &mut dyn FnMut(&EpochRecord) -> ControlFlow<()>,
    ) -> Result<FoldOutcome, E> {
        let start = self.start(schedule.epochs).map_err(TrainError::from)?;
        begin(start.as_ref().map_or(0, |run| run.records.len() as u32))?;
        let (part, whole) = (self.file(schedule.epochs, "part"), self.file(schedule.epochs, "fold"));
        let save = |run: &Checkpoint| self.trajectory.save(if run.last.is_some() { &whole } else { &part }, run);
        let outcome = finish(engine, task, schedule, start, &save, observe)?;
        // What it held is in the finished fold.
        let _ = fs::remove_file(part);
        Ok(outcome)
    }

    /// A file for what the caller keeps beside a training to so many epochs: who trained it, for instance. A training that goes on from
    /// another one begins with the notes of that one.
    pub fn notes(&self, epochs: u32) -> PathBuf {
        self.file(epochs, "notes")
    }

    fn file(&self, epochs: u32, end: &str) -> PathBuf {
        self.folder.join(format!("{epochs}.{end}"))
    }

    /// The usable state with the most epochs, at most `epochs`; its notes become those of the training to `epochs`.
    fn start(&self, epochs: u32) -> Result<Option<Checkpoint>, CheckpointError> {
        let failed = |source| CheckpointError::Io { verb: "read", path: self.folder.display().to_string(), source };
        let mut best: Option<(Checkpoint, u32)> = None;
        for file in fs::read_dir(&self.folder).map_err(failed)? {
            let name = file.map_err(failed)?.file_name().to_string_lossy().into_owned();
            let target = number_before(&name, ".part").or(number_before(&name, ".fold").filter(|n| *n <= epochs));
            let Some(target) = target else { continue };
            if let Some(run) = self.read(&self.folder.join(name), epochs)? {
                // Of equals the one whose notes are in place.
                let rank = |run: &Checkpoint, target| (run.records.len(), target == epochs, target);
                if best.as_ref().is_none_or(|(other, t)| rank(&run, target) > rank(other, *t)) {
                    best = Some((run, target));
                }
            }
        }
        let notes = self.notes(epochs);
        match best.as_ref().map(|(_, target)| self.notes(*target)) {
            Some(there) if there == notes => {}
            Some(there) if there.is_file() => {
                fs::read(&there).and_then(|text| write_atomic(&notes, &text)).map_err(failed)?;
            }
            _ => remove(&notes).map_err(failed)?,
        }
        Ok(best.map(|(run, _)| run))
    }

    /// A state of at most `epochs`; None where there is none that can be used.
    fn read(&self, path: &Path, epochs: u32) -> Result<Option<Checkpoint>, CheckpointError> {
        match self.trajectory.load(path, epochs) {
            Err(e @ CheckpointError::Io { .. }) => Err(e),
            Err(CheckpointError::Longer { .. }) => Ok(None),
            Err(CheckpointError::Unusable { path, reason }) => {
                tracing::warn!("{path}: {reason}; it is left out, and written again once the fold is trained");
                Ok(None)
            }
            Err(CheckpointError::OtherTask { path, differences }) => {
                tracing::warn!("{path} lies under the key of another fold ({differences}); it is left out");
                Ok(None)
            }
            Ok(run) => Ok(run),
        }
    }

    /// Deletes what a killed process left half written.
    fn sweep(&self) -> io::Result<()> {
        for file in fs::read_dir(&self.folder)? {
            let file = file?;
            if file.file_type()?.is_file() && is_partial(&file.file_name().to_string_lossy()) {
                fs::remove_file(file.path())?;
            }
        }
        Ok(())
    }
}

/// A key's lock, and whether it holds: not where the file system has no locks.
struct Lock(File, bool);

impl Lock {
    /// None where another process holds it.
    fn take(folder: &Path) -> Result<Option<Self>, StoreError> {
        let path = folder.join(LOCK);
        let failed = StoreError::io(&path);
        let file = match OpenOptions::new().write(true).create(true).truncate(false).open(&path) {
            // Deleted with its folder by another process, between two calls.
            Err(e) if e.kind() == ErrorKind::NotFound => return Ok(None),
            file => file.map_err(&failed)?,
        };
        match file.try_lock() {
            Ok(()) if is_at(&file, &path) => Ok(Some(Self(file, true))),
            Ok(()) | Err(TryLockError::WouldBlock) => Ok(None),
            Err(TryLockError::Error(_)) => Ok(Some(Self(file, false))),
        }
    }

    fn holds(&self) -> bool {
        self.1
    }

    /// Says that the key was asked for now. Nothing depends on it but what `entries` tells.
    fn touch(&mut self) {
        let _ = self.0.set_modified(SystemTime::now());
    }
}

/// Whether `file` is still the one at `path`: who waits for a lock may get that of a deleted file.
#[cfg(unix)]
fn is_at(file: &File, path: &Path) -> bool {
    use std::os::unix::fs::MetadataExt;
    let same = |a: fs::Metadata, b: fs::Metadata| (a.dev(), a.ino()) == (b.dev(), b.ino());
    file.metadata().and_then(|a| Ok(same(a, fs::metadata(path)?))).unwrap_or(false)
}

/// A file that is open cannot be deleted there.
#[cfg(not(unix))]
fn is_at(_: &File, _: &Path) -> bool {
    true
}

/// EPOCHS of a name EPOCHS followed by `end`.
fn number_before(name: &str, end: &str) -> Option<u32> {
    name.strip_suffix(end)?.parse().ok()
}

fn is_ours(name: &str) -> bool {
    name == LOCK
        || is_partial(name)
        || [".fold", ".part", ".notes"].iter().any(|end| number_before(name, end).is_some())
}

fn remove(path: &Path) -> io::Result<()> {
    match fs::remove_file(path) {
        Err(e) if e.kind() != ErrorKind::NotFound => Err(e),
        _ => Ok(()),
    }
}

/// The folders in `folder`, links left out; none where it is absent.
fn folders(folder: &Path) -> Result<Vec<PathBuf>, StoreError> {
    let failed = StoreError::io(folder);
    let entries = match fs::read_dir(folder) {
        Err(e) if e.kind() == ErrorKind::NotFound => return Ok(Vec::new()),
        entries => entries.map_err(&failed)?,
    };
    let mut out = Vec::new();
    for entry in entries {
        let entry = entry.map_err(&failed)?;
        if entry.file_type().map_err(&failed)?.is_dir() {
            out.push(entry.path());
        }
    }
    Ok(out)
}

/// Why a fold store can't be used.
#[derive(Debug, thiserror::Error)]
#[non_exhaustive]
pub enum StoreError {
    /// The file system refused.
    #[error("the fold store at {}: {source}", path.display())]
    Io {
        /// The file or folder.
        path: PathBuf,
        /// Why.
        source: io::Error,
    },
    /// A folder of somebody else.
    #[error("{} holds {entry} and is no fold store, so it is left as it is; give a new or empty folder", path.display())]
    Foreign {
        /// The folder.
        path: PathBuf,
        /// What was found.
        entry: String,
    },
    /// A store of another version.
    #[error("{}: made by another version of this program; give another folder, or use that version", path.display())]
    Version {
        /// The mark.
        path: PathBuf,
    },
}

impl StoreError {
    fn io(path: &Path) -> impl Fn(io::Error) -> Self {
        let path = path.to_owned();
        move |source| Self::Io { path: path.clone(), source }
    }
}
