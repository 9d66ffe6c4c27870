//! `ser train` and `ser evaluate` on small recordings: three voices that differ in pitch.

#![allow(clippy::unwrap_used)]

mod common;

use std::{
    fs,
    path::Path,
    process::{Child, Command, Stdio},
    time::{Duration, Instant},
};

use common::{command, ser};
use tempfile::TempDir;

const CLASSES: [(&str, f64); 3] = [("low", 150.0), ("middle", 400.0), ("high", 1100.0)];
const QUICK: [&str; 8] = ["--epochs", "30", "--blocks", "4", "--length", "8192", "--jobs", "2"];

fn train(folder: &Path, from: &str, to: &str, more: &[&str]) -> (i32, String, String) {
    ser(folder, &[&["train", from, "-o", to], &QUICK[..], more].concat())
}

fn wav(path: &Path, hz: f64, seconds: f64) {
    let sample = |i: i32| {
        let phase = std::f64::consts::TAU * hz * f64::from(i) / 16_000.0;
        (6000.0 * (phase.sin() + 0.3 * (2.0 * phase).sin())) as i16
    };
    common::wav(path, 16_000, (0..(seconds * 16_000.0) as i32).map(sample));
}

/// A folder for each class, eight recordings in each, of four speakers whose pitch differs a little.
fn corpus() -> TempDir {
    let folder = TempDir::new().unwrap();
    let mut manifest = "path,label,speaker\n".to_owned();
    for (class, hz) in CLASSES {
        fs::create_dir_all(folder.path().join("voices").join(class)).unwrap();
        for i in 0..8 {
            let speaker = i % 4;
            let path = format!("voices/{class}/{i}.wav");
            let pitch = hz * (1.0 + 0.03 * f64::from(speaker) + 0.005 * f64::from(i));
            wav(&folder.path().join(&path), pitch, 0.3 + 0.02 * f64::from(i));
            manifest.push_str(&format!("{path},{class},s{speaker}\n"));
        }
    }
    fs::write(folder.path().join("voices.csv"), manifest).unwrap();
    folder
}

#[test]
fn a_folder_without_speakers_is_learned_and_the_card_says_what_that_is_worth() {
    let folder = corpus();
    let at = |name: &str| folder.path().join(name);
    let (code, out, err) = train(folder.path(), "voices", "a.safetensors", &["--licence", "CC0-1.0", "--folds", "4"]);
    assert_eq!(code, 0, "{err}");
    assert!(err.contains("24 utterances of 3 classes (high, low, middle), speakers unknown"), "{err}");
    assert!(err.contains("30 steps are few") && err.contains("--batch-size"), "{err}");
    assert!(err.contains("4 random folds") && out.contains("UAR") && out.contains("recall"), "{err}{out}");
    assert!(!at("a.training").exists());
    let card = String::from_utf8_lossy(&fs::read(at("a.safetensors")).unwrap()).into_owned();
    for part in ["last-epoch", "CC0-1.0", "folds share speakers", "Not for decisions about people", "temperature"] {
        assert!(card.contains(part), "{part}");
    }
    assert!(!card.contains("speaker-independent"));
    // Same seed, same bytes, on any number of threads.
    let more = ["--licence", "CC0-1.0", "--folds", "4", "--jobs", "1"];
    let one = ser(folder.path(), &[&["train", "voices", "-o", "b.safetensors"], &QUICK[..6], &more].concat());
    assert_eq!(one.0, 0, "{}", one.2);
    assert!(fs::read(at("a.safetensors")).unwrap() == fs::read(at("b.safetensors")).unwrap());

    let (code, out, err) = ser(folder.path(), &["evaluate", "a.safetensors", "voices", "--json"]);
    assert_eq!(code, 0, "{err}");
    let figures: serde_json::Value = serde_json::from_str(&out).unwrap();
    assert!(figures["war"]["estimate"].as_f64().unwrap() > 0.9, "{out}");
    assert_eq!(figures["confusion"].as_array().unwrap().len(), 3);
    assert_eq!(figures["intervals_over"], "utterances");
}

