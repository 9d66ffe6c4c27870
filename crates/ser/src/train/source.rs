//! What is learned from.

use std::{collections::BTreeSet, fs, str::FromStr};

use sercorpus::{Corpus, CorpusKind, Utterance, split::Fold};
use sermfcc::FrontEnd;
use sermodel::{Card, Normalise};

use super::{Division, Train};
use crate::{
    failure::{Failure, Result},
    import_npy, recordings,
};

/// `--length`.
#[derive(Clone, Copy, Debug, PartialEq)]
pub enum Length {
    /// Holds 95 of 100 recordings whole.
    Auto,
    /// Samples.
    Samples(usize),
}

impl FromStr for Length {
    type Err = String;

    fn from_str(text: &str) -> std::result::Result<Self, String> {
        if text == "auto" {
            return Ok(Self::Auto);
        }
        let samples = text.parse::<usize>().ok().filter(|n| (1..=1 << 28).contains(n));
        samples.map(Self::Samples).ok_or_else(|| "`auto` or a number of samples is wanted".to_owned())
    }
}

/// Where the features come from.
pub enum Origin {
    /// Recordings.
    Corpus(Box<Corpus>),
    /// A feature file: [utterances, frames, coefficients].
    Features(Vec<f32>),
}

/// Labelled utterances, before any feature is made.
pub struct Source {
    /// Name of the corpus.
    pub name: String,
    /// The classes.
    pub labels: Vec<String>,
    /// The class of each utterance.
    pub classes: Vec<usize>,
    /// The speaker of each utterance, where all are known.
    pub speakers: Option<Vec<String>>,
    /// What folds must not divide: sessions where the corpus has them, else speakers.
    pub groups: Option<Vec<String>>,
    /// The front end.
    pub front_end: FrontEnd,
    /// Samples of an utterance.
    pub length: usize,
    /// Over which frames features are normalised, and silence that is cut off, in decibels.
    pub shaped: (Normalise, Option<f64>),
    /// Which of the six corpora it is, whole.
    pub kind: Option<CorpusKind>,
    /// Hash of all recordings, or of the feature file.
    pub content: String,
    /// Where the features come from.
    pub from: Origin,
}

impl Source {
    /// Opens what the command names.
    ///
    /// # Errors
    /// A corpus or feature file that can't be used; a class with one recording.
    pub fn open(args: &Train) -> Result<Self> {
        let is_npy = args.root.path().extension().is_some_and(|e| e.eq_ignore_ascii_case("npy"));
        let source = if is_npy { Self::of_features(args) } else { Self::of_corpus(args) }?;
        source.check()?;
        Ok(source)
    }

    fn of_corpus(args: &Train) -> Result<Self> {
        if !args.classes.is_empty() {
            return Err(Failure::Input("--classes names the classes of a feature file; a corpus has its own".into()));
        }
        let corpus = args.root.open_with(&args.split.columns())?;
        recordings::complete(&corpus)?;
        let corpus = present(args.split.training(corpus)?);
        let front_end = super::front_end(args)?;
        let hashes = recordings::all(&corpus, |_, u| {
            let bytes = fs::read(&u.path).map_err(|e| Failure::Input(format!("{}: {e}", u.path.display())))?;
            Ok(blake3::hash(&bytes))
        })?;
        let mut content = blake3::Hasher::new();
        for (u, hash) in corpus.utterances.iter().zip(&hashes) {
            let part = format!("{:?}", (&u.id, &u.label, &u.speaker, &u.session, u.start, u.end));
            content.update(part.as_bytes()).update(hash.as_bytes());
        }
        let length = match args.length {
            Length::Samples(samples) => samples,
            Length::Auto => match corpus.kind {
                Some(kind) if corpus.is_complete() && front_end.sample_rate == 22_050 => kind.length_samples(),
                _ => auto_length(&corpus, &front_end)?,
            },
        };
        let owned = |all: Vec<&str>| all.into_iter().map(str::to_owned).collect::<Vec<_>>();
        let speakers = corpus.speakers().ok().map(owned);
        Ok(Self {
            name: corpus.name.clone(),
            kind: corpus.kind.filter(|_| corpus.is_complete()),
            labels: corpus.labels.clone(),
            classes: corpus.label_indices(),
            groups: corpus.sessions().ok().map(owned).or_else(|| speakers.clone()),
            speakers,
            front_end,
            length,
            shaped: (args.normalise, args.trim),
            content: content.finalize().to_hex().to_string(),
            from: Origin::Corpus(Box::new(corpus)),
        })
    }

