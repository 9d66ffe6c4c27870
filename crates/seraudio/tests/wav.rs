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
