#![doc = include_str!("../README.md")]
#![forbid(unsafe_code)]

mod checkpoint;
mod files;
mod fold;
mod pool;
mod protocol;
mod store;

pub use checkpoint::{CheckpointError, Trajectory};
pub use files::{create_folder, is_partial, sync_folder, write_atomic};
pub use fold::{
    EpochRecord, FoldOutcome, FoldTask, Schedule, Scored, Selected, TrainError, train_fold, train_unscored,
};
pub use pool::{PoolError, side_by_side};
pub use protocol::{Protocol, UnknownProtocol};
pub use store::{Claim, Entry, FoldStore, StoreError};
