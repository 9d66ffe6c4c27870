//! Model files on the command line: import, export, inspect, embed, explain; completions and man pages.

#![allow(clippy::unwrap_used, clippy::print_stdout)]

mod common;
#[path = "../../sermodel/tests/support/mod.rs"]
mod sound;

use std::{
    env, fs,
    path::{Path, PathBuf},
};

use common::ser;
use ndarray::{Array1, Array2, Array3, s};
use ndarray_npy::NpzReader;
use sermodel::{Features, Figure, Model};
use tempfile::TempDir;

fn fixture(name: &str) -> PathBuf {
    Path::new(env!("CARGO_MANIFEST_DIR")).join("../../fixtures").join(name)
}

fn folder() -> TempDir {
    let folder = TempDir::new().unwrap();
    fs::write(folder.path().join("model.safetensors"), sound::model().to_bytes().unwrap()).unwrap();
    fs::copy(fixture("mfcc/audio/flac.flac"), folder.path().join("a.flac")).unwrap();
    fs::copy(fixture("mfcc/audio/pcm-u8.wav"), folder.path().join("b.wav")).unwrap();
    // A second fold's file: n = 2, three classes, four coefficients.
    fs::copy(fixture("keras/timnet_n2.hdf5"), folder.path().join("n2.hdf5")).unwrap();
    folder
}

/// Keras' recorded answers, where they are.
#[test]
fn imported_official_weights_answer_as_keras_did() {
    let folder = TempDir::new().unwrap();
    let data = env::var_os("SER_KERAS")
        .map_or_else(|| Path::new(env!("CARGO_MANIFEST_DIR")).join("../../../shared/data/keras"), PathBuf::from);
    let Ok(file) = fs::File::open(data.join("timnet_n8.npz")) else {
        println!("skipped: no timnet_n8.npz in {} (set SER_KERAS)", data.display());
        return;
    };
    let weights = data.join("timnet_n8_after20.hdf5");
    let import = ["model", "import-keras", weights.to_str().unwrap(), "--preset", "timnet-0.10", "-o", "m.safetensors"];
    let (code, _, err) = ser(folder.path(), &import);
    assert!(code == 2 && err.contains("--corpus") && err.contains("emodb, emovo, savee"), "{err}");
    let (code, _, err) = ser(folder.path(), &[&import[..], &["--corpus", "emodb"]].concat());
    assert_eq!(code, 0, "{err}");
    let model = Model::load(&folder.path().join("m.safetensors")).unwrap();
    assert_eq!((model.labels()[1].as_str(), model.card().length), ("boredom", 96_000));
    let mut npz = NpzReader::new(file).unwrap();
    let features: Array3<f32> = npz.by_name("features").unwrap();
    let indices: Array1<i64> = npz.by_name("eval_indices").unwrap();
    let probabilities: Array2<f32> = npz.by_name("probabilities").unwrap();
    let mut worst = 0.0f32;
    for (&i, expected) in indices.iter().zip(probabilities.rows()) {
        let values = features.slice(s![i as usize, .., ..]).iter().copied().collect();
        let front_end = model.card().front_end.clone();
        let found = model.predict_features(&Features { values, frames: 188, front_end }).unwrap();
        worst = found.probabilities.iter().zip(expected).fold(worst, |w, (a, b)| w.max((a - b).abs()));
    }
    println!("{} utterances, probabilities differ by at most {worst:e}", indices.len());
    assert!(indices.len() == 8 && worst < 1e-5, "{worst}");
}

#[test]
fn what_cannot_be_imported_is_said() {
    let folder = folder();
    let bytes = fs::read(folder.path().join("n2.hdf5")).unwrap();
    let write = |name: &str, bytes: &[u8]| fs::write(folder.path().join(name), bytes).unwrap();
    write("cut.hdf5", &bytes[..bytes.len() / 2]);
    write("text.hdf5", b"not a model");
    let mut damaged = bytes.clone();
    damaged[96..160].fill(0xff);
    write("damaged.hdf5", &damaged);
    // Four coefficients, as no preset has.
    for (file, part) in [
        ("cut.hdf5", "cut off"),
        ("text.hdf5", "not an HDF5 file"),
        ("damaged.hdf5", "damaged.hdf5"),
        ("none.hdf5", "none.hdf5"),
        ("n2.hdf5", "39 coefficients"),
    ] {
        let import = ["model", "import-keras", file, "--labels", "a,b,c", "--length", "22050", "-o", "m.safetensors"];
        let (code, out, err) = ser(folder.path(), &import);
        assert!(code == 2 && out.is_empty() && err.contains(part) && !err.contains("panicked"), "{file}: {code} {err}");
        assert!(!folder.path().join("m.safetensors").exists());
    }
    for (more, part) in [
        (&[][..], "name them with --labels"),
        (&["--corpus", "iemocap"], "4 names"),
        (&["--labels", "a,b,c"], "--length"),
        (&["--labels", "a,b", "--length", "22050"], "2 names"),
        (&["--corpus", "iemocap", "--preset", "librosa-7"], "librosa-7"),
    ] {
        let (code, _, err) =
            ser(folder.path(), &[&["model", "import-keras", "n2.hdf5", "-o", "m.safetensors"], more].concat());
        assert!(code == 2 && err.contains(part), "{more:?}: {code} {err}");
    }
}