    fn of_features(args: &Train) -> Result<Self> {
        let path = args.root.path();
        if args.normalise != Normalise::None || args.trim.is_some() {
            return Err(Failure::Input(format!(
                "{}: --normalise and --trim are for recordings; features of a file are taken as they are",
                path.display()
            )));
        }
        if args.augment.needs_samples() {
            return Err(Failure::Input(format!(
                "{}: a feature file has no samples to vary; only specaugment works on features",
                path.display()
            )));
        }
        let bytes = fs::read(path).map_err(|e| Failure::Input(format!("{}: {e}", path.display())))?;
        let file = import_npy::read(&bytes).map_err(|e| Failure::Input(format!("{}: {e}", path.display())))?;
        let labels = match &args.classes[..] {
            [] => (0..file.classes).map(|c| c.to_string()).collect(),
            names if names.len() == file.classes => names.to_vec(),
            names => {
                let (given, found) = (names.len(), file.classes);
                return Err(Failure::Input(format!("--classes names {given} classes, {} has {found}", path.display())));
            }
        };
        let front_end = super::front_end(args)?.with(|f| f.n_mfcc = file.coefficients);
        let length = match args.length {
            // The shortest signal with so many frames.
            Length::Auto => (file.frames - 1) * front_end.hop_length,
            Length::Samples(samples) => samples,
        };
        if front_end.frames(length) != file.frames {
            return Err(Failure::Input(format!(
                "{}: utterances of {} frames; {length} samples give {} with front end {} (see --length, --front-end)",
                path.display(),
                file.frames,
                front_end.frames(length),
                args.front_end
            )));
        }
        Ok(Self {
            name: path.file_stem().map_or_else(String::new, |s| s.to_string_lossy().into_owned()),
            kind: None,
            labels,
            classes: file.labels,
            speakers: None,
            groups: None,
            front_end,
            length,
            shaped: (Normalise::None, None),
            content: blake3::hash(&bytes).to_hex().to_string(),
            from: Origin::Features(file.features),
        })
    }

    fn check(&self) -> Result<()> {
        let mut counts = vec![0usize; self.labels.len()];
        self.classes.iter().for_each(|&c| counts[c] += 1);
        if self.labels.len() < 2 {
            return Err(Failure::Input(format!("{}: at least two classes are needed", self.name)));
        }
        for (c, (label, count)) in self.labels.iter().zip(&counts).enumerate() {
            if *count < 2 {
                let only = match &self.from {
                    Origin::Corpus(corpus) => self
                        .classes
                        .iter()
                        .position(|&of| of == c)
                        .map_or_else(String::new, |i| format!(" ({})", corpus.utterances[i].path.display())),
                    Origin::Features(_) => String::new(),
                };
                return Err(Failure::Input(format!(
                    "class `{label}` has {count} recording(s){only}; two are the least, one to learn from and one to test on"
                )));
            }
        }
        Ok(())
    }

    /// The utterances, where there are recordings.
    pub fn utterance(&self, i: usize) -> Option<&Utterance> {
        match &self.from {
            Origin::Corpus(corpus) => corpus.utterances.get(i),
            Origin::Features(_) => None,
        }
    }

    /// A card with what prediction needs.
    pub fn card(&self) -> Card {
        let mut card = Card::new(self.labels.clone(), self.front_end.clone(), self.length);
        (card.normalise, card.trim) = self.shaped;
        card
    }

    /// What will be done, in a line or two.
    pub fn summary(&self, division: Division, folds: &[Fold]) -> String {
        let speakers = match &self.speakers {
            Some(all) => format!("{} speakers", all.iter().collect::<BTreeSet<_>>().len()),
            None => "speakers unknown".to_owned(),
        };
        let seconds = self.length as f64 / f64::from(self.front_end.sample_rate);
        format!(
            "{}: {} utterances of {} classes ({}), {speakers}; {seconds:.2} s each; {}",
            self.name,
            self.classes.len(),
            self.labels.len(),
            self.labels.join(", "),
            division.describe(folds.len())
        )
    }
}

/// One of the six corpora in part: only the classes that are there.
fn present(corpus: Corpus) -> Corpus {
    let counts = corpus.label_counts();
    let there: Vec<&str> =
        corpus.labels.iter().zip(&counts).filter(|(_, count)| **count > 0).map(|(l, _)| l.as_str()).collect();
    if corpus.kind.is_none() || there.len() == counts.len() {
        return corpus;
    }
    corpus.with_labels(&there)
}

/// The least whole number of hops that holds 95 of 100 utterances whole.
fn auto_length(corpus: &Corpus, front_end: &FrontEnd) -> Result<usize> {
    let mut lengths = recordings::all(corpus, |_, u| recordings::length(u, front_end.sample_rate))?;
    lengths.sort_unstable();
    let Some(&whole) = lengths.get((lengths.len() * 95).div_ceil(100).saturating_sub(1)) else {
        return Err(Failure::Input(format!("{}: no utterance is left", corpus.name)));
    };
    // A header may claim any length; this is the most that a model file takes.
    let whole = whole.min(1 << 28);
    Ok(whole.next_multiple_of(front_end.hop_length).max(front_end.shortest().next_multiple_of(front_end.hop_length)))
}
