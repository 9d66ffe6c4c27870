//! Every experiment on small synthetic corpora: what is trained, and what the figures are taken over.

#![allow(clippy::unwrap_used)]

mod common;

use std::fs;

use common::{Lab, done};
use serde_json::Value;

/// Two epochs of networks of two blocks on short recordings of the corpora that `options` name after `--only`.
fn run(lab: &Lab, experiment: &str, options: &[&str]) -> (String, Value) {
    let mut words: Vec<String> =
        ["reproduce", experiment, "--synthetic", "--run-dir", experiment, "--epochs", "2"].map(str::to_owned).to_vec();
    let only = options.iter().skip_while(|o| **o != "--only").nth(1).unwrap();
    for (key, value) in [
        ("casia.length", 20_000),
        ("emodb.length", 20_000),
        ("savee.length", 22_000),
        ("casia.blocks", 2),
        ("savee.blocks", 2),
    ] {
        if only.contains(&key[..5]) {
            words.extend(["--set".to_owned(), format!("corpora.{key}={value}")]);
        }
    }
    words.extend(options.iter().map(|o| (*o).to_owned()));
    let table = done(lab.serlab(&words.iter().map(String::as_str).collect::<Vec<_>>()));
    let text = fs::read_to_string(lab.path(experiment).join("metrics.json")).unwrap();
    (table, serde_json::from_str(&text).unwrap())
}

fn array<'a>(value: &'a Value, key: &str) -> &'a [Value] {
    value[key].as_array().unwrap()
}

fn number(value: &Value) -> f64 {
    value.as_f64().unwrap()
}

#[test]
fn across_corpora_every_ordered_pair_is_scored_and_a_run_is_the_mean_over_them() {
    let lab = Lab::new();
    let (table, metrics) = run(&lab, "table2", &["--only", "casia,emodb,savee", "--seed", "5,6"]);
    assert!(table.contains("2 runs over 6 pairs") && table.contains("SYNTHETIC"), "{table}");
    // 2 networks, 2 runs, 3 corpora with 2 targets each.
    assert_eq!(array(&metrics, "cells").len(), 2 * 2 * 3 * 2);
    for summary in array(&metrics, "summaries") {
        let runs: Vec<f64> = [5, 6]
            .map(|seed| {
                let pairs: Vec<f64> = array(&metrics, "cells")
                    .iter()
                    .filter(|c| c["variant"] == summary["variant"] && c["seed"] == seed)
                    .map(|c| number(&c["uar"]["mean"]))
                    .collect();
                assert_eq!(pairs.len(), 6);
                pairs.iter().sum::<f64>() / 6.0
            })
            .to_vec();
        assert_eq!(summary["over"], "runs");
        assert!((number(&summary["uar"]["mean"]) - (runs[0] + runs[1]) / 2.0).abs() < 1e-12);
        assert!((number(&summary["uar"]["std"]) - (runs[0] - runs[1]).abs() / 2f64.sqrt()).abs() < 1e-12);
        // The paper's mean is over 20 pairs.
        assert_eq!(summary["published"], Value::Null);
    }
    let training = lab.path("table2/casia-tim-net-cross-corpus-seed5");
    // Five shared classes; the target's recordings alone, under the network trained on CASIA at its length.
    let text = fs::read_to_string(training.join("last-epoch/emodb/predictions.csv")).unwrap();
    assert!(text.starts_with("id,fold,truth,predicted,angry,fear,happy,neutral,sad\n"), "{text}");
    let cell = &array(&metrics, "cells")[0];
    assert_eq!((cell["corpus"].as_str(), cell["target"].as_str()), (Some("casia"), Some("emodb")));
    assert_eq!(text.lines().count() as u64, 1 + cell["utterances"].as_u64().unwrap());
    assert!(!text.contains("boredom"));
    let (weights, about) =
        serengine::Weights::load::<timnet_core::ModelConfig>(&training.join("fold-00.last.safetensors")).unwrap();
    assert_eq!((weights.layout.classes(), about["division"].as_str()), (5, "cross-corpus"));
    // No target data is seen before the last epoch.
    let epochs = fs::read_to_string(training.join("epochs.csv")).unwrap();
    assert!(epochs.lines().nth(1).unwrap().ends_with(",,"), "{epochs}");
}

