use std::path::PathBuf;

/// Why a corpus cannot be used at all. What can be worked around is a [`Finding`](crate::Finding) instead.
#[derive(Debug, thiserror::Error)]
#[non_exhaustive]
pub enum CorpusError {
    /// A file or folder cannot be opened.
    #[error("{path}: {source}")]
    Io {
        /// Which one.
        path: PathBuf,
        /// What the system says.
        source: std::io::Error,
    },
    /// The root is not a folder.
    #[error("{0}: not a folder; give the folder that the corpus was unpacked into")]
    NotAFolder(PathBuf),
    /// There is no recording of the corpus below the root.
    #[error(
        "{root}: no recording of {name} found ({seen}). Its files are laid out as {layout}. Source: {source_terms}"
    )]
    NoRecordings {
        /// Where was looked.
        root: PathBuf,
        /// The corpus looked for.
        name: &'static str,
        /// What was there instead.
        seen: String,
        /// How the corpus is laid out.
        layout: &'static str,
        /// Where to obtain it.
        source_terms: &'static str,
    },
    /// Nothing below the root looks like one of the six corpora.
    #[error(
        "{root}: none of casia, emodb, emovo, iemocap, ravdess, savee ({seen}){}",
        hint.as_ref().map_or_else(
            || "; name the corpus, or give a list of recordings and labels for one of your own".to_owned(),
            |hint| format!(", and {hint}")
        )
    )]
    NotRecognised {
        /// Where was looked.
        root: PathBuf,
        /// What was there.
        seen: String,
        /// Why it is no folder of class folders either, and what to do.
        hint: Option<String>,
    },
    /// The folders below the root can be read in several ways.
    #[error("{root}: {message}")]
    Ambiguous {
        /// Where was looked.
        root: PathBuf,
        /// The readings, and the options that choose.
        message: String,
    },
    /// A line of a manifest, label map or split file is wrong.
    #[error("{path}:{line}: {message}")]
    Line {
        /// The file.
        path: PathBuf,
        /// The line, counted from 1.
        line: u64,
        /// What is wrong, and what to do.
        message: String,
    },
    /// A file as a whole is wrong.
    #[error("{path}: {message}")]
    File {
        /// The file.
        path: PathBuf,
        /// What is wrong, and what to do.
        message: String,
    },
}

impl CorpusError {
    pub(crate) fn io(path: impl Into<PathBuf>) -> impl FnOnce(std::io::Error) -> Self {
        let path = path.into();
        move |source| Self::Io { path, source }
    }

    pub(crate) fn line(path: impl Into<PathBuf>, line: u64, message: impl Into<String>) -> Self {
        Self::Line { path: path.into(), line, message: message.into() }
    }

    pub(crate) fn file(path: impl Into<PathBuf>, message: impl Into<String>) -> Self {
        Self::File { path: path.into(), message: message.into() }
    }
}
