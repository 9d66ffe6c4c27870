//! From finished folds to figures and tables.

mod cells;
mod metrics;
mod published;
mod summary;
pub mod tables;
mod terminal;

pub use published::Published;
pub use terminal::{print, show};
