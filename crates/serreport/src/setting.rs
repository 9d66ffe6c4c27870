//! The resolved setting of a figure: everything in a run's `config.toml` that it depends on, but the seeds.

use std::collections::{BTreeMap, BTreeSet};

use serde_json::Value;
use serrun::{Cell, Division};

use crate::run::Run;

/// A setting of the TCN alone.
const POOLING: &str = "training.tcn_pooling";

/// Characters of a hash that are printed.
const HASH: usize = 12;

/// Keys as in `config.toml`, joined with dots, and their values as text. Figures may be averaged, paired or compared only where
/// these are equal.
#[derive(Debug, Clone, Default, PartialEq, Eq, PartialOrd, Ord)]
pub struct Setting(BTreeMap<String, String>);

impl Setting {
    /// All values of a table.
    pub fn of(table: &Value) -> Self {
        let mut out = Self::default();
        out.add("", table);
        out
    }

    /// Of a run's cell; None where no part of its `config.toml` trains such a cell.
    pub fn of_cell(run: &Run, cell: &Cell) -> Option<Self> {
        let mut out = Self::default();
        match &run.config {
            // Nothing is known, so nothing else has the same setting.
            None => out.set("run folder", &run.path.display().to_string()),
            Some(config) => {
                let own = config.system.get(&cell.variant);
                out.set(
                    "engine",
                    own.and_then(|own| own.engine.as_ref()).map_or(&config.engine, |engine| &engine.name),
                );
                out.set("synthetic", &config.synthetic.to_string());
                out.add("features", &serde_json::to_value(&config.features).unwrap_or_default());
                out.add(
                    "front_end",
                    own.and_then(|own| own.front_end.as_ref()).or(config.front_end.as_ref()).unwrap_or(&Value::Null),
                );
                let part = config.part_of(&cell.training(), cell.protocol)?;
                out.add("training", config.training_of(part, &cell.variant));
                if !part.split.is_folds() {
                    out.add("split", &serde_json::to_value(part.split).unwrap_or_default());
                }
                if !part.classes.is_empty() {
                    out.set("classes", &part.classes.join(" "));
                }
                if cell.variant.as_str() != "tcn" {
                    out.0.remove(POOLING);
                }
                if cell.division.has_folds() {
                    out.set("folds", &part.folds.to_string());
                }
                if let Some(folds) = cell.division.beside_protocol() {
                    out.set("division", &folds);
                }
                for corpus in std::iter::once(&cell.corpus).chain(&cell.target) {
                    let prefix = format!("corpora.{corpus}");
                    out.add(&prefix, &serde_json::to_value(config.corpora.get(corpus)).unwrap_or_default());
                    out.0.remove(&format!("{prefix}.seed"));
                    if let Some(features) = own.and_then(|own| own.corpora.get(corpus)) {
                        out.add(&prefix, &serde_json::to_value(features).unwrap_or_default());
                    }
                }
            }
        }
        if let Some(missing) = run.metrics.missing.get(&cell.training().to_string()) {
            let folds: Vec<String> = missing.iter().map(usize::to_string).collect();
            out.set(&format!("corpora.{}.missing folds", cell.corpus), &folds.join(" "));
        }
        Some(out)
    }

    fn set(&mut self, key: &str, value: &str) {
        self.0.insert(key.to_owned(), value.to_owned());
    }

    fn add(&mut self, key: &str, value: &Value) {
        match value {
            Value::Null => {}
            Value::Object(table) => {
                for (name, value) in table {
                    self.add(&if key.is_empty() { name.clone() } else { format!("{key}.{name}") }, value);
                }
            }
            Value::Array(values) => self.set(key, &values.iter().map(plain).collect::<Vec<_>>().join(" ")),
            value => self.set(key, &plain(value)),
        }
    }

    /// One value.
    pub fn get(&self, key: &str) -> Option<&str> {
        self.0.get(key).map(String::as_str)
    }

    /// What all corpora and networks share.
    pub fn shared(&self) -> Self {
        self.retain(|key| !key.starts_with("corpora.") && key != POOLING)
    }

    /// What belongs to the corpora.
    pub fn corpora(&self) -> Self {
        self.retain(|key| key.starts_with("corpora."))
    }

    /// As it is for figures of a division: only random folds have a number that is set.
    pub fn of_division(&self, division: Division) -> Self {
        if division.has_folds() { self.clone() } else { self.without_folds() }
    }

    /// All but the number of random folds.
    pub fn without_folds(&self) -> Self {
        self.retain(|key| key != "folds")
    }

    /// What belongs to the network.
    pub fn pooling(&self) -> Option<&str> {
        self.get(POOLING)
    }

    fn retain(&self, wanted: impl Fn(&str) -> bool) -> Self {
        Self(self.0.iter().filter(|(key, _)| wanted(key)).map(|(k, v)| (k.clone(), v.clone())).collect())
    }

    /// The keys in which not all of `settings` agree.
    pub fn differing(settings: &[&Self]) -> Vec<String> {
        let keys: BTreeSet<&String> = settings.iter().flat_map(|s| s.0.keys()).collect();
        let differs = |key: &&String| settings.iter().any(|s| s.0.get(*key) != settings[0].0.get(*key));
        keys.into_iter().filter(differs).cloned().collect()
    }

    /// "blocks 8, training learning rate 0.001" for these keys.
    pub fn said(&self, keys: &[String], cell: &Cell) -> String {
        let one = |key: &String| format!("{} {}", name(key, cell), self.get(key).map_or("none", shortened));
        keys.iter().map(one).collect::<Vec<_>>().join(", ")
    }

    /// The first value of `published` that is another here: "learning rate 0.1, the paper 0.001". Keys that only one of them has
    /// count only where `published` has them.
    pub fn first_unlike(&self, published: &Self, cell: &Cell) -> Option<String> {
        let corpora: Vec<String> =
            std::iter::once(&cell.corpus).chain(&cell.target).map(|corpus| format!("corpora.{corpus}.")).collect();
        let concerns = |key: &str| !key.starts_with("corpora.") || corpora.iter().any(|c| key.starts_with(c));
        let (key, value) = published.0.iter().find(|(key, value)| concerns(key) && self.0.get(*key) != Some(value))?;
        let ours = self.get(key).map_or("not known", shortened);
        Some(format!("{} {ours}, the paper {}", name(key, cell), shortened(value)))
    }
}

/// A number as Rust prints the nearest f64, so that 1e-3 in one file is 0.001 in another.
fn plain(value: &Value) -> String {
    match value {
        Value::String(text) => text.clone(),
        Value::Number(number) => number.as_f64().map_or_else(|| number.to_string(), |n| n.to_string()),
        other => other.to_string(),
    }
}

fn shortened(value: &str) -> &str {
    let hash = value.len() == 64 && value.bytes().all(|b| b.is_ascii_hexdigit());
    if hash { &value[..HASH] } else { value }
}

/// "learning rate" for `training.learning_rate`, "blocks" for `corpora.emodb.blocks` of a figure of EMODB.
fn name(key: &str, cell: &Cell) -> String {
    let own = key.strip_prefix("corpora.").map(|k| k.strip_prefix(&format!("{}.", cell.corpus)).unwrap_or(k));
    let short = own.or_else(|| key.strip_prefix("training.")).unwrap_or(key);
    short.replace(['.', '_'], " ")
}
