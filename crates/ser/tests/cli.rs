//! The program's commands, exit codes and messages.

#![allow(clippy::unwrap_used)]

mod common;

use std::{fs, path::Path};

use common::ser;
use ndarray::{Array2, Array3};
use tempfile::TempDir;

fn wav(path: &Path, samples: i32) {
    common::wav(path, 16_000, (0..samples).map(|i| (8000.0 * (f64::from(i) * 0.2).sin()) as i16));
}

#[test]
fn features_of_one_and_of_several_recordings() {
    let folder = TempDir::new().unwrap();
    wav(&folder.path().join("a.wav"), 16_000);
    wav(&folder.path().join("b.wav"), 12_000);
    let (code, _, err) = ser(folder.path(), &["features", "a.wav", "--preset", "timnet-0.10", "-o", "a.npy"]);
    assert_eq!(code, 0, "{err}");
    let one: Array2<f32> = ndarray_npy::read_npy(folder.path().join("a.npy")).unwrap();
    assert_eq!(one.dim(), (44, 39));
    let both = ["features", "a.wav", "b.wav", "-o", "ab.npy"];
    let (code, _, err) = ser(folder.path(), &both);
    assert!(code == 2 && err.contains("b.wav") && err.contains("--length"), "{code} {err}");
    assert!(!folder.path().join("ab.npy").exists());
    assert_eq!(ser(folder.path(), &[&both[..], &["--length", "96000"]].concat()).0, 0);
    let all: Array3<f32> = ndarray_npy::read_npy(folder.path().join("ab.npy")).unwrap();
    assert_eq!(all.dim(), (2, 188, 39));
}

#[test]
fn q_leaves_messages_out_and_errors_in() {
    let folder = TempDir::new().unwrap();
    wav(&folder.path().join("a.wav"), 16_000);
    let plain = ser(folder.path(), &["features", "a.wav", "-o", "a.npy"]);
    assert!(plain.0 == 0 && plain.2.starts_with("1 x (44, 39), front end"), "{plain:?}");
    assert_eq!(ser(folder.path(), &["-q", "features", "a.wav", "-o", "b.npy"]), (0, String::new(), String::new()));
    let (code, _, err) = ser(folder.path(), &["features", "-qq", "nowhere.wav", "-o", "c.npy"]);
    assert!(code == 2 && err.contains("error: ") && err.contains("nowhere.wav"), "{err}");
}

#[test]
fn wrong_use_has_code_2_and_says_what_is_known() {
    let folder = TempDir::new().unwrap();
    wav(&folder.path().join("a.wav"), 4000);
    fs::write(folder.path().join("empty.wav"), "").unwrap();
    for (arguments, parts) in [
        (&["features", "a.wav", "--preset", "librosa-7", "-o", "x.npy"][..], &["librosa-7", "librosa-0.8.1"][..]),
        (&["features", "a.wav", "--preset", "official", "-o", "x.npy"], &["`official` is called `timnet-0.8.1` now"]),
        (&["features", "a.wav", "--resampler", "best", "-o", "x.npy"], &["best", "soxr_hq"]),
        (&["features", "nowhere.wav", "-o", "x.npy"], &["nowhere.wav"]),
        (&["features", "empty.wav", "-o", "x.npy"], &["empty.wav", "empty"]),
        (&["corpus", "check", "nowhere"], &["nowhere"]),
        (&["corpus", "check", ".", "--corpus", "emodb"], &["no recording of"]),
        (&["corpus", "split", ".", "--scheme", "lucky"], &["lucky", "kfold"]),
        (&["corpus", "synth", "klingon", "-o", "x"], &["klingon", "emodb"]),
        (&["sing"], &["sing"]),
    ] {
        let (code, out, err) = ser(folder.path(), arguments);
        assert_eq!((code, out.as_str()), (2, ""), "{arguments:?}: {err}");
        assert!(parts.iter().all(|p| err.contains(p)) && !err.contains("panicked"), "{arguments:?}: {err}");
    }
    assert!(!folder.path().join("x.npy").exists());
}

#[test]
fn a_synthetic_corpus_from_writing_to_splitting() {
    let folder = TempDir::new().unwrap();
    let synth = ["corpus", "synth", "emodb", "-o", "emodb", "--mean-seconds", "0.05", "--clean"];
    let (code, _, err) = ser(folder.path(), &synth);
    assert_eq!(code, 0, "{err}");
    let (code, out, _) = ser(folder.path(), &["corpus", "stats", "emodb"]);
    assert!(code == 0 && out.contains("535") && out.contains("speaker 16"), "{out}");
    let (code, out, _) = ser(folder.path(), &["corpus", "export", "emodb", "--format", "csv"]);
    let mut lines = out.lines();
    assert_eq!(lines.next(), Some("id,path,label,speaker,sex,session,text,seconds,rate,channels"));
    assert_eq!((code, lines.count()), (0, 535));
    let split = ["corpus", "split", "emodb", "--scheme", "loso", "--format", "csv"];
    let (code, out, err) = ser(folder.path(), &split);
    assert_eq!((code, out.lines().next(), out.lines().count()), (0, Some("id,fold,part"), 1 + 10 * 535), "{err}");
    fs::remove_file(folder.path().join("emodb/wav/03a01Fa.wav")).unwrap();
    let (code, out, _) = ser(folder.path(), &["corpus", "check", "emodb"]);
    assert!(code == 1 && out.contains("03a01Fa"), "{out}");
}
