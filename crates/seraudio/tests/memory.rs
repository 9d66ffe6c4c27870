//! No allocation is sized by an unverified header field: small files with lying headers, and the largest single allocation.

#![allow(clippy::unwrap_used)]

mod common;

use std::alloc::{GlobalAlloc, Layout, System};
use std::path::Path;
use std::sync::atomic::{AtomicUsize, Ordering};

use common::{chunk, fmt, wav};
use seraudio::{LoadOptions, ResampleStream, Resampler, load_bytes, probe_bytes, resample};

/// The system's allocator, watched.
struct Watched;

static LARGEST: AtomicUsize = AtomicUsize::new(0);

unsafe impl GlobalAlloc for Watched {
    unsafe fn alloc(&self, layout: Layout) -> *mut u8 {
        LARGEST.fetch_max(layout.size(), Ordering::Relaxed);
        unsafe { System.alloc(layout) }
    }

    unsafe fn dealloc(&self, pointer: *mut u8, layout: Layout) {
        unsafe { System.dealloc(pointer, layout) }
    }

    unsafe fn realloc(&self, pointer: *mut u8, layout: Layout, size: usize) -> *mut u8 {
        LARGEST.fetch_max(size, Ordering::Relaxed);
        unsafe { System.realloc(pointer, layout, size) }
    }
}

#[global_allocator]
static ALLOCATOR: Watched = Watched;

/// The largest allocation that reading `bytes` makes.
fn largest(bytes: &[u8]) -> usize {
    LARGEST.store(0, Ordering::Relaxed);
    let _ = probe_bytes(bytes.to_vec(), "lie");
    for accept_damaged in [false, true] {
        let _ = load_bytes(bytes.to_vec(), "lie", &LoadOptions { accept_damaged, ..Default::default() });
    }
    LARGEST.load(Ordering::Relaxed)
}

/// `bytes` with `value` written `behind` the end of the first `mark`.
fn with(bytes: &[u8], mark: &[u8], behind: usize, value: &[u8]) -> Vec<u8> {
    let at = bytes.windows(mark.len()).position(|window| window == mark).unwrap() + mark.len() + behind;
    let mut bytes = bytes.to_vec();
    bytes[at..at + value.len()].copy_from_slice(value);
    bytes
}

/// One test, because the allocator is watched for the whole process.
#[test]
fn lying_headers_and_rates_do_not_size_allocations() {
    let fixtures = Path::new(concat!(env!("CARGO_MANIFEST_DIR"), "/../../fixtures"));
    let file = |name: &str| std::fs::read(fixtures.join(name)).unwrap();
    let huge = 0x7fff_fff0u32;
    let (le, be) = (huge.to_le_bytes(), huge.to_be_bytes());
    let pcm = wav(&[chunk(b"LIST", &[0; 20]), chunk(b"fmt ", &fmt(1, 1, 16_000, 16)), chunk(b"data", &[1; 400])]);
    let (a_law, aiff, caf) = (file("mfcc/audio/a-law.wav"), file("mfcc/audio/aiff.aiff"), file("mfcc/audio/caf.caf"));
    let (flac, mp3, mp4) = (file("mfcc/audio/flac.flac"), file("mfcc/audio/mp3.mp3"), file("field/07-phone-aac.m4a"));
    let caf_size = 0x7fff_ffff_fff0u64.to_be_bytes();
    // A FLAC metadata block of 16 MB: a picture (6), vorbis comments (4), and an application's data (2).
    let block = |kind: u8| [&flac[..42], &[kind, 0xff, 0xff, 0xff], &be, &be, &flac[42..]].concat();
    let mut flac_blocks: Vec<(String, Vec<u8>)> =
        [2, 4, 5, 6].into_iter().map(|kind| (format!("FLAC block {kind}"), block(kind))).collect();
    flac_blocks.iter_mut().for_each(|(_, bytes)| bytes[4] = 0);
    let mut lies: Vec<(String, Vec<u8>)> = [
        ("WAV data", with(&pcm, b"data", 0, &le)),
        ("WAV data, open-ended", with(&pcm, b"data", 0, &[0xff; 4])),
        ("WAV fmt", with(&pcm, b"fmt ", 0, &le)),
        ("WAV LIST", with(&pcm, b"LIST", 0, &le)),
        ("A-law data", with(&a_law, b"data", 0, &le)),
        ("AIFF FORM", with(&aiff, b"FORM", 0, &be)),
        ("AIFF COMM", with(&aiff, b"COMM", 0, &be)),
        ("AIFF frames", with(&aiff, b"COMM", 6, &be)),
        ("AIFF SSND", with(&aiff, b"SSND", 0, &be)),
        ("CAF desc", with(&caf, b"desc", 0, &caf_size)),
        ("CAF data", with(&caf, b"data", 0, &caf_size)),
        ("CAF pakt", [&caf[..52], b"pakt".as_slice(), &caf_size, &caf_size, &caf_size, &caf[52..]].concat()),
        (
            "CAF pakt of 24 bytes",
            [&caf[..52], b"pakt\0\0\0\0\0\0\0\x18", &caf_size, &caf_size, &[0; 8], &caf[52..]].concat(),
        ),
        ("MP3 frames", with(&mp3, b"Xing", 4, &be)),
        ("MP4 stsz", with(&mp4, b"stsz", 8, &be)),
        ("MP4 stts", with(&mp4, b"stts", 4, &be)),
        ("MP4 stsc", with(&mp4, b"stsc", 4, &be)),
        ("MP4 stco", with(&mp4, b"stco", 4, &be)),
        ("MP4 mdat", with(&mp4, b"free", 4, &be)),
        ("ID3", [b"ID3\x04\0\0\x7f\x7f\x7f\x7fAPIC\x7f\x7f\x7f\x7f\0\0".as_slice(), &mp3].concat()),
    ]
    .map(|(name, bytes)| (name.to_owned(), bytes))
    .into();
    lies.append(&mut flac_blocks);
    for (name, bytes) in &lies {
        let most = largest(bytes);
        assert!(most < 8 << 20, "{name}: {most} bytes at once for a file of {}", bytes.len());
    }

    // Rates of a user's choice: an error, or a bounded filter.
    LARGEST.store(0, Ordering::Relaxed);
    for resampler in Resampler::ALL {
        for (from, to) in
            [(u32::MAX, 1), (1, 4_000_000_000), (1, 16_777_216), (16_777_216, 1), (2048, 16_777_215), (8191, 1)]
        {
            let _ = resample(&[0.5; 3], from, to, resampler);
            let _ = ResampleStream::new(from, to, resampler);
        }
    }
    let most = LARGEST.load(Ordering::Relaxed);
    assert!(most < 80 << 20, "{most}");
}
