//! A folder per class, maybe below or above folders of speakers, sessions and parts of a split.

use std::collections::{BTreeMap, BTreeSet};
use std::path::{Path, PathBuf};

use super::layout::{Layout, Level, Reading, describe, names_at, recognise};
use super::{OwnOptions, class_order, labels, name_of, words};
use crate::adapters::{self, Seen};
use crate::finding::{Finding, FindingKind, Severity};
use crate::walk::walk;
use crate::{Corpus, CorpusError, CorpusKind, Part, Utterance};

/// A recording below the root.
struct Found {
    path: PathBuf,
    stem: String,
    is_film: bool,
}

/// Recordings and the folders above each.
#[derive(Default)]
struct Tree {
    rows: Vec<Vec<String>>,
    found: Vec<Found>,
    findings: Vec<Finding>,
}

impl Tree {
    fn read(root: &Path) -> Result<Self, CorpusError> {
        let mut tree = Self::default();
        walk(root, &mut tree.findings, |entry| {
            if entry.is_audio() {
                tree.rows.push(entry.folders.iter().map(|&folder| folder.to_owned()).collect());
                let (path, stem) = (entry.path.to_owned(), entry.stem.to_owned());
                tree.found.push(Found { path, stem, is_film: entry.is_film() });
            }
        })?;
        Ok(tree)
    }

    /// The folder further down that has several folders with recordings, where all of this one's recordings are in one folder.
    fn deeper(&self, root: &Path) -> Option<PathBuf> {
        let first = self.rows.first()?;
        let same = |depth: usize| self.rows.iter().all(|row| row.len() > depth && row[..depth] == first[..depth]);
        let depth = (1..first.len()).take_while(|&depth| same(depth)).last()?;
        let below: BTreeSet<&String> = self.rows.iter().filter_map(|row| row.get(depth)).collect();
        (below.len() > 1).then(|| first[..depth].iter().fold(root.to_owned(), |path, folder| path.join(folder)))
    }

    /// Why it is no folder of class folders, and what to do.
    fn fault(&self, root: &Path) -> String {
        let wanted = "at least two class folders with recordings are wanted";
        if self.found.is_empty() {
            let unread = self.findings.iter().find(|f| f.kind == FindingKind::NotRead);
            return match unread {
                Some(unread) => format!("has no recording that can be read: {}", unread.message),
                None => format!("has no recording: {wanted}"),
            };
        }
        if let Some(deeper) = self.deeper(root) {
            return format!(
                "is not a corpus with a folder per class: it is one folder deeper, give {}",
                deeper.display()
            );
        }
        let names = names_at(&self.rows, 0);
        let found = match names.as_str() {
            "" => "the recordings lie in no folder".to_owned(),
            _ if self.rows.iter().all(|row| row.first().is_some_and(|name| Part::parse(name).is_some())) => {
                format!("`{names}` are parts of a split, with no class folders below")
            }
            _ => format!("there is {names}"),
        };
        format!(
            "is not a corpus with a folder per class: {wanted}, and {found}; give a list with the columns path and label in its place"
        )
    }
}

/// Read a folder that has a folder per class, `<root>/<class>/.../<recording>`, or another [`Layout`]: the one asked for, or else the
/// one that the names of the folders tell.
///
/// # Errors
/// `root` cannot be read, or has fewer than two classes (the message says which folder has them, where one does); folders that can
/// be read in several ways; a label that the label map does not list.
pub fn open_folder(root: &Path, options: &OwnOptions) -> Result<Corpus, CorpusError> {
    let mut tree = Tree::read(root)?;
    let layout = match &options.layout {
        Some(layout) => layout.clone(),
        None => choose(root, &mut tree)?,
    };
    build(root, tree, &layout, options)
}

/// The layout that the folders' names tell; where it is not the plain one, that is told.
fn choose(root: &Path, tree: &mut Tree) -> Result<Layout, CorpusError> {
    match recognise(&tree.rows) {
        Reading::One { layout, plain } => {
            if !plain {
                let message = format!(
                    "folders read as {layout}: {}; --layout reads them otherwise",
                    describe(&layout, &tree.rows)
                );
                tree.findings.push(Finding::new(Severity::Note, FindingKind::Layout, message).at(root));
            }
            Ok(layout)
        }
        Reading::Several(layouts) => {
            let readings: Vec<String> =
                layouts.iter().map(|l| format!("--layout {l} ({})", describe(l, &tree.rows))).collect();
            let message = format!("its folders can be read in several ways; choose one: {}", readings.join(" or "));
            Err(CorpusError::Ambiguous { root: root.to_owned(), message })
        }
        Reading::None => Err(CorpusError::file(root, tree.fault(root))),
    }
}

