#![doc = include_str!("../README.md")]
#![forbid(unsafe_code)]

mod config;
mod engine;
mod facts;
mod layout;
mod numbers;
pub mod streams;
mod weights;

pub use config::{ConfigError, ModelConfig, TcnPooling, Variant};
pub use engine::{
    Adam, Batch, Dataset, Engine, EngineError, Objective, Predictions, StepOutcome, TrainState, check_indices,
};
pub use facts::{EngineFacts, TrainingInputs, sha256_of};
pub use layout::{Block, Init, Layout, Range, SubBlock, Tensor};
pub use numbers::{first_not_finite, log_softmax};
pub use weights::{Weights, WeightsError};
