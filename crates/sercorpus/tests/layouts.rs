//! Layouts in the wild, IEMOCAP's choices, and what cannot be walked.
#![allow(clippy::unwrap_used)]

use std::fs;
use std::path::Path;

use sercorpus::synth::{SynthOptions, write};
use sercorpus::{
    Corpus, CorpusError, CorpusKind, Finding, FindingKind, IemocapStyle, OpenOptions, Severity, Sex, detect, open,
};

fn touch(root: &Path, files: &[&str]) {
    for file in files {
        let path = root.join(file);
        fs::create_dir_all(path.parent().unwrap()).unwrap();
        fs::write(path, "").unwrap();
    }
}

fn ids(kind: CorpusKind, files: &[&str]) -> Vec<String> {
    let dir = tempfile::tempdir().unwrap();
    touch(dir.path(), files);
    assert_eq!(detect(dir.path()).unwrap(), kind, "{files:?}");
    let corpus = open(kind, dir.path(), &OpenOptions::default()).unwrap();
    corpus.utterances.into_iter().map(|u| u.id).collect()
}

#[test]
fn flattened_nested_and_in_other_case() {
    use CorpusKind::{Casia, Emodb, Emovo, Ravdess, Savee};
    let one = "liuchanhg-angry-201";
    for file in [
        "CASIA database/liuchanhg/angry/201.wav",
        "LIUCHANHG/Angry/201.WAV",
        "liuchanhg_angry_201.wav",
        "angry/201-liuchanhg.wav",
        "casia/angry/liuchanhg/201.flac",
    ] {
        assert_eq!(ids(Casia, &[file]), [one], "{file}");
    }
    assert_eq!(ids(Casia, &["zhaozuoxiang/Sad/250.wav"]), ["ZhaoZuoxiang-sad-250"]);
    for file in ["03a01Fa.wav", "download/wav/03a01Fa.wav", "WAV/03A01FA.WAV"] {
        assert_eq!(ids(Emodb, &[file, "lablaut/03a01Fa.lablaut", "silb/03a01Fa.silb"]), ["03a01Fa"], "{file}");
    }
    for file in ["EMOVO/f1/dis-f1-b1.wav", "dis-f1-b1.wav", "F1/DIS-F1-B1.Wav"] {
        assert_eq!(ids(Emovo, &[file, "documents/EMOVO.pdf"]), ["dis-f1-b1"], "{file}");
    }
    for file in ["AudioData/DC/sa01.wav", "ALL/DC_sa01.wav", "AUDIODATA/dc/SA01.WAV", "savee/DC_sa01.wav"] {
        assert_eq!(ids(Savee, &[file, "AudioData/Info.txt"]), ["DC_sa01"], "{file}");
    }
    let speech = "03-01-06-01-02-01-12";
    let dir = tempfile::tempdir().unwrap();
    touch(dir.path(), &["SAVEE/AudioData/DC/sa01.wav", "casia/Liuchanhg/angry/201.wav"]);
    let one_speaker = |kind, folder| open(kind, &dir.path().join(folder), &OpenOptions::default()).unwrap();
    assert_eq!(one_speaker(Savee, "SAVEE/AudioData/DC").utterances[0].id, "DC_sa01");
    assert_eq!(one_speaker(Casia, "casia/Liuchanhg").utterances[0].id, one);
    for folder in ["Actor_12", "Audio_Speech_Actors_01-24/Actor_12", "."] {
        let file = format!("{folder}/{speech}.wav");
        let song = "Audio_Song_Actors_01-24/Actor_12/03-02-06-01-02-01-12.wav";
        assert_eq!(ids(Ravdess, &[&file, song, "Actor_12/01-01-06-01-02-01-12.mp4", "a.zip"]), [speech], "{folder}");
    }
}

/// The order that fixes the folds is the same in either layout of SAVEE.
#[test]
fn layout_does_not_change_the_order() {
    let flat = ids(CorpusKind::Savee, &["DC_a10.wav", "DC_a2.wav", "KL_a1.wav", "JE_a01.wav"]);
    let folders = ids(CorpusKind::Savee, &["DC/a10.wav", "DC/a2.wav", "KL/a1.wav", "JE/a01.wav"]);
    assert_eq!(flat, ["DC_a2", "DC_a10", "JE_a01", "KL_a1"]);
    assert_eq!(flat, folders);
}

