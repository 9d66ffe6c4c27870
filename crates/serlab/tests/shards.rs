//! Runs in parts: side by side in one folder, in folders of their own, killed, and put together.

#![allow(clippy::unwrap_used)]

mod common;

use std::{
    fs,
    process::Child,
    time::{Duration, Instant},
};

use common::{Lab, contents, done};

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
    run(&["--epochs", "2", "--seed", "1", "--variant", "tcn", "--run-dir", "tcn"]);
    run(&["--epochs", "3", "--seed", "1", "--run-dir", "longer"]);

    let merge = |parts: &[&str], to| lab.serlab(&[&["merge"], parts, &["-o", to]].concat()).output().unwrap();
    // A part that has written no tables has no list of utterances; another one's serves.
    let output = merge(&["seed1", "part1"], "seeds");
    let (table, said) = (String::from_utf8(output.stdout).unwrap(), String::from_utf8(output.stderr).unwrap());
    assert!(
        output.status.success() && table.contains("(2 of 3 folds)") && table.contains("INCOMPLETE"),
        "{table}{said}"
    );
    assert!(said.contains("missing: emodb-tim-net-random-seed2, folds 1"), "{said}");
    // Networks of the same folds are compared.
    let output = merge(&["seed1", "tcn"], "networks");
    assert!(String::from_utf8(output.stdout).unwrap().contains("network - TIM-Net"));
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
    let job = done(lab.command(&["--emit", "kubernetes"]));
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
