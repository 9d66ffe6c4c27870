//! Features of any kind: files of another program, normalised ones; and the settings of a training that the paper has not.

#![allow(clippy::unwrap_used)]

mod common;

use std::{
    fs,
    path::{Path, PathBuf},
};

use common::{Lab, done, json};
use npyz::WriterBuilder;

const RUN: [&str; 8] = ["--data", "emodb=emodb", "--folds", "2", "--epochs", "2", "--protocol", "last-epoch"];

fn recordings(lab: &Lab) -> Vec<PathBuf> {
    let mut all: Vec<PathBuf> = fs::read_dir(lab.path("emodb/wav")).unwrap().map(|e| e.unwrap().path()).collect();
    all.retain(|p| p.extension().is_some_and(|e| e == "wav"));
    all
}

fn write(path: &Path, shape: &[u64], values: &[f32]) {
    fs::create_dir_all(path.parent().unwrap()).unwrap();
    let file = fs::File::create(path).unwrap();
    let mut writer = npyz::WriteOptions::new().default_dtype().shape(shape).writer(file).begin_nd().unwrap();
    writer.extend(values.iter().copied()).unwrap();
    writer.finish().unwrap();
}

/// Features of `width` values for every recording, 12 to 30 frames each: the class is in a few of them.
fn files(lab: &Lab, width: usize) {
    for path in recordings(lab) {
        let stem = path.file_stem().unwrap().to_str().unwrap();
        let seed: usize = stem.bytes().map(usize::from).sum();
        let class = usize::from(stem.as_bytes().get(5).copied().unwrap_or(0));
        let frames = 12 + seed % 19;
        let value =
            |i: usize| ((i * 37 + seed * 11) % 101) as f32 / 101.0 - 0.5 + f32::from(u8::from(i % width == class % 16));
        let values: Vec<f32> = (0..frames * width).map(value).collect();
        write(&lab.path(&format!("features/{stem}.npy")), &[frames as u64, width as u64], &values);
    }
}

/// The probabilities in a run's predictions.
fn probabilities(run: &Path) -> Vec<f64> {
    let mut rows = csv::Reader::from_path(run.join("predictions.csv")).unwrap();
    let classes = rows.headers().unwrap().len();
    let rows: Vec<csv::StringRecord> = rows.records().map(|r| r.unwrap()).collect();
    // The classes' probabilities come last.
    let first = classes - 7;
    rows.iter().flat_map(|r| r.iter().skip(first).map(|v| v.parse().unwrap()).collect::<Vec<f64>>()).collect()
}

#[test]
fn features_of_768_values_train_both_engines_alike() {
    let lab = Lab::new();
    files(&lab, 768);
    let run = |engine: &str| {
        let options = ["--set", "features.kind=files", "--set", "corpora.emodb.features=features", "--engine", engine];
        let output = lab.run(&[&RUN[..], &options, &["--run-dir", engine]].concat());
        let said = String::from_utf8(output.stderr).unwrap();
        assert!(output.status.success(), "{said}");
        said
    };
    let said = run("native");
    assert!(said.contains("frames of 768 coefficients, which holds"), "{said}");
    run("libtorch");
    let (native, torch) = (probabilities(&lab.path("native")), probabilities(&lab.path("libtorch")));
    assert!(native.len() > 100 && native.len() == torch.len());
    let most = native.iter().zip(&torch).map(|(a, b)| (a - b).abs()).fold(0.0, f64::max);
    assert!(most < 1e-4, "{most}");
    let config = fs::read_to_string(lab.path("native/config.toml")).unwrap();
    assert!(config.contains("shape = [") && config.contains("768]") && config.contains("kind = \"files\""), "{config}");
    assert!(!config.contains("front_end") && !config.contains("length"), "{config}");
    // Everything in one file, in the corpus' order, gives other frames but the same width; a file too few is named.
    lab.refused_there(
        &[&RUN[..], &["--set", "features.kind=files"]].concat(),
        &["the features are files, and none are given for it", "corpora.emodb.features=PATH"],
    );
    fs::remove_file(lab.path("features").join(recordings(&lab)[0].file_stem().unwrap()).with_extension("npy")).unwrap();
    let missing = [&RUN[..], &["--set", "features.kind=files", "--set", "corpora.emodb.features=features"]].concat();
    lab.refused_there(&missing, &["no features of utterance", ".npy"]);
}

