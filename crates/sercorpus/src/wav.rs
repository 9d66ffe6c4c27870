//! The header of a WAV file: a walk over RIFF chunks that stops at the audio.
//!
//! Real files have other chunks before `fmt ` and `data` and after; their audio starts anywhere.

use std::fs::File;
use std::io::{self, BufReader, Read};
use std::path::Path;

/// What a WAV header says, checked against the file's size.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
#[non_exhaustive]
pub struct WavInfo {
    /// Channels.
    pub channels: u16,
    /// Sampling rate in Hz.
    pub rate: u32,
    /// Bits of a sample.
    pub bits: u16,
    /// Where the audio starts, in bytes from the beginning of the file.
    pub data_start: u64,
    /// Bytes of audio.
    pub data_bytes: u64,
    /// Samples of each channel.
    pub frames: u64,
}

impl WavInfo {
    /// Duration in seconds.
    #[must_use]
    pub fn seconds(&self) -> f64 {
        self.frames as f64 / f64::from(self.rate)
    }
}

/// Why a file is not a WAV file to be used.
#[derive(Debug, thiserror::Error)]
#[non_exhaustive]
pub enum WavError {
    /// It cannot be opened or read.
    #[error("cannot be read: {0}")]
    Io(#[from] io::Error),
    /// No bytes.
    #[error("is empty (0 bytes): copy it again")]
    Empty,
    /// A text file that stands for the recording.
    #[error("is a Git LFS pointer, not the recording: run `git lfs pull` where the corpus was cloned")]
    LfsPointer,
    /// Something else under the name of a WAV file.
    #[error("is not a WAV file: {0}")]
    NotWav(&'static str),
    /// The header promises more than there is.
    #[error("is truncated: the header promises {promised} bytes of audio, {present} are there; copy it again")]
    Truncated {
        /// Bytes of audio according to the header.
        promised: u64,
        /// Bytes of audio in the file.
        present: u64,
    },
    /// A RIFF/WAVE file whose chunks make no sense.
    #[error("has a broken WAV header: {0}")]
    Broken(&'static str),
}

/// Read the header of the WAV file at `path`.
///
/// # Errors
/// See [`WavError`].
pub fn probe(path: &Path) -> Result<WavInfo, WavError> {
    let file = File::open(path)?;
    let size = file.metadata()?.len();
    probe_reader(BufReader::with_capacity(512, file), size)
}

fn probe_reader(mut file: BufReader<File>, size: u64) -> Result<WavInfo, WavError> {
    let mut head = [0; 12];
    let got = read_up_to(&mut file, &mut head)?;
    if got == 0 {
        return Err(WavError::Empty);
    }
    if got < 12 || &head[..4] != b"RIFF" || &head[8..] != b"WAVE" {
        return Err(explain(&head[..got]));
    }
    let mut position = 12u64;
    let mut format = None;
    loop {
        let mut header = [0; 8];
        if read_up_to(&mut file, &mut header)? < 8 {
            return Err(WavError::Broken("it ends before any audio (no data chunk)"));
        }
        position += 8;
        let [a, b, c, d, s0, s1, s2, s3] = header;
        let length = u64::from(u32::from_le_bytes([s0, s1, s2, s3]));
        match &[a, b, c, d] {
            b"fmt " => {
                let mut body = [0; 16];
                if length < 16 || read_up_to(&mut file, &mut body)? < 16 {
                    return Err(WavError::Broken("its fmt chunk is too short"));
                }
                format = Some(body);
                file.seek_relative(length as i64 - 16 + (length & 1) as i64)?;
            }
            b"data" => {
                let Some(format) = format else {
                    return Err(WavError::Broken("its audio comes before its fmt chunk"));
                };
                return finish(format, position, length, size.saturating_sub(position));
            }
            _ => file.seek_relative((length + (length & 1)) as i64)?,
        }
        position += length + (length & 1);
    }
}

fn finish(format: [u8; 16], data_start: u64, promised: u64, present: u64) -> Result<WavInfo, WavError> {
    let u16_at = |i: usize| u16::from_le_bytes([format[i], format[i + 1]]);
    let (channels, block, bits) = (u16_at(2), u16_at(12), u16_at(14));
    let rate = u32::from_le_bytes([format[4], format[5], format[6], format[7]]);
    if channels == 0 || rate == 0 || block == 0 {
        return Err(WavError::Broken("its fmt chunk has no channels, no rate or no bits"));
    }
    // A recorder that could not seek back leaves the length open.
    let open_ended = promised == u64::from(u32::MAX);
    if promised > present && !open_ended {
        return Err(WavError::Truncated { promised, present });
    }
    let data_bytes = promised.min(present);
    if data_bytes < u64::from(block) {
        return Err(WavError::Broken("it has no audio (an empty data chunk)"));
    }
    Ok(WavInfo { channels, rate, bits, data_start, data_bytes, frames: data_bytes / u64::from(block) })
}

fn explain(head: &[u8]) -> WavError {
    let starts = |magic: &[u8]| head.starts_with(magic);
    if starts(b"version http") {
        return WavError::LfsPointer;
    }
    WavError::NotWav(match () {
        () if starts(b"RIFF") => "a RIFF file, but not WAVE, or cut within its first 12 bytes",
        () if starts(b"RF64") => "it is RF64 (over 4 GB): convert it",
        () if starts(b"fLaC") => "it is FLAC: rename it to .flac",
        () if starts(b"OggS") => "it is Ogg: rename it to .ogg",
        () if starts(b"ID3") || starts(&[0xff, 0xfb]) => "it is MP3: rename it to .mp3",
        () if starts(b"FORM") => "it is AIFF: rename it to .aiff",
        () if starts(b"NIST") => "it is NIST SPHERE: convert it, e.g. with sox",
        () if starts(b"PK") => "it is a zip archive: unpack it",
        () if starts(b"\0\x05\x16\x07") => "it is an AppleDouble file of macOS, without audio",
        () if starts(b"<") => "it is a web page, perhaps of a failed download",
        () if head.is_ascii() => "it is text",
        () => "it does not start with RIFF",
    })
}

fn read_up_to(file: &mut impl Read, buffer: &mut [u8]) -> io::Result<usize> {
    let mut filled = 0;
    while filled < buffer.len() {
        match file.read(&mut buffer[filled..]) {
            Ok(0) => break,
            Ok(n) => filled += n,
            Err(error) if error.kind() == io::ErrorKind::Interrupted => {}
            Err(error) => return Err(error),
        }
    }
    Ok(filled)
}
