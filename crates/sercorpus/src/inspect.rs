//! Looking into the recordings: headers, content hashes.

use std::collections::HashMap;
use std::ops::ControlFlow;
use std::path::{Path, PathBuf};
use std::sync::atomic::{AtomicUsize, Ordering};

use rayon::prelude::*;
use seraudio::{AudioError, Info, LoadOptions, Problem};

use crate::{Corpus, FindingKind};

/// Told after each file: how many of how many are done. Called from several threads.
pub type Progress<'a> = &'a (dyn Fn(usize, usize) + Sync);

/// 128 bits of the BLAKE3 hash of a recording's rate and mono samples: equal hashes, the same audio, whatever the format.
pub type ContentHash = [u8; 16];

/// What the header of each utterance's recording says; `None` where it cannot be read. Frames that a header does not count
/// (MP3 without a Xing header) are counted by decoding.
#[must_use]
pub fn probe_all(corpus: &Corpus, progress: Progress<'_>) -> Vec<Option<Info>> {
    each_file(corpus, progress, |path| {
        let mut info = seraudio::probe(path).ok()?;
        if info.frames.is_none() {
            info.frames = Some(hear(path, |_| {}).ok()?.0);
        }
        Some(info)
    })
}

/// The content hash of each utterance's recording; `None` where it cannot be read.
#[must_use]
pub fn content_hashes(corpus: &Corpus, progress: Progress<'_>) -> Vec<Option<ContentHash>> {
    each_file(corpus, progress, |path| inspect(path).ok().map(|heard| heard.hash))
}

/// What is in a recording that can be read.
#[derive(Debug, Clone)]
pub(crate) struct Heard {
    pub rate: u32,
    /// Samples of each channel.
    pub frames: u64,
    pub hash: ContentHash,
    /// All samples are zero.
    pub silent: bool,
    /// The header does not say the length.
    pub open_ended: bool,
}

impl Heard {
    pub(crate) fn seconds(&self) -> f64 {
        self.frames as f64 / f64::from(self.rate)
    }
}

/// Why a recording cannot be read, in words.
#[derive(Debug, Clone)]
pub(crate) struct Unreadable {
    pub kind: FindingKind,
    pub reason: String,
}

/// Reads a recording to its end, as training does.
pub(crate) fn inspect(path: &Path) -> Result<Heard, Unreadable> {
    let look = || {
        let open_ended = seraudio::probe(path)?.open_ended;
        let mut hasher = blake3::Hasher::new();
        let mut silent = true;
        let mut bytes = Vec::new();
        let (frames, rate) = hear(path, |samples| {
            bytes.clear();
            bytes.extend(samples.iter().flat_map(|sample| sample.to_le_bytes()));
            hasher.update(&bytes);
            silent = silent && samples.iter().all(|&sample| sample == 0.0);
        })?;
        hasher.update(&rate.to_le_bytes());
        let mut hash = [0; 16];
        hash.copy_from_slice(&hasher.finalize().as_bytes()[..16]);
        Ok(Heard { rate, frames, hash, silent, open_ended })
    };
    look().map_err(|error: AudioError| match error {
        AudioError::File { problem, .. } => Unreadable { kind: kind_of(&problem), reason: problem.to_string() },
        other => Unreadable { kind: FindingKind::Unreadable, reason: other.to_string() },
    })
}

fn kind_of(problem: &Problem) -> FindingKind {
    match problem {
        Problem::Empty | Problem::NoSamples => FindingKind::Empty,
        Problem::LfsPointer => FindingKind::LfsPointer,
        Problem::AppleDouble | Problem::NotAudio { .. } => FindingKind::NotAudio,
        Problem::Truncated { .. } | Problem::CutOff { .. } => FindingKind::Truncated,
        Problem::Damaged { .. } | Problem::Header { .. } | Problem::NotFinite { .. } => FindingKind::Damaged,
        Problem::Unsupported { .. } => FindingKind::Unsupported,
        _ => FindingKind::Unreadable,
    }
}

/// Hands the mono samples of a recording to `take`. Gives their number and their rate.
pub(crate) fn hear(path: &Path, mut take: impl FnMut(&[f32])) -> Result<(u64, u32), AudioError> {
    let mut heard = (0, 0);
    seraudio::stream(path, &LoadOptions::default(), |samples, rate| {
        take(samples);
        heard = (heard.0 + samples.len() as u64, rate);
        ControlFlow::Continue(())
    })?;
    Ok(heard)
}

/// Apply `look` once to each file, in parallel; utterances cut from one recording share the answer.
pub(crate) fn each_file<T: Clone + Send>(
    corpus: &Corpus,
    progress: Progress<'_>,
    look: impl Fn(&Path) -> T + Sync,
) -> Vec<T> {
    let mut numbers: HashMap<&PathBuf, usize> = HashMap::with_capacity(corpus.utterances.len());
    let mut paths = Vec::new();
    let file_of: Vec<usize> = corpus
        .utterances
        .iter()
        .map(|u| {
            *numbers.entry(&u.path).or_insert_with(|| {
                paths.push(&u.path);
                paths.len() - 1
            })
        })
        .collect();
    drop(numbers);
    let done = AtomicUsize::new(0);
    let answers: Vec<T> = paths
        .par_iter()
        .map(|path| {
            let answer = look(path);
            progress(done.fetch_add(1, Ordering::Relaxed) + 1, paths.len());
            answer
        })
        .collect();
    file_of.into_iter().map(|file| answers[file].clone()).collect()
}