#[test]
fn known_speakers_are_kept_apart_and_the_model_is_measured_against_real_life() {
    let folder = corpus();
    let (code, out, err) = train(folder.path(), "voices.csv", "m.safetensors", &["--validation", "0.3"]);
    assert_eq!(code, 0, "{err}");
    assert!(err.contains("4 folds that share no speaker") && out.contains("s3"), "{err}{out}");
    let card = String::from_utf8_lossy(&fs::read(folder.path().join("m.safetensors")).unwrap()).into_owned();
    assert!(card.contains("speaker-independent") && !card.contains("share speakers"), "{card:.3000}");
    // Four speakers are too few for intervals over speakers, which is said wherever there are figures.
    for text in [&out, &card] {
        for part in [
            "24 utterances of voices (4 folds that share no speaker)",
            "not over the 4 speakers, who are fewer than 5",
            "with temperature and threshold fitted on all folds but one and judged on that one",
            "of 24 answered",
            "not the model itself",
        ] {
            assert!(text.contains(part), "{part}: {text:.4000}");
        }
    }

    let perturb = ["evaluate", "m.safetensors", "voices.csv", "--perturb", "--plot", "p.svg"];
    let (code, out, err) = ser(folder.path(), &perturb);
    assert_eq!(code, 0, "{err}");
    for part in ["gain", "white noise", "0 dB SNR", "G.711 mu-law", "25 %", "8000 Hz"] {
        assert!(out.contains(part), "{part}: {out}");
    }
    let plot = fs::read_to_string(folder.path().join("p.svg")).unwrap();
    assert!(plot.starts_with("<svg") && plot.contains("pink noise, dB SNR"));
    let (_, out, _) = ser(folder.path(), &["evaluate", "m.safetensors", "voices.csv", "--perturb", "--json"]);
    let rows: serde_json::Value = serde_json::from_str(&out).unwrap();
    assert_eq!((rows.as_array().unwrap().len(), &rows[0]["perturbation"]), (36, &"none".into()));
    let (_, again, _) = ser(folder.path(), &["evaluate", "m.safetensors", "voices.csv", "--perturb", "--json"]);
    assert_eq!(out, again);
}

#[test]
fn labels_are_mapped_by_name_and_others_refused() {
    let folder = corpus();
    let (code, _, err) = train(folder.path(), "voices", "m.safetensors", &["--no-evaluation"]);
    assert_eq!(code, 0, "{err}");
    fs::rename(folder.path().join("voices/low"), folder.path().join("voices/deep")).unwrap();
    let (code, _, err) = ser(folder.path(), &["evaluate", "m.safetensors", "voices"]);
    assert!(code == 2 && err.contains("deep") && err.contains("high, low, middle") && err.contains("--map"), "{err}");
    let (code, out, err) = ser(folder.path(), &["evaluate", "m.safetensors", "voices", "--map", "deep=low"]);
    assert!(code == 0 && out.contains("is low"), "{err}");
    let (code, _, err) = ser(folder.path(), &["evaluate", "m.safetensors", "voices", "--map", "shrill=high"]);
    assert!(code == 2 && err.contains("no label `shrill`"), "{err}");
}

