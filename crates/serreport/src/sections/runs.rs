//! What was run, on what data, where, and how.

use super::{Absent, Context};
use crate::{
    document::{Block, Section},
    names,
    run::Run,
};

pub fn section(context: &Context, absent: &mut Absent) -> Section {
    let mut blocks = Vec::new();
    for run in context.runs {
        let experiment = &run.metrics.experiment;
        blocks.push(Block::Heading(format!("{} ({experiment})", run.name)));
        let command = run.command();
        if command.is_empty() {
            absent.push(format!("{}: no environment.json, so machine, versions and command are not known.", run.name));
        } else {
            blocks.push(Block::Code(command));
        }
        if run.config.is_none() {
            absent.push(format!("{}: no config.toml, so features and training settings are not known.", run.name));
        }
        for (training, folds) in &run.metrics.missing {
            let folds: Vec<String> = folds.iter().map(usize::to_string).collect();
            let what = "its figures are over the other folds";
            absent.push(format!("{}: {training} lacks the folds {}; {what}.", run.name, folds.join(", ")));
        }
        blocks.push(Block::Facts(facts(run)));
    }
    Section { id: "runs", title: "What was run", blocks }
}

fn facts(run: &Run) -> Vec<(String, String)> {
    let mut out = Vec::new();
    let mut add = |name: &str, value: Option<String>| {
        out.extend(value.filter(|v| !v.is_empty()).map(|v| (name.to_owned(), v)));
    };
    add("data", Some(data(run)));
    let cells = &run.metrics.cells;
    add("networks", Some(distinct(cells.iter().map(|c| names::variant(&c.variant)))));
    add("protocols", Some(distinct(cells.iter().map(|c| c.protocol.clone()))));
    add("seeds", Some(distinct(cells.iter().map(|c| c.seed.to_string()))));
    if let Some(config) = &run.config {
        add("features", features(config));
        add("training", training(config));
        for part in
            config.get("parts").and_then(toml::Value::as_array).into_iter().flatten().filter_map(|p| p.as_table())
        {
            let experiment = part.get("experiment").map_or_else(String::new, plain);
            add(&format!("training, {experiment}"), training(part));
        }
    }
    if let Some(e) = &run.environment {
        let engine = e.engine.as_ref().map(|engine| match (engine.as_str(), &e.libtorch) {
            ("libtorch", Some(version)) => format!("libtorch {version}, device {}", e.device.as_deref().unwrap_or("?")),
            _ => engine.clone(),
        });
        add("engine", engine);
        let version = |p: &String| format!("{p} {}", e.program_version.as_deref().unwrap_or("?"));
        let commit = e.built_at_commit.as_ref().map_or(String::new(), |c| format!(", commit {c}"));
        add("program", e.program.as_ref().map(version).map(|p| p + &commit));
        add("machine", machine(e));
    }
    add("time", time(run));
    out
}

fn data(run: &Run) -> String {
    let kind = if run.metrics.synthetic { "synthetic, made by a program" } else { "real recordings" };
    let mut corpora: Vec<String> = Vec::new();
    if let Some(table) = run.config.as_ref().and_then(|c| c.get("corpora")?.as_table()) {
        for (name, part) in table {
            let n = part.get("utterances").and_then(toml::Value::as_integer);
            corpora.push(n.map_or(names::corpus(name), |n| format!("{} ({n} utterances)", names::corpus(name))));
        }
    } else {
        let all = run.metrics.cells.iter().flat_map(|c| [Some(&c.corpus), c.target.as_ref()]).flatten();
        corpora.push(distinct(all.map(|c| names::corpus(c))));
    }
    format!("{kind}: {}", corpora.join(", "))
}

/// Values once each, in the order met.
fn distinct(values: impl Iterator<Item = String>) -> String {
    let mut seen: Vec<String> = Vec::new();
    for value in values {
        if !seen.contains(&value) {
            seen.push(value);
        }
    }
    seen.join(", ")
}

fn features(config: &toml::Table) -> Option<String> {
    let f = config.get("front_end")?.as_table()?;
    let get = |key: &str| f.get(key).map(plain);
    let parts = [
        get("coefficients").map(|v| format!("{v} MFCCs")),
        get("rate").map(|v| format!("{v} Hz")),
        get("n_fft").map(|v| format!("n_fft {v}")),
        get("hop").map(|v| format!("hop {v}")),
        get("centre").map(|v| format!("edges {v}")),
        get("resampler").map(|v| format!("resampler {v}")),
    ];
    Some(parts.into_iter().flatten().collect::<Vec<_>>().join(", "))
}

fn training(config: &toml::Table) -> Option<String> {
    let t = config.get("training")?.as_table()?;
    let get = |key: &str, name: &str| t.get(key).map(|v| format!("{name} {}", plain(v)));
    let parts = [
        get("epochs", "epochs"),
        config.get("folds").map(|v| format!("random folds {}", plain(v))),
        get("batch_size", "batch"),
        get("learning_rate", "Adam, rate"),
        get("beta1", "beta1"),
        get("beta2", "beta2"),
        get("dropout", "dropout"),
        get("label_smoothing", "label smoothing"),
    ];
    Some(parts.into_iter().flatten().collect::<Vec<_>>().join(", "))
}

fn plain(value: &toml::Value) -> String {
    value.as_str().map_or_else(|| value.to_string(), str::to_owned)
}

fn machine(e: &crate::run::Environment) -> Option<String> {
    let cores = e.cores.map(|n| format!("{n} core{}", if n == 1 { "" } else { "s" }));
    let jobs = e.jobs.map(|n| format!("{n} fold{} at a time", if n == 1 { "" } else { "s" }));
    let parts = [e.cpu.clone(), cores, jobs, e.os.clone(), e.architecture.clone()];
    let text = parts.into_iter().flatten().collect::<Vec<_>>().join(", ");
    (!text.is_empty()).then_some(text)
}

fn time(run: &Run) -> Option<String> {
    let sum = |of: fn(&crate::run::Session) -> f64| run.sessions.iter().map(of).sum::<f64>() / 60.0;
    let calls = run.sessions.len();
    (calls > 0).then(|| {
        let plural = if calls == 1 { "" } else { "s" };
        format!("{:.1} min, CPU {:.1} min, in {calls} call{plural}", sum(|s| s.wall_seconds), sum(|s| s.cpu_seconds))
    })
}
