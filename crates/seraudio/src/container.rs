//! Containers that say where they end: is all of it there?
//!
//! symphonia refuses a file that ends before its header says, or reads it as if nothing were missing. These walks over chunks
//! and pages find out first, and say which samples are there.

use std::io::{Read, Seek, SeekFrom};

use crate::Problem;
use crate::bytes::{be_u16, be_u32, be_u64, le_u32, le_u64, read_up_to};
use crate::window::Span;

/// What is missing of a recording, in seconds. `None` for what the container does not say.
#[derive(Debug, Clone, Copy, PartialEq)]
pub(crate) struct Cut {
    pub declared: Option<f64>,
    pub present: Option<f64>,
}

impl Cut {
    /// Nothing can be read without the part that is missing.
    pub(crate) const UNREADABLE: Cut = Cut { declared: None, present: None };
}

impl From<Cut> for Problem {
    fn from(Cut { declared, present }: Cut) -> Self {
        Problem::CutOff { declared, present }
    }
}

/// A file that ends before its header says.
#[derive(Debug, PartialEq)]
pub(crate) struct Short {
    /// The samples that are there, under a header that fits them.
    pub span: Span,
    /// `None` where no samples are missing, or where only reading them tells.
    pub cut: Option<Cut>,
}

/// Compares a container's own lengths with the file's. `None`: they agree, or the container has none.
///
/// # Errors
/// [`Problem::CutOff`] where the missing part is needed to read the rest.
pub(crate) fn short(reader: &mut (impl Read + Seek), head: &[u8]) -> Result<Option<Short>, Problem> {
    let length = reader.seek(SeekFrom::End(0))?;
    match head {
        [b'F', b'O', b'R', b'M', _, _, _, _, b'A', b'I', b'F', b'F' | b'C', ..] => aiff(reader, length),
        [b'c', b'a', b'f', b'f', ..] => caf(reader, length),
        [b'O', b'g', b'g', b'S', ..] => ogg(reader, length),
        [_, _, _, _, b'f', b't', b'y', b'p', ..] => mp4(reader, length),
        _ => Ok(None),
    }
}

/// Frames in `present` of `declared` bytes that hold `frames`.
fn share(frames: u64, present: u64, declared: u64) -> f64 {
    frames as f64 * (present as f64 / declared.max(1) as f64)
}

/// AIFF and AIFF-C: chunks in a FORM chunk, big-endian.
fn aiff(reader: &mut (impl Read + Seek), length: u64) -> Result<Option<Short>, Problem> {
    let head = read_up_to(reader, 0, 12)?;
    if be_u32(&head, 4).is_some_and(|size| u64::from(size) + 8 <= length) {
        return Ok(None);
    }
    let mut common = None;
    let mut at = 12;
    loop {
        let chunk = read_up_to(reader, at, 8)?;
        let (Some(id), Some(size)) = (chunk.get(..4), be_u32(&chunk, 4)) else { return Err(Cut::UNREADABLE.into()) };
        let (body, size) = (at + 8, u64::from(size));
        match id {
            b"COMM" => common = Some(read_up_to(reader, body, size.min(512))?),
            b"SSND" => {
                let Some(common) = common else { return Err(Cut::UNREADABLE.into()) };
                // An offset to the first sample and a block size come first.
                let Some(offset) = be_u32(&read_up_to(reader, body, 8)?, 0) else { return Err(Cut::UNREADABLE.into()) };
                let skipped = 8 + u64::from(offset);
                let start = body + skipped;
                let (declared, there) = (size.saturating_sub(skipped), length.saturating_sub(start));
                let present = declared.min(there);
                let (Ok(bytes), Ok(common_bytes)) = (u32::try_from(present + 8), u32::try_from(common.len())) else {
                    return Ok(None);
                };
                let mut chunks = head.get(8..12).unwrap_or(b"AIFF").to_vec();
                chunks.extend(b"COMM");
                chunks.extend(common_bytes.to_be_bytes());
                chunks.extend(&common);
                chunks.extend(&[0][..common.len() % 2]);
                chunks.extend(b"SSND");
                chunks.extend(bytes.to_be_bytes());
                chunks.extend([0; 8]);
                let form = (chunks.len() as u64 + present).min(u64::from(u32::MAX)) as u32;
                let header = [b"FORM".as_slice(), &form.to_be_bytes(), &chunks].concat();
                let cut = (there < declared).then(|| match (be_u32(&common, 2), extended(&common, 8)) {
                    (Some(frames), Some(rate)) if rate > 0.0 => Cut {
                        declared: Some(f64::from(frames) / rate),
                        present: Some(share(frames.into(), present, declared) / rate),
                    },
                    _ => Cut::UNREADABLE,
                });
                return Ok(Some(Short { span: Span { header, start, length: present }, cut }));
            }
            _ => {}
        }
        at = body + size + size % 2;
    }
}

