use std::fmt;
use std::path::PathBuf;

use serde::Serialize;

/// How much a [`Finding`] matters.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Serialize)]
#[serde(rename_all = "lowercase")]
pub enum Severity {
    /// Worth knowing; the corpus is as it should be.
    Note,
    /// Suspicious.
    Warning,
    /// The corpus is not what it should be.
    Error,
}

/// What a [`Finding`] is about.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, Serialize)]
#[serde(rename_all = "kebab-case")]
#[non_exhaustive]
pub enum FindingKind {
    /// Recordings of the original that are not here.
    Missing,
    /// Recordings that the original does not have.
    Surplus,
    /// The same recording more than once, by name; one was taken.
    Copy,
    /// Files or folders left out on purpose: hidden ones, songs, video, dialogs.
    Skipped,
    /// Audio whose name does not fit the corpus.
    Unrecognised,
    /// Recordings of kinds that are not read.
    NotRead,
    /// How folders were read, where they could be read otherwise.
    Layout,
    /// Labels that differ in letter case or blanks only and became one class.
    MergedLabels,
    /// An optional value that some rows lack and others have.
    MissingValue,
    /// A segment that starts or ends behind the end of its recording.
    BeyondEnd,
    /// A label that the corpus does not know.
    UnknownLabel,
    /// A line that cannot be read.
    Malformed,
    /// A value of an optional column that is not known.
    UnknownValue,
    /// A file or folder that cannot be opened.
    Unreadable,
    /// A symbolic link that leads back to a folder above it.
    SymlinkLoop,
    /// A file name that is not UTF-8.
    NonUtf8,
    /// A file of no bytes, or of no samples.
    Empty,
    /// A Git LFS pointer instead of the recording.
    LfsPointer,
    /// Content that is no audio.
    NotAudio,
    /// Audio of a kind that is not read.
    Unsupported,
    /// Less audio than the header counts.
    Truncated,
    /// A recording that cannot be decoded.
    Damaged,
    /// A header that does not say the length of the recording.
    OpenEnded,
    /// Other samples than `samples.sha256` of the corpus lists.
    Altered,
    /// Nothing but zeros.
    Silent,
    /// Not the rate of the original.
    WrongRate,
    /// Suspiciously equal lengths, or a mean duration that does not fit: a modified copy.
    ModifiedDurations,
    /// Different names, the same audio.
    DuplicateContent,
}

impl FindingKind {
    pub(crate) fn concerns_completeness(self) -> bool {
        matches!(self, Self::Missing | Self::Surplus)
    }
}

/// Something to be said about a corpus.
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
#[non_exhaustive]
pub struct Finding {
    /// How much it matters.
    pub severity: Severity,
    /// What it is about.
    pub kind: FindingKind,
    /// The file or folder, where it concerns one.
    pub path: Option<PathBuf>,
    /// The line in that file, counted from 1.
    pub line: Option<u64>,
    /// What is wrong and, where there is something to do, what to do.
    pub message: String,
    /// All ids or paths it concerns, where there are several.
    pub items: Vec<String>,
}

impl Finding {
    /// Is it to be said whenever the corpus is opened? Warnings and errors are, and how folders were read.
    #[must_use]
    pub fn is_told(&self) -> bool {
        self.severity > Severity::Note || matches!(self.kind, FindingKind::Layout | FindingKind::NotRead)
    }

    pub(crate) fn new(severity: Severity, kind: FindingKind, message: impl Into<String>) -> Self {
        Self { severity, kind, path: None, line: None, message: message.into(), items: Vec::new() }
    }

    pub(crate) fn at(mut self, path: impl Into<PathBuf>) -> Self {
        self.path = Some(path.into());
        self
    }

    pub(crate) fn line(mut self, line: u64) -> Self {
        self.line = Some(line);
        self
    }

    /// Attach the things concerned; the message shows the first few.
    pub(crate) fn of(mut self, items: Vec<String>) -> Self {
        const SHOWN: usize = 6;
        let more = items.len().saturating_sub(SHOWN);
        self.message.push_str(": ");
        self.message.push_str(&items[..items.len() - more].join(", "));
        if more > 0 {
            self.message.push_str(&format!(" and {more} more"));
        }
        self.items = items;
        self
    }
}

/// `error: path:line: message`
impl fmt::Display for Finding {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let severity = match self.severity {
            Severity::Note => "note",
            Severity::Warning => "warning",
            Severity::Error => "error",
        };
        write!(f, "{severity}: ")?;
        if let Some(path) = &self.path {
            write!(f, "{}:", path.display())?;
            if let Some(line) = self.line {
                write!(f, "{line}:")?;
            }
            f.write_str(" ")?;
        }
        f.write_str(&self.message)
    }
}
