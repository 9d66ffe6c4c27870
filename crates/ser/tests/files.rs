//! Files that are not the program's: what a command reads, what is of another kind, what lies in a folder it would work in.

#![allow(clippy::unwrap_used)]

mod common;
#[path = "../../sermodel/tests/support/mod.rs"]
mod sound;

use std::{
    collections::BTreeMap,
    fs,
    path::{Path, PathBuf},
};

use common::ser;
use tempfile::TempDir;

/// Every file below the folder with its bytes; of a link where it leads.
fn snapshot(folder: &Path) -> BTreeMap<PathBuf, Vec<u8>> {
    let mut all = BTreeMap::new();
    for entry in fs::read_dir(folder).unwrap() {
        let entry = entry.unwrap();
        let (path, kind) = (entry.path(), entry.file_type().unwrap());
        if kind.is_symlink() {
            let to = fs::read_link(&path).unwrap().to_string_lossy().into_owned();
            all.insert(path, to.into_bytes());
        } else if kind.is_dir() {
            all.extend(snapshot(&path));
            all.insert(path, Vec::new());
        } else {
            let bytes = fs::read(&path).unwrap();
            all.insert(path, bytes);
        }
    }
    all
}

/// A folder for each of two classes, four recordings in each.
fn recordings(folder: &Path) {
    for (class, hz) in [("low", 150.0), ("high", 900.0)] {
        fs::create_dir_all(folder.join(class)).unwrap();
        for i in 0..4 {
            let pitch = std::f64::consts::TAU * (hz + 7.0 * f64::from(i)) / 16_000.0;
            let samples = (0..5000).map(|t| (6000.0 * (pitch * f64::from(t)).sin()) as i16);
            common::wav(&folder.join(class).join(format!("{i}.wav")), 16_000, samples);
        }
    }
}

const QUICK: [&str; 9] = ["--epochs", "2", "--blocks", "2", "--length", "4096", "--jobs", "1", "--no-evaluation"];

fn train(folder: &Path, from: &str, to: &str) -> (i32, String, String) {
    ser(folder, &[&["train", from, "-o", to], &QUICK[..]].concat())
}

#[test]
fn recordings_in_a_folder_of_the_work_folders_name_are_not_touched() {
    let folder = TempDir::new().unwrap();
    recordings(&folder.path().join("calls.training"));
    recordings(&folder.path().join("voices"));
    fs::write(folder.path().join("file.training"), "notes").unwrap();
    let before = snapshot(folder.path());
    for (from, to) in [
        ("calls.training", "calls.safetensors"),
        ("voices", "calls.safetensors"),
        ("voices", "file.safetensors"),
        ("voices", "calls.training"),
    ] {
        let (code, out, err) = train(folder.path(), from, to);
        assert_eq!((code, out.as_str()), (2, ""), "{from} {to}: {err}");
        let says_what_to_do = err.contains("give another -o") || err.contains("give another output file");
        assert!(err.contains(".training") && says_what_to_do, "{from} {to}: {err}");
        assert!(snapshot(folder.path()) == before, "{from} {to}: files were changed");
    }
    let (code, _, err) = train(folder.path(), "calls.training", "other.safetensors");
    assert_eq!(code, 0, "{err}");
    let mut after = snapshot(folder.path());
    assert!(after.remove(&folder.path().join("other.safetensors")).is_some());
    assert!(after == before);
}

/// A folder that an unfinished training left: a recording cannot be read.
fn unfinished() -> TempDir {
    let folder = TempDir::new().unwrap();
    recordings(&folder.path().join("voices"));
    let broken = folder.path().join("voices/low/0.wav");
    let whole = fs::read(&broken).unwrap();
    fs::write(&broken, &whole[..1000]).unwrap();
    let (code, _, err) = train(folder.path(), "voices", "m.safetensors");
    assert!(code == 2 && err.contains("0.wav"), "{err}");
    fs::write(&broken, whole).unwrap();
    folder
}

#[cfg(unix)]
#[test]
fn links_in_the_work_folder_are_not_followed() {
    use std::os::unix::fs::symlink;
    for name in ["lock", "ser-train.lock", "features.f32", "identity.json", "copies.partial", "a.wav"] {
        let folder = unfinished();
        let work = folder.path().join("m.training");
        let _ = fs::remove_file(work.join(name));
        fs::write(folder.path().join("precious.txt"), "years of work").unwrap();
        symlink("../precious.txt", work.join(name)).unwrap();
        let before = snapshot(folder.path());
        let (code, _, err) = train(folder.path(), "voices", "m.safetensors");
        assert!(code == 2 && err.contains("m.training") && err.contains("-o"), "{name}: {code} {err}");
        assert!(snapshot(folder.path()) == before, "{name}: files were changed");
    }
    // The folder itself is a link.
    let folder = TempDir::new().unwrap();
    recordings(&folder.path().join("voices"));
    fs::create_dir(folder.path().join("empty")).unwrap();
    symlink("empty", folder.path().join("m.training")).unwrap();
    let (code, _, err) = train(folder.path(), "voices", "m.safetensors");
    assert!(code == 2 && err.contains("a link"), "{err}");
    assert!(folder.path().join("empty").is_dir() && snapshot(&folder.path().join("empty")).is_empty());
}

