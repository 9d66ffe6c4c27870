//! Lists of recordings and labels, as programs and people write them.

mod columns;
mod folder;
mod seconds;
mod table;
mod text;

use std::collections::{BTreeMap, HashMap};
use std::path::{Component, Path, PathBuf};

use columns::{Columns, Meaning};
pub(super) use folder::in_folder;
use table::{Cell, Table};
pub(super) use text::read_text;

use super::{LabelMap, OwnOptions, class_order, labels, name_of};
use crate::corpus::{Part, Sex};
use crate::finding::{Finding, FindingKind, Severity};
use crate::{Corpus, CorpusError, Utterance, limits};

/// Extensions of lists, lower case.
const LISTS: [&str; 8] = ["csv", "tsv", "tab", "txt", "jsonl", "ndjson", "json", "lst"];

/// Does the file's extension say that it is a list of recordings?
#[must_use]
pub fn is_list(path: &Path) -> bool {
    path.extension().is_some_and(|e| LISTS.iter().any(|known| e.eq_ignore_ascii_case(known)))
}

/// Read a list: CSV and its like with any of `,` `;` tab `|`, JSONL or JSON, in UTF-8 or UTF-16. Path and label are needed; id,
/// speaker, sex, session, text, take, intensity, split, start and end may be given, under the names that other programs have for them;
/// other columns are ignored. Paths start from the list's own folder, or else from [`OwnOptions::root`].
///
/// # Errors
/// Every error names file and line: a path or label missing, two columns of one meaning, an id used twice, a label that the label map
/// does not list, a start or end that is no time; or it says that none of the recordings is there, and where the first was looked
/// for. What else is odd is a finding: recordings that are not there, a sex or split that is not known, speakers that some rows lack,
/// labels that differ in letter case only.
pub fn open_manifest(path: &Path, options: &OwnOptions) -> Result<Corpus, CorpusError> {
    corpus_of(path, &[Source { path: path.to_owned(), split: None }], options)
}

/// The recordings that a list names, each once, in its order. Labels are not needed.
///
/// # Errors
/// As [`open_manifest`]; one of the recordings is not there.
pub fn listed_recordings(path: &Path, options: &OwnOptions) -> Result<Vec<PathBuf>, CorpusError> {
    let mut reader = Reader::new(options, false);
    reader.read(&Source { path: path.to_owned(), split: None })?;
    reader.check_found()?;
    if let Some(missing) = reader.missing.first() {
        return Err(CorpusError::line(path, missing.line, format!("{} does not exist", missing.tried.display())));
    }
    let mut told = std::collections::HashSet::new();
    let paths = reader.utterances.into_iter().map(|u| u.path);
    Ok(paths.filter(|path| told.insert(path.clone())).collect())
}

/// A list, and the part that its name says it is of.
struct Source {
    path: PathBuf,
    split: Option<String>,
}

fn corpus_of(path: &Path, sources: &[Source], options: &OwnOptions) -> Result<Corpus, CorpusError> {
    let mut reader = Reader::new(options, true);
    for source in sources {
        reader.read(source)?;
    }
    reader.check_found()?;
    let findings = reader.findings(sources.first().map_or(path, |source| &source.path));
    if reader.utterances.is_empty() {
        return Err(CorpusError::file(path, "has no utterances"));
    }
    let root = sources.first().map_or_else(|| path.to_owned(), |source| folder_of(&source.path));
    let name = name_of(path, options);
    let mut corpus = Corpus { name, kind: None, root, labels: Vec::new(), utterances: reader.utterances, findings };
    if options.labels.is_none() {
        labels::merge(&mut corpus);
    }
    class_order(&mut corpus, options.labels.as_ref().and_then(LabelMap::order));
    Ok(corpus)
}

fn folder_of(path: &Path) -> PathBuf {
    path.parent().filter(|p| !p.as_os_str().is_empty()).unwrap_or(Path::new(".")).to_owned()
}

/// A row whose recording is not there.
struct Missing {
    list: PathBuf,
    line: u64,
    id: String,
    /// As it stands in the list, with `/`.
    given: PathBuf,
    /// Where it was looked for first.
    tried: PathBuf,
}

struct Reader<'a> {
    options: &'a OwnOptions,
    needs_label: bool,
    utterances: Vec<Utterance>,
    /// The list and line of every id.
    lines: HashMap<String, (usize, u64)>,
    lists: Vec<PathBuf>,
    missing: Vec<Missing>,
    /// Values of optional columns that are not known, by column: each value and how often, and the first line.
    unknown: BTreeMap<&'static str, (BTreeMap<String, usize>, u64)>,
    /// Lines of the rows without a speaker, and how many rows have one.
    speakers: (Vec<u64>, usize),
    rates: HashMap<PathBuf, Option<u32>>,
}

