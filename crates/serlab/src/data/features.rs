//! From a corpus to its features, cached on disk.
//!
//! A cache file's name is the hash of all that its content depends on: the front end (resampler included), the fixed
//! length, the code that makes features of recordings ([`super::fingerprint`]), and every utterance's id and recording.
//! Other settings, another recording or code that computes otherwise is another file, so a cache can't serve features made
//! under other settings.
//!
//! What a run is identified by is another hash, of what the features are: a program that computes the same features of a
//! corpus by other code goes on with its runs.

use std::{
    collections::HashMap,
    fs,
    path::{Path, PathBuf},
    sync::{
        Arc, Mutex, PoisonError,
        atomic::{AtomicBool, Ordering},
    },
};

use rayon::prelude::*;
use safetensors::{Dtype, SafeTensors, tensor::TensorView};
use serde::Serialize;
use serengine::Dataset;
use sermfcc::FrontEnd;
use serrun::{Utterance, create_folder, write_atomic};

use super::{
    extract::{Extract, bytes},
    fingerprint,
    roster::Roster,
};
use crate::{
    bars::Recordings,
    error::{LabError, Result},
};

/// A corpus' features.
pub struct Features {
    /// [utterances, frames, coefficients]
    pub data: Arc<Dataset>,
    /// Hash of their values, of the front end and length, and of every utterance's id, label, speaker and session: copies of a corpus in
    /// other files are the same run.
    pub hash: String,
}

/// Beside the features in the cache file.
#[derive(Serialize)]
struct Record<'a> {
    /// Its canonical text, which outlives the names of settings.
    front_end: String,
    length: usize,
    code: String,
    /// Id and hash of the file.
    recordings: Vec<(&'a str, &'a str)>,
}

/// Features of one front end, on disk.
pub struct Cache<'a> {
    front_end: &'a FrontEnd,
    folder: PathBuf,
    /// Hash of every recording met so far: what several rosters have is read once.
    contents: Mutex<HashMap<PathBuf, String>>,
    /// Set to stop after the recordings in hand.
    stop: &'a AtomicBool,
}

impl<'a> Cache<'a> {
    /// The cache in `folder`, which need not exist yet.
    pub fn new(front_end: &'a FrontEnd, folder: PathBuf, stop: &'a AtomicBool) -> Self {
        Self { front_end, folder, contents: Mutex::default(), stop }
    }

    /// The features of `roster`'s recordings, from the cache or computed and put there.
    ///
    /// # Errors
    /// A recording that can't be used, with its path and why; a cache folder that can't be written; [`LabError::Interrupted`].
    pub fn features(&self, roster: &Roster, length: usize) -> Result<Features> {
        let contents = self.each(roster, "reading", |utterance| self.content(utterance))?;
        let recordings: Vec<(&str, &str)> =
            roster.rows.iter().zip(&contents).map(|(u, c)| (u.id.as_str(), c.as_str())).collect();
        let extract = Extract::new(self.front_end, length)?;
        let record =
            Record { front_end: self.front_end.canonical(), length, code: fingerprint::of(&extract)?, recordings };
        let record = serde_json::to_string(&record).map_err(LabError::work)?;
        let name = blake3::hash(record.as_bytes()).to_hex();
        let path = self.folder.join(format!("{}-{}.safetensors", roster.name, &name[..16]));
        let cached = read(&path, &record);
        let computed = cached.is_none();
        let (values, frames) = match cached {
            Some(found) => {
                tracing::info!(corpus = %roster.name, cache = %path.display(), "features from the cache");
                found
            }
            None => {
                tracing::info!(corpus = %roster.name, utterances = roster.rows.len(), "computing features");
                let rows = self.each(roster, "features", |utterance| extract.utterance(utterance))?;
                (rows.concat(), self.front_end.frames(length))
            }
        };
        let data = Dataset::new(values, roster.label_indices(), frames, self.front_end.n_mfcc);
        let data = data.map_err(|e| LabError::Input(format!("{}: {e}", roster.name)))?;
        if computed {
            write(&path, &data, record)
                .map_err(|e| LabError::Work(format!("cannot write the feature cache {}: {e}", path.display())))?;
        }
        let hash = self.identity(roster, length, data.features())?;
        Ok(Features { data: Arc::new(data), hash })
    }