#[test]
fn inspect_puts_unseen_speakers_first() {
    let folder = folder();
    let mut card = sound::model().card().clone();
    let figure = |protocol: &str, uar| Figure { protocol: protocol.into(), uar, war: uar, note: "made up".into() };
    card.figures = vec![figure("last-epoch", 0.9), figure("speaker-independent", 0.612)];
    card.licence = "CC0".into();
    let model = Model::new(sound::model().weights().clone(), card).unwrap();
    fs::write(folder.path().join("figures.safetensors"), model.to_bytes().unwrap()).unwrap();
    let (code, out, _) = ser(folder.path(), &["inspect", "figures.safetensors"]);
    assert_eq!(code, 0);
    assert!(out.trim_start().starts_with("speaker-independent") && out.contains("UAR 61.2 %"), "{out}");
    assert!(
        ["CC0", "timnet-0.8.1", &model.card().front_end.fingerprint(), "angry, neutral, sad"]
            .iter()
            .all(|p| out.contains(p))
    );
    let (_, out, _) = ser(folder.path(), &["inspect", "figures.safetensors", "--json"]);
    let json: serde_json::Value = serde_json::from_str(&out).unwrap();
    assert_eq!(json["card"]["figures"][0]["uar"], 0.612);
    // 2 (39 39 + 39) + n 2 2 (2 39 39 + 39 + 4 39) + n + 40 classes, running statistics included
    assert_eq!((&json["network"]["blocks"], json["parameters"].as_u64()), (&3.into(), Some(42_087)));
    let (code, _, err) = ser(folder.path(), &["inspect", "b.wav"]);
    assert!(code == 2 && err.contains("b.wav"), "{err}");
}

/// The card, README and docs/results.md agree on what the built-in model is worth, on its own corpus and on another.
#[test]
fn the_built_in_models_card_says_what_it_is_worth_elsewhere() {
    let here = Path::new(env!("CARGO_MANIFEST_DIR"));
    let bytes = fs::read(here.join("models/emodb.safetensors")).unwrap();
    let model = Model::from_bytes(&bytes).unwrap();
    assert_eq!(
        (model.card().front_end.preset_name(), model.to_bytes().unwrap() == bytes),
        (Some("timnet-0.8.1"), true)
    );
    let [own, other] = &model.card().figures[..] else { panic!("{:?}", model.card().figures) };
    assert_eq!([&own.protocol[..], &other.protocol], [Figure::SPEAKER_INDEPENDENT, Figure::OTHER_CORPUS]);
    for part in ["fitted on all folds but one and judged on that one", "over 10 speakers", "not the model itself"] {
        assert!(own.note.contains(part), "{part}: {}", own.note);
    }
    for part in ["864 utterances of ravdess, 5 of the 7 classes", "over 24 speakers"] {
        assert!(other.note.contains(part), "{part}: {}", other.note);
    }
    let between = |note: &str, from: &str, to: &str| {
        let rest = &note[note.find(from).unwrap() + from.len()..];
        rest[..rest.find(to).unwrap()].to_owned()
    };
    for page in ["README.md", "../../docs/results.md"] {
        let page = fs::read_to_string(here.join(page)).unwrap();
        for note in [&own.note, &other.note] {
            // `66.9 % [59.3, 74.6]` of the note is `66.9 [59.3, 74.6]` in a column of percent.
            for (from, to) in [("UAR ", ", WAR"), ("WAR ", " (95"), ("calibration error ", " (15 bins")] {
                let figure = between(note, from, to).replace(" % ", " ");
                assert!(page.contains(&figure), "{figure}");
            }
            for (from, to) in [(" answered (", ")"), ("of these right (", ")"), ("bins), ", " of ")] {
                let figure = between(note, from, to);
                assert!(page.contains(&figure) || page.replace("**", "").contains(&figure), "{figure}");
            }
        }
    }
}

