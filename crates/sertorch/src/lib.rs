#![doc = include_str!("../README.md")]
#![forbid(unsafe_code)]

mod copies;
mod criterion;
mod engine;
mod network;
mod stack;
mod weights;

pub use copies::{NUMERICS_VERSION, facts};
pub use engine::TorchEngine;
pub use network::{Answer, Network, Pass};
pub use stack::StackedEngine;
/// The libtorch binding this crate was built with.
pub use tch;
pub use weights::DeviceWeights;
