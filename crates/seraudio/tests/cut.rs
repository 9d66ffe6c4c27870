//! Recordings of which a part is missing: an error that says how much, or what is there where that is asked for.

#![allow(clippy::unwrap_used)]

use std::path::{Path, PathBuf};

use seraudio::{Audio, AudioError, LoadOptions, Problem, load, load_bytes, probe, probe_bytes};

fn fixture(name: &str) -> PathBuf {
    Path::new(concat!(env!("CARGO_MANIFEST_DIR"), "/../../fixtures")).join(name)
}

fn damaged() -> LoadOptions {
    LoadOptions { accept_damaged: true, ..Default::default() }
}

fn strict(bytes: &[u8]) -> Result<Audio, AudioError> {
    load_bytes(bytes.to_vec(), "cut", &LoadOptions::default())
}

fn cut_off(error: &AudioError) -> Option<(Option<f64>, Option<f64>)> {
    match error.problem() {
        Some(Problem::CutOff { declared, present }) => Some((*declared, *present)),
        _ => None,
    }
}

/// Lossless and lossy, with and without a length in the header; every one whole has 4,000 frames and more at 16 kHz.
const ALL: [&str; 12] = [
    "pcm-u8.wav",
    "pcm-24-extensible.wav",
    "rf64.wav",
    "a-law.wav",
    "mu-law.wav",
    "ms-adpcm.wav",
    "ima-adpcm.wav",
    "flac.flac",
    "vorbis.ogg",
    "mp3.mp3",
    "aiff.aiff",
    "caf.caf",
];

#[test]
fn two_thirds_of_any_format_are_an_error_with_both_lengths() {
    for name in ALL {
        let path = fixture("mfcc/audio").join(name);
        let whole = load(&path, &LoadOptions::default()).unwrap();
        let bytes = std::fs::read(&path).unwrap();
        let cut = &bytes[..bytes.len() * 2 / 3];
        let error = strict(cut).unwrap_err();
        let (declared, present) = cut_off(&error).unwrap_or_else(|| panic!("{name}: {error}"));
        let taken = load_bytes(cut.to_vec(), name, &damaged());
        match name {
            // The headers are longer than two thirds.
            "vorbis.ogg" => {
                assert_eq!((declared, present, taken.is_err()), (None, None, true));
                continue;
            }
            // The only block ends with the file.
            "flac.flac" => {
                assert_eq!((declared, present), (Some(0.25), Some(0.0)));
                assert!(matches!(taken.unwrap_err().problem(), Some(Problem::NoSamples)));
                continue;
            }
            _ => assert!((declared.unwrap() - whole.seconds()).abs() < 1e-9, "{name}: {error}"),
        }
        let taken = taken.unwrap_or_else(|error| panic!("{name}: {error}"));
        let share = taken.samples.len() as f64 / whole.samples.len() as f64;
        assert!((0.2..0.8).contains(&share), "{name}: {share}");
        assert_eq!(taken.samples, whole.samples[..taken.samples.len()], "{name}");
        assert!((present.unwrap() - taken.seconds()).abs() < 1e-3, "{name}: {error}; {} s are taken", taken.seconds());
    }
}

/// Whatever is left of a file, it is never taken for a whole recording.
#[test]
fn no_cut_goes_unnoticed() {
    for name in ALL {
        let bytes = std::fs::read(fixture("mfcc/audio").join(name)).unwrap();
        let whole = strict(&bytes).unwrap();
        for at in (0..bytes.len()).step_by(37) {
            match strict(&bytes[..at]) {
                // An MP3 may lack one MPEG frame. Behind the samples of some files stand other chunks.
                Ok(audio) => {
                    let lost = whole.samples.len() - audio.samples.len();
                    assert!(lost == 0 || name == "mp3.mp3" && lost <= 576, "{name}, {at} of {}: {lost}", bytes.len());
                }
                Err(error) => assert!(error.problem().is_some(), "{name}, {at}: {error}"),
            }
            let _ = load_bytes(bytes[..at].to_vec(), name, &damaged());
        }
    }
}

/// What a container's header and the length of the file tell, a probe tells as well.
#[test]
fn a_probe_finds_cuts_that_headers_tell() {
    for name in ["pcm-u8.wav", "a-law.wav", "ms-adpcm.wav", "vorbis.ogg", "aiff.aiff", "caf.caf"] {
        let bytes = std::fs::read(fixture("mfcc/audio").join(name)).unwrap();
        let cut = bytes[..bytes.len() * 2 / 3].to_vec();
        let loaded = strict(&cut).unwrap_err();
        assert_eq!(probe_bytes(cut, "cut").unwrap_err().to_string(), loaded.to_string(), "{name}");
    }
}