#[test]
fn a_strange_file_in_the_work_folder_is_named_and_an_own_folder_is_gone_on_with() {
    let folder = unfinished();
    let strange = folder.path().join("m.training/take 1.wav");
    fs::write(&strange, "a recording").unwrap();
    let (code, _, err) = train(folder.path(), "voices", "m.safetensors");
    assert!(code == 2 && err.contains("`take 1.wav`"), "{err}");
    fs::remove_file(&strange).unwrap();
    let (code, _, err) = train(folder.path(), "voices", "m.safetensors");
    assert!(code == 0 && !folder.path().join("m.training").exists(), "{err}");
}

#[test]
fn no_output_falls_on_an_input_or_on_a_file_of_another_kind() {
    let folder = TempDir::new().unwrap();
    let at = |name: &str| folder.path().join(name);
    recordings(&at("voices"));
    fs::write(at("m.safetensors"), sound::model().to_bytes().unwrap()).unwrap();
    common::wav(&at("a.wav"), 16_000, (0..16_000).map(|i| (8000.0 * (f64::from(i) * 0.2).sin()) as i16));
    fs::copy(at("a.wav"), at("b.wav")).unwrap();
    let manifest = "id,path,label\nl0,voices/low/0.wav,low\nl1,voices/low/1.wav,low\nh0,voices/high/0.wav,high\n\
                    h1,voices/high/1.wav,high\n";
    fs::write(at("mine.csv"), manifest).unwrap();
    fs::write(at("mine.toml"), "unlisted = \"keep\"\n").unwrap();
    fs::write(at("notes.csv"), "what,when\nlunch,noon\n").unwrap();
    fs::write(at("notes.jsonl"), "{\"what\":\"lunch\"}\n").unwrap();
    fs::write(at("notes.txt"), "1. lunch\n").unwrap();
    fs::write(at("e.ids.txt"), "my own list\n").unwrap();
    // Weights of another program.
    fs::write(at("w.safetensors"), b"\x08\x00\x00\x00\x00\x00\x00\x00{}      ").unwrap();
    fs::create_dir(at("pages")).unwrap();
    fs::write(at("pages/ser-predict.1"), "my page").unwrap();
    let before = snapshot(folder.path());
    let keras = Path::new(env!("CARGO_MANIFEST_DIR")).join("../../fixtures/keras/timnet_n2.hdf5");
    let keras = keras.to_str().unwrap();
    let predict = ["predict", "a.wav", "--model", "m.safetensors"];
    for (command, output) in [
        (&["features", "a.wav", "-o"][..], "a.wav"),
        (&["features", "a.wav", "-o"], "b.wav"),
        (&["features", "a.wav", "-o"], "notes.txt"),
        (&["features", "a.wav", "-o"], "voices"),
        (&predict, "a.wav"),
        (&predict, "m.safetensors"),
        (&predict, "notes.txt"),
        (&[&predict[..], &["--format", "csv"]].concat(), "notes.csv"),
        (&[&predict[..], &["--format", "csv"]].concat(), "./a.wav"),
        (&[&predict[..], &["--format", "jsonl"]].concat(), "notes.jsonl"),
        (&[&predict[..], &["--format", "srt"]].concat(), "notes.txt"),
        (&[&predict[..], &["--format", "audacity"]].concat(), "notes.txt"),
        (&[&predict[..], &["--format", "textgrid"]].concat(), "notes.txt"),
        (&["explain", "a.wav", "--model", "m.safetensors", "-o"], "a.wav"),
        (&["explain", "a.wav", "--model", "m.safetensors", "-o"], "notes.txt"),
        (&["embed", "m.safetensors", "a.wav", "-o"], "a.wav"),
        (&["embed", "m.safetensors", "a.wav", "-o"], "m.safetensors"),
        (&["embed", "m.safetensors", "a.wav", "-o"], "e.npy"),
        (&["model", "export-onnx", "m.safetensors", "-o"], "m.safetensors"),
        (&["model", "export-onnx", "m.safetensors", "-o"], "a.wav"),
        (&["model", "import-keras", keras, "--labels", "a,b,c", "--length", "22050", "-o"], "a.wav"),
        (&["model", "import-keras", keras, "--labels", "a,b,c", "--length", "22050", "-o"], "w.safetensors"),
        (&["train", "mine.csv", "-o"], "mine.csv"),
        (&["train", "mine.csv", "-o"], "w.safetensors"),
        (&["train", "voices", "-o"], "a.wav"),
        (&["evaluate", "m.safetensors", "mine.csv", "--perturb", "--plot"], "mine.csv"),
        (&["evaluate", "m.safetensors", "mine.csv", "--perturb", "--plot"], "notes.txt"),
        (&["evaluate", "m.safetensors", "mine.csv", "--record"], "m.safetensors"),
        (&["corpus", "export", "mine.csv", "-o"], "mine.csv"),
        (&["corpus", "export", "mine.csv", "--labels", "mine.toml", "-o"], "mine.toml"),
        (&["corpus", "export", "voices", "--format", "jsonl", "-o"], "notes.jsonl"),
        (&["corpus", "split", "mine.csv", "--scheme", "kfold", "--folds", "2", "-o"], "notes.csv"),
        (&["corpus", "stats", "mine.csv", "--plot"], "mine.csv"),
        (&["corpus", "synth", "emodb", "--scale", "0.1", "-o"], "voices"),
        (&["man", "-o"], "pages"),
    ] {
        // `predict` ends without the flag, so that formats can be added.
        let flag = if command.last().unwrap().starts_with('-') { &[][..] } else { &["-o"] };
        let (code, out, err) = ser(folder.path(), &[command, flag, &[output]].concat());
        assert!(matches!(code, 1 | 2) && out.is_empty(), "{command:?} {output}: {code} {out} {err}");
        let named = Path::new(output).file_stem().unwrap().to_string_lossy().into_owned();
        assert!(err.contains(&named) && !err.contains("panicked"), "{command:?} {output}: {err}");
        let mut after = snapshot(folder.path());
        if output == "pages" {
            // Pages before the strange one are new files.
            after.retain(|path, _| before.contains_key(path));
        }
        assert!(after == before, "{command:?} {output}: files were changed");
    }
}

