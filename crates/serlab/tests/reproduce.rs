//! The program from its command line to its files, on small synthetic corpora in EMODB's layout.

#![allow(clippy::unwrap_used)]

use std::{
    collections::BTreeMap,
    fs,
    path::{Path, PathBuf},
    process::{Command, Output},
    time::Duration,
};

use assert_cmd::cargo::cargo_bin;
use sercorpus::{CorpusKind, synth};
use tempfile::TempDir;

/// A folder with the configuration, a corpus, and whatever the program writes.
struct Lab(TempDir);

impl Lab {
    fn new() -> Self {
        let lab = Self(TempDir::new().unwrap());
        let configs = Path::new(env!("CARGO_MANIFEST_DIR")).join("../../configs");
        fs::create_dir_all(lab.path("configs/corpora")).unwrap();
        for name in ["table1.toml", "published.toml", "corpora/emodb.toml"] {
            fs::copy(configs.join(name), lab.path("configs").join(name)).unwrap();
        }
        lab.edit("configs/corpora/emodb.toml", "length = 96000", "length = 20000");
        lab.edit("configs/corpora/emodb.toml", "blocks = 8", "blocks = 2");
        lab.edit("configs/table1.toml", "batch_size = 64", "batch_size = 16");
        synth::write(CorpusKind::Emodb, &lab.path("emodb"), &synth::SynthOptions::small()).unwrap();
        lab
    }

    fn path(&self, name: &str) -> PathBuf {
        self.0.path().join(name)
    }

    fn edit(&self, name: &str, from: &str, to: &str) {
        let text = fs::read_to_string(self.path(name)).unwrap();
        assert!(text.contains(from), "{name}: {from}");
        fs::write(self.path(name), text.replace(from, to)).unwrap();
    }

    fn command(&self, options: &[&str]) -> Command {
        let mut command = Command::new(cargo_bin!("serlab"));
        command.current_dir(self.0.path()).env_remove("SER_DATA").env_remove("SER_LOG");
        command.args(["reproduce", "table1", "--only", "emodb"]).args(options);
        command
    }

    fn run(&self, options: &[&str]) -> Output {
        self.command(options).output().unwrap()
    }

    /// Runs on the corpus; what it says has to hold all of `parts`, and nothing but folders may be in `run`.
    fn refused(&self, code: i32, options: &[&str], parts: &[&str]) {
        let output = self.run(options);
        let text = String::from_utf8_lossy(&output.stderr);
        assert_eq!(output.status.code(), Some(code), "{text}");
        assert!(parts.iter().all(|p| text.contains(p)) && !text.contains("panicked"), "{parts:?} in {text}");
        assert!(!self.path("run/metrics.json").exists());
    }

    fn wav(&self) -> PathBuf {
        let mut all: Vec<PathBuf> = fs::read_dir(self.path("emodb/wav")).unwrap().map(|e| e.unwrap().path()).collect();
        all.retain(|p| {
            p.extension().is_some_and(|e| e == "wav") && !p.file_name().unwrap().to_str().unwrap().starts_with('.')
        });
        all.sort();
        all.remove(3)
    }
}

const DATA: [&str; 2] = ["--data", "emodb=emodb"];
const RUN: [&str; 8] = ["--data", "emodb=emodb", "--folds", "3", "--epochs", "4", "--run-dir", "run"];

/// Every file below `folder` but those that tell of one call.
fn contents(folder: &Path) -> BTreeMap<PathBuf, Vec<u8>> {
    let mut out = BTreeMap::new();
    let mut open = vec![folder.to_owned()];
    while let Some(next) = open.pop() {
        for entry in fs::read_dir(next).unwrap() {
            let path = entry.unwrap().path();
            if path.is_dir() {
                open.push(path);
            } else if !["environment.json", "sessions.jsonl", "lock"].iter().any(|n| path.ends_with(n)) {
                out.insert(path.strip_prefix(folder).unwrap().to_owned(), fs::read(&path).unwrap());
            }
        }
    }
    out
}

