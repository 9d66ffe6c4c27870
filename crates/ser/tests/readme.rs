//! The README's examples do what it says, and its flags are those of the program.

#![allow(clippy::unwrap_used)]

mod common;
#[path = "../../sermodel/tests/support/mod.rs"]
mod sound;

use std::{fs, path::Path};

use ndarray::Array2;
use tempfile::TempDir;

const README: &str = include_str!("../README.md");

/// Whether a time of subtitles lies between 0 and a minute.
fn is_time(text: &str) -> bool {
    text.len() == 12 && text.starts_with("00:00:") && text[6..].replace(',', ".").parse::<f64>().is_ok_and(|s| s < 60.0)
}

/// Looks at what an example printed and wrote.
fn check(folder: &Path, command: &str, out: &str) {
    let text = |name: &str| fs::read_to_string(folder.join(name)).unwrap();
    let array = |name: &str| ndarray_npy::read_npy::<_, Array2<f32>>(folder.join(name)).unwrap();
    let model = sound::model();
    let is_answer = |word: &str| model.labels().iter().any(|l| l == word) || ["unknown", "no-speech"].contains(&word);
    let words: Vec<&str> = command.split_whitespace().collect();
    match words[..] {
        ["predict", "me.wav", ..] => {
            let row: Vec<&str> = out.lines().nth(1).unwrap().split_whitespace().collect();
            assert!(out.lines().count() == 2 && row[0] == "me.wav" && is_answer(row[3]), "{out}");
        }
        ["predict", "talk.mp3", ..] => {
            for (i, block) in text("talk.srt").trim_end().split("\n\n").filter(|b| !b.is_empty()).enumerate() {
                let lines: Vec<&str> = block.lines().collect();
                let (start, end) = lines[1].split_once(" --> ").unwrap();
                assert!(lines[0] == (i + 1).to_string() && is_time(start) && is_time(end) && start < end, "{block}");
                assert!(lines.len() == 3 && is_answer(lines[2]), "{block}");
            }
        }
        ["predict", "recordings", ..] => {
            let all = text("all.csv");
            let rows: Vec<Vec<&str>> = all.lines().map(|line| line.split(',').collect()).collect();
            assert_eq!(rows[0], ["path", "start", "end", "label", "confidence", "angry", "neutral", "sad"]);
            assert!(rows.len() == 2 && rows[1][0] == "recordings/a.flac" && is_answer(rows[1][3]), "{all}");
        }
        ["explain", ..] => {
            let svg = text("why.svg");
            assert!(
                svg.starts_with("<svg") && svg.trim_end().ends_with("</svg>") && svg.contains("me.wav"),
                "{svg:.200}"
            );
        }
        ["embed", ..] => {
            let vectors = array("embeddings.npy");
            assert!(vectors.dim() == (1, 39) && vectors.iter().all(|v| v.is_finite()), "{:?}", vectors.dim());
            assert_eq!(text("embeddings.ids.txt"), "recordings/a.flac\n");
        }
        ["inspect", ..] => {
            for part in [&model.card().front_end.fingerprint(), "angry, neutral, sad", "42087 parameters"] {
                assert!(out.contains(part), "{part}: {out}");
            }
        }
        ["model", "export-onnx", ..] => {
            let graph = timnet_onnx::export(model.weights(), 1.0, &Default::default()).unwrap();
            assert!(fs::read(folder.join("model.onnx")).unwrap().starts_with(&graph));
        }
        ["features", ..] => {
            let audio = seraudio::load(&folder.join("me.wav"), &Default::default()).unwrap();
            let frames = (audio.seconds() * 22_050.0 / 512.0).floor() as usize + 1;
            let features = array("features.npy");
            assert!(features.dim() == (frames, 39) && features.iter().all(|v| v.is_finite()), "{:?}", features.dim());
        }
        ["completions", ..] => {
            assert!(out.contains("complete -F _ser") && out.contains("--split-column"), "{out:.500}")
        }
        _ => panic!("the test does not know `ser {command}`: say what it must print"),
    }
}

#[test]
fn the_readmes_examples_do_what_it_says() {
    let folder = TempDir::new().unwrap();
    let at = |name: &str| folder.path().join(name);
    fs::write(at("model.safetensors"), sound::model().to_bytes().unwrap()).unwrap();
    let audio = Path::new(env!("CARGO_MANIFEST_DIR")).join("../../fixtures/mfcc/audio");
    fs::create_dir(at("recordings")).unwrap();
    for (from, to) in [("pcm-u8.wav", "me.wav"), ("mp3.mp3", "talk.mp3"), ("flac.flac", "recordings/a.flac")] {
        fs::copy(audio.join(from), at(to)).unwrap();
    }
    let mut ran = 0;
    for line in README.lines().filter_map(|line| line.strip_prefix("$ ser ")) {
        let words = line.split('#').next().unwrap().split_whitespace();
        let arguments: Vec<&str> = words.take_while(|word| *word != ">").collect();
        let (code, out, err) = common::ser(folder.path(), &arguments);
        assert_eq!(code, 0, "ser {line}: {err}");
        check(folder.path(), &arguments.join(" "), &out);
        ran += 1;
    }
    assert_eq!(ran, 9);
}

/// The lines `ser COMMAND ..` of the overview, continuation lines joined.
fn overview() -> Vec<String> {
    let block = README.split("```text\n").find(|block| block.starts_with("ser predict ")).unwrap();
    let mut lines: Vec<String> = Vec::new();
    for line in block.split("```").next().unwrap().lines() {
        match lines.last_mut() {
            Some(last) if line.starts_with(' ') => last.push_str(line),
            _ => lines.push(line.to_owned()),
        }
    }
    lines
}

#[test]
fn the_overviews_flags_are_the_programs() {
    let folder = TempDir::new().unwrap();
    let mut seen = 0;
    for line in overview() {
        // `corpus check|stats` are two commands, `completions SHELL, ser man` too.
        let words: Vec<&str> = line.split_whitespace().collect();
        let depth = if ["corpus", "model"].contains(&words[1]) { 2 } else { 1 };
        let last = words[depth].split('|').next().unwrap();
        let command: Vec<&str> = words[1..depth].iter().copied().chain([last, "--help"]).collect();
        let (code, help, err) = common::ser(folder.path(), &command);
        assert_eq!(code, 0, "{line}: {err}");
        let is_flag = |word: &&str| word.starts_with("--") && word.len() > 2;
        let flags = line.split(|c: char| !(c.is_ascii_alphanumeric() || c == '-')).filter(is_flag);
        for flag in flags {
            let known = help.split(|c: char| !(c.is_ascii_alphanumeric() || c == '-')).any(|word| word == flag);
            assert!(known, "`ser {}` has no {flag}: {help}", command.join(" "));
            seen += 1;
        }
    }
    assert!(seen > 40, "{seen}");
}
