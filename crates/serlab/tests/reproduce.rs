//! The program from its command line to its files, on small synthetic corpora in EMODB's layout.

#![allow(clippy::unwrap_used)]

mod common;

use std::{fs, path::Path};

use common::{Lab, contents};

const DATA: [&str; 2] = ["--data", "emodb=emodb"];
const RUN: [&str; 8] = ["--data", "emodb=emodb", "--folds", "3", "--epochs", "4", "--run-dir", "run"];

#[test]
fn a_run_leaves_its_figures_predictions_and_weights() {
    let lab = Lab::new();
    let output = lab.run(&RUN);
    let table = String::from_utf8(output.stdout).unwrap();
    assert!(output.status.success(), "{}", String::from_utf8_lossy(&output.stderr));
    assert!(
        table.contains("best-epoch (opt, part, pre, txt)")
            && table.contains("(opt) optimistic: ")
            && table.contains("(pre) preview: 4 of 500 epochs")
            && table.contains(" of 535 utterances of emodb.")
            && table.contains("89.19 / 90.28"),
        "{table}"
    );
    let metrics: serde_json::Value = serde_json::from_slice(&fs::read(lab.path("run/metrics.json")).unwrap()).unwrap();
    assert_eq!(metrics["cells"].as_array().unwrap().len(), 2);
    let cell = &metrics["cells"][0];
    assert_eq!(cell["marks"], serde_json::json!(["partial corpus", "preview: 4 of 500 epochs", "texts shared"]));
    assert_eq!(cell["partial"], serde_json::json!([cell["utterances"], 535]));
    assert_eq!(cell["interval_over"], serde_json::json!({"unit": "utterances", "count": cell["utterances"]}));
    assert_eq!((cell["protocol"].as_str(), cell["seed"].as_u64()), (Some("last-epoch"), Some(46)));

    let training = lab.path("run/emodb-tim-net-random-seed46");
    let text = fs::read_to_string(training.join("last-epoch/predictions.csv")).unwrap();
    let mut rows = csv::Reader::from_reader(text.as_bytes());
    let header: Vec<String> = rows.headers().unwrap().iter().map(str::to_owned).collect();
    assert_eq!(header[..5], ["id", "fold", "truth", "predicted", "angry"]);
    let rows: Vec<csv::StringRecord> = rows.records().map(Result::unwrap).collect();
    assert_eq!(rows.len() as u64, cell["utterances"].as_u64().unwrap());
    let right = rows.iter().filter(|r| r[2] == r[3]).count() as f64 / rows.len() as f64;
    assert!((right - cell["pooled_war"]["estimate"].as_f64().unwrap()).abs() < 1e-12);
    for row in &rows {
        let sum: f64 = row.iter().skip(4).map(|p| p.parse::<f64>().unwrap()).sum();
        assert!((sum - 1.0).abs() < 1e-5);
    }
    assert_eq!(fs::read_to_string(training.join("epochs.csv")).unwrap().lines().count(), 1 + 3 * 4);
    let (weights, about) =
        serengine::Weights::load::<timnet_core::ModelConfig>(&training.join("fold-02.last.safetensors")).unwrap();
    assert_eq!((weights.layout.classes(), about["fold"].as_str(), about["epoch"].as_str()), (7, "2", "4"));
    for name in ["config.toml", "environment.json", "sessions.jsonl", "published.json", "corpora/emodb.csv"] {
        assert!(lab.path("run").join(name).is_file(), "{name}");
    }
    what_the_network_saw(&training, 2);

    let before = contents(&lab.path("run"));
    assert!(lab.run(&RUN).status.success());
    assert_eq!(before, contents(&lab.path("run")), "a finished run was recomputed or rewritten otherwise");
    let other = [&RUN[..6], &["--run-dir", "again"]].concat();
    assert!(lab.run(&other).status.success());
    assert_eq!(before, contents(&lab.path("again")), "the same seed gave other bytes");
}

