//! Provenance: which program on which machine trained each fold, and when.
//!
//! `fold-NN.provenance.json` stands beside a fold's scores: one record for each call that trained it, since a stopped fold goes on
//! from its checkpoint in another call, perhaps on another machine. `provenance.json` sums them up for the run folder. Times differ
//! from call to call; so all of this is apart from the files that are the same, byte for byte, in every run of one configuration.

use std::{
    collections::BTreeMap,
    fs,
    path::{Path, PathBuf},
    time::{SystemTime, UNIX_EPOCH},
};

use serde::{Deserialize, Serialize};

use crate::{
    error::{Result, RunError},
    file::{json, put, put_json, versioned_json},
};

/// Raised when the files' meaning changes.
const VERSION: u32 = 1;

/// What trains in this process.
#[derive(Clone, Debug, PartialEq, Eq, PartialOrd, Ord, Serialize, Deserialize)]
pub struct Maker {
    /// HEAD when the program was built; absent where that was no git checkout.
    pub commit: Option<String>,
    /// Version of the program.
    pub version: String,
    /// Which engine: `libtorch` or `native`.
    pub engine: String,
    /// Version of the engine's arithmetic.
    pub numerics: u32,
    /// What it computes on: `cpu`, `cuda:0`.
    pub device: String,
    /// Vector instructions in use; absent where the engine does not say.
    pub simd: Option<String>,
    /// Host, processor, system.
    pub machine: String,
}

/// One call's share in a fold.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
struct Call {
    #[serde(flatten)]
    by: Maker,
    /// UTC, `2026-01-31T12:00:00Z`.
    started: String,
    /// When the fold was finished; absent in calls that were stopped or killed before.
    #[serde(skip_serializing_if = "Option::is_none")]
    ended: Option<String>,
}

/// The calls that trained a fold, on disk.
#[derive(Serialize, Deserialize)]
pub struct FoldLog {
    version: u32,
    calls: Vec<Call>,
    #[serde(skip)]
    path: PathBuf,
}

impl FoldLog {
    /// Adds a call that starts now to the file at `path`.
    ///
    /// # Errors
    /// Those of the file system; a file of another version.
    pub fn start(path: &Path, by: &Maker) -> Result<Self> {
        let mut calls = read(path)?.map_or_else(Vec::new, |log| log.calls);
        calls.push(Call { by: by.clone(), started: now(), ended: None });
        let log = Self { version: VERSION, calls, path: path.to_owned() };
        log.write()?;
        Ok(log)
    }

    /// Puts the calls in the fold store's `notes` beside the scores of a fold.
    ///
    /// # Errors
    /// Those of the file system; notes that are not there.
    pub fn copy(notes: &Path, fold_file: &Path) -> Result<()> {
        let text = fs::read(notes).map_err(|e| {
            let what = format!("{e}, so nothing says what trained this fold; delete its folder to train it again");
            RunError::malformed(notes, what)
        })?;
        put(&file(fold_file), &text)
    }

    /// Writes that the fold is finished.
    ///
    /// # Errors
    /// Those of the file system.
    pub fn end(mut self) -> Result<()> {
        if let Some(last) = self.calls.last_mut() {
            last.ended = Some(now());
        }
        self.write()
    }

    fn write(&self) -> Result<()> {
        put(&self.path, &serde_json::to_vec_pretty(self).map_err(|e| RunError::value(&self.path, e))?)
    }
}

/// An element of `provenance.json`: all calls that are alike but for their times.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub struct Provenance {
    /// What trained.
    #[serde(flatten)]
    pub by: Maker,
    /// Start of the first.
    pub started: String,
    /// End of the last that finished a fold; absent where none did.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub ended: Option<String>,
    /// `TRAINING/fold-NN`, the finished ones.
    pub folds: Vec<String>,
}

impl Provenance {
    /// Where a run folder has it.
    pub fn file(run: &Path) -> PathBuf {
        run.join("provenance.json")
    }

    /// That of a run folder; nothing where it has none.
    ///
    /// # Errors
    /// Another file.
    pub fn read_all(run: &Path) -> Result<Vec<Self>> {
        Ok(json(&Self::file(run))?.unwrap_or_default())
    }

