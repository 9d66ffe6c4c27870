//! WAV in all its forms: sample values, odd chunks, what follows the data.

#![allow(clippy::unwrap_used)]

mod common;

use common::{chunk, fmt, wav};
use proptest::prelude::*;
use seraudio::{Downmix, LoadOptions, load_bytes, probe_bytes};

fn samples(bytes: Vec<u8>) -> Vec<f32> {
    load_bytes(bytes, "a.wav", &LoadOptions::default()).unwrap().samples
}

fn one_channel(tag: u16, bits: u16, data: &[u8]) -> Vec<u8> {
    wav(&[chunk(b"fmt ", &fmt(tag, 1, 16_000, bits)), chunk(b"data", data)])
}

#[test]
fn every_width_is_scaled_by_its_full_range() {
    assert_eq!(samples(one_channel(1, 8, &[0, 128, 192])), [-1.0, 0.0, 0.5]);
    assert_eq!(samples(one_channel(1, 16, &[0, 0x80, 1, 0, 0xff, 0x7f])), [-1.0, 1.0 / 32_768.0, 32_767.0 / 32_768.0]);
    assert_eq!(samples(one_channel(1, 24, &[0, 0, 0x80, 1, 0, 0, 0, 0, 0x40])), [-1.0, 1.0 / 8_388_608.0, 0.5]);
    assert_eq!(samples(one_channel(1, 32, &[0, 0, 0, 0x80, 0, 0, 0, 0x40])), [-1.0, 0.5]);
    // 12 valid bits stand at the top of a 16-bit container.
    assert_eq!(samples(one_channel(1, 12, &[0, 0x40])), [0.5]);
    let float: Vec<u8> = [0.25f32, -1.5].into_iter().flat_map(f32::to_le_bytes).collect();
    assert_eq!(samples(one_channel(3, 32, &float)), [0.25, -1.5]);
    let double: Vec<u8> = [0.25f64, -1.5].into_iter().flat_map(f64::to_le_bytes).collect();
    assert_eq!(samples(one_channel(3, 64, &double)), [0.25, -1.5]);
}

#[test]
fn extensible_means_its_sub_format() {
    let mut body = fmt(0xfffe, 1, 16_000, 16);
    body.extend([22, 0, 16, 0, 4, 0, 0, 0, 1, 0]);
    body.extend([0, 0, 0, 0, 0x10, 0, 0x80, 0, 0, 0xaa, 0, 0x38, 0x9b, 0x71]);
    let bytes = wav(&[chunk(b"fmt ", &body), chunk(b"data", &[0, 0x40])]);
    assert_eq!(samples(bytes), [0.5]);
}

#[test]
fn only_the_data_chunk_is_samples() {
    let bytes = wav(&[
        chunk(b"FLLR", &[9; 4000]),
        chunk(b"PAD ", &[9; 5]),
        chunk(b"fmt ", &fmt(1, 1, 16_000, 16)),
        chunk(b"data", &[0, 0x40]),
        chunk(b"LIST", &[9; 45_000]),
    ]);
    assert_eq!(samples(bytes.clone()), [0.5]);
    let info = probe_bytes(bytes, "a.wav").unwrap();
    assert_eq!((info.rate, info.channels, info.frames), (16_000, 1, Some(1)));
}

#[test]
fn a_missing_pad_byte_is_tolerated() {
    let mut odd = chunk(b"note", &[9; 5]);
    odd.pop();
    let bytes = wav(&[odd, chunk(b"fmt ", &fmt(1, 1, 16_000, 16)), chunk(b"data", &[0, 0x40])]);
    assert_eq!(samples(bytes), [0.5]);
}

