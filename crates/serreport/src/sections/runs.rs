//! What was run, on what data, where, and how.

use serde_json::Value;

use super::{Absent, Context};
use crate::{
    document::{Block, Column, Entry, Section, Table},
    group::Group,
    names,
    run::{Environment, Run},
};

/// Columns of the table of provenance and their keys in `provenance.json`.
const PROVENANCE: [(&str, &str); 10] = [
    ("folds", "folds"),
    ("version", "version"),
    ("commit", "commit"),
    ("engine", "engine"),
    ("numerics", "numerics"),
    ("device", "device"),
    ("SIMD", "simd"),
    ("machine", "machine"),
    ("started", "started"),
    ("ended", "ended"),
];

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
    let differences = differences(context);
    if !differences.is_empty() {
        blocks.push(Block::Heading("In what settings of one corpus, network and protocol differ".to_owned()));
        blocks.push(Block::List(differences));
    }
    let repeats = repeats(context);
    if !repeats.is_empty() {
        blocks.push(Block::Heading("What several runs have".to_owned()));
        blocks.push(Block::List(repeats));
    }
    if context.runs.iter().any(|r| !r.provenance.is_empty()) {
        blocks.push(Block::Table(provenance(context.runs)));
    }
    Section { id: "runs", title: "What was run", blocks }
}

/// A line for each group that others differ from, with every key in which they do.
fn differences(context: &Context) -> Vec<String> {
    let line = |g: &Group| {
        let runs: Vec<&str> =
            g.cells.iter().map(|(r, _)| r.name.as_str()).chain(g.repeats.iter().map(|r| r.run.name.as_str())).collect();
        let cell = g.first();
        let corpus = std::iter::once(&cell.corpus)
            .chain(&cell.target)
            .map(|c| names::corpus(c))
            .collect::<Vec<_>>()
            .join(" to ");
        let said = g.setting.said(&g.differing, cell);
        format!(
            "{corpus}, {}, {} ({}): {said}",
            names::variant(&cell.variant),
            cell.protocol,
            distinct(runs.into_iter().map(str::to_owned))
        )
    };
    context.groups.iter().filter(|g| !g.differing.is_empty()).map(line).collect()
}

/// A line for each run that has figures of an earlier one again.
fn repeats(context: &Context) -> Vec<String> {
    let mut counts: Vec<((&Run, &Run), [usize; 2])> = Vec::new();
    for repeat in context.groups.iter().flat_map(|g| &g.repeats) {
        let pair = (repeat.run, repeat.of);
        let place = counts.iter().position(|((run, of), _)| (run.index, of.index) == (pair.0.index, pair.1.index));
        let place = place.unwrap_or_else(|| {
            counts.push((pair, [0, 0]));
            counts.len() - 1
        });
        counts[place].1[usize::from(repeat.same)] += 1;
    }
    counts.sort_by_key(|((run, of), _)| (run.index, of.index));
    let line = |((run, of), [other, same]): &((&Run, &Run), [usize; 2])| {
        let differ = match other {
            0 => String::new(),
            n => format!(" {n} of them have other figures, as another program, machine or device may give."),
        };
        format!(
            "{}: figures of {} cells (corpus, network, protocol, seed) are in {} already, with the same setting; each is counted once, as {} has it.{differ}",
            run.name,
            other + same,
            of.name,
            of.name
        )
    };
    counts.iter().map(line).collect()
}

/// What trained the folds, as each finished fold has recorded it.
fn provenance(runs: &[Run]) -> Table {
    let titles = std::iter::once("run").chain(PROVENANCE.iter().map(|(title, _)| *title));
    let row = |(run, p): (&Run, &crate::run::Provenance)| {
        let texts = PROVENANCE.iter().map(|(_, key)| p.text(key));
        let entry = |text: String| if text.is_empty() { Entry::none() } else { Entry::text(text) };
        std::iter::once(Entry::text(&run.name)).chain(texts.map(entry)).collect()
    };
    Table {
        id: "provenance".to_owned(),
        title: "What trained the folds".to_owned(),
        note: "A row for each program, engine, device and machine that finished folds of a run. Opening a run again changes none of it.".to_owned(),
        columns: titles.map(|t| Column { title: t.to_owned(), number: false }).collect(),
        rows: runs.iter().flat_map(|r| r.provenance.iter().map(move |p| (r, p))).map(row).collect(),
    }
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
        for part in config.get("parts").and_then(Value::as_array).into_iter().flatten() {
            let experiment = part.get("experiment").map_or_else(String::new, plain);
            add(&format!("training, {experiment}"), training(part));
        }
    }
    if let Some(e) = &run.environment {
        add("engine", engine(e));
        add("program", program(e));
        add("machine", machine(e));
        for (i, part) in e.merged_from.iter().enumerate() {
            let all = [engine(part), program(part), machine(part)];
            add(&format!("merged from, {}", i + 1), Some(all.into_iter().flatten().collect::<Vec<_>>().join("; ")));
        }
    }
    add("time", time(run));
    out
}

fn engine(e: &Environment) -> Option<String> {
    e.engine.as_ref().map(|engine| match (engine.as_str(), &e.libtorch) {
        ("libtorch", Some(version)) => format!("libtorch {version}, device {}", e.device.as_deref().unwrap_or("?")),
        _ => engine.clone(),
    })
}

fn program(e: &Environment) -> Option<String> {
    let commit = e.built_at_commit.as_ref().map_or(String::new(), |c| format!(", commit {c}"));
    e.program.as_ref().map(|p| format!("{p} {}{commit}", e.program_version.as_deref().unwrap_or("?")))
}

fn data(run: &Run) -> String {
    let kind = if run.metrics.synthetic { "synthetic, made by a program" } else { "real recordings" };
    let partial = |name: &str| {
        let cell = run.metrics.cells.iter().find(|c| c.target.as_ref().unwrap_or(&c.corpus) == name)?;
        cell.partial.map(|[_, expected]| format!(" of {expected}"))
    };
    let mut corpora: Vec<String> = Vec::new();
    if let Some(table) = run.config.as_ref().and_then(|c| c.get("corpora")?.as_object()) {
        for (name, part) in table {
            let n = part.get("utterances").and_then(Value::as_u64);
            let of = partial(name).unwrap_or_default();
            corpora.push(n.map_or(names::corpus(name), |n| format!("{} ({n}{of} utterances)", names::corpus(name))));
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

fn features(config: &Value) -> Option<String> {
    let f = config.get("front_end")?.as_object()?;
    let get = |key: &str| f.get(key).map(plain);
    let parts = [
        get("n_mfcc").map(|v| format!("{v} MFCCs")),
        get("sample_rate").map(|v| format!("{v} Hz")),
        get("n_fft").map(|v| format!("n_fft {v}")),
        get("hop_length").map(|v| format!("hop {v}")),
        get("pad_mode").map(|v| format!("edges {v}")),
        get("resampler").map(|v| format!("resampler {v}")),
    ];
    Some(parts.into_iter().flatten().collect::<Vec<_>>().join(", "))
}

fn training(config: &Value) -> Option<String> {
    let t = config.get("training")?.as_object()?;
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

fn plain(value: &Value) -> String {
    value.as_str().map_or_else(|| value.to_string(), str::to_owned)
}

fn machine(e: &Environment) -> Option<String> {
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
