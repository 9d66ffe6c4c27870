//! The networks of the fixture: small ones of every variant, with running statistics that matter.

#![allow(clippy::unwrap_used)]

use std::{collections::BTreeMap, sync::Arc};

use ndarray::{Array2, Array3};
use serengine::{Settings, Weights, streams};
use timnet_core::{ModelConfig, Places, TcnPooling, Variant};
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

/// Every variant, the TCN with both poolings, with other batches and lengths each; TIM-Net and the TCN with more coefficients than
/// filters, and with one and three taps, too.
pub fn cases() -> Vec<Case> {
    let mut configs: Vec<ModelConfig> = Variant::ALL.map(|v| ModelConfig::of(v, 3, 4)).into();
    configs.push(ModelConfig { tcn_pooling: TcnPooling::Mean, ..ModelConfig::of(Variant::Tcn, 2, 3) });
    configs.iter_mut().for_each(|config| (config.coefficients, config.filters) = (6, 6));
    for variant in [Variant::TimNet, Variant::Tcn] {
        configs.push(ModelConfig { coefficients: 20, filters: 6, ..ModelConfig::of(variant, 3, 4) });
    }
    for (variant, kernel_size) in [(Variant::TimNet, 3), (Variant::Tcn, 1)] {
        configs.push(ModelConfig { coefficients: 6, filters: 6, kernel_size, ..ModelConfig::of(variant, 3, 4) });
    }
    configs.into_iter().enumerate().map(|(i, config)| case(i, config)).collect()
}

pub fn initial(config: &ModelConfig, seed: u64, fold: u32) -> Weights {
    streams::initial(&Arc::new(config.layout().unwrap()), streams::Key { seed, fold })
}

fn case(i: usize, config: ModelConfig) -> Case {
    let places = Places::of(&config);
    let draw = |fold, n: usize| -> Vec<f32> {
        let values = initial(&config, 11 + i as u64, fold).parameters;
        values.into_iter().filter(|v| *v != 0.0 && *v != 1.0).cycle().take(n).collect()
    };
    let mut weights = initial(&config, 1 + i as u64, 0);
    let (trainable, statistics) = (weights.parameters.len(), weights.statistics.len());
    weights.parameters.iter_mut().zip(draw(1, trainable)).for_each(|(p, d)| *p += 0.3 * d);
    // Answers far from one another, so that a small mistake shows.
    for range in [Some(places.head), places.fusion].into_iter().flatten() {
        weights.parameters[range.all()].iter_mut().for_each(|p| *p *= 6.0);
    }
    weights.statistics.iter_mut().zip(draw(2, statistics)).for_each(|(s, d)| *s = (*s + d).abs());
    let (batch, frames, c) = (1 + i % 3, 9 + 8 * i, config.coefficients);
    let mfcc = Array3::from_shape_vec((batch, frames, c), draw(3, batch * frames * c)).unwrap() * 3.0;
    let temperature = [1.0, 1.7][i % 2];
    let mut name = config.variant.name().to_owned();
    if config.tcn_pooling == TcnPooling::Mean {
        name.push_str("-mean");
    }
    if config.coefficients != config.filters {
        name.push_str("-wide");
    }
    if config.kernel_size != 2 {
        name.push_str(&format!("-taps{}", config.kernel_size));
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