#[test]
fn a_run_leaves_its_figures_predictions_and_weights() {
    let lab = Lab::new();
    let output = lab.run(&RUN);
    let table = String::from_utf8(output.stdout).unwrap();
    assert!(output.status.success(), "{}", String::from_utf8_lossy(&output.stderr));
    assert!(
        table.contains("best-epoch (!)") && table.contains("optimistic") && table.contains("89.19 / 90.28"),
        "{table}"
    );
    let metrics: serde_json::Value = serde_json::from_slice(&fs::read(lab.path("run/metrics.json")).unwrap()).unwrap();
    assert_eq!(metrics["cells"].as_array().unwrap().len(), 2);
    let cell = &metrics["cells"][0];
    assert_eq!((cell["protocol"].as_str(), cell["seed"].as_u64()), (Some("last-epoch"), Some(46)));

    let training = lab.path("run/emodb-tim-net-random-seed46");
    let text = fs::read_to_string(training.join("last-epoch/predictions.csv")).unwrap();
    let mut rows = csv::Reader::from_reader(text.as_bytes());
    let header: Vec<String> = rows.headers().unwrap().iter().map(str::to_owned).collect();
    assert_eq!(header[..5], ["id", "fold", "truth", "predicted", "angry"]);
    let rows: Vec<csv::StringRecord> = rows.records().map(Result::unwrap).collect();
    assert_eq!(rows.len() as u64, cell["utterances"].as_u64().unwrap());
    let right = rows.iter().filter(|r| r[2] == r[3]).count() as f64 / rows.len() as f64;
    assert!((right - cell["pooled_war"]["estimate"].as_f64().unwrap()).abs() < 1e-12);
    for row in &rows {
        let sum: f64 = row.iter().skip(4).map(|p| p.parse::<f64>().unwrap()).sum();
        assert!((sum - 1.0).abs() < 1e-5);
    }
    assert_eq!(fs::read_to_string(training.join("epochs.csv")).unwrap().lines().count(), 1 + 3 * 4);
    let (weights, about) = timnet_core::Weights::load(&training.join("fold-02.last.safetensors")).unwrap();
    assert_eq!((weights.config.classes, about["fold"].as_str(), about["epoch"].as_str()), (7, "2", "4"));
    for name in ["config.toml", "environment.json", "sessions.jsonl"] {
        assert!(lab.path("run").join(name).is_file(), "{name}");
    }

    let before = contents(&lab.path("run"));
    assert!(lab.run(&RUN).status.success());
    assert_eq!(before, contents(&lab.path("run")), "a finished run was recomputed or rewritten otherwise");
    let other = [&RUN[..6], &["--run-dir", "again"]].concat();
    assert!(lab.run(&other).status.success());
    assert_eq!(before, contents(&lab.path("again")), "the same seed gave other bytes");
}

#[test]
fn a_killed_run_ends_as_one_never_killed() {
    let lab = Lab::new();
    let options = |dir| ["--data", "emodb=emodb", "--folds", "3", "--epochs", "60", "--run-dir", dir];
    assert!(lab.run(&options("whole")).status.success());
    for wait in [1500, 2500] {
        let mut child = lab.command(&options("killed")).spawn().unwrap();
        std::thread::sleep(Duration::from_millis(wait));
        child.kill().unwrap();
        child.wait().unwrap();
    }
    assert!(lab.run(&options("killed")).status.success());
    assert_eq!(contents(&lab.path("whole")), contents(&lab.path("killed")));
}

#[test]
fn one_protocol_alone_has_its_predictions_in_the_run_folder() {
    let lab = Lab::new();
    assert!(lab.run(&[&RUN[..], &["--protocol", "speaker-independent"]].concat()).status.success());
    let text = fs::read_to_string(lab.path("run/predictions.csv")).unwrap();
    assert!(text.starts_with("id,fold,truth,predicted,angry,boredom,disgust,fear,happy,neutral,sad\n"), "{text}");
}

#[test]
fn wrong_use_is_told_with_code_2() {
    let lab = Lab::new();
    lab.refused(2, &["--data", "emodb=nowhere"], &["nowhere"]);
    lab.refused(2, &["--data", "emodb"], &["expected CORPUS=PATH"]);
    lab.refused(2, &["--data", "klingon=emodb"], &["klingon"]);
    lab.refused(2, &["--protocol", "luckiest-epoch"], &["luckiest-epoch", "last-epoch"]);
    lab.refused(2, &[&DATA[..], &["--device", "cuda:9"]].concat(), &["cuda:9"]);
    lab.refused(2, &[&DATA[..], &["--seed", "5000000000"]].concat(), &["`seeds`", "2^32"]);
    lab.refused(2, &[&DATA[..], &["--folds", "100000"]].concat(), &["emodb", "folds"]);
    lab.edit("configs/table1.toml", "batch_size = 16", "batchsize = 16");
    lab.refused(2, &DATA, &["table1.toml", "line", "batchsize", "batch_size"]);
}

#[test]
fn a_recording_that_cannot_be_used_is_named() {
    for (content, part) in [
        (Some(b"version https://git-lfs.github.com/spec/v1\noid sha256:0\nsize 9\n".to_vec()), "git lfs pull"),
        (Some(Vec::new()), "empty"),
        (None, "truncated"),
    ] {
        let lab = Lab::new();
        let wav = lab.wav();
        let content = content.unwrap_or_else(|| {
            let whole = fs::read(&wav).unwrap();
            whole[..whole.len() / 2].to_vec()
        });
        fs::write(&wav, content).unwrap();
        lab.refused(2, &RUN, &[wav.file_name().unwrap().to_str().unwrap(), part]);
    }
}

#[test]
fn a_run_folder_that_cannot_be_used_is_named() {
    let lab = Lab::new();
    fs::write(lab.path("file"), "").unwrap();
    lab.refused(1, &[&RUN[..6], &["--run-dir", "file/run"]].concat(), &["cannot write run folder", "file/run"]);
    assert!(lab.run(&[&RUN[..6], &["--run-dir", "mine"]].concat()).status.success());
    let other = [&RUN[..2], &["--folds", "3", "--epochs", "5", "--run-dir", "mine"]].concat();
    lab.refused(2, &other, &["another configuration", "--run-dir"]);
    let lock = fs::File::create(lab.path("mine/lock")).unwrap();
    lock.lock().unwrap();
    lab.refused(1, &[&RUN[..6], &["--run-dir", "mine"]].concat(), &["in use by another process"]);
}