#[test]
fn an_mp3_and_an_aiff_cut_in_a_download() {
    // soundfile.read (libsndfile 1.2.2) finds 47,279 and 9,956 samples in them; the headers count 140,484 and 25,485.
    for (name, says, frames) in [
        ("10-cut-in-download.mp3", "cut off: the header counts 3.19 s, 1.07 s are there", 47_279),
        ("11-cut.aiff", "cut off: the header counts 1.59 s, 0.62 s are there", 9956),
    ] {
        let path = fixture("field").join(name);
        let error = load(&path, &LoadOptions::default()).unwrap_err();
        let text = error.to_string();
        assert!(text.contains(says) && text.contains("accept_damaged"), "{text}");
        assert_eq!(load(&path, &damaged()).unwrap().samples.len(), frames, "{name}");
    }
}

/// No header of an OGG stream counts anything; its last page is marked.
#[test]
fn an_ogg_without_its_last_page_is_cut_off() {
    let bytes = std::fs::read(fixture("field/21-chained.ogg")).unwrap();
    let pages: Vec<usize> = bytes.windows(5).enumerate().filter(|(_, id)| id == b"OggS\0").map(|(at, _)| at).collect();
    let link = *pages.iter().filter(|&&at| bytes[at + 5] & 2 != 0).nth(1).unwrap();
    let whole = strict(&bytes[..link]).unwrap();
    assert_eq!(whole.samples.len(), 25_485);
    let last = *pages.iter().rev().find(|&&at| at < link).unwrap();
    // In the middle of a page, and between two. The page before ends at 16,000 samples.
    for at in [link - 1, last + 1000, last] {
        let cut = bytes[..at].to_vec();
        let error = strict(&cut).unwrap_err();
        let (declared, present) = cut_off(&error).unwrap_or_else(|| panic!("{at}: {error}"));
        let taken = load_bytes(cut, "cut", &damaged()).unwrap_or_else(|error| panic!("{at}: {error}"));
        assert!(declared.is_none() && error.to_string().contains("and no end"), "{error}");
        assert_eq!((present, taken.samples.len()), (Some(1.0), 16_000), "{at}: {error}");
        assert_eq!(taken.samples, whole.samples[..taken.samples.len()]);
    }
}

#[test]
fn an_mp4_is_cut_before_or_behind_its_index() {
    let bytes = std::fs::read(fixture("field/07-phone-aac.m4a")).unwrap();
    // The index is the last part: without it nothing can be read, and nothing is promised.
    let error = strict(&bytes[..bytes.len() * 2 / 3]).unwrap_err();
    assert_eq!(cut_off(&error), Some((None, None)), "{error}");
    assert!(!error.to_string().contains("accept"), "{error}");
    // The same with the index in front, as `MP4Box -inter` and `ffmpeg -movflags faststart` write it: the offsets of the
    // samples (stco) grow by its length.
    let at = bytes.windows(4).position(|id| id == b"moov").unwrap() - 4;
    let mdat = bytes.windows(4).position(|id| id == b"mdat").unwrap() - 4;
    let mut moov = bytes[at..].to_vec();
    let stco = moov.windows(4).position(|id| id == b"stco").unwrap() + 4;
    let number = |bytes: &[u8], at: usize| u32::from_be_bytes(bytes[at..at + 4].try_into().unwrap());
    let grown = moov.len() as u32;
    for entry in 0..number(&moov, stco + 4) as usize {
        let place = stco + 8 + 4 * entry;
        let moved = number(&moov, place) + grown;
        moov[place..place + 4].copy_from_slice(&moved.to_be_bytes());
    }
    let fast = [&bytes[..mdat], &moov, &bytes[mdat..at]].concat();
    let whole = strict(&bytes).unwrap();
    assert_eq!(strict(&fast).unwrap(), whole);
    let cut = &fast[..fast.len() * 2 / 3];
    let error = strict(cut).unwrap_err();
    let (declared, present) = cut_off(&error).unwrap_or_else(|| panic!("{error}"));
    let taken = load_bytes(cut.to_vec(), "cut", &damaged()).unwrap();
    assert_eq!(present, Some(taken.seconds()));
    assert!((declared.unwrap() - whole.seconds()).abs() < 0.05, "{error}");
    assert_eq!(taken.samples, whole.samples[..taken.samples.len()]);
}

/// A walk over the frame headers counts 123 MPEG frames of 1,152 samples:
/// `while i < len(b): h = int.from_bytes(b[i:i+4], 'big'); n += 1; i += 144000 * BITRATES[h >> 12 & 15] // 44100 + (h >> 9 & 1)`
#[test]
fn every_frame_of_an_mp3_without_a_count_is_read() {
    let path = fixture("field/09-vbr-no-xing.mp3");
    assert_eq!(load(&path, &LoadOptions::default()).unwrap().samples.len(), 123 * 1152);
    assert_eq!(probe(&path).unwrap().frames, None, "an estimate is no fact");
}
