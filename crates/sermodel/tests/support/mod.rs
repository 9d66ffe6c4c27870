//! A small untrained model and sounds to ask it about.

#![allow(dead_code, clippy::unwrap_used)]

use std::f64::consts::TAU;

use serengine::{Settings, streams};
use sermfcc::FrontEnd;
use sermodel::{Card, Model};
use timnet_core::ModelConfig;

/// Three blocks, three classes, `timnet-0.8.1`, two seconds.
pub fn model() -> Model {
    let layout = ModelConfig::timnet(3, 3).layout().unwrap();
    let weights = streams::initial(&layout.into(), streams::Key { seed: 5, fold: 0 });
    let card = Card::new(["angry", "neutral", "sad"], FrontEnd::preset("timnet-0.8.1").unwrap(), 44_100);
    Model::new(weights, card).unwrap()
}

pub fn tone(rate: u32, seconds: f64) -> Vec<f32> {
    let samples = (f64::from(rate) * seconds) as usize;
    (0..samples).map(|i| (0.3 * (TAU * 330.0 * i as f64 / f64::from(rate)).sin()) as f32).collect()
}

/// Something like a voice: a pulse train of a wandering 120 Hz through three formants of a vowel, three syllables a
/// second.
pub fn voice(rate: u32, seconds: f64) -> Vec<f32> {
    let (rate, samples) = (f64::from(rate), (f64::from(rate) * seconds) as usize);
    let formants = [(700.0, 90.0), (1220.0, 110.0), (2600.0, 160.0)];
    let mut state = [[0.0f64; 2]; 3];
    let mut phase = 0.0;
    let mut out = Vec::with_capacity(samples);
    for i in 0..samples {
        let t = i as f64 / rate;
        phase += 120.0 * (1.0 + 0.15 * (TAU * 0.7 * t).sin()) / rate;
        let pulse = if phase >= 1.0 { 1.0 } else { 0.0 };
        phase %= 1.0;
        let mut sum = 0.0;
        for (s, (centre, width)) in state.iter_mut().zip(formants) {
            let r = (-std::f64::consts::PI * width / rate).exp();
            let y = pulse + 2.0 * r * (TAU * centre / rate).cos() * s[0] - r * r * s[1];
            *s = [y, s[0]];
            sum += y;
        }
        let syllable = (0.5 - 0.5 * (TAU * 3.0 * t).cos()).powf(0.5);
        out.push((0.05 * sum * syllable) as f32);
    }
    out
}
