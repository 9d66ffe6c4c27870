//! The run folder.

mod environment;
mod fold_file;
pub mod provenance;
pub mod run_dir;

pub use environment::Environment;
pub use fold_file::{FoldFile, fold_path};
pub use provenance::Maker;
pub use run_dir::{Prediction, RunDir};
