//! The hash of settings against literal values, and the text it is made of.

#![allow(clippy::unwrap_used)]

use sermfcc::{Centre, Dct, DctNorm, Floor, FrontEnd, Log, LogScale, Mel, MelNorm, MelScale, PRESETS, Shape, Window};

/// A front end that shares no choice with any preset.
fn other() -> FrontEnd {
    FrontEnd {
        rate: 16_000,
        resampler: "none\nn_fft=1".into(),
        n_fft: 400,
        hop: 160,
        centre: Centre::Edge,
        power: 1.0,
        coefficients: 13,
        lifter: 22.0,
        window: Window { shape: Shape::Blackman, length: 399, periodic: false },
        mel: Mel { bands: 40, scale: MelScale::Htk, norm: MelNorm::None, low: 20.5, high: Some(7600.0) },
        log: Log { scale: LogScale::Natural, least: 1e-6, floor: Floor::Fixed(-13.8) },
        dct: Dct { kind: 3, norm: DctNorm::None },
    }
}

/// Features and models on disk carry these hashes, so they must not change by accident. Expected, in Python:
///
/// ```python
/// import struct
/// real = lambda x: struct.pack(">d", x).hex()
/// def text(rate, resampler, n_fft, hop, centre, power, coefficients, lifter, window, mel, log, dct):
///     values = [("rate", rate), ("resampler", "%d:%s" % (len(resampler), resampler)), ("n_fft", n_fft), ("hop", hop),
///               ("centre", centre), ("power", real(power)), ("coefficients", coefficients), ("lifter", real(lifter))]
///     values += zip(["window.shape", "window.length", "window.periodic"], window)
///     values += zip(["mel.bands", "mel.scale", "mel.norm", "mel.low", "mel.high"], mel)
///     values += zip(["log.scale", "log.least", "log.floor"], log)
///     values += zip(["dct.type", "dct.norm"], dct)
///     return "sermfcc front end, version 2\n" + "".join("%s=%s\n" % pair for pair in values)
/// def fnv(text):
///     h = 0x6c62272e07bb014262b821756295c58d
///     for b in text.encode():
///         h = (h ^ b) * 0x1000000000000000000013b % 2**128
///     return "%032x" % h
/// mel, log, dct = (128, "slaney", "slaney", real(0), "none"), ("decibel", real(1e-10), "below-maximum:" + real(80)), (2, "ortho")
/// rest = dict(rate=22050, n_fft=2048, power=2, coefficients=39, lifter=0, mel=mel, log=log, dct=dct)
/// hann = dict(hop=512, window=("hann", 2048, "true"), **rest)
/// hamming = dict(hop=276, window=("hamming", 1102, "true"), **rest)
/// print(fnv(text(resampler="kaiser_best-0.2", centre="reflect", **hann)))
/// print(fnv(text(resampler="kaiser_best-0.3", centre="zeros", **hann)))
/// print(fnv(text(resampler="soxr_hq", centre="zeros", **hann)))
/// print(fnv(text(resampler="kaiser_best-0.2", centre="reflect", **hamming)))
/// print(fnv(text(16000, "none\nn_fft=1", 400, 160, "edge", 1, 13, 22, ("blackman", 399, "false"),
///                (40, "htk", "none", real(20.5), real(7600)), ("natural", real(1e-6), "fixed:" + real(-13.8)), (3, "none"))))
/// ```
#[test]
fn hashes_are_those_written_down() {
    let found: Vec<String> =
        PRESETS.iter().map(|(name, _)| FrontEnd::preset(name).unwrap()).chain([other()]).map(|f| f.hash()).collect();
    assert_eq!(
        found,
        [
            "ddf83bb2faa9431d94af96468c3caf9a",
            "d594c878780370cb9c36591f329cc3cb",
            "f5c084b59d4387badc20ad0c79151586",
            "7bb1d047192645e316d5d3c6fa18546f",
            "a2a38c86c84337b223a9bde6c90e00ef"
        ]
    );
}

/// Every setting changes the text, and with it the hash.
#[test]
fn every_setting_is_in_the_text() {
    let (a, b) = (FrontEnd::default(), other());
    let line = |text: &str, key: &str| {
        let rest = &text[text.find(&format!("\n{key}=")).unwrap() + 1..];
        rest.lines().next().unwrap().to_owned()
    };
    let differences = a.differences(&b);
    assert_eq!(differences.len(), 21);
    for difference in differences {
        assert_ne!(line(&a.canonical(), difference.key), line(&b.canonical(), difference.key));
    }
}

#[test]
fn zero_has_one_text() {
    let mut minus = FrontEnd::default();
    (minus.mel.low, minus.lifter) = (-0.0, -0.0);
    assert_eq!(minus, FrontEnd::default());
    assert_eq!(minus.hash(), FrontEnd::default().hash());
    assert_eq!(minus.differences(&FrontEnd::default()), []);
}