/// Where the rows of one list come from.
struct Place<'a> {
    list: &'a Path,
    folder: &'a Path,
    split: Option<&'a str>,
    columns: &'a Columns,
}

impl Place<'_> {
    fn wrong(&self, line: u64, message: impl Into<String>) -> CorpusError {
        CorpusError::line(self.list, line, message)
    }
}

impl<'a> Reader<'a> {
    fn new(options: &'a OwnOptions, needs_label: bool) -> Self {
        Self {
            options,
            needs_label,
            utterances: Vec::new(),
            lines: HashMap::new(),
            lists: Vec::new(),
            missing: Vec::new(),
            unknown: BTreeMap::new(),
            speakers: (Vec::new(), 0),
            rates: HashMap::new(),
        }
    }

    fn read(&mut self, source: &Source) -> Result<(), CorpusError> {
        let list = source.path.as_path();
        if !is_list(list) && list.extension().is_some() && !looks_like_text(list) {
            let message =
                "is no manifest: a list of recordings and labels is wanted as CSV, TSV, JSONL or JSON, or a folder";
            return Err(CorpusError::file(list, message));
        }
        let text = read_text(list, limits::LIST_BYTES)?;
        let table = Table::read(&text).map_err(|(line, message)| CorpusError::line(list, line, message))?;
        drop(text);
        let needed: &[Meaning] = if self.needs_label { &[Meaning::Path, Meaning::Label] } else { &[Meaning::Path] };
        let columns = Columns::of(&table, &self.options.columns, needed)
            .map_err(|message| CorpusError::line(list, 1, message))?;
        let folder = folder_of(list);
        let place = Place { list, folder: &folder, split: source.split.as_deref(), columns: &columns };
        self.lists.push(list.to_owned());
        table.rows.into_iter().try_for_each(|(line, row)| self.add(&place, line, row))
    }

    fn add(&mut self, place: &Place<'_>, line: u64, row: Vec<Cell>) -> Result<(), CorpusError> {
        let wrong = |message: String| place.wrong(line, message);
        let mut row = Row { row, columns: place.columns };
        let given = row.text(Meaning::Path).map_err(wrong)?.ok_or_else(|| wrong("no path".to_owned()))?;
        let label = row.text(Meaning::Label).map_err(wrong)?;
        let label = match label {
            Some(label) => label,
            None if self.needs_label => {
                return Err(wrong(format!("{given} has no label; fill it in, or leave the row out")));
            }
            None => String::new(),
        };
        let label = match self.options.labels.as_ref().map(|map| map.translate(&label)) {
            None => label,
            Some(Ok(Some(label))) => label,
            Some(Ok(None)) => return Ok(()),
            Some(Err(message)) => return Err(wrong(message)),
        };
        let given = plain_path(&given, place.folder);
        let (found, tried) = self.find(&given, place.folder);
        let (start, end) = self.times(place, line, &mut row, found.as_deref())?;
        if let (start, Some(end)) = (start.unwrap_or(0.0), end)
            && start >= end
        {
            return Err(wrong(format!("{} ends at {end} s, before it starts at {start} s", given.display())));
        }
        let id = match row.optional(Meaning::Id) {
            Some(id) => id,
            None => {
                let name = self.name_of(place, &given);
                start.map_or(name.clone(), |start| format!("{name}@{start}"))
            }
        };
        let here = (self.lists.len() - 1, line);
        if let Some((list, first)) = self.lines.insert(id.clone(), here) {
            let of = if list == here.0 { String::new() } else { format!(" of {}", self.lists[list].display()) };
            return Err(wrong(format!(
                "the id `{id}` is that of line {first}{of} already; give every row an id of its own"
            )));
        }
        let (sex_given, split) = (row.optional(Meaning::Sex), row.optional(Meaning::Split));
        let split = split.or_else(|| place.split.map(str::to_owned));
        let sex = sex_given.as_deref().and_then(Sex::parse);
        let part = split.as_deref().and_then(Part::parse);
        for (column, text, known) in [("sex", &sex_given, sex.is_some()), ("split", &split, part.is_some())] {
            if let (Some(text), false) = (text, known) {
                let (values, _) = self.unknown.entry(column).or_insert_with(|| (BTreeMap::new(), line));
                *values.entry(text.clone()).or_default() += 1;
            }
        }
        let speaker = row.optional(Meaning::Speaker);
        match &speaker {
            Some(_) => self.speakers.1 += 1,
            None => self.speakers.0.push(line),
        }
        let Some(path) = found else {
            self.missing.push(Missing { list: place.list.to_owned(), line, id, given, tried });
            return Ok(());
        };
        self.utterances.push(Utterance {
            speaker,
            sex,
            session: row.optional(Meaning::Session),
            text: row.optional(Meaning::Text),
            take: row.optional(Meaning::Take),
            intensity: row.optional(Meaning::Intensity),
            split,
            part,
            start,
            end,
            ..Utterance::new(id, path, label)
        });
        Ok(())
    }

