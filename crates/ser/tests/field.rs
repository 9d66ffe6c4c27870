//! Folders, lists and models as people name them: what `ser` makes of them, and what it says.

#![allow(clippy::unwrap_used)]

mod common;

use std::{fs, path::Path};

use common::ser;
use tempfile::TempDir;

const QUICK: [&str; 8] = ["--epochs", "2", "--blocks", "2", "--length", "4096", "--jobs", "1"];

fn wav(path: &Path, hz: f64) {
    fs::create_dir_all(path.parent().unwrap()).unwrap();
    let pitch = std::f64::consts::TAU * hz / 16_000.0;
    common::wav(path, 16_000, (0..5000).map(|t| (6000.0 * (pitch * f64::from(t)).sin()) as i16));
}

/// `train/` and `test/` with a folder for each of two classes.
fn split() -> TempDir {
    let folder = TempDir::new().unwrap();
    for (i, (class, hz)) in [("low", 150.0), ("high", 900.0)].into_iter().enumerate() {
        for n in 0..6 {
            let part = if n < 4 { "train" } else { "test" };
            wav(
                &folder.path().join("calls").join(part).join(class).join(format!("{n}.wav")),
                hz + 7.0 * f64::from(n) + i as f64,
            );
        }
    }
    folder
}

fn train(folder: &Path, from: &str, to: &str, more: &[&str]) -> (i32, String, String) {
    ser(folder, &[&["train", from, "-o", to, "--no-evaluation"], &QUICK[..], more].concat())
}

#[test]
fn split_folders_divide_training_and_test() {
    let folder = split();
    let (code, _, err) = train(folder.path(), "calls", "m.safetensors", &[]);
    assert_eq!(code, 0, "{err}");
    assert!(
        err.contains("folders read as split/class: classes high, low")
            && err.contains("8 utterances of 2 classes (high, low)"),
        "{err}"
    );
    let (code, out, err) = ser(folder.path(), &["evaluate", "m.safetensors", "calls"]);
    assert!(code == 0 && out.contains("4 utterances of calls"), "{out}{err}");
    let (_, out, _) = ser(folder.path(), &["evaluate", "m.safetensors", "calls", "--split-column", "none"]);
    assert!(out.contains("12 utterances"), "{out}");
    let (code, _, err) = train(folder.path(), "calls", "n.safetensors", &["--layout", "clas/split"]);
    assert!(code == 2 && err.contains("did you mean `class`?"), "{err}");
    let (code, _, err) = train(folder.path(), ".", "n.safetensors", &[]);
    assert!(code == 2 && err.contains("one folder deeper, give ./calls"), "{err}");
}

#[test]
fn lists_are_read_by_every_command_alike() {
    let folder = split();
    let rows = |root: &str| {
        let row = |(class, part, n): (&str, &str, i32)| format!("{root}\\{class}\\{n}.wav;{class};{part}\r\n");
        let all = ["low", "high"]
            .into_iter()
            .flat_map(|class| (0..4).map(move |n| (class, if n < 3 { "A" } else { "Test" }, n)));
        format!("\u{feff}File Name;mood;Fold\r\n{}", all.map(row).collect::<String>())
    };
    fs::create_dir(folder.path().join("lists")).unwrap();
    fs::write(folder.path().join("lists/l.csv"), rows("calls\\train")).unwrap();
    let (code, _, err) = train(folder.path(), "lists/l.csv", "m.safetensors", &[]);
    assert!(
        code == 2
            && err.contains("no column `label` in the header (File Name, mood, Fold)")
            && err.contains("--column label=NAME"),
        "{err}"
    );
    let column = ["--column", "label=mood"];
    let (code, _, err) = train(folder.path(), "lists/l.csv", "m.safetensors", &column);
    assert!(
        code == 2
            && err.contains("looked for at lists/calls/train/low/0.wav; it is there below")
            && err.contains("--root"),
        "{err}"
    );
    let found = [&column[..], &["--root", "."]].concat();
    let (code, _, err) = train(folder.path(), "lists/l.csv", "m.safetensors", &found);
    assert!(code == 0 && err.contains("8 utterances of 2 classes"), "{err}");
    let (code, _, err) = ser(
        folder.path(),
        &[&["evaluate", "m.safetensors", "lists/l.csv", "--split-column", "Fold"], &found[..]].concat(),
    );
    assert!(
        code == 0
            && err.contains("scoring the 2 of 8 rows")
            && err.contains("6 rows have the split `A`: they are in no part"),
        "{err}"
    );

    fs::write(folder.path().join("l.csv"), rows("calls\\train")).unwrap();
    let (code, out, err) = ser(folder.path(), &["predict", "l.csv", "--model", "m.safetensors", "--no-vad"]);
    assert!(code == 0 && out.lines().count() == 9 && err.contains("8 recordings"), "{out}{err}");
    assert!(out.lines().all(|line| line == line.trim_end()), "nothing is padded: {out}");
}

