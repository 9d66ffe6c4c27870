//! Cells of several runs and seeds that belong together.

use std::collections::BTreeMap;

use sermetrics::{Confusion, Spread};
use serrun::{Cell, Mark, Metrics, Protocol, RunError, System};

use crate::{
    document::Entry,
    error::Result,
    names,
    run::{Run, same_figures},
    setting::Setting,
};

/// Settings named in a title; the section "What was run" has all of them.
const NAMED: usize = 4;

/// One corpus (or pair), network, protocol and setting, with a cell for each training.
#[derive(Debug)]
pub struct Group<'a> {
    /// By seed of the folds and training seed.
    pub cells: Vec<(&'a Run, &'a Cell)>,
    /// Cells of further runs with the same setting and a seed that is there already. They count in no figure.
    pub repeats: Vec<Repeat<'a>>,
    /// What all its cells were made with.
    pub setting: Setting,
    /// What corpora have in common of it.
    pub shared: Setting,
    /// Number of the corpus' part among those of this corpus, network, protocol and shared setting. Figures of several corpora or
    /// networks stand together only where it is equal.
    pub layer: usize,
    /// Keys in which the setting differs from other groups of this corpus, network, protocol and division.
    pub differing: Vec<String>,
}

/// A cell that another run has already.
#[derive(Debug)]
pub struct Repeat<'a> {
    pub run: &'a Run,
    pub cell: &'a Cell,
    /// The run whose cell counts.
    pub of: &'a Run,
    /// Whether the figures of both are equal.
    pub same: bool,
}

/// See [`Group::comparable`].
pub type Comparable<'a> = (Protocol, String, u32, &'a Setting, usize);

/// A figure over trainings.
#[derive(Debug, Clone, Copy)]
pub struct Figure {
    pub mean: f64,
    /// Mean over trainings of the standard deviation over folds, divisor n - 1; None for a single fold.
    pub fold_std: Option<f64>,
    /// Standard deviation of the mean over folds, divisor n - 1, over what [`Group::over`] says; None for a single training.
    pub std: Option<f64>,
}

/// What a training is told by within a group: the seed of the folds and the training seed.
fn seeds(cell: &Cell) -> (u64, Option<u64>) {
    (cell.seed, cell.training_seed)
}

impl<'a> Group<'a> {
    /// All cells of all runs in groups, in the order of the tables.
    ///
    /// # Errors
    /// A cell that the run's `config.toml` does not train.
    pub fn all(runs: &'a [Run]) -> Result<Vec<Self>> {
        let mut keyed: BTreeMap<_, Self> = BTreeMap::new();
        for run in runs {
            for (i, cell) in run.metrics.cells.iter().enumerate() {
                let setting = Setting::of_cell(run, cell).ok_or_else(|| {
                    let what = format!(
                        "cells[{i}]: no part of config.toml beside it trains this network with this protocol and seed"
                    );
                    RunError::malformed(&Metrics::file(&run.path), what)
                })?;
                let network = (names::system_rank(&cell.variant), &cell.variant);
                let division = cell.division.name();
                let key = (&cell.corpus, &cell.target, network, cell.protocol, division, cell.epochs, setting.clone());
                let group = keyed.entry(key).or_insert_with(|| {
                    let shared = setting.shared();
                    let (cells, repeats, differing) = Default::default();
                    Self { cells, repeats, setting, shared, layer: 0, differing }
                });
                group.add(run, cell);
            }
        }
        let mut groups: Vec<Self> = keyed.into_values().collect();
        tell_apart(&mut groups);
        Ok(groups)
    }

    fn add(&mut self, run: &'a Run, cell: &'a Cell) {
        match self.cells.iter().find(|(_, known)| seeds(known) == seeds(cell)) {
            Some(&(of, known)) => self.repeats.push(Repeat { run, cell, of, same: same_figures(cell, known) }),
            None => {
                let place = self.cells.partition_point(|(_, known)| seeds(known) < seeds(cell));
                self.cells.insert(place, (run, cell));
            }
        }
    }

