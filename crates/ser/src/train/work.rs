//! MODEL.training: what an interrupted training needs to go on.

use std::{
    fs::{self, File, OpenOptions, TryLockError},
    io::ErrorKind,
    path::{Path, PathBuf},
};

use seraugment::Augmenter;
use sercorpus::split::Fold;
use serde::Serialize;
use sermodel::Normalise;
use timnet_core::Variant;

use super::{Train, features::bytes, source::Source};
use crate::{
    failure::{Failure, Result},
    output,
};

/// Raised when the folder's meaning changes.
const VERSION: u32 = 4;
/// The file that marks a folder as one of `ser train`, and is locked while a process works in it.
const MARK: &str = "ser-train.lock";
const IDENTITY: &str = "identity.json";

/// All that the model's bytes depend on.
#[derive(Serialize)]
struct Identity<'a> {
    version: u32,
    program: &'static str,
    content: &'a str,
    labels: &'a [String],
    front_end: String,
    length: usize,
    epochs: u32,
    batch_size: u32,
    blocks: u32,
    system: Variant,
    learning_rate: f64,
    dropout: f64,
    label_smoothing: f64,
    normalise: Normalise,
    trim: Option<f64>,
    seed: u32,
    augment: String,
    /// Hash of the recordings of noise.
    noise: Option<String>,
    copies: u32,
    folds: &'a [Fold],
}

/// MODEL.training beside MODEL.safetensors.
fn folder_of(output: &Path) -> Result<PathBuf> {
    let folder = output.with_extension("training");
    if folder == output {
        return Err(Failure::Input(format!("-o {}: a model's name cannot end in .training", folder.display())));
    }
    Ok(folder)
}

/// Whether a file of this name is one that `ser train` writes into its folder.
fn is_ours(name: &str) -> bool {
    let of_a_fold = |rest: &str| {
        rest.split_once('.').is_some_and(|(number, kind)| {
            number.len() >= 2 && number.bytes().all(|b| b.is_ascii_digit()) && matches!(kind, "json" | "checkpoint")
        })
    };
    let fixed = [
        MARK,
        IDENTITY,
        "features.f32",
        "copies.f32",
        "copies.partial",
        "everything.safetensors",
        "everything.checkpoint",
    ];
    fixed.contains(&name) || name.strip_prefix("fold-").is_some_and(of_a_fold) || serrun::is_partial(name)
}

/// Names in the folder, each with whether it is a regular file of ours. Links are not followed.
fn entries(folder: &Path) -> std::io::Result<Vec<(String, bool)>> {
    let entry = |entry: std::io::Result<fs::DirEntry>| {
        let entry = entry?;
        let name = entry.file_name().to_string_lossy().into_owned();
        let ours = entry.file_type()?.is_file() && is_ours(&name);
        Ok((name, ours))
    };
    let mut all = fs::read_dir(folder)?.map(entry).collect::<std::io::Result<Vec<_>>>()?;
    all.sort();
    Ok(all)
}

/// Whether the work folder beside the model may be used: there is none, it is empty, or `ser train` made it and nothing else
/// is in it. Its files are overwritten, and deleted in the end.
///
/// # Errors
/// A folder, link or file of that name that is somebody else's, or that holds something else.
pub fn check(output: &Path) -> Result<()> {
    let folder = folder_of(output)?;
    let shown = folder.display();
    let failed = |e: std::io::Error| Failure::Work(format!("{shown}: {e}"));
    let refused = |what: String| {
        Err(Failure::Input(format!(
            "{shown}: {what}. `ser train` keeps its unfinished work in a folder of that name and deletes it in the end; give \
             another -o"
        )))
    };
    match fs::symlink_metadata(&folder) {
        Err(e) if e.kind() == ErrorKind::NotFound => return Ok(()),
        Err(e) => return Err(failed(e)),
        Ok(there) if !there.is_dir() => return refused("is there already and is no folder, or a link".to_owned()),
        Ok(_) => {}
    }
    let entries = entries(&folder).map_err(failed)?;
    if !entries.is_empty() && !entries.iter().any(|(name, ours)| *ours && name == MARK) {
        return refused("is not empty and was not made by `ser train`".to_owned());
    }
    match entries.iter().find(|(_, ours)| !ours) {
        Some((name, _)) => refused(format!("holds `{name}`, which `ser train` did not write")),
        None => Ok(()),
    }
}

/// The folder, held by this process alone.
pub struct Work {
    folder: PathBuf,
    lock: File,
}

