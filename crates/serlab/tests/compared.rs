//! The compared systems in the laboratory, on a small synthetic corpus.

#![allow(clippy::unwrap_used)]

mod common;

use std::fs;

use common::{Lab, contents, done};
use serde_json::Value;

const RUN: [&str; 8] =
    ["--data", "emodb=emodb", "--folds", "2", "--epochs", "1", "--set", "systems.light-sernet.length=16000"];

fn metrics(lab: &Lab, run: &str) -> Value {
    serde_json::from_slice(&fs::read(lab.path(&format!("{run}/metrics.json"))).unwrap()).unwrap()
}

/// Each has settings, a front end where it is its own, and figures that say of how many epochs of its own publication they are.
#[test]
fn systems_run_as_their_own_files_say_and_join_those_of_other_runs() {
    let lab = Lab::new();
    let light = ["--system", "light-sernet"];
    let other = &RUN[..6];
    done(lab.command(&[&RUN[..], &light, &["--run-dir", "light"]].concat()));
    let config = fs::read_to_string(lab.path("light/config.toml")).unwrap();
    for part in [
        "[system.light-sernet]\nprepare = \"light-sernet\"",
        "[system.light-sernet.engine]\nname = \"libtorch\"",
        "length = 16000",
    ] {
        assert!(config.contains(part), "{part}: {config}");
    }
    let cell = &metrics(&lab, "light")["cells"][0];
    assert_eq!(cell["marks"], serde_json::json!(["partial corpus", "preview: 1 of 300 epochs", "texts shared"]));

    done(lab.command(&[other, &["--system", "tim-net", "--run-dir", "tim"]].concat()));
    done(lab.command(&[other, &["--system", "gm-tcn", "--run-dir", "gm"]].concat()));
    done(lab.command(&[other, &["--system", "tim-net,gm-tcn", "--run-dir", "both"]].concat()));
    done(lab.serlab(&["merge", "tim", "gm", "-o", "merged"]));
    assert_eq!(contents(&lab.path("merged")), contents(&lab.path("both")));
    let systems: Vec<String> = metrics(&lab, "both")["cells"]
        .as_array()
        .unwrap()
        .iter()
        .map(|c| c["variant"].as_str().unwrap().into())
        .collect();
    assert_eq!(systems, ["tim-net", "tim-net", "gm-tcn", "gm-tcn"]);
    assert!(lab.path("both/emodb-gm-tcn-random-seed46/embeddings.csv").is_file());
    // Two runs that train a system in two ways stay two.
    done(lab.command(&[&other[..4], &["--epochs", "2", "--system", "gm-tcn", "--run-dir", "more"]].concat()));
    let output = lab.serlab(&["merge", "gm", "more", "-o", "no"]).output().unwrap();
    let said = String::from_utf8(output.stderr).unwrap();
    assert!(output.status.code() == Some(2) && said.contains("system.gm-tcn.training.epochs: 1 and 2"), "{said}");
}

#[test]
fn what_a_system_does_not_take_is_refused() {
    let lab = Lab::new();
    let refused = |options: &[&str], parts: &[&str]| lab.refused(2, &[&RUN[..6], options].concat(), parts);
    refused(&["--system", "gm-tcn", "--set", "systems.gm-tcn.training.dropout=0.2"], &["training.dropout", "gm-tcn"]);
    refused(&["--system", "gm-tcn", "--set", "systems.gm-tcn.training.epoch=2"], &["epoch"]);
    refused(&["--set", "systems.gm-tcn.training.epochs=2"], &["--system gm-tcn"]);
    refused(&["--system", "gm-tcm"], &["gm-tcm", "gm-tcn"]);
    refused(&["--system", "gm-tcn", "--set", "systems.gm-tcn.length=16000"], &["front_end", "length"]);
    refused(
        &["--set", "features.prepare=light-sernet", "--set", "features.normalise=utterance"],
        &["features.prepare", "normalise"],
    );
}