/// The header of 01 and 03 of the field: ffmpeg into a pipe, and a recorder that was killed.
#[test]
fn a_length_that_was_never_filled_in_means_the_rest_of_the_file() {
    let whole = one_channel(1, 16, &[0, 0x40, 0, 0xc0]);
    for size in [u32::MAX, 0x8000_0000, 0x7fff_ffff, 0x7fff_f000, 0] {
        for riff in [size, 36] {
            let mut bytes = whole.clone();
            bytes[4..8].copy_from_slice(&riff.to_le_bytes());
            let at = bytes.len() - 8;
            bytes[at..at + 4].copy_from_slice(&size.to_le_bytes());
            let info = probe_bytes(bytes.clone(), "a.wav").unwrap();
            assert_eq!((info.frames, info.open_ended), (Some(2), true), "{size:x}");
            assert_eq!(samples(bytes), [0.5, -0.5], "{size:x}");
        }
    }
    assert!(!probe_bytes(whole, "a.wav").unwrap().open_ended);
    // The same of compressed samples, and in RF64.
    let mut a_law = one_channel(6, 8, &[0x55; 10]);
    let at = a_law.len() - 14;
    a_law[at..at + 4].copy_from_slice(&[0xff; 4]);
    a_law[4..8].copy_from_slice(&[0; 4]);
    assert_eq!(samples(a_law).len(), 10);
    // An empty recording stays one, whatever stands behind its data chunk.
    let empty = wav(&[chunk(b"fmt ", &fmt(1, 1, 16_000, 16)), chunk(b"data", &[]), chunk(b"LIST", &[9; 8])]);
    let info = probe_bytes(empty.clone(), "a.wav").unwrap();
    assert_eq!((info.frames, info.open_ended), (Some(0), false));
    assert!(load_bytes(empty, "a.wav", &LoadOptions::default()).is_err());
}

#[test]
fn a_wrong_block_align_does_not_matter_where_the_rest_agrees() {
    // 2 channels of 16 bits take 4 bytes a frame: in bits, of one channel, not given.
    for align in [32u16, 2, 0] {
        let mut format = fmt(1, 2, 16_000, 16);
        format[12..14].copy_from_slice(&align.to_le_bytes());
        let bytes = wav(&[chunk(b"fmt ", &format), chunk(b"data", &[0, 0x40, 0, 0, 0, 0xc0, 0, 0xc0])]);
        assert_eq!(probe_bytes(bytes.clone(), "a.wav").unwrap().frames, Some(2));
        assert_eq!(samples(bytes), [0.25, -0.5], "{align}");
    }
}

#[test]
fn twenty_four_bits_in_four_bytes_are_low_or_high() {
    let with = |data: &[u8]| {
        let mut format = fmt(1, 1, 16_000, 24);
        format[12] = 4;
        samples(wav(&[chunk(b"fmt ", &format), chunk(b"data", data)]))
    };
    // The low three bytes, as `arecord -f S24_LE` writes them.
    assert_eq!(with(&[0, 0, 0x40, 0, 1, 0, 0xc0, 0xff]), [0.5, -0.5 + 1.0 / 8_388_608.0]);
    assert_eq!(with(&[0, 0, 0x40, 0, 0, 0, 0xc0, 0xff]), [0.5, -0.5]);
    // The high three bytes.
    assert_eq!(with(&[0, 0, 0, 0x40, 0, 0, 0, 0xc0]), [0.5, -0.5]);
}

#[test]
fn rf64_takes_its_size_from_ds64() {
    let mut sizes = vec![0; 28];
    sizes[8] = 2;
    let mut data = chunk(b"data", &[0, 0x40]);
    data[4..8].copy_from_slice(&u32::MAX.to_le_bytes());
    let mut bytes =
        wav(&[chunk(b"ds64", &sizes), chunk(b"fmt ", &fmt(1, 1, 16_000, 16)), data, chunk(b"LIST", &[9; 8])]);
    bytes[..4].copy_from_slice(b"RF64");
    assert_eq!(samples(bytes), [0.5]);
}

