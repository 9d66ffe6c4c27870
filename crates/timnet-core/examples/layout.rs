//! Every tensor of a network: name, shape, place in the flat vector.

use serengine::Settings;
use timnet_core::ModelConfig;

fn main() -> Result<(), timnet_core::ConfigError> {
    let layout = ModelConfig::timnet(8, 7).layout()?;
    for tensor in layout.tensors().iter().chain(layout.running()) {
        eprintln!("{:<34} {:?} at {}", tensor.name, tensor.shape, tensor.range.start);
    }
    eprintln!("{} trainable parameters, {} statistics", layout.trainable(), layout.statistics());
    Ok(())
}
