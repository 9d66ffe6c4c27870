//! Any bytes as a recording: an answer or an error, in bounded memory.

#![no_main]

use libfuzzer_sys::fuzz_target;
use seraudio::{Limits, LoadOptions, Resampler, load_bytes, probe_bytes};

fuzz_target!(|data: &[u8]| {
    let Some((&choice, recording)) = data.split_first() else { return };
    let options = LoadOptions {
        rate: (choice & 1 == 1).then_some(8000),
        resampler: Resampler::ALL[usize::from(choice >> 1) % Resampler::ALL.len()],
        accept_damaged: choice & 64 == 64,
        limits: Limits { max_seconds: 5.0, ..Limits::default() },
        ..LoadOptions::default()
    };
    let _ = probe_bytes(recording.to_vec(), "fuzz");
    if let Ok(audio) = load_bytes(recording.to_vec(), "fuzz", &options) {
        assert!(!audio.samples.is_empty());
        assert!(audio.rate > 0);
    }
});
