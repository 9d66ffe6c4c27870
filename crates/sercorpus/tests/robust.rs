//! Files of any content are errors or findings, never panics.
#![allow(clippy::unwrap_used)]

use std::fs;

use proptest::prelude::*;
use sercorpus::wav::probe;
use sercorpus::{LabelMap, OwnOptions, open_manifest};

proptest! {
    #![proptest_config(ProptestConfig::with_cases(200))]

    #[test]
    fn wav_headers(
        chunks in prop::collection::vec(
            (prop::sample::select(vec![*b"fmt ", *b"data", *b"LIST", *b"PAD "]), any::<u32>(), any::<bool>(),
             prop::collection::vec(any::<u8>(), 0..40)), 0..5),
        magic in prop::bool::weighted(0.9),
    ) {
        let mut bytes = if magic { b"RIFF\0\0\0\0WAVE".to_vec() } else { b"RIFX\0\0\0\0WAVE".to_vec() };
        for (name, length, honest, body) in &chunks {
            bytes.extend(name);
            bytes.extend(if *honest { body.len() as u32 } else { *length }.to_le_bytes());
            bytes.extend(body);
        }
        let file = tempfile::NamedTempFile::new().unwrap();
        fs::write(file.path(), &bytes).unwrap();
        if let Ok(info) = probe(file.path()) {
            prop_assert!(info.data_start + info.data_bytes <= bytes.len() as u64);
            prop_assert!(info.seconds().is_finite());
        }
    }

    #[test]
    fn manifests_and_label_maps(text in prop_oneof![
        "\\PC{0,60}",
        "(path|label|id|start|\"|,|\n|\\{|\\}|:|a/1.wav|0|-1|\\[|map|=){0,25}",
    ]) {
        let dir = tempfile::tempdir().unwrap();
        for name in ["m.csv", "m.tsv", "m.jsonl"] {
            let path = dir.path().join(name);
            fs::write(&path, &text).unwrap();
            if let Err(error) = open_manifest(&path, &OwnOptions::default()) {
                prop_assert!(error.to_string().contains(name), "{}", error);
            }
        }
        let path = dir.path().join("map.toml");
        fs::write(&path, &text).unwrap();
        let _ = LabelMap::read(&path);
    }
}
