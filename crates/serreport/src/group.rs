//! Cells of several runs and seeds that belong together.

use std::collections::BTreeMap;

use sermetrics::{Confusion, Spread};

use crate::{
    document::{Entry, Mark},
    names, published,
    run::{Cell, Run},
};

/// One corpus (or pair), network, protocol and setting, with a cell for each seed.
#[derive(Debug)]
pub struct Group<'a> {
    /// By seed.
    pub cells: Vec<(&'a Run, &'a Cell)>,
}

/// A figure over seeds.
#[derive(Debug, Clone, Copy)]
pub struct Figure {
    pub mean: f64,
    /// Mean over seeds of the standard deviation over folds, divisor n; None for a single fold.
    pub fold_std: Option<f64>,
    /// The same with divisor n - 1.
    pub fold_sample_std: Option<f64>,
    /// Standard deviation over seeds of the mean over folds, divisor n - 1; None for a single seed.
    pub seed_std: Option<f64>,
}

impl<'a> Group<'a> {
    /// All cells of all runs in groups, in the order of the tables. Of cells that two runs of one setting share, the
    /// first is kept.
    pub fn all(runs: &'a [Run]) -> Vec<Self> {
        let mut groups: BTreeMap<_, BTreeMap<u64, (&Run, &Cell)>> = BTreeMap::new();
        for run in runs {
            let setting = run.setting();
            for cell in &run.metrics.cells {
                let place = (names::protocol_rank(&cell.protocol), &cell.protocol);
                let network = (names::variant_rank(&cell.variant), &cell.variant);
                let training = (&cell.division, cell.epochs, cell.uar.count);
                let key =
                    (&cell.corpus, &cell.target, network, place, run.metrics.synthetic, training, setting.clone());
                groups.entry(key).or_default().entry(cell.seed).or_insert((run, cell));
            }
        }
        groups.into_values().map(|cells| Self { cells: cells.into_values().collect() }).collect()
    }

    /// A cell that stands for all where they are the same.
    pub fn first(&self) -> &'a Cell {
        self.cells[0].1
    }

    /// Whether the recordings are synthetic.
    pub fn synthetic(&self) -> bool {
        self.cells[0].0.metrics.synthetic
    }

    /// What has to be said at every figure of the group.
    pub fn marks(&self) -> Vec<Mark> {
        let mut marks = published::marks(&self.first().protocol, self.synthetic());
        for caveat in self.cells.iter().filter_map(|(_, c)| c.caveat.as_ref()) {
            marks.push(if caveat.contains("optimistic") { Mark::Optimistic } else { Mark::Caveat });
        }
        marks.sort_unstable();
        marks.dedup();
        marks
    }

    /// UAR and WAR over seeds.
    pub fn figures(&self) -> [Figure; 2] {
        [self.figure(|c| c.uar), self.figure(|c| c.war)]
    }

    fn figure(&self, of: fn(&Cell) -> Spread) -> Figure {
        let spreads: Vec<Spread> = self.cells.iter().map(|(_, c)| of(c)).collect();
        let (mean, seed_std) = mean_and_std(spreads.iter().map(|s| s.mean));
        let folds = |std: fn(&Spread) -> f64| {
            let several = spreads.iter().all(|s| s.count > 1);
            several.then(|| mean_and_std(spreads.iter().map(std)).0)
        };
        Figure { mean, fold_std: folds(|s| s.population_std), fold_sample_std: folds(|s| s.sample_std), seed_std }
    }

    /// Folds of each cell.
    pub fn folds(&self) -> usize {
        self.first().uar.count
    }

    /// Counts over all seeds; None where a cell has none or the classes differ.
    pub fn confusion(&self) -> Option<Confusion> {
        let mut cells = self.cells.iter().map(|(_, c)| c.confusion.as_ref());
        let mut sum = cells.next()??.clone();
        for more in cells {
            sum.merge(more?).ok()?;
        }
        Some(sum)
    }

    /// The classes, in label order, which is alphabetical in all six corpora.
    pub fn labels(&self) -> Vec<String> {
        let classes = self.first().confusion.as_ref().map_or(0, Confusion::classes);
        let named: Vec<String> = self.first().recall.keys().cloned().collect();
        if named.len() == classes { named } else { (0..classes).map(|i| format!("class {i}")).collect() }
    }

    /// "EMODB, TIM-Net, last-epoch" or "CASIA to EMOVO, ...".
    pub fn title(&self) -> String {
        let cell = self.first();
        let corpus = match &cell.target {
            Some(target) => format!("{} to {}", names::corpus(&cell.corpus), names::corpus(target)),
            None => names::corpus(&cell.corpus),
        };
        format!("{corpus}, {}, {}", names::variant(&cell.variant), cell.protocol)
    }

    /// For file names.
    pub fn slug(&self) -> String {
        let cell = self.first();
        let corpus = cell.target.as_ref().map_or(cell.corpus.clone(), |t| format!("{}-to-{t}", cell.corpus));
        slug(&format!("{corpus}-{}-{}", cell.variant, cell.protocol))
    }
}

/// The runs that figures over some groups come from, as `R1, R2`, with their commands.
pub fn origin(groups: &[&Group]) -> Entry {
    let runs: BTreeMap<usize, &Run> = groups.iter().flat_map(|g| &g.cells).map(|(run, _)| (run.index, *run)).collect();
    let names: Vec<&str> = runs.values().map(|r| r.name.as_str()).collect();
    let commands: Vec<String> = runs.values().map(|r| r.command()).collect();
    Entry::runs(names.join(", "), &commands)
}

/// What has to be said at a figure over some groups.
pub fn marks(groups: &[&Group]) -> Vec<Mark> {
    let mut marks: Vec<Mark> = groups.iter().flat_map(|g| g.marks()).collect();
    marks.sort_unstable();
    marks.dedup();
    marks
}

/// Mean, and standard deviation with divisor n - 1 where there are several; NaN for none.
pub fn mean_and_std(values: impl Iterator<Item = f64>) -> (f64, Option<f64>) {
    let values: Vec<f64> = values.collect();
    Spread::of(&values).map_or((f64::NAN, None), |s| (s.mean, (s.count > 1).then_some(s.sample_std)))
}

/// Lower-case letters, digits and hyphens.
pub fn slug(text: &str) -> String {
    let plain = |c: char| if c.is_ascii_alphanumeric() { c.to_ascii_lowercase() } else { '-' };
    text.chars().map(plain).collect::<String>().split('-').filter(|w| !w.is_empty()).collect::<Vec<_>>().join("-")
}