#[test]
fn one_corpus_alone_is_too_few() {
    let lab = Lab::new();
    let words = ["reproduce", "table2", "--data", "emodb=emodb"];
    let output = lab.serlab(&words).output().unwrap();
    let text = String::from_utf8_lossy(&output.stderr);
    assert!(output.status.code() == Some(2) && text.contains("table2 needs 2 of its corpora"), "{text}");
}

#[test]
fn all_trains_what_is_shared_once_and_gives_the_same_figures() {
    let lab = Lab::new();
    let only = ["--only", "casia,savee", "--seed", "3"];
    let (_, all) = run(&lab, "all", &only);
    let (_, ablation) = run(&lab, "table3", &only);
    let trained = |dir: &str| {
        fs::read_dir(lab.path(dir))
            .unwrap()
            .filter(|e| e.as_ref().unwrap().path().join("fold-00.json").exists())
            .count()
    };
    // Five networks on two corpora; two networks across them; two networks on the hold-out.
    assert_eq!((trained("table3"), trained("all")), (10, 10 + 4 + 2));
    assert_eq!(array(&all, "paired"), array(&ablation, "paired"));
    let cell = |metrics: &Value| {
        array(metrics, "cells")
            .iter()
            .find(|c| c["corpus"] == "casia" && c["variant"] == "no-bd" && c["protocol"] == "last-epoch")
            .cloned()
            .unwrap()
    };
    assert_eq!(cell(&all), cell(&ablation));
    assert!(array(&all, "cells").iter().any(|c| c["division"] == "hold-out" && c["corpus"] == "casia"));

    // The interval is Student's over the folds' differences, with t(0.975; 1) = 12.7062 for two folds, and the variance of the mean is
    // s^2 (1 / 2 + test / training utterances), as the folds share training data (Nadeau and Bengio 2003).
    let folds = |variant: &str| -> Vec<f64> {
        let cells = array(&ablation, "cells").iter();
        let cell =
            cells.clone().find(|c| c["corpus"] == "savee" && c["variant"] == variant && c["protocol"] == "last-epoch");
        array(cell.unwrap(), "folds").iter().map(|f| number(&f["war"])).collect()
    };
    let (a, b) = (folds("tcn"), folds("tim-net"));
    let differences = [a[0] - b[0], a[1] - b[1]];
    let mean = (differences[0] + differences[1]) / 2.0;
    let paired = array(&ablation, "paired");
    let of = |variant: &str| {
        let fits = |p: &&Value| {
            p["corpus"] == "savee" && p["variant"] == variant && p["protocol"] == "last-epoch" && p["against"].is_null()
        };
        paired.iter().find(fits).unwrap()
    };
    let tcn = of("tcn");
    let ratio = number(&tcn["test_to_train"]);
    assert!((ratio - 1.0).abs() < 0.1, "two folds test on as many as they train on: {ratio}");
    let std = (differences[0] - differences[1]).abs() / 2f64.sqrt();
    let half = 12.706204736174694 * std * (0.5 + ratio).sqrt();
    assert_eq!((tcn["n"].as_u64(), tcn["division"].as_str()), (Some(2), Some("random")));
    assert!((number(&tcn["war"]["interval"]["estimate"]) - mean).abs() < 1e-12);
    assert!((number(&tcn["war"]["interval"]["low"]) - (mean - half)).abs() < 1e-9, "{tcn}");
    // Five networks are ten pairs, four of them with TIM-Net; Holm over all of this corpus, protocol and measure: the smallest p counts
    // ten times.
    let family: Vec<&Value> =
        paired.iter().filter(|p| p["corpus"] == "savee" && p["protocol"] == "last-epoch").collect();
    assert_eq!((family.len(), family.iter().filter(|p| p["against"].is_null()).count()), (10, 4));
    let smallest = family.iter().min_by(|a, b| number(&a["uar"]["p"]).total_cmp(&number(&b["uar"]["p"]))).unwrap();
    let (p, adjusted) = (number(&smallest["uar"]["p"]), number(&smallest["uar"]["adjusted_p"]));
    assert!((adjusted - (10.0 * p).min(1.0)).abs() < 1e-12, "{smallest}");
}

