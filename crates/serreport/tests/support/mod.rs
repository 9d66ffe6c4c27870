//! A run folder as `serlab` writes it, of made-up figures.

#![allow(dead_code)] // no test file uses all of it

pub mod report;

use std::{fs, path::Path};

use serde_json::{Value, json};

/// What a made-up run is like.
pub struct Demo<'a> {
    pub synthetic: bool,
    pub epochs: u32,
    pub folds: usize,
    pub seeds: &'a [u64],
    /// Trainings of each seed's folds; one with that seed if empty.
    pub training_seeds: &'a [u64],
    /// UAR of TIM-Net under last-epoch; everything else is derived from it.
    pub uar: f64,
    pub corpus: &'a str,
    pub labels: &'a [&'a str],
    pub blocks: usize,
    pub learning_rate: f64,
    /// Utterances of the corpus.
    pub utterances: usize,
    /// Whether there are pairs of corpora as well, which makes the run one of several experiments.
    pub across: bool,
    /// Folds that are missing.
    pub missing: &'a [usize],
    /// A system that the paper quotes.
    pub rival: &'a str,
}

impl Default for Demo<'_> {
    fn default() -> Self {
        Self {
            synthetic: true,
            epochs: 6,
            folds: 3,
            seeds: &[46, 47],
            training_seeds: &[],
            uar: 0.6,
            corpus: "emodb",
            labels: &["angry", "fear", "happy", "neutral", "sad"],
            blocks: 8,
            learning_rate: 0.001,
            utterances: 535,
            across: true,
            missing: &[],
            rival: "TSP+INCA",
        }
    }
}

/// Numbers in 0 .. 1 that look random and are not.
pub fn noise(i: usize) -> f64 {
    (((i as u64).wrapping_mul(6_364_136_223_846_793_005).wrapping_add(1_442_695_040_888_963_407) >> 33) as f64)
        / 2f64.powi(31)
}

fn spread(values: &[f64]) -> Value {
    let s = sermetrics::Spread::of(values).unwrap();
    serde_json::to_value(s).unwrap()
}

