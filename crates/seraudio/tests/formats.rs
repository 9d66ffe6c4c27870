//! Every format against soundfile, on the files that fixtures/mfcc/audio.py made.

#![allow(clippy::unwrap_used)]

use std::ops::ControlFlow;
use std::path::{Path, PathBuf};

use ndarray::Array1;
use seraudio::{LoadOptions, load, probe, stream, stream_bytes};

fn folder() -> PathBuf {
    PathBuf::from(concat!(env!("CARGO_MANIFEST_DIR"), "/../../fixtures/mfcc/audio"))
}

/// Number of samples, samples expected, largest difference.
fn against_soundfile(file: &Path) -> (usize, usize, f32) {
    let found = load(file, &LoadOptions::default()).unwrap();
    assert_eq!(found.rate, 16_000);
    let expected: Array1<f32> = ndarray_npy::read_npy(file.with_extension("npy")).unwrap();
    let worst = found.samples.iter().zip(&expected).fold(0.0f32, |worst, (a, b)| worst.max((a - b).abs()));
    (found.samples.len(), expected.len(), worst)
}

#[test]
fn lossless_formats_are_equal() {
    for name in [
        "pcm-u8.wav",
        "pcm-24-extensible.wav",
        "float-64.wav",
        "rf64.wav",
        "flac.flac",
        "flac-24.flac",
        "aiff.aiff",
        "caf.caf",
        "a-law.wav",
        "mu-law.wav",
    ] {
        let (found, expected, worst) = against_soundfile(&folder().join(name));
        assert_eq!(found, expected, "{name}");
        assert!(worst < 1e-7, "{name}: {worst:e}");
    }
}

#[test]
fn lossy_formats_are_near() {
    // The two decoders round IMA ADPCM steps differently; the others agree to the last bits.
    for (name, tolerance) in [("ms-adpcm.wav", 1e-6), ("vorbis.ogg", 1e-6), ("mp3.mp3", 1e-6), ("ima-adpcm.wav", 1e-3)]
    {
        let (found, expected, worst) = against_soundfile(&folder().join(name));
        assert_eq!(found, expected, "{name}");
        assert!(worst < tolerance, "{name}: {worst:e}");
    }
}

#[test]
fn the_extension_does_not_matter() {
    let temporary = tempfile::tempdir().unwrap();
    let disguised = temporary.path().join("recording.wav");
    std::fs::copy(folder().join("flac.flac"), &disguised).unwrap();
    let audio = load(&disguised, &LoadOptions::default()).unwrap();
    assert_eq!(audio, load(&folder().join("flac.flac"), &LoadOptions::default()).unwrap());
}

#[test]
fn headers_tell_rate_channels_and_length() {
    // ADPCM fills its last block: soundfile reads as many from it (fixtures/mfcc/audio/*.npy).
    for (name, frames) in [
        ("pcm-u8.wav", 4000),
        ("pcm-24-extensible.wav", 4000),
        ("float-64.wav", 4000),
        ("rf64.wav", 4000),
        ("a-law.wav", 4000),
        ("mu-law.wav", 4000),
        ("ms-adpcm.wav", 4048),
        ("ima-adpcm.wav", 4068),
        ("flac.flac", 4000),
        ("vorbis.ogg", 4000),
        ("mp3.mp3", 4000),
        ("aiff.aiff", 4000),
        ("caf.caf", 4000),
    ] {
        let path = folder().join(name);
        let info = probe(&path).unwrap();
        assert_eq!((info.rate, info.channels, info.frames), (16_000, 2, Some(frames)), "{name}");
        let expected: Array1<f32> = ndarray_npy::read_npy(path.with_extension("npy")).unwrap();
        assert_eq!(expected.len() as u64, frames, "{name}");
    }
}

#[test]
fn a_stream_gives_the_samples_of_the_whole() {
    for name in ["pcm-24-extensible.wav", "flac.flac", "mp3.mp3", "mu-law.wav"] {
        let path = folder().join(name);
        let Ok(whole) = load(&path, &LoadOptions::default()) else { panic!("{name}") };
        let (mut samples, mut blocks) = (Vec::new(), 0);
        let mut take = |block: &[f32], rate: u32| {
            assert_eq!(rate, whole.rate, "{name}");
            samples.extend_from_slice(block);
            blocks += 1;
            ControlFlow::Continue(())
        };
        stream(&path, &LoadOptions::default(), &mut take).unwrap();
        assert_eq!(samples, whole.samples, "{name}");
        let mut first = 0;
        let once = |block: &[f32], _| {
            first += block.len();
            ControlFlow::Break(())
        };
        stream_bytes(std::fs::read(&path).unwrap(), name, &LoadOptions::default(), once).unwrap();
        assert!(first > 0 && (blocks == 1 || first < whole.samples.len()), "{name}: {first}");
    }
}