/// The embeddings lead to the predictions through the head, and the gates and fusion weights are the network's.
fn what_the_network_saw(training: &Path, blocks: usize) {
    let (weights, _) =
        serengine::Weights::load::<timnet_core::ModelConfig>(&training.join("fold-00.last.safetensors")).unwrap();
    let layout = timnet_core::Places::of(&weights.settings().unwrap());
    let of = |range: serengine::Range| &weights.parameters[range.all()];
    let mut rows = csv::Reader::from_path(training.join("embeddings.csv")).unwrap();
    let header: Vec<String> = rows.headers().unwrap().iter().map(str::to_owned).collect();
    assert_eq!((&header[..5], header.len()), (&["id", "fold", "label", "predicted", "e0"].map(str::to_owned)[..], 43));
    let labels = ["angry", "boredom", "disgust", "fear", "happy", "neutral", "sad"];
    let rows: Vec<csv::StringRecord> = rows.records().map(Result::unwrap).collect();
    assert!(rows.len() > 20);
    for row in &rows {
        let embedding: Vec<f32> = row.iter().skip(4).map(|v| v.parse().unwrap()).collect();
        let logit = |k: usize| -> f32 {
            of(layout.head)[39 * k..][..39].iter().zip(&embedding).map(|(a, b)| a * b).sum::<f32>()
                + of(layout.head_bias)[k]
        };
        let best = (0..7).max_by(|&a, &b| logit(a).total_cmp(&logit(b))).unwrap();
        assert_eq!(labels[best], &row[3]);
    }
    let text = fs::read_to_string(training.join("attention.json")).unwrap();
    let attention: serde_json::Value = serde_json::from_str(&text).unwrap();
    assert_eq!((attention["id"].as_str(), attention["predicted"].as_str()), (Some(&rows[0][0]), Some(&rows[0][3])));
    assert!((attention["hop_seconds"].as_f64().unwrap() - 512.0 / 22050.0).abs() < 1e-12);
    let gates: Vec<Vec<f64>> = serde_json::from_value(attention["attention"].clone()).unwrap();
    assert_eq!((gates.len(), gates[0].len()), (blocks, 1 + 20000 / 512));
    assert!(gates.iter().flatten().all(|g| (0.5..=1.0).contains(g)), "{text}");
    let fusion = fs::read_to_string(training.join("fusion.csv")).unwrap();
    let lines: Vec<&str> = fusion.lines().collect();
    assert_eq!((lines[0], lines.len()), ("fold,w_1,w_2", 1 + 3));
    let w: Vec<f32> = lines[1].split(',').skip(1).map(|v| v.parse().unwrap()).collect();
    assert_eq!(w, of(layout.fusion.unwrap()));
}

#[test]
fn one_protocol_alone_has_its_predictions_in_the_run_folder() {
    let lab = Lab::new();
    assert!(lab.run(&[&RUN[..], &["--protocol", "speaker-independent"]].concat()).status.success());
    let text = fs::read_to_string(lab.path("run/predictions.csv")).unwrap();
    assert!(text.starts_with("id,fold,truth,predicted,angry,boredom,disgust,fear,happy,neutral,sad\n"), "{text}");
}

#[test]
fn wrong_use_is_told_with_code_2() {
    let lab = Lab::new();
    lab.refused(2, &["--data", "emodb=nowhere"], &["nowhere"]);
    lab.refused(2, &["--data", "emodb"], &["expected CORPUS=PATH"]);
    lab.refused(2, &["--data", "klingon=emodb"], &["klingon"]);
    lab.refused(2, &["--protocol", "luckiest-epoch"], &["luckiest-epoch", "last-epoch"]);
    lab.refused(2, &[&DATA[..], &["--device", "cuda:9"]].concat(), &["cuda:9"]);
    lab.refused(2, &[&DATA[..], &["--seed", "5000000000"]].concat(), &["`seeds`", "2^32"]);
    lab.refused(2, &[&DATA[..], &["--folds", "100000"]].concat(), &["emodb", "folds"]);
    lab.edit("configs/table1.toml", "systems =", "variants =");
    lab.refused(2, &DATA, &["table1.toml", "`variants` is called `systems` now"]);
    lab.edit("configs/table1.toml", "variants =", "systems =");
    lab.edit("configs/table1.toml", "batch_size = 16", "batchsize = 16");
    lab.refused(2, &DATA, &["table1.toml", "line", "batchsize", "batch_size"]);
}

#[test]
fn a_recording_that_cannot_be_used_is_named() {
    for (content, part) in [
        (Some(b"version https://git-lfs.github.com/spec/v1\noid sha256:0\nsize 9\n".to_vec()), "git lfs pull"),
        (Some(Vec::new()), "empty"),
        (None, "truncated"),
    ] {
        let lab = Lab::new();
        let wav = lab.wav();
        let content = content.unwrap_or_else(|| {
            let whole = fs::read(&wav).unwrap();
            whole[..whole.len() / 2].to_vec()
        });
        fs::write(&wav, content).unwrap();
        lab.refused(2, &RUN, &[wav.file_name().unwrap().to_str().unwrap(), part]);
    }
}

