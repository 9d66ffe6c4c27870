//! A run folder, as far as a report needs it.

use std::{
    collections::BTreeMap,
    fs,
    path::{Path, PathBuf},
};

use sercorpus::CorpusName;
use serde_json::Value;
use serrun::{Cell, Environments, Metrics, Paired, Provenance, RunError, Session, Utterance};

use crate::{
    error::{ReportError, Result},
    training::Training,
};

/// `config.toml`. The report compares settings and knows none.
pub type Config = serrun::RunConfig<Value, Value>;

/// `published.json`.
pub type Published = serrun::Published<Value>;

/// A run folder.
#[derive(Debug)]
pub struct Run {
    /// Place in the order given.
    pub index: usize,
    /// `R1`, `R2`, ... in that order.
    pub name: String,
    pub path: PathBuf,
    pub metrics: Metrics,
    pub config: Option<Config>,
    pub environment: Option<Environments>,
    pub provenance: Vec<Provenance>,
    pub published: Option<Published>,
    pub sessions: Vec<Session>,
    pub trainings: Vec<Training>,
    /// Utterance to speaker, of every corpus whose utterances are there.
    pub speakers: Words,
    /// Utterance to text, of every corpus whose utterances are there with their texts.
    pub texts: Words,
}

impl Run {
    /// Reads a run folder.
    ///
    /// # Errors
    /// No `metrics.json`, or a file that does not hold what it should.
    pub fn open(index: usize, path: &Path) -> Result<Self> {
        fs::read_dir(path).map_err(|source| RunError::Read { path: path.to_owned(), source })?;
        let metrics = Metrics::read(path)?.ok_or_else(|| ReportError::Unfinished(path.to_owned()))?;
        let (speakers, texts) = utterances(path, &metrics)?;
        Ok(Self {
            index,
            name: format!("R{}", index + 1),
            config: Config::read(path)?,
            environment: Environments::read(path)?,
            provenance: Provenance::read_all(path)?,
            published: Published::read(path)?,
            sessions: Session::read_all(path)?,
            trainings: Training::all(path, &metrics)?,
            speakers,
            texts,
            metrics,
            path: path.to_owned(),
        })
    }

    /// The command that made the run, as one would type it; empty where it is not recorded, or where the run was merged.
    pub fn command(&self) -> String {
        let Some(Environments::One(environment)) = &self.environment else { return String::new() };
        let Some((program, rest)) = environment.command.split_first() else { return String::new() };
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

/// Whether all figures of two cells are the same.
pub fn same_figures(a: &Cell, b: &Cell) -> bool {
    (&a.folds, &a.confusion) == (&b.folds, &b.confusion)
}

/// Whether another run's comparison is the same: of the same trainings, with the same values.
pub fn same_comparison(a: &Paired, b: &Paired) -> bool {
    let what = |p: &Paired| {
        let systems = [p.variant.clone(), p.against.clone()];
        (p.corpus.clone(), systems, p.protocol, p.division, p.seeds.clone(), p.training_seeds.clone())
    };
    let values = |p: &Paired| (p.n, p.uar.interval, p.war.interval);
    what(a) == what(b) && values(a) == values(b)
}

/// Of each corpus: a word for each utterance.
type Words = BTreeMap<CorpusName, BTreeMap<String, String>>;

/// Speakers and texts.
fn utterances(run: &Path, metrics: &Metrics) -> Result<(Words, Words)> {
    let (mut speakers, mut texts) = (Words::new(), Words::new());
    for corpus in metrics.cells.iter().flat_map(|c| std::iter::once(&c.corpus).chain(&c.target)) {
        if speakers.contains_key(corpus) {
            continue;
        }
        let Some(all) = Utterance::read_all(run, corpus)? else { continue };
        let of = |word: fn(&Utterance) -> &Option<String>| -> BTreeMap<String, String> {
            all.iter().filter_map(|u| Some((u.id.clone(), word(u).clone()?))).collect()
        };
        let said = of(|u| &u.text);
        if !said.is_empty() {
            texts.insert(corpus.clone(), said);
        }
        speakers.insert(corpus.clone(), of(|u| &u.speaker));
    }
    Ok((speakers, texts))
}
