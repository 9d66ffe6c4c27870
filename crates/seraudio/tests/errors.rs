//! Every way in which a file is not the recording it should be: an error that says so, and no panic.

#![allow(clippy::unwrap_used)]

mod common;

use common::{chunk, fmt, wav};
use seraudio::{Audio, AudioError, Limits, LoadOptions, Problem, load, load_bytes, probe_bytes};

fn load_default(bytes: &[u8]) -> Result<Audio, AudioError> {
    load_bytes(bytes.to_vec(), "a.wav", &LoadOptions::default())
}

/// The error that both loading and probing give, as text.
fn refused(bytes: &[u8]) -> String {
    let loaded = load_default(bytes).unwrap_err().to_string();
    let probed = probe_bytes(bytes.to_vec(), "a.wav").unwrap_err().to_string();
    assert_eq!(loaded, probed);
    assert!(loaded.starts_with("a.wav: "), "{loaded}");
    loaded
}

#[track_caller]
fn assert_refused(bytes: &[u8], says: &[&str]) {
    let text = refused(bytes);
    for says in says {
        assert!(text.contains(says), "{text:?} should say {says:?}");
    }
}

fn sixteen_bit(data: &[u8]) -> Vec<u8> {
    wav(&[chunk(b"fmt ", &fmt(1, 1, 16_000, 16)), chunk(b"data", data)])
}

#[test]
fn missing_file_and_folder() {
    let folder = tempfile::tempdir().unwrap();
    let missing = folder.path().join("none.wav");
    let error = load(&missing, &LoadOptions::default()).unwrap_err();
    assert!(matches!(error.problem(), Some(Problem::Missing)), "{error}");
    assert!(error.to_string().contains("none.wav"));
    let error = load(folder.path(), &LoadOptions::default()).unwrap_err();
    assert!(matches!(error.problem(), Some(Problem::Folder)), "{error}");
}

#[test]
fn things_named_wav_that_are_not() {
    assert_refused(b"", &["empty (0 bytes)"]);
    assert_refused(
        b"version https://git-lfs.github.com/spec/v1\noid sha256:4d7a\nsize 12345\n",
        &["Git-LFS pointer", "git lfs pull"],
    );
    assert_refused(b"\0\x05\x16\x07\0\x02\0\0Mac OS X        ", &["AppleDouble"]);
    assert_refused(b"<!DOCTYPE html><html>", &["not audio", "web page"]);
    assert_refused(b"Dear reader, this is prose and no sound.", &["not audio", "text", "Dear reader"]);
    assert_refused(b"PK\x03\x04\0\0\0\0\0\0\0\0", &["ZIP"]);
    assert_refused(&[7; 400], &["not audio", "07 07"]);
    assert_refused(b"RIFF\x24\0\0\0AVI LIST", &["form \"AVI \""]);
    assert_refused(b"RIFF\x24\0", &["RIFF header", "12", "6"]);
    assert_refused(b"RIFX\0\0\0\x24WAVE", &["big-endian"]);
    // Audio of other kinds is named, not taken for noise.
    assert_refused(b"NIST_1A\n   1024\nsample_count -i 25485", &["not supported", "NIST SPHERE", "convert"]);
    assert_refused(b"\x30\x26\xb2\x75\x8e\x66\xcf\x11\xa6\xd9", &["Windows Media"]);
}

#[test]
fn truncated_wav_names_both_numbers() {
    let mut bytes = sixteen_bit(&[1; 1000]);
    bytes.truncate(bytes.len() - 600);
    assert_refused(&bytes, &["truncated", "the header counts 0.03 s, 0.01 s are there"]);
    let options = LoadOptions { accept_damaged: true, ..Default::default() };
    assert_eq!(load_bytes(bytes, "a.wav", &options).unwrap().samples.len(), 200);
}

#[test]
fn huge_declared_sizes_end_in_an_error() {
    let mut bytes = sixteen_bit(&[0; 8]);
    let at = bytes.len() - 12;
    bytes[at..at + 4].copy_from_slice(&0x7fff_0000u32.to_le_bytes());
    assert_refused(&bytes, &["truncated", "67106.82 s", "0.00 s are there"]);
    let mut bytes = wav(&[chunk(b"LIST", &[0; 4])]);
    bytes[16..20].copy_from_slice(&u32::MAX.to_le_bytes());
    assert_refused(&bytes, &["LIST", "4294967295"]);
}

