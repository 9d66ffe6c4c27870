//! Answers as text.

use std::{io::IsTerminal, path::Path};

use anstream::{AutoStream, ColorChoice};
use comfy_table::{Cell, Color, Table, presets};

use crate::{
    answer::Answer,
    output::{self, Kind},
    predict::segments::{Segment, segments},
};

/// How answers are written.
#[derive(Debug, Clone, Copy, PartialEq, Eq, clap::ValueEnum)]
pub enum Format {
    /// For people.
    Table,
    /// A JSON object a line.
    Jsonl,
    /// Comma-separated, with a header.
    Csv,
    /// An Audacity label track.
    Audacity,
    /// A Praat TextGrid with one interval tier.
    Textgrid,
    /// Subtitles.
    Srt,
}

impl Format {
    /// Whether a file in this format describes one recording.
    pub fn is_of_one(self) -> bool {
        matches!(self, Self::Audacity | Self::Textgrid | Self::Srt)
    }

    /// How a file in this format begins.
    pub fn kind(self) -> Kind {
        match self {
            Self::Table => output::TABLE,
            Self::Jsonl => output::ANSWERS_JSONL,
            Self::Csv => output::ANSWERS_CSV,
            Self::Audacity => output::AUDACITY,
            Self::Textgrid => output::TEXTGRID,
            Self::Srt => output::SRT,
        }
    }

    /// As on the command line.
    pub fn name(self) -> String {
        format!("{self:?}").to_lowercase()
    }
}

/// Writes answers recording by recording.
pub struct Writer<'a> {
    format: Format,
    labels: &'a [String],
    table: Table,
    /// The text is coloured, though there may be no terminal.
    coloured: bool,
    stdout: bool,
}

impl<'a> Writer<'a> {
    /// `stdout`: that is where the text goes, so it may be coloured.
    pub fn new(format: Format, labels: &'a [String], stdout: bool) -> Self {
        let mut table = Table::new();
        table.load_style(presets::NOTHING);
        // Knows NO_COLOR, CLICOLOR_FORCE and terminals.
        let coloured = stdout && AutoStream::choice(&std::io::stdout()) != ColorChoice::Never;
        if coloured {
            table.enforce_styling();
        }
        let header = ["recording", "from", "to", "emotion", "confidence"].map(str::to_owned);
        table.set_header(header.iter().chain(labels));
        Self { format, labels, table, coloured, stdout }
    }

    /// What comes before the first recording.
    pub fn begin(&self) -> String {
        match self.format {
            Format::Csv => csv_line(["path", "start", "end", "label", "confidence"].into_iter().chain(self.columns())),
            _ => String::new(),
        }
    }

    fn columns(&self) -> impl Iterator<Item = &str> {
        self.labels.iter().map(String::as_str)
    }

    /// One recording's answers.
    pub fn recording(&mut self, path: &Path, answers: &[Answer]) -> String {
        let path = path.display().to_string();
        match self.format {
            Format::Table => {
                answers.iter().for_each(|answer| self.row(&path, answer));
                String::new()
            }
            Format::Jsonl => answers.iter().map(|answer| self.json(&path, answer)).collect(),
            Format::Csv => answers.iter().map(|answer| self.csv(&path, answer)).collect(),
            Format::Audacity => {
                let line = |s: &Segment| Some(format!("{:.6}\t{:.6}\t{}\n", s.start, s.end, s.text.as_deref()?));
                self.segments(answers).iter().filter_map(line).collect()
            }
            Format::Srt => {
                let segments = self.segments(answers).into_iter();
                let spoken = segments.filter_map(|s| Some((s.start, s.end, s.text?)));
                let block = |(i, (start, end, text)): (usize, (f64, f64, String))| {
                    format!("{}\n{} --> {}\n{text}\n\n", i + 1, srt_time(start), srt_time(end))
                };
                spoken.enumerate().map(block).collect()
            }
            Format::Textgrid => textgrid(&self.segments(answers)),
        }
    }

