//! Any text as a front end: an error, or features without NaN and infinity.

#![no_main]

use libfuzzer_sys::fuzz_target;
use sermfcc::{Extractor, FrontEnd};

fuzz_target!(|text: &str| {
    let Ok(front_end) = FrontEnd::from_toml(text) else { return };
    let written = front_end.to_toml().expect("a valid front end can be written");
    let again = FrontEnd::from_toml(&written).expect("what was written can be read");
    assert_eq!(again.fingerprint(), front_end.fingerprint());
    // Large tables are slow and show nothing that small ones do not.
    if front_end.n_fft > 4096 || front_end.n_mels > 256 {
        return;
    }
    let extractor = Extractor::<f32>::new(&front_end).expect("a valid front end can be built");
    let signal: Vec<f32> = (0..6000).map(|n| (n as f32 * 0.1).sin()).collect();
    if let Ok(mfcc) = extractor.mfcc(&signal) {
        assert!(mfcc.iter().all(|value| value.is_finite()));
    }
});
