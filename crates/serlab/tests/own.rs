//! A corpus of one's own beside the six: opened by name, in every table, with its own classes.
#![allow(clippy::unwrap_used)]

mod common;

use std::{fs, process::Output};

use common::{Lab, done, json};
use sercorpus::CorpusKind;

/// `mine.csv`: three classes and four speakers, of the synthetic corpus' recordings. Gives the path of each.
fn manifest(lab: &Lab) -> Vec<String> {
    let corpus = sercorpus::open(CorpusKind::Emodb, &lab.path("emodb"), &Default::default()).unwrap();
    let mut text = "path,label,speaker\n".to_owned();
    let mut paths = Vec::new();
    let fits = |label: &str| ["angry", "happy", "sad"].contains(&label);
    for (i, u) in corpus.utterances.iter().filter(|u| fits(&u.label)).enumerate() {
        let path = format!("emodb/wav/{}", u.path.file_name().unwrap().to_str().unwrap());
        text += &format!("{path},{},s{}\n", u.label, i % 4);
        paths.push(path);
    }
    fs::write(lab.path("mine.csv"), text).unwrap();
    paths
}

const SMALL: [&str; 4] = ["--set", "corpora.mine.blocks=2", "--run-dir", "run"];

fn run(lab: &Lab, experiment: &str, options: &[&str]) -> (String, String) {
    let output: Output = lab.serlab(&[&["reproduce", experiment], options, &SMALL].concat()).output().unwrap();
    let (out, said) = (String::from_utf8(output.stdout).unwrap(), String::from_utf8(output.stderr).unwrap());
    assert!(output.status.success(), "{said}");
    (out, said)
}

#[test]
fn a_manifest_has_its_rows_its_length_and_its_speakers() {
    let lab = Lab::new();
    let paths = manifest(&lab);
    let protocols = ["--protocol", "last-epoch,speaker-independent", "--epochs", "2", "--folds", "3"];
    let (table, said) =
        run(&lab, "table1", &[&["--data", "mine=mine.csv", "--data", "emodb=emodb"], &protocols[..]].concat());
    // The smallest multiple of 1000 samples at 22,050 Hz that holds 95 % of the recordings whole.
    let mut samples: Vec<usize> = paths
        .iter()
        .map(|p| (seraudio::probe(&lab.path(p)).unwrap().seconds().unwrap() * 22050.0).ceil() as usize)
        .collect();
    samples.sort_unstable();
    let least = samples[(0.95 * samples.len() as f64).ceil() as usize - 1];
    let length = least.div_ceil(1000) * 1000;
    let held = samples.iter().filter(|s| **s <= length).count();
    assert!(held < samples.len() || least == *samples.last().unwrap(), "{samples:?}");
    let sentence = format!("mine: length {length} samples at 22050 Hz");
    assert!(
        said.contains(&sentence) && said.contains(&format!("holds {held} of {} utterances", paths.len())),
        "{said}"
    );
    let config = fs::read_to_string(lab.path("run/config.toml")).unwrap();
    let own = config.split("[corpora.mine]").nth(1).unwrap();
    for line in [&format!("length = {length}"), "blocks = 2", "seed = 46", "classes = [\"angry\", \"happy\", \"sad\"]"]
    {
        assert!(own.contains(line), "{line} in {own}");
    }
    assert!(!config.split("[corpora.mine]").next().unwrap().contains("classes"), "{config}");
    // After the six, with nothing published.
    let rows: Vec<&str> = table.lines().filter(|l| l.contains("TIM-Net")).collect();
    assert!(rows[0].starts_with(" emodb") && rows[2].starts_with(" mine"), "{table}");
    assert!(rows[0].trim().ends_with("89.19 / 90.28") && rows[2].trim().ends_with(" -"), "{table}");
    let metrics = json(&lab.path("run/metrics.json"));
    let cell = |protocol: &str| {
        let fits = |c: &&serde_json::Value| c["corpus"] == "mine" && c["protocol"] == protocol;
        metrics["cells"].as_array().unwrap().iter().find(fits).unwrap().clone()
    };
    assert_eq!(cell("speaker-independent")["folds"].as_array().unwrap().len(), 4);
    assert_eq!(cell("last-epoch")["marks"], serde_json::json!(["preview: 2 of 500 epochs"]));
    let text = fs::read_to_string(lab.path("run/mine-tim-net-random-seed46/last-epoch/predictions.csv")).unwrap();
    assert!(text.starts_with("id,fold,truth,predicted,angry,happy,sad\n"), "{text}");
    assert_eq!(text.lines().count(), 1 + paths.len());
    let report = fs::read_to_string(lab.path("run/report/report.md")).unwrap();
    assert!(report.contains("mine, TIM-Net, last-epoch") && report.contains("| EMODB | mine |"), "{report}");
    // Without the recordings, from the run folder alone.
    fs::remove_file(lab.path("mine.csv")).unwrap();
    assert_eq!(done(lab.serlab(&["show", "run"])), table);
}