    /// What comes after the last recording.
    pub fn end(&self) -> String {
        match self.format {
            // Colours that were asked for stay.
            Format::Table if self.coloured && !std::io::stdout().is_terminal() => format!("{}\n", self.table),
            Format::Table if self.stdout => format!("{}\n", output::table(self.table.clone())),
            Format::Table => format!("{}\n", output::unpadded(&self.table)),
            _ => String::new(),
        }
    }

    fn segments(&self, answers: &[Answer]) -> Vec<Segment> {
        segments(answers, |answer| answer.verdict.as_ref().map(|_| answer.word(self.labels).to_owned()))
    }

    /// Green where the model is sure, yellow where it abstains, grey where nobody speaks.
    fn row(&mut self, path: &str, answer: &Answer) {
        let colour = match &answer.verdict {
            None => Color::DarkGrey,
            Some(verdict) if verdict.unknown => Color::Yellow,
            Some(verdict) if verdict.confidence() >= 0.8 => Color::Green,
            Some(_) => Color::Reset,
        };
        let mut row = vec![
            Cell::new(path),
            Cell::new(format!("{:.2}", answer.start)),
            Cell::new(format!("{:.2}", answer.end)),
            Cell::new(answer.word(self.labels)).fg(colour),
        ];
        if let Some(verdict) = &answer.verdict {
            row.push(Cell::new(format!("{:.2}", verdict.confidence())).fg(colour));
            row.extend(verdict.probabilities.iter().map(|p| Cell::new(format!("{p:.2}"))));
        }
        self.table.add_row(row);
    }

    fn json(&self, path: &str, answer: &Answer) -> String {
        // Neither keys nor values of a line can fail to be written.
        serde_json::to_string(&answer.line(Some(path), self.labels)).unwrap_or_default() + "\n"
    }

    fn csv(&self, path: &str, answer: &Answer) -> String {
        let number = |p: f32| format!("{p:.6}");
        let (start, end) = (format!("{:.3}", answer.start), format!("{:.3}", answer.end));
        let mut fields = vec![path.to_owned(), start, end, answer.word(self.labels).to_owned()];
        match &answer.verdict {
            Some(verdict) => {
                fields.push(number(verdict.confidence()));
                fields.extend(verdict.probabilities.iter().map(|&p| number(p)));
            }
            None => fields.resize(5 + self.labels.len(), String::new()),
        }
        csv_line(fields.iter().map(String::as_str))
    }
}

fn csv_line<'f>(fields: impl Iterator<Item = &'f str>) -> String {
    let mut writer = csv::Writer::from_writer(Vec::new());
    // Writing to memory cannot fail, and fields are text already.
    let written = writer.write_record(fields).ok().and_then(|()| writer.into_inner().ok());
    String::from_utf8(written.unwrap_or_default()).unwrap_or_default()
}

fn srt_time(seconds: f64) -> String {
    let ms = (seconds * 1000.0).round() as u64;
    format!("{:02}:{:02}:{:02},{:03}", ms / 3_600_000, ms / 60_000 % 60, ms / 1000 % 60, ms % 1000)
}

/// Praat's long text form, Praat manual, "TextGrid file formats".
fn textgrid(segments: &[Segment]) -> String {
    let end = segments.last().map_or(0.0, |s| s.end);
    let head = format!(
        "File type = \"ooTextFile\"\nObject class = \"TextGrid\"\n\nxmin = 0\nxmax = {end:.6}\ntiers? <exists>\nsize = 1\n\
         item []:\n    item [1]:\n        class = \"IntervalTier\"\n        name = \"emotion\"\n        xmin = 0\n        \
         xmax = {end:.6}\n        intervals: size = {}\n",
        segments.len()
    );
    let interval = |(i, s): (usize, &Segment)| {
        format!(
            "        intervals [{}]:\n            xmin = {:.6}\n            xmax = {:.6}\n            text = \"{}\"\n",
            i + 1,
            s.start,
            s.end,
            s.text.as_deref().unwrap_or("").replace('"', "\"\"")
        )
    };
    head + &segments.iter().enumerate().map(interval).collect::<String>()
}
