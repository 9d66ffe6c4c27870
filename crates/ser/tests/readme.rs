//! The README's examples run.

#![allow(clippy::unwrap_used)]

#[path = "../../sermodel/tests/support/mod.rs"]
mod sound;

use std::{fs, path::Path, process::Command};

use assert_cmd::cargo::cargo_bin;
use tempfile::TempDir;

#[test]
fn the_readmes_examples_run() {
    let folder = TempDir::new().unwrap();
    let at = |name: &str| folder.path().join(name);
    fs::write(at("model.safetensors"), sound::model().to_bytes().unwrap()).unwrap();
    let audio = Path::new(env!("CARGO_MANIFEST_DIR")).join("../../fixtures/mfcc/audio");
    fs::create_dir(at("recordings")).unwrap();
    for (from, to) in [("pcm-u8.wav", "me.wav"), ("mp3.mp3", "talk.mp3"), ("flac.flac", "recordings/a.flac")] {
        fs::copy(audio.join(from), at(to)).unwrap();
    }
    let mut ran = 0;
    for line in include_str!("../README.md").lines().filter_map(|line| line.strip_prefix("$ ser ")) {
        let words = line.split('#').next().unwrap().split_whitespace();
        let arguments: Vec<&str> = words.take_while(|word| *word != ">").collect();
        let output = Command::new(cargo_bin!("ser")).current_dir(folder.path()).args(&arguments).output().unwrap();
        assert!(output.status.success(), "ser {line}: {}", String::from_utf8_lossy(&output.stderr));
        if let Some(at_o) = arguments.iter().position(|word| *word == "-o") {
            assert!(at(arguments[at_o + 1]).is_file(), "ser {line}");
        }
        ran += 1;
    }
    assert_eq!(ran, 9);
}
