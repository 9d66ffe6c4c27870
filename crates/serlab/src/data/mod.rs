//! From corpora to utterance lists and features.

mod arrays;
pub mod cache;
mod extract;
pub mod features;
mod fingerprint;
pub mod folds;
mod matrices;
mod roster;
pub mod sources;

pub use features::{Features, Size};
pub use roster::Roster;
pub use sources::Sources;
