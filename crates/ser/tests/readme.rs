//! The README's examples run.

#![allow(clippy::unwrap_used)]

mod common;
#[path = "../../sermodel/tests/support/mod.rs"]
mod sound;

use std::{fs, path::Path};

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
        let (code, _, err) = common::ser(folder.path(), &arguments);
        assert_eq!(code, 0, "ser {line}: {err}");
        if let Some(at_o) = arguments.iter().position(|word| *word == "-o") {
            assert!(at(arguments[at_o + 1]).is_file(), "ser {line}");
        }
        ran += 1;
    }
    assert_eq!(ran, 9);
}