    /// The recording, and where it was looked for first: from the list's folder, then from the root.
    fn find(&self, given: &Path, folder: &Path) -> (Option<PathBuf>, PathBuf) {
        let first = folder.join(given);
        let second = self.options.root.as_ref().map(|root| root.join(given));
        let found = [Some(first.clone()), second].into_iter().flatten().find(|path| path.is_file());
        (found, first)
    }

    /// The id of a row that has none: its path below the list's folder or the root, without extension.
    fn name_of(&self, place: &Place<'_>, given: &Path) -> String {
        let roots = [Some(place.folder), self.options.root.as_deref()];
        let below = roots.into_iter().flatten().find_map(|root| {
            let root = std::path::absolute(root).ok()?;
            given.strip_prefix(root).ok()
        });
        let mut parts: Vec<String> = Vec::new();
        for component in below.unwrap_or(given).with_extension("").components() {
            match component {
                Component::Normal(part) => parts.push(part.to_string_lossy().into_owned()),
                Component::ParentDir => drop(parts.pop()),
                _ => {}
            }
        }
        // Lists of several parts may name their recordings alike.
        parts.splice(0..0, place.split.map(str::to_owned));
        parts.join("/")
    }

    /// Start and end in seconds.
    fn times(
        &mut self,
        place: &Place<'_>,
        line: u64,
        row: &mut Row<'_>,
        recording: Option<&Path>,
    ) -> Result<(Option<f64>, Option<f64>), CorpusError> {
        let mut seconds = |meaning, what: &str| {
            let Some(text) = row.optional(meaning) else { return Ok(None) };
            let wanted = "a number of seconds or a duration like 0 days 00:00:01.5 is wanted";
            seconds::parse(&text).map_err(|()| place.wrong(line, format!("the {what} `{text}` is no time: {wanted}")))
        };
        let start = seconds(Meaning::Start, "start")?;
        let (end, stop) = (seconds(Meaning::End, "end")?, seconds(Meaning::Stop, "stop")?);
        let duration = if start.is_some() { seconds(Meaning::Duration, "duration")? } else { None };
        if let (None, Some(stop)) = (end, stop) {
            // SpeechBrain counts samples.
            let rate = recording.and_then(|path| self.rate(path));
            return Ok(rate.map_or((None, None), |rate| (start.map(|s| s / rate), Some(stop / rate))));
        }
        Ok((start, end.or_else(|| Some(start? + duration?))))
    }

    fn rate(&mut self, path: &Path) -> Option<f64> {
        let probe = || seraudio::probe(path).ok().map(|info| info.rate);
        self.rates.entry(path.to_owned()).or_insert_with(probe).map(f64::from)
    }

    /// Refuses lists of which no recording is there.
    fn check_found(&self) -> Result<(), CorpusError> {
        let (true, Some(first)) = (self.utterances.is_empty(), self.missing.first()) else { return Ok(()) };
        let also = self
            .options
            .root
            .as_ref()
            .map_or_else(String::new, |root| format!(" and {}", root.join(&first.given).display()));
        let hint = match (first.given.is_absolute(), root_above(&first.tried, &first.given, &folder_of(&first.list))) {
            (_, Some(root)) => format!("it is there below {0}: --root {0}", root.display()),
            (true, None) => "the paths are of another machine: change them to start from the list's folder".to_owned(),
            (false, None) => "--root DIR says which folder the paths start from".to_owned(),
        };
        let message = format!(
            "none of its {} recordings is there; the first was looked for at {}{also}; {hint}",
            self.missing.len(),
            first.tried.display()
        );
        Err(CorpusError::file(&first.list, message))
    }

