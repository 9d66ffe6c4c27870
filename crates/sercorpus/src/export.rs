use std::io::Write;
use std::path::Path;

use serde::Serialize;

use crate::inspect::{Progress, probe_all};
use crate::{Corpus, CorpusError};

/// A row of an export; the columns of a manifest and what the recording's header says.
#[derive(Serialize)]
struct Row<'a> {
    id: &'a str,
    path: &'a Path,
    label: &'a str,
    speaker: Option<&'a str>,
    sex: Option<&'static str>,
    session: Option<&'a str>,
    text: Option<&'a str>,
    seconds: Option<f64>,
    rate: Option<u32>,
    channels: Option<u32>,
}

/// How to write an export.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
#[non_exhaustive]
pub enum ExportFormat {
    /// Comma-separated values with a header line.
    Csv,
    /// A JSON object a line.
    Jsonl,
}

impl std::str::FromStr for ExportFormat {
    type Err = String;

    fn from_str(name: &str) -> Result<Self, Self::Err> {
        match name.to_ascii_lowercase().as_str() {
            "csv" => Ok(Self::Csv),
            "jsonl" => Ok(Self::Jsonl),
            _ => Err(format!("unknown export format `{name}`: csv or jsonl wanted")),
        }
    }
}

/// Write id, path, label, speaker, sex, session, text, seconds, rate and channels of each utterance, in official
/// order. What is not known is empty (CSV) or null (JSONL); seconds, rate and channels come from the headers of recordings.
///
/// # Errors
/// Writing fails.
pub fn export(
    corpus: &Corpus,
    format: ExportFormat,
    out: &mut dyn Write,
    progress: Progress<'_>,
) -> Result<(), CorpusError> {
    let headers = probe_all(corpus, progress);
    let rows = corpus.utterances.iter().zip(headers).map(|(u, header)| Row {
        id: &u.id,
        path: &u.path,
        label: &u.label,
        speaker: u.speaker.as_deref(),
        sex: u.sex.map(crate::Sex::name),
        session: u.session.as_deref(),
        text: u.text.as_deref(),
        seconds: u.seconds(header.as_ref().and_then(|h| h.seconds())),
        rate: header.as_ref().map(|h| h.rate),
        channels: header.as_ref().map(|h| h.channels),
    });
    let result = match format {
        ExportFormat::Csv => {
            let mut csv = csv::Writer::from_writer(out);
            rows.into_iter()
                .try_for_each(|row| csv.serialize(row))
                .map_err(std::io::Error::from)
                .and_then(|()| csv.flush())
        }
        ExportFormat::Jsonl => rows.into_iter().try_for_each(|row| {
            serde_json::to_writer(&mut *out, &row)?;
            out.write_all(b"\n")
        }),
    };
    result.map_err(CorpusError::io("export"))
}
