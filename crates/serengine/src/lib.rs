#![doc = include_str!("../README.md")]
#![forbid(unsafe_code)]

mod adam;
mod data;
mod engine;
mod error;
mod facts;
mod layout;
mod loss;
mod numbers;
mod objective;
mod setting;
mod state;
pub mod streams;
mod weights;

pub use adam::{Adam, RateSchedule};
pub use data::{Batch, Dataset, check_indices};
pub use engine::{Engine, Predictions, StepOutcome};
pub use error::EngineError;
pub use facts::{EngineFacts, TrainingInputs, sha256_of};
pub use layout::{Init, Layout, Range, Settings, Site, Tensor};
pub use loss::Loss;
pub use numbers::{argmax, first_not_finite, log_softmax, softmax};
pub use objective::{L2, Objective};
pub use setting::SettingError;
pub use state::TrainState;
pub use weights::{Weights, WeightsError};