    /// `work` of every recording, side by side, with a bar; stops between two recordings.
    fn each<T: Send>(
        &self,
        roster: &Roster,
        what: &str,
        work: impl Fn(&Utterance) -> Result<T> + Sync,
    ) -> Result<Vec<T>> {
        let bar = Recordings::new(&format!("{} {what}", roster.name), roster.rows.len());
        let one = |row: &Utterance| {
            if self.stop.load(Ordering::Relaxed) {
                return Err(LabError::Interrupted);
            }
            let done = work(row);
            bar.done();
            done
        };
        let all = roster.rows.par_iter().map(one).collect();
        bar.finish();
        all
    }

    fn identity(&self, roster: &Roster, length: usize, values: &[f32]) -> Result<String> {
        #[derive(Serialize)]
        struct Identity<'a> {
            front_end: String,
            length: usize,
            labels: &'a [String],
            utterances: &'a [Utterance],
        }
        let (front_end, labels, utterances) = (self.front_end.canonical(), &roster.labels, &roster.rows);
        let text = serde_json::to_vec(&Identity { front_end, length, labels, utterances });
        let mut hash = blake3::Hasher::new();
        hash.update(&text.map_err(LabError::work)?);
        values.chunks(1 << 14).for_each(|values| {
            hash.update(&bytes(values));
        });
        Ok(hash.finalize().to_hex().to_string())
    }

    /// Hash of the recording's file, with the part of it that the utterance is, where it is not all of it.
    fn content(&self, utterance: &Utterance) -> Result<String> {
        let whole = self.file(&utterance.path)?;
        Ok(match (utterance.start, utterance.end) {
            (None, None) => whole,
            (start, end) => format!("{whole} {start:?} {end:?}"),
        })
    }

    fn file(&self, path: &Path) -> Result<String> {
        let known = || self.contents.lock().unwrap_or_else(PoisonError::into_inner);
        if let Some(hash) = known().get(path) {
            return Ok(hash.clone());
        }
        let bytes = fs::read(path).map_err(|e| LabError::Input(format!("{}: {e}", path.display())))?;
        let hash = blake3::hash(&bytes).to_hex().to_string();
        known().insert(path.to_owned(), hash.clone());
        Ok(hash)
    }
}

fn write(path: &Path, data: &Dataset, record: String) -> std::io::Result<()> {
    let bytes = bytes(data.features());
    let shape = vec![data.len(), data.frames(), data.coefficients()];
    let other = std::io::Error::other::<safetensors::SafeTensorError>;
    let view = TensorView::new(Dtype::F32, shape, &bytes).map_err(other)?;
    let metadata = HashMap::from([("record".to_owned(), record)]);
    let file = safetensors::serialize([("features", view)], Some(metadata)).map_err(other)?;
    if let Some(folder) = path.parent() {
        create_folder(folder)?;
    }
    write_atomic(path, &file)
}

/// None where there is no whole cache file of that record.
fn read(path: &Path, record: &str) -> Option<(Vec<f32>, usize)> {
    let bytes = fs::read(path).ok()?;
    let (_, header) = SafeTensors::read_metadata(&bytes).ok()?;
    if header.metadata().as_ref()?.get("record")? != record {
        return None;
    }
    let file = SafeTensors::deserialize(&bytes).ok()?;
    let view = file.tensor("features").ok()?;
    let &[_, frames, _] = view.shape() else { return None };
    Some((view.data().as_chunks::<4>().0.iter().map(|b| f32::from_le_bytes(*b)).collect(), frames))
}
