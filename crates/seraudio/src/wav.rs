//! WAV files: the chunk walk, and PCM and float samples.
//!
//! The walk is this crate's own because the errors depend on it: which bytes are samples, how many were declared and
//! how many are there. Other codecs are decoded by symphonia, under a header made from what the walk found.

use std::io::{Read, Seek, SeekFrom};

use crate::bytes::{le_u16, le_u32, le_u64, read_up_to};
use crate::container::Cut;
use crate::load::Sink;
use crate::window::Span;
use crate::{LoadOptions, Problem};

/// Where the samples of a WAV file are and what they look like.
#[derive(Debug, Clone, PartialEq)]
pub(crate) struct Layout {
    pub format: Format,
    pub data_start: u64,
    /// Bytes of samples that are there; never more than the data chunk declares, unless it is open-ended.
    pub data_bytes: u64,
    /// The header does not say how long the data chunk is: it was never completed. The rest of the file is samples.
    pub open_ended: bool,
}

/// What the fmt chunk says.
#[derive(Debug, Clone, PartialEq)]
pub(crate) struct Format {
    pub rate: u32,
    pub channels: u32,
    pub coding: Coding,
    /// Bytes of the smallest piece that can be decoded alone, over all channels.
    block_bytes: u32,
    /// Frames in it: 1 where samples are not packed.
    block_frames: u32,
}

#[derive(Debug, Clone, Copy, PartialEq)]
pub(crate) enum Coding {
    U8,
    I16,
    I24,
    /// 24 bits in 4 bytes, the low three of them (`arecord -f S24_LE`).
    I24Low,
    I32,
    F32,
    F64,
    ALaw,
    MuLaw,
    MsAdpcm,
    ImaAdpcm,
}

impl Coding {
    pub(crate) fn name(self) -> &'static str {
        match self {
            Coding::U8 => "WAV, 8-bit PCM",
            Coding::I16 => "WAV, 16-bit PCM",
            Coding::I24 => "WAV, 24-bit PCM",
            Coding::I24Low => "WAV, 24-bit PCM in 4 bytes",
            Coding::I32 => "WAV, 32-bit PCM",
            Coding::F32 => "WAV, 32-bit float",
            Coding::F64 => "WAV, 64-bit float",
            Coding::ALaw => "WAV, A-law",
            Coding::MuLaw => "WAV, mu-law",
            Coding::MsAdpcm => "WAV, Microsoft ADPCM",
            Coding::ImaAdpcm => "WAV, IMA ADPCM",
        }
    }

    /// Is it decoded by symphonia?
    pub(crate) fn is_compressed(self) -> bool {
        matches!(self, Coding::ALaw | Coding::MuLaw | Coding::MsAdpcm | Coding::ImaAdpcm)
    }

    /// Bytes of one sample; `None` where samples are packed into blocks.
    fn sample_bytes(self) -> Option<u32> {
        match self {
            Coding::U8 | Coding::ALaw | Coding::MuLaw => Some(1),
            Coding::I16 => Some(2),
            Coding::I24 => Some(3),
            Coding::I24Low | Coding::I32 | Coding::F32 => Some(4),
            Coding::F64 => Some(8),
            Coding::MsAdpcm | Coding::ImaAdpcm => None,
        }
    }
}

impl Layout {
    pub(crate) fn frames(&self) -> u64 {
        self.format.frames(self.data_bytes)
    }

    /// Compressed samples under a header that fits them, for symphonia. Samples beyond 4 GiB are not in it.
    pub(crate) fn span(&self) -> Span {
        let Format { rate, channels, coding, block_bytes, block_frames } = self.format;
        let length = self.data_bytes.min(u64::from(u32::MAX) - 1024);
        // Tag, bits of a sample, and the size of what the codec adds.
        let (tag, bits, added): (u16, u16, u16) = match coding {
            Coding::MsAdpcm => (2, 4, 32),
            Coding::MuLaw => (7, 8, 0),
            Coding::ImaAdpcm => (0x11, 4, 2),
            _ => (6, 8, 0),
        };
        let mut chunks = b"WAVEfmt ".to_vec();
        chunks.extend((18 + u32::from(added)).to_le_bytes());
        chunks.extend(tag.to_le_bytes());
        chunks.extend((channels as u16).to_le_bytes());
        chunks.extend(rate.to_le_bytes());
        chunks.extend(0u32.to_le_bytes());
        chunks.extend((block_bytes as u16).to_le_bytes());
        chunks.extend(bits.to_le_bytes());
        chunks.extend(added.to_le_bytes());
        if added > 0 {
            chunks.extend((block_frames as u16).to_le_bytes());
            // Microsoft's predictors are always the same seven, which the decoder knows.
            chunks.resize(chunks.len() + usize::from(added) - 2, 0);
        }
        chunks.extend(b"data");
        chunks.extend((length as u32).to_le_bytes());
        let size = (chunks.len() as u64 + length) as u32;
        let header = [b"RIFF".as_slice(), &size.to_le_bytes(), &chunks].concat();
        Span { header, start: self.data_start, length }
    }
}

