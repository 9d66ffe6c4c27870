//! Every tensor of a network: name, shape, place in the flat vector.

use timnet_core::{Layout, ModelConfig};

fn main() {
    let layout = Layout::new(&ModelConfig::timnet(8, 7));
    for tensor in layout.tensors.iter().chain(&layout.running) {
        eprintln!("{:<34} {:?} at {}", tensor.name, tensor.shape, tensor.range.start);
    }
    eprintln!("{} trainable parameters, {} statistics", layout.trainable(), layout.statistics());
}