#[test]
fn hostile_headers() {
    let with =
        |tag, channels, rate, bits| wav(&[chunk(b"fmt ", &fmt(tag, channels, rate, bits)), chunk(b"data", &[0; 48])]);
    assert_refused(&with(1, 0, 16_000, 16), &["0 channels"]);
    assert_refused(&with(1, 1, 0, 16), &["rate of 0 Hz"]);
    assert_refused(&with(1, 1, 1_000_000_000, 16), &["1000000000 Hz", "768000"]);
    assert_refused(&with(1, 1000, 16_000, 16), &["1000 channels", "64"]);
    assert_refused(&with(1, 1, 16_000, 0), &["PCM of 0 bits"]);
    assert_refused(&with(1, 1, 16_000, 40), &["PCM of 40 bits"]);
    assert_refused(&with(3, 1, 16_000, 16), &["float of 16 bits"]);
    let mut inconsistent = fmt(1, 2, 16_000, 16);
    inconsistent[12] = 2;
    inconsistent[8] = 7;
    assert_refused(&wav(&[chunk(b"fmt ", &inconsistent), chunk(b"data", &[0; 8])]), &["4 bytes a frame, it says 2"]);
    assert_refused(&wav(&[chunk(b"fmt ", &[1, 0, 1, 0])]), &["fmt chunk of 4 bytes"]);
    assert_refused(&wav(&[chunk(b"data", &[0; 8])]), &["data chunk comes before the fmt chunk"]);
    assert_refused(&wav(&[chunk(b"fmt ", &fmt(1, 1, 16_000, 16))]), &["no data chunk"]);
    assert_refused(&wav(&[]), &["no fmt chunk"]);
    assert_refused(&with(0x7777, 1, 16_000, 16), &["not supported", "format tag 0x7777"]);
    assert_refused(&with(0x55, 1, 16_000, 16), &["not supported", "MP3 in WAV"]);
    assert_refused(&with(2, 60, 16_000, 4), &["ADPCM blocks of 60 bytes are too short for 60 channel(s)"]);
}

#[test]
fn samples_that_are_no_numbers() {
    for value in [f32::NAN, f32::INFINITY] {
        let samples: Vec<u8> = [0.0, 0.5, value].into_iter().flat_map(f32::to_le_bytes).collect();
        let bytes = wav(&[chunk(b"fmt ", &fmt(3, 1, 16_000, 32)), chunk(b"data", &samples)]);
        let text = load_default(&bytes).unwrap_err().to_string();
        assert!(text.contains("not finite") && text.contains("frame 2"), "{text}");
    }
}

#[test]
fn no_samples_too_long_and_no_such_channel() {
    let text = load_default(&sixteen_bit(&[])).unwrap_err().to_string();
    assert!(text.contains("no samples"), "{text}");
    let limits = Limits { max_seconds: 0.5, ..Default::default() };
    let short = LoadOptions { limits, ..Default::default() };
    let text = load_bytes(sixteen_bit(&[0; 16_002]), "a.wav", &short).unwrap_err().to_string();
    assert!(text.contains("longer than 0.5 s"), "{text}");
    // Compressed samples take less than a byte a sample, or a byte for each channel.
    for (tag, channels, bits, bytes) in [(6, 1, 8, 4000), (7, 2, 8, 8000), (6, 2, 8, 8000), (2, 1, 4, 256 * 7)] {
        let mut format = fmt(tag, channels, 8000, bits);
        if tag == 2 {
            format[12..14].copy_from_slice(&256u16.to_le_bytes());
        }
        let data = vec![0; bytes];
        let bytes = wav(&[chunk(b"fmt ", &format), chunk(b"data", &data)]);
        let frames = if tag == 2 { 500 * 7 } else { 4000 };
        assert_eq!(probe_bytes(bytes.clone(), "a.wav").unwrap().frames, Some(frames));
        let loaded = load_bytes(bytes, "a.wav", &short);
        assert_eq!(loaded.unwrap().samples.len() as u64, frames, "tag {tag}, {channels} channel(s)");
        let twice = wav(&[chunk(b"fmt ", &format), chunk(b"data", &data.repeat(2))]);
        let text = load_bytes(twice, "a.wav", &short).unwrap_err().to_string();
        assert!(text.contains("longer than 0.5 s"), "{text}");
    }
    let right = LoadOptions { downmix: "right".parse().unwrap(), ..Default::default() };
    let text = load_bytes(sixteen_bit(&[0; 16]), "a.wav", &right).unwrap_err().to_string();
    assert!(text.contains("1 channel(s)"), "{text}");
}

#[test]
fn names_that_do_not_exist_list_those_that_do() {
    let text = "kaiser_best".parse::<seraudio::Resampler>().unwrap_err().to_string();
    assert!(text.contains("kaiser_best-0.2"), "{text}");
    let text = "cubic".parse::<seraudio::Resampler>().unwrap_err().to_string();
    assert!(text.contains("sinc, kaiser_best-0.2, kaiser_best-0.3, soxr_hq"), "{text}");
    assert!("mono".parse::<seraudio::Downmix>().is_err());
    let text = serde_json::from_str::<LoadOptions>(r#"{"rte": 16000}"#).unwrap_err().to_string();
    assert!(text.contains("rte"), "{text}");
}