impl Format {
    fn frames(&self, bytes: u64) -> u64 {
        (bytes / u64::from(self.block_bytes.max(1))).saturating_mul(self.block_frames.into())
    }

    fn seconds(&self, bytes: u64) -> f64 {
        self.frames(bytes) as f64 / f64::from(self.rate)
    }
}

/// Data lengths that programs write before they know the length, and leave where they cannot seek back: ffmpeg, aplay and
/// others, SoX.
const OPEN_ENDED: [u32; 4] = [u32::MAX, 1 << 31, i32::MAX as u32, 0x7fff_f000];

/// Walks the chunks up to the data chunk. Reads headers only.
pub(crate) fn layout(reader: &mut (impl Read + Seek), options: &LoadOptions) -> Result<Layout, Problem> {
    let length = reader.seek(SeekFrom::End(0))?;
    let riff_end = le_u32(&read_up_to(reader, 4, 4)?, 0).map_or(0, |size| u64::from(size) + 8);
    let mut format = None;
    let mut declared_64 = None;
    let mut at = 12;
    loop {
        let Some((id, size)) = chunk(reader, at, length)? else {
            let missing = if format.is_some() { "data chunk" } else { "fmt chunk" };
            return Err(Problem::Header { detail: format!("no {missing} in its {length} bytes") });
        };
        let body = at + 8;
        let there = length - body;
        match &id {
            b"data" => {
                let Some(format) = format.take() else {
                    return Err(Problem::Header { detail: "the data chunk comes before the fmt chunk".into() });
                };
                let declared = match (size, declared_64) {
                    (u32::MAX, Some(size_64)) => Some(size_64).filter(|&size| size != u64::MAX),
                    _ if OPEN_ENDED.contains(&size) && u64::from(size) > there => None,
                    // The header of a recorder that was killed ends with the data chunk, and the file does not.
                    (0, _) if there > 0 && riff_end <= body => None,
                    _ => Some(size.into()),
                };
                return finish(reader, format, (body, declared, there), options);
            }
            _ if there < u64::from(size) => {
                let part = format!("{:?} chunk", String::from_utf8_lossy(&id));
                return Err(Problem::Truncated { part, declared: size.into(), present: there });
            }
            b"fmt " => format = Some(parse_format(&read_up_to(reader, body, u64::from(size).min(40))?)?),
            b"ds64" => declared_64 = le_u64(&read_up_to(reader, body, u64::from(size).min(16))?, 8),
            _ => {}
        }
        at = body + u64::from(size);
        // Chunks are padded to even sizes, but some programs forget: the pad is there if it is a zero.
        if size % 2 == 1 && read_up_to(reader, at, 1)?.first() == Some(&0) {
            at += 1;
        }
    }
}

/// The layout of a data chunk: where it starts, the bytes that it declares (`None`: open-ended), the bytes that are there.
fn finish(
    reader: &mut (impl Read + Seek),
    mut format: Format,
    (data_start, declared, there): (u64, Option<u64>, u64),
    options: &LoadOptions,
) -> Result<Layout, Problem> {
    options.limits.check(format.rate, format.channels)?;
    let data_bytes = declared.unwrap_or(there).min(there);
    if let Some(declared) = declared.filter(|&declared| declared > there && !options.accept_damaged) {
        let (declared, present) = (format.seconds(declared), format.seconds(there));
        return Err(Cut { declared: Some(declared), present: Some(present) }.into());
    }
    if format.coding == Coding::I24Low && !is_low(&read_up_to(reader, data_start, data_bytes.min(4096))?) {
        format.coding = Coding::I32;
    }
    Ok(Layout { format, data_start, data_bytes, open_ended: declared.is_none() })
}

