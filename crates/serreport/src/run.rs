//! A run folder, as far as a report needs it.

use std::{
    collections::{BTreeMap, BTreeSet},
    fs,
    path::{Path, PathBuf},
};

use serde::{Deserialize, de::DeserializeOwned};
use sermetrics::{Confusion, Interval, Spread};

use crate::{
    error::{ReportError, Result},
    published::Published,
    training::Training,
};

/// The version of `metrics.json` that is read.
const VERSION: u32 = 1;

/// `metrics.json`. Keys that are not here are not needed.
#[derive(Debug, Deserialize)]
pub struct Metrics {
    pub version: u32,
    pub experiment: String,
    pub synthetic: bool,
    pub cells: Vec<Cell>,
    #[serde(default)]
    pub paired: Vec<Paired>,
    /// Folds that are not there, by training.
    #[serde(default)]
    pub missing: BTreeMap<String, Vec<usize>>,
}

/// One corpus (or pair of corpora), network, protocol and seed. Shares, not percent.
#[derive(Debug, Clone, Deserialize)]
pub struct Cell {
    pub corpus: String,
    /// The corpus tested on, where it is not the one trained on.
    pub target: Option<String>,
    pub variant: String,
    pub protocol: String,
    pub seed: u64,
    #[serde(default)]
    pub division: String,
    pub utterances: usize,
    pub epochs: u32,
    pub caveat: Option<String>,
    pub uar: Spread,
    pub war: Spread,
    pub pooled_uar: Option<Interval>,
    pub pooled_war: Option<Interval>,
    pub confusion: Option<Confusion>,
    #[serde(default)]
    pub recall: BTreeMap<String, f64>,
}

/// A variant against TIM-Net over the same folds and seeds: variant minus TIM-Net.
#[derive(Debug, Clone, Deserialize)]
pub struct Paired {
    pub corpus: String,
    pub variant: String,
    pub protocol: String,
    pub n: usize,
    pub uar_difference: f64,
    pub uar_interval: [f64; 2],
    pub war_difference: f64,
    pub war_interval: Option<[f64; 2]>,
}

/// `environment.json`.
#[derive(Debug, Default, Deserialize)]
pub struct Environment {
    pub program: Option<String>,
    pub program_version: Option<String>,
    #[serde(alias = "git_commit")]
    pub built_at_commit: Option<String>,
    pub libtorch: Option<String>,
    pub engine: Option<String>,
    pub device: Option<String>,
    pub os: Option<String>,
    pub architecture: Option<String>,
    pub cpu: Option<String>,
    pub cores: Option<usize>,
    pub jobs: Option<usize>,
    #[serde(default)]
    pub command: Vec<String>,
}

/// A line of `sessions.jsonl`.
#[derive(Debug, Deserialize)]
pub struct Session {
    pub wall_seconds: f64,
    pub cpu_seconds: f64,
}

/// A run folder.
#[derive(Debug)]
pub struct Run {
    /// Place in the order given.
    pub index: usize,
    /// `R1`, `R2`, ... in that order.
    pub name: String,
    pub path: PathBuf,
    pub metrics: Metrics,
    pub config: Option<toml::Table>,
    pub environment: Option<Environment>,
    pub published: Option<Published>,
    pub sessions: Vec<Session>,
    pub trainings: Vec<Training>,
    /// Corpus, then utterance, to speaker.
    pub speakers: BTreeMap<String, BTreeMap<String, String>>,
}

impl Run {
    /// Reads a run folder.
    ///
    /// # Errors
    /// No `metrics.json`, or a file that does not hold what it should.
    pub fn open(index: usize, path: &Path) -> Result<Self> {
        fs::read_dir(path).map_err(|source| ReportError::Read { path: path.to_owned(), source })?;
        let file = path.join("metrics.json");
        let metrics: Metrics = json(&file)?.ok_or_else(|| ReportError::Unfinished(path.to_owned()))?;
        check(&file, &metrics)?;
        let config = text(&path.join("config.toml"))?
            .map(|t| toml::from_str(&t).map_err(|e| ReportError::malformed(&path.join("config.toml"), e)))
            .transpose()?;
        Ok(Self {
            index,
            name: format!("R{}", index + 1),
            metrics,
            config,
            environment: json(&path.join("environment.json"))?,
            published: json(&path.join("published.json"))?,
            sessions: sessions(&path.join("sessions.jsonl"))?,
            trainings: folders(path)?.iter().filter_map(|f| Training::open(f).transpose()).collect::<Result<_>>()?,
            speakers: speakers(&path.join("corpora"))?,
            path: path.to_owned(),
        })
    }

