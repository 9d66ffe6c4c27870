//! `check` on synthetic corpora that somebody damaged, and on the quirks of real ones.
#![allow(clippy::unwrap_used)]

use std::fs;
use std::path::{Path, PathBuf};

use proptest::prelude::*;
use proptest::sample::Index;
use sercorpus::synth::{SynthOptions, write};
use sercorpus::{CheckReport, CorpusKind, Finding, FindingKind, OpenOptions, Severity, check, detect, open};

fn checked(kind: CorpusKind, root: &Path) -> CheckReport {
    check(&open(kind, root, &OpenOptions::default()).unwrap(), &|_, _| {})
}

fn of_kind(report: &CheckReport, kind: FindingKind) -> Vec<&Finding> {
    report.findings.iter().filter(|f| f.kind == kind).collect()
}

fn small(kind: CorpusKind, seconds: f64) -> (tempfile::TempDir, PathBuf, Vec<sercorpus::Utterance>) {
    let dir = tempfile::tempdir().unwrap();
    let root = dir.path().join("corpus");
    let report = write(kind, &root, &SynthOptions { mean_seconds: seconds, ..SynthOptions::small() }).unwrap();
    (dir, root, report.utterances)
}

#[test]
fn complete_synthetic_corpora_are_clean() {
    for kind in [CorpusKind::Casia, CorpusKind::Emodb, CorpusKind::Emovo, CorpusKind::Iemocap, CorpusKind::Savee] {
        let dir = tempfile::tempdir().unwrap();
        let root = dir.path().join("corpus");
        write(kind, &root, &SynthOptions { mean_seconds: 0.01, ..Default::default() }).unwrap();
        let report = checked(kind, &root);
        assert!(report.is_clean(), "{report}");
        assert_eq!(report.utterances, kind.expected_total());
    }
}

/// The audio at byte 4096, 45 kB behind it, stereo files, songs, video, zip, and the identical pair.
#[test]
fn ravdess_with_all_its_quirks_is_clean() {
    let dir = tempfile::tempdir().unwrap();
    let root = dir.path().join("corpus");
    let options = SynthOptions { mean_seconds: 0.01, ..Default::default() };
    write(CorpusKind::Ravdess, &root, &options).unwrap();
    let report = checked(CorpusKind::Ravdess, &root);
    assert!(report.is_clean(), "{report}");
    let pair = of_kind(&report, FindingKind::DuplicateContent);
    assert_eq!(pair.len(), 1, "{report}");
    assert_eq!(pair[0].items, ["03-01-03-01-02-01-07", "03-01-03-01-02-02-07"]);
    let path = root.join("Actor_01/03-01-05-01-01-01-01.wav");
    let header = seraudio::probe(&path).unwrap();
    assert_eq!((data_start(&fs::read(path).unwrap()), header.channels, header.rate), (4096, 2, 48_000));
    // The Kaggle copy has every actor twice.
    let again = root.join("audio_speech_actors_01-24/Actor_07");
    fs::create_dir_all(&again).unwrap();
    for entry in fs::read_dir(root.join("Actor_07")).unwrap() {
        let entry = entry.unwrap();
        fs::copy(entry.path(), again.join(entry.file_name())).unwrap();
    }
    let report = checked(CorpusKind::Ravdess, &root);
    assert!(report.is_clean(), "{report}");
    assert_eq!(report.utterances, 1440);
    let copies = of_kind(&report, FindingKind::Copy);
    assert_eq!(copies[0].items.len(), 60);
    assert!(copies[0].items[0].starts_with("audio_speech"), "{:?}", copies[0]);
}