/// A speaker is left out whatever the seed: two seeds are two trainings of the same folds, which are averaged, and speakers are what
/// the interval of pooled figures is over.
#[test]
fn speakers_left_out_are_compared_speaker_by_speaker() {
    let lab = Lab::new();
    let words = ["--only", "emodb", "--seed", "1,2", "--protocol", "speaker-independent", "--system", "tim-net,no-bd"];
    let (table, metrics) = run(&lab, "table3", &words);
    let cells = array(&metrics, "cells");
    let folds = array(&cells[0], "folds").len();
    let paired = &array(&metrics, "paired")[0];
    assert_eq!((paired["n"].as_u64(), paired["division"].as_str()), (Some(folds as u64), Some("speaker-out")));
    assert_eq!(paired["seeds"], serde_json::json!([1, 2]));
    let mean = |variant: &str| {
        let of: Vec<f64> =
            cells.iter().filter(|c| c["variant"] == variant).map(|c| number(&c["uar"]["mean"])).collect();
        (of[0] + of[1]) / 2.0
    };
    assert!((number(&paired["uar"]["interval"]["estimate"]) - (mean("no-bd") - mean("tim-net"))).abs() < 1e-12);
    match folds {
        0..5 => assert_eq!((&cells[0]["pooled_uar"], &cells[0]["interval_over"]), (&Value::Null, &Value::Null)),
        n => {
            assert_eq!(cells[0]["interval_over"], serde_json::json!({"unit": "speakers", "count": n}));
            assert!(table.contains(&format!("{n} speakers")), "{table}");
        }
    }
    assert!(table.contains("better") || table.contains("worse") || table.contains("cannot tell < "), "{table}");
}

#[test]
fn several_seeds_have_their_mean_and_std() {
    let lab = Lab::new();
    let (table, metrics) = run(&lab, "table1", &["--only", "casia", "--seed", "1,2,3", "--protocol", "last-epoch"]);
    let means: Vec<f64> = array(&metrics, "cells").iter().map(|c| number(&c["war"]["mean"])).collect();
    let mean = means.iter().sum::<f64>() / 3.0;
    let std = (means.iter().map(|m| (m - mean).powi(2)).sum::<f64>() / 2.0).sqrt();
    let summary = &array(&metrics, "summaries")[0];
    assert_eq!((summary["over"].as_str(), summary["seeds"].as_array().unwrap().len()), (Some("seeds"), 3));
    assert!((number(&summary["war"]["mean"]) - mean).abs() < 1e-12);
    assert!((number(&summary["war"]["std"]) - std).abs() < 1e-12);
    assert!(table.contains("3 seeds of casia"), "{table}");
}

