#![doc = include_str!("../README.md")]
#![forbid(unsafe_code)]

pub mod caam;
mod capsules;
pub mod cpac;
mod error;
pub mod gm_tcn;
pub mod light_sernet;
mod parts;

pub use caam::{Caam, CaamConfig};
pub use cpac::{Cpac, CpacConfig};
pub use error::PeerError;
pub use gm_tcn::{GmTcn, GmTcnConfig};
pub use light_sernet::{LightSerNet, LightSerNetConfig};