#[test]
fn modified_copies_are_flagged() {
    let (_dir, root, utterances) = small(CorpusKind::Emodb, 0.1);
    // Every file exactly 2.000 s at 22.05 kHz, as in a public copy.
    for (i, utterance) in utterances.iter().enumerate() {
        fs::write(&utterance.path, wav(22_050, 44_100, i as u8 + 1)).unwrap();
    }
    let report = checked(CorpusKind::Emodb, &root);
    let rate = of_kind(&report, FindingKind::WrongRate);
    assert_eq!(rate[0].items.len(), utterances.len());
    assert!(rate[0].message.contains("22050 Hz where emodb has 16000 Hz"), "{report}");
    let lengths = of_kind(&report, FindingKind::ModifiedDurations);
    assert!(lengths[0].message.contains("exactly 2.000 s"), "{report}");
}

/// A mono 16-bit WAV file of `frames` samples.
fn wav(rate: u32, frames: u32, fill: u8) -> Vec<u8> {
    let mut bytes = b"RIFF\0\0\0\0WAVEfmt \x10\0\0\0\x01\0\x01\0".to_vec();
    bytes.extend(rate.to_le_bytes());
    bytes.extend((rate * 2).to_le_bytes());
    bytes.extend(b"\x02\0\x10\0data");
    bytes.extend((frames * 2).to_le_bytes());
    bytes.resize(bytes.len() + frames as usize * 2, fill);
    bytes
}

#[test]
fn every_kind_of_bad_file_is_named_and_explained() {
    let (_dir, root, utterances) = small(CorpusKind::Savee, 0.1);
    let good = fs::read(&utterances[5].path).unwrap();
    let damage: Vec<(FindingKind, Vec<u8>, &str)> = vec![
        (FindingKind::Empty, Vec::new(), "0 bytes"),
        (
            FindingKind::LfsPointer,
            b"version https://git-lfs.github.com/spec/v1\noid sha256:0\n".to_vec(),
            "git lfs pull",
        ),
        (FindingKind::Truncated, good[..good.len() / 2].to_vec(), "truncated"),
        (FindingKind::NotAudio, b"<!DOCTYPE html><html></html>".to_vec(), "web page"),
        (FindingKind::Truncated, b"fLaC\0\0\0\x22aaaaaaaaaaaa".to_vec(), "cut off"),
        (FindingKind::Truncated, good[..30].to_vec(), "fmt"),
        (FindingKind::Damaged, [&good[..12], b"data\x04\0\0\0aaaa"].concat(), "impossible header"),
        (FindingKind::Unsupported, b"\x30\x26\xb2\x75\x8e\x66\xcf\x11\xa6\xd9".to_vec(), "Windows Media"),
        (FindingKind::Silent, wav(44_100, 1000, 0), "silence"),
        (FindingKind::DuplicateContent, good, "same audio"),
    ];
    for (utterance, (_, bytes, _)) in utterances[6..].iter().zip(&damage) {
        fs::write(&utterance.path, bytes).unwrap();
    }
    let report = checked(CorpusKind::Savee, &root);
    assert!(!report.is_clean());
    for (utterance, (kind, _, words)) in utterances[6..].iter().zip(&damage) {
        let named = |f: &&&Finding| f.path.as_ref() == Some(&utterance.path) || f.items.contains(&utterance.id);
        let findings = of_kind(&report, *kind);
        let finding = findings.iter().find(named).unwrap_or_else(|| panic!("{kind:?} not found: {report}"));
        assert_eq!(finding.severity, Severity::Error);
        assert!(finding.message.contains(words), "{finding}");
    }
}

/// Where the samples of a WAV file start.
fn data_start(bytes: &[u8]) -> usize {
    bytes.windows(4).position(|id| id == b"data").unwrap() + 8
}

fn fixture(name: &str) -> Vec<u8> {
    fs::read(Path::new(concat!(env!("CARGO_MANIFEST_DIR"), "/../../fixtures")).join(name)).unwrap()
}

