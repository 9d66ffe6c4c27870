//! Values given on the command line in place of those in `configs/`.

use std::collections::BTreeSet;

use sercorpus::{CorpusKind, CorpusName};
use serde::de::DeserializeOwned;
use serrun::System;
use toml::{Table, Value};

use crate::{
    cli::{ExperimentName, Reproduce},
    error::{LabError, Result},
    nearest,
};

/// Tables of an experiment's file.
const TABLES: [&str; 4] = ["features", "front_end", "synthetic", "training"];

/// The file that values are for.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Target<'a> {
    /// `configs/NAME.toml`.
    Experiment {
        /// NAME
        name: &'a str,
        /// Whether it trains on folds, which `--protocol` and `--folds` are about.
        folds: bool,
    },
    /// `configs/corpora/CORPUS.toml`.
    Corpus(CorpusName),
    /// `configs/systems/SYSTEM.toml`.
    System(System),
}

/// One value.
#[derive(Clone, Debug)]
struct Override {
    /// The one experiment it is for; all otherwise.
    experiment: Option<String>,
    corpus: Option<CorpusName>,
    system: Option<System>,
    /// For experiments, and for systems with files of their own too.
    systems_too: bool,
    /// Only where an experiment trains on folds.
    folds_only: bool,
    path: Vec<String>,
    value: Value,
    /// As the user wrote it.
    text: String,
}

/// In the order given; the later one wins.
#[derive(Clone, Debug, Default)]
pub struct Overrides(Vec<Override>);

impl Overrides {
    /// Those of a command line: the short flags first, then `--set`.
    ///
    /// # Errors
    /// A `--set` that is not KEY=VALUE.
    pub fn of(args: &Reproduce) -> Result<Self> {
        let mut out = Vec::new();
        let all = args.experiment == ExperimentName::All;
        let mut short = |flag: &str, key: &str, folds_only: bool, value: Option<Value>| {
            if let Some(value) = value {
                out.push(Override {
                    experiment: None,
                    corpus: None,
                    system: None,
                    systems_too: flag == "--epochs",
                    folds_only,
                    path: key.split('.').map(str::to_owned).collect(),
                    text: format!("{flag} {value}"),
                    value,
                });
            }
        };
        let names = |values: Vec<String>| (!values.is_empty()).then(|| Value::from(values));
        let number = |n: u32| Value::from(i64::from(n));
        let seeds = |all: &[u64]| -> Result<Option<Value>> {
            let all = all.iter().map(|&s| i64::try_from(s).map_err(LabError::input)).collect::<Result<Vec<_>>>()?;
            Ok((!all.is_empty()).then(|| Value::from(all)))
        };
        short("--protocol", "protocols", all, names(args.protocol.iter().map(|p| p.to_string()).collect()));
        short("--system", "systems", false, names(args.system.iter().map(|v| v.to_string()).collect()));
        short("--seed", "seeds", false, seeds(&args.seed)?);
        short("--training-seeds", "training_seeds", false, seeds(&args.training_seeds)?);
        short("--epochs", "training.epochs", false, args.epochs.map(number));
        short("--folds", "folds", all, args.folds.map(number));
        short("--division", "division", all, args.division.as_deref().map(Value::from));
        for text in &args.set {
            out.push(parse(text)?);
        }
        Ok(Self(out))
    }

    /// Refuses values that no file of this run takes: they would be dropped in silence.
    ///
    /// # Errors
    /// The first of them, with what there is.
    pub fn check(&self, experiments: &[&str], corpora: &BTreeSet<CorpusName>, systems: &[&System]) -> Result<()> {
        for set in &self.0 {
            if let Some(name) = set.system.as_ref().filter(|name| !systems.contains(name)) {
                let there: Vec<&str> = systems.iter().map(|s| s.as_str()).collect();
                let there =
                    if there.is_empty() { "no system with a file of its own".to_owned() } else { there.join(", ") };
                return Err(LabError::Input(format!(
                    "{}: this run has {there}; leave it out, or give --system {name}. TIM-Net and its ablations have the experiment's [training]",
                    set.text
                )));
            }
            if let Some(e) = set.experiment.as_deref().filter(|e| !experiments.contains(e)) {
                let there = experiments.join(", ");
                let text = &set.text;
                return Err(LabError::Input(format!(
                    "{text}: {e} is not in this run, which has {there}; leave it out"
                )));
            }
            if let Some(name) = set.corpus.as_ref().filter(|name| !corpora.contains(name)) {
                let there: Vec<&str> = corpora.iter().map(CorpusName::as_str).collect();
                let all = there.iter().copied().chain(CorpusKind::ALL.map(CorpusKind::name));
                return Err(LabError::Input(format!(
                    "{}: {name}{} is not in this run, which has {}; leave it out, or give --data {name}=PATH",
                    set.text,
                    nearest::hint(name.as_str(), all),
                    there.join(", ")
                )));
            }
        }
        Ok(())
    }