/// An 80-bit float, in which AIFF has the rate.
fn extended(bytes: &[u8], at: usize) -> Option<f64> {
    let exponent = i32::from(be_u16(bytes, at)? & 0x7fff) - 16_383 - 63;
    Some(be_u64(bytes, at + 2)? as f64 * 2f64.powi(exponent)).filter(|rate| rate.is_finite())
}

/// Bytes of one CAF chunk that are kept for the header: a description, a channel layout, a codec's set-up, a packet table.
const CAF_CHUNK: u64 = 1 << 24;

/// CAF: chunks with 64-bit sizes, big-endian. Only the data chunk may leave its size open, as the last one.
fn caf(reader: &mut (impl Read + Seek), length: u64) -> Result<Option<Short>, Problem> {
    let mut header = read_up_to(reader, 0, 8)?;
    let mut description = Vec::new();
    let mut valid_frames = None;
    let mut samples: Option<(u64, u64, u64)> = None;
    let mut at = 8;
    while at < length {
        let chunk = read_up_to(reader, at, 12)?;
        let (Some(id), Some(size)) = (chunk.get(..4), be_u64(&chunk, 4)) else { break };
        let body = at + 12;
        if id == b"data" && size == u64::MAX {
            return Ok(None);
        }
        let there = size.min(length - body);
        match id {
            b"data" => samples = Some((body + 4, size.saturating_sub(4), there.saturating_sub(4))),
            b"desc" | b"chan" | b"kuki" | b"pakt" if there == size && size <= CAF_CHUNK => {
                let bytes = read_up_to(reader, body, size)?;
                header.extend(&chunk);
                header.extend(&bytes);
                match id {
                    b"desc" => description = bytes,
                    b"pakt" => valid_frames = be_u64(&bytes, 8),
                    _ => {}
                }
            }
            _ => {}
        }
        if there < size {
            break;
        }
        at = body.saturating_add(size);
    }
    if at == length && samples.is_some() {
        return Ok(None);
    }
    let (Some((start, declared, present)), Some(rate)) = (samples, be_u64(&description, 0).map(f64::from_bits)) else {
        return Err(Cut::UNREADABLE.into());
    };
    let packet = (be_u32(&description, 16).unwrap_or(0), be_u32(&description, 20).unwrap_or(0));
    let frames = match packet {
        (bytes @ 1.., frames @ 1..) => Some((declared / u64::from(bytes)).saturating_mul(frames.into())),
        _ => valid_frames,
    };
    // Packets of varying size cannot be told apart without their table.
    let Some(frames) = frames.filter(|_| rate.is_finite() && rate > 0.0) else { return Err(Cut::UNREADABLE.into()) };
    header.extend(b"data");
    header.extend((present + 4).to_be_bytes());
    header.extend([0; 4]);
    let cut = (present < declared)
        .then(|| Cut { declared: Some(frames as f64 / rate), present: Some(share(frames, present, declared) / rate) });
    Ok(Some(Short { span: Span { header, start, length: present }, cut }))
}

/// Bytes of the largest OGG page: a header, 255 sizes and 255 segments of 255 bytes.
const OGG_PAGE: u64 = 27 + 255 + 255 * 255;

