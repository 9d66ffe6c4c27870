//! Each step against SciPy, Python's audioop, or physics.

use seraugment::{Axis, Draw, Law, Mask, NoiseBank, Range};

const DRAW: Draw = Draw { seed: 46, epoch: 2, utterance: 17 };
const RATE: u32 = 22_050;

fn energy(x: &[f32]) -> f64 {
    x.iter().map(|&v| f64::from(v).powi(2)).sum()
}

fn tone(hz: f64, seconds: f64, amplitude: f64) -> Vec<f32> {
    let step = std::f64::consts::TAU * hz / f64::from(RATE);
    (0..(seconds * f64::from(RATE)) as usize).map(|i| (amplitude * (step * i as f64).sin()) as f32).collect()
}

/// Power of `x` at `hz`.
fn power_at(x: &[f32], hz: f64) -> f64 {
    let step = std::f64::consts::TAU * hz / f64::from(RATE);
    let (mut re, mut im) = (0.0, 0.0);
    for (i, &v) in x.iter().enumerate() {
        re += f64::from(v) * (step * i as f64).cos();
        im += f64::from(v) * (step * i as f64).sin();
    }
    (re * re + im * im) / x.len() as f64
}

#[test]
fn the_measured_snr_is_the_one_asked_for() {
    let voice = tone(220.0, 1.3, 0.2);
    for (name, noise) in
        [("white", seraugment::white(voice.len(), DRAW)), ("pink", seraugment::pink(voice.len(), DRAW))]
    {
        for snr in [-5.0, 0.0, 12.5, 40.0] {
            let noisy = seraugment::add_at_snr(&voice, &noise, snr).unwrap();
            let added: Vec<f32> = noisy.iter().zip(&voice).map(|(a, b)| a - b).collect();
            let measured = 10.0 * (energy(&voice) / energy(&added)).log10();
            assert!((measured - snr).abs() < 1e-3, "{name} at {snr} dB: {measured}");
        }
    }
    assert_eq!(seraugment::add_at_snr(&[0.0; 8], &[1.0; 8], 10.0).unwrap(), [0.0; 8]);
}

#[test]
fn noises_have_their_spectra() {
    // Mean power over octaves: equal for white noise, halved an octave for pink; 2^17 samples leave 0.2 dB of chance.
    let octave = |x: &[f32], k: u32| {
        let low = 2f64.powi(k as i32) * 100.0;
        (0..200).map(|i| power_at(x, low * (1.0 + f64::from(i) / 200.0))).sum::<f64>() / 200.0
    };
    let slope = |x: &[f32]| 10.0 * (octave(x, 5) / octave(x, 0)).log10() / 5.0;
    let (white, pink) = (seraugment::white(1 << 17, DRAW), seraugment::pink(1 << 17, DRAW));
    assert!((energy(&white) / white.len() as f64 - 1.0).abs() < 0.02);
    assert!(slope(&white).abs() < 0.3, "{}", slope(&white));
    assert!((slope(&pink) + 3.01).abs() < 0.3, "{}", slope(&pink));
}

#[test]
fn a_convolution_is_scipys() {
    // a = np.sin(np.arange(50)**2 * 0.01); b = np.cos(np.arange(9) * 0.7) / (1 + np.arange(9))
    // y = scipy.signal.fftconvolve(a, b); y[[0, 5, 25, 49, 57]], y.sum(), (y**2).sum()
    let a: Vec<f32> = (0..50).map(|i| (f64::from(i * i) * 0.01).sin() as f32).collect();
    let b: Vec<f32> = (0..9).map(|i| ((f64::from(i) * 0.7).cos() / f64::from(1 + i)) as f32).collect();
    let y = seraugment::convolve(&a, &b);
    assert_eq!(y.len(), 58);
    for (i, expected) in [
        (0, 1.1102230246251565e-16),
        (5, 0.30649120729863333),
        (25, 0.20226273414345736),
        (49, -1.6676326439414983),
        (57, -0.07766786984256614),
    ] {
        assert!((f64::from(y[i]) - expected).abs() < 1e-6, "{i}: {} against {expected}", y[i]);
    }
    let sum: f64 = y.iter().map(|&v| f64::from(v)).sum();
    assert!(
        (sum - 5.471671343673988).abs() < 1e-5 && (energy(&y) - 52.76767766286551).abs() < 1e-4,
        "{sum} {}",
        energy(&y)
    );
}

