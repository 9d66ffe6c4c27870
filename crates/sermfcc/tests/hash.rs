//! The hash of settings against literal values, and the text it is made of.

#![allow(clippy::unwrap_used)]

use sermfcc::{AminRule, DctNorm, DeltaRule, Floor, Framing, FrontEnd, LogScale, MelNorm, MelScale, PadMode, Window};

/// A front end that shares no choice with any preset.
fn other() -> FrontEnd {
    FrontEnd::librosa_0_10().with(|f| {
        (f.sample_rate, f.resampler) = (16_000, "none\nn_fft=1".into());
        (f.n_fft, f.hop_length, f.win_length) = (400, 160, Some(399));
        (f.window, f.periodic, f.pad_mode, f.power) = (Window::Blackman, false, PadMode::Edge, 1.0);
        (f.n_mels, f.fmin, f.fmax) = (40, 20.5, Some(7600.0));
        (f.mel_scale, f.mel_norm) = (MelScale::Htk, MelNorm::None);
        (f.log_scale, f.amin, f.top_db) = (LogScale::Natural, 1e-6, Floor::Fixed(-13.8));
        (f.dct_type, f.dct_norm, f.n_mfcc, f.lifter) = (3, DctNorm::None, 13, 22.0);
    })
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
/// rest = dict(rate=22050, n_fft=2048, power=2, lifter=0, mel=mel, log=log, dct=dct)
/// hann = dict(hop=512, window=("hann", 2048, "true"), **rest)
/// hamming = dict(hop=276, window=("hamming", 1102, "true"), **rest)
/// for coefficients in 20, 39:
///     print(fnv(text(resampler="kaiser_best-0.2", centre="reflect", coefficients=coefficients, **hann)))
///     print(fnv(text(resampler="kaiser_best-0.3", centre="zeros", coefficients=coefficients, **hann)))
///     print(fnv(text(resampler="soxr_hq", centre="zeros", coefficients=coefficients, **hann)))
/// print(fnv(text(resampler="kaiser_best-0.2", centre="reflect", coefficients=39, **hamming)))
/// print(fnv(text(16000, "none\nn_fft=1", 400, 160, "edge", 1, 13, 22, ("blackman", 399, "false"),
///                (40, "htk", "none", real(20.5), real(7600)), ("natural", real(1e-6), "fixed:" + real(-13.8)), (3, "none"))))
/// ```
#[test]
fn hashes_are_those_written_down() {
    for (front_end, hash) in [
        (FrontEnd::librosa_0_8_1(), "2ef3b6a343cd704b1df53e07e469b8d4"),
        (FrontEnd::librosa_0_9(), "64038d9c787612dd3a4ebca8b75d5331"),
        (FrontEnd::librosa_0_10(), "76e09bedfbf1c2722a8758e2b53084b0"),
        (FrontEnd::timnet_0_8_1(), "ddf83bb2faa9431d94af96468c3caf9a"),
        (FrontEnd::timnet_0_9(), "d594c878780370cb9c36591f329cc3cb"),
        (FrontEnd::timnet_0_10(), "f5c084b59d4387badc20ad0c79151586"),
        (FrontEnd::timnet_paper(), "7bb1d047192645e316d5d3c6fa18546f"),
        (other(), "a2a38c86c84337b223a9bde6c90e00ef"),
    ] {
        assert_eq!(front_end.fingerprint(), hash, "{:?}", front_end.preset_name());
    }
    // What is not centred has no padding, whatever its mode.
    let uncentred = FrontEnd::librosa_0_10().with(|f| f.center = false);
    assert!(uncentred.canonical().contains("\ncentre=none\n"));
    assert_eq!(uncentred.fingerprint(), uncentred.with(|f| f.pad_mode = PadMode::Edge).fingerprint());
}

/// Every setting changes the text, on its line alone, and with it the hash.
#[test]
fn every_setting_is_in_the_text() {
    type Change = fn(&mut FrontEnd, FrontEnd);
    let changes: [(&str, Change); 23] = [
        ("rate", |f, o| f.sample_rate = o.sample_rate),
        ("resampler", |f, o| f.resampler = o.resampler),
        ("hop", |f, o| f.hop_length = o.hop_length),
        ("centre", |f, _| f.center = false),
        ("centre", |f, o| f.pad_mode = o.pad_mode),
        ("power", |f, o| f.power = o.power),
        ("coefficients", |f, o| f.n_mfcc = o.n_mfcc),
        ("lifter", |f, o| f.lifter = o.lifter),
        ("n_fft", |f, o| (f.win_length, f.n_fft) = (Some(f.n_fft), o.n_fft)),
        ("window.shape", |f, o| f.window = o.window),
        ("window.length", |f, o| f.win_length = o.win_length),
        ("window.periodic", |f, o| f.periodic = o.periodic),
        ("mel.bands", |f, o| f.n_mels = o.n_mels),
        ("mel.scale", |f, o| f.mel_scale = o.mel_scale),
        ("mel.norm", |f, o| f.mel_norm = o.mel_norm),
        ("mel.low", |f, o| f.fmin = o.fmin),
        ("mel.high", |f, o| f.fmax = o.fmax),
        ("log.scale", |f, o| f.log_scale = o.log_scale),
        ("log.least", |f, o| f.amin = o.amin),
        ("log.floor", |f, o| f.top_db = o.top_db),
        ("log.floor", |f, _| f.top_db = Floor::None),
        ("dct.type", |f, o| f.dct_type = o.dct_type),
        ("dct.norm", |f, o| f.dct_norm = o.dct_norm),
    ];
    let base = FrontEnd::librosa_0_8_1();
    for (key, change) in changes {
        let changed = base.clone().with(|f| change(f, other()));
        let (old, new) = (base.canonical(), changed.canonical());
        let same = old.lines().zip(new.lines()).take_while(|(a, b)| a == b).count();
        let line = new.lines().nth(same).unwrap();
        assert!(line.starts_with(&format!("{key}=")), "{key}: {line}");
        assert_ne!(base.fingerprint(), changed.fingerprint());
        assert_ne!(base, changed);
    }
}

/// The lines of what came later, each as the documentation of `canonical` says, in the order of the fields; none for librosa.
#[test]
fn later_settings_have_lines_where_they_are_not_librosas() {
    let librosa = FrontEnd::librosa_0_10().canonical();
    assert!(librosa.ends_with("\ndct.norm=ortho\n"));
    // struct.pack(">d", x).hex() of 32768, 0.97, 0.5, 1, 10.
    let [scale, a, half, one, ten] =
        ["40e0000000000000", "3fef0a3d70a3d70a", "3fe0000000000000", "3ff0000000000000", "4024000000000000"];
    let kaldi = FrontEnd::kaldi_mfcc().with(|f| {
        (f.framing, f.drop_last_frame, f.spectrum_scale) = (Framing::Rounded, true, 0.5);
        (f.amin_rule, f.log_gain, f.log_offset, f.energy_floor) = (AminRule::Add, 0.5, 1.0, 1.0);
        (f.c0_last, f.clip, f.delta_order, f.delta_rule, f.delta_width) = (true, 10.0, 2, DeltaRule::Regression, 5);
    });
    let text = kaldi.canonical();
    let (before, later) = text.split_once("dct.norm=ortho\n").unwrap();
    assert!(before.contains("\ncentre=none\n") && before.contains("\nwindow.shape=povey\n"), "{before}");
    assert_eq!(
        later,
        format!(
            "sample_scale={scale}\nframing=rounded:symmetric\ndrop_last_frame=true\nremove_mean=true\npre_emphasis=frame:{a}\n\
             spectrum_scale={half}\nmel_triangles=mel\nmel_bins=below-nyquist\namin_rule=add\nlog_gain={half}\nlog_offset={one}\n\
             lifter_start=0\nc0=raw-energy\nenergy_floor={one}\nc0_last=true\nclip={ten}\ndelta_order=2\ndelta_rule=regression\n\
             delta_width=5\n"
        )
    );
}

#[test]
fn zero_has_one_text() {
    let minus = FrontEnd::default().with(|f| (f.fmin, f.lifter) = (-0.0, -0.0));
    assert_eq!(minus, FrontEnd::default());
    assert_eq!(minus.fingerprint(), FrontEnd::default().fingerprint());
    assert_eq!(minus.differences(&FrontEnd::default()), []);
}
