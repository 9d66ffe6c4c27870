use std::collections::{BTreeMap, HashMap};
use std::path::{Component, Path, PathBuf};

use super::{LabelMap, OwnOptions, class_order, name_of, seconds};
use crate::corpus::{Part, Sex};
use crate::finding::{Finding, FindingKind, Severity};
use crate::{Corpus, CorpusError, Utterance};

/// Columns and the names they go by, in any case: those of this crate's exports, of EmoBox's JSONL files (key, wav,
/// emo) and of audformat tables (file, emotion).
const COLUMNS: &[(Column, &[&str])] = &[
    (Column::Path, &["path", "file", "filename", "wav", "audio"]),
    (Column::Label, &["label", "emotion", "emo", "class"]),
    (Column::Id, &["id", "key", "utterance", "sid"]),
    (Column::Speaker, &["speaker", "spk", "speaker_id"]),
    (Column::Sex, &["sex", "gender"]),
    (Column::Session, &["session"]),
    (Column::Text, &["text"]),
    (Column::Take, &["take"]),
    (Column::Intensity, &["intensity"]),
    (Column::Part, &["split", "part", "set", "partition"]),
    (Column::Start, &["start", "start_time"]),
    (Column::End, &["end", "end_time"]),
];

#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
enum Column {
    Path,
    Label,
    Id,
    Speaker,
    Sex,
    Session,
    Text,
    Take,
    Intensity,
    Part,
    Start,
    End,
}

fn column_of(name: &str) -> Option<Column> {
    let name = name.trim().trim_start_matches('\u{feff}');
    let by_name = |names: &[&str]| names.iter().any(|known| known.eq_ignore_ascii_case(name));
    COLUMNS.iter().find(|(_, names)| by_name(names)).map(|&(column, _)| column)
}

/// The fields of one line.
type Fields = HashMap<Column, String>;

/// Read a manifest: CSV, TSV (by extension) or JSONL. Path and label are needed; id, speaker, sex, session, text,
/// take, intensity, split, start and end may be given; other columns are ignored.
///
/// # Errors
/// Every error names file and line: a path or label missing, an id used twice, a path outside the root, a label that
/// the label map does not list, a start or end that is no number. A sex or split that is not known is a finding.
pub fn open_manifest(path: &Path, options: &OwnOptions) -> Result<Corpus, CorpusError> {
    let own_folder = || path.parent().filter(|p| !p.as_os_str().is_empty()).unwrap_or(Path::new(".")).to_owned();
    let root = options.root.clone().unwrap_or_else(own_folder);
    let mut reader = Reader { labels: options.labels.as_ref(), ..Reader::new(path, &root) };
    let extension = path.extension().map(|e| e.to_string_lossy().to_ascii_lowercase());
    match extension.as_deref() {
        Some("csv") => reader.delimited(b',')?,
        Some("tsv") => reader.delimited(b'\t')?,
        Some("jsonl" | "ndjson" | "json") => reader.jsonl()?,
        _ => {
            return Err(CorpusError::file(path, "is no manifest: .csv, .tsv or .jsonl wanted"));
        }
    }
    let findings = reader.findings();
    let utterances = reader.utterances;
    if utterances.is_empty() {
        return Err(CorpusError::file(path, "has no utterances"));
    }
    let mut corpus = Corpus {
        name: name_of(path, options),
        kind: None,
        root: root.clone(),
        labels: Vec::new(),
        utterances,
        findings,
    };
    class_order(&mut corpus, options.labels.as_ref().and_then(LabelMap::order));
    Ok(corpus)
}

struct Reader<'a> {
    manifest: &'a Path,
    root: &'a Path,
    labels: Option<&'a LabelMap>,
    utterances: Vec<Utterance>,
    lines: HashMap<String, u64>,
    missing: Vec<Finding>,
    /// Values of optional columns that are not known, by column and value: how often, and the first line.
    unknown: BTreeMap<(&'static str, String), (usize, u64)>,
}

