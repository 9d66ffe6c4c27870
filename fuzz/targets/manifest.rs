//! Any bytes as a list of recordings: a corpus, or an error that names the file.

#![no_main]

use std::sync::LazyLock;

use libfuzzer_sys::fuzz_target;
use sercorpus::split::Scheme;
use sercorpus::{LabelMap, OwnOptions, listed_recordings, open_manifest};

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
    // What the text is, not the name of the file, tells CSV from JSON; half of the lists are in UTF-16.
    let name = ["m.csv", "m.txt", "m.json", "m.toml"][usize::from(kind) % 4];
    let wide = |of: fn(u16) -> [u8; 2]| {
        let text = String::from_utf8_lossy(text);
        [0xfeff].into_iter().chain(text.encode_utf16()).flat_map(of).collect::<Vec<u8>>()
    };
    let bytes = match kind / 4 % 4 {
        0 => wide(u16::to_le_bytes),
        1 => wide(u16::to_be_bytes),
        _ => text.to_vec(),
    };
    let path = FOLDER.path().join(name);
    std::fs::write(&path, bytes).expect("the list can be written");
    if name == "m.toml" {
        let _ = LabelMap::read(&path);
        return;
    }
    let columns = [("label".to_owned(), "mood".to_owned())].into_iter().filter(|_| kind >= 128).collect();
    let options = OwnOptions { columns, ..OwnOptions::default() };
    let _ = listed_recordings(&path, &options);
    match open_manifest(&path, &options) {
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
