//! Which systems there are.

use serrun::System;
use timnet_core::Variant;

use crate::nearest;

/// The systems that TIM-Net is compared with, which libtorch computes. Each has a file in `configs/systems`.
const COMPARED: [&str; 3] = ["gm-tcn", "cpac", "light-sernet"];

/// Epochs of the published trainings of each of [`COMPARED`].
pub const COMPARED_EPOCHS: u32 = 300;

/// The names of all systems, TIM-Net first.
pub fn systems() -> impl Iterator<Item = &'static str> {
    Variant::ALL.into_iter().rev().map(Variant::name).chain(COMPARED)
}

/// Whether a system is one that TIM-Net is compared with.
pub fn is_compared(system: &System) -> bool {
    COMPARED.contains(&system.as_str())
}

/// A system by its name.
///
/// # Errors
/// A name that is no system's, with the nearest that is.
pub fn known_system(name: &str) -> Result<System, String> {
    match name.parse() {
        Ok(system) if systems().any(|known| known == name) => Ok(system),
        _ => Err(format!(
            "unknown system `{}`{}; there are {}",
            name.escape_debug(),
            nearest::hint(name, systems()),
            systems().collect::<Vec<_>>().join(", ")
        )),
    }
}