/// Several training seeds are several trainings of the same folds; the one that equals the seed of the folds is the training of old.
#[test]
fn training_seeds_give_other_weights_on_the_same_folds() {
    let lab = Lab::new();
    let words = ["--data", "emodb=emodb", "--folds", "3", "--epochs", "2", "--protocol", "last-epoch"];
    let run = |dir: &str, more: &[&str]| done(lab.command(&[&words[..], &["--run-dir", dir], more].concat()));
    run("plain", &[]);
    let table = run("run", &["--training-seeds", "46,7"]);
    let (same, other) = ("emodb-tim-net-random-seed46", "emodb-tim-net-random-seed46-training7");
    let bytes = |name: String| fs::read(lab.path(&name)).unwrap();
    let weights = "fold-00.last.safetensors";
    assert_eq!(bytes(format!("run/{same}/{weights}")), bytes(format!("plain/{same}/{weights}")));
    let parameters = |name: &str| {
        serengine::Weights::load::<timnet_core::ModelConfig>(&lab.path(&format!("run/{name}/{weights}"))).unwrap()
    };
    assert_ne!(parameters(same).0.parameters, parameters(other).0.parameters);
    assert_eq!(parameters(other).1["training_seed"], "7");
    let folds = |name: &str| -> Vec<String> {
        let text = fs::read_to_string(lab.path(&format!("run/{name}/last-epoch/predictions.csv"))).unwrap();
        text.lines().map(|l| l.split(',').take(3).collect::<Vec<_>>().join(",")).collect()
    };
    assert_eq!(folds(same), folds(other));
    let metrics: Value = serde_json::from_slice(&bytes("run/metrics.json".into())).unwrap();
    let seeds: Vec<(&Value, &Value)> =
        array(&metrics, "cells").iter().map(|c| (&c["seed"], &c["training_seed"])).collect();
    assert_eq!(seeds, [(&Value::from(46), &Value::Null), (&Value::from(46), &Value::from(7))]);
    let summary = &array(&metrics, "summaries")[0];
    assert_eq!((summary["over"].as_str(), &summary["seeds"]), (Some("trainings"), &serde_json::json!([46])));
    assert_eq!(summary["training_seeds"], serde_json::json!([7, 46]));
    let means: Vec<f64> = array(&metrics, "cells").iter().map(|c| number(&c["uar"]["mean"])).collect();
    assert!((number(&summary["uar"]["std"]) - (means[0] - means[1]).abs() / 2f64.sqrt()).abs() < 1e-12);
    assert!(
        table.contains("2 trainings on the same folds of emodb, seed 46") && table.contains("46, training 7"),
        "{table}"
    );
    let report = fs::read_to_string(lab.path("run/report/report.md")).unwrap();
    assert!(report.contains("mean of 2 trainings of the same folds"), "{report}");

    // With several seeds of the folds, the trainings of each are averaged first.
    let table = run("both", &["--seed", "1,2", "--training-seeds", "5,6"]);
    let metrics: Value = serde_json::from_slice(&bytes("both/metrics.json".into())).unwrap();
    let means: Vec<f64> = array(&metrics, "cells").iter().map(|c| number(&c["war"]["mean"])).collect();
    let over = |what: &str| array(&metrics, "summaries").iter().filter(|s| s["over"] == what).collect::<Vec<_>>();
    assert_eq!((over("trainings").len(), over("seeds").len()), (2, 1));
    let wanted = ((means[0] + means[1]) / 2.0 - (means[2] + means[3]) / 2.0).abs() / 2f64.sqrt();
    assert!((number(&over("seeds")[0]["war"]["std"]) - wanted).abs() < 1e-12, "{table}");
    assert!(table.contains("2 seeds of emodb"), "{table}");
}

/// Without TIM-Net the other networks are compared all the same, with the same interval.
#[test]
fn networks_are_compared_where_none_is_tim_net() {
    let lab = Lab::new();
    let words = ["--only", "emodb", "--seed", "1", "--protocol", "last-epoch", "--system", "no-bd,tcn"];
    let (table, metrics) = run(&lab, "table3", &words);
    let [pair] = array(&metrics, "paired") else { panic!("{metrics}") };
    assert_eq!((pair["variant"].as_str(), pair["against"].as_str()), (Some("tcn"), Some("no-bd")));
    let folds = |variant: &str| -> Vec<f64> {
        let cell = array(&metrics, "cells").iter().find(|c| c["variant"] == variant).unwrap();
        array(cell, "folds").iter().map(|f| number(&f["war"])).collect()
    };
    let (a, b) = (folds("tcn"), folds("no-bd"));
    let differences: Vec<f64> = a.iter().zip(&b).map(|(a, b)| a - b).collect();
    let mean = differences.iter().sum::<f64>() / differences.len() as f64;
    assert!((number(&pair["war"]["interval"]["estimate"]) - mean).abs() < 1e-12, "{pair}");
    assert!(table.contains("TCN - w/o BD"), "{table}");
    let report = fs::read_to_string(lab.path("table3/report/report.md")).unwrap();
    assert!(report.contains("TCN against w/o BD: "), "{report}");
}