/// Speaker 3 is for the test.
#[test]
fn test_rows_are_not_learned_from_and_alone_are_scored() {
    let folder = corpus();
    let rows = fs::read_to_string(folder.path().join("voices.csv")).unwrap();
    let mut rows: Vec<String> = rows.lines().map(str::to_owned).collect();
    rows[0].push_str(",split");
    for row in &mut rows[1..] {
        let part = if row.ends_with("s3") { ",test" } else { [",train", ",dev"][row.len() % 2] };
        row.push_str(part);
    }
    let write = |keep: &dyn Fn(&str) -> bool| {
        let text: String = rows.iter().filter(|row| keep(row)).map(|row| format!("{row}\n")).collect();
        fs::write(folder.path().join("voices.csv"), text).unwrap();
    };
    write(&|_| true);
    let (code, _, err) = train(folder.path(), "voices.csv", "a.safetensors", &[]);
    assert_eq!(code, 0, "{err}");
    assert!(err.contains("learning from the 18 of 24 rows whose `split` is train or validation"), "{err}");
    assert!(err.contains("18 utterances of 3 classes (high, low, middle), 3 speakers"), "{err}");
    let (code, out, err) = ser(folder.path(), &["evaluate", "a.safetensors", "voices.csv", "--json"]);
    assert!(code == 0 && err.contains("scoring the 6 of 24 rows whose `split` is test"), "{err}");
    let figures: serde_json::Value = serde_json::from_str(&out).unwrap();
    assert_eq!((&figures["utterances"], &figures["speakers"][0]["speaker"]), (&6.into(), &"s3".into()));
    let all = ["evaluate", "a.safetensors", "voices.csv", "--json", "--split-column", "none"];
    let (_, out, _) = ser(folder.path(), &all);
    assert_eq!(serde_json::from_str::<serde_json::Value>(&out).unwrap()["utterances"], 24);

    // The same bytes as from a manifest in which the test rows are not.
    write(&|row| !row.ends_with("test"));
    let (code, _, err) = train(folder.path(), "voices.csv", "b.safetensors", &[]);
    assert_eq!(code, 0, "{err}");
    let read = |name: &str| fs::read(folder.path().join(name)).unwrap();
    assert!(read("a.safetensors") == read("b.safetensors"));
    let (code, _, err) = ser(folder.path(), &["evaluate", "a.safetensors", "voices.csv"]);
    assert!(code == 2 && err.contains("`split` is test in no row") && err.contains("--split-column none"), "{err}");
}

#[test]
fn figures_of_another_corpus_go_into_the_card() {
    let folder = corpus();
    let (code, _, err) = train(folder.path(), "voices", "m.safetensors", &["--no-evaluation"]);
    assert_eq!(code, 0, "{err}");
    let record = ["evaluate", "m.safetensors", "voices.csv", "--json", "--record", "known.safetensors"];
    let (code, out, err) = ser(folder.path(), &record);
    assert_eq!(code, 0, "{err}");
    let figures: serde_json::Value = serde_json::from_str(&out).unwrap();
    let card = |name: &str| {
        let (code, out, err) = ser(folder.path(), &["inspect", name, "--json"]);
        assert_eq!(code, 0, "{err}");
        serde_json::from_str::<serde_json::Value>(&out).unwrap()["card"].clone()
    };
    let (mut before, after) = (card("m.safetensors"), card("known.safetensors"));
    let recorded = &after["figures"][0];
    assert_eq!((&recorded["protocol"], &recorded["war"]), (&"other-corpus".into(), &figures["war"]["estimate"]));
    assert!(recorded["note"].as_str().unwrap().contains("24 utterances of voices: UAR"), "{recorded}");
    before["figures"] = after["figures"].clone();
    assert_eq!(before, after);
    // Answers are those of the model without the figures.
    let predict =
        |model| ser(folder.path(), &["predict", "voices/low/0.wav", "--no-vad", "--format", "csv", "--model", model]).1;
    assert_eq!(predict("m.safetensors"), predict("known.safetensors"));
}

#[test]
fn varied_copies_are_the_same_in_every_run() {
    let folder = corpus();
    let varied = ["--augment", "speed,truncate,room,noise,gain,codec,specaugment", "--copies", "3", "--no-evaluation"];
    let read = |name: &str| fs::read(folder.path().join(name)).unwrap();
    for (name, jobs) in [("a.safetensors", "1"), ("b.safetensors", "2")] {
        let fixed = [&["train", "voices", "-o", name], &QUICK[..6], &["--jobs", jobs], &varied].concat();
        let (code, _, err) = ser(folder.path(), &fixed);
        assert_eq!(code, 0, "{err}");
    }
    assert!(read("a.safetensors") == read("b.safetensors"));
    let (code, _, err) = train(folder.path(), "voices", "c.safetensors", &["--no-evaluation"]);
    assert_eq!(code, 0, "{err}");
    assert!(read("a.safetensors") != read("c.safetensors"));
}

/// Waits until `path` is there.
fn wait_for(path: &Path, child: &mut Child) {
    let start = Instant::now();
    while !path.exists() && child.try_wait().unwrap().is_none() {
        assert!(start.elapsed() < Duration::from_secs(60), "{} never came", path.display());
        std::thread::sleep(Duration::from_millis(2));
    }
}

