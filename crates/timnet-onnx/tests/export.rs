//! Today's exports are the ones that onnxruntime and tract were asked about (`fixtures/onnx`).

#![allow(clippy::unwrap_used)]

mod support;

use std::{fs, path::PathBuf};

use ndarray::{Array2, Array3};
use timnet_core::{ModelConfig, Weights};

#[test]
fn exports_are_those_that_were_checked() {
    let folder = PathBuf::from(concat!(env!("CARGO_MANIFEST_DIR"), "/../../fixtures/onnx"));
    let cases = support::cases();
    assert_eq!(cases.len(), 6);
    for case in cases {
        let path = folder.join(&case.name);
        // Not assert_eq: it would print the bytes.
        assert!(
            fs::read(path.with_extension("onnx")).unwrap() == case.onnx,
            "{} is exported otherwise than in fixtures/onnx: run its `fixture` example and check.py again",
            case.name
        );
        let mfcc: Array3<f32> = ndarray_npy::read_npy(path.with_extension("mfcc.npy")).unwrap();
        assert_eq!(mfcc, case.mfcc);
        let recorded: Array2<f32> = ndarray_npy::read_npy(path.with_extension("probabilities.npy")).unwrap();
        // Other instruction sets round otherwise.
        assert!((&recorded - &case.probabilities).iter().all(|d| d.abs() < 1e-5), "{}", case.name);
    }
}

#[test]
fn weights_that_do_not_fit_are_errors() {
    let config = ModelConfig::timnet(2, 3);
    let short = Weights { config, parameters: vec![0.0; 7], statistics: Vec::new() };
    assert!(timnet_onnx::export(&short, 1.0, &Default::default()).is_err());
    let none = Weights { config: ModelConfig::timnet(0, 3), ..short };
    assert!(timnet_onnx::export(&none, 1.0, &Default::default()).is_err());
}