impl<'a> Reader<'a> {
    fn new(manifest: &'a Path, root: &'a Path) -> Self {
        Self {
            manifest,
            root,
            labels: None,
            utterances: Vec::new(),
            lines: HashMap::new(),
            missing: Vec::new(),
            unknown: BTreeMap::new(),
        }
    }

    fn findings(&mut self) -> Vec<Finding> {
        let mut findings = std::mem::take(&mut self.missing);
        findings.extend(std::mem::take(&mut self.unknown).into_iter().map(|((column, value), (count, line))| {
            let then = match column {
                "split" => "they are in no part; train, validation and test are known",
                _ => "it counts as not given; female and male are known",
            };
            let message = format!("{count} rows have the {column} `{value}`: {then}");
            Finding::new(Severity::Warning, FindingKind::UnknownValue, message).at(self.manifest).line(line)
        }));
        findings
    }

    fn unknown(&mut self, column: &'static str, value: &str, line: u64) {
        self.unknown.entry((column, value.to_owned())).or_insert((0, line)).0 += 1;
    }

    fn wrong(&self, line: u64, message: impl Into<String>) -> CorpusError {
        CorpusError::line(self.manifest, line, message)
    }

    fn delimited(&mut self, delimiter: u8) -> Result<(), CorpusError> {
        let open = csv::ReaderBuilder::new().delimiter(delimiter).trim(csv::Trim::All).from_path(self.manifest);
        let mut csv = open.map_err(|error| self.csv_error(&error))?;
        let header = csv.headers().map_err(|error| self.csv_error(&error))?.clone();
        let columns: Vec<Option<Column>> = header.iter().map(column_of).collect();
        for (wanted, name) in [(Column::Path, "path"), (Column::Label, "label")] {
            if !columns.contains(&Some(wanted)) {
                let found = header.iter().collect::<Vec<_>>().join(", ");
                return Err(self.wrong(1, format!("no column `{name}` in the header ({found})")));
            }
        }
        let mut record = csv::StringRecord::new();
        while csv.read_record(&mut record).map_err(|error| self.csv_error(&error))? {
            let line = record.position().map_or(0, csv::Position::line);
            let fields = columns
                .iter()
                .zip(&record)
                .filter_map(|(column, value)| Some(((*column)?, value.to_owned())))
                .collect();
            self.add(line, fields)?;
        }
        Ok(())
    }

    fn csv_error(&self, error: &csv::Error) -> CorpusError {
        let line = error.position().map_or(1, csv::Position::line);
        match error.kind() {
            csv::ErrorKind::Io(io) => CorpusError::Io {
                path: self.manifest.to_owned(),
                source: std::io::Error::new(io.kind(), io.to_string()),
            },
            csv::ErrorKind::UnequalLengths { expected_len, len, .. } => {
                self.wrong(line, format!("{len} fields where the header has {expected_len}"))
            }
            csv::ErrorKind::Utf8 { .. } => self.wrong(line, "is not UTF-8"),
            _ => self.wrong(line, error.to_string()),
        }
    }

    fn jsonl(&mut self) -> Result<(), CorpusError> {
        use std::io::BufRead;
        let file = std::fs::File::open(self.manifest).map_err(CorpusError::io(self.manifest))?;
        for (line, text) in (1..).zip(std::io::BufReader::new(file).lines()) {
            let text = text.map_err(|error| match error.kind() {
                std::io::ErrorKind::InvalidData => self.wrong(line, "is not UTF-8"),
                _ => CorpusError::io(self.manifest)(error),
            })?;
            if text.trim().is_empty() {
                continue;
            }
            let object: serde_json::Map<String, serde_json::Value> =
                serde_json::from_str(&text).map_err(|error| self.wrong(line, format!("is no JSON object: {error}")))?;
            let mut fields = Fields::new();
            for (name, value) in object {
                let Some(column) = column_of(&name) else {
                    continue;
                };
                let value = match value {
                    serde_json::Value::String(text) => text,
                    serde_json::Value::Number(number) => number.to_string(),
                    serde_json::Value::Null => continue,
                    _ => {
                        return Err(self.wrong(line, format!("`{name}` is neither text nor a number")));
                    }
                };
                fields.insert(column, value);
            }
            self.add(line, fields)?;
        }
        Ok(())
    }

