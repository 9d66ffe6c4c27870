//! Features of the recordings as they are, and of varied copies of them, kept in the work folder.

use std::{
    fs::{self, File},
    io::{BufWriter, Read, Seek, SeekFrom, Write},
    path::{Path, PathBuf},
    sync::Arc,
};

use rayon::prelude::*;
use seraugment::{Augmenter, Draw};
use serengine::Dataset;
use sermodel::Model;

use super::{
    Train,
    source::{Origin, Source},
    work::Work,
};
use crate::{
    failure::{Failure, Result},
    output, recordings,
};

/// What the networks learn from.
pub struct Data {
    /// The recordings as they are: [utterances, frames, coefficients].
    pub plain: Arc<Dataset>,
    /// How epochs vary them; none without `--augment`.
    pub varied: Option<Varied>,
}

/// Variations of the features.
pub struct Varied {
    augmenter: Augmenter,
    seed: u64,
    /// `copies` varied copies of every utterance, [utterances, copies, frames, coefficients] little-endian float32; none
    /// where features alone are varied.
    file: Option<PathBuf>,
    copies: u32,
}

/// Utterances whose copies are in memory at once.
const CHUNK: usize = 64;

/// What varies the recordings, where anything does.
///
/// # Errors
/// A noise folder without noise.
pub fn augmenter(args: &Train, source: &Source) -> Result<Option<Augmenter>> {
    if args.augment.is_empty() {
        return Ok(None);
    }
    let noise = args.noise_folder.as_deref().filter(|_| args.augment.range(seraugment::Step::Noise).is_some());
    Augmenter::new(args.augment.clone(), source.front_end.sample_rate, noise).map(Some).map_err(Failure::input)
}

/// The features, from the work folder or computed and put there.
///
/// # Errors
/// Recordings that can't be used, by name; a folder that can't be written.
pub fn make(args: &Train, source: &Source, model: &Model, augmenter: Option<Augmenter>, work: &Work) -> Result<Data> {
    let frames = source.front_end.frames(source.length);
    let row = frames * source.front_end.n_mfcc;
    let values = match &source.from {
        Origin::Features(values) => values.clone(),
        Origin::Corpus(corpus) => {
            let path = work.path("features.f32");
            match read(&path, row * source.classes.len()) {
                Some(values) => values,
                None => {
                    tracing::info!("computing features");
                    let rows = recordings::all(corpus, |_, u| {
                        let samples = recordings::read(u, source.front_end.sample_rate, model.resampler())?;
                        features(model, source, &samples)
                            .map_err(|e| Failure::Input(format!("{}: {e}", u.path.display())))
                    })?;
                    let values = rows.concat();
                    output::save(&path, &bytes(&values))?;
                    values
                }
            }
        }
    };
    let plain = Dataset::new(values, source.classes.clone(), frames, source.front_end.n_mfcc);
    let plain = Arc::new(plain.map_err(Failure::work)?);
    let Some(augmenter) = augmenter else {
        return Ok(Data { plain, varied: None });
    };
    let mut varied = Varied { augmenter, seed: u64::from(args.seed), file: None, copies: args.copies };
    if args.augment.needs_samples() {
        let path = work.path("copies.f32");
        if !path.is_file() {
            tracing::info!("computing {} varied copies of each recording", args.copies);
            output::with_progress(|progress| varied.write(source, model, &path, progress))?;
        }
        varied.file = Some(path);
    }
    Ok(Data { plain, varied: Some(varied) })
}

fn features(model: &Model, source: &Source, samples: &[f32]) -> std::result::Result<Vec<f32>, sermodel::ModelError> {
    Ok(model.features(samples, source.front_end.sample_rate)?.values)
}

impl Varied {
    /// Writes the copies: beside their place, then renamed, like any file.
    fn write(
        &self,
        source: &Source,
        model: &Model,
        path: &Path,
        progress: &(dyn Fn(usize, usize) + Sync),
    ) -> Result<()> {
        let io = |e: std::io::Error| Failure::Work(format!("cannot write {}: {e}", path.display()));
        let partial = path.with_extension("partial");
        // Made anew, never opened: a link of that name is removed, not followed.
        if let Err(e) = fs::remove_file(&partial)
            && e.kind() != std::io::ErrorKind::NotFound
        {
            return Err(io(e));
        }
        let mut file = BufWriter::new(File::create_new(&partial).map_err(io)?);
        let all: Vec<usize> = (0..source.classes.len()).collect();
        for chunk in all.chunks(CHUNK) {
            let rows: Vec<Vec<f32>> =
                chunk.par_iter().map(|&i| self.copies_of(source, model, i)).collect::<Result<_>>()?;
            rows.iter().try_for_each(|row| file.write_all(&bytes(row))).map_err(io)?;
            progress(chunk[0] + chunk.len(), all.len());
        }
        file.into_inner().map_err(|e| io(e.into_error()))?.sync_all().map_err(io)?;
        fs::rename(&partial, path).map_err(io)
    }

    fn copies_of(&self, source: &Source, model: &Model, i: usize) -> Result<Vec<f32>> {
        let Some(u) = source.utterance(i) else { return Ok(Vec::new()) };
        let failed = |e: &dyn std::fmt::Display| Failure::Input(format!("{}: {e}", u.path.display()));
        let samples = recordings::read(u, source.front_end.sample_rate, model.resampler())?;
        let mut rows = Vec::new();
        for copy in 0..self.copies {
            let draw = Draw { seed: self.seed, epoch: copy, utterance: i as u32 };
            let varied = self.augmenter.samples(&samples, draw).map_err(|e| failed(&e))?;
            rows.extend(features(model, source, &varied).map_err(|e| failed(&e))?);
        }
        Ok(rows)
    }

    /// The features of `utterances` as `epoch` sees them, one after the other.
    ///
    /// # Errors
    /// A file of copies that can't be read.
    pub fn epoch(&self, plain: &Dataset, epoch: u32, utterances: &[u32]) -> std::io::Result<Vec<f32>> {
        let row = plain.frames() * plain.coefficients();
        let mut out = Vec::with_capacity(utterances.len() * row);
        let mut file = self.file.as_ref().map(File::open).transpose()?;
        let mut buffer = vec![0; 4 * row];
        for &utterance in utterances {
            let draw = Draw { seed: self.seed, epoch, utterance };
            let start = out.len();
            match &mut file {
                None => out.extend_from_slice(plain.utterance(utterance as usize)),
                Some(file) => {
                    let at = u64::from(utterance) * u64::from(self.copies) + u64::from(draw.copy(self.copies));
                    file.seek(SeekFrom::Start(at * buffer.len() as u64))?;
                    file.read_exact(&mut buffer)?;
                    out.extend(floats(&buffer));
                }
            }
            self.augmenter.features(&mut out[start..], plain.coefficients(), draw);
        }
        Ok(out)
    }
}

/// Little-endian.
pub fn bytes(values: &[f32]) -> Vec<u8> {
    values.iter().flat_map(|v| v.to_le_bytes()).collect()
}

fn floats(bytes: &[u8]) -> impl Iterator<Item = f32> {
    bytes.as_chunks::<4>().0.iter().map(|b| f32::from_le_bytes(*b))
}

/// None where there is no file of so many values.
fn read(path: &Path, values: usize) -> Option<Vec<f32>> {
    let bytes = fs::read(path).ok().filter(|bytes| bytes.len() == 4 * values)?;
    Some(floats(&bytes).collect())
}
