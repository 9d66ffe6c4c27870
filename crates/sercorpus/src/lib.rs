//! Corpora of speech emotion recognition, from the folder they were unpacked into to folds.
//!
//! [`open`] reads one of the six corpora of the TIM-Net paper ([`CorpusKind`]) in whatever layout it lies:
//! recordings are told by name, in any letter case, nested or flattened; what is missing, surplus or odd is said in
//! [`Corpus::findings`]. Utterances come in the official order, so that [`split::kfold`] with the published seed
//! gives the published folds.
//!
//! ```no_run
//! use sercorpus::{CorpusKind, OpenOptions, open, split};
//!
//! let corpus = open(CorpusKind::Emodb, "data/emodb".as_ref(), &OpenOptions::default())?;
//! let folds = split::kfold(corpus.utterances.len(), 10, CorpusKind::Emodb.published_seed())?;
//! assert_eq!(folds[0].test.len(), 54);
//! # Ok::<(), Box<dyn std::error::Error>>(())
//! ```
//!
//! Recordings are opened by `seraudio` only, as for training. The crate knows neither features nor models.

mod adapters;
mod check;
mod corpus;
mod error;
mod export;
mod finding;
mod inspect;
mod kind;
mod limits;
mod name;
mod natural;
pub mod nearest;
mod open;
mod own;
mod plot;
mod sample_list;
mod scan;
pub mod split;
mod stats;
pub mod synth;
mod walk;

pub use check::{CheckReport, check};
pub use corpus::{Corpus, Part, Sex, Utterance};
pub use error::CorpusError;
pub use export::{ExportFormat, export};
pub use finding::{Finding, FindingKind, Severity};
pub use inspect::{ContentHash, Progress, content_hashes, probe_all};
pub use kind::{CorpusKind, UnknownCorpus};
pub use name::{BadCorpusName, CorpusName};
pub use natural::natural_cmp;

pub use open::{IemocapStyle, OpenOptions, detect, open};
pub use own::{
    LabelMap, Layout, OwnOptions, Unlisted, is_list, listed_recordings, open_any, open_folder, open_manifest,
};
pub use scan::scan;
pub use seraudio::Info;
pub use stats::{GroupStats, Stats, stats};
pub use walk::{extensions, recordings};
