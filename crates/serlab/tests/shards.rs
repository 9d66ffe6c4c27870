//! Runs in parts: side by side in one folder, in folders of their own, killed, and put together.

#![allow(clippy::unwrap_used)]

mod common;

use std::{
    fs,
    process::Child,
    time::{Duration, Instant},
};

use common::{Lab, contents, done, json};

const RUN: [&str; 10] =
    ["--data", "emodb=emodb", "--folds", "4", "--epochs", "1000", "--jobs", "1", "--checkpoint-every", "0.1"];

fn shard(lab: &Lab, part: &str, dir: &str) -> Child {
    lab.command(&[&RUN[..], &["--shard", part, "--run-dir", dir]].concat()).spawn().unwrap()
}

/// Two processes, both killed at some moment, started again, and so on until `kills` have hit; then let finish.
fn killed(lab: &Lab, dirs: [&str; 2], kills: u32, time: Duration) {
    let mut hits = 0;
    // Any numbers will do: steps of the golden ratio are spread over (0, 1).
    let mut moment = 0.3;
    while hits < kills {
        let mut children = [shard(lab, "1/2", dirs[0]), shard(lab, "2/2", dirs[1])];
        for child in &mut children {
            moment = (moment + 0.618_034) % 1.0;
            std::thread::sleep(time.mul_f64(moment / 20.0));
            hits += u32::from(child.try_wait().unwrap().is_none());
            // SIGKILL
            child.kill().unwrap();
            child.wait().unwrap();
        }
        assert!(!children.iter_mut().all(|c| c.wait().unwrap().success()), "finished after {hits} kills");
    }
    let mut children = [shard(lab, "1/2", dirs[0]), shard(lab, "2/2", dirs[1])];
    assert!(children.iter_mut().all(|c| c.wait().unwrap().success()));
}

#[test]
fn killed_shards_end_as_a_run_never_disturbed() {
    let lab = Lab::new();
    let start = Instant::now();
    done(lab.command(&[&RUN[..], &["--run-dir", "whole"]].concat()));
    let (time, whole) = (start.elapsed(), contents(&lab.path("whole")));

    killed(&lab, ["shared", "shared"], 10, time);
    // A process that finds all folds finished makes the tables, and takes away what the killed ones left.
    done(lab.command(&[&RUN[..], &["--run-dir", "shared"]].concat()));
    assert_eq!(contents(&lab.path("shared")), whole);

    killed(&lab, ["one", "two"], 4, time);
    assert!(!lab.path("one/metrics.json").exists());
    done(lab.serlab(&["merge", "one", "two", "-o", "merged"]));
    assert_eq!(contents(&lab.path("merged")), whole);
}

#[test]
fn what_is_missing_is_listed_and_runs_that_do_not_fit_are_refused() {
    let lab = Lab::new();
    let run = |options: &[&str]| done(lab.command(&[&["--data", "emodb=emodb", "--folds", "3"], options].concat()));
    run(&["--epochs", "2", "--seed", "1", "--run-dir", "seed1"]);
    run(&["--epochs", "2", "--seed", "2", "--shard", "1/2", "--run-dir", "part1"]);
    run(&["--epochs", "2", "--seed", "1", "--system", "tcn", "--run-dir", "tcn"]);
    run(&["--epochs", "3", "--seed", "1", "--run-dir", "longer"]);

    let merge = |parts: &[&str], to| lab.serlab(&[&["merge"], parts, &["-o", to]].concat()).output().unwrap();
    let output = merge(&["seed1", "part1"], "seeds");
    let (table, said) = (String::from_utf8(output.stdout).unwrap(), String::from_utf8(output.stderr).unwrap());
    assert!(
        output.status.success() && table.contains("(2 of 3 folds)") && table.contains("INCOMPLETE"),
        "{table}{said}"
    );
    assert!(said.contains("missing: emodb-tim-net-random-seed2, folds 1"), "{said}");
    // Networks of the same folds are compared.
    let output = merge(&["seed1", "tcn"], "networks");
    assert!(String::from_utf8(output.stdout).unwrap().contains("TCN - TIM-Net"));
    let metrics = fs::read_to_string(lab.path("networks/metrics.json")).unwrap();
    assert!(metrics.contains("\"variant\": \"tcn\"") && !metrics.contains("missing"), "{metrics}");

    for (parts, wanted) in [
        (&["seed1", "longer"][..], "longer does not fit seed1: training.epochs: 2 and 3"),
        (&["seed1", "nowhere"], "nowhere: no run folder"),
    ] {
        let output = merge(parts, "refused");
        let said = String::from_utf8(output.stderr).unwrap();
        assert!(output.status.code() == Some(2) && said.contains(wanted), "{said}");
        assert!(!lab.path("refused").exists());
    }
}

