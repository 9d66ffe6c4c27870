//! The real EMODB, where it is: `SER_EMODB`, else `../shared/data/emodb` beside the repository.
#![allow(clippy::unwrap_used)]

use std::collections::BTreeSet;
use std::path::PathBuf;

use sercorpus::{CorpusKind, OpenOptions, Sex, detect, open};
use sha2::{Digest, Sha256};

fn emodb() -> Option<PathBuf> {
    let beside = concat!(env!("CARGO_MANIFEST_DIR"), "/../../../shared/data/emodb");
    let root = std::env::var_os("SER_EMODB").map_or_else(|| PathBuf::from(beside), PathBuf::from);
    if !root.is_dir() {
        eprintln!("skipped: no EMODB at {} (set SER_EMODB)", root.display());
        return None;
    }
    Some(root)
}

#[test]
fn counts_speakers_labels_texts_and_order() {
    let Some(root) = emodb() else { return };
    assert_eq!(detect(&root).unwrap(), CorpusKind::Emodb);
    let corpus = open(CorpusKind::Emodb, &root, &OpenOptions::default()).unwrap();
    assert!(corpus.is_complete(), "{:?}", corpus.findings);
    assert!(corpus.findings.is_empty(), "{:?}", corpus.findings);
    assert_eq!(corpus.label_counts(), CorpusKind::Emodb.expected_counts());
    assert_eq!(corpus.utterances.len(), 535);
    let speakers: BTreeSet<&str> = corpus.speakers().unwrap().into_iter().collect();
    assert_eq!(
        speakers.into_iter().collect::<Vec<_>>(),
        CorpusKind::Emodb.speakers()
    );
    let texts: BTreeSet<_> = corpus
        .utterances
        .iter()
        .map(|u| u.text.clone().unwrap())
        .collect();
    assert_eq!(
        texts.into_iter().collect::<Vec<_>>(),
        [
            "a01", "a02", "a04", "a05", "a07", "b01", "b02", "b03", "b09", "b10"
        ]
    );
    let women = corpus
        .utterances
        .iter()
        .filter(|u| u.sex == Some(Sex::Female))
        .count();
    assert_eq!(women, 302); // as Burkhardt et al. 2005 have it: 302 female, 233 male
    // `fixtures/folds/emodb_order.py` (natsort) prints this.
    let ids: Vec<&str> = corpus.utterances.iter().map(|u| u.id.as_str()).collect();
    let order = Sha256::digest(ids.join("\n"))
        .iter()
        .fold(String::new(), |hex, byte| format!("{hex}{byte:02x}"));
    assert_eq!(
        order,
        "14e775bc28c4833c5043ef43f540f87f3805f54e7d5a73e6de9cf68ba67d4c6b"
    );
    assert!(corpus.utterances.iter().all(|u| u.path.is_file()));
}