/// Do 24 bits stand in the low three of 4 bytes? The fourth then repeats the sign or is 0; else the first is always 0.
fn is_low(bytes: &[u8]) -> bool {
    let (samples, _) = bytes.as_chunks::<4>();
    samples.iter().any(|sample| sample[0] != 0)
        || samples.iter().all(|sample| sample[3] == 0 || (sample[3] == 0xff && sample[2] >= 0x80))
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

fn parse_format(bytes: &[u8]) -> Result<Format, Problem> {
    let (Some(mut tag), Some(channels), Some(rate), Some(byte_rate), Some(align), Some(bits)) =
        (le_u16(bytes, 0), le_u16(bytes, 2), le_u32(bytes, 4), le_u32(bytes, 8), le_u16(bytes, 12), le_u16(bytes, 14))
    else {
        return Err(Problem::Header { detail: format!("a fmt chunk of {} bytes, 16 are needed", bytes.len()) });
    };
    const EXTENSIBLE: u16 = 0xfffe;
    if tag == EXTENSIBLE {
        let sub_format = le_u16(bytes, 24);
        tag =
            sub_format.ok_or_else(|| Problem::Header { detail: "an extensible fmt chunk without its GUID".into() })?;
    }
    let (channels, align) = (u32::from(channels), u32::from(align));
    let coding = match (tag, bits) {
        (1, 1..=8) => Coding::U8,
        (1, 9..=16) => Coding::I16,
        (1, 17..=24) if align == channels * 4 => Coding::I24Low,
        (1, 17..=24) => Coding::I24,
        (1, 25..=32) => Coding::I32,
        (3, 32) => Coding::F32,
        (3, 64) => Coding::F64,
        (2, 4) => Coding::MsAdpcm,
        (6, _) => Coding::ALaw,
        (7, _) => Coding::MuLaw,
        (0x11, 4) => Coding::ImaAdpcm,
        _ => {
            let detail = match (tag, codec_name(tag)) {
                (1, _) => format!("PCM of {bits} bits a sample"),
                (3, _) => format!("float of {bits} bits a sample"),
                (2 | 0x11, _) => format!("ADPCM of {bits} bits a sample"),
                (_, Some(name)) => format!("{name} in WAV (format tag 0x{tag:04x})"),
                (_, None) => format!("WAV with format tag 0x{tag:04x}"),
            };
            return Err(Problem::Unsupported { detail });
        }
    };
    let (block_bytes, block_frames) = match coding.sample_bytes() {
        Some(bytes) => {
            let frame_bytes = channels * bytes;
            // As libsndfile: a wrong block align (in bits, of one channel) does not matter where the other fields agree.
            let agrees = [frame_bytes, 0, channels * u32::from(bits)].contains(&align)
                || u64::from(byte_rate) == u64::from(rate) * u64::from(frame_bytes)
                || coding.is_compressed();
            if !agrees {
                let detail =
                    format!("{channels} channel(s) of {bits} bits take {frame_bytes} bytes a frame, it says {align}");
                return Err(Problem::Header { detail });
            }
            (frame_bytes, 1)
        }
        None => (align, adpcm_frames(coding, align, channels)?),
    };
    Ok(Format { rate, channels, coding, block_bytes, block_frames })
}

/// Frames in an ADPCM block: two 4-bit samples a byte behind a header for each channel, which holds samples, too.
fn adpcm_frames(coding: Coding, block_bytes: u32, channels: u32) -> Result<u32, Problem> {
    let (header, in_header) = if coding == Coding::MsAdpcm { (7, 2) } else { (4, 1) };
    let frames = block_bytes.checked_sub(header * channels).zip((2 * block_bytes).checked_div(channels));
    frames.map(|(left, _)| 2 * left / channels.max(1) + in_header).ok_or_else(|| Problem::Header {
        detail: format!("ADPCM blocks of {block_bytes} bytes are too short for {channels} channel(s)"),
    })
}

/// Codecs that are met in WAV files.
fn codec_name(tag: u16) -> Option<&'static str> {
    Some(match tag {
        0x31 => "GSM 6.10",
        0x40 | 0x45 | 0x64 => "G.726",
        0x50 => "MPEG layer 2",
        0x55 => "MP3",
        0xff => "AAC",
        0x160..=0x163 => "Windows Media audio",
        0x674f..=0x6771 => "Vorbis",
        0xa109 => "Speex",
        _ => return None,
    })
}

/// Decodes the samples of a PCM or float WAV and mixes them down, a block at a time.
pub(crate) fn read(
    reader: &mut (impl Read + Seek),
    layout: &Layout,
    options: &LoadOptions,
    sink: Sink<'_>,
) -> Result<(), Problem> {
    let Format { rate, channels, coding, block_bytes, .. } = layout.format;
    let frame_bytes = (block_bytes as usize).max(1);
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
        to_float(&bytes, coding, &mut interleaved);
        options.downmix.mix(&interleaved, channels as usize, &mut mono);
        if sink(&mono, rate)?.is_break() {
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
        Coding::I24Low => {
            each(bytes, out, |[a, b, c, _]: [u8; 4]| (i32::from_le_bytes([0, a, b, c]) >> 8) as f32 / 8_388_608.0)
        }
        Coding::I32 => each(bytes, out, |b| i32::from_le_bytes(b) as f32 / 2_147_483_648.0),
        Coding::F32 => each(bytes, out, f32::from_le_bytes),
        Coding::F64 => each(bytes, out, |b| f64::from_le_bytes(b) as f32),
        Coding::ALaw | Coding::MuLaw | Coding::MsAdpcm | Coding::ImaAdpcm => {}
    }
}
