//! What was written is what is read, for all six synthetic corpora.
#![allow(clippy::unwrap_used)]

use std::collections::BTreeMap;
use std::path::Path;

use sercorpus::synth::{SynthOptions, write};
use sercorpus::{Corpus, CorpusKind, OpenOptions, Utterance, detect, open};

fn by_id(utterances: &[Utterance]) -> BTreeMap<&str, &Utterance> {
    let map: BTreeMap<_, _> = utterances.iter().map(|u| (u.id.as_str(), u)).collect();
    assert_eq!(map.len(), utterances.len(), "an id occurs twice");
    map
}

fn read(kind: CorpusKind, root: &Path) -> Corpus {
    open(kind, root, &OpenOptions::default()).unwrap()
}

#[test]
fn small_corpora_are_read_back() {
    for kind in CorpusKind::ALL {
        let dir = tempfile::tempdir().unwrap();
        let root = dir.path().join("corpus");
        let report = write(kind, &root, &SynthOptions { mean_seconds: 0.1, ..SynthOptions::small() }).unwrap();
        assert_eq!(detect(&root).unwrap(), kind);
        let corpus = read(kind, &root);
        assert_eq!(by_id(&corpus.utterances), by_id(&report.utterances), "{kind}");
        assert!((48..=84).contains(&corpus.utterances.len()), "{kind}: {}", corpus.utterances.len());
        assert!(corpus.label_counts().iter().all(|&n| n >= 4), "{kind}: {:?}", corpus.label_counts());
        let mut per_cell = BTreeMap::new();
        corpus.utterances.iter().for_each(|u| *per_cell.entry((&u.label, &u.speaker)).or_insert(0) += 1);
        assert!(per_cell.values().all(|&n| n >= 2), "{kind}: {per_cell:?}");
    }
}

#[test]
fn at_scale_one_they_are_complete() {
    for kind in CorpusKind::ALL {
        let dir = tempfile::tempdir().unwrap();
        let root = dir.path().join("corpus");
        let options = SynthOptions { mean_seconds: 0.01, quirks: kind != CorpusKind::Ravdess, ..Default::default() };
        let report = write(kind, &root, &options).unwrap();
        let corpus = read(kind, &root);
        assert!(corpus.is_complete(), "{kind}: {:?}", corpus.findings);
        assert_eq!(corpus.label_counts(), kind.expected_counts());
        assert_eq!(by_id(&corpus.utterances), by_id(&report.utterances), "{kind}");
        let mut speakers = corpus.speakers().unwrap();
        speakers.sort_unstable();
        speakers.dedup();
        let mut expected = kind.speakers().to_vec();
        expected.sort_unstable();
        assert_eq!(speakers, expected);
    }
}

#[test]
fn the_same_seed_gives_the_same_bytes_and_another_does_not() {
    let dir = tempfile::tempdir().unwrap();
    let bytes = |name: &str, seed| {
        let options = SynthOptions { mean_seconds: 0.2, seed, ..SynthOptions::small() };
        let report = write(CorpusKind::Emovo, &dir.path().join(name), &options).unwrap();
        report.utterances.iter().map(|u| std::fs::read(&u.path).unwrap()).collect::<Vec<_>>()
    };
    let first = bytes("a", 1);
    assert_eq!(first, bytes("b", 1));
    assert_ne!(first, bytes("c", 2));
}

#[test]
fn a_folder_in_use_is_left_alone() {
    let dir = tempfile::tempdir().unwrap();
    std::fs::write(dir.path().join("thesis.txt"), "mine").unwrap();
    let error = write(CorpusKind::Savee, dir.path(), &SynthOptions::small()).unwrap_err();
    assert!(error.to_string().contains("is not empty"), "{error}");
    assert_eq!(std::fs::read_dir(dir.path()).unwrap().count(), 1);
}
