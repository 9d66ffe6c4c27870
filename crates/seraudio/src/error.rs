//! What can be wrong with a recording, and what to do about it.

use std::path::{Path, PathBuf};

/// A recording that could not be read, or a signal that could not be resampled.
#[derive(Debug, thiserror::Error)]
#[non_exhaustive]
pub enum AudioError {
    /// A recording that could not be read.
    #[error("{}: {problem}", path.display())]
    File {
        /// The recording, or the name its bytes were given.
        path: PathBuf,
        /// What is wrong with it.
        problem: Problem,
    },
    /// A rate that cannot be resampled from or to.
    #[error("cannot resample from {from} Hz to {to} Hz: rates are 1 to {limit} Hz")]
    ResampleRate {
        /// Rate of the input in Hz.
        from: u32,
        /// Rate asked for in Hz.
        to: u32,
        /// The highest rate.
        limit: u32,
    },
    /// Rates too far apart: the filter would have millions of taps, or an input sample millions of outputs.
    #[error("cannot resample from {from} Hz to {to} Hz: one may be at most {limit} times the other; check both rates")]
    ResampleRatio {
        /// Rate of the input in Hz.
        from: u32,
        /// Rate asked for in Hz.
        to: u32,
        /// The largest ratio.
        limit: u32,
    },
    /// A result that does not fit into memory.
    #[error(
        "cannot resample {length} samples from {from} Hz to {to} Hz: more than {limit} samples would come out; \
         resample in pieces (ResampleStream)"
    )]
    ResampleLength {
        /// Samples of the input.
        length: usize,
        /// Rate of the input in Hz.
        from: u32,
        /// Rate asked for in Hz.
        to: u32,
        /// Most samples of the output, fewer where memory is short.
        limit: usize,
    },
    /// A change of rate that rubato refuses.
    #[error("cannot resample from {from} Hz to {to} Hz: {reason}")]
    Resample {
        /// Rate of the input in Hz.
        from: u32,
        /// Rate asked for in Hz.
        to: u32,
        /// What rubato says.
        reason: String,
    },
    /// A name of a resampler or a downmix that does not exist.
    #[error("{0}")]
    Name(String),
}

impl AudioError {
    pub(crate) fn in_file(path: &Path) -> impl FnOnce(Problem) -> AudioError {
        move |problem| AudioError::File { path: path.to_owned(), problem }
    }

    /// The problem with the file, where the error is about a file.
    pub fn problem(&self) -> Option<&Problem> {
        match self {
            AudioError::File { problem, .. } => Some(problem),
            _ => None,
        }
    }
}

/// What is wrong with a recording. The text says what to do as well.
#[derive(Debug, thiserror::Error)]
#[non_exhaustive]
pub enum Problem {
    /// There is no such file.
    #[error("no such file; check the path, and that the corpus is mounted")]
    Missing,
    /// The path is a folder.
    #[error("is a folder, not a recording")]
    Folder,
    /// The file could not be read.
    #[error("cannot be read: {0}")]
    Io(std::io::Error),
    /// The file has no bytes.
    #[error("is empty (0 bytes); copy it again from the source of the corpus")]
    Empty,
    /// A text file that Git LFS left in place of the recording.
    #[error("is a Git-LFS pointer, not the recording itself; run `git lfs pull` in the repository it came from")]
    LfsPointer,
    /// Metadata that macOS writes beside a file.
    #[error("is an AppleDouble file (macOS metadata, `._*`), not a recording; delete or ignore it")]
    AppleDouble,
    /// Content of another kind.
    #[error("is not audio: it {found}; expected WAV, FLAC, MP3, OGG, M4A, AIFF, CAF or MKV")]
    NotAudio {
        /// What the first bytes look like.
        found: String,
    },
    /// Fewer bytes than the header declares.
    #[error(
        "is truncated: its {part} declares {declared} bytes, {present} are there; \
         copy it again, or accept damaged files explicitly"
    )]
    Truncated {
        /// The part that is cut short, for example `data chunk`.
        part: String,
        /// Bytes that the header declares.
        declared: u64,
        /// Bytes that are there.
        present: u64,
    },
    /// Less audio than there was: an interrupted download, copy or recording.
    #[error("{}", cut_off(*declared, *present))]
    CutOff {
        /// Seconds that the header counts; `None` where it does not.
        declared: Option<f64>,
        /// Seconds that are there; `None` where the missing part is needed to read them.
        present: Option<f64>,
    },
    /// A part of the stream cannot be decoded.
    #[error("is damaged: {detail}; copy it again, or accept damaged files explicitly")]
    Damaged {
        /// What the decoder reported.
        detail: String,
    },
    /// A header with values that no recording can have.
    #[error("has an impossible header: {detail}")]
    Header {
        /// Which value, and why it is impossible.
        detail: String,
    },
    /// Audio of a kind that is not supported.
    #[error("is not supported: {detail}; convert it to WAV or FLAC first")]
    Unsupported {
        /// The codec or feature.
        detail: String,
    },
    /// More channels than allowed.
    #[error("has {channels} channels, at most {limit} are allowed (Limits::max_channels)")]
    TooManyChannels {
        /// Channels declared.
        channels: u32,
        /// The limit.
        limit: u32,
    },
    /// A rate outside what is allowed.
    #[error("declares a rate of {rate} Hz, allowed are {min} to {max} Hz (Limits::min_rate, max_rate)")]
    Rate {
        /// Rate declared, in Hz.
        rate: u32,
        /// The lowest rate allowed.
        min: u32,
        /// The highest rate allowed.
        max: u32,
    },
    /// Longer than allowed.
    #[error("is longer than {limit} s, the longest allowed (Limits::max_seconds)")]
    TooLong {
        /// The limit in seconds.
        limit: f64,
    },
    /// No such channel to pick.
    #[error("has {channels} channel(s), so there is no channel {wanted} (counted from 0) to pick")]
    NoSuchChannel {
        /// The channel that the downmix picks, from 0.
        wanted: u32,
        /// Channels of the recording.
        channels: u32,
    },
    /// No samples at all.
    #[error("holds no samples; exclude it from the corpus")]
    NoSamples,
    /// A sample that is not a number.
    #[error("has a sample that is not finite ({value}) at frame {frame}; repair or exclude it")]
    NotFinite {
        /// Frame of the first such sample, from 0.
        frame: u64,
        /// Its value.
        value: f32,
    },
}

fn cut_off(declared: Option<f64>, present: Option<f64>) -> String {
    let rest = match (declared, present) {
        (Some(declared), Some(present)) => {
            // As many digits as tell the two apart.
            let digits = if declared - present < 0.01 { 6 } else { 2 };
            format!("the header counts {declared:.digits$} s, {present:.digits$} s are there")
        }
        (None, Some(present)) => format!("{present:.2} s are there, and no end"),
        (_, None) => "what is needed to read it is missing".into(),
    };
    let remedy = match present {
        Some(_) => "copy it again, or accept damaged files explicitly (accept_damaged) to take what is there",
        None => "copy it again",
    };
    format!("is truncated (cut off: {rest}); {remedy}")
}

impl From<std::io::Error> for Problem {
    fn from(error: std::io::Error) -> Self {
        match error.kind() {
            std::io::ErrorKind::NotFound => Problem::Missing,
            std::io::ErrorKind::IsADirectory => Problem::Folder,
            _ => Problem::Io(error),
        }
    }
}