    fn findings(&mut self, list: &Path) -> Vec<Finding> {
        let mut findings: Vec<Finding> = std::mem::take(&mut self.missing)
            .into_iter()
            .map(|Missing { list, line, id, tried, .. }| {
                let message = format!("{} does not exist: {id} was left out", tried.display());
                Finding::new(Severity::Error, FindingKind::Missing, message).at(list).line(line)
            })
            .collect();
        findings.extend(std::mem::take(&mut self.unknown).into_iter().map(|(column, (values, line))| {
            let then = match column {
                "split" => "they are in no part; train, validation and test are known",
                _ => "it counts as not given; female and male are known",
            };
            let count: usize = values.values().sum();
            let values = values.keys().take(8).map(|value| format!("`{value}`")).collect::<Vec<_>>().join(", ");
            let message = format!("{count} rows have the {column} {values}: {then}");
            Finding::new(Severity::Warning, FindingKind::UnknownValue, message).at(list).line(line)
        }));
        let (without, with) = std::mem::take(&mut self.speakers);
        if with > 0 && !without.is_empty() {
            let message = format!(
                "{} of {} rows have no speaker, so folds that share no speaker cannot be made; fill it in, or leave the rows out; lines",
                without.len(),
                with + without.len()
            );
            let lines = without.iter().map(u64::to_string).collect();
            findings.push(Finding::new(Severity::Warning, FindingKind::MissingValue, message).of(lines).at(list));
        }
        findings
    }
}

/// A row's values by their meaning.
struct Row<'a> {
    row: Vec<Cell>,
    columns: &'a Columns,
}

impl Row<'_> {
    fn take(&mut self, meaning: Meaning) -> Cell {
        let place = self.columns.get(meaning);
        place.and_then(|place| self.row.get_mut(place)).map(std::mem::take).unwrap_or_default()
    }

    /// A value that is needed.
    fn text(&mut self, meaning: Meaning) -> Result<Option<String>, String> {
        let text = match self.take(meaning) {
            Cell::Text(text) => text.trim().to_owned(),
            Cell::Empty => return Ok(None),
            Cell::Nested => return Err(format!("`{}` is neither text nor a number", columns::name(meaning))),
        };
        if text.len() > limits::VALUE_BYTES {
            return Err(format!("a {} of more than {} bytes", columns::name(meaning), limits::VALUE_BYTES));
        }
        Ok(Some(text).filter(|text| !text.is_empty()))
    }

    /// A value that may be missing: as programs write that nothing is there, or anything that is no text.
    fn optional(&mut self, meaning: Meaning) -> Option<String> {
        const NONE: [&str; 6] = ["nan", "none", "null", "n/a", "<na>", "nat"];
        let text = self.text(meaning).ok().flatten()?;
        (!NONE.contains(&text.to_ascii_lowercase().as_str())).then_some(text)
    }
}

/// The path of a list with `/` between its parts, where no file has that name as it stands; a variable in front, as SpeechBrain has it
/// (`{data_root}/a.wav`), stands for the root.
fn plain_path(given: &str, folder: &Path) -> PathBuf {
    let variable = given.strip_prefix('{').and_then(|rest| rest.split_once('}')).map(|(_, rest)| rest);
    let variable =
        variable.or_else(|| given.strip_prefix('$').and_then(|rest| rest.find(['/', '\\']).map(|at| &rest[at..])));
    let given = variable.map_or(given, |rest| rest.trim_start_matches(['/', '\\']));
    if given.contains('\\') && !folder.join(given).is_file() {
        return PathBuf::from(given.replace('\\', "/"));
    }
    PathBuf::from(given)
}

/// The nearest folder above the list's that the path starts from.
fn root_above(tried: &Path, given: &Path, folder: &Path) -> Option<PathBuf> {
    if given.is_absolute() || tried.is_file() {
        return None;
    }
    let full = std::path::absolute(folder).ok()?;
    let working = std::env::current_dir().ok();
    let above = full.ancestors().skip(1).take(5).filter(|root| root.parent().is_some()).map(Path::to_owned);
    above.chain(working).find(|root| root.join(given).is_file())
}

/// A file of another extension may be a list all the same: its first bytes are those of text.
fn looks_like_text(path: &Path) -> bool {
    use std::io::Read;
    let mut head = Vec::new();
    let read = std::fs::File::open(path).and_then(|file| file.take(512).read_to_end(&mut head));
    read.is_ok() && !head.is_empty() && head.iter().all(|byte| *byte >= 0x20 || byte.is_ascii_whitespace())
}
