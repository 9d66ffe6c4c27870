#![doc = include_str!("../README.md")]
#![forbid(unsafe_code)]

mod card;
mod error;
mod model;

pub use card::{Card, Figure};
pub use error::ModelError;
pub use model::{Features, Model, Prediction};
