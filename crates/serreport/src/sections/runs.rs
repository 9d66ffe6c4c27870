//! What was run, on what data, where, and how.

use sercorpus::CorpusName;
use serde_json::Value;
use serrun::{Environment, Environments, Provenance, RunExperiment, Session};

use super::{Absent, Context};
use crate::{
    document::{Block, Column, Entry, Section, Table},
    group::Group,
    names,
    run::Run,
};

/// Columns of the table of provenance.
const PROVENANCE: [&str; 10] =
    ["folds", "version", "commit", "engine", "numerics", "device", "SIMD", "machine", "started", "ended"];

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
        let corpus = names::pair(&cell.corpus, cell.target.as_ref());
        let said = g.setting.said(&g.differing, cell);
        format!(
            "{corpus}, {}, {} ({}): {said}",
            cell.variant.title(),
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
    let titles = std::iter::once("run").chain(PROVENANCE);
    let row = |(run, p): (&Run, &Provenance)| {
        let optional = |text: &Option<String>| text.clone().unwrap_or_default();
        let by = &p.by;
        let texts: [String; PROVENANCE.len()] = [
            p.folds.len().to_string(),
            by.version.clone(),
            optional(&by.commit),
            by.engine.clone(),
            by.numerics.to_string(),
            by.device.clone(),
            optional(&by.simd),
            by.machine.clone(),
            p.started.clone(),
            optional(&p.ended),
        ];
        let entry = |text: String| if text.is_empty() { Entry::none() } else { Entry::text(text) };
        std::iter::once(Entry::text(&run.name)).chain(texts.into_iter().map(entry)).collect()
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
    add("networks", Some(distinct(cells.iter().map(|c| c.variant.title().to_owned()))));
    add("protocols", Some(distinct(cells.iter().map(|c| c.protocol.to_string()))));
    add("seeds", Some(distinct(cells.iter().map(|c| c.seed.to_string()))));
    if let Some(config) = &run.config {
        add("features", config.front_end.as_ref().and_then(features));
        match &config.parts[..] {
            [part] => add("training", training(part)),
            parts => parts.iter().for_each(|p| add(&format!("training, {}", p.experiment), training(p))),
        }
    }
    match &run.environment {
        None => {}
        Some(Environments::One(e)) => {
            add("engine", Some(engine(e)));
            add("program", Some(program(e)));
            add("machine", Some(machine(e)));
        }
        Some(Environments::Merged(parts)) => {
            for (i, part) in parts.iter().enumerate() {
                let all = [engine(part), program(part), machine(part)];
                add(&format!("merged from, {}", i + 1), Some(all.join("; ")));
            }
        }
    }
    add("time", time(run));
    out
}

fn engine(e: &Environment) -> String {
    match e.engine.as_str() {
        "libtorch" => format!("libtorch {}, device {}", e.libtorch, e.device),
        other => other.to_owned(),
    }
}

fn program(e: &Environment) -> String {
    let commit = e.built_at_commit.as_ref().map_or(String::new(), |c| format!(", commit {c}"));
    format!("{} {}{commit}", e.program, e.program_version)
}

fn data(run: &Run) -> String {
    let kind = if run.metrics.synthetic { "synthetic, made by a program" } else { "real recordings" };
    let partial = |name: &CorpusName| {
        let cell = run.metrics.cells.iter().find(|c| c.target.as_ref().unwrap_or(&c.corpus) == name)?;
        cell.partial.map(|[_, expected]| format!(" of {expected}"))
    };
    let mut corpora: Vec<String> = Vec::new();
    if let Some(config) = &run.config {
        for (name, corpus) in &config.corpora {
            let of = partial(name).unwrap_or_default();
            corpora.push(format!("{} ({}{of} utterances)", names::corpus(name), corpus.utterances));
        }
    } else {
        let all = run.metrics.cells.iter().flat_map(|c| [Some(&c.corpus), c.target.as_ref()]).flatten();
        corpora.push(distinct(all.map(names::corpus)));
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

fn features(front_end: &Value) -> Option<String> {
    let f = front_end.as_object()?;
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

fn training(part: &RunExperiment<Value>) -> Option<String> {
    let t = part.training.as_object()?;
    let get = |key: &str, name: &str| t.get(key).map(|v| format!("{name} {}", plain(v)));
    let parts = [
        get("epochs", "epochs"),
        (part.folds > 0).then(|| format!("random folds {}", part.folds)),
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

fn machine(e: &Environment) -> String {
    let plural = |n: usize| if n == 1 { "" } else { "s" };
    let cores = format!("{} core{}", e.cores, plural(e.cores));
    let jobs = format!("{} fold{} at a time", e.jobs, plural(e.jobs));
    let parts = [e.cpu.clone().unwrap_or_default(), cores, jobs, e.os.clone(), e.architecture.clone()];
    parts.into_iter().filter(|p| !p.is_empty()).collect::<Vec<_>>().join(", ")
}

fn time(run: &Run) -> Option<String> {
    let sum = |of: fn(&Session) -> f64| run.sessions.iter().map(of).sum::<f64>() / 60.0;
    let calls = run.sessions.len();
    (calls > 0).then(|| {
        let plural = if calls == 1 { "" } else { "s" };
        format!("{:.1} min, CPU {:.1} min, in {calls} call{plural}", sum(|s| s.wall_seconds), sum(|s| s.cpu_seconds))
    })
}
