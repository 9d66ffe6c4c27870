//! Files of any content are errors or findings, never panics.
#![allow(clippy::unwrap_used)]

use std::fs;

use proptest::prelude::*;
use sercorpus::{LabelMap, OwnOptions, open_manifest};

proptest! {
    #![proptest_config(ProptestConfig::with_cases(200))]

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
