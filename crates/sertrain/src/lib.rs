#![doc = include_str!("../README.md")]
#![forbid(unsafe_code)]

mod checkpoint;
mod files;
mod fold;
mod protocol;

pub use checkpoint::CheckpointError;
pub use files::{create_folder, is_partial, sync_folder, write_atomic};
pub use fold::{
    EpochRecord, FoldOutcome, FoldTask, Schedule, Scored, Selected, TrainError, train_fold, train_unscored,
};
pub use protocol::{Protocol, UnknownProtocol};