/// A recording is opened as training opens it, whatever its kind.
#[test]
fn recordings_of_every_kind_are_read_to_their_end() {
    let dir = tempfile::tempdir().unwrap();
    for class in ["angry", "sad"] {
        fs::create_dir_all(dir.path().join(class)).unwrap();
    }
    let put = |name: &str, bytes: &[u8]| fs::write(dir.path().join(name), bytes).unwrap();
    let (flac, mp3) = (fixture("mfcc/audio/flac.flac"), fixture("mfcc/audio/mp3.mp3"));
    let mut broken = flac.clone();
    let middle = broken.len() / 2;
    broken[middle..middle + 40].fill(0x55);
    let mut streamed = wav(8000, 4000, 3);
    streamed[40..44].fill(0xff);
    put("angry/good.flac", &flac);
    put("angry/same.wav", &fixture("mfcc/audio/rf64.wav"));
    put("angry/caf.aiff", &fixture("mfcc/audio/caf.caf"));
    put("angry/named.wav", &fixture("mfcc/audio/vorbis.ogg"));
    put("angry/vbr.mp3", &fixture("field/09-vbr-no-xing.mp3"));
    put("angry/streamed.wav", &streamed);
    put("sad/cut.flac", &flac[..flac.len() * 2 / 3]);
    put("sad/broken.flac", &broken);
    put("sad/part.mp3", &mp3[..mp3.len() * 2 / 3]);
    put("sad/text.mp3", b"not audio\n");
    put("sad/empty.flac", b"");
    let own = sercorpus::OwnOptions::default();
    let corpus = sercorpus::open_folder(dir.path(), &own).unwrap();
    let report = check(&corpus, &|_, _| {});
    for (name, kind) in [
        ("cut.flac", FindingKind::Truncated),
        // Its only block does not decode, so nothing of what the header counts is there.
        ("broken.flac", FindingKind::Truncated),
        ("part.mp3", FindingKind::Truncated),
        ("text.mp3", FindingKind::NotAudio),
        ("empty.flac", FindingKind::Empty),
    ] {
        let found = of_kind(&report, kind);
        let at = found.iter().filter(|f| f.path.as_ref().is_some_and(|path| path.ends_with(name)));
        assert_eq!(at.count(), 1, "{name}: {report}");
    }
    let errors = report.findings.iter().filter(|f| f.severity == Severity::Error);
    assert_eq!(errors.count(), 5, "{report}");
    assert_eq!(of_kind(&report, FindingKind::OpenEnded)[0].items, ["angry/streamed"]);
    // RF64 and CAF of the same 16-bit samples: the same audio.
    let same = of_kind(&report, FindingKind::DuplicateContent);
    assert!(
        same[0].items.contains(&"angry/caf".to_owned()) && same[0].items.contains(&"angry/same".to_owned()),
        "{report}"
    );
    // Durations and rates of all kinds: those that can be read to their end, and those whose header says it.
    let stats = sercorpus::stats(&corpus, &|_, _| {});
    assert_eq!((stats.rates[&44_100], stats.rates[&8000]), (1, 1));
    let angry = &stats.labels[0];
    assert_eq!((angry.utterances, angry.timed), (6, 6));
    let expected = 4.0 * 0.25 + 123.0 * 1152.0 / 44_100.0 + 0.5;
    assert!((angry.seconds - expected).abs() < 1e-9, "{} {expected}", angry.seconds);
}

