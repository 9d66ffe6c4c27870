//! The resolved setting of a figure: everything in a run's `config.toml` that it depends on, but the seeds.

use std::collections::{BTreeMap, BTreeSet};

use serde_json::Value;

use crate::run::{Cell, Run};

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
                for key in ["engine", "synthetic", "front_end"] {
                    out.add(key, config.get(key).unwrap_or(&Value::Null));
                }
                let part = part(config, cell)?;
                for key in ["training", "split", "classes"] {
                    out.add(key, part.get(key).unwrap_or(&Value::Null));
                }
                if cell.variant != "tcn" {
                    out.0.remove(POOLING);
                }
                if cell.division.starts_with("random") {
                    out.add("folds", part.get("folds").unwrap_or(&Value::Null));
                }
                for corpus in std::iter::once(&cell.corpus).chain(&cell.target) {
                    let prefix = format!("corpora.{corpus}");
                    out.add(&prefix, config.get("corpora").and_then(|c| c.get(corpus)).unwrap_or(&Value::Null));
                    out.0.remove(&format!("{prefix}.seed"));
                }
            }
        }
        if let Some(missing) = run.metrics.missing.get(&cell.training()) {
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
    pub fn of_division(&self, division: &str) -> Self {
        if division.starts_with("random") { self.clone() } else { self.without_folds() }
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

/// The part of `config.toml` that trains a cell.
fn part<'a>(config: &'a Value, cell: &Cell) -> Option<&'a Value> {
    let parts: Vec<&Value> = match config.get("parts").and_then(Value::as_array) {
        Some(parts) => parts.iter().collect(),
        None => vec![config],
    };
    let lists = |part: &Value, key: &str, name: &str| {
        part.get(key).and_then(Value::as_array).is_some_and(|l| l.iter().any(|v| v.as_str() == Some(name)))
    };
    let split = |part: &Value| match part.get("split").and_then(Value::as_str) {
        Some(split @ ("hold-out" | "cross-corpus")) => cell.division == split,
        _ => !["hold-out", "cross-corpus"].contains(&cell.division.as_str()),
    };
    let seed = |part: &Value| match part.get("seeds").and_then(Value::as_array) {
        Some(seeds) => seeds.iter().any(|s| s.as_u64() == Some(cell.seed)),
        None => true,
    };
    parts.into_iter().find(|part| {
        lists(part, "variants", &cell.variant)
            && lists(part, "protocols", &cell.protocol)
            && (part.get("on").is_none() || lists(part, "on", &cell.corpus))
            && split(part)
            && seed(part)
    })
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
