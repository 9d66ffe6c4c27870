//! Contributions and occlusion mean what they say.

#![allow(clippy::unwrap_used)]

mod support;

use serengine::{Settings, streams};
use sermodel::Model;
use support::{model, tone};
use timnet_core::{ModelConfig, Variant};

#[test]
fn contributions_add_up_to_the_logit() {
    for variant in Variant::ALL {
        let layout = ModelConfig::of(variant, 4, 3).layout().unwrap();
        let weights = streams::initial(&layout.into(), streams::Key { seed: 3, fold: 0 });
        let model = Model::new(weights, model().card().clone()).unwrap();
        let output = model.predict(&tone(16_000, 1.0), 16_000).unwrap().output;
        for class in 0..3 {
            let parts = model.contributions(&output, class);
            let sum = parts.blocks.iter().sum::<f64>() + parts.bias;
            let logit = f64::from(output.logits[class]);
            assert!(
                (sum - logit).abs() < 1e-4 * logit.abs().max(1.0),
                "{variant}, class {class}: {sum} is not {logit}"
            );
        }
    }
}

/// A tone between 0.55 and 0.95 s of two seconds of silence: only the two stretches that touch it can matter.
#[test]
fn occlusion_finds_the_only_sound_there_is() {
    let model = model();
    let mut samples = vec![0.0; 44_100];
    samples[12_128..20_948].copy_from_slice(&tone(22_050, 0.4));
    let class = model.predict(&samples, 22_050).unwrap().label;
    let spans = model.occlusion(&samples, 22_050, class, 0.25).unwrap();
    assert_eq!(spans.len(), 8);
    assert!(spans.windows(2).all(|w| w[0].end == w[1].start) && spans[0].start == 0.0 && spans[7].end == 2.0);
    for span in &spans {
        let within = span.start < 0.9 && span.end > 0.6;
        assert_eq!(span.effect != 0.0, within, "{span:?}");
    }
    // One stretch over everything is the difference from silence.
    let all = model.occlusion(&samples, 22_050, class, 2.0).unwrap();
    let silence = model.predict(&vec![0.0; 44_100], 22_050).unwrap().probabilities[class];
    let whole = model.predict(&samples, 22_050).unwrap().probabilities[class];
    assert_eq!((all.len(), all[0].effect), (1, whole - silence));
    for stretch in [f64::NAN, f64::INFINITY, 0.0, 1e-6] {
        assert!(model.occlusion(&samples, 22_050, class, stretch).is_err(), "{stretch}");
    }
    // Of a class that is not there every stretch had no effect.
    assert!(model.occlusion(&samples, 22_050, 3, 2.0).unwrap_err().to_string().contains("class 3"));
}
