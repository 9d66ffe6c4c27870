//! The fold store in use: what a run has trained is not trained again, and what comes from it is what one run would have made.

#![allow(clippy::unwrap_used)]

mod common;

use std::{fs, process::Command};

use common::{Lab, contents, done};

/// In the store that all runs of the test share.
fn run(lab: &Lab, dir: &str, options: &[&str]) -> Command {
    let mut command = lab.command(&[&["--data", "emodb=emodb", "--folds", "3", "--run-dir", dir], options].concat());
    command.env("SER_STORE", lab.path("shared"));
    command
}

/// How many folds a run trained, and how many it took from the store.
fn trained(mut command: Command) -> (usize, usize) {
    let output = command.output().unwrap();
    let said = String::from_utf8(output.stderr).unwrap();
    assert!(output.status.success(), "{said}");
    let lines = |what: &str| said.lines().filter(|l| l.contains(" fold ") && l.contains(what)).count();
    (lines(": finished; "), lines(": was in the fold store; "))
}

/// The run's folder is that of a run which trained everything itself.
fn as_alone(lab: &Lab, dir: &str, options: &[&str]) {
    let mut alone = run(lab, &format!("{dir}-alone"), options);
    alone.env("SER_STORE", lab.path(&format!("alone-{dir}")));
    done(alone);
    assert_eq!(contents(&lab.path(dir)), contents(&lab.path(&format!("{dir}-alone"))), "{dir}");
}

#[test]
fn only_what_is_new_is_trained() {
    let lab = Lab::new();
    let first = ["--epochs", "3", "--protocol", "last-epoch"];
    assert_eq!(trained(run(&lab, "first", &first)), (3, 0));
    // Again in the same folder, and in another one.
    assert_eq!(trained(run(&lab, "first", &first)), (0, 0));
    assert_eq!(trained(run(&lab, "again", &first)), (0, 3));
    assert_eq!(contents(&lab.path("again")), contents(&lab.path("first")));
    // Another figure of the same folds; another division; another seed; another network; more epochs.
    for (dir, options, expected) in [
        ("best", &["--epochs", "3", "--protocol", "best-epoch"][..], (0, 3)),
        ("both", &["--epochs", "3", "--protocol", "last-epoch,speaker-independent"], (6, 3)),
        ("seeds", &["--epochs", "3", "--protocol", "last-epoch", "--seed", "46,47"], (3, 3)),
        ("epochs", &["--epochs", "5", "--protocol", "last-epoch"], (3, 0)),
        ("fewer", &["--epochs", "4", "--protocol", "last-epoch"], (3, 0)),
    ] {
        assert_eq!(trained(run(&lab, dir, options)), expected, "{dir}");
        as_alone(&lab, dir, options);
    }
    // Each fold's record says who trained it, and that it went on from three epochs.
    let calls = |dir: &str| -> usize {
        let path = lab.path(dir).join("emodb-tim-net-random-seed46/fold-00.provenance.json");
        let log: serde_json::Value = serde_json::from_slice(&fs::read(path).unwrap()).unwrap();
        log["calls"].as_array().unwrap().len()
    };
    assert_eq!(["first", "again", "best", "epochs"].map(calls), [1, 1, 1, 2]);
}

/// The store goes by features, not by files and names.
#[test]
fn copies_of_a_corpus_share_their_folds_and_their_run() {
    let lab = Lab::new();
    let options = ["--epochs", "2", "--protocol", "last-epoch"];
    assert_eq!(trained(run(&lab, "first", &options)), (3, 0));
    // A chunk that no decoder looks at: other files with the same samples.
    for entry in fs::read_dir(lab.path("emodb/wav")).unwrap() {
        let path = entry.unwrap().path();
        let mut bytes = fs::read(&path).unwrap();
        if path.extension().is_some_and(|e| e == "wav") && bytes.starts_with(b"RIFF") {
            bytes.extend(b"LIST\x04\0\0\0note");
            let length = (bytes.len() as u32 - 8).to_le_bytes();
            bytes[4..8].copy_from_slice(&length);
            fs::write(&path, bytes).unwrap();
        }
    }
    fs::remove_dir_all(lab.path(".cache")).unwrap();
    assert_eq!(trained(run(&lab, "first", &options)), (0, 0));
    assert_eq!(trained(run(&lab, "second", &options)), (0, 3));
    assert_eq!(contents(&lab.path("second")), contents(&lab.path("first")));
}

#[test]
fn the_store_is_shown_and_cleaned() {
    let lab = Lab::new();
    done(run(&lab, "run", &["--epochs", "2", "--protocol", "last-epoch"]));
    let store = |words: &[&str]| {
        let mut command = lab.serlab(&[&["store"], words].concat());
        command.env("SER_STORE", lab.path("shared"));
        done(command)
    };
    assert!(store(&["show"]).contains("3 folds (3 finished trainings, 0 folds without one)"), "{}", store(&["show"]));
    let shown: serde_json::Value = serde_json::from_str(&store(&["show", "--json"])).unwrap();
    assert_eq!([&shown["folds"], &shown["finished"], &shown["unfinished"]], [3, 3, 0]);
    let before = contents(&lab.path("run"));
    assert!(store(&["gc", "--delete"]).starts_with("0 folds"));
    let named = store(&["gc", "--older-than", "0"]);
    assert!(named.lines().count() == 4 && named.contains("--delete deletes them"), "{named}");
    assert!(store(&["show"]).contains("3 folds"));
    assert!(store(&["gc", "--older-than", "0", "--delete"]).contains("deleted"));
    assert!(store(&["show"]).contains("0 folds"));
    assert_eq!(contents(&lab.path("run")), before);

    fs::create_dir(lab.path("mine")).unwrap();
    fs::write(lab.path("mine/a.wav"), "mine").unwrap();
    let output = run(&lab, "other", &["--store", "mine"]).output().unwrap();
    let said = String::from_utf8_lossy(&output.stderr);
    assert!(output.status.code() == Some(2) && said.contains("holds a.wav and is no fold store"), "{said}");
    assert_eq!(fs::read_dir(lab.path("mine")).unwrap().count(), 1);
}