#[test]
fn a_job_array_is_written_and_its_tasks_know_their_parts() {
    let lab = Lab::new();
    let script = done(lab.command(&["--data", "emodb=emodb", "--emit", "slurm", "--shard", "auto/5", "--epochs", "2"]));
    assert!(script.starts_with("#!/bin/sh\n") && script.contains("#SBATCH --array=1-5\n"), "{script}");
    assert!(script.contains("--data emodb=emodb --epochs 2 --shard auto/5 --jobs 1"), "{script}");
    let job = done(lab.command(&["--data", "emodb=emodb", "--folds", "2", "--emit", "kubernetes"]));
    assert!(job.contains("completionMode: Indexed") && job.contains("completions: 2\n"), "{job}");

    let options = ["--data", "emodb=emodb", "--folds", "3", "--epochs", "2", "--run-dir", "run"];
    for (name, values) in [("SLURM_ARRAY_TASK_ID", ["1", "2"]), ("JOB_COMPLETION_INDEX", ["0", "1"])] {
        let _ = fs::remove_dir_all(lab.path("run"));
        for value in values {
            assert!(!lab.path("run/metrics.json").exists());
            let mut task = lab.command(&[&options[..], &["--shard", "auto/2"]].concat());
            task.env(name, value);
            done(task);
        }
        assert!(lab.path("run/metrics.json").exists(), "the last part makes the tables");
    }
    let mut outside = lab.command(&[&options[..], &["--shard", "auto/2"]].concat());
    assert_eq!(outside.output().unwrap().status.code(), Some(2));
}

const SMALL: [&str; 6] = ["--data", "emodb=emodb", "--folds", "3", "--epochs", "2"];

/// Shards that begin in the same moment with different settings: one of them gets the folder, and all folds are its.
#[test]
fn shards_of_different_settings_never_share_a_folder() {
    let lab = Lab::new();
    done(lab.command(&[&SMALL[..], &["--run-dir", "warm"]].concat()));
    for round in 0..5 {
        let dir = format!("run{round}");
        let start = |part: &'static str, epochs: &'static str| {
            let words =
                ["--data", "emodb=emodb", "--folds", "3", "--epochs", epochs, "--shard", part, "--run-dir", &dir];
            let mut command = lab.command(&words);
            command.stderr(std::process::Stdio::piped()).stdout(std::process::Stdio::piped());
            command.spawn().unwrap()
        };
        let children = [start("1/2", "2"), start("2/2", "3")];
        let ended = children.map(|c| c.wait_with_output().unwrap());
        let mut codes = ended.each_ref().map(|o| o.status.code());
        codes.sort();
        let said = ended.map(|o| String::from_utf8(o.stderr).unwrap()).concat();
        assert_eq!(codes, [Some(0), Some(2)], "{said}");
        assert!(said.contains("it has training.epochs ="), "{said}");
        let config = fs::read_to_string(lab.path(&dir).join("config.toml")).unwrap();
        let epochs = if config.contains("epochs = 2\n") { 2 } else { 3 };
        for fold in 0..3 {
            let path = lab.path(&dir).join(format!("emodb-tim-net-random-seed46/fold-{fold:02}.json"));
            assert!(!path.is_file() || json(&path)["records"].as_array().unwrap().len() == epochs, "{path:?}");
        }
    }
}

#[test]
fn the_report_of_a_sharded_run_is_that_of_an_unsharded_one() {
    // Of one name each: the tables name the command that made the run.
    let (one, other) = (Lab::new(), Lab::new());
    let run = |lab: &Lab, options: &[&str]| done(lab.command(&[&SMALL[..], &["--run-dir", "run"], options].concat()));
    run(&one, &[]);
    run(&other, &["--shard", "1/2"]);
    run(&other, &["--shard", "2/2"]);
    for kind in ["tables", "figures"] {
        let of = |lab: &Lab| contents(&lab.path("run/report").join(kind));
        let (whole, shards) = (of(&one), of(&other));
        assert!(whole.len() > 2 && whole.keys().eq(shards.keys()), "{:?}", whole.keys());
        for (name, bytes) in &whole {
            // Commands, times and machines.
            if !["runs", "provenance"].iter().any(|n| name.to_str().unwrap().starts_with(n)) {
                assert_eq!(shards[name], *bytes, "{kind}/{name:?}");
            }
        }
    }
}