#[cfg(unix)]
#[test]
fn stopped_or_killed_trainings_end_in_the_same_bytes() {
    let folder = corpus();
    let arguments = |name| {
        let varied = ["--epochs", "60", "--augment", "gain,specaugment", "--copies", "2", "--folds", "3"];
        [&["train", "voices", "-o", name], &QUICK[2..], &varied]
            .concat()
            .iter()
            .map(ToString::to_string)
            .collect::<Vec<_>>()
    };
    let run = |name| {
        let arguments = arguments(name);
        ser(folder.path(), &arguments.iter().map(String::as_str).collect::<Vec<_>>())
    };
    assert_eq!(run("plain.safetensors").0, 0);
    for (signal, name) in [("-KILL", "killed.safetensors"), ("-INT", "stopped.safetensors")] {
        let arguments = arguments(name);
        let arguments: Vec<&str> = arguments.iter().map(String::as_str).collect();
        let mut child =
            command(folder.path(), &arguments).stderr(Stdio::piped()).stdout(Stdio::null()).spawn().unwrap();
        // One network is finished, three are not.
        wait_for(&folder.path().join(name).with_extension("training").join("everything.safetensors"), &mut child);
        Command::new("kill").args([signal, &child.id().to_string()]).status().unwrap();
        let output = child.wait_with_output().unwrap();
        assert!(!folder.path().join(name).exists(), "it was too quick to be stopped");
        if signal == "-INT" {
            let err = String::from_utf8(output.stderr).unwrap();
            assert!(output.status.code() == Some(1) && err.contains("the same command goes on"), "{err}");
        }
        let (code, _, err) = run(name);
        assert!(code == 0, "{err}");
        let read = |name: &str| fs::read(folder.path().join(name)).unwrap();
        assert!(read("plain.safetensors") == read(name), "{signal}");
    }
}

#[test]
fn a_folder_of_another_training_is_refused() {
    let folder = corpus();
    let work = folder.path().join("m.training");
    fs::create_dir(&work).unwrap();
    fs::write(work.join("identity.json"), "{\"version\": 1, \"seed\": 7}").unwrap();
    fs::write(work.join("fold-00.checkpoint"), "").unwrap();
    fs::write(work.join("ser-train.lock"), "").unwrap();
    let (code, _, err) = train(folder.path(), "voices", "m.safetensors", &[]);
    assert!(code == 2 && err.contains("m.training") && err.contains("seed") && err.contains("delete it"), "{err}");
    // One in which nothing was trained yet holds nobody up: a recording that could not be read, and then could.
    let broken = folder.path().join("voices/low/0.wav");
    let whole = fs::read(&broken).unwrap();
    fs::write(&broken, &whole[..1000]).unwrap();
    let (code, _, err) = train(folder.path(), "voices", "n.safetensors", &["--no-evaluation"]);
    assert!(code == 2 && err.contains("0.wav") && folder.path().join("n.training").exists(), "{err}");
    // Another noise is another training.
    fs::create_dir(folder.path().join("hum")).unwrap();
    let identities = [50.0, 60.0].map(|hz| {
        wav(&folder.path().join("hum/hum.wav"), hz, 0.5);
        let noisy = ["--augment", "noise", "--noise-folder", "hum", "--no-evaluation"];
        assert_eq!(train(folder.path(), "voices", "n.safetensors", &noisy).0, 2);
        fs::read_to_string(folder.path().join("n.training/identity.json")).unwrap()
    });
    let other = identities[0].lines().zip(identities[1].lines()).filter(|(a, b)| a != b).map(|(a, _)| a.trim());
    assert!(matches!(other.collect::<Vec<_>>()[..], [only] if only.starts_with("\"noise\"")), "{identities:?}");
    fs::write(&broken, whole).unwrap();
    let (code, _, err) = train(folder.path(), "voices", "n.safetensors", &["--no-evaluation"]);
    assert!(code == 0, "{err}");
}

