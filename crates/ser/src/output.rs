//! Where data goes, and progress.

use std::{
    fs::{self, File},
    io::{ErrorKind, IsTerminal, Read},
    path::{Path, PathBuf},
};

use comfy_table::{ContentArrangement, Row, Table, presets};
use indicatif::{ProgressBar, ProgressDrawTarget};

use crate::failure::{Failure, Result};

/// A kind of file that a command writes, told by the first bytes.
#[derive(Clone, Copy, Debug)]
pub struct Kind {
    name: &'static str,
    is: fn(&[u8]) -> bool,
}

/// A model file: safetensors with this project's metadata, behind the eight bytes of the header's length.
pub const MODEL: Kind =
    Kind { name: "a model file", is: |b| b.get(8..).is_some_and(|b| b.starts_with(b"{\"__metadata__\":{\"timnet\":")) };
/// An array of NumPy.
pub const ARRAY: Kind = Kind { name: "a .npy file", is: |b| b.starts_with(b"\x93NUMPY") };
/// An ONNX graph: its first field is the version of the format.
pub const ONNX: Kind = Kind { name: "an ONNX file", is: |b| b.starts_with(b"\x08") };
/// A picture.
pub const SVG: Kind = Kind { name: "an SVG picture", is: |b| b.starts_with(b"<svg") };
/// A page of `ser man`.
pub const MAN: Kind = Kind { name: "a manual page", is: |b| b.starts_with(b".ie \\n(.g") };
/// A table of `ser predict`.
pub const TABLE: Kind = Kind { name: "a table of answers", is: |b| b.starts_with(b" recording ") };
/// Answers of `ser predict`.
pub const ANSWERS_CSV: Kind = Kind { name: "a CSV file of answers", is: |b| b.starts_with(b"path,start,end,label,") };
/// Answers of `ser predict`.
pub const ANSWERS_JSONL: Kind = Kind { name: "a JSONL file of answers", is: |b| b.starts_with(b"{\"path\":") };
/// A label track of Audacity: start, end, label.
pub const AUDACITY: Kind = Kind { name: "a label track", is: is_label_track };
/// A TextGrid of Praat.
pub const TEXTGRID: Kind = Kind { name: "a TextGrid", is: |b| b.starts_with(b"File type = \"ooTextFile\"") };
/// Subtitles.
pub const SRT: Kind = Kind { name: "a file of subtitles", is: |b| b.starts_with(b"1\n0") };
/// A list of `ser corpus export`.
pub const EXPORT_CSV: Kind = Kind { name: "an exported CSV list", is: |b| b.starts_with(b"id,path,label,") };
/// A list of `ser corpus export`.
pub const EXPORT_JSONL: Kind = Kind { name: "an exported JSONL list", is: |b| b.starts_with(b"{\"id\":") };
/// Folds of `ser corpus split`.
pub const FOLDS: Kind = Kind { name: "a file of folds", is: |b| b.starts_with(b"id,fold,part") };
/// Names of the rows of an array, one a line.
pub const NAMES: Kind = Kind { name: "a list of names", is: |b| !b.contains(&0) };

/// Two times with six decimals, as `ser predict` writes them.
fn is_label_track(bytes: &[u8]) -> bool {
    let line = String::from_utf8_lossy(bytes);
    let mut fields = line.split('\t');
    let mut time = || fields.next().is_some_and(|t| t.split_once('.').is_some_and(|(_, decimals)| decimals.len() == 6));
    time() && time()
}

/// As many bytes tell the kind of a file.
const HEAD: u64 = 64;

/// Where the result of a command goes: to stdout, or to a file that may be written.
#[derive(Debug)]
pub struct Target {
    file: Option<PathBuf>,
    kind: Kind,
}

