//! From a corpus to its features, cached on disk.
//!
//! A cache file's name is the hash of all that its content depends on: the front end (resampler included), the fixed
//! length, the features of a fixed chirp (which stand for the code that computes them), and every utterance's id and
//! recording. Other settings, another recording or code that computes otherwise is another file, so a cache can't serve
//! features made under other settings.

use std::{
    collections::HashMap,
    fs,
    path::{Path, PathBuf},
    sync::{Arc, Mutex, PoisonError},
};

use rayon::prelude::*;
use safetensors::{Dtype, SafeTensors, tensor::TensorView};
use seraudio::LoadOptions;
use serde::Serialize;
use sermfcc::{Extractor, FrontEnd};
use sertrain::write_atomic;
use timnet_core::Dataset;

use crate::{
    error::{LabError, Result},
    roster::Roster,
};

/// A corpus' features and the hash of all they depend on.
pub struct Features {
    /// [utterances, frames, coefficients]
    pub data: Arc<Dataset>,
    /// Name of the cache file.
    pub hash: String,
}

/// Beside the features in the cache file.
#[derive(Serialize)]
struct Record<'a> {
    front_end: &'a FrontEnd,
    length: usize,
    chirp: String,
    recordings: Vec<(&'a str, &'a str)>,
}

/// Features of one front end, on disk.
pub struct Cache<'a> {
    front_end: &'a FrontEnd,
    folder: PathBuf,
    /// Hash of every recording met so far: what several rosters have is read once.
    contents: Mutex<HashMap<PathBuf, String>>,
}

impl<'a> Cache<'a> {
    /// The cache in `folder`, which need not exist yet.
    pub fn new(front_end: &'a FrontEnd, folder: PathBuf) -> Self {
        Self { front_end, folder, contents: Mutex::default() }
    }

    /// The features of `roster`'s recordings, from the cache or computed and put there.
    ///
    /// # Errors
    /// A recording that can't be used, with its path and why; a cache folder that can't be written.
    pub fn features(&self, roster: &Roster, length: usize) -> Result<Features> {
        let contents = roster.rows.par_iter().map(|u| self.content(&u.path)).collect::<Result<Vec<_>>>()?;
        let recordings: Vec<(&str, &str)> =
            roster.rows.iter().zip(&contents).map(|(u, c)| (u.id.as_str(), c.as_str())).collect();
        let extract = Extract::new(self.front_end, length)?;
        let record = Record { front_end: self.front_end, length, chirp: extract.fingerprint()?, recordings };
        let record = serde_json::to_string(&record).map_err(LabError::work)?;
        let hash = blake3::hash(record.as_bytes()).to_hex().to_string();
        let path = self.folder.join(format!("{}-{}.safetensors", roster.kind, &hash[..16]));
        let labels = roster.label_indices();
        if let Some((values, frames)) = read(&path, &record) {
            tracing::info!(corpus = %roster.kind, cache = %path.display(), "features from the cache");
            let data = Dataset::new(values, labels, frames, self.front_end.coefficients).map_err(LabError::work)?;
            return Ok(Features { data: Arc::new(data), hash });
        }
        tracing::info!(corpus = %roster.kind, utterances = labels.len(), "computing features");
        let rows: Vec<Vec<f32>> = roster
            .rows
            .par_iter()
            .map(|u| {
                let audio = seraudio::load(&u.path, &extract.options).map_err(LabError::input)?;
                extract.mfcc(&audio.samples).map_err(|e| LabError::Input(format!("{}: {e}", u.path.display())))
            })
            .collect::<Result<_>>()?;
        let frames = self.front_end.frames(length);
        let data = Dataset::new(rows.concat(), labels, frames, self.front_end.coefficients).map_err(LabError::work)?;
        write(&path, &data, record)
            .map_err(|e| LabError::Work(format!("cannot write the feature cache {}: {e}", path.display())))?;
        Ok(Features { data: Arc::new(data), hash })
    }

    fn content(&self, path: &Path) -> Result<String> {
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

/// From samples to the features of a fixed length.
struct Extract {
    extractor: Extractor<f64>,
    options: LoadOptions,
    length: usize,
}

impl Extract {
    fn new(front_end: &FrontEnd, length: usize) -> Result<Self> {
        let extractor = Extractor::new(front_end).map_err(LabError::input)?;
        let resampler = front_end.resampler.parse().map_err(LabError::input)?;
        let options = LoadOptions { rate: Some(front_end.rate), resampler, ..LoadOptions::default() };
        Ok(Self { extractor, options, length })
    }

    fn mfcc(&self, samples: &[f32]) -> std::result::Result<Vec<f32>, sermfcc::FeatureError> {
        let samples = seraudio::fit_length(samples, self.length);
        Ok(self.extractor.mfcc(&samples)?.iter().map(|&v| v as f32).collect())
    }

    /// Hash of the features of half a second of a chirp at 16 kHz.
    fn fingerprint(&self) -> Result<String> {
        let chirp: Vec<f32> = (0..8000i32).map(|i| (f64::from(i * (i % 4001)) * 2e-4).sin() as f32 * 0.5).collect();
        let rate = self.options.rate.unwrap_or(16_000);
        let samples = seraudio::resample(&chirp, 16_000, rate, self.options.resampler).map_err(LabError::work)?;
        let values = self.mfcc(&samples).map_err(LabError::work)?;
        let bytes: Vec<u8> = values.iter().flat_map(|v| v.to_le_bytes()).collect();
        Ok(blake3::hash(&bytes).to_hex().to_string())
    }
}

fn write(path: &Path, data: &Dataset, record: String) -> std::io::Result<()> {
    let bytes: Vec<u8> = data.features().iter().flat_map(|v| v.to_le_bytes()).collect();
    let shape = vec![data.len(), data.frames(), data.coefficients()];
    let other = std::io::Error::other::<safetensors::SafeTensorError>;
    let view = TensorView::new(Dtype::F32, shape, &bytes).map_err(other)?;
    let metadata = HashMap::from([("record".to_owned(), record)]);
    let file = safetensors::serialize([("features", view)], Some(metadata)).map_err(other)?;
    if let Some(folder) = path.parent() {
        fs::create_dir_all(folder)?;
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