    /// Writes the distinct makers of finished folds, given by name and path of their scores. The same folds give the same bytes.
    ///
    /// # Errors
    /// A fold whose provenance is not there or is of another version; those of the file system.
    pub fn write_of(folds: impl Iterator<Item = (String, PathBuf)>, run: &Path) -> Result<()> {
        let mut entries: BTreeMap<Maker, Self> = BTreeMap::new();
        for (name, fold_file) in folds {
            let path = file(&fold_file);
            let Some(log) = read(&path)? else {
                let what = format!(
                    "not there, so nothing says what trained the fold; put it back, or delete {} to train the fold again",
                    fold_file.display()
                );
                return Err(RunError::malformed(&path, what));
            };
            for Call { by, started, ended } in log.calls {
                let entry = entries.entry(by.clone()).or_insert_with(|| Self {
                    by,
                    started: started.clone(),
                    ended: None,
                    folds: Vec::new(),
                });
                entry.started = entry.started.clone().min(started);
                entry.ended = entry.ended.clone().max(ended);
                if entry.folds.last() != Some(&name) {
                    entry.folds.push(name.clone());
                }
            }
        }
        put_json(&Self::file(run), &entries.into_values().collect::<Vec<_>>())
    }
}

/// Where a fold's provenance is.
fn file(fold_file: &Path) -> PathBuf {
    fold_file.with_extension("provenance.json")
}

/// None where there is no such file.
fn read(path: &Path) -> Result<Option<FoldLog>> {
    versioned_json(path, VERSION)
}

/// UTC to the second, `2026-01-31T12:00:00Z`.
fn now() -> String {
    let seconds = SystemTime::now().duration_since(UNIX_EPOCH).map_or(0, |d| d.as_secs());
    utc(seconds)
}

fn utc(seconds: u64) -> String {
    let (days, second) = (seconds / 86400, seconds % 86400);
    // Howard Hinnant's `civil_from_days`: years from March, in eras of 400 years.
    let z = days + 719_468;
    let (era, day_of_era) = (z / 146_097, z % 146_097);
    let year_of_era = (day_of_era - day_of_era / 1460 + day_of_era / 36_524 - day_of_era / 146_096) / 365;
    let day_of_year = day_of_era - (365 * year_of_era + year_of_era / 4 - year_of_era / 100);
    let from_march = (5 * day_of_year + 2) / 153;
    let day = day_of_year - (153 * from_march + 2) / 5 + 1;
    let month = if from_march < 10 { from_march + 3 } else { from_march - 9 };
    let year = era * 400 + year_of_era + u64::from(month <= 2);
    format!("{year:04}-{month:02}-{day:02}T{:02}:{:02}:{:02}Z", second / 3600, second / 60 % 60, second % 60)
}

#[cfg(test)]
mod tests {
    #![allow(clippy::unwrap_used)]

    use super::*;

    /// ```python
    /// for s in (0, 951782399, 951782400, 1709164800, 4102444799): print(datetime.fromtimestamp(s, timezone.utc).isoformat())
    /// ```
    #[test]
    fn times_are_utc() {
        for (seconds, wanted) in [
            (0, "1970-01-01T00:00:00Z"),
            (951_782_399, "2000-02-28T23:59:59Z"),
            (951_782_400, "2000-02-29T00:00:00Z"),
            (1_709_164_800, "2024-02-29T00:00:00Z"),
            (4_102_444_799, "2099-12-31T23:59:59Z"),
        ] {
            assert_eq!(utc(seconds), wanted);
        }
    }

    #[test]
    fn a_fold_that_goes_on_keeps_the_calls_before() {
        let folder = tempfile::tempdir().unwrap();
        let fold = folder.path().join("fold-00.json");
        let maker = |machine: &str| Maker {
            commit: Some("0123456789ab".into()),
            version: "1.0.0".into(),
            engine: "native".into(),
            numerics: 1,
            device: "cpu".into(),
            simd: Some("avx2".into()),
            machine: machine.into(),
        };
        let notes = folder.path().join("2.notes");
        FoldLog::start(&notes, &maker("one")).unwrap();
        FoldLog::start(&notes, &maker("two")).unwrap().end().unwrap();
        FoldLog::copy(&notes, &fold).unwrap();
        let calls = read(&file(&fold)).unwrap().unwrap().calls;
        let seen: Vec<(&str, bool)> = calls.iter().map(|c| (c.by.machine.as_str(), c.ended.is_some())).collect();
        assert_eq!(seen, [("one", false), ("two", true)]);
        let missing = FoldLog::copy(&folder.path().join("3.notes"), &fold).unwrap_err().to_string();
        assert!(missing.contains("3.notes") && missing.contains("train it again"), "{missing}");
    }
}