#[test]
fn a_room_decays_by_60_db_in_its_rt60() {
    for rt60 in [0.2, 0.6, 1.5] {
        let response = seraugment::impulse_response(rt60, 3.0, RATE, DRAW).unwrap();
        let tail = energy(&response[1..]);
        assert!((10.0 * (1.0 / tail).log10() - 3.0).abs() < 1e-3, "direct to reverberant: {tail}");
        // Schroeder's backward integral, its slope between -5 and -35 dB (T30) by least squares.
        let mut left = tail;
        let mut points = Vec::new();
        for (i, &x) in response.iter().enumerate().skip(1) {
            let db = 10.0 * (left / tail).log10();
            if (-35.0..=-5.0).contains(&db) {
                points.push((i as f64 / f64::from(RATE), db));
            }
            left -= f64::from(x).powi(2);
        }
        let n = points.len() as f64;
        let mean = points.iter().fold((0.0, 0.0), |m, p| (m.0 + p.0 / n, m.1 + p.1 / n));
        let slope = points.iter().map(|p| (p.0 - mean.0) * (p.1 - mean.1)).sum::<f64>()
            / points.iter().map(|p| (p.0 - mean.0).powi(2)).sum::<f64>();
        let measured = -60.0 / slope;
        assert!((measured / rt60 - 1.0).abs() < 0.05, "RT60 of {rt60}: {measured}");
    }
}

#[test]
fn a_room_keeps_length_and_loudness_and_an_empty_one_everything() {
    let voice = tone(300.0, 0.5, 0.1);
    let heard = seraugment::room(&voice, &seraugment::impulse_response(0.5, 0.0, RATE, DRAW).unwrap());
    assert_eq!(heard.len(), voice.len());
    assert!((energy(&heard) / energy(&voice) - 1.0).abs() < 1e-4 && heard != voice);
    let plain = seraugment::room(&voice, &[1.0]);
    assert!(plain.iter().zip(&voice).all(|(a, b)| (a - b).abs() < 1e-6));
}

#[test]
fn speed_moves_pitch_and_length_together() {
    let voice = tone(440.0, 1.0, 0.5);
    for (percent, hz) in [(110, 484.0), (90, 396.0)] {
        let out = seraugment::speed(&voice, percent).unwrap();
        assert_eq!(out.len(), (voice.len() * 100).div_ceil(percent as usize));
        let peak = (380..=500).max_by(|&a, &b| power_at(&out, f64::from(a)).total_cmp(&power_at(&out, f64::from(b))));
        assert_eq!(peak.map(f64::from), Some(hz), "{percent} %");
    }
}

#[test]
fn g711_is_pythons() {
    // x = np.arange(32768, dtype="<i2")
    // y = np.frombuffer(audioop.ulaw2lin(audioop.lin2ulaw(x.tobytes(), 2), 2), "<i2")   # and alaw; Python 3.11
    // sum(y * (np.arange(32768) % 1009)), y[[0, 1, 100, 12345, 32767]]
    // Below zero audioop rounds otherwise than ITU-T's reference, which mirrors: q(-1 - x) = -q(x).
    for (law, sum, some) in
        [(Law::Mu, 269_118_115_080, [0, 0, 104, 12412, 32124]), (Law::A, 269_750_423_280, [8, 8, 104, 12544, 32256])]
    {
        let y: Vec<i16> = (0..=i16::MAX).map(|x| law.quantise(x)).collect();
        assert_eq!([0, 1, 100, 12345, 32767].map(|i: usize| y[i]), some, "{law:?}");
        assert_eq!(y.iter().enumerate().map(|(i, &v)| i64::from(v) * (i % 1009) as i64).sum::<i64>(), sum, "{law:?}");
        assert!((0..=i16::MAX).zip(&y).all(|(x, &y)| law.quantise(!x) == -y), "{law:?}");
    }
}

