//! Folds on disk: a table with the columns id, fold (from 0) and part, and EmoBox's fold files.

use std::collections::{BTreeMap, HashMap};
use std::io::Write;
use std::path::Path;

use serde::Deserialize;

use super::Fold;
use crate::adapters::{Seen, recognise};
use crate::{Corpus, CorpusError, Part};

/// Write folds as CSV: id, fold, part; a line for each utterance in each fold.
///
/// # Errors
/// Writing fails.
pub fn write_csv(corpus: &Corpus, folds: &[Fold], out: &mut dyn Write) -> Result<(), CorpusError> {
    let write = || -> Result<(), csv::Error> {
        let mut csv = csv::Writer::from_writer(out);
        csv.write_record(["id", "fold", "part"])?;
        for (number, fold) in folds.iter().enumerate() {
            let number = number.to_string();
            let parts = [(Part::Train, &fold.train), (Part::Validation, &fold.validation), (Part::Test, &fold.test)];
            let mut rows: Vec<(usize, Part)> =
                parts.into_iter().flat_map(|(part, members)| members.iter().map(move |&i| (i, part))).collect();
            rows.sort_by_key(|&(i, _)| i);
            for (i, part) in rows {
                let id = corpus.utterances.get(i).map_or("", |u| u.id.as_str());
                csv.write_record([id, &number, part.name()])?;
            }
        }
        Ok(csv.flush()?)
    };
    write().map_err(|error| CorpusError::io("split")(error.into()))
}

/// Read folds from the CSV that [`write_csv`] writes, or that a user made.
///
/// # Errors
/// Every error names the line: a column missing, an id that the corpus does not have or that a fold has twice, a
/// fold that is no number, an unknown part; or a fold without train or test part.
pub fn read_csv(corpus: &Corpus, path: &Path) -> Result<Vec<Fold>, CorpusError> {
    #[derive(Deserialize)]
    struct Row {
        id: String,
        fold: usize,
        part: String,
    }
    let wrong = |error: &csv::Error| {
        let line = error.position().map_or(1, csv::Position::line);
        CorpusError::line(path, line, format!("{error}; the columns id, fold, part are wanted"))
    };
    let text = std::fs::read(path).map_err(CorpusError::io(path))?;
    let mut csv = csv::ReaderBuilder::new().trim(csv::Trim::All).from_reader(text.as_slice());
    let header = csv.headers().map_err(|e| wrong(&e))?.clone();
    let index = index_by_id(corpus);
    let mut folds = BTreeMap::<usize, BTreeMap<usize, Part>>::new();
    let mut record = csv::StringRecord::new();
    while csv.read_record(&mut record).map_err(|e| wrong(&e))? {
        let line = record.position().map_or(0, csv::Position::line);
        let row: Row = record.deserialize(Some(&header)).map_err(|e| wrong(&e))?;
        let fail = |message: String| Err(CorpusError::line(path, line, message));
        let Some(&i) = index.get(row.id.as_str()) else {
            return fail(format!("{} has no utterance `{}`", corpus.name, row.id));
        };
        let Some(part) = Part::parse(&row.part) else {
            return fail(format!("unknown part `{}`: train, validation or test wanted", row.part));
        };
        if folds.entry(row.fold).or_default().insert(i, part).is_some() {
            return fail(format!("fold {} has `{}` twice", row.fold, row.id));
        }
    }
    folds.into_iter().map(|(number, members)| fold_of(path, &number.to_string(), &members)).collect()
}

/// Read EmoBox's published folds (Ma et al., Interspeech 2024) for one of the six corpora from a clone of its
/// repository: `folder` is its `data/<corpus>`, with `fold_<k>/<corpus>_{train,valid,test}_fold_<k>.jsonl`.
///
/// # Errors
/// The corpus is none of the six, there are no folds, or a line (named) has a recording that the corpus lacks.
pub fn read_emobox(corpus: &Corpus, folder: &Path) -> Result<Vec<Fold>, CorpusError> {
    #[derive(Deserialize)]
    struct Row {
        wav: String,
    }
    let Some(kind) = corpus.kind else {
        return Err(CorpusError::file(folder, format!("EmoBox has no folds for {}", corpus.name)));
    };
    let index = index_by_id(corpus);
    let mut folds = Vec::new();
    for number in 1.. {
        let fold_folder = folder.join(format!("fold_{number}"));
        if !fold_folder.is_dir() {
            break;
        }
        let mut members = BTreeMap::new();
        for (name, part) in [("train", Part::Train), ("valid", Part::Validation), ("test", Part::Test)] {
            let path = fold_folder.join(format!("{kind}_{name}_fold_{number}.jsonl"));
            if part == Part::Validation && !path.is_file() {
                continue;
            }
            let text = std::fs::read_to_string(&path).map_err(CorpusError::io(&path))?;
            for (line, text) in (1..).zip(text.lines()).filter(|(_, text)| !text.trim().is_empty()) {
                let fail = |message: String| CorpusError::line(&path, line, message);
                let row: Row = serde_json::from_str(text).map_err(|error| fail(error.to_string()))?;
                let (folders, file) = row.wav.rsplit_once('/').unwrap_or(("", &row.wav));
                let folders: Vec<&str> = folders.split('/').collect();
                let stem = file.rsplit_once('.').map_or(file, |(stem, _)| stem);
                let found = match recognise(kind, &folders, stem) {
                    Seen::Utterance(utterance) => index.get(utterance.id.as_str()).copied(),
                    _ => None,
                };
                let i = found.ok_or_else(|| fail(format!("the corpus has no recording {}", row.wav)))?;
                if members.insert(i, part).is_some() {
                    return Err(fail(format!("{} is in this fold already", row.wav)));
                }
            }
        }
        folds.push(fold_of(&fold_folder, &number.to_string(), &members)?);
    }
    if folds.is_empty() {
        return Err(CorpusError::file(folder, format!("no fold_1: the folder data/{kind} of EmoBox is wanted")));
    }
    Ok(folds)
}

fn index_by_id(corpus: &Corpus) -> HashMap<&str, usize> {
    corpus.utterances.iter().enumerate().map(|(i, u)| (u.id.as_str(), i)).collect()
}

fn fold_of(path: &Path, number: &str, members: &BTreeMap<usize, Part>) -> Result<Fold, CorpusError> {
    let of = |wanted| members.iter().filter(|(_, part)| **part == wanted).map(|(&i, _)| i).collect::<Vec<_>>();
    let fold = Fold { train: of(Part::Train), validation: of(Part::Validation), test: of(Part::Test) };
    if fold.train.is_empty() || fold.test.is_empty() {
        return Err(CorpusError::file(path, format!("fold {number} has no train or no test part")));
    }
    Ok(fold)
}
