//! Loading: open, recognise, decode, mix down, resample.

use std::fs::File;
use std::io::{Cursor, Read, Seek, SeekFrom};
use std::ops::ControlFlow;
use std::path::Path;

use symphonia::core::io::MediaSource;

use crate::sniff::{self, Kind};
use crate::window::Window;
use crate::{AudioError, LoadOptions, Problem, decode, resample, wav};

/// One channel of audio.
#[derive(Debug, Clone, PartialEq)]
pub struct Audio {
    /// Samples, in [-1, 1] for integer recordings.
    pub samples: Vec<f32>,
    /// Samples per second.
    pub rate: u32,
}

impl Audio {
    /// Duration in seconds.
    pub fn seconds(&self) -> f64 {
        self.samples.len() as f64 / f64::from(self.rate)
    }
}

/// What a recording's header says.
#[derive(Debug, Clone, PartialEq)]
#[non_exhaustive]
pub struct Info {
    /// Samples per second and channel.
    pub rate: u32,
    /// Number of channels.
    pub channels: u32,
    /// Samples per channel; `None` where the container does not say (AAC streams and MP3 without a Xing header).
    pub frames: Option<u64>,
    /// The container and coding in words, for example `WAV, 16-bit PCM`.
    pub format: String,
    /// The header of a WAV file does not say how long it is (it was written into a pipe, or its recorder was killed), so
    /// the rest of the file counts as samples.
    pub open_ended: bool,
}

impl Info {
    /// Duration in seconds, where the container says it.
    pub fn seconds(&self) -> Option<f64> {
        self.frames.map(|frames| frames as f64 / f64::from(self.rate))
    }
}

/// Reads a recording: decodes it by its content, mixes it down and resamples it.
///
/// # Errors
/// [`AudioError::File`] with the path and one of [`Problem`]: a file that is missing, empty, no audio, cut off, beyond the
/// limits, or with samples that are not finite. As [`resample`] where the rate cannot be made.
pub fn load(path: &Path, options: &LoadOptions) -> Result<Audio, AudioError> {
    let audio = open(path).and_then(|file| read(file, options)).map_err(AudioError::in_file(path))?;
    convert(audio, options)
}

/// Reads a recording from memory; `name` stands for the path in errors.
///
/// # Errors
/// As [`load`].
pub fn load_bytes(bytes: Vec<u8>, name: &str, options: &LoadOptions) -> Result<Audio, AudioError> {
    let audio = read(Cursor::new(bytes), options).map_err(AudioError::in_file(Path::new(name)))?;
    convert(audio, options)
}

/// Hands a recording's mono samples and their rate to `sink`, block by block, until it breaks off or the recording ends:
/// memory does not grow with the recording. The rate is the recording's own, whatever `options` say;
/// [`crate::ResampleStream`] changes it.
///
/// # Errors
/// As [`load`]; blocks before the place of the error have been handed on then.
pub fn stream(
    path: &Path,
    options: &LoadOptions,
    mut sink: impl FnMut(&[f32], u32) -> ControlFlow<()>,
) -> Result<(), AudioError> {
    open(path).and_then(|file| blocks(file, options, &mut sink)).map_err(AudioError::in_file(path))
}

/// [`stream`] for a recording in memory; `name` stands for the path in errors.
///
/// # Errors
/// As [`stream`].
pub fn stream_bytes(
    bytes: Vec<u8>,
    name: &str,
    options: &LoadOptions,
    mut sink: impl FnMut(&[f32], u32) -> ControlFlow<()>,
) -> Result<(), AudioError> {
    blocks(Cursor::new(bytes), options, &mut sink).map_err(AudioError::in_file(Path::new(name)))
}

/// Reads a recording's header and checks it, without decoding samples.
///
/// # Errors
/// As [`load`], as far as headers tell: a cut WAV, AIFF, CAF or OGG is found, a cut MP3 or FLAC and a NaN sample are not.
pub fn probe(path: &Path) -> Result<Info, AudioError> {
    open(path).and_then(info).map_err(AudioError::in_file(path))
}