proptest! {
    #![proptest_config(ProptestConfig::with_cases(24))]

    /// What was written is what is read, after renaming in random case, moving one folder deeper, adding strange
    /// files, losing one recording, cutting one and replacing one by an LFS pointer; and check says exactly that.
    #[test]
    fn a_mistreated_corpus_is_read_and_its_damage_told(
        kind in prop::sample::select(CorpusKind::ALL.to_vec()),
        case in any::<u64>(),
        nested in any::<bool>(),
        lost in any::<Index>(),
        cut in any::<Index>(),
        pointer in any::<Index>(),
    ) {
        let dir = tempfile::tempdir().unwrap();
        let top = dir.path().join("top");
        fs::create_dir(&top).unwrap();
        let root = if nested { top.join("Corpus v1.0 (copy)") } else { top.join("c") };
        let options = SynthOptions { mean_seconds: 0.01, ..SynthOptions::small() };
        let mut written = write(kind, &root, &options).unwrap().utterances;
        written.sort_by(|a, b| a.id.cmp(&b.id));

        // A small EMODB has a few names that the original lacks.
        let before = open(kind, &root, &OpenOptions::default()).unwrap();
        let surplus = |id: &String| before.findings.iter().any(|f| f.kind == FindingKind::Surplus && f.items.contains(id));
        let lost = written.remove(lost.index(written.len()));
        fs::remove_file(&lost.path).unwrap();
        let (cut, pointer) = (cut.index(written.len()), pointer.index(written.len()));
        let bytes = fs::read(&written[cut].path).unwrap();
        let start = data_start(&bytes);
        fs::write(&written[cut].path, &bytes[..start + 40]).unwrap();
        if pointer != cut {
            fs::write(&written[pointer].path, "version https://git-lfs.github.com/spec/v1\noid sha256:1\n").unwrap();
        }
        fs::write(root.join("thesis final (2).pdf"), "x").unwrap();
        fs::write(root.join("._x.wav"), "x").unwrap();
        fs::write(root.join("holiday.wav"), "x").unwrap();
        change_case(&root, &mut case.wrapping_mul(2).wrapping_add(1));

        prop_assert_eq!(detect(&top).unwrap(), kind);
        let corpus = open(kind, &top, &OpenOptions::default()).unwrap();
        let mut read = corpus.utterances.clone();
        read.sort_by(|a, b| a.id.cmp(&b.id));
        prop_assert_eq!(read.len(), written.len());
        for (read, written) in read.iter().zip(&written) {
            // Same but for the path, which was renamed.
            let mut renamed = written.clone();
            renamed.path.clone_from(&read.path);
            prop_assert_eq!(read, &renamed);
            prop_assert!(read.path.to_string_lossy().eq_ignore_ascii_case(
                &written.path.to_string_lossy()), "{} {}", read.path.display(), written.path.display());
        }

        let report = check(&corpus, &|_, _| {});
        let at = |kind: FindingKind, i: usize| {
            of_kind(&report, kind).iter().filter(|f| f.path.as_ref() == Some(&read[i].path)).count()
        };
        prop_assert_eq!(at(FindingKind::Truncated, cut), 1, "{}", report);
        prop_assert_eq!(of_kind(&report, FindingKind::Truncated).len(), 1);
        prop_assert_eq!(of_kind(&report, FindingKind::LfsPointer).len(), usize::from(pointer != cut));
        prop_assert_eq!(at(FindingKind::LfsPointer, pointer), usize::from(pointer != cut));
        let unrecognised = of_kind(&report, FindingKind::Unrecognised);
        prop_assert!(unrecognised.iter().any(|f| f.items.iter().any(|i| i.to_lowercase().ends_with("holiday.wav"))));
        let told_missing = of_kind(&report, FindingKind::Missing).iter().any(|f| {
            f.items.contains(&lost.id) || f.message.contains(&lost.id)
        });
        prop_assert_eq!(told_missing, !surplus(&lost.id), "{}: {}", lost.id, report);
    }
}

/// Rename every file and folder in upper, lower or mixed case.
fn change_case(folder: &Path, random: &mut u64) {
    for entry in fs::read_dir(folder).unwrap().collect::<Vec<_>>() {
        let entry = entry.unwrap();
        if entry.file_type().unwrap().is_dir() {
            change_case(&entry.path(), random);
        }
        let name = entry.file_name().into_string().unwrap();
        *random = random.wrapping_mul(6_364_136_223_846_793_005).wrapping_add(1_442_695_040_888_963_407);
        let renamed = match *random >> 62 {
            0 => name.to_ascii_uppercase(),
            1 => name.to_ascii_lowercase(),
            2 => name.chars().enumerate().map(|(i, c)| if i % 2 == 0 { c.to_ascii_uppercase() } else { c }).collect(),
            _ => continue,
        };
        fs::rename(entry.path(), folder.join(renamed)).unwrap();
    }
}
