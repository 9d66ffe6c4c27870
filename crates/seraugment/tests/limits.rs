//! Parameters and samples that are no numbers or beyond all measure: an error, neither a panic nor a plausible recording.

use seraugment::{
    Augmenter, Axis, Draw, Law, Mask, Range, add_at_snr, band_limit, codec, gain, impulse_response, masks,
};

const DRAW: Draw = Draw { seed: 46, epoch: 2, utterance: 17 };
const WRONG: [f64; 4] = [f64::NAN, f64::INFINITY, f64::NEG_INFINITY, 1e300];

#[test]
fn parameters_that_are_no_numbers_are_errors() {
    for value in WRONG {
        for (refused, part) in [
            (gain(&[0.5], value), "gain"),
            (add_at_snr(&[0.5], &[0.1], value), "signal-to-noise"),
            (impulse_response(value, 0.0, 16_000, DRAW), "RT60"),
            (impulse_response(0.3, value, 16_000, DRAW), "direct"),
        ] {
            let refused = refused.unwrap_err().to_string();
            assert!(refused.contains(part), "{value}: {refused}");
        }
        // Shares are cut to what there is.
        assert!(masks(DRAW, 10, 3, Range { low: value, high: value }).iter().all(|m| m.start + m.width <= 10));
    }
    for rate in [0, u32::MAX] {
        assert!(impulse_response(5.0, 0.0, rate, DRAW).is_err());
        let refused = Augmenter::new("room=5".parse().unwrap(), rate, None).unwrap_err().to_string();
        assert!(refused.contains(&format!("rate in Hz = {rate}")), "{refused}");
    }
}

/// Clipping makes 1 of infinity, 16 bits make silence of NaN: a broken recording would look whole.
#[test]
fn samples_that_are_no_numbers_are_errors() {
    for value in [f32::NAN, f32::INFINITY] {
        let samples = [0.1, 0.2, value, 0.3];
        for refused in [
            gain(&samples, 3.0),
            add_at_snr(&samples, &[0.1; 4], 10.0),
            add_at_snr(&[0.1; 4], &samples, 10.0),
            codec(&samples, 16_000, 8000, Law::A),
            band_limit(&samples, 16_000, 16_000),
        ] {
            assert_eq!(
                refused.unwrap_err().to_string(),
                format!("sample 2 is {value}; only finite samples can be augmented")
            );
        }
    }
}

#[test]
fn masks_of_any_size_pass() {
    for (start, width) in [(usize::MAX, 2), (1, usize::MAX), (0, 0)] {
        for axis in [Axis::Time, Axis::Coefficient] {
            for coefficients in [0, 1, 3, 100] {
                let mut features = [1.0, 2.0, 3.0, 4.0, 5.0, 6.0];
                Mask { axis, start, width }.apply(&mut features, coefficients);
                assert!(features.iter().all(|x| x.is_finite()));
            }
        }
    }
}
