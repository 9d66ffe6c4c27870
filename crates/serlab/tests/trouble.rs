//! What goes wrong around a run, told apart.

#![allow(clippy::unwrap_used)]

mod common;

use std::{fs, process::Command};

use assert_cmd::cargo::cargo_bin;
use common::{Lab, contents, done, everything};

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
    lab.refused(
        2,
        &mine(&[]),
        &["another run", "it has training.dropout = 0.1, this command asks for 0.2", "--run-dir"],
    );
    lab.edit("configs/table1.toml", "dropout = 0.2", "dropout = 0.1");
    lab.refused(2, &mine(&["--seed", "9"]), &["another run", "it has seeds = absent, this command asks for [9]"]);
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
    lab.edit("run/run.json", "\"version\": 3", "\"version\": 2");
    let output = lab.run(&RUN);
    let text = String::from_utf8_lossy(&output.stderr);
    assert!(output.status.code() == Some(2) && text.contains("run folder of version 2, written by serlab"), "{text}");
    let output = lab.serlab(&["merge", "run", "-o", "merged"]).output().unwrap();
    assert!(output.status.code() == Some(2) && !lab.path("merged").exists());
    lab.edit("run/run.json", "\"version\": 2", "\"version\": 3");
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
            "--configs",
            "configs",
        ]);
        let output = command
            .args(RUN)
            .current_dir(lab.path("."))
            .env_remove("SER_DATA")
            .env("SER_STORE", lab.path("stores/run"))
            .output()
            .unwrap();
        (output.status.code(), String::from_utf8(output.stderr).unwrap())
    };
    // Room for the configuration, not for weights.
    let (code, text) = full("20");
    assert!(code == Some(1) && text.contains("cannot write") && text.contains("checkpoint"), "{text}");
    assert!(!lab.path("run/metrics.json").exists());
    // Room for those, not for the report; the tables are made of the finished folds once more.
    done(lab.command(&RUN));
    let report = lab.path("run/report/report.html");
    let size = fs::metadata(&report).unwrap().len();
    fs::remove_dir_all(lab.path("run/report")).unwrap();
    fs::remove_file(lab.path("run/metrics.json")).unwrap();
    let (code, text) = full(&(size / 1024 - 1).to_string());
    assert!(code == Some(1) && text.contains("report.html") && text.contains("too large"), "{text}");
    assert!(lab.path("run/metrics.json").is_file() && !report.exists());
    done(lab.command(&RUN));
    assert!(report.exists());
    assert_eq!(contents(&lab.path("run")), contents(&lab.path("whole")));
}

/// All of a folder is still there after `words` were refused with code 2.
fn left_alone(lab: &Lab, folder: &str, words: &[&str], parts: &[&str]) {
    let before = everything(&lab.path(folder));
    let output = lab.serlab(words).output().unwrap();
    let said = String::from_utf8_lossy(&output.stderr);
    assert_eq!(output.status.code(), Some(2), "{words:?}: {said}");
    assert!(parts.iter().all(|p| said.contains(p)), "{parts:?} in {said}");
    assert_eq!(everything(&lab.path(folder)), before, "{words:?}");
}

#[test]
fn a_folder_of_somebody_else_is_left_as_it_is() {
    let lab = Lab::new();
    done(lab.command(&RUN));
    let run = |folder| [&["reproduce", "table1", "--only", "emodb"], &RUN[..6], &["--run-dir", folder]].concat();
    for (folder, file) in [
        ("thesis", "config.toml"),
        ("work", ".tmpAbC123"),
        ("experiments", "sub/.ser-partial-x"),
        ("sacred", "run.json"),
        ("locked", "lock"),
    ] {
        let path = lab.path(folder).join(file);
        fs::create_dir_all(path.parent().unwrap()).unwrap();
        fs::write(&path, "theirs").unwrap();
        left_alone(&lab, folder, &run(folder), &[folder, "give"]);
        left_alone(&lab, folder, &["merge", "run", "-o", folder], &[folder, "give"]);
    }
    // A folder of runs is no run: one of them may be training.
    fs::create_dir(lab.path("runs")).unwrap();
    done(lab.command(&[&RUN[..6], &["--run-dir", "runs/x"]].concat()));
    fs::write(lab.path("runs/x/emodb-tim-net-random-seed46/.ser-partial-inflight"), "x").unwrap();
    left_alone(&lab, "runs", &run("runs"), &["runs", "holds `x`", "runs/new"]);
}

#[cfg(unix)]
#[test]
fn nothing_is_written_or_deleted_through_a_link() {
    use std::os::unix::fs::symlink;
    let lab = Lab::new();
    done(lab.command(&RUN));
    fs::create_dir(lab.path("elsewhere")).unwrap();
    for name in [".tmpAbC123", ".ser-partial-AbC123", "fold-00.json"] {
        fs::write(lab.path("elsewhere").join(name), "theirs").unwrap();
    }
    let training = "run/emodb-tim-net-random-seed46";
    let words = [&["reproduce", "table1", "--only", "emodb"], &RUN[..]].concat();
    for (link, target) in [
        ("run/notes", "elsewhere"),
        ("run/corpora/old", "elsewhere"),
        (&*format!("{training}/old"), "elsewhere"),
        (&*format!("{training}/.ser-partial-link"), "elsewhere/fold-00.json"),
        ("run/report/tables/mine.csv", "elsewhere/fold-00.json"),
    ] {
        symlink(lab.path(target), lab.path(link)).unwrap();
        for folder in ["run", "elsewhere"] {
            left_alone(&lab, folder, &words, &[link.rsplit('/').next().unwrap(), "symbolic link"]);
        }
        fs::remove_file(lab.path(link)).unwrap();
    }
    // The run folder itself may be one: the user has named it. What killed processes left is deleted, and nothing else.
    symlink(lab.path("run"), lab.path("linked")).unwrap();
    let (leftover, theirs) = (lab.path(training).join(".ser-partial-1"), lab.path(training).join(".tmp1"));
    fs::write(&leftover, "").unwrap();
    fs::write(&theirs, "").unwrap();
    done(lab.command(&[&RUN[..6], &["--run-dir", "linked"]].concat()));
    assert!(!leftover.exists() && theirs.exists());
}