    /// `table` with the values for `target` in it, read as `T`.
    ///
    /// # Errors
    /// The first value that does not fit, as the user wrote it.
    pub fn apply<T: DeserializeOwned>(&self, target: &Target, mut table: Table) -> Result<T> {
        for set in self.0.iter().filter(|set| set.is_for(target)) {
            insert(&mut table, &set.path, set.value.clone())
                .ok_or_else(|| LabError::Input(format!("{}: `{}` is no table", set.text, set.path.join("."))))?;
            table.clone().try_into::<T>().map_err(|e| LabError::Input(format!("{}: {e}", set.text)))?;
        }
        table.try_into().map_err(LabError::input)
    }
}

impl Override {
    fn is_for(&self, target: &Target) -> bool {
        match target {
            Target::Corpus(name) => self.corpus.as_ref() == Some(name),
            Target::System(name) => self.system.as_ref() == Some(name) || self.systems_too,
            Target::Experiment { name, folds } => {
                self.corpus.is_none()
                    && self.system.is_none()
                    && self.experiment.as_deref().is_none_or(|e| e == *name)
                    && (*folds || !self.folds_only)
            }
        }
    }
}

/// KEY=VALUE. A key may begin with an experiment's name, or with `corpora.CORPUS` for the corpus' own file. A value is
/// TOML; what is no TOML is a string.
fn parse(text: &str) -> Result<Override> {
    let shown = format!("--set {text}");
    let wrong =
        |why: &str| LabError::Input(format!("{shown}: {why}; expected KEY=VALUE, for example training.dropout=0.2"));
    let (key, value) = text.split_once('=').ok_or_else(|| wrong("no `=`"))?;
    let mut path: Vec<String> = key.trim().split('.').map(str::to_owned).collect();
    if path.iter().any(String::is_empty) {
        return Err(wrong("an empty key"));
    }
    let experiment =
        ExperimentName::PARTS.iter().find(|e| path.len() > 1 && e.name() == path[0]).map(|e| e.name().to_owned());
    if experiment.is_some() {
        path.remove(0);
    }
    let corpus = if path.len() > 2 && path[0] == "corpora" {
        let name = path[1].parse().map_err(|e: sercorpus::BadCorpusName| wrong(&e.to_string()))?;
        path.drain(..2);
        Some(name)
    } else {
        None
    };
    let system = if path.len() > 2 && path[0] == "systems" {
        let name = path[1].parse().map_err(|e: serrun::BadSystemName| wrong(&e.to_string()))?;
        path.drain(..2);
        Some(name)
    } else {
        None
    };
    let inside = corpus.is_some() || system.is_some();
    if path.len() > 1 && !inside && !TABLES.contains(&path[0].as_str()) && path[0] != "corpora" {
        let experiments = ExperimentName::PARTS.map(ExperimentName::name);
        let known = || experiments.into_iter().chain(TABLES).chain(["corpora", "systems"]);
        return Err(wrong(&format!(
            "no experiment or table `{}`{}; there are {}",
            path[0],
            nearest::hint(&path[0], known()),
            known().collect::<Vec<_>>().join(", ")
        )));
    }
    if !inside && path == ["variants"] {
        return Err(LabError::Input(format!("{shown}: `variants` is called `systems` now; say systems={value}")));
    }
    let value = toml::from_str::<Table>(&format!("value = {value}"))
        .ok()
        .and_then(|mut t| t.remove("value"))
        .unwrap_or_else(|| Value::from(value.trim()));
    Ok(Override { experiment, corpus, system, systems_too: false, folds_only: false, path, value, text: shown })
}

fn insert(table: &mut Table, path: &[String], value: Value) -> Option<()> {
    let (last, folders) = path.split_last()?;
    let mut at = table;
    for folder in folders {
        at = at.entry(folder.clone()).or_insert_with(|| Value::Table(Table::new())).as_table_mut()?;
    }
    at.insert(last.clone(), value);
    Some(())
}