#[test]
fn every_value_can_be_set_and_is_checked() {
    let lab = Lab::new();
    let set = |value: &str| [&RUN[..], &["--set", value]].concat().iter().map(|s| (*s).to_owned()).collect::<Vec<_>>();
    let refused = |value: &str, parts: &[&str]| {
        let words = set(value);
        lab.refused(2, &words.iter().map(String::as_str).collect::<Vec<_>>(), parts);
    };
    refused("training.dropout=1.5", &["training.dropout", "below 1"]);
    refused("training.dropuot=0.2", &["--set training.dropuot=0.2", "dropuot", "dropout"]);
    refused("training.tcn_pooling=middle", &["--set training.tcn_pooling=middle", "middle", "mean"]);
    refused("training.epochs=many", &["--set training.epochs=many", "expected u32"]);
    refused("corpora.emodb.lenght=9", &["--set corpora.emodb.lenght=9", "lenght"]);
    refused("corpora.klingon.length=9", &["klingon"]);
    refused("corpora.emodb.length=9000000000000000000", &["emodb.toml", "length", "2^31"]);
    refused("corpora.emodb.blocks=64", &["emodb.toml", "blocks", "between 1 and 16"]);
    refused("corpora.emodb.seed=4294967296", &["emodb.toml", "seed", "2^32"]);
    refused("training", &["KEY=VALUE"]);
    refused("systems=[\"tin-net\"]", &["tin-net", "tim-net"]);
    let values = [
        "training.dropout=0.25",
        "training.tcn_pooling=mean",
        "front_end.preset=timnet-paper",
        "corpora.emodb.blocks=3",
    ];
    let words: Vec<&str> = values.into_iter().flat_map(|value| ["--set", value]).collect();
    assert!(lab.run(&[&RUN[..], &words].concat()).status.success());
    let config = fs::read_to_string(lab.path("run/config.toml")).unwrap();
    for line in ["dropout = 0.25", "tcn_pooling = \"mean\"", "hop_length = 276", "blocks = 3"] {
        assert!(config.contains(line), "{line}: {config}");
    }
}

#[test]
fn the_plan_is_told_with_its_time() {
    let lab = Lab::new();
    let share = "training.validation_share=0.3";
    let words = ["--dry-run", "--protocol", "last-epoch,validated", "--seed", "1,2", "--set", share];
    let text = common::done(lab.command(&[&RUN[..], &words].concat()));
    assert!(text.contains("emodb-tim-net-validated-seed2: 3 folds x 4 epochs, 84 utterances"), "{text}");
    assert!(text.contains("12 folds, 0 of them finished") && text.contains("of work left, about "), "{text}");
    assert!(!lab.path("run").exists());
    assert!(lab.run(&[&RUN[..], &["--seed", "1"]].concat()).status.success());
    let text = common::done(lab.command(&[&RUN[..], &words].concat()));
    assert!(text.contains("12 folds, 3 of them finished"), "{text}");
}

#[test]
fn a_corpus_that_is_not_whole_marks_its_figures() {
    let lab = Lab::new();
    let table = common::done(lab.command(&RUN));
    let metrics = common::json(&lab.path("run/metrics.json"));
    for cell in metrics["cells"].as_array().unwrap() {
        let found = cell["utterances"].as_u64().unwrap();
        assert_eq!(cell["partial"], serde_json::json!([found, 535]), "{cell}");
        assert!(cell["marks"].as_array().unwrap().contains(&"partial corpus".into()), "{cell}");
    }
    assert!(table.contains("partial corpus"), "{table}");
    let config = fs::read_to_string(lab.path("run/config.toml")).unwrap();
    assert!(config.contains("partial = ["), "{config}");
    // The synthetic stand-in is small on purpose, and marked as such.
    let words = ["reproduce", "table1", "--synthetic", "--only", "casia", "--epochs", "2", "--run-dir", "synthetic"];
    let table = common::done(lab.serlab(&[&words[..], &["--set", "corpora.casia.length=20000"]].concat()));
    assert!(table.contains("SYNTHETIC") && !table.contains("partial"), "{table}");
    assert!(common::json(&lab.path("synthetic/metrics.json"))["cells"][0]["partial"].is_null());
}

/// Wall time and CPU time of a call are over the same span, the computing of features included.
#[test]
fn the_time_of_a_call_is_all_of_it() {
    let lab = Lab::new();
    lab.lengthen();
    let start = std::time::Instant::now();
    assert!(lab.run(&RUN).status.success());
    let elapsed = start.elapsed().as_secs_f64();
    let text = fs::read_to_string(lab.path("run/sessions.jsonl")).unwrap();
    let session: serde_json::Value = serde_json::from_str(text.lines().next().unwrap()).unwrap();
    let (wall, cpu) = (session["wall_seconds"].as_f64().unwrap(), session["cpu_seconds"].as_f64().unwrap());
    let cores = std::thread::available_parallelism().unwrap().get() as f64;
    assert!((elapsed / 2.0..=elapsed).contains(&wall), "{session} in {elapsed} s");
    assert!(cpu <= wall * cores + 1.0, "{session}");
    assert_eq!(session["by"]["engine"], "native");
    // A finished run that is opened again was not worked on.
    assert!(lab.run(&RUN).status.success());
    assert_eq!(fs::read_to_string(lab.path("run/sessions.jsonl")).unwrap(), text);
}