impl Work {
    /// Makes the folder, or goes on with the one that is there.
    ///
    /// # Errors
    /// As [`check`]; a folder of a training with other settings or recordings; one that another process works on.
    pub fn open(args: &Train, source: &Source, folds: &[Fold], augmenter: Option<&Augmenter>) -> Result<Self> {
        check(&args.output)?;
        let folder = folder_of(&args.output)?;
        let failed = |e: std::io::Error| Failure::Work(format!("cannot write {}: {e}", folder.display()));
        fs::create_dir_all(&folder).map_err(failed)?;
        let mark = OpenOptions::new().write(true).create(true).truncate(false).open(folder.join(MARK));
        let lock = mark.map_err(failed)?;
        match lock.try_lock() {
            Ok(()) => {}
            Err(TryLockError::WouldBlock) => {
                return Err(Failure::Work(format!("{} is in use by another `ser train`", folder.display())));
            }
            Err(TryLockError::Error(e)) => {
                return Err(Failure::Work(format!(
                    "{}: cannot be locked ({e}); give a -o on a file system that has locks",
                    folder.display()
                )));
            }
        }
        let identity = Identity {
            version: VERSION,
            program: env!("CARGO_PKG_VERSION"),
            content: &source.content,
            labels: &source.labels,
            front_end: source.front_end.fingerprint(),
            length: source.length,
            epochs: args.epochs,
            batch_size: args.batch_size,
            blocks: args.blocks,
            system: args.system,
            learning_rate: args.learning_rate,
            dropout: args.dropout,
            label_smoothing: args.label_smoothing,
            normalise: args.normalise,
            trim: args.trim,
            seed: args.seed,
            augment: args.augment.to_string(),
            noise: augmenter.map(|a| hash(a.noises().recordings())),
            copies: args.copies,
            folds,
        };
        let text = serde_json::to_string_pretty(&identity).map_err(Failure::work)?;
        let path = folder.join(IDENTITY);
        match fs::read_to_string(&path) {
            Ok(there) if there == text => tracing::info!("going on with {}", folder.display()),
            Ok(there) if trained(&folder) => return Err(Failure::Input(differs(&folder, &there, &text))),
            _ => {
                // Features of other recordings, perhaps; no training is lost with them.
                for file in ["features.f32", "copies.f32"] {
                    let _ = fs::remove_file(folder.join(file));
                }
                output::save(&path, text.as_bytes())?;
            }
        }
        Ok(Self { folder, lock })
    }

    /// A file in it.
    pub fn path(&self, name: &str) -> PathBuf {
        self.folder.join(name)
    }

    /// Deletes the files that `ser train` wrote, and the folder if nothing else is in it: the model is written.
    pub fn remove(self) {
        let Self { folder, lock } = self;
        if let Err(e) = remove(&folder) {
            tracing::warn!("{} stays: {e}", folder.display());
        }
        drop(lock);
    }
}

fn remove(folder: &Path) -> std::io::Result<()> {
    // The mark goes last: what a crash leaves is still known to be ours.
    let files = entries(folder)?.into_iter().filter(|(name, ours)| *ours && name != MARK).map(|(name, _)| name);
    for name in files.chain([MARK.to_owned()]) {
        fs::remove_file(folder.join(name))?;
    }
    fs::remove_dir(folder)
}

fn hash(recordings: &[Vec<f32>]) -> String {
    let mut hasher = blake3::Hasher::new();
    for samples in recordings {
        hasher.update(&samples.len().to_le_bytes());
        hasher.update(&bytes(samples));
    }
    hasher.finalize().to_hex().to_string()
}

/// Whether any network has begun.
fn trained(folder: &Path) -> bool {
    let begun = |name: &str| name.starts_with("fold-") || name.starts_with("everything.");
    fs::read_dir(folder).is_ok_and(|files| files.flatten().any(|f| begun(&f.file_name().to_string_lossy())))
}

fn differs(folder: &Path, there: &str, now: &str) -> String {
    let parse = |text| serde_json::from_str::<serde_json::Map<String, serde_json::Value>>(text).unwrap_or_default();
    let (there, now) = (parse(there), parse(now));
    let keys: Vec<&str> = now.iter().filter(|(k, v)| there.get(*k) != Some(v)).map(|(k, _)| k.as_str()).collect();
    format!(
        "{} holds an unfinished training with other settings or recordings ({} differ); delete it to start anew, or give \
         another -o",
        folder.display(),
        keys.join(", ")
    )
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn only_names_that_were_written_are_deleted() {
        let ours = [MARK, IDENTITY, "features.f32", "copies.partial", "fold-00.json", "fold-123.checkpoint"];
        assert!(ours.iter().all(|name| is_ours(name)));
        let others =
            ["fold-0.json", "fold-00.wav", "fold-x0.json", "fold-00.json.bak", "fold-", "everything.wav", "a.wav"];
        assert!(!others.iter().any(|name| is_ours(name)));

        let folder = tempfile::TempDir::new().unwrap();
        let work = folder.path().join("m.training");
        fs::create_dir_all(work.join("fold-01.json")).unwrap();
        for name in [MARK, "features.f32", "fold-00.json", "mine.wav"] {
            fs::write(work.join(name), name).unwrap();
        }
        assert!(remove(&work).is_err());
        let left: Vec<String> = entries(&work).unwrap().into_iter().map(|(name, _)| name).collect();
        assert_eq!(left, ["fold-01.json", "mine.wav"]);
    }
}