#[test]
fn a_model_carries_how_its_features_are_made() {
    let folder = split();
    let more = [
        "--system",
        "tcn",
        "--normalise",
        "utterance",
        "--trim",
        "40",
        "--dropout",
        "0.2",
        "--learning-rate",
        "0.002",
        "--label-smoothing",
        "0",
    ];
    let (code, _, err) = train(folder.path(), "calls", "a.safetensors", &more);
    assert_eq!(code, 0, "{err}");
    let (_, out, _) = ser(folder.path(), &["inspect", "a.safetensors"]);
    for part in
        ["normalise = utterance, silence 40 dB below", "learning rate 0.002, dropout 0.2, label smoothing 0", "TCN"]
    {
        assert!(out.contains(part), "{part}: {out}");
    }
    assert_eq!(train(folder.path(), "calls", "b.safetensors", &[]).0, 0);
    let (_, plain, _) = ser(folder.path(), &["inspect", "b.safetensors"]);
    assert!(!plain.contains("normalise") && !plain.contains("learning rate"), "{plain}");
    for (wrong, part) in [
        (["--normalise", "speaker"], "none or utterance is wanted"),
        (["--trim", "0"], "1 to 200"),
        (["--dropout", "1"], "dropout"),
        (["--label-smoothing", "1"], "label_smoothing"),
        (["--system", "timnet"], "tim-net"),
    ] {
        let (code, _, err) = train(folder.path(), "calls", "c.safetensors", &wrong);
        assert!(code == 2 && err.contains(part), "{wrong:?}: {err}");
    }

    let (code, out, err) =
        ser(folder.path(), &["compare", "a.safetensors", "b.safetensors", "calls", "--split-column", "none"]);
    assert_eq!(code, 0, "{err}");
    for part in [
        "| A: a.safetensors | ",
        "| A - B | ",
        "12 utterances of calls",
        "McNemar's exact test gives p = ",
        "two trained models, not two ways of training",
    ] {
        assert!(out.contains(part), "{part}: {out}");
    }
    let (code, out, _) = ser(folder.path(), &["compare", "a.safetensors", "a.safetensors", "calls", "--json"]);
    let same: serde_json::Value = serde_json::from_str(&out).unwrap();
    assert!(code == 0 && same["mcnemar"]["p"] == 1.0 && same["difference"]["uar"]["estimate"] == 0.0, "{out}");
    let (code, _, err) =
        ser(folder.path(), &["compare", "a.safetensors", "b.safetensors", "calls", "--map", "low=deep"]);
    assert!(code == 2 && err.contains("a.safetensors: the model does not know the label(s) deep"), "{err}");
}

/// Where the program has a model built in.
#[test]
fn builtin_is_a_model_everywhere() {
    let folder = TempDir::new().unwrap();
    wav(&folder.path().join("a.wav"), 200.0);
    let (code, inspected, err) = ser(folder.path(), &["inspect"]);
    let built_in = Path::new(env!("CARGO_MANIFEST_DIR")).join("models/emodb.safetensors").is_file();
    assert_eq!((code == 0, built_in || err.contains("built without one")), (built_in, true), "{err}");
    for command in [
        &["inspect", "builtin"][..],
        &["predict", "a.wav", "--model", "builtin"],
        &["embed", "builtin", "a.wav", "-o", "e.npy"],
        &["explain", "a.wav", "--model", "builtin", "-o", "e.svg"],
        &["model", "export-onnx", "builtin", "-o", "m.onnx"],
    ] {
        let (code, out, err) = ser(folder.path(), command);
        assert_eq!(code == 0, built_in, "{command:?}: {err}");
        assert!(command[0] != "inspect" || out == inspected);
    }
    if built_in {
        let (_, _, err) = ser(folder.path(), &["inspect", "bultin"]);
        assert!(err.contains("`builtin` names the model"), "{err}");
    }
}
