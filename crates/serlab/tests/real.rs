//! One fold of the real EMODB, trained by both engines: the design stays libtorch-backed in fact.
#![cfg(feature = "libtorch")]
#![allow(clippy::unwrap_used)]

mod common;

use std::path::Path;

use common::{Lab, done, json};

#[test]
fn both_engines_train_a_fold_of_emodb_alike() {
    let lab = Lab::new();
    let fixtures = Path::new(env!("CARGO_MANIFEST_DIR")).join("../../fixtures");
    let losses = |engine: &str| -> Vec<f64> {
        let mut command = lab.serlab(&["reproduce", "table1", "--epochs", "3", "--shard", "1/10", "--engine", engine]);
        command.args(["--device", "cpu", "--set", "corpora.emodb.length=96000", "--set", "corpora.emodb.blocks=8"]);
        command.args(["--set", "training.batch_size=64", "--run-dir", engine]).arg("--bundled").arg(&fixtures);
        done(command);
        let fold = json(&lab.path(engine).join("emodb-tim-net-random-seed46/fold-00.json"));
        fold["records"].as_array().unwrap().iter().map(|r| r["train_loss"].as_f64().unwrap()).collect()
    };
    let (native, libtorch) = (losses("native"), losses("libtorch"));
    assert_eq!(native.len(), 3);
    // 482 utterances, eight steps an epoch: rounding has grown to some 1e-4 by the last of them.
    for (a, b) in native.iter().zip(&libtorch) {
        assert!((a - b).abs() < 2e-3 * a, "{native:?} {libtorch:?}");
    }
    assert!(native[2] < native[0], "{native:?}");
}