#[test]
fn unrelated_folders_are_not_recognised() {
    let dir = tempfile::tempdir().unwrap();
    touch(dir.path(), &["a/1.wav", "a/2.wav", "03a01Fa.wav", "notes.txt"]);
    let error = detect(dir.path()).unwrap_err().to_string();
    assert!(error.contains("none of casia") && error.contains("3 .wav files"), "{error}");
    let error = open(CorpusKind::Ravdess, dir.path(), &OpenOptions::default()).unwrap_err().to_string();
    assert!(
        error.contains("no recording of ravdess") && error.contains("Actor_<nn>") && error.contains("zenodo"),
        "{error}"
    );
    let nowhere = open(CorpusKind::Emodb, &dir.path().join("nowhere"), &OpenOptions::default());
    assert!(matches!(nowhere, Err(CorpusError::Io { .. })));
    let file = open(CorpusKind::Emodb, &dir.path().join("notes.txt"), &OpenOptions::default());
    assert!(matches!(file, Err(CorpusError::NotAFolder(_))));
}

const EVALUATION: &str = "% [START_TIME - END_TIME] TURN_NAME EMOTION [V, A, D]\n\n\
    [6.2901 - 8.2357]\tSes01F_impro01_F000\tneu\t[2.5000, 2.5000, 2.5000]\n\
    C-E2:\tNeutral;\t()\nA-E3:\tval 3; act 2; dom  2;\t()\n\n\
    [10.0100 - 11.3925]\tSes01F_impro01_M000\texc\t[2.5000, 2.5000, 2.5000]\n\
    [14.8872 - 18.0175]\tSes01F_impro01_F001\tang\t[2.0000, 3.5000, 3.5000]\n\
    [19.2900 - 20.7875]\tSes01F_impro01_M001\txxx\t[2.5000, 3.0000, 3.0000]\n\
    [21.3257 - 24.7400]\tSes01F_impro01_F002\thap\t[4.0000, 3.0000, 3.0000]\n";

fn iemocap(evaluation: &str) -> (tempfile::TempDir, Corpus) {
    let dir = tempfile::tempdir().unwrap();
    let session = "IEMOCAP_full_release/Session1";
    let wavs = format!("{session}/sentences/wav/Ses01F_impro01");
    touch(
        dir.path(),
        &[
            &format!("{wavs}/Ses01F_impro01_F000.wav"),
            &format!("{wavs}/Ses01F_impro01_F001.wav"),
            &format!("{wavs}/Ses01F_impro01_M000.wav"),
            &format!("{wavs}/Ses01F_impro01_M001.wav"),
            &format!("{wavs}/._Ses01F_impro01_M001.wav"),
            &format!("{wavs}/Ses01F_impro01_F009.wav"),
            &format!("{session}/dialog/wav/Ses01F_impro01.wav"),
            &format!("{session}/dialog/EmoEvaluation/Categorical/Ses01F_impro01_e2_cat.txt"),
            &format!("{session}/dialog/EmoEvaluation/Ses01F_impro01.txt"),
        ],
    );
    fs::write(dir.path().join(format!("{session}/dialog/EmoEvaluation/Ses01F_impro01.txt")), evaluation).unwrap();
    assert_eq!(detect(dir.path()).unwrap(), CorpusKind::Iemocap);
    let corpus = open(CorpusKind::Iemocap, dir.path(), &OpenOptions::default()).unwrap();
    (dir, corpus)
}

fn finding(corpus: &Corpus, kind: FindingKind, words: &str) -> Finding {
    let found = corpus.findings.iter().find(|f| f.kind == kind && f.message.contains(words));
    found.unwrap_or_else(|| panic!("no {kind:?} with `{words}`: {:#?}", corpus.findings)).clone()
}