    /// A cell that stands for all where they are the same.
    pub fn first(&self) -> &'a Cell {
        self.cells[0].1
    }

    /// Figures of one system and setting over several corpora share it.
    pub fn system(&self) -> (usize, &'a System, Option<&str>, Comparable<'_>) {
        let variant = &self.first().variant;
        (names::system_rank(variant), variant, self.setting.pooling(), self.comparable())
    }

    /// Figures of several systems and corpora that may stand together share it: protocol, division, epochs, shared
    /// setting, layer.
    pub fn comparable(&self) -> Comparable<'_> {
        let cell = self.first();
        (cell.protocol, cell.division.name(), cell.epochs, &self.shared, self.layer)
    }

    /// Whether the recordings are synthetic.
    pub fn synthetic(&self) -> bool {
        self.cells[0].0.metrics.synthetic
    }

    /// What has to be said at every figure of the group.
    pub fn marks(&self) -> Vec<Mark> {
        Mark::sorted(self.cells.iter().flat_map(|(_, c)| c.marks.iter().copied()))
    }

    /// The trainings of the same folds together, in the order of the seeds that draw the folds.
    fn by_folds(&self) -> Vec<Vec<&'a Cell>> {
        let mut out: BTreeMap<Option<u64>, Vec<&Cell>> = BTreeMap::new();
        for (_, cell) in &self.cells {
            out.entry(cell.division.is_drawn().then_some(cell.seed)).or_default().push(cell);
        }
        out.into_values().collect()
    }

    /// What the standard deviation over trainings is over: "2 seeds", "3 trainings of the same folds", "2 seeds of 3 trainings each".
    pub fn over(&self) -> String {
        let by_folds = self.by_folds();
        let plural = |n: usize, what: &str| format!("{n} {what}{}", if n == 1 { "" } else { "s" });
        match (&by_folds[..], self.cells.len()) {
            ([_], 1) => "1 seed".to_owned(),
            ([_], n) => format!("{n} trainings of the same folds"),
            (seeds, n) if seeds.len() == n => plural(n, "seed"),
            (seeds, n) if seeds.iter().all(|s| s.len() * seeds.len() == n) => {
                format!("{} of {} each", plural(seeds.len(), "seed"), plural(n / seeds.len(), "training"))
            }
            (seeds, n) => format!("{} of {} in all", plural(seeds.len(), "seed"), plural(n, "training")),
        }
    }

    /// UAR and WAR over trainings: those of the same folds are averaged first where there are several folds' seeds.
    pub fn figures(&self) -> [Figure; 2] {
        [self.figure(|c| c.uar), self.figure(|c| c.war)]
    }

    fn figure(&self, of: fn(&Cell) -> Spread) -> Figure {
        let means = |cells: &[&Cell]| cells.iter().map(|c| of(c).mean).collect::<Vec<f64>>();
        let (mean, std) = match &self.by_folds()[..] {
            [trainings] => mean_and_std(means(trainings).into_iter()),
            seeds => mean_and_std(seeds.iter().map(|trainings| mean_and_std(means(trainings).into_iter()).0)),
        };
        let stds: Option<Vec<f64>> = self.cells.iter().map(|(_, c)| of(c).std).collect();
        Figure { mean, fold_std: stds.map(|s| mean_and_std(s.into_iter()).0), std }
    }

    /// Folds of each cell.
    pub fn folds(&self) -> usize {
        self.first().uar.count
    }

    /// Counts over all trainings; None where the classes differ.
    pub fn confusion(&self) -> Option<Confusion> {
        let mut cells = self.cells.iter().map(|(_, c)| &c.confusion);
        let mut sum = cells.next()?.clone();
        for more in cells {
            sum.merge(more).ok()?;
        }
        Some(sum)
    }

    /// The classes, in label order: that of its predictions where they are there; else alphabetical, which it is in all six corpora.
    pub fn labels(&self) -> Vec<String> {
        let cell = self.first();
        let predictions = self.cells.iter().find_map(|(run, c)| {
            let training = run.trainings.iter().find(|t| t.name == c.training())?;
            training.predictions.get(&c.protocol)?.iter().find(|t| t.target == c.target)
        });
        let labels =
            predictions.map_or_else(|| cell.recall.keys().cloned().collect(), |p| p.predictions.labels.clone());
        let classes = cell.confusion.classes();
        if labels.len() == classes { labels } else { (0..classes).map(|i| format!("class {i}")).collect() }
    }

    /// What sets it apart from other groups of this corpus, network, protocol and division: "blocks 8"; empty where nothing does.
    pub fn apart(&self) -> String {
        let named = &self.differing[..self.differing.len().min(NAMED)];
        let mut said = self.setting.said(named, self.first());
        if named.len() < self.differing.len() {
            said.push_str(&format!(" and {} more", self.differing.len() - named.len()));
        }
        said
    }

    /// "EMODB" or "CASIA to EMOVO", with what sets it apart: "EMODB (blocks 8)".
    pub fn corpus(&self) -> String {
        let cell = self.first();
        with_apart(&names::pair(&cell.corpus, cell.target.as_ref()), &self.apart())
    }

    /// "EMODB, TIM-Net, last-epoch" or "CASIA to EMOVO, ..."; on folds that are not those of the protocol's name "EMODB, TIM-Net, last-epoch, 6
    /// groups of speakers".
    pub fn title(&self) -> String {
        let cell = self.first();
        format!("{}, {}, {}", self.corpus(), cell.variant.title(), names::protocol(cell.protocol, cell.division))
    }

    /// For file names.
    pub fn slug(&self) -> String {
        let cell = self.first();
        let corpus = cell.target.as_ref().map_or(cell.corpus.to_string(), |t| format!("{}-to-{t}", cell.corpus));
        slug(&format!("{corpus}-{}-{}", cell.variant, names::protocol(cell.protocol, cell.division)))
    }
}

