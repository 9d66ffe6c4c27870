//! Synthetic corpora: any of the six, at any scale, in its true layout, rate, channel count and names.
//!
//! The speech is made of glottal pulses through formant filters; pitch, loudness, tempo and spectral tilt depend
//! on the emotion, on the speaker and on chance, so that a model learns something but not everything. The same
//! options give the same bytes on every machine with the same floating point.
//!
//! Figures computed on these corpora say nothing about real speech.

mod extras;
mod plan;
mod riff;
mod voice;

use std::path::{Path, PathBuf};
use std::sync::atomic::{AtomicU64, AtomicUsize, Ordering};

use rayon::prelude::*;

use crate::{CorpusError, CorpusKind, Utterance};
use plan::Planned;

/// What to write.
#[derive(Debug, Clone, PartialEq)]
pub struct SynthOptions {
    /// Size relative to the original: 1 gives every recording of it, by name. Each class has at least two
    /// utterances of each speaker, of whom there are fewer in a small corpus.
    pub scale: f64,
    /// Do not go below about this many utterances, whatever the scale.
    pub at_least: usize,
    /// Another seed, other voices.
    pub seed: u64,
    /// Mean duration of an utterance, in seconds. A few hundredths are enough to test scanning.
    pub mean_seconds: f64,
    /// With what real copies are known for: odd chunks before and after the audio, AppleDouble and hidden files,
    /// songs, video and zip leftovers, an identical pair, other annotators' files.
    pub quirks: bool,
}

impl Default for SynthOptions {
    fn default() -> Self {
        Self { scale: 1.0, at_least: 0, seed: 1, mean_seconds: 2.5, quirks: true }
    }
}

impl SynthOptions {
    /// 48 to 84 utterances of about a second: all six corpora are made in a few seconds.
    #[must_use]
    pub fn small() -> Self {
        Self { scale: 0.0, at_least: 60, mean_seconds: 1.0, ..Self::default() }
    }

    /// As many short utterances as wanted, without odd chunks, to measure scanning.
    #[must_use]
    pub fn load(kind: CorpusKind, utterances: usize) -> Self {
        let scale = utterances as f64 / kind.expected_total() as f64;
        Self { scale, mean_seconds: 0.03, quirks: false, ..Self::default() }
    }

    fn check(&self, dir: &Path) -> Result<(), CorpusError> {
        let wrong = |message: &str| Err(CorpusError::file(dir, message));
        if !(self.scale.is_finite() && (0.0..=100_000.0).contains(&self.scale)) {
            return wrong("the scale of a synthetic corpus must lie between 0 and 100000");
        }
        if !(self.mean_seconds.is_finite() && (0.005..=60.0).contains(&self.mean_seconds)) {
            return wrong("the mean duration of synthetic utterances must lie between 0.005 and 60 seconds");
        }
        Ok(())
    }
}

/// What was written.
#[derive(Debug, Clone, PartialEq)]
#[non_exhaustive]
pub struct SynthReport {
    /// Where.
    pub root: PathBuf,
    /// The utterances, by id, as [`open`](crate::open) will give them with default options.
    pub utterances: Vec<Utterance>,
    /// Audio written, in seconds.
    pub seconds: f64,
    /// Bytes of recordings written.
    pub bytes: u64,
}

/// Write a synthetic corpus as the new folder `dir`. It appears only when it is complete.
///
/// # Errors
/// `dir` exists and is not an empty folder, an option is out of range, or writing fails.
pub fn write(kind: CorpusKind, dir: &Path, options: &SynthOptions) -> Result<SynthReport, CorpusError> {
    write_with_progress(kind, dir, options, &|_, _| {})
}

/// As [`write()`], calling `progress(done, total)` after each recording, from several threads.
///
/// # Errors
/// As [`write()`].
pub fn write_with_progress(
    kind: CorpusKind,
    dir: &Path,
    options: &SynthOptions,
    progress: &(dyn Fn(usize, usize) + Sync),
) -> Result<SynthReport, CorpusError> {
    options.check(dir)?;
    if dir.exists() {
        let mut inside = std::fs::read_dir(dir).map_err(CorpusError::io(dir))?;
        if inside.next().is_some() {
            return Err(CorpusError::file(dir, "is not empty: a synthetic corpus is written as a new folder"));
        }
    }
    let parent = dir.parent().filter(|p| !p.as_os_str().is_empty()).unwrap_or(Path::new("."));
    std::fs::create_dir_all(parent).map_err(CorpusError::io(parent))?;
    let building = tempfile::Builder::new().prefix(".synth-").tempdir_in(parent).map_err(CorpusError::io(parent))?;

    let plan = plan::plan(kind, options);
    for folder in plan.iter().filter_map(|p| p.file.parent()).collect::<std::collections::BTreeSet<_>>() {
        let folder = building.path().join(folder);
        std::fs::create_dir_all(&folder).map_err(CorpusError::io(&folder))?;
    }
    let (done, bytes, milliseconds) = (AtomicUsize::new(0), AtomicU64::new(0), AtomicU64::new(0));
    plan.par_iter().try_for_each(|planned| {
        let (size, seconds) = write_recording(kind, building.path(), planned, options)?;
        bytes.fetch_add(size, Ordering::Relaxed);
        milliseconds.fetch_add((seconds * 1000.0) as u64, Ordering::Relaxed);
        progress(done.fetch_add(1, Ordering::Relaxed) + 1, plan.len());
        Ok::<(), CorpusError>(())
    })?;
    extras::write(kind, building.path(), &plan, options)?;

    if dir.exists() {
        std::fs::remove_dir(dir).map_err(CorpusError::io(dir))?;
    }
    std::fs::rename(building.path(), dir).map_err(CorpusError::io(dir))?;
    #[cfg(unix)]
    {
        // A temporary folder is private; a corpus is not.
        use std::os::unix::fs::PermissionsExt;
        std::fs::set_permissions(dir, std::fs::Permissions::from_mode(0o755)).map_err(CorpusError::io(dir))?;
    }
    let utterances = plan
        .into_iter()
        .filter(|planned| !planned.utterance.label.is_empty())
        .map(|planned| Utterance { path: dir.join(&planned.file), ..planned.utterance })
        .collect();
    Ok(SynthReport {
        root: dir.to_owned(),
        utterances,
        seconds: milliseconds.into_inner() as f64 / 1000.0,
        bytes: bytes.into_inner(),
    })
}

fn write_recording(
    kind: CorpusKind,
    root: &Path,
    planned: &Planned,
    options: &SynthOptions,
) -> Result<(u64, f64), CorpusError> {
    let rate = kind.sample_rate();
    let mono = voice::speak(&planned.voice, rate, options);
    let format = extras::format_of(kind, planned, options);
    let samples = format.channels.spread(&mono);
    let path = root.join(&planned.file);
    let bytes = riff::encode(&samples, rate, &format);
    std::fs::write(&path, &bytes).map_err(CorpusError::io(&path))?;
    Ok((bytes.len() as u64, mono.len() as f64 / f64::from(rate)))
}