#[test]
fn iemocap_labels_speakers_and_sessions() {
    let (dir, corpus) = iemocap(EVALUATION);
    let rows: Vec<_> = corpus.utterances.iter().map(|u| (u.id.as_str(), u.label.as_str())).collect();
    assert_eq!(
        rows,
        [("Ses01F_impro01_F001", "angry"), ("Ses01F_impro01_M000", "happy"), ("Ses01F_impro01_F000", "neutral")]
    );
    // The speaker is the letter of the last part, not that of the dialog.
    let man = &corpus.utterances[1];
    assert_eq!((man.speaker.as_deref(), man.sex, man.session.as_deref()), (Some("1M"), Some(Sex::Male), Some("1")));
    let lost =
        finding(&corpus, FindingKind::Missing, "1 utterances have a label but no recording: Ses01F_impro01_F002");
    assert_eq!((lost.line, lost.severity), (Some(10), Severity::Error));
    finding(&corpus, FindingKind::Unrecognised, "no EmoEvaluation file has a label for it): IEMOCAP_full");
    finding(&corpus, FindingKind::Skipped, "1 recordings left out: another emotion");
    finding(&corpus, FindingKind::Skipped, "1 recordings left out: recordings of whole dialogs");
    // Opened inside the release's folder, or with other choices.
    let inside = dir.path().join("IEMOCAP_full_release");
    let count = |options: &OpenOptions| open(CorpusKind::Iemocap, &inside, options).map(|c| c.utterances.len()).ok();
    assert_eq!(count(&OpenOptions::default()), Some(3));
    assert_eq!(count(&OpenOptions { excited_as_happy: false, ..Default::default() }), Some(2));
    let style = |style| OpenOptions { iemocap_style: Some(style), ..Default::default() };
    assert_eq!(count(&style(IemocapStyle::Improvised)), Some(3));
    assert_eq!(count(&style(IemocapStyle::Scripted)), None);
}

#[test]
fn malformed_evaluation_lines_are_named() {
    let broken = EVALUATION
        .replace("[10.0100 - 11.3925]\t", "[10.0100 - ")
        .replace("\tang\t", "\tangr\t")
        .replace("[21.3257 - 24.7400]\tSes01F_impro01_F002", "[21.3257 - 24.7400]\tSes01F_impro01_F000");
    let (_dir, corpus) = iemocap(&broken);
    assert_eq!(corpus.utterances.len(), 1);
    let malformed = finding(&corpus, FindingKind::Malformed, "is not `[start - end]");
    assert_eq!(malformed.line, Some(7));
    assert!(malformed.to_string().contains("Ses01F_impro01.txt:7: "), "{malformed}");
    assert_eq!(finding(&corpus, FindingKind::UnknownLabel, "unknown emotion `angr`").line, Some(8));
    assert_eq!(
        finding(&corpus, FindingKind::Malformed, "Ses01F_impro01_F000 has another label already").line,
        Some(10)
    );
}

#[cfg(unix)]
#[test]
fn loops_odd_names_and_closed_folders_are_told() {
    use std::ffi::OsStr;
    use std::os::unix::ffi::OsStrExt;
    use std::os::unix::fs::{PermissionsExt, symlink};

    let dir = tempfile::tempdir().unwrap();
    let root = dir.path().join("emodb");
    let options = SynthOptions { mean_seconds: 0.03, quirks: false, ..SynthOptions::small() };
    let written = write(CorpusKind::Emodb, &root, &options).unwrap().utterances.len();
    symlink(&root, root.join("wav/loop")).unwrap();
    fs::write(root.join("wav").join(OsStr::from_bytes(b"03a01F\xff.wav")), "").unwrap();
    fs::create_dir(root.join("closed")).unwrap();
    fs::set_permissions(root.join("closed"), fs::Permissions::from_mode(0o000)).unwrap();

    let corpus = open(CorpusKind::Emodb, &root, &OpenOptions::default()).unwrap();
    assert_eq!(corpus.utterances.len(), written);
    let looped = finding(&corpus, FindingKind::SymlinkLoop, "symbolic link back to");
    assert_eq!(looped.path, Some(root.join("wav/loop")));
    finding(&corpus, FindingKind::NonUtf8, "rename it");
    if fs::read_dir(root.join("closed")).is_ok() {
        eprintln!("skipped: this user may read any folder");
    } else {
        let closed = finding(&corpus, FindingKind::Unreadable, "cannot be read");
        assert_eq!(closed.path, Some(root.join("closed")));
    }
    fs::set_permissions(root.join("closed"), fs::Permissions::from_mode(0o755)).unwrap();
}