/// OGG: the last page of a stream is marked, no header says the length.
fn ogg(reader: &mut (impl Read + Seek), length: u64) -> Result<Option<Short>, Problem> {
    let from = length.saturating_sub(OGG_PAGE);
    let tail = read_up_to(reader, from, OGG_PAGE)?;
    let ends_well = tail.windows(4).enumerate().filter(|(_, magic)| magic == b"OggS").any(|(i, _)| {
        let page = Page::of(&tail[i..]);
        page.is_some_and(|page| page.last && from + i as u64 + page.length == length)
    });
    if ends_well {
        return Ok(None);
    }
    // Page by page, up to the first that is not whole.
    let (mut at, mut last, mut granule) = (0, false, 0);
    let mut rate = None;
    while let Some(page) = Page::of(&read_up_to(reader, at, OGG_PAGE.min(27 + 255))?) {
        if at + page.length > length {
            break;
        }
        if at == 0 {
            let packet = read_up_to(reader, at + page.header, 30)?;
            rate = match packet.get(..8) {
                Some([1, b'v', b'o', b'r', b'b', b'i', b's', _]) => le_u32(&packet, 12),
                Some(b"OpusHead") => Some(48_000),
                _ => None,
            };
        }
        at += page.length;
        last = page.last;
        granule = page.granule.unwrap_or(granule);
    }
    if last {
        // Something else stands behind the last page.
        return Ok(None);
    }
    if at == 0 {
        return Err(Cut::UNREADABLE.into());
    }
    let present = rate.filter(|&rate| rate > 0).map(|rate| granule as f64 / f64::from(rate));
    let span = Span { header: Vec::new(), start: 0, length: at };
    Ok(Some(Short { span, cut: Some(Cut { declared: None, present }) }))
}

/// What the header of an OGG page says.
struct Page {
    header: u64,
    length: u64,
    /// Frames up to its end; `None` where no packet ends on it.
    granule: Option<u64>,
    /// Is it the last page of its stream?
    last: bool,
}

impl Page {
    fn of(bytes: &[u8]) -> Option<Page> {
        let fixed = bytes.get(..27).filter(|bytes| bytes.starts_with(b"OggS\0"))?;
        let sizes = bytes.get(27..27 + usize::from(fixed[26]))?;
        let header = 27 + sizes.len() as u64;
        let granule = le_u64(fixed, 6).filter(|&granule| granule != u64::MAX);
        let length = header + sizes.iter().map(|&size| u64::from(size)).sum::<u64>();
        Some(Page { header, length, granule, last: fixed[5] & 4 != 0 })
    }
}

/// MP4: atoms one behind the other. The index (`moov`) may stand behind the samples, and without it they cannot be told
/// apart; where it stands before them, reading finds out which samples are missing.
fn mp4(reader: &mut (impl Read + Seek), length: u64) -> Result<Option<Short>, Problem> {
    let mut at: u64 = 0;
    let mut indexed = false;
    while at < length {
        let atom = read_up_to(reader, at, 16)?;
        let (Some(size), Some(id)) = (be_u32(&atom, 0), atom.get(4..8)) else { break };
        let (size, header) = match size {
            0 => return Ok(None),
            1 => (be_u64(&atom, 8).unwrap_or(u64::MAX), 16),
            size => (u64::from(size), 8),
        };
        match at.checked_add(size).filter(|&end| end <= length) {
            Some(end) if size >= header => {
                indexed |= id == b"moov";
                at = end;
            }
            None if indexed && at + header <= length => {
                let start = at + header;
                let mut bytes = read_up_to(reader, 0, start)?;
                let there = length - at;
                let place = bytes.len() - header as usize;
                match u32::try_from(there) {
                    Ok(size) if header == 8 => bytes[place..place + 4].copy_from_slice(&size.to_be_bytes()),
                    _ if header == 16 => bytes[place + 8..].copy_from_slice(&there.to_be_bytes()),
                    _ => return Ok(None),
                }
                let span = Span { header: bytes, start, length: length - start };
                return Ok(Some(Short { span, cut: None }));
            }
            _ => break,
        }
    }
    if at < length && !indexed { Err(Cut::UNREADABLE.into()) } else { Ok(None) }
}
