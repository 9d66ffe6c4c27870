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
    collections::{BTreeMap, HashMap},
    fs,
    ops::Range,
    path::{Path, PathBuf},
    sync::{
        Arc, Mutex, PoisonError,
        atomic::{AtomicBool, Ordering},
    },
};

use rayon::prelude::*;
use safetensors::{Dtype, SafeTensors, tensor::TensorView};
use sercorpus::CorpusName;
use serde::Serialize;
use serengine::{Dataset, EngineError};
use sermfcc::FrontEnd;
use serrun::{FeatureSettings, Normalise, Preparation, Utterance, create_folder, write_atomic};

use super::{
    extract::{Extract, bytes},
    fingerprint,
    matrices::Matrices,
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
    /// SHA-256 of the data set ([`Dataset::sha256`]), taken once for all folds.
    pub sha256: String,
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
    #[serde(skip_serializing_if = "Option::is_none")]
    trim: Option<f64>,
    #[serde(skip_serializing_if = "Option::is_none")]
    prepare: Option<Preparation>,
    code: String,
    /// Id and hash of the file.
    recordings: Vec<(&'a str, &'a str)>,
}

/// How the utterances of a corpus become [frames, coefficients] matrices of one size.
#[derive(Clone, Copy, Debug, PartialEq)]
pub enum Size {
    /// MFCCs of so many samples.
    Samples(usize),
    /// [frames, coefficients] of features that another program made.
    Given([usize; 2]),
}

/// Makes features, and keeps MFCCs on disk.
pub struct Cache<'a> {
    front_end: &'a FrontEnd,
    settings: &'a FeatureSettings,
    folder: PathBuf,
    /// Hash of every recording met so far: what several rosters have is read once.
    contents: Arc<Mutex<HashMap<PathBuf, String>>>,
    /// Features of whole recordings, normalised, and of files, with the place of each utterance's by its id.
    whole: BTreeMap<CorpusName, (Matrices, HashMap<String, usize>)>,
    /// Set to stop after the recordings in hand.
    stop: &'a AtomicBool,
}

impl<'a> Cache<'a> {
    /// The cache in `folder`, which need not exist yet.
    pub fn new(front_end: &'a FrontEnd, settings: &'a FeatureSettings, folder: PathBuf, stop: &'a AtomicBool) -> Self {
        Self { front_end, settings, folder, contents: Arc::default(), whole: BTreeMap::new(), stop }
    }

    /// The same folder, and the recordings met so far, for another front end.
    pub fn with(&self, front_end: &'a FrontEnd, settings: &'a FeatureSettings) -> Self {
        let (folder, contents) = (self.folder.clone(), Arc::clone(&self.contents));
        Self { front_end, settings, folder, contents, whole: BTreeMap::new(), stop: self.stop }
    }

    /// The features of a corpus: `files` where another program made them, otherwise MFCCs of its recordings. What later rosters take from it
    /// is normalised over all of its utterances.
    ///
    /// # Errors
    /// As [`Self::features`]; an utterance without a speaker where speakers are normalised.
    pub fn corpus(&mut self, roster: &Roster, files: Option<Matrices>, size: Size) -> Result<Features> {
        let whole = match files {
            Some(matrices) => Some(matrices),
            None if self.settings.normalise != Normalise::None => {
                let extract = Extract::new(self.front_end, None, self.settings.trim, None)?;
                let each = self.each(roster, "features", |utterance| extract.utterance(utterance))?;
                Some(Matrices { coefficients: self.front_end.n_mfcc, each })
            }
            None => None,
        };
        if let Some(mut matrices) = whole {
            match self.settings.normalise {
                Normalise::None => {}
                Normalise::Utterance => matrices.normalise(&(0..roster.rows.len()).collect::<Vec<_>>()),
                Normalise::Speaker => {
                    let speakers: Vec<&str> = roster.rows.iter().filter_map(|u| u.speaker.as_deref()).collect();
                    if let Some(first) = roster.rows.iter().find(|u| u.speaker.is_none()) {
                        return Err(LabError::Input(format!(
                            "{}: utterance {} has no speaker, and features are to be normalised by speaker; normalise by utterance or corpus",
                            roster.name, first.id
                        )));
                    }
                    matrices.normalise(&speakers);
                }
                Normalise::Corpus => matrices.normalise(&vec![(); roster.rows.len()]),
            }
            let places = roster.rows.iter().enumerate().map(|(i, u)| (u.id.clone(), i)).collect();
            self.whole.insert(roster.name.clone(), (matrices, places));
        }
        self.features(roster, &[(roster.name.clone(), 0..roster.rows.len())], size)
    }

