//! The real EMODB: `SER_EMODB`, else `../shared/data/emodb` beside the repository. Run with `-- --ignored`.
#![allow(clippy::unwrap_used, clippy::print_stdout)]

use std::collections::BTreeSet;
use std::path::PathBuf;

use sercorpus::{CorpusKind, FindingKind, OpenOptions, Sex, check, content_hashes, detect, open, split, stats};
use sha2::{Digest, Sha256};

fn emodb() -> PathBuf {
    let beside = concat!(env!("CARGO_MANIFEST_DIR"), "/../../../shared/data/emodb");
    let root = std::env::var_os("SER_EMODB").map_or_else(|| PathBuf::from(beside), PathBuf::from);
    assert!(root.is_dir(), "no EMODB at {}: set SER_EMODB to its folder", root.display());
    root
}

#[test]
#[ignore = "needs ../shared/data/emodb"]
fn counts_speakers_labels_texts_and_order() {
    let root = emodb();
    assert_eq!(detect(&root).unwrap(), CorpusKind::Emodb);
    let corpus = open(CorpusKind::Emodb, &root, &OpenOptions::default()).unwrap();
    assert!(corpus.is_complete(), "{:?}", corpus.findings);
    assert!(corpus.findings.is_empty(), "{:?}", corpus.findings);
    assert_eq!(corpus.label_counts(), CorpusKind::Emodb.expected_counts());
    assert_eq!(corpus.utterances.len(), 535);
    let speakers: BTreeSet<&str> = corpus.speakers().unwrap().into_iter().collect();
    assert_eq!(speakers.into_iter().collect::<Vec<_>>(), CorpusKind::Emodb.speakers());
    let texts: BTreeSet<_> = corpus.utterances.iter().map(|u| u.text.clone().unwrap()).collect();
    assert_eq!(
        texts.into_iter().collect::<Vec<_>>(),
        ["a01", "a02", "a04", "a05", "a07", "b01", "b02", "b03", "b09", "b10"]
    );
    let women = corpus.utterances.iter().filter(|u| u.sex == Some(Sex::Female)).count();
    assert_eq!(women, 302); // as Burkhardt et al. 2005 have it: 302 female, 233 male
    // `fixtures/folds/emodb_order.py` (natsort) prints this.
    let ids: Vec<&str> = corpus.utterances.iter().map(|u| u.id.as_str()).collect();
    let order = Sha256::digest(ids.join("\n")).iter().fold(String::new(), |hex, byte| format!("{hex}{byte:02x}"));
    assert_eq!(order, "14e775bc28c4833c5043ef43f540f87f3805f54e7d5a73e6de9cf68ba67d4c6b");
    assert!(corpus.utterances.iter().all(|u| u.path.is_file()));
}

#[test]
#[ignore = "needs ../shared/data/emodb"]
fn check_is_clean_and_durations_are_known() {
    let root = emodb();
    let corpus = open(CorpusKind::Emodb, &root, &OpenOptions::default()).unwrap();
    let report = check(&corpus, &|_, _| {});
    println!("{report}");
    assert!(report.is_clean(), "{report}");
    assert!(!report.findings.iter().any(|f| f.kind == FindingKind::DuplicateContent), "{report}");
    let stats = stats(&corpus, &|_, _| {});
    println!("{stats}");
    // sum(soundfile.info(p).frames for p in glob('wav/*.wav')) / 16000
    assert!((stats.total.seconds - 1_487.092_187_5).abs() < 1e-6, "{}", stats.total.seconds);
    assert_eq!((stats.rates[&16_000], stats.channels[&1]), (535, 535));
}

#[test]
#[ignore = "needs ../shared/data/emodb"]
fn random_folds_share_all_speakers_and_leave_one_speaker_out_none() {
    let root = emodb();
    let corpus = open(CorpusKind::Emodb, &root, &OpenOptions::default()).unwrap();
    let hashes = content_hashes(&corpus, &|_, _| {});
    let random = split::leakage(&corpus, &split::kfold(535, 10, 46).unwrap(), Some(&hashes));
    println!("{random}");
    assert_eq!((random.leaking_speakers, random.speakers), (10, 10));
    assert!(random.folds.iter().all(|f| f.shared_speakers == f.test_speakers && f.shared_recordings == Some(0)));
    let folds = corpus.speaker_independent_folds().unwrap();
    let independent = split::leakage(&corpus, &folds, Some(&hashes));
    println!("{independent}");
    assert_eq!((folds.len(), independent.leaking_speakers), (10, 0));
    assert!(independent.folds.iter().all(|f| f.test_speakers == 1 && f.shared_texts > 0));
}
