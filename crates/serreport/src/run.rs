//! A run folder, as far as a report needs it.

use std::{
    collections::{BTreeMap, BTreeSet},
    fs,
    path::{Path, PathBuf},
};

use serde::{Deserialize, de::DeserializeOwned};
use serde_json::Value;
use sermetrics::{Confusion, Interval, Spread};

use crate::{
    comparison::Comparison,
    error::{ReportError, Result},
    marks::Mark,
    over::Over,
    published::Published,
    training::Training,
};

/// Version of `metrics.json`, as it is read here and written by `serlab`. 2: standard deviations with divisor n - 1 alone, marks, what
/// intervals are over, adjusted comparisons.
pub const METRICS_VERSION: u32 = 2;

/// `metrics.json`. Keys that are not here are not needed.
#[derive(Debug, Deserialize)]
pub struct Metrics {
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
    /// Seed of the folds and of the training.
    pub seed: u64,
    pub division: String,
    pub utterances: usize,
    /// Utterances of the corpus tested on that were found and that it has, where it is not whole.
    pub partial: Option<[usize; 2]>,
    pub epochs: u32,
    #[serde(default)]
    pub marks: Vec<Mark>,
    pub uar: Spread,
    pub war: Spread,
    pub pooled_uar: Option<Interval>,
    pub pooled_war: Option<Interval>,
    /// What the intervals of the pooled figures are over.
    pub interval_over: Option<Over>,
    pub confusion: Option<Confusion>,
    #[serde(default)]
    pub recall: BTreeMap<String, f64>,
    pub folds: Vec<FoldScore>,
}

/// A fold of a cell.
#[derive(Debug, Clone, PartialEq, Deserialize)]
pub struct FoldScore {
    pub fold: usize,
    pub uar: f64,
    pub war: f64,
}

impl Cell {
    /// Name of the folder of the training that it comes from.
    pub fn training(&self) -> String {
        let division = self.division.strip_prefix("random-").unwrap_or(&self.division);
        format!("{}-{}-{division}-seed{}", self.corpus, self.variant, self.seed)
    }

    /// Whether all figures are those of another cell.
    pub fn has_figures_of(&self, other: &Self) -> bool {
        (&self.folds, &self.confusion) == (&other.folds, &other.confusion)
    }
}

/// A variant against TIM-Net on the same folds: variant minus TIM-Net.
#[derive(Debug, Clone, Deserialize)]
pub struct Paired {
    pub corpus: String,
    pub variant: String,
    pub protocol: String,
    pub division: String,
    /// Seeds that both were trained with.
    pub seeds: Vec<u64>,
    /// Differences: folds times fold seeds.
    pub n: usize,
    #[serde(default)]
    pub marks: Vec<Mark>,
    pub uar: Comparison,
    pub war: Comparison,
}

impl Paired {
    /// Whether another run's comparison is the same: of the same trainings, with the same values.
    pub fn is(&self, other: &Self) -> bool {
        let what =
            |p: &Self| (p.corpus.clone(), p.variant.clone(), p.protocol.clone(), p.division.clone(), p.seeds.clone());
        let values = |p: &Self| (p.n, p.uar.interval, p.war.interval);
        what(self) == what(other) && values(self) == values(other)
    }
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
    /// Those of the parts, where the run was merged.
    #[serde(default)]
    pub merged_from: Vec<Environment>,
}

/// An entry of `provenance.json`: what trained some of the folds. Values of any kind, printed as they are.
#[derive(Debug, Deserialize)]
pub struct Provenance(BTreeMap<String, Value>);

impl Provenance {
    /// A value as text: a list of folds as their number. Empty where it is not there.
    pub fn text(&self, key: &str) -> String {
        match self.0.get(key) {
            None | Some(Value::Null) => String::new(),
            Some(Value::String(text)) => text.clone(),
            Some(Value::Array(list)) => list.len().to_string(),
            Some(value) => value.to_string(),
        }
    }
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
    /// `config.toml`.
    pub config: Option<Value>,
    pub environment: Option<Environment>,
    pub provenance: Vec<Provenance>,
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
        let metrics = metrics(&file)?.ok_or_else(|| ReportError::Unfinished(path.to_owned()))?;
        let config = text(&path.join("config.toml"))?
            .map(|t| toml::from_str::<Value>(&t).map_err(|e| ReportError::malformed(&path.join("config.toml"), e)))
            .transpose()?;
        Ok(Self {
            index,
            name: format!("R{}", index + 1),
            metrics,
            config,
            provenance: json(&path.join("provenance.json"))?.unwrap_or_default(),
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

/// Reads `metrics.json`; None where there is no file. The version first: other versions have other keys.
fn metrics(path: &Path) -> Result<Option<Metrics>> {
    #[derive(Deserialize)]
    struct Version {
        version: u32,
    }
    let Some(text) = text(path)? else { return Ok(None) };
    let malformed = |e: serde_json::Error| ReportError::malformed(path, e);
    let Version { version } = serde_json::from_str(&text).map_err(malformed)?;
    if version != METRICS_VERSION {
        return Err(ReportError::Version { path: path.to_owned(), found: version, expected: METRICS_VERSION });
    }
    let metrics: Metrics = serde_json::from_str(&text).map_err(malformed)?;
    let mut seen = BTreeSet::new();
    for (i, cell) in metrics.cells.iter().enumerate() {
        let bad = |what: &str| Err(ReportError::malformed(path, format!("cells[{i}]: {what}")));
        let folds = cell.folds.len();
        if folds == 0 || (cell.uar.count, cell.war.count) != (folds, folds) {
            return bad("`uar`, `war` and `folds` must be of the same folds, at least one");
        }
        if !seen.insert((&cell.corpus, &cell.target, &cell.variant, &cell.protocol, &cell.division, cell.seed)) {
            return bad("a second cell of this corpus, network, protocol and seed");
        }
    }
    Ok(Some(metrics))
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