    /// The features of `roster`, whose utterances belong to the corpora of `ranges`. MFCCs that are not normalised come from the disk, or
    /// are computed and put there.
    ///
    /// # Errors
    /// A recording that can't be used, with its path and why; a cache folder that can't be written; [`LabError::Interrupted`].
    pub fn features(&self, roster: &Roster, ranges: &[(CorpusName, Range<usize>)], size: Size) -> Result<Features> {
        let bad = |e: EngineError| LabError::Input(format!("{}: {e}", roster.name));
        if self.whole.is_empty() {
            let Size::Samples(length) = size else {
                return Err(LabError::Work(format!("no features of {}", roster.name)));
            };
            return self.cached(roster, length);
        }
        let frames = match size {
            Size::Samples(length) => self.front_end.frames(length),
            Size::Given([frames, _]) => frames,
        };
        let (mut values, mut coefficients) = (Vec::new(), 0);
        for (corpus, range) in ranges {
            let (matrices, places) =
                self.whole.get(corpus).ok_or_else(|| LabError::Work(format!("no features of {corpus}")))?;
            if coefficients != 0 && coefficients != matrices.coefficients {
                return Err(LabError::Input(format!(
                    "{corpus}: features of {} coefficients, where {} has {coefficients}; a network takes one size",
                    matrices.coefficients, roster.name
                )));
            }
            coefficients = matrices.coefficients;
            for utterance in &roster.rows[range.clone()] {
                let place = places.get(&utterance.id);
                let &i = place.ok_or_else(|| LabError::Work(format!("{corpus}: no features of {}", utterance.id)))?;
                values.extend(matrices.fitted(i, frames));
            }
        }
        let data = Dataset::new(values, roster.label_indices(), frames, coefficients).map_err(bad)?;
        self.finished(roster, size, data)
    }

    fn cached(&self, roster: &Roster, length: usize) -> Result<Features> {
        let contents = self.each(roster, "reading", |utterance| self.content(utterance))?;
        let recordings: Vec<(&str, &str)> =
            roster.rows.iter().zip(&contents).map(|(u, c)| (u.id.as_str(), c.as_str())).collect();
        let trim = self.settings.trim;
        let extract = Extract::new(self.front_end, Some(length), trim, self.settings.prepare)?;
        let code = fingerprint::of(&extract)?;
        let record = Record {
            front_end: self.front_end.canonical(),
            length,
            trim,
            prepare: self.settings.prepare,
            code,
            recordings,
        };
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
        self.finished(roster, Size::Samples(length), data)
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

    fn finished(&self, roster: &Roster, size: Size, data: Dataset) -> Result<Features> {
        let hash = self.identity(roster, size, data.features())?;
        Ok(Features { sha256: data.sha256(), data: Arc::new(data), hash })
    }

    fn identity(&self, roster: &Roster, size: Size, values: &[f32]) -> Result<String> {
        #[derive(Serialize)]
        struct Identity<'a> {
            #[serde(skip_serializing_if = "Option::is_none")]
            front_end: Option<String>,
            #[serde(skip_serializing_if = "FeatureSettings::is_default")]
            settings: &'a FeatureSettings,
            length: usize,
            labels: &'a [String],
            utterances: &'a [Utterance],
        }
        let (front_end, length) = match size {
            Size::Samples(length) => (Some(self.front_end.canonical()), length),
            Size::Given([frames, _]) => (None, frames),
        };
        let (settings, labels, utterances) = (self.settings, &roster.labels, &roster.rows);
        let text = serde_json::to_vec(&Identity { front_end, settings, length, labels, utterances });
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
