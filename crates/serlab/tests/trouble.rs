//! What goes wrong around a run, told apart.

#![allow(clippy::unwrap_used)]

mod common;

use std::{fs, process::Command};

use assert_cmd::cargo::cargo_bin;
use common::{Lab, contents, done};

const RUN: [&str; 8] = ["--data", "emodb=emodb", "--folds", "3", "--epochs", "4", "--run-dir", "run"];

#[test]
fn a_run_folder_that_cannot_be_used_is_named() {
    let lab = Lab::new();
    fs::write(lab.path("file"), "").unwrap();
    lab.refused(1, &[&RUN[..6], &["--run-dir", "file/run"]].concat(), &["cannot write run folder", "file/run"]);
    lab.refused(2, &[&RUN[..], &["--shard", "3/2"]].concat(), &["3/2", "--shard"]);
}

fn mine<'a>(words: &[&'a str]) -> Vec<&'a str> {
    [&RUN[..6], &["--run-dir", "mine"], words].concat()
}

#[test]
fn a_configuration_edited_midway_is_told_from_one_edited_in_the_folder() {
    let lab = Lab::new();
    assert!(lab.run(&mine(&[])).status.success());
    let before = contents(&lab.path("mine"));
    lab.edit("configs/table1.toml", "dropout = 0.1", "dropout = 0.2");
    lab.refused(2, &mine(&[]), &["another configuration", "training.dropout: 0.1 and 0.2", "--run-dir"]);
    lab.edit("configs/table1.toml", "dropout = 0.2", "dropout = 0.1");
    lab.refused(2, &mine(&["--seed", "9"]), &["another configuration", "seeds: absent and [9]"]);
    lab.edit("mine/config.toml", "dropout = 0.1", "dropout = 0.2");
    lab.refused(2, &mine(&["--set", "training.dropout=0.2"]), &["mine/config.toml", "changed after the run began"]);
    lab.edit("mine/config.toml", "dropout = 0.2", "dropout = 0.1");
    assert!(lab.run(&mine(&[])).status.success());
    assert_eq!(contents(&lab.path("mine")), before);
}

#[test]
fn a_folder_of_another_version_is_left_alone() {
    let lab = Lab::new();
    assert!(lab.run(&RUN).status.success());
    let before = contents(&lab.path("run"));
    lab.edit("run/run.json", "\"version\": 1", "\"version\": 0");
    let output = lab.run(&RUN);
    let text = String::from_utf8_lossy(&output.stderr);
    assert!(output.status.code() == Some(2) && text.contains("run folder of version 0"), "{text}");
    let output = lab.serlab(&["merge", "run", "-o", "merged"]).output().unwrap();
    assert!(output.status.code() == Some(2) && !lab.path("merged").exists());
    lab.edit("run/run.json", "\"version\": 0", "\"version\": 1");
    assert_eq!(contents(&lab.path("run")), before);

    // A run folder made before parts could be merged has no lists of utterances; its own command writes them.
    fs::remove_dir_all(lab.path("run/corpora")).unwrap();
    let output = lab.serlab(&["merge", "run", "-o", "merged"]).output().unwrap();
    assert!(String::from_utf8_lossy(&output.stderr).contains("run the folder's own command once more"));
    assert!(lab.run(&RUN).status.success());
    done(lab.serlab(&["merge", "run", "-o", "merged"]));
    assert_eq!(contents(&lab.path("merged")), before);
}

#[test]
fn two_processes_of_one_part_are_refused_and_two_parts_are_not() {
    let lab = Lab::new();
    assert!(lab.run(&[&RUN[..], &["--shard", "1/2"]].concat()).status.success());
    let whole = fs::File::create(lab.path("run/lock")).unwrap();
    whole.lock_shared().unwrap();
    let part = fs::File::create(lab.path("run/lock-shard-1-of-2")).unwrap();
    part.lock().unwrap();
    lab.refused(1, &RUN, &["in use by another process;"]);
    lab.refused(1, &[&RUN[..], &["--shard", "1/2"]].concat(), &["in use by another process with --shard 1/2"]);
    assert!(lab.run(&[&RUN[..], &["--shard", "2/2"]].concat()).status.success());
}

/// `ulimit -f` stops a file at its size as a full disk stops it; with SIGXFSZ ignored the program sees an error of write(2).
#[test]
fn a_full_disk_is_told_and_the_run_goes_on_from_there() {
    let lab = Lab::new();
    done(lab.command(&[&RUN[..6], &["--run-dir", "whole"]].concat()));
    let full = |kilobytes: &str| {
        let script = "trap '' XFSZ; ulimit -f $0; exec \"$@\"";
        let mut command = Command::new("bash");
        command.args(["-c", script, kilobytes]).arg(cargo_bin!("serlab")).args([
            "reproduce",
            "table1",
            "--only",
            "emodb",
        ]);
        let output = command.args(RUN).current_dir(lab.path(".")).env_remove("SER_DATA").output().unwrap();
        (output.status.code(), String::from_utf8(output.stderr).unwrap())
    };
    // Room for the configuration, not for weights; then for those, not for the tables.
    let (code, text) = full("20");
    assert!(code == Some(1) && text.contains("cannot write") && text.contains("checkpoint"), "{text}");
    assert!(!lab.path("run/metrics.json").exists());
    done(lab.command(&RUN));
    assert_eq!(contents(&lab.path("run")), contents(&lab.path("whole")));
}