#[test]
fn a_channel_keeps_its_band_and_nothing_above() {
    let (inside, above) = (tone(1000.0, 0.5, 0.3), tone(6000.0, 0.5, 0.3));
    let both: Vec<f32> = inside.iter().zip(&above).map(|(a, b)| a + b).collect();
    for out in
        [seraugment::band_limit(&both, RATE, 8000).unwrap(), seraugment::codec(&both, RATE, 8000, Law::A).unwrap()]
    {
        assert_eq!(out.len(), both.len());
        let loss = |hz| 10.0 * (power_at(&out, hz) / power_at(&both, hz)).log10();
        assert!(loss(1000.0).abs() < 0.2 && loss(6000.0) < -40.0, "{} {}", loss(1000.0), loss(6000.0));
    }
    // G.711's steps are about 38 dB below a loud tone (one whose period is no whole number of samples).
    let inside = tone(1013.0, 0.5, 0.3);
    let steps = seraugment::codec(&inside, RATE, 8000, Law::Mu).unwrap();
    let plain = seraugment::band_limit(&inside, RATE, 8000).unwrap();
    let error: Vec<f32> = steps.iter().zip(&plain).map(|(a, b)| a - b).collect();
    let snr = 10.0 * (energy(&plain) / energy(&error)).log10();
    assert!((34.0..44.0).contains(&snr), "{snr}");
}

#[test]
fn gain_is_exact_until_it_clips() {
    let out = seraugment::gain(&[0.1, -0.25, 0.9], 6.0).unwrap();
    assert!((f64::from(out[0]) - 0.1 * 10f64.powf(0.3)).abs() < 1e-7 && out[2] == 1.0, "{out:?}");
}

#[test]
fn masks_hide_their_part_and_nothing_else() {
    let (frames, coefficients) = (7, 4);
    let features: Vec<f32> = (0..28u16).map(|i| f32::from(i * i % 23)).collect();
    // numpy: x.reshape(7, 4).mean(0)
    let mean = |c: usize| (0..frames).map(|t| f64::from(features[t * coefficients + c])).sum::<f64>() / 7.0;
    for mask in [Mask { axis: Axis::Time, start: 2, width: 3 }, Mask { axis: Axis::Coefficient, start: 1, width: 2 }] {
        let mut masked = features.clone();
        mask.apply(&mut masked, coefficients);
        for (i, (&now, &before)) in masked.iter().zip(&features).enumerate() {
            let at = if mask.axis == Axis::Time { i / coefficients } else { i % coefficients };
            let hidden = (mask.start..mask.start + mask.width).contains(&at);
            let expected = if hidden { mean(i % coefficients) as f32 } else { before };
            assert_eq!(now, expected, "{mask:?} at {i}");
        }
    }
    let all = seraugment::masks(DRAW, 188, 39, Range { low: 0.1, high: 0.1 });
    assert_eq!(all.iter().map(|m| m.width).collect::<Vec<_>>(), [19, 19, 4, 4]);
    assert!(all.iter().all(|m| m.start + m.width <= if m.axis == Axis::Time { 188 } else { 39 }));
}

#[test]
fn noise_of_ones_own_is_read_from_a_folder() {
    let folder = tempfile::tempdir().unwrap();
    let refused = NoiseBank::open(folder.path(), RATE).unwrap_err().to_string();
    assert!(refused.contains("no recording"), "{refused}");
    let spec =
        hound::WavSpec { channels: 1, sample_rate: RATE, bits_per_sample: 16, sample_format: hound::SampleFormat::Int };
    let mut wav = hound::WavWriter::create(folder.path().join("hum.wav"), spec).unwrap();
    tone(50.0, 0.2, 0.5).iter().for_each(|x| wav.write_sample((x * 32767.0) as i16).unwrap());
    wav.finalize().unwrap();
    let augment = "noise=10".parse().unwrap();
    let augmenter = seraugment::Augmenter::new(augment, RATE, Some(folder.path())).unwrap();
    let voice = tone(440.0, 1.0, 0.3);
    let noisy = (0..20)
        .map(|utterance| augmenter.samples(&voice, Draw { utterance, ..DRAW }).unwrap())
        .find(|out| *out != voice)
        .unwrap();
    let added: Vec<f32> = noisy.iter().zip(&voice).map(|(a, b)| a - b).collect();
    assert!((10.0 * (energy(&voice) / energy(&added)).log10() - 10.0).abs() < 1e-3);
    assert!(power_at(&added, 50.0) > 100.0 * power_at(&added, 200.0));
    std::fs::write(folder.path().join("notes.txt"), "no noise").unwrap();
    let refused = NoiseBank::open(folder.path(), RATE).unwrap_err().to_string();
    assert!(refused.contains("notes.txt"), "{refused}");
}
