//! Looking into the recordings: headers, content hashes.

use std::collections::HashMap;
use std::fs::File;
use std::io::{Read, Seek, SeekFrom};
use std::path::{Path, PathBuf};
use std::sync::atomic::{AtomicUsize, Ordering};

use rayon::prelude::*;

use crate::Corpus;
use crate::wav::{WavError, WavInfo, probe};

/// Told after each file: how many of how many are done. Called from several threads.
pub type Progress<'a> = &'a (dyn Fn(usize, usize) + Sync);

/// 128 bits of the BLAKE3 hash of a recording's audio, headers and tags left out (of the whole file where it is not
/// WAV): equal hashes, the same recording.
pub type ContentHash = [u8; 16];

/// The header of each utterance's recording; `None` where it is not a WAV file that can be read.
#[must_use]
pub fn probe_all(corpus: &Corpus, progress: Progress<'_>) -> Vec<Option<WavInfo>> {
    each_file(corpus, progress, |path| probe(path).ok())
}

/// The content hash of each utterance's recording; `None` where it cannot be read.
#[must_use]
pub fn content_hashes(corpus: &Corpus, progress: Progress<'_>) -> Vec<Option<ContentHash>> {
    each_file(corpus, progress, |path| inspect(path).hash)
}

/// What is in a file.
#[derive(Clone)]
pub(crate) struct Inspection {
    /// `None` for formats other than WAV.
    pub header: Option<Result<WavInfo, String>>,
    pub problem: Option<crate::FindingKind>,
    pub hash: Option<ContentHash>,
    /// All bytes of the audio are zero.
    pub silent: bool,
}

pub(crate) fn inspect(path: &Path) -> Inspection {
    use crate::FindingKind as Kind;
    let is_wav = path.extension().is_none_or(|e| e.eq_ignore_ascii_case("wav") || e.eq_ignore_ascii_case("wave"));
    let failed =
        |problem, reason| Inspection { header: Some(Err(reason)), problem: Some(problem), hash: None, silent: false };
    let header = match is_wav.then(|| probe(path)).transpose() {
        Ok(header) => header,
        Err(error) => {
            let problem = match &error {
                WavError::Io(_) => Kind::Unreadable,
                WavError::Empty => Kind::Empty,
                WavError::LfsPointer => Kind::LfsPointer,
                WavError::NotWav(_) => Kind::NotWav,
                WavError::Truncated { .. } => Kind::Truncated,
                WavError::Broken(_) => Kind::NotWav,
            };
            return failed(problem, error.to_string());
        }
    };
    let (start, length) = header.map_or((0, u64::MAX), |h| (h.data_start, h.data_bytes));
    match hash_range(path, start, length) {
        Ok((hash, silent)) => {
            Inspection { header: header.map(Ok), problem: None, hash: Some(hash), silent: silent && is_wav }
        }
        Err(error) => failed(Kind::Unreadable, WavError::from(error).to_string()),
    }
}

fn hash_range(path: &Path, start: u64, length: u64) -> std::io::Result<(ContentHash, bool)> {
    let mut file = File::open(path)?;
    file.seek(SeekFrom::Start(start))?;
    let mut audio = file.take(length);
    let mut hasher = blake3::Hasher::new();
    let mut buffer = vec![0; 1 << 16];
    let mut silent = true;
    loop {
        let got = audio.read(&mut buffer)?;
        if got == 0 {
            break;
        }
        hasher.update(&buffer[..got]);
        silent = silent && buffer[..got].iter().all(|&b| b == 0);
    }
    let mut hash = [0; 16];
    hash.copy_from_slice(&hasher.finalize().as_bytes()[..16]);
    Ok((hash, silent))
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
