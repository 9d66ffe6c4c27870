//! Any rates, pieces and samples: an error, or a result of the length promised, the same in one piece and in several.

#![no_main]

use libfuzzer_sys::fuzz_target;
use seraudio::{ResampleStream, Resampler, resample, resampled_length};

fuzz_target!(|input: (u32, u32, u8, u8, &[u8])| {
    let (from, to, kind, piece, bytes) = input;
    let resampler = Resampler::ALL[usize::from(kind) % Resampler::ALL.len()];
    let samples: Vec<f32> = bytes.iter().take(200).map(|&byte| f32::from(byte) / 128.0 - 1.0).collect();
    let Ok(length) = resampled_length(samples.len(), from, to) else {
        assert!(resample(&samples, from, to, resampler).is_err());
        assert!(ResampleStream::new(from, to, resampler).is_err());
        return;
    };
    let whole = resample(&samples, from, to, resampler).expect("a length that can be told can be made");
    assert_eq!(whole.len(), length);
    assert!(whole.iter().all(|sample| sample.is_finite()));
    let mut stream = ResampleStream::new(from, to, resampler).expect("as in one piece");
    let mut pieces = Vec::new();
    samples.chunks(usize::from(piece).max(1)).for_each(|piece| stream.push(piece, &mut pieces));
    stream.finish(&mut pieces);
    assert_eq!(whole, pieces);
});