    fn add(&mut self, line: u64, mut fields: Fields) -> Result<(), CorpusError> {
        let mut take = |column| fields.remove(&column).map(|v| v.trim().to_owned()).filter(|v| !v.is_empty());
        let given = take(Column::Path).ok_or_else(|| self.wrong(line, "no path"))?;
        let label = take(Column::Label).ok_or_else(|| self.wrong(line, format!("{given} has no label")))?;
        let label = match self.labels.map(|map| map.translate(&label)) {
            None => label,
            Some(Ok(Some(label))) => label,
            Some(Ok(None)) => return Ok(()),
            Some(Err(message)) => return Err(self.wrong(line, message)),
        };
        let below = self.below_root(line, &given)?;
        let path = self.root.join(&below);
        let start = self.seconds(line, "start", take(Column::Start))?;
        let end = self.seconds(line, "end", take(Column::End))?;
        if let (start, Some(end)) = (start.unwrap_or(0.0), end)
            && start >= end
        {
            return Err(self.wrong(line, format!("{given} ends at {end} s, before it starts at {start} s")));
        }
        let id = take(Column::Id).unwrap_or_else(|| {
            let stem = below.with_extension("");
            let parts: Vec<_> = stem.iter().map(|part| part.to_string_lossy()).collect();
            let name = parts.join("/");
            start.map_or(name.clone(), |start| format!("{name}@{start}"))
        });
        if let Some(first) = self.lines.insert(id.clone(), line) {
            return Err(self.wrong(line, format!("the id `{id}` is that of line {first} already")));
        }
        let (sex_given, split) = (take(Column::Sex), take(Column::Part));
        let sex = sex_given.as_deref().and_then(Sex::parse);
        let part = split.as_deref().and_then(Part::parse);
        for (column, text, known) in [("sex", &sex_given, sex.is_some()), ("split", &split, part.is_some())] {
            if let (Some(text), false) = (text, known) {
                self.unknown(column, text, line);
            }
        }
        if !path.is_file() {
            let message = format!("{} does not exist: {id} was left out", path.display());
            self.missing
                .push(Finding::new(Severity::Error, FindingKind::Missing, message).at(self.manifest).line(line));
            return Ok(());
        }
        self.utterances.push(Utterance {
            speaker: take(Column::Speaker),
            sex,
            session: take(Column::Session),
            text: take(Column::Text),
            take: take(Column::Take),
            intensity: take(Column::Intensity),
            split,
            part,
            start,
            end,
            ..Utterance::new(id, path, label)
        });
        Ok(())
    }

    /// A path below the root, whether it was given so or from the top of the file system.
    fn below_root(&self, line: u64, given: &str) -> Result<PathBuf, CorpusError> {
        let outside = || self.wrong(line, format!("the path {given} leads outside the root {}", self.root.display()));
        let path = Path::new(given);
        let below = if path.is_absolute() {
            let root = std::path::absolute(self.root).map_err(CorpusError::io(self.root))?;
            path.strip_prefix(&root).map_err(|_| outside())?
        } else {
            path
        };
        let mut clean = PathBuf::new();
        for component in below.components() {
            match component {
                Component::Normal(part) => clean.push(part),
                Component::CurDir => {}
                Component::ParentDir if clean.pop() => {}
                _ => return Err(outside()),
            }
        }
        Ok(clean)
    }

    fn seconds(&self, line: u64, what: &str, text: Option<String>) -> Result<Option<f64>, CorpusError> {
        let Some(text) = text else { return Ok(None) };
        seconds::parse(&text).map_err(|()| self.wrong(line, format!("the {what} `{text}` is no time in seconds")))
    }
}