    /// The command that made the run, as one would type it; empty where it is not recorded.
    pub fn command(&self) -> String {
        let Some((program, rest)) = self.environment.as_ref().and_then(|e| e.command.split_first()) else {
            return String::new();
        };
        let program = program.rsplit(['/', '\\']).next().unwrap_or_default();
        std::iter::once(program).chain(rest.iter().map(String::as_str)).map(quote).collect::<Vec<_>>().join(" ")
    }

    /// All that figures depend on beside corpus, network, protocol and seed: cells of runs that share it belong together.
    pub fn setting(&self) -> String {
        let Some(mut config) = self.config.clone() else { return self.path.display().to_string() };
        for key in ["experiment", "protocols", "variants", "split", "classes", "on", "seeds", "folds", "corpora"] {
            config.remove(key);
        }
        toml::to_string(&config).unwrap_or_default()
    }
}

/// A word as a POSIX shell takes it.
pub fn quote(word: &str) -> String {
    let plain = |c: char| c.is_ascii_alphanumeric() || "-_./=,:+@%".contains(c);
    if !word.is_empty() && word.chars().all(plain) {
        word.to_owned()
    } else {
        format!("'{}'", word.replace('\'', r"'\''"))
    }
}

fn check(path: &Path, metrics: &Metrics) -> Result<()> {
    if metrics.version != VERSION {
        return Err(ReportError::Version { path: path.to_owned(), found: metrics.version, expected: VERSION });
    }
    let mut seen = BTreeSet::new();
    for (i, cell) in metrics.cells.iter().enumerate() {
        let bad = |what: &str| Err(ReportError::malformed(path, format!("cells[{i}]: {what}")));
        if let Some(confusion) = &cell.confusion {
            let n = confusion.classes();
            if confusion.matrix().iter().any(|row| row.len() != n) {
                return bad("`confusion` is not square");
            }
        }
        if !seen.insert((&cell.corpus, &cell.target, &cell.variant, &cell.protocol, &cell.division, cell.seed)) {
            return bad("a second cell of this corpus, network, protocol and seed");
        }
    }
    Ok(())
}

/// The text of a file; None where there is no file.
pub fn text(path: &Path) -> Result<Option<String>> {
    match fs::read_to_string(path) {
        Ok(text) => Ok(Some(text)),
        Err(e) if e.kind() == std::io::ErrorKind::NotFound => Ok(None),
        Err(source) => Err(ReportError::Read { path: path.to_owned(), source }),
    }
}

/// A JSON file; None where there is no file.
pub fn json<T: DeserializeOwned>(path: &Path) -> Result<Option<T>> {
    let parse = |t: String| serde_json::from_str(&t).map_err(|e| ReportError::malformed(path, e));
    text(path)?.map(parse).transpose()
}

/// The rows of a CSV file with a header; None where there is no file.
pub fn rows<T: DeserializeOwned>(path: &Path) -> Result<Option<Vec<T>>> {
    let Some(text) = text(path)? else { return Ok(None) };
    let mut reader = csv::Reader::from_reader(text.as_bytes());
    reader.deserialize().collect::<std::result::Result<_, _>>().map(Some).map_err(|e| ReportError::malformed(path, e))
}

fn sessions(path: &Path) -> Result<Vec<Session>> {
    let Some(text) = text(path)? else { return Ok(Vec::new()) };
    let parse = |(i, line)| {
        serde_json::from_str(line).map_err(|e| ReportError::malformed(path, format!("line {}: {e}", i + 1)))
    };
    text.lines().enumerate().filter(|(_, l)| !l.trim().is_empty()).map(parse).collect()
}

/// Folders in a folder, by name.
pub fn folders(path: &Path) -> Result<Vec<PathBuf>> {
    Ok(entries(path)?.into_iter().filter(|p| p.is_dir()).collect())
}

/// What is in a folder, by name; nothing where there is none.
fn entries(path: &Path) -> Result<Vec<PathBuf>> {
    let failed = |source| ReportError::Read { path: path.to_owned(), source };
    if !path.is_dir() {
        return Ok(Vec::new());
    }
    let mut found =
        fs::read_dir(path).map_err(failed)?.map(|e| e.map(|e| e.path()).map_err(failed)).collect::<Result<Vec<_>>>()?;
    found.sort();
    Ok(found)
}

fn speakers(folder: &Path) -> Result<BTreeMap<String, BTreeMap<String, String>>> {
    #[derive(Deserialize)]
    struct Row {
        id: String,
        speaker: String,
    }
    let mut out = BTreeMap::new();
    for path in entries(folder)?.into_iter().filter(|p| p.extension().is_some_and(|e| e == "csv")) {
        let found: Vec<Row> = rows(&path)?.unwrap_or_default();
        let corpus = path.file_stem().unwrap_or_default().to_string_lossy().into_owned();
        out.insert(corpus, found.into_iter().map(|r| (r.id, r.speaker)).collect());
    }
    Ok(out)
}
