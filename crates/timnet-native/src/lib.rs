#![doc = include_str!("../README.md")]
#![deny(unsafe_code)]

mod backward;
mod engine;
mod forward;
mod head;
mod kernels;
mod network;
mod pack;

pub use engine::{NUMERICS_VERSION, NativeEngine, facts};
pub use kernels::Simd;
pub use network::{Network, Output};
