//! WAV files: the chunk walk, and PCM and float samples.
//!
//! The walk is this crate's own because the errors depend on it: which bytes are samples, how many were declared and
//! how many are there. Codecs other than PCM and float are left to symphonia.

use std::io::{Read, Seek, SeekFrom};

use crate::load::Sink;
use crate::{LoadOptions, Problem};

/// Where the samples of a WAV file are and what they look like.
#[derive(Debug, Clone, PartialEq)]
pub(crate) struct Layout {
    pub rate: u32,
    pub channels: u32,
    pub coding: Coding,
    /// Bytes of one frame over all channels.
    pub frame_bytes: u32,
    pub data_start: u64,
    /// Bytes of samples that are there; never more than the data chunk declares.
    pub data_bytes: u64,
}

#[derive(Debug, Clone, Copy, PartialEq)]
pub(crate) enum Coding {
    U8,
    I16,
    I24,
    I32,
    F32,
    F64,
    /// A compressed WAV, with its format tag.
    Other(u16),
}

impl Coding {
    pub(crate) fn name(self) -> String {
        match self {
            Coding::U8 => "WAV, 8-bit PCM".into(),
            Coding::I16 => "WAV, 16-bit PCM".into(),
            Coding::I24 => "WAV, 24-bit PCM".into(),
            Coding::I32 => "WAV, 32-bit PCM".into(),
            Coding::F32 => "WAV, 32-bit float".into(),
            Coding::F64 => "WAV, 64-bit float".into(),
            Coding::Other(tag) => format!("WAV, format tag 0x{tag:04x}"),
        }
    }
}

impl Layout {
    pub(crate) fn frames(&self) -> u64 {
        self.data_bytes / u64::from(self.frame_bytes.max(1))
    }
}

struct Format {
    rate: u32,
    channels: u32,
    coding: Coding,
    frame_bytes: u32,
}

/// Walks the chunks up to the data chunk. Reads headers only.
pub(crate) fn layout(reader: &mut (impl Read + Seek), options: &LoadOptions) -> Result<Layout, Problem> {
    let length = reader.seek(SeekFrom::End(0))?;
    let mut format = None;
    let mut declared_64 = None;
    let mut at = 12;
    loop {
        let Some((id, size)) = chunk(reader, at, length)? else {
            let missing = if format.is_some() { "data chunk" } else { "fmt chunk" };
            return Err(Problem::Header { detail: format!("no {missing} in its {length} bytes") });
        };
        let body = at + 8;
        let declared = match (size, declared_64) {
            (u32::MAX, Some(size_64)) if &id == b"data" => size_64,
            _ => u64::from(size),
        };
        let present = declared.min(length - body);
        match &id {
            b"data" => {
                let Some(Format { rate, channels, coding, frame_bytes }) = format else {
                    return Err(Problem::Header { detail: "the data chunk comes before the fmt chunk".into() });
                };
                if present < declared && !options.accept_damaged {
                    return Err(Problem::Truncated { part: "data chunk".into(), declared, present });
                }
                options.limits.check(rate, channels)?;
                return Ok(Layout { rate, channels, coding, frame_bytes, data_start: body, data_bytes: present });
            }
            _ if present < declared => {
                let part = format!("{:?} chunk", String::from_utf8_lossy(&id));
                return Err(Problem::Truncated { part, declared, present });
            }
            b"fmt " => format = Some(parse_format(&read_up_to(reader, body, declared.min(40))?)?),
            b"ds64" => {
                let bytes = read_up_to(reader, body, declared.min(16))?;
                declared_64 = bytes.get(8..16).and_then(|b| b.try_into().ok()).map(u64::from_le_bytes);
            }
            _ => {}
        }
        at = body + declared;
        // Chunks are padded to even sizes, but some programs forget: the pad is there if it is a zero.
        if declared % 2 == 1 && read_up_to(reader, at, 1)?.first() == Some(&0) {
            at += 1;
        }
    }
}

/// The id and size of the chunk at `at`, or `None` where the file ends.
fn chunk(reader: &mut (impl Read + Seek), at: u64, length: u64) -> Result<Option<([u8; 4], u32)>, Problem> {
    if at + 8 > length {
        return Ok(None);
    }
    let bytes = read_up_to(reader, at, 8)?;
    let ([id, size], _) = bytes.as_chunks::<4>() else { return Ok(None) };
    Ok(Some((*id, u32::from_le_bytes(*size))))
}

