//! Which systems there are.

use serrun::System;
use timnet_core::Variant;

use crate::nearest;

/// The names of all systems, TIM-Net first.
pub fn systems() -> impl Iterator<Item = &'static str> {
    Variant::ALL.into_iter().rev().map(Variant::name)
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
