//! Which systems there are.

use serrun::System;
use timnet_core::Variant;

use crate::nearest;

/// The systems that TIM-Net is compared with, which libtorch computes. Each has a file in `configs/systems`.
const COMPARED: [&str; 3] = ["gm-tcn", "cpac", "light-sernet"];

/// Epochs of the published trainings of each of [`COMPARED`].
const COMPARED_EPOCHS: u32 = 300;

/// The names of all systems, TIM-Net first.
pub fn systems() -> impl Iterator<Item = &'static str> {
    Variant::ALL.into_iter().rev().map(Variant::name).chain(COMPARED)
}

/// Whether a system is one that TIM-Net is compared with.
pub fn is_compared(system: &System) -> bool {
    COMPARED.contains(&system.as_str())
}

/// Epochs of a system's published training; those of TIM-Net are `timnet`.
pub fn published_epochs(system: &System, timnet: u32) -> u32 {
    if is_compared(system) { COMPARED_EPOCHS } else { timnet }
}

/// A system by its name.
///
/// # Errors
/// A name that is no system's, with the nearest that is.
pub fn known_system(name: &str) -> Result<System, String> {
    match name.parse() {
        Ok(system) if systems().any(|known| known == name) => Ok(system),
        _ => Err(unknown("system", name, &systems().collect::<Vec<_>>())),
    }
}

/// What is said of a name that is none of `known`: with the nearest that is.
pub fn unknown(what: &str, name: &str, known: &[&str]) -> String {
    let hint = nearest::hint(name, known.iter().copied());
    format!("unknown {what} `{}`{hint}; there are {}", name.escape_debug(), known.join(", "))
}
