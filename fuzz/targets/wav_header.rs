//! Any bytes as a WAV file: what the header tells is what loading gives, and what hound reads where it reads them.

#![no_main]

use std::io::Cursor;

use libfuzzer_sys::fuzz_target;
use seraudio::{LoadOptions, Problem, load_bytes, probe_bytes};

fuzz_target!(|data: &[u8]| {
    let mut bytes = data.to_vec();
    if !bytes.starts_with(b"RIFF") && !bytes.starts_with(b"RF64") {
        bytes.splice(..0, *b"RIFF\0\0\0\0WAVE");
    }
    let options = LoadOptions::default();
    let (probed, loaded) = (probe_bytes(bytes.clone(), "fuzz"), load_bytes(bytes.clone(), "fuzz", &options));
    let audio = match (&probed, loaded) {
        (Ok(_), Ok(audio)) => audio,
        (Err(_), Ok(_)) => panic!("what cannot be probed is loaded"),
        (Ok(info), Err(error)) => {
            // Samples, and what a decoder finds in them, a header does not tell.
            let told = matches!(
                error.problem(),
                Some(
                    Problem::NotFinite { .. } | Problem::TooLong { .. } | Problem::NoSamples | Problem::Damaged { .. }
                )
            );
            assert!(told, "{info:?}: {error}");
            return;
        }
        (Err(_), Err(_)) => return,
    };
    let Ok(info) = probed else { return };
    assert_eq!(audio.rate, info.rate);
    assert_eq!(Some(audio.samples.len() as u64), info.frames, "{info:?}");
    let Ok(mut reader) = hound::WavReader::new(Cursor::new(&bytes)) else { return };
    let spec = reader.spec();
    if spec.bits_per_sample != 16 || spec.sample_format != hound::SampleFormat::Int || info.open_ended {
        return;
    }
    let Ok(samples) = reader.samples::<i16>().collect::<Result<Vec<_>, _>>() else { return };
    assert_eq!((spec.sample_rate, u32::from(spec.channels)), (info.rate, info.channels));
    assert_eq!(samples.len() / usize::from(spec.channels), audio.samples.len());
    if spec.channels == 1 {
        assert!(samples.iter().zip(&audio.samples).all(|(a, b)| f32::from(*a) / 32_768.0 == *b));
    }
});
