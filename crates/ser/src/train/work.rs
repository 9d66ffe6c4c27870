//! MODEL.training: what an interrupted training needs to go on.

use std::{
    fs::{self, File, TryLockError},
    path::{Path, PathBuf},
};

use seraugment::Augmenter;
use sercorpus::split::Fold;
use serde::Serialize;

use super::{Train, features::bytes, source::Source};
use crate::{
    failure::{Failure, Result},
    output,
};

/// Raised when the folder's meaning changes.
const VERSION: u32 = 2;

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
    seed: u32,
    augment: String,
    /// Hash of the recordings of noise.
    noise: Option<String>,
    copies: u32,
    folds: &'a [Fold],
}

/// The folder, held by this process alone.
pub struct Work {
    folder: PathBuf,
    _lock: File,
}

impl Work {
    /// Makes the folder, or goes on with the one that is there.
    ///
    /// # Errors
    /// A folder of a training with other settings or recordings; one that another process works on.
    pub fn open(args: &Train, source: &Source, folds: &[Fold], augmenter: Option<&Augmenter>) -> Result<Self> {
        let folder = args.output.with_extension("training");
        let failed = |e: std::io::Error| Failure::Work(format!("cannot write {}: {e}", folder.display()));
        if folder == args.output {
            return Err(Failure::Input(format!("-o {}: a model's name cannot end in .training", folder.display())));
        }
        fs::create_dir_all(&folder).map_err(failed)?;
        let lock = File::create(folder.join("lock")).map_err(failed)?;
        match lock.try_lock() {
            Ok(()) => {}
            Err(TryLockError::WouldBlock) => {
                return Err(Failure::Work(format!("{} is in use by another `ser train`", folder.display())));
            }
            Err(TryLockError::Error(e)) => return Err(failed(e)),
        }
        let identity = Identity {
            version: VERSION,
            program: env!("CARGO_PKG_VERSION"),
            content: &source.content,
            labels: &source.labels,
            front_end: source.front_end.hash(),
            length: source.length,
            epochs: args.epochs,
            batch_size: args.batch_size,
            blocks: args.blocks,
            seed: args.seed,
            augment: args.augment.to_string(),
            noise: augmenter.map(|a| hash(a.noises().recordings())),
            copies: args.copies,
            folds,
        };
        let text = serde_json::to_string_pretty(&identity).map_err(Failure::work)?;
        let path = folder.join("identity.json");
        match fs::read_to_string(&path) {
            Ok(there) if there == text => eprintln!("going on with {}", folder.display()),
            Ok(there) if trained(&folder) => return Err(Failure::Input(differs(&folder, &there, &text))),
            _ => {
                // Features of other recordings, perhaps; no training is lost with them.
                for file in ["features.f32", "copies.f32"] {
                    let _ = fs::remove_file(folder.join(file));
                }
                output::write(Some(&path), text.as_bytes())?;
            }
        }
        Ok(Self { folder, _lock: lock })
    }

    /// A file in it.
    pub fn path(&self, name: &str) -> PathBuf {
        self.folder.join(name)
    }

    /// The model is written: it has served.
    pub fn remove(self) {
        if let Err(e) = fs::remove_dir_all(&self.folder) {
            eprintln!("warning: cannot remove {}: {e}", self.folder.display());
        }
    }
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
