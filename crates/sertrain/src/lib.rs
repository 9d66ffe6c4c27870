#![doc = include_str!("../README.md")]
#![forbid(unsafe_code)]

mod checkpoint;
mod fold;
mod pool;
mod store;
mod task;

pub use checkpoint::{CheckpointError, Trajectory};
pub use fold::{TrainError, train_fold, train_unscored};
pub use pool::{PoolError, side_by_side};
pub use serrun::{EpochRecord, Scored};
pub use store::{Claim, Entry, FoldStore, StoreError};
pub use task::{FoldOutcome, FoldTask, Schedule, Selected};
