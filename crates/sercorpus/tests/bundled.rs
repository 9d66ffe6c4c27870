//! EMODB as it comes along in `fixtures/emodb`: FLAC, with a list of the hashes of its samples.
#![allow(clippy::unwrap_used)]

use std::{fs, path::PathBuf};

use sercorpus::{CorpusKind, FindingKind, OpenOptions, check, content_hashes, open};

fn bundled() -> PathBuf {
    PathBuf::from(concat!(env!("CARGO_MANIFEST_DIR"), "/../../fixtures/emodb"))
}

#[test]
fn it_is_whole_and_clean() {
    let corpus = open(CorpusKind::Emodb, &bundled(), &OpenOptions::default()).unwrap();
    assert!(corpus.is_complete() && corpus.utterances.len() == 535);
    assert!(corpus.utterances.iter().all(|u| u.path.extension().is_some_and(|e| e == "flac")));
    let report = check(&corpus, &|_, _| {});
    assert!(report.is_clean(), "{report}");
    assert!((report.seconds - 1487.09).abs() < 0.01, "{}", report.seconds);
}

/// Recordings 03a01Fa and 03a01Nc swapped, one that the list lacks, one that is gone.
#[test]
fn other_samples_than_listed_are_found() {
    let copy = tempfile::tempdir().unwrap();
    fs::create_dir(copy.path().join("wav")).unwrap();
    let list = fs::read_to_string(bundled().join("samples.sha256")).unwrap();
    let mut lines: Vec<&str> = list.lines().collect();
    lines.truncate(20);
    for line in &lines {
        let name = line.split_once("  ").unwrap().1;
        fs::copy(bundled().join(name), copy.path().join(name)).unwrap();
    }
    fs::copy(bundled().join("wav/03a01Fa.flac"), copy.path().join("wav/03a01Nc.flac")).unwrap();
    fs::remove_file(copy.path().join("wav/03a01Wa.flac")).unwrap();
    let unlisted = lines.pop().unwrap().split_once("  ").unwrap().1;
    fs::write(copy.path().join("samples.sha256"), lines.join("\n")).unwrap();
    let corpus = open(CorpusKind::Emodb, copy.path(), &OpenOptions::default()).unwrap();
    let report = check(&corpus, &|_, _| {});
    let of = |kind| {
        report.findings.iter().filter(|f| f.kind == kind && f.message.contains("samples.sha256")).collect::<Vec<_>>()
    };
    assert_eq!(of(FindingKind::Altered)[0].items, ["03a01Nc"]);
    assert_eq!(of(FindingKind::Missing)[0].items, ["wav/03a01Wa.flac"]);
    assert!(unlisted.contains(&of(FindingKind::Surplus)[0].items[0]));
    fs::write(copy.path().join("samples.sha256"), "abc").unwrap();
    let report = check(&corpus, &|_, _| {});
    assert!(report.findings.iter().any(|f| f.kind == FindingKind::Malformed && f.message.contains("line 1")));
}

#[test]
#[ignore = "needs ../shared/data/emodb"]
fn the_samples_are_those_of_the_original_wav_files() {
    let original = PathBuf::from(concat!(env!("CARGO_MANIFEST_DIR"), "/../../../shared/data/emodb"));
    let hashes = |root: &PathBuf| {
        let corpus = open(CorpusKind::Emodb, root, &OpenOptions::default()).unwrap();
        let hashes = content_hashes(&corpus, &|_, _| {});
        assert!(hashes.iter().all(Option::is_some));
        corpus.utterances.into_iter().map(|u| u.id).zip(hashes).collect::<Vec<_>>()
    };
    assert_eq!(hashes(&bundled()), hashes(&original));
}
