//! `ser predict`: answers, formats, exit codes.

#![allow(clippy::unwrap_used)]

mod common;
#[path = "../../sermodel/tests/support/mod.rs"]
mod sound;

use std::{
    fs,
    io::Write,
    path::Path,
    process::{Command, Stdio},
};

use common::run;
use sermodel::Model;
use tempfile::TempDir;

/// A command in `folder` with the model there.
fn command(folder: &Path, arguments: &[&str]) -> Command {
    let mut command = common::command(folder, arguments);
    command.env("SER_MODEL", "model.safetensors");
    command
}

fn ser(folder: &Path, arguments: &[&str]) -> (i32, String, String) {
    run(command(folder, arguments))
}

fn wav(path: &Path, rate: u32, samples: &[f32]) {
    common::wav(path, rate, samples.iter().map(|s| (s * 32_767.0) as i16));
}

/// A folder with a model, 1.5 s of voice, and voice (2 s), silence (2 s), voice (1.3 s).
fn folder() -> TempDir {
    let folder = TempDir::new().unwrap();
    fs::write(folder.path().join("model.safetensors"), sound::model().to_bytes().unwrap()).unwrap();
    wav(&folder.path().join("short.wav"), 16_000, &sound::voice(16_000, 1.5));
    let mut long = sound::voice(16_000, 2.0);
    long.extend(vec![0.0; 32_000]);
    long.extend(sound::voice(16_000, 1.3));
    wav(&folder.path().join("long.wav"), 16_000, &long);
    folder
}

#[test]
fn a_short_recording_gets_the_networks_own_answer() {
    let folder = folder();
    let audio = seraudio::load(&folder.path().join("short.wav"), &Default::default()).unwrap();
    let expected = sound::model().predict(&audio.samples, audio.rate).unwrap();
    let (code, out, err) = ser(folder.path(), &["predict", "short.wav", "--format", "csv"]);
    assert_eq!(code, 0, "{err}");
    let lines: Vec<Vec<&str>> = out.lines().map(|line| line.split(',').collect()).collect();
    assert_eq!(lines[0], ["path", "start", "end", "label", "confidence", "angry", "neutral", "sad"]);
    assert_eq!(lines[1][..4], ["short.wav", "0.000", "1.500", &sound::model().labels()[expected.label]]);
    for (text, p) in lines[1][5..].iter().zip(&expected.probabilities) {
        assert!((text.parse::<f32>().unwrap() - p).abs() < 1e-6, "{text} {p}");
    }
    let (_, table, _) = ser(folder.path(), &["predict", "short.wav"]);
    assert!(table.contains("short.wav") && table.contains(lines[1][3]), "{table}");
}

#[test]
fn stdin_is_a_recording_too() {
    let folder = folder();
    let mut child = command(folder.path(), &["predict", "-", "--format", "jsonl"]);
    let mut child = child.stdin(Stdio::piped()).stdout(Stdio::piped()).spawn().unwrap();
    child.stdin.take().unwrap().write_all(&fs::read(folder.path().join("long.wav")).unwrap()).unwrap();
    let piped = child.wait_with_output().unwrap();
    let (code, out, _) = ser(folder.path(), &["predict", "long.wav", "--format", "jsonl"]);
    assert_eq!((code, piped.status.code()), (0, Some(0)));
    assert_eq!(String::from_utf8(piped.stdout).unwrap(), out.replace("long.wav", "-"));
    assert_eq!(out.lines().count(), 1);
}

/// Windows of 1 s every 0.5 s over 5.3 s: nine, and one that ends with the recording.
#[test]
fn windows_tell_voice_from_silence() {
    let folder = folder();
    let windows = ["predict", "long.wav", "--window", "1s", "--hop", "500ms", "--format", "jsonl"];
    let (code, out, err) = ser(folder.path(), &windows);
    assert_eq!(code, 0, "{err}");
    let lines: Vec<serde_json::Value> = out.lines().map(|line| serde_json::from_str(line).unwrap()).collect();
    assert_eq!(lines.len(), 10);
    assert!((lines[9]["end"].as_f64().unwrap() - 5.3).abs() < 1e-3);
    let silent = |line: &serde_json::Value| line["label"] == "no-speech";
    let at = |start: f64| lines.iter().find(|l| (l["start"].as_f64().unwrap() - start).abs() < 0.01).unwrap();
    assert!([0.0, 0.5, 1.0, 4.0].iter().all(|&start| !silent(at(start))), "{out}");
    assert!([2.5, 3.0].iter().all(|&start| silent(at(start)) && at(start)["probabilities"].is_null()), "{out}");
    let sum: f64 = at(0.0)["probabilities"].as_object().unwrap().values().map(|p| p.as_f64().unwrap()).sum();
    assert!((sum - 1.0).abs() < 1e-5);
    let (_, out, _) = ser(folder.path(), &[&windows[..], &["--no-vad"]].concat());
    assert!(out.lines().count() == 10 && !out.contains("no-speech"), "{out}");
}