impl Target {
    /// A file of that kind: a new one, or one of the same kind that is replaced.
    ///
    /// # Errors
    /// A file that the command reads (`inputs`), a file of another kind, a folder.
    pub fn file<'a>(path: &Path, kind: Kind, inputs: impl IntoIterator<Item = &'a Path>) -> Result<Self> {
        Self::new(Some(path), kind, inputs)
    }

    /// As [`Self::file`]; stdout where there is no path.
    ///
    /// # Errors
    /// As there.
    pub fn new<'a>(path: Option<&Path>, kind: Kind, inputs: impl IntoIterator<Item = &'a Path>) -> Result<Self> {
        let target = Self { file: path.map(Path::to_owned), kind };
        let Some(place) = target.place()? else { return Ok(target) };
        if inputs.into_iter().any(|input| fs::canonicalize(input).is_ok_and(|input| input == place)) {
            return Err(Failure::Input(format!(
                "{}: this command reads that file and would overwrite it; give another output file",
                target.name()
            )));
        }
        Ok(target)
    }

    /// Writes the file whole or not at all, or to stdout.
    ///
    /// # Errors
    /// Those of the file system; a file that came to be there in the meantime and is of another kind.
    pub fn write(&self, bytes: &[u8]) -> Result<()> {
        match &self.file {
            // Where the path is a link, the file that it leads to.
            Some(path) => save(&self.place()?.unwrap_or_else(|| path.clone()), bytes),
            None => print_bytes(bytes),
        }
    }

    fn name(&self) -> String {
        self.file.as_deref().map_or_else(|| "stdout".to_owned(), |path| path.display().to_string())
    }

    /// The file that will be replaced, links followed; none if there is nothing.
    fn place(&self) -> Result<Option<PathBuf>> {
        let Some(path) = &self.file else { return Ok(None) };
        let refused = |what: &str| Err(Failure::Input(format!("{}: {what}; give another output file", path.display())));
        let failed = |e: std::io::Error| Failure::Work(format!("{}: {e}", path.display()));
        let metadata = match fs::metadata(path) {
            Err(e) if e.kind() == ErrorKind::NotFound => {
                return if fs::symlink_metadata(path).is_ok() {
                    refused("is a link that leads nowhere")
                } else {
                    Ok(None)
                };
            }
            other => other.map_err(failed)?,
        };
        if metadata.is_dir() {
            return refused("is a folder");
        }
        if !metadata.is_file() {
            // A pipe or a device is written to, not replaced.
            return Ok(None);
        }
        let mut head = Vec::new();
        File::open(path).and_then(|file| file.take(HEAD).read_to_end(&mut head)).map_err(failed)?;
        if !head.is_empty() && !(self.kind.is)(&head) {
            return refused(&format!("is there already and is not {}, so it is not overwritten", self.kind.name));
        }
        fs::canonicalize(path).map(Some).map_err(failed)
    }
}

/// Writes a file of the program's own, whole or not at all.
///
/// # Errors
/// Those of the file system.
pub fn save(path: &Path, bytes: &[u8]) -> Result<()> {
    serrun::write_atomic(path, bytes).map_err(|e| Failure::Work(format!("cannot write {}: {e}", path.display())))
}

/// Bytes to stdout. A closed pipe is the reader's choice, not a failure.
///
/// # Errors
/// Those of stdout.
pub fn print_bytes(bytes: &[u8]) -> Result<()> {
    sercli::print_bytes(bytes).map_err(Failure::work)
}

/// A table as text for stdout: fitted to the terminal, cells wrapped; without a terminal nothing is padded, and two blanks or `|`
/// stand between cells.
pub fn table(mut table: Table) -> String {
    if std::io::stdout().is_terminal() {
        table.set_content_arrangement(ContentArrangement::Dynamic);
        let text = table.to_string();
        return text.lines().map(str::trim_end).collect::<Vec<_>>().join("\n");
    }
    unpadded(&table)
}

/// The cells of a table as they are, in the style of the table: Markdown, or with blanks between them.
pub fn unpadded(table: &Table) -> String {
    let markdown = table.style() == presets::ASCII_MARKDOWN;
    let line = |row: &Row| {
        let cells: Vec<String> = row.cell_iter().map(|cell| cell.content().replace('\n', " ")).collect();
        if markdown {
            format!("| {} |", cells.join(" | "))
        } else {
            format!(" {}", cells.join("  ")).trim_end().to_owned()
        }
    };
    let mut lines = Vec::new();
    if let Some(header) = table.header() {
        lines.push(line(header));
        if markdown {
            lines.push(format!("|{}", "---|".repeat(header.cell_count())));
        }
    }
    lines.extend(table.row_iter().map(line));
    lines.join("\n")
}

/// A line of text to stdout.
///
/// # Errors
/// Those of stdout.
pub fn print(text: &impl std::fmt::Display) -> Result<()> {
    print_bytes(format!("{text}\n").as_bytes())
}

/// JSON to stdout.
///
/// # Errors
/// Those of stdout.
pub fn print_json(value: &impl serde::Serialize) -> Result<()> {
    print(&serde_json::to_string_pretty(value).map_err(Failure::work)?)
}

/// Runs `work` with a bar on a terminal.
pub fn with_progress<T>(work: impl FnOnce(&(dyn Fn(usize, usize) + Sync)) -> T) -> T {
    let terminal = std::io::stderr().is_terminal() && sercli::shows_progress();
    let target = if terminal { ProgressDrawTarget::stderr() } else { ProgressDrawTarget::hidden() };
    let bar = ProgressBar::with_draw_target(None, target);
    let result = work(&|done, total| {
        bar.set_length(total as u64);
        bar.set_position(done as u64);
    });
    bar.finish_and_clear();
    result
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn nothing_is_padded_without_a_terminal() {
        let table = |preset| {
            let mut table = Table::new();
            table.load_style(preset);
            table.set_header(["recording", "emotion"]).add_row(["a/very/long/name.wav", "sad"]).add_row(["b", ""]);
            table
        };
        assert_eq!(unpadded(&table(presets::NOTHING)), " recording  emotion\n a/very/long/name.wav  sad\n b");
        let markdown = "| recording | emotion |\n|---|---|\n| a/very/long/name.wav | sad |\n| b |  |";
        assert_eq!(unpadded(&table(presets::ASCII_MARKDOWN)), markdown);
    }
}