fn build(root: &Path, tree: Tree, layout: &Layout, options: &OwnOptions) -> Result<Corpus, CorpusError> {
    let place = |level: Level| layout.place(level);
    let mut utterances = Vec::with_capacity(tree.found.len());
    let mut films = BTreeMap::new();
    let mut loose = 0;
    for (folders, found) in tree.rows.iter().zip(&tree.found) {
        if folders.len() < layout.class_depth() {
            loose += 1;
            continue;
        }
        let at = |level: Level| place(level).and_then(|place| folders.get(place)).cloned();
        let id = folders.iter().chain([&found.stem]).map(String::as_str).collect::<Vec<_>>().join("/");
        let mut utterance = Utterance::new(id, &found.path, at(Level::Class).unwrap_or_default());
        (utterance.speaker, utterance.session, utterance.split) =
            (at(Level::Speaker), at(Level::Session), at(Level::Split));
        utterance.part = utterance.split.as_deref().and_then(Part::parse);
        if found.is_film {
            films.insert(utterance.id.clone(), utterance);
        } else {
            utterances.push(utterance);
        }
    }
    let mut findings = tree.findings.clone();
    findings.extend(films_beside_sound(&mut films, &utterances));
    utterances.extend(films.into_values());
    if loose > 0 {
        let message = match layout.class_depth() {
            1 => format!("{loose} recordings lie beside the class folders and were left out"),
            _ => format!("{loose} recordings lie in no class folder ({layout}) and were left out"),
        };
        findings.push(Finding::new(Severity::Warning, FindingKind::Unrecognised, message).at(root));
    }
    findings.extend(unknown_parts(root, &utterances));
    let name = name_of(root, options);
    let mut corpus = Corpus { name, kind: None, root: root.to_owned(), labels: Vec::new(), utterances, findings };
    if options.labels.is_none() {
        labels::merge(&mut corpus);
    }
    class_order(&mut corpus, None);
    // The same name with two extensions is one recording twice.
    for i in 1..corpus.utterances.len() {
        if corpus.utterances[i].id == corpus.utterances[i - 1].id {
            let (one, other) = (&corpus.utterances[i - 1].path, &corpus.utterances[i].path);
            let message = format!("has the same id as {}: rename or remove one of them", one.display());
            return Err(CorpusError::file(other, message));
        }
    }
    if let Some(map) = &options.labels {
        corpus = map.apply(corpus)?;
    }
    if corpus.labels.len() < 2 {
        return Err(CorpusError::file(root, tree.fault(root)));
    }
    Ok(corpus)
}

/// Films whose sound lies beside them in a file of its own are left out.
fn films_beside_sound(films: &mut BTreeMap<String, Utterance>, sounds: &[Utterance]) -> Option<Finding> {
    let beside: Vec<String> = sounds.iter().filter(|u| films.remove(&u.id).is_some()).map(|u| u.id.clone()).collect();
    let message = format!("{} films left out: their sound lies beside them", beside.len());
    (!beside.is_empty()).then(|| Finding::new(Severity::Note, FindingKind::Skipped, message).of(beside))
}

/// Names of the split's level that are no parts.
fn unknown_parts(root: &Path, utterances: &[Utterance]) -> Option<Finding> {
    let names: BTreeSet<&str> =
        utterances.iter().filter(|u| u.part.is_none()).filter_map(|u| u.split.as_deref()).collect();
    let message = format!(
        "the folders {} are in no part of the split; train, validation and test are known",
        names.iter().copied().collect::<Vec<_>>().join(", ")
    );
    (!names.is_empty()).then(|| Finding::new(Severity::Warning, FindingKind::UnknownValue, message).at(root))
}

/// Whether the class folders below `root` say something else than the names of the files, which are those of `kind`; then what is to
/// be told.
///
/// # Errors
/// `root` cannot be read.
pub(super) fn overrules(kind: CorpusKind, root: &Path) -> Result<Option<Finding>, CorpusError> {
    let tree = Tree::read(root)?;
    let Reading::One { layout, .. } = recognise(&tree.rows) else { return Ok(None) };
    let Some(place) = layout.place(Level::Class) else { return Ok(None) };
    // Of copies the least nested, as `open` takes them.
    let mut by_id = BTreeMap::<String, (&[String], Utterance)>::new();
    for (row, found) in tree.rows.iter().zip(&tree.found) {
        let folders: Vec<&str> = row.iter().map(String::as_str).collect();
        let Seen::Utterance(utterance) = adapters::recognise(kind, &folders, &found.stem) else { continue };
        let kept = by_id.get(&utterance.id).is_none_or(|(other, _)| row.len() < other.len());
        if kept {
            by_id.insert(utterance.id.clone(), (row, *utterance));
        }
    }
    let classes: BTreeSet<&str> = by_id.values().filter_map(|(row, _)| row.get(place)).map(String::as_str).collect();
    if classes.len() < 2 {
        return Ok(None);
    }
    let disagree = if words::are_emotions(classes.iter().copied()) {
        by_id.values().any(|(row, u)| row.get(place).and_then(|class| words::label(class)) != Some(u.label.as_str()))
    } else {
        across_speakers(by_id.values().filter_map(|(row, u)| Some((u.speaker.as_deref()?, row.get(place)?.as_str()))))
    };
    let message = format!(
        "the files are named as those of {kind}, and the folders say otherwise: the folders count, classes {}; --corpus {kind} reads \
         the names",
        names_at(&tree.rows, place)
    );
    Ok(disagree.then(|| Finding::new(Severity::Note, FindingKind::Layout, message).at(root)))
}

/// Are most speakers in several class folders? A folder of speakers or sessions has each speaker once.
fn across_speakers<'a>(pairs: impl Iterator<Item = (&'a str, &'a str)>) -> bool {
    let mut folders = BTreeMap::<&str, BTreeSet<&str>>::new();
    pairs.for_each(|(speaker, folder)| {
        folders.entry(speaker).or_default().insert(folder);
    });
    2 * folders.values().filter(|of| of.len() > 1).count() > folders.len()
}
