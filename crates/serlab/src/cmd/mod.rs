//! The commands, a file each.

mod emit;
pub mod export;
pub mod merge;
pub mod reproduce;
pub mod show;
pub mod store;