impl Demo<'_> {
    /// Everything a run can have.
    pub fn write(&self, dir: &Path) {
        self.write_bare(dir);
        for seed in self.seeds {
            self.training(&dir.join(format!("{}-tim-net-random-seed{seed}", self.corpus)), *seed as usize);
        }
        let roster: String = (0..40).map(|i| format!("\"{}\",{},s{}\n", id(i), self.labels[0], i % 4)).collect();
        put(&dir.join(format!("corpora/{}.csv", self.corpus)), &format!("id,label,speaker\n{roster}"));
        let environment = json!({
            "version": 1, "program": "serlab", "program_version": "0.1.0", "built_at_commit": "0123abc", "corpora": {},
            "libtorch": "2.11.0", "engine": "native", "device": "auto", "os": "linux", "architecture": "x86_64",
            "cpu": "A & B <CPU>", "cores": 2, "jobs": 2,
            "command": ["/some/where/serlab", "reproduce", "table1", "--only", "it's"],
        });
        put(&dir.join("environment.json"), &environment.to_string());
        put(
            &dir.join("sessions.jsonl"),
            &format!(
                "{}\n",
                json!({
                    "cpu_seconds": 60, "ended_unix": 1, "finished": true, "wall_seconds": 90, "command": ["serlab"],
                    "by": {"version": "0.1.0", "engine": "native", "numerics": 1, "device": "cpu", "machine": "A"},
                })
            ),
        );
        let provenance = json!([
            {"commit": "0123abc", "version": "0.1.0", "engine": "native", "numerics": 1, "device": "cpu", "simd": "avx512",
             "machine": "A", "started": "2026-01-01T00:00:00Z", "ended": "2026-01-01T01:00:00Z", "folds": ["x/0", "x/1"]},
            {"commit": "4567def", "version": "0.1.0", "engine": "libtorch", "numerics": 1, "device": "cuda:0", "machine": "B",
             "started": "2026-01-01T00:00:00Z", "folds": ["x/2"]},
        ]);
        put(&dir.join("provenance.json"), &provenance.to_string());
        put(&dir.join("config.toml"), &self.config());
    }

    /// As `serlab` writes it: the keys of a single experiment stand at the top.
    fn config(&self) -> String {
        let trainings = match self.training_seeds {
            [] => String::new(),
            seeds => format!("training_seeds = {seeds:?}\n"),
        };
        let part = |experiment: &str, systems: &str, protocols: &str, rest: &str| {
            format!(
                "experiment = \"{experiment}\"\nsystems = [{systems}]\nprotocols = [{protocols}]\nseeds = {:?}\n{trainings}{rest}\n",
                self.seeds
            )
        };
        let training = format!(
            "epochs = {}\nbatch_size = 64\ndropout = 0.1\nlabel_smoothing = 0.1\nlearning_rate = {}\nbeta1 = 0.93\nbeta2 = 0.98\neps = 1e-8\n",
            self.epochs, self.learning_rate
        );
        let own = part(
            "table3",
            "\"tim-net\", \"tcn\"",
            "\"last-epoch\", \"best-epoch\", \"speaker-independent\"",
            &format!("folds = {}", self.folds),
        );
        let across =
            part("table2", "\"tim-net\"", "\"last-epoch\"", "split = \"cross-corpus\"\nclasses = [\"angry\", \"sad\"]");
        let head = format!("engine = \"native\"\nnumerics = 1\ndevice = \"cpu\"\nsynthetic = {}\n", self.synthetic);
        let parts = match self.across {
            true => format!(
                "{head}[[parts]]\n{own}[parts.training]\n{training}[[parts]]\n{across}[parts.training]\n{training}"
            ),
            false => format!("{head}{own}[training]\n{training}"),
        };
        let corpus = |name: &str, utterances: usize| {
            format!(
                "[corpora.'{name}']\nlength = 96000\nblocks = {}\nseed = 46\nutterances = {utterances}\nfeatures = \"0123\"\n",
                self.blocks
            )
        };
        let others = ["casia", "savee"].map(|c| if self.across { corpus(c, 480) } else { String::new() }).concat();
        format!("{parts}[front_end]\nhop_length = 512\n{}{others}", corpus(self.corpus, self.utterances))
    }

    /// Only `metrics.json` and `published.json`.
    pub fn write_bare(&self, dir: &Path) {
        let mut metrics = json!({
            "version": 2, "experiment": if self.across { "all" } else { "table3" }, "synthetic": self.synthetic,
            "cells": self.cells(), "summaries": [], "paired": self.paired(),
        });
        if !self.missing.is_empty() {
            let training = |seed| (format!("{}-tim-net-random-seed{seed}", self.corpus), json!(self.missing));
            metrics["missing"] = self.seeds.iter().map(training).collect::<serde_json::Map<_, _>>().into();
        }
        put(&dir.join("metrics.json"), &format!("{metrics:#}"));
        let published = json!({
            "setting": {
                "folds": 10, "training": {
                    "epochs": 500, "batch_size": 64, "dropout": 0.1, "label_smoothing": 0.1, "learning_rate": 1e-3, "beta1": 0.93,
                    "beta2": 0.98, "eps": 1e-8,
                }, "front_end": {"hop_length": 512},
                "corpora": {"emodb": {"length": 96000, "blocks": 8, "seed": 46, "utterances": 535}},
            },
            "tim-net": {"last-epoch": {"emodb": [89.19, 90.28]}, "best-epoch": {"emodb": [95.17, 95.70]}},
            "others": [
                {"system": self.rival, "source": "paper", "uar": {"emodb": 89.47}, "war": {}},
                {"system": "CPAC", "source": "official README, re-run", "protocol": "last-epoch",
                 "uar": {"emodb": 86.92}, "war": {"emodb": 86.15}},
            ],
            "table2": {"tim-net": {"mean": [34.49, 35.66], "std": [0.43, 0.32]}},
            "table3": {"tcn": [80.45, 80.56], "tim-net": [88.76, 88.97]},
        });
        put(&dir.join("published.json"), &published.to_string());
    }

    fn cells(&self) -> Vec<Value> {
        let mut out = Vec::new();
        let trainings = match self.training_seeds {
            [] => vec![None],
            seeds => seeds.iter().copied().map(Some).collect(),
        };
        let all = self.seeds.iter().flat_map(|&seed| trainings.iter().map(move |&training| (seed, training)));
        for (seed, training) in all {
            let first = out.len();
            for (variant, worse) in [("tim-net", 0.0), ("tcn", 0.08)] {
                for (protocol, better) in [("last-epoch", 0.0), ("best-epoch", 0.06), ("speaker-independent", -0.2)] {
                    out.push(self.cell(seed, variant, protocol, None, self.uar - worse + better));
                }
            }
            for target in ["casia", "savee"].into_iter().filter(|_| self.across) {
                out.push(self.cell(seed, "tim-net", "last-epoch", Some(target), 0.3));
            }
            for cell in out[first..].iter_mut().filter(|_| training.is_some_and(|training| training != seed)) {
                cell["training_seed"] = json!(training);
                // Another training of the same folds is a little worse.
                let worse = 0.001 * training.unwrap_or_default() as f64;
                let folds = cell["folds"].as_array_mut().unwrap();
                let mut values = Vec::new();
                for fold in folds {
                    values.push(fold["uar"].as_f64().unwrap() - worse);
                    fold["uar"] = json!(values[values.len() - 1]);
                }
                cell["uar"] = spread(&values);
            }
        }
        out
    }

    fn cell(&self, seed: u64, variant: &str, protocol: &str, target: Option<&str>, uar: f64) -> Value {
        let division = match (target, protocol) {
            (Some(_), _) => "cross-corpus",
            (None, "speaker-independent") => "speaker-out",
            _ => "random",
        };
        let folds = if target.is_some() { 1 } else { self.folds };
        let lacks = |f: &usize| division == "random" && variant == "tim-net" && self.missing.contains(f);
        let there: Vec<usize> = (0..folds).filter(|f| !lacks(f)).collect();
        let values: Vec<f64> = there.iter().map(|f| uar + 0.05 * (noise(f + seed as usize) - 0.5)).collect();
        let scores: Vec<Value> = there
            .iter()
            .zip(&values)
            .map(|(f, v)| json!({"fold": f, "epoch": 1, "uar": v, "war": v, "utterances": 9, "trained_on": 18}))
            .collect();
        let n = self.labels.len();
        let interval = json!({"estimate": uar, "low": uar - 0.04, "high": uar + 0.04, "level": 0.95});
        let over = if division == "random" {
            json!({"unit": "utterances", "count": 40})
        } else {
            json!({"unit": "speakers", "count": 10})
        };
        let matrix: Vec<Vec<usize>> = (0..n).map(|i| (0..n).map(|j| if i == j { 6 } else { 1 }).collect()).collect();
        let recall: serde_json::Map<String, Value> =
            self.labels.iter().map(|l| ((*l).to_owned(), json!(0.6))).collect();
        let mut cell = json!({
            "corpus": self.corpus, "variant": variant, "protocol": protocol, "seed": seed, "division": division,
            "utterances": 40, "epochs": self.epochs, "marks": self.marks(protocol, target.is_some()),
            "uar": spread(&values), "war": spread(&values), "pooled_uar": interval, "pooled_war": interval,
            "interval_over": over, "confusion": {"matrix": matrix}, "recall": recall, "folds": scores,
        });
        if let Some(target) = target {
            cell["target"] = json!(target);
        } else if self.is_partial() {
            cell["partial"] = json!([self.utterances, 535]);
        }
        cell
    }

    fn is_partial(&self) -> bool {
        !self.synthetic && self.utterances < 535
    }

    /// In the order of the report.
    pub fn marks(&self, protocol: &str, across: bool) -> Vec<String> {
        let preview = format!("preview: {} of 500 epochs", self.epochs);
        [
            (protocol == "best-epoch", "optimistic"),
            (self.is_partial() && !across, "partial corpus"),
            (self.synthetic, "synthetic"),
            (!self.synthetic && self.epochs < 500, &preview),
            (!self.synthetic && !across, "texts shared"),
        ]
        .into_iter()
        .filter(|(said, _)| *said)
        .map(|(_, mark)| mark.to_owned())
        .collect()
    }

    /// The TCN, 8 points worse in UAR; in WAR nothing can be told.
    fn paired(&self) -> Vec<Value> {
        let comparison = |d: f64, p: f64| {
            let interval = json!({"estimate": d, "low": d - 0.04, "high": d + 0.04, "level": 0.95});
            json!({"interval": interval, "p": p, "adjusted_p": p})
        };
        let row = |protocol: &str| {
            json!({
                "corpus": self.corpus, "variant": "tcn", "protocol": protocol, "division": "random", "seeds": self.seeds,
                "n": self.folds * self.seeds.len(), "test_to_train": 0.5, "marks": self.marks(protocol, false),
                "uar": comparison(-0.08, 0.001), "war": comparison(-0.01, 0.6),
            })
        };
        ["last-epoch", "best-epoch"].map(row).to_vec()
    }

    /// Curves, predictions, embeddings, attention, fusion weights.
    fn training(&self, dir: &Path, seed: usize) {
        let mut epochs =
            "fold,epoch,train_loss,train_accuracy,validation_loss,validation_accuracy,test_loss,test_accuracy\n"
                .to_owned();
        for fold in 0..self.folds {
            for epoch in 1..=self.epochs {
                let x = f64::from(epoch) / f64::from(self.epochs) + 0.1 * noise(fold + seed);
                epochs += &format!("{fold},{epoch},{},{},,,{},{}\n", 2.0 - x, 0.5 * x, 2.1 - x, 0.4 * x);
            }
        }
        put(&dir.join("epochs.csv"), &epochs);
        let classes = self.labels.len();
        let quoted: Vec<String> = self.labels.iter().map(|l| format!("\"{l}\"")).collect();
        let mut predictions = format!("id,fold,truth,predicted,{}\n", quoted.join(","));
        let mut embeddings = "id,fold,label,predicted,e0,e1,e2\n".to_owned();
        for i in 0..40 {
            let (truth, predicted) = (i % classes, if noise(i + seed) < 0.6 { i % classes } else { 0 });
            let row = format!("\"{}\",{},{},{}", id(i), i % self.folds, quoted[truth], quoted[predicted]);
            let share = |c: usize| if c == predicted { 0.6 } else { 0.4 / (classes - 1) as f64 };
            let shares: Vec<String> = (0..classes).map(|c| share(c).to_string()).collect();
            predictions += &format!("{row},{}\n", shares.join(","));
            let place: Vec<String> = (0..3).map(|d| (noise(3 * i + d) + (truth * d) as f64).to_string()).collect();
            embeddings += &format!("\"{}\",0,{},{},{}\n", id(i), quoted[truth], quoted[predicted], place.join(","));
        }
        for protocol in ["last-epoch", "best-epoch"] {
            put(&dir.join(protocol).join("predictions.csv"), &predictions);
        }
        put(&dir.join("embeddings.csv"), &embeddings);
        let fusion: String =
            (0..self.folds).map(|f| format!("{f},{},{}\n", noise(f), 0.5 + 0.1 * noise(f + seed))).collect();
        put(&dir.join("fusion.csv"), &format!("fold,w_1,w_2\n{fusion}"));
        let gates: Vec<Vec<f64>> = (0..2).map(|b| (0..50).map(|t| 0.5 + 0.5 * noise(50 * b + t)).collect()).collect();
        let attention = json!({
            "version": 1, "id": id(0), "label": self.labels[0], "predicted": self.labels[0],
            "hop_seconds": 512.0 / 22050.0, "frames": 50, "blocks": 2, "attention": gates,
        });
        put(&dir.join("attention.json"), &attention.to_string());
    }
}