#[test]
fn channels_are_averaged_or_picked() {
    let frames: Vec<u8> = [16_384i16, 0, -16_384, -16_384].into_iter().flat_map(i16::to_le_bytes).collect();
    let bytes = wav(&[chunk(b"fmt ", &fmt(1, 2, 16_000, 16)), chunk(b"data", &frames)]);
    let mixed = |downmix| {
        let options = LoadOptions { downmix, ..Default::default() };
        load_bytes(bytes.clone(), "a.wav", &options).unwrap().samples
    };
    assert_eq!(mixed(Downmix::Mean), [0.25, -0.5]);
    assert_eq!(mixed("left".parse().unwrap()), [0.5, -0.5]);
    assert_eq!(mixed("right".parse().unwrap()), [0.0, -0.5]);
}

proptest! {
    /// hound wrote it, we read it: the same samples, for signals around and beyond a block.
    #[test]
    fn agrees_with_hound(values in proptest::collection::vec(any::<i16>(), 2..40_000), channels in 1u16..4) {
        let spec = hound::WavSpec {
            channels, sample_rate: 44_100, bits_per_sample: 16, sample_format: hound::SampleFormat::Int,
        };
        let mut bytes = std::io::Cursor::new(Vec::new());
        let mut writer = hound::WavWriter::new(&mut bytes, spec).unwrap();
        let frames = values.len() / usize::from(channels);
        prop_assume!(frames > 0);
        let values = &values[..frames * usize::from(channels)];
        for &value in values {
            writer.write_sample(value).unwrap();
        }
        writer.finalize().unwrap();
        let expected: Vec<f32> = values
            .chunks(channels.into())
            .map(|frame| frame.iter().map(|&v| f32::from(v) / 32_768.0).sum::<f32>() / f32::from(channels))
            .collect();
        prop_assert_eq!(samples(bytes.into_inner()), expected);
    }

    /// Chunks of any kind, honest and not: what the header tells is what is read.
    #[test]
    fn a_probe_tells_what_is_read(
        chunks in proptest::collection::vec(
            (proptest::sample::select(vec![*b"fmt ", *b"data", *b"LIST", *b"PAD "]), any::<u32>(),
             proptest::bool::weighted(0.8), proptest::collection::vec(any::<u8>(), 0..40)), 0..4),
        (tag, channels, bits) in proptest::sample::select(vec![
            (1, 1, 16), (1, 2, 24), (3, 1, 32), (6, 2, 8), (7, 1, 8), (1, 3, 8)]),
    ) {
        let mut body = chunk(b"fmt ", &fmt(tag, channels, 8000, bits));
        for (name, length, honest, content) in &chunks {
            body.extend(name);
            body.extend(if *honest { content.len() as u32 } else { *length }.to_le_bytes());
            body.extend(content);
        }
        let bytes = wav(&[body]);
        let probed = probe_bytes(bytes.clone(), "a.wav");
        match (probed, load_bytes(bytes, "a.wav", &LoadOptions::default())) {
            (Ok(info), Ok(audio)) => {
                prop_assert_eq!((info.frames, info.rate), (Some(audio.samples.len() as u64), audio.rate));
            }
            (Ok(info), Err(error)) => {
                let text = error.to_string();
                prop_assert!(info.frames == Some(0) || text.contains("not finite") || text.contains("longer"), "{}", text);
            }
            (Err(_), loaded) => prop_assert!(loaded.is_err()),
        }
    }

    /// A right header with any bytes changed: an answer or an error.
    #[test]
    fn any_header_ends_well(edits in proptest::collection::vec((0usize..60, any::<u8>()), 1..8)) {
        let mut bytes = one_channel(1, 16, &[1; 64]);
        for (at, value) in edits {
            bytes[at] = value;
        }
        let _ = probe_bytes(bytes.clone(), "a.wav");
        let _ = load_bytes(bytes, "a.wav", &LoadOptions::default());
    }
}
