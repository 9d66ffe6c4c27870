//! `store`: the fold store, shown and cleaned.

use std::{
    fmt,
    path::{Path, PathBuf},
    time::{Duration, SystemTime},
};

use serde::Serialize;
use sertrain::{Entry, FoldStore, StoreError};

use crate::{
    cli::{Store, StoreCommand},
    error::{LabError, Result},
    show::print,
};

/// The fold store: `given`, else SER_STORE, else `serlab/folds` in the user's cache folder, else `.cache/serlab-folds` below the working
/// folder.
///
/// # Errors
/// A folder of somebody else; one that can't be made.
pub fn open(given: Option<&Path>) -> Result<FoldStore> {
    let named = || std::env::var_os("SER_STORE").filter(|v| !v.is_empty()).map(PathBuf::from);
    let cached = || dirs::cache_dir().map(|cache| cache.join("serlab/folds"));
    let root = given.map(Path::to_owned).or_else(named).or_else(cached);
    FoldStore::open(&root.unwrap_or_else(|| PathBuf::from(".cache/serlab-folds"))).map_err(|e| match e {
        StoreError::Foreign { .. } | StoreError::Version { .. } => {
            LabError::Input(format!("{e}, with --store or SER_STORE"))
        }
        e => LabError::Work(format!("{e}; give another folder with --store or SER_STORE")),
    })
}

/// Shows or cleans the store.
///
/// # Errors
/// As [`open`]; those of the file system.
pub fn run(args: &Store) -> Result<()> {
    let store = open(args.store.as_deref())?;
    let entries = store.entries().map_err(LabError::work)?;
    match args.command {
        StoreCommand::Show { json: false } => print(&format!("{}: {}", store.root().display(), Sum::of(&entries))),
        StoreCommand::Show { json: true } => {
            let shown = Shown { store: store.root(), sum: Sum::of(&entries) };
            print(&serde_json::to_string_pretty(&shown).map_err(LabError::work)?)
        }
        StoreCommand::Gc { older_than, delete } => {
            let least = Duration::from_secs(older_than.saturating_mul(24 * 3600));
            let old = |e: &Entry| SystemTime::now().duration_since(e.used).is_ok_and(|age| age >= least);
            let (mut old, mut held): (Vec<Entry>, usize) = (entries.into_iter().filter(old).collect(), 0);
            if delete {
                let mut gone = Vec::new();
                for entry in old {
                    match store.delete(&entry).map_err(LabError::work)? {
                        true => gone.push(entry),
                        false => held += 1,
                    }
                }
                old = gone;
            }
            for entry in &old {
                print(&format!("{}", entry.folder.display()))?;
            }
            let stay = if held == 0 { String::new() } else { format!("; {held} are in use and stay") };
            let done = if delete { "deleted" } else { "may go; --delete deletes them" };
            print(&format!("{} not asked for since {older_than} days: {done}{stay}", Sum::of(&old)))
        }
    }
}

#[derive(Serialize)]
struct Shown<'a> {
    store: &'a Path,
    #[serde(flatten)]
    sum: Sum,
}

/// What entries are together.
#[derive(Serialize)]
struct Sum {
    folds: usize,
    /// Numbers of epochs that folds were trained to, over all folds.
    finished: usize,
    /// Folds with none.
    unfinished: usize,
    bytes: u64,
}

impl Sum {
    fn of(entries: &[Entry]) -> Self {
        Self {
            folds: entries.len(),
            finished: entries.iter().map(|e| e.finished.len()).sum(),
            unfinished: entries.iter().filter(|e| e.finished.is_empty()).count(),
            bytes: entries.iter().map(|e| e.bytes).sum(),
        }
    }
}

/// `12 folds (14 finished trainings, 3 folds without one), 25.1 MB`
impl fmt::Display for Sum {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let Self { folds, finished, unfinished, bytes } = self;
        write!(
            f,
            "{folds} folds ({finished} finished trainings, {unfinished} folds without one), {:.1} MB",
            *bytes as f64 / 1e6
        )
    }
}