fn read_up_to(reader: &mut (impl Read + Seek), at: u64, bytes: u64) -> Result<Vec<u8>, Problem> {
    reader.seek(SeekFrom::Start(at))?;
    let mut out = Vec::new();
    reader.take(bytes).read_to_end(&mut out)?;
    Ok(out)
}

fn parse_format(bytes: &[u8]) -> Result<Format, Problem> {
    let word = |at: usize| bytes.get(at..at + 2).map(|b| u16::from_le_bytes([b[0], b[1]]));
    let (Some(mut tag), Some(channels), Some(low), Some(high), Some(align), Some(bits)) =
        (word(0), word(2), word(4), word(6), word(12), word(14))
    else {
        return Err(Problem::Header { detail: format!("a fmt chunk of {} bytes, 16 are needed", bytes.len()) });
    };
    const EXTENSIBLE: u16 = 0xfffe;
    if tag == EXTENSIBLE {
        tag = word(24).ok_or_else(|| Problem::Header { detail: "an extensible fmt chunk without its GUID".into() })?;
    }
    let coding = match (tag, bits) {
        (1, 1..=8) => Coding::U8,
        (1, 9..=16) => Coding::I16,
        (1, 17..=24) => Coding::I24,
        (1, 25..=32) => Coding::I32,
        (3, 32) => Coding::F32,
        (3, 64) => Coding::F64,
        (1 | 3, _) => {
            let kind = if tag == 1 { "PCM" } else { "float" };
            return Err(Problem::Unsupported { detail: format!("{kind} of {bits} bits a sample") });
        }
        (tag, _) => Coding::Other(tag),
    };
    let sample_bytes = match coding {
        Coding::U8 => 1,
        Coding::I16 => 2,
        Coding::I24 => 3,
        Coding::I32 | Coding::F32 => 4,
        Coding::F64 => 8,
        Coding::Other(_) => 0,
    };
    let frame_bytes = u32::from(channels) * sample_bytes;
    if sample_bytes > 0 && channels > 0 && frame_bytes != u32::from(align) {
        return Err(Problem::Header {
            detail: format!("{channels} channel(s) of {bits} bits take {frame_bytes} bytes a frame, it says {align}"),
        });
    }
    let rate = u32::from(low) | u32::from(high) << 16;
    Ok(Format { rate, channels: u32::from(channels), coding, frame_bytes })
}

/// Decodes the samples of a PCM or float WAV and mixes them down, a block at a time.
pub(crate) fn read(
    reader: &mut (impl Read + Seek),
    layout: &Layout,
    options: &LoadOptions,
    sink: Sink<'_>,
) -> Result<(), Problem> {
    let frame_bytes = layout.frame_bytes as usize;
    let block = frame_bytes * (65_536 / frame_bytes).max(1);
    reader.seek(SeekFrom::Start(layout.data_start))?;
    let mut data = reader.take(layout.frames() * frame_bytes as u64);
    let mut mono = Vec::with_capacity(block);
    let mut bytes = Vec::with_capacity(block);
    let mut interleaved = Vec::with_capacity(block);
    loop {
        bytes.clear();
        (&mut data).take(block as u64).read_to_end(&mut bytes)?;
        if bytes.is_empty() {
            return Ok(());
        }
        interleaved.clear();
        mono.clear();
        to_float(&bytes, layout.coding, &mut interleaved);
        options.downmix.mix(&interleaved, layout.channels as usize, &mut mono);
        if sink(&mono, layout.rate)?.is_break() {
            return Ok(());
        }
    }
}

fn to_float(bytes: &[u8], coding: Coding, out: &mut Vec<f32>) {
    fn each<const N: usize>(bytes: &[u8], out: &mut Vec<f32>, convert: impl Fn([u8; N]) -> f32) {
        let (samples, _) = bytes.as_chunks::<N>();
        out.extend(samples.iter().map(|sample| convert(*sample)));
    }
    match coding {
        Coding::U8 => each(bytes, out, |[b]: [u8; 1]| (f32::from(b) - 128.0) / 128.0),
        Coding::I16 => each(bytes, out, |b| f32::from(i16::from_le_bytes(b)) / 32_768.0),
        Coding::I24 => {
            each(bytes, out, |[a, b, c]: [u8; 3]| (i32::from_le_bytes([0, a, b, c]) >> 8) as f32 / 8_388_608.0)
        }
        Coding::I32 => each(bytes, out, |b| i32::from_le_bytes(b) as f32 / 2_147_483_648.0),
        Coding::F32 => each(bytes, out, f32::from_le_bytes),
        Coding::F64 => each(bytes, out, |b| f64::from_le_bytes(b) as f32),
        Coding::Other(_) => {}
    }
}
