//! From finished folds to figures and tables.

mod cells;
#[cfg(test)]
mod published;
mod summary;
pub mod tables;
mod terminal;

pub use cells::scored;
pub use terminal::{print, show};