/// An utterance's name.
pub fn id(i: usize) -> String {
    format!("u_{i}<&>")
}

/// Writes a file and the folders it is in.
pub fn put(path: &Path, text: &str) {
    fs::create_dir_all(path.parent().unwrap()).unwrap();
    fs::write(path, text).unwrap();
}

/// Complains of XML and HTML whose tags do not close in order or whose text holds a bare `<` or `&`.
pub fn check_tags(name: &str, text: &str) {
    let mut open: Vec<&str> = Vec::new();
    let mut rest = text;
    while let Some(start) = rest.find(['<', '&']) {
        if rest[start..].starts_with('&') {
            let end = rest[start..].find(';').unwrap_or(usize::MAX);
            assert!(end < 8, "{name}: a bare & at {:?}", &rest[start..(start + 30).min(rest.len())]);
            rest = &rest[start + end..];
            continue;
        }
        let end = start + rest[start..].find('>').expect("a tag that does not end");
        let tag = &rest[start + 1..end];
        let word = tag.split([' ', '\n', '/']).find(|w| !w.is_empty()).unwrap();
        assert!(word.starts_with('!') || word.chars().all(|c| c.is_ascii_alphanumeric()), "{name}: <{tag}>");
        if tag.starts_with('/') {
            assert_eq!(open.pop(), Some(word), "{name}: </{word}>");
        } else if !(tag.ends_with('/') || tag.starts_with('!') || word == "meta") {
            open.push(word);
        }
        rest = &rest[end + 1..];
        // Style sheets are no markup.
        if word == "style" && !tag.starts_with('/') {
            rest = &rest[rest.find("</style>").expect("a style sheet that does not end")..];
        }
    }
    assert!(open.is_empty(), "{name}: {open:?} not closed");
}