#[test]
fn label_tracks_and_subtitles_leave_silence_out() {
    let folder = folder();
    let format = |name| {
        let arguments = ["predict", "long.wav", "--window", "0.5", "--hop", "0.25", "--format", name];
        let (code, out, err) = ser(folder.path(), &arguments);
        assert_eq!(code, 0, "{err}");
        out
    };
    let labels = ["angry", "neutral", "sad"];
    let audacity: Vec<(f64, f64)> = format("audacity")
        .lines()
        .map(|line| match line.split('\t').collect::<Vec<_>>()[..] {
            [start, end, label] if labels.contains(&label) => (start.parse().unwrap(), end.parse().unwrap()),
            _ => panic!("{line}"),
        })
        .collect();
    assert!(audacity.iter().all(|(start, end)| start < end && (*end < 2.6 || *start > 3.4)), "{audacity:?}");
    assert!(audacity.windows(2).all(|w| w[0].1 <= w[1].0));
    let srt = format("srt");
    let blocks: Vec<&str> = srt.trim_end().split("\n\n").collect();
    assert_eq!(blocks.len(), audacity.len());
    assert!(blocks[0].starts_with("1\n00:00:00,000 --> 00:00:0") && blocks[0].lines().count() == 3, "{srt}");
    let grid = format("textgrid");
    let numbers = |key: &str| -> Vec<f64> {
        let lines = grid.lines().filter_map(|line| line.trim().strip_prefix(key));
        lines.map(|value| value.trim().parse().unwrap()).collect()
    };
    // The first two are the file's and the tier's; the intervals of a tier leave no gap.
    let (starts, ends) = (numbers("xmin ="), numbers("xmax ="));
    assert!((ends[0] - 5.3).abs() < 1e-3 && ends[0] == ends[1] && ends.last() == Some(&ends[0]), "{grid}");
    assert!(starts[3..].iter().zip(&ends[2..]).all(|(start, end)| start == end), "{grid}");
    assert_eq!(grid.matches("text = \"\"").count(), 1, "{grid}");
    let (code, _, err) = ser(folder.path(), &["predict", "long.wav", "short.wav", "--format", "srt"]);
    assert!(code == 2 && err.contains("jsonl"), "{err}");
}

#[test]
fn bad_recordings_are_named_and_the_others_answered() {
    let folder = folder();
    let corpus = folder.path().join("in");
    fs::create_dir(&corpus).unwrap();
    for name in ["a10.wav", "a2.wav"] {
        fs::copy(folder.path().join("short.wav"), corpus.join(name)).unwrap();
    }
    fs::write(corpus.join("a3.wav"), "version https://git-lfs.github.com/spec/v1\n").unwrap();
    fs::write(corpus.join("readme.txt"), "no recording").unwrap();
    let (code, out, err) = ser(folder.path(), &["predict", "in", "--format", "csv", "-o", "out.csv"]);
    assert!(code == 1 && out.is_empty() && err.contains("a3.wav") && err.contains("git lfs"), "{code} {err}");
    assert!(err.contains("1 of 3") && !err.contains("readme"), "{err}");
    let lines = fs::read_to_string(folder.path().join("out.csv")).unwrap();
    let order: Vec<&str> = lines.lines().skip(1).map(|line| &line[..line.find(".wav").unwrap()]).collect();
    assert_eq!(order, ["in/a2", "in/a10"]);
    for (arguments, part) in [
        (&["predict", "in/a3.wav"][..], "git lfs"),
        (&["predict", "nowhere.wav"], "no such file"),
        (&["predict", "short.wav", "--window", "0"], "above 0"),
        (&["predict", "short.wav", "--window", "9s"], "at most 2.000 s"),
        (&["predict", "short.wav", "--hop", "1s"], "--window"),
        (&["predict", "short.wav", "--format", "tables"], "jsonl"),
        (&["predict", "short.wav", "--model", "short.wav"], "short.wav"),
        (&["predict", "short.wav", "--model", "no.safetensors"], "no.safetensors"),
    ] {
        let (code, out, err) = ser(folder.path(), arguments);
        assert!(code == 2 && out.is_empty() && err.contains(part), "{arguments:?}: {code} {err}");
    }
}

#[test]
fn a_model_that_is_not_sure_says_so() {
    let folder = folder();
    let mut card = sound::model().card().clone();
    card.threshold = Some(0.999);
    let careful = Model::new(sound::model().weights().clone(), card).unwrap();
    fs::write(folder.path().join("careful.safetensors"), careful.to_bytes().unwrap()).unwrap();
    let arguments = ["predict", "short.wav", "--format", "jsonl", "--model", "careful.safetensors"];
    let (code, out, err) = ser(folder.path(), &arguments);
    assert!(code == 0 && out.contains("\"label\":\"unknown\"") && out.contains("\"abstained\":true"), "{out} {err}");
    assert!(!ser(folder.path(), &arguments[..4]).1.contains("unknown"));
}

#[test]
fn without_a_model_the_built_in_one_answers_or_is_said_to_be_missing() {
    let folder = folder();
    let mut without = command(folder.path(), &["predict", "short.wav"]);
    without.env_remove("SER_MODEL");
    let (code, out, err) = run(without);
    if Path::new(env!("CARGO_MANIFEST_DIR")).join("models/emodb.safetensors").is_file() {
        assert!(code == 0 && out.contains("boredom"), "{err}");
    } else {
        assert!(code == 2 && err.contains("--model") && err.contains("SER_MODEL"), "{err}");
    }
}

#[test]
fn colours_are_for_those_who_want_them() {
    let folder = folder();
    let table = |variables: &[(&str, &str)]| {
        let mut command = command(folder.path(), &["predict", "long.wav", "--window", "1s"]);
        command.envs(variables.iter().copied());
        run(command).1
    };
    let escape = '\u{1b}';
    assert!(table(&[("CLICOLOR_FORCE", "1")]).contains(escape));
    assert!(!table(&[]).contains(escape));
    assert!(!table(&[("NO_COLOR", "1"), ("CLICOLOR_FORCE", "1")]).contains(escape));
}
