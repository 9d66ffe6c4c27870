//! Any bytes as a list of recordings: a corpus, or an error that names the file.

#![no_main]

use std::sync::LazyLock;

use libfuzzer_sys::fuzz_target;
use sercorpus::split::Scheme;
use sercorpus::{LabelMap, OwnOptions, open_manifest};

/// A folder with the recordings that lists may name.
static FOLDER: LazyLock<tempfile::TempDir> = LazyLock::new(|| {
    let folder = tempfile::tempdir().expect("a temporary folder");
    for name in ["a.wav", "b.wav"] {
        std::fs::write(folder.path().join(name), "").expect("a file in it");
    }
    folder
});

fuzz_target!(|data: &[u8]| {
    let Some((&kind, text)) = data.split_first() else { return };
    let name = ["m.csv", "m.tsv", "m.jsonl", "m.toml"][usize::from(kind) % 4];
    let path = FOLDER.path().join(name);
    std::fs::write(&path, text).expect("the list can be written");
    if name == "m.toml" {
        let _ = LabelMap::read(&path);
        return;
    }
    match open_manifest(&path, &OwnOptions::default()) {
        Ok(corpus) => {
            assert_eq!(corpus.label_counts().iter().sum::<usize>(), corpus.utterances.len());
            let (training, testing) = (corpus.for_training(), corpus.for_testing());
            if corpus.is_split() {
                assert!(training.utterances.iter().all(|u| testing.utterances.iter().all(|other| other.id != u.id)));
            }
            if let Ok(folds) = Scheme::Manifest.split(&corpus, 0, 0) {
                assert!(folds.iter().all(|fold| fold.test.len() == testing.utterances.len()));
            }
        }
        Err(error) => assert!(error.to_string().contains(name), "{error}"),
    }
});
