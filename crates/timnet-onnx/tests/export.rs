//! Today's exports are the ones that onnxruntime and tract were asked about (`fixtures/onnx`), but for the version of this crate.

#![allow(clippy::unwrap_used)]

mod support;

use std::{fs, path::PathBuf, sync::Arc};

use ndarray::{Array2, Array3};
use serengine::{Settings, Weights};
use timnet_core::{ModelConfig, Places};
use timnet_onnx::ExportError;

/// The file without `producer_version` (field 3 of ModelProto), which is this crate's version and changes with every release.
fn without_version(onnx: &[u8]) -> Vec<u8> {
    // ir_version (2 bytes), producer_name with tag and length, then field 3: tag 0x1a, length, text.
    let at = 2 + 2 + "timnet-onnx".len();
    assert_eq!((&onnx[4..at], onnx[at]), (&b"timnet-onnx"[..], 0x1a));
    let after = at + 2 + usize::from(onnx[at + 1]);
    [&onnx[..at], &onnx[after..]].concat()
}

#[test]
fn exports_are_those_that_were_checked() {
    let folder = PathBuf::from(concat!(env!("CARGO_MANIFEST_DIR"), "/../../fixtures/onnx"));
    let cases = support::cases();
    assert_eq!(cases.len(), 10);
    for case in cases {
        let path = folder.join(&case.name);
        // Not assert_eq: it would print the bytes.
        assert!(
            without_version(&fs::read(path.with_extension("onnx")).unwrap()) == without_version(&case.onnx),
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
    let layout = Arc::new(ModelConfig::timnet(2, 3).layout().unwrap());
    let short = Weights { layout, parameters: vec![0.0; 7], statistics: Vec::new() };
    assert!(timnet_onnx::export(&short, 1.0, &Default::default()).is_err());
}

#[test]
fn another_release_exports_the_same_graph() {
    let onnx = support::cases().remove(0).onnx;
    let at = 2 + 2 + "timnet-onnx".len();
    let after = at + 2 + usize::from(onnx[at + 1]);
    let version = "10.20.30-rc.1";
    let later = [&onnx[..at], &[0x1a, version.len() as u8], version.as_bytes(), &onnx[after..]].concat();
    assert!(later != onnx && without_version(&later) == without_version(&onnx));
}

#[test]
fn temperatures_that_make_no_probabilities_are_errors() {
    let weights = support::initial(&ModelConfig::timnet(1, 2), 1, 0);
    for bad in [0.0, -0.0, -1.0, f64::NAN, f64::INFINITY, f64::NEG_INFINITY, 1e-300, 1e300] {
        let error = timnet_onnx::export(&weights, bad, &Default::default()).unwrap_err();
        assert!(matches!(error, ExportError::Temperature(_)), "{bad}");
        assert!(error.to_string().starts_with(&format!("the temperature is {bad}; it must be")), "{error}");
    }
}

#[test]
fn weights_that_are_no_numbers_are_errors() {
    let config = ModelConfig::timnet(1, 2);
    let (good, places) = (support::initial(&config, 1, 0), Places::of(&config));
    let mut weights = good.clone();
    weights.parameters[places.head.start] = f32::NAN;
    let text = timnet_onnx::export(&weights, 1.0, &Default::default()).unwrap_err().to_string();
    assert!(text.starts_with("`head.weight` has NaN at element 0"), "{text}");
    let sub = places.blocks[0][1][1];
    let mut weights = good.clone();
    weights.statistics[sub.running_var.start] = -1.0;
    let text = timnet_onnx::export(&weights, 1.0, &Default::default()).unwrap_err().to_string();
    assert!(text.starts_with("`backward.1.b.norm.running_var` has -1 at element 0"), "{text}");
    let mut weights = good;
    weights.parameters[sub.gamma.all()].fill(f32::MAX);
    weights.statistics[sub.running_var.all()].fill(0.0);
    let text = timnet_onnx::export(&weights, 1.0, &Default::default()).unwrap_err().to_string();
    assert!(text.starts_with("`backward.1.b.weight` times its BatchNorm's scale is"), "{text}");
}