/// Every command that loads a model says which number of which file it cannot use, and writes nothing.
#[test]
fn numbers_that_mean_nothing_are_refused_with_their_place() {
    let folder = folder();
    let mut card = sound::model().card().clone();
    (card.temperature, card.threshold) = (Some(1.5), Some(0.4));
    let bytes = Model::new(sound::model().weights().clone(), card).unwrap().to_bytes().unwrap();
    let edited = |key: &str, from: &str, to: &str| {
        let find = |what: &str, start: usize| {
            start + bytes[start..].windows(what.len()).position(|w| w == what.as_bytes()).unwrap()
        };
        let at = find(from, find(key, 0));
        let mut bytes = bytes.clone();
        bytes[at..at + from.len()].copy_from_slice(to.as_bytes());
        bytes
    };
    // The last values of the file are weights.
    let weights = |value: f32| [&bytes[..bytes.len() - 4], &value.to_le_bytes()].concat();
    for (name, bytes, part) in [
        ("t0", edited("temperature", "1.5", "0.0"), "temperature"),
        ("t-", edited("temperature", "1.5", "-15"), "temperature"),
        ("tn", edited("temperature", "1.5", "NaN"), "card"),
        ("th", edited("threshold", "0.4", "1.4"), "threshold"),
        ("th-", edited("threshold", "0.4", "-14"), "threshold"),
        ("nan", weights(f32::NAN), "NaN"),
        ("inf", weights(f32::INFINITY), "inf"),
    ] {
        let name = format!("{name}.safetensors");
        fs::write(folder.path().join(&name), bytes).unwrap();
        for command in [
            &["inspect", &name][..],
            &["predict", "a.flac", "--model", &name, "-o", "out"],
            &["explain", "a.flac", "--model", &name, "-o", "out"],
            &["embed", &name, "a.flac", "-o", "out"],
            &["model", "export-onnx", &name, "-o", "out"],
            &["evaluate", &name, ".", "--record", "out"],
        ] {
            let (code, out, err) = ser(folder.path(), command);
            assert!(code == 2 && out.is_empty(), "{command:?}: {code} {out} {err}");
            assert!(err.contains(&name) && err.contains(part), "{command:?}: {err}");
            assert!(!folder.path().join("out").exists(), "{command:?}");
        }
    }
}

#[test]
fn embeddings_are_the_networks_and_have_names() {
    let folder = folder();
    fs::write(folder.path().join("c.wav"), "x").unwrap();
    let (code, _, err) = ser(folder.path(), &["embed", "model.safetensors", ".", "-o", "e.npy"]);
    assert!(code == 1 && err.contains("c.wav"), "{err}");
    let found: Array2<f32> = ndarray_npy::read_npy(folder.path().join("e.npy")).unwrap();
    assert_eq!(found.dim(), (2, 39));
    let audio = seraudio::load(&folder.path().join("a.flac"), &Default::default()).unwrap();
    let expected = sound::model().predict(&audio.samples, audio.rate).unwrap().output.embedding;
    assert_eq!(found.row(0).to_vec(), expected);
    let ids = fs::read_to_string(folder.path().join("e.ids.txt")).unwrap();
    assert_eq!(ids.lines().collect::<Vec<_>>(), ["./a.flac", "./b.wav"]);
}

#[test]
fn the_onnx_file_is_the_librarys_with_the_card_in_it() {
    let folder = folder();
    let (code, _, err) = ser(folder.path(), &["model", "export-onnx", "model.safetensors", "-o", "m.onnx"]);
    assert_eq!(code, 0, "{err}");
    let bytes = fs::read(folder.path().join("m.onnx")).unwrap();
    let graph = timnet_onnx::export(sound::model().weights(), 1.0, &Default::default()).unwrap();
    assert!(bytes.starts_with(&graph));
    let hash = sound::model().card().front_end.fingerprint();
    for text in ["angry,neutral,sad", "front_end_hash", &hash] {
        assert!(bytes[graph.len()..].windows(text.len()).any(|w| w == text.as_bytes()), "{text}");
    }
}

#[test]
fn an_explanation_is_a_picture_for_light_and_dark() {
    let folder = folder();
    let explain = ["explain", "a.flac", "--model", "model.safetensors", "-o", "why.svg"];
    let (code, out, err) = ser(folder.path(), &explain);
    assert!(code == 0 && out.is_empty(), "{err}");
    let svg = fs::read_to_string(folder.path().join("why.svg")).unwrap();
    assert!(svg.starts_with("<svg") && svg.trim_end().ends_with("</svg>") && svg.len() < 300_000);
    for part in ["prefers-color-scheme:dark", "a.flac", "block 3, sees", "bias", "attention"] {
        assert!(svg.contains(part), "{part}");
    }
    assert!(!svg.contains("NaN") && !svg.contains("inf"));
    let (code, _, err) = ser(folder.path(), &[&explain[..], &["--stretch", "0"]].concat());
    assert!(code == 2 && err.contains("stretch"), "{err}");
}

#[test]
fn completions_and_man_pages_know_every_command() {
    let folder = TempDir::new().unwrap();
    for shell in ["bash", "zsh", "fish", "powershell", "elvish"] {
        let (code, out, _) = ser(folder.path(), &["completions", shell]);
        assert!(code == 0 && out.contains("predict") && out.contains("import-keras"), "{shell}");
    }
    let (code, page, _) = ser(folder.path(), &["man"]);
    assert!(code == 0 && page.contains(".TH ser 1") && page.contains("explain"), "{page}");
    assert_eq!(ser(folder.path(), &["man", "-o", "pages"]).0, 0);
    let predict = fs::read_to_string(folder.path().join("pages/ser-predict.1")).unwrap();
    assert!(predict.contains("ser predict me.wav"), "{predict}");
}