#[test]
fn feature_files_of_the_official_code_are_learned_from() {
    let folder = TempDir::new().unwrap();
    let fixtures = Path::new(env!("CARGO_MANIFEST_DIR")).join("../../fixtures/features");
    for name in ["numpy-2.npy", "protocol-2.npy", "odd.npy"] {
        fs::copy(fixtures.join(name), folder.path().join("F.npy")).unwrap();
        let to = name.replace("npy", "safetensors");
        let arguments = [
            "train",
            "F.npy",
            "-o",
            &to,
            "--epochs",
            "20",
            "--blocks",
            "2",
            "--classes",
            "a,b,c",
            "--augment",
            "specaugment",
        ];
        let (code, out, err) = ser(folder.path(), &arguments);
        assert!(code == 0 && out.contains("is b"), "{name}: {err}");
    }
    let read = |name: &str| fs::read(folder.path().join(name)).unwrap();
    assert!(read("numpy-2.safetensors") == read("protocol-2.safetensors"));
    assert!(read("numpy-2.safetensors") == read("odd.safetensors"));
    for (more, parts) in [
        (&["--classes", "a,b"][..], &["names 2 classes", "has 3"][..]),
        (&["--augment", "noise"], &["no samples", "specaugment"]),
        (&["--length", "96000"], &["5 frames", "--length"]),
    ] {
        let (code, _, err) = ser(folder.path(), &[&["train", "F.npy", "-o", "x.safetensors"], more].concat());
        assert!(code == 2 && parts.iter().all(|p| err.contains(p)), "{more:?}: {err}");
    }
}

#[test]
fn what_cannot_be_learned_from_is_named() {
    let folder = corpus();
    let write = |name: &str, text: &str| fs::write(folder.path().join(name), text).unwrap();
    write("broken.wav", "no audio at all, but some text");
    write("column.csv", "path,notes\nvoices/low/0.wav,low\n");
    write("line.csv", "path,label\nvoices/low/0.wav,low\nvoices/low/1.wav,low,extra\n");
    write("missing.csv", "path,label\nvoices/low/0.wav,low\nvoices/low/77.wav,low\n");
    write("one.csv", "path,label\nvoices/low/0.wav,low\nvoices/low/1.wav,low\nvoices/high/0.wav,high\n");
    write(
        "audio.csv",
        "path,label\nvoices/low/0.wav,low\nvoices/low/1.wav,low\nbroken.wav,high\nvoices/high/0.wav,high\n",
    );
    write("features.npy", "not NumPy");
    for (from, more, parts) in [
        ("column.csv", &[][..], &["column.csv:1", "label"][..]),
        ("line.csv", &[], &["line.csv:3", "3 fields", "2"]),
        ("missing.csv", &[], &["missing.csv:3", "77.wav", "does not exist"]),
        ("one.csv", &[], &["class `high` has 1 recording", "high/0.wav"]),
        ("audio.csv", &[], &["broken.wav"]),
        ("features.npy", &[], &["features.npy", "no .npy file"]),
        ("nowhere", &[], &["nowhere"]),
        ("voices", &["--augment", "echo"], &["echo", "room"]),
        ("voices", &["--augment", "noise=5", "--noise-folder", "nowhere"], &["nowhere"]),
        ("voices", &["--length", "soon"], &["soon", "auto"]),
        ("voices", &["--front-end", "librosa-7"], &["librosa-7", "timnet-0.8.1"]),
        ("voices", &["--front-end", "paper"], &["`paper` is called `timnet-paper` now"]),
        ("voices", &["--validation", "1.5"], &["between 0 and 1"]),
        ("voices", &["--folds", "9"], &["9", "8"]),
        ("voices.csv", &["--folds", "9"], &["9 folds of 4 groups"]),
    ] {
        let (code, out, err) = ser(folder.path(), &[&["train", from, "-o", "x.safetensors"], more].concat());
        assert_eq!((code, out.as_str()), (2, ""), "{from} {more:?}: {err}");
        assert!(parts.iter().all(|p| err.contains(p)) && !err.contains("panicked"), "{from} {more:?}: {err}");
    }
    assert!(!folder.path().join("x.safetensors").exists());
}
