//! The run folder.

mod environment;
mod folds;
pub mod run_dir;

pub use environment::{environment, maker};
pub use folds::{finish, fold_path, read_fold};
pub use run_dir::RunDir;