/// [`probe`] for a recording in memory; `name` stands for the path in errors.
///
/// # Errors
/// As [`probe`].
pub fn probe_bytes(bytes: Vec<u8>, name: &str) -> Result<Info, AudioError> {
    info(Cursor::new(bytes)).map_err(AudioError::in_file(Path::new(name)))
}

fn open(path: &Path) -> Result<File, Problem> {
    let file = File::open(path)?;
    if file.metadata()?.is_dir() { Err(Problem::Folder) } else { Ok(file) }
}

fn head(source: &mut (impl Read + Seek)) -> Result<Vec<u8>, Problem> {
    let mut bytes = Vec::with_capacity(sniff::HEAD);
    source.seek(SeekFrom::Start(0))?;
    source.take(sniff::HEAD as u64).read_to_end(&mut bytes)?;
    Ok(bytes)
}

fn info(mut source: impl MediaSource + 'static) -> Result<Info, Problem> {
    let options = LoadOptions::default();
    let head = head(&mut source)?;
    let info = match sniff::sniff(&head)? {
        Kind::Wav => {
            let layout = wav::layout(&mut source, &options)?;
            Info {
                rate: layout.format.rate,
                channels: layout.format.channels,
                frames: Some(layout.frames()),
                format: layout.format.coding.name().into(),
                open_ended: layout.open_ended,
            }
        }
        Kind::Other => decode::probe(Box::new(source), &head)?,
    };
    options.limits.check(info.rate, info.channels)?;
    Ok(info)
}

/// Takes mono samples and their rate, block by block.
pub(crate) type Sink<'a> = &'a mut dyn FnMut(&[f32], u32) -> Result<ControlFlow<()>, Problem>;

fn read(source: impl MediaSource + 'static, options: &LoadOptions) -> Result<Audio, Problem> {
    let mut audio = Audio { samples: Vec::new(), rate: 0 };
    blocks(source, options, &mut |samples, rate| {
        audio.samples.extend_from_slice(samples);
        audio.rate = rate;
        ControlFlow::Continue(())
    })?;
    Ok(audio)
}

fn blocks(
    mut source: impl MediaSource + 'static,
    options: &LoadOptions,
    sink: &mut dyn FnMut(&[f32], u32) -> ControlFlow<()>,
) -> Result<(), Problem> {
    let mut frames = 0;
    let mut checked = |samples: &[f32], rate: u32| {
        if let Some(at) = samples.iter().position(|sample| !sample.is_finite()) {
            return Err(Problem::NotFinite { frame: frames + at as u64, value: samples[at] });
        }
        frames += samples.len() as u64;
        Ok(sink(samples, rate))
    };
    let head = head(&mut source)?;
    match sniff::sniff(&head)? {
        Kind::Wav => {
            let layout = wav::layout(&mut source, options)?;
            options.downmix.check(layout.format.channels)?;
            if layout.frames() > options.limits.max_frames(layout.format.rate) {
                return Err(Problem::TooLong { limit: options.limits.max_seconds });
            }
            if layout.format.coding.is_compressed() {
                let source = Window::new(source, layout.span());
                decode::read(Box::new(source), &head, options, &mut checked)?;
            } else {
                wav::read(&mut source, &layout, options, &mut checked)?;
            }
        }
        Kind::Other => decode::read(Box::new(source), &head, options, &mut checked)?,
    }
    if frames == 0 { Err(Problem::NoSamples) } else { Ok(()) }
}

fn convert(audio: Audio, options: &LoadOptions) -> Result<Audio, AudioError> {
    match options.rate {
        Some(rate) if rate != audio.rate => {
            Ok(Audio { samples: resample(&audio.samples, audio.rate, rate, options.resampler)?, rate })
        }
        _ => Ok(audio),
    }
}
