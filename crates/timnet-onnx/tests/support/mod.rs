//! The networks of the fixture: small ones of every variant, with running statistics that matter.

#![allow(clippy::unwrap_used)]

use std::collections::BTreeMap;

use ndarray::{Array2, Array3};
use timnet_core::{Layout, ModelConfig, TcnPooling, Variant, streams};
use timnet_native::Network;

/// One network, a batch of inputs and what `timnet-native` answers.
pub struct Case {
    pub name: String,
    pub onnx: Vec<u8>,
    /// [batch, frames, coefficients]
    pub mfcc: Array3<f32>,
    /// [batch, classes]
    pub probabilities: Array2<f32>,
}

/// Every variant, the TCN with both poolings, with other batches and lengths each.
pub fn cases() -> Vec<Case> {
    let mut configs: Vec<ModelConfig> = Variant::ALL.map(|v| ModelConfig::of(v, 3, 4)).into();
    configs.push(ModelConfig { tcn_pooling: TcnPooling::Mean, ..ModelConfig::of(Variant::Tcn, 2, 3) });
    configs.into_iter().enumerate().map(|(i, config)| case(i, ModelConfig { coefficients: 6, ..config })).collect()
}

fn case(i: usize, config: ModelConfig) -> Case {
    let layout = Layout::new(&config);
    let draw = |fold, n: usize| -> Vec<f32> {
        let values = streams::initial(&config, streams::Key { seed: 11 + i as u64, fold }).parameters;
        values.into_iter().filter(|v| *v != 0.0 && *v != 1.0).cycle().take(n).collect()
    };
    let mut weights = streams::initial(&config, streams::Key { seed: 1 + i as u64, fold: 0 });
    weights.parameters.iter_mut().zip(draw(1, layout.trainable())).for_each(|(p, d)| *p += 0.3 * d);
    // Answers far from one another, so that a small mistake shows.
    for range in [Some(layout.head), layout.fusion].into_iter().flatten() {
        weights.parameters[range.all()].iter_mut().for_each(|p| *p *= 6.0);
    }
    weights.statistics.iter_mut().zip(draw(2, layout.statistics())).for_each(|(s, d)| *s = (*s + d).abs());
    let (batch, frames, c) = (1 + i % 3, 9 + 8 * i, config.coefficients);
    let mfcc = Array3::from_shape_vec((batch, frames, c), draw(3, batch * frames * c)).unwrap() * 3.0;
    let temperature = [1.0, 1.7][i % 2];
    let mut name = config.variant.name().to_owned();
    if config.tcn_pooling == TcnPooling::Mean {
        name.push_str("-mean");
    }
    let classes = config.classes;
    let network = Network::from_weights(&weights).unwrap();
    let mut probabilities = Vec::new();
    for utterance in mfcc.outer_iter() {
        let logits = network.forward(utterance.to_owned().as_slice().unwrap(), frames).unwrap().logits;
        let raised: Vec<f64> = logits.iter().map(|&l| (f64::from(l) / temperature).exp()).collect();
        probabilities.extend(raised.iter().map(|r| (r / raised.iter().sum::<f64>()) as f32));
    }
    let metadata = BTreeMap::from([("name".to_owned(), name.clone())]);
    Case {
        onnx: timnet_onnx::export(&weights, temperature, &metadata).unwrap(),
        name,
        mfcc,
        probabilities: Array2::from_shape_vec((batch, classes), probabilities).unwrap(),
    }
}