/// What trained a fold is told by the fold, stays when the folder is opened elsewhere, and is kept by `merge`.
#[test]
fn provenance_is_of_the_fold_and_survives_opening_and_merging() {
    let lab = Lab::new();
    let run = |dir: &str, options: &[&str]| done(lab.command(&[&SMALL[..], &["--run-dir", dir], options].concat()));
    run("one", &["--shard", "1/2"]);
    run("two", &["--shard", "2/2"]);
    // As if another program had trained the first on another machine.
    let training = "emodb-tim-net-random-seed46";
    let fold = format!("one/{training}/fold-00.provenance.json");
    let told = json(&lab.path(&fold));
    let call = &told["calls"][0];
    for key in ["version", "engine", "numerics", "device", "machine", "started", "ended"] {
        assert!(!call[key].is_null(), "{key}: {told}");
    }
    assert_eq!((call["engine"].as_str(), call["device"].as_str()), (Some("native"), Some("cpu")));
    let machine = call["machine"].as_str().unwrap().to_owned();
    lab.edit(&fold, &format!("\"machine\": \"{machine}\""), "\"machine\": \"far away\"");

    done(lab.serlab(&["merge", "one", "two", "-o", "merged"]));
    let entries = json(&lab.path("merged/provenance.json"));
    let folds = |machine: &str| -> Vec<String> {
        let entries = entries.as_array().unwrap();
        let entry =
            entries.iter().find(|e| e["machine"] == machine).unwrap_or_else(|| panic!("{machine}: {entries:?}"));
        serde_json::from_value(entry["folds"].clone()).unwrap()
    };
    assert_eq!(folds("far away"), [format!("{training}/fold-00")]);
    assert_eq!(folds(&machine), [format!("{training}/fold-01"), format!("{training}/fold-02")]);
    let environment = json(&lab.path("merged/environment.json"));
    assert_eq!(environment["merged_from"].as_array().unwrap().len(), 2, "{environment}");
    let sessions = fs::read_to_string(lab.path("merged/sessions.jsonl")).unwrap();
    assert_eq!(sessions.lines().count(), 2, "{sessions}");

    // Opened again by the run's own command: nothing is trained and nothing changes. Nor when merged once more.
    let told = || {
        ["environment.json", "sessions.jsonl", "provenance.json"].map(|n| fs::read(lab.path("merged").join(n)).unwrap())
    };
    let before = told();
    run("merged", &["--jobs", "1"]);
    assert_eq!(told(), before);
    done(lab.serlab(&["merge", "two", "merged", "one", "-o", "again"]));
    let again = json(&lab.path("again/environment.json"));
    assert_eq!(again["merged_from"].as_array().unwrap().len(), 2, "{again}");
    assert_eq!(fs::read(lab.path("again/provenance.json")).unwrap(), before[2]);
}

#[test]
fn folds_of_another_device_or_numerics_are_not_mixed_in() {
    let lab = Lab::new();
    done(lab.command(&[&SMALL[..], &["--run-dir", "run"]].concat()));
    done(lab.command(&[&SMALL[..], &["--run-dir", "other"]].concat()));
    for (from, to, key) in
        [("device = \"cpu\"", "device = \"cuda\"", "device"), ("numerics = ", "numerics = 1000", "numerics")]
    {
        // A whole run of another device: its configuration and its identity.
        let whole = fs::read_to_string(lab.path("other/config.toml")).unwrap();
        let identity = fs::read(lab.path("other/run.json")).unwrap();
        lab.edit("other/config.toml", from, to);
        let hash = blake3::hash(&fs::read(lab.path("other/config.toml")).unwrap()).to_hex().to_string();
        lab.edit("other/run.json", &blake3::hash(whole.as_bytes()).to_hex(), &hash);
        let output = lab.run(&[&SMALL[..], &["--run-dir", "other"]].concat());
        let said = String::from_utf8(output.stderr).unwrap();
        assert!(output.status.code() == Some(2) && said.contains(&format!("it has {key} = ")), "{said}");
        let output = lab.serlab(&["merge", "run", "other", "-o", "merged"]).output().unwrap();
        let said = String::from_utf8(output.stderr).unwrap();
        assert!(output.status.code() == Some(2) && said.contains(&format!("other does not fit run: {key}")), "{said}");
        fs::write(lab.path("other/config.toml"), whole).unwrap();
        fs::write(lab.path("other/run.json"), identity).unwrap();
    }
}

/// Two runs that differ in corpora are two runs: with other recordings the folder is another's.
#[test]
fn runs_of_different_recordings_or_labels_are_told_apart() {
    let lab = Lab::new();
    done(lab.command(&[&SMALL[..], &["--run-dir", "run"]].concat()));
    let wav = lab.wav();
    let mut bytes = fs::read(&wav).unwrap();
    let middle = bytes.len() / 2;
    bytes[middle] ^= 0x20;
    let before = fs::read(&wav).unwrap();
    fs::write(&wav, &bytes).unwrap();
    lab.refused_there(&[&SMALL[..], &["--run-dir", "run"]].concat(), &["it has corpora.emodb.features ="]);
    fs::write(&wav, before).unwrap();
    // One speaker less: another corpus, and merging says so.
    fs::remove_file(&wav).unwrap();
    lab.refused_there(&[&SMALL[..], &["--run-dir", "run"]].concat(), &["corpora.emodb."]);
    done(lab.command(&[&SMALL[..], &["--run-dir", "fewer"]].concat()));
    let output = lab.serlab(&["merge", "run", "fewer", "-o", "merged"]).output().unwrap();
    let said = String::from_utf8(output.stderr).unwrap();
    assert!(output.status.code() == Some(2) && said.contains("fewer does not fit run: corpora.emodb."), "{said}");
}