/// "EMODB (blocks 8)"; `text` alone where nothing sets it apart.
pub fn with_apart(text: &str, apart: &str) -> String {
    if apart.is_empty() { text.to_owned() } else { format!("{text} ({apart})") }
}

/// Finds in what groups of one corpus, network and protocol differ.
fn tell_apart(groups: &mut [Group]) {
    for i in 0..groups.len() {
        let (own, cell) = (&groups[i], groups[i].first());
        let kind = |c: &Cell| (c.corpus.clone(), c.target.clone(), c.protocol, c.division);
        let alike = |g: &&Group| kind(g.first()) == kind(cell);
        let rivals: Vec<&Setting> =
            groups.iter().filter(|g| alike(g) && g.first().variant == cell.variant).map(|g| &g.setting).collect();
        let differing = Setting::differing(&rivals);
        // Over all networks, so that those of one setting have one number.
        let mut parts: Vec<Setting> =
            groups.iter().filter(|g| alike(g) && g.shared == own.shared).map(|g| g.setting.corpora()).collect();
        parts.sort();
        parts.dedup();
        let part = own.setting.corpora();
        let layer = parts.iter().position(|p| *p == part).unwrap_or(0);
        (groups[i].differing, groups[i].layer) = (differing, layer);
    }
}

/// The runs that figures over some groups come from, as `R1, R2`, with their commands.
pub fn origin(groups: &[&Group]) -> Entry {
    let runs: BTreeMap<usize, &Run> = groups.iter().flat_map(|g| &g.cells).map(|(run, _)| (run.index, *run)).collect();
    let names: Vec<&str> = runs.values().map(|r| r.name.as_str()).collect();
    let commands: Vec<String> = runs.values().map(|r| r.command()).collect();
    Entry::runs(names.join(", "), &commands)
}

/// What sets any of the groups apart, each once.
pub fn aparts(groups: &[&Group]) -> String {
    let mut found: Vec<String> = groups.iter().map(|g| g.apart()).filter(|a| !a.is_empty()).collect();
    found.sort();
    found.dedup();
    found.join("; ")
}

/// What has to be said at a figure over some groups.
pub fn marks(groups: &[&Group]) -> Vec<Mark> {
    Mark::sorted(groups.iter().flat_map(|g| g.marks()))
}

/// Mean, and standard deviation with divisor n - 1 where there are several; NaN for none.
pub fn mean_and_std(values: impl Iterator<Item = f64>) -> (f64, Option<f64>) {
    let values: Vec<f64> = values.collect();
    Spread::of(&values).map_or((f64::NAN, None), |s| (s.mean, s.std))
}

/// Lower-case letters, digits and hyphens.
pub fn slug(text: &str) -> String {
    let plain = |c: char| if c.is_ascii_alphanumeric() { c.to_ascii_lowercase() } else { '-' };
    text.chars().map(plain).collect::<String>().split('-').filter(|w| !w.is_empty()).collect::<Vec<_>>().join("-")
}
