#![doc = include_str!("../README.md")]
#![forbid(unsafe_code)]

mod checkpoint;
mod fold;
mod pool;
mod store;

pub use checkpoint::{CheckpointError, Trajectory};
pub use fold::{FoldOutcome, FoldTask, Schedule, Selected, TrainError, train_fold, train_unscored};
pub use pool::{PoolError, side_by_side};
pub use serrun::{EpochRecord, Scored};
pub use store::{Claim, Entry, FoldStore, StoreError};