#[test]
fn normalised_features_are_marked_where_they_see_other_utterances() {
    let lab = Lab::new();
    let mut hashes = Vec::new();
    for (how, marked) in [("none", false), ("utterance", false), ("speaker", true), ("corpus", true)] {
        let set = format!("features.normalise={how}");
        let table = done(lab.command(&[&RUN[..], &["--set", &set, "--run-dir", how]].concat()));
        assert_eq!(table.contains("(unl) unlabelled test data seen"), marked, "{table}");
        let metrics = json(&lab.path(how).join("metrics.json"));
        let marks = metrics["cells"][0]["marks"].to_string();
        assert_eq!(marks.contains("unlabelled test data seen"), marked, "{marks}");
        let config = fs::read_to_string(lab.path(how).join("config.toml")).unwrap();
        assert_eq!(config.contains("[features]"), how != "none", "{config}");
        hashes.push(config.split("features = \"").nth(1).unwrap()[..64].to_owned());
    }
    hashes.sort();
    hashes.dedup();
    assert_eq!(hashes.len(), 4, "four different features");
    // Across corpora, too; the source's length counts for all.
    sercorpus::synth::write(sercorpus::CorpusKind::Savee, &lab.path("savee"), &sercorpus::synth::SynthOptions::small())
        .unwrap();
    let two = ["--data", "emodb=emodb", "--data", "savee=savee", "--epochs", "1", "--seed", "1"];
    let how = ["--set", "features.normalise=corpus", "--set", "features.trim=30", "--run-dir", "across"];
    let table = done({
        let mut command = lab.serlab(&["reproduce", "table2"]);
        command.args(two).args(how);
        command
    });
    assert!(table.contains("unlabelled test data seen"), "{table}");
}

#[test]
fn settings_of_a_training_that_the_paper_has_not() {
    let lab = Lab::new();
    let set =
        |values: &[&str]| -> Vec<String> { values.iter().flat_map(|v| ["--set".into(), (*v).to_owned()]).collect() };
    let run = |dir: &str, values: &[&str]| {
        let set = set(values);
        let set: Vec<&str> = set.iter().map(String::as_str).collect();
        done(lab.command(&[&RUN[..], &set, &["--run-dir", dir]].concat()));
        fs::read(lab.path(dir).join("emodb-tim-net-random-seed46/fold-00.last.safetensors")).unwrap()
    };
    let plain = run("plain", &[]);
    for (dir, value) in [
        ("filters", "training.filters=16"),
        ("schedule", "training.schedule={kind=\"cosine\",steps=10,share=0.1}"),
        ("weights", "training.class_weights={angry=2.0,sad=0.5}"),
        ("trim", "features.trim=20"),
    ] {
        assert!(run(dir, &[value]) != plain, "{value}");
    }
    let refused = |options: &[&str], says: &[&str]| lab.refused_there(&[&RUN[..], options].concat(), says);
    refused(&["--set", "training.class_weights={hapy=2.0}"], &["hapy", "happy"]);
    refused(&["--set", "training.filters=0"], &["training.filters", "at least 1"]);
    refused(&["--set", "features.trim=0"], &["features.trim", "between 1 and 200"]);
    refused(&["--set", "features.kind=wavs"], &["wavs", "files"]);
    refused(&["--set", "training.patience=2"], &["--protocol validated"]);
    // Early stopping: some fold trains for fewer epochs.
    let options = ["--data", "emodb=emodb", "--folds", "2", "--epochs", "40", "--protocol", "validated"];
    done(
        lab.command(
            &[
                &options[..],
                &["--set", "training.validation_share=0.3", "--set", "training.patience=2", "--run-dir", "tired"],
            ]
            .concat(),
        ),
    );
    let fold = json(&lab.path("tired/emodb-tim-net-validated-seed46/fold-00.json"));
    let epochs = fold["records"].as_array().unwrap().len();
    assert!((3..40).contains(&epochs), "{epochs}");
}

