//! What a file is, by its first bytes.

use crate::Problem;

/// Bytes that [`sniff`] wants to see.
pub(crate) const HEAD: usize = 64;

/// What the first bytes say.
#[derive(Debug, PartialEq)]
pub(crate) enum Kind {
    /// A RIFF or RF64 file of form WAVE: read by this crate's own walker.
    Wav,
    /// Anything else that may be audio.
    Other,
}

/// Tells a WAV from other content, and names the things that only look like recordings.
pub(crate) fn sniff(head: &[u8]) -> Result<Kind, Problem> {
    if head.is_empty() {
        return Err(Problem::Empty);
    }
    if head.starts_with(b"version https://git-lfs") {
        return Err(Problem::LfsPointer);
    }
    // AppleDouble and AppleSingle, RFC 1740.
    if head.starts_with(&[0, 5, 0x16, 7]) || head.starts_with(&[0, 5, 0x16, 0]) {
        return Err(Problem::AppleDouble);
    }
    if let Some((_, detail)) = UNREAD.iter().find(|(magic, _)| head.starts_with(magic)) {
        return Err(Problem::Unsupported { detail: (*detail).into() });
    }
    if [b"RIFF", b"RF64", b"BW64"].iter().any(|magic| head.starts_with(*magic)) {
        return match head.get(8..12) {
            Some(b"WAVE") => Ok(Kind::Wav),
            Some(form) => Err(not_audio(format!("is a RIFF file of form {:?}", String::from_utf8_lossy(form)))),
            None => Err(Problem::Truncated { part: "RIFF header".into(), declared: 12, present: head.len() as u64 }),
        };
    }
    Ok(Kind::Other)
}

/// Audio that nothing here reads, by its first bytes.
const UNREAD: [(&[u8], &str); 9] = [
    (b"RIFX", "big-endian WAV (RIFX)"),
    (b"riff\x2e\x91\xcf\x11", "Wave64"),
    (b"NIST_1A", "NIST SPHERE"),
    (b".snd", "Sun AU"),
    (b"\x30\x26\xb2\x75\x8e\x66\xcf\x11", "Windows Media audio (WMA)"),
    (b"#!AMR", "AMR"),
    (b"wvpk", "WavPack"),
    (b"FLV\x01", "Flash video (FLV)"),
    (b"MAC ", "Monkey's Audio"),
];

/// Does it start as a container that symphonia reads?
pub(crate) fn is_container(head: &[u8]) -> bool {
    let starts = [b"RIFF".as_slice(), b"fLaC", b"OggS", b"caff", b"\x1a\x45\xdf\xa3", b"ID3"];
    let forms = [b"AIFF".as_slice(), b"AIFC"];
    starts.iter().any(|magic| head.starts_with(magic))
        || head.starts_with(b"FORM") && head.get(8..12).is_some_and(|form| forms.contains(&form))
        || head.get(4..8) == Some(b"ftyp")
}

/// The codec of an OGG stream that is not decoded, by name.
pub(crate) fn codec(head: &[u8]) -> Option<&'static str> {
    // The first page has one packet, behind 27 bytes and its size.
    match head.strip_prefix(b"OggS")?.get(24..32)? {
        b"OpusHead" => Some("Opus in OGG"),
        b"Speex   " => Some("Speex in OGG"),
        _ => None,
    }
}

/// The error for content that no decoder knows, described by its first bytes.
pub(crate) fn unknown(head: &[u8]) -> Problem {
    const KNOWN: [(&[u8], &str); 7] = [
        (b"PK\x03\x04", "is a ZIP archive"),
        (b"\x1f\x8b", "is a gzip archive"),
        (b"%PDF", "is a PDF"),
        (b"\x89PNG", "is a PNG image"),
        (b"\xff\xd8\xff", "is a JPEG image"),
        (b"<!DOCTYPE", "is a web page"),
        (b"<html", "is a web page"),
    ];
    if let Some((_, found)) = KNOWN.iter().find(|(magic, _)| head.starts_with(magic)) {
        return not_audio((*found).into());
    }
    let text = String::from_utf8_lossy(&head[..head.len().min(24)]);
    let printable = text.chars().all(|c| !c.is_control() || c.is_whitespace());
    if printable && !text.contains('\u{fffd}') {
        return not_audio(format!("is text that starts with {text:?}"));
    }
    let bytes: Vec<String> = head.iter().take(8).map(|byte| format!("{byte:02x}")).collect();
    not_audio(format!("starts with the bytes {}", bytes.join(" ")))
}

fn not_audio(found: String) -> Problem {
    Problem::NotAudio { found }
}
