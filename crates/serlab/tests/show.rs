//! What is there already: the tables of a run again, the run folders, the configuration files, the corpus that comes along.
#![allow(clippy::unwrap_used)]

mod common;

use std::{fs, path::Path};

use common::{Lab, contents, done, json};

const RUN: [&str; 8] = ["--data", "emodb=emodb", "--folds", "3", "--epochs", "2", "--run-dir", "runs/one"];

#[test]
fn the_tables_of_a_run_are_printed_again_without_recordings() {
    let lab = Lab::new();
    let table = done(lab.command(&RUN));
    fs::remove_dir_all(lab.path("emodb")).unwrap();
    let before = contents(&lab.path("runs/one"));
    assert_eq!(done(lab.serlab(&["show", "runs/one"])), table);
    let shown: serde_json::Value = serde_json::from_str(&done(lab.serlab(&["show", "runs/one", "--json"]))).unwrap();
    assert_eq!(shown, json(&lab.path("runs/one/metrics.json")));
    // A fold that is gone: what is left is shown, and listed.
    fs::remove_file(lab.path("runs/one/emodb-tim-net-random-seed46/fold-01.json")).unwrap();
    let output = lab.serlab(&["show", "runs/one"]).output().unwrap();
    assert!(output.status.success() && String::from_utf8_lossy(&output.stderr).contains("2 of 3 folds are finished"));
    let list = done(lab.serlab(&["show", "--list"]));
    assert!(list.contains("runs/one: table1 on emodb") && list.contains("2 epochs; 2 of 3 folds"), "{list}");
    let list: serde_json::Value = serde_json::from_str(&done(lab.serlab(&["show", "--list", "--json"]))).unwrap();
    assert_eq!(
        (list[0]["folder"].as_str(), &list[0]["finished"], &list[0]["folds"]),
        (Some("runs/one"), &2.into(), &3.into())
    );
    let after = contents(&lab.path("runs/one"));
    assert!(before.iter().all(|(name, bytes)| name.ends_with("fold-01.json") || after[name] == *bytes));
    let output = lab.serlab(&["show", "emodb"]).output().unwrap();
    assert_eq!(output.status.code(), Some(2));
}

/// TensorBoard takes a folder with an event file for a run, and lays runs over one another where their tags are the same.
/// `EventMultiplexer().AddRunsFromDirectory("runs/one")` of TensorBoard 2.21 has `emodb-tim-net-random-seed46/fold-00` and so on, each
/// with the tags train_loss, train_accuracy, test_loss, test_accuracy.
#[test]
fn every_fold_is_a_tensorboard_run_with_the_same_tags() {
    let lab = Lab::new();
    done(lab.command(&RUN));
    for fold in 0..3 {
        let path = format!("runs/one/emodb-tim-net-random-seed46/fold-{fold:02}/events.out.tfevents.0");
        let bytes = fs::read(lab.path(&path)).unwrap();
        let count = |tag: &str| bytes.windows(tag.len()).filter(|w| *w == tag.as_bytes()).count();
        let tags = ["train_loss", "train_accuracy", "test_loss", "test_accuracy"];
        assert_eq!(tags.map(count), [2; 4], "an event for each of two epochs, {path}");
        assert_eq!(count("fold"), 0, "tags do not name the fold");
    }
}

#[test]
fn the_program_carries_its_configuration() {
    let lab = Lab::new();
    let names = done(lab.serlab(&["config", "show"]));
    assert!(names.contains("table1\n") && names.contains("corpora/emodb"), "{names}");
    done(lab.serlab(&["config", "init", "own"]));
    assert_eq!(
        done(lab.serlab(&["config", "show", "table3"])),
        fs::read_to_string(lab.path("own/table3.toml")).unwrap()
    );
    assert_eq!(lab.serlab(&["config", "init", "own"]).output().unwrap().status.code(), Some(2));
    let output = lab.serlab(&["config", "show", "tabel1"]).output().unwrap();
    let said = String::from_utf8_lossy(&output.stderr);
    assert!(output.status.code() == Some(2) && said.contains("did you mean `table1`?"), "{said}");
}

#[test]
fn without_a_corpus_the_one_that_comes_along_is_previewed() {
    let lab = Lab::new();
    // `all` refuses experiments that train one network in different ways.
    lab.edit("configs/table1.toml", "batch_size = 16", "batch_size = 64");
    let fixtures = Path::new(env!("CARGO_MANIFEST_DIR")).join("../../fixtures");
    let bundled = |experiment: &str, options: &[&str]| {
        let mut command = lab.serlab(&[&["reproduce", experiment, "--dry-run"], options].concat());
        let output = command.arg("--bundled").arg(&fixtures).output().unwrap();
        let text = |bytes| String::from_utf8(bytes).unwrap();
        (output.status.code(), text(output.stdout), text(output.stderr))
    };
    let (code, plan, said) = bundled("table1", &[]);
    assert!(code == Some(0) && plan.contains("10 folds x 100 epochs, 535 utterances"), "{plan}");
    assert!(said.contains("no corpus is configured: running on the one that comes along, emodb"), "{said}");
    assert!(bundled("table1", &["--full"]).1.contains("10 folds x 500 epochs"));
    assert!(bundled("fig2", &[]).1.contains("emodb") && bundled("table3", &[]).1.contains("emodb-no-bd"));
    let (code, _, said) = bundled("table2", &[]);
    assert!(code == Some(2) && said.contains("zenodo.org") && said.contains("--data CORPUS=PATH"), "{said}");
    let (code, plan, said) = bundled("all", &[]);
    assert!(code == Some(0) && said.contains("so it is left out") && !plan.contains("cross-corpus"), "{plan} {said}");
    // No corpus at all.
    let output = lab.serlab(&["reproduce", "table1", "--dry-run"]).output().unwrap();
    let said = String::from_utf8_lossy(&output.stderr);
    assert!(output.status.code() == Some(2) && said.contains("--synthetic") && said.contains("RAVDESS"), "{said}");
}