#[test]
fn any_setting_of_the_front_end_is_a_key_and_in_the_identity() {
    let lab = Lab::new();
    let run = |name: &str, set: &[&str]| {
        let set: Vec<&str> = set.iter().flat_map(|s| ["--set", s]).collect();
        done(lab.command(&[&RUN, &set[..], &["--run-dir", name]].concat()));
        let text = fs::read_to_string(lab.path(name).join("config.toml")).unwrap();
        text.parse::<toml::Table>().unwrap()
    };
    let plain = run("plain", &[]);
    let bands = run("bands", &["front_end.n_mels=64", "front_end.fmin=50", "front_end.window=hamming"]);
    let differ: Vec<&String> = bands["front_end"]
        .as_table()
        .unwrap()
        .iter()
        .filter(|(key, value)| plain["front_end"].get(key) != Some(value))
        .map(|(key, _)| key)
        .collect();
    assert_eq!(differ, ["fmin", "n_mels", "window"]);
    assert_ne!(bands["corpora"]["emodb"]["features"], plain["corpora"]["emodb"]["features"]);
    let own = run("own", &["front_end.n_mels=64", "corpora.emodb.front_end.n_mfcc=20"]);
    assert_eq!(
        (own["front_end"]["n_mels"].as_integer(), own["front_end"]["n_mfcc"].as_integer()),
        (Some(64), Some(20))
    );
    let other = run("other", &["front_end.preset=librosa-0.10"]);
    assert_eq!(
        (other["front_end"]["n_mels"].as_integer(), other["front_end"]["n_mfcc"].as_integer()),
        (Some(128), Some(20))
    );

    for (set, parts) in [
        ("front_end.n_mel=64", &["--set front_end.n_mel=64", "n_mel"][..]),
        ("front_end.n_mels=many", &["--set front_end.n_mels=many", "n_mels"]),
        ("corpora.emodb.front_end.n_mel=64", &["--set corpora.emodb.front_end.n_mel=64", "n_mel"]),
        ("front_end.fmax=20000", &["fmax"]),
        ("front_end.n_mels=20", &["n_mfcc"]),
    ] {
        lab.refused(2, &[&RUN[..], &["--set", set, "--run-dir", "run"]].concat(), parts);
    }
}

/// Kernels of three taps are trained alike by both engines, and their weights say so.
#[test]
fn kernels_of_any_size_train_both_engines_alike() {
    let lab = Lab::new();
    let run = |engine: &str| {
        let options = ["--set", "training.kernel_size=3", "--engine", engine, "--run-dir", engine];
        done(lab.command(&[&RUN[..], &options].concat()));
        probabilities(&lab.path(engine))
    };
    let (native, libtorch) = (run("native"), run("libtorch"));
    let far = native.iter().zip(&libtorch).fold(0f64, |m, (a, b)| m.max((a - b).abs()));
    assert!(native.len() == libtorch.len() && far < 1e-4, "{far}");
    let weights = fs::read(lab.path("native/emodb-tim-net-random-seed46/fold-00.last.safetensors")).unwrap();
    assert!(String::from_utf8_lossy(&weights).contains(r#"kernel_size\":3"#));
    lab.refused(
        2,
        &[&RUN[..], &["--set", "training.kernel_size=0", "--run-dir", "run"]].concat(),
        &["training.kernel_size"],
    );
}