#[test]
fn an_output_of_the_same_kind_is_replaced() {
    let folder = TempDir::new().unwrap();
    let at = |name: &str| folder.path().join(name);
    fs::write(at("m.safetensors"), sound::model().to_bytes().unwrap()).unwrap();
    common::wav(&at("a.wav"), 16_000, (0..16_000).map(|i| (8000.0 * (f64::from(i) * 0.2).sin()) as i16));
    recordings(&at("voices"));
    for command in [
        &["features", "a.wav", "-o", "a.npy"][..],
        &["predict", "a.wav", "--no-vad", "--model", "m.safetensors", "-o", "a.table"],
        &["predict", "a.wav", "--no-vad", "--model", "m.safetensors", "--format", "csv", "-o", "a.csv"],
        &["predict", "a.wav", "--no-vad", "--model", "m.safetensors", "--format", "jsonl", "-o", "a.jsonl"],
        &["predict", "a.wav", "--no-vad", "--model", "m.safetensors", "--format", "srt", "-o", "a.srt"],
        &["predict", "a.wav", "--no-vad", "--model", "m.safetensors", "--format", "audacity", "-o", "a.txt"],
        &["predict", "a.wav", "--no-vad", "--model", "m.safetensors", "--format", "textgrid", "-o", "a.grid"],
        &["explain", "a.wav", "--model", "m.safetensors", "-o", "a.svg"],
        &["embed", "m.safetensors", "a.wav", "-o", "e.npy"],
        &["model", "export-onnx", "m.safetensors", "-o", "m.onnx"],
        &["corpus", "export", "voices", "-o", "list.csv"],
        &["corpus", "export", "voices", "--format", "jsonl", "-o", "list.jsonl"],
        &["corpus", "split", "voices", "--scheme", "kfold", "--folds", "2", "-o", "folds.csv"],
        &["corpus", "stats", "voices", "--plot", "stats.svg"],
        &["man", "-o", "pages"],
    ] {
        let output = command.last().unwrap();
        let bytes: Vec<_> = (0..2)
            .map(|_| {
                let (code, _, err) = ser(folder.path(), command);
                assert_eq!(code, 0, "{command:?}: {err}");
                if at(output).is_dir() {
                    snapshot(&at(output))
                } else {
                    [(at(output), fs::read(at(output)).unwrap())].into()
                }
            })
            .collect();
        assert!(bytes[0] == bytes[1] && bytes[0].values().all(|b| !b.is_empty()), "{command:?}");
    }
    for _ in 0..2 {
        let (code, _, err) = train(folder.path(), "voices", "t.safetensors");
        assert_eq!(code, 0, "{err}");
    }
    // A link stays one; what it leads to is replaced.
    #[cfg(unix)]
    {
        fs::write(at("far.npy"), "").unwrap();
        std::os::unix::fs::symlink("far.npy", at("near.npy")).unwrap();
        let (code, _, err) = ser(folder.path(), &["features", "a.wav", "-o", "near.npy"]);
        assert!(code == 0 && fs::symlink_metadata(at("near.npy")).unwrap().is_symlink(), "{err}");
        assert!(fs::read(at("far.npy")).unwrap() == fs::read(at("a.npy")).unwrap());
    }
}
