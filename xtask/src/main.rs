//! The orchestrator. It must never link libtorch: it is what sets libtorch up.
fn main() {}