#[test]
fn across_corpora_the_classes_are_those_that_all_share() {
    let lab = Lab::new();
    let paths = manifest(&lab);
    let other: String = paths.iter().enumerate().map(|(i, p)| format!("{p},{}\n", ["calm", "sad"][i % 2])).collect();
    fs::write(lab.path("other.csv"), format!("path,label\n{other}")).unwrap();
    let data = ["--data", "mine=mine.csv", "--data", "other=other.csv", "--data", "emodb=emodb"];
    let (table, said) = run(&lab, "table2", &[&data[..], &["--seed", "5", "--epochs", "1"]].concat());
    assert!(said.contains("table2 leaves other out: of the shared classes"), "{said}");
    assert!(said.contains("it has sad alone; its own are calm, sad"), "{said}");
    assert!(said.contains("all corpora share the classes angry, happy, sad"), "{said}");
    let metrics = json(&lab.path("run/metrics.json"));
    // Two systems, two sources with a target each.
    assert_eq!(metrics["cells"].as_array().unwrap().len(), 4);
    let header = "id,fold,truth,predicted,angry,happy,sad\n";
    for training in ["emodb-tim-net-cross-corpus-seed5/last-epoch/mine", "mine-tcn-cross-corpus-seed5/last-epoch/emodb"]
    {
        let text = fs::read_to_string(lab.path("run").join(training).join("predictions.csv")).unwrap();
        assert!(text.starts_with(header), "{training}: {text}");
    }
    assert!(table.contains("1 runs over 2 pairs") && !table.contains("other"), "{table}");
}

#[test]
fn the_ablations_run_on_it_alone() {
    let lab = Lab::new();
    manifest(&lab);
    let (table, _) = run(&lab, "table3", &["--data", "mine=mine.csv", "--epochs", "1", "--folds", "2"]);
    assert_eq!(json(&lab.path("run/metrics.json"))["cells"].as_array().unwrap().len(), 10);
    assert!(table.contains("w/o BD") && table.contains("w/o BD - TIM-Net"), "{table}");
}

#[test]
fn its_file_holds_its_settings_and_labels_can_be_translated() {
    let lab = Lab::new();
    manifest(&lab);
    fs::write(lab.path("map.toml"), "[map]\nangry = \"aroused\"\nhappy = \"aroused\"\nsad = \"low\"\n").unwrap();
    let text = "path = \"mine.csv\"\nlength = 20000\nblocks = 3\nseed = 7\nlabel_map = \"map.toml\"\n";
    fs::write(lab.path("configs/corpora/mine.toml"), text).unwrap();
    // It takes part where an experiment's file names it, too.
    lab.edit("configs/table1.toml", "corpora = [", "corpora = [\"mine\", ");
    let words = ["reproduce", "table1", "--only", "mine", "--epochs", "1", "--folds", "2", "--run-dir", "run"];
    done(lab.serlab(&words));
    let config = fs::read_to_string(lab.path("run/config.toml")).unwrap();
    for line in ["length = 20000", "blocks = 3", "seed = 7", "classes = [\"aroused\", \"low\"]"] {
        assert!(config.contains(line), "{line} in {config}");
    }
    assert!(lab.path("run/mine-tim-net-random-seed7").is_dir());
    // One that has no speakers can't leave one out.
    fs::write(lab.path("configs/corpora/mine.toml"), text.replace("seed", "sed")).unwrap();
    let output = lab.serlab(&words).output().unwrap();
    let said = String::from_utf8_lossy(&output.stderr);
    assert!(output.status.code() == Some(2) && said.contains("mine.toml") && said.contains("sed"), "{said}");
}