#[test]
fn a_cache_of_somebody_else_is_left_as_it_is() {
    let lab = Lab::new();
    fs::create_dir_all(lab.path(".cache/serlab/features")).unwrap();
    fs::write(lab.path(".cache/serlab/features/emodb.safetensors"), "theirs").unwrap();
    let words = [&["reproduce", "table1", "--only", "emodb"], &RUN[..]].concat();
    left_alone(&lab, ".cache", &words, &[".cache/serlab", "no cache of serlab"]);
    assert!(!lab.path("run").exists());
}

#[test]
fn what_would_be_ignored_or_done_twice_is_refused_before_anything_is_computed() {
    let lab = Lab::new();
    let refused = |options: &[&str], parts: &[&str]| {
        lab.refused(2, &[&RUN[..], options].concat(), parts);
        assert!(!lab.path(".cache").exists() && !lab.path("run").exists(), "{options:?}");
    };
    refused(&["--protocol", "last-epoch,last-epoch"], &["`protocols`", "last-epoch twice"]);
    refused(&["--system", "tcn,tim-net,tcn"], &["`systems`", "tcn twice"]);
    refused(&["--seed", "1,2,1"], &["`seeds`", "1 twice"]);
    refused(&["--training-seeds", "1,2,1"], &["`training_seeds`", "1 twice"]);
    refused(&["--set", "variants=[\"tcn\"]"], &["`variants` is called `systems` now", "systems=[\"tcn\"]"]);
    refused(&["--data", "emdob=emodb"], &["looks like a misspelt `emodb`", "emodb=emodb"]);
    refused(&["--set", "corpora=[\"emodb\", \"emodb\"]"], &["`corpora`", "emodb twice"]);
    refused(&["--data", "emodb=configs"], &["--data", "two folders of emodb"]);
    refused(&["--set", "table2.seeds=[1]"], &["--set table2.seeds=[1]", "table2 is not in this run, which has table1"]);
    refused(&["--set", "tabel1.seeds=[1]"], &["no experiment or table `tabel1`", "did you mean `table1`?", "training"]);
    refused(&["--set", "trainig.epochs=1"], &["no experiment or table `trainig`", "did you mean `training`?"]);
    refused(
        &["--set", "corpora.savee.length=9"],
        &["--set corpora.savee.length=9", "savee is not in this run", "emodb"],
    );
    refused(&["--set", "corpora.emdb.length=9"], &["emdb", "did you mean `emodb`?"]);
    refused(&["--only", "savee"], &["--only savee", "only for emodb", "--data savee=PATH"]);
    refused(&["--only", "emvo"], &["--only", "emvo", "did you mean `emovo`?"]);
    refused(&["--set", "training.eps=0"], &["training.eps", "above 0"]);
    let refused = |experiment: &str, options: &[&str], parts: &[&str]| {
        let output = lab.serlab(&[&["reproduce", experiment, "--synthetic"], options].concat()).output().unwrap();
        let said = String::from_utf8_lossy(&output.stderr);
        assert!(output.status.code() == Some(2) && parts.iter().all(|p| said.contains(p)), "{said}");
        assert!(!lab.path(".cache").exists());
    };
    refused("table2", &["--only", "emodb,iemocap"], &["--only iemocap", "table2 does not run on it", "casia"]);
    refused("table2", &["--folds", "3"], &["`folds`", "leave it out"]);
    refused("table2", &["--set", "classes=[\"sad\", \"sad\"]"], &["`classes`", "sad twice"]);
}

/// Ctrl-C while recordings are turned into features stops there, not after the last of them.
#[cfg(unix)]
#[test]
fn an_interrupt_stops_between_two_recordings() {
    use std::io::{BufRead, BufReader};
    let lab = Lab::new();
    lab.lengthen();
    let mut command = lab.command(&RUN);
    let mut child = command.stderr(std::process::Stdio::piped()).spawn().unwrap();
    let mut said = BufReader::new(child.stderr.take().unwrap()).lines().map(Result::unwrap);
    assert!(said.any(|line| line.contains("computing features")));
    assert!(Command::new("kill").args(["-INT", &child.id().to_string()]).status().unwrap().success());
    let rest: Vec<String> = said.collect();
    assert_eq!(child.wait().unwrap().code(), Some(1), "{rest:?}");
    assert!(rest.iter().any(|line| line.contains("interrupted; run the same command again")), "{rest:?}");
    let cached = fs::read_dir(lab.path(".cache/serlab/features")).map_or(0, Iterator::count);
    assert!(cached == 0 && !lab.path("run").exists(), "it went on to the end");
}
