#![doc = include_str!("../README.md")]
#![forbid(unsafe_code)]

mod engine;
mod network;

pub use engine::TorchEngine;
pub use network::{Activations, Network};
/// The libtorch binding this crate was built with.
pub use tch;
pub use timnet_core::{ModelConfig, TcnPooling, Variant, Weights};
